//! Search filters: what a condition means for a record (hubspot-api notes §1.5).
//!
//! Believed, not confirmed (see `parity/believed.md`): a record without the property matches no operator but
//! NOT_HAS_PROPERTY and NOT_CONTAINS_TOKEN.

use std::ops::RangeInclusive;

use super::associations::TypeIndex;
use super::portal::Portal;
use super::property::{Kind, Property, Source};
use super::record::Record;
use super::search_index::id_key;
use super::store::{Store, instant, is_temporal};
use super::values::PropertyIndex;
use crate::failure::Failure;

/// A filter as the request gives it.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AskedFilter {
    pub(crate) property_name: String,
    pub(crate) operator: String,
    pub(crate) value: Option<Text>,
    pub(crate) high_value: Option<Text>,
    pub(crate) values: Vec<Text>,
}

/// Text that clients also send as a bare number or boolean.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(untagged)]
pub(crate) enum Text {
    Text(String),
    Bare(serde_json::Value),
}

impl Text {
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Bare(value) => value.to_string(),
        }
    }
}

/// Reads a number that clients also send as text.
pub(crate) fn number<'de, D, T>(source: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = <Text as serde::Deserialize>::deserialize(source)?.into_text();
    text.parse()
        .map_err(|error| serde::de::Error::custom(format!("{text}: {error}")))
}

#[derive(Debug, Clone)]
pub(crate) struct Condition {
    subject: Subject,
    test: Test,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// The record's own id, creation or last modification.
    Own(Source),
    Value {
        property: PropertyIndex,
        reading: Reading,
    },
    /// The pseudo-property `associations.{type}`.
    Linked { to: TypeIndex },
}

/// How a value's text is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Number,
    Instant,
    /// Without regard to case.
    Text,
    /// Internal option values, exactly.
    Option,
    /// Several option values, `a;b`; one that matches is enough.
    Options,
}

#[derive(Debug, Clone)]
enum Test {
    Present,
    Absent,
    OneOf(Vec<Scalar>),
    NoneOf(Vec<Scalar>),
    /// Between two bounds, each with whether it belongs to the range.
    Range {
        low: Option<(Scalar, bool)>,
        high: Option<(Scalar, bool)>,
    },
    HasToken(String),
    LacksToken(String),
}

#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Scalar {
    Whole(i64),
    Number(f64),
    Text(String),
}

/// A record's field that search keeps in order.
pub(crate) type Order = Source;

impl Condition {
    pub(crate) fn compile(portal: &Portal, store: &Store, asked: AskedFilter) -> Result<Self, Failure> {
        let subject = subject(portal, store, &asked.property_name)?;
        let test = compile_test(subject, asked)?;
        Ok(Self { subject, test })
    }

    /// The range of one ordered field that this condition stands for, when it is nothing else than that.
    pub(crate) fn span(&self) -> Option<(Order, RangeInclusive<i64>)> {
        let Subject::Own(order) = self.subject else {
            return None;
        };
        let whole = |scalar: &Scalar| {
            if let Scalar::Whole(value) = scalar {
                Some(*value)
            } else {
                None
            }
        };
        match &self.test {
            Test::OneOf(values) if values.len() == 1 => whole(&values[0]).map(|value| (order, value..=value)),
            Test::Range { low, high } => {
                let low = low.as_ref().map_or(Some(i64::MIN), |(low, with)| {
                    whole(low)?.checked_add(i64::from(!with))
                });
                let high = high.as_ref().map_or(Some(i64::MAX), |(high, with)| {
                    whole(high)?.checked_sub(i64::from(!with))
                });
                Some((order, low?..=high?))
            }
            _ => None,
        }
    }

    /// Whether a time is compared with the epoch itself, which the service has been seen to fail at.
    pub(crate) fn names_the_epoch(&self) -> bool {
        let epoch = |scalar: &Scalar| *scalar == Scalar::Whole(0);
        self.subject.is_time()
            && match &self.test {
                Test::OneOf(values) | Test::NoneOf(values) => values.iter().any(epoch),
                Test::Range { low, high } => [low, high].into_iter().flatten().any(|(bound, _)| epoch(bound)),
                _ => false,
            }
    }

    /// Whether a time must equal a value.
    pub(crate) fn equals_a_time(&self) -> bool {
        self.subject.is_time() && matches!(&self.test, Test::OneOf(_))
    }

    pub(crate) fn holds(&self, portal: &Portal, of: TypeIndex, record: &Record) -> bool {
        match self.subject {
            Subject::Own(source) => self.test.holds(&[Scalar::Whole(own(source, record))], ""),
            Subject::Value { property, reading } => {
                let text = record.values.get(property).filter(|text| !text.is_empty());
                match text {
                    None => matches!(self.test, Test::Absent | Test::LacksToken(_)),
                    Some(text) => self.test.holds(&reading.scalars(&text), &text),
                }
            }
            Subject::Linked { to } => self.test.holds_for_link(
                || portal.associations.of(of, to, record.id, 0).next().is_some(),
                |id| portal.associations.has_pair(of, to, (record.id, id)),
            ),
        }
    }
}

