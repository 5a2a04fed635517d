//! A source, a destination and stores that keep their contracts and are unkind within them: they are slow, fail before or
//! after the deed, answer out of order, and go on with what was dropped. Each checks what the run loop promises.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use opencdc::conformance::source::resume_after;
use opencdc::memory::{MemoryDestination, MemorySource, MemoryStore};
use opencdc::{
    Batch, BatchStream, Catalog, Checkpoint, CheckpointStore, DataType, DeadLetter, DeadLetters, Destination,
    Error, ErrorKind, Field, Notes, Outcome, Position, Record, Result, Resume, Selection, Source,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::doubles::batch;

/// How a destination keeps its promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Writes in order; whatever follows a failure fails too.
    Ordered,
    /// Like `Ordered`, and keeps the checkpoint with the rows.
    Transactional,
    /// Writes at the same time; a failure does not stop the writes beside it.
    Overlapping,
}

/// Random numbers that a seed repeats (`SplitMix64`).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Everything that outlives a process, and the dice.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) kind: Kind,
    pub(crate) batches: Vec<Batch>,
    pub(crate) rows: MemoryDestination,
    pub(crate) letters: MemoryStore,
    store: Arc<MemoryStore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    /// How many faults are still to come.
    faults: u64,
    /// The batches whose rows are durable, by number.
    applied: BTreeSet<u64>,
    acked: u64,
    log: Vec<String>,
}

/// Where a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Before,
    After,
}

