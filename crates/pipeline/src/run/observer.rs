//! What a run tells while it runs, and at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use opencdc::{Batch, Catalog, Data, Error, Outcome, Record, StreamName, UnfitValues};

/// Watches a run. Called from the run loop: an implementation must not block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Watches nothing.
impl Observer for () {
    fn event(&self, _event: &Event<'_>) {}
}

/// What happens in a run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An attempt begins to read.
    Started {
        /// Whether there is a checkpoint to resume from.
        resumed: bool,
        /// What the destination was prepared for: the selected streams with the selected fields.
        catalog: &'a Catalog,
    },
    /// Batches are durable, their refused records are dead letters, and their checkpoint is saved.
    Wrote {
        /// How many batches.
        batches: u64,
        /// What became of their records.
        streams: &'a StreamTotals,
    },
    /// The source announced other schemas, and the destination is prepared for them.
    CatalogChanged {
        /// The selected streams with the selected fields, from now on.
        catalog: &'a Catalog,
    },
    /// An attempt failed; after `wait` another one starts from the last checkpoint.
    Retrying {
        /// What went wrong.
        error: &'a Error,
        /// How long until the next attempt.
        wait: Duration,
        /// How many attempts have failed since the last progress.
        attempt: u32,
    },
    /// The run has ended well.
    Finished(&'a Summary),
    /// The run has ended with an error.
    Failed {
        /// The error that the run returns.
        error: &'a Error,
        /// What was done before.
        summary: &'a Summary,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ended {
    /// Everything that existed at the start has been read.
    #[default]
    CaughtUp,
    /// It was asked to stop.
    Stopped,
    /// It failed; only in [`Event::Failed`], since a run that fails returns an error.
    Failed,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// What became of the records.
    pub streams: StreamTotals,
    /// How many batches were written.
    pub batches: u64,
    /// Whether the first attempt resumed from a checkpoint.
    pub resumed: bool,
    /// How often the run started again after an error.
    pub retries: u32,
    /// How it ended.
    pub ended: Ended,
    /// Values that the destination kept beside the row because they did not fit their field's type.
    pub unfit: UnfitValues,
}

/// What became of the records of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamCounts {
    /// Written durably.
    pub written: u64,
    /// Already there in this version or a newer one.
    pub unchanged: u64,
    /// Refused, and now dead letters.
    pub rejected: u64,
    /// Bytes of the payloads that came as raw text.
    pub bytes: u64,
}

impl StreamCounts {
    /// All records.
    pub fn records(&self) -> u64 {
        self.written + self.unchanged + self.rejected
    }

    fn count(&mut self, record: &Record, outcome: &Outcome) {
        match outcome {
            Outcome::Written => self.written += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Rejected(_) => self.rejected += 1,
        }
        if let Some(Data::Raw(bytes)) = &record.payload.after {
            self.bytes += bytes.len() as u64;
        }
    }

    fn add(&mut self, other: Self) {
        self.written += other.written;
        self.unchanged += other.unchanged;
        self.rejected += other.rejected;
        self.bytes += other.bytes;
    }
}

/// Counts by stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamTotals(BTreeMap<StreamName, StreamCounts>);

impl StreamTotals {
    /// The counts of `stream`; zeroes when it had no record.
    pub fn get(&self, stream: &str) -> StreamCounts {
        let found = self.iter().find(|(name, _)| name.as_str() == stream);
        found.map(|(_, counts)| counts).unwrap_or_default()
    }

    /// The streams that had records, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&StreamName, StreamCounts)> {
        self.0.iter().map(|(name, counts)| (name, *counts))
    }

    /// All streams together.
    pub fn total(&self) -> StreamCounts {
        self.0
            .values()
            .fold(StreamCounts::default(), |mut total, counts| {
                total.add(*counts);
                total
            })
    }

    pub(super) fn of(batch: &Batch, outcomes: &[Outcome]) -> Self {
        let mut totals = Self::default();
        let mut rest = outcomes;
        // Neighbours are mostly of one stream, so the map is asked once for each run of them.
        for run in batch.records.chunk_by(|a, b| a.stream == b.stream) {
            let (outcomes, behind) = rest.split_at(run.len());
            let counts = totals.0.entry(run[0].stream.clone()).or_default();
            run.iter()
                .zip(outcomes)
                .for_each(|(record, outcome)| counts.count(record, outcome));
            rest = behind;
        }
        totals
    }

    /// Adds the counts of `other`.
    pub fn add(&mut self, other: &Self) {
        for (name, counts) in other.iter() {
            self.0.entry(name.clone()).or_default().add(counts);
        }
    }
}
