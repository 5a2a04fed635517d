//! Names of columns, as a person writes them.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One name, or a list of them: `id`, `[tenant, id]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns(Vec<String>);

impl Columns {
    /// The names, in their order.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for Columns {
    fn from(names: [S; N]) -> Self {
        Self(names.map(Into::into).into())
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "write a column's name, or a list of them")]
enum Written {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Written::deserialize(deserializer)? {
            Written::One(name) => vec![name],
            Written::Many(names) => names,
        }))
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &*self.0 {
            [name] => serializer.serialize_str(name),
            names => names.serialize(serializer),
        }
    }
}

impl JsonSchema for Columns {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Columns".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
            "examples": ["id", ["tenant", "id"]],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_or_several_are_written_as_they_were_read() {
        for text in [r#""id""#, r#"["tenant","id"]"#, "[]"] {
            let columns: Columns = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&columns).unwrap(), text);
        }
        let error = serde_json::from_str::<Columns>("7").unwrap_err();
        assert!(error.to_string().contains("write a column's name"), "{error}");
    }
}
