//! One HubSpot account: every record, definition and link in it, and the writes that keep them consistent.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::associations::{Associations, Link, Named, TypeIndex};
use super::history::{Held, Origin};
use super::index::Slot;
use super::operations::Operation;
use super::owners::Owner;
use super::pipelines::{self, Pipeline};
use super::record::{Life, Record};
use super::schemas::Schema;
use super::search_index::{Notice, Steady};
use super::store::Store;
use super::validation::{self, Asked, Changes};
use super::values::{PropertyIndex, Values};
use crate::failure::{BadValue, Failure};
use crate::time::Millis;

#[derive(Debug, Clone)]
pub(crate) struct Portal {
    pub(crate) id: u64,
    pub(crate) seed: u64,
    pub(crate) stores: Vec<Store>,
    pub(crate) associations: Associations,
    pub(crate) pipelines: Vec<(TypeIndex, Pipeline)>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) search_lag: Duration,
    /// When the account was made. Records that were seeded as archived count as archived then.
    pub(crate) opened: Millis,
    /// When the recycle bin was last emptied.
    pub(crate) bin_emptied: Millis,
    /// Custom objects, also deleted ones.
    pub(crate) schemas: Vec<Schema>,
    /// Groups of properties that were made or changed.
    pub(crate) groups: Vec<(TypeIndex, Group)>,
    /// How many ids of definitions were given out.
    pub(super) minted: u64,
    pub(super) aliases: HashMap<String, TypeIndex>,
}

/// When a write happens: by the calendar, and by the steady clock that the search lag is measured with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) wall: Millis,
    pub(crate) steady: Steady,
    /// The change leaves no trace: last modification and search stay as they are.
    pub(crate) silent: bool,
}

impl Moment {
    pub(crate) fn after(self, time: Duration) -> Self {
        let wall = self.wall + Millis::try_from(time.as_millis()).unwrap_or(0);
        Self {
            wall,
            steady: self.steady + time,
            ..self
        }
    }

    /// When a record that changes now was last modified.
    pub(crate) fn modified(self, before: Millis) -> Millis {
        if self.silent {
            before
        } else {
            self.wall.max(before)
        }
    }
}

/// A group of properties.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) order: i64,
}

/// A link that a create asks for.
#[derive(Debug, Clone)]
pub(crate) struct AskedLink {
    pub(crate) to: u64,
    pub(crate) types: Vec<Named>,
}

const HOUR: Millis = 3_600_000;
const BIN_KEEPS: Millis = 90 * 24 * HOUR;
/// How long a record that was deleted for privacy may stay in the recycle bin (HubSpot's help: purged within 30 days).
const ERASED_KEPT: Millis = 30 * 24 * HOUR;

impl Portal {
    /// An account without people or records.
    pub(crate) fn new(stores: Vec<Store>) -> Self {
        let mut aliases = HashMap::new();
        for (index, store) in stores.iter().enumerate() {
            for alias in store.object_type.aliases().iter().filter(|alias| **alias != "-") {
                aliases.entry(alias.to_lowercase()).or_insert(index);
            }
        }
        let index = |name: &str| aliases.get(name).copied();
        let associations = Associations::standard(index);
        let pipelines = pipelines::standard(index);
        Self {
            id: 0,
            seed: 0,
            stores,
            associations,
            pipelines,
            owners: Vec::new(),
            search_lag: Duration::ZERO,
            opened: 0,
            bin_emptied: 0,
            schemas: Vec::new(),
            groups: Vec::new(),
            minted: 0,
            aliases,
        }
    }

    /// The object type that a path names: plural, singular or id, without regard to case
    /// (hubspot-api notes §0; the case is recorded).
    pub(crate) fn type_index(&self, name: &str) -> Result<TypeIndex, Failure> {
        let found = self
            .aliases
            .get(name)
            .or_else(|| self.aliases.get(&name.to_lowercase()));
        found.copied().ok_or_else(|| Failure::unknown_type(name))
    }

    /// The object type that a path names, if it has this operation (hubspot-api notes §1.1).
    pub(crate) fn type_with(&self, name: &str, operation: Operation) -> Result<TypeIndex, Failure> {
        let of = self.type_index(name)?;
        if self.stores[of].object_type.operations.has(operation) {
            return Ok(of);
        }
        Err(Failure::new(
            405,
            format!("This operation is not supported for {name}"),
        ))
    }

    pub(crate) fn store(&self, index: TypeIndex) -> &Store {
        &self.stores[index]
    }

    /// When a write made now becomes visible to search.
    pub(super) fn due(&self, now: Moment) -> Notice {
        match (now.silent, self.search_lag.is_zero()) {
            (true, _) => Notice::Never,
            (false, true) => Notice::AtOnce,
            (false, false) => Notice::At(now.steady + self.search_lag),
        }
    }

