//! What a person writes under `destination.hubspot`: which objects, found by what, and what to do in doubt.

use std::collections::BTreeMap;

use opencdc::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Calls that may be under way at a time when nothing is set: a batch takes HubSpot up to a second or two, so that
/// about as many are needed to use 19 calls a second.
pub const DEFAULT_CONCURRENCY: usize = 16;

/// HubSpot as a destination.
///
/// What stands here holds for every stream of the source; `streams` says otherwise for single ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    /// Name of the connection to write to.
    pub connection: String,
    /// How many calls may be under way at a time; 16 when left out. HubSpot's rate limits are kept in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<usize>,
    /// How the records of every stream are written.
    #[serde(flatten)]
    pub rules: WriteRules,
    /// What is different for single streams of the source, by the stream's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, WriteRules>,
}

/// How records are written. A key that is left out has its default; in `streams`, what holds for all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WriteRules {
    /// The object type that records become: `contacts`, `0-1`, a custom object's name or `2-123`; also `blog_posts`
    /// and the other resources of the CMS, and `hubdb_rows:TABLE`. The stream's own name when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Whether records that are not there are made, and those that are there are changed: `auto` (the default) does
    /// both, by what is known of each; `create`, `update` and `upsert` do just that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<WriteMode>,
    /// The unique property that finds a record: `email` for contacts, or a property with unique values. With it nothing
    /// is made twice, whatever is lost on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_property: Option<String>,
    /// What a record's key means: the source's own name for it (`source`, the default; which HubSpot record it became
    /// is remembered), or the HubSpot record's id (`hubspot`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyMeaning>,
    /// Which property a field of the row fills, where their names differ: `{Mail: email}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// Fields of the row that fill no property.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Whether fields find their property whatever the case of their names; not, when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold_names: Option<bool>,
    /// What to do with values of read-only properties: leave them out and say which (`strip`, the default), or refuse
    /// the record (`fail`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<ReadOnly>,
    /// What to do with values of properties that the object does not have: refuse the record (`fail`, the default),
    /// leave them out and say which (`ignore`), or make the property (`create`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_property: Option<MissingProperty>,
    /// Properties that are only filled where HubSpot has no value yet. Costs a read for every batch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_if_empty: Vec<String>,
    /// Whether each record is read before, so that only what differs is written and a record that does not differ is
    /// left alone; not, when left out. Costs a read for every batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_only: Option<bool>,
    /// What a null in a flat row means: nothing (`ignore`, the default), or that the property is emptied (`clear`). In
    /// a payload of HubSpot's own shape a null always empties it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nulls: Option<Nulls>,
    /// What to do with a delete: archive the record (`archive`, the default), or leave it alone (`ignore`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletes: Option<Deletes>,
    /// What to associate each record with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub associations: Vec<LinkRule>,
}

/// Whether records that are not there are made, and those that are there are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    /// Changed where it is known which record it is, else made or changed by the unique property, else made.
    #[default]
    Auto,
    /// Only made.
    Create,
    /// Only changed.
    Update,
    /// Made or changed by the unique property.
    Upsert,
}

/// What a record's key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyMeaning {
    /// The source's own name for it; which HubSpot record it became is remembered.
    #[default]
    Source,
    /// The HubSpot record's id.
    Hubspot,
}

/// What to do with values of read-only properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadOnly {
    /// Left out, and named in a warning.
    #[default]
    Strip,
    /// The record is refused.
    Fail,
}

/// What to do with values of properties that the object does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingProperty {
    /// The record is refused.
    #[default]
    Fail,
    /// Left out, and named in a warning.
    Ignore,
    /// The property is made, of the type that the source's field has.
    Create,
}

/// What a null in a flat row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nulls {
    /// Nothing: the property keeps its value.
    #[default]
    Ignore,
    /// The property is emptied.
    Clear,
}

/// What to do with a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deletes {
    /// The record goes into the recycle bin.
    #[default]
    Archive,
    /// Nothing.
    Ignore,
}

/// One association that each record gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRule {
    /// The field of the row that names the other record; several are separated by `;`.
    pub field: String,
    /// The other record's object type.
    pub to: String,
    /// The other side's property that the field holds a value of; its HubSpot id when left out. It must have unique
    /// values, as a number of your own may, or be a contact's `email`; a company's `domain` has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The stream of this pipeline that the field holds a key of, instead of an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The type of association by number; the unlabelled one when neither this nor `label` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_id: Option<u64>,
    /// The type of association by label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The type of association in the other direction, by number, where HubSpot does not know it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse_type_id: Option<u64>,
    /// What to do with a record whose other side is not there: refuse it (`fail`, the default; nothing of it is
    /// written), or write it without the association (`ignore`).
    #[serde(default)]
    pub missing: MissingLink,
}

/// What to do when the other side of an association is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingLink {
    /// The record is refused, and nothing of it is written.
    #[default]
    Fail,
    /// The record is written without it, and a warning says so.
    Ignore,
}

impl DestinationConfig {
    /// Every stream to the object of its own name, found by what is remembered of its keys.
    pub fn new(connection: impl Into<String>) -> Self {
        Self {
            connection: connection.into(),
            concurrency: None,
            rules: WriteRules::default(),
            streams: BTreeMap::new(),
        }
    }

    /// How the records of a stream are written.
    pub fn rules_of(&self, stream: &str) -> WriteRules {
        match self.streams.get(stream) {
            Some(own) => own.clone().over(&self.rules),
            None => self.rules.clone(),
        }
    }

