//! A dead letter as a row, and back.

use std::time::SystemTime;

use jiff::Timestamp;
use opencdc::{Change, Data, DeadLetter, Metadata, Operation, Record};
use rusqlite::types::{ToSqlOutput, Type, ValueRef};
use rusqlite::{Connection, Row, params};

/// The columns that [`read`] reads.
pub(super) const COLUMNS: &str =
    "id, pipeline, stream, operation, key, before, after, metadata, reason, refused_at";

/// Puts `letter` in place of an earlier one of the same record. The id is a new one, so that a person who
/// pages through the letters sees the newer refusal.
pub(super) fn put(connection: &Connection, letter: &DeadLetter) -> rusqlite::Result<()> {
    let record = &letter.record;
    let identity = identity(&record.key);
    let stream = record.stream.as_str();
    connection
        .prepare_cached("DELETE FROM dead_letters WHERE pipeline = ?1 AND stream = ?2 AND identity = ?3")?
        .execute(params![letter.pipeline, stream, identity])?;
    let metadata = serde_json::to_string(&record.metadata).expect("metadata is a map of texts");
    let bytes = |data: &Option<Data>| data.as_ref().map(Data::to_json);
    let (key, before, after) = (
        record.key.to_json(),
        bytes(&record.payload.before),
        bytes(&record.payload.after),
    );
    connection
        .prepare_cached(
            "INSERT INTO dead_letters
               (pipeline, stream, identity, operation, key, before, after, metadata, reason, refused_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            letter.pipeline,
            stream,
            identity,
            record.operation.as_str(),
            text_or_bytes(&key),
            before.as_deref().map(text_or_bytes),
            after.as_deref().map(text_or_bytes),
            metadata,
            letter.reason,
            text_of(letter.at),
        ])?;
    Ok(())
}

/// A row of [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(u64, DeadLetter)> {
    let metadata: String = row.get("metadata")?;
    let record = Record {
        stream: row.get::<_, String>("stream")?.into(),
        operation: parse("operation", &row.get::<_, String>("operation")?)?,
        key: data(row, "key")?.unwrap_or_else(|| Data::Structured(serde_json::Map::new())),
        payload: Change {
            before: data(row, "before")?,
            after: data(row, "after")?,
        },
        metadata: serde_json::from_str::<Metadata>(&metadata).map_err(|error| unreadable(error.into()))?,
    };
    let at: Timestamp = row
        .get::<_, String>("refused_at")?
        .parse()
        .map_err(|error: jiff::Error| unreadable(error.into()))?;
    let letter = DeadLetter {
        pipeline: row.get("pipeline")?,
        record,
        reason: row.get("reason")?,
        at: at.into(),
    };
    Ok((row.get("id")?, letter))
}

/// Equal for equal keys, whatever the order of their fields and the blanks between them.
pub(super) fn identity(key: &Data) -> String {
    match key.to_object() {
        Ok(object) => serde_json::Value::Object(object.into_owned()).to_string(),
        Err(_) => String::from_utf8_lossy(&key.to_json()).into_owned(),
    }
}

/// Text where it is text, so that a person can read the table; the very bytes otherwise.
fn text_or_bytes(bytes: &[u8]) -> ToSqlOutput<'_> {
    match simdutf8::basic::from_utf8(bytes) {
        Ok(_) => ToSqlOutput::Borrowed(ValueRef::Text(bytes)),
        Err(_) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
    }
}

fn data(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Data>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(Data::Raw(bytes.to_vec().into())),
        _ => None,
    })
}

fn parse(column: &str, word: &str) -> rusqlite::Result<Operation> {
    let all = [
        Operation::Snapshot,
        Operation::Create,
        Operation::Update,
        Operation::Delete,
    ];
    let found = all.into_iter().find(|operation| operation.as_str() == word);
    found.ok_or_else(|| unreadable(format!("`{word}` is not an {column}").into()))
}

fn unreadable(error: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error)
}

fn text_of(at: SystemTime) -> String {
    Timestamp::try_from(at).unwrap_or(Timestamp::MAX).to_string()
}