impl World {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        let mut random = Random(seed);
        let kinds = [Kind::Ordered, Kind::Transactional, Kind::Overlapping];
        let kind = kinds[usize::try_from(random.below(3)).unwrap()];
        let count = 1 + random.below(9);
        let refused_one_in = 1 + random.below(6);
        let refused: BTreeSet<u64> = (1..=count)
            .filter(|_| random.below(refused_one_in + 1) == 0)
            .collect();
        let mut batches: Vec<_> = (1..=count)
            .map(|n| numbered(n, refused.contains(&n), kind))
            .collect();
        if random.below(3) == 0 {
            let at = usize::try_from(random.below(count)).unwrap();
            batches[at].catalog = Some(Arc::new(wide()));
        }
        let rows = MemoryDestination::default().refusing(|record| {
            let key = record.key.to_object().ok()?;
            let is_bad = key["id"].as_str()?.starts_with("bad");
            is_bad.then(|| "no".to_owned())
        });
        let faults = random.below(7);
        Arc::new(Self {
            seed,
            kind,
            batches,
            rows: match kind {
                Kind::Transactional => rows.transactional("p"),
                Kind::Ordered | Kind::Overlapping => rows,
            },
            letters: MemoryStore::default(),
            store: Arc::default(),
            state: Mutex::new(State {
                random,
                faults,
                applied: BTreeSet::new(),
                acked: 0,
                log: Vec::new(),
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.state().random.below(bound)
    }

    pub(crate) fn note(&self, call: impl Into<String>) {
        self.state().log.push(call.into());
    }

    /// No further fault comes: the rest must end well.
    pub(crate) fn calm(&self) {
        self.state().faults = 0;
    }

    /// Mostly quick, sometimes slow, and rarely longer than a stopped run waits.
    fn delay(&self) -> Duration {
        let mut state = self.state();
        let longest = match state.random.below(40) {
            0 if state.faults > 0 => 100_000,
            0..10 => 40,
            _ => 3,
        };
        Duration::from_millis(state.random.below(longest))
    }

    /// Whether `deed` fails, and when.
    fn fault(&self, deed: &str) -> Option<(Fault, Error)> {
        let mut state = self.state();
        if state.faults == 0 || state.random.below(12) != 0 {
            return None;
        }
        state.faults -= 1;
        let when = [Fault::Before, Fault::After][usize::from(state.random.below(2) == 0)];
        let message = format!("injected: {deed}");
        state.log.push(format!("{message} {when:?}"));
        let error = match state.random.below(4) {
            0 => Error::new(ErrorKind::Refused, message),
            1 => Error::new(ErrorKind::Quota, message).retry_after(Duration::from_secs(90)),
            _ => Error::new(ErrorKind::Storage, message),
        };
        Some((when, error))
    }

    /// `work`, after a while, and with a fault before or after it.
    async fn unkindly<T>(&self, deed: String, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::time::sleep(self.delay()).await;
        let fault = self.fault(&deed);
        if let Some((Fault::Before, error)) = fault {
            return Err(error);
        }
        self.note(deed);
        let done = work.await?;
        self.check().await;
        fault.map_or(Ok(done), |(_, error)| Err(error))
    }

    fn keeper(&self) -> Arc<dyn CheckpointStore> {
        let own = || Arc::clone(&self.store) as Arc<dyn CheckpointStore>;
        self.rows.checkpoints().unwrap_or_else(own)
    }

    /// The number of the batch at the stored checkpoint; 0 before the first.
    pub(crate) async fn saved(&self) -> u64 {
        let stored = self.keeper().load("p").await.unwrap();
        stored.map_or(0, |stored| number(&stored.position))
    }

    /// What holds at every instant (invariants 1 and 2): whatever the checkpoint covers is durable or a dead letter, the
    /// notes are those of the checkpoint, and nothing is acknowledged beyond it.
    pub(crate) async fn check(&self) {
        let saved = self.saved().await;
        let covered = &self.batches[..usize::try_from(saved).unwrap()];
        let notes = resume_after(covered).map_or_else(Notes::new, |resume| resume.notes);
        let stored = self.keeper().notes("p").await.unwrap();
        assert_eq!(stored, notes, "notes of {saved}: {}", self.told());
        let letters = self.dead().await;
        for (batch, number) in covered.iter().zip(1..) {
            let applied = self.state().applied.contains(&number);
            assert!(applied, "{number} is lost behind {saved}: {}", self.told());
            for id in bad(batch) {
                assert!(letters.contains(&id), "{id} is no dead letter: {}", self.told());
            }
        }
        let acked = self.state().acked;
        assert!(acked <= saved, "{acked} acknowledged at {saved}: {}", self.told());
    }

    /// The ids of the dead letters.
    async fn dead(&self) -> BTreeSet<String> {
        let letters = self.letters.list("p", 0, 10_000).await.unwrap();
        letters.iter().map(|(_, letter)| id(&letter.record)).collect()
    }

    /// What holds when everything has been read.
    pub(crate) async fn check_end(&self) {
        self.check().await;
        let count = self.batches.len() as u64;
        assert_eq!(self.saved().await, count, "{}", self.told());
        let refused: BTreeSet<_> = self.batches.iter().flat_map(bad).collect();
        assert_eq!(self.dead().await, refused, "{}", self.told());
        let reference = MemoryDestination::default();
        reference.prepare(&wide()).await.unwrap();
        for batch in &self.batches {
            let mut good = batch.clone();
            good.records.retain(|record| !id(record).starts_with("bad"));
            let checkpoint = Checkpoint::new(1, batch.position.clone());
            reference.write(Arc::new(good), checkpoint).await.unwrap();
        }
        assert_eq!(
            self.rows.rows("contacts"),
            reference.rows("contacts"),
            "{}",
            self.told()
        );
    }

    /// The schedule, for whoever reads a failure.
    pub(crate) fn told(&self) -> String {
        let calls = self.state().log.join("\n  ");
        format!("seed {} ({:?}):\n  {calls}", self.seed, self.kind)
    }
}

/// The batch `n`: a row of its own, one that later batches change where the order is kept, and a bad one perhaps.
fn numbered(n: u64, is_refused: bool, kind: Kind) -> Batch {
    let mut made = batch(n);
    let mut add = |id: String| {
        let key = format!(r#"{{"id":"{id}"}}"#);
        let row = format!(r#"{{"id":"{id}","city":"{n}"}}"#);
        let record = Record::snapshot("contacts", key.as_bytes(), row.as_bytes());
        made.records.push(record);
    };
    if kind != Kind::Overlapping {
        add(format!("shared {}", n % 2));
    }
    if is_refused {
        add(format!("bad {n}"));
    }
    made
}

fn wide() -> Catalog {
    let fields = ["id", "city"].map(|name| Field::new(name, DataType::String, [name]));
    Catalog::new(vec![opencdc::Stream::new("contacts", ["id"], fields.to_vec())])
}

fn id(record: &Record) -> String {
    let key = record.key.to_object().unwrap();
    key["id"].as_str().unwrap().to_owned()
}

fn bad(batch: &Batch) -> Vec<String> {
    let ids = batch.records.iter().map(id);
    ids.filter(|id| id.starts_with("bad")).collect()
}

fn number(position: &Position) -> u64 {
    String::from_utf8_lossy(position.as_bytes()).parse().unwrap()
}

#[derive(Debug)]
pub(crate) struct UnkindSource {
    inner: MemorySource,
    world: Arc<World>,
}

impl UnkindSource {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self {
            inner: MemorySource::new(["contacts"], world.batches.clone()),
            world: Arc::clone(world),
        }
    }
}

#[async_trait]
impl Source for UnkindSource {
    async fn catalog(&self) -> Result<Catalog> {
        let deed = "catalog".to_owned();
        self.world.unkindly(deed, self.inner.catalog()).await
    }

    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream> {
        let deed = format!(
            "read from {}",
            from.as_ref().map_or(0, |from| number(&from.position))
        );
        let batches = self
            .world
            .unkindly(deed, self.inner.read(selection, from))
            .await?;
        let world = Arc::clone(&self.world);
        let slow = batches.then(move |batch| {
            let world = Arc::clone(&world);
            async move {
                let batch = batch?;
                let deed = format!("gives {}", number(&batch.position));
                world.unkindly(deed, async { Ok(batch) }).await
            }
        });
        Ok(slow.boxed())
    }

    async fn ack(&self, position: &Position) -> Result<()> {
        let number = number(position);
        let ack = async {
            let mut state = self.world.state();
            let before = std::mem::replace(&mut state.acked, number);
            drop(state);
            assert!(
                before <= number,
                "ack goes back to {number}: {}",
                self.world.told()
            );
            Ok(())
        };
        self.world.unkindly(format!("ack {number}"), ack).await
    }
}

/// What is asked of a destination, in order.
enum Job {
    Prepare(Catalog, oneshot::Sender<Result<()>>),
    Write(Arc<Batch>, Checkpoint, oneshot::Sender<Result<Vec<Outcome>>>),
}

/// A process that writes: dropping it is like killing it.
#[derive(Debug)]
pub(crate) struct UnkindDestination {
    world: Arc<World>,
    jobs: mpsc::UnboundedSender<Job>,
    _work: JoinSet<()>,
}

impl UnkindDestination {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let (jobs, queue) = mpsc::unbounded_channel();
        let mut work = JoinSet::new();
        work.spawn(work_off(Arc::clone(world), queue));
        Self {
            world: Arc::clone(world),
            jobs,
            _work: work,
        }
    }
}

/// Does one job after another, or, where writes overlap, whatever comes before the next `prepare` at the same time.
/// A write that nobody waits for any more is done nevertheless.
async fn work_off(world: Arc<World>, mut queue: mpsc::UnboundedReceiver<Job>) {
    let mut overlapping = JoinSet::new();
    let mut is_broken = false;
    while let Some(job) = queue.recv().await {
        match job {
            Job::Prepare(catalog, answer) => {
                while overlapping.join_next().await.is_some() {}
                is_broken = false;
                let prepare = world.rows.prepare(&catalog);
                let done = world.unkindly("prepare".to_owned(), prepare).await;
                let _ = answer.send(done);
            }
            Job::Write(_, checkpoint, answer) if is_broken => {
                let message = format!("injected: {} after a lost batch", checkpoint.sequence);
                let _ = answer.send(Err(Error::new(ErrorKind::Storage, message)));
            }
            Job::Write(batch, checkpoint, answer) if world.kind == Kind::Overlapping => {
                let world = Arc::clone(&world);
                overlapping.spawn(async move {
                    let _ = answer.send(apply(&world, batch, checkpoint).await);
                });
            }
            Job::Write(batch, checkpoint, answer) => {
                let done = apply(&world, batch, checkpoint).await;
                is_broken = done.is_err();
                let _ = answer.send(done);
            }
        }
    }
}

async fn apply(world: &World, batch: Arc<Batch>, checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
    let number = number(&batch.position);
    let write = async {
        world.state().applied.insert(number);
        world.rows.write(batch, checkpoint).await
    };
    world.unkindly(format!("write {number}"), write).await
}

#[async_trait]
impl Destination for UnkindDestination {
    async fn prepare(&self, catalog: &Catalog) -> Result<()> {
        let (answer, done) = oneshot::channel();
        let _ = self.jobs.send(Job::Prepare(catalog.clone(), answer));
        done.await.unwrap()
    }

    async fn write(&self, batch: Arc<Batch>, checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
        let (answer, done) = oneshot::channel();
        let _ = self.jobs.send(Job::Write(batch, checkpoint, answer));
        let done = done.await.unwrap();
        // An answer may take longer than that of a later batch.
        tokio::time::sleep(self.world.delay()).await;
        done
    }

    fn checkpoints(&self) -> Option<Arc<dyn CheckpointStore>> {
        self.world.rows.checkpoints()?;
        Some(Arc::new(UnkindStore(Arc::clone(&self.world))))
    }
}

/// The checkpoints of a world, wherever they are kept.
#[derive(Debug)]
pub(crate) struct UnkindStore(pub(crate) Arc<World>);

#[async_trait]
impl CheckpointStore for UnkindStore {
    async fn load(&self, pipeline: &str) -> Result<Option<Checkpoint>> {
        self.0.keeper().load(pipeline).await
    }

    async fn notes(&self, pipeline: &str) -> Result<Notes> {
        self.0.keeper().notes(pipeline).await
    }

    async fn save(&self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        let deed = format!("save {}", number(&checkpoint.position));
        let keeper = self.0.keeper();
        self.0.unkindly(deed, keeper.save(pipeline, checkpoint)).await
    }

    async fn reset(&self, pipeline: &str) -> Result<()> {
        self.0.keeper().reset(pipeline).await
    }
}

#[derive(Debug)]
pub(crate) struct UnkindLetters(pub(crate) Arc<World>);

#[async_trait]
impl DeadLetters for UnkindLetters {
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<()> {
        let deed = format!("letters {}", letters.len());
        self.0.unkindly(deed, self.0.letters.put(letters)).await
    }

    async fn list(&self, pipeline: &str, after: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>> {
        self.0.letters.list(pipeline, after, limit).await
    }

    async fn take(&self, ids: &[u64]) -> Result<Vec<DeadLetter>> {
        self.0.letters.take(ids).await
    }
}
