//! From what HubSpot wrote to records. The hot path: nothing is parsed here that the client has read already, the
//! payload is the page's own bytes, and keys share one buffer a page.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hubspot_client::{AssociationType, RawObject};
use jiff::Timestamp;
use opencdc::{Change, Data, Metadata, Operation, Record, StreamName, metadata_keys};
use serde_json::{Map, Value};

use crate::objects::ObjectType;

/// The account, by its id.
const PORTAL_ID: &str = "hubspot.portalId";
/// The object type's name, such as `contacts`.
const OBJECT_TYPE: &str = "hubspot.objectType";
/// The object type's id, such as `0-1`.
const OBJECT_TYPE_ID: &str = "hubspot.objectTypeId";
/// `spoke.deleteReason` of what was found in the recycle bin.
const ARCHIVED: &str = "archived";

/// What every record of a stream has in common.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    stream: StreamName,
    metadata: Metadata,
}

impl Facts {
    /// Of a stream that is about `object`, if it is about one.
    pub(crate) fn new(stream: StreamName, portal_id: &Arc<str>, object: Option<&ObjectType>) -> Self {
        let mut metadata = Metadata::default();
        metadata.set(metadata_keys::COLLECTION, stream.as_str());
        metadata.set(PORTAL_ID, Arc::clone(portal_id));
        if let Some(object) = object {
            metadata.set(OBJECT_TYPE, &*object.name);
            if let Some(id) = &object.type_id {
                metadata.set(OBJECT_TYPE_ID, &**id);
            }
        }
        Self { stream, metadata }
    }

    /// For the records that are read now.
    pub(crate) fn read_now(&self) -> PageFacts<'_> {
        let mut metadata = self.metadata.clone();
        metadata.set(metadata_keys::READ_AT, nanoseconds(Timestamp::now()));
        PageFacts {
            stream: &self.stream,
            metadata,
        }
    }
}

/// What every record of a page has in common.
#[derive(Debug)]
pub(crate) struct PageFacts<'a> {
    stream: &'a StreamName,
    metadata: Metadata,
}

impl PageFacts<'_> {
    fn record(&self, operation: Operation, key: Data, after: Option<Data>, metadata: Metadata) -> Record {
        let payload = Change { before: None, after };
        Record {
            stream: self.stream.clone(),
            operation,
            key,
            payload,
            metadata,
        }
    }

    /// The records of a page, each with its own text of it.
    pub(crate) fn snapshots<'b>(&'b self, objects: &'b [RawObject]) -> impl Iterator<Item = Record> + 'b {
        let keys = id_keys(objects);
        objects.iter().zip(keys).map(|(object, key)| {
            let after = Data::Raw(object.json().clone());
            self.record(Operation::Snapshot, Data::Raw(key), Some(after), self.of(object))
        })
    }

    /// Deletes of what was found in the recycle bin. The version is the time of archiving, so that a record
    /// restored meanwhile stays (invariant 4).
    pub(crate) fn deletes<'b>(&'b self, objects: &'b [RawObject]) -> impl Iterator<Item = Record> + 'b {
        let keys = id_keys(objects);
        objects.iter().zip(keys).map(|(object, key)| {
            let mut metadata = self.of(object);
            metadata.set(metadata_keys::DELETE_REASON, ARCHIVED);
            if let Some(at) = object.archived_at() {
                metadata.set(metadata_keys::VERSION, at);
            }
            self.record(Operation::Delete, Data::Raw(key), None, metadata)
        })
    }

    /// A row that was put together here, keyed by some of its own fields.
    pub(crate) fn row(&self, key: &[&str], row: Map<String, Value>) -> Record {
        let value = |name: &&str| ((*name).to_owned(), row.get(*name).cloned().unwrap_or_default());
        let key: Map<_, _> = key.iter().map(value).collect();
        let metadata = self.metadata.clone();
        self.record(
            Operation::Snapshot,
            Data::Structured(key),
            Some(Data::Structured(row)),
            metadata,
        )
    }

    fn of(&self, object: &RawObject) -> Metadata {
        let mut metadata = self.metadata.clone();
        if let Some(at) = object.created_at().and_then(|text| text.parse().ok()) {
            metadata.set(metadata_keys::CREATED_AT, nanoseconds(at));
        }
        metadata
    }
}

fn nanoseconds(at: Timestamp) -> String {
    at.as_nanosecond().to_string()
}

/// `{"id":"…"}` of each object, as slices of one buffer.
fn id_keys(objects: &[RawObject]) -> Vec<Bytes> {
    let mut pieces = Pieces::with_capacity(objects.len() * 24);
    for object in objects {
        pieces.push(|text| {
            text.extend_from_slice(b"{\"id\":");
            push_text(text, object.id());
            text.extend_from_slice(b"}");
        });
    }
    pieces.finish()
}

