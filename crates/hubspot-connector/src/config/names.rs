//! Settings that are a word or a list of names.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Which properties of a stream to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Properties {
    /// Every property, those included that appear later.
    #[default]
    All,
    /// These, by internal name.
    Only(Vec<String>),
}

/// Which associations to read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Associations {
    /// Every pair among the selected objects once, read from the one that stands earlier in the table of objects.
    #[default]
    Auto,
    /// None.
    None,
    /// In this direction, to these object types.
    To(Vec<String>),
}

/// Which properties to read the history of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum History {
    /// None.
    #[default]
    None,
    /// Those that the stream reads.
    All,
    /// These, by internal name.
    Of(Vec<String>),
}

impl History {
    /// Whether no history is read.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// A setting as it is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Word(String),
    List(Vec<String>),
}

fn written<'de, D: Deserializer<'de>>(deserializer: D, expected: &str) -> Result<Written, D::Error> {
    Written::deserialize(deserializer).map_err(|_| de::Error::custom(format!("write {expected}")))
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "`all` or a list of names for `properties`";
        match written(deserializer, EXPECTED)? {
            Written::Word(word) if word == "all" => Ok(Self::All),
            Written::List(names) => Ok(Self::Only(names)),
            Written::Word(word) => Err(de::Error::custom(format!(
                "`{word}` is not known here; write {EXPECTED}"
            ))),
        }
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Only(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Associations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "`auto`, `none` or a list of object types for `associations`";
        match written(deserializer, EXPECTED)? {
            Written::Word(word) if word == "auto" => Ok(Self::Auto),
            Written::Word(word) if word == "none" => Ok(Self::None),
            Written::List(types) => Ok(Self::To(types)),
            Written::Word(word) => Err(de::Error::custom(format!(
                "`{word}` is not known here; write {EXPECTED}"
            ))),
        }
    }
}

impl Serialize for Associations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::None => serializer.serialize_str("none"),
            Self::To(types) => types.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for History {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const EXPECTED: &str = "`none`, `all` or a list of names for `history`";
        match written(deserializer, EXPECTED)? {
            Written::Word(word) if word == "none" => Ok(Self::None),
            Written::Word(word) if word == "all" => Ok(Self::All),
            Written::List(names) => Ok(Self::Of(names)),
            Written::Word(word) => Err(de::Error::custom(format!(
                "`{word}` is not known here; write {EXPECTED}"
            ))),
        }
    }
}

impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::All => serializer.serialize_str("all"),
            Self::Of(names) => names.serialize(serializer),
        }
    }
}

impl JsonSchema for History {
    fn schema_name() -> Cow<'static, str> {
        "History".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words_or_list(&["none", "all"])
    }
}

fn words_or_list(words: &[&str]) -> Schema {
    json_schema!({"anyOf": [
        {"type": "string", "enum": words},
        {"type": "array", "items": {"type": "string"}},
    ]})
}

impl JsonSchema for Properties {
    fn schema_name() -> Cow<'static, str> {
        "Properties".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words_or_list(&["all"])
    }
}

impl JsonSchema for Associations {
    fn schema_name() -> Cow<'static, str> {
        "Associations".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        words_or_list(&["auto", "none"])
    }
}