    /// Whether records may have left the recycle bin by age since it was last looked at.
    pub(crate) fn bin_is_due(&self, now: Millis) -> bool {
        now >= self.bin_emptied + HOUR
    }

    /// Drops the records that were archived 90 days ago from the recycle bin (hubspot-api notes §1.3). They are
    /// not restored or shown any more.
    pub(crate) fn empty_bin(&mut self, now: Millis) {
        self.bin_emptied = now;
        let opened = self.opened;
        let leaves = |record: &Record| {
            let keeps = if record.is_purged() {
                ERASED_KEPT
            } else {
                BIN_KEEPS
            };
            let archived = record.archived_at();
            archived.is_some_and(|at| at.max(opened) + keeps <= now)
        };
        self.stores.iter_mut().for_each(|store| store.empty_bin(leaves));
    }

    pub(crate) fn has_due(&self, now: Steady) -> bool {
        self.stores.iter().any(|store| store.search.has_due(now))
    }

    /// Keeps the earlier versions of records for this long from now on.
    pub(crate) fn remember(&mut self, lag: Millis) {
        self.stores.iter_mut().for_each(|store| store.earlier.keep(lag));
    }

    pub(crate) fn catch_up(&mut self, now: Steady) {
        self.stores
            .iter_mut()
            .for_each(|store| store.search.catch_up(now));
    }

    /// Creates a record and links it.
    pub(crate) fn create(
        &mut self,
        of: TypeIndex,
        asked: &Asked,
        links: &[AskedLink],
        now: Moment,
    ) -> Result<Slot, Failure> {
        let store = &self.stores[of];
        let mut asked = asked.clone();
        add_defaults(store, &mut asked);
        let changes =
            validation::check(store, &asked, None).map_err(|bad| Failure::bad_values(self.id, &bad))?;
        validation::check_required(store, &asked)?;
        self.check_unique(of, &changes, None)?;
        let links = self.resolve_links(of, links)?;
        self.check_linked(of, &links)?;
        let changes = with_computed(store, changes);
        Ok(self.insert(of, Values::default().with(&changes), &links, now))
    }