/// Many small JSON texts in one allocation.
#[derive(Debug, Default)]
struct Pieces {
    text: BytesMut,
    ends: Vec<usize>,
}

impl Pieces {
    fn with_capacity(bytes: usize) -> Self {
        Self {
            text: BytesMut::with_capacity(bytes),
            ends: Vec::new(),
        }
    }

    fn push(&mut self, write: impl FnOnce(&mut BytesMut)) {
        write(&mut self.text);
        self.ends.push(self.text.len());
    }

    fn finish(self) -> Vec<Bytes> {
        let text = self.text.freeze();
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| text.slice(start..*end))
            .collect()
    }
}

/// A JSON string. Ids are digits, which need no escaping; anything else is left to serde.
fn push_text(out: &mut BytesMut, text: &str) {
    if text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b' ')
    {
        out.extend_from_slice(b"\"");
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b"\"");
    } else {
        let quoted = serde_json::to_vec(text).expect("text is always serialisable");
        out.extend_from_slice(&quoted);
    }
}

/// Association rows of a page, keys and payloads in turn in one buffer.
#[derive(Debug, Default)]
pub(crate) struct AssociationRows {
    pieces: Pieces,
}

impl AssociationRows {
    /// Adds the row that says `from` is associated with `to` in this way.
    pub(crate) fn push(&mut self, from: &str, to: &str, kind: &AssociationType) {
        let head = |text: &mut BytesMut| {
            text.extend_from_slice(b"{\"from_id\":");
            push_text(text, from);
            text.extend_from_slice(b",\"to_id\":");
            push_text(text, to);
            text.extend_from_slice(b",\"type_id\":");
            text.extend_from_slice(kind.type_id.to_string().as_bytes());
        };
        self.pieces.push(|text| {
            head(text);
            text.extend_from_slice(b"}");
        });
        self.pieces.push(|text| {
            head(text);
            text.extend_from_slice(b",\"category\":");
            push_text(text, &kind.category);
            text.extend_from_slice(b",\"label\":");
            match &kind.label {
                Some(label) => push_text(text, label),
                None => text.extend_from_slice(b"null"),
            }
            text.extend_from_slice(b"}");
        });
    }

    /// The records.
    pub(crate) fn records(self, facts: &PageFacts<'_>) -> Vec<Record> {
        let pieces = self.pieces.finish();
        let record = |pair: &[Bytes]| {
            let [key, after] = [0, 1].map(|n| Data::Raw(pair[n].clone()));
            facts.record(Operation::Snapshot, key, Some(after), facts.metadata.clone())
        };
        pieces.chunks_exact(2).map(record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::resolve;

    fn facts() -> Facts {
        Facts::new(
            "contacts".into(),
            &"4711".into(),
            Some(resolve("contacts").unwrap()),
        )
    }

    #[test]
    fn what_is_common_stands_on_every_record() {
        let facts = facts();
        let page = facts.read_now();
        let row: Map<_, _> = [("id".to_owned(), Value::from("1"))].into_iter().collect();
        let record = page.row(&["id"], row);
        assert_eq!(record.metadata.get("opencdc.collection"), Some("contacts"));
        assert_eq!(record.metadata.get("hubspot.portalId"), Some("4711"));
        assert_eq!(record.metadata.get("hubspot.objectType"), Some("contacts"));
        assert_eq!(record.metadata.get("hubspot.objectTypeId"), Some("0-1"));
        assert!(
            record
                .metadata
                .get("opencdc.readAt")
                .unwrap()
                .parse::<i128>()
                .unwrap()
                > 0
        );
    }

    #[test]
    fn association_rows_are_json_with_their_key_in_them() {
        let mut rows = AssociationRows::default();
        let kind = serde_json::json!({"category": "USER_DEFINED", "typeId": 12, "label": "say \"hi\""});
        rows.push("1", "2", &serde_json::from_value(kind).unwrap());
        let plain = serde_json::json!({"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null});
        rows.push("1", "3", &serde_json::from_value(plain).unwrap());
        let facts = facts();
        let records = rows.records(&facts.read_now());
        let json = |data: &Data| String::from_utf8(data.to_json().to_vec()).unwrap();
        assert_eq!(
            json(&records[0].key),
            r#"{"from_id":"1","to_id":"2","type_id":12}"#
        );
        assert_eq!(
            json(records[0].payload.after.as_ref().unwrap()),
            r#"{"from_id":"1","to_id":"2","type_id":12,"category":"USER_DEFINED","label":"say \"hi\""}"#
        );
        assert!(json(records[1].payload.after.as_ref().unwrap()).ends_with(r#""label":null}"#));
    }

    #[test]
    fn a_text_that_needs_escaping_is_escaped() {
        let mut out = BytesMut::new();
        push_text(&mut out, "a\"b");
        assert_eq!(&out[..], br#""a\"b""#);
    }
}
