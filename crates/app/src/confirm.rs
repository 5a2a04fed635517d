//! Asking a person before something is taken away.

use std::io::{BufRead, IsTerminal};

use crate::exit::{Failure, Outcome};
use crate::printer;

/// What has to be typed to go on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer<'a> {
    /// `yes`
    Yes,
    /// The very thing that will be gone, so that nobody goes on out of habit.
    Exactly(&'a str),
}

impl Answer<'_> {
    fn is_given_by(self, typed: &str) -> bool {
        match self {
            Self::Yes => matches!(typed.trim(), "yes" | "y"),
            Self::Exactly(text) => typed.trim() == text,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Yes => "`yes`",
            Self::Exactly(_) => "it once more",
        }
    }
}

/// Goes on when `yes` was given on the command line, or is typed now. `warning` says what will happen.
///
/// # Errors
/// Something else was typed, or nobody is there to type.
pub(crate) fn proceed(warning: &str, answer: Answer<'_>, yes: bool) -> Outcome {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(
            Failure::usage(format!("{warning}; whether to go on cannot be asked here")).hint("add `--yes`"),
        );
    }
    printer::note(&format!("{warning}. Type {} to go on:", answer.expected()));
    let mut typed = String::new();
    let read = std::io::stdin().lock().read_line(&mut typed);
    read.map_err(|error| Failure::failed("cannot read the answer").because(&error))?;
    match answer.is_given_by(&typed) {
        true => Ok(()),
        false => Err(Failure::failed("nothing was done")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_was_asked_for() {
        assert!(Answer::Yes.is_given_by("yes\n") && Answer::Yes.is_given_by("y\n"));
        assert!(!Answer::Yes.is_given_by("no\n") && !Answer::Yes.is_given_by("\n"));
        assert!(Answer::Exactly("17").is_given_by("17\n"));
        assert!(!Answer::Exactly("17").is_given_by("yes\n"));
    }
}
