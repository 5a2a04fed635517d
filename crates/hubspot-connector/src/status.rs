//! What the streams of a source are doing, for a person who asks.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hubspot_client::{Client, Waiting};
use jiff::Timestamp;
use opencdc::{Error, ErrorKind, StreamName, StreamStatus, Trouble};
use tokio::time::Instant;

use crate::position::{Cdc, StreamPosition};

/// The state of every stream, written by the parts of a read. Cheap to clone; clones are the same board.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<Mutex<BTreeMap<StreamName, Line>>>);

/// One stream.
#[derive(Debug)]
struct Line {
    status: StreamStatus,
    /// Everything that changed before this instant has been read. The lag is the time since then, so that it grows
    /// while HubSpot does not answer.
    current_at: Option<Instant>,
    /// The client that reads the stream, for its calls.
    client: Option<Client>,
    /// The calls of the clients before it.
    earlier_calls: u64,
}

impl Line {
    fn status(&self) -> StreamStatus {
        let mut status = self.status.clone();
        status.lag = self.current_at.map(|at| at.elapsed());
        status.calls = self.calls();
        let waiting = self.client.as_ref().and_then(Client::waiting);
        if let Some(waiting) = waiting.filter(|_| status.trouble.is_none()) {
            status.fail(trouble(waiting));
        }
        status
    }

    fn calls(&self) -> u64 {
        self.earlier_calls + self.client.as_ref().map_or(0, Client::calls)
    }
}

/// A request that the client repeats by itself.
fn trouble(waiting: Waiting) -> Trouble {
    Trouble {
        kind: ErrorKind::Unreachable.as_str().to_owned(),
        message: waiting.why,
        hint: None,
        at: waiting.at,
        retry_at: Some(waiting.until),
    }
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<StreamName, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All streams, by name.
    pub(crate) fn all(&self) -> Vec<StreamStatus> {
        self.lock().values().map(Line::status).collect()
    }

    fn change(&self, stream: &StreamName, change: impl FnOnce(&mut Line)) {
        let mut all = self.lock();
        change(all.entry(stream.clone()).or_insert_with(|| Line {
            status: StreamStatus::new(stream.clone(), "waiting"),
            current_at: None,
            client: None,
            earlier_calls: 0,
        }));
    }

    /// A stream is read with this client, which counts its calls by itself.
    pub(crate) fn reads(&self, stream: &StreamName, client: &Client) {
        self.change(stream, |line| {
            line.earlier_calls = line.calls();
            line.client = Some(client.clone());
        });
    }

    /// A stream is at this position now.
    pub(crate) fn at(&self, stream: &StreamName, state: &StreamPosition) {
        self.change(stream, |line| {
            state.mode().clone_into(&mut line.status.mode);
            line.status.position = describe(state);
            if !matches!(state, StreamPosition::Cdc(_)) {
                line.current_at = None;
            }
        });
    }

    /// A feed has more to read, up to a time that is so long ago.
    pub(crate) fn behind(&self, stream: &StreamName, lag: Duration) {
        self.change(stream, |line| line.current_at = Instant::now().checked_sub(lag));
    }

    /// Everything that HubSpot showed has been read.
    pub(crate) fn caught_up(&self, stream: &StreamName) {
        self.change(stream, |line| {
            line.current_at = Some(Instant::now());
            line.status.recover();
        });
    }

    /// So many records of a stream were handed out.
    pub(crate) fn count(&self, stream: &StreamName, records: u64) {
        self.change(stream, |line| line.status.records += records);
    }

    /// A stream could not be read; it is tried again at a time, or not.
    pub(crate) fn failed(&self, stream: &StreamName, error: &Error, retry_in: Option<Duration>) {
        self.change(stream, |line| line.status.fail(Trouble::of(error, retry_in)));
    }

    /// A part of a read, whose name need not be a stream's, got an answer again.
    pub(crate) fn recovered(&self, part: &StreamName) {
        if let Some(line) = self.lock().get_mut(part) {
            line.status.recover();
        }
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
