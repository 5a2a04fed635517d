//! Associations of one record: `/crm/v4/objects/{type}/{id}/associations/{to}` and its dated twin, and the v3
//! shape of the same (hubspot-api notes §2.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::objects::WrittenType;
use super::record_json::{write_paging, write_v3_links};
use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::json;
use crate::reply::Reply;
use crate::state::associations::{Link, Named, TypeIndex};
use crate::state::portal::Portal;

const TOLL: Toll = Toll::Association;

pub(super) const ROUTES: &[Route] = &[
    route(
        Method::GET,
        "{type}/{id}/associations/{to}",
        TOLL,
        Access::ReadRecords,
        list,
    ),
    route(
        Method::PUT,
        "{type}/{id}/associations/default/{to}/{to_id}",
        TOLL,
        Access::WriteRecords,
        put_default,
    ),
    route(
        Method::PUT,
        "{type}/{id}/associations/{to}/{to_id}",
        TOLL,
        Access::WriteRecords,
        put,
    ),
    route(
        Method::DELETE,
        "{type}/{id}/associations/{to}/{to_id}",
        TOLL,
        Access::WriteRecords,
        delete,
    ),
];

pub(super) const V3_ROUTES: &[Route] = &[route(
    Method::GET,
    "{type}/{id}/associations/{to}",
    TOLL,
    Access::ReadRecords,
    list_v3,
)];

/// At most this many associated records a page.
pub(super) const MOST: usize = 500;

/// Some links of one record, whole pairs only, and the token of the next page.
pub(super) struct Page {
    pub(super) links: Vec<Link>,
    pub(super) after: Option<String>,
}

/// Reads a page of links; `most` counts associated records, not labels.
pub(super) fn page(
    portal: &Portal,
    pair: (TypeIndex, TypeIndex),
    id: u64,
    after: Option<&str>,
    most: usize,
) -> Result<Page, Failure> {
    let start = after
        .filter(|after| !after.is_empty())
        .map_or(Ok(0), decode_after)?;
    let mut links: Vec<Link> = Vec::new();
    let mut records = 0;
    for link in portal.associations.of(pair.0, pair.1, id, start) {
        if links.last().is_none_or(|last| last.to != link.to) {
            records += 1;
        }
        if records > most {
            let last = links.last().map_or(0, |last| last.to);
            let token = STANDARD.encode(format!("{}-{last}", portal.store(pair.1).object_type.id));
            return Ok(Page {
                links,
                after: Some(token),
            });
        }
        links.push(link);
    }
    Ok(Page { links, after: None })
}

/// The token is base64 of `0-2-7502`, where 7502 was the last associated id. Some clients send it still
/// URL-escaped; plain numbers are taken too.
fn decode_after(token: &str) -> Result<u64, Failure> {
    let unescaped = crate::call::decode_segment(token);
    let decoded = STANDARD
        .decode(unescaped.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let last = decoded
        .as_deref()
        .and_then(|text| text.rsplit('-').next())
        .and_then(|id| id.parse::<u64>().ok());
    let last = last.or_else(|| token.parse().ok());
    last.map(|last| last.saturating_add(1))
        .ok_or_else(|| Failure::validation(format!("Invalid value for after: {token}")))
}

fn pair(portal: &Portal, from: &str, to: &str) -> Result<(TypeIndex, TypeIndex), Failure> {
    Ok((portal.type_index(from)?, portal.type_index(to)?))
}

fn live_id(portal: &Portal, of: TypeIndex, id: &str) -> Result<u64, Failure> {
    let slot = id
        .parse()
        .ok()
        .and_then(|id| portal.store(of).live_slot(id))
        .ok_or_else(Failure::not_found)?;
    Ok(portal.store(of).record(slot).id)
}

fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let types = pair(&portal, call.param(0), call.param(2))?;
    let id = live_id(&portal, types.0, call.param(1))?;
    let page = page(&portal, types, id, call.query("after"), call.limit(MOST, MOST)?)?;
    let mut out = b"{\"results\":".to_vec();
    write_v4_links(&mut out, &portal, types, &page.links);
    if let Some(after) = page.after {
        write_paging(&mut out, &after, &call.next_link(&after));
    }
    out.push(b'}');
    Ok(Reply::json(200, out))
}

/// Appends `[{"toObjectId":579,"associationTypes":[...]}]`. The id is a number here, though it is a string
/// everywhere else (hubspot-api notes §2.5, quirk 11).
pub(super) fn write_v4_links(
    out: &mut Vec<u8>,
    portal: &Portal,
    types: (TypeIndex, TypeIndex),
    links: &[Link],
) {
    out.push(b'[');
    for (at, pair) in links.chunk_by(|one, other| one.to == other.to).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"toObjectId\":");
        json::integer(out, pair.first().map_or(0, |link| link.to));
        out.extend_from_slice(b",\"associationTypes\":[");
        for link in pair {
            json::comma(out);
            write_type(out, portal, types, link.type_id);
        }
        out.extend_from_slice(b"]}");
    }
    out.push(b']');
}

