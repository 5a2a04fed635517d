//! YAML into a struct, with errors that say where, what, and what was probably meant.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use super::nearest;
use crate::exit::{Failure, Outcome};

/// Parses `text`; errors name the file, the line and the column.
///
/// The parser's own picture of the source is left out on purpose: a line of it may hold a secret.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Outcome<T> {
    serde_saphyr::from_str(text).map_err(|error| explain(path, error.without_snippet()))
}

fn explain(path: &Path, error: &Error) -> Failure {
    let place = error
        .location()
        .map_or_else(String::new, |at| format!(":{}:{}", at.line(), at.column()));
    let at = format!("{}{place}", path.display());
    match error {
        Error::SerdeUnknownField { field, expected, .. } => unknown(&at, "key", field, expected),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => unknown(&at, "value", variant, expected),
        other => Failure::usage(format!("{at}: {}", without_place(&other.to_string()))),
    }
}

fn unknown(at: &str, what: &str, name: &str, expected: &[&str]) -> Failure {
    let near = nearest(name, expected.iter().copied());
    let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let known: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
    Failure::usage(format!("{at}: unknown {what} `{name}`{meant}"))
        .hint(format!("what may stand here: {}", known.join(", ")))
}

/// The parser appends ` at line L, column C`, which stands in front already.
fn without_place(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |end| &message[..end])
}
