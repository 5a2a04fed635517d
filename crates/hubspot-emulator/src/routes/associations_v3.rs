//! `/crm/v3/associations/{from}/{to}`: the older shape, where types are strings such as `contact_to_company`
//! (hubspot-api notes §2.5).

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::associations::Page;
use super::associations_batch::{complete, ends, id, inputs, read_batch, types};
use super::objects::WrittenId;
use super::record_json::{write_paging, write_v3_links};
use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::json;
use crate::reply::Reply;
use crate::state::associations::{Link, TypeIndex};
use crate::state::filter::Text;
use crate::state::portal::Portal;
use crate::time::iso;

const TOLL: Toll = Toll::AssociationBatch;
const READ: Access = Access::ReadRecords;
const WRITE: Access = Access::WriteRecords;

pub(super) const ROUTES: &[Route] = &[
    route(Method::POST, "{type}/{to}/batch/read", TOLL, READ, read),
    route(Method::POST, "{type}/{to}/batch/create", TOLL, WRITE, create),
    route(Method::POST, "{type}/{to}/batch/archive", TOLL, WRITE, archive),
    route(Method::GET, "{type}/{to}/types", TOLL, READ, list_types),
];

/// One association of one record, below `/crm/v3/objects` (hubspot-api notes, corrections).
pub(super) const RECORD_ROUTES: &[Route] = &[
    route(
        Method::PUT,
        "{type}/{id}/associations/{to}/{to_id}/{kind}",
        Toll::Association,
        WRITE,
        put_one,
    ),
    route(
        Method::DELETE,
        "{type}/{id}/associations/{to}/{to_id}/{kind}",
        Toll::Association,
        WRITE,
        delete_one,
    ),
];

const MOST_WRITTEN: usize = 2000;

/// Associated records of one record.
const MOST_SHOWN: usize = 100;

#[derive(Debug, Deserialize)]
struct Pair {
    from: WrittenId,
    to: WrittenId,
    #[serde(rename = "type")]
    kind: Text,
}

fn read(emulator: &Inner, call: &Call) -> Answer {
    read_batch(emulator, call, MOST_SHOWN, write_result)
}

fn write_result(
    out: &mut Vec<u8>,
    portal: &Portal,
    types: (TypeIndex, TypeIndex),
    from: u64,
    page: &Page,
    call: &Call,
) {
    out.extend_from_slice(b"{\"from\":{\"id\":\"");
    json::integer(out, from);
    out.extend_from_slice(b"\"},\"to\":");
    let mut links = Vec::new();
    write_v3_links(&mut links, portal, types.0, types.1, &page.links);
    out.extend_from_slice(links.strip_prefix(b"{\"results\":").unwrap_or(&links));
    if let Some(after) = &page.after {
        let name = |of: TypeIndex| &portal.store(of).object_type.plural;
        let path = format!(
            "/crm/v3/objects/{}/{from}/associations/{}",
            name(types.0),
            name(types.1)
        );
        write_paging(out, after, &call.link(&path, &[("after", after)]));
    }
    out.push(b'}');
}

/// The association type of a v3 name; a number is taken too.
fn type_id(portal: &Portal, types: (TypeIndex, TypeIndex), kind: &str) -> Result<u32, Failure> {
    let mut known = portal.associations.definitions(types.0, types.1);
    let found = known.find(|side| side.name == kind || side.number.to_string() == kind);
    found
        .map(|side| side.type_id)
        .ok_or_else(|| Failure::validation(format!("{kind} is not a valid association type")))
}

