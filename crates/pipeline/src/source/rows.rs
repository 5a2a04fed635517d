//! Rows as the JSON text of an object: what is in it, and what becomes of it. Pure.
//!
//! Values stay the text that they are, so that no digit is lost on the way (invariant 6).

use std::borrow::Cow;

use bytes::Bytes;
use opencdc::{Data, DataType};
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of a JSON object, in order.
#[derive(Debug)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Fields<'a> {
    /// Takes the object in `json` apart; the error says what it is instead.
    pub(super) fn of(json: &'a str) -> Result<Self, String> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let fields = deserializer.deserialize_map(FieldsVisitor);
        let fields = fields.and_then(|fields| deserializer.end().map(|()| fields));
        fields.map(Self).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => "it is not a JSON object".to_owned(),
            // The parser counts lines within the text, which is one.
            _ => format!("it is not JSON: {}", without_place(&error.to_string())),
        })
    }

    /// The JSON text of a value. Of a name that is there twice, the last one counts, as everywhere in JSON.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().rev().find(|(field, _)| field == name);
        found.map(|(_, value)| *value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// The object of the columns `names`; the error names the one that is missing.
    pub(super) fn key(&self, names: &[String]) -> Result<Data, String> {
        let mut json = Object::new();
        for name in names {
            match self.get(name) {
                Some("null") | None => return Err(format!("it has no value in the key column `{name}`")),
                Some(value) if value.starts_with(['{', '[']) => {
                    return Err(format!("its key column `{name}` holds more than one value"));
                }
                Some(value) => json.put(name, value),
            }
        }
        Ok(Data::Raw(json.end()))
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Vec<(Cow<'de, str>, &'de str)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<Name<'de>, &RawValue>()? {
            fields.push((name.0, value.get()));
        }
        Ok(fields)
    }
}

/// A name that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn without_place(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |end| &message[..end])
}

/// A JSON object that is being written.
#[derive(Debug)]
pub(super) struct Object(Vec<u8>);

impl Object {
    pub(super) fn new() -> Self {
        Self(vec![b'{'])
    }

    /// A field with a value that is JSON already.
    pub(super) fn put(&mut self, name: &str, json: &str) {
        self.name(name);
        self.0.extend_from_slice(json.as_bytes());
    }

    /// A field with a text.
    pub(super) fn put_text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.write(text);
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.write(name);
        self.0.push(b':');
    }

    fn write(&mut self, text: &str) {
        serde_json::to_writer(&mut self.0, text).expect("a text is always serialisable");
    }

    pub(super) fn end(mut self) -> Bytes {
        self.0.push(b'}');
        self.0.into()
    }
}

/// The type that a JSON value has; `None` for null.
pub(super) fn type_of_json(json: &str) -> Option<DataType> {
    match json.as_bytes().first()? {
        b'n' => None,
        b't' | b'f' => Some(DataType::Boolean),
        b'"' => Some(DataType::String),
        b'{' | b'[' => Some(DataType::Json),
        _ => Some(type_of_number(json)),
    }
}

/// A whole number beyond 64 bits stays a text: no number of ours would hold its digits.
fn type_of_number(text: &str) -> DataType {
    let whole = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    match whole {
        true if text.parse::<i64>().is_ok() => DataType::Integer,
        true => DataType::String,
        false => DataType::Number,
    }
}

/// The type that a text without quotes is probably meant to have: only what can be written in one way. `007` is
/// an identifier in disguise, and `1,5` or `yes` mean what a person meant by them.
pub(super) fn type_of_text(text: &str) -> DataType {
    let first = text.as_bytes().first();
    if matches!(text, "true" | "false") {
        return DataType::Boolean;
    }
    if !first.is_some_and(|byte| *byte == b'-' || byte.is_ascii_digit()) {
        return DataType::String;
    }
    match (is_plain_number(text), text.contains('.')) {
        (true, false) => DataType::Integer,
        (true, true) => DataType::Number,
        (false, _) => type_of_time(text),
    }
}

