//! Every contract in memory: the smallest true implementations, and the doubles of everybody's tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use serde_json::{Map, Value};

use crate::{
    Batch, BatchStream, Catalog, Checkpoint, CheckpointStore, Compared, Data, DataType, DeadLetter,
    DeadLetters, Destination, Error, ErrorKind, Field, Inbox, InboxEntry, Inspect, Note, Notes, Operation,
    Outcome, Position, Record, Result, Resume, Selection, Source, Stream, StreamName, Verdict,
};

/// A lock is only ever held for a few statements that cannot panic half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A source that yields the batches it was given.
///
/// A position that is not one of its batches' is refused, and so are notes that are not those of its batches up to
/// the position: every test that resumes this source shows that position and notes were never apart.
#[derive(Debug)]
pub struct MemorySource {
    catalog: Catalog,
    batches: Vec<Batch>,
    acked: Mutex<Vec<Position>>,
}

impl MemorySource {
    /// A source of these batches, with a catalog of streams keyed by `id`.
    pub fn new<S: Into<StreamName>>(streams: impl IntoIterator<Item = S>, batches: Vec<Batch>) -> Self {
        let id = || vec![Field::new("id", DataType::String, ["id"])];
        let streams = streams
            .into_iter()
            .map(|name| Stream::new(name, ["id"], id()))
            .collect();
        Self::with_catalog(Catalog::new(streams), batches)
    }

    /// A source of these batches and this catalog.
    pub fn with_catalog(catalog: Catalog, batches: Vec<Batch>) -> Self {
        Self {
            catalog,
            batches,
            acked: Mutex::default(),
        }
    }

    /// Every acknowledged position, in order.
    pub fn acked(&self) -> Vec<Position> {
        lock(&self.acked).clone()
    }

    fn index_after(&self, from: Option<&Resume>) -> Result<usize> {
        let Some(from) = from else { return Ok(0) };
        let strange = |what| Error::new(ErrorKind::Incompatible, what).with_hint("reset it");
        let mut notes = Notes::new();
        for (index, batch) in self.batches.iter().enumerate() {
            Note::apply(&mut notes, &batch.notes);
            if batch.position != from.position {
                continue;
            }
            return if notes == from.notes {
                Ok(index + 1)
            } else {
                Err(strange("the notes are not those of the position"))
            };
        }
        Err(strange("the position is not one of this source's"))
    }
}

#[async_trait]
impl Source for MemorySource {
    async fn catalog(&self) -> Result<Catalog> {
        Ok(self.catalog.clone())
    }

    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream> {
        for wanted in &selection.streams {
            self.catalog.stream(wanted.name.as_str()).ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    format!("there is no stream `{}`", wanted.name),
                )
            })?;
        }
        let mut batches = self.batches[self.index_after(from.as_ref())?..].to_vec();
        for batch in &mut batches {
            batch
                .records
                .retain(|record| selection.streams.iter().any(|s| s.name == record.stream));
        }
        Ok(stream::iter(batches.into_iter().map(Ok)).boxed())
    }

    async fn ack(&self, position: &Position) -> Result<()> {
        lock(&self.acked).push(position.clone());
        Ok(())
    }
}

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
struct Place {
    catalog: Catalog,
    rows: Rows,
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
        let store = TransactionalStore {
            pipeline: pipeline.into(),
            ..TransactionalStore::default()
        };
        self.transactional = Some(Arc::new(store));
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

    fn apply(&self, place: &mut Place, record: &Record) -> Result<Outcome> {
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
            }
            (_, Some(after)) => return place.merge(key, after.to_object()?.into_owned()),
        }
        Ok(Outcome::Written)
    }
}

impl Place {
    /// Keeps the newer of two versions, by the stream's version field (invariant 4).
    fn merge(&mut self, key: (StreamName, String), row: Map<String, Value>) -> Result<Outcome> {
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
        if newer {
            return Ok(Outcome::Unchanged);
        }
        self.rows.insert(key, row);
        Ok(Outcome::Written)
    }
}

/// The value that stands at `path`.
fn follow<'a>(row: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
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
            .map(|record| self.apply(&mut place, record))
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

