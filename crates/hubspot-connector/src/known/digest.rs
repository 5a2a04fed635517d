//! What a record looked like when it was delivered, in 32 bits.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// What something looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest {
    /// Of the values, however they were written.
    pub(crate) value: u32,
    /// Of the JSON text, as earlier versions noted it.
    text: u32,
}

/// What a digest says beside one that was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    Same,
    /// The same, noted by an earlier version: it is to be noted anew.
    SameText,
    Differs,
}

impl Digest {
    /// Compares with what was noted.
    pub(crate) fn compare(self, noted: u32) -> Compared {
        match noted {
            noted if noted == self.value => Compared::Same,
            noted if noted == self.text => Compared::SameText,
            _ => Compared::Differs,
        }
    }
}

/// The digest of a record's `properties`, by whatever route, in whatever order and with whatever escapes they came.
///
/// Null, empty and absent are one (hubspot-api notes §1.2), so that a property that nobody has filled in changes no
/// digest when it is added. Two versions of a record collide once in two thousand million.
pub(crate) fn of_properties(json: Option<&[u8]>) -> Digest {
    match json.map(serde_json::from_slice::<Sum>) {
        None => Sum::default().digest(),
        Some(Ok(sum)) => sum.digest(),
        // Not an object of plain keys: the text itself tells versions apart.
        Some(Err(_)) => of_json(json.unwrap_or_default()),
    }
}

/// The digest of any JSON.
pub(crate) fn of_json(json: &[u8]) -> Digest {
    let text = of_text(json);
    let plain = std::str::from_utf8(json).ok().and_then(plain);
    Digest {
        value: plain.map_or(text, |plain| of_text(plain.as_bytes())),
        text,
    }
}

/// The JSON text of a value with the fewest escapes; `None` when it is written so.
fn plain(json: &str) -> Option<String> {
    let plain = match json.as_bytes().first() {
        Some(b'"') if !json.contains('\\') => return None,
        Some(b'"') => serde_json::to_string(&serde_json::from_str::<String>(json).ok()?),
        Some(b'{' | b'[') => serde_json::to_string(&serde_json::from_str::<Value>(json).ok()?),
        _ => return None,
    };
    plain.ok().filter(|plain| plain != json)
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

/// The sums over the properties, in which order does not matter.
#[derive(Default)]
struct Sum {
    value: u64,
    text: u64,
}

impl Sum {
    fn digest(&self) -> Digest {
        Digest {
            value: fold(self.value),
            text: fold(self.text),
        }
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Sum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self::default())
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
                let seed = xxh3_64(name.as_bytes());
                let text = xxh3_64_with_seed(value.get().as_bytes(), seed);
                let plain = plain(value.get()).map(|plain| xxh3_64_with_seed(plain.as_bytes(), seed));
                self.text = self.text.wrapping_add(text);
                self.value = self.value.wrapping_add(plain.unwrap_or(text));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> u32 {
        of_properties(Some(json.as_bytes())).value
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
        assert_eq!(of_properties(None).value, of("{}"));
        assert_ne!(of("[1]"), of("[2]"));
    }

    #[test]
    fn escapes_that_json_leaves_open_do_not_matter() {
        let plain = r#"{"website":"https://x.example/ö","note":"a\"b\\c\n","raw":{"a":"é"}}"#;
        let escaped = r#"{"website":"https:\/\/x.example\/\u00f6","note":"a\u0022b\u005Cc\u000a","raw":{ "a":"\u00e9" }}"#;
        assert_eq!(of(plain), of(escaped));
        assert_ne!(of(plain), of(&escaped.replace("00f6", "00f7")));
        assert_eq!(of_json(br#"["\/"]"#).value, of_json(br#"["/"]"#).value);
        // Half a character has no other form.
        assert_ne!(of(r#"{"a":"\ud83d"}"#), of(r#"{"a":"\ud83c"}"#));
    }

    /// What earlier versions noted of the record.
    const GOLDEN: u32 = 1_481_526_214;

    #[test]
    fn digests_of_earlier_versions_are_known_again() {
        let digest = |json: &str| of_properties(Some(json.as_bytes()));
        let escaped = digest(r#"{"website":"https:\/\/x.example"}"#);
        assert_eq!(escaped.compare(escaped.text), Compared::SameText);
        assert_eq!(escaped.compare(escaped.value), Compared::Same);
        assert_eq!(escaped.compare(digest("{}").value), Compared::Differs);
        // Noted by the release before: what has no escapes that JSON leaves open is noted as ever.
        let ever = digest(r#"{"email":"a@b.c","city":"Ulm","note":"a\nb"}"#);
        assert_eq!((ever.value, ever.text), (GOLDEN, GOLDEN));
    }
}
