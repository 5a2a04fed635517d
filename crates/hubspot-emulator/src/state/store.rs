//! All records of one object type, and the indexes that make them quick to find.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::associations::End;
use super::earlier::Earlier;
use super::history::History;
use super::index::Slot;
use super::object_type::ObjectType;
use super::property::{Kind, Property, PropertySet, Source};
use super::record::{Life, Record};
use super::search_index::{Notice, SearchIndex};
use super::unique::Unique;
use super::values::{PropertyIndex, Values};
use crate::time::{Millis, write_iso};

#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) object_type: ObjectType,
    /// Shared with other accounts until a definition changes.
    pub(crate) properties: Arc<PropertySet>,
    pub(crate) search: SearchIndex,
    pub(crate) history: History,
    pub(crate) earlier: Earlier,
    ids: Vec<u64>,
    records: Vec<Record>,
    archived: BTreeSet<Slot>,
    unique: HashMap<PropertyIndex, Unique>,
    /// A contact's primary and secondary addresses, which are unique together (hubspot-api notes §1.4).
    addresses: Option<[PropertyIndex; 2]>,
    next_id: u64,
}

/// The first id of every type. Above 100 so that a thousand records cross from three digits to four, which
/// betrays ids that are compared as text.
const FIRST_ID: u64 = 101;

impl Store {
    pub(crate) fn new(object_type: ObjectType, properties: PropertySet) -> Self {
        let unique = properties
            .iter()
            .filter(|(_, property)| property.unique)
            .map(|(index, _)| index);
        let mut unique: HashMap<PropertyIndex, Unique> =
            unique.map(|index| (index, Unique::default())).collect();
        let addresses = properties
            .index("email")
            .filter(|email| unique.contains_key(email))
            .zip(properties.index("hs_additional_emails"));
        unique.extend(addresses.map(|(_, secondary)| (secondary, Unique::default())));
        Self {
            unique,
            addresses: addresses.map(|(primary, secondary)| [primary, secondary]),
            object_type,
            properties: Arc::new(properties),
            search: SearchIndex::default(),
            history: History::default(),
            earlier: Earlier::default(),
            ids: Vec::new(),
            records: Vec::new(),
            archived: BTreeSet::new(),
            next_id: FIRST_ID,
        }
    }

    /// The definitions, to be changed.
    pub(crate) fn properties_mut(&mut self) -> &mut PropertySet {
        Arc::make_mut(&mut self.properties)
    }

    /// Records that ever were.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Takes the next id.
    pub(crate) fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    pub(crate) fn record(&self, slot: Slot) -> &Record {
        &self.records[slot as usize]
    }

    /// The slot of an id, whatever has become of the record.
    pub(crate) fn slot(&self, id: u64) -> Option<Slot> {
        self.ids
            .binary_search(&id)
            .ok()
            .and_then(|at| Slot::try_from(at).ok())
    }

    /// The first slot whose id is `id` or higher.
    pub(crate) fn slot_from(&self, id: u64) -> Slot {
        Slot::try_from(self.ids.partition_point(|known| *known < id)).unwrap_or(Slot::MAX)
    }

    /// The slot of a live record; an id that was merged away leads to the survivor (hubspot-api notes §1.3).
    pub(crate) fn live_slot(&self, id: u64) -> Option<Slot> {
        let slot = self.slot(id)?;
        match self.record(slot).life {
            Life::Live => Some(slot),
            Life::Merged { into } if into != id => self.live_slot(into),
            _ => None,
        }
    }

    /// What a link to a record leads to now: survivors of merges are followed, purged records have no links.
    pub(crate) fn end_of_link(&self, id: u64) -> End {
        let Some(slot) = self.slot(id) else {
            return End::Gone;
        };
        match self.record(slot).life {
            Life::Live => End::Live(id),
            Life::Archived { .. } => End::Archived(id),
            Life::Merged { into } if into != id => self.end_of_link(into),
            Life::Merged { .. } | Life::Purged | Life::Erased { .. } => End::Gone,
        }
    }

    /// Live records from a slot on, ascending by id.
    pub(crate) fn live_from(&self, slot: Slot) -> impl Iterator<Item = &Record> {
        self.records
            .get(slot as usize..)
            .unwrap_or_default()
            .iter()
            .filter(|record| record.is_live())
    }

    /// Archived records from a slot on, ascending by id.
    pub(crate) fn archived_from(&self, slot: Slot) -> impl Iterator<Item = &Record> {
        self.archived.range(slot..).map(|slot| self.record(*slot))
    }

    /// Whether a record lies in the recycle bin.
    pub(crate) fn is_in_bin(&self, slot: Slot) -> bool {
        self.archived.contains(&slot)
    }

    /// Takes the records out of the recycle bin that `leaves` says of.
    pub(crate) fn empty_bin(&mut self, leaves: impl Fn(&Record) -> bool) {
        let records = &self.records;
        self.archived.retain(|slot| !leaves(&records[*slot as usize]));
    }

    /// The next archived record from a slot on that can be restored, starting over after the last one.
    pub(crate) fn archived_slot_from(&self, slot: Slot) -> Option<Slot> {
        let from = self.archived.range(slot..).chain(self.archived.range(..slot));
        from.copied().find(|slot| self.is_restorable(*slot))
    }

    /// Whether a record lies in the recycle bin and was not deleted for privacy.
    pub(crate) fn is_restorable(&self, slot: Slot) -> bool {
        self.is_in_bin(slot) && !self.record(slot).is_purged()
    }

    /// Every record that ever was, from a slot on.
    pub(crate) fn all_from(&self, slot: usize) -> &[Record] {
        self.records.get(slot..).unwrap_or_default()
    }

    pub(crate) fn live_len(&self) -> usize {
        self.records.iter().filter(|record| record.is_live()).count()
    }

