//! Values of SQLite: as JSON, as places in an order, and the types of their columns. Pure.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use opencdc::DataType;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

use crate::source::rows::{Object, type_of_text};

/// A value to compare by, exactly as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Value {
    Integer(i64),
    /// As short as it can be written, which says all its digits.
    Real(String),
    Text(String),
    /// In base64.
    Blob(String),
}

impl Value {
    /// None for null.
    pub(super) fn of(value: ValueRef<'_>) -> Result<Option<Self>, String> {
        Ok(Some(match value {
            ValueRef::Null => return Ok(None),
            ValueRef::Integer(integer) => Self::Integer(integer),
            ValueRef::Real(real) => Self::Real(real.to_string()),
            ValueRef::Text(bytes) => Self::Text(text(bytes)?.to_owned()),
            ValueRef::Blob(bytes) => Self::Blob(BASE64_STANDARD.encode(bytes)),
        }))
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::Value as Owned;
        let wrong =
            |error: Box<dyn std::error::Error + Send + Sync>| rusqlite::Error::ToSqlConversionFailure(error);
        Ok(match self {
            Self::Integer(integer) => ToSqlOutput::from(*integer),
            Self::Text(text) => ToSqlOutput::from(text.as_str()),
            Self::Real(real) => {
                let real = real.parse::<f64>().map_err(|error| wrong(error.into()))?;
                ToSqlOutput::from(real)
            }
            Self::Blob(blob) => {
                let bytes = BASE64_STANDARD
                    .decode(blob)
                    .map_err(|error| wrong(error.into()))?;
                ToSqlOutput::Owned(Owned::Blob(bytes))
            }
        })
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| "a text that is not in UTF-8".to_owned())
}

/// What the declaration of a column says of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    Type(DataType),
    /// SQLite has no type for times: their texts show what they are.
    Time,
    /// An expression, or a word that says nothing.
    Nothing,
}

impl Declared {
    /// The words are those of <https://sqlite.org/datatype3.html#determination_of_column_affinity>, and in its order
    /// what else people write.
    pub(super) fn of(words: Option<&str>) -> Self {
        let words = words.unwrap_or_default().to_ascii_uppercase();
        let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
        if has(&["BOOL"]) {
            Self::Type(DataType::Boolean)
        } else if has(&["INT"]) {
            Self::Type(DataType::Integer)
        } else if has(&["CHAR", "CLOB", "TEXT", "BLOB", "JSON", "UUID"]) {
            Self::Type(DataType::String)
        } else if has(&["REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"]) {
            Self::Type(DataType::Number)
        } else if has(&["DATE", "TIME"]) {
            Self::Time
        } else {
            Self::Nothing
        }
    }

    pub(super) fn data_type(self) -> Option<DataType> {
        match self {
            Self::Type(data_type) => Some(data_type),
            Self::Time | Self::Nothing => None,
        }
    }

    /// Writes `value` as a field of `json`; gives back the type that it shows, none for null.
    pub(super) fn write(
        self,
        json: &mut Object,
        name: &str,
        value: ValueRef<'_>,
    ) -> Result<Option<DataType>, String> {
        Ok(Some(match value {
            ValueRef::Null => {
                json.put(name, "null");
                return Ok(None);
            }
            ValueRef::Integer(integer @ (0 | 1)) if self == Self::Type(DataType::Boolean) => {
                json.put(name, if integer == 1 { "true" } else { "false" });
                DataType::Boolean
            }
            ValueRef::Integer(integer) => {
                json.put(name, &integer.to_string());
                DataType::Integer
            }
            ValueRef::Real(real) if real.is_finite() => {
                json.put(
                    name,
                    &serde_json::Number::from_f64(real)
                        .expect("it is finite")
                        .to_string(),
                );
                DataType::Number
            }
            // JSON has no number for it.
            ValueRef::Real(real) => {
                json.put_text(name, if real > 0.0 { "Infinity" } else { "-Infinity" });
                DataType::String
            }
            ValueRef::Text(bytes) => {
                let text = text(bytes)?;
                json.put_text(name, text);
                self.type_of(text)
            }
            ValueRef::Blob(bytes) => {
                json.put_text(name, &BASE64_STANDARD.encode(bytes));
                DataType::String
            }
        }))
    }

