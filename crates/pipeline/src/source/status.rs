//! How a source is getting on, told by whoever reads and asked for from elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use opencdc::{Operation, Record, StreamName, StreamStatus};

/// A handle to the status of each stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Status(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    streams: BTreeMap<StreamName, StreamStatus>,
    skipped: u64,
}

impl Status {
    pub(super) fn all(&self) -> Vec<StreamStatus> {
        self.lock().streams.values().cloned().collect()
    }

    /// These records were read, up to a place in words.
    pub(super) fn read(&self, records: &[Record], place: &str) {
        let streams = &mut self.lock().streams;
        for run in records.chunk_by(|a, b| a.stream == b.stream) {
            let status = entry(streams, &run[0].stream);
            let snapshot = run.iter().any(|record| record.operation == Operation::Snapshot);
            let mode = if snapshot { "snapshot" } else { "cdc" };
            mode.clone_into(&mut status.mode);
            place.clone_into(&mut status.position);
            status.records += run.len() as u64;
        }
    }

    /// Something went wrong that does not end the read.
    pub(super) fn trouble(&self, stream: &StreamName, what: &str) {
        let mut inner = self.lock();
        let status = entry(&mut inner.streams, stream);
        status.last_error = Some(what.to_owned());
        status.last_error_at = Some(SystemTime::now());
    }

    /// Something was left out.
    pub(super) fn skipped(&self, stream: &StreamName, what: &str) {
        let skipped = self.count_skipped();
        tracing::warn!("{what} ({skipped} skipped in this run)");
        self.trouble(stream, &format!("{what} ({skipped} skipped in this run)"));
    }

    fn count_skipped(&self) -> u64 {
        let mut inner = self.lock();
        inner.skipped += 1;
        inner.skipped
    }

    /// Held for a few statements that cannot panic half-way.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry<'a>(
    streams: &'a mut BTreeMap<StreamName, StreamStatus>,
    stream: &StreamName,
) -> &'a mut StreamStatus {
    streams
        .entry(stream.clone())
        .or_insert_with(|| StreamStatus::new(stream.clone(), "snapshot"))
}
