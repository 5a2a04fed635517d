//! What a walk over a list has not shown, whatever order its pages come in. Pure.
//!
//! A record is missing when the whole walk did not show it. So what a page passes without showing it is only noted, taken off
//! again when a later page shows it, and looked after when the walk has ended. In the order of ids almost nothing is noted, and
//! in any other order each id at most once.

use std::collections::BTreeSet;

use hubspot_client::RawObject;

use super::differ::number;
use crate::known::Map;

/// Most records that are looked after in one act, at a hundred a call.
pub(super) const PIECE: usize = 500;

/// The ids of a page, and where its walk stands.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) ids: BTreeSet<u64>,
    /// The greatest id that was shown before; `None` on the first page.
    pub(super) through: Option<u64>,
    pub(super) is_last: bool,
}

/// What a page changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Changes of what the walk has passed and not shown.
    pub(super) edits: Vec<(u64, Option<u32>)>,
    /// What the whole walk has not shown; empty before its end.
    pub(super) unseen: BTreeSet<u64>,
}

impl Page {
    pub(super) fn new(objects: &[RawObject], through: Option<u64>, is_last: bool) -> Self {
        Self {
            ids: objects.iter().filter_map(|object| number(object.id())).collect(),
            through,
            is_last,
        }
    }

    /// The greatest id that was shown up to this page.
    pub(super) fn reached(&self) -> u64 {
        let here = self.ids.last().copied().unwrap_or(0);
        here.max(self.through.unwrap_or(0))
    }

    /// Counts this page: `expected` is what the list should show, `unseen` what was passed before.
    pub(super) fn count(&self, expected: &Map<u64>, unseen: &Map<u64>) -> Passed {
        let mut edits = Vec::new();
        if self.through.is_none() {
            // Left by a walk that did not come to its end.
            edits.extend(unseen.iter().map(|(id, _)| (id, None)));
        }
        let low = self.through.map_or(0, |through| through.saturating_add(1));
        let high = if self.is_last { u64::MAX } else { self.reached() };
        if low <= high && self.through != Some(u64::MAX) {
            let passed = expected.range(low, high).map(|(id, _)| id);
            let passed = passed.filter(|id| !self.ids.contains(id));
            edits.extend(passed.map(|id| (id, Some(0))));
        }
        let late: Vec<u64> = self.ids.range(..low).copied().collect();
        let noted = unseen.get_many(late.iter().copied());
        let shown = late.into_iter().zip(noted).filter(|(_, noted)| noted.is_some());
        edits.extend(shown.map(|(id, _)| (id, None)));
        let unseen = match self.is_last {
            true => after(unseen, &edits),
            false => BTreeSet::new(),
        };
        Passed { edits, unseen }
    }
}

fn after(unseen: &Map<u64>, edits: &[(u64, Option<u32>)]) -> BTreeSet<u64> {
    let mut left: BTreeSet<u64> = unseen.iter().map(|(id, _)| id).collect();
    for (id, noted) in edits {
        match noted {
            Some(_) => left.insert(*id),
            None => left.remove(id),
        };
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(ids: impl IntoIterator<Item = u64>) -> Map<u64> {
        let mut map = Map::default();
        map.apply(ids.into_iter().map(|id| (id, Some(7))).collect());
        map
    }

    /// What a walk of these pages has not shown of what is expected, and the most it had to note.
    fn walk(expected: &Map<u64>, unseen: &mut Map<u64>, pages: &[&[u64]]) -> (Vec<u64>, usize) {
        let (mut through, mut most) = (None, 0);
        for (n, ids) in pages.iter().enumerate() {
            let page = Page {
                ids: ids.iter().copied().collect(),
                through,
                is_last: n + 1 == pages.len(),
            };
            let passed = page.count(expected, unseen);
            unseen.apply(passed.edits);
            most = most.max(unseen.len());
            through = Some(page.reached());
            if page.is_last {
                assert_eq!(passed.unseen, unseen.iter().map(|(id, _)| id).collect());
            }
        }
        (unseen.iter().map(|(id, _)| id).collect(), most)
    }

    #[test]
    fn whatever_the_order_of_the_pages_only_what_none_shows_is_unseen() {
        let expected = map(1..=9);
        let in_order: [&[u64]; 3] = [&[1, 2, 3], &[4, 6], &[7, 8]];
        assert_eq!(walk(&expected, &mut Map::default(), &in_order), (vec![5, 9], 2));
        let orders: [[&[u64]; 4]; 3] = [
            [&[7, 8], &[4, 6], &[1, 2], &[3]],
            [&[1, 8], &[], &[2, 7, 3], &[4, 6]],
            [&[8], &[1, 2], &[7, 4], &[6, 3]],
        ];
        for pages in &orders {
            assert_eq!(walk(&expected, &mut Map::default(), pages).0, [5, 9], "{pages:?}");
        }
    }

    #[test]
    fn in_the_order_of_ids_nothing_is_noted_that_is_there() {
        let expected = map(1..=1_000);
        let all: Vec<u64> = (1..=1_000).collect();
        let pages: Vec<&[u64]> = all.chunks(100).collect();
        assert_eq!(walk(&expected, &mut Map::default(), &pages), (vec![], 0));
    }

    #[test]
    fn a_walk_that_begins_forgets_what_an_earlier_one_left() {
        let mut unseen = map([3, 4]);
        assert_eq!(walk(&map(1..=4), &mut unseen, &[&[1, 2, 3, 4]]).0, [0; 0]);
        let mut unseen = map([3, 4]);
        assert_eq!(walk(&map(1..=4), &mut unseen, &[&[1, 2], &[4]]).0, [3]);
    }

    #[test]
    fn what_becomes_known_behind_the_walk_is_not_missing() {
        let mut expected = map([1, 2, 5]);
        let first = Page {
            ids: [1, 2, 5].into(),
            through: None,
            is_last: false,
        };
        let mut unseen = Map::default();
        unseen.apply(first.count(&expected, &unseen).edits);
        expected.apply(vec![(4, Some(7))]);
        let last = Page {
            ids: BTreeSet::new(),
            through: Some(5),
            is_last: true,
        };
        assert_eq!(last.count(&expected, &unseen).unseen, BTreeSet::new());
    }

    #[test]
    fn an_empty_list_has_shown_nothing() {
        assert_eq!(walk(&map([1, 2]), &mut Map::default(), &[&[]]).0, [1, 2]);
    }
}
