//! What a source will cost, worked out before it runs: calls of the snapshot, calls a day afterwards, bytes. Pure; what it
//! is worked out from is asked in `source/survey.rs`.
//!
//! The formulas are those of the guide `docs/guides/sync.md`, section "What it costs".

use std::time::Duration;

use hubspot_client::request::{associations, objects};
use opencdc::StreamName;
use serde::Serialize;

use crate::config::rhythm::Rhythm;

/// Pages that wait together for association lists to be read exactly, in a snapshot.
const HELD_PAGES: u64 = 10;
/// Records a page of a search (hubspot-api notes §1.5).
const SEARCH_PAGE: u64 = 200;
/// Searches of a first run beside its walk: where the feeds begin, the late feed, and the early one.
const FIRST_SEARCHES: u64 = 3;
/// To start an export, to ask for its state a few times, and to fetch it (hubspot-api notes §6.3).
const EXPORT_CALLS: u64 = 4;
const DAY: u64 = 86_400;

/// What a source will cost.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Calls before the first record: the account's details and the definitions.
    pub start: u64,
    /// Calls a day for the definitions while changes are followed.
    pub definitions_a_day: u64,
    /// The streams with calls of their own; what is read along with an object is in its stream.
    pub streams: Vec<StreamEstimate>,
    /// Why some streams cannot be read, and so cost nothing.
    pub refused: Vec<String>,
    /// What the configuration leaves out although the account may have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// The account's limits as its answers told them.
    pub limits: AccountLimits,
    /// How long a page took.
    #[serde(skip)]
    pub latency: Duration,
}

/// What an account allows.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountLimits {
    /// Calls in ten seconds.
    pub calls_in_ten_seconds: u64,
    /// Searches a second.
    pub searches_a_second: u64,
    /// Calls a day, where the account has such a limit.
    pub calls_a_day: Option<u64>,
    /// How many of them are left today.
    pub left_today: Option<u64>,
}

/// What one stream will cost.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamEstimate {
    /// Its name.
    #[serde(rename = "stream")]
    pub name: StreamName,
    /// How many records it has; `None` when HubSpot does not say.
    pub records: Option<u64>,
    /// How that is known.
    pub counted_by: CountedBy,
    /// Bytes of all payloads, about, from a page of them.
    pub bytes: Option<u64>,
    /// The properties do not fit a URL, so each page takes a second call.
    pub wide: bool,
    /// Calls of the snapshot.
    pub snapshot: SnapshotCalls,
    /// Calls a day while changes are followed.
    pub a_day: DailyCalls,
    /// The recycle bin has more than one page, so each look at it may take more calls than are counted here.
    pub full_bin: bool,
    /// The ways to read all records, cheapest first.
    pub routes: Vec<Route>,
}

/// How records were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// The total of a search.
    Search,
    /// What the account says of its limits.
    Limits,
    /// They were read.
    Reading,
    /// HubSpot does not say: a page's worth is taken.
    Nobody,
}

/// Calls of a snapshot, by what they are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotCalls {
    /// Pages of the list.
    pub pages: u64,
    /// Batch reads by id, of a wide stream.
    pub batches: u64,
    /// Labels of associations, and lists that a page cuts short.
    pub associations: u64,
    /// Batch reads of histories.
    pub history: u64,
    /// The first look for changes.
    pub searches: u64,
}

/// Calls a day, by what they are for. Whatever changes costs more on top: a batch read for up to a hundred changes, and
/// one association call a pair.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DailyCalls {
    /// Searches for changes, early and late.
    pub polls: u64,
    /// Looks at the recycle bin, and a count after each.
    pub archived: u64,
    /// Walks over all records.
    pub reconcile: u64,
    /// Associations read again.
    pub associations: u64,
    /// Tables read again.
    pub refresh: u64,
}

/// A way to read all records of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// `list`, `search` or `export`.
    pub route: &'static str,
    /// How many calls it takes.
    pub calls: u64,
}

impl SnapshotCalls {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.pages + self.batches + self.associations + self.history + self.searches
    }

    /// Those that count against the limit of ten seconds.
    pub fn general(&self) -> u64 {
        self.pages + self.batches + self.history
    }
}

impl DailyCalls {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.polls + self.archived + self.reconcile + self.associations + self.refresh
    }
}