    /// Checks creates that are to succeed or fail together, also against each other.
    pub(crate) fn check_creates<'a>(
        &self,
        of: TypeIndex,
        creates: impl Iterator<Item = (&'a Asked, &'a [AskedLink])>,
    ) -> Result<(), Failure> {
        let store = &self.stores[of];
        let mut taken = HashSet::new();
        for (asked, links) in creates {
            let changes =
                validation::check(store, asked, None).map_err(|bad| Failure::bad_values(self.id, &bad))?;
            validation::check_required(store, asked)?;
            self.check_unique(of, &changes, None)?;
            self.check_linked(of, &self.resolve_links(of, links)?)?;
            take_unique(store, &changes, &mut taken)?;
        }
        Ok(())
    }

    /// Checks updates that are to succeed or fail together, also against each other.
    pub(crate) fn check_updates<'a>(
        &self,
        of: TypeIndex,
        updates: impl Iterator<Item = (Slot, &'a Asked)>,
    ) -> Result<(), Failure> {
        let store = &self.stores[of];
        let mut taken = HashSet::new();
        for (slot, asked) in updates {
            let current = &store.record(slot).values;
            let changes = validation::check(store, asked, Some(current))
                .map_err(|bad| Failure::bad_values(self.id, &bad))?;
            self.check_unique(of, &changes, Some(slot))?;
            take_unique(store, &changes, &mut taken)?;
        }
        Ok(())
    }

    /// Adds a record whose values are known to be good.
    pub(crate) fn insert(
        &mut self,
        of: TypeIndex,
        values: Values,
        links: &[(TypeIndex, u64, u32)],
        now: Moment,
    ) -> Slot {
        let due = self.due(now);
        let store = &mut self.stores[of];
        let id = store.take_id();
        let slot = store.push(
            Record {
                id,
                created: now.wall,
                updated: now.wall,
                life: Life::Live,
                values,
            },
            due,
        );
        for &(to, to_id, type_id) in links {
            self.associations.link(
                of,
                to,
                Link {
                    from: id,
                    to: to_id,
                    type_id,
                },
            );
        }
        slot
    }

    /// Finds the other type and the record that each asked link leads to.
    fn resolve_links(
        &self,
        of: TypeIndex,
        links: &[AskedLink],
    ) -> Result<Vec<(TypeIndex, u64, u32)>, Failure> {
        let mut resolved = Vec::new();
        for link in links {
            for named in &link.types {
                let sides = (0..self.stores.len()).filter_map(|to| self.associations.named(of, to, named));
                let sides: Vec<_> = sides.collect();
                if sides.is_empty() {
                    return Err(Failure::validation(format!(
                        "No association type with id {} from this object type exists.",
                        named.number
                    )));
                }
                // The body does not name the other type; where a number leads to several, the record decides (believed).
                let mut found = sides.iter().filter_map(|side| {
                    let target = self.stores[side.to].live_slot(link.to)?;
                    Some((side.to, self.stores[side.to].record(target).id, side.type_id))
                });
                resolved.push(found.next().ok_or_else(Failure::not_found)?);
            }
        }
        Ok(resolved)
    }

    /// A lead needs a contact or a company (hubspot-api notes §1.1).
    fn check_linked(&self, of: TypeIndex, links: &[(TypeIndex, u64, u32)]) -> Result<(), Failure> {
        let object_type = &self.stores[of].object_type;
        let fits = |to: TypeIndex| object_type.linked.contains(&self.stores[to].object_type.plural);
        if object_type.linked.is_empty() || links.iter().any(|(to, _, _)| fits(*to)) {
            return Ok(());
        }
        let kind = object_type.singular.to_uppercase();
        let message = format!(
            "Error creating {kind}. A {kind} must be associated with one of {}.",
            object_type.linked.join(", ")
        );
        Err(Failure::validation(message))
    }

    /// Changes a live record's values. Returns what was changed.
    pub(crate) fn update(
        &mut self,
        of: TypeIndex,
        slot: Slot,
        asked: &Asked,
        now: Moment,
    ) -> Result<Changes, Failure> {
        self.update_from(of, slot, asked, now, Origin::Integration)
    }

    /// Like [`Self::update`], with the origin that the property history names.
    pub(crate) fn update_from(
        &mut self,
        of: TypeIndex,
        slot: Slot,
        asked: &Asked,
        now: Moment,
        origin: Origin,
    ) -> Result<Changes, Failure> {
        let store = &self.stores[of];
        let current = &store.record(slot).values;
        let changes = validation::check(store, asked, Some(current))
            .map_err(|bad| Failure::bad_values(self.id, &bad))?;
        self.check_unique(of, &changes, Some(slot))?;
        let changes = with_computed(&self.stores[of], changes);
        self.apply_from(of, slot, &changes, now, origin);
        Ok(changes)
    }

    /// Changes values that are known to be good, with the origin that the property history names.
    pub(crate) fn apply_from(
        &mut self,
        of: TypeIndex,
        slot: Slot,
        changes: &Changes,
        now: Moment,
        origin: Origin,
    ) {
        let due = self.due(now);
        let store = &mut self.stores[of];
        let before = store.record(slot).clone();
        for (property, value) in changes {
            let old = before.values.get(*property);
            if old.as_deref() != value.as_deref() {
                let old = old.map(|value| Held {
                    value: value.into(),
                    since: before.created,
                    origin: Origin::Import,
                });
                let new = Held {
                    value: value.clone().unwrap_or_default(),
                    since: now.wall,
                    origin,
                };
                store.history.note(slot, *property, old, new);
            }
        }
        let values = before.values.with(changes);
        store.replace(
            slot,
            Record {
                updated: now.modified(before.updated),
                values,
                ..before
            },
            due,
        );
    }

    /// Two live records may not share the value of a unique property. Creating a contact with a known e-mail
    /// address is a conflict (409); giving a record a value that is taken is invalid (400).
    fn check_unique(&self, of: TypeIndex, changes: &Changes, this: Option<Slot>) -> Result<(), Failure> {
        let store = &self.stores[of];
        for (property, value) in changes {
            let mut taken = store.taken(*property, value.as_deref().unwrap_or(""));
            let other = taken.find(|(_, slot)| Some(*slot) != this && store.record(*slot).is_live());
            if let Some((value, slot)) = other {
                return Err(self.conflict(of, *property, (value, slot), this.is_some()));
            }
        }
        Ok(())
    }

    fn conflict(
        &self,
        of: TypeIndex,
        property: PropertyIndex,
        (value, taken): (&str, Slot),
        updating: bool,
    ) -> Failure {
        let store = &self.stores[of];
        let (id, name) = (store.record(taken).id, &store.properties.get(property).name);
        let kind = capitalised(&store.object_type.singular);
        if updating {
            let message = format!("{kind} {id} already has that value: {value} for {name}.");
            return Failure::bad_values(
                self.id,
                &[BadValue::new(name, "CONFLICTING_UNIQUE_VALUE", message)],
            );
        }
        Failure::new(409, format!("{kind} already exists. Existing ID: {id}")).category("CONFLICT")
    }

    /// Puts a live record into the recycle bin; anything else stays as it is.
    pub(crate) fn archive(&mut self, of: TypeIndex, slot: Slot, now: Moment) {
        if self.stores[of].record(slot).is_live() {
            let id = self.stores[of].record(slot).id;
            self.associations.shelve(of, id);
            self.set_life(of, slot, Life::Archived { at: now.wall }, now);
        }
    }

    /// Takes an archived record out of the recycle bin, with the links it had. `false`: it is not there, or
    /// another record holds one of its unique values by now (believed to be refused).
    pub(crate) fn restore(&mut self, of: TypeIndex, slot: Slot, now: Moment) -> bool {
        let record = self.stores[of].record(slot);
        let id = record.id;
        if !self.stores[of].is_restorable(slot) || self.holds_taken_value(of, slot) {
            return false;
        }
        self.set_life(of, slot, Life::Live, now);
        let stores = &self.stores;
        self.associations
            .unshelve(of, id, |to, id| stores[to].end_of_link(id));
        true
    }

    fn holds_taken_value(&self, of: TypeIndex, slot: Slot) -> bool {
        let store = &self.stores[of];
        let values = &store.record(slot).values;
        let mut unique = values.iter().filter(|(property, _)| store.is_unique(*property));
        unique.any(|(property, _)| {
            let text = values.get(property).unwrap_or_default();
            store.taken(property, &text).any(|(_, holder)| holder != slot)
        })
    }

    pub(super) fn set_life(&mut self, of: TypeIndex, slot: Slot, life: Life, now: Moment) {
        let due = self.due(now);
        let before = self.stores[of].record(slot).clone();
        let version = Record {
            life,
            updated: now.modified(before.updated),
            ..before
        };
        self.stores[of].replace(slot, version, due);
    }

    /// Deletes a record for privacy: only its id remains (hubspot-api notes §7 quirk 6). It may stay in the recycle bin for a
    /// while.
    pub(crate) fn purge(&mut self, of: TypeIndex, slot: Slot, stays_in_bin: bool, now: Moment) {
        let id = self.stores[of].record(slot).id;
        self.associations.take_all(of, id);
        let due = self.due(now);
        let store = &mut self.stores[of];
        store.history.forget(slot);
        let before = store.record(slot).clone();
        let at = before.archived_at().unwrap_or(now.wall);
        let version = Record {
            life: match stays_in_bin {
                true => Life::Erased { at },
                false => Life::Purged,
            },
            values: Values::default(),
            updated: now.modified(before.updated),
            ..before
        };
        store.replace(slot, version, due);
    }
}

