//! `/crm/v3/lists` and its dated twin: lists themselves (hubspot-api notes §2.6).

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Access, Answer, Route, list_members as members, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::filter::Text;
use crate::state::lists::{List, Lists};
use crate::state::portal::Portal;
use crate::time::iso;

const READ: Access = Access::ReadLists;
const WRITE: Access = Access::WriteLists;
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::POST, "", TOLL, WRITE, create),
    route(Method::GET, "", TOLL, READ, several),
    route(Method::POST, "search", TOLL, READ, search),
    route(
        Method::GET,
        "records/{type}/{record}/memberships",
        TOLL,
        READ,
        members::of_record,
    ),
    route(
        Method::GET,
        "object-type-id/{type}/name/{name}",
        TOLL,
        READ,
        by_name,
    ),
    route(Method::GET, "{id}", TOLL, READ, get),
    route(Method::DELETE, "{id}", TOLL, WRITE, delete),
    route(Method::PUT, "{id}/restore", TOLL, WRITE, restore),
    route(Method::PUT, "{id}/update-list-name", TOLL, WRITE, rename),
    route(Method::GET, "{id}/memberships", TOLL, READ, members::by_record),
    route(Method::DELETE, "{id}/memberships", TOLL, WRITE, members::clear),
    route(
        Method::GET,
        "{id}/memberships/join-order",
        TOLL,
        READ,
        members::by_time,
    ),
    route(Method::PUT, "{id}/memberships/add", TOLL, WRITE, members::add),
    route(
        Method::PUT,
        "{id}/memberships/remove",
        TOLL,
        WRITE,
        members::remove,
    ),
    route(
        Method::PUT,
        "{id}/memberships/add-and-remove",
        TOLL,
        WRITE,
        members::add_and_remove,
    ),
];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct New {
    name: String,
    object_type_id: String,
    processing_type: String,
    filter_branch: Option<Value>,
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let new: New = call.json()?;
    let portal = emulator.portal();
    let of = portal.type_index(&new.object_type_id)?;
    check_processing(&new)?;
    if new.name.trim().is_empty() {
        return Err(Failure::validation("A list needs a name"));
    }
    let mut lists = emulator.lists();
    let made = lists.create(of, &new.name, &new.processing_type, emulator.clock.now().wall);
    let made = made.ok_or_else(|| taken(&new.name))?;
    Ok(Reply::value(200, &json!({"list": list_json(&portal, made)})))
}

/// Only lists that no filter fills are emulated.
fn check_processing(new: &New) -> Result<(), Failure> {
    let filtered = new.filter_branch.as_ref().is_some_and(|branch| !branch.is_null());
    match new.processing_type.as_str() {
        "MANUAL" | "SNAPSHOT" if !filtered => Ok(()),
        "MANUAL" => Err(Failure::validation("A MANUAL list takes no filterBranch")),
        "DYNAMIC" | "SNAPSHOT" => {
            let message = "Lists that a filterBranch fills are not emulated. The emulator answers 501 instead of \
                           making up who belongs to them.";
            Err(Failure::new(501, message).category("NOT_EMULATED"))
        }
        other => Err(Failure::validation(format!("Unknown processingType: {other}"))),
    }
}

fn taken(name: &str) -> Failure {
    Failure::validation(format!("A list named {name} already exists"))
}

/// The list that a path names.
pub(super) fn find<'l>(lists: &'l Lists, id: &str) -> Result<&'l List, Failure> {
    let list = id.parse().ok().and_then(|id| lists.get(id));
    list.ok_or_else(|| unknown(id))
}

pub(super) fn unknown(id: &str) -> Failure {
    Failure::new(404, format!("List does not exist with ID {id}."))
        .category("OBJECT_NOT_FOUND")
        .context("listId", vec![id.to_owned()])
}

