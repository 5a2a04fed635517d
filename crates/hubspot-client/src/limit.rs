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
//!
//! The day has a limit too: HubSpot's, which it tells by a 429, and one of one's own ([`Daily::max_calls`]), which is
//! never exceeded. When either is reached, the limit layer refuses at once, and the layer outside of retries
//! ([`NextDay`]) sleeps until the account's midnight, so that no retry is spent on waiting. [`RateLimiter::day`] shows it.

mod clock;
mod day;
mod learn;
mod ledger;
mod next_day;
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
use tokio::sync::watch;

pub(crate) use self::next_day::NextDay;
pub use self::{
    clock::WallClock,
    day::{DayOver, DayStatus},
    ledger::{CallLedger, MemoryLedger},
    route::Policy,
    stats::{DailyCalls, LimitStats, PolicyStats},
};
use self::{
    permit::{NoTurn, Permit},
    route::Route,
    state::State,
};
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
    /// How long to send nothing once HubSpot says that the day's calls are used up, before one call finds out whether
    /// the day is over, where the account's midnight is not known: until the account's details were read once, or
    /// when HubSpot still refuses after it. Default 10 min.
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

/// How many calls a day, and where they are counted. The day is the account's: it ends at midnight in its time zone,
/// which is learned from the account's details, and taken to be UTC until then.
#[derive(Clone, Debug)]
pub struct Daily {
    /// The most calls to make a day, never exceeded. Default: none but HubSpot's own limit.
    pub max_calls: Option<u64>,
    /// Where they are counted, if there is a most. Default: in memory.
    pub ledger: Arc<dyn CallLedger>,
    /// What time it is. Default: what the machine says.
    pub clock: WallClock,
}

impl Default for Daily {
    fn default() -> Self {
        Self {
            max_calls: None,
            ledger: Arc::new(MemoryLedger::default()),
            clock: WallClock::default(),
        }
    }
}

/// Gives requests their turn. Cheap to clone; clones are the same limiter.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    state: Arc<Mutex<State>>,
    ledger: Arc<dyn CallLedger>,
    day: watch::Sender<DayStatus>,
}

impl RateLimiter {
    /// A limiter that knows nothing of the account yet.
    pub fn new(limits: Limits) -> Self {
        Self::with_daily(limits, Daily::default())
    }

    /// The same with a ceiling for the day.
    pub fn with_daily(limits: Limits, daily: Daily) -> Self {
        Self {
            state: Arc::new(Mutex::new(State::new(limits, &daily))),
            ledger: daily.ledger,
            day: watch::Sender::default(),
        }
    }

    /// Figures for a status page.
    pub fn stats(&self) -> LimitStats {
        self.lock().stats()
    }

    /// Whether there are calls left today, now and whenever that changes.
    pub fn day(&self) -> watch::Receiver<DayStatus> {
        self.day.subscribe()
    }

    /// Tells whoever watches, if there is news.
    fn publish(&self, state: &State) {
        let status = state.day_status();
        self.day.send_if_modified(|known| {
            let news = *known != status;
            *known = status;
            news
        });
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
        let (kind, cause) = match self.limiter.acquire(route, priority).await {
            Ok(permit) => return self.send(request, permit).await,
            Err(NoTurn::DayIsOver) => (HttpErrorKind::DailyLimit, None),
            Err(NoTurn::NoLedger(cause)) => (HttpErrorKind::Ledger, Some(cause)),
        };
        let error = HttpError::new(kind, &request);
        Err(match cause {
            Some(cause) => error.caused_by(cause),
            None => error,
        })
    }
}

impl Limit {
    async fn send(&self, request: Request, permit: Permit) -> Result<Response, HttpError> {
        let tells_zone = learn::tells_zone(&request);
        // From here the permit is given back when it is dropped, also when this future is.
        let result = self.inner.call(request).await;
        match &result {
            Ok(response) => permit.answered(response, tells_zone),
            Err(error) if error.kind().never_sent() => permit.refund(),
            Err(_) => drop(permit),
        }
        result
    }
}

#[cfg(test)]
mod tests;
