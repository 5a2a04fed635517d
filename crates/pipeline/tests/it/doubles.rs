//! Sources, destinations and stores that note every call, and fail where they are told to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use opencdc::memory::{MemoryDestination, MemorySource, MemoryStore};
use opencdc::{
    Batch, BatchStream, Catalog, Checkpoint, CheckpointStore, DeadLetter, DeadLetters, Destination, Error,
    Note, Notes, Outcome, Position, Record, Result, Resume, Selection, Source,
};
use pipeline::{Event, Observer, Pipeline, RunOptions};
use tokio::sync::Notify;

/// What was called, in order: `write 1`, `letters 1`, `save 1`, `ack 1`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn note(&self, call: impl Into<String>) {
        self.lock().push(call.into());
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// The calls of these kinds.
    pub(crate) fn only(&self, kinds: &[&str]) -> Vec<String> {
        let wanted = |call: &String| kinds.iter().any(|kind| call.starts_with(kind));
        self.calls().into_iter().filter(wanted).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap()
    }
}

impl Observer for Log {
    fn event(&self, event: &Event<'_>) {
        self.note(match event {
            Event::Started { resumed, .. } => format!("started resumed={resumed}"),
            Event::CatalogChanged { .. } => "catalog".to_owned(),
            Event::Retrying { error, wait, attempt } => format!("retry {attempt} in {wait:?}: {error}"),
            Event::Finished(summary) => format!("finished {:?}", summary.ended),
            _ => return,
        });
    }
}

/// A batch of one contact `n` whose position is `n`. Its notes change so that no two positions have the same: a
/// [`MemorySource`] refuses to resume with any but those.
pub(crate) fn batch(n: u64) -> Batch {
    let id = format!(r#"{{"id":"{n}"}}"#);
    let record = Record::snapshot("contacts", id.as_bytes(), id.as_bytes());
    let mut batch = Batch::new(vec![record], Position::new(n.to_string()));
    batch.notes = vec![
        Note::remember("contacts/last", n.to_string()),
        Note::remember(format!("contacts/{n}"), "x"),
        Note::forget(format!("contacts/{}", n.saturating_sub(3))),
    ];
    batch
}

/// The error that comes instead of the item after so many batches, once.
type Break = Arc<Mutex<Option<(usize, Error)>>>;

/// A [`MemorySource`] that notes acks, may break off, and may stay open at the end.
#[derive(Debug)]
pub(crate) struct ScriptedSource {
    inner: MemorySource,
    log: Log,
    breaks: Mutex<Vec<Break>>,
    stays_open: bool,
}

impl ScriptedSource {
    pub(crate) fn new(log: &Log, batches: Vec<Batch>) -> Self {
        Self {
            inner: MemorySource::new(["contacts"], batches),
            log: log.clone(),
            breaks: Mutex::default(),
            stays_open: false,
        }
    }

    /// The next read breaks off with `error` after `batches`; the one after it with the next such script.
    pub(crate) fn breaking_after(self, batches: usize, error: Error) -> Self {
        let script = Arc::new(Mutex::new(Some((batches, error))));
        self.breaks.lock().unwrap().push(script);
        self
    }

    pub(crate) fn staying_open(mut self) -> Self {
        self.stays_open = true;
        self
    }
}

#[async_trait]
impl Source for ScriptedSource {
    async fn catalog(&self) -> Result<Catalog> {
        self.inner.catalog().await
    }

    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream> {
        let at = from
            .as_ref()
            .map(|at| String::from_utf8_lossy(at.position.as_bytes()).into_owned());
        self.log
            .note(format!("read {}", at.as_deref().unwrap_or("start")));
        let batches = self.inner.read(selection, from).await?;
        let mut scripts = self.breaks.lock().unwrap();
        if !scripts.is_empty() {
            let (after, error) = scripts.remove(0).lock().unwrap().take().unwrap();
            return Ok(batches.take(after).chain(stream::iter([Err(error)])).boxed());
        }
        Ok(if self.stays_open {
            batches.chain(stream::pending()).boxed()
        } else {
            batches
        })
    }

    async fn ack(&self, position: &Position) -> Result<()> {
        self.log
            .note(format!("ack {}", String::from_utf8_lossy(position.as_bytes())));
        self.inner.ack(position).await
    }
}

/// A [`MemoryDestination`] whose writes of chosen sequences are held back, fail, or miscount.
#[derive(Debug)]
pub(crate) struct ScriptedDestination {
    pub(crate) inner: MemoryDestination,
    log: Log,
    held: Mutex<BTreeMap<u64, Arc<Notify>>>,
    failing: Mutex<Vec<(u64, Error)>>,
    miscounts: bool,
    holds_saves: AtomicBool,
}

impl ScriptedDestination {
    pub(crate) fn new(log: &Log, inner: MemoryDestination) -> Self {
        Self {
            inner,
            log: log.clone(),
            held: Mutex::default(),
            failing: Mutex::default(),
            miscounts: false,
            holds_saves: AtomicBool::new(false),
        }
    }

    /// The write of `sequence` does not answer before the handle is notified.
    pub(crate) fn hold(&self, sequence: u64) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        self.held.lock().unwrap().insert(sequence, Arc::clone(&notify));
        notify
    }

    /// The next write of `sequence` fails.
    pub(crate) fn fail(&self, sequence: u64, error: Error) {
        self.failing.lock().unwrap().push((sequence, error));
    }

    /// Saves never return from now on.
    pub(crate) fn hold_saves(&self) {
        self.holds_saves.store(true, Ordering::Relaxed);
    }

    pub(crate) fn miscounting(mut self) -> Self {
        self.miscounts = true;
        self
    }
}

