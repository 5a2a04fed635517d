//! Reading changes by search, so that none is missed whatever order, page length or time search shows. Pure.
//!
//! The search index is read in *cells*: a range of last-modification times and, for an instant of many records, a range of
//! ids. One response says how many records a cell holds (`total`) and shows up to a page of them. A cell is **passed** when
//! as many distinct ids were seen as its `total` says, and never because a page is short, or sorted, or the last
//! (docs/decisions/2026-11-30-counted-windows.md). A cell that holds more than its page shows is split in two:
//!
//! ```text
//!           total = ids seen, no next page
//!   Cell ---------------------------------> passed, the cursor moves to its end
//!    |  ^
//!    |  +------------ the later part is the next cell -----------+
//!    | more than the page shows                                  |
//!    +--> split --> ask the later part --- total(cell) - total(later) = ids seen in the earlier part: it is passed
//!                        |
//!                        +--- otherwise the earlier part is asked for itself, then the later one again
//! ```
//!
//! In an account that behaves, each page is asked once, as with paging. No offset is sent: offsets skip records when one
//! of them changes meanwhile (hubspot-api notes §1.5). What search shows moves no cursor beyond the cell that was asked.
//! A cell that cannot be counted, because it cannot be split and its total stays out of reach, is asked again after a pause,
//! then given up as *doubtful*: the caller owes a walk over all records.

use std::collections::BTreeSet;

use hubspot_client::request::search::{Filter, FilterGroup, MAX_PAGE, Operator, SearchRequest, Sort};
use jiff::{SignedDuration, Timestamp};

use crate::position::Cursor;

/// HubSpot's times have milliseconds.
pub(super) const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);
/// The name of every type's id property.
const ID: &str = "hs_object_id";
/// How long records of a millisecond keep arriving, with clocks that are known to the second. The late feed finds those that
/// arrive later.
const ARRIVING: SignedDuration = SignedDuration::from_secs(3);
/// How often a cell that cannot be counted is asked again.
const MOST_RETRIES: u32 = 3;
/// How many cells of one window may be doubtful before the rest of the window is given up.
const MOST_DOUBTS: u32 = 3;

/// A result of a search: a record's id and the last-modification time that search shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) id: u64,
    /// In whole milliseconds; `None` when search shows no time.
    pub(super) at: Option<Timestamp>,
}

/// A part of the search index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// The first millisecond.
    pub(super) from: Timestamp,
    /// The first millisecond behind it; `None` is without end.
    pub(super) to: Option<Timestamp>,
    /// Only ids greater than this.
    pub(super) after_id: Option<u64>,
    /// Only ids up to this, itself included.
    pub(super) through_id: Option<u64>,
    /// The order that search shows has been wrong here, so the cell is split where its count can be checked at once.
    is_careful: bool,
    /// How many records of this cell an earlier response has shown.
    at_least: u64,
}

/// The response to the question for a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) total: u64,
    pub(super) has_next: bool,
    pub(super) seen: &'a [Seen],
}

/// How strictly counts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// The index has settled: counts must be equal.
    Exact,
    /// Records are still arriving, so a count may be exceeded. A later exact reading covers the same times.
    Growing,
}

/// What to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask the next question.
    Ask,
    /// Ask the next question after this many pauses, each twice as long as the one before.
    Retry(u32),
    /// The whole window has been read.
    Done,
}

/// A window of the index that is being read.
#[derive(Debug)]
pub(super) struct Drain {
    /// The cells that are not passed, the earliest last.
    todo: Vec<Cell>,
    /// The earliest cell has been split; its later part is asked next.
    split: Option<Split>,
    counting: Counting,
    start: Cursor,
    to: Option<Timestamp>,
    /// The greatest time of the window that a record has shown.
    newest: Option<Timestamp>,
    /// The clocks' now when the last answer came.
    latest: Timestamp,
    retries: u32,
    doubts: u32,
}

