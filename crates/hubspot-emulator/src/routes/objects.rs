//! `/crm/v3/objects/{type}` and its dated twin: list, get, create, update, archive (hubspot-api notes §1.3, §1.4).

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;

use super::history_json::MOST_WITH_HISTORY;
use super::record_json::{View, open, write, write_paging};
use super::{Access, Answer, Route, objects_batch, objects_merge, objects_search, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::associations::{Named, TypeIndex};
use crate::state::filter::{Text, number};
use crate::state::index::Slot;
use crate::state::operations::Operation;
use crate::state::portal::{AskedLink, Portal};
use crate::state::property::Projection;
use crate::state::record::Record;
use crate::state::validation::Asked;

const READ: Access = Access::ReadRecords;
const WRITE: Access = Access::WriteRecords;
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "{type}", TOLL, READ, list),
    route(Method::POST, "{type}", TOLL, WRITE, create),
    route(
        Method::POST,
        "{type}/search",
        Toll::Search,
        READ,
        objects_search::search,
    ),
    route(Method::POST, "{type}/merge", TOLL, WRITE, objects_merge::merge),
    route(
        Method::POST,
        "{type}/gdpr-delete",
        TOLL,
        WRITE,
        objects_merge::gdpr_delete,
    ),
    route(
        Method::POST,
        "{type}/batch/upsert",
        TOLL,
        WRITE,
        objects_batch::upsert,
    ),
    route(Method::POST, "{type}/batch/read", TOLL, READ, objects_batch::read),
    route(
        Method::POST,
        "{type}/batch/create",
        TOLL,
        WRITE,
        objects_batch::create,
    ),
    route(
        Method::POST,
        "{type}/batch/update",
        TOLL,
        WRITE,
        objects_batch::update,
    ),
    route(
        Method::POST,
        "{type}/batch/archive",
        TOLL,
        WRITE,
        objects_batch::archive,
    ),
    route(Method::GET, "{type}/{id}", TOLL, READ, get),
    route(Method::PATCH, "{type}/{id}", TOLL, WRITE, update),
    route(Method::DELETE, "{type}/{id}", TOLL, WRITE, archive),
];

/// `limit` is at most 100, and 50 with history.
fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = portal.type_with(call.param(0), Operation::List)?;
    let store = portal.store(of);
    let view = View::of_query(&portal, store, call)?.with_habits(*emulator.habits());
    let with_history = call.list("propertiesWithHistory").next().is_some();
    let limit = call.limit(10, if with_history { MOST_WITH_HISTORY } else { 100 })?;
    let first = store.slot_from(after_id(call)?);
    let page: Vec<&Record> = if call.flag("archived") {
        store.archived_from(first).take(limit + 1).collect()
    } else {
        store.live_from(first).take(limit + 1).collect()
    };
    Ok(Reply::json(
        200,
        page_body(&portal, of, &page, limit, &view, call),
    ))
}

/// `after` is the id from which the page goes on (hubspot-api notes §1.3).
fn after_id(call: &Call) -> Result<u64, Failure> {
    let after = call.query("after").filter(|after| !after.is_empty());
    let id = after.map_or(Ok(0), str::parse);
    id.map_err(|_| Failure::validation(format!("Invalid value for after: {}", after.unwrap_or_default())))
}

fn page_body(
    portal: &Portal,
    of: TypeIndex,
    page: &[&Record],
    limit: usize,
    view: &View,
    call: &Call,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(512 + limit.min(page.len()) * view.size());
    out.extend_from_slice(b"{\"results\":[");
    for (at, record) in page.iter().take(limit).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(&mut out, portal, of, record, view, call);
    }
    out.push(b']');
    if let (Some(last), true) = (page.get(limit.wrapping_sub(1)), page.len() > limit) {
        // The documentation's examples show the last id plus one, not the id of the next record.
        let after = (last.id + 1).to_string();
        write_paging(&mut out, &after, &call.next_link(&after));
    }
    out.push(b'}');
    out
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = portal.type_with(call.param(0), Operation::Get)?;
    let store = portal.store(of);
    let view = View::of_query(&portal, store, call)?.with_habits(*emulator.habits());
    let record = if call.flag("archived") {
        find_archived(&portal, of, call.param(1)).ok_or_else(Failure::not_found)?
    } else {
        let slot = find(&portal, of, call.param(1), call.query("idProperty"))?;
        store
            .earlier
            .as_read(slot, store.record(slot), emulator.clock.now().wall)
    };
    let mut out = Vec::new();
    write(&mut out, &portal, of, record, &view, call);
    Ok(Reply::json(200, out))
}

