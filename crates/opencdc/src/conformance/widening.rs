//! What becomes of rows when the types of their fields change: part of the suite of [`destination`](super::destination).

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::destination::{STREAM, Subject, prepared, write};
use crate::{Catalog, Data, DataType, Field, Operation, Record, Stream, Verdict};

const TYPES: [DataType; 7] = [
    DataType::String,
    DataType::Integer,
    DataType::Number,
    DataType::Boolean,
    DataType::Date,
    DataType::Timestamp,
    DataType::Json,
];

/// Values that an origin writes into fields of any type, whether they fit or not.
const VALUES: [&str; 12] = [
    "0",
    "12",
    "-7",
    "007",
    "0.1",
    "true",
    "false",
    "many",
    "2026-01-02",
    "2026-01-02T03:04:05.678Z",
    r#"{"a":[1,2]}"#,
    "12345678901234567890",
];

/// Whether the type has one way to write this value, so that nothing is lost of it by being of that type. A value that does
/// not fit is kept as it was written.
fn is_kept_as_written(data_type: DataType, value: &str) -> bool {
    match data_type {
        // A number may be one of milliseconds, and a day the beginning of it.
        DataType::Timestamp => value.contains('T') || value.parse::<i64>().is_err() && !value.contains('-'),
        DataType::Date => value.parse::<i64>().is_err() && !value.contains('T'),
        _ => true,
    }
}

fn name(from: DataType, to: DataType) -> String {
    format!("{from:?}_to_{to:?}").to_lowercase()
}

/// A field for every pair of types, of the first or the second of each.
fn catalog(of: impl Fn(DataType, DataType) -> DataType) -> Catalog {
    let mut fields = vec![Field::new("id", DataType::String, ["id"])];
    for (from, to) in TYPES.iter().flat_map(|from| TYPES.map(|to| (*from, to))) {
        let name = name(from, to);
        fields.push(Field::new(
            name.clone(),
            of(from, to),
            ["properties".to_owned(), name],
        ));
    }
    Catalog::new(vec![Stream::new(STREAM, ["id"], fields)])
}

/// A record with this value in the fields that are `wanted`.
fn record(id: &str, value: &Value, wanted: impl Fn(DataType) -> bool) -> Record {
    let pairs = TYPES.iter().flat_map(|from| TYPES.map(|to| (*from, to)));
    let of = |(from, to): (DataType, DataType)| wanted(from).then(|| (name(from, to), value.clone()));
    let properties: Map<_, _> = pairs.filter_map(of).collect();
    let after = json!({"id": id, "properties": properties, "updatedAt": "2026-01-01T00:00:00.000Z"});
    let key = Bytes::from(json!({"id": id}).to_string());
    Record::new(
        STREAM,
        Operation::Snapshot,
        key,
        Some(Data::Raw(Bytes::from(after.to_string()))),
    )
}

/// Every type to every other, every value in every one of them. No value stays none, and what was written is what writing it
/// again in the new type would make, as far as the old type has kept how it was written.
pub async fn a_type_that_widens_keeps_what_was_there(subject: &dyn Subject) {
    let destination = prepared(subject).await;
    destination.prepare(&catalog(|from, _| from)).await.unwrap();
    let nothing = [
        record("absent", &Value::Null, |_| false),
        record("null", &Value::Null, |_| true),
        record("empty", &json!(""), |from| from != DataType::String),
    ];
    let valued = VALUES.map(|value| record(value, &value.into(), |from| is_kept_as_written(from, value)));
    let records: Vec<_> = nothing.iter().chain(&valued).cloned().collect();
    write(&*destination, records.clone(), 1).await;
    let wide = catalog(|_, to| to);
    destination.prepare(&wide).await.unwrap();
    if let Ok(look) = destination.inspect(&wide).await {
        let compared = look.compare(&records).await.unwrap();
        for (record, compared) in records.iter().zip(compared) {
            assert_eq!(compared.verdict, Verdict::Same, "{:?}", record.key.to_object());
        }
    }
    destination.close().await.unwrap();
    let rows = subject.rows(STREAM).await;
    assert_eq!(rows.len(), records.len());
    let is_nothing = |value: &Value| value.is_null() || value == "";
    for id in ["absent", "null", "empty"] {
        let row = rows.iter().find(|row| row["id"] == id).expect("the row is there");
        let widened = row.iter().filter(|(name, _)| name.contains("_to_"));
        let made_up: Vec<_> = widened.filter(|(_, value)| !is_nothing(value)).collect();
        assert!(made_up.is_empty(), "`{id}` has become {made_up:?}");
    }
}