#[derive(Debug, Clone, Copy)]
struct Split {
    total: u64,
    earlier: Cell,
    later: Cell,
    seen_earlier: u64,
    /// Every result was in the earlier part, so nothing says that the order is wrong.
    is_plain: bool,
}

impl Drain {
    /// Reads from `cursor` up to `to`, that millisecond excluded.
    pub(super) fn new(cursor: Cursor, to: Option<Timestamp>, counting: Counting) -> Self {
        let from = whole(cursor.timestamp);
        let mut todo = Vec::new();
        match cursor.item_id {
            None => todo.push(Cell::new(from, to)),
            Some(after) => {
                let next = from.saturating_add(MILLISECOND).unwrap_or(from);
                todo.push(Cell::new(next, to));
                todo.push(Cell {
                    after_id: Some(after),
                    ..Cell::new(from, Some(next))
                });
            }
        }
        todo.retain(|cell| !cell.is_empty());
        Self {
            todo,
            split: None,
            counting,
            start: cursor,
            to,
            newest: None,
            latest: Timestamp::UNIX_EPOCH,
            retries: 0,
            doubts: 0,
        }
    }

    /// The cell to ask for; `None` when everything has been read.
    pub(super) fn question(&self) -> Option<Cell> {
        let earliest = self.todo.last().copied();
        self.split.map(|split| split.later).or(earliest)
    }

    /// Everything before this has been read. It never leads what records have shown, whatever the clocks say.
    pub(super) fn cursor(&self) -> Cursor {
        // A walk over all records covers what was given up.
        if let (true, true, Some(to)) = (self.todo.is_empty(), self.is_doubtful(), self.to) {
            return Cursor::at(to);
        }
        let reached = self.newest.map(|newest| match self.counting {
            // More may arrive in this millisecond, if it is not over for long.
            Counting::Growing if newest.saturating_add(ARRIVING).is_ok_and(|end| end > self.latest) => newest,
            Counting::Growing | Counting::Exact => newest.saturating_add(MILLISECOND).unwrap_or(newest),
        });
        match (self.todo.last(), reached) {
            // A walk over all records covers what was given up.
            (Some(cell), Some(reached)) if cell.from <= reached => Cursor {
                timestamp: cell.from,
                item_id: cell.after_id,
            },
            (_, Some(reached)) => Cursor::at(reached.max(self.start.timestamp)),
            (_, None) => self.start,
        }
    }

