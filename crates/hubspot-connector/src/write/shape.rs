//! What a record asks for: a flat row, or a payload of HubSpot's own shape, becomes values by name.

use std::collections::BTreeMap;

use opencdc::{Data, Operation, Record, metadata_keys};
use serde_json::value::RawValue;

use super::config::{KeyMeaning, Nulls, WriteRules};
use super::refusal::Refusal;
use super::value::text_of;

/// Whether a record is to be there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verb {
    /// It is to be there with these values.
    #[default]
    Save,
    /// It is to be gone.
    Delete,
}

/// One record as somebody wants it to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Whether it is to be there.
    pub verb: Verb,
    /// The source's own name for it, where which HubSpot record that is is remembered.
    pub key: Option<String>,
    /// The row's fields that make up the key. They fill no property, unless there is one of that name.
    pub key_fields: Vec<String>,
    /// Its id in HubSpot, where the source knows it.
    pub id: Option<String>,
    /// Values by name; an empty one empties the property. The names are the row's until they are checked.
    pub values: BTreeMap<String, String>,
    /// A person has seen why it was refused before, and sends it again.
    pub insisted: bool,
    /// Fields that held something no property can hold, and what.
    pub unfit: BTreeMap<String, &'static str>,
    /// What is wrong with it as a whole: then nothing is written of it.
    pub refusal: Option<Refusal>,
}

impl Wanted {
    /// A record to be there with these values.
    pub fn save<N: Into<String>, V: Into<String>>(values: impl IntoIterator<Item = (N, V)>) -> Self {
        let values = values
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        Self {
            values: values.collect(),
            ..Self::default()
        }
    }

    /// A record that no batch can be made of, so that it has its place and its outcome among others.
    pub fn refused(refusal: Refusal) -> Self {
        Self {
            refusal: Some(refusal),
            ..Self::default()
        }
    }

    /// A record to be gone.
    pub fn delete(id: impl Into<String>) -> Self {
        Self {
            verb: Verb::Delete,
            id: Some(id.into()),
            ..Self::default()
        }
    }

    /// The same record, found by its id in HubSpot.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self {
            id: Some(id.into()),
            ..self
        }
    }

    /// What a record of a pipeline asks for.
    ///
    /// # Errors
    /// What no batch could be made of: a payload or key that is not what it must be.
    pub fn of(record: &Record, rules: &WriteRules) -> Result<Self, Refusal> {
        let key = Key::of(&record.key)?;
        let mut wanted = match record.operation {
            Operation::Delete => Self {
                verb: Verb::Delete,
                values: record
                    .payload
                    .before
                    .as_ref()
                    .map_or_else(|| Ok(BTreeMap::new()), values_of)?,
                ..Self::default()
            },
            _ => Self::of_payload(record.payload.after.as_ref(), rules)?,
        };
        wanted.insisted = record.metadata.get(metadata_keys::REDRIVEN).is_some();
        wanted.key_fields.clone_from(&key.fields);
        match rules.key.unwrap_or_default() {
            KeyMeaning::Source => wanted.key = Some(key.text),
            KeyMeaning::Hubspot => wanted.id = Some(key.single()?),
        }
        Ok(wanted)
    }

    fn of_payload(after: Option<&Data>, rules: &WriteRules) -> Result<Self, Refusal> {
        let after = after.ok_or_else(|| Refusal::new("the record has no payload"))?;
        Self::of_row(after, rules.nulls.unwrap_or_default())
    }

    /// What a row asks for: a flat one by its fields, one of HubSpot's own shape by its `properties`, in which a null
    /// empties the property whatever `nulls` says.
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn of_row(row: &Data, nulls: Nulls) -> Result<Self, Refusal> {
        let json = row.to_json();
        let fields = fields_of(&json)?;
        let shaped = fields.get("properties").filter(|raw| raw.get().starts_with('{'));
        match shaped {
            Some(properties) => {
                let properties = fields_of(properties.get().as_bytes())?;
                Ok(Self::of_fields(&properties, Nulls::Clear))
            }
            None => Ok(Self::of_fields(&fields, nulls)),
        }
    }

    fn of_fields(fields: &Fields<'_>, nulls: Nulls) -> Self {
        let mut wanted = Self::default();
        for (name, raw) in fields {
            match (text_of(raw), nulls) {
                (Ok(Some(text)), _) => drop(wanted.values.insert(name.clone(), text)),
                (Ok(None), Nulls::Clear) => drop(wanted.values.insert(name.clone(), String::new())),
                (Ok(None), Nulls::Ignore) => {}
                (Err(what), _) => drop(wanted.unfit.insert(name.clone(), what)),
            }
        }
        wanted
    }
}

/// The key of a record as a key map has it.
pub(crate) fn key_of(record: &Record) -> Result<String, Refusal> {
    Key::of(&record.key).map(|key| key.text)
}

