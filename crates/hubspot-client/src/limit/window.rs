//! One limit: slots in use, slots cooling down, and who waits. No clock and no I/O: every method is told the time.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::Priority;

/// A place in a queue: by class, then by arrival.
pub(super) type Turn = (Priority, u64);

/// When there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Now,
    /// Not before this instant.
    At(Instant),
    /// Only once an answer comes back: every slot is out.
    AfterAnswer,
}

/// What a window knew when a request left; needed to understand the `Remaining` that comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Departure {
    /// Slots held then, this one included.
    pub(super) held: u32,
    /// Grants ever made until then.
    pub(super) granted: u64,
}

#[derive(Debug)]
pub(super) struct Window {
    pub(super) max: u32,
    pub(super) interval: Duration,
    share: f64,
    in_flight: u32,
    /// When each answered request's slot is free again; ascending.
    cooling: VecDeque<Instant>,
    /// Requests of other programs that HubSpot told of, and until when they count.
    foreign: u32,
    foreign_until: Option<Instant>,
    /// After a 429: nobody before this.
    closed_until: Option<Instant>,
    granted: u64,
    pub(super) queue: BTreeMap<Turn, Arc<Notify>>,
    pub(super) waits: u64,
    pub(super) waited_for: Duration,
    pub(super) refused: u64,
}

impl Window {
    pub(super) fn new(max: u32, interval: Duration, share: f64) -> Self {
        Self {
            max,
            interval,
            share,
            in_flight: 0,
            cooling: VecDeque::new(),
            foreign: 0,
            foreign_until: None,
            closed_until: None,
            granted: 0,
            queue: BTreeMap::new(),
            waits: 0,
            waited_for: Duration::ZERO,
            refused: 0,
        }
    }