    /// Whether a cell was given up.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubts > 0
    }

    /// Takes the answer to the question. Times later than `latest`, the clocks' now, move no cursor.
    pub(super) fn answer(&mut self, answer: Answer<'_>, latest: Timestamp) -> Next {
        let times = answer.seen.iter().filter_map(|seen| seen.at);
        let window = Cell::new(whole(self.start.timestamp), self.to);
        let times = times.filter(|at| window.holds_time(*at) && *at <= latest);
        self.newest = times.chain(self.newest).max();
        self.latest = latest;
        let Some(cell) = self.todo.last().copied() else {
            return Next::Done;
        };
        match self.split.take() {
            None => self.settle(cell, answer),
            Some(split) => {
                if self.is_counted(split, answer.total) {
                    self.todo.pop();
                    self.todo.push(split.later);
                    self.retries = 0;
                    return self.settle(split.later, answer);
                }
                self.ask_both(split);
                Next::Ask
            }
        }
    }

    /// Puts the parts of the earliest cell in its place.
    fn ask_both(&mut self, split: Split) {
        self.todo.pop();
        self.todo.push(split.later);
        self.todo.push(Cell {
            is_careful: !split.is_plain,
            at_least: match self.counting {
                Counting::Exact => split.seen_earlier,
                Counting::Growing => 0,
            },
            ..split.earlier
        });
    }

    /// Whether the earlier part of a split holds nothing that was not seen, given how many the later one holds.
    fn is_counted(&self, split: Split, later: u64) -> bool {
        match (self.counting, split.total.checked_sub(later)) {
            (_, Some(earlier)) if earlier == split.seen_earlier => true,
            (Counting::Growing, earlier) => earlier.is_none_or(|earlier| earlier < split.seen_earlier),
            (Counting::Exact, _) => false,
        }
    }

    /// Judges the answer to the question for the earliest cell.
    fn settle(&mut self, cell: Cell, answer: Answer<'_>) -> Next {
        let ids: BTreeSet<u64> = answer.seen.iter().map(|seen| seen.id).collect();
        let shown = ids.len() as u64;
        if answer.total < cell.at_least {
            return self.contradicted();
        }
        if shown == answer.total || (shown > answer.total && !answer.has_next) {
            self.todo.pop();
            self.retries = 0;
            return self.go_on();
        }
        if shown == 0 && self.retries == 0 {
            // A page may be empty once.
            self.retries = 1;
            return Next::Ask;
        }
        let Some((earlier, later)) = cell.split(answer.seen) else {
            return self.stuck();
        };
        let in_earlier = answer.seen.iter().filter(|seen| earlier.holds(**seen));
        let in_earlier: BTreeSet<u64> = in_earlier.map(|seen| seen.id).collect();
        let split = Split {
            total: answer.total,
            earlier,
            later,
            seen_earlier: in_earlier.len() as u64,
            is_plain: in_earlier.len() == ids.len(),
        };
        match earlier.is_careful {
            true => self.ask_both(split),
            false => self.split = Some(split),
        }
        Next::Ask
    }

    fn go_on(&self) -> Next {
        match self.todo.is_empty() {
            true => Next::Done,
            false => Next::Ask,
        }
    }

    /// The earliest cell holds fewer records than were seen in it: either they have changed since, or the response is wrong.
    /// It is asked for together with the cell behind it again; when that does not help, for itself without an expectation.
    fn contradicted(&mut self) -> Next {
        let Some(earlier) = self.todo.pop() else {
            return Next::Done;
        };
        self.retries += 1;
        if self.retries > MOST_RETRIES {
            self.retries = 0;
            self.doubts += 1;
            self.todo.push(Cell {
                at_least: 0,
                ..earlier
            });
            return Next::Ask;
        }
        let whole = match self.todo.pop_if(|later| earlier.meets(*later)) {
            Some(later) => Cell {
                to: later.to,
                through_id: later.through_id,
                at_least: 0,
                ..earlier
            },
            None => Cell {
                at_least: 0,
                ..earlier
            },
        };
        self.todo.push(whole);
        Next::Ask
    }

    /// The earliest cell cannot be split, and shows fewer records than it says it holds.
    fn stuck(&mut self) -> Next {
        if self.retries == MOST_RETRIES {
            return self.give_up();
        }
        self.retries += 1;
        Next::Retry(self.retries)
    }

    fn give_up(&mut self) -> Next {
        self.retries = 0;
        self.doubts += 1;
        self.todo.pop();
        if self.doubts >= MOST_DOUBTS {
            self.todo.clear();
        }
        self.go_on()
    }
}

impl Cell {
    /// All records of some times.
    fn new(from: Timestamp, to: Option<Timestamp>) -> Self {
        Self {
            from,
            to,
            after_id: None,
            through_id: None,
            is_careful: false,
            at_least: 0,
        }
    }

    fn is_empty(&self) -> bool {
        self.to.is_some_and(|to| to <= self.from)
    }

    /// A single millisecond, which only ids can split.
    fn is_instant(&self) -> bool {
        let next = self.from.saturating_add(MILLISECOND).unwrap_or(self.from);
        self.to.is_some_and(|to| to <= next)
    }

    /// Whether `later` begins where this one ends.
    fn meets(&self, later: Self) -> bool {
        match self.through_id {
            Some(through) => later.from == self.from && later.after_id == Some(through),
            None => self.to == Some(later.from) && later.after_id.is_none(),
        }
    }

