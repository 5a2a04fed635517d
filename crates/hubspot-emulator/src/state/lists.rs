//! Lists of records (hubspot-api notes §2.6): those that people fill by hand and snapshots. Dynamic lists, which
//! HubSpot fills by filters, are not emulated.

use std::collections::BTreeMap;

use super::associations::TypeIndex;
use crate::time::Millis;

#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) id: u64,
    pub(crate) of: TypeIndex,
    pub(crate) name: String,
    /// `MANUAL` or `SNAPSHOT`.
    pub(crate) processing: String,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) deleted: Option<Millis>,
    /// Who belongs to it, and since when.
    pub(crate) members: BTreeMap<u64, Millis>,
}

#[derive(Debug, Default)]
pub(crate) struct Lists(BTreeMap<u64, List>);

impl Lists {
    /// Adds an empty list; `None` when another list of the type has that name.
    pub(crate) fn create(
        &mut self,
        of: TypeIndex,
        name: &str,
        processing: &str,
        now: Millis,
    ) -> Option<&List> {
        if self.named(of, name).is_some() {
            return None;
        }
        let id = self.0.last_key_value().map_or(1, |(last, _)| last + 1);
        let list = List {
            id,
            of,
            name: name.to_owned(),
            processing: processing.to_owned(),
            created: now,
            updated: now,
            deleted: None,
            members: BTreeMap::new(),
        };
        Some(self.0.entry(id).or_insert(list))
    }

    /// Every list that ever was.
    pub(crate) fn every(&self) -> impl Iterator<Item = &List> {
        self.0.values()
    }

    /// Every list that is not deleted.
    pub(crate) fn all(&self) -> impl Iterator<Item = &List> {
        self.0.values().filter(|list| list.deleted.is_none())
    }

    pub(crate) fn get(&self, id: u64) -> Option<&List> {
        self.0.get(&id).filter(|list| list.deleted.is_none())
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut List> {
        self.0.get_mut(&id).filter(|list| list.deleted.is_none())
    }

    /// Names are compared without regard to case.
    pub(crate) fn named(&self, of: TypeIndex, name: &str) -> Option<&List> {
        let name = name.to_lowercase();
        self.all()
            .find(|list| list.of == of && list.name.to_lowercase() == name)
    }

    /// Brings a deleted list back; `false` when there is none.
    pub(crate) fn restore(&mut self, id: u64) -> bool {
        let list = self.0.get_mut(&id);
        list.and_then(|list| list.deleted.take()).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_for_a_type_until_a_list_is_deleted() {
        let mut lists = Lists::default();
        let id = lists.create(0, "Friends", "MANUAL", 1).map(|list| list.id);
        assert!(lists.create(0, "friends", "MANUAL", 2).is_none());
        assert!(lists.create(1, "Friends", "MANUAL", 2).is_some());
        let id = id.unwrap_or_default();
        if let Some(list) = lists.get_mut(id) {
            list.deleted = Some(3);
        }
        assert!(lists.get(id).is_none());
        assert!(lists.restore(id) && !lists.restore(id));
    }
}
