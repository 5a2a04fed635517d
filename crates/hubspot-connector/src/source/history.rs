//! The history of properties: one row for each value that a property has had.

use std::collections::BTreeMap;

use hubspot_client::RawObject;
use jiff::Timestamp;
use opencdc::{Data, Error, ErrorKind, Operation, Record, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::catalog::HISTORY_KEY;
use crate::record::Facts;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithHistory {
    /// The values that the properties have now.
    #[serde(default)]
    properties: Map<String, Value>,
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
            let values = values
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_object);
            for (value, ordinal) in in_order(values.collect(), read.properties.get(&property)) {
                let row = row(object.id(), &property, value, ordinal);
                let key = HISTORY_KEY
                    .iter()
                    .map(|name| ((*name).to_owned(), row.get(*name).cloned().unwrap_or_default()));
                records.push(facts.row(operation, key.collect(), Some(Data::Structured(row.clone()))));
            }
        }
    }
    Ok(records)
}

/// How many values HubSpot is said to keep of a property: 20, and 45 of a contact's (documentation of older routes; believed).
const LIMITS: [usize; 2] = [20, 45];

/// A property with as many values as HubSpot is said to keep: it may have had more. Rows of one property stand together.
pub(super) fn at_limit(rows: &[Record]) -> Option<(String, usize)> {
    let of = |row: &Record| {
        let key = row.key.to_object().ok()?;
        Some((
            key.get("record_id")?.clone(),
            key.get("property")?.as_str()?.to_owned(),
        ))
    };
    let mut runs = rows.chunk_by(|a, b| of(a) == of(b));
    let full = runs.find(|run| LIMITS.contains(&run.len()))?;
    Some((of(&full[0])?.1, full.len()))
}

/// The values, each with its place among those of the same millisecond, from 0 for the oldest.
///
/// HubSpot gives the newest first (hubspot-api notes §1.2). Whether that holds within a millisecond is not known, so the
/// value that the record has `now` is the newest there, wherever it is listed.
fn in_order<'a>(
    mut values: Vec<&'a Map<String, Value>>,
    now: Option<&Value>,
) -> Vec<(&'a Map<String, Value>, u64)> {
    values.reverse();
    let newest = values.iter().filter_map(|value| instant(value)).max();
    let is_now = |value: &&Map<String, Value>| instant(value) == newest && value.get("value") == now;
    if let Some(at) = values.iter().rposition(is_now) {
        let value = values.remove(at);
        values.push(value);
    }
    let mut seen: BTreeMap<Instant<'_>, u64> = BTreeMap::new();
    let mut ordinal = |value: &'a Map<String, Value>| {
        let next = seen
            .entry(instant(value).unwrap_or(Instant::Text("")))
            .or_default();
        *next += 1;
        *next - 1
    };
    values.into_iter().map(|value| (value, ordinal(value))).collect()
}

/// When a property got a value, as far as destinations tell times apart.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Instant<'a> {
    /// What is no time.
    Text(&'a str),
    Milliseconds(i128),
}

fn instant(value: &Map<String, Value>) -> Option<Instant<'_>> {
    let text = value.get("timestamp")?.as_str()?;
    Some(match text.parse::<Timestamp>() {
        Ok(at) => Instant::Milliseconds(at.as_nanosecond().div_euclid(1_000_000)),
        Err(_) => Instant::Text(text),
    })
}

/// What is left to say of records that were erased: that no value of theirs may stay.
pub(super) fn forget<'a>(ids: impl IntoIterator<Item = &'a str>, facts: &Facts) -> Vec<Record> {
    let facts = facts.read_now();
    let key = |id: &str| Map::from_iter([(HISTORY_KEY[0].to_owned(), Value::from(id))]);
    ids.into_iter().map(|id| facts.forget(key(id))).collect()
}

