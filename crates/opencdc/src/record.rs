//! A record: one change or one row, as OpenCDC means it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{Error, ErrorKind, Result, StreamName};

/// What happened to the thing that a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// It was there when the snapshot passed. It may have been delivered before; treat it as an upsert.
    Snapshot,
    /// It came into being after the snapshot began.
    Create,
    /// It changed.
    Update,
    /// It is gone: archived, merged into another, or purged. The metadata tells which.
    Delete,
}

impl Operation {
    /// The lower-case word, as it stands in `opencdc.operation` and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Bytes, or a JSON object.
///
/// A source that receives JSON hands on the very bytes it received ([`Data::Raw`], shared with the page they
/// came in), so that nothing is parsed twice and nothing is coerced (invariant 6).
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Bytes as the source had them: JSON text in UTF-8 wherever the stream has a schema.
    Raw(Bytes),
    /// An object whose fields are already apart.
    Structured(Map<String, Value>),
}

impl Data {
    /// The JSON text.
    pub fn to_json(&self) -> Bytes {
        match self {
            Self::Raw(bytes) => bytes.clone(),
            Self::Structured(map) => {
                Bytes::from(serde_json::to_vec(map).expect("a map of JSON values is always serialisable"))
            }
        }
    }

    /// The object with its fields apart.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when raw bytes are not a JSON object.
    pub fn to_object(&self) -> Result<Cow<'_, Map<String, Value>>> {
        match self {
            Self::Structured(map) => Ok(Cow::Borrowed(map)),
            Self::Raw(bytes) => serde_json::from_slice(bytes).map(Cow::Owned).map_err(|source| {
                Error::new(ErrorKind::InvalidData, "the data is not a JSON object").with_source(source)
            }),
        }
    }
}

/// As the JSON it holds; raw bytes that are no JSON are an error, so that nothing is stored mangled.
impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Structured(map) => map.serialize(serializer),
            Self::Raw(bytes) => {
                let raw: &RawValue = serde_json::from_slice(bytes).map_err(S::Error::custom)?;
                raw.serialize(serializer)
            }
        }
    }
}

/// Raw, as it stands in the text.
impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer).map_err(D::Error::custom)?;
        Ok(Self::Raw(Bytes::from(String::from(Box::<str>::from(raw)))))
    }
}

impl From<Map<String, Value>> for Data {
    fn from(map: Map<String, Value>) -> Self {
        Self::Structured(map)
    }
}

impl From<Bytes> for Data {
    fn from(bytes: Bytes) -> Self {
        Self::Raw(bytes)
    }
}

/// What the thing looked like before and after. A source that cannot know `before` leaves it out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Change {
    /// The state before the change, where the source knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Data>,
    /// The state after the change; absent on a delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Data>,
}

/// Names of metadata fields that OpenCDC defines and that we use, and ours beside them.
pub mod metadata_keys {
    /// The stream (OpenCDC: collection) a record belongs to.
    pub const COLLECTION: &str = "opencdc.collection";
    /// When the thing came into being at its origin, Unix time in nanoseconds.
    pub const CREATED_AT: &str = "opencdc.createdAt";
    /// When the source read it, Unix time in nanoseconds.
    pub const READ_AT: &str = "opencdc.readAt";
    /// On a delete: the key's value of the thing that it was merged into.
    pub const MERGED_INTO: &str = "spoke.mergedInto";
    /// On a delete: `archived`, `merged`, `purged`, or `unknown` when the source cannot tell. Of what is purged no value may
    /// stay anywhere, nor of what was merged into it; nothing else asks to erase values.
    pub const DELETE_REASON: &str = "spoke.deleteReason";
    /// On a dead letter that a person sends again: that it was refused before. What was only in doubt may be done now.
    pub const REDRIVEN: &str = "spoke.redriven";
    /// The origin's own time of the change, RFC 3339: a destination compares it to keep the newer version.
    pub const VERSION: &str = "spoke.version";
}

/// Facts about a record that are not part of it. Keys are dotted names, see [`metadata_keys`].
///
/// Values are shared: a value that is the same for a whole stream costs a pointer a record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<Cow<'static, str>, Arc<str>>);

impl Metadata {
    /// The value under `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(AsRef::as_ref)
    }

    /// Sets `key` to `value`, and drops what stood there.
    pub fn set(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Arc<str>>) {
        self.0.insert(key.into(), value.into());
    }

    /// All pairs, in order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value.as_ref()))
    }
}

impl<K: Into<Cow<'static, str>>, V: Into<Arc<str>>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

/// One change or one row.
///
/// As JSON: `{"stream": …, "operation": …, "key": {…}, "payload": {"after": {…}}, "metadata": {…}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The stream it belongs to (OpenCDC: collection).
    pub stream: StreamName,
    /// What happened.
    pub operation: Operation,
    /// The key: a JSON object with exactly the fields that the stream's [`key`](crate::Stream::key) names.
    /// Never empty, never null: equal keys mean the same thing. A `purged` delete may have less, see
    /// [`Stream::of`](crate::Stream::of).
    pub key: Data,
    /// What it looked like, before and after.
    pub payload: Change,
    /// Facts beside the record.
    pub metadata: Metadata,
}

impl Record {
    /// A record of `operation` with a key and, unless it is a delete, the state after the change.
    pub fn new(
        stream: impl Into<StreamName>,
        operation: Operation,
        key: impl Into<Data>,
        after: Option<Data>,
    ) -> Self {
        Self {
            stream: stream.into(),
            operation,
            key: key.into(),
            payload: Change { before: None, after },
            metadata: Metadata::default(),
        }
    }

    /// A snapshot record from JSON texts.
    pub fn snapshot(stream: impl Into<StreamName>, key: &[u8], after: &[u8]) -> Self {
        let after = Data::Raw(Bytes::copy_from_slice(after));
        Self::new(
            stream,
            Operation::Snapshot,
            Bytes::copy_from_slice(key),
            Some(after),
        )
    }

    /// A delete from the key's JSON text.
    pub fn delete(stream: impl Into<StreamName>, key: &[u8]) -> Self {
        Self::new(stream, Operation::Delete, Bytes::copy_from_slice(key), None)
    }

    /// The same record with one more fact beside it.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Arc<str>>) -> Self {
        self.metadata.set(key, value);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_data_gives_back_the_very_bytes() {
        let text = br#"{ "id" : "1" , "x" : 1.0 }"#;
        assert_eq!(Data::Raw(Bytes::from_static(text)).to_json(), &text[..]);
    }

    #[test]
    fn raw_data_that_is_no_object_is_refused() {
        let error = Data::Raw(Bytes::from_static(b"[1]")).to_object().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_record_survives_json() {
        let record = Record::snapshot("contacts", br#"{"id":"1"}"#, br#"{"id":"1","n":1.50}"#)
            .with_metadata(metadata_keys::READ_AT, "17");
        let text = serde_json::to_string(&record).unwrap();
        assert!(text.contains(r#""n":1.50"#), "numbers keep their digits: {text}");
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }

    #[test]
    fn metadata_lists_its_pairs_in_order() {
        let metadata: Metadata = [("b", "2"), ("a", "1")].into_iter().collect();
        assert_eq!(metadata.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    }
}
