//! `/companies/v2/companies/...`: paged, recently modified or created, and one by id.

use http::Method;
use serde_json::{Map, Value, json};

use super::super::{Access, Answer, Route, route};
use super::record::{by_id, linked, number, page_size, recent_body, recent_part, timed, values};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::portal::Portal;
use crate::state::record::Record;
use crate::state::store::Store;

const READ: Access = Access::ReadRecordsOf("companies");
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "paged", TOLL, READ, paged),
    route(Method::GET, "recent/modified", TOLL, READ, recently_modified),
    route(Method::GET, "{id}", TOLL, READ, get),
    route(Method::GET, "{id}/vids", TOLL, READ, contact_ids),
];

fn store(portal: &Portal) -> Result<&Store, Failure> {
    Ok(portal.store(portal.type_index("companies")?))
}

/// Without names, a page holds no properties (documented).
fn paged(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let store = store(&portal)?;
    let part = by_id(
        store,
        number(call, "offset", 0)?,
        page_size(call, "limit", 100, 250)?,
    );
    let names: Vec<&str> = call.list("properties").collect();
    let companies: Vec<Value> = part
        .records
        .iter()
        .map(|record| {
            let shown = (!names.is_empty()).then(|| values(store, record, &names, timed(record)));
            company_json(&portal, record, &shown.unwrap_or_default())
        })
        .collect();
    let body = json!({"companies": companies, "has-more": part.more, "offset": part.next});
    Ok(Reply::value(200, &body))
}

fn recently_modified(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let store = store(&portal)?;
    let part = recent_part(store, call)?;
    let results: Vec<Value> = part
        .records
        .iter()
        .map(|record| whole(&portal, store, record))
        .collect();
    Ok(Reply::value(200, &recent_body(&part, &results)))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let store = store(&portal)?;
    let record = find(store, call)?;
    Ok(Reply::value(200, &whole(&portal, store, record)))
}

fn find<'p>(store: &'p Store, call: &Call) -> Result<&'p Record, Failure> {
    let slot = call.param(0).parse().ok().and_then(|id| store.live_slot(id));
    Ok(store.record(slot.ok_or_else(Failure::not_found)?))
}

fn contact_ids(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = portal.type_index("companies")?;
    let record = find(portal.store(of), call)?;
    let from: u64 = number(call, "vidOffset", 0)?;
    let count = page_size(call, "count", 100, 100)?;
    let mut vids = linked(&portal, of, record, "contacts");
    vids.retain(|vid| *vid >= from);
    let more = vids.len() > count;
    vids.truncate(count);
    let next = vids.last().map_or(from, |vid| vid + 1);
    let body = json!({"vids": vids, "hasMore": more, "vidOffset": next});
    Ok(Reply::value(200, &body))
}

fn whole(portal: &Portal, store: &Store, record: &Record) -> Value {
    company_json(portal, record, &values(store, record, &[], timed(record)))
}

fn company_json(portal: &Portal, record: &Record, properties: &Map<String, Value>) -> Value {
    json!({
        "portalId": portal.id,
        "companyId": record.id,
        "isDeleted": false,
        "properties": properties,
        "additionalDomains": [],
        "stateChanges": [],
        "mergeAudits": [],
    })
}
