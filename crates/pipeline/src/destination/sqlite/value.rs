//! One value: from the JSON text that the origin wrote to a cell of its column's type.
//!
//! Nothing is coerced in silence (invariant 6): a value either fits its column exactly, or its JSON text is
//! kept as well.

use std::borrow::Cow;

use opencdc::DataType;
use serde_json::value::RawValue;

use super::time;

/// A value as SQLite stores it. Texts of a batch stand one after another in one buffer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text { start: usize, len: u32 },
}

/// How a value met its column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fit {
    /// The cell says all that the value said.
    Exact(Cell),
    /// The cell says less: digits, leading zeros or fractions of a millisecond are missing.
    Rounded(Cell),
    /// The value has another type than its column.
    Not,
}

/// A JSON value, taken apart as far as a cell needs.
enum Json<'a> {
    Null,
    Boolean(&'a str),
    Number(&'a str),
    String(Cow<'a, str>),
    /// An object or an array, as text.
    Nested(&'a str),
}

impl<'a> Json<'a> {
    /// `raw` is one valid JSON value without blanks around it.
    fn of(raw: &'a str) -> Self {
        match raw.as_bytes().first() {
            Some(b'"') => Self::string(raw),
            Some(b'n') | None => Self::Null,
            Some(b't' | b'f') => Self::Boolean(raw),
            Some(b'{' | b'[') => Self::Nested(raw),
            Some(_) => Self::Number(raw),
        }
    }

    fn string(raw: &'a str) -> Self {
        let inner = &raw[1..raw.len() - 1];
        if !inner.as_bytes().contains(&b'\\') {
            return Self::String(Cow::Borrowed(inner));
        }
        match serde_json::from_str::<String>(raw) {
            Ok(text) => Self::String(Cow::Owned(text)),
            // Half of a surrogate pair: no text can say it, so the JSON text stands for it.
            Err(_) => Self::Nested(raw),
        }
    }
}

/// The cell of a column of `data_type` for the JSON value `raw`; texts go to the end of `texts`.
pub(super) fn fit(data_type: DataType, raw: &str, texts: &mut String) -> Fit {
    if data_type == DataType::Json {
        return json(raw, texts);
    }
    let text = match Json::of(raw) {
        Json::Null => return Fit::Exact(Cell::Null),
        Json::Nested(_) if data_type != DataType::String => return Fit::Not,
        Json::Boolean(_) if !matches!(data_type, DataType::String | DataType::Boolean) => return Fit::Not,
        Json::Boolean(text) | Json::Number(text) | Json::Nested(text) => Cow::Borrowed(text),
        Json::String(text) if text.is_empty() && data_type != DataType::String => {
            return Fit::Exact(Cell::Null);
        }
        Json::String(text) => text,
    };
    match data_type {
        DataType::String | DataType::Json => Fit::Exact(put(texts, &text)),
        DataType::Integer => integer(&text),
        DataType::Number => number(&text),
        DataType::Boolean => boolean(&text),
        DataType::Date => time::date(&text).map_or(Fit::Not, |day| Fit::Exact(put(texts, &day))),
        DataType::Timestamp => timestamp(&text, texts),
    }
}

/// JSON as it stands, or as a text that is JSON itself. Of a text such as `"12"` nobody knows which is meant, so it is
/// kept as well.
fn json(raw: &str, texts: &mut String) -> Fit {
    let text = match Json::of(raw) {
        Json::Null => return Fit::Exact(Cell::Null),
        Json::String(text) => text,
        Json::Boolean(raw) | Json::Number(raw) | Json::Nested(raw) => return Fit::Exact(put(texts, raw)),
    };
    let text = text.trim_matches([' ', '\n', '\t', '\r']);
    if text.is_empty() {
        return Fit::Exact(Cell::Null);
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) if text.starts_with(['{', '[']) => Fit::Exact(put(texts, text)),
        Ok(_) => Fit::Rounded(put(texts, text)),
        Err(_) => Fit::Not,
    }
}

/// A text at the end of `texts`.
pub(super) fn put(texts: &mut String, text: &str) -> Cell {
    let start = texts.len();
    texts.push_str(text);
    match u32::try_from(text.len()) {
        Ok(len) => Cell::Text { start, len },
        // SQLite itself refuses texts of a quarter of this length; a record is never near it.
        Err(_) => Cell::Null,
    }
}

fn integer(text: &str) -> Fit {
    match text.parse() {
        Ok(integer) if has_leading_zero(text) => Fit::Rounded(Cell::Integer(integer)),
        Ok(integer) => Fit::Exact(Cell::Integer(integer)),
        Err(_) => Fit::Not,
    }
}

fn number(text: &str) -> Fit {
    // Rust's parser also knows `inf` and `nan`.
    let digits_only = text
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    match text.parse::<f64>() {
        Ok(real) if digits_only && real.is_finite() => {
            if has_leading_zero(text) || !says_all_digits(text, real) {
                Fit::Rounded(Cell::Real(real))
            } else {
                Fit::Exact(Cell::Real(real))
            }
        }
        _ => Fit::Not,
    }
}

fn boolean(text: &str) -> Fit {
    match text {
        "true" => Fit::Exact(Cell::Integer(1)),
        "false" => Fit::Exact(Cell::Integer(0)),
        _ => Fit::Not,
    }
}

fn timestamp(text: &str, texts: &mut String) -> Fit {
    match time::timestamp(text) {
        Some((instant, true)) => Fit::Exact(put(texts, &instant)),
        Some((instant, false)) => Fit::Rounded(put(texts, &instant)),
        None => Fit::Not,
    }
}

/// `007` is an identifier in disguise.
fn has_leading_zero(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']).as_bytes();
    digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit()
}

/// Whether `real`, written as short as possible, has all the digits of `text`.
fn says_all_digits(text: &str, real: f64) -> bool {
    // Every decimal number of so many digits survives the way into a double and back.
    const ALWAYS_EXACT: usize = 15;
    if text.len() <= ALWAYS_EXACT && real != 0.0 {
        return true;
    }
    let digits = significant_digits(text);
    digits.len() <= ALWAYS_EXACT && (real != 0.0 || digits.is_empty())
        || digits == significant_digits(&format!("{real:e}"))
}

/// The digits before the exponent, without zeros at either end.
fn significant_digits(text: &str) -> String {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of `raw`: the cell as text, with a mark when the JSON text is kept too.
    fn shown(data_type: DataType, raw: &str) -> String {
        let mut texts = String::new();
        let show = |cell: Cell, texts: &str| match cell {
            Cell::Null => "NULL".to_owned(),
            Cell::Integer(integer) => integer.to_string(),
            Cell::Real(real) => format!("{real:?}"),
            Cell::Text { start, len } => format!("'{}'", &texts[start..start + len as usize]),
        };
        match fit(data_type, raw, &mut texts) {
            Fit::Exact(cell) => show(cell, &texts),
            Fit::Rounded(cell) => format!("{} + raw", show(cell, &texts)),
            Fit::Not => "raw".to_owned(),
        }
    }

    fn check(data_type: DataType, cases: &[(&str, &str)]) {
        for (raw, expected) in cases {
            assert_eq!(shown(data_type, raw), *expected, "{data_type:?} of {raw}");
        }
    }

    #[test]
    fn a_text_column_takes_everything_as_it_is_written() {
        check(
            DataType::String,
            &[
                (r#""Zürich""#, "'Zürich'"),
                (r#""a\"b\u00e9""#, "'a\"bé'"),
                (r#""""#, "''"),
                ("null", "NULL"),
                ("1.50", "'1.50'"),
                ("true", "'true'"),
                (r#"{"a":[1]}"#, r#"'{"a":[1]}'"#),
                (r#""\ud800""#, r#"'"\ud800"'"#),
            ],
        );
    }

    #[test]
    fn an_integer_column_takes_whole_numbers_of_64_bits() {
        check(
            DataType::Integer,
            &[
                (r#""12""#, "12"),
                ("-12", "-12"),
                (r#""9223372036854775807""#, "9223372036854775807"),
                (r#""9223372036854775808""#, "raw"),
                (r#""007""#, "7 + raw"),
                (r#""-007""#, "-7 + raw"),
                (r#""+007""#, "7 + raw"),
                (r#""-0""#, "0"),
                (r#""0""#, "0"),
                (r#""""#, "NULL"),
                (r#""12.5""#, "raw"),
                (r#"" 12""#, "raw"),
                (r#""many""#, "raw"),
                ("true", "raw"),
                ("[1]", "raw"),
            ],
        );
    }

    #[test]
    fn a_number_column_keeps_the_text_of_what_a_double_cannot_say() {
        check(
            DataType::Number,
            &[
                (r#""12.5""#, "12.5"),
                ("1e3", "1000.0"),
                (r#""1.50""#, "1.5"),
                (r#""0.1""#, "0.1"),
                (r#""0.30000000000000004""#, "0.30000000000000004"),
                (r#""9007199254740992""#, "9007199254740992.0"),
                (r#""9007199254740993""#, "9007199254740992.0 + raw"),
                (r#""12345678901234567890""#, "1.2345678901234567e19 + raw"),
                (r#""0012""#, "12.0 + raw"),
                (r#""-007""#, "-7.0 + raw"),
                (r#""+007""#, "7.0 + raw"),
                (r#""-0.5""#, "-0.5"),
                (r#""1e-400""#, "0.0 + raw"),
                (r#""0.000""#, "0.0"),
                (r#""1e400""#, "raw"),
                (r#""inf""#, "raw"),
                (r#""NaN""#, "raw"),
                (r#""1,5""#, "raw"),
                (r#""""#, "NULL"),
            ],
        );
    }

    #[test]
    fn a_boolean_column_takes_true_and_false() {
        check(
            DataType::Boolean,
            &[
                ("true", "1"),
                (r#""false""#, "0"),
                (r#""""#, "NULL"),
                (r#""yes""#, "raw"),
                ("1", "raw"),
            ],
        );
    }

    #[test]
    fn a_json_column_keeps_the_json_text_also_of_json_within_a_text() {
        check(
            DataType::Json,
            &[
                (r#"{"a": 1.0}"#, r#"'{"a": 1.0}'"#),
                ("[]", "'[]'"),
                ("12.50", "'12.50'"),
                ("true", "'true'"),
                ("null", "NULL"),
                (r#""{\"a\":[1,2]}""#, r#"'{"a":[1,2]}'"#),
                (r#"" [1.50, \"\\u00e9\"]\n""#, r#"'[1.50, "\u00e9"]'"#),
                (r#""""#, "NULL"),
                (r#"" ""#, "NULL"),
                (r#""null""#, "'null' + raw"),
                (r#""12""#, "'12' + raw"),
                (r#""x""#, "raw"),
                (r#""{a:1}""#, "raw"),
                (r#""{} {}""#, "raw"),
            ],
        );
    }

    #[test]
    fn times_become_text_that_sorts() {
        check(
            DataType::Timestamp,
            &[
                (r#""2026-01-02T03:04:05.678Z""#, "'2026-01-02T03:04:05.678Z'"),
                (r#""2026-01-02T03:04:05Z""#, "'2026-01-02T03:04:05.000Z'"),
                (
                    r#""2026-01-02T03:04:05.678900Z""#,
                    "'2026-01-02T03:04:05.678Z' + raw",
                ),
                (r#""1700000000000""#, "'2023-11-14T22:13:20.000Z'"),
                ("1700000000000", "'2023-11-14T22:13:20.000Z'"),
                (r#""yesterday""#, "raw"),
                (r#""""#, "NULL"),
            ],
        );
        check(
            DataType::Date,
            &[
                (r#""2026-02-28""#, "'2026-02-28'"),
                (r#""2026-02-29""#, "raw"),
                (r#""1767225600000""#, "'2026-01-01'"),
                (r#""1767225600001""#, "raw"),
                (r#""2026-01-01T00:00:00Z""#, "'2026-01-01'"),
            ],
        );
    }

    proptest::proptest! {
        #[test]
        fn every_double_written_by_rust_is_exact(real in proptest::num::f64::NORMAL) {
            let raw = format!("\"{real:e}\"");
            proptest::prop_assert_eq!(fit(DataType::Number, &raw, &mut String::new()), Fit::Exact(Cell::Real(real)));
        }

        #[test]
        fn every_integer_is_exact(integer: i64) {
            let raw = integer.to_string();
            proptest::prop_assert_eq!(
                fit(DataType::Integer, &raw, &mut String::new()),
                Fit::Exact(Cell::Integer(integer))
            );
        }
    }
}
