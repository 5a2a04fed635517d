//! What a record looked like when it was delivered, in 32 bits.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The digest of a record's `properties`, by whatever route and in whatever order they came.
///
/// Null, empty and absent are one (hubspot-api notes §1.2), so that a property that nobody has filled in changes no
/// digest when it is added. Two versions of a record collide once in four thousand million.
pub(crate) fn of_properties(json: Option<&[u8]>) -> u32 {
    match json.map(serde_json::from_slice::<Sum>) {
        None => fold(0),
        Some(Ok(Sum(sum))) => fold(sum),
        // Not an object of plain keys: the text itself tells versions apart.
        Some(Err(_)) => fold(xxh3_64(json.unwrap_or_default())),
    }
}

/// The digest of any text.
pub(crate) fn of_text(text: &[u8]) -> u32 {
    fold(xxh3_64(text))
}

fn fold(sum: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "half of the bits are meant")]
    let half = (sum ^ (sum >> 32)) as u32;
    half
}

/// The sum over the properties, in which order does not matter.
struct Sum(u64);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self(0))
    }
}

impl<'de> Visitor<'de> for Sum {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties by name")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &RawValue>()? {
            if !matches!(value.get(), "null" | "\"\"") {
                let one = xxh3_64_with_seed(value.get().as_bytes(), xxh3_64(name.as_bytes()));
                self.0 = self.0.wrapping_add(one);
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> u32 {
        of_properties(Some(json.as_bytes()))
    }

    #[test]
    fn order_and_empty_values_do_not_matter_and_everything_else_does() {
        let record = of(r#"{"email":"a@b.c","city":"Ulm"}"#);
        assert_eq!(
            record,
            of(r#"{ "city":"Ulm", "email":"a@b.c","zip":null,"fax":"" }"#)
        );
        for other in [
            r#"{"email":"a@b.c"}"#,
            r#"{"email":"Ulm","city":"a@b.c"}"#,
            r#"{"email":"a@b.c","city":"ulm"}"#,
            r#"{"email":"a@b.c","city":"Ulm","zip":"1"}"#,
        ] {
            assert_ne!(record, of(other), "{other}");
        }
    }

    #[test]
    fn what_has_no_properties_has_a_digest_too() {
        assert_eq!(of_properties(None), of("{}"));
        assert_ne!(of("[1]"), of("[2]"));
    }
}
