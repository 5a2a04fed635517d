//! `/engagements/v1/engagements/...`: calls, e-mails, meetings, notes and tasks as one list. An account whose
//! emulator lacks these object types has an empty one.

use http::Method;
use serde_json::{Value, json};

use super::super::{Access, Answer, Route, route};
use super::record::{linked, number, page_size, values};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::reply::Reply;
use crate::state::associations::TypeIndex;
use crate::state::portal::Portal;
use crate::state::record::Record;
use crate::time::Millis;

const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "paged", TOLL, Access::Anyone, paged),
    route(
        Method::GET,
        "recent/modified",
        TOLL,
        Access::Anyone,
        recently_modified,
    ),
    route(
        Method::GET,
        "modified/after",
        TOLL,
        Access::Anyone,
        modified_after,
    ),
];

const KINDS: [(&str, &str); 5] = [
    ("calls", "CALL"),
    ("emails", "EMAIL"),
    ("meetings", "MEETING"),
    ("notes", "NOTE"),
    ("tasks", "TASK"),
];

/// One record of one of the five types.
#[derive(Clone, Copy)]
struct Engagement<'p> {
    of: TypeIndex,
    kind: &'static str,
    record: &'p Record,
}

fn all(portal: &Portal) -> Vec<Engagement<'_>> {
    let mut all = Vec::new();
    for (name, kind) in KINDS {
        if let Ok(of) = portal.type_index(name) {
            let records = portal.store(of).live_from(0);
            all.extend(records.map(|record| Engagement { of, kind, record }));
        }
    }
    all
}

fn paged(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let mut all = all(&portal);
    all.sort_unstable_by_key(|engagement| (engagement.record.id, engagement.of));
    part(&portal, call, "limit", 250, &all)
}

/// Newest first; `since` leaves out what is older.
fn recently_modified(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let since: Millis = number(call, "since", 0)?;
    let mut all = all(&portal);
    all.retain(|engagement| engagement.record.updated >= since);
    all.sort_unstable_by_key(|engagement| {
        std::cmp::Reverse((engagement.record.updated, engagement.record.id))
    });
    part(&portal, call, "count", 100, &all)
}

/// Oldest first, beginning at `timestamp`.
fn modified_after(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let from: Millis = number(call, "timestamp", 0)?;
    let mut all = all(&portal);
    all.retain(|engagement| engagement.record.updated >= from);
    all.sort_unstable_by_key(|engagement| (engagement.record.updated, engagement.record.id));
    part(&portal, call, "limit", 250, &all)
}

fn part(portal: &Portal, call: &Call, size: &str, most: usize, all: &[Engagement<'_>]) -> Answer {
    let offset: usize = number(call, "offset", 0)?;
    let end = offset
        .saturating_add(page_size(call, size, 100, most)?)
        .min(all.len());
    let results: Vec<Value> = all
        .get(offset..end)
        .unwrap_or_default()
        .iter()
        .map(|engagement| engagement_json(portal, *engagement))
        .collect();
    let body = json!({"results": results, "hasMore": end < all.len(), "offset": end, "total": all.len()});
    Ok(Reply::value(200, &body))
}

fn engagement_json(portal: &Portal, Engagement { of, kind, record }: Engagement<'_>) -> Value {
    let store = portal.store(of);
    let held = values(store, record, &[], |text| text.into());
    let owner: Option<u64> = held
        .get("hubspot_owner_id")
        .and_then(Value::as_str)
        .and_then(|id| id.parse().ok());
    json!({
        "engagement": {
            "id": record.id,
            "portalId": portal.id,
            "active": true,
            "createdAt": record.created,
            "lastUpdated": record.updated,
            "timestamp": record.created,
            "type": kind,
            "ownerId": owner,
        },
        "associations": {
            "contactIds": linked(portal, of, record, "contacts"),
            "companyIds": linked(portal, of, record, "companies"),
            "dealIds": linked(portal, of, record, "deals"),
            "ticketIds": linked(portal, of, record, "tickets"),
            "ownerIds": owner.into_iter().collect::<Vec<_>>(),
        },
        "attachments": [],
        "metadata": held,
    })
}
