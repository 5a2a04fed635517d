//! One process at a time reads a pipeline: a lock that the system gives up when its holder dies, whatever it
//! died of.
//!
//! The checkpoint's number stops two processes from overwriting each other (invariant 2); the lease keeps the
//! second from starting at all, and says who the first one is. It lies beside the state file, one file a
//! pipeline, and stays there: to remove it would let two processes lock two files of one name.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use pipeline::private_file;
use serde::{Deserialize, Serialize};

use crate::exit::{Failure, Outcome};

/// `spoke status` holds the lock for an instant to see whether it is free; whoever wants it looks again.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The right to read a pipeline, until dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    _locked: File,
}

/// Who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    pub(crate) since: Timestamp,
}

impl Lease {
    /// Takes the lease of `pipeline`, whose state is in the file `state`.
    pub(crate) fn take(state: &Path, pipeline: &str) -> Outcome<Self> {
        let path = file_of(state, pipeline);
        let taken = open_to_write(&path).and_then(|mut file| {
            if !try_lock(&file)? {
                return Ok(Err(taken_already(pipeline, holder(&mut file).as_ref())));
            }
            write_holder(&mut file)?;
            Ok(Ok(Self { _locked: file }))
        });
        taken.map_err(|error| {
            let hint = match private_file::is_too_many_open(&error) {
                true => private_file::OPEN_FILES_HINT,
                false => "check the rights to the state file's directory, or set `state` to another one",
            };
            Failure::failed(format!("cannot lock `{}`", path.display()))
                .because(&error)
                .hint(hint)
        })?
    }

    /// Who reads `pipeline` right now.
    pub(crate) fn holder(state: &Path, pipeline: &str) -> Option<Holder> {
        let mut file = File::open(file_of(state, pipeline)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => holder(&mut file),
            // Free; it is let go of with the file. Or nothing is known about it, and then nothing is said.
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

fn open_to_write(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(private_file::MODE)
        .open(path)
}

/// Whether it is ours now.
fn try_lock(file: &File) -> io::Result<bool> {
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_LOOKS),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

fn write_holder(file: &mut File) -> io::Result<()> {
    let holder = Holder {
        pid: std::process::id(),
        since: Timestamp::now(),
    };
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(&holder)?)
}

/// `None` in the moment between the locking and the writing.
fn holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn taken_already(pipeline: &str, holder: Option<&Holder>) -> Failure {
    let (who, way_out) = match holder {
        Some(Holder { pid, since }) => (
            format!("by process {pid}, since {since:.0}"),
            format!("wait until it has ended, or stop it with `kill {pid}`"),
        ),
        None => (
            "by another process".to_owned(),
            "wait until it has ended".to_owned(),
        ),
    };
    Failure::failed(format!("pipeline `{pipeline}` is run already, {who}"))
        .hint(format!("{way_out}; `spoke status` shows what it does"))
}

/// `state.db.crm.lock`. What is no letter, digit, `_` or `-` in the name is written as `%XX`.
fn file_of(state: &Path, pipeline: &str) -> PathBuf {
    let mut name = state.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    for byte in pipeline.bytes() {
        let mut escaped = String::new();
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => escaped.push(char::from(byte)),
            _ => write!(escaped, "%{byte:02X}").expect("writing to a string never fails"),
        }
        name.push(escaped);
    }
    name.push(".lock");
    state.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_there_for_one_until_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state.db");
        assert_eq!(Lease::holder(&state, "crm"), None);
        let lease = Lease::take(&state, "crm").unwrap();
        assert_eq!(Lease::holder(&state, "crm").unwrap().pid, std::process::id());
        assert!(Lease::take(&state, "crm").is_err());
        Lease::take(&state, "other").unwrap();
        drop(lease);
        assert_eq!(Lease::holder(&state, "crm"), None);
        Lease::take(&state, "crm").unwrap();
    }

    #[test]
    fn the_file_lies_beside_the_state_whatever_the_pipeline_is_called() {
        let file = |name| file_of(Path::new("a/state.db"), name).display().to_string();
        assert_eq!(file("crm-1"), "a/state.db.crm-1.lock");
        assert_eq!(file("../x"), "a/state.db.%2E%2E%2Fx.lock");
    }
}
