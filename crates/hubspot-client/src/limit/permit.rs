//! Getting a turn and giving it back, whatever becomes of the request.

use std::sync::Arc;

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    Priority, RateLimiter, learn,
    route::Route,
    state::DayIsOver,
    window::{Departure, Room, Turn},
};
use crate::http::Response;

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
        for policy in self.route.policies() {
            let window = state.window(*policy);
            if self.never_sent {
                window.refund();
            } else {
                window.cool(now);
            }
        }
        state.wake(self.route);
    }
}

impl Permit {
    /// Learns from an answer.
    pub(super) fn answered(self, response: &Response) {
        let mut state = self.limiter.lock();
        learn::from(response, &mut state, self.route, self.departure, Instant::now());
    }

    /// HubSpot cannot have counted it.
    pub(super) fn refund(mut self) {
        self.never_sent = true;
    }
}

impl RateLimiter {
    /// Waits for a turn. Dropping the future gives the place up.
    pub(super) async fn acquire(&self, route: Route, priority: Priority) -> Result<Permit, DayIsOver> {
        let (start, ticket) = (Instant::now(), self.enqueue(route, priority));
        loop {
            match self.attempt(&ticket, start)? {
                Ok(permit) => return Ok(permit),
                // Both branches may be dropped: neither holds anything, and a wake-up that is lost to the clock was
                // for looking again, which is what happens.
                Err(Room::At(instant)) => tokio::select! {
                    () = sleep_until(instant) => {}
                    () = ticket.waiter.notified() => {}
                },
                Err(_) => ticket.waiter.notified().await,
            }
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

    fn attempt(&self, ticket: &Ticket<'_>, start: Instant) -> Result<Result<Permit, Room>, DayIsOver> {
        let (now, mut state) = (Instant::now(), self.lock());
        let room = state.room(ticket.route, ticket.turn, now)?;
        if room != Room::Now {
            return Ok(Err(room));
        }
        let departure = state.take(ticket.route, now);
        let window = state.window(ticket.route.main());
        if now > start {
            window.waits += 1;
            window.waited += now - start;
        }
        drop(state);
        let (limiter, route) = (self.clone(), ticket.route);
        Ok(Ok(Permit {
            limiter,
            route,
            departure,
            never_sent: false,
        }))
    }
}
