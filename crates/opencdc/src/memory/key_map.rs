//! A key map in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::{KeyMap, Mapped, Record, Result, StreamName, Waiting};

/// A key map that is gone with the process.
#[derive(Debug, Default)]
pub struct MemoryKeyMap {
    streams: Mutex<BTreeMap<StreamName, BTreeMap<String, Mapped>>>,
    parked: Mutex<Vec<Waiting>>,
}

fn is_same(a: &Record, b: &Record) -> bool {
    a.stream == b.stream && a.key == b.key
}

#[async_trait]
impl KeyMap for MemoryKeyMap {
    async fn look_up(&self, stream: &StreamName, keys: &[String]) -> Result<Vec<Option<Mapped>>> {
        let streams = lock(&self.streams);
        let known = |key| streams.get(stream).and_then(|keys| keys.get(key)).cloned();
        Ok(keys.iter().map(known).collect())
    }

    async fn store(&self, stream: &StreamName, entries: &[(String, Mapped)]) -> Result<()> {
        let mut streams = lock(&self.streams);
        let known = streams.entry(stream.clone()).or_default();
        known.extend(entries.iter().cloned());
        Ok(())
    }

    async fn forget(&self, stream: &StreamName, keys: &[String]) -> Result<()> {
        if let Some(known) = lock(&self.streams).get_mut(stream) {
            for key in keys {
                known.remove(key);
            }
        }
        Ok(())
    }

    async fn park(&self, waiting: &[Waiting]) -> Result<()> {
        let mut parked = lock(&self.parked);
        for new in waiting {
            parked.retain(|old| !is_same(&old.record, &new.record));
            parked.push(new.clone());
        }
        Ok(())
    }

    async fn waiting(&self, stream: &StreamName, keys: &[String]) -> Result<Vec<Record>> {
        let parked = lock(&self.parked);
        let waits = |one: &&Waiting| one.stream == *stream && keys.contains(&one.key);
        Ok(parked
            .iter()
            .filter(waits)
            .map(|one| one.record.clone())
            .collect())
    }

    async fn unpark(&self, records: &[Record]) -> Result<()> {
        let is_kept = |one: &Waiting| !records.iter().any(|record| is_same(record, &one.record));
        lock(&self.parked).retain(is_kept);
        Ok(())
    }

    async fn parked(&self) -> Result<u64> {
        Ok(lock(&self.parked).len() as u64)
    }
}
