//! What the parts of one read share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hubspot_client::Client;
use jiff::{SignedDuration, Timestamp};
use opencdc::{Record, StreamName};
use tokio::sync::{Mutex as Gate, OwnedMutexGuard, Semaphore};
use tokio::time::Instant;

use super::step::Goal;
use crate::discovery::Discovery;
use crate::known::{Edit, SharedKnown};
use crate::position::{HubspotPosition, StreamPosition};
use crate::status::Board;

/// Snapshots that are taken at the same time. Pages of one list come one after the other, so latency rules a walk
/// (hubspot-api notes §6.3); a few at once fill the wait, and the client's limiter bounds them all.
const SNAPSHOTS_AT_ONCE: usize = 4;

/// Records that some streams yielded, where those streams stand after them, and what is known then.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) states: Vec<(StreamName, StreamPosition)>,
    pub(super) records: Vec<Record>,
    pub(super) edits: Vec<Edit>,
    /// The account's definitions from here on.
    pub(super) shape: Option<Arc<Discovery>>,
}

/// What the parts of one read share. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) portal_id: Arc<str>,
    pub(super) goal: Goal,
    /// A time that is surely past at HubSpot: what exists by then will be seen by a walk that begins now.
    pub(super) cutoff: Timestamp,
    /// When this read began, for as long as HubSpot does not say what time it is.
    began: (Timestamp, Instant),
    pub(super) known: SharedKnown,
    pub(super) board: Board,
    /// Every selected stream; `None` fields means all.
    pub(super) selected: Arc<BTreeMap<StreamName, Option<Vec<String>>>>,
    /// Whether streams that are found while reading are wanted too.
    pub(super) takes_new_streams: bool,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    shape: RwLock<Arc<Discovery>>,
    /// As of what was handed out last.
    position: Mutex<HubspotPosition>,
    gates: Mutex<BTreeMap<StreamName, Arc<Gate<()>>>>,
    snapshots: Arc<Semaphore>,
}

/// What a context is made of.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) portal_id: Arc<str>,
    pub(super) goal: Goal,
    pub(super) cutoff: Timestamp,
    pub(super) takes_new_streams: bool,
    pub(super) known: SharedKnown,
    pub(super) board: Board,
    pub(super) selected: BTreeMap<StreamName, Option<Vec<String>>>,
    pub(super) shape: Arc<Discovery>,
    pub(super) position: HubspotPosition,
}

impl Context {
    pub(super) fn new(facts: Facts) -> Self {
        Self {
            portal_id: facts.portal_id,
            goal: facts.goal,
            cutoff: facts.cutoff,
            began: (Timestamp::now(), Instant::now()),
            takes_new_streams: facts.takes_new_streams,
            known: facts.known,
            board: facts.board,
            selected: Arc::new(facts.selected),
            shared: Arc::new(Shared {
                shape: RwLock::new(facts.shape),
                position: Mutex::new(facts.position),
                gates: Mutex::default(),
                snapshots: Arc::new(Semaphore::new(SNAPSHOTS_AT_ONCE)),
            }),
        }
    }

    /// The account's definitions, as the destination was last prepared for them.
    pub(super) fn shape(&self) -> Arc<Discovery> {
        Arc::clone(&self.shared.shape.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is_selected(&self, stream: &StreamName) -> bool {
        self.selected.contains_key(stream) || (self.takes_new_streams && !self.selected.is_empty())
    }

    /// What time it is at HubSpot, going by its last answer; else by this machine.
    pub(super) fn now(&self, client: &Client) -> Timestamp {
        let (began, at) = self.began;
        let here = || began.saturating_add(SignedDuration::try_from(at.elapsed()).unwrap_or_default());
        client.server_time().unwrap_or_else(|| here().unwrap_or(began))
    }

    /// The later of HubSpot's time and this machine's: what is later still, no clock has shown.
    pub(super) fn latest(&self, client: &Client) -> Timestamp {
        let (began, at) = self.began;
        let here = began.saturating_add(SignedDuration::try_from(at.elapsed()).unwrap_or_default());
        let here = here.unwrap_or(began);
        client.server_time().map_or(here, |server| server.max(here))
    }

    /// The wanted fields of a stream; `None` means all.
    pub(super) fn fields_of(&self, stream: &StreamName) -> Option<&[String]> {
        self.selected.get(stream)?.as_deref()
    }

    /// Where a stream stands, as of what was handed out last.
    pub(super) fn position_of(&self, stream: &StreamName) -> Option<StreamPosition> {
        self.position().streams.get(stream).cloned()
    }

    fn position(&self) -> std::sync::MutexGuard<'_, HubspotPosition> {
        self.shared
            .position
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings into force what is being handed out.
    pub(super) fn hand_out(&self, progress: Progress) -> opencdc::Batch {
        let mut position = self.position();
        position.streams.extend(progress.states);
        let notes = self.known.lock().apply(progress.edits);
        let catalog = progress.shape.map(|shape| {
            let catalog = Arc::new(shape.catalog.clone());
            *self.shared.shape.write().unwrap_or_else(PoisonError::into_inner) = shape;
            catalog
        });
        opencdc::Batch {
            notes,
            catalog,
            ..opencdc::Batch::new(progress.records, position.to_position()).current()
        }
    }

    /// Waits until nobody else reads and compares these association streams. Held until the difference has been handed
    /// out: of two that read the same, the one that read first would undo the other.
    pub(super) async fn gates(
        &self,
        streams: impl IntoIterator<Item = StreamName>,
    ) -> Vec<OwnedMutexGuard<()>> {
        // In one order for all, so that nobody waits in a circle.
        let streams: BTreeSet<_> = streams.into_iter().collect();
        let mut held = Vec::with_capacity(streams.len());
        for stream in streams {
            let gate = {
                let mut gates = self.shared.gates.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(gates.entry(stream).or_default())
            };
            held.push(gate.lock_owned().await);
        }
        held
    }

    /// Waits for the turn to take a snapshot.
    pub(super) async fn snapshot_turn(&self) -> tokio::sync::OwnedSemaphorePermit {
        let turn = Arc::clone(&self.shared.snapshots).acquire_owned().await;
        turn.expect("the semaphore is never closed")
    }
}
