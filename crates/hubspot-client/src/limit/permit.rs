//! Getting a turn and giving it back, whatever becomes of the request.

use std::{error::Error as StdError, sync::Arc};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    Priority, RateLimiter,
    day::Portion,
    learn,
    route::Route,
    state::Look,
    window::{Departure, Room, Turn},
};
use crate::http::Response;

/// Why there is no turn.
#[derive(Debug)]
pub(super) enum NoTurn {
    /// The day's calls are used up.
    DayIsOver,
    /// The day's calls cannot be counted.
    NoLedger(Box<dyn StdError + Send + Sync>),
}

/// A place in the queues; leaves them when dropped.
struct Ticket<'a> {
    limiter: &'a RateLimiter,
    route: Route,
    turn: Turn,
    waiter: Arc<Notify>,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.limiter.lock().dequeue(self.route, self.turn);
    }
}

/// A slot in every window of a route; cools down when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: RateLimiter,
    route: Route,
    departure: Departure,
    never_sent: bool,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let (now, mut state) = (Instant::now(), self.limiter.lock());
        if self.never_sent {
            state.refund(self.route);
        } else {
            for policy in self.route.policies() {
                state.window(*policy).cool(now);
            }
        }
        state.wake(self.route);
    }
}

impl Permit {
    /// Learns from an answer, which may be the account's details.
    pub(super) fn answered(self, response: &Response, tells_zone: bool) {
        let mut state = self.limiter.lock();
        if tells_zone && response.status().is_success() {
            state.locate(response.body());
        }
        learn::from(response, &mut state, self.route, self.departure, Instant::now());
        self.limiter.publish(&state);
    }

    /// HubSpot cannot have counted it.
    pub(super) fn refund(mut self) {
        self.never_sent = true;
    }
}

impl RateLimiter {
    /// Waits for a turn. Dropping the future gives the place up.
    pub(super) async fn acquire(&self, route: Route, priority: Priority) -> Result<Permit, NoTurn> {
        let (start, ticket) = (Instant::now(), self.enqueue(route, priority));
        loop {
            match self.look(&ticket, start) {
                Look::Go(departure) => return Ok(self.permit(route, departure)),
                // Both branches may be dropped: neither holds anything, and a wake-up that is lost to the clock was
                // for looking again, which is what happens.
                Look::Wait(Room::At(instant)) => tokio::select! {
                    () = sleep_until(instant) => {}
                    () = ticket.waiter.notified() => {}
                },
                Look::Wait(_) => ticket.waiter.notified().await,
                Look::Take(portion) => self.take(&portion).await?,
                Look::DayIsOver => return Err(NoTurn::DayIsOver),
            }
        }
    }

    fn look(&self, ticket: &Ticket<'_>, start: Instant) -> Look {
        let (now, mut state) = (Instant::now(), self.lock());
        let look = state.look(ticket.route, ticket.turn, now);
        if matches!(look, Look::Go(_)) {
            state.window(ticket.route.main()).waited(now - start);
        }
        self.publish(&state);
        look
    }

    /// Takes some of the day's calls out of the ledger, for all who wait.
    async fn take(&self, portion: &Portion) -> Result<(), NoTurn> {
        let granted = self.ledger.take(&portion.day(), portion.calls, portion.max).await;
        let granted = granted.map_err(NoTurn::NoLedger)?;
        let mut state = self.lock();
        state.day.took(portion, granted);
        state.wake_all();
        self.publish(&state);
        Ok(())
    }

    fn permit(&self, route: Route, departure: Departure) -> Permit {
        Permit {
            limiter: self.clone(),
            route,
            departure,
            never_sent: false,
        }
    }

    fn enqueue(&self, route: Route, priority: Priority) -> Ticket<'_> {
        let waiter = Arc::new(Notify::new());
        let turn = self.lock().enqueue(route, priority, &waiter);
        Ticket {
            limiter: self,
            route,
            turn,
            waiter,
        }
    }
}
