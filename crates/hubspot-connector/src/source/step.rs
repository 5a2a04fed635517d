//! The states of a stream and what follows what. Pure: the state is the stored [`StreamPosition`] itself.
//!
//! ```text
//!                     +--page, more--+
//!                     v              |
//! nothing ------> Snapshot ----------+
//!                   |    \ last page, first pass
//!      last page,   |     +----------------------> Complete
//!      later pass   v                              ^  |
//!                Archived --last page--------------+  | all selected streams complete: a new pass
//!                  ^  |                               v
//!                  +--+ page, more                 Snapshot
//! ```
//!
//! The change feeds will stand where `Complete` is now: after the walk, from its cutoff on.

use jiff::Timestamp;

use crate::position::StreamPosition;

/// Whether a read goes on with a pass or begins one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Some stream is not complete: those that are stay as they are.
    GoesOn,
    /// All are complete: everything is read again.
    Begins,
}

impl Pass {
    /// Given where the selected streams stand; `None` is one that has not begun.
    pub(super) fn of<'a>(stored: impl IntoIterator<Item = Option<&'a StreamPosition>>) -> Self {
        let complete = |state: Option<&StreamPosition>| state.is_some_and(StreamPosition::is_complete);
        if stored.into_iter().all(complete) {
            Self::Begins
        } else {
            Self::GoesOn
        }
    }
}

/// Where a stream begins in a read. Only streams of records find deletes.
pub(super) fn begin(
    stored: Option<&StreamPosition>,
    pass: Pass,
    cutoff: Timestamp,
    finds_deletes: bool,
) -> StreamPosition {
    let from_start = |since| StreamPosition::Snapshot {
        initial_timestamp: cutoff,
        since,
        item_id: None,
        after: None,
    };
    match (stored, pass) {
        (None, _) => from_start(None),
        (Some(StreamPosition::Complete { initial_timestamp }), Pass::Begins) => {
            from_start(finds_deletes.then_some(*initial_timestamp))
        }
        (Some(stored), _) => stored.clone(),
    }
}

/// What to ask HubSpot for next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// The live records after this token.
    Live(Option<String>),
    /// The recycle bin after this token.
    Archived(Option<String>),
    /// Nothing more.
    Nothing,
}

pub(super) fn ask(state: &StreamPosition) -> Ask {
    match state {
        StreamPosition::Snapshot { after, .. } => Ask::Live(after.clone()),
        StreamPosition::Archived { after, .. } => Ask::Archived(after.clone()),
        StreamPosition::Complete { .. } => Ask::Nothing,
    }
}

/// What follows a page: `last_id` is its last record's, `next` where the page after it begins.
pub(super) fn after_page(
    state: &StreamPosition,
    last_id: Option<&str>,
    next: Option<&str>,
) -> StreamPosition {
    use StreamPosition::{Archived, Complete, Snapshot};
    let own = |text: &str| text.to_owned();
    match (state, next) {
        (
            Snapshot {
                initial_timestamp,
                since,
                item_id,
                ..
            },
            Some(next),
        ) => Snapshot {
            initial_timestamp: *initial_timestamp,
            since: *since,
            item_id: last_id.map(own).or_else(|| item_id.clone()),
            after: Some(own(next)),
        },
        (
            Snapshot {
                initial_timestamp,
                since: Some(since),
                ..
            },
            None,
        ) => Archived {
            initial_timestamp: *initial_timestamp,
            since: *since,
            item_id: None,
            after: None,
        },
        (
            Archived {
                initial_timestamp,
                since,
                item_id,
                ..
            },
            Some(next),
        ) => Archived {
            initial_timestamp: *initial_timestamp,
            since: *since,
            item_id: last_id.map(own).or_else(|| item_id.clone()),
            after: Some(own(next)),
        },
        (state, _) => Complete {
            initial_timestamp: state.cutoff(),
        },
    }
}

/// Where the association streams of a walk stand, which have no deletes to look for.
pub(super) fn without_deletes(state: &StreamPosition) -> StreamPosition {
    match state {
        StreamPosition::Snapshot {
            initial_timestamp,
            item_id,
            after,
            ..
        } => StreamPosition::Snapshot {
            initial_timestamp: *initial_timestamp,
            since: None,
            item_id: item_id.clone(),
            after: after.clone(),
        },
        StreamPosition::Archived { .. } | StreamPosition::Complete { .. } => StreamPosition::Complete {
            initial_timestamp: state.cutoff(),
        },
    }
}

/// Groups the streams of one object type that can be read by one walk: those at the same page of the same pass. The
/// state of a group is that of its first stream.
pub(super) fn together<T>(
    streams: impl Iterator<Item = (StreamPosition, T)>,
) -> Vec<(StreamPosition, Vec<T>)> {
    let mut groups: Vec<(StreamPosition, Vec<T>)> = Vec::new();
    for (state, stream) in streams {
        let same = |(other, _): &&mut (StreamPosition, Vec<T>)| same_page(other, &state);
        match groups.iter_mut().find(same) {
            Some((_, group)) => group.push(stream),
            None => groups.push((state, vec![stream])),
        }
    }
    groups
}

