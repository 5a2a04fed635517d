//! How strict the account is where HubSpot's own behaviour varies: `/_emulator/behaviour`.

use serde::{Deserialize, Serialize};

use crate::state::record::Record;
use crate::time::Millis;

/// Settings that can be changed while the emulator runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Habits {
    /// Search results that changed a moment ago come in the wrong order (hubspot-api notes §1.5, §7 quirk 3).
    pub(crate) unstable_order: bool,
    /// A search that compares a time with the epoch, value 0, answers 500: production connectors guard against it
    /// (hubspot-api notes §1.5, §7 quirk 17).
    pub(crate) epoch_filter_fails: bool,
}

/// How near the index's frontier the order is wrong. Not known; a minute is as much as connectors report.
const FRONTIER: Millis = 60_000;

impl Habits {
    /// Bends the order of a page of search results.
    pub(crate) fn disturb(self, page: &mut [&Record], now: Millis) {
        if !self.unstable_order {
            return;
        }
        for pair in page.chunks_exact_mut(2) {
            if pair.iter().all(|record| record.updated > now - FRONTIER) {
                pair.swap(0, 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::record::Life;
    use crate::state::values::Values;

    fn order(updated: [Millis; 4], habits: Habits) -> Vec<u64> {
        let records: Vec<Record> = (1..)
            .zip(updated)
            .map(|(id, updated)| Record {
                id,
                created: 0,
                updated,
                life: Life::Live,
                values: Values::default(),
            })
            .collect();
        let mut page: Vec<&Record> = records.iter().collect();
        habits.disturb(&mut page, 1_000_000);
        page.iter().map(|record| record.id).collect()
    }

    #[test]
    fn only_the_frontier_is_disturbed_and_only_on_demand() {
        let unstable = Habits {
            unstable_order: true,
            ..Habits::default()
        };
        let updated = [1, 2, 999_990, 999_995];
        assert_eq!(order(updated, Habits::default()), [1, 2, 3, 4]);
        assert_eq!(order(updated, unstable), [1, 2, 4, 3]);
    }
}
