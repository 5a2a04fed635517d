//! `/crm-objects/v1/change-log/tickets`: up to 1,000 changes of tickets, oldest first, on or after a time. With
//! `changeType` and `objectId` beside `timestamp` the list goes on after that change.
//!
//! The emulator keeps no log of changes: a ticket has its creation, its last change and its deletion here.

use http::Method;
use serde_json::{Value, json};

use super::super::{Access, Answer, Route, route};
use super::record::number;
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::reply::Reply;
use crate::state::index::Slot;
use crate::state::record::{Life, Record};
use crate::state::store::Store;
use crate::time::Millis;

pub(super) const ROUTES: &[Route] = &[route(
    Method::GET,
    "tickets",
    Toll::General,
    Access::ReadRecordsOf("tickets"),
    list,
)];

const MOST: usize = 1000;

/// Ordered as the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    at: Millis,
    id: u64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Created,
    Updated,
    Deleted,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Created, Self::Updated, Self::Deleted];

    fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Updated => "UPDATED",
            Self::Deleted => "DELETED",
        }
    }
}

fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let store = portal.store(portal.type_index("tickets")?);
    let since: Millis = number(call, "timestamp", 0)?;
    let seen: u64 = number(call, "objectId", 0)?;
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| Some(kind.name()) == call.query("changeType"));
    let last = kind.map(|kind| Change {
        at: since,
        id: seen,
        kind,
    });
    let wanted = |change: &Change| change.at >= since && last.is_none_or(|last| *change > last);
    let mut changes: Vec<Change> = store
        .all_from(0)
        .iter()
        .flat_map(changes_of)
        .filter(wanted)
        .collect();
    changes.sort_unstable();
    changes.truncate(MOST);
    let body: Vec<Value> = changes.iter().map(|change| change_json(store, *change)).collect();
    Ok(Reply::value(200, &json!(body)))
}

fn changes_of(record: &Record) -> impl Iterator<Item = Change> {
    let deleted = record.archived_at();
    let shown = !record.is_purged() && !matches!(record.life, Life::Merged { .. });
    let updated = (record.updated > record.created && deleted.is_none()).then_some(record.updated);
    let id = record.id;
    [
        (Kind::Created, Some(record.created)),
        (Kind::Updated, updated),
        (Kind::Deleted, deleted),
    ]
    .into_iter()
    .filter(move |_| shown)
    .filter_map(move |(kind, at)| Some(Change { at: at?, id, kind }))
}

fn change_json(store: &Store, change: Change) -> Value {
    let slot = store.slot(change.id);
    let names = slot
        .map(|slot| changed_properties(store, slot, change))
        .unwrap_or_default();
    let none = json!({"contactIds": [], "companyIds": [], "dealIds": [], "ticketIds": []});
    json!({
        "timestamp": change.at,
        "changeType": change.kind.name(),
        "objectId": change.id,
        "changes": {"newAssociations": none, "removedAssociations": none, "changedProperties": names, "newlyMergedIds": []},
    })
}

/// At creation what has a value; later what changed at that time, as far as the emulator knows.
fn changed_properties(store: &Store, slot: Slot, change: Change) -> Vec<&str> {
    let record = store.record(slot);
    let changed = |index| match change.kind {
        Kind::Created => record.values.raw(index).is_some(),
        Kind::Updated => store
            .history
            .of(slot, index)
            .iter()
            .any(|held| held.since == change.at),
        Kind::Deleted => false,
    };
    store
        .properties
        .iter()
        .filter(|(index, _)| changed(*index))
        .map(|(_, property)| property.name.as_str())
        .collect()
}
