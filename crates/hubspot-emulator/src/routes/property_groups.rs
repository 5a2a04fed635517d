//! Groups of properties, and properties in batches: `/crm/v3/properties/{type}/groups` and `/batch/…`, with their
//! dated twins (hubspot-api notes §2.1).

use std::collections::BTreeSet;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::properties::{AskedProperty, add, archive_one, check_name, property_json};
use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::associations::TypeIndex;
use crate::state::portal::{Group, Portal};
use crate::state::property::Property;
use crate::time::iso;

const READ: Access = Access::ReadDefinitions;
const WRITE: Access = Access::WriteDefinitions;
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "{type}/groups", TOLL, READ, list),
    route(Method::POST, "{type}/groups", TOLL, WRITE, create),
    route(Method::GET, "{type}/groups/{name}", TOLL, READ, get),
    route(Method::PATCH, "{type}/groups/{name}", TOLL, WRITE, update),
    route(Method::DELETE, "{type}/groups/{name}", TOLL, WRITE, delete),
    route(Method::POST, "{type}/batch/read", TOLL, READ, batch_read),
    route(Method::POST, "{type}/batch/create", TOLL, WRITE, batch_create),
    route(Method::POST, "{type}/batch/archive", TOLL, WRITE, batch_archive),
];

const MOST_INPUTS: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    name: Option<String>,
    label: Option<String>,
    display_order: Option<i64>,
}

fn group_json(group: &Group) -> Value {
    json!({"name": group.name, "label": group.label, "displayOrder": group.order, "archived": false})
}

/// The groups that were made, and those that the type's properties stand in.
fn groups(portal: &Portal, of: TypeIndex) -> Vec<Group> {
    let made = portal.groups.iter().filter(|(index, _)| *index == of);
    let mut groups: Vec<Group> = made.map(|(_, group)| group.clone()).collect();
    let properties = portal.store(of).properties.iter();
    let used: BTreeSet<&str> = properties
        .filter(|(_, property)| !property.archived)
        .map(|(_, property)| property.group.as_str())
        .collect();
    for name in used {
        if !groups.iter().any(|group| group.name == name) {
            groups.push(Group {
                name: name.to_owned(),
                label: name.replace('_', " "),
                order: -1,
            });
        }
    }
    groups
}

fn find(portal: &Portal, of: TypeIndex, name: &str) -> Result<Group, Failure> {
    let mut all = groups(portal, of).into_iter();
    all.find(|group| group.name == name)
        .ok_or_else(Failure::not_found)
}

fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = portal.type_index(call.param(0))?;
    let results: Vec<Value> = groups(&portal, of).iter().map(group_json).collect();
    Ok(Reply::value(200, &json!({"results": results})))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let of = portal.type_index(call.param(0))?;
    Ok(Reply::value(200, &group_json(&find(&portal, of, call.param(1))?)))
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    let mut portal = emulator.portal_mut();
    let of = portal.type_index(call.param(0))?;
    let name = asked
        .name
        .ok_or_else(|| Failure::validation("name is required"))?;
    check_name(&name)?;
    if find(&portal, of, &name).is_ok() {
        let message = format!("A property group named '{name}' already exists.");
        return Err(Failure::new(409, message).category("OBJECT_ALREADY_EXISTS"));
    }
    let group = Group {
        label: asked
            .label
            .ok_or_else(|| Failure::validation("label is required"))?,
        order: asked.display_order.unwrap_or(-1),
        name,
    };
    let body = group_json(&group);
    portal.groups.push((of, group));
    Ok(Reply::value(201, &body))
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    let mut portal = emulator.portal_mut();
    let of = portal.type_index(call.param(0))?;
    let before = find(&portal, of, call.param(1))?;
    let group = Group {
        label: asked.label.unwrap_or(before.label),
        order: asked.display_order.unwrap_or(before.order),
        name: before.name,
    };
    let body = group_json(&group);
    portal
        .groups
        .retain(|(index, known)| *index != of || known.name != group.name);
    portal.groups.push((of, group));
    Ok(Reply::value(200, &body))
}

/// A group with properties in it stays (believed).
fn delete(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let of = portal.type_index(call.param(0))?;
    let name = call.param(1);
    let held = |property: &Property| !property.archived && property.group == name;
    if portal
        .store(of)
        .properties
        .iter()
        .any(|(_, property)| held(property))
    {
        let message = format!("Property group {name} cannot be deleted because it has properties");
        return Err(Failure::validation(message));
    }
    portal
        .groups
        .retain(|(index, known)| *index != of || known.name != name);
    Ok(Reply::no_content())
}

#[derive(Debug, Deserialize)]
struct Batch<T> {
    #[serde(default = "Vec::new")]
    inputs: Vec<T>,
    #[serde(default)]
    archived: bool,
}

#[derive(Debug, Deserialize)]
struct Name {
    name: String,
}

fn batch<T: for<'de> Deserialize<'de>>(call: &Call) -> Result<Batch<T>, Failure> {
    let batch: Batch<T> = call.json()?;
    if batch.inputs.len() <= MOST_INPUTS {
        return Ok(batch);
    }
    Err(Failure::validation(format!(
        "The batch has {} inputs; at most {MOST_INPUTS} are allowed",
        batch.inputs.len()
    )))
}

fn complete(emulator: &Inner, status: u16, results: &[Value]) -> Reply {
    let at = iso(emulator.clock.now().wall);
    let body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    Reply::value(status, &body)
}

/// Properties that are not there are left out (believed).
fn batch_read(emulator: &Inner, call: &Call) -> Answer {
    let asked: Batch<Name> = batch(call)?;
    let portal = emulator.portal();
    let known = &portal.store(portal.type_index(call.param(0))?).properties;
    let found = asked.inputs.iter().filter_map(|input| known.named(&input.name));
    let shown = found.filter(|property| property.archived == asked.archived);
    let results: Vec<Value> = shown.map(property_json).collect();
    Ok(complete(emulator, 200, &results))
}

fn batch_create(emulator: &Inner, call: &Call) -> Answer {
    let asked: Batch<AskedProperty> = batch(call)?;
    let now = emulator.clock.now().wall;
    let mut portal = emulator.portal_mut();
    let of = portal.type_index(call.param(0))?;
    let mut results = Vec::new();
    for property in asked.inputs {
        results.push(add(&mut portal.stores[of], property, now)?);
    }
    Ok(complete(emulator, 201, &results))
}

fn batch_archive(emulator: &Inner, call: &Call) -> Answer {
    let asked: Batch<Name> = batch(call)?;
    let now = emulator.clock.now().wall;
    let mut portal = emulator.portal_mut();
    let of = portal.type_index(call.param(0))?;
    for input in asked.inputs {
        archive_one(&mut portal.stores[of], &input.name, now)?;
    }
    Ok(Reply::no_content())
}
