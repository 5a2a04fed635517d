//! From what HubSpot wrote to records. The hot path: nothing is parsed here that the client has read already, the
//! payload is the page's own bytes, and keys share one buffer a page.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hubspot_client::{AssociationType, RawObject};
use jiff::Timestamp;
use opencdc::{Change, Data, Metadata, Operation, Record, StreamName, metadata_keys};
use serde_json::{Map, Value};

use crate::known::{Kind, Pair};
use crate::objects::ObjectType;

/// The account, by its id.
const PORTAL_ID: &str = "hubspot.portalId";
/// The object type's name, such as `contacts`.
const OBJECT_TYPE: &str = "hubspot.objectType";
/// The object type's id, such as `0-1`.
const OBJECT_TYPE_ID: &str = "hubspot.objectTypeId";
/// On a delete: the record that it was merged into.
const MERGED_INTO: &str = "hubspot.mergedInto";
/// On a delete: that nothing is left of the record.
const PURGED: &str = "hubspot.purged";

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

    /// The stream that the records belong to.
    pub(crate) fn stream(&self) -> &StreamName {
        &self.stream
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

    /// Records as HubSpot wrote them, each with its own text of the answer it came in.
    pub(crate) fn records(&self, objects: &[(Operation, &RawObject)]) -> Vec<Record> {
        let keys = id_keys(objects.iter().map(|(_, object)| object.id()));
        let record = |((operation, object), key): (&(Operation, &RawObject), Bytes)| {
            let after = Data::Raw(object.json().clone());
            self.record(*operation, Data::Raw(key), Some(after), self.of(object))
        };
        objects.iter().zip(keys).map(record).collect()
    }

    /// The delete of a record. Of an archived one the version is the time of archiving, so that one that was restored
    /// meanwhile stays (invariant 4).
    pub(crate) fn delete(&self, id: &str, gone: Gone<'_>) -> Record {
        let mut metadata = self.metadata.clone();
        match gone {
            Gone::Archived { at } => {
                metadata.set(metadata_keys::DELETE_REASON, "archived");
                if let Some(at) = at {
                    metadata.set(metadata_keys::VERSION, at);
                }
            }
            Gone::Merged { into } => {
                metadata.set(metadata_keys::DELETE_REASON, "merged");
                metadata.set(metadata_keys::MERGED_INTO, into);
                metadata.set(MERGED_INTO, into);
            }
            Gone::Lost => metadata.set(metadata_keys::DELETE_REASON, "unknown"),
            Gone::Purged => {
                metadata.set(metadata_keys::DELETE_REASON, "purged");
                metadata.set(PURGED, "true");
            }
        }
        let key = id_keys([id]).remove(0);
        self.record(Operation::Delete, Data::Raw(key), None, metadata)
    }

    /// The delete of all rows that tell of a record that was erased: `key` names that record.
    pub(crate) fn forget(&self, key: Map<String, Value>) -> Record {
        let mut metadata = self.metadata.clone();
        metadata.set(metadata_keys::DELETE_REASON, "purged");
        metadata.set(PURGED, "true");
        self.record(Operation::Delete, Data::Structured(key), None, metadata)
    }

    /// A row of a table that is read whole; a delete has no payload.
    pub(crate) fn row(&self, operation: Operation, key: Map<String, Value>, after: Option<Data>) -> Record {
        self.record(operation, Data::Structured(key), after, self.metadata.clone())
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

/// Why a record is gone.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gone<'a> {
    /// In the recycle bin.
    Archived {
        /// Since when.
        at: Option<&'a str>,
    },
    /// Another record took its place.
    Merged {
        /// That one.
        into: &'a str,
    },
    /// HubSpot does not show it anywhere, for a reason that is not known.
    Lost,
    /// Erased.
    Purged,
}

/// `{"id":"…"}` of each id, as slices of one buffer.
fn id_keys<'a>(ids: impl IntoIterator<Item = &'a str>) -> Vec<Bytes> {
    let mut pieces = Pieces::default();
    for id in ids {
        pieces.push(|text| {
            text.extend_from_slice(b"{\"id\":");
            push_text(text, id);
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

/// Association rows, keys and payloads in turn in one buffer.
#[derive(Debug, Default)]
pub(crate) struct LinkRows {
    operations: Vec<Operation>,
    pieces: Pieces,
}

impl LinkRows {
    /// Adds the row that says `from` is associated with `to` in this way.
    pub(crate) fn push(&mut self, operation: Operation, from: &str, to: &str, kind: &AssociationType) {
        self.operations.push(operation);
        let of = Kind::from(kind);
        self.pieces.push(|text| push_pair(text, from, to, of, b"}"));
        self.pieces.push(|text| {
            push_pair(text, from, to, of, b",\"label\":");
            match &kind.label {
                Some(label) => push_text(text, label),
                None => text.extend_from_slice(b"null"),
            }
            text.extend_from_slice(b"}");
        });
    }

    /// Adds that `from` is no longer associated with `to` in this way.
    pub(crate) fn push_delete(&mut self, (from, to, kind): Pair) {
        self.operations.push(Operation::Delete);
        let [from, to] = [from, to].map(|id| id.to_string());
        self.pieces.push(|text| push_pair(text, &from, &to, kind, b"}"));
        self.pieces.push(|_| ());
    }

    /// The records.
    pub(crate) fn records(self, facts: &PageFacts<'_>) -> Vec<Record> {
        let pieces = self.pieces.finish();
        let record = |(operation, pair): (Operation, &[Bytes])| {
            let after = (operation != Operation::Delete).then(|| Data::Raw(pair[1].clone()));
            facts.record(
                operation,
                Data::Raw(pair[0].clone()),
                after,
                facts.metadata.clone(),
            )
        };
        self.operations
            .into_iter()
            .zip(pieces.chunks_exact(2))
            .map(record)
            .collect()
    }
}

fn push_pair(text: &mut BytesMut, from: &str, to: &str, kind: Kind, end: &[u8]) {
    text.extend_from_slice(b"{\"from_id\":");
    push_text(text, from);
    text.extend_from_slice(b",\"to_id\":");
    push_text(text, to);
    text.extend_from_slice(b",\"type_id\":");
    text.extend_from_slice(kind.number.to_string().as_bytes());
    text.extend_from_slice(b",\"category\":");
    push_text(text, kind.category.name());
    text.extend_from_slice(end);
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
        let record = page.row(Operation::Snapshot, row.clone(), Some(row.into()));
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
        let mut rows = LinkRows::default();
        let kind = serde_json::json!({"category": "USER_DEFINED", "typeId": 12, "label": "say \"hi\""});
        rows.push(
            Operation::Create,
            "1",
            "2",
            &serde_json::from_value(kind).unwrap(),
        );
        let plain = serde_json::json!({"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null});
        rows.push(
            Operation::Snapshot,
            "1",
            "3",
            &serde_json::from_value(plain).unwrap(),
        );
        let hubspots = serde_json::json!({"category": "HUBSPOT_DEFINED", "typeId": 279});
        let hubspots: AssociationType = serde_json::from_value(hubspots).unwrap();
        rows.push_delete((1, 4, Kind::from(&hubspots)));
        let facts = facts();
        let records = rows.records(&facts.read_now());
        let json = |data: &Data| String::from_utf8(data.to_json().to_vec()).unwrap();
        assert_eq!(
            json(&records[0].key),
            r#"{"from_id":"1","to_id":"2","type_id":12,"category":"USER_DEFINED"}"#
        );
        assert_eq!(
            json(records[0].payload.after.as_ref().unwrap()),
            r#"{"from_id":"1","to_id":"2","type_id":12,"category":"USER_DEFINED","label":"say \"hi\""}"#
        );
        assert!(json(records[1].payload.after.as_ref().unwrap()).ends_with(r#""label":null}"#));
        assert_eq!(
            json(&records[2].key),
            r#"{"from_id":"1","to_id":"4","type_id":279,"category":"HUBSPOT_DEFINED"}"#
        );
        assert!(records[2].payload.after.is_none() && records[2].operation == Operation::Delete);
    }

    #[test]
    fn a_delete_says_why() {
        let facts = facts();
        let delete = |gone| facts.read_now().delete("7", gone);
        let merged = delete(Gone::Merged { into: "9" });
        assert_eq!(merged.metadata.get("spoke.deleteReason"), Some("merged"));
        assert_eq!(merged.metadata.get("hubspot.mergedInto"), Some("9"));
        let at = "2026-01-01T00:00:00Z";
        assert_eq!(
            delete(Gone::Archived { at: Some(at) })
                .metadata
                .get("spoke.version"),
            Some(at)
        );
        assert_eq!(delete(Gone::Purged).metadata.get("hubspot.purged"), Some("true"));
    }

    #[test]
    fn a_text_that_needs_escaping_is_escaped() {
        let mut out = BytesMut::new();
        push_text(&mut out, "a\"b");
        assert_eq!(&out[..], br#""a\"b""#);
    }
}