fn row(id: &str, property: &str, value: &Map<String, Value>, ordinal: u64) -> Map<String, Value> {
    let mut row = value.clone();
    row.insert("record_id".to_owned(), id.into());
    row.insert("property".to_owned(), property.into());
    row.insert("ordinal".to_owned(), ordinal.into());
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
        let key = records[0].key.to_object().unwrap().into_owned();
        assert_eq!(key["timestamp"], "2026-01-01T00:00:00Z");
        assert_eq!(
            records[0].payload.after.as_ref().unwrap().to_object().unwrap()["sourceType"],
            "IMPORT"
        );
    }

    /// The values of a history as they are ordered: each with its ordinal, oldest first.
    fn ordered(now: &str, listed: &[(&str, &str)]) -> Vec<(String, u64)> {
        let listed = listed
            .iter()
            .map(|(at, value)| serde_json::json!({"timestamp": at, "value": value}));
        let json = serde_json::json!({"id": "7", "properties": {"city": now},
            "propertiesWithHistory": {"city": listed.collect::<Vec<_>>()}});
        let facts = Facts::new("contacts_property_history".into(), &"4711".into(), None);
        let object = RawObject::parse(&json.to_string().into()).unwrap();
        let records = records(&[object], &facts, Operation::Create).unwrap();
        let value = |record: &Record| {
            let after = record
                .payload
                .after
                .as_ref()
                .unwrap()
                .to_object()
                .unwrap()
                .into_owned();
            let ordinal = record.key.to_object().unwrap()["ordinal"].as_u64().unwrap();
            (after["value"].as_str().unwrap().to_owned(), ordinal)
        };
        records.iter().map(value).collect()
    }

    #[test]
    fn values_of_one_millisecond_are_told_apart_by_their_order() {
        let (at, later) = ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z");
        let of = |text: &str, ordinal| (text.to_owned(), ordinal);
        assert_eq!(
            ordered("c", &[(later, "c"), (at, "b"), (at, "a"), (at, "b")]),
            [of("b", 0), of("a", 1), of("b", 2), of("c", 0)]
        );
        let finer = [
            ("2026-01-01T00:00:00.000900Z", "b"),
            ("2026-01-01T00:00:00.0001Z", "a"),
        ];
        assert_eq!(ordered("b", &finer), [of("a", 0), of("b", 1)]);
    }

    #[test]
    fn the_value_that_the_record_has_is_the_newest_however_its_millisecond_is_listed() {
        let at = "2026-01-01T00:00:00.000Z";
        let of = |text: &str, ordinal| (text.to_owned(), ordinal);
        assert_eq!(ordered("b", &[(at, "a"), (at, "b")]), [of("a", 0), of("b", 1)]);
        assert_eq!(ordered("a", &[(at, "a"), (at, "b")]), [of("b", 0), of("a", 1)]);
    }

    #[test]
    fn a_history_as_long_as_a_known_limit_is_noticed() {
        let rows = |counts: &[usize]| {
            let facts = Facts::new("contacts_property_history".into(), &"4711".into(), None);
            let values = |count: &usize| {
                (0..*count).map(|n| serde_json::json!({"timestamp": n.to_string(), "value": "x"}))
            };
            let histories: Map<_, _> = counts
                .iter()
                .enumerate()
                .map(|(n, count)| (format!("p{n}"), Value::from(values(count).collect::<Vec<_>>())))
                .collect();
            let json = serde_json::json!({"id": "7", "propertiesWithHistory": histories});
            let object = RawObject::parse(&json.to_string().into()).unwrap();
            records(&[object], &facts, Operation::Create).unwrap()
        };
        assert_eq!(at_limit(&rows(&[3, 19, 21])), None);
        assert_eq!(at_limit(&rows(&[3, 20, 1])), Some(("p1".to_owned(), 20)));
        assert_eq!(at_limit(&rows(&[45])), Some(("p0".to_owned(), 45)));
    }

    #[test]
    fn every_value_is_a_row() {
        let listed: Vec<_> = (0..30)
            .map(|n| (format!("2026-01-01T00:00:{n:02}Z"), n.to_string()))
            .collect();
        let listed: Vec<_> = listed.iter().rev().map(|(at, value)| (&**at, &**value)).collect();
        assert_eq!(ordered("29", &listed).len(), 30);
    }
}
