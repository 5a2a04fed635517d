//! HubDB tables: what is written goes into a draft, and is seen after `publish` (hubspot-api notes §2.8).

use http::Method;
use serde_json::json;

use super::resources::{archive, asked_fields, found, page, resource_json};
use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::resources::{Draft, Fields, HUBDB_TABLES, Resource, Resources, Shelf};
use crate::time::Millis;

pub(super) const TOLL: Toll = Toll::General;
pub(super) const ACCESS: Access = Access::Scope("hubdb");

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "", TOLL, ACCESS, list),
    route(Method::POST, "", TOLL, ACCESS, create),
    route(Method::GET, "draft", TOLL, ACCESS, list_drafts),
    route(Method::GET, "{id}", TOLL, ACCESS, get),
    route(Method::DELETE, "{id}", TOLL, ACCESS, archive),
    route(Method::GET, "{id}/draft", TOLL, ACCESS, get_draft),
    route(Method::PATCH, "{id}/draft", TOLL, ACCESS, update_draft),
    route(Method::POST, "{id}/draft/publish", TOLL, ACCESS, publish),
    route(Method::GET, "{id}/rows", TOLL, ACCESS, rows),
    route(Method::POST, "{id}/rows", TOLL, ACCESS, create_row),
    route(Method::GET, "{id}/rows/draft", TOLL, ACCESS, draft_rows),
    route(Method::GET, "{id}/rows/{row}", TOLL, ACCESS, row),
    route(Method::GET, "{id}/rows/{row}/draft", TOLL, ACCESS, draft_row),
    route(Method::PATCH, "{id}/rows/{row}/draft", TOLL, ACCESS, update_row),
    route(Method::DELETE, "{id}/rows/{row}/draft", TOLL, ACCESS, delete_row),
];

/// The table that a path names, by id or name.
fn table<'r>(resources: &'r Resources, call: &Call) -> Result<&'r Resource, Failure> {
    let (shelf, wanted, archived) = (
        resources.shelf(&HUBDB_TABLES),
        call.param(0),
        call.flag("archived"),
    );
    let named = |table: &&Resource| table.fields.get("name").is_some_and(|name| name == wanted);
    let by_name = || {
        let mut tables = shelf.all().filter(|table| table.archived.is_some() == archived);
        tables.find(named)
    };
    found(shelf.find(wanted, archived).or_else(by_name))
}

pub(super) fn draft<'r>(resources: &'r Resources, call: &Call) -> Result<(&'r Resource, &'r Draft), Failure> {
    let table = table(resources, call)?;
    let draft = resources.drafts.get(&table.number);
    Ok((table, draft.ok_or_else(Failure::not_found)?))
}

/// The draft of the table that a path names, to be written.
pub(super) fn draft_mut<'r>(resources: &'r mut Resources, call: &Call) -> Result<&'r mut Draft, Failure> {
    let number = table(resources, call)?.number;
    resources.drafts.get_mut(&number).ok_or_else(Failure::not_found)
}

fn is_published(table: &Resource) -> bool {
    table
        .fields
        .get("published")
        .is_some_and(|published| published == true)
}

/// A table as its draft has it.
fn as_drafted(table: &Resource, draft: &Draft) -> Resource {
    Resource {
        fields: draft.fields.clone(),
        ..table.clone()
    }
}

fn list(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let published = resources
        .shelf(&HUBDB_TABLES)
        .all()
        .filter(|table| is_published(table));
    Ok(Reply::value(200, &page(&HUBDB_TABLES, published, call)?))
}

fn list_drafts(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let tables = resources.shelf(&HUBDB_TABLES).all();
    let drafted = tables.filter_map(|table| Some(as_drafted(table, resources.drafts.get(&table.number)?)));
    let drafted: Vec<Resource> = drafted.collect();
    Ok(Reply::value(200, &page(&HUBDB_TABLES, drafted.iter(), call)?))
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let mut fields = asked_fields(&HUBDB_TABLES, call)?;
    if !(fields.contains_key("name") && fields.contains_key("label")) {
        return Err(Failure::validation("A table needs a name and a label"));
    }
    fields.insert("published".into(), false.into());
    let mut resources = emulator.resources();
    let shelf = resources.shelf_mut(&HUBDB_TABLES);
    let made = shelf
        .create(
            |number| number.to_string(),
            fields.clone(),
            emulator.clock.now().wall,
        )
        .clone();
    let draft = Draft {
        fields,
        ..Draft::default()
    };
    resources.drafts.insert(made.number, draft);
    Ok(Reply::value(201, &resource_json(&HUBDB_TABLES, &made)))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let table = found(Some(table(&resources, call)?).filter(|table| is_published(table)))?;
    Ok(Reply::value(200, &resource_json(&HUBDB_TABLES, table)))
}

