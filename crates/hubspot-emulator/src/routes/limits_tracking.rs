//! `/crm/limits/{version}`: how full the account is, which is the cheapest count of records there is; and
//! `/crm/object-library`: which objects are switched on (hubspot-api notes §2.7, §1.1).

use http::Method;
use serde_json::{Value, json};

use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::reply::Reply;
use crate::state::store::Store;

pub(super) const ROUTES: &[Route] = &[route(
    Method::GET,
    "records",
    Toll::General,
    Access::Anyone,
    records,
)];

pub(super) const LIBRARY: &[Route] = &[
    route(Method::GET, "", Toll::General, Access::Anyone, enabled),
    route(Method::GET, "{type}", Toll::General, Access::Anyone, is_enabled),
];

/// Records that an account may hold of one type; contracts differ.
const MOST_RECORDS: usize = 15_000_000;

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn records(emulator: &Inner, _: &Call) -> Answer {
    let portal = emulator.portal();
    let (custom, standard): (Vec<&Store>, Vec<&Store>) = portal
        .stores
        .iter()
        .partition(|store| store.object_type.is_custom());
    let used: usize = custom.iter().map(|store| store.live_len()).sum();
    let usages = |stores: Vec<&Store>| stores.into_iter().map(usage).collect::<Vec<Value>>();
    let body = json!({
        "hubspotDefinedObjectTypes": usages(standard),
        "customObjectTypes": {
            "overallLimit": MOST_RECORDS,
            "overallUsage": used,
            "overallPercentage": 100 * used / MOST_RECORDS,
            "byObjectType": usages(custom),
        },
    });
    Ok(Reply::value(200, &body))
}

fn usage(store: &Store) -> Value {
    let used = store.live_len();
    json!({
        "objectTypeId": store.object_type.id,
        "singularLabel": store.object_type.singular,
        "pluralLabel": store.object_type.plural,
        "limit": MOST_RECORDS,
        "usage": used,
        "percentage": 100 * used / MOST_RECORDS,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn enabled(emulator: &Inner, _: &Call) -> Answer {
    let portal = emulator.portal();
    // Some types have no published id.
    let ids = portal.stores.iter().map(|store| &store.object_type.id);
    let ids = ids.filter(|id| *id != "-");
    let enablement = ids.map(|id| (id.clone(), Value::Bool(true))).collect();
    Ok(Reply::value(
        200,
        &json!({"enablementByObjectTypeId": Value::Object(enablement)}),
    ))
}

fn is_enabled(emulator: &Inner, call: &Call) -> Answer {
    emulator.portal().type_index(call.param(0))?;
    Ok(Reply::value(200, &json!({"enablement": true})))
}
