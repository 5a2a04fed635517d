//! What a stream does next. Pure: the state is the stored [`StreamPosition`] itself, and what this run has done.
//!
//! ```text
//!                    page, more
//!                     +-----+
//!                     v     |
//! nothing ------> Snapshot -+                  +--> poll: late feed, then early feed --+
//!                     | last page              |                                       |
//!                     v                        +--> a page of the recycle bin ---------+
//!                    Cdc --> what is due? -----+                                       |
//!                     ^                        +--> a page of all live records --------+
//!                     |                        |                                       |
//!                     |                        +--> a thousand records' associations --+
//!                     |                        |                                       |
//!                     |                        +--> wait, or the end                   |
//!                     +----------------------------------------------------------------+
//! ```
//!
//! Everything of one object type happens one after another, so nothing that was read earlier is delivered later
//! (invariant 4). Long walks are taken a page at a time, and polls go first, so that changes stay fresh. But never two polls
//! in a row while a walk is due: where searches are slower than the poll interval asks for them, a poll is always due.

use jiff::{SignedDuration, Timestamp};

use crate::config::rhythm::Rhythm;
use crate::position::{Cdc, Complete, Cursor, Round, Rounds, Snapshot, StreamPosition};

/// When a read ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// When everything has been asked once.
    CaughtUp,
    /// Never.
    Follow,
}

/// What to do next with an object type that is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Ask for changes.
    Poll,
    /// Read a page of the recycle bin.
    Archived,
    /// Compare the number of records with HubSpot's.
    Count,
    /// Read a page of all live records.
    Reconcile,
    /// Read associations of the stream of this number again.
    Reassociate(usize),
    /// Nothing until then.
    Wait(Timestamp),
    /// Nothing more.
    End,
}

impl Done {
    /// An act was carried out. Walks take turns; a count is none, or it would take the turn of the walk that it asks for.
    pub(super) fn note(&mut self, act: Act) {
        let is_walk = matches!(act, Act::Archived | Act::Reconcile | Act::Reassociate(_));
        self.turns += usize::from(is_walk);
        self.last = Some(act);
    }
}

/// What one run has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Done {
    /// When changes were last asked for.
    pub(super) polled: Option<Timestamp>,
    /// What was done last.
    pub(super) last: Option<Act>,
    /// When the late feed was last asked.
    pub(super) polled_late: Option<Timestamp>,
    /// How many walks over the recycle bin were completed.
    pub(super) archived: u32,
    /// Records are gone for an unknown reason, and no walk over the recycle bin has begun since.
    pub(super) unproven: bool,
    /// How many walks were begun again because their paging token was refused.
    pub(super) begun_again: u32,
    /// After how many of them the records were counted.
    pub(super) counted: u32,
    /// The count was not HubSpot's: something is missing, on one side or the other.
    pub(super) miscounted: bool,
    /// All records were compared since they were last counted.
    pub(super) reconciled: bool,
    /// All records were read.
    pub(super) walked: bool,
    /// The open walk over all records was begun by an earlier run: what has vanished behind it since is not compared.
    pub(super) resumed_walk: bool,
    /// The open walk over the recycle bin was begun by an earlier run.
    pub(super) resumed_bin: bool,
    /// When the run began.
    pub(super) begun: Option<Timestamp>,
    /// How many pages of walks were read: those that are due take turns.
    pub(super) turns: usize,
}

/// What a type can do, and how often it is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) rhythm: Rhythm,
    pub(super) goal: Goal,
    pub(super) searchable: bool,
}

/// A stream that is read whole again, and how often.
pub(super) type Reread<'a> = (&'a Complete, SignedDuration);

/// Chooses what is next.
pub(super) fn next(now: Timestamp, terms: &Terms, cdc: &Cdc, rereads: &[Reread<'_>], done: &Done) -> Act {
    let plan = Plan {
        now,
        terms,
        cdc,
        rereads,
        done,
    };
    let poll = plan.poll();
    let walk = plan.count().or_else(|| plan.walks().into_iter().flatten().next());
    let act = match done.last {
        Some(Act::Poll) => walk.or(poll),
        _ => poll.or(walk),
    };
    act.unwrap_or_else(|| plan.rest())
}

struct Plan<'a> {
    now: Timestamp,
    terms: &'a Terms,
    cdc: &'a Cdc,
    rereads: &'a [Reread<'a>],
    done: &'a Done,
}