fn write_type(out: &mut Vec<u8>, portal: &Portal, types: (TypeIndex, TypeIndex), type_id: u32) {
    let Some(side) = portal.associations.definition(types.0, types.1, type_id) else {
        return;
    };
    out.extend_from_slice(b"{\"category\":");
    json::string(out, side.category);
    out.extend_from_slice(b",\"typeId\":");
    json::integer(out, side.number.into());
    out.extend_from_slice(b",\"label\":");
    match side.label.as_deref() {
        Some(label) => json::string(out, label),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
}

fn list_v3(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let types = pair(&portal, call.param(0), call.param(2))?;
    let id = live_id(&portal, types.0, call.param(1))?;
    let limit = call.limit(MOST, MOST)?;
    let page = page(&portal, types, id, call.query("after"), limit)?;
    let mut out = Vec::new();
    write_v3_links(&mut out, &portal, types.0, types.1, &page.links);
    if let Some(after) = page.after {
        write_paging(&mut out, &after, &call.next_link(&after));
    }
    out.push(b'}');
    Ok(Reply::json(200, out))
}

/// Replaces the labels of the pair.
fn put(emulator: &Inner, call: &Call) -> Answer {
    let wanted: Vec<WrittenType> = if call.body.is_empty() {
        Vec::new()
    } else {
        call.json()?
    };
    let mut portal = emulator.portal_mut();
    let types = pair(&portal, call.param(0), call.param(2))?;
    let ids = (
        live_id(&portal, types.0, call.param(1))?,
        live_id(&portal, types.1, call.param(3))?,
    );
    let type_ids = type_ids(&portal, types, wanted)?;
    portal.associations.unlink(types.0, types.1, ids);
    link_all(&mut portal, types, ids, &type_ids);
    Ok(Reply::value(201, &linked_pair(&portal, types, ids, &type_ids)))
}

/// The association types that a body names; none at all is refused (believed), and so is one that does not exist.
pub(super) fn type_ids(
    portal: &Portal,
    types: (TypeIndex, TypeIndex),
    written: Vec<WrittenType>,
) -> Result<Vec<u32>, Failure> {
    if written.is_empty() {
        return Err(Failure::validation("At least one association type is required"));
    }
    let type_id = |written| {
        let named = Named::from(written);
        match portal.associations.named(types.0, types.1, &named) {
            Some(side) => Ok(side.type_id),
            None => Err(unknown_type(portal, types, named.number)),
        }
    };
    written.into_iter().map(type_id).collect()
}

fn unknown_type(portal: &Portal, types: (TypeIndex, TypeIndex), number: u32) -> Failure {
    let (from, to) = (
        &portal.store(types.0).object_type,
        &portal.store(types.1).object_type,
    );
    let message = format!(
        "Invalid association type {number} between {} and {}",
        from.id, to.id
    );
    Failure::validation(message)
}

pub(super) fn link_all(
    portal: &mut Portal,
    types: (TypeIndex, TypeIndex),
    (from, to): (u64, u64),
    type_ids: &[u32],
) {
    for &type_id in type_ids {
        let link = Link { from, to, type_id };
        portal.associations.link(types.0, types.1, link);
    }
}

/// `LabelsBetweenObjectPair`.
pub(super) fn linked_pair(
    portal: &Portal,
    types: (TypeIndex, TypeIndex),
    ids: (u64, u64),
    type_ids: &[u32],
) -> Value {
    let labels = type_ids.iter().filter_map(|id| {
        portal
            .associations
            .definition(types.0, types.1, *id)?
            .label
            .clone()
    });
    json!({
        "fromObjectTypeId": portal.store(types.0).object_type.id,
        "fromObjectId": ids.0.to_string(),
        "toObjectTypeId": portal.store(types.1).object_type.id,
        "toObjectId": ids.1.to_string(),
        "labels": labels.collect::<Vec<String>>(),
    })
}

fn put_default(emulator: &Inner, call: &Call) -> Answer {
    let now = emulator.clock.now();
    let mut portal = emulator.portal_mut();
    let types = pair(&portal, call.param(0), call.param(2))?;
    let ids = (
        live_id(&portal, types.0, call.param(1))?,
        live_id(&portal, types.1, call.param(3))?,
    );
    let (there, back) = link_default(&mut portal, types, ids)?;
    let at = crate::time::iso(now.wall);
    let results = json!([default_result(ids, &there), default_result((ids.1, ids.0), &back)]);
    Ok(Reply::value(
        200,
        &json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}),
    ))
}

/// Links a pair without a label; returns the types of both directions.
pub(super) fn link_default(
    portal: &mut Portal,
    types: (TypeIndex, TypeIndex),
    ids: (u64, u64),
) -> Result<(Named, Named), Failure> {
    let plain = portal.associations.plain(types.0, types.1).cloned();
    let plain = plain.ok_or_else(|| Failure::validation("These object types cannot be associated"))?;
    let link = Link {
        from: ids.0,
        to: ids.1,
        type_id: plain.type_id,
    };
    portal.associations.link(types.0, types.1, link);
    let back = portal.associations.definition(types.1, types.0, plain.inverse_id);
    Ok((Named::from(&plain), Named::from(back.unwrap_or(&plain))))
}

pub(super) fn default_result(ids: (u64, u64), named: &Named) -> Value {
    json!({
        "from": {"id": ids.0.to_string()},
        "to": {"id": ids.1.to_string()},
        "associationSpec": {"associationCategory": named.category, "associationTypeId": named.number},
    })
}

fn delete(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let types = pair(&portal, call.param(0), call.param(2))?;
    if let (Ok(from), Ok(to)) = (call.param(1).parse(), call.param(3).parse()) {
        portal.associations.unlink(types.0, types.1, (from, to));
    }
    Ok(Reply::no_content())
}
