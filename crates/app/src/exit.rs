//! How a command ends: the exit code, and what is said when it failed.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::process::ExitCode;

use jiff::Timestamp;
use opencdc::ErrorKind;

use crate::picture::Current;
use crate::printer;

/// The exit codes of `spoke`, a contract with whoever calls it from a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It failed while running.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The environment is to blame: HubSpot is unreachable, or refused the credentials.
    Environment = 3,
}

/// A command that did not succeed: what a person reads, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    /// The kind of error, as a word that programs read.
    kind: &'static str,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

/// What a command gives back.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            kind: match exit {
                Exit::Failed => "failed",
                Exit::Usage => "configuration",
                Exit::Environment => "environment",
            },
            message: message.into(),
            causes: Vec::new(),
            hint: None,
        }
    }

    /// The command line or the configuration is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// It failed while running.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The environment is to blame.
    pub(crate) fn environment(message: impl Into<String>) -> Self {
        Self::new(Exit::Environment, message)
    }

    /// The failure for a program.
    pub(crate) fn current(&self) -> Current {
        Current {
            kind: self.kind.to_owned(),
            message: self.message.clone(),
            hint: self.hint.clone(),
            at: Some(Timestamp::now()),
            retry_at: None,
        }
    }

    /// The same failure with the way out.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure with this way out, unless it has one.
    #[must_use]
    pub(crate) fn or_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// The same failure, told from further out: `place: message`, once.
    #[must_use]
    pub(crate) fn within(mut self, place: &str) -> Self {
        let begin = format!("{place}: ");
        if !self.message.starts_with(&begin) {
            self.message.insert_str(0, &begin);
        }
        self
    }

    /// What failed and why, in one line.
    pub(crate) fn reason(&self) -> String {
        let causes = self.causes.iter().map(String::as_str);
        let parts: Vec<_> = std::iter::once(&*self.message).chain(causes).collect();
        parts.join(": ")
    }

    /// The same failure with the chain of causes of `source`, from `source` itself on.
    #[must_use]
    pub(crate) fn because(mut self, source: &(dyn StdError + 'static)) -> Self {
        self.causes.extend(chain(source));
        self
    }

    /// Tells it on stderr, when others go on.
    pub(crate) fn tell(&self) {
        printer::problem(&self.render());
    }

    /// The whole text: message, causes, and the hint after a blank line.
    fn render(&self) -> String {
        let mut text = format!("error: {}", self.message);
        for cause in &self.causes {
            write!(text, "\n  caused by: {cause}").expect("writing to a string never fails");
        }
        if let Some(hint) = &self.hint {
            write!(text, "\n\nhint: {hint}").expect("writing to a string never fails");
        }
        text
    }
}

/// The error and its sources, a text that only repeats the end of the one before left out.
fn chain(error: &(dyn StdError + 'static)) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if texts.last().is_none_or(|last| !last.ends_with(&text)) {
            texts.push(text);
        }
        next = error.source();
    }
    texts
}

fn exit_of(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::Configuration => Exit::Usage,
        ErrorKind::Unreachable | ErrorKind::Refused => Exit::Environment,
        _ => Exit::Failed,
    }
}

/// The errors of several streams, each with its way out.
fn of_streams(error: &opencdc::Error) -> Vec<String> {
    let streams = error.streams();
    if streams.len() < 2 {
        return Vec::new();
    }
    let text = |error: &opencdc::Error| Current::from(opencdc::Trouble::of(error, None)).text();
    streams.iter().map(|(_, error)| text(error)).collect()
}

impl From<opencdc::Error> for Failure {
    fn from(error: opencdc::Error) -> Self {
        let causes = error.source().map(chain).unwrap_or_default();
        let causes = causes
            .into_iter()
            .filter(|cause| !error.to_string().ends_with(cause.as_str()))
            .chain(of_streams(&error))
            .collect();
        Self {
            exit: exit_of(error.kind()),
            kind: error.kind().as_str(),
            message: error.to_string(),
            causes,
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<hubspot_client::Error> for Failure {
    fn from(error: hubspot_client::Error) -> Self {
        hubspot_connector::contract_error(error).into()
    }
}

/// The process's exit code; a failure is told on stderr.
pub(crate) fn code(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            printer::problem(&failure.render());
            ExitCode::from(failure.exit as u8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_reads_message_causes_hint() {
        let cause = opencdc::Error::new(ErrorKind::Storage, "disk is full");
        let failure = Failure::failed("cannot write `x.db`")
            .because(&cause)
            .hint("make room");
        assert_eq!(
            failure.render(),
            "error: cannot write `x.db`\n  caused by: disk is full\n\nhint: make room"
        );
    }

    #[test]
    fn every_stream_that_failed_is_told_with_its_way_out() {
        let failed = |stream: &str| {
            let error = opencdc::Error::new(ErrorKind::Refused, format!("cannot read `{stream}`"));
            (stream.into(), error.with_hint("grant it"))
        };
        let error = opencdc::Error::of_streams(vec![failed("deals"), failed("tasks")]).unwrap();
        let expected = "error: 2 streams could not be read: `deals`, `tasks`\n  \
                        caused by: cannot read `deals` (grant it)\n  caused by: cannot read `tasks` (grant it)";
        assert_eq!(Failure::from(error).render(), expected);
    }

    #[test]
    fn the_kind_of_an_error_decides_the_exit_code() {
        assert_eq!(exit_of(ErrorKind::Configuration), Exit::Usage);
        assert_eq!(exit_of(ErrorKind::Refused), Exit::Environment);
        assert_eq!(exit_of(ErrorKind::Storage), Exit::Failed);
    }
}