/// What was learnt of an object type.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
pub(crate) struct Surveyed {
    pub(crate) name: StreamName,
    pub(crate) records: Option<u64>,
    pub(crate) counted_by: CountedBy,
    pub(crate) bytes_a_record: u64,
    pub(crate) page_size: u64,
    pub(crate) wide: bool,
    pub(crate) searchable: bool,
    /// Whether histories are read.
    pub(crate) history: bool,
    /// See [`StreamEstimate::full_bin`].
    pub(crate) full_bin: bool,
    pub(crate) targets: Vec<SurveyedTarget>,
    pub(crate) rhythm: Rhythm,
}

/// What a page showed of the associations with one other type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SurveyedTarget {
    /// There are some, so their types must be looked up.
    pub(crate) labels: bool,
    /// How many of a thousand records have a list that must be read exactly.
    pub(crate) uncertain_per_mille: u64,
}

impl Surveyed {
    /// What the stream will cost.
    pub(crate) fn estimate(&self) -> StreamEstimate {
        let snapshot = self.snapshot();
        StreamEstimate {
            name: self.name.clone(),
            records: self.records,
            counted_by: self.counted_by,
            bytes: self.records.map(|records| records * self.bytes_a_record),
            wide: self.wide,
            a_day: self.a_day(&snapshot),
            full_bin: self.full_bin,
            routes: self.routes(&snapshot),
            snapshot,
        }
    }

    fn records(&self) -> u64 {
        self.records.unwrap_or(self.page_size)
    }

    fn pages(&self) -> u64 {
        self.records().div_ceil(self.page_size).max(1)
    }

    fn snapshot(&self) -> SnapshotCalls {
        let pages = self.pages();
        let labels = self.targets.iter().filter(|target| target.labels).count() as u64;
        let exact: u64 = self.targets.iter().map(|target| self.exact(*target)).sum();
        SnapshotCalls {
            pages,
            batches: if self.wide { pages } else { 0 },
            associations: labels + exact,
            history: if self.history {
                self.records().div_ceil(HISTORY_BATCH)
            } else {
                0
            },
            searches: if self.searchable { FIRST_SEARCHES } else { 0 },
        }
    }

    /// Up to ten pages wait for one call that reads their uncertain lists; there are no more such calls than lists.
    fn exact(&self, target: SurveyedTarget) -> u64 {
        let lists = (self.records() * target.uncertain_per_mille).div_ceil(1_000);
        lists.min(self.pages().div_ceil(HELD_PAGES))
    }

    fn a_day(&self, snapshot: &SnapshotCalls) -> DailyCalls {
        let rhythm = &self.rhythm;
        let times = |every: Duration| DAY.checked_div(every.as_secs()).unwrap_or(DAY).max(1);
        let span = |span: jiff::SignedDuration| times(span.unsigned_abs());
        let polls = times(rhythm.poll) + times(rhythm.late_poll());
        let uncertain = self
            .targets
            .iter()
            .filter(|target| target.uncertain_per_mille > 0)
            .count() as u64;
        let walk = snapshot.pages * (1 + uncertain) + snapshot.batches;
        let batches = self.records().div_ceil(associations::MAX_BATCH as u64).max(1);
        DailyCalls {
            polls: if self.searchable { polls } else { 0 },
            archived: span(rhythm.archived) * (1 + u64::from(self.searchable)),
            reconcile: fraction(walk, rhythm.reconcile),
            associations: fraction(self.targets.len() as u64 * batches, rhythm.associations),
            refresh: 0,
        }
    }

    /// Spoke takes the list: it alone is neither late nor limited in how often it is taken.
    fn routes(&self, snapshot: &SnapshotCalls) -> Vec<Route> {
        let exact = self.targets.len() as u64 * self.records().div_ceil(associations::MAX_BATCH as u64);
        let search = Route {
            route: "search",
            calls: self.records().div_ceil(SEARCH_PAGE).max(1) + exact,
        };
        let list = Route {
            route: "list",
            calls: snapshot.total() - snapshot.searches - snapshot.history,
        };
        let export = Route {
            route: "export",
            calls: EXPORT_CALLS,
        };
        let mut routes = vec![list, export];
        if self.searchable {
            routes.push(search);
        }
        routes.sort_by_key(|route| route.calls);
        routes
    }
}