pub(crate) fn list_json(portal: &Portal, list: &List) -> Value {
    json!({
        "listId": list.id.to_string(),
        "listVersion": 1,
        "name": list.name,
        "objectTypeId": portal.store(list.of).object_type.id,
        "processingType": list.processing,
        "processingStatus": "COMPLETE",
        "createdAt": iso(list.created),
        "updatedAt": iso(list.updated),
        "filtersUpdatedAt": iso(list.created),
        "size": list.members.len(),
    })
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let (portal, lists) = (emulator.portal(), emulator.lists());
    let list = find(&lists, call.param(0))?;
    Ok(Reply::value(200, &json!({"list": list_json(&portal, list)})))
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn several(emulator: &Inner, call: &Call) -> Answer {
    let (portal, lists) = (emulator.portal(), emulator.lists());
    let found = call.list("listIds").filter_map(|id| find(&lists, id).ok());
    let found: Vec<Value> = found.map(|list| list_json(&portal, list)).collect();
    Ok(Reply::value(200, &json!({"lists": found})))
}

fn by_name(emulator: &Inner, call: &Call) -> Answer {
    let (portal, lists) = (emulator.portal(), emulator.lists());
    let list = lists.named(portal.type_index(call.param(0))?, call.param(1));
    let list = list.ok_or_else(|| unknown(call.param(1)))?;
    Ok(Reply::value(200, &json!({"list": list_json(&portal, list)})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Search {
    query: String,
    list_ids: Vec<Text>,
    processing_types: Vec<String>,
    object_type_id: Option<String>,
    offset: usize,
    count: Option<usize>,
}

/// At most this many lists a page of search results.
const MOST: usize = 500;

fn search(emulator: &Inner, call: &Call) -> Answer {
    let asked: Search = call.json()?;
    let (portal, lists) = (emulator.portal(), emulator.lists());
    // More is answered without an error: Airbyte's source asks for 1000 (hubspot-api notes, corrections).
    let count = asked.count.unwrap_or(20).min(MOST);
    let of = asked.object_type_id.as_deref();
    let of = of.map(|name| portal.type_index(name)).transpose()?;
    let ids: Vec<String> = asked.list_ids.into_iter().map(Text::into_text).collect();
    let query = asked.query.to_lowercase();
    let fits = |list: &&List| {
        list.name.to_lowercase().contains(&query)
            && of.is_none_or(|of| list.of == of)
            && (ids.is_empty() || ids.contains(&list.id.to_string()))
            && (asked.processing_types.is_empty() || asked.processing_types.contains(&list.processing))
    };
    let found: Vec<&List> = lists.all().filter(fits).collect();
    let page = found.iter().skip(asked.offset).take(count);
    let page: Vec<Value> = page.map(|list| list_json(&portal, list)).collect();
    let next = asked.offset.saturating_add(page.len());
    let body = json!({"lists": page, "offset": next, "hasMore": next < found.len(), "total": found.len()});
    Ok(Reply::value(200, &body))
}

fn rename(emulator: &Inner, call: &Call) -> Answer {
    let name = call.query("listName").unwrap_or_default();
    if name.trim().is_empty() {
        return Err(Failure::validation("listName is missing"));
    }
    let (portal, mut lists) = (emulator.portal(), emulator.lists());
    let (id, of) = find(&lists, call.param(0)).map(|list| (list.id, list.of))?;
    if lists.named(of, name).is_some_and(|other| other.id != id) {
        return Err(taken(name));
    }
    let list = lists.get_mut(id).ok_or_else(|| unknown(call.param(0)))?;
    name.clone_into(&mut list.name);
    list.updated = emulator.clock.now().wall;
    Ok(Reply::value(
        200,
        &json!({"updatedList": list_json(&portal, list)}),
    ))
}

fn delete(emulator: &Inner, call: &Call) -> Answer {
    let mut lists = emulator.lists();
    let id = find(&lists, call.param(0))?.id;
    if let Some(list) = lists.get_mut(id) {
        list.deleted = Some(emulator.clock.now().wall);
    }
    Ok(Reply::no_content())
}

fn restore(emulator: &Inner, call: &Call) -> Answer {
    let id = call.param(0);
    let restored = id.parse().is_ok_and(|id| emulator.lists().restore(id));
    if restored {
        Ok(Reply::no_content())
    } else {
        Err(unknown(id))
    }
}