/// What a batch asks for, checked as a whole before anything is done.
fn links(
    portal: &Portal,
    call: &Call,
    find: impl Fn(&Portal, (TypeIndex, TypeIndex), Text, Text) -> Result<(u64, u64), Failure>,
) -> Result<Vec<(Link, String)>, Failure> {
    let types = types(portal, call)?;
    let mut links = Vec::new();
    for Pair { from, to, kind } in inputs::<Pair>(call, MOST_WRITTEN)? {
        let kind = kind.into_text();
        let type_id = type_id(portal, types, &kind)?;
        let (from, to) = find(portal, types, from.id, to.id)?;
        links.push((Link { from, to, type_id }, kind));
    }
    Ok(links)
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let types = types(&portal, call)?;
    let wanted = links(&portal, call, ends)?;
    let mut results: Vec<Value> = Vec::new();
    for (link, kind) in wanted {
        portal.associations.link(types.0, types.1, link);
        let (from, to) = (link.from.to_string(), link.to.to_string());
        results.push(json!({"from": {"id": from}, "to": {"id": to}, "type": kind}));
    }
    Ok(complete(201, &results, emulator.clock.now()))
}

/// Removing the unlabelled type removes everything between the pair.
fn archive(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let types = types(&portal, call)?;
    let ids = |_: &Portal, _: (TypeIndex, TypeIndex), from, to| Ok((id(from)?, id(to)?));
    let plain = portal
        .associations
        .plain(types.0, types.1)
        .map(|plain| plain.type_id);
    for (link, _) in links(&portal, call, ids)? {
        if Some(link.type_id) == plain {
            portal.associations.unlink(types.0, types.1, (link.from, link.to));
        } else {
            portal.associations.unlink_one(types.0, types.1, link);
        }
    }
    Ok(Reply::no_content())
}

fn types_of_path(portal: &Portal, call: &Call) -> Result<(TypeIndex, TypeIndex), Failure> {
    Ok((
        portal.type_index(call.param(0))?,
        portal.type_index(call.param(2))?,
    ))
}

/// Answers with the record and its associations of that kind, as HubSpot does with the record.
fn put_one(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let types = types_of_path(&portal, call)?;
    let type_id = type_id(&portal, types, call.param(4))?;
    let live = |of: TypeIndex, id: &str| {
        let store = portal.store(of);
        let slot = id.parse().ok().and_then(|id| store.live_slot(id));
        slot.map(|slot| store.record(slot).id)
            .ok_or_else(Failure::not_found)
    };
    let link = Link {
        from: live(types.0, call.param(1))?,
        to: live(types.1, call.param(3))?,
        type_id,
    };
    portal.associations.link(types.0, types.1, link);
    let store = portal.store(types.0);
    let record = store.slot(link.from).map(|slot| store.record(slot));
    let record = record.ok_or_else(Failure::not_found)?;
    let (created, updated) = (iso(record.created), iso(record.updated));
    let name = &portal.store(types.1).object_type.plural;
    let linked = json!({"results": [{"id": link.to.to_string(), "type": call.param(4)}]});
    let body = json!({
        "id": link.from.to_string(),
        "properties": {},
        "createdAt": created,
        "updatedAt": updated,
        "archived": false,
        "associations": {name: linked},
    });
    Ok(Reply::value(200, &body))
}

fn delete_one(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let types = types_of_path(&portal, call)?;
    let type_id = type_id(&portal, types, call.param(4))?;
    let (Ok(from), Ok(to)) = (call.param(1).parse(), call.param(3).parse()) else {
        return Ok(Reply::no_content());
    };
    let plain = portal.associations.plain(types.0, types.1);
    if plain.is_some_and(|plain| plain.type_id == type_id) {
        portal.associations.unlink(types.0, types.1, (from, to));
    } else {
        let link = Link { from, to, type_id };
        portal.associations.unlink_one(types.0, types.1, link);
    }
    Ok(Reply::no_content())
}

fn list_types(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let types = types(&portal, call)?;
    let known = portal.associations.definitions(types.0, types.1);
    let results: Vec<Value> = known
        .map(|side| json!({"id": side.number.to_string(), "name": side.name}))
        .collect();
    Ok(Reply::value(200, &json!({"results": results})))
}
