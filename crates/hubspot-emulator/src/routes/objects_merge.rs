//! `POST /crm/v3/objects/{type}/merge` and `/gdpr-delete` (hubspot-api notes §1.4).

use serde::Deserialize;

use super::objects::{find, whole};
use super::{Answer, Call, Failure, Inner, Reply};
use crate::state::filter::Text;
use crate::state::operations::Operation;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Merge {
    primary_object_id: Text,
    object_id_to_merge: Text,
}

pub(super) fn merge(emulator: &Inner, call: &Call) -> Answer {
    let asked: Merge = call.json()?;
    let mut portal = emulator.portal_mut();
    let of = portal.type_with(call.param(0), Operation::Merge)?;
    let primary = find(&portal, of, &asked.primary_object_id.into_text(), None)?;
    let other = find(&portal, of, &asked.object_id_to_merge.into_text(), None)?;
    if primary == other {
        return Err(Failure::validation("A record cannot be merged with itself"));
    }
    let survivor = portal.merge(of, primary, other, emulator.clock.now());
    let store = portal.store(of);
    let record = store.record(store.live_slot(survivor).ok_or_else(Failure::not_found)?);
    let shown = record
        .values
        .iter()
        .map(|(index, _)| index)
        .chain(store.properties.always());
    Ok(Reply::json(200, whole(&portal, of, record, shown)))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GdprDelete {
    object_id: Text,
    id_property: Option<String>,
}

/// 204 also for what is not there: an unknown address would be put on a blocklist.
pub(super) fn gdpr_delete(emulator: &Inner, call: &Call) -> Answer {
    let asked: GdprDelete = call.json()?;
    let stays = emulator.habits().erased_stays_in_bin;
    let mut portal = emulator.portal_mut();
    let of = portal.type_with(call.param(0), Operation::GdprDelete)?;
    let (id, id_property) = (asked.object_id.into_text(), asked.id_property.as_deref());
    let live = find(&portal, of, &id, id_property).ok();
    // Believed: an archived contact is erased by its id.
    let in_bin = || {
        let store = portal.store(of);
        let slot = store.slot(id.parse().ok()?)?;
        (id_property.is_none() && store.is_restorable(slot)).then_some(slot)
    };
    if let Some(slot) = live.or_else(in_bin) {
        portal.purge(of, slot, stays, emulator.clock.now());
    }
    Ok(Reply::no_content())
}
