//! Why a record was refused, in words that name the property, the value and the reason.

use std::collections::BTreeMap;
use std::fmt;

use hubspot_client::{ApiError, Error as ClientError, SubError};
use serde::{Deserialize, Serialize};

/// Longer values are cut when they are told: a note's text is not an error message.
const SHOWN: usize = 120;

/// Everything that is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The property it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// The value that was to be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

impl Problem {
    /// About a property and the value it was to have.
    pub fn of(property: &str, value: Option<&str>, reason: impl Into<String>) -> Self {
        Self {
            property: Some(property.to_owned()),
            value: value.map(shown),
            reason: reason.into(),
        }
    }
}

/// A value as it is told.
pub(crate) fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} characters)", &value[..end], value.chars().count()),
        None => value.to_owned(),
    }
}

impl Refusal {
    /// About the record as a whole.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            problems: vec![Problem {
                property: None,
                value: None,
                reason: reason.into(),
            }],
        }
    }

    /// About one property.
    pub(crate) fn of(property: &str, value: Option<&str>, reason: impl Into<String>) -> Self {
        Self {
            problems: vec![Problem::of(property, value, reason)],
        }
    }
}

impl From<Vec<Problem>> for Refusal {
    fn from(problems: Vec<Problem>) -> Self {
        Self { problems }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            let between = if n > 0 { "; " } else { "" };
            write!(f, "{between}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.property, &self.value) {
            (Some(property), Some(value)) => write!(f, "property `{property}`, value `{value}`: ")?,
            (Some(property), None) => write!(f, "property `{property}`: ")?,
            (None, _) => {}
        }
        f.write_str(&self.reason)
    }
}

/// What HubSpot said, next to what it was asked to write.
pub(crate) struct Said<'a> {
    pub(crate) message: Option<&'a str>,
    pub(crate) errors: &'a [SubError],
    pub(crate) context: &'a BTreeMap<String, Vec<String>>,
    /// The values that were to be written.
    pub(crate) values: &'a BTreeMap<String, String>,
    /// Those of them that no two records may share: HubSpot does not say which one is taken.
    pub(crate) unique: Vec<&'a str>,
}

/// One refused value, as HubSpot lists them inside the message (hubspot-api notes §3.1).
#[derive(Deserialize)]
struct BadValue {
    name: String,
    message: Option<String>,
    error: Option<String>,
}

impl Said<'_> {
    /// The reasons, by property where HubSpot names it.
    pub(crate) fn refusal(&self) -> Refusal {
        let found = [
            Self::in_message,
            Self::in_errors,
            Self::in_context,
            Self::about_conflict,
        ];
        let problems = found
            .into_iter()
            .map(|find| find(self))
            .find(|found| !found.is_empty());
        problems.map_or_else(|| Refusal::new(self.words()), Refusal::from)
    }

    fn words(&self) -> &str {
        self.message.unwrap_or("HubSpot refused it and does not say why")
    }

    fn problem(&self, property: &str, reason: impl Into<String>) -> Problem {
        Problem::of(property, self.values.get(property).map(String::as_str), reason)
    }

    /// `Property values were not valid: [{"name": ..., "message": ..., "error": ...}]`
    fn in_message(&self) -> Vec<Problem> {
        let list = self
            .message
            .and_then(|message| message.split_once("were not valid: "));
        let list = list.and_then(|(_, list)| serde_json::from_str::<Vec<BadValue>>(list).ok());
        let problem = |bad: BadValue| {
            let reason = in_words(bad.message.as_deref(), bad.error.as_deref());
            self.problem(&bad.name, reason)
        };
        list.unwrap_or_default().into_iter().map(problem).collect()
    }

    fn in_errors(&self) -> Vec<Problem> {
        let named = |error: &SubError| error.context.get("propertyName")?.first().cloned();
        let problem = |error: &SubError| {
            let reason = in_words(error.message.as_deref(), error.code.as_deref());
            Some(self.problem(&named(error)?, reason))
        };
        self.errors.iter().filter_map(problem).collect()
    }

    /// Properties that a record needs and does not have.
    fn in_context(&self) -> Vec<Problem> {
        let names = ["properties", "propertyName"].into_iter();
        let names = names.filter_map(|key| self.context.get(key)).flatten();
        names.map(|name| self.problem(name, self.words())).collect()
    }

    fn about_conflict(&self) -> Vec<Problem> {
        let taken = self.words().contains("already exists");
        let unique = self.unique.iter().filter(|_| taken);
        unique.map(|name| self.problem(name, self.words())).collect()
    }
}

fn in_words(message: Option<&str>, code: Option<&str>) -> String {
    match (message, code) {
        (Some(message), Some(code)) => format!("{message} ({code})"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "HubSpot refused it and does not say why".to_owned(),
    }
}

/// HubSpot's answer, when it refused what was asked for good. `None` when that may go better another time.
pub(crate) fn for_good(error: &ClientError) -> Option<&ApiError> {
    let refused = |error: &&ApiError| matches!(error.status, 400 | 404 | 405 | 409 | 413..=415 | 422);
    error.api().filter(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(error: serde_json::Value) -> String {
        let error: SubError = serde_json::from_value(error).unwrap();
        let values =
            BTreeMap::from([("email", "x y"), ("amount", "ten")].map(|(a, b)| (a.to_owned(), b.to_owned())));
        let said = Said {
            message: error.message.as_deref(),
            errors: &[],
            context: &error.context,
            values: &values,
            unique: vec!["email"],
        };
        said.refusal().to_string()
    }

    #[test]
    fn each_value_that_hubspot_lists_is_named_with_its_reason() {
        let list = r#"[{"isValid":false,"message":"Email address x y is invalid","error":"INVALID_EMAIL","name":"email"},
            {"isValid":false,"message":"ten was not a valid number.","error":"INVALID_INTEGER","name":"amount"}]"#;
        let message = format!("Property values were not valid: {list}");
        assert_eq!(
            refusal(serde_json::json!({"message": message})),
            "property `email`, value `x y`: Email address x y is invalid (INVALID_EMAIL); \
             property `amount`, value `ten`: ten was not a valid number. (INVALID_INTEGER)"
        );
    }

    #[test]
    fn what_is_missing_and_what_is_taken_are_named_too() {
        let missing = serde_json::json!({"message": "Some required properties were not set.",
            "context": {"properties": ["dealname"]}});
        assert_eq!(
            refusal(missing),
            "property `dealname`: Some required properties were not set."
        );
        let taken =
            serde_json::json!({"message": "Contact already exists. Existing ID: 12", "category": "CONFLICT"});
        assert_eq!(
            refusal(taken),
            "property `email`, value `x y`: Contact already exists. Existing ID: 12"
        );
    }

    #[test]
    fn anything_else_is_told_as_it_came_and_long_values_are_cut() {
        assert_eq!(refusal(serde_json::json!({"message": "odd"})), "odd");
        let long = Problem::of("note", Some(&"é".repeat(500)), "too long").to_string();
        assert!(long.contains("… (500 characters)") && long.len() < 400, "{long}");
    }
}
