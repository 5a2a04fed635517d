//! What properties held before: one list per record and property, for those that changed since the start.

use std::collections::{BTreeMap, HashMap};

use super::index::Slot;
use super::values::PropertyIndex;
use crate::time::Millis;

/// Who or what gave a property its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Import,
    Integration,
    Person,
    Calculation,
}

/// One value a property has held, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) value: String,
    pub(crate) since: Millis,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct History(HashMap<Slot, BTreeMap<PropertyIndex, Vec<Held>>>);

impl History {
    /// Notes that a property changes; `before` is what it held until now, if anything.
    pub(crate) fn note(&mut self, slot: Slot, property: PropertyIndex, before: Option<Held>, after: Held) {
        let held = self.0.entry(slot).or_default().entry(property).or_default();
        if held.is_empty() {
            held.extend(before);
        }
        held.push(after);
    }

    /// Every value noted, oldest first; empty when the property has not changed since the start.
    pub(crate) fn of(&self, slot: Slot, property: PropertyIndex) -> &[Held] {
        let of_record = self.0.get(&slot);
        of_record
            .and_then(|held| held.get(&property))
            .map_or(&[], Vec::as_slice)
    }

    /// Forgets everything about a record (GDPR delete).
    pub(crate) fn forget(&mut self, slot: Slot) {
        self.0.remove(&slot);
    }
}
