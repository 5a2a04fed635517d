//! A key map in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::{KeyMap, Mapped, Result, StreamName};

/// A key map that is gone with the process.
#[derive(Debug, Default)]
pub struct MemoryKeyMap {
    streams: Mutex<BTreeMap<StreamName, BTreeMap<String, Mapped>>>,
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
}
