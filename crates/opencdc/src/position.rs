//! Where to resume.

use std::fmt;

use bytes::Bytes;

use crate::{Error, ErrorKind, Note, Result};

/// Where a source resumes: the point just *after* the batch that carried it.
///
/// Opaque outside the source that made it: a caller stores it and hands it back, byte for byte. Two
/// positions can be told equal; which one is later **cannot** be concluded from their bytes, that is what
/// [`Checkpoint::sequence`] is for. A position never holds a secret (invariant 7).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Position(Bytes);

impl Position {
    /// A position of these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({})", String::from_utf8_lossy(&self.0))
    }
}

/// A position saved durably, with its place in the order of saves, and the notes that come into force with it.
///
/// The run loop numbers the batches of a pipeline from 1, across restarts; a store refuses a number that is
/// not greater than the stored one, so a position can only move forward, also when two processes run the same
/// pipeline by mistake (invariant 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Greater for every later save of the same pipeline.
    pub sequence: u64,
    /// Where to resume.
    pub position: Position,
    /// What the source remembers otherwise than at the checkpoint saved before this one: changes in order, a
    /// later one of a key in the place of an earlier one. A checkpoint that was loaded has none here; what is in
    /// force is asked for with [`CheckpointStore::notes`](crate::CheckpointStore::notes).
    pub notes: Vec<Note>,
}

impl Checkpoint {
    /// A checkpoint that changes no note.
    pub fn new(sequence: u64, position: Position) -> Self {
        Self {
            sequence,
            position,
            notes: Vec::new(),
        }
    }

    /// The same in the place of earlier ones that are not saved, whose notes are `earlier`.
    #[must_use]
    pub fn covering(mut self, mut earlier: Vec<Note>) -> Self {
        earlier.append(&mut self.notes);
        self.notes = earlier;
        self
    }

    /// The rule of [`CheckpointStore::save`](crate::CheckpointStore::save), for stores: whether this replaces
    /// `stored`, or is the stored one again and leaves everything as it is.
    ///
    /// # Errors
    /// [`Conflict`](ErrorKind::Conflict) when `stored` is further, or another one of the same sequence.
    pub fn replaces(&self, pipeline: &str, stored: Option<&Self>) -> Result<bool> {
        match stored {
            Some(stored) if self.sequence <= stored.sequence => {
                let same = (self.sequence, &self.position) == (stored.sequence, &stored.position);
                if same {
                    Ok(false)
                } else {
                    Err(self.conflict(pipeline, stored))
                }
            }
            _ => Ok(true),
        }
    }

    fn conflict(&self, pipeline: &str, stored: &Self) -> Error {
        let message = format!(
            "the checkpoint of pipeline `{pipeline}` is at {}, so {} cannot be saved",
            stored.sequence, self.sequence
        );
        Error::new(ErrorKind::Conflict, message)
            .with_hint("another process runs the same pipeline; stop one of them")
    }
}