    fn holds(&self, seen: Seen) -> bool {
        let by_id =
            self.after_id.is_none_or(|id| seen.id > id) && self.through_id.is_none_or(|id| seen.id <= id);
        by_id && seen.at.is_some_and(|at| self.holds_time(at))
    }

    pub(super) fn holds_time(&self, at: Timestamp) -> bool {
        at >= self.from && self.to.is_none_or(|to| at < to)
    }

    /// Two parts of it, the earlier one small enough for a page as far as the results tell.
    fn split(self, seen: &[Seen]) -> Option<(Self, Self)> {
        match self.is_instant() {
            true => self.split_by_id(seen),
            false => self.split_by_time(seen),
        }
    }

    fn split_by_time(self, seen: &[Seen]) -> Option<(Self, Self)> {
        let times = seen.iter().filter_map(|seen| seen.at);
        let mut times: Vec<_> = times.filter(|at| self.holds_time(*at)).collect();
        times.sort_unstable();
        let next = self.from.saturating_add(MILLISECOND).ok()?;
        let at = match self.pick(&times) {
            Some(at) => at.max(next),
            None => middle(self.from, self.to?),
        };
        if self.to.is_some_and(|to| at >= to) {
            return None;
        }
        let earlier = Self {
            to: Some(at),
            at_least: 0,
            ..self
        };
        Some((earlier, Cell::new(at, self.to)))
    }

    fn split_by_id(self, seen: &[Seen]) -> Option<(Self, Self)> {
        let low = self.after_id.unwrap_or(0);
        let mut ids: Vec<_> = seen.iter().map(|seen| seen.id).collect();
        ids.retain(|id| *id > low && self.through_id.is_none_or(|through| *id <= through));
        ids.sort_unstable();
        let at = match (self.pick(&ids), self.through_id) {
            (Some(at), Some(through)) if at >= through => through.checked_sub(1)?,
            (Some(at), _) => at,
            (None, Some(through)) => low.midpoint(through),
            (None, None) => return None,
        };
        if at <= low {
            return None;
        }
        let earlier = Self {
            through_id: Some(at),
            at_least: 0,
            ..self
        };
        let later = Self {
            after_id: Some(at),
            is_careful: false,
            at_least: 0,
            ..self
        };
        Some((earlier, later))
    }

    /// Where to split: at the last of these where the order can be trusted, else with room for records out of order.
    fn pick<T: Copy>(&self, sorted: &[T]) -> Option<T> {
        match self.is_careful {
            true => sorted.get(sorted.len() / 2).copied(),
            false => sorted.last().copied(),
        }
    }
}

/// The millisecond half-way between two.
fn middle(from: Timestamp, to: Timestamp) -> Timestamp {
    let middle = from.as_millisecond().midpoint(to.as_millisecond());
    Timestamp::from_millisecond(middle).unwrap_or(from)
}

/// A time without what is finer than a millisecond.
pub(super) fn whole(at: Timestamp) -> Timestamp {
    let millis = at.as_nanosecond().div_euclid(1_000_000);
    i64::try_from(millis)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(at)
}

