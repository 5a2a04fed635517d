//! How search misbehaves on demand: the habits that production connectors report, and those that nothing rules out.

use crate::state::index::Slot;
use crate::state::record::Record;
use crate::state::store::Store;
use crate::time::Millis;

/// How near the index's frontier neighbours are swapped. Not known; a minute is as much as connectors report.
const FRONTIER: Millis = 60_000;
/// One record of so many stands out of order.
const DISORDERED: u64 = 20;

/// How the order of results is bent, whatever was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bend {
    /// Some records are sorted this many milliseconds later or earlier than their last modification.
    pub(crate) disorder: Millis,
    /// Ids are sorted as texts.
    pub(crate) ids_as_text: bool,
}

impl Bend {
    pub(crate) fn is_straight(self) -> bool {
        self == Self::default()
    }

    /// The time that a record is sorted by.
    pub(crate) fn time(self, record: &Record) -> Millis {
        let draw = mix(record.id);
        let sign = if draw & 1 == 0 { 1 } else { -1 };
        match self.disorder != 0 && (draw >> 8).is_multiple_of(DISORDERED) {
            true => record.updated + sign * self.disorder,
            false => record.updated,
        }
    }
}

/// Swaps neighbours that both changed in the last minute.
pub(super) fn swap_frontier(page: &mut [&Record], now: Millis) {
    for pair in page.chunks_exact_mut(2) {
        if pair.iter().all(|record| record.updated > now - FRONTIER) {
            pair.swap(0, 1);
        }
    }
}

/// How many of a page's results are shown, at this search of all: none, half, all but one, or all.
pub(super) fn shown(results: usize, search: u64) -> usize {
    match mix(search) % 8 {
        0 => 0,
        1 | 2 => results / 2,
        3 => results.saturating_sub(1),
        _ => results,
    }
}

/// The record as it is now, for one that an older version was found by.
pub(super) fn fresh<'s>(store: &'s Store, found: &'s Record) -> &'s Record {
    let slot: Option<Slot> = store.slot(found.id);
    let current = slot.map(|slot| store.record(slot));
    current.filter(|record| record.is_live()).unwrap_or(found)
}

/// Scatters the bits of a number (SplitMix64's finalizer).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::record::Life;
    use crate::state::values::Values;

    fn records(updated: &[Millis]) -> Vec<Record> {
        (1..)
            .zip(updated)
            .map(|(id, updated)| Record {
                id,
                created: 0,
                updated: *updated,
                life: Life::Live,
                values: Values::default(),
            })
            .collect()
    }

    #[test]
    fn only_the_frontier_is_swapped() {
        let records = records(&[1, 2, 999_990, 999_995]);
        let mut page: Vec<&Record> = records.iter().collect();
        swap_frontier(&mut page, 1_000_000);
        assert_eq!(
            page.iter().map(|record| record.id).collect::<Vec<_>>(),
            [1, 2, 4, 3]
        );
    }

    #[test]
    fn about_one_record_in_twenty_stands_out_of_order() {
        let records = records(&[5_000; 2_000]);
        let bend = Bend {
            disorder: 1_500,
            ..Bend::default()
        };
        let off: Vec<_> = records
            .iter()
            .map(|record| bend.time(record))
            .filter(|time| *time != 5_000)
            .collect();
        assert!((50..200).contains(&off.len()), "{}", off.len());
        assert!(off.contains(&3_500) && off.contains(&6_500));
    }

    #[test]
    fn pages_are_short_and_empty_at_times_and_whole_at_others() {
        let shown: Vec<_> = (0..40).map(|search| shown(200, search)).collect();
        for length in [0, 100, 199, 200] {
            assert!(shown.contains(&length), "{length}");
        }
    }
}
