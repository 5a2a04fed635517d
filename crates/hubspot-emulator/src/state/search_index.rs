//! What search can see: three orders over the visible version of every record, which may trail the truth by
//! a lag (hubspot-api notes §1.5: new and changed records appear after a few moments).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::index::{Slot, SortedIndex};
use super::record::Record;
use crate::time::Millis;

/// Time on the emulator's steady clock.
pub(crate) type Steady = Duration;

/// When search notices a change.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Notice {
    AtOnce,
    At(Steady),
    /// Search goes on to show what it showed.
    Never,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct SearchIndex {
    pub(crate) by_id: SortedIndex,
    pub(crate) by_created: SortedIndex,
    pub(crate) by_updated: SortedIndex,
    /// Versions that become visible later, in order of their time.
    pending: VecDeque<Pending>,
    /// What is visible of the records that have pending versions.
    shown: HashMap<Slot, Shown>,
}

#[derive(Debug, Clone)]
struct Pending {
    due: Steady,
    slot: Slot,
    version: Option<Record>,
}

#[derive(Debug, Clone)]
struct Shown {
    version: Option<Record>,
    pending: usize,
    /// The record has changed since without notice: this version stays visible until the next noticed change.
    stale: bool,
}

/// A live record as search wants it: records that are not live are not there at all.
fn searchable(record: &Record) -> Option<&Record> {
    record.is_live().then_some(record)
}

/// Where a record stands in the three orders.
fn keys(record: &Record) -> (u64, Millis, Millis) {
    (record.id, record.created, record.updated)
}

pub(crate) fn id_key(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

impl SearchIndex {
    /// Adds many records at once, visible now.
    pub(crate) fn extend<'r>(&mut self, records: impl Iterator<Item = (Slot, &'r Record)> + Clone) {
        let live = records.filter(|(_, record)| record.is_live());
        self.by_id
            .extend(live.clone().map(|(slot, record)| (id_key(record.id), slot)));
        self.by_created
            .extend(live.clone().map(|(slot, record)| (record.created, slot)));
        self.by_updated
            .extend(live.map(|(slot, record)| (record.updated, slot)));
    }

    /// Takes note of a change.
    pub(crate) fn note(&mut self, slot: Slot, before: Option<&Record>, after: &Record, notice: Notice) {
        let before = before.and_then(searchable);
        match notice {
            Notice::AtOnce => match self.shown.remove(&slot) {
                Some(shown) => self.show(slot, shown.version.as_ref(), searchable(after)),
                None => self.show(slot, before, searchable(after)),
            },
            Notice::At(due) => {
                let shown = self.shown_of(slot, before);
                shown.pending += 1;
                shown.stale = false;
                self.pending.push_back(Pending {
                    due,
                    slot,
                    version: searchable(after).cloned(),
                });
            }
            // Other values in the same place need no keeping: no search finds the record because of them.
            Notice::Never if before.map(keys) == searchable(after).map(keys) => {}
            Notice::Never => self.shown_of(slot, before).stale = true,
        }
    }

    fn shown_of(&mut self, slot: Slot, before: Option<&Record>) -> &mut Shown {
        self.shown.entry(slot).or_insert_with(|| Shown {
            version: before.cloned(),
            pending: 0,
            stale: false,
        })
    }

    pub(crate) fn has_due(&self, now: Steady) -> bool {
        self.pending.front().is_some_and(|first| first.due <= now)
    }

    /// Makes visible what has become due.
    pub(crate) fn catch_up(&mut self, now: Steady) {
        while self.has_due(now) {
            let Some(Pending { slot, version, .. }) = self.pending.pop_front() else {
                return;
            };
            let Some(shown) = self.shown.remove(&slot) else {
                continue;
            };
            self.show(slot, shown.version.as_ref(), version.as_ref());
            if shown.pending > 1 || shown.stale {
                self.shown.insert(
                    slot,
                    Shown {
                        version,
                        pending: shown.pending - 1,
                        ..shown
                    },
                );
            }
        }
    }

    /// The version of a record that search sees; `current` is the version that the rest of the API sees.
    pub(crate) fn visible<'a>(&'a self, slot: Slot, current: &'a Record) -> Option<&'a Record> {
        match self.shown.get(&slot) {
            Some(shown) => shown.version.as_ref(),
            None => searchable(current),
        }
    }

    fn show(&mut self, slot: Slot, before: Option<&Record>, after: Option<&Record>) {
        move_key(
            &mut self.by_id,
            slot,
            before.map(|record| id_key(record.id)),
            after.map(|record| id_key(record.id)),
        );
        move_key(
            &mut self.by_created,
            slot,
            before.map(|record| record.created),
            after.map(|record| record.created),
        );
        move_key(
            &mut self.by_updated,
            slot,
            before.map(|record| record.updated),
            after.map(|record| record.updated),
        );
    }
}

