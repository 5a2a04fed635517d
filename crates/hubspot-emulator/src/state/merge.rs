//! Making one record of two.

use super::associations::{Link, TypeIndex};
use super::index::Slot;
use super::portal::{Moment, Portal};
use super::record::{Life, Record};
use super::store::Store;
use super::validation::Changes;
use super::values::{PropertyIndex, Values};

impl Portal {
    /// Makes one record of two. Merging contacts or companies gives the survivor a new id, to which both old ids
    /// lead; other types keep the primary's id (hubspot-api notes §1.4).
    pub(crate) fn merge(&mut self, of: TypeIndex, primary: Slot, other: Slot, now: Moment) -> u64 {
        let store = &self.stores[of];
        let (one, two) = (store.record(primary).clone(), store.record(other).clone());
        let values = self.merged_values(of, &one, &two);
        let renewed = matches!(store.object_type.plural.as_str(), "contacts" | "companies");
        let gone = if renewed {
            vec![one.id, two.id]
        } else {
            vec![two.id]
        };
        let links = self.links_to_move(of, &gone);
        let survivor = if renewed {
            // Both old records give their unique values up before the survivor takes them.
            let next = self.stores[of].next_id();
            self.set_life(of, primary, Life::Merged { into: next }, now);
            self.set_life(of, other, Life::Merged { into: next }, now);
            let slot = self.insert(of, values, &[], now);
            self.stores[of].record(slot).id
        } else {
            self.set_life(of, other, Life::Merged { into: one.id }, now);
            let due = self.due(now);
            let version = Record {
                values,
                updated: now.modified(one.updated),
                ..one
            };
            self.stores[of].replace(primary, version, due);
            one.id
        };
        for (to, link) in links {
            self.associations.link(
                of,
                to,
                Link {
                    from: survivor,
                    ..link
                },
            );
        }
        survivor
    }

    /// The primary's values, completed by the other's; `hs_merged_object_ids` names everyone who was merged.
    fn merged_values(&self, of: TypeIndex, one: &Record, two: &Record) -> Values {
        let store = &self.stores[of];
        let missing = two
            .values
            .iter()
            .filter(|(index, _)| one.values.raw(*index).is_none_or(<[u8]>::is_empty));
        let mut changes: Changes = missing
            .map(|(index, _)| (index, two.values.get(index).map(Into::into)))
            .collect();
        if let Some(property) = store.properties.index("hs_merged_object_ids") {
            changes.retain(|(index, _)| *index != property);
            let earlier = [&one.values, &two.values]
                .map(|values| values.get(property).unwrap_or_default().into_owned());
            let ids = [one.id.to_string(), two.id.to_string()];
            let all: Vec<&str> = earlier
                .iter()
                .chain(&ids)
                .map(String::as_str)
                .filter(|id| !id.is_empty())
                .collect();
            changes.push((property, Some(all.join(";"))));
        }
        if let Some((property, addresses)) = merged_addresses(store, one, two) {
            changes.retain(|(index, _)| *index != property);
            changes.push((property, Some(addresses)));
        }
        changes.sort_unstable_by_key(|(index, _)| *index);
        one.values.with(&changes)
    }

    /// Takes the links of records that go away, weakest first, so that a primary link is set last.
    fn links_to_move(&mut self, of: TypeIndex, ids: &[u64]) -> Vec<(TypeIndex, Link)> {
        ids.iter()
            .rev()
            .flat_map(|id| self.associations.take_all(of, *id))
            .collect()
    }
}

/// The addresses that a merged contact does not have as its primary one become secondary addresses.
fn merged_addresses(store: &Store, one: &Record, two: &Record) -> Option<(PropertyIndex, String)> {
    let primary = store
        .properties
        .index("email")
        .filter(|email| store.is_unique(*email))?;
    let secondary = store.properties.index("hs_additional_emails")?;
    let texts = [(one, secondary), (two, secondary), (one, primary), (two, primary)]
        .map(|(record, property)| record.values.get(property).unwrap_or_default());
    let [own_others, others, first, second] = &texts;
    let kept = if first.is_empty() { second } else { first };
    let mut all: Vec<&str> = Vec::new();
    for address in own_others
        .split(';')
        .chain(others.split(';'))
        .chain([second.as_ref()])
    {
        if !address.is_empty() && address != kept && !all.contains(&address) {
            all.push(address);
        }
    }
    (!all.is_empty()).then(|| (secondary, all.join(";")))
}
