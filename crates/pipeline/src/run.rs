//! The one run loop: what a pipeline is, and when a read starts again.
//!
//! One read from one checkpoint is an [`Attempt`]; this file decides what follows when it fails.

mod attempt;
pub(crate) mod commit;
mod observer;
mod retry;
pub(crate) mod selection;

use std::sync::Arc;
use std::time::Duration;

use opencdc::{
    CheckpointStore, DeadLetters, Destination, Disposition, Error, Result, SelectedStream, Source, Until,
};
use tokio_util::sync::CancellationToken;

use attempt::Attempt;
use commit::Keeper;
pub use observer::{Ended, Event, Observer, StreamCounts, StreamTotals, Summary};
use retry::Backoff;
pub use retry::RetryOptions;

/// One source to one destination.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Names the checkpoint and the dead letters; never change it without moving those.
    pub name: String,
    /// Where records come from.
    pub source: Arc<dyn Source>,
    /// Where they go.
    pub destination: Arc<dyn Destination>,
    /// Where the checkpoint is kept, unless the destination keeps it beside its rows.
    pub checkpoints: Arc<dyn CheckpointStore>,
    /// Where records go that the destination refused.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// The wanted streams and fields; `None` means all that the source's catalog has.
    pub selection: Option<Vec<SelectedStream>>,
    /// How to run.
    pub options: RunOptions,
}

/// How a pipeline is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOptions {
    /// How many batches may be read, and not yet be saved, at a time. Bounds the memory of a run, and lets a
    /// destination commit several batches at once.
    pub max_in_flight: usize,
    /// How many bytes of payload may be read, and not yet be written, at a time; one batch more may be. What a
    /// destination makes of them while it writes comes on top, about as much again.
    pub max_bytes_in_flight: usize,
    /// How long a stopped run waits for the writes under way.
    pub drain: Duration,
    /// When and how often a failed run starts again.
    pub retry: RetryOptions,
}

impl RunOptions {
    /// Thirty-two pages of a hundred records are one good transaction.
    pub const MAX_IN_FLIGHT: usize = 32;
    /// Keeps a run below a hundred megabytes in all.
    pub const MAX_BYTES_IN_FLIGHT: usize = 12 << 20;
    /// As long as most supervisors of processes wait before they kill.
    pub const DRAIN: Duration = Duration::from_secs(30);
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            max_in_flight: Self::MAX_IN_FLIGHT,
            max_bytes_in_flight: Self::MAX_BYTES_IN_FLIGHT,
            drain: Self::DRAIN,
            retry: RetryOptions::default(),
        }
    }
}

/// Runs `pipeline` until its source has caught up, or until `stop`.
///
/// For every batch: written durably, refused records put into the dead letters, checkpoint saved,
/// acknowledged, in that order (invariant 1). Writes overlap and are completed in order (invariant 4).
///
/// `stop` stops the reading, waits at most [`RunOptions::drain`] for the writes under way, saves, and gives
/// back an ordinary summary (invariant 8). Dropping this future instead is like a crash: work is repeated and
/// none is lost.
///
/// # Errors
/// What may heal by itself is retried from the last checkpoint, as [`RetryOptions`] say; any other error ends
/// the run, and so does a retryable one that kept coming back.
pub async fn run(
    pipeline: &Pipeline,
    until: Until,
    observer: &dyn Observer,
    stop: CancellationToken,
) -> Result<Summary> {
    let mut summary = Summary::default();
    let ended = attempts(pipeline, until, observer, &stop, &mut summary).await;
    let closed = close(pipeline, &stop).await;
    match ended.and_then(|ended| closed.map(|()| ended)) {
        Ok(ended) => {
            summary.ended = ended;
            summary.unfit = pipeline.destination.unfit_values();
            observer.event(&Event::Finished(&summary));
            Ok(summary)
        }
        Err(error) => {
            summary.ended = Ended::Failed;
            summary.unfit = pipeline.destination.unfit_values();
            let error = error.context(format_args!("pipeline `{}`", pipeline.name));
            observer.event(&Event::Failed {
                error: &error,
                summary: &summary,
            });
            Err(error)
        }
    }
}

/// Attempts, until one ends well or an error is for a person.
async fn attempts(
    pipeline: &Pipeline,
    until: Until,
    observer: &dyn Observer,
    stop: &CancellationToken,
    summary: &mut Summary,
) -> Result<Ended> {
    let mut backoff = Backoff::new(&pipeline.options.retry);
    loop {
        let before = summary.batches;
        let attempt = Attempt::new(pipeline, observer, stop, summary);
        let error = match Box::pin(attempt.run(until)).await {
            Ok(ended) => return Ok(ended),
            Err(error) => error,
        };
        if summary.batches > before {
            backoff.reset();
        }
        let outlasts = pipeline.options.retry.outlasts_answers
            && error.is_answer()
            && Keeper::of(pipeline).resume(&pipeline.name).await?.1.is_some();
        let wait = wait_after(error, outlasts, &mut backoff, observer)?;
        tokio::select! {
            biased;
            // Both branches may be dropped: neither holds anything but a moment in time.
            () = stop.cancelled() => return Ok(Ended::Stopped),
            () = tokio::time::sleep(wait) => summary.retries += 1,
        }
    }
}

/// How long to wait after `error`, or the error itself when a person must act and the run does not outlast it.
fn wait_after(
    error: Error,
    outlasts: bool,
    backoff: &mut Backoff<'_>,
    observer: &dyn Observer,
) -> Result<Duration> {
    let at_least = match error.disposition() {
        Disposition::Retry => Duration::ZERO,
        Disposition::RetryAfter(wait) => wait,
        Disposition::Stop if outlasts => Duration::ZERO,
        Disposition::Stop => return Err(error),
    };
    let Some(wait) = backoff.next() else {
        let attempts = backoff.attempts();
        return Err(error.context(format_args!("gave up after {attempts} attempts without progress")));
    };
    let wait = wait.max(at_least);
    observer.event(&Event::Retrying {
        error: &error,
        wait,
        attempt: backoff.attempts(),
    });
    Ok(wait)
}

/// Closes the destination. Once stopped, no longer than the drain: a destination that hangs must not hold the
/// process (invariant 8).
async fn close(pipeline: &Pipeline, stop: &CancellationToken) -> Result<()> {
    let close = pipeline.destination.close();
    match within_drain(stop, pipeline.options.drain, close).await {
        Some(closed) => closed,
        None => {
            tracing::warn!(pipeline = pipeline.name, "the destination did not close in time");
            Ok(())
        }
    }
}

/// `work`, given up when it is not done a `drain` after `stop`. What is given up must be safe to drop.
async fn within_drain<T>(
    stop: &CancellationToken,
    drain: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        biased;
        // `work` is dropped only when it is overdue, which is what the caller asked for; `overdue` holds
        // nothing but a moment in time.
        done = work => Some(done),
        () = overdue => None,
    }
}
