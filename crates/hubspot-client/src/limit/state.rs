//! All windows of one token and the day's budget, behind one short lock.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::Instant};

use super::{
    Limits,
    route::{Policy, Route},
    stats::{DailyCalls, LimitStats, PolicyStats},
    window::{Departure, Room, Turn, Window},
};

#[derive(Debug)]
pub(super) struct State {
    windows: [Window; 3],
    next_turn: u64,
    pub(super) calls: u64,
    pub(super) daily: Option<DailyCalls>,
    /// The day's calls are used up; one call may look again at this instant.
    daily_closed_until: Option<Instant>,
    daily_probe: Duration,
}

/// The day's calls are used up.
#[derive(Debug)]
pub(super) struct DayIsOver;

impl State {
    pub(super) fn new(limits: Limits) -> Self {
        const TEN_SECONDS: Duration = Duration::from_secs(10);
        const SECOND: Duration = Duration::from_secs(1);
        let Limits {
            burst,
            search,
            associations,
            use_share,
            daily_probe,
        } = limits;
        let window = |max, interval| Window::new(max, interval, use_share);
        Self {
            windows: [
                window(burst, TEN_SECONDS),
                window(search, SECOND),
                window(associations, TEN_SECONDS),
            ],
            next_turn: 0,
            calls: 0,
            daily: None,
            daily_closed_until: None,
            daily_probe,
        }
    }

    pub(super) fn window(&mut self, policy: Policy) -> &mut Window {
        &mut self.windows[policy.index()]
    }

    /// Queues a waiter in every window of its route.
    pub(super) fn enqueue(&mut self, route: Route, priority: super::Priority, waiter: &Arc<Notify>) -> Turn {
        let turn = (priority, self.next_turn);
        self.next_turn += 1;
        for policy in route.policies() {
            self.window(*policy).queue.insert(turn, Arc::clone(waiter));
        }
        turn
    }

    /// Takes a waiter out, whether it got its turn or gave up, and lets the next one look.
    pub(super) fn dequeue(&mut self, route: Route, turn: Turn) {
        for policy in route.policies() {
            self.window(*policy).queue.remove(&turn);
        }
        self.wake(route);
    }

    pub(super) fn wake(&self, route: Route) {
        for policy in route.policies() {
            self.windows[policy.index()].wake_head();
        }
    }

    /// Whether it is this waiter's turn. The lowest turn of all is first in each of its queues, so nobody waits in a
    /// circle.
    pub(super) fn room(&mut self, route: Route, turn: Turn, now: Instant) -> Result<Room, DayIsOver> {
        if self.daily_closed_until.is_some_and(|until| until > now) {
            return Err(DayIsOver);
        }
        let mut latest = Room::Now;
        for policy in route.policies() {
            let window = self.window(*policy);
            if !window.is_head(turn) {
                return Ok(Room::AfterAnswer);
            }
            latest = later(latest, window.room(now));
        }
        Ok(latest)
    }

    /// Takes a slot in every window of the route. If the day was over, this is the one call that looks again.
    pub(super) fn take(&mut self, route: Route, now: Instant) -> Departure {
        self.calls += 1;
        if self.daily_closed_until.is_some() {
            self.daily_closed_until = Some(now + self.daily_probe);
        }
        let mut departures = route
            .policies()
            .iter()
            .map(|policy| self.windows[policy.index()].take(now));
        let main = departures.next().expect("every route has a window");
        departures.for_each(drop);
        main
    }

    pub(super) fn close_day(&mut self, now: Instant) {
        self.daily_closed_until = Some(now + self.daily_probe);
        // Whoever waits is told, one by one: each that leaves wakes the next.
        self.windows.iter().for_each(Window::wake_head);
    }

    pub(super) fn open_day(&mut self) {
        self.daily_closed_until = None;
    }

    pub(super) fn stats(&mut self) -> LimitStats {
        let now = Instant::now();
        let policies = Policy::ALL.map(|policy| self.policy_stats(policy, now)).to_vec();
        let day_is_over = self.daily_closed_until.is_some();
        LimitStats {
            calls: self.calls,
            policies,
            daily: self.daily,
            day_is_over,
        }
    }

    fn policy_stats(&mut self, policy: Policy, now: Instant) -> PolicyStats {
        let window = self.window(policy);
        PolicyStats {
            policy,
            max: window.max,
            interval: window.interval,
            held: window.held(now),
            foreign: window.foreign(now),
            queued: window.queue.len(),
            calls: window.granted(),
            waits: window.waits,
            waited: window.waited,
            refused: window.refused,
        }
    }
}

fn later(one: Room, other: Room) -> Room {
    match (one, other) {
        (Room::AfterAnswer, _) | (_, Room::AfterAnswer) => Room::AfterAnswer,
        (Room::At(a), Room::At(b)) => Room::At(a.max(b)),
        (Room::At(a), Room::Now) | (Room::Now, Room::At(a)) => Room::At(a),
        (Room::Now, Room::Now) => Room::Now,
    }
}
