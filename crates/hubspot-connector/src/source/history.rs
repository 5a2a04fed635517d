//! The history of properties: one row for each value that a property has had.

use hubspot_client::RawObject;
use opencdc::{Data, Error, ErrorKind, Operation, Record, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::record::Facts;

/// What a history row is keyed by.
pub(crate) const KEY: [&str; 3] = ["record_id", "property", "timestamp"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithHistory {
    #[serde(default)]
    properties_with_history: Map<String, Value>,
}

/// The rows of some records.
///
/// # Errors
/// [`ErrorKind::InvalidData`] when a history has an unknown shape.
pub(super) fn records(objects: &[RawObject], facts: &Facts, operation: Operation) -> Result<Vec<Record>> {
    let facts = facts.read_now();
    let mut records = Vec::new();
    for object in objects {
        let read: WithHistory =
            serde_json::from_slice(object.json()).map_err(|source| unknown(object, source))?;
        for (property, values) in read.properties_with_history {
            for value in values
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_object)
            {
                let row = row(object.id(), &property, value);
                let key = KEY
                    .iter()
                    .map(|name| ((*name).to_owned(), row.get(*name).cloned().unwrap_or_default()));
                records.push(facts.row(operation, key.collect(), Some(Data::Structured(row.clone()))));
            }
        }
    }
    Ok(records)
}

fn row(id: &str, property: &str, value: &Map<String, Value>) -> Map<String, Value> {
    let mut row = value.clone();
    row.insert("record_id".to_owned(), id.into());
    row.insert("property".to_owned(), property.into());
    row
}

fn unknown(object: &RawObject, source: serde_json::Error) -> Error {
    let message = format!(
        "the property history of record {} has an unknown shape",
        object.id()
    );
    Error::new(ErrorKind::InvalidData, message).with_source(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_a_row_keyed_by_record_property_and_time() {
        let facts = Facts::new("contacts_property_history".into(), &"4711".into(), None);
        let json = serde_json::json!({"id": "7", "properties": {}, "propertiesWithHistory": {"email": [
            {"value": "b@c.d", "timestamp": "2026-02-01T00:00:00Z", "sourceType": "API"},
            {"value": "a@b.c", "timestamp": "2026-01-01T00:00:00Z", "sourceType": "IMPORT"},
        ]}});
        let objects = [RawObject::parse(&json.to_string().into()).unwrap()];
        let records = records(&objects, &facts, Operation::Create).unwrap();
        assert_eq!(records.len(), 2);
        let key = records[1].key.to_object().unwrap().into_owned();
        assert_eq!(key["timestamp"], "2026-01-01T00:00:00Z");
        assert_eq!(
            records[1].payload.after.as_ref().unwrap().to_object().unwrap()["sourceType"],
            "IMPORT"
        );
    }
}
