//! The checkpoint beside the files: what to resume from, and how long each file was then.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use bytes::Bytes;
use opencdc::{Checkpoint, Error, ErrorKind, Position, Result};
use serde::{Deserialize, Serialize};

pub(super) const NAME: &str = "_spoke_checkpoint.json";

/// The shape below. A new shape gets a new number, and this one stays readable (invariant 2).
const VERSION: u32 = 1;

/// Lengths of the files, by name.
pub(super) type Lengths = BTreeMap<String, u64>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sidecar {
    version: u32,
    pub(super) pipeline: String,
    checkpoint: Option<Stored>,
    pub(super) files: Lengths,
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
        if version.version != VERSION {
            let what = format!(
                "has version {}, and this program knows {VERSION}",
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
            let mut file = File::create(&new)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            sync_directory(dir)
        };
        write().map_err(|error| storage("cannot write", &path, error))
    }

    pub(super) fn checkpoint(&self) -> Option<Checkpoint> {
        self.checkpoint.as_ref().map(|stored| Checkpoint {
            sequence: stored.sequence,
            position: Position::new(match &stored.position {
                Text::Text(text) => Bytes::from(text.clone()),
                Text::Bytes(bytes) => Bytes::from(bytes.clone()),
            }),
        })
    }

    /// The same with another checkpoint.
    pub(super) fn at(mut self, checkpoint: Option<&Checkpoint>, files: Lengths) -> Self {
        self.files = files;
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

    /// Version 1 as it was released: this text never changes.
    const RELEASED: &str = r#"{"version":1,"pipeline":"crm","checkpoint":{"sequence":7,"position":{"text":"{\"page\":7}"}},"files":{"contacts.ndjson":1234}}"#;

    #[test]
    fn version_1_stays_readable() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(NAME), RELEASED).unwrap();
        let sidecar = Sidecar::read(dir.path()).unwrap().unwrap();
        let expected = Checkpoint {
            sequence: 7,
            position: Position::new(r#"{"page":7}"#),
        };
        assert_eq!(sidecar.checkpoint(), Some(expected));
        assert_eq!(sidecar.files["contacts.ndjson"], 1234);
        assert_eq!(serde_json::to_string(&sidecar).unwrap(), RELEASED);
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = Checkpoint {
            sequence: 1,
            position: Position::new(vec![0, 255]),
        };
        let sidecar = Sidecar::new("crm").at(Some(&checkpoint), Lengths::new());
        sidecar.write(dir.path()).unwrap();
        let read = Sidecar::read(dir.path()).unwrap().unwrap();
        assert_eq!(read.checkpoint(), Some(checkpoint));
    }

    #[test]
    fn a_newer_version_and_a_foreign_file_are_refused() {
        for text in [r#"{"version":2}"#, "[]", r#"{"version":1}"#] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(NAME), text).unwrap();
            let error = Sidecar::read(dir.path()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Incompatible, "{text}");
            assert!(error.hint().is_some());
        }
    }
}
