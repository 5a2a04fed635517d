//! The checkpoint beside the files: what to resume from, how long each file was then, and where the notes are.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use bytes::Bytes;
use opencdc::{Checkpoint, Error, ErrorKind, Position, Result};
use serde::{Deserialize, Serialize};

use super::notes::Log;
use crate::private_file;

pub(super) const NAME: &str = "_spoke_checkpoint.json";

/// The shape below. A new shape gets a new number, and this one stays readable (invariant 2). Version 1 had no
/// notes.
const VERSION: u32 = 2;

/// Lengths of the files, by name.
pub(super) type Lengths = BTreeMap<String, u64>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sidecar {
    version: u32,
    pub(super) pipeline: String,
    checkpoint: Option<Stored>,
    pub(super) files: Lengths,
    #[serde(default)]
    pub(super) notes: Log,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    sequence: u64,
    position: Text,
}

/// A position as text where it is text, so that a person can read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Text {
    Text(String),
    Bytes(Vec<u8>),
}

impl Sidecar {
    /// That of a directory in which nothing was written yet.
    pub(super) fn new(pipeline: &str) -> Self {
        Self {
            version: VERSION,
            pipeline: pipeline.to_owned(),
            checkpoint: None,
            files: Lengths::new(),
            notes: Log::default(),
        }
    }

    /// The sidecar of `dir`, where there is one.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(storage("cannot read", &path, error)),
        };
        let strange = |what: &str, hint: &str| {
            let message = format!("`{}` {what}", path.display());
            Error::new(ErrorKind::Incompatible, message).with_hint(hint.to_owned())
        };
        let version: Version = serde_json::from_slice(&text).map_err(|error| {
            strange("is not a checkpoint of Spoke", "choose another `dir`").with_source(error)
        })?;
        if !(1..=VERSION).contains(&version.version) {
            let what = format!(
                "has version {}, and this program knows up to {VERSION}",
                version.version
            );
            return Err(strange(
                &what,
                "it was made by a newer version of Spoke: use that, or another `dir`",
            ));
        }
        let sidecar = serde_json::from_slice(&text).map_err(|error| {
            strange("is damaged", "move the directory away and run again from nothing").with_source(error)
        })?;
        Ok(Some(sidecar))
    }

    /// Replaces the sidecar of `dir`: after a crash the old or the new one is there, whole.
    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        let (path, new) = (dir.join(NAME), dir.join("_spoke_checkpoint.json.new"));
        let text = serde_json::to_vec(self).expect("a sidecar is always serialisable");
        let write = || -> io::Result<()> {
            let mut file = private_file::replace(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            sync_directory(dir)
        };
        write().map_err(|error| storage("cannot write", &path, error))
    }

    pub(super) fn checkpoint(&self) -> Option<Checkpoint> {
        let stored = self.checkpoint.as_ref()?;
        let position = Position::new(match &stored.position {
            Text::Text(text) => Bytes::from(text.clone()),
            Text::Bytes(bytes) => Bytes::from(bytes.clone()),
        });
        Some(Checkpoint::new(stored.sequence, position))
    }

    /// The same with another checkpoint.
    pub(super) fn at(mut self, checkpoint: Option<&Checkpoint>, files: Lengths, notes: Log) -> Self {
        self.version = VERSION;
        self.files = files;
        self.notes = notes;
        self.checkpoint = checkpoint.map(|checkpoint| Stored {
            sequence: checkpoint.sequence,
            position: match std::str::from_utf8(checkpoint.position.as_bytes()) {
                Ok(text) => Text::Text(text.to_owned()),
                Err(_) => Text::Bytes(checkpoint.position.as_bytes().to_vec()),
            },
        });
        self
    }
}

/// What every shape has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Makes new names in `dir` survive a power cut.
pub(super) fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// What the system said about a file, and what to do.
pub(super) fn storage(doing: &str, path: &Path, error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "free some space; nothing is lost, the next run resumes from the last checkpoint"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give this user the right to write the directory, or choose another `dir`"
        }
        _ => "check the disk; the next run resumes from the last checkpoint",
    };
    let message = format!("{doing} `{}`: {error}", path.display());
    Error::new(ErrorKind::Storage, message)
        .with_hint(hint)
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every version as it was released: these texts never change.
    const VERSION_1: &str = r#"{"version":1,"pipeline":"crm","checkpoint":{"sequence":7,"position":{"text":"{\"page\":7}"}},"files":{"contacts.ndjson":1234}}"#;
    const VERSION_2: &str = r#"{"version":2,"pipeline":"crm","checkpoint":{"sequence":7,"position":{"text":"{\"page\":7}"}},"files":{"contacts.ndjson":1234},"notes":{"number":3,"start":20,"length":99}}"#;

    fn released(text: &str) -> Sidecar {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), text).unwrap();
        Sidecar::read(dir.path()).unwrap().unwrap()
    }

    #[test]
    fn every_version_stays_readable() {
        for text in [VERSION_1, VERSION_2] {
            let sidecar = released(text);
            let expected = Checkpoint::new(7, Position::new(r#"{"page":7}"#));
            assert_eq!(sidecar.checkpoint(), Some(expected));
            assert_eq!(sidecar.files["contacts.ndjson"], 1234);
        }
        assert_eq!(released(VERSION_1).notes, Log::default());
    }

    #[test]
    fn the_newest_version_is_written() {
        let (old, new) = (released(VERSION_1), released(VERSION_2));
        assert_eq!(serde_json::to_string(&new).unwrap(), VERSION_2);
        let moved = old.at(new.checkpoint().as_ref(), new.files.clone(), new.notes);
        assert_eq!(moved, new);
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint::new(1, Position::new(vec![0, 255]));
        let sidecar = Sidecar::new("crm").at(Some(&checkpoint), Lengths::new(), Log::default());
        sidecar.write(dir.path()).unwrap();
        let read = Sidecar::read(dir.path()).unwrap().unwrap();
        assert_eq!(read.checkpoint(), Some(checkpoint));
    }

    #[test]
    fn a_newer_version_and_a_foreign_file_are_refused() {
        for text in [r#"{"version":3}"#, r#"{"version":0}"#, "[]", r#"{"version":1}"#] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(NAME), text).unwrap();
            let error = Sidecar::read(dir.path()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Incompatible, "{text}");
            assert!(error.hint().is_some());
        }
    }
}
