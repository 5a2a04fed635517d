//! The notes beside the files: a log to which changes are appended, as far as the sidecar says.
//!
//! Megabytes of notes may be in force while a batch changes a few kilobytes, so they cannot stand in the sidecar,
//! which is written whole. A log needs nothing that is not here already: like the lines of a stream, it counts up
//! to the length that the sidecar records, so position and notes change in the one instant of its renaming. Once
//! most of it is outdated it is written anew, under the next number; the sidecar changes over to that one.

use std::fs::{self, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use opencdc::{Error, ErrorKind, Note, Notes, Result};
use serde::{Deserialize, Serialize};

use super::sidecar::{storage, sync_directory};
use crate::private_file;

const PREFIX: &str = "_spoke_notes.";

/// A log below this size is not worth writing anew.
const SMALL: u64 = 64 << 10;

/// In place of a value's length: the key is forgotten.
const FORGET: u64 = u64::MAX;

/// Which file holds the notes, and how much of it counts. Part of the sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Log {
    number: u64,
    /// The length with which the file began: what was in force then.
    start: u64,
    length: u64,
}

impl Log {
    pub(super) fn path(self, dir: &Path) -> PathBuf {
        dir.join(format!("{PREFIX}{}", self.number))
    }

    /// Whether both are in the same file.
    pub(super) fn continues(self, other: Self) -> bool {
        self.number == other.number
    }

    /// One without notes, in another file.
    pub(super) fn emptied(self) -> Self {
        Self {
            number: self.number + 1,
            ..Self::default()
        }
    }

    /// Every note that is in force.
    pub(super) fn read(self, dir: &Path) -> Result<Notes> {
        if self.length == 0 {
            return Ok(Notes::new());
        }
        let path = self.path(dir);
        let bytes = fs::read(&path).map_err(|error| storage("cannot read", &path, error))?;
        let counts = usize::try_from(self.length)
            .ok()
            .filter(|length| *length <= bytes.len());
        let counts = counts.ok_or_else(|| damaged(&path))?;
        let changes = decode(&bytes[..counts]).ok_or_else(|| damaged(&path))?;
        let mut notes = Notes::new();
        Note::apply(&mut notes, &changes);
        Ok(notes)
    }

    /// Writes `changes` durably, so that a sidecar with the log that this gives back brings them into force.
    pub(super) fn with(self, dir: &Path, changes: &[Note]) -> Result<Self> {
        if changes.is_empty() {
            return Ok(self);
        }
        if self.length > SMALL.saturating_add(2 * self.start) {
            return self.anew(dir, changes);
        }
        let path = self.path(dir);
        let added = encode(Note::last_of_each(changes).into_iter());
        self.append(&path, &added)
            .and_then(|()| {
                if self.length == 0 {
                    sync_directory(dir)
                } else {
                    Ok(())
                }
            })
            .map_err(|error| storage("cannot write", &path, error))?;
        let length = self.length + added.len() as u64;
        Ok(Self { length, ..self })
    }

    /// Behind what counts; whatever else was there is cut off.
    fn append(self, path: &Path, added: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(private_file::MODE)
            .open(path)?;
        if file.metadata()?.len() < self.length {
            return Err(io::Error::other("it is shorter than the checkpoint says"));
        }
        file.set_len(self.length)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(added)?;
        file.sync_data()
    }

    /// What is in force with `changes`, in a new file.
    fn anew(self, dir: &Path, changes: &[Note]) -> Result<Self> {
        let mut notes = self.read(dir)?;
        Note::apply(&mut notes, changes);
        let bytes = encode(notes.iter().map(|(key, value)| (key, Some(value))));
        let length = bytes.len() as u64;
        let next = Self {
            number: self.number + 1,
            start: length,
            length,
        };
        let path = next.path(dir);
        let write = || -> io::Result<()> {
            let mut file = private_file::replace(&path)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            sync_directory(dir)
        };
        write().map_err(|error| storage("cannot write", &path, error))?;
        Ok(next)
    }

