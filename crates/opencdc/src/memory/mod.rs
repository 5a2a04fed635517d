//! Every contract in memory: the smallest true implementations, and the doubles of everybody's tests.

mod destination;
mod inspect;
mod key_map;
mod source;
mod store;
mod transactional;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use destination::MemoryDestination;
pub use key_map::MemoryKeyMap;
pub use source::MemorySource;
pub use store::MemoryStore;

/// A lock is only ever held for a few statements that cannot panic half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use serde_json::{Map, Value};

    use super::*;
    use crate::conformance::{checkpoints, dead_letters, destination, inbox, key_map, source};
    use crate::{Batch, CheckpointStore, DeadLetters, Destination, Inbox, KeyMap, Note, Position, Record};

    struct Memory {
        destination: MemoryDestination,
    }

    impl Memory {
        fn new() -> Self {
            let refuse = |record: &Record| {
                let key = record.key.to_object().ok()?;
                (key["id"] == "refused").then(|| "`id` is `refused`".to_owned())
            };
            let destination = MemoryDestination::default()
                .transactional(destination::PIPELINE)
                .refusing(refuse);
            Self { destination }
        }
    }

    #[async_trait]
    impl destination::Subject for Memory {
        async fn open(&self) -> Arc<dyn Destination> {
            Arc::new(self.destination.clone())
        }

        async fn rows(&self, stream: &str) -> Vec<Map<String, Value>> {
            self.destination
                .rows(stream)
                .iter()
                .map(destination::fields_of)
                .collect()
        }

        fn refused(&self) -> Option<Record> {
            Some(destination::contact("refused", "x@example.com", 1))
        }
    }

    #[tokio::test]
    async fn the_memory_destination_keeps_every_promise() {
        destination::all(Memory::new).await;
    }

    #[tokio::test]
    async fn the_memory_source_keeps_every_promise() {
        let batches = (1..=4).map(|n| {
            let id = format!(r#"{{"id":"{n}"}}"#);
            let record = Record::snapshot("contacts", id.as_bytes(), id.as_bytes());
            let mut batch = Batch::new(vec![record], Position::new(n.to_string()));
            batch.notes = vec![
                Note::remember(format!("contacts/{n}"), id),
                Note::forget("contacts/1"),
            ];
            batch
        });
        source::all(&MemorySource::new(["contacts", "deals"], batches.collect())).await;
    }

    #[tokio::test]
    async fn the_memory_store_keeps_every_promise() {
        let store = || Arc::new(MemoryStore::default());
        checkpoints::all(|| {
            let store = store();
            move || Arc::clone(&store) as Arc<dyn CheckpointStore>
        })
        .await;
        dead_letters::all(|| {
            let store = store();
            move || Arc::clone(&store) as Arc<dyn DeadLetters>
        })
        .await;
        inbox::all(|| {
            let store = store();
            move || Arc::clone(&store) as Arc<dyn Inbox>
        })
        .await;
    }

    #[tokio::test]
    async fn the_memory_key_map_keeps_every_promise() {
        key_map::all(|| {
            let map = Arc::new(MemoryKeyMap::default());
            move || Arc::clone(&map) as Arc<dyn KeyMap>
        })
        .await;
    }
}