impl Plan<'_> {
    fn poll(&self) -> Option<Act> {
        let due = match (self.terms.goal, self.done.polled) {
            (_, None) => true,
            (Goal::CaughtUp, Some(_)) => false,
            (Goal::Follow, Some(at)) => is_due(self.now, at, self.poll_interval()),
        };
        (self.terms.searchable && due).then_some(Act::Poll)
    }

    fn poll_interval(&self) -> SignedDuration {
        SignedDuration::try_from(self.terms.rhythm.poll).unwrap_or(SignedDuration::MAX)
    }

    /// The long walks, beginning with the one whose turn it is: one that is always due must not keep out the others.
    fn walks(&self) -> [Option<Act>; 3] {
        const WALKS: usize = 3;
        let mut walks: [_; WALKS] = [self.archived(), self.reconcile(), self.reassociate()];
        if self.terms.goal == Goal::Follow {
            walks.rotate_left(self.done.turns % WALKS);
        }
        walks
    }

    fn archived(&self) -> Option<Act> {
        let rounds = &self.cdc.archived;
        let due = match self.terms.goal {
            // Once more for what was found to be gone after the first.
            Goal::CaughtUp => self.done.archived == 0 || (self.done.unproven && self.done.archived == 1),
            Goal::Follow => is_due(self.now, rounds.last, self.terms.rhythm.archived),
        };
        (rounds.open.is_some() || due).then_some(Act::Archived)
    }

    /// One call after each walk over the recycle bin, which would have explained most differences.
    fn count(&self) -> Option<Act> {
        let due = self.done.counted < self.done.archived && self.cdc.reconcile.open.is_none();
        (self.terms.searchable && due).then_some(Act::Count)
    }

    fn reconcile(&self) -> Option<Act> {
        let rounds = &self.cdc.reconcile;
        let doubtful = self.cdc.doubt.is_some();
        let due = is_due(self.now, rounds.last, self.terms.rhythm.reconcile)
            || ((self.done.miscounted || doubtful) && is_due(self.now, rounds.last, self.sooner()));
        let due = match self.terms.goal {
            Goal::Follow => due,
            // However long it takes and however often it is wanted: once is enough to have caught up.
            Goal::CaughtUp => !self.done.walked && (due || doubtful || !self.terms.searchable),
        };
        (rounds.open.is_some() || due).then_some(Act::Reconcile)
    }

    /// How soon after another a walk over all records may be taken because of a wrong count. A count is wrong whenever
    /// search lags, and a walk costs a call for a hundred records.
    fn sooner(&self) -> SignedDuration {
        const TIMES_AS_OFTEN: i32 = 24;
        self.terms.rhythm.reconcile / TIMES_AS_OFTEN
    }

    fn reassociate(&self) -> Option<Act> {
        let due = |(complete, every): &Reread<'_>| {
            let due = is_due(self.now, complete.initial_timestamp, *every);
            let again = self.terms.goal == Goal::CaughtUp
                && self
                    .done
                    .begun
                    .is_some_and(|begun| complete.initial_timestamp >= begun);
            complete.open.is_some() || (due && !again)
        };
        Some(Act::Reassociate(self.rereads.iter().position(due)?))
    }

    fn rest(&self) -> Act {
        match self.terms.goal {
            Goal::CaughtUp => Act::End,
            Goal::Follow => Act::Wait(self.next_due()),
        }
    }

    fn next_due(&self) -> Timestamp {
        let rhythm = &self.terms.rhythm;
        let polls = self.done.polled.filter(|_| self.terms.searchable);
        let rereads = self
            .rereads
            .iter()
            .map(|(complete, every)| after(complete.initial_timestamp, *every));
        let walks = [
            after(self.cdc.archived.last, rhythm.archived),
            after(self.cdc.reconcile.last, rhythm.reconcile),
        ];
        let polls = polls.map(|at| after(at, self.poll_interval()));
        walks
            .into_iter()
            .chain(polls)
            .chain(rereads)
            .min()
            .unwrap_or(self.now)
    }
}

