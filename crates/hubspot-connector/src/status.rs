//! What the streams of a source are doing, for a person who asks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use opencdc::{Error, StreamName, StreamStatus};

use crate::position::{Cdc, StreamPosition};

/// The state of every stream, written by the parts of a read. Cheap to clone; clones are the same board.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<Mutex<BTreeMap<StreamName, StreamStatus>>>);

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamName, StreamStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All streams, by name.
    pub(crate) fn all(&self) -> Vec<StreamStatus> {
        self.lock().values().cloned().collect()
    }

    fn change(&self, stream: &StreamName, change: impl FnOnce(&mut StreamStatus)) {
        let mut all = self.lock();
        change(
            all.entry(stream.clone())
                .or_insert_with(|| StreamStatus::new(stream.clone(), "waiting")),
        );
    }

    /// A stream is at this position now.
    pub(crate) fn at(&self, stream: &StreamName, state: &StreamPosition) {
        self.change(stream, |status| {
            state.mode().clone_into(&mut status.mode);
            status.position = describe(state);
            if !matches!(state, StreamPosition::Cdc(_)) {
                status.lag = None;
            }
        });
    }

    /// A feed has more to read, up to a time that is so long ago.
    pub(crate) fn behind(&self, stream: &StreamName, lag: Duration) {
        self.change(stream, |status| status.lag = Some(lag));
    }

    /// Everything that HubSpot showed has been read.
    pub(crate) fn caught_up(&self, stream: &StreamName) {
        self.change(stream, |status| {
            status.lag = Some(Duration::ZERO);
            status.retry_at = None;
        });
    }

    /// Records of a stream were handed out, and its reader has made so many calls in all.
    pub(crate) fn count(&self, stream: &StreamName, records: u64, calls: u64) {
        self.change(stream, |status| {
            status.records += records;
            status.calls = calls;
        });
    }

    /// A stream could not be read; it is tried again at a time, or not.
    pub(crate) fn failed(&self, stream: &StreamName, error: &Error, retry_in: Option<Duration>) {
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        self.change(stream, |status| {
            status.last_error = Some(format!("{error}{hint}"));
            status.last_error_at = Some(SystemTime::now());
            status.retry_at = retry_in.map(|wait| SystemTime::now() + wait);
        });
    }
}

/// A position in a few words.
fn describe(state: &StreamPosition) -> String {
    match state {
        StreamPosition::Snapshot(snapshot) => match &snapshot.item_id {
            Some(id) => format!("through id {id}"),
            None => "at the start".to_owned(),
        },
        StreamPosition::Cdc(cdc) => describe_cdc(cdc),
        StreamPosition::Complete(complete) => match &complete.open {
            Some(round) => format!("reading again, through id {}", round.through),
            None => format!("read whole at {}", second(complete.initial_timestamp)),
        },
    }
}

fn describe_cdc(cdc: &Cdc) -> String {
    let newest = cdc.realtime.timestamp.max(cdc.delayed.timestamp);
    let mut text = format!("changes up to {}", second(newest));
    for (rounds, what) in [(&cdc.archived, "recycle bin"), (&cdc.reconcile, "comparing all")] {
        if let Some(round) = &rounds.open {
            let _ = write!(text, ", {what} through id {}", round.through);
        }
    }
    text
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
