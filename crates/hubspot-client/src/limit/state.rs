//! All windows of one token and the day's calls, behind one short lock.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time::Instant};

use super::{
    Daily, Limits,
    clock::WallClock,
    day::{Claim, Day, DayStatus, Portion},
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
    pub(super) day: Day,
    clock: WallClock,
}

/// What becomes of a waiter that looks.
#[derive(Debug)]
pub(super) enum Look {
    /// It goes.
    Go(Departure),
    /// It waits for room.
    Wait(Room),
    /// Some of the day's calls are to be taken out of the ledger first.
    Take(Portion),
    /// The day's calls are used up.
    DayIsOver,
}

impl State {
    pub(super) fn new(limits: Limits, daily: &Daily) -> Self {
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
            day: Day::new(daily.max_calls, daily_probe),
            clock: daily.clock,
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

    /// Lets a waiter look whether it is its turn. If it goes, it holds a slot in every window of its route.
    pub(super) fn look(&mut self, route: Route, turn: Turn, now: Instant) -> Look {
        let wall = self.clock.now();
        if self.day.status(wall) != DayStatus::Open {
            return Look::DayIsOver;
        }
        match self.room(route, turn, now) {
            Room::Now => match self.day.claim(wall) {
                Claim::Granted => Look::Go(self.take(route, now)),
                Claim::Take(portion) => Look::Take(portion),
                Claim::Over => Look::DayIsOver,
            },
            room => Look::Wait(room),
        }
    }

    /// Whether it is this waiter's turn. The lowest turn of all is first in each of its queues, so nobody waits in a
    /// circle.
    fn room(&mut self, route: Route, turn: Turn, now: Instant) -> Room {
        let mut latest = Room::Now;
        for policy in route.policies() {
            let window = self.window(*policy);
            if !window.is_head(turn) {
                return Room::AfterAnswer;
            }
            latest = later(latest, window.room(now));
        }
        latest
    }

    fn take(&mut self, route: Route, now: Instant) -> Departure {
        self.calls += 1;
        let mut departures = route
            .policies()
            .iter()
            .map(|policy| self.windows[policy.index()].take(now));
        let main = departures.next().expect("every route has a window");
        departures.for_each(drop);
        main
    }

    /// A request was not sent: neither its slots nor its call are used.
    pub(super) fn refund(&mut self, route: Route) {
        for policy in route.policies() {
            self.window(*policy).refund();
        }
        self.day.refund(self.clock.now());
    }

    pub(super) fn close_day(&mut self) {
        self.day.refuse(self.clock.now());
    }

    /// Lets the first of each queue look. Each that leaves lets the next.
    pub(super) fn wake_all(&self) {
        self.windows.iter().for_each(Window::wake_head);
    }

    pub(super) fn day_status(&self) -> DayStatus {
        self.day.status(self.clock.now())
    }

    /// How long until there may be calls again; `None` when there are.
    pub(super) fn until_next_day(&self) -> Option<Duration> {
        match self.day_status() {
            DayStatus::Open => None,
            DayStatus::Over { until, .. } => {
                let wait = until.duration_since(self.clock.now());
                Some(Duration::try_from(wait).unwrap_or_default())
            }
        }
    }

    pub(super) fn locate(&mut self, details: &[u8]) {
        if let Some(zone) = super::day::zone(details) {
            self.day.locate(zone, self.clock.now());
        }
    }

    pub(super) fn stats(&mut self) -> LimitStats {
        let now = Instant::now();
        let policies = Policy::ALL.map(|policy| self.policy_stats(policy, now)).to_vec();
        let day_is_over = self.day.is_refused() || self.day_status() != DayStatus::Open;
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
            waited: window.waited_for,
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