fn get_draft(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let (table, draft) = draft(&resources, call)?;
    let drafted = as_drafted(table, draft);
    Ok(Reply::value(200, &resource_json(&HUBDB_TABLES, &drafted)))
}

fn update_draft(emulator: &Inner, call: &Call) -> Answer {
    let fields = asked_fields(&HUBDB_TABLES, call)?;
    draft_mut(&mut emulator.resources(), call)?.fields.extend(fields);
    get_draft(emulator, call)
}

fn publish(emulator: &Inner, call: &Call) -> Answer {
    let mut resources = emulator.resources();
    let number = table(&resources, call)?.number;
    resources.publish(number, emulator.clock.now().wall);
    let table = found(resources.shelf(&HUBDB_TABLES).get(number))?;
    Ok(Reply::value(200, &resource_json(&HUBDB_TABLES, table)))
}

fn rows(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let rows = draft(&resources, call)?.1.published_rows.all();
    Ok(Reply::value(200, &page(&HUBDB_TABLES, rows, call)?))
}

fn draft_rows(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let rows = draft(&resources, call)?.1.rows.all();
    Ok(Reply::value(200, &page(&HUBDB_TABLES, rows, call)?))
}

fn create_row(emulator: &Inner, call: &Call) -> Answer {
    let fields = asked_fields(&HUBDB_TABLES, call)?;
    let mut resources = emulator.resources();
    let rows = &mut draft_mut(&mut resources, call)?.rows;
    let made = rows.create(|number| number.to_string(), fields, emulator.clock.now().wall);
    Ok(Reply::value(201, &resource_json(&HUBDB_TABLES, made)))
}

fn row(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let row = draft(&resources, call)?
        .1
        .published_rows
        .find(call.param(1), false);
    Ok(Reply::value(200, &resource_json(&HUBDB_TABLES, found(row)?)))
}

fn draft_row(emulator: &Inner, call: &Call) -> Answer {
    let resources = emulator.resources();
    let row = draft(&resources, call)?.1.rows.find(call.param(1), false);
    Ok(Reply::value(200, &resource_json(&HUBDB_TABLES, found(row)?)))
}

fn update_row(emulator: &Inner, call: &Call) -> Answer {
    let fields = asked_fields(&HUBDB_TABLES, call)?;
    let mut resources = emulator.resources();
    let rows = &mut draft_mut(&mut resources, call)?.rows;
    let row = change(rows, call.param(1), fields, emulator.clock.now().wall)?;
    Ok(Reply::value(200, &resource_json(&HUBDB_TABLES, row)))
}

/// Sets members of a row of a draft.
pub(super) fn change<'r>(
    rows: &'r mut Shelf,
    id: &str,
    fields: Fields,
    now: Millis,
) -> Result<&'r Resource, Failure> {
    let number = found(rows.find(id, false))?.number;
    let row = rows.get_mut(number).ok_or_else(Failure::not_found)?;
    row.updated = now;
    for (name, value) in fields {
        merge(row.fields.entry(name).or_insert(json!(null)), value);
    }
    Ok(row)
}

/// Values that an update does not name stay.
fn merge(before: &mut serde_json::Value, after: serde_json::Value) {
    match (before, after) {
        (serde_json::Value::Object(before), serde_json::Value::Object(after)) => before.extend(after),
        (before, after) => *before = after,
    }
}

fn delete_row(emulator: &Inner, call: &Call) -> Answer {
    let mut resources = emulator.resources();
    let rows = &mut draft_mut(&mut resources, call)?.rows;
    let number = found(rows.find(call.param(1), false))?.number;
    rows.remove(number);
    Ok(Reply::no_content())
}
