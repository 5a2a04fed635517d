//! `/contacts/v1/lists/all/contacts/all`, `/contacts/v1/lists/recently_updated/contacts/recent` and
//! `/contacts/v1/contact/vid/{vid}/profile`: contacts as the first version of the API showed them.

use http::Method;
use serde_json::{Value, json};

use super::super::{Access, Answer, Route, route};
use super::record::{by_id, number, page_size, recent, values};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::portal::Portal;
use crate::state::record::Record;
use crate::state::store::Store;
use crate::time::Millis;

const READ: Access = Access::ReadRecordsOf("contacts");
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "lists/all/contacts/all", TOLL, READ, all),
    route(
        Method::GET,
        "lists/recently_updated/contacts/recent",
        TOLL,
        READ,
        recently_updated,
    ),
    route(Method::GET, "contact/vid/{vid}/profile", TOLL, READ, profile),
];

/// Shown when a call names no properties (documented).
const DEFAULTS: [&str; 4] = ["firstname", "lastname", "company", "lastmodifieddate"];

fn store(portal: &Portal) -> Result<&Store, Failure> {
    Ok(portal.store(portal.type_index("contacts")?))
}

fn names(call: &Call) -> Vec<&str> {
    let mut names: Vec<&str> = call.list("property").collect();
    if names.is_empty() {
        names.extend(DEFAULTS);
    }
    names
}

fn all(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let store = store(&portal)?;
    let part = by_id(
        store,
        number(call, "vidOffset", 0)?,
        page_size(call, "count", 20, 100)?,
    );
    let names = names(call);
    let contacts: Vec<Value> = part
        .records
        .iter()
        .map(|record| contact_json(&portal, store, record, &names))
        .collect();
    let body = json!({"contacts": contacts, "has-more": part.more, "vid-offset": part.next});
    Ok(Reply::value(200, &body))
}

/// The next page goes on below a pair of time and id.
fn recently_updated(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let store = store(&portal)?;
    let count = page_size(call, "count", 20, 100)?;
    let below: (Millis, u64) = (
        number(call, "timeOffset", Millis::MAX)?,
        number(call, "vidOffset", 0)?,
    );
    let left: Vec<&Record> = recent(store, 0)
        .into_iter()
        .filter(|record| (record.updated, record.id) < below)
        .collect();
    let page = &left[..count.min(left.len())];
    let names = names(call);
    let contacts: Vec<Value> = page
        .iter()
        .map(|record| contact_json(&portal, store, record, &names))
        .collect();
    let end = page.last().map_or((0, 0), |record| (record.updated, record.id));
    let body = json!({
        "contacts": contacts,
        "has-more": left.len() > count,
        "time-offset": end.0,
        "vid-offset": end.1,
    });
    Ok(Reply::value(200, &body))
}

fn profile(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let store = store(&portal)?;
    let slot = call.param(0).parse().ok().and_then(|id| store.live_slot(id));
    let record = store.record(slot.ok_or_else(Failure::not_found)?);
    Ok(Reply::value(200, &contact_json(&portal, store, record, &[])))
}

fn contact_json(portal: &Portal, store: &Store, record: &Record, names: &[&str]) -> Value {
    json!({
        "vid": record.id,
        "canonical-vid": record.id,
        "merged-vids": [],
        "portal-id": portal.id,
        "is-contact": true,
        "addedAt": record.created,
        "properties": values(store, record, names, |text| json!({"value": text})),
        "form-submissions": [],
        "identity-profiles": identities(store, record),
        "merge-audits": [],
    })
}

fn identities(store: &Store, record: &Record) -> Value {
    let email = store
        .properties
        .index("email")
        .and_then(|email| store.text(record, email));
    let identities: Vec<Value> = email
        .into_iter()
        .map(
            |email| json!({"type": "EMAIL", "value": email, "timestamp": record.created, "is-primary": true}),
        )
        .collect();
    json!([{"vid": record.id, "saved-at-timestamp": record.created, "deleted-changed-timestamp": 0,
        "identities": identities}])
}
