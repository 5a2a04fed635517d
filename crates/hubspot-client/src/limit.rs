//! Waiting one's turn, so that HubSpot never has to say 429.
//!
//! One [`RateLimiter`] per token. Each limit of HubSpot's is a [`Window`](window::Window): at most `max` requests in any
//! `interval` that slides. A request holds a slot from before it is sent until its answer plus one interval: HubSpot
//! counted it somewhere in between, so its window never sees more than `max`, whatever the network does to the order.
//!
//! Limits are learned from headers, a 429 closes the gate of its window for everybody, and the calls of other programs
//! with the same token show as a `Remaining` that is lower than ours can explain. Waiting is by class
//! ([`Priority`]) and first come, first served inside one; a waiter that is dropped leaves no trace.
//! Facts: hubspot-api notes §3.2.

mod learn;
mod permit;
mod route;
mod state;
mod stats;
mod window;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;

pub use self::{
    route::Policy,
    stats::{DailyCalls, LimitStats, PolicyStats},
};
use self::{route::Route, state::State};
use crate::{
    error::Error,
    http::{HttpError, HttpErrorKind, HttpService, Request, Response},
};

/// Who goes first when there is not enough for all. Travels as an extension of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Somebody is waiting for the answer.
    #[default]
    Interactive,
    /// Changes, which should be fresh.
    Cdc,
    /// A snapshot, which takes its time anyway.
    Snapshot,
}

/// What to begin with, and how much of it to use. HubSpot's headers correct the numbers on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests per 10 s. Default 100, what a free account has.
    pub burst: u32,
    /// Searches per second. Default 5, which all programs of the account share.
    pub search: u32,
    /// Association calls per 10 s. Default 100, what a free account has.
    pub associations: u32,
    /// The part of each limit to use, above 0 and at most 1. Default 1; less leaves room for other programs.
    pub use_share: f64,
    /// How long to send nothing once the day's calls are used up, before one call finds out whether the day is over.
    /// Default 10 min: midnight is in the account's time zone, which a limiter does not know.
    pub daily_probe: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            burst: 100,
            search: 5,
            associations: 100,
            use_share: 1.0,
            daily_probe: Duration::from_mins(10),
        }
    }
}

impl Limits {
    /// # Errors
    /// [`Error::Invalid`] when a number cannot work.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !(self.use_share > 0.0 && self.use_share <= 1.0) {
            return Err(Error::Invalid(
                "`use_share` must be above 0 and at most 1".to_owned(),
            ));
        }
        if [self.burst, self.search, self.associations].contains(&0) {
            return Err(Error::Invalid("a limit must be at least 1".to_owned()));
        }
        Ok(())
    }
}

/// Gives requests their turn. Cheap to clone; clones are the same limiter.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    state: Arc<Mutex<State>>,
}

impl RateLimiter {
    /// A limiter that knows nothing of the account yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            state: Arc::new(Mutex::new(State::new(limits))),
        }
    }

    /// Figures for a status page.
    pub fn stats(&self) -> LimitStats {
        self.lock().stats()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("nothing panics while it holds this lock")
    }
}

/// The layer: every attempt waits for its turn.
#[derive(Debug)]
pub(crate) struct Limit {
    inner: Arc<dyn HttpService>,
    limiter: RateLimiter,
}

impl Limit {
    pub(crate) fn new(inner: Arc<dyn HttpService>, limiter: RateLimiter) -> Self {
        Self { inner, limiter }
    }
}

#[async_trait]
impl HttpService for Limit {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let route = Route::of(request.uri().path());
        let priority = request.extensions().get().copied().unwrap_or_default();
        let Ok(permit) = self.limiter.acquire(route, priority).await else {
            return Err(HttpError::new(HttpErrorKind::DailyLimit, &request));
        };
        // From here the permit is given back when it is dropped, also when this future is.
        let result = self.inner.call(request).await;
        match &result {
            Ok(response) => permit.answered(response),
            Err(error) if error.kind().never_sent() => permit.refund(),
            Err(_) => drop(permit),
        }
        result
    }
}

#[cfg(test)]
mod tests;
