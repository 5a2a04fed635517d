//! Keys as they are told apart, put in order and shown.

use std::fmt;

use opencdc::{Data, Result, Stream};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

/// A key, field by field in the stream's order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(Vec<Part>);

/// Decimal numbers come in the order of their value, also where they are written as texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Text(String),
}

impl Key {
    pub(super) fn of(stream: &Stream, data: &Data) -> Result<Self> {
        let object = data.to_object()?;
        let part = |name: &String| Part::of(object.get(name).unwrap_or(&Value::Null));
        // The delete of all rows about a record names the first field alone.
        let named = stream.key.iter().take(object.len().max(1));
        Ok(Self(named.map(part).collect()))
    }

    /// Equal for equal keys; of others only one in 2^64 is.
    pub(super) fn digest(&self) -> u64 {
        let parts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        xxh3_64(parts.join("\0").as_bytes())
    }
}

impl Part {
    fn of(value: &Value) -> Self {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match text.parse::<u64>() {
            // `007` is another key than `7`.
            Ok(number) if number.to_string() == text => Self::Number(number),
            _ => Self::Text(text),
        }
    }
}

/// `7` for a key of one field, `7/12/279` for one of several.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("/")?;
            }
            part.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fields: &[&str], json: &'static str) -> Key {
        let stream = Stream::new("s", fields.iter().copied(), Vec::new());
        Key::of(&stream, &Data::Raw(bytes::Bytes::from_static(json.as_bytes()))).unwrap()
    }

    #[test]
    fn numbers_are_in_the_order_of_their_value_however_they_are_written() {
        let id = |json| key(&["id"], json);
        assert!(id(r#"{"id":"9"}"#) < id(r#"{"id":"10"}"#));
        assert_eq!(id(r#"{"id":"10"}"#), id(r#"{"id":10}"#));
        assert_ne!(id(r#"{"id":"7"}"#), id(r#"{"id":"007"}"#));
        assert!(id(r#"{"id":"99"}"#) < id(r#"{"id":"a"}"#));
    }

    #[test]
    fn the_order_of_the_fields_in_the_text_does_not_matter() {
        let one = key(&["from", "to"], r#"{"from":"1","to":"2"}"#);
        let other = key(&["from", "to"], r#"{"to":"2","from":"1"}"#);
        assert_eq!(
            (one.digest(), one.to_string()),
            (other.digest(), "1/2".to_owned())
        );
    }
}