impl Subject {
    fn is_time(self) -> bool {
        matches!(
            self,
            Self::Own(Source::Created | Source::Updated)
                | Self::Value {
                    reading: Reading::Instant,
                    ..
                }
        )
    }
}

/// The value of a record's own field.
pub(crate) fn own(source: Source, record: &Record) -> i64 {
    match source {
        Source::Id => id_key(record.id),
        Source::Created => record.created,
        Source::Updated | Source::Stored => record.updated,
    }
}

impl Reading {
    fn of(property: &Property) -> Self {
        match property.kind {
            Kind::Number => Self::Number,
            _ if is_temporal(property) => Self::Instant,
            Kind::Enumeration if property.is_multiple() => Self::Options,
            Kind::Enumeration | Kind::Bool => Self::Option,
            _ => Self::Text,
        }
    }

    /// What a stored text is compared as; empty when it cannot be read.
    fn scalars(self, text: &str) -> Vec<Scalar> {
        match self {
            Self::Options => text
                .split(';')
                .map(|part| Scalar::Text(part.to_owned()))
                .collect(),
            Self::Text => vec![Scalar::Text(text.to_lowercase())],
            _ => self.scalar(text).into_iter().collect(),
        }
    }

    fn scalar(self, text: &str) -> Option<Scalar> {
        match self {
            Self::Number => text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Scalar::Number),
            Self::Instant => instant(text).map(Scalar::Whole),
            Self::Text | Self::Option | Self::Options => Some(Scalar::Text(text.to_owned())),
        }
    }
}

impl Test {
    fn holds(&self, held: &[Scalar], text: &str) -> bool {
        match self {
            Self::Present => true,
            Self::Absent => false,
            Self::OneOf(values) => held.iter().any(|value| values.contains(value)),
            Self::NoneOf(values) => !held.iter().any(|value| values.contains(value)),
            Self::Range { low, high } => held.iter().any(|value| {
                low.as_ref()
                    .is_none_or(|(low, with)| value > low || (*with && value == low))
                    && high
                        .as_ref()
                        .is_none_or(|(high, with)| value < high || (*with && value == high))
            }),
            Self::HasToken(pattern) => has_token(text, pattern),
            Self::LacksToken(pattern) => !has_token(text, pattern),
        }
    }

    fn holds_for_link(&self, any: impl Fn() -> bool, linked: impl Fn(u64) -> bool) -> bool {
        let ids = |values: &[Scalar]| -> Vec<u64> {
            let whole = values.iter().filter_map(|value| {
                if let Scalar::Whole(id) = value {
                    Some(*id)
                } else {
                    None
                }
            });
            whole.filter_map(|id| u64::try_from(id).ok()).collect()
        };
        match self {
            Self::Present => any(),
            Self::Absent => !any(),
            Self::OneOf(values) => ids(values).into_iter().any(linked),
            Self::NoneOf(values) => !ids(values).into_iter().any(linked),
            _ => false,
        }
    }
}

fn subject(portal: &Portal, store: &Store, name: &str) -> Result<Subject, Failure> {
    if let Some(to) = name.strip_prefix("associations.") {
        return linked(portal, to);
    }
    if is_not_filterable(store, name) {
        let message = format!("Property '{name}' cannot be used in a filter");
        return Err(Failure::validation(message).context("propertyName", vec![name.to_owned()]));
    }
    let Some(property) = store.properties.index(name) else {
        let message = format!("There was a problem with the request: property '{name}' does not exist");
        return Err(Failure::validation(message).context("propertyName", vec![name.to_owned()]));
    };
    let definition = store.properties.get(property);
    Ok(match definition.source {
        Source::Stored => Subject::Value {
            property,
            reading: Reading::of(definition),
        },
        source => Subject::Own(source),
    })
}

/// Associations with custom objects cannot be searched (hubspot-api notes §1.5).
fn linked(portal: &Portal, name: &str) -> Result<Subject, Failure> {
    let to = portal.type_index(name)?;
    if portal.store(to).object_type.is_custom() {
        let message = format!("Associations with the custom object {name} cannot be searched");
        return Err(Failure::validation(message));
    }
    Ok(Subject::Linked { to })
}

/// Properties that search does not look into (hubspot-api notes §1.5).
fn is_not_filterable(store: &Store, name: &str) -> bool {
    name == "hs_body_preview_html"
        || (store.object_type.plural == "emails" && matches!(name, "hs_email_html" | "hs_body_preview"))
}