/// Finds a live record by id, or by a unique property.
pub(super) fn find(
    portal: &Portal,
    of: TypeIndex,
    id: &str,
    id_property: Option<&str>,
) -> Result<Slot, Failure> {
    let store = portal.store(of);
    let slot = match id_property {
        None | Some("hs_object_id" | "") => id.parse().ok().and_then(|id| store.live_slot(id)),
        Some(name) => {
            let property = store
                .properties
                .index(name)
                .filter(|property| store.is_unique(*property));
            let property = property.ok_or_else(|| {
                Failure::validation(format!("{name} is not a unique property of this object type"))
            })?;
            store
                .find_unique(property, id)
                .filter(|slot| store.record(*slot).is_live())
        }
    };
    slot.ok_or_else(Failure::not_found)
}

pub(super) fn find_archived<'p>(portal: &'p Portal, of: TypeIndex, id: &str) -> Option<&'p Record> {
    let store = portal.store(of);
    let slot = store.slot(id.parse().ok()?)?;
    store.is_in_bin(slot).then(|| store.record(slot))
}

/// The body of a create or an update.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Write {
    pub(super) properties: BTreeMap<String, Option<Text>>,
    #[serde(deserialize_with = "or_default")]
    pub(super) associations: Vec<WrittenLink>,
}

/// Null counts as left out: official clients send it.
fn or_default<'d, D: serde::Deserializer<'d>, T: Default + Deserialize<'d>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[derive(Debug, Deserialize)]
pub(super) struct WrittenLink {
    to: WrittenId,
    #[serde(default)]
    types: Vec<WrittenType>,
}

#[derive(Debug, Deserialize)]
pub(super) struct WrittenId {
    pub(super) id: Text,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WrittenType {
    association_category: Option<String>,
    #[serde(deserialize_with = "number")]
    association_type_id: u32,
}

impl From<WrittenType> for Named {
    fn from(written: WrittenType) -> Self {
        Self {
            category: written.association_category,
            number: written.association_type_id,
        }
    }
}

pub(super) fn asked(properties: BTreeMap<String, Option<Text>>) -> Asked {
    properties
        .into_iter()
        .map(|(name, value)| (name, value.map(Text::into_text).filter(|text| text != "null")))
        .collect()
}

pub(super) fn asked_links(links: Vec<WrittenLink>) -> Result<Vec<AskedLink>, Failure> {
    let read = |link: WrittenLink| {
        let id = link.to.id.into_text();
        let to = id
            .parse()
            .map_err(|_| Failure::validation(format!("Invalid object id: {id}")))?;
        Ok(AskedLink {
            to,
            types: link.types.into_iter().map(Named::from).collect(),
        })
    };
    links.into_iter().map(read).collect()
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let write: Write = call.json()?;
    let links = asked_links(write.associations)?;
    let mut portal = emulator.portal_mut();
    let of = portal.type_with(call.param(0), Operation::Create)?;
    let slot = portal.create(of, &asked(write.properties), &links, emulator.clock.now())?;
    let store = portal.store(of);
    let record = store.record(slot);
    // A create answers with every property that has a value.
    let shown = record
        .values
        .iter()
        .map(|(index, _)| index)
        .chain(store.properties.always());
    Ok(Reply::json(201, whole(&portal, of, record, shown)))
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let write: Write = call.json()?;
    let mut portal = emulator.portal_mut();
    let of = portal.type_with(call.param(0), Operation::Update)?;
    let slot = find(&portal, of, call.param(1), call.query("idProperty"))?;
    let changes = portal.update(of, slot, &asked(write.properties), emulator.clock.now())?;
    // An update answers with the changed properties only (recorded, hubspot-api notes §1.4).
    let store = portal.store(of);
    let shown = changes
        .iter()
        .map(|(index, _)| *index)
        .chain(store.properties.always());
    Ok(Reply::json(200, whole(&portal, of, store.record(slot), shown)))
}

/// One record with the given properties, in any order.
pub(super) fn whole(
    portal: &Portal,
    of: TypeIndex,
    record: &Record,
    shown: impl Iterator<Item = u16>,
) -> Vec<u8> {
    let mut out = Vec::new();
    open(&mut out, portal.store(of), record, &sorted(shown));
    out.push(b'}');
    out
}

pub(super) fn sorted(shown: impl Iterator<Item = u16>) -> Projection {
    let mut shown: Vec<u16> = shown.collect();
    shown.sort_unstable();
    shown.dedup();
    Projection(shown)
}

/// 204 also for what is already archived or was never there (believed, hubspot-api notes §1.4).
fn archive(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let of = portal.type_with(call.param(0), Operation::Archive)?;
    let slot = call
        .param(1)
        .parse()
        .ok()
        .and_then(|id| portal.store(of).live_slot(id));
    if let Some(slot) = slot {
        portal.archive(of, slot, emulator.clock.now());
    }
    Ok(Reply::no_content())
}