/// Whether it is time again for what was last done at `last`. A clock that was ahead then must not put it off for as long.
fn is_due(now: Timestamp, last: Timestamp, every: SignedDuration) -> bool {
    now >= after(last, every) || last >= after(now, every)
}

fn after(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Up to where the late feed asks, if it is its turn.
pub(super) fn late_window(now: Timestamp, terms: &Terms, cdc: &Cdc, done: &Done) -> Option<Timestamp> {
    let until = now.checked_sub(terms.rhythm.lookback).ok()?;
    let until = Timestamp::from_millisecond(until.as_millisecond()).ok()?;
    let pause = SignedDuration::try_from(terms.rhythm.late_poll()).ok()?;
    let rested = done.polled_late.is_none_or(|at| is_due(now, at, pause));
    // A backlog is read by the late feed alone: what it has passed needs no second look.
    let behind = done.polled.is_none_or(|at| at < until);
    ((rested || behind) && until > cdc.delayed.timestamp).then_some(until)
}

/// Where the early feed begins: it need not read again what the late one has.
pub(super) fn early_start(cdc: &Cdc) -> Cursor {
    if cdc.realtime.timestamp >= cdc.delayed.timestamp {
        cdc.realtime
    } else {
        Cursor::at(cdc.delayed.timestamp)
    }
}

/// What follows a page of a snapshot: `last_id` is its last record's, `next` where the page after it begins.
pub(super) fn after_page(snapshot: &Snapshot, last_id: Option<&str>, next: Option<&str>) -> StreamPosition {
    match next {
        Some(next) => StreamPosition::Snapshot(Snapshot {
            item_id: last_id.map(str::to_owned).or_else(|| snapshot.item_id.clone()),
            after: Some(next.to_owned()),
            ..snapshot.clone()
        }),
        None => StreamPosition::Cdc(Box::new(follow(snapshot))),
    }
}

/// The feeds begin at the cutoff; the walk itself counts as the first of its kind.
fn follow(snapshot: &Snapshot) -> Cdc {
    let cutoff = snapshot.initial_timestamp;
    // Who takes over somebody else's position goes on where that one stood, which may be long before.
    let start = snapshot
        .adopt
        .as_ref()
        .map_or(cutoff, |adopt| adopt.unchanged_since.min(cutoff));
    let start = snapshot.newest.map_or(start, |newest| newest.min(start));
    Cdc {
        initial_timestamp: cutoff,
        selection: snapshot.selection.clone(),
        realtime: Cursor::at(start),
        delayed: Cursor::at(start),
        archived: Rounds::since(snapshot.since.unwrap_or(cutoff).min(cutoff)),
        reconcile: Rounds::since(cutoff),
        count_offset: 0,
        doubt: None,
        since: snapshot.since,
        blind: None,
    }
}

/// The walk under way, or a new one.
pub(super) fn open(rounds: &Rounds, now: Timestamp) -> Round {
    rounds.open.clone().unwrap_or_else(|| begin(now))
}

/// The reading under way, or a new one.
pub(super) fn reopen(complete: &Complete, now: Timestamp) -> Round {
    complete.open.clone().unwrap_or_else(|| begin(now))
}

/// A walk that begins.
pub(super) fn begin(now: Timestamp) -> Round {
    Round {
        begun: now,
        after: None,
        through: 0,
        found: 0,
        ended: false,
    }
}

/// A walk whose pages were all read, and that has not looked after all that they did not show.
pub(super) fn ended(round: &Round) -> Round {
    Round {
        after: None,
        ended: true,
        ..round.clone()
    }
}

/// What follows a page of a walk that is taken again and again. One that has ended counts from when it began, also where
/// `last` is later: a clock was ahead then, and the walk would be due for ever.
pub(super) fn after_round_page(
    round: &Round,
    last: Timestamp,
    through: u64,
    found: u64,
    next: Option<&str>,
) -> Rounds {
    match next {
        None => Rounds::since(round.begun),
        Some(next) => Rounds {
            last,
            open: Some(Round {
                begun: round.begun,
                after: Some(next.to_owned()),
                through: round.through.max(through),
                found: round.found + found,
                ended: false,
            }),
        },
    }
}

/// Groups the streams of one object type that can be read by one walk: those at the same page of the same snapshot. The
/// state of a group is that of its first stream.
pub(super) fn same_page(a: &Snapshot, b: &Snapshot) -> bool {
    a.initial_timestamp == b.initial_timestamp && a.after == b.after
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn terms(goal: Goal) -> Terms {
        Terms {
            rhythm: Rhythm {
                poll: Duration::from_secs(10),
                lookback: SignedDuration::from_secs(300),
                archived: SignedDuration::from_secs(900),
                reconcile: SignedDuration::from_secs(10_000),
                associations: SignedDuration::from_secs(5_000),
            },
            goal,
            searchable: true,
        }
    }

    /// Everything was done at second 1,000.
    fn cdc() -> Cdc {
        Cdc {
            initial_timestamp: at(1_000),
            selection: String::new(),
            realtime: Cursor::at(at(1_000)),
            delayed: Cursor::at(at(700)),
            archived: Rounds::since(at(1_000)),
            reconcile: Rounds::since(at(1_000)),
            count_offset: 0,
            doubt: None,
            since: None,
            blind: None,
        }
    }

    fn complete() -> Complete {
        Complete {
            initial_timestamp: at(1_000),
            open: None,
        }
    }

    fn round() -> Round {
        Round {
            begun: at(1_000),
            after: Some("7".into()),
            through: 6,
            found: 0,
            ended: false,
        }
    }

    const ASSOCIATIONS: SignedDuration = SignedDuration::from_secs(5_000);

    fn polled(second: i64) -> Done {
        Done {
            polled: Some(at(second)),
            archived: 1,
            counted: 1,
            ..Done::default()
        }
    }

    fn just_polled(second: i64) -> Done {
        Done {
            last: Some(Act::Poll),
            ..polled(second)
        }
    }

    #[test]
    fn what_is_next_when_following() {
        let open = |rounds: &Rounds| Rounds {
            open: Some(round()),
            ..rounds.clone()
        };
        let archived = Cdc {
            archived: open(&cdc().archived),
            ..cdc()
        };
        let reconcile = Cdc {
            reconcile: open(&cdc().reconcile),
            ..cdc()
        };
        let both = Cdc {
            reconcile: open(&cdc().reconcile),
            ..archived.clone()
        };
        let miscounted = Done {
            miscounted: true,
            ..polled(1_000)
        };
        let uncounted = Done {
            counted: 0,
            ..polled(1_000)
        };
        let table = [
            // now, state, what was done, what is next
            (1_000, &cdc(), Done::default(), Act::Poll),
            (1_001, &cdc(), polled(1_000), Act::Wait(at(1_010))),
            (1_010, &cdc(), polled(1_000), Act::Poll),
            (1_900, &cdc(), polled(1_899), Act::Archived),
            (1_900, &cdc(), polled(1_890), Act::Poll),
            // polls that take longer than the time between them leave room for a page of a walk
            (1_900, &cdc(), just_polled(1_890), Act::Archived),
            (1_010, &cdc(), just_polled(1_000), Act::Poll),
            (1_001, &archived, polled(1_000), Act::Archived),
            (1_001, &reconcile, polled(1_000), Act::Reconcile),
            (1_001, &both, polled(1_000), Act::Archived),
            (1_001, &cdc(), uncounted.clone(), Act::Count),
            (1_001, &reconcile, uncounted, Act::Reconcile),
            (1_001, &cdc(), miscounted.clone(), Act::Wait(at(1_010))),
            (
                1_420,
                &cdc(),
                Done {
                    polled: Some(at(1_420)),
                    ..miscounted
                },
                Act::Reconcile,
            ),
        ];
        for (now, cdc, done, expected) in table {
            let act = next(
                at(now),
                &terms(Goal::Follow),
                cdc,
                &[(&complete(), ASSOCIATIONS)],
                &done,
            );
            assert_eq!(act, expected, "{now} {done:?}");
        }
        let late = Cdc {
            archived: Rounds::since(at(6_000)),
            ..cdc()
        };
        let act = next(
            at(6_000),
            &terms(Goal::Follow),
            &late,
            &[(&complete(), ASSOCIATIONS)],
            &polled(6_000),
        );
        assert_eq!(act, Act::Reassociate(0));
    }

    #[test]
    fn what_is_next_when_catching_up() {
        let mut done = Done::default();
        let next = |done: &Done| {
            next(
                at(1_001),
                &terms(Goal::CaughtUp),
                &cdc(),
                &[(&complete(), ASSOCIATIONS)],
                done,
            )
        };
        assert_eq!(next(&done), Act::Poll);
        done.polled = Some(at(1_001));
        assert_eq!(next(&done), Act::Archived);
        done.archived = 1;
        assert_eq!(next(&done), Act::Count);
        done.counted = 1;
        assert_eq!(next(&done), Act::End);
        done.miscounted = true;
        assert_eq!(next(&done), Act::End, "not so soon after the last walk");
    }

    #[test]
    fn however_slow_polls_are_every_walk_has_its_turn() {
        let terms = terms(Goal::Follow);
        // Everything is always due, and each walk over the recycle bin asks for a count.
        let (cdc, rereads) = (cdc(), [(&complete(), ASSOCIATIONS)]);
        let mut done = polled(1_000);
        let mut acts = Vec::new();
        for _ in 0..24 {
            let act = next(at(900_000), &terms, &cdc, &rereads, &done);
            done.archived += u32::from(act == Act::Archived);
            done.counted = if act == Act::Count {
                done.archived
            } else {
                done.counted
            };
            done.note(act);
            acts.push(act);
        }
        for walk in [Act::Archived, Act::Reconcile, Act::Reassociate(0), Act::Count] {
            assert!(acts.iter().filter(|act| **act == walk).count() >= 2, "{acts:?}");
        }
    }

    #[test]
    fn walks_that_are_due_take_turns() {
        let busy = |rounds: &Rounds| Rounds {
            open: Some(round()),
            ..rounds.clone()
        };
        let cdc = Cdc {
            archived: busy(&cdc().archived),
            reconcile: busy(&cdc().reconcile),
            ..cdc()
        };
        let turn = |turns| {
            let done = Done {
                turns,
                ..polled(9_000)
            };
            next(
                at(9_000),
                &terms(Goal::Follow),
                &cdc,
                &[(&complete(), ASSOCIATIONS)],
                &done,
            )
        };
        let acts: Vec<_> = (0..4).map(turn).collect();
        let expected = [Act::Archived, Act::Reconcile, Act::Reassociate(0), Act::Archived];
        assert_eq!(acts, expected);
    }

    #[test]
    fn catching_up_takes_each_walk_once_however_often_it_is_wanted() {
        let mut terms = terms(Goal::CaughtUp);
        terms.rhythm.reconcile = SignedDuration::ZERO;
        let done = Done {
            walked: true,
            begun: Some(at(1_000)),
            ..polled(1_000)
        };
        let associations = complete();
        let act = next(
            at(9_000),
            &terms,
            &cdc(),
            &[(&associations, SignedDuration::ZERO)],
            &done,
        );
        assert_eq!(act, Act::End);
    }

    #[test]
    fn a_type_without_search_is_read_whole_instead() {
        let terms = Terms {
            searchable: false,
            ..terms(Goal::CaughtUp)
        };
        let act = |done: &Done| next(at(1_001), &terms, &cdc(), &[], done);
        let archived = Done {
            archived: 1,
            ..Done::default()
        };
        assert_eq!(act(&Done::default()), Act::Archived);
        assert_eq!(act(&archived), Act::Reconcile);
        assert_eq!(
            act(&Done {
                walked: true,
                ..archived
            }),
            Act::End
        );
    }

    #[test]
    fn a_clock_that_was_ahead_puts_nothing_off() {
        let every = SignedDuration::from_secs(900);
        let due = |now, last| is_due(at(now), at(last), every);
        assert!(
            !due(1_000, 999) && !due(1_000, 1_002),
            "clocks are known to the second"
        );
        assert!(due(1_900, 1_000));
        assert!(due(1_000, 3_000_000_000));
    }

    #[test]
    fn a_walk_that_has_ended_is_not_due_again_because_a_clock_was_ahead_at_the_last() {
        let ahead = at(1_000_000);
        let rounds = after_round_page(&begin(at(2_000)), ahead, 9, 0, None);
        assert_eq!(rounds, Rounds::since(at(2_000)));
        assert!(!is_due(at(2_001), rounds.last, SignedDuration::from_secs(900)));
    }

    #[test]
    fn a_doubt_makes_the_walk_over_all_records_come_sooner() {
        let doubtful = Cdc {
            doubt: Some(at(1_000)),
            ..cdc()
        };
        let act = |goal, now, done: &Done| next(at(now), &terms(goal), &doubtful, &[], done);
        assert_eq!(
            act(Goal::Follow, 1_100, &just_polled(1_100)),
            Act::Wait(at(1_110))
        );
        assert_eq!(act(Goal::Follow, 1_417, &just_polled(1_417)), Act::Reconcile);
        assert_eq!(act(Goal::CaughtUp, 1_001, &just_polled(1_001)), Act::Reconcile);
        let walked = Done {
            walked: true,
            ..just_polled(1_001)
        };
        assert_eq!(act(Goal::CaughtUp, 1_001, &walked), Act::End);
    }

    #[test]
    fn the_late_feed_asks_up_to_the_lookback_and_rests_in_between() {
        let terms = terms(Goal::Follow);
        let asked = |now, polled: Option<i64>, polled_late: Option<i64>| {
            let done = Done {
                polled: polled.map(at),
                polled_late: polled_late.map(at),
                ..Done::default()
            };
            late_window(at(now), &terms, &cdc(), &done)
        };
        assert_eq!(asked(1_300, Some(1_295), None), Some(at(1_000)));
        assert_eq!(asked(1_300, Some(1_295), Some(1_290)), None);
        assert_eq!(asked(1_320, Some(1_315), Some(1_290)), Some(at(1_020)));
        // behind by more than the look-back: no need to rest, and nothing is read twice
        assert_eq!(asked(1_400, None, None), Some(at(1_100)));
        assert_eq!(asked(1_400, Some(1_050), Some(1_399)), Some(at(1_100)));
        assert_eq!(asked(900, None, None), None);
        assert_eq!(
            early_start(&Cdc {
                delayed: Cursor::at(at(1_100)),
                ..cdc()
            }),
            Cursor::at(at(1_100))
        );
        assert_eq!(early_start(&cdc()), Cursor::at(at(1_000)));
    }

    #[test]
    fn every_transition_of_a_snapshot_page() {
        let begun = Snapshot::from(at(100));
        let StreamPosition::Snapshot(later) = after_page(&begun, Some("9"), Some("10")) else {
            panic!("there is more");
        };
        assert_eq!(
            (later.item_id.as_deref(), later.after.as_deref()),
            (Some("9"), Some("10"))
        );
        let StreamPosition::Snapshot(empty) = after_page(&later, None, Some("11")) else {
            panic!("there is more");
        };
        assert_eq!(
            (empty.item_id.as_deref(), empty.after.as_deref()),
            (Some("9"), Some("11"))
        );
        let StreamPosition::Cdc(cdc) = after_page(&later, Some("12"), None) else {
            panic!("it was the last page");
        };
        assert_eq!(
            (cdc.realtime, cdc.delayed),
            (Cursor::at(at(100)), Cursor::at(at(100)))
        );
        assert_eq!(cdc.reconcile, Rounds::since(at(100)));
    }

    #[test]
    fn the_next_walk_counts_from_where_this_one_began() {
        let rounds = after_round_page(&round(), at(500), 9, 2, Some("10"));
        let open = rounds.open.clone().unwrap();
        assert_eq!((rounds.last, open.through, open.found), (at(500), 9, 2));
        assert_eq!(
            after_round_page(&open, at(500), 12, 0, None),
            Rounds::since(at(1_000))
        );
    }
}
