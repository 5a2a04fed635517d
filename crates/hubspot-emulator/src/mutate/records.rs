//! Changes to records.

use serde_json::{Value, json};

use super::Scene;
use super::pick::any_live;
use crate::data::generate::{Generator, is_calculated, is_writable};
use crate::data::seeding::generator;
use crate::state::history::Origin;
use crate::state::index::Slot;
use crate::state::property::Property;
use crate::state::store::Store;
use crate::state::validation::Changes;

/// So often a value is drawn until it differs from the one that is there.
const TRIES: usize = 20;

type Wanted = fn(&Property) -> bool;

impl Scene<'_> {
    pub(super) fn store(&self) -> &Store {
        self.portal.store(self.of)
    }

    fn generator(&self) -> Generator<'_> {
        generator(self.portal, &self.inner.recipes, self.of)
    }

    fn id(&self, slot: Slot) -> u64 {
        self.store().record(slot).id
    }

    fn told(&self, slot: Slot) -> Value {
        json!(self.id(slot).to_string())
    }

    fn pick_live(&mut self) -> Option<Slot> {
        self.picker.live(self.portal.store(self.of), self.draw)
    }

    pub(super) fn create(&mut self) -> Value {
        let id = self.store().next_id();
        let values = self.generator().values(id, self.now.wall);
        let slot = self.portal.insert(self.of, values, &[], self.now);
        self.told(slot)
    }

    /// Changes one to three properties.
    pub(super) fn update(&mut self) -> Option<Value> {
        let slot = self.pick_live()?;
        let count = 1 + self.draw.place(3);
        let mut changes = self.differing(slot, is_writable);
        for _ in 1..count {
            changes.extend(self.draw_value(slot, is_writable));
        }
        // The value that is known to differ comes first and is the one to stay.
        changes.sort_by_key(|(property, _)| *property);
        changes.dedup_by_key(|(property, _)| *property);
        if self.now.silent && changes.is_empty() {
            return None;
        }
        self.portal
            .apply_from(self.of, slot, &changes, self.now, Origin::Person);
        Some(self.told(slot))
    }

    /// Changes a property that HubSpot calculates, which it does without a trace (hubspot-api notes §7).
    pub(super) fn recalculate(&mut self) -> Option<Value> {
        let slot = self.pick_live()?;
        let changes = self.differing(slot, is_calculated);
        self.now.silent = true;
        self.portal
            .apply_from(self.of, slot, &changes, self.now, Origin::Calculation);
        (!changes.is_empty()).then(|| self.told(slot))
    }

    fn draw_value(&mut self, slot: Slot, wanted: Wanted) -> Option<(u16, Option<String>)> {
        let record = self.portal.store(self.of).record(slot);
        let maker = generator(self.portal, &self.inner.recipes, self.of);
        let made = maker.change(self.draw, record.id, record.created, wanted);
        made.map(|(property, text)| (property, Some(text)))
    }

    /// One value that the record does not have yet; nothing when none turns up.
    fn differing(&mut self, slot: Slot, wanted: Wanted) -> Changes {
        for _ in 0..TRIES {
            let Some((property, text)) = self.draw_value(slot, wanted) else {
                break;
            };
            let held = self.store().record(slot).values.get(property);
            if held.as_deref().unwrap_or("") != text.as_deref().unwrap_or("") {
                return vec![(property, text)];
            }
        }
        Vec::new()
    }

    pub(super) fn archive(&mut self) -> Option<Value> {
        let slot = self.pick_live()?;
        self.portal.archive(self.of, slot, self.now);
        Some(self.told(slot))
    }

    pub(super) fn restore(&mut self) -> Option<Value> {
        let slot = self.picker.archived(self.portal.store(self.of), self.draw)?;
        let restored = self.portal.restore(self.of, slot, self.now);
        restored.then(|| self.told(slot))
    }

    pub(super) fn purge(&mut self) -> Option<Value> {
        let slot = self.pick_live()?;
        let stays = self.inner.habits().erased_stays_in_bin;
        self.portal.purge(self.of, slot, stays, self.now);
        Some(self.told(slot))
    }

    /// Two live records become one.
    pub(super) fn merge(&mut self) -> Option<Value> {
        let one = self.pick_live()?;
        let other = (0..TRIES).find_map(|_| self.pick_live().filter(|other| *other != one))?;
        let (primary, merged) = (self.id(one), self.id(other));
        let survivor = self.portal.merge(self.of, one, other, self.now);
        Some(json!({
            "primary": primary.to_string(),
            "merged": merged.to_string(),
            "survivor": survivor.to_string(),
        }))
    }

    /// The id of a live record of any type.
    pub(super) fn any_live_id(&mut self, of: usize) -> Option<u64> {
        let store = self.portal.store(of);
        any_live(store, self.draw).map(|slot| store.record(slot).id)
    }

    /// The id of a live record of the type in question.
    pub(super) fn live_id(&mut self) -> Option<u64> {
        self.pick_live().map(|slot| self.id(slot))
    }
}
