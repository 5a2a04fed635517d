//! Records as they were a while ago, for an account whose reads by id are late.

use std::collections::HashMap;

use super::index::Slot;
use super::record::Record;
use crate::time::Millis;

#[derive(Debug, Clone, Default)]
pub(crate) struct Earlier {
    /// How old the versions are that are still shown; 0 keeps none.
    lag: Millis,
    /// Replaced versions, the oldest first, each with when it was replaced.
    versions: HashMap<Slot, Vec<(Millis, Record)>>,
}

impl Earlier {
    /// Keeps versions for this long; forgets those that were kept.
    pub(crate) fn keep(&mut self, lag: Millis) {
        *self = Self {
            lag,
            versions: HashMap::new(),
        };
    }

    /// Takes note of a live record that was replaced by a live version.
    pub(crate) fn note(&mut self, slot: Slot, before: Record, after: &Record) {
        if self.lag == 0 || !before.is_live() || !after.is_live() {
            return;
        }
        let versions = self.versions.entry(slot).or_default();
        versions.retain(|(replaced, _)| *replaced > after.updated - self.lag);
        versions.push((after.updated, before));
    }

    /// The version of a live record that a read shows now.
    pub(crate) fn as_read<'r>(&'r self, slot: Slot, current: &'r Record, now: Millis) -> &'r Record {
        if self.lag == 0 || !current.is_live() {
            return current;
        }
        let versions = self.versions.get(&slot).into_iter().flatten();
        let mut late = versions.filter(|(replaced, _)| *replaced > now - self.lag);
        late.next().map_or(current, |(_, version)| version)
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Life;
    use super::super::values::Values;
    use super::*;

    fn version(updated: Millis) -> Record {
        Record {
            id: 7,
            created: 1,
            updated,
            life: Life::Live,
            values: Values::default(),
        }
    }

    #[test]
    fn a_read_shows_the_version_of_a_while_ago() {
        let mut earlier = Earlier::default();
        earlier.keep(5_000);
        earlier.note(0, version(1), &version(10_000));
        earlier.note(0, version(10_000), &version(12_000));
        let current = version(12_000);
        let shown = |now| earlier.as_read(0, &current, now).updated;
        assert_eq!(shown(12_000), 1);
        assert_eq!(shown(14_999), 1);
        assert_eq!(shown(15_000), 10_000);
        assert_eq!(shown(17_000), 12_000);
    }

    #[test]
    fn without_a_lag_nothing_is_kept() {
        let mut earlier = Earlier::default();
        earlier.note(0, version(1), &version(10_000));
        assert_eq!(earlier.as_read(0, &version(10_000), 10_000).updated, 10_000);
    }
}
