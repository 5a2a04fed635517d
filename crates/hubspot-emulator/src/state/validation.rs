//! Which property values a write may carry, and what they become (hubspot-api notes §2.1, §3.1).

use std::collections::BTreeMap;

use super::object_type::Required;
use super::property::{Kind, Property, Source};
use super::store::Store;
use super::values::{PropertyIndex, Values};
use crate::failure::{BadValue, Failure};
use crate::time::{DAY, iso, parse_date, parse_iso, write_date};

/// Values a write asks for, by property name; null counts as empty.
pub(crate) type Asked = BTreeMap<String, Option<String>>;

/// Values a write makes, ascending by property.
pub(crate) type Changes = Vec<(PropertyIndex, Option<String>)>;

/// String values may hold this many characters.
const LONGEST: usize = 65_536;

/// Checks every value; all refused ones are told at once.
pub(crate) fn check(
    store: &Store,
    asked: &Asked,
    current: Option<&Values>,
) -> Result<Changes, Vec<BadValue>> {
    let (mut changes, mut bad) = (Changes::new(), Vec::new());
    for (name, value) in asked {
        match check_one(store, name, value.as_deref().unwrap_or(""), current) {
            Ok(change) => changes.push(change),
            Err(refused) => bad.push(refused),
        }
    }
    changes.sort_unstable_by_key(|(index, _)| *index);
    if bad.is_empty() { Ok(changes) } else { Err(bad) }
}

fn check_one(
    store: &Store,
    name: &str,
    value: &str,
    current: Option<&Values>,
) -> Result<(PropertyIndex, Option<String>), BadValue> {
    let Some(index) = store.properties.index(name) else {
        let message = format!("Property \"{name}\" does not exist");
        return Err(BadValue::new(name, "PROPERTY_DOESNT_EXIST", message));
    };
    let property = store.properties.get(index);
    if property.read_only || property.calculated || property.source != Source::Stored {
        let message = format!("\"{name}\" is a read only property; its value cannot be set.");
        return Err(BadValue::new(name, "READ_ONLY_VALUE", message));
    }
    let before = current.and_then(|values| values.get(index));
    let value = if value.is_empty() {
        String::new()
    } else {
        normalise(property, value, before.as_deref())?
    };
    let value = if goes_back(property, before.as_deref(), &value) {
        before.unwrap_or_default().into_owned()
    } else {
        value
    };
    Ok((index, Some(value)))
}

/// `lifecyclestage` only moves forward unless it is cleared first (hubspot-api notes §1.2). That a step back is
/// ignored instead of refused is believed.
fn goes_back(property: &Property, before: Option<&str>, value: &str) -> bool {
    let rank = |stage: &str| property.choices.iter().position(|choice| choice.value == stage);
    property.name == "lifecyclestage"
        && before
            .and_then(rank)
            .zip(rank(value))
            .is_some_and(|(before, after)| after < before)
}

/// The stored form of a value that is not empty.
fn normalise(property: &Property, value: &str, before: Option<&str>) -> Result<String, BadValue> {
    if value.chars().count() > LONGEST {
        let message = format!(
            "{} was too long; the limit is {LONGEST} characters.",
            property.name
        );
        return Err(BadValue::new(&property.name, "INVALID_LENGTH", message));
    }
    // Blanks around a value that is no text are taken: an announced ban was cancelled (hubspot-api notes §0).
    let trimmed = value.trim();
    match property.kind {
        Kind::Number => number(property, trimmed),
        Kind::Bool => boolean(property, trimmed),
        Kind::Date => date(property, trimmed),
        Kind::DateTime => datetime(property, trimmed),
        Kind::Enumeration => enumeration(property, trimmed, before),
        Kind::String if property.name == "email" => email(property, value),
        Kind::String | Kind::PhoneNumber | Kind::Coordinates | Kind::Json => Ok(value.to_owned()),
    }
}

fn number(property: &Property, value: &str) -> Result<String, BadValue> {
    let valid = value.parse::<f64>().is_ok_and(f64::is_finite);
    let refuse = || {
        BadValue::new(
            &property.name,
            "INVALID_INTEGER",
            format!("{value} was not a valid number."),
        )
    };
    valid.then(|| value.to_owned()).ok_or_else(refuse)
}

