//! `batch/{read,create,update,archive}` of blogs and pages (hubspot-api notes §2.8).

use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::objects_batch::check_count;
use super::resources::{found, kind_of, resource_json, settable};
use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::data::resources::id;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::resources::{Fields, Shelf};
use crate::time::{Millis, iso};

const TOLL: Toll = Toll::General;
const ACCESS: Access = Access::Scope("content");

pub(super) const ROUTES: &[Route] = &[
    route(Method::POST, "batch/read", TOLL, ACCESS, read),
    route(Method::POST, "batch/create", TOLL, ACCESS, create),
    route(Method::POST, "batch/update", TOLL, ACCESS, update),
    route(Method::POST, "batch/archive", TOLL, ACCESS, archive),
];

#[derive(Debug, Deserialize)]
struct Inputs<T> {
    inputs: Vec<T>,
}

pub(super) fn inputs<T: DeserializeOwned>(call: &Call) -> Result<Vec<T>, Failure> {
    let Inputs { inputs } = call.json()?;
    check_count(inputs.len())?;
    Ok(inputs)
}

pub(super) fn outcome(status: u16, results: &[Value], now: Millis) -> Reply {
    let at = iso(now);
    let body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    Reply::value(status, &body)
}

/// The `id` of each input; one that is not there fails the batch before anything is written.
pub(super) fn ids_of(shelf: &Shelf, inputs: &[Fields]) -> Result<Vec<String>, Failure> {
    let one = |fields: &Fields| {
        let id = match fields.get("id") {
            Some(Value::String(id)) => id.clone(),
            Some(other) => other.to_string(),
            None => return Err(Failure::validation("An input has no id")),
        };
        found(shelf.find(&id, false)).map(|_| id)
    };
    inputs.iter().map(one).collect()
}

fn read(emulator: &Inner, call: &Call) -> Answer {
    let (kind, resources) = (kind_of(call), emulator.resources());
    let wanted: Vec<String> = inputs(call)?;
    let shelf = resources.shelf(kind);
    let one = |id: &String| shelf.find(id, call.flag("archived"));
    let results = wanted
        .iter()
        .filter_map(one)
        .map(|resource| resource_json(kind, resource));
    Ok(outcome(
        200,
        &results.collect::<Vec<_>>(),
        emulator.clock.now().wall,
    ))
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let (kind, now, seed) = (kind_of(call), emulator.clock.now().wall, emulator.options.seed);
    let wanted: Vec<Fields> = inputs(call)?;
    let mut resources = emulator.resources();
    let shelf = resources.shelf_mut(kind);
    let one = |fields| {
        let made = shelf.create(|number| id(kind, seed, number), settable(kind, fields), now);
        resource_json(kind, made)
    };
    let results: Vec<Value> = wanted.into_iter().map(one).collect();
    Ok(outcome(201, &results, now))
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let (kind, now) = (kind_of(call), emulator.clock.now().wall);
    let wanted: Vec<Fields> = inputs(call)?;
    let mut resources = emulator.resources();
    let shelf = resources.shelf_mut(kind);
    let ids = ids_of(shelf, &wanted)?;
    let mut results = Vec::new();
    for (id, fields) in ids.iter().zip(wanted) {
        let number = found(shelf.find(id, false))?.number;
        let resource = shelf.get_mut(number).ok_or_else(Failure::not_found)?;
        resource.fields.extend(settable(kind, fields));
        resource.updated = now;
        results.push(resource_json(kind, resource));
    }
    Ok(outcome(200, &results, now))
}

/// 204; ids that are not there are ignored.
fn archive(emulator: &Inner, call: &Call) -> Answer {
    let (kind, now) = (kind_of(call), emulator.clock.now().wall);
    let wanted: Vec<String> = inputs(call)?;
    let mut resources = emulator.resources();
    let shelf = resources.shelf_mut(kind);
    for id in wanted {
        let number = shelf.find(&id, false).map(|resource| resource.number);
        if let Some(resource) = number.and_then(|number| shelf.get_mut(number)) {
            resource.archived = Some(now);
        }
    }
    Ok(Reply::no_content())
}
