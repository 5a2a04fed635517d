//! A destination of rows in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::inspect::MemoryLook;
use super::lock;
use super::transactional::TransactionalStore;
use crate::{
    Batch, Catalog, Checkpoint, CheckpointStore, Destination, Error, ErrorKind, Inspect, Operation, Outcome,
    Record, Result, StreamName, metadata_keys,
};

/// Decides whether a record is refused, and why.
type Refuse = Box<dyn Fn(&Record) -> Option<String> + Send + Sync>;

/// Rows by stream and key (as JSON text).
type Rows = BTreeMap<(StreamName, String), Map<String, Value>>;

/// A destination that merges rows by key; optionally transactional, optionally refusing records.
///
/// The rows and checkpoints live in a shared place: a clone of the handle is another opening of the same
/// place.
#[derive(Clone, Default)]
pub struct MemoryDestination {
    place: Arc<Mutex<Place>>,
    refuse: Option<Arc<Refuse>>,
    transactional: Option<Arc<TransactionalStore>>,
}

#[derive(Default)]
pub(super) struct Place {
    catalog: Catalog,
    pub(super) rows: Rows,
}

impl std::fmt::Debug for MemoryDestination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryDestination")
            .field("rows", &lock(&self.place).rows.len())
            .finish_non_exhaustive()
    }
}

impl MemoryDestination {
    /// The same destination, keeping checkpoints of `pipeline` with its rows.
    #[must_use]
    pub fn transactional(mut self, pipeline: impl Into<String>) -> Self {
        self.transactional = Some(Arc::new(TransactionalStore::new(pipeline.into())));
        self
    }

    /// The same destination, refusing records for which `refuse` gives a reason.
    #[must_use]
    pub fn refusing(mut self, refuse: impl Fn(&Record) -> Option<String> + Send + Sync + 'static) -> Self {
        self.refuse = Some(Arc::new(Box::new(refuse)));
        self
    }

    /// The rows of `stream`, as the payloads that were last written, in order of their keys.
    pub fn rows(&self, stream: &str) -> Vec<Map<String, Value>> {
        let place = lock(&self.place);
        let of_stream = place.rows.iter().filter(|((name, _), _)| name.as_str() == stream);
        of_stream.map(|(_, row)| row.clone()).collect()
    }

    fn apply(&self, place: &mut Place, record: &Record, current: bool) -> Result<Outcome> {
        if let Some(reason) = self.refuse.as_ref().and_then(|refuse| refuse(record)) {
            return Ok(Outcome::rejected(reason));
        }
        let key = (
            record.stream.clone(),
            Value::Object(record.key.to_object()?.into_owned()).to_string(),
        );
        match (record.operation, &record.payload.after) {
            (Operation::Delete, _) | (_, None) => {
                place.rows.remove(&key);
                place.forget(record)?;
            }
            (_, Some(after)) => return place.merge(key, after.to_object()?.into_owned(), current),
        }
        Ok(Outcome::Written)
    }
}

impl Place {
    /// Removes all rows about a record that was erased, see [`Stream::of`](crate::Stream::of).
    fn forget(&mut self, record: &Record) -> Result<()> {
        let Some(stream) = self.catalog.stream(record.stream.as_str()) else {
            return Ok(());
        };
        let is_purged = record.metadata.get(metadata_keys::DELETE_REASON) == Some("purged");
        if is_purged && stream.of.is_some() {
            let (name, key) = (&stream.key[0], record.key.to_object()?);
            let is_about = |row: &Map<String, Value>| row.get(name) == key.get(name);
            self.rows
                .retain(|(of, _), row| *of != record.stream || !is_about(row));
        }
        Ok(())
    }

    /// Keeps the newer of two versions, by the stream's version field (invariant 4), unless the row is `current`.
    fn merge(
        &mut self,
        key: (StreamName, String),
        row: Map<String, Value>,
        current: bool,
    ) -> Result<Outcome> {
        let stream = self.catalog.stream(key.0.as_str()).ok_or_else(|| {
            Error::new(
                ErrorKind::Internal,
                format!("stream `{}` was not prepared", key.0),
            )
        })?;
        let version = stream.version.as_deref().and_then(|name| stream.field(name));
        let newer = version.is_some_and(|field| {
            let at = |row: &Map<String, Value>| follow(row, &field.path).map(ToString::to_string);
            self.rows.get(&key).is_some_and(|old| at(old) > at(&row))
        });
        if newer && !current {
            return Ok(Outcome::Unchanged);
        }
        self.rows.insert(key, row);
        Ok(Outcome::Written)
    }
}

/// The value that stands at `path`.
pub(super) fn follow<'a>(row: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(row.get(first)?, |value, key| value.get(key))
}

#[async_trait]
impl Destination for MemoryDestination {
    async fn prepare(&self, catalog: &Catalog) -> Result<()> {
        lock(&self.place).catalog = catalog.clone();
        if let Some(store) = &self.transactional {
            store.prepare();
        }
        Ok(())
    }

    async fn write(&self, batch: Arc<Batch>, checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
        let mut place = lock(&self.place);
        let outcomes: Vec<_> = batch
            .records
            .iter()
            .map(|record| self.apply(&mut place, record, batch.current))
            .collect::<Result<_>>()?;
        if let Some(store) = &self.transactional {
            store.written_with_rows(&outcomes, checkpoint)?;
        }
        Ok(outcomes)
    }

    fn checkpoints(&self) -> Option<Arc<dyn CheckpointStore>> {
        let store = self.transactional.as_ref()?;
        Some(Arc::clone(store) as Arc<dyn CheckpointStore>)
    }

    async fn inspect(&self, catalog: &Catalog) -> Result<Arc<dyn Inspect>> {
        Ok(Arc::new(MemoryLook {
            catalog: catalog.clone(),
            place: Arc::clone(&self.place),
        }))
    }
}