/// Unique values that the earlier inputs of a batch ask for.
type Taken = HashSet<(PropertyIndex, String)>;

fn take_unique(store: &Store, changes: &Changes, taken: &mut Taken) -> Result<(), Failure> {
    let mut own = Taken::new();
    for (property, value) in changes.iter().filter(|(property, _)| store.is_unique(*property)) {
        let definition = store.properties.get(*property);
        let family = store.unique_family(*property);
        for part in definition.parts(value.as_deref().unwrap_or("")) {
            let key = (family, part.to_lowercase());
            if taken.contains(&key) {
                let message = format!("Duplicate values of {} in one batch", definition.name);
                return Err(Failure::validation(message));
            }
            own.insert(key);
        }
    }
    taken.extend(own);
    Ok(())
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What HubSpot fills in when a create leaves it out.
fn add_defaults(store: &Store, asked: &mut Asked) {
    let defaults: &[(&str, &str)] = match store.object_type.plural.as_str() {
        "tickets" => &[("hs_pipeline", "0")],
        "contacts" => &[("lifecyclestage", "lead")],
        _ => &[],
    };
    for (name, value) in defaults {
        asked
            .entry((*name).to_owned())
            .or_insert_with(|| Some((*value).to_owned()));
    }
}

/// Adds the values that HubSpot derives from written ones.
fn with_computed(store: &Store, mut changes: Changes) -> Changes {
    let mut computed = Vec::new();
    for (index, value) in &changes {
        let value = value.as_deref().unwrap_or("");
        match (
            store.object_type.plural.as_str(),
            store.properties.get(*index).name.as_str(),
        ) {
            ("contacts", "email") => computed.push((
                "hs_email_domain",
                value.split('@').nth(1).unwrap_or("").to_owned(),
            )),
            ("deals", "amount") => computed.push(("hs_tcv", value.to_owned())),
            _ => {}
        }
    }
    for (name, value) in computed {
        changes.extend(store.properties.index(name).map(|index| (index, Some(value))));
    }
    changes.sort_unstable_by_key(|(index, _)| *index);
    changes.dedup_by_key(|(index, _)| *index);
    changes
}
