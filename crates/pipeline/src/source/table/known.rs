//! Which rows were delivered already, of those that are read again.

use std::collections::BTreeMap;

use bytes::Bytes;
use opencdc::Note;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// More live rows than this there are only where the cursor says little; those are delivered again at every pass.
const REMEMBERED: usize = 1_000_000;
/// A note is written whole whenever it changes, so only so many are remembered across restarts: a run that begins
/// delivers a larger number of live rows once more.
const NOTED: usize = 1_000;

/// Digests of rows, by the digest of their key.
type Digests = BTreeMap<u64, u64>;

/// What is known of the live rows.
#[derive(Debug)]
pub(super) struct Known {
    /// Those of the last pass.
    before: Digests,
    /// Those of this one, so far.
    now: Digests,
}

#[derive(Serialize, Deserialize)]
struct Noted<V> {
    /// Rows with this cursor or a greater one.
    at: V,
    rows: Digests,
}

impl Known {
    pub(super) fn nothing() -> Self {
        Self {
            before: Digests::new(),
            now: Digests::new(),
        }
    }

    /// What was noted when a pass ended, when the next one begins at `at`. Nothing is missed where it cannot be read:
    /// rows come again then.
    pub(super) fn of<V: DeserializeOwned + PartialEq>(note: Option<&Bytes>, at: &V) -> Self {
        let noted: Option<Noted<V>> = note.and_then(|note| serde_json::from_slice(note).ok());
        let noted = noted.filter(|noted| noted.at == *at);
        Self {
            before: noted.map(|noted| noted.rows).unwrap_or_default(),
            now: Digests::new(),
        }
    }

    /// Takes note of a row; whether it is to be delivered.
    pub(super) fn is_new(&mut self, key: &[u8], row: &[u8], live: bool) -> bool {
        let (key, digest) = (xxh3_64(key), xxh3_64(row));
        let last = self.now.get(&key).or(self.before.get(&key));
        let is_new = last != Some(&digest);
        if live && self.now.len() < REMEMBERED {
            self.now.insert(key, digest);
        } else {
            // What was delivered last of it is no longer known.
            self.now.remove(&key);
            self.before.remove(&key);
        }
        is_new
    }

    pub(super) fn end_pass(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// Of the last pass, with the next one beginning at `at`.
    pub(super) fn note<V: Serialize>(&self, name: &str, at: &V) -> Note {
        if self.before.len() > NOTED {
            return Note::forget(name);
        }
        let noted = Noted {
            at,
            rows: self.before.clone(),
        };
        Note::remember(
            name,
            serde_json::to_vec(&noted).expect("digests are always serialisable"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_row_is_new_once_and_again_when_it_changes_and_when_it_changes_back() {
        let mut known = Known::nothing();
        let is_new = |known: &mut Known, row: &str| known.is_new(b"1", row.as_bytes(), true);
        assert!(is_new(&mut known, "a") && !is_new(&mut known, "a"));
        known.end_pass();
        assert!(!is_new(&mut known, "a") && is_new(&mut known, "b") && is_new(&mut known, "a"));
    }

    #[test]
    fn a_row_that_is_live_no_more_is_forgotten() {
        let mut known = Known::nothing();
        assert!(known.is_new(b"1", b"a", true));
        known.end_pass();
        assert!(!known.is_new(b"1", b"a", false));
        assert!(known.is_new(b"1", b"a", true));
        known.end_pass();
        known.end_pass();
        assert!(known.is_new(b"1", b"a", true), "it was not read by the last pass");
    }

    #[test]
    fn a_note_is_of_one_frontier_and_many_rows_are_not_noted() {
        let mut known = Known::nothing();
        known.is_new(b"1", b"a", true);
        known.end_pass();
        let note = known.note("n", &7).value.unwrap();
        assert!(!Known::of(Some(&note), &7).is_new(b"1", b"a", true));
        assert!(Known::of(Some(&note), &8).is_new(b"1", b"a", true));
        for key in 0..=NOTED {
            known.is_new(&key.to_le_bytes(), b"a", true);
        }
        known.end_pass();
        assert_eq!(known.note("n", &7).value, None);
    }

    /// Released shapes stay readable (invariant 2).
    #[test]
    fn a_note_of_version_1_is_read() {
        let note = Bytes::from(r#"{"at":7,"rows":{"1":18446744073709551615}}"#);
        assert_eq!(Known::of(Some(&note), &7).note("n", &7).value.unwrap(), note);
    }
}
