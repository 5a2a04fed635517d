//! Associations in batches: `/crm/v4/associations/{from}/{to}` and its dated twin
//! (hubspot-api notes §2.5).

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::associations::{
    MOST, Page, default_result, link_all, link_default, linked_pair, page, type_ids, write_v4_links,
};
use super::objects::{WrittenId, WrittenType};
use super::record_json::write_paging;
use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::json;
use crate::reply::Reply;
use crate::state::associations::{Link, Named, TypeIndex};
use crate::state::filter::Text;
use crate::state::portal::{Moment, Portal};
use crate::time::iso;

const TOLL: Toll = Toll::AssociationBatch;
const READ: Access = Access::ReadRecords;
const WRITE: Access = Access::WriteRecords;

pub(super) const ROUTES: &[Route] = &[
    route(Method::POST, "{type}/{to}/batch/read", TOLL, READ, read),
    route(Method::POST, "{type}/{to}/batch/create", TOLL, WRITE, create),
    route(
        Method::POST,
        "{type}/{to}/batch/associate/default",
        TOLL,
        WRITE,
        associate_default,
    ),
    route(Method::POST, "{type}/{to}/batch/archive", TOLL, WRITE, archive),
    route(
        Method::POST,
        "{type}/{to}/batch/labels/archive",
        TOLL,
        WRITE,
        archive_labels,
    ),
];

const MOST_READ: usize = 1000;
const MOST_WRITTEN: usize = 2000;

#[derive(Debug, Deserialize)]
struct Inputs<T> {
    #[serde(default = "Vec::new")]
    inputs: Vec<T>,
}

#[derive(Debug, Deserialize)]
struct ReadInput {
    id: Text,
    after: Option<Text>,
}

#[derive(Debug, Deserialize)]
struct PairInput {
    from: WrittenId,
    to: WrittenId,
    #[serde(default)]
    types: Vec<WrittenType>,
}

#[derive(Debug, Deserialize)]
struct ArchiveInput {
    from: WrittenId,
    to: Vec<WrittenId>,
}

pub(super) fn inputs<T: for<'de> Deserialize<'de>>(call: &Call, most: usize) -> Result<Vec<T>, Failure> {
    let batch: Inputs<T> = call.json()?;
    if batch.inputs.len() > most {
        return Err(Failure::validation(format!(
            "The batch has {} inputs; at most {most} are allowed",
            batch.inputs.len()
        )));
    }
    Ok(batch.inputs)
}

pub(super) fn types(portal: &Portal, call: &Call) -> Result<(TypeIndex, TypeIndex), Failure> {
    Ok((
        portal.type_index(call.param(0))?,
        portal.type_index(call.param(1))?,
    ))
}

/// A malformed id makes the whole batch 400 (hubspot-api notes §7 quirk 13).
pub(super) fn id(text: Text) -> Result<u64, Failure> {
    let text = text.into_text();
    text.parse()
        .map_err(|_| Failure::validation(format!("Invalid object id: {text}")))
}

fn read(emulator: &Inner, call: &Call) -> Answer {
    read_batch(emulator, call, MOST, write_result)
}

/// Appends what one record is associated with: its id and a page that is not empty.
pub(super) type WriteResult = fn(&mut Vec<u8>, &Portal, (TypeIndex, TypeIndex), u64, &Page, &Call);

/// Reads the associations of many records, at most so many of each; how a record's look is the writer's choice.
///
/// A record without associations is not in `results` but in `errors`, so the status is 207; the same goes for a
/// record that does not exist.
pub(super) fn read_batch(emulator: &Inner, call: &Call, most: usize, write: WriteResult) -> Answer {
    let now = emulator.clock.now();
    let inputs: Vec<ReadInput> = inputs(call, MOST_READ)?;
    let portal = emulator.portal();
    let types = types(&portal, call)?;
    let mut out = b"{\"status\":\"COMPLETE\",\"results\":[".to_vec();
    let mut errors = Vec::new();
    for input in inputs {
        let from = id(input.id)?;
        let after = input.after.map(Text::into_text);
        let page = page(&portal, types, from, after.as_deref(), most)?;
        if page.links.is_empty() {
            errors.push(none_found(&portal, types, from).batch_item());
        } else {
            json::comma(&mut out);
            write(&mut out, &portal, types, from, &page, call);
        }
    }
    Ok(finish_read(out, &errors, now))
}

/// Ends a batch read: with errors it is 207.
fn finish_read(mut out: Vec<u8>, errors: &[Value], now: Moment) -> Reply {
    out.push(b']');
    let status = if errors.is_empty() { 200 } else { 207 };
    if !errors.is_empty() {
        let tail = json!({"numErrors": errors.len(), "errors": errors}).to_string();
        out.push(b',');
        out.extend_from_slice(&tail.as_bytes()[1..tail.len() - 1]);
    }
    out.extend_from_slice(
        format!(",\"startedAt\":\"{0}\",\"completedAt\":\"{0}\"}}", iso(now.wall)).as_bytes(),
    );
    Reply::json(status, out)
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
    write_v4_links(out, portal, types, &page.links);
    if let Some(after) = &page.after {
        let (one, other) = (
            &portal.store(types.0).object_type,
            &portal.store(types.1).object_type,
        );
        let path = format!(
            "/crm/v4/objects/{}/{from}/associations/{}",
            one.plural, other.plural
        );
        write_paging(
            out,
            after,
            &call.link(&path, &[("after", after), ("limit", "500")]),
        );
    }
    out.push(b'}');
}

