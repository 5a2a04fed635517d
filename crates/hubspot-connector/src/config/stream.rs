//! One entry of `streams`: a name, or an object with settings of its own.

use std::borrow::Cow;
use std::fmt;

use opencdc::{Error, ErrorKind, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Associations, DEFAULT_PAGE_SIZE, Every, History, Interval, PollInterval, Properties, Since};

/// A stream to read, with what is set for it alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// Which one, in any of the ways that an object type is called.
    pub name: String,
    /// Which properties to read, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<Properties>,
    /// Which associations to read from this stream, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associations: Option<Associations>,
    /// Records a page, 1 to 100; 100 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<u16>,
    /// How often to ask for changes, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<PollInterval>,
    /// How far back changes are looked for a second time, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookback: Option<Interval>,
    /// How often the recycle bin is read, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<Every>,
    /// How often every record is read again, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<Every>,
    /// How often all associations are read again, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reassociate: Option<Every>,
    /// Whether to begin with everything that is there, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<bool>,
    /// Leave out records that have not changed since then, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_after: Option<Since>,
    /// Which properties' history to read, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
}

impl StreamConfig {
    /// The stream of this name with the source's settings.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            properties: None,
            associations: None,
            page_size: None,
            poll: None,
            lookback: None,
            archived: None,
            reconcile: None,
            reassociate: None,
            snapshot: None,
            updated_after: None,
            history: None,
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        match self.page_size {
            Some(size) if !(1..=DEFAULT_PAGE_SIZE).contains(&size) => {
                let message = format!("`page_size` of stream `{}` is {size}", self.name);
                let hint = format!("write a number from 1 to {DEFAULT_PAGE_SIZE}");
                Err(Error::new(ErrorKind::Configuration, message).with_hint(hint))
            }
            _ => self.validate_times(),
        }
    }

    fn validate_times(&self) -> Result<()> {
        let every = |every: Option<Every>| every.map(|every| every.every);
        let times = [
            ("archived.every", every(self.archived)),
            ("reconcile.every", every(self.reconcile)),
            ("reassociate.every", every(self.reassociate)),
        ];
        super::rhythm::validate(&times, &format!(" of stream `{}`", self.name))
    }
}

/// `streams` as it is written: each entry a name alone, or an object.
pub(super) mod list {
    use serde::ser::SerializeSeq;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Entry, StreamConfig};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<StreamConfig>, D::Error> {
        let entries = Vec::<Entry>::deserialize(deserializer)?;
        Ok(entries.into_iter().map(|Entry(stream)| stream).collect())
    }

    pub(crate) fn serialize<S: Serializer>(
        streams: &[StreamConfig],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(streams.len()))?;
        for stream in streams {
            match *stream == StreamConfig::new(&stream.name) {
                true => list.serialize_element(&stream.name)?,
                false => list.serialize_element(stream)?,
            }
        }
        list.end()
    }
}

/// One entry. By hand and not `untagged`, so that a wrong key is named in the error.
pub(super) struct Entry(StreamConfig);

struct NameOrObject;

impl<'de> Visitor<'de> for NameOrObject {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stream's name, or an object with `name` and settings")
    }

    fn visit_str<E>(self, name: &str) -> Result<Entry, E> {
        Ok(Entry(StreamConfig::new(name)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
        StreamConfig::deserialize(MapAccessDeserializer::new(map)).map(Entry)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrObject)
    }
}

impl JsonSchema for Entry {
    fn schema_name() -> Cow<'static, str> {
        "Stream".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, generator.subschema_for::<StreamConfig>()]})
    }
}