fn move_key(index: &mut SortedIndex, slot: Slot, before: Option<i64>, after: Option<i64>) {
    if before == after {
        return;
    }
    if let Some(key) = before {
        index.remove(key, slot);
    }
    if let Some(key) = after {
        index.insert(key, slot);
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Life;
    use super::super::values::Values;
    use super::*;

    fn version(updated: i64, life: Life) -> Record {
        Record {
            id: 7,
            created: 1,
            updated,
            life,
            values: Values::default(),
        }
    }

    #[test]
    fn a_late_version_shows_the_earlier_one_until_it_is_due() {
        let mut index = SearchIndex::default();
        let (first, second) = (version(1, Life::Live), version(2, Life::Live));
        index.note(0, None, &first, Notice::AtOnce);
        index.note(0, Some(&first), &second, Notice::At(Duration::from_secs(5)));
        assert_eq!(index.visible(0, &second).map(|record| record.updated), Some(1));
        assert_eq!(index.by_updated.rank(2), 1);
        index.catch_up(Duration::from_secs(5));
        assert_eq!(index.visible(0, &second).map(|record| record.updated), Some(2));
        assert_eq!(index.by_updated.rank(2), 0);
    }

    #[test]
    fn archiving_takes_a_record_out_of_search() {
        let mut index = SearchIndex::default();
        let (live, gone) = (version(1, Life::Live), version(1, Life::Archived { at: 2 }));
        index.note(0, None, &live, Notice::AtOnce);
        index.note(0, Some(&live), &gone, Notice::AtOnce);
        assert!(index.visible(0, &gone).is_none());
        assert_eq!((index.by_id.len(), index.by_updated.len()), (0, 0));
    }
    #[test]
    fn what_happens_without_notice_shows_only_with_the_next_noticed_change() {
        let (live, gone) = (version(1, Life::Live), version(1, Life::Archived { at: 2 }));
        let again = version(3, Life::Live);
        for lag in [Notice::AtOnce, Notice::At(Duration::from_secs(5))] {
            let mut index = SearchIndex::default();
            index.note(0, None, &live, Notice::AtOnce);
            index.note(0, Some(&live), &gone, Notice::Never);
            assert_eq!(index.visible(0, &gone).map(|record| record.updated), Some(1));
            index.note(0, Some(&gone), &again, lag);
            index.catch_up(Duration::from_secs(5));
            assert_eq!(index.visible(0, &again).map(|record| record.updated), Some(3));
            assert_eq!((index.by_id.len(), index.by_updated.rank(3)), (1, 0));
        }
    }

    #[test]
    fn a_late_version_is_shown_even_if_the_record_vanished_without_notice_since() {
        let mut index = SearchIndex::default();
        let (first, second) = (version(1, Life::Live), version(2, Life::Live));
        let gone = version(2, Life::Purged);
        index.note(0, None, &first, Notice::AtOnce);
        index.note(0, Some(&first), &second, Notice::At(Duration::from_secs(5)));
        index.note(0, Some(&second), &gone, Notice::Never);
        index.catch_up(Duration::from_secs(5));
        assert_eq!(index.visible(0, &gone).map(|record| record.updated), Some(2));
        assert_eq!((index.by_id.len(), index.by_updated.rank(3)), (1, 1));
    }
}