fn same_page(a: &StreamPosition, b: &StreamPosition) -> bool {
    use StreamPosition::Snapshot;
    match (a, b) {
        (
            Snapshot {
                initial_timestamp: a,
                after: a_after,
                ..
            },
            Snapshot {
                initial_timestamp: b,
                after: b_after,
                ..
            },
        ) => a == b && a_after == b_after,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn live(since: Option<i64>, item_id: Option<&str>, after: Option<&str>) -> StreamPosition {
        let [item_id, after] = [item_id, after].map(|text| text.map(str::to_owned));
        StreamPosition::Snapshot {
            initial_timestamp: at(100),
            since: since.map(at),
            item_id,
            after,
        }
    }

    fn archived(item_id: Option<&str>, after: Option<&str>) -> StreamPosition {
        let [item_id, after] = [item_id, after].map(|text| text.map(str::to_owned));
        StreamPosition::Archived {
            initial_timestamp: at(100),
            since: at(50),
            item_id,
            after,
        }
    }

    fn complete(second: i64) -> StreamPosition {
        StreamPosition::Complete {
            initial_timestamp: at(second),
        }
    }

    #[test]
    fn every_transition_of_a_page() {
        let table = [
            // state, last id, next page, what follows
            (
                live(None, None, None),
                Some("9"),
                Some("10"),
                live(None, Some("9"), Some("10")),
            ),
            (live(None, Some("9"), Some("10")), Some("12"), None, complete(100)),
            (
                live(Some(50), None, None),
                Some("9"),
                Some("10"),
                live(Some(50), Some("9"), Some("10")),
            ),
            (
                live(Some(50), Some("9"), Some("10")),
                Some("12"),
                None,
                archived(None, None),
            ),
            (
                archived(None, None),
                Some("3"),
                Some("4"),
                archived(Some("3"), Some("4")),
            ),
            (archived(Some("3"), Some("4")), Some("5"), None, complete(100)),
            // pages without records
            (
                live(None, Some("9"), Some("10")),
                None,
                Some("11"),
                live(None, Some("9"), Some("11")),
            ),
            (live(None, None, None), None, None, complete(100)),
            (archived(None, None), None, None, complete(100)),
            (complete(100), None, None, complete(100)),
        ];
        for (state, last_id, next, expected) in table {
            assert_eq!(
                after_page(&state, last_id, next),
                expected,
                "{state:?} {last_id:?} {next:?}"
            );
        }
    }

    #[test]
    fn every_way_to_begin() {
        let table = [
            (None, Pass::GoesOn, true, live(None, None, None)),
            (None, Pass::Begins, true, live(None, None, None)),
            (Some(complete(50)), Pass::Begins, true, live(Some(50), None, None)),
            (Some(complete(50)), Pass::Begins, false, live(None, None, None)),
            (Some(complete(50)), Pass::GoesOn, true, complete(50)),
            (
                Some(live(None, Some("9"), Some("10"))),
                Pass::GoesOn,
                true,
                live(None, Some("9"), Some("10")),
            ),
            (
                Some(archived(None, None)),
                Pass::GoesOn,
                true,
                archived(None, None),
            ),
        ];
        for (stored, pass, finds_deletes, expected) in table {
            assert_eq!(
                begin(stored.as_ref(), pass, at(100), finds_deletes),
                expected,
                "{stored:?} {pass:?}"
            );
        }
    }

    #[test]
    fn a_pass_begins_when_every_selected_stream_is_complete() {
        let (done, open) = (complete(1), live(None, None, None));
        assert_eq!(Pass::of([Some(&done), Some(&done)]), Pass::Begins);
        assert_eq!(Pass::of([Some(&done), Some(&open)]), Pass::GoesOn);
        assert_eq!(Pass::of([Some(&done), None]), Pass::GoesOn);
    }

    #[test]
    fn what_is_asked_for_follows_from_the_state() {
        assert_eq!(ask(&live(None, None, None)), Ask::Live(None));
        assert_eq!(
            ask(&archived(Some("3"), Some("4"))),
            Ask::Archived(Some("4".into()))
        );
        assert_eq!(ask(&complete(1)), Ask::Nothing);
    }

    #[test]
    fn streams_at_the_same_page_are_read_together_and_others_apart() {
        let (start, later) = (live(Some(50), None, None), live(None, Some("9"), Some("10")));
        let streams = [
            (start.clone(), 'a'),
            (later.clone(), 'b'),
            (without_deletes(&start), 'c'),
            (later.clone(), 'd'),
        ];
        assert_eq!(
            together(streams.into_iter()),
            [(start, vec!['a', 'c']), (later, vec!['b', 'd'])]
        );
        let bins = [(archived(None, None), 'a'), (archived(None, None), 'b')];
        assert_eq!(together(bins.into_iter()).len(), 2);
    }

    #[test]
    fn association_streams_are_complete_when_the_live_records_are() {
        assert_eq!(without_deletes(&archived(None, None)), complete(100));
        assert_eq!(
            without_deletes(&live(Some(50), None, Some("3"))),
            live(None, None, Some("3"))
        );
    }
}
