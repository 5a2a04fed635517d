//! Checkpoints, dead letters and an inbox in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::{Checkpoint, CheckpointStore, DeadLetter, DeadLetters, Inbox, InboxEntry, Note, Notes, Result};

/// Checkpoints, dead letters and an inbox that are gone with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    checkpoints: Mutex<BTreeMap<String, (Checkpoint, Notes)>>,
    letters: Mutex<Numbered<DeadLetter>>,
    inbox: Mutex<Numbered<InboxEntry>>,
}

#[derive(Debug)]
struct Numbered<T> {
    last: u64,
    items: BTreeMap<u64, T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            last: 0,
            items: BTreeMap::new(),
        }
    }
}

impl<T: Clone> Numbered<T> {
    fn push(&mut self, item: T) {
        self.last += 1;
        self.items.insert(self.last, item);
    }

    fn after(&self, after: u64) -> impl Iterator<Item = (u64, T)> {
        self.items
            .range(after + 1..)
            .map(|(id, item)| (*id, item.clone()))
    }
}

impl MemoryStore {
    pub(super) fn replace(&self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        let mut checkpoints = lock(&self.checkpoints);
        let stored = checkpoints.get(pipeline).map(|(stored, _)| stored);
        if !checkpoint.replaces(pipeline, stored)? {
            return Ok(());
        }
        let next = Checkpoint::new(checkpoint.sequence, checkpoint.position.clone());
        let (stored, notes) = checkpoints
            .entry(pipeline.to_owned())
            .or_insert_with(|| (next.clone(), Notes::new()));
        *stored = next;
        Note::apply(notes, &checkpoint.notes);
        Ok(())
    }
}

#[async_trait]
impl CheckpointStore for MemoryStore {
    async fn load(&self, pipeline: &str) -> Result<Option<Checkpoint>> {
        let checkpoints = lock(&self.checkpoints);
        Ok(checkpoints
            .get(pipeline)
            .map(|(checkpoint, _)| checkpoint.clone()))
    }

    async fn notes(&self, pipeline: &str) -> Result<Notes> {
        let checkpoints = lock(&self.checkpoints);
        let found = checkpoints.get(pipeline).map(|(_, notes)| notes.clone());
        Ok(found.unwrap_or_default())
    }

    async fn save(&self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.replace(pipeline, checkpoint)
    }

    async fn reset(&self, pipeline: &str) -> Result<()> {
        lock(&self.checkpoints).remove(pipeline);
        Ok(())
    }
}

#[async_trait]
impl DeadLetters for MemoryStore {
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<()> {
        let mut stored = lock(&self.letters);
        for letter in letters {
            stored.items.retain(|_, old| !same_record(old, &letter));
            stored.push(letter);
        }
        Ok(())
    }

    async fn list(&self, pipeline: &str, after: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>> {
        let stored = lock(&self.letters);
        Ok(stored
            .after(after)
            .filter(|(_, letter)| letter.pipeline == pipeline)
            .take(limit)
            .collect())
    }

    async fn take(&self, ids: &[u64]) -> Result<Vec<DeadLetter>> {
        let mut stored = lock(&self.letters);
        Ok(ids.iter().filter_map(|id| stored.items.remove(id)).collect())
    }
}

fn same_record(a: &DeadLetter, b: &DeadLetter) -> bool {
    a.pipeline == b.pipeline && a.record.stream == b.record.stream && a.record.key == b.record.key
}

#[async_trait]
impl Inbox for MemoryStore {
    async fn append(&self, entries: Vec<InboxEntry>) -> Result<u64> {
        let mut inbox = lock(&self.inbox);
        for entry in entries {
            if !inbox.items.values().any(|old| old.key == entry.key) {
                inbox.push(entry);
            }
        }
        Ok(inbox.last)
    }

    async fn read_after(&self, after: u64, limit: usize) -> Result<Vec<(u64, InboxEntry)>> {
        Ok(lock(&self.inbox).after(after).take(limit).collect())
    }
}