fn none_found(portal: &Portal, types: (TypeIndex, TypeIndex), from: u64) -> Failure {
    let (one, other) = (
        &portal.store(types.0).object_type.singular,
        &portal.store(types.1).object_type.singular,
    );
    Failure::new(404, format!("No {other} is associated with {one} {from}."))
        .category("OBJECT_NOT_FOUND")
        .sub_category("crm.associations.NO_ASSOCIATIONS_FOUND")
        .context("fromObjectId", vec![from.to_string()])
        .context("fromObjectType", vec![one.clone()])
        .context("toObjectType", vec![other.clone()])
}

/// Both ends of a link, which must be live records; old ids of merged ones lead to the survivor.
pub(super) fn ends(
    portal: &Portal,
    types: (TypeIndex, TypeIndex),
    from: Text,
    to: Text,
) -> Result<(u64, u64), Failure> {
    live_ends(portal, types, (id(from)?, id(to)?))
}

fn live_ends(portal: &Portal, types: (TypeIndex, TypeIndex), ids: (u64, u64)) -> Result<(u64, u64), Failure> {
    let live = |of: TypeIndex, id: u64| {
        let slot = portal.store(of).live_slot(id);
        let kind = &portal.store(of).object_type.singular;
        slot.map(|slot| portal.store(of).record(slot).id).ok_or_else(|| {
            Failure::validation(format!("The {kind} {id} does not exist")).context("id", vec![id.to_string()])
        })
    };
    Ok((live(types.0, ids.0)?, live(types.1, ids.1)?))
}

/// An input whose record is not there: an item of a 207's `errors` (hubspot-api notes §2.5; its text is believed).
fn missing_end(
    portal: &Portal,
    types: (TypeIndex, TypeIndex),
    ids: (u64, u64),
    failure: &Failure,
) -> Failure {
    let kind = |of: TypeIndex| vec![portal.store(of).object_type.singular.clone()];
    Failure::new(404, failure.message.clone())
        .category("OBJECT_NOT_FOUND")
        .context("fromObjectId", vec![ids.0.to_string()])
        .context("toObjectId", vec![ids.1.to_string()])
        .context("fromObjectType", kind(types.0))
        .context("toObjectType", kind(types.1))
}

pub(super) fn complete(status: u16, results: &[Value], now: Moment) -> Reply {
    outcome(status, results, &[], now)
}

/// What came of a batch of links: with errors it is 207.
fn outcome(status: u16, results: &[Value], errors: &[Value], now: Moment) -> Reply {
    let at = iso(now.wall);
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    if errors.is_empty() {
        return Reply::value(status, &body);
    }
    body["numErrors"] = errors.len().into();
    body["errors"] = errors.into();
    Reply::value(207, &body)
}

/// A malformed id or an unknown association type fails the whole batch; a record that is not there only its input.
fn create(emulator: &Inner, call: &Call) -> Answer {
    let inputs: Vec<PairInput> = inputs(call, MOST_WRITTEN)?;
    let mut portal = emulator.portal_mut();
    let types = types(&portal, call)?;
    let mut wanted = Vec::new();
    for input in inputs {
        let type_ids = type_ids(&portal, types, input.types)?;
        wanted.push(((id(input.from.id)?, id(input.to.id)?), type_ids));
    }
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for (ids, type_ids) in wanted {
        match live_ends(&portal, types, ids) {
            Ok(ids) => {
                link_all(&mut portal, types, ids, &type_ids);
                results.push(linked_pair(&portal, types, ids, &type_ids));
            }
            Err(failure) => errors.push(missing_end(&portal, types, ids, &failure).batch_item()),
        }
    }
    Ok(outcome(201, &results, &errors, emulator.clock.now()))
}

/// One record that is not there fails the batch: neither the documentation nor the official clients know a 207 here.
fn associate_default(emulator: &Inner, call: &Call) -> Answer {
    let inputs: Vec<PairInput> = inputs(call, MOST_WRITTEN)?;
    let mut portal = emulator.portal_mut();
    let types = types(&portal, call)?;
    let pairs: Result<Vec<(u64, u64)>, Failure> = inputs
        .into_iter()
        .map(|input| ends(&portal, types, input.from.id, input.to.id))
        .collect();
    let mut results = Vec::new();
    for ids in pairs? {
        let (there, back) = link_default(&mut portal, types, ids)?;
        results.extend([default_result(ids, &there), default_result((ids.1, ids.0), &back)]);
    }
    Ok(complete(200, &results, emulator.clock.now()))
}

fn archive(emulator: &Inner, call: &Call) -> Answer {
    let inputs: Vec<ArchiveInput> = inputs(call, MOST_WRITTEN)?;
    let mut portal = emulator.portal_mut();
    let types = types(&portal, call)?;
    for input in inputs {
        let from = id(input.from.id)?;
        for to in input.to {
            let to = id(to.id)?;
            portal.associations.unlink(types.0, types.1, (from, to));
        }
    }
    Ok(Reply::no_content())
}

/// Removing the unlabelled type removes everything between the pair.
fn archive_labels(emulator: &Inner, call: &Call) -> Answer {
    let inputs: Vec<PairInput> = inputs(call, MOST_WRITTEN)?;
    let mut portal = emulator.portal_mut();
    let types = types(&portal, call)?;
    let plain = portal
        .associations
        .plain(types.0, types.1)
        .map(|plain| plain.type_id);
    for input in inputs {
        let (from, to) = (id(input.from.id)?, id(input.to.id)?);
        let named = input.types.into_iter().map(Named::from);
        let sides = named.filter_map(|named| portal.associations.named(types.0, types.1, &named));
        let type_ids: Vec<u32> = sides.map(|side| side.type_id).collect();
        for type_id in type_ids {
            if Some(type_id) == plain {
                portal.associations.unlink(types.0, types.1, (from, to));
            } else {
                portal
                    .associations
                    .unlink_one(types.0, types.1, Link { from, to, type_id });
            }
        }
    }
    Ok(Reply::no_content())
}
