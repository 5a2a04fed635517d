//! Who belongs to a list: `/crm/v3/lists/{id}/memberships` (hubspot-api notes §2.6).

use serde::Deserialize;
use serde_json::{Value, json};

use super::lists::{find, unknown};
use super::{Answer, Call, Failure, Inner, Reply};
use crate::state::associations::TypeIndex;
use crate::state::filter::Text;
use crate::state::lists::List;
use crate::state::portal::Portal;
use crate::time::{Millis, iso};

/// The members of a list that are still alive.
pub(crate) fn live(portal: &Portal, list: &List) -> Vec<(u64, Millis)> {
    let store = portal.store(list.of);
    let members = list.members.iter().map(|(id, since)| (*id, *since));
    members
        .filter(|(id, _)| store.slot(*id).is_some_and(|slot| store.record(slot).is_live()))
        .collect()
}

/// By record id; `after` is the last id of the page before.
pub(super) fn by_record(emulator: &Inner, call: &Call) -> Answer {
    let (portal, lists) = (emulator.portal(), emulator.lists());
    let members = live(&portal, find(&lists, call.param(0))?);
    page(&members, call)
}

/// By the time of joining.
pub(super) fn by_time(emulator: &Inner, call: &Call) -> Answer {
    let (portal, lists) = (emulator.portal(), emulator.lists());
    let mut members = live(&portal, find(&lists, call.param(0))?);
    members.sort_by_key(|(id, since)| (*since, *id));
    page(&members, call)
}

fn page(members: &[(u64, Millis)], call: &Call) -> Answer {
    let limit = call.limit(100, 250)?;
    let start = match call.query("after").filter(|after| !after.is_empty()) {
        None => 0,
        Some(after) => {
            let known = members.iter().position(|(id, _)| id.to_string() == after);
            let known = known.ok_or_else(|| Failure::validation(format!("Invalid value for after: {after}")));
            known? + 1
        }
    };
    let shown = members.iter().skip(start).take(limit);
    let results: Vec<Value> = shown
        .map(|(id, since)| json!({"recordId": id.to_string(), "membershipTimestamp": iso(*since)}))
        .collect();
    let mut body = json!({"total": members.len(), "results": results});
    let last = members
        .get(start + limit - 1)
        .filter(|_| start + limit < members.len());
    if let Some((last, _)) = last {
        let after = last.to_string();
        body["paging"] = json!({"next": {"link": call.next_link(&after), "after": after}});
    }
    Ok(Reply::value(200, &body))
}

pub(super) fn add(emulator: &Inner, call: &Call) -> Answer {
    let ids: Vec<Text> = call.json()?;
    change(emulator, call, ids, Vec::new())
}

pub(super) fn remove(emulator: &Inner, call: &Call) -> Answer {
    let ids: Vec<Text> = call.json()?;
    change(emulator, call, Vec::new(), ids)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Both {
    record_ids_to_add: Vec<Text>,
    record_ids_to_remove: Vec<Text>,
}

pub(super) fn add_and_remove(emulator: &Inner, call: &Call) -> Answer {
    let both: Both = call.json()?;
    change(emulator, call, both.record_ids_to_add, both.record_ids_to_remove)
}

/// Tells what was added, removed, and not there at all.
fn change(emulator: &Inner, call: &Call, add: Vec<Text>, remove: Vec<Text>) -> Answer {
    let now = emulator.clock.now().wall;
    let (portal, mut lists) = (emulator.portal(), emulator.lists());
    let id = find(&lists, call.param(0))?.id;
    let list = lists.get_mut(id).ok_or_else(|| unknown(call.param(0)))?;
    let (add, mut missing) = known(&portal, list.of, add);
    let (remove, unknown) = known(&portal, list.of, remove);
    missing.extend(unknown);
    let added: Vec<String> = add
        .into_iter()
        .filter(|id| list.members.insert(*id, now).is_none())
        .map(|id| id.to_string())
        .collect();
    let removed: Vec<String> = remove
        .into_iter()
        .filter(|id| list.members.remove(id).is_some())
        .map(|id| id.to_string())
        .collect();
    let body = json!({"recordsIdsAdded": added, "recordIdsRemoved": removed, "recordIdsMissing": missing});
    Ok(Reply::value(200, &body))
}

/// Live records, and the ids of which there is none.
fn known(portal: &Portal, of: TypeIndex, ids: Vec<Text>) -> (Vec<u64>, Vec<String>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in ids.into_iter().map(Text::into_text) {
        let store = portal.store(of);
        match id.parse().ok().and_then(|id| store.live_slot(id)) {
            Some(slot) => found.push(store.record(slot).id),
            None => missing.push(id),
        }
    }
    (found, missing)
}

pub(super) fn clear(emulator: &Inner, call: &Call) -> Answer {
    let mut lists = emulator.lists();
    let id = find(&lists, call.param(0))?.id;
    lists
        .get_mut(id)
        .into_iter()
        .for_each(|list| list.members.clear());
    Ok(Reply::no_content())
}

/// The lists that a record belongs to.
pub(super) fn of_record(emulator: &Inner, call: &Call) -> Answer {
    let (portal, lists) = (emulator.portal(), emulator.lists());
    let of = portal.type_index(call.param(0))?;
    let slot = call
        .param(1)
        .parse()
        .ok()
        .and_then(|id| portal.store(of).live_slot(id));
    let id = portal.store(of).record(slot.ok_or_else(Failure::not_found)?).id;
    let memberships = lists.all().filter(|list| list.of == of).filter_map(|list| {
        let since = iso(*list.members.get(&id)?);
        Some(json!({
            "listId": list.id.to_string(),
            "listVersion": 1,
            "firstAddedTimestamp": since,
            "lastAddedTimestamp": since,
        }))
    });
    let results: Vec<Value> = memberships.collect();
    Ok(Reply::value(
        200,
        &json!({"total": results.len(), "results": results}),
    ))
}
