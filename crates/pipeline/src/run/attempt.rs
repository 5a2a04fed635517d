//! One read, from the last checkpoint to its end, its error or the stop.
//!
//! Concurrency is visible here and nowhere else: [`Attempt::step`] waits for whatever comes first, a batch, a
//! finished write or a finished round of saving. Everything else is straight-line `async`.

use std::collections::VecDeque;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt};
use opencdc::{
    Batch, BatchStream, Catalog, Checkpoint, Data, ErrorKind, Record, Result, Resume, Selection, Until,
};
use tokio_util::sync::CancellationToken;

use super::commit::{self, Hold, Keeper, Round, Written};
use super::{Ended, Event, Observer, Pipeline, Summary, selection, within_drain};

pub(super) struct Attempt<'a> {
    pipeline: &'a Pipeline,
    observer: &'a dyn Observer,
    stop: &'a CancellationToken,
    summary: &'a mut Summary,
    keeper: Keeper,
    hold: Hold,
    /// The number of the last batch that was submitted; numbers go on from the loaded checkpoint.
    submitted: u64,
    /// Writes under way, answered in the order of submission (invariant 4).
    writes: FuturesOrdered<BoxFuture<'a, Result<Written>>>,
    /// The payload bytes of each of them, in the same order.
    sizes: VecDeque<usize>,
    /// Written, and waiting for the next round.
    written: Vec<Written>,
    /// The round under way. There is never more than one, so rounds are in order too.
    round: Option<BoxFuture<'a, Result<Round>>>,
    /// How many batches are in the round under way.
    saving: usize,
    /// The last batch that was written and passed its round.
    last: Option<Checkpoint>,
    acked: Option<u64>,
    /// Writes were given up when the drain had passed.
    abandoned: bool,
}