/// The operators that `associations.{type}` knows. Only EQ is documented; the others by belief.
const LINK_OPERATORS: [&str; 6] = ["EQ", "NEQ", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY"];

fn compile_test(subject: Subject, asked: AskedFilter) -> Result<Test, Failure> {
    let name = asked.property_name;
    let operator = asked.operator.as_str();
    if matches!(subject, Subject::Linked { .. }) && !LINK_OPERATORS.contains(&operator) {
        let message = format!("operator {operator} cannot be used with '{name}'");
        return Err(Failure::validation(message));
    }
    let missing = |what: &str| {
        Failure::validation(format!(
            "operator {operator} on property '{name}' requires {what}"
        ))
    };
    let first = asked.value.map(Text::into_text);
    let one = |text: Option<String>, what: &str| -> Result<Scalar, Failure> {
        compile_scalar(subject, &name, &text.ok_or_else(|| missing(what))?)
    };
    let token = |text: Option<String>| {
        text.map(|text| text.to_lowercase())
            .ok_or_else(|| missing("a value"))
    };
    let list = |values: Vec<Text>| -> Result<Vec<Scalar>, Failure> {
        match values.len() {
            0 => Err(missing("values")),
            1..=100 => values
                .into_iter()
                .map(|value| compile_scalar_exact(subject, &name, &value.into_text()))
                .collect(),
            _ => Err(Failure::validation(format!(
                "values of property '{name}' has more than 100 entries"
            ))),
        }
    };
    Ok(match operator {
        "HAS_PROPERTY" => Test::Present,
        "NOT_HAS_PROPERTY" => Test::Absent,
        "EQ" => Test::OneOf(vec![one(first, "a value")?]),
        "NEQ" => Test::NoneOf(vec![one(first, "a value")?]),
        "LT" => Test::Range {
            low: None,
            high: Some((one(first, "a value")?, false)),
        },
        "LTE" => Test::Range {
            low: None,
            high: Some((one(first, "a value")?, true)),
        },
        "GT" => Test::Range {
            low: Some((one(first, "a value")?, false)),
            high: None,
        },
        "GTE" => Test::Range {
            low: Some((one(first, "a value")?, true)),
            high: None,
        },
        "BETWEEN" => Test::Range {
            low: Some((one(first, "a value")?, true)),
            high: Some((one(asked.high_value.map(Text::into_text), "a highValue")?, true)),
        },
        "IN" => Test::OneOf(list(asked.values)?),
        "NOT_IN" => Test::NoneOf(list(asked.values)?),
        "CONTAINS_TOKEN" => Test::HasToken(token(first)?),
        "NOT_CONTAINS_TOKEN" => Test::LacksToken(token(first)?),
        unknown => {
            return Err(Failure::validation(format!(
                "Invalid input JSON: '{unknown}' is not a search operator"
            )));
        }
    })
}

/// A filter's value; text is compared without regard to case.
fn compile_scalar(subject: Subject, name: &str, text: &str) -> Result<Scalar, Failure> {
    match subject {
        Subject::Value {
            reading: Reading::Text,
            ..
        } => Ok(Scalar::Text(text.to_lowercase())),
        _ => compile_scalar_exact(subject, name, text),
    }
}

/// A filter's value as it stands: IN and NOT_IN on text only match when given in lowercase.
fn compile_scalar_exact(subject: Subject, name: &str, text: &str) -> Result<Scalar, Failure> {
    let scalar = match subject {
        Subject::Own(Source::Id) | Subject::Linked { .. } => text.parse().ok().map(Scalar::Whole),
        Subject::Own(_) => instant(text).map(Scalar::Whole),
        Subject::Value { reading, .. } => reading.scalar(text),
    };
    scalar.ok_or_else(|| Failure::validation(format!("Invalid value '{text}' for property '{name}'")))
}

/// Whether a text holds a token, or consecutive tokens; `*` stands for any characters. Both in lowercase
/// (the pattern already is).
fn has_token(text: &str, pattern: &str) -> bool {
    let text = text.to_lowercase();
    if pattern.contains('*') {
        return wildcard(&text, pattern) || tokens(&text).any(|token| wildcard(token, pattern));
    }
    let wanted: Vec<&str> = tokens(pattern).collect();
    let held: Vec<&str> = tokens(&text).collect();
    !wanted.is_empty() && held.windows(wanted.len()).any(|window| window == wanted)
}

fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|token| !token.is_empty())
}

/// Matches a pattern in which `*` stands for any characters.
pub(crate) fn wildcard(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or("")) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_match_whole_words_and_wildcards() {
        assert!(has_token("Maria Lopez-Garcia", "garcia"));
        assert!(!has_token("Maria Lopez-Garcia", "garc"));
        assert!(has_token("Maria Lopez-Garcia", "garc*"));
        assert!(has_token("maria@example.com", "*@example.com"));
        assert!(has_token("maria lopez garcia", "lopez garcia"));
        assert!(!has_token("maria lopez garcia", "maria garcia"));
    }

    #[test]
    fn wildcards_match_in_every_place() {
        for (text, pattern, expected) in [
            ("abc", "abc", true),
            ("abc", "a*", true),
            ("abc", "*c", true),
            ("abc", "*b*", true),
            ("abc", "a*b*c", true),
            ("abc", "b*", false),
            ("abc", "abcd*", false),
            ("a", "a*a", false),
        ] {
            assert_eq!(wildcard(text, pattern), expected, "{text} {pattern}");
        }
    }
}