/// Digits without leading zeros, perhaps a fraction, and no more of them than a double is sure of.
fn is_plain_number(text: &str) -> bool {
    const SURE_DIGITS: usize = 15;
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let no_zero_first = whole == "0" || !whole.starts_with('0');
    all_digits(whole) && all_digits(fraction) && no_zero_first && digits.len() <= SURE_DIGITS && text != "-0"
}

fn type_of_time(text: &str) -> DataType {
    let is_day = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
    match is_day {
        true => DataType::Date,
        false if text.contains('T') && text.parse::<jiff::Timestamp>().is_ok() => DataType::Timestamp,
        false => DataType::String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_the_digits_and_the_order_of_its_columns() {
        let fields =
            Fields::of(r#"{ "id" : 12345678901234567890.10, "a\u0062": "x", "b": null, "c": [1] }"#).unwrap();
        let key = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            fields
                .key(&names)
                .map(|key| String::from_utf8(key.to_json().to_vec()).unwrap())
        };
        assert_eq!(
            key(&["ab", "id"]).unwrap(),
            r#"{"ab":"x","id":12345678901234567890.10}"#
        );
        assert_eq!(key(&["b"]).unwrap_err(), "it has no value in the key column `b`");
        assert_eq!(key(&["d"]).unwrap_err(), "it has no value in the key column `d`");
        assert_eq!(
            key(&["c"]).unwrap_err(),
            "its key column `c` holds more than one value"
        );
    }

    #[test]
    fn what_is_no_object_is_told_apart_from_what_is_no_json() {
        let why = |text: &str| Fields::of(text).unwrap_err();
        assert_eq!(why("[1]"), "it is not a JSON object");
        assert_eq!(why("7"), "it is not a JSON object");
        assert_eq!(why(r#"{"a":1} x"#), "it is not JSON: trailing characters");
        assert_eq!(why(r#"{"a":1"#), "it is not JSON: EOF while parsing an object");
    }

    #[test]
    fn the_last_of_two_values_counts() {
        assert_eq!(Fields::of(r#"{"a":1,"a":2}"#).unwrap().get("a"), Some("2"));
    }

    #[test]
    fn json_values_have_the_type_that_holds_all_their_digits() {
        use DataType::{Boolean, Integer, Json, Number, String};
        let types = [
            "1",
            "-1",
            "9223372036854775808",
            "1.0",
            "1e3",
            "true",
            r#""1""#,
            "[1]",
        ]
        .map(type_of_json);
        let expected = [Integer, Integer, String, Number, Number, Boolean, String, Json];
        assert_eq!(types, expected.map(Some));
        assert_eq!(type_of_json("null"), None);
    }

    #[test]
    fn a_text_has_another_type_only_where_it_can_be_nothing_else() {
        use DataType::{Boolean, Date, Integer, Number, String, Timestamp};
        for (text, expected) in [
            ("0", Integer),
            ("-12", Integer),
            ("007", String),
            ("-0", String),
            ("+1", String),
            ("1.50", Number),
            ("1.", String),
            ("1,5", String),
            ("1e3", String),
            ("1234567890123456", String),
            ("true", Boolean),
            ("True", String),
            ("yes", String),
            ("2026-02-28", Date),
            ("2026-02-30", String),
            ("2026-02-28T01:02:03Z", Timestamp),
            ("2026-02-28T01:02:03.5+01:00", Timestamp),
            ("2026-02-28 01:02:03", String),
            ("", String),
        ] {
            assert_eq!(type_of_text(text), expected, "{text}");
        }
    }

    #[test]
    fn an_object_is_written_with_its_texts_escaped() {
        let mut object = Object::new();
        object.put_text("a\"", "x\n");
        object.put("b", "1.50");
        assert_eq!(object.end(), &br#"{"a\"":"x\n","b":1.50}"#[..]);
        assert_eq!(Object::new().end(), &b"{}"[..]);
    }
}
