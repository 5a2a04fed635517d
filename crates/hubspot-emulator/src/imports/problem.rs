//! What is wrong with a file, a row or a value, in HubSpot's error types (hubspot-api notes §6.2).

use crate::failure::Failure;

#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// `errorType`.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    /// The column of the file, from zero.
    pub(crate) column: Option<usize>,
    pub(crate) value: Option<String>,
}

impl Problem {
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            column: None,
            value: None,
        }
    }

    pub(super) fn at(self, column: usize, value: &str) -> Self {
        Self {
            column: Some(column),
            value: Some(value.to_owned()),
            ..self
        }
    }
}

/// One property of a refused write: its name, the error type that an import gives, and whether the rest of the row
/// is written without it. HubSpot says of options that it is; that the other values which cannot be read are treated
/// alike is believed.
pub(super) struct Refused {
    pub(super) property: String,
    pub(super) kind: &'static str,
    pub(super) message: String,
    pub(super) rest_is_written: bool,
}

/// The properties that a write was refused for; none when it was refused as a whole.
pub(super) fn refused(failure: &Failure) -> Vec<Refused> {
    let read = |error: &serde_json::Value| {
        let (kind, rest_is_written) = kind_of(error["code"].as_str()?);
        Some(Refused {
            property: error["context"]["propertyName"][0].as_str()?.to_owned(),
            kind,
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            rest_is_written,
        })
    };
    failure.errors.iter().filter_map(read).collect()
}

fn kind_of(code: &str) -> (&'static str, bool) {
    match code {
        "INVALID_OPTION" => ("INVALID_ENUMERATION_OPTION", true),
        "INVALID_INTEGER" => ("COULD_NOT_PARSE_NUMBER", true),
        "INVALID_DATE" | "INVALID_LONG" => ("COULD_NOT_PARSE_DATE", true),
        "INVALID_EMAIL" => ("INVALID_EMAIL", true),
        "INVALID_LENGTH" => ("COLUMN_TOO_LARGE", false),
        "CONFLICTING_UNIQUE_VALUE" => ("DUPLICATE_UNIQUE_PROPERTY_VALUE", false),
        _ => ("FAILED_VALIDATION", false),
    }
}

/// The error type of a write that was refused as a whole.
pub(super) fn of_whole(failure: &Failure) -> Problem {
    let kind = match failure.status {
        409 => "DUPLICATE_UNIQUE_PROPERTY_VALUE",
        _ if failure.context.iter().any(|(key, _)| *key == "properties") => "MISSING_REQUIRED_PROPERTY",
        _ => "FAILED_VALIDATION",
    };
    Problem::new(kind, failure.message.clone())
}