    /// Slots that are ours to use.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a u32 between 0 and 1 is a u32"
    )]
    fn own_max(&self) -> u32 {
        ((f64::from(self.max) * self.share) as u32).max(1)
    }

    /// Slots held: requests out, and answers younger than an interval.
    pub(super) fn held(&mut self, now: Instant) -> u32 {
        while self.cooling.front().is_some_and(|free| *free <= now) {
            self.cooling.pop_front();
        }
        self.in_flight + u32::try_from(self.cooling.len()).expect("never more than `max` slots cool")
    }

    pub(super) fn foreign(&mut self, now: Instant) -> u32 {
        if self.foreign_until.is_some_and(|until| until <= now) {
            (self.foreign, self.foreign_until) = (0, None);
        }
        self.foreign
    }

    pub(super) fn room(&mut self, now: Instant) -> Room {
        let (held, foreign) = (self.held(now), self.foreign(now));
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Room::At(until);
        }
        let full_of_ours = held >= self.own_max();
        if !full_of_ours && held + foreign < self.max {
            return Room::Now;
        }
        let others_leave = self.foreign_until.filter(|_| !full_of_ours);
        let next = self
            .cooling
            .front()
            .copied()
            .into_iter()
            .chain(others_leave)
            .min();
        next.map_or(Room::AfterAnswer, Room::At)
    }

    pub(super) fn take(&mut self, now: Instant) -> Departure {
        self.in_flight += 1;
        self.granted += 1;
        Departure {
            held: self.held(now),
            granted: self.granted,
        }
    }

    /// A request that goes now has waited this long.
    pub(super) fn waited(&mut self, time: Duration) {
        self.waits += u64::from(!time.is_zero());
        self.waited_for += time;
    }

    /// An answer came, or will not: the slot cools for an interval.
    pub(super) fn cool(&mut self, now: Instant) {
        let free = now + self.interval;
        let place = self.cooling.partition_point(|other| *other <= free);
        self.cooling.insert(place, free);
        self.in_flight -= 1;
    }

    /// Nothing was sent: the slot is free at once.
    pub(super) fn refund(&mut self) {
        self.in_flight -= 1;
    }

    /// HubSpot refused: nobody goes before `until`.
    pub(super) fn close(&mut self, until: Instant) {
        self.refused += 1;
        self.closed_until = self.closed_until.max(Some(until));
    }

    /// HubSpot said how many requests its window still takes. What it counted beyond all that can be ours is others'.
    ///
    /// Ours are at most those held when this request left, and those granted since. So a late answer can hide other
    /// programs for a while, but never invent them.
    pub(super) fn remaining(&mut self, remaining: u32, departure: Departure, now: Instant) {
        let since = u32::try_from(self.granted - departure.granted).unwrap_or(u32::MAX);
        let ours = departure.held.saturating_add(since);
        self.foreign = self.max.saturating_sub(remaining).saturating_sub(ours);
        self.foreign_until = (self.foreign > 0).then_some(now + self.interval);
    }

    pub(super) fn granted(&self) -> u64 {
        self.granted
    }

    pub(super) fn is_head(&self, turn: Turn) -> bool {
        self.queue
            .first_key_value()
            .is_some_and(|(first, _)| *first == turn)
    }

    pub(super) fn wake_head(&self) {
        if let Some((_, waiter)) = self.queue.first_key_value() {
            waiter.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    fn second(start: Instant, n: u64) -> Instant {
        start + Duration::from_secs(n)
    }

    #[test]
    fn a_slot_is_held_until_an_interval_after_its_answer() {
        let (mut window, start) = (Window::new(1, TEN, 1.0), Instant::now());
        window.take(start);
        assert_eq!(window.room(second(start, 100)), Room::AfterAnswer);
        window.cool(second(start, 100));
        assert_eq!(window.room(second(start, 101)), Room::At(second(start, 110)));
        assert_eq!(window.room(second(start, 110)), Room::Now);
    }

    #[test]
    fn a_share_leaves_the_rest_and_at_least_one() {
        let start = Instant::now();
        let mut half = Window::new(4, TEN, 0.5);
        half.take(start);
        assert_eq!(half.room(start), Room::Now);
        half.take(start);
        assert_eq!(half.room(start), Room::AfterAnswer);
        assert_eq!(Window::new(4, TEN, 0.1).room(start), Room::Now);
    }

    #[test]
    fn requests_of_others_take_room_until_they_are_old() {
        let (mut window, start) = (Window::new(10, TEN, 1.0), Instant::now());
        let departure = window.take(start);
        window.cool(start);
        // HubSpot has room for none, and one of the ten is ours.
        window.remaining(0, departure, start);
        assert_eq!(window.foreign(start), 9);
        assert_eq!(window.room(start), Room::At(second(start, 10)));
        assert_eq!(window.foreign(second(start, 9)), 9);
        assert_eq!(window.foreign(second(start, 10)), 0);
        for _ in 0..10 {
            assert_eq!(
                window.room(second(start, 10)),
                Room::Now,
                "all ten are ours again"
            );
            window.take(second(start, 10));
        }
        assert_eq!(window.room(second(start, 10)), Room::AfterAnswer);
    }

    #[test]
    fn our_own_late_answers_are_not_taken_for_others() {
        let (mut window, start) = (Window::new(10, TEN, 1.0), Instant::now());
        let departures: Vec<_> = (0..10).map(|_| window.take(start)).collect();
        for (n, departure) in departures.into_iter().enumerate() {
            let now = second(start, 9);
            window.cool(now);
            // Every answer was counted when all ten were out.
            window.remaining(0, departure, second(start, 25));
            assert_eq!(window.foreign(second(start, 25)), 0, "answer {n}");
        }
    }

    #[test]
    fn a_gate_closes_for_the_longest_of_its_refusals() {
        let (mut window, start) = (Window::new(10, TEN, 1.0), Instant::now());
        window.close(second(start, 5));
        window.close(second(start, 3));
        assert_eq!(window.room(start), Room::At(second(start, 5)));
        assert_eq!(window.room(second(start, 5)), Room::Now);
    }
}
