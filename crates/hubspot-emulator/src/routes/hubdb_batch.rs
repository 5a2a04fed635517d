//! Rows of a HubDB table's draft, many at once (hubspot-api notes §2.8).

use http::Method;

use super::hubdb::{ACCESS, TOLL, change, draft, draft_mut};
use super::resources::{resource_json, settable};
use super::resources_batch::{ids_of, inputs, outcome};
use super::{Answer, Route, route};
use crate::call::Call;
use crate::emulator::Inner;
use crate::reply::Reply;
use crate::state::resources::{Fields, HUBDB_TABLES, Shelf};
use crate::time::Millis;

pub(super) const ROUTES: &[Route] = &[
    route(Method::POST, "{id}/rows/batch/read", TOLL, ACCESS, read),
    route(
        Method::POST,
        "{id}/rows/draft/batch/read",
        TOLL,
        ACCESS,
        read_draft,
    ),
    route(Method::POST, "{id}/rows/draft/batch/create", TOLL, ACCESS, create),
    route(Method::POST, "{id}/rows/draft/batch/update", TOLL, ACCESS, update),
    route(Method::POST, "{id}/rows/draft/batch/purge", TOLL, ACCESS, purge),
];

fn read(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let rows = &draft(&resources, call)?.1.published_rows;
    named(rows, call, emulator.clock.now().wall)
}

fn read_draft(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let rows = &draft(&resources, call)?.1.rows;
    named(rows, call, emulator.clock.now().wall)
}

fn named(rows: &Shelf, call: &Call, now: Millis) -> Answer {
    let wanted: Vec<String> = inputs(call)?;
    let rows = wanted.iter().filter_map(|id| rows.find(id, false));
    let results = rows.map(|row| resource_json(&HUBDB_TABLES, row));
    Ok(outcome(200, &results.collect::<Vec<_>>(), now))
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let wanted: Vec<Fields> = inputs(call)?;
    let (mut resources, now) = (emulator.resources(), emulator.clock.now().wall);
    let rows = &mut draft_mut(&mut resources, call)?.rows;
    let one = |fields| {
        let fields = settable(&HUBDB_TABLES, fields);
        let made = rows.create(|number| number.to_string(), fields, now);
        resource_json(&HUBDB_TABLES, made)
    };
    let results: Vec<_> = wanted.into_iter().map(one).collect();
    Ok(outcome(201, &results, now))
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let wanted: Vec<Fields> = inputs(call)?;
    let (mut resources, now) = (emulator.resources(), emulator.clock.now().wall);
    let rows = &mut draft_mut(&mut resources, call)?.rows;
    let ids = ids_of(rows, &wanted)?;
    let mut results = Vec::new();
    for (id, fields) in ids.iter().zip(wanted) {
        let row = change(rows, id, settable(&HUBDB_TABLES, fields), now)?;
        results.push(resource_json(&HUBDB_TABLES, row));
    }
    Ok(outcome(200, &results, now))
}

/// 204; ids that are not there are ignored.
fn purge(emulator: &Inner, call: &Call) -> Answer {
    let wanted: Vec<String> = inputs(call)?;
    let mut resources = emulator.resources();
    let rows = &mut draft_mut(&mut resources, call)?.rows;
    for id in wanted {
        let number = rows.find(&id, false).map(|row| row.number);
        number.and_then(|number| rows.remove(number));
    }
    Ok(Reply::no_content())
}
