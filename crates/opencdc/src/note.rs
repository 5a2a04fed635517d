//! What a source remembers besides its position.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::Position;

/// One change of what a source remembers: a small value under a name, or that the name is forgotten.
///
/// A position stands in every checkpoint, so it must be short. What is large and changes in few places (which
/// ids were delivered, which pairs are associated) is kept in notes instead: a batch carries only those that
/// change with it. Opaque outside the source that made them, and, like a position, never a secret (invariant 7).
///
/// # What is promised
/// A note comes into force **in the same transaction as the checkpoint of its batch**, or as a later one that
/// covers it. Whoever resumes gets exactly the notes of the batches up to the position, with later changes of a
/// key in the place of earlier ones: never newer and never older than the position, whatever happens.
///
/// # What a source should keep to
/// Keys begin with the stream that they are about, and `/`: `contacts/delivered/17`. Values are some kilobytes:
/// a note is written whole whenever it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The name.
    pub key: Arc<str>,
    /// What to remember from now on; `None` to forget.
    pub value: Option<Bytes>,
}

/// Every note in force, by key.
pub type Notes = BTreeMap<Arc<str>, Bytes>;

impl Note {
    /// Remember `value` under `key`.
    pub fn remember(key: impl Into<Arc<str>>, value: impl Into<Bytes>) -> Self {
        Self {
            key: key.into(),
            value: Some(value.into()),
        }
    }

    /// Forget `key`. Fine when there is none.
    pub fn forget(key: impl Into<Arc<str>>) -> Self {
        Self {
            key: key.into(),
            value: None,
        }
    }

    /// The last change of each key: all that a store needs to write.
    pub fn last_of_each(changes: &[Self]) -> BTreeMap<&Arc<str>, Option<&Bytes>> {
        let changes = changes.iter();
        changes.map(|Self { key, value }| (key, value.as_ref())).collect()
    }

    /// Brings `changes` into force, in order. The bytes are shared, not copied.
    pub fn apply(notes: &mut Notes, changes: &[Self]) {
        for Self { key, value } in changes {
            match value {
                Some(value) => drop(notes.insert(Arc::clone(key), value.clone())),
                None => drop(notes.remove(key)),
            }
        }
    }
}

/// Where a source goes on: what [`Source::read`](crate::Source::read) gets of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resume {
    /// The position of the last checkpoint.
    pub position: Position,
    /// The notes that were in force at it; see [`Note`].
    pub notes: Notes,
}

impl From<Position> for Resume {
    /// A position of a source that keeps no notes.
    fn from(position: Position) -> Self {
        Self {
            position,
            notes: Notes::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_changes_of_a_key_win_in_either_way_of_applying_them() {
        let changes = [
            Note::remember("a", "1"),
            Note::forget("b"),
            Note::remember("a", "2"),
            Note::remember("b", "3"),
            Note::remember("c", "4"),
            Note::forget("c"),
        ];
        let mut notes = Notes::from([("b".into(), Bytes::from("0")), ("c".into(), Bytes::from("0"))]);
        Note::apply(&mut notes, &changes);
        let expected = [("a", "2"), ("b", "3")].map(|(key, value)| (Arc::from(key), Bytes::from(value)));
        assert_eq!(notes, Notes::from(expected));

        let last = Note::last_of_each(&changes);
        let last: Vec<_> = last
            .iter()
            .map(|(key, value)| (&***key, value.is_some()))
            .collect();
        assert_eq!(last, [("a", true), ("b", true), ("c", false)]);
    }
}
