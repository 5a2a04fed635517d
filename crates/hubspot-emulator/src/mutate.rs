//! `/_emulator/mutate`: changes to an account as people and integrations would make them, drawn from a seed.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::data::draw::Draw;
use crate::data::seeding::generator;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::state::associations::{Link, LinkKind, TypeIndex};
use crate::state::index::Slot;
use crate::state::portal::{Moment, Portal};
use crate::state::record::Life;

/// What is asked for; each member counts records.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Mutation {
    object_type: String,
    seed: u64,
    create: u64,
    update: u64,
    archive: u64,
    restore: u64,
    merge: u64,
    gdpr_delete: u64,
    associate: u64,
    /// All changes happen in one millisecond; otherwise time passes between them.
    same_millisecond: bool,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Create,
    Update,
    Archive,
    Restore,
    Merge,
    GdprDelete,
    Associate,
}

/// Changes are made in so many steps, between which a millisecond passes.
const STEPS: usize = 100;

/// Makes the changes and answers with the ids that each kind touched.
pub(crate) async fn run(inner: &Inner, mutation: &Mutation) -> Result<Value, Failure> {
    let of = inner.portal().type_index(&mutation.object_type)?;
    let changes = mutation.changes();
    let mut draw = Draw::of(
        mutation.seed,
        7777 + of as u64,
        inner.portal().store(of).len() as u64,
    );
    let mut done = Done::default();
    let together = inner.clock.now();
    for step in changes.chunks(changes.len().div_ceil(STEPS).max(1)) {
        {
            let mut portal = inner.portal_mut();
            let now = if mutation.same_millisecond {
                together
            } else {
                inner.clock.now()
            };
            for change in step {
                change.make(inner, &mut portal, of, &mut draw, now, &mut done);
            }
        }
        if !mutation.same_millisecond {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    Ok(done.report())
}

impl Mutation {
    fn changes(&self) -> Vec<Change> {
        let kinds = [
            (Change::Create, self.create),
            (Change::Update, self.update),
            (Change::Archive, self.archive),
            (Change::Restore, self.restore),
            (Change::Merge, self.merge),
            (Change::GdprDelete, self.gdpr_delete),
            (Change::Associate, self.associate),
        ];
        kinds
            .iter()
            .flat_map(|(kind, count)| std::iter::repeat_n(*kind, usize::try_from(*count).unwrap_or(0)))
            .collect()
    }
}

/// The ids that were touched.
#[derive(Debug, Default)]
struct Done {
    created: Vec<u64>,
    updated: Vec<u64>,
    archived: Vec<u64>,
    restored: Vec<u64>,
    merged: Vec<Value>,
    purged: Vec<u64>,
    associated: Vec<Value>,
}

impl Done {
    fn report(&self) -> Value {
        let texts = |ids: &[u64]| ids.iter().map(u64::to_string).collect::<Vec<String>>();
        json!({
            "create": texts(&self.created),
            "update": texts(&self.updated),
            "archive": texts(&self.archived),
            "restore": texts(&self.restored),
            "merge": self.merged,
            "gdprDelete": texts(&self.purged),
            "associate": self.associated,
        })
    }
}

impl Change {
    fn make(
        self,
        inner: &Inner,
        portal: &mut Portal,
        of: TypeIndex,
        draw: &mut Draw,
        now: Moment,
        done: &mut Done,
    ) {
        match self {
            Self::Create => done.created.push(create(inner, portal, of, now)),
            Self::Update => done.updated.extend(update(inner, portal, of, draw, now)),
            Self::Archive => done.archived.extend(pick_live(portal, of, draw).map(|slot| {
                portal.archive(of, slot, now);
                portal.store(of).record(slot).id
            })),
            Self::Restore => done
                .restored
                .extend(pick_archived(portal, of, draw).and_then(|slot| {
                    portal
                        .restore(of, slot, now)
                        .then(|| portal.store(of).record(slot).id)
                })),
            Self::Merge => done.merged.extend(merge(portal, of, draw, now)),
            Self::GdprDelete => done.purged.extend(pick_live(portal, of, draw).map(|slot| {
                portal.purge(of, slot, now);
                portal.store(of).record(slot).id
            })),
            Self::Associate => done.associated.extend(associate(portal, of, draw)),
        }
    }
}

fn create(inner: &Inner, portal: &mut Portal, of: TypeIndex, now: Moment) -> u64 {
    let id = portal.store(of).next_id();
    let values = generator(portal, &inner.recipes, of).values(id, now.wall);
    portal.insert(of, values, &[], now);
    id
}

/// Changes one to three properties of a random record.
fn update(inner: &Inner, portal: &mut Portal, of: TypeIndex, draw: &mut Draw, now: Moment) -> Option<u64> {
    let slot = pick_live(portal, of, draw)?;
    let (id, created) = (
        portal.store(of).record(slot).id,
        portal.store(of).record(slot).created,
    );
    let maker = generator(portal, &inner.recipes, of);
    let mut changes: Vec<(u16, Option<String>)> = (0..=draw.below(3))
        .filter_map(|_| maker.change(draw, id, created))
        .map(|(property, text)| (property, Some(text)))
        .collect();
    changes.sort_unstable_by_key(|(property, _)| *property);
    changes.dedup_by_key(|(property, _)| *property);
    portal.apply(of, slot, &changes, now);
    Some(id)
}

/// Two random live records become one.
fn merge(portal: &mut Portal, of: TypeIndex, draw: &mut Draw, now: Moment) -> Option<Value> {
    let (one, other) = (pick_live(portal, of, draw)?, pick_live(portal, of, draw)?);
    if one == other {
        return None;
    }
    let ids = (portal.store(of).record(one).id, portal.store(of).record(other).id);
    let survivor = portal.merge(of, one, other, now);
    Some(json!({"primary": ids.0.to_string(), "merged": ids.1.to_string(), "survivor": survivor.to_string()}))
}

/// Links a random record to a random record of a type that it can be linked to.
fn associate(portal: &mut Portal, of: TypeIndex, draw: &mut Draw) -> Option<Value> {
    let partners: Vec<TypeIndex> = (0..portal.stores.len())
        .filter(|to| portal.associations.plain(of, *to).is_some() && portal.store(*to).len() > 0)
        .collect();
    let to = *partners.get(draw.place(partners.len().max(1)))?;
    let (from_slot, to_slot) = (pick_live(portal, of, draw)?, pick_live(portal, to, draw)?);
    let (from_id, to_id) = (
        portal.store(of).record(from_slot).id,
        portal.store(to).record(to_slot).id,
    );
    let primary = portal
        .associations
        .definitions(of, to)
        .find(|definition| definition.kind == LinkKind::Primary);
    let type_id = match primary {
        Some(primary) if draw.percent(30) => primary.type_id,
        _ => portal.associations.plain(of, to)?.type_id,
    };
    portal.associations.link(
        of,
        to,
        Link {
            from: from_id,
            to: to_id,
            type_id,
        },
    );
    let to_type = portal.store(to).object_type.plural.clone();
    Some(
        json!({"fromId": from_id.to_string(), "toType": to_type, "toId": to_id.to_string(), "typeId": type_id}),
    )
}

/// A random live record: tries some places, then looks from the last one on.
fn pick_live(portal: &Portal, of: TypeIndex, draw: &mut Draw) -> Option<Slot> {
    pick(portal, of, draw, |life| life == Life::Live)
}

fn pick_archived(portal: &Portal, of: TypeIndex, draw: &mut Draw) -> Option<Slot> {
    pick(portal, of, draw, |life| matches!(life, Life::Archived { .. }))
}

fn pick(portal: &Portal, of: TypeIndex, draw: &mut Draw, wanted: impl Fn(Life) -> bool) -> Option<Slot> {
    let store = portal.store(of);
    let start = draw.place(store.len().max(1));
    let slots = (start..store.len()).chain(0..start);
    let mut slots = slots.filter_map(|slot| Slot::try_from(slot).ok());
    slots.find(|slot| wanted(store.record(*slot).life))
}
