//! Reading changes in the order of their last modification, without ever asking for an offset. Pure.
//!
//! HubSpot's search shows at most 10,000 results of a question, leaves equal times in no order, and pages by offset, which
//! skips records when one of them changes meanwhile (hubspot-api notes §1.5). So every page is a question of its own:
//! *from this millisecond on, the oldest first*. A page that is full and holds one millisecond only is an instant of many
//! records, as a bulk import makes them; it is drained by id.
//!
//! ```text
//!            full, ends at a later time        full, one time only
//!            +---------+          +----------------------------------> Instant --+
//!            |         v          |                                    ^   |     | full
//!            +------- From -------+                                    +---+-----+
//!                      ^                    not full: the next ms          |
//!                      +---------------------------------------------------+
//! ```
//!
//! The last millisecond of a page is asked for again with the next one: it may hold more. What comes twice is known by
//! id and time.

use hubspot_client::request::search::{Filter, FilterGroup, MAX_PAGE, Operator, SearchRequest, Sort};
use jiff::{SignedDuration, Timestamp};

use crate::position::Cursor;

/// HubSpot's times have milliseconds.
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);
/// What every type calls its id.
const ID: &str = "hs_object_id";

/// What a page of results says that matters for going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: u64,
    pub(super) at: Timestamp,
}

/// What follows a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There may be more.
    More(Cursor),
    /// Everything up to the end of the window, or up to now, has been read.
    Done(Cursor),
}

impl Next {
    /// Where the feed stands now.
    pub(super) fn cursor(self) -> Cursor {
        let (Self::More(cursor) | Self::Done(cursor)) = self;
        cursor
    }
}

/// The question for the next page; `until` ends the window, itself included. `shown` are properties to be told with the
/// result.
pub(super) fn ask(
    last_modified: &str,
    shown: &[&str],
    cursor: Cursor,
    until: Option<Timestamp>,
) -> SearchRequest {
    let time = |at: Timestamp| at.as_millisecond().max(1).to_string();
    let from = time(cursor.timestamp);
    let filters = match (cursor.item_id, until) {
        (Some(id), _) => vec![
            Filter::new(last_modified, Operator::Eq, from),
            Filter::new(ID, Operator::Gt, id.to_string()),
        ],
        (None, None) => vec![Filter::new(last_modified, Operator::Gte, from)],
        (None, Some(until)) => vec![Filter::between(last_modified, from, time(until))],
    };
    let sort = if cursor.item_id.is_some() {
        ID
    } else {
        last_modified
    };
    SearchRequest {
        filter_groups: vec![FilterGroup { filters }],
        sorts: vec![Sort {
            property_name: sort.to_owned(),
            descending: false,
        }],
        properties: [last_modified]
            .iter()
            .chain(shown)
            .map(|name| (*name).to_owned())
            .collect(),
        limit: MAX_PAGE,
        ..SearchRequest::default()
    }
}

/// Where to go on after a page.
pub(super) fn after_page(cursor: Cursor, until: Option<Timestamp>, page: &[Seen]) -> Next {
    let is_full = page.len() >= usize::from(MAX_PAGE);
    match cursor.item_id {
        Some(_) if is_full => {
            let last = page.iter().map(|seen| seen.id).max();
            Next::More(Cursor {
                item_id: last,
                ..cursor
            })
        }
        Some(_) => after_instant(cursor, until),
        None if is_full => Next::More(after_full(cursor, page)),
        None => Next::Done(Cursor::at(until.unwrap_or_else(|| last_time(cursor, page)))),
    }
}

fn after_instant(cursor: Cursor, until: Option<Timestamp>) -> Next {
    let next = cursor
        .timestamp
        .checked_add(MILLISECOND)
        .unwrap_or(cursor.timestamp);
    match until {
        Some(until) if next > until => Next::Done(Cursor::at(until)),
        _ => Next::More(Cursor::at(next)),
    }
}

fn after_full(cursor: Cursor, page: &[Seen]) -> Cursor {
    let last = last_time(cursor, page);
    if last > cursor.timestamp {
        return Cursor::at(last);
    }
    Cursor {
        timestamp: cursor.timestamp,
        item_id: Some(0),
    }
}