    /// Removes the logs of `dir` that are not this one: whatever a crash left of them counts for nothing. One
    /// that cannot be removed takes up room and does no harm.
    pub(super) fn remove_others(self, dir: &Path) {
        let keep = self.path(dir);
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let others = entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX) && entry.path() != keep);
        others.for_each(|entry| drop(fs::remove_file(entry.path())));
    }
}

/// For each change the lengths of key and value, then both.
fn encode<'a>(changes: impl Iterator<Item = (&'a Arc<str>, Option<&'a Bytes>)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in changes {
        let length = value.map_or(FORGET, |value| value.len() as u64);
        bytes.extend((key.len() as u64).to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(key.as_bytes());
        bytes.extend(value.into_iter().flatten());
    }
    bytes
}

/// `None` when the bytes are not what [`encode`] writes.
fn decode(mut bytes: &[u8]) -> Option<Vec<Note>> {
    let mut changes = Vec::new();
    while bytes.has_remaining() {
        let key = bytes.try_get_u64_le().ok()?;
        let value = bytes.try_get_u64_le().ok()?;
        let key = take(&mut bytes, key)?;
        let value = match value {
            FORGET => None,
            length => Some(take(&mut bytes, length)?),
        };
        let key = std::str::from_utf8(&key).ok()?.into();
        changes.push(Note { key, value });
    }
    Some(changes)
}

/// A copy, so that one note that is kept does not keep the whole log in memory.
fn take(bytes: &mut &[u8], length: u64) -> Option<Bytes> {
    let length = usize::try_from(length).ok()?;
    (length <= bytes.len()).then(|| bytes.copy_to_bytes(length))
}

fn damaged(path: &Path) -> Error {
    let message = format!(
        "`{}` is damaged: it is not what the checkpoint says",
        path.display()
    );
    Error::new(ErrorKind::Incompatible, message)
        .with_hint("move the directory away and run again from nothing, or restore it from a copy")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(notes: &Notes, key: &str) -> Option<String> {
        let value = notes.get(key)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    #[test]
    fn what_was_appended_beyond_the_log_counts_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let first = Log::default().with(dir, &[Note::remember("a", "1")]).unwrap();
        first.with(dir, &[Note::remember("a", "lost")]).unwrap();
        assert_eq!(value(&first.read(dir).unwrap(), "a").unwrap(), "1");
        let second = first.with(dir, &[Note::remember("b", "2")]).unwrap();
        let notes = second.read(dir).unwrap();
        assert_eq!(
            (value(&notes, "a"), value(&notes, "b")),
            (Some("1".into()), Some("2".into()))
        );
    }

    #[test]
    fn a_log_stays_in_proportion_to_what_is_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let mut log = Log::default();
        for round in 0_u32..400 {
            let key = format!("contacts/{}", round % 20);
            log = log.with(dir, &[Note::remember(key, vec![b'x'; 10_000])]).unwrap();
            log.remove_others(dir);
        }
        assert_eq!(log.read(dir).unwrap().len(), 20);
        assert!(log.length < 3 * 20 * 10_100 + SMALL, "{log:?}");
        assert!(log.number > 3, "{log:?}");
        assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
    }

    #[test]
    fn a_log_that_is_cut_short_or_strange_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let log = Log::default().with(dir, &[Note::remember("a", "1")]).unwrap();
        let whole = fs::read(log.path(dir)).unwrap();
        fs::write(log.path(dir), &whole[1..]).unwrap();
        assert_eq!(log.read(dir).unwrap_err().kind(), ErrorKind::Incompatible);
        let error = log.with(dir, &[Note::forget("a")]).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("it is shorter than the checkpoint says"),
            "{error}"
        );
        fs::write(log.path(dir), vec![0xfe; whole.len()]).unwrap();
        assert_eq!(log.read(dir).unwrap_err().kind(), ErrorKind::Incompatible);
    }

    /// Version 1 of the log, of version 2 of the sidecar, as it was released: these bytes never change.
    #[test]
    fn the_first_shape_stays_readable() {
        let released = b"\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0a\x00\xff\
                         \x01\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xffb";
        let changes = vec![Note::remember("a", vec![0, 255]), Note::forget("b")];
        assert_eq!(decode(released).unwrap(), changes);
        let again = encode(Note::last_of_each(&changes).into_iter());
        assert_eq!(again, released);
    }
}
