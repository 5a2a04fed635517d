//! One thread that writes to one place: promises 4 to 9 of [`opencdc::Destination`], once for every
//! destination that needs them.
//!
//! ```text
//! write() --job--> queue --> the thread: take the jobs that wait, write them, commit once, answer each
//!    |                          ^
//!    +--convert (other threads)-+ rows, awaited in the order of the jobs
//! ```
//!
//! A `write` takes its place in the queue when it is first polled (promise 4), and its batch is converted on
//! another core while earlier batches are written. A group of batches shares one commit, so that the cost of
//! reaching the disk is paid once.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use async_trait::async_trait;
use opencdc::{Batch, Catalog, Checkpoint, CheckpointStore, Error, ErrorKind, Note, Notes, Outcome, Result};
use tokio::sync::{mpsc, oneshot};

/// More waiting writes than this wait outside, unconverted: it bounds the memory.
const QUEUE: usize = 64;

/// A group ends after this many rows. Small against what a run keeps in flight, so that answers flow while the
/// next group is written.
const GROUP_ROWS: usize = 1_000;

/// Somewhere that one thread writes to. Every method may block.
pub(super) trait Place: Send + 'static {
    /// What the conversion of a batch needs to know.
    type Plan: Send + Sync + 'static;
    /// A converted batch.
    type Rows: Send + 'static;

    /// Makes ready for `catalog`, and forgets whatever an earlier failure left behind.
    fn prepare(&mut self, catalog: &Catalog) -> Result<Self::Plan>;

    /// Turns records into rows, on another thread.
    fn convert(plan: &Self::Plan, batch: &Batch) -> Result<Self::Rows>;

    /// Begins a group.
    fn begin(&mut self) -> Result<()>;

    /// Writes the rows of one batch, not durably yet.
    fn write(&mut self, plan: &Self::Plan, rows: Self::Rows, sequence: u64) -> Result<Vec<Outcome>>;

    /// Makes the group durable, together with `checkpoint` and its notes when there is one: all of it or nothing.
    fn commit(&mut self, checkpoint: Option<&Checkpoint>) -> Result<()>;

    /// Undoes what of the group can be undone; called after an error.
    fn roll_back(&mut self);

    /// See [`CheckpointStore::load`].
    fn load(&mut self, pipeline: &str) -> Result<Option<Checkpoint>>;

    /// See [`CheckpointStore::notes`].
    fn notes(&mut self, pipeline: &str) -> Result<Notes>;

    /// See [`CheckpointStore::save`].
    fn save(&mut self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()>;

    /// See [`CheckpointStore::reset`].
    fn reset(&mut self, pipeline: &str) -> Result<()>;

    /// Leaves the place as a later run wants to find it. A later call of any method opens it again.
    fn close(&mut self) -> Result<()>;
}

/// Work for the thread.
enum Job<P: Place> {
    Write(Write<P>),
    Do(Errand<P>),
}

/// Anything but a write.
type Errand<P> = Box<dyn FnOnce(&mut Writer<P>) + Send>;

struct Write<P: Place> {
    plan: Arc<P::Plan>,
    rows: oneshot::Receiver<Result<P::Rows>>,
    records: usize,
    checkpoint: Checkpoint,
    reply: Reply,
}

type Reply = oneshot::Sender<Result<Vec<Outcome>>>;

/// The handle: what a destination is made of.
pub(super) struct Serial<P: Place> {
    queue: Arc<Queue<P>>,
    plan: Mutex<Option<Arc<P::Plan>>>,
}

impl<P: Place> fmt::Debug for Serial<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serial").finish_non_exhaustive()
    }
}

