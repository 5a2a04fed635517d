//! Values as HubSpot writes them: every one is a text (hubspot-api notes §1.2), whose form depends on the property's
//! type (§2.1).

use std::collections::BTreeSet;

use hubspot_client::Property;
use jiff::civil;
use jiff::tz::TimeZone;
use serde_json::value::RawValue;

/// The text of a JSON value; `None` for null.
///
/// Several values become one text with `;` between them, as HubSpot writes several choices.
///
/// # Errors
/// What it is instead, for an object and for a text of half a character (`"\ud800"`).
pub(crate) fn text_of(raw: &RawValue) -> Result<Option<String>, &'static str> {
    let json = raw.get();
    match json.as_bytes().first() {
        Some(b'{') => Err("an object"),
        Some(b'[') => several(json).map(Some),
        Some(b'"') => serde_json::from_str(json)
            .map(Some)
            .map_err(|_| "a text that is not Unicode"),
        Some(b'n') => Ok(None),
        // A number keeps its digits, `true` and `false` are HubSpot's words too.
        _ => Ok(Some(json.to_owned())),
    }
}

fn several(json: &str) -> Result<String, &'static str> {
    let values: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
    let text = |value: &&RawValue| text_of(value).map(Option::unwrap_or_default);
    let texts: Vec<_> = values.iter().map(text).collect::<Result<_, _>>()?;
    Ok(texts.join(";"))
}

/// The form that a property's type wants, where the text has another that means the same beyond doubt: a database's
/// `1` for true, its midnight for a day, its blank between day and time. Anything else is left for HubSpot to judge.
pub(crate) fn fitted(text: String, property: &Property) -> String {
    let other = match property.type_.as_str() {
        "bool" => truth(&text),
        "date" => day(&text),
        "datetime" => instant(&text),
        _ => None,
    };
    other.unwrap_or(text)
}

fn truth(text: &str) -> Option<String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => Some("true".to_owned()),
        "0" | "f" | "false" => Some("false".to_owned()),
        _ => None,
    }
}

/// The day of an instant that is midnight in UTC. Any other hour is no day, and is left to be refused.
fn day(text: &str) -> Option<String> {
    let at = parsed(text)?.to_zoned(TimeZone::UTC);
    (at.time() == civil::Time::midnight()).then(|| at.date().to_string())
}

/// HubSpot's own form. A time without a zone is UTC, as HubSpot's are.
fn instant(text: &str) -> Option<String> {
    parsed(text).map(|at| format!("{at:.3}"))
}

fn parsed(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    let has_time = text.contains(':');
    let zoned = || text.parse().ok();
    let civil = || {
        let at: civil::DateTime = text.parse().ok()?;
        at.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
    };
    has_time.then(|| zoned().or_else(civil)).flatten()
}

/// What HubSpot would say against a value, as far as a definition tells (hubspot-api notes §2.1). For a dry run: who
/// writes asks HubSpot.
pub(crate) fn fault(text: &str, property: &Property) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    match property.type_.as_str() {
        "number" => text
            .trim()
            .parse::<f64>()
            .is_err()
            .then(|| "it is not a number".to_owned()),
        "bool" => truth(text)
            .is_none()
            .then(|| "it is neither `true` nor `false`".to_owned()),
        "date" | "datetime" => at(text)
            .is_none()
            .then(|| format!("it is not a {}", property.type_)),
        "enumeration" => no_option(text, property),
        _ if property.name == "email" => {
            (!text.contains('@')).then(|| "it is not an e-mail address".to_owned())
        }
        _ => None,
    }
}

/// Options are internal values, and their case matters (hubspot-api notes §7).
fn no_option(text: &str, property: &Property) -> Option<String> {
    let known = || property.options.iter().map(|option| option.value.as_str());
    let open = property.options.is_empty() || property.external_options;
    let strange = choices(text)
        .into_iter()
        .find(|choice| !known().any(|value| value == *choice))?;
    (!open).then(|| {
        let listed = known()
            .map(|value| format!("`{value}`"))
            .collect::<Vec<_>>()
            .join(", ");
        format!("`{strange}` is none of its options: {listed}")
    })
}

/// Whether two texts are the same value of a property: HubSpot answers some values in a form of its own.
pub(crate) fn same(a: &str, b: &str, property: &Property) -> bool {
    if a == b {
        return true;
    }
    match property.type_.as_str() {
        "number" => same_number(a, b),
        "bool" => a.eq_ignore_ascii_case(b),
        "datetime" | "date" => at(a).is_some_and(|at_a| at(b) == Some(at_a)),
        "enumeration" => choices(a) == choices(b),
        _ => property.name == "email" && a.eq_ignore_ascii_case(b),
    }
}

/// Digit by digit, because ids have more digits than a float holds.
fn same_number(a: &str, b: &str) -> bool {
    match (Decimal::parse(a), Decimal::parse(b)) {
        (Some(a), Some(b)) => a == b,
        // At least one has an exponent.
        _ => matches!((a.trim().parse::<f64>(), b.trim().parse::<f64>()),
            (Ok(a), Ok(b)) if a.is_finite() && a.to_bits() == b.to_bits()),
    }
}

