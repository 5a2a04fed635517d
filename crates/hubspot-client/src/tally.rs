//! What a client has asked, and what it waits for: figures for people.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// A request that was not answered and will be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What came back, such as `HubSpot answered 503`. Holds no secret.
    pub why: String,
    /// When that was.
    pub at: SystemTime,
    /// When the request is sent again.
    pub until: SystemTime,
}

/// Counts the calls of a client and its clones. Goes along with each request, so that the retry layer counts attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    calls: AtomicU64,
    waiting: Mutex<Option<Waiting>>,
}

impl Tally {
    pub(crate) fn count(&self) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn calls(&self) -> u64 {
        self.0.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn waiting(&self) -> Option<Waiting> {
        self.lock().clone()
    }

    /// A request failed and is sent again after `wait`.
    pub(crate) fn wait(&self, why: String, wait: Duration) {
        let at = SystemTime::now();
        let until = at.checked_add(wait).unwrap_or(at);
        *self.lock() = Some(Waiting { why, at, until });
    }

    /// A request was answered, or given up, which its error tells.
    pub(crate) fn settled(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