/// A look at the rows of a [`MemoryDestination`].
struct MemoryLook {
    catalog: Catalog,
    place: Arc<Mutex<Place>>,
}

impl std::fmt::Debug for MemoryLook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryLook").finish_non_exhaustive()
    }
}

impl MemoryLook {
    fn compare_one(&self, place: &Place, record: &Record) -> Result<Compared> {
        let key = Value::Object(record.key.to_object()?.into_owned()).to_string();
        let row = place.rows.get(&(record.stream.clone(), key));
        let wanted = match (record.operation, &record.payload.after) {
            (Operation::Delete, _) | (_, None) => None,
            (_, Some(after)) => Some(after.to_object()?.into_owned()),
        };
        let verdict = match (&wanted, row) {
            (None, None) => Verdict::Same,
            (None, Some(_)) => Verdict::Extra,
            (Some(_), None) => Verdict::Missing,
            (Some(wanted), Some(row)) => self.difference(&record.stream, wanted, row),
        };
        Ok(Compared {
            verdict,
            wanted: wanted
                .as_ref()
                .map_or(0, |row| self.checksum(&record.stream, row)),
            found: row.map_or(0, |row| self.checksum(&record.stream, row)),
        })
    }

    fn fields(&self, stream: &StreamName) -> &[Field] {
        let stream = self.catalog.stream(stream.as_str());
        stream.map(|stream| &*stream.fields).unwrap_or_default()
    }

    fn difference(
        &self,
        stream: &StreamName,
        wanted: &Map<String, Value>,
        row: &Map<String, Value>,
    ) -> Verdict {
        let differs = |field: &&Field| follow(wanted, &field.path) != follow(row, &field.path);
        let fields: Vec<_> = self
            .fields(stream)
            .iter()
            .filter(differs)
            .map(|field| field.name.clone())
            .collect();
        if fields.is_empty() {
            Verdict::Same
        } else {
            Verdict::Differs { fields }
        }
    }

    fn checksum(&self, stream: &StreamName, row: &Map<String, Value>) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        for field in self.fields(stream) {
            let value = follow(row, &field.path).map(ToString::to_string);
            std::hash::Hash::hash(&(&field.name, value), &mut hasher);
        }
        std::hash::Hasher::finish(&hasher)
    }
}

#[async_trait]
impl Inspect for MemoryLook {
    async fn compare(&self, records: &[Record]) -> Result<Vec<Compared>> {
        let place = lock(&self.place);
        records
            .iter()
            .map(|record| self.compare_one(&place, record))
            .collect()
    }

    async fn keys(&self, stream: &StreamName, after: Option<&Data>, limit: usize) -> Result<Vec<Data>> {
        let place = lock(&self.place);
        let after = match after {
            Some(key) => Some(Value::Object(key.to_object()?.into_owned()).to_string()),
            None => None,
        };
        let of_stream = place.rows.keys().filter(|(name, _)| name == stream);
        let behind = of_stream.filter(|(_, key)| after.as_ref().is_none_or(|after| key > after));
        Ok(behind
            .take(limit)
            .map(|(_, key)| Data::Raw(key.clone().into_bytes().into()))
            .collect())
    }
}

/// The checkpoint that [`MemoryDestination`] keeps beside its rows.
#[derive(Debug, Default)]
struct TransactionalStore {
    pipeline: String,
    store: MemoryStore,
    held: Mutex<Held>,
}

/// What was written without its checkpoint (promises 8 and 9 of [`Destination`]).
#[derive(Debug, Default)]
struct Held {
    /// The sequence of the last batch with a refused record whose checkpoint has not been saved yet.
    by: Option<u64>,
    /// The notes of the batches whose checkpoint was held back, with their sequences.
    notes: Vec<(u64, Vec<Note>)>,
}

impl TransactionalStore {
    fn written_with_rows(&self, outcomes: &[Outcome], checkpoint: Checkpoint) -> Result<()> {
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
    fn prepare(&self) {
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
    fn replace(&self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{checkpoints, dead_letters, destination, inbox, source};

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
}
