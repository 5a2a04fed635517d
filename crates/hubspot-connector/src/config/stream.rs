//! One entry of `streams`: a name, or an object with settings of its own.

use std::borrow::Cow;
use std::fmt;

use opencdc::{Error, ErrorKind, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Associations, DEFAULT_PAGE_SIZE, Properties};

/// A stream to read. Written as its name alone, or with settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConfig {
    /// Which one, in any of the ways that an object type is called.
    pub name: String,
    /// Instead of the source's `properties`.
    pub properties: Option<Properties>,
    /// Instead of the source's `associations`.
    pub associations: Option<Associations>,
    /// Records a page, 1 to 100; 100 when left out.
    pub page_size: Option<u16>,
}

impl StreamConfig {
    /// The stream of this name with the source's settings.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            properties: None,
            associations: None,
            page_size: None,
        }
    }

    pub(super) fn validate(&self) -> Result<()> {
        match self.page_size {
            Some(size) if !(1..=DEFAULT_PAGE_SIZE).contains(&size) => {
                let message = format!("`page_size` of stream `{}` is {size}", self.name);
                let hint = format!("write a number from 1 to {DEFAULT_PAGE_SIZE}");
                Err(Error::new(ErrorKind::Configuration, message).with_hint(hint))
            }
            _ => Ok(()),
        }
    }

    fn is_bare(&self) -> bool {
        self.properties.is_none() && self.associations.is_none() && self.page_size.is_none()
    }
}

/// A stream and its settings.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WithSettings {
    /// Which one, in any of the ways that an object type is called.
    name: String,
    /// Which properties to read, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    properties: Option<Properties>,
    /// Which associations to read from this stream, instead of the source's setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    associations: Option<Associations>,
    /// Records a page, 1 to 100; 100 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page_size: Option<u16>,
}

impl From<WithSettings> for StreamConfig {
    fn from(
        WithSettings {
            name,
            properties,
            associations,
            page_size,
        }: WithSettings,
    ) -> Self {
        Self {
            name,
            properties,
            associations,
            page_size,
        }
    }
}

/// By hand and not `untagged`, so that a wrong key is named in the error.
struct NameOrObject;

impl<'de> Visitor<'de> for NameOrObject {
    type Value = StreamConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stream's name, or an object with `name` and settings")
    }

    fn visit_str<E>(self, name: &str) -> Result<StreamConfig, E> {
        Ok(StreamConfig::new(name))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<StreamConfig, A::Error> {
        WithSettings::deserialize(MapAccessDeserializer::new(map)).map(StreamConfig::from)
    }
}

impl<'de> Deserialize<'de> for StreamConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrObject)
    }
}

impl Serialize for StreamConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_bare() {
            return serializer.serialize_str(&self.name);
        }
        let Self {
            name,
            properties,
            associations,
            page_size,
        } = self.clone();
        WithSettings {
            name,
            properties,
            associations,
            page_size,
        }
        .serialize(serializer)
    }
}

impl JsonSchema for StreamConfig {
    fn schema_name() -> Cow<'static, str> {
        "StreamConfig".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "string"}, generator.subschema_for::<WithSettings>()]})
    }
}