    /// Checks what can be checked without asking HubSpot.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] that names the key.
    pub fn validate(&self) -> Result<()> {
        if self.concurrency == Some(0) {
            let error = Error::new(ErrorKind::Configuration, "`concurrency` is 0");
            return Err(error.with_hint("write at least 1, or leave it out"));
        }
        if self.streams.is_empty() {
            return self.rules.validate();
        }
        self.streams
            .keys()
            .try_for_each(|stream| self.rules_of(stream).validate())
    }
}

impl WriteRules {
    /// These rules, and those of `all` where these say nothing.
    fn over(self, all: &Self) -> Self {
        let mut properties = all.properties.clone();
        properties.extend(self.properties);
        let or = |own: Vec<String>, all: &[String]| if own.is_empty() { all.to_vec() } else { own };
        Self {
            object: self.object.or_else(|| all.object.clone()),
            write: self.write.or(all.write),
            id_property: self.id_property.or_else(|| all.id_property.clone()),
            key: self.key.or(all.key),
            properties,
            ignore: or(self.ignore, &all.ignore),
            fold_names: self.fold_names.or(all.fold_names),
            read_only: self.read_only.or(all.read_only),
            missing_property: self.missing_property.or(all.missing_property),
            set_if_empty: or(self.set_if_empty, &all.set_if_empty),
            changed_only: self.changed_only.or(all.changed_only),
            nulls: self.nulls.or(all.nulls),
            deletes: self.deletes.or(all.deletes),
            associations: if self.associations.is_empty() {
                all.associations.clone()
            } else {
                self.associations
            },
        }
    }

    /// The keys that are set and only mean something for CRM records.
    pub(crate) fn only_for_objects(&self) -> Vec<&'static str> {
        let keys = [
            ("write", self.write.is_some()),
            ("id_property", self.id_property.is_some()),
            ("properties", !self.properties.is_empty()),
            ("ignore", !self.ignore.is_empty()),
            ("fold_names", self.fold_names.is_some()),
            ("read_only", self.read_only.is_some()),
            ("missing_property", self.missing_property.is_some()),
            ("set_if_empty", !self.set_if_empty.is_empty()),
            ("changed_only", self.changed_only.is_some()),
            ("nulls", self.nulls.is_some()),
            ("associations", !self.associations.is_empty()),
        ];
        keys.into_iter()
            .filter(|(_, is_set)| *is_set)
            .map(|(key, _)| key)
            .collect()
    }

    /// Whether records that are not there are made, and those that are there are changed.
    pub fn mode(&self) -> WriteMode {
        self.write.unwrap_or_default()
    }

    /// Checks what can be checked without asking HubSpot.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] that names the key.
    pub fn validate(&self) -> Result<()> {
        if self.mode() == WriteMode::Upsert && self.id_property.is_none() {
            let error = Error::new(ErrorKind::Configuration, "`write: upsert` needs an `id_property`");
            return Err(error.with_hint("name a unique property, such as `email` for contacts"));
        }
        self.associations.iter().try_for_each(LinkRule::validate)
    }
}

impl LinkRule {
    fn validate(&self) -> Result<()> {
        let both = match (&self.by, &self.stream, &self.label, self.type_id) {
            (Some(_), Some(_), _, _) => "`by` and `stream`",
            (_, _, Some(_), Some(_)) => "`label` and `type_id`",
            _ => return Ok(()),
        };
        let message = format!("the association of field `{}` has both {both}", self.field);
        Err(Error::new(ErrorKind::Configuration, message).with_hint("write one of them"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(value: serde_json::Value) -> DestinationConfig {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_streams_own_rules_go_before_those_for_all() {
        let config = config(json!({
            "connection": "prod", "id_property": "email", "read_only": "fail", "properties": {"a": "x", "b": "y"},
            "streams": {"people": {"object": "contacts", "read_only": "strip", "properties": {"b": "z"}}}
        }));
        let people = config.rules_of("people");
        assert_eq!(people.object.as_deref(), Some("contacts"));
        assert_eq!(people.id_property.as_deref(), Some("email"));
        assert_eq!(people.read_only, Some(ReadOnly::Strip));
        assert_eq!(
            (people.properties["a"].as_str(), people.properties["b"].as_str()),
            ("x", "z")
        );
        assert_eq!(config.rules_of("others").read_only, Some(ReadOnly::Fail));
    }

    #[test]
    fn an_unknown_key_is_refused_at_both_levels() {
        for unknown in [
            json!({"connection": "prod", "idproperty": "email"}),
            json!({"connection": "prod", "streams": {"a": {"objct": "contacts"}}}),
        ] {
            let error = serde_json::from_value::<DestinationConfig>(unknown).unwrap_err();
            assert!(error.to_string().contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        let upsert = config(json!({"connection": "prod", "write": "upsert"}));
        assert!(upsert.validate().unwrap_err().to_string().contains("id_property"));
        let own = config(json!({"connection": "prod", "write": "upsert",
            "streams": {"people": {"id_property": "email"}}}));
        assert!(own.validate().is_ok());
        let both = config(json!({"connection": "prod",
            "associations": [{"field": "c", "to": "companies", "by": "customer_no", "stream": "firms"}]}));
        assert!(
            both.validate()
                .unwrap_err()
                .to_string()
                .contains("`by` and `stream`")
        );
    }
}
