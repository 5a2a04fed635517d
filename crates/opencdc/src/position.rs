//! Where to resume.

use std::fmt;

use bytes::Bytes;

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

/// A position saved durably, with its place in the order of saves.
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
}