/// Records of a batch read with history (hubspot-api notes §1.6).
const HISTORY_BATCH: u64 = objects::MAX_BATCH as u64 / 2;

/// Calls a day of something that takes so many calls every so often, at least one when it takes any.
fn fraction(calls: u64, every: jiff::SignedDuration) -> u64 {
    let seconds = every.unsigned_abs().as_secs().max(1);
    (calls * DAY).div_ceil(seconds)
}

/// A table that was read whole with so many calls.
pub(crate) fn table(
    name: StreamName,
    records: u64,
    bytes: u64,
    calls: u64,
    refresh: Duration,
) -> StreamEstimate {
    StreamEstimate {
        name,
        records: Some(records),
        counted_by: CountedBy::Reading,
        bytes: Some(bytes),
        wide: false,
        snapshot: SnapshotCalls {
            pages: calls,
            ..SnapshotCalls::default()
        },
        a_day: DailyCalls {
            refresh: calls * (DAY / refresh.as_secs().max(1)),
            ..DailyCalls::default()
        },
        full_bin: false,
        routes: vec![Route { route: "list", calls }],
    }
}

/// Calls a day of definitions that take so many.
pub(crate) fn definitions_a_day(calls: u64, refresh: Duration) -> u64 {
    calls * (DAY / refresh.as_secs().max(1))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn surveyed() -> Surveyed {
        Surveyed {
            name: "contacts".into(),
            records: Some(100_001),
            counted_by: CountedBy::Search,
            bytes_a_record: 1_000,
            page_size: 100,
            wide: false,
            searchable: true,
            history: false,
            full_bin: false,
            targets: Vec::new(),
            rhythm: Rhythm {
                poll: Duration::from_secs(10),
                lookback: SignedDuration::from_mins(5),
                archived: SignedDuration::from_mins(15),
                reconcile: SignedDuration::from_hours(48),
                associations: SignedDuration::from_hours(6),
            },
        }
    }

    fn targets(uncertain_per_mille: u64) -> Vec<SurveyedTarget> {
        vec![SurveyedTarget {
            labels: true,
            uncertain_per_mille,
        }]
    }

    #[test]
    fn a_snapshot_takes_a_call_a_page_and_what_the_pages_do_not_hold() {
        let calls = |surveyed: Surveyed| surveyed.estimate().snapshot;
        let plain = calls(surveyed());
        assert_eq!((plain.pages, plain.searches, plain.total()), (1_001, 3, 1_004));
        let wide = calls(Surveyed {
            wide: true,
            ..surveyed()
        });
        assert_eq!(wide.total(), 2 * 1_001 + 3);
        let associated = |per_mille| {
            calls(Surveyed {
                targets: targets(per_mille),
                ..surveyed()
            })
        };
        assert_eq!(associated(0).associations, 1, "what the types are called");
        assert_eq!(associated(20).associations, 1 + 101, "a call for ten pages");
        let history = calls(Surveyed {
            history: true,
            ..surveyed()
        });
        assert_eq!(history.history, 2_001);
        let unsearchable = calls(Surveyed {
            searchable: false,
            records: Some(0),
            ..surveyed()
        });
        assert_eq!(unsearchable.total(), 1, "an empty list is a page, too");
    }

    #[test]
    fn a_day_of_following_goes_by_the_rhythm() {
        let day = Surveyed {
            targets: targets(0),
            ..surveyed()
        }
        .estimate()
        .a_day;
        assert_eq!(day.polls, 8_640 + 2_880, "early every 10 s, late every 30 s");
        assert_eq!(day.archived, 96 * 2, "a look and a count");
        assert_eq!(day.reconcile, 501, "half a walk");
        assert_eq!(day.associations, 4 * 101);
    }

    #[test]
    fn routes_are_listed_cheapest_first() {
        let of = |surveyed: Surveyed| {
            let routes = surveyed.estimate().routes;
            routes
                .iter()
                .map(|route| (route.route, route.calls))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(surveyed()), [("export", 4), ("search", 501), ("list", 1_001)]);
        let few = Surveyed {
            records: Some(90),
            ..surveyed()
        };
        assert_eq!(of(few), [("list", 1), ("search", 1), ("export", 4)]);
    }
}
