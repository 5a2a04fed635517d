//! A copy that an older release made, brought over without reading the records again.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::copy::{assert_associations_equal_truth, assert_equals_truth, number, rows};
use crate::support::{Portal, Workplace};

/// What release 0.1 made of [`account`], as `sqlite3 hubspot.db .dump` gives it, with its pragmas: never edited.
/// There the account's own label was numbered 1 too, as in HubSpot.
///
/// Its tables keyed associations without the category of their type and property values by their time alone, so of the two
/// types numbered 1 on one pair, and of the two values in one millisecond, it holds one each.
const RELEASE_0_1: &str = include_str!("golden/copy-0.1.sql");

/// Only a change since the copy was made is to be read, however old the copy is.
const STREAMS: &str = "[{name: contacts, history: [firstname]}, companies], reconcile: {every: 720h}";

fn ids(answer: &str) -> Vec<String> {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let ids = answer["results"].as_array().unwrap().iter();
    let ids = ids.map(|record| record["id"].as_str().unwrap().to_owned());
    // HubSpot answers a batch in any order, and numbers records in the order they were given.
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    ids
}

fn pair(from: &str, to: &str, types: &[(&str, u64)]) -> Value {
    let types = types
        .iter()
        .map(|(category, number)| json!({"associationCategory": category, "associationTypeId": number}));
    json!({"from": {"id": from}, "to": {"id": to}, "types": types.collect::<Vec<_>>()})
}

const OWN: (&str, u64) = ("USER_DEFINED", 1);
const PRIMARY: (&str, u64) = ("HUBSPOT_DEFINED", 1);
const UNLABELLED: (&str, u64) = ("HUBSPOT_DEFINED", 279);

/// The account that the copy was made of: three contacts, two companies, a label, and a name changed twice in a millisecond.
fn account(portal: &Portal) -> (Vec<String>, Vec<String>) {
    let labels = "/crm/v4/associations/contacts/companies/labels";
    portal.post(labels, &json!({"label": "Manager", "name": "manager"}));
    let named = |property: &str, names: &[&str]| {
        let of = names.iter().map(|name| json!({"properties": {property: name}}));
        json!({"inputs": of.collect::<Vec<_>>()})
    };
    let people = named("firstname", &["Ada", "Grace", "Edsger"]);
    let contacts = ids(&portal.post("/crm/v3/objects/contacts/batch/create", &people));
    let firms = named("name", &["Acme", "Globex"]);
    let companies = ids(&portal.post("/crm/v3/objects/companies/batch/create", &firms));
    let links = json!({"inputs": [
        pair(&contacts[0], &companies[0], &[OWN, PRIMARY]),
        pair(&contacts[1], &companies[0], &[UNLABELLED]),
        pair(&contacts[2], &companies[1], &[OWN]),
    ]});
    portal.post("/crm/v4/associations/contacts/companies/batch/create", &links);
    portal.post("/_emulator/clock", &json!({"freeze": true}));
    for name in ["Augusta", "Ada Augusta"] {
        let change = json!({"inputs": [{"id": contacts[0], "properties": {"firstname": name}}]});
        portal.post("/crm/v3/objects/contacts/batch/update", &change);
    }
    portal.post("/_emulator/clock", &json!({"freeze": false, "advance": "5m"}));
    (contacts, companies)
}

#[test]
fn a_copy_of_release_0_1_gets_what_its_keys_had_no_room_for_without_a_new_snapshot() {
    let portal = Portal::with(hubspot_emulator::Counts::none());
    let (contacts, companies) = account(&portal);
    let workplace = Workplace::syncing(&portal.url, STREAMS);
    let database = workplace.path("hubspot.db");
    Connection::open(&database)
        .unwrap()
        .execute_batch(RELEASE_0_1)
        .unwrap();
    let of_pair = format!("from_id = '{}' AND type_id = 1", contacts[0]);
    let one = format!("SELECT count(*) FROM contacts_companies WHERE {of_pair}");
    assert_eq!(number(&database, &one), 1, "the fixture shows the case");
    // A label that the copy has, and whose category it did not take note of.
    let unlabel = json!({"inputs": [pair(&contacts[2], &companies[1], &[OWN])]});
    portal.post(
        "/crm/v4/associations/contacts/companies/batch/labels/archive",
        &unlabel,
    );

    let said = workplace.run(&["sync", "--once"]).ok();
    assert!(
        said.stderr.contains("going on from the last checkpoint"),
        "{}",
        said.stderr
    );
    for object in ["contacts", "companies"] {
        assert_equals_truth(&database, &portal, object);
    }
    assert_associations_equal_truth(&database, &portal, "contacts", "companies");
    assert_eq!(number(&database, &one), 2);
    let names = format!(
        "SELECT value FROM contacts_property_history WHERE record_id = '{}'
         ORDER BY timestamp DESC, ordinal DESC LIMIT 3",
        contacts[0]
    );
    let names = rows(&database, &names);
    let names: Vec<_> = names.iter().map(|row| format!("{:?}", row["value"])).collect();
    assert_eq!(
        names,
        ["Text(\"Ada Augusta\")", "Text(\"Augusta\")", "Text(\"Ada\")"]
    );

    let said = workplace.run(&["audit"]).ok();
    assert!(said.stdout.contains("complete and right"), "{}", said.stdout);
    let stamps = "SELECT count(DISTINCT _synced_at) FROM contacts_companies";
    let before = number(&database, stamps);
    workplace.run(&["sync", "--once"]).ok();
    assert_eq!(number(&database, stamps), before, "once is enough");
    assert_associations_equal_truth(&database, &portal, "contacts", "companies");
}
