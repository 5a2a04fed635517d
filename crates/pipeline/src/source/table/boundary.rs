//! Which rows of the greatest cursor were delivered already.

use std::collections::BTreeMap;

use bytes::Bytes;
use opencdc::Note;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// More rows than this share one cursor only where the cursor says nothing; they are read again at every pass then.
const REMEMBERED: usize = 1_000_000;
/// A note is written whole whenever it changes, so only so many are remembered across restarts: a run that begins
/// delivers a larger boundary once more.
const NOTED: usize = 1_000;

/// Digests of the rows with the greatest cursor, by the digest of their key.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(super) struct Boundary<V> {
    cursor: Option<V>,
    rows: BTreeMap<u64, u64>,
}

impl<V> Default for Boundary<V> {
    fn default() -> Self {
        Self {
            cursor: None,
            rows: BTreeMap::new(),
        }
    }
}

impl<V: Clone + PartialEq + Serialize + DeserializeOwned> Boundary<V> {
    /// Takes note of a row; whether it is to be delivered.
    pub(super) fn is_new(&mut self, cursor: &V, key: &[u8], row: &[u8]) -> bool {
        if self.cursor.as_ref() != Some(cursor) {
            *self = Self {
                cursor: Some(cursor.clone()),
                rows: BTreeMap::new(),
            };
        }
        let (key, digest) = (xxh3_64(key), xxh3_64(row));
        if self.rows.get(&key) == Some(&digest) {
            return false;
        }
        if self.rows.len() < REMEMBERED {
            self.rows.insert(key, digest);
        }
        true
    }

    pub(super) fn note(&self, name: &str) -> Note {
        if self.rows.len() > NOTED {
            return Note::forget(name);
        }
        Note::remember(name, serde_json::to_vec(self).expect("digests are always serialisable"))
    }

    /// What was noted, when it is about this cursor. Nothing that cannot be read is missed: rows come again then.
    pub(super) fn of(note: Option<&Bytes>, cursor: Option<&V>) -> Self {
        let noted: Option<Self> = note.and_then(|note| serde_json::from_slice(note).ok());
        noted.filter(|noted| noted.cursor.as_ref() == cursor).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_new_once_and_again_when_it_changes_and_when_it_changes_back() {
        let mut boundary = Boundary::default();
        let mut is_new = |cursor: u32, row: &str| boundary.is_new(&cursor, b"1", row.as_bytes());
        assert!(is_new(7, "a") && !is_new(7, "a") && is_new(7, "b") && is_new(7, "a"));
        assert!(is_new(8, "a"), "at another cursor");
    }

    #[test]
    fn a_note_is_about_one_cursor_and_a_large_boundary_is_not_noted() {
        let mut boundary = Boundary::default();
        boundary.is_new(&7_u32, b"1", b"a");
        let note = boundary.note("n").value.unwrap();
        assert_eq!(Boundary::of(Some(&note), Some(&7)), boundary);
        assert_eq!(Boundary::of(Some(&note), Some(&8)), Boundary::default());
        for key in 0..=NOTED {
            boundary.is_new(&7, &key.to_le_bytes(), b"a");
        }
        assert_eq!(boundary.note("n").value, None);
    }

    /// Released shapes stay readable (invariant 2).
    #[test]
    fn a_note_of_version_1_is_read() {
        let note = Bytes::from(r#"{"cursor":7,"rows":{"1":18446744073709551615}}"#);
        let boundary = Boundary::of(Some(&note), Some(&7_u32));
        assert_eq!(boundary.note("n").value.unwrap(), note);
    }
}
