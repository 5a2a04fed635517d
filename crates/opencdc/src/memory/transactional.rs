//! Checkpoints in the transaction of the rows.

use std::sync::Mutex;

use async_trait::async_trait;

use super::{MemoryStore, lock};
use crate::{Checkpoint, CheckpointStore, Note, Notes, Outcome, Result};

/// The checkpoint that [`MemoryDestination`](super::MemoryDestination) keeps beside its rows.
#[derive(Debug, Default)]
pub(super) struct TransactionalStore {
    pipeline: String,
    store: MemoryStore,
    held: Mutex<Held>,
}

/// What was written without its checkpoint (promises 8 and 9 of [`Destination`](crate::Destination)).
#[derive(Debug, Default)]
struct Held {
    /// The sequence of the last batch with a refused record whose checkpoint has not been saved yet.
    by: Option<u64>,
    /// The notes of the batches whose checkpoint was held back, with their sequences.
    notes: Vec<(u64, Vec<Note>)>,
}

impl TransactionalStore {
    pub(super) fn new(pipeline: String) -> Self {
        Self {
            pipeline,
            ..Self::default()
        }
    }

    pub(super) fn written_with_rows(&self, outcomes: &[Outcome], checkpoint: Checkpoint) -> Result<()> {
        let mut held = lock(&self.held);
        let refused = |outcome: &Outcome| matches!(outcome, Outcome::Rejected(_));
        if outcomes.iter().any(refused) {
            held.by = Some(checkpoint.sequence);
        }
        if held.by.is_some() {
            held.notes.push((checkpoint.sequence, checkpoint.notes));
            return Ok(());
        }
        let earlier = held.notes.drain(..).flat_map(|(_, notes)| notes).collect();
        self.store.replace(&self.pipeline, &checkpoint.covering(earlier))
    }

    /// What was held back before `prepare` will be read again.
    pub(super) fn prepare(&self) {
        *lock(&self.held) = Held::default();
    }
}

#[async_trait]
impl CheckpointStore for TransactionalStore {
    async fn load(&self, pipeline: &str) -> Result<Option<Checkpoint>> {
        self.store.load(pipeline).await
    }

    async fn notes(&self, pipeline: &str) -> Result<Notes> {
        self.store.notes(pipeline).await
    }

    async fn save(&self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        let mut held = lock(&self.held);
        self.store.replace(pipeline, checkpoint)?;
        held.by.take_if(|sequence| *sequence <= checkpoint.sequence);
        held.notes.retain(|(sequence, _)| *sequence > checkpoint.sequence);
        Ok(())
    }

    async fn reset(&self, pipeline: &str) -> Result<()> {
        self.store.reset(pipeline).await
    }
}
