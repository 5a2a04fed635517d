//! What must survive a crash besides the rows: checkpoints, dead letters, the inbox.

use std::fmt::Debug;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Checkpoint, Notes, Record, Result};

/// Keeps the checkpoint of each pipeline, and the notes that are in force at it.
#[async_trait]
pub trait CheckpointStore: Send + Sync + Debug {
    /// The last checkpoint of `pipeline`, without notes.
    async fn load(&self, pipeline: &str) -> Result<Option<Checkpoint>>;

    /// Every note of `pipeline` that is in force at its last checkpoint.
    async fn notes(&self, pipeline: &str) -> Result<Notes>;

    /// Replaces the checkpoint of `pipeline`, and brings its notes into force, in order: when this answers, a
    /// crash no longer loses either. The old checkpoint with the old notes or the new one with the new ones is
    /// there, whatever happens (invariant 2).
    ///
    /// Saving the stored checkpoint again is fine and changes nothing: its notes are in force already.
    ///
    /// # Errors
    /// [`Conflict`](crate::ErrorKind::Conflict) when the stored sequence is greater, or equal with another
    /// position: somebody else has moved on.
    async fn save(&self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()>;

    /// Forgets the checkpoint of `pipeline` and its notes, at once: its next run starts from nothing.
    async fn reset(&self, pipeline: &str) -> Result<()>;
}

/// A record refused for good, with the reason.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// The pipeline that it belongs to.
    pub pipeline: String,
    /// The record, whole.
    pub record: Record,
    /// Why the destination refused it.
    pub reason: String,
    /// When it was refused.
    pub at: SystemTime,
}

/// Keeps the records that were refused, until a person has mended them.
#[async_trait]
pub trait DeadLetters: Send + Sync + Debug {
    /// Adds letters: when this answers, a crash no longer loses them. All are there, or none.
    ///
    /// The same record refused again (same pipeline, stream, key) replaces the earlier letter, so that a
    /// repeated batch does not pile up copies.
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<()>;

    /// At most `limit` letters of `pipeline` with an id greater than `after`, oldest first, with their ids.
    async fn list(&self, pipeline: &str, after: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>>;

    /// Takes letters out and gives them back. Ids that are not there are passed over.
    async fn take(&self, ids: &[u64]) -> Result<Vec<DeadLetter>>;
}

/// One thing that came from outside, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEntry {
    /// Tells a repeated delivery from a new one.
    pub key: String,
    /// The bytes as received.
    pub body: Bytes,
}

/// Keeps what was received from outside until it is handled.
#[async_trait]
pub trait Inbox: Send + Sync + Debug {
    /// Appends entries and answers when they are on disk, with the id of the last one. An entry whose key
    /// is already there is passed over. All are there, or none.
    async fn append(&self, entries: Vec<InboxEntry>) -> Result<u64>;

    /// At most `limit` entries with an id greater than `after`, in order of arrival.
    async fn read_after(&self, after: u64, limit: usize) -> Result<Vec<(u64, InboxEntry)>>;
}