    /// Looks a record up by the value of a unique property; a contact also by a secondary address.
    pub(crate) fn find_unique(&self, property: PropertyIndex, value: &str) -> Option<Slot> {
        match self.addresses {
            Some(both) if both.contains(&property) => {
                both.into_iter().find_map(|one| self.holder(one, value))
            }
            _ => self.holder(property, value),
        }
    }

    fn holder(&self, property: PropertyIndex, value: &str) -> Option<Slot> {
        let slot = self.unique.get(&property)?.get(value)?;
        let record = self.record(slot);
        let held = record.values.get(property)?;
        let mut parts = self.properties.get(property).parts(&held);
        let holds = parts.any(|part| part.eq_ignore_ascii_case(value));
        (!record.is_purged() && holds).then_some(slot)
    }

    /// Each value of a property's text that some record holds already, with that record.
    pub(crate) fn taken<'t>(
        &self,
        property: PropertyIndex,
        text: &'t str,
    ) -> impl Iterator<Item = (&'t str, Slot)> {
        let parts = self.properties.get(property).parts(text);
        parts.filter_map(move |part| Some((part, self.find_unique(property, part)?)))
    }

    /// The property that stands for all those that share their values with this one.
    pub(crate) fn unique_family(&self, property: PropertyIndex) -> PropertyIndex {
        let shared = self.addresses.filter(|addresses| addresses.contains(&property));
        shared.map_or(property, |addresses| addresses[0])
    }

    pub(crate) fn is_unique(&self, property: PropertyIndex) -> bool {
        self.unique.contains_key(&property)
    }

    /// Starts to keep a property unique, for records written from now on.
    pub(crate) fn make_unique(&mut self, property: PropertyIndex) {
        self.unique.entry(property).or_default();
    }

    /// Adds many records at once, ascending by id and above every earlier id; visible to search at once.
    pub(crate) fn extend(&mut self, added: Vec<Record>) {
        let from = self.records.len();
        self.ids.extend(added.iter().map(|record| record.id));
        self.records.extend(added);
        self.next_id = self
            .ids
            .last()
            .map_or(self.next_id, |last| self.next_id.max(last + 1));
        let slots = (Slot::try_from(from).unwrap_or(Slot::MAX)..).zip(&self.records[from..]);
        self.search.extend(slots.clone());
        for (slot, record) in slots {
            if record.archived_at().is_some() {
                self.archived.insert(slot);
            }
            for (property, unique) in &mut self.unique {
                if let Some(text) = record.values.get(*property).filter(|_| record.is_live()) {
                    let parts = self.properties.get(*property).parts(&text);
                    parts.for_each(|part| unique.insert(part, slot));
                }
            }
        }
    }

    /// Adds one record; its id must come from [`Self::take_id`].
    pub(crate) fn push(&mut self, record: Record, due: Notice) -> Slot {
        let slot = Slot::try_from(self.records.len()).unwrap_or(Slot::MAX);
        self.index_values(slot, None, Some(&record.values));
        self.search.note(slot, None, &record, due);
        self.ids.push(record.id);
        self.records.push(record);
        slot
    }

    /// Puts a new version in a record's place and keeps every index in step.
    pub(crate) fn replace(&mut self, slot: Slot, version: Record, due: Notice) {
        let before = std::mem::replace(&mut self.records[slot as usize], version);
        let after = self.records[slot as usize].clone();
        // Only live records hold unique values: what an archived one had may be taken by another.
        let held = |record: &Record| record.is_live().then(|| record.values.clone());
        self.index_values(slot, held(&before).as_ref(), held(&after).as_ref());
        self.search.note(slot, Some(&before), &after, due);
        self.earlier.note(slot, before, &after);
        if after.archived_at().is_some() {
            self.archived.insert(slot);
        } else {
            self.archived.remove(&slot);
        }
    }

    fn index_values(&mut self, slot: Slot, before: Option<&Values>, after: Option<&Values>) {
        for (property, unique) in &mut self.unique {
            let old = before.and_then(|values| values.get(*property));
            let new = after.and_then(|values| values.get(*property));
            if old == new {
                continue;
            }
            let definition = self.properties.get(*property);
            for part in old.iter().flat_map(|text| definition.parts(text)) {
                unique.remove(part, slot);
            }
            for part in new.iter().flat_map(|text| definition.parts(text)) {
                unique.insert(part, slot);
            }
        }
    }

    /// The text of any property of a record, also of those that stand for its own fields.
    pub(crate) fn text<'r>(
        &self,
        record: &'r Record,
        property: PropertyIndex,
    ) -> Option<std::borrow::Cow<'r, str>> {
        match self.properties.get(property).source {
            Source::Stored => record.values.get(property),
            Source::Id => Some(record.id.to_string().into()),
            Source::Created => Some(crate::time::iso(record.created).into()),
            Source::Updated => Some(crate::time::iso(record.updated).into()),
        }
    }
}

/// Appends the value of a property that stands for a record's own field, without quotes.
pub(crate) fn write_own_field(out: &mut Vec<u8>, source: Source, record: &Record) {
    match source {
        Source::Id => crate::json::integer(out, record.id),
        Source::Created => write_iso(out, record.created),
        Source::Updated | Source::Stored => write_iso(out, record.updated),
    }
}

/// Whether a property's values are instants or days, which filters give as epoch milliseconds.
pub(crate) fn is_temporal(property: &Property) -> bool {
    matches!(property.kind, Kind::Date | Kind::DateTime)
}

/// The instant a date or datetime value stands for: ISO 8601 or epoch milliseconds.
pub(crate) fn instant(text: &str) -> Option<Millis> {
    text.parse().ok().or_else(|| crate::time::parse_iso(text))
}
