//! `spoke sync` while the account itself changes: its scopes, its properties, its object types.

use std::process::Child;

use hubspot_emulator::{Counts, DEFAULT_TOKEN, Options, Tier, Token};
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use crate::support::copy::{assert_equals_truth, count, open, rows};
use crate::support::spoke::{ended, terminate, wait_for};
use crate::support::{Portal, Workplace};

fn options() -> Options {
    let counts = Counts {
        contacts: 300,
        companies: 60,
        deals: 90,
        line_items: Some(0),
        ..Counts::none()
    };
    Options {
        counts,
        tier: Tier::Unlimited,
        ..Options::default()
    }
}

/// How each stream is getting on, by name, as `spoke status` says.
fn status(workplace: &Workplace) -> Vec<Value> {
    let shown = workplace.run(&["status", "--json"]).ok().json();
    let streams = shown[0]["picture"]["streams"].as_array();
    streams.cloned().unwrap_or_default()
}

fn of_stream(workplace: &Workplace, name: &str) -> Option<Value> {
    let all = status(workplace);
    all.into_iter().find(|stream| stream["stream"] == name)
}

/// Waits until everything was read and a stream is followed.
fn wait_until_followed(process: &mut Child, workplace: &Workplace, stream: &str) {
    wait_for(process, || {
        of_stream(workplace, stream).filter(|stream| stream["lagSeconds"].is_number())
    });
}

/// How many rows hold `value`; none while there is no such column.
fn holding(workplace: &Workplace, column: &str, value: &str) -> i64 {
    let database = workplace.path("hubspot.db");
    let sql = format!("SELECT count(*) FROM contacts WHERE \"{column}\" = '{value}'");
    // A name in quotes that is no column's would be a text.
    let columns = rows(&database, "SELECT name FROM pragma_table_info('contacts')");
    match columns.iter().any(|row| row["name"] == Cell::Text(column.into())) {
        true => open(&database)
            .query_row(&sql, [], |row| row.get(0))
            .unwrap_or_default(),
        false => 0,
    }
}

#[test]
fn a_stream_without_its_scope_does_not_stop_the_others_and_begins_when_it_is_granted() {
    // GIVEN a token that may not read deals
    let scopes = ["contacts", "companies"].map(|object| {
        [
            format!("crm.objects.{object}.read"),
            format!("crm.schemas.{object}.read"),
        ]
    });
    let portal = Portal::start(Options {
        tokens: vec![Token::with_scopes(DEFAULT_TOKEN, scopes.concat())],
        ..options()
    });
    let workplace = Workplace::syncing(&portal.url, "[contacts, companies, deals], poll: 1s, refresh: 2s");
    let database = workplace.path("hubspot.db");
    let mut process = workplace.start_listening(&["sync"]);
    // THEN the others are followed
    wait_until_followed(&mut process, &workplace, "companies");
    wait_until_followed(&mut process, &workplace, "contacts");
    let before = count(&database, "contacts");
    portal.post(
        "/_emulator/mutate",
        &json!({"objectType": "contacts", "create": 5}),
    );
    wait_for(&mut process, || {
        (count(&database, "contacts") == before + 5).then_some(())
    });
    // and the status tells why deals are not
    let deals = of_stream(&workplace, "deals").expect("it is told of");
    let reason = deals["lastError"].as_str().unwrap_or_default();
    assert!(reason.contains("crm.objects.deals.read"), "{deals}");
    let shown = workplace.run(&["status"]).ok().stdout;
    assert!(shown.contains("crm.objects.deals.read"), "{shown}");
    assert_eq!(count(&database, "deals"), 0);
    // WHEN the scope is granted
    let address = portal.url.trim_start_matches("http://").to_owned();
    drop(portal);
    let portal = Portal::start_at(&address, options());
    // THEN they begin without being asked for
    wait_until_followed(&mut process, &workplace, "deals");
    terminate(&process);
    ended(process).ok();
    assert_equals_truth(&database, &portal, "deals");
}

#[test]
fn a_new_property_gets_its_column_with_all_its_values_and_a_deleted_one_keeps_it() {
    let portal = Portal::start(options());
    let workplace = Workplace::syncing(&portal.url, "[contacts], poll: 1s, refresh: 2s");
    let mut process = workplace.start_listening(&["sync"]);
    wait_until_followed(&mut process, &workplace, "contacts");
    // WHEN a property is made, and written before anybody has heard of it
    let definition = json!({"name": "mood", "label": "Mood", "type": "string", "fieldType": "text", "groupName": "custom"});
    portal.post("/crm/v3/properties/contacts", &definition);
    let inputs: Vec<_> = portal
        .live("contacts")
        .iter()
        .take(7)
        .map(|record| json!({"id": record["id"], "properties": {"mood": "good"}}))
        .collect();
    portal.post(
        "/crm/v3/objects/contacts/batch/update",
        &json!({"inputs": inputs}),
    );
    // THEN its column comes with every value
    wait_for(&mut process, || {
        (holding(&workplace, "mood", "good") == 7).then_some(())
    });
    assert_equals_truth(&workplace.path("hubspot.db"), &portal, "contacts");
    // WHEN it is deleted, and a new one made, so that it can be seen that the account was looked at again
    portal.delete("/crm/v3/properties/contacts/mood");
    let definition = json!({"name": "mood_2", "label": "Mood 2", "type": "string", "fieldType": "text", "groupName": "custom"});
    portal.post("/crm/v3/properties/contacts", &definition);
    let input = json!({"inputs": [{"id": inputs[0]["id"], "properties": {"mood_2": "fine"}}]});
    portal.post("/crm/v3/objects/contacts/batch/update", &input);
    wait_for(&mut process, || {
        (holding(&workplace, "mood_2", "fine") == 1).then_some(())
    });
    // THEN its column stays; a record that is read again has no value there, as in HubSpot
    assert!(holding(&workplace, "mood", "good") < 7);
    terminate(&process);
    ended(process).ok();
}

#[test]
fn a_new_custom_object_becomes_a_stream() {
    let portal = Portal::start(options());
    let workplace = Workplace::syncing(&portal.url, "[contacts, custom_objects], poll: 1s, refresh: 2s");
    let mut process = workplace.start_listening(&["sync"]);
    wait_until_followed(&mut process, &workplace, "contacts");
    // WHEN an object type is made, with a record
    let cars = json!({"name": "cars", "labels": {"singular": "Car", "plural": "Cars"},
        "primaryDisplayProperty": "model", "requiredProperties": ["model"],
        "properties": [{"name": "model", "label": "Model", "type": "string", "fieldType": "text"}],
        "associatedObjects": ["CONTACT"]});
    portal.post("/crm-object-schemas/v3/schemas", &cars);
    let make = |model: &str| portal.post("/crm/v3/objects/cars", &json!({"properties": {"model": model}}));
    make("Beetle");
    // THEN it is read, and followed
    let database = workplace.path("hubspot.db");
    wait_for(&mut process, || (count(&database, "cars") == 1).then_some(()));
    make("Bus");
    wait_for(&mut process, || (count(&database, "cars") == 2).then_some(()));
    terminate(&process);
    ended(process).ok();
    assert_equals_truth(&database, &portal, "cars");
}
