//! A destination that keeps rows in memory, with the position and the notes that go with them: what a transactional
//! destination does, without the transactions.

use std::collections::BTreeMap;

use opencdc::{Batch, Note, Operation, Position, Record, Resume};
use serde_json::{Map, Value};

/// The rows of one stream by their key's JSON text.
pub(crate) type Rows = BTreeMap<String, Row>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) after: Map<String, Value>,
    /// How many times it was written.
    pub(crate) writes: usize,
}

/// What was delivered.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) rows: BTreeMap<String, Rows>,
    /// Why rows are gone that were there, by stream and key.
    pub(crate) gone: BTreeMap<String, BTreeMap<String, String>>,
    /// How many records were delivered.
    pub(crate) delivered: usize,
    /// Records whose operation says other than what the rows are: created though there, updated though not.
    pub(crate) wrong: Vec<String>,
    resume: Option<Resume>,
}

impl Tables {
    /// Applies a batch: rows, position and notes together.
    pub(crate) fn apply(&mut self, batch: Batch) {
        for record in batch.records {
            self.record(&record, batch.current);
        }
        let resume = self.resume.get_or_insert_with(|| Resume::from(Position::new("")));
        resume.position = batch.position;
        Note::apply(&mut resume.notes, &batch.notes);
    }

    fn record(&mut self, record: &Record, current: bool) {
        let rows = self.rows.entry(record.stream.to_string()).or_default();
        let key = Value::Object(record.key.to_object().unwrap().into_owned()).to_string();
        self.delivered += 1;
        let gone = self.gone.entry(record.stream.to_string()).or_default();
        if record.operation == Operation::Delete {
            rows.remove(&key);
            let reason = record.metadata.get("spoke.deleteReason").unwrap_or_default();
            gone.insert(key, reason.to_owned());
            return;
        }
        gone.remove(&key);
        let is_wrong = match record.operation {
            Operation::Create => rows.contains_key(&key),
            Operation::Update => !rows.contains_key(&key),
            Operation::Snapshot | Operation::Delete => false,
        };
        if is_wrong {
            let wrong = format!("{:?} of {} {key}", record.operation, record.stream);
            self.wrong.push(wrong);
        }
        let after = record
            .payload
            .after
            .as_ref()
            .unwrap()
            .to_object()
            .unwrap()
            .into_owned();
        let row = rows.entry(key).or_insert(Row {
            after: Map::new(),
            writes: 0,
        });
        // An older version never replaces a newer one, but for what is known to be as it is now.
        if current
            || row.after.get("updatedAt").and_then(Value::as_str)
                <= after.get("updatedAt").and_then(Value::as_str)
        {
            row.after = after;
        }
        row.writes += 1;
    }

    /// Where a read goes on after a crash.
    pub(crate) fn resume(&self) -> Option<Resume> {
        self.resume.clone()
    }

    /// Lets a read go on from elsewhere.
    pub(crate) fn set_resume(&mut self, resume: Resume) {
        self.resume = Some(resume);
    }

    /// How many rows a stream has.
    pub(crate) fn len(&self, stream: &str) -> usize {
        self.rows.get(stream).map_or(0, BTreeMap::len)
    }

    /// What was delivered last under this key.
    pub(crate) fn after(&self, stream: &str, key: &str) -> Option<&Map<String, Value>> {
        Some(&self.rows.get(stream)?.get(key)?.after)
    }

    pub(crate) fn of(&self, stream: &str) -> Rows {
        self.rows.get(stream).cloned().unwrap_or_default()
    }
}

/// `{"id":"7"}` of an id.
pub(crate) fn id_key(id: &str) -> String {
    serde_json::json!({"id": id}).to_string()
}
