//! What a source offers, and what is wanted of it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of a stream, cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for StreamName {
    fn from(name: T) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

/// The type a field's values are meant to have. The values themselves arrive as the origin wrote them, as a
/// JSON string or as a plain JSON value; one that does not fit its type is kept as text, never coerced
/// (invariant 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    /// Text, identifiers and enumeration values among it.
    String,
    /// A whole number of 64 bits.
    Integer,
    /// A decimal number.
    Number,
    /// True or false.
    Boolean,
    /// A calendar day, `YYYY-MM-DD`, without a time zone.
    Date,
    /// An instant, RFC 3339.
    Timestamp,
    /// Any JSON value, kept as JSON text.
    Json,
}

/// One field of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name a destination gives the column.
    pub name: String,
    /// What its values are meant to be.
    pub data_type: DataType,
    /// Where the value stands in `payload.after`: the keys to follow from its top.
    pub path: Vec<String>,
    /// What it means, in the origin's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Field {
    /// A field `name` found by following `path` from the top of the payload.
    pub fn new<P: Into<String>>(
        name: impl Into<String>,
        data_type: DataType,
        path: impl IntoIterator<Item = P>,
    ) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self {
            name: name.into(),
            data_type,
            path,
            description: None,
        }
    }

    /// The same field with a description.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

/// One named sequence of records with a schema and a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Unique in its catalog; also the destination's table.
    pub name: StreamName,
    /// Names of the fields that identify a record. Not empty, and every one is among `fields`.
    pub key: Vec<String>,
    /// The fields, in the order a person would want the columns.
    pub fields: Vec<Field>,
    /// Name of the field that tells the newer of two versions (a timestamp), where there is one. A
    /// destination that merges keeps the row with the greater value (invariant 4), except against a batch that is
    /// [`current`](crate::Batch::current).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Name of the boolean field that says a record is gone but kept, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<String>,
    /// Whether the origin means its times to the millisecond. What is finer is then noise, which a destination may drop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub milliseconds: bool,
    /// The stream whose records the rows of this one tell of: the first field of the key holds the key of such a record.
    /// A `purged` delete of this stream may name that field alone. It erases all rows of the record, and of those that
    /// were merged into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<StreamName>,
}

impl Stream {
    /// A stream keyed by `key`.
    pub fn new<K: Into<String>>(
        name: impl Into<StreamName>,
        key: impl IntoIterator<Item = K>,
        fields: Vec<Field>,
    ) -> Self {
        let key = key.into_iter().map(Into::into).collect();
        Self {
            name: name.into(),
            key,
            fields,
            version: None,
            archived: None,
            milliseconds: false,
            of: None,
        }
    }

    /// The field called `name`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// All streams that a source offers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalog {
    /// The streams, in the order a person would want them listed.
    pub streams: Vec<Stream>,
}

impl Catalog {
    /// A catalog of these streams.
    pub fn new(streams: Vec<Stream>) -> Self {
        Self { streams }
    }

    /// The stream called `name`.
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.name.as_str() == name)
    }
}

/// One stream that is wanted, and which of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectedStream {
    /// A name from the catalog.
    pub name: StreamName,
    /// Names of the wanted fields; `None` means all, those included that appear later.
    pub fields: Option<Vec<String>>,
}

/// When a read ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// When everything that existed at the start has been read.
    CaughtUp,
    /// Never by itself: the reader drops the stream.
    Dropped,
}

/// What is wanted of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// The wanted streams, in order of importance.
    pub streams: Vec<SelectedStream>,
    /// When to stop.
    pub until: Until,
}

impl Selection {
    /// Every stream of `catalog` with all its fields, until caught up.
    pub fn everything(catalog: &Catalog) -> Self {
        let all = |stream: &Stream| SelectedStream {
            name: stream.name.clone(),
            fields: None,
        };
        Self {
            streams: catalog.streams.iter().map(all).collect(),
            until: Until::CaughtUp,
        }
    }
}