/// What was there before a delete, to find the record by.
fn values_of(before: &Data) -> Result<BTreeMap<String, String>, Refusal> {
    let rules = WriteRules::default();
    Wanted::of_payload(Some(before), &rules).map(|wanted| wanted.values)
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

fn fields_of(json: &[u8]) -> Result<Fields<'_>, Refusal> {
    serde_json::from_slice(json).map_err(|_| Refusal::new("the payload is not a JSON object"))
}

/// The key of a record.
struct Key {
    /// One field's value, or the object of several.
    text: String,
    fields: Vec<String>,
}

impl Key {
    fn of(key: &Data) -> Result<Self, Refusal> {
        let json = key.to_json();
        let fields: Fields<'_> =
            serde_json::from_slice(&json).map_err(|_| Refusal::new("the key is not a JSON object"))?;
        let text = match fields.values().next() {
            Some(raw) if fields.len() == 1 => single(raw)?,
            Some(_) => serde_json::to_string(&fields).map_err(|_| empty_key())?,
            None => return Err(empty_key()),
        };
        Ok(Self {
            text,
            fields: fields.into_keys().collect(),
        })
    }

    fn single(self) -> Result<String, Refusal> {
        if self.fields.len() == 1 {
            return Ok(self.text);
        }
        Err(Refusal::new(
            "the key has several fields, and a HubSpot id is one",
        ))
    }
}

fn single(raw: &RawValue) -> Result<String, Refusal> {
    let text = text_of(raw).ok().flatten().filter(|text| !text.is_empty());
    text.ok_or_else(empty_key)
}

fn empty_key() -> Refusal {
    Refusal::new("the key is empty")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(key: &str, after: &str) -> Result<Wanted, Refusal> {
        Wanted::of(
            &Record::snapshot("people", key.as_bytes(), after.as_bytes()),
            &WriteRules::default(),
        )
    }

    fn values(wanted: &Wanted) -> Vec<(&str, &str)> {
        let pairs = wanted.values.iter();
        pairs
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    #[test]
    fn a_flat_rows_fields_are_its_values_and_nulls_say_nothing() {
        let row = wanted(
            r#"{"n":7}"#,
            r#"{"n":7,"email":"a@b.c","paid":1.50,"city":null,"more":{"a":1}}"#,
        )
        .unwrap();
        assert_eq!(row.key.as_deref(), Some("7"));
        assert_eq!(values(&row), [("email", "a@b.c"), ("n", "7"), ("paid", "1.50")]);
        assert_eq!(row.unfit["more"], "an object");
    }

    #[test]
    fn a_payload_of_hubspots_shape_gives_its_properties_and_nulls_empty_them() {
        let row = wanted(
            r#"{"id":"7"}"#,
            r#"{"id":"7","properties":{"email":"a@b.c","city":null},"archived":false}"#,
        );
        assert_eq!(values(&row.unwrap()), [("city", ""), ("email", "a@b.c")]);
    }

    #[test]
    fn a_column_that_happens_to_be_called_properties_is_a_column() {
        let row = wanted(r#"{"id":"7"}"#, r#"{"id":"7","properties":"many"}"#).unwrap();
        assert_eq!(values(&row), [("id", "7"), ("properties", "many")]);
    }

    #[test]
    fn keys_of_several_fields_are_told_apart_and_empty_ones_refused() {
        let row = wanted(r#"{"b":1,"a":"x"}"#, "{}").unwrap();
        assert_eq!(row.key.as_deref(), Some(r#"{"a":"x","b":1}"#));
        for empty in ["{}", r#"{"id":null}"#, r#"{"id":""}"#] {
            assert!(
                wanted(empty, "{}")
                    .unwrap_err()
                    .to_string()
                    .contains("key is empty"),
                "{empty}"
            );
        }
        assert!(wanted("[]", "{}").is_err());
    }

    #[test]
    fn a_delete_needs_no_payload() {
        let record = Record::delete("people", br#"{"id":"7"}"#);
        let wanted = Wanted::of(&record, &WriteRules::default()).unwrap();
        assert_eq!((wanted.verb, wanted.key.as_deref()), (Verb::Delete, Some("7")));
    }

    #[test]
    fn a_key_may_be_the_hubspot_id() {
        let rules = WriteRules {
            key: Some(KeyMeaning::Hubspot),
            ..WriteRules::default()
        };
        let record = Record::snapshot("contacts", br#"{"id":12}"#, b"{}");
        assert_eq!(Wanted::of(&record, &rules).unwrap().id.as_deref(), Some("12"));
        let two = Record::snapshot("contacts", br#"{"a":1,"b":2}"#, b"{}");
        assert!(Wanted::of(&two, &rules).is_err());
    }
}