fn boolean(property: &Property, value: &str) -> Result<String, BadValue> {
    let lower = value.to_ascii_lowercase();
    if matches!(lower.as_str(), "true" | "false") {
        Ok(lower)
    } else {
        Err(not_an_option(property, value))
    }
}

fn date(property: &Property, value: &str) -> Result<String, BadValue> {
    let at = match value.parse::<i64>() {
        Ok(millis) => millis,
        Err(_) => parse_date(value).or_else(|| parse_iso(value)).ok_or_else(|| {
            BadValue::new(
                &property.name,
                "INVALID_DATE",
                format!("{value} is not a valid date."),
            )
        })?,
    };
    if at.rem_euclid(DAY) != 0 {
        let (hours, minutes) = (at.rem_euclid(DAY) / 3_600_000, at.rem_euclid(3_600_000) / 60_000);
        let message = format!(
            "{value} is at {hours}:{minutes}:{}.{} UTC, not midnight!",
            at / 1000 % 60,
            at % 1000
        );
        return Err(BadValue::new(&property.name, "INVALID_DATE", message));
    }
    let mut day = Vec::new();
    write_date(&mut day, at);
    Ok(String::from_utf8(day).unwrap_or_default())
}

fn datetime(property: &Property, value: &str) -> Result<String, BadValue> {
    let at = super::store::instant(value);
    let refuse = || {
        BadValue::new(
            &property.name,
            "INVALID_LONG",
            format!("{value} was not a valid long."),
        )
    };
    at.map(iso).ok_or_else(refuse)
}

/// Options are case-sensitive internal values; labels are refused. `;x` adds to a multi-select.
fn enumeration(property: &Property, value: &str, before: Option<&str>) -> Result<String, BadValue> {
    if property.references.is_some() {
        return Ok(value.to_owned());
    }
    let chosen: Vec<String> = property
        .parts(value)
        .map(|part| option(property, part))
        .collect::<Result<_, _>>()?;
    let kept = before.filter(|_| property.is_multiple() && value.starts_with(';'));
    let mut all: Vec<&str> = property.parts(kept.unwrap_or("")).collect();
    for new in &chosen {
        if !all.contains(&new.as_str()) {
            all.push(new);
        }
    }
    Ok(all.join(";"))
}

/// One option as it is stored. Properties whose options are not listed take any; secondary addresses are addresses.
fn option(property: &Property, value: &str) -> Result<String, BadValue> {
    if property.name == "hs_additional_emails" {
        return email(property, value);
    }
    let listed = property.choices.iter().any(|choice| choice.value == value);
    if listed || property.choices.is_empty() {
        return Ok(value.to_owned());
    }
    Err(not_an_option(property, value))
}

fn not_an_option(property: &Property, value: &str) -> BadValue {
    let options: Vec<String> = match property.kind {
        Kind::Bool => vec!["true".into(), "false".into()],
        _ => property
            .choices
            .iter()
            .map(|choice| choice.value.clone())
            .collect(),
    };
    let message = format!(
        "{value} was not one of the allowed options: [{}]",
        options.join(", ")
    );
    BadValue::new(&property.name, "INVALID_OPTION", message)
}

fn email(property: &Property, value: &str) -> Result<String, BadValue> {
    let valid = value.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
    });
    let valid = valid && !value.contains(char::is_whitespace) && value.matches('@').count() == 1;
    let refuse = || {
        BadValue::new(
            &property.name,
            "INVALID_EMAIL",
            format!("Email address {value} is invalid"),
        )
    };
    valid.then(|| value.to_lowercase()).ok_or_else(refuse)
}

/// Checks that a create carries what its type needs (hubspot-api notes §1.1).
pub(crate) fn check_required(store: &Store, asked: &Asked) -> Result<(), Failure> {
    let given = |name: &&String| {
        asked
            .get(*name)
            .is_some_and(|value| value.as_deref().is_some_and(|text| !text.is_empty()))
    };
    let missing: Vec<String> = match &store.object_type.required {
        Required::All(names) => names.iter().filter(|name| !given(name)).cloned().collect(),
        Required::AnyOf(names) if names.iter().any(|name| given(&name)) => Vec::new(),
        Required::AnyOf(names) => names.clone(),
    };
    if missing.is_empty() {
        return Ok(());
    }
    let kind = store.object_type.singular.to_uppercase();
    let message = format!("Error creating {kind}. Some required properties were not set.");
    Err(Failure::validation(message).context("properties", missing))
}