/// A decimal number without the zeros that say nothing.
#[derive(PartialEq, Eq)]
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let mut digits = whole.bytes().chain(fraction.bytes()).peekable();
        if digits.peek().is_none() || !digits.all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let is_zero = whole.is_empty() && fraction.is_empty();
        Some(Self {
            negative: text.starts_with('-') && !is_zero,
            whole,
            fraction,
        })
    }
}

/// The order of several choices says nothing.
fn choices(text: &str) -> BTreeSet<&str> {
    text.split(';')
        .map(str::trim)
        .filter(|choice| !choice.is_empty())
        .collect()
}

/// A time however it is written: as text, as a day, or in milliseconds.
fn at(text: &str) -> Option<jiff::Timestamp> {
    let millis = || jiff::Timestamp::from_millisecond(text.parse().ok()?).ok();
    let day = || {
        let day: civil::Date = text.parse().ok()?;
        day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
    };
    parsed(text).or_else(millis).or_else(day)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn property(type_: &str) -> Property {
        serde_json::from_value(json!({"name": "p", "type": type_})).unwrap()
    }

    fn text(json: &str) -> Result<Option<String>, &'static str> {
        text_of(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn every_json_value_has_one_text_and_numbers_keep_their_digits() {
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(text("1.50"), some("1.50"));
        assert_eq!(text("12345678901234567890123"), some("12345678901234567890123"));
        assert_eq!(text("true"), some("true"));
        assert_eq!(text("null"), Ok(None));
        assert_eq!(text(r#""a\"b""#), some("a\"b"));
        assert_eq!(text(r#"["a", 1, null]"#), some("a;1;"));
        assert_eq!(text(r#"{"a":1}"#), Err("an object"));
        assert_eq!(text(r#"[{"a":1}]"#), Err("an object"));
        for half in [r#""\ud800""#, r#"["a", "\ud800"]"#] {
            assert_eq!(text(half), Err("a text that is not Unicode"), "{half}");
        }
    }

    #[test]
    fn a_databases_forms_become_hubspots_and_what_is_in_doubt_stays() {
        let fitted = |type_: &str, text: &str| fitted(text.to_owned(), &property(type_));
        assert_eq!(fitted("bool", "1"), "true");
        assert_eq!(fitted("bool", "yes"), "yes");
        assert_eq!(fitted("number", "1"), "1");
        assert_eq!(fitted("date", "2024-02-29T00:00:00Z"), "2024-02-29");
        assert_eq!(fitted("date", "2024-02-29 00:00:00"), "2024-02-29");
        assert_eq!(fitted("date", "2024-02-29T23:00:00Z"), "2024-02-29T23:00:00Z");
        assert_eq!(fitted("date", "1709164800000"), "1709164800000");
        assert_eq!(
            fitted("datetime", "2024-02-29 10:00:00"),
            "2024-02-29T10:00:00.000Z"
        );
        assert_eq!(
            fitted("datetime", "2024-02-29T10:00:00+02:00"),
            "2024-02-29T08:00:00.000Z"
        );
        assert_eq!(fitted("string", "2024-02-29 10:00:00"), "2024-02-29 10:00:00");
    }

    #[test]
    fn a_value_in_another_form_is_the_same_value() {
        let same = |type_: &str, a: &str, b: &str| same(a, b, &property(type_));
        assert!(same("number", "1.50", "1.5") && !same("number", "1", "2"));
        assert!(same("number", "-0.0", "0") && same("number", "+07.", "7") && same("number", ".5", "0.50"));
        assert!(!same("number", "-7", "7") && !same("number", "", "0") && !same("number", ".", "0"));
        assert!(same("number", "1e3", "1000.0") && !same("number", "1e400", "1e500"));
        assert!(!same("number", "12345678901234567", "12345678901234568"));
        assert!(same("datetime", "1709164800000", "2024-02-29T00:00:00.000Z"));
        assert!(same("date", "1709164800000", "2024-02-29"));
        assert!(same("enumeration", "b;a", "a;b") && !same("enumeration", "a", "a;b"));
        assert!(!same("string", "1.50", "1.5") && !same("string", "A", "a"));
    }

    #[test]
    fn what_a_definition_speaks_against_is_told() {
        let fault = |type_: &str, text: &str| fault(text, &property(type_)).is_some();
        assert!(fault("number", "ten") && !fault("number", "1e3") && !fault("number", ""));
        assert!(fault("date", "31.2.") && !fault("date", "2024-02-29"));
        assert!(fault("bool", "yes") && !fault("bool", "1"));
        let choice = serde_json::from_value(json!({"name": "p", "type": "enumeration",
            "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]}));
        let choice: Property = choice.unwrap();
        assert_eq!(super::fault("a;b", &choice), None);
        assert_eq!(
            super::fault("A", &choice).unwrap(),
            "`A` is none of its options: `a`, `b`"
        );
    }
}
