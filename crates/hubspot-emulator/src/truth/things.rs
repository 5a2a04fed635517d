//! The truth of things that are no records: one line each, archived ones too.

use serde_json::{Value, json};

use crate::emulator::Inner;
use crate::routes::{list_json, live_members, owner_json, pipeline_json};
use crate::state::resources::{Kind, Resource};
use crate::time::{Millis, iso};

/// The lines of what a name stands for beside the object types.
pub(super) fn lines(inner: &Inner, name: &str) -> Option<Vec<u8>> {
    let things = match name {
        "lists" => lists(inner),
        "list_memberships" => memberships(inner),
        "owners" => owners(inner),
        "pipelines" => pipelines(inner),
        "hubdb_rows" => rows(inner),
        _ => resources(inner, Kind::named(name)?),
    };
    let mut out = Vec::new();
    for thing in things {
        out.extend(thing.to_string().into_bytes());
        out.push(b'\n');
    }
    Some(out)
}

fn line(id: &str, archived: bool, times: (Millis, Millis), properties: &Value) -> Value {
    json!({
        "id": id,
        "state": if archived { "archived" } else { "live" },
        "properties": properties,
        "createdAt": iso(times.0),
        "updatedAt": iso(times.1),
    })
}

fn resource(resource: &Resource) -> Value {
    line(
        &resource.id,
        resource.archived.is_some(),
        (resource.created, resource.updated),
        &json!(resource.fields),
    )
}

fn resources(inner: &Inner, kind: &Kind) -> Vec<Value> {
    inner.resources().shelf(kind).all().map(resource).collect()
}

/// Published rows, each with its table.
fn rows(inner: &Inner) -> Vec<Value> {
    let resources = inner.resources();
    let rows = resources.drafts.iter().flat_map(|(table, draft)| {
        let told = move |row| {
            let mut line = resource(row);
            line["tableId"] = json!(table.to_string());
            line
        };
        draft.published_rows.all().map(told)
    });
    rows.collect()
}

fn lists(inner: &Inner) -> Vec<Value> {
    let (portal, lists) = (inner.portal(), inner.lists());
    let told = |list| list_json(&portal, list);
    lists
        .every()
        .map(|list| {
            let times = (list.created, list.updated);
            line(&list.id.to_string(), list.deleted.is_some(), times, &told(list))
        })
        .collect()
}

/// Who is in a list now: live records in lists that are not deleted.
fn memberships(inner: &Inner) -> Vec<Value> {
    let (portal, lists) = (inner.portal(), inner.lists());
    let mut told = Vec::new();
    for list in lists.all() {
        for (record, since) in live_members(&portal, list) {
            told.push(json!({
                "listId": list.id.to_string(),
                "recordId": record.to_string(),
                "membershipTimestamp": iso(since),
            }));
        }
    }
    told
}

fn owners(inner: &Inner) -> Vec<Value> {
    let portal = inner.portal();
    let owners = portal.owners.iter();
    owners
        .map(|owner| {
            let times = (owner.created, owner.updated);
            line(&owner.id.to_string(), owner.archived, times, &owner_json(owner))
        })
        .collect()
}

fn pipelines(inner: &Inner) -> Vec<Value> {
    let portal = inner.portal();
    let pipelines = portal.pipelines.iter();
    pipelines
        .map(|(of, pipeline)| {
            let times = (pipeline.created, pipeline.updated);
            let mut line = line(&pipeline.id, false, times, &pipeline_json(pipeline));
            line["objectType"] = json!(portal.store(*of).object_type.plural);
            line
        })
        .collect()
}