/// The question for a cell. `shown` are properties to show with each result. An instant is asked for as a range too:
/// nothing says that the index keeps no more digits than it shows.
pub(super) fn ask(last_modified: &str, shown: &[&str], cell: &Cell) -> SearchRequest {
    let time = |at: Timestamp| at.as_millisecond().max(1).to_string();
    let bound = |operator, value: String| Filter::new(last_modified, operator, value);
    let by_id = |operator, id: u64| Filter::new(ID, operator, id.to_string());
    let mut filters = vec![bound(Operator::Gte, time(cell.from))];
    filters.extend(cell.to.map(|to| bound(Operator::Lt, time(to))));
    filters.extend(cell.after_id.map(|id| by_id(Operator::Gt, id)));
    filters.extend(cell.through_id.map(|id| by_id(Operator::Lte, id)));
    let sort = if cell.is_instant() { ID } else { last_modified };
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

/// The question for the record that was modified last.
pub(super) fn ask_newest(last_modified: &str) -> SearchRequest {
    SearchRequest {
        sorts: vec![Sort {
            property_name: last_modified.to_owned(),
            descending: true,
        }],
        properties: vec![last_modified.to_owned()],
        limit: 1,
        ..SearchRequest::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = MAX_PAGE as usize;

    fn ms(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn at(time: i64, item_id: Option<u64>) -> Cursor {
        Cursor {
            timestamp: ms(time),
            item_id,
        }
    }

    /// A record as an index has it: where it stands, and the time that it shows.
    #[derive(Debug, Clone, Copy)]
    struct Entry {
        id: u64,
        indexed: i64,
        shown: i64,
    }

    /// A search index with the habits that HubSpot's has been seen with.
    #[derive(Default)]
    struct Index {
        entries: Vec<Entry>,
        /// Results on a page, in turn; 200 when empty.
        pages: Vec<usize>,
        /// Every n-th entry is sorted this much later than its time.
        disorder: Option<(u64, i64)>,
        ids_as_text: bool,
        /// Added to each total.
        drift: i64,
        no_next: bool,
    }

    impl Index {
        fn of(times: impl Iterator<Item = i64>) -> Self {
            let entry = |(id, time)| Entry {
                id,
                indexed: time,
                shown: time,
            };
            Self {
                entries: (1..).zip(times).map(entry).collect(),
                ..Self::default()
            }
        }

        fn search(&self, cell: &Cell, question: usize) -> (u64, bool, Vec<Seen>) {
            let inside = |entry: &&Entry| {
                cell.holds(Seen {
                    id: entry.id,
                    at: Some(ms(entry.indexed)),
                })
            };
            let mut found: Vec<Entry> = self.entries.iter().filter(inside).copied().collect();
            match (cell.is_instant(), self.ids_as_text) {
                (true, true) => found.sort_by_key(|entry| entry.id.to_string()),
                (true, false) => found.sort_by_key(|entry| entry.id),
                (false, _) => found.sort_by_key(|entry| {
                    let off = self.disorder.filter(|(nth, _)| entry.id % nth == 0);
                    (entry.indexed + off.map_or(0, |(_, by)| by), entry.id % 7)
                }),
            }
            let total = found.len();
            let limit = match self.pages.is_empty() {
                true => PAGE,
                false => self.pages[question % self.pages.len()],
            };
            found.truncate(limit);
            let seen = found.iter().map(|entry| Seen {
                id: entry.id,
                at: Some(ms(entry.shown)),
            });
            let has_next = total > found.len() && !self.no_next;
            (
                total.saturating_add_signed(isize::try_from(self.drift).unwrap()) as u64,
                has_next,
                seen.collect(),
            )
        }

        /// Reads a window; the ids that were seen, the questions that it took, and the drain as it ended.
        fn drain(&self, to: Option<i64>, counting: Counting) -> (BTreeSet<u64>, usize, Drain) {
            let mut drain = Drain::new(at(0, None), to.map(ms), counting);
            let (mut ids, mut questions, mut cursor) = (BTreeSet::new(), 0, drain.cursor());
            while let Some(cell) = drain.question() {
                let (total, has_next, seen) = self.search(&cell, questions);
                ids.extend(seen.iter().map(|seen| seen.id));
                questions += 1;
                assert!(questions < 2_000, "it goes on for ever");
                let answer = Answer {
                    total,
                    has_next,
                    seen: &seen,
                };
                drain.answer(answer, ms(i64::MAX / 1_000_000));
                let now = drain.cursor();
                assert!((now.timestamp, now.item_id) >= (cursor.timestamp, cursor.item_id));
                cursor = now;
                // Whatever lies before the cursor has been seen.
                let before = |entry: &&Entry| {
                    let place = (ms(entry.indexed), Some(entry.id));
                    place.0 < cursor.timestamp || (place.0 == cursor.timestamp && cursor.item_id >= place.1)
                };
                if !drain.is_doubtful() {
                    assert!(
                        self.entries
                            .iter()
                            .filter(before)
                            .all(|entry| ids.contains(&entry.id))
                    );
                }
            }
            (ids, questions, drain)
        }
    }

    /// Ways in which 2,500 changes lie in time.
    fn shapes() -> Vec<Vec<i64>> {
        let shape = |time: &dyn Fn(i64) -> i64| (1..=2_500).map(time).collect();
        vec![
            shape(&|_| 1_000),
            shape(&|n| 1_000 + n),
            shape(&|n| 1_000 + n / 199),
            shape(&|n| 1_000 + n / 200),
            shape(&|n| 1_000 + n * 40),
            shape(&|n| if n < 900 { 1_000 } else { 1_000 + n % 7 }),
        ]
    }

    #[test]
    fn a_search_that_behaves_is_asked_for_each_page_once() {
        for times in shapes() {
            for counting in [Counting::Exact, Counting::Growing] {
                let index = Index::of(times.iter().copied());
                let (ids, questions, drain) = index.drain(Some(200_000), counting);
                assert_eq!(ids.len(), 2_500);
                assert!(!drain.is_doubtful());
                assert!(questions <= 34, "{questions} questions for 13 pages");
                let newest = times.iter().max().unwrap();
                assert_eq!(drain.cursor(), at(newest + 1, None));
            }
        }
    }

    #[test]
    fn nothing_is_missed_whatever_search_does() {
        type Habit = (&'static str, fn(&mut Index));
        let habits: [Habit; 8] = [
            ("short pages", |index| index.pages = vec![130, 40, 200, 1]),
            ("empty pages", |index| index.pages = vec![200, 0, 200, 200, 0, 60]),
            ("order", |index| index.disorder = Some((20, 1_500))),
            ("order of an hour", |index| index.disorder = Some((20, 3_600_000))),
            ("much out of order", |index| index.disorder = Some((2, 400))),
            ("ids as text", |index| index.ids_as_text = true),
            ("fresh times", |index| {
                for entry in index.entries.iter_mut().filter(|entry| entry.id % 97 == 3) {
                    entry.shown = 900_000;
                }
            }),
            ("no next page", |index| {
                index.no_next = true;
                index.pages = vec![150];
            }),
        ];
        for (name, habit) in habits {
            for times in shapes() {
                for to in [Some(200_000), None] {
                    let mut index = Index::of(times.iter().copied());
                    habit(&mut index);
                    let (ids, questions, drain) = index.drain(to, Counting::Exact);
                    assert_eq!(ids.len(), 2_500, "{name}");
                    assert!(!drain.is_doubtful(), "{name}");
                    assert!(questions < 300, "{name}: {questions} questions");
                }
            }
        }
    }

    #[test]
    fn a_fresh_time_moves_no_cursor_beyond_the_window() {
        let mut index = Index::of((1..=700).map(|n| 1_000 + n));
        index.entries[199].shown = 5_000_000;
        let (ids, _, drain) = index.drain(Some(3_000), Counting::Exact);
        assert_eq!(ids.len(), 700);
        assert_eq!(drain.cursor(), at(1_701, None));
    }

    #[test]
    fn a_window_without_records_leaves_the_cursor_where_it_was() {
        let (_, questions, drain) = Index::of(std::iter::empty()).drain(Some(9_000_000), Counting::Exact);
        assert_eq!((questions, drain.cursor()), (1, at(0, None)));
    }

    #[test]
    fn what_cannot_be_counted_is_given_up_and_said() {
        for to in [Some(200_000), None] {
            let index = Index {
                drift: 1,
                ..Index::of((1..=700).map(|n| 1_000 + n))
            };
            let (ids, questions, drain) = index.drain(to, Counting::Exact);
            assert!(drain.is_doubtful() && questions < 120, "{questions} questions");
            assert!(ids.len() > 150);
        }
        let (_, questions, drain) = Index {
            drift: 1_000_000,
            pages: vec![0],
            ..Index::default()
        }
        .drain(Some(300_000), Counting::Exact);
        assert!(drain.is_doubtful() && questions < 120, "{questions} questions");
    }

    #[test]
    fn a_part_that_shows_less_than_was_seen_in_it_is_not_believed() {
        let page: Vec<_> = (1..=200)
            .map(|id| Seen {
                id,
                at: Some(ms(1_000)),
            })
            .collect();
        let mut drain = Drain::new(at(0, None), Some(ms(5_000)), Counting::Exact);
        let full = Answer {
            total: 700,
            has_next: true,
            seen: &page,
        };
        let none = Answer {
            total: 0,
            has_next: false,
            seen: &[],
        };
        let now = ms(9_000);
        assert_eq!(drain.answer(full, now), Next::Ask);
        for _ in 0..3 {
            // Neither the later part nor the instant itself holds anything, so both are asked for together again.
            while drain.question().unwrap().to != Some(ms(5_000)) || drain.split.is_some() {
                drain.answer(none, now);
            }
            assert!(drain.cursor().timestamp <= ms(1_000));
            drain.answer(full, now);
        }
    }

    #[test]
    fn a_window_that_is_resumed_within_an_instant_goes_on_behind_the_id() {
        let drain = Drain::new(at(10, Some(7)), Some(ms(50)), Counting::Exact);
        let cell = drain.question().unwrap();
        assert_eq!(
            (cell.from, cell.to, cell.after_id),
            (ms(10), Some(ms(11)), Some(7))
        );
        assert_eq!(drain.cursor(), at(10, Some(7)));
    }

    #[test]
    fn times_finer_than_a_millisecond_belong_to_it() {
        let fine: Timestamp = "2026-03-01T00:00:00.123999Z".parse().unwrap();
        assert_eq!(whole(fine), "2026-03-01T00:00:00.123Z".parse().unwrap());
        let early: Timestamp = "1969-12-31T23:59:59.9995Z".parse().unwrap();
        assert_eq!(whole(early), ms(-1));
    }

    #[test]
    fn the_questions_never_have_an_offset_nor_ask_for_equal_times() {
        let asked = |cell: Cell| serde_json::to_value(ask("lastmodifieddate", &["email"], &cell)).unwrap();
        let open = asked(Cell::new(ms(10), None));
        let window = asked(Cell::new(ms(10), Some(ms(50))));
        let instant = asked(Cell {
            after_id: Some(7),
            through_id: Some(9),
            ..Cell::new(ms(10), Some(ms(11)))
        });
        let filters = |asked: &serde_json::Value| {
            let filters = asked["filterGroups"][0]["filters"].as_array().unwrap();
            let text = |filter: &serde_json::Value| {
                format!(
                    "{} {}",
                    filter["operator"].as_str().unwrap(),
                    filter["value"].as_str().unwrap()
                )
            };
            filters.iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(filters(&open), ["GTE 10"]);
        assert_eq!(filters(&window), ["GTE 10", "LT 50"]);
        assert_eq!(filters(&instant), ["GTE 10", "LT 11", "GT 7", "LTE 9"]);
        assert_eq!(window["sorts"][0]["propertyName"], "lastmodifieddate");
        assert_eq!(instant["sorts"][0]["propertyName"], "hs_object_id");
        for request in [&open, &window, &instant] {
            assert!(request.get("after").is_none() && request["limit"] == 200);
        }
        assert_eq!(
            open["properties"],
            serde_json::json!(["lastmodifieddate", "email"])
        );
        // A time of 0 has given errors.
        assert_eq!(filters(&asked(Cell::new(ms(0), None))), ["GTE 1"]);
    }
}