/// What comes next.
enum Step {
    Stop,
    Batch(Option<Result<Batch>>),
    Written(Result<Written>),
    Round(Result<Round>),
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        pipeline: &'a Pipeline,
        observer: &'a dyn Observer,
        stop: &'a CancellationToken,
        summary: &'a mut Summary,
    ) -> Self {
        Self {
            pipeline,
            observer,
            stop,
            summary,
            keeper: Keeper::of(pipeline),
            hold: Hold::default(),
            submitted: 0,
            writes: FuturesOrdered::new(),
            sizes: VecDeque::new(),
            written: Vec::new(),
            round: None,
            saving: 0,
            last: None,
            acked: None,
            abandoned: false,
        }
    }

    pub(super) async fn run(mut self, until: Until) -> Result<Ended> {
        let Some((batches, selection)) = self.begin(until).await? else {
            return Ok(Ended::Stopped);
        };
        // `pump` drops the stream of batches: nothing is read while the rest is settled.
        let ended = self.pump(batches, &selection).await;
        let settled = self.settle().await;
        let ended = ended.and_then(|ended| settled.map(|()| ended))?;
        self.finish_in_time().await?;
        // What was given up has been read, and is not there: the source's end is not the copy's.
        Ok(if self.abandoned { Ended::Stopped } else { ended })
    }

    /// Asks the source what there is, prepares the destination, and opens the read. `None` when stopped.
    async fn begin(&mut self, until: Until) -> Result<Option<(BatchStream, Selection)>> {
        let source = &self.pipeline.source;
        let Some(catalog) = unless_stopped(self.stop, source.catalog()).await.transpose()? else {
            return Ok(None);
        };
        let selection = selection::choose(self.pipeline.selection.as_deref(), &catalog, until)?;
        let Some(catalog) = prepare(self.pipeline, self.stop, &selection, &catalog).await? else {
            return Ok(None);
        };
        // Loaded after `prepare`, which waits for whatever an earlier attempt left under way.
        let (sequence, from) = self.keeper.resume(&self.pipeline.name).await?;
        self.started(sequence, from.is_some(), &catalog);
        let read = read(self.pipeline, selection.clone(), from, &catalog);
        let batches = unless_stopped(self.stop, read).await.transpose()?;
        Ok(batches.map(|batches| (batches, selection)))
    }

    fn started(&mut self, sequence: u64, resumed: bool, catalog: &Catalog) {
        self.submitted = sequence;
        self.summary.resumed |= resumed && self.summary.batches == 0 && self.summary.retries == 0;
        self.observer.event(&Event::Started { resumed, catalog });
    }

    /// Moves batches until the read ends.
    async fn pump(&mut self, mut batches: BatchStream, selection: &Selection) -> Result<Ended> {
        loop {
            match self.step(Some(&mut batches)).await {
                Step::Stop => return Ok(Ended::Stopped),
                Step::Batch(None) => return Ok(Ended::CaughtUp),
                Step::Batch(Some(batch)) => self.submit(batch?, selection).await?,
                Step::Written(written) => self.note_written(written)?,
                Step::Round(round) => self.note_round(round)?,
            }
        }
    }

    /// Waits for what comes first. Without `batches` neither a batch nor the stop is waited for.
    async fn step(&mut self, batches: Option<&mut BatchStream>) -> Step {
        self.start_round();
        let open = batches.is_some();
        let room = self.has_room();
        let next_batch = async {
            match batches {
                Some(batches) => batches.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // Every branch may be dropped when another is ready: `cancelled` holds no state, and the other
            // three only borrow a stream or future that `self` or the caller keeps, so pending work stays
            // where it is and is polled again in the next step.
            () = self.stop.cancelled(), if open => Step::Stop,
            round = poll_round(&mut self.round), if self.round.is_some() => Step::Round(round),
            Some(written) = self.writes.next(), if !self.writes.is_empty() => Step::Written(written),
            batch = next_batch, if open && room => Step::Batch(batch),
        }
    }

    /// Counts what was read and has not passed its round, and the bytes that are held in memory for it: pages of
    /// an account with many properties are large. One batch fits however large it is.
    fn has_room(&self) -> bool {
        let open = self.writes.len() + self.written.len() + self.saving;
        let bytes: usize = self.sizes.iter().sum();
        let options = &self.pipeline.options;
        open < options.max_in_flight.max(1) && bytes < options.max_bytes_in_flight.max(1)
    }

    /// Hands a batch to the destination; first settles and prepares when the schemas change with it.
    async fn submit(&mut self, mut batch: Batch, selection: &Selection) -> Result<()> {
        if let Some(catalog) = batch.catalog.take() {
            self.settle().await?;
            if self.abandoned {
                return Ok(());
            }
            // A destination forgets at `prepare` what it has written beyond its checkpoint.
            self.finish().await?;
            let selection = selection::renewed(self.pipeline.selection.as_deref(), selection, &catalog);
            let Some(catalog) = prepare(self.pipeline, self.stop, &selection, &catalog).await? else {
                return Ok(());
            };
            self.observer.event(&Event::CatalogChanged { catalog: &catalog });
        }
        self.submitted += 1;
        let checkpoint = Checkpoint {
            sequence: self.submitted,
            position: batch.position.clone(),
            notes: mem::take(&mut batch.notes),
        };
        self.sizes
            .push_back(batch.records.iter().map(payload_bytes).sum());
        self.writes
            .push_back(Box::pin(write(self.pipeline, batch, checkpoint)));
        Ok(())
    }

    fn note_written(&mut self, written: Result<Written>) -> Result<()> {
        self.sizes.pop_front();
        match written {
            Ok(written) => self.written.push(written),
            Err(error) => {
                // Nothing that was submitted after a lost batch may count as written (invariant 4).
                self.drop_writes();
                return Err(error);
            }
        }
        Ok(())
    }

    fn start_round(&mut self) {
        if self.round.is_none() && !self.written.is_empty() {
            self.saving = self.written.len();
            self.last = self.written.last().map(Written::position);
            let round = Round::plan(&mut self.written, &self.keeper, &mut self.hold);
            self.round = Some(Box::pin(round.run(self.pipeline, self.keeper.clone())));
        }
    }

    fn note_round(&mut self, round: Result<Round>) -> Result<()> {
        self.saving = 0;
        let round = round.inspect_err(|_| {
            // What could not be saved will be read again, and so will everything after it.
            self.drop_writes();
            self.written.clear();
        })?;
        self.hold.released(self.submitted);
        self.acked = round.acked().or(self.acked);
        self.summary.batches += round.batches;
        self.summary.streams.add(&round.streams);
        let (batches, streams) = (round.batches, &round.streams);
        self.observer.event(&Event::Wrote { batches, streams });
        Ok(())
    }

    /// Completes everything under way, or gives up what is not done a drain after the stop. Gives back the
    /// first error, and completes what came before it nevertheless.
    async fn settle(&mut self) -> Result<()> {
        let (stop, drain) = (self.stop, self.pipeline.options.drain);
        match within_drain(stop, drain, self.settle_all()).await {
            Some(settled) => settled,
            None => {
                self.abandon();
                Ok(())
            }
        }
    }

    async fn settle_all(&mut self) -> Result<()> {
        let mut settled = Ok(());
        while self.is_busy() {
            let noted = match self.step(None).await {
                Step::Written(written) => self.note_written(written),
                Step::Round(round) => self.note_round(round),
                Step::Stop | Step::Batch(_) => Ok(()),
            };
            settled = settled.and(noted);
        }
        settled
    }

    fn is_busy(&self) -> bool {
        self.round.is_some() || !self.writes.is_empty() || !self.written.is_empty()
    }

    /// Drops what is under way: it may or may not happen, and will be read again.
    fn abandon(&mut self) {
        let batches = self.writes.len() + self.written.len();
        tracing::warn!(
            pipeline = self.pipeline.name,
            batches,
            "stopped before every write had ended; the next run reads them again"
        );
        self.abandoned = true;
        self.round = None;
        self.written.clear();
        self.drop_writes();
    }

    fn drop_writes(&mut self) {
        self.sizes.clear();
        drop(mem::take(&mut self.writes));
    }

    /// Like [`finish`](Self::finish), but no longer than a drain after the stop: a store that hangs must not hold the
    /// process (invariant 8). A save that is given up may happen, and covers nothing that is not durable.
    async fn finish_in_time(&mut self) -> Result<()> {
        let (stop, drain) = (self.stop, self.pipeline.options.drain);
        within_drain(stop, drain, self.finish()).await.unwrap_or_else(|| {
            tracing::warn!(
                pipeline = self.pipeline.name,
                "the last checkpoint was not saved in time"
            );
            Ok(())
        })
    }

    /// Saves and acknowledges the last batch that was settled.
    async fn finish(&mut self) -> Result<()> {
        // After writes were given up, a transactional destination may be further than the loop knows.
        let Some(last) = self.last.take().filter(|_| !self.abandoned) else {
            return Ok(());
        };
        let last = self.hold.covered_by(last);
        commit::finish(self.pipeline, &self.keeper, &last, self.acked).await?;
        self.acked = Some(last.sequence);
        Ok(())
    }
}

