//! What a record looked like when it was delivered, in 32 bits.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, Visitor};
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

/// A record's `properties` in one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Looked {
    /// The digest, by whatever route, in whatever order and with whatever escapes they came. Null, empty and absent are one
    /// (hubspot-api notes §1.2), so that a property that nobody has filled in changes no digest when it is added. Two
    /// versions of a record collide once in two thousand million.
    pub(crate) digest: Digest,
    /// Whether one of the properties that were looked for has a value. `None` where none of them is named at all: what
    /// HubSpot leaves out says nothing.
    pub(crate) has_value: Option<bool>,
}

/// The digest, and whether one of these properties has a value.
pub(crate) fn look(json: Option<&[u8]>, names: &[&str]) -> Looked {
    let mut sum = Sum {
        names,
        ..Sum::default()
    };
    let read = json.map(|json| {
        let mut reader = serde_json::Deserializer::from_slice(json);
        (&mut sum).deserialize(&mut reader).and_then(|()| reader.end())
    });
    match read {
        // Not an object of plain keys: the text itself tells versions apart.
        Some(Err(_)) => Looked {
            digest: of_json(json.unwrap_or_default()),
            has_value: None,
        },
        None | Some(Ok(())) => Looked {
            digest: sum.digest(),
            has_value: sum.has_value,
        },
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
struct Sum<'n> {
    value: u64,
    text: u64,
    names: &'n [&'n str],
    has_value: Option<bool>,
}

impl Sum<'_> {
    fn digest(&self) -> Digest {
        Digest {
            value: fold(self.value),
            text: fold(self.text),
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        let is_empty = matches!(value, "null" | "\"\"");
        if self.names.contains(&name) {
            self.has_value = Some(self.has_value == Some(true) || !is_empty);
        }
        if !is_empty {
            let seed = xxh3_64(name.as_bytes());
            let text = xxh3_64_with_seed(value.as_bytes(), seed);
            let plain = plain(value).map(|plain| xxh3_64_with_seed(plain.as_bytes(), seed));
            self.text = self.text.wrapping_add(text);
            self.value = self.value.wrapping_add(plain.unwrap_or(text));
        }
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for &mut Sum<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Sum<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &RawValue>()? {
            self.add(&name, value.get());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> u32 {
        look(Some(json.as_bytes()), &[]).digest.value
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
        assert_eq!(look(None, &[]).digest.value, of("{}"));
        assert_ne!(of("[1]"), of("[2]"));
    }

    #[test]
    fn a_property_that_is_not_named_says_nothing() {
        let has_value = |json: &str| look(Some(json.as_bytes()), &["email", "phone"]).has_value;
        assert_eq!(has_value(r#"{"email":null,"phone":"1"}"#), Some(true));
        assert_eq!(has_value(r#"{"email":null,"phone":""}"#), Some(false));
        assert_eq!(has_value(r#"{"em\u0061il":"","city":"Ulm"}"#), Some(false));
        assert_eq!(has_value(r#"{"city":"Ulm"}"#), None);
        assert_eq!(has_value("[]"), None);
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
        let digest = |json: &str| look(Some(json.as_bytes()), &[]).digest;
        let escaped = digest(r#"{"website":"https:\/\/x.example"}"#);
        assert_eq!(escaped.compare(escaped.text), Compared::SameText);
        assert_eq!(escaped.compare(escaped.value), Compared::Same);
        assert_eq!(escaped.compare(digest("{}").value), Compared::Differs);
        // Noted by the release before: what has no escapes that JSON leaves open is noted as ever.
        let ever = digest(r#"{"email":"a@b.c","city":"Ulm","note":"a\nb"}"#);
        assert_eq!((ever.value, ever.text), (GOLDEN, GOLDEN));
    }
}