/// The time of the last result. Near the frontier the order may be wrong; the late feed asks again when it is not.
fn last_time(cursor: Cursor, page: &[Seen]) -> Timestamp {
    page.last()
        .map_or(cursor.timestamp, |seen| seen.at.max(cursor.timestamp))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ms(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn at(time: i64, item_id: Option<u64>) -> Cursor {
        Cursor {
            timestamp: ms(time),
            item_id,
        }
    }

    fn page(seen: &[(u64, i64)]) -> Vec<Seen> {
        seen.iter()
            .map(|(id, at)| Seen { id: *id, at: ms(*at) })
            .collect()
    }

    fn full(time_of: impl Fn(u64) -> i64) -> Vec<Seen> {
        (1..=200)
            .map(|id| Seen {
                id,
                at: ms(time_of(id)),
            })
            .collect()
    }

    #[test]
    fn every_transition() {
        let later = full(|id| if id < 150 { 10 } else { 20 });
        let table = [
            // cursor, end of the window, page, what follows
            (at(10, None), None, page(&[]), Next::Done(at(10, None))),
            (
                at(10, None),
                None,
                page(&[(1, 10), (2, 12)]),
                Next::Done(at(12, None)),
            ),
            (
                at(10, None),
                Some(ms(50)),
                page(&[(1, 10)]),
                Next::Done(at(50, None)),
            ),
            (at(10, None), None, later.clone(), Next::More(at(20, None))),
            (at(10, None), Some(ms(50)), later, Next::More(at(20, None))),
            (at(10, None), None, full(|_| 10), Next::More(at(10, Some(0)))),
            (at(10, Some(0)), None, full(|_| 10), Next::More(at(10, Some(200)))),
            (
                at(10, Some(200)),
                None,
                page(&[(201, 10)]),
                Next::More(at(11, None)),
            ),
            (at(10, Some(200)), None, page(&[]), Next::More(at(11, None))),
            (
                at(10, Some(200)),
                Some(ms(10)),
                page(&[]),
                Next::Done(at(10, None)),
            ),
            // an order that is wrong never leads back
            (
                at(10, None),
                None,
                page(&[(1, 12), (2, 9)]),
                Next::Done(at(10, None)),
            ),
        ];
        for (cursor, until, page, expected) in table {
            assert_eq!(after_page(cursor, until, &page), expected, "{cursor:?} {until:?}");
        }
    }

    #[test]
    fn the_questions_never_have_an_offset() {
        let asked =
            |cursor, until| serde_json::to_value(ask("lastmodifieddate", &["email"], cursor, until)).unwrap();
        let from = asked(at(10, None), None);
        assert_eq!(from["filterGroups"][0]["filters"][0]["operator"], "GTE");
        assert_eq!(from["sorts"][0]["propertyName"], "lastmodifieddate");
        let window = asked(at(10, None), Some(ms(50)));
        let filter = &window["filterGroups"][0]["filters"][0];
        assert_eq!(
            (&filter["operator"], &filter["value"], &filter["highValue"]),
            (&"BETWEEN".into(), &"10".into(), &"50".into())
        );
        let instant = asked(at(10, Some(7)), Some(ms(50)));
        let filters = instant["filterGroups"][0]["filters"].as_array().unwrap().clone();
        assert_eq!(filters[0]["operator"], "EQ");
        assert_eq!(
            (&filters[1]["operator"], &filters[1]["value"]),
            (&"GT".into(), &"7".into())
        );
        assert_eq!(instant["sorts"][0]["propertyName"], "hs_object_id");
        for request in [from, window, instant] {
            assert!(request.get("after").is_none() && request["limit"] == 200);
        }
        assert_eq!(
            asked(at(10, None), None)["properties"],
            serde_json::json!(["lastmodifieddate", "email"])
        );
        // A time of 0 has given errors.
        assert_eq!(
            asked(at(0, None), None)["filterGroups"][0]["filters"][0]["value"],
            "1"
        );
    }

    /// HubSpot's search over some records, as `ask` asks it.
    fn search(records: &[(u64, i64)], cursor: Cursor, until: Option<i64>) -> Vec<Seen> {
        let time = cursor.timestamp.as_millisecond();
        let mut found: Vec<_> = records
            .iter()
            .filter(|(id, at)| match cursor.item_id {
                Some(last) => *at == time && *id > last,
                None => *at >= time && until.is_none_or(|until| *at <= until),
            })
            .copied()
            .collect();
        found.sort_by_key(|(id, at)| {
            if cursor.item_id.is_some() {
                (*id).cast_signed()
            } else {
                *at
            }
        });
        found.truncate(200);
        page(&found)
    }

    #[test]
    fn whatever_the_times_are_every_record_is_read_with_few_questions() {
        let shapes: [&dyn Fn(u64) -> i64; 5] = [
            &|_| 1_000,
            &|id| 1_000 + id.cast_signed(),
            &|id| 1_000 + (id / 199).cast_signed(),
            &|id| 1_000 + (id / 200).cast_signed(),
            &|id| {
                if id < 900 {
                    1_000
                } else {
                    1_000 + (id % 7).cast_signed()
                }
            },
        ];
        for until in [None, Some(9_000)] {
            for time_of in shapes {
                let records: Vec<_> = (1..=2_500).map(|id| (id, time_of(id))).collect();
                let (mut cursor, mut seen, mut questions) = (at(0, None), BTreeSet::new(), 0);
                loop {
                    let page = search(&records, cursor, until);
                    seen.extend(page.iter().map(|seen| seen.id));
                    questions += 1;
                    match after_page(cursor, until.map(ms), &page) {
                        Next::More(next) => cursor = next,
                        Next::Done(_) => break,
                    }
                    assert!(questions < 60, "it goes on for ever");
                }
                assert_eq!(seen.len(), records.len());
            }
        }
    }
}