impl<P: Place> Serial<P> {
    /// Opens a place and starts its thread, which ends with the last handle.
    pub(super) async fn start(name: &str, open: impl FnOnce() -> Result<P> + Send + 'static) -> Result<Self> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let (opened, answer) = oneshot::channel();
        let serve = move || match open() {
            Ok(place) => {
                drop(opened.send(Ok(())));
                Writer::new(place).serve(waiting);
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(serve)
            .map_err(|error| {
                Error::new(ErrorKind::Storage, "cannot start a writing thread").with_source(error)
            })?;
        answer.await.map_err(|_| gone())??;
        Ok(Self {
            queue: Arc::new(Queue { jobs }),
            plan: Mutex::new(None),
        })
    }

    pub(super) async fn prepare(&self, catalog: &Catalog) -> Result<()> {
        let catalog = catalog.clone();
        let plan = self.queue.run(move |writer| writer.prepare(&catalog)).await?;
        *self.plan() = Some(plan);
        Ok(())
    }

    pub(super) async fn write(&self, batch: Arc<Batch>, checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
        let plan = self.plan().clone().ok_or_else(not_prepared)?;
        let (converted, rows) = oneshot::channel();
        let (reply, answer) = oneshot::channel();
        let write = Write {
            plan: Arc::clone(&plan),
            rows,
            records: batch.records.len(),
            checkpoint,
            reply,
        };
        // Until here nothing was awaited: the place in the queue is taken when this is first polled.
        self.queue
            .jobs
            .send(Job::Write(write))
            .await
            .map_err(|_| gone())?;
        tokio::task::spawn_blocking(move || drop(converted.send(P::convert(&plan, &batch))));
        answer.await.map_err(|_| gone())?
    }

    pub(super) async fn close(&self) -> Result<()> {
        self.queue.run(|writer| writer.place.close()).await
    }

    pub(super) fn checkpoints(&self) -> Arc<dyn CheckpointStore> {
        Arc::clone(&self.queue) as Arc<dyn CheckpointStore>
    }

    /// The lock is held for a pointer's copy.
    fn plan(&self) -> std::sync::MutexGuard<'_, Option<Arc<P::Plan>>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way to the thread; also the store of the checkpoints that the place keeps.
struct Queue<P: Place> {
    jobs: mpsc::Sender<Job<P>>,
}

impl<P: Place> fmt::Debug for Queue<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl<P: Place> Queue<P> {
    /// Has `work` done by the thread, in its turn.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer<P>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        // Nobody waits any more when the caller was dropped.
        let job = Job::Do(Box::new(move |writer: &mut Writer<P>| {
            drop(reply.send(work(writer)));
        }));
        self.jobs.send(job).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

#[async_trait]
impl<P: Place> CheckpointStore for Queue<P> {
    async fn load(&self, pipeline: &str) -> Result<Option<Checkpoint>> {
        let pipeline = pipeline.to_owned();
        self.run(move |writer| writer.place.load(&pipeline)).await
    }

    async fn notes(&self, pipeline: &str) -> Result<Notes> {
        let pipeline = pipeline.to_owned();
        self.run(move |writer| writer.place.notes(&pipeline)).await
    }

    async fn save(&self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        let (pipeline, checkpoint) = (pipeline.to_owned(), checkpoint.clone());
        self.run(move |writer| writer.save(&pipeline, &checkpoint)).await
    }

    async fn reset(&self, pipeline: &str) -> Result<()> {
        let pipeline = pipeline.to_owned();
        self.run(move |writer| writer.place.reset(&pipeline)).await
    }
}

/// What the thread owns.
struct Writer<P: Place> {
    place: P,
    /// The plan of the last `prepare`; `None` before it, and after an error until the next one (promise 6).
    plan: Option<Arc<P::Plan>>,
    /// The last batch with a refused record whose checkpoint has not been saved yet (promise 8).
    held_by: Option<u64>,
    /// The notes of the batches whose checkpoint was held back, with their sequences (promise 9).
    held_notes: Vec<(u64, Vec<Note>)>,
}

impl<P: Place> Writer<P> {
    fn new(place: P) -> Self {
        Self {
            place,
            plan: None,
            held_by: None,
            held_notes: Vec::new(),
        }
    }

    fn serve(mut self, mut jobs: mpsc::Receiver<Job<P>>) {
        let mut left_over = None;
        while let Some(job) = left_over.take().or_else(|| jobs.blocking_recv()) {
            match job {
                Job::Do(work) => work(&mut self),
                Job::Write(write) => left_over = self.group(write, &mut jobs),
            }
        }
    }

    fn prepare(&mut self, catalog: &Catalog) -> Result<Arc<P::Plan>> {
        self.plan = None;
        self.held_by = None;
        self.held_notes.clear();
        let plan = Arc::new(self.place.prepare(catalog)?);
        self.plan = Some(Arc::clone(&plan));
        Ok(plan)
    }

    fn save(&mut self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.place.save(pipeline, checkpoint)?;
        self.held_by.take_if(|held_by| *held_by <= checkpoint.sequence);
        self.held_notes
            .retain(|(sequence, _)| *sequence > checkpoint.sequence);
        Ok(())
    }

    /// Writes `first` and the writes that wait behind it, commits once, and answers. Gives back a job that it
    /// took from the queue and that is no write.
    fn group(&mut self, first: Write<P>, jobs: &mut mpsc::Receiver<Job<P>>) -> Option<Job<P>> {
        let mut group = Group::default();
        let mut next = Some(first);
        let mut left_over = None;
        let mut written = Ok(());
        while let Some(write) = next.take() {
            group.rows += write.records;
            written = self.add(write, &mut group);
            if written.is_err() || group.rows >= GROUP_ROWS {
                break;
            }
            match jobs.try_recv() {
                Ok(Job::Write(write)) => next = Some(write),
                Ok(other) => left_over = Some(other),
                Err(_) => {}
            }
        }
        let committed = written.and_then(|()| self.place.commit(group.checkpoint.as_ref()));
        self.answer(group, committed);
        left_over
    }

    /// Writes one batch into the open group.
    fn add(&mut self, write: Write<P>, group: &mut Group) -> Result<()> {
        let current = self.plan.as_ref();
        if !current.is_some_and(|plan| Arc::ptr_eq(plan, &write.plan)) {
            group.answers.push((write.reply, Vec::new()));
            return Err(not_prepared());
        }
        let outcomes = converted::<P>(write.rows).and_then(|rows| {
            if group.answers.is_empty() {
                self.place.begin()?;
            }
            self.place.write(&write.plan, rows, write.checkpoint.sequence)
        });
        let (outcomes, written) = match outcomes {
            Ok(outcomes) => (outcomes, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        if outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::Rejected(_)))
        {
            self.held_by = Some(write.checkpoint.sequence);
        }
        self.take_checkpoint(write.checkpoint, group);
        group.answers.push((write.reply, outcomes));
        written
    }

    /// Puts `checkpoint` into the group, with the notes of those that it stands for, or holds its notes back.
    fn take_checkpoint(&mut self, checkpoint: Checkpoint, group: &mut Group) {
        if self.held_by.is_some() {
            self.held_notes.push((checkpoint.sequence, checkpoint.notes));
            return;
        }
        let held = self.held_notes.drain(..).flat_map(|(_, notes)| notes);
        let earlier = group
            .checkpoint
            .take()
            .map_or_else(Vec::new, |earlier| earlier.notes);
        let earlier = earlier.into_iter().chain(held).collect();
        group.checkpoint = Some(checkpoint.covering(earlier));
    }

    fn answer(&mut self, group: Group, committed: Result<()>) {
        let Err(error) = committed else {
            for (reply, outcomes) in group.answers {
                // Nobody waits any more when the caller was dropped.
                drop(reply.send(Ok(outcomes)));
            }
            return;
        };
        self.plan = None;
        self.place.roll_back();
        // All of the group fail. The run loop looks at the first, so that one carries the reason.
        let mut reason = Some(error);
        for (reply, _) in group.answers {
            drop(reply.send(Err(reason.take().unwrap_or_else(not_prepared))));
        }
    }
}

/// Waits for the conversion: that of a batch takes less long than the commit that would come instead.
fn converted<P: Place>(rows: oneshot::Receiver<Result<P::Rows>>) -> Result<P::Rows> {
    rows.blocking_recv()
        .map_err(|_| Error::new(ErrorKind::Internal, "the conversion of a batch was cut off"))?
}

/// The batches of one commit.
#[derive(Default)]
struct Group {
    answers: Vec<(Reply, Vec<Outcome>)>,
    rows: usize,
    /// That of the last batch before which, and in which, nothing was refused (promises 7 and 8).
    checkpoint: Option<Checkpoint>,
}

fn not_prepared() -> Error {
    Error::new(
        ErrorKind::Storage,
        "an earlier write failed, or the destination was not prepared",
    )
}

fn gone() -> Error {
    Error::new(ErrorKind::Internal, "the destination's writing thread has ended")
}