#[async_trait]
impl Destination for ScriptedDestination {
    async fn prepare(&self, catalog: &Catalog) -> Result<()> {
        let names: Vec<_> = catalog
            .streams
            .iter()
            .map(|stream| stream.fields.len().to_string())
            .collect();
        self.log.note(format!("prepare {}", names.join(",")));
        self.inner.prepare(catalog).await
    }

    async fn write(&self, batch: Arc<Batch>, checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
        let sequence = checkpoint.sequence;
        self.log.note(format!("begin {sequence}"));
        let held = self.held.lock().unwrap().get(&sequence).cloned();
        if let Some(held) = held {
            held.notified().await;
        }
        let failure = self
            .failing
            .lock()
            .unwrap()
            .extract_if(.., |(at, _)| *at == sequence)
            .next();
        if let Some((_, error)) = failure {
            self.log.note(format!("failed {sequence}"));
            return Err(error);
        }
        let mut outcomes = self.inner.write(batch, checkpoint).await?;
        self.log.note(format!("write {sequence}"));
        if self.miscounts {
            outcomes.pop();
        }
        Ok(outcomes)
    }

    fn checkpoints(&self) -> Option<Arc<dyn CheckpointStore>> {
        let inner = self.inner.checkpoints()?;
        let log = self.log.clone();
        let hangs = self.holds_saves.load(Ordering::Relaxed);
        Some(Arc::new(LoggedStore { inner, log, hangs }))
    }

    async fn close(&self) -> Result<()> {
        self.log.note("close");
        Ok(())
    }
}

/// Notes saves.
#[derive(Debug)]
struct LoggedStore {
    inner: Arc<dyn CheckpointStore>,
    log: Log,
    hangs: bool,
}

#[async_trait]
impl CheckpointStore for LoggedStore {
    async fn load(&self, pipeline: &str) -> Result<Option<Checkpoint>> {
        self.inner.load(pipeline).await
    }

    async fn notes(&self, pipeline: &str) -> Result<Notes> {
        self.inner.notes(pipeline).await
    }

    async fn save(&self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        self.inner.save(pipeline, checkpoint).await?;
        self.log.note(format!("save {}", checkpoint.sequence));
        Ok(())
    }

    async fn reset(&self, pipeline: &str) -> Result<()> {
        self.inner.reset(pipeline).await
    }
}

/// Notes dead letters, and may fail the first time.
#[derive(Debug)]
pub(crate) struct LoggedLetters {
    pub(crate) inner: MemoryStore,
    log: Log,
    failing: Mutex<Option<Error>>,
    held: Option<Arc<Notify>>,
}

impl LoggedLetters {
    pub(crate) fn new(log: &Log, failing: Option<Error>) -> Self {
        Self {
            inner: MemoryStore::default(),
            log: log.clone(),
            failing: Mutex::new(failing),
            held: None,
        }
    }

    /// A put that fails does so only once the handle is notified.
    pub(crate) fn hold(&mut self) -> Arc<Notify> {
        Arc::clone(self.held.get_or_insert_default())
    }
}

#[async_trait]
impl DeadLetters for LoggedLetters {
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<()> {
        let failing = self.failing.lock().unwrap().take();
        if let Some(error) = failing {
            self.log.note("putting letters");
            if let Some(held) = &self.held {
                held.notified().await;
            }
            return Err(error);
        }
        self.log.note(format!("letters {}", letters.len()));
        self.inner.put(letters).await
    }

    async fn list(&self, pipeline: &str, after: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>> {
        self.inner.list(pipeline, after, limit).await
    }

    async fn take(&self, ids: &[u64]) -> Result<Vec<DeadLetter>> {
        self.log.note(format!("take {}", ids.len()));
        self.inner.take(ids).await
    }
}

/// A pipeline `p` of doubles.
pub(crate) fn pipeline(
    log: &Log,
    source: ScriptedSource,
    destination: &Arc<ScriptedDestination>,
) -> Pipeline {
    let inner: Arc<dyn CheckpointStore> = Arc::new(MemoryStore::default());
    Pipeline {
        name: "p".to_owned(),
        source: Arc::new(source),
        destination: Arc::clone(destination) as Arc<dyn Destination>,
        checkpoints: Arc::new(LoggedStore {
            inner,
            log: log.clone(),
            hangs: false,
        }),
        dead_letters: Arc::new(LoggedLetters::new(log, None)),
        selection: None,
        options: RunOptions::default(),
    }
}
