//! `/deals/v1/deal/...`: paged, recently modified, and one by id.

use http::Method;
use serde_json::{Map, Value, json};

use super::super::{Access, Answer, Route, route};
use super::record::{by_id, linked, number, page_size, recent_body, recent_part, timed, values};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::associations::TypeIndex;
use crate::state::portal::Portal;
use crate::state::record::Record;

const READ: Access = Access::ReadRecordsOf("deals");
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "paged", TOLL, READ, paged),
    route(Method::GET, "recent/modified", TOLL, READ, recently_modified),
    route(Method::GET, "{id}", TOLL, READ, get),
];

/// Without names, a page holds no properties (documented).
fn paged(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = portal.type_index("deals")?;
    let store = portal.store(of);
    let part = by_id(
        store,
        number(call, "offset", 0)?,
        page_size(call, "limit", 100, 250)?,
    );
    let names: Vec<&str> = call.list("properties").collect();
    let deals: Vec<Value> = part
        .records
        .iter()
        .map(|record| {
            let shown = (!names.is_empty()).then(|| values(store, record, &names, timed(record)));
            deal_json(&portal, of, record, &shown.unwrap_or_default())
        })
        .collect();
    let body = json!({"deals": deals, "hasMore": part.more, "offset": part.next});
    Ok(Reply::value(200, &body))
}

fn recently_modified(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = portal.type_index("deals")?;
    let part = recent_part(portal.store(of), call)?;
    let results: Vec<Value> = part
        .records
        .iter()
        .map(|record| whole(&portal, of, record))
        .collect();
    Ok(Reply::value(200, &recent_body(&part, &results)))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = portal.type_index("deals")?;
    let store = portal.store(of);
    let slot = call.param(0).parse().ok().and_then(|id| store.live_slot(id));
    let record = store.record(slot.ok_or_else(Failure::not_found)?);
    Ok(Reply::value(200, &whole(&portal, of, record)))
}

fn whole(portal: &Portal, of: TypeIndex, record: &Record) -> Value {
    let shown = values(portal.store(of), record, &[], timed(record));
    deal_json(portal, of, record, &shown)
}

fn deal_json(portal: &Portal, of: TypeIndex, record: &Record, properties: &Map<String, Value>) -> Value {
    json!({
        "portalId": portal.id,
        "dealId": record.id,
        "isDeleted": false,
        "associations": {
            "associatedVids": linked(portal, of, record, "contacts"),
            "associatedCompanyIds": linked(portal, of, record, "companies"),
            "associatedDealIds": [],
        },
        "properties": properties,
        "imports": [],
        "stateChanges": [],
    })
}