/// Opens the read, with a look at what the destination holds if it shows that.
async fn read(
    pipeline: &Pipeline,
    selection: Selection,
    from: Option<Resume>,
    catalog: &Catalog,
) -> Result<BatchStream> {
    match pipeline.destination.inspect(catalog).await {
        Ok(rows) => pipeline.source.read_into(selection, from, rows).await,
        Err(error) if error.kind() == ErrorKind::Configuration => pipeline.source.read(selection, from).await,
        Err(error) => Err(error),
    }
}

/// Prepares the destination for the wanted part of `catalog`; `None` when that outlasted the drain.
async fn prepare(
    pipeline: &Pipeline,
    stop: &CancellationToken,
    selection: &Selection,
    catalog: &Catalog,
) -> Result<Option<Catalog>> {
    let catalog = selection::apply(selection, catalog);
    let prepare = pipeline.destination.prepare(&catalog);
    let prepared = within_drain(stop, pipeline.options.drain, prepare).await;
    prepared.transpose().map(|done| done.map(|()| catalog))
}

/// A call to the source, which may be dropped at any moment (promise 4 of [`opencdc::Source`]).
async fn unless_stopped<T>(stop: &CancellationToken, call: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        // `cancelled` holds no state; `call` has given nothing yet.
        () = stop.cancelled() => None,
        answer = call => Some(answer),
    }
}

/// What a record keeps in memory; a payload that is apart already is a guess, and rare.
fn payload_bytes(record: &Record) -> usize {
    match &record.payload.after {
        Some(Data::Raw(bytes)) => bytes.len(),
        Some(Data::Structured(fields)) => fields.len() * 32,
        None => 0,
    }
}

async fn write(pipeline: &Pipeline, batch: Batch, checkpoint: Checkpoint) -> Result<Written> {
    let batch = Arc::new(batch);
    let outcomes = pipeline
        .destination
        .write(Arc::clone(&batch), checkpoint.clone())
        .await?;
    Written::new(&pipeline.name, &batch, checkpoint, &outcomes)
}

/// Polls the round under way and takes it out when it is done.
async fn poll_round(round: &mut Option<BoxFuture<'_, Result<Round>>>) -> Result<Round> {
    let Some(running) = round else {
        return std::future::pending().await;
    };
    let done = Pin::new(running).await;
    *round = None;
    done
}