    fn type_of(self, text: &str) -> DataType {
        match (self, type_of_text(text)) {
            (Self::Time, data_type @ (DataType::Date | DataType::Timestamp)) => data_type,
            _ => DataType::String,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(declared: &str, value: ValueRef<'_>) -> (String, Option<DataType>) {
        let mut json = Object::new();
        let seen = Declared::of(Some(declared)).write(&mut json, "a", value).unwrap();
        (String::from_utf8(json.end().to_vec()).unwrap(), seen)
    }

    #[test]
    fn declarations_are_understood_as_sqlite_does_and_a_little_more() {
        use DataType::{Boolean, Integer, Number, String};
        let shown = |words: &str| Declared::of(Some(words)).data_type();
        for (words, expected) in [
            ("INTEGER", Some(Integer)),
            ("unsigned big int", Some(Integer)),
            ("VARCHAR(255)", Some(String)),
            ("DOUBLE PRECISION", Some(Number)),
            ("DECIMAL(10,5)", Some(Number)),
            ("BOOLEAN", Some(Boolean)),
            ("BLOB", Some(String)),
            ("", None),
            ("DATETIME", None),
        ] {
            assert_eq!(shown(words), expected, "{words}");
        }
        assert_eq!(Declared::of(Some("timestamp")), Declared::Time);
        assert_eq!(Declared::of(None), Declared::Nothing);
    }

    #[test]
    fn values_keep_what_they_say() {
        use DataType::{Boolean, Date, Integer, Number, String, Timestamp};
        let text = |text: &'static str| ValueRef::Text(text.as_bytes());
        for (declared, value, json, seen) in [
            ("", ValueRef::Null, "null", None),
            (
                "INTEGER",
                ValueRef::Integer(i64::MAX),
                "9223372036854775807",
                Some(Integer),
            ),
            ("", ValueRef::Real(0.1), "0.1", Some(Number)),
            ("", ValueRef::Real(1e300), "1e+300", Some(Number)),
            ("", ValueRef::Real(f64::INFINITY), "\"Infinity\"", Some(String)),
            ("", text("a\"b"), "\"a\\\"b\"", Some(String)),
            ("", ValueRef::Blob(&[0, 255]), "\"AP8=\"", Some(String)),
            ("BOOLEAN", ValueRef::Integer(1), "true", Some(Boolean)),
            ("BOOLEAN", ValueRef::Integer(2), "2", Some(Integer)),
            ("DATE", text("2026-01-02"), "\"2026-01-02\"", Some(Date)),
            (
                "DATETIME",
                text("2026-01-02T03:04:05Z"),
                "\"2026-01-02T03:04:05Z\"",
                Some(Timestamp),
            ),
            (
                "DATETIME",
                text("2026-01-02 03:04:05"),
                "\"2026-01-02 03:04:05\"",
                Some(String),
            ),
            ("TEXT", text("12"), "\"12\"", Some(String)),
        ] {
            assert_eq!(
                written(declared, value),
                (format!("{{\"a\":{json}}}"), seen),
                "{declared} {value:?}"
            );
        }
        let bad = Declared::Nothing.write(&mut Object::new(), "a", ValueRef::Text(b"\xff"));
        assert!(bad.unwrap_err().contains("UTF-8"));
    }

    /// Released shapes stay readable (invariant 2).
    #[test]
    fn values_of_positions_of_version_1_are_read() {
        let text = r#"[{"integer":7},{"real":"0.1"},{"text":"x"},{"blob":"AP8="}]"#;
        let values: Vec<Value> = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&values).unwrap(), text);
        assert!(values.iter().all(|value| value.to_sql().is_ok()));
    }
}
