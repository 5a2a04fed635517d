//! A pipeline that begins again where rows are already, rows that somebody has edited, and what must not stay in any.

use hubspot_emulator::Counts;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::copy::{assert_associations_equal_truth, assert_equals_truth, number, rows, text};
use crate::support::{Portal, Workplace, stream};

fn portal() -> Portal {
    Portal::with(Counts {
        contacts: 300,
        companies: 60,
        ..Counts::none()
    })
}

const STREAMS: &str = "[contacts, companies, owners]";

fn mutate(portal: &Portal, changes: &Value) -> Value {
    serde_json::from_str(&portal.post("/_emulator/mutate", changes)).expect("the answer is JSON")
}

fn ids(touched: &Value, kind: &str) -> Vec<String> {
    let all = touched[kind].as_array().expect("a list");
    all.iter()
        .map(|id| id.as_str().expect("an id").to_owned())
        .collect()
}

fn edit(workplace: &Workplace, sql: &str) {
    let connection = Connection::open(workplace.path("hubspot.db")).expect("the copy opens");
    connection.execute_batch(sql).expect("the statements are fine");
}

/// Whatever can make a record or a pair vanish, and what takes its place.
fn vanish(portal: &Portal, seed: u64) -> Value {
    let changes = json!({"objectType": "contacts", "seed": seed, "distinct": true, "archive": 10, "merge": 5,
                         "gdprDelete": 8, "disassociate": 12, "associate": 6, "update": 9});
    let touched = mutate(portal, &changes);
    mutate(
        portal,
        &json!({"objectType": "contacts", "seed": seed, "create": 7}),
    );
    mutate(
        portal,
        &json!({"objectType": "companies", "seed": seed, "distinct": true, "archive": 4, "merge": 2}),
    );
    touched
}

fn assert_right(workplace: &Workplace, portal: &Portal) {
    let database = workplace.path("hubspot.db");
    assert_equals_truth(&database, portal, "contacts");
    assert_equals_truth(&database, portal, "companies");
    assert_associations_equal_truth(&database, portal, "contacts", "companies");
    workplace.run(&["audit"]).ok();
}

#[test]
fn what_vanished_before_a_pipeline_began_again_is_marked_with_its_reason() {
    let renamed = |workplace: &Workplace| {
        let written = std::fs::read_to_string(workplace.path("spoke.yaml")).expect("the file is there");
        workplace.write("spoke.yaml", &written.replace("  crm:\n", "  customers:\n"));
    };
    let reset = |workplace: &Workplace| drop(workplace.run(&["state", "reset", "crm", "--yes"]).ok());
    let begins_again: [&dyn Fn(&Workplace); 2] = [&reset, &renamed];
    for (begin_again, seed) in begins_again.iter().zip(1..) {
        let portal = portal();
        let workplace = Workplace::syncing(&portal.url, STREAMS);
        workplace.run(&["sync", "--once"]).ok();
        let before = json!({"objectType": "contacts", "seed": 8, "archive": 9, "distinct": true});
        let archived = ids(&mutate(&portal, &before), "archive");
        workplace.run(&["sync", "--once"]).ok();
        // What the copy knows as archived is restored, and some of it erased before anybody looks.
        mutate(
            &portal,
            &json!({"objectType": "contacts", "seed": 7, "restore": 9, "distinct": true}),
        );
        for id in &archived[..3] {
            portal.post("/crm/v3/objects/contacts/gdpr-delete", &json!({"objectId": id}));
        }
        let touched = vanish(&portal, seed);
        begin_again(&workplace);
        // The walk over the recycle bin of a second run proves what was erased.
        workplace.run(&["sync", "--once"]).ok();
        workplace.run(&["sync", "--once"]).ok();
        assert_right(&workplace, &portal);

        let database = workplace.path("hubspot.db");
        let count = |ids: &[String], what: &str| {
            let list = ids
                .iter()
                .map(|id| format!("'{id}'"))
                .collect::<Vec<_>>()
                .join(",");
            number(
                &database,
                &format!("SELECT count(*) FROM contacts WHERE id IN ({list}) AND {what}"),
            )
        };
        let gone = ids(&touched, "archive");
        assert_eq!(
            count(
                &gone,
                "_archived AND _archived_at IS NOT NULL AND email IS NOT NULL"
            ),
            10
        );
        let erased = ids(&touched, "gdprDelete");
        assert_eq!(
            count(&erased, "_archived AND email IS NULL AND firstname IS NULL"),
            8
        );
        assert_eq!(
            count(
                &archived[..3],
                "_archived AND email IS NULL AND firstname IS NULL"
            ),
            3
        );
        for merge in touched["merge"].as_array().expect("a list") {
            let id = merge["merged"].as_str().expect("an id").to_owned();
            assert_eq!(
                count(&[id], "_archived AND _merged_into IS NOT NULL"),
                1,
                "{merge}"
            );
        }
        // What was taken up is known like anything that was delivered.
        vanish(&portal, seed + 20);
        workplace.run(&["sync", "--once"]).ok();
        assert_equals_truth(&database, &portal, "companies");
    }
}

#[test]
fn with_hard_deletes_a_pipeline_that_begins_again_leaves_no_row_of_what_vanished() {
    let portal = portal();
    let destination = "sqlite: {path: hubspot.db, deletes: hard}";
    let workplace = Workplace::with_destination(&portal.url, STREAMS, destination);
    workplace.run(&["sync", "--once"]).ok();
    vanish(&portal, 3);
    workplace.run(&["state", "reset", "crm", "--yes"]).ok();
    workplace.run(&["sync", "--once"]).ok();
    assert_right(&workplace, &portal);
    let gone = "SELECT count(*) FROM contacts WHERE _archived";
    assert_eq!(number(&workplace.path("hubspot.db"), gone), 0);
}

#[test]
fn pairs_of_records_that_are_no_stream_are_found_gone_too() {
    let portal = portal();
    let workplace = Workplace::syncing(&portal.url, STREAMS);
    workplace.run(&["sync", "--once"]).ok();
    vanish(&portal, 4);
    // The rows of the records are somebody else's by now.
    edit(&workplace, "DROP TABLE contacts");
    workplace.run(&["state", "reset", "crm", "--yes"]).ok();
    workplace.run(&["sync", "--once"]).ok();
    assert_right(&workplace, &portal);
}

#[test]
fn a_row_with_a_later_time_does_not_stand_in_the_way_of_what_hubspot_has() {
    let portal = portal();
    let workplace = Workplace::syncing(&portal.url, STREAMS);
    workplace.run(&["sync", "--once"]).ok();
    let database = workplace.path("hubspot.db");
    let id = text(&rows(&database, "SELECT id FROM contacts LIMIT 1")[0]["id"]);
    let spoil =
        format!("UPDATE contacts SET city = 'x', _updated_at = '2030-01-01T00:00:00.000Z' WHERE id = '{id}'");
    edit(&workplace, &spoil);
    workplace.run(&["audit", "--repair"]).ok();
    assert_right(&workplace, &portal);

    // A change that comes by itself.
    edit(&workplace, &spoil);
    let path = "/crm/v3/objects/contacts/batch/update";
    let update = json!({"inputs": [{"id": id, "properties": {"city": "Winterthur"}}]});
    portal.post(path, &update);
    workplace.run(&["sync", "--once"]).ok();
    let city = format!("SELECT count(*) FROM contacts WHERE id = '{id}' AND city = 'Winterthur'");
    assert_eq!(number(&database, &city), 1);
    assert_right(&workplace, &portal);
}

/// Whether any file of the workplace holds this text.
fn holds(workplace: &Workplace, wanted: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(workplace.folder()).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        if bytes
            .windows(wanted.len())
            .any(|window| window == wanted.as_bytes())
        {
            found.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn nothing_of_an_erased_contact_stays_in_any_file_not_its_history_nor_what_was_merged_into_it() {
    let portal = portal();
    let workplace = Workplace::syncing(&portal.url, "[{name: contacts, history: all}, companies]");
    let written = std::fs::read_to_string(workplace.path("spoke.yaml")).expect("the file is there");
    // An erasure leaves no trace in the feeds: all records are compared in every run.
    let often = "connection: prod, reconcile: {every: 1s},";
    workplace.write("spoke.yaml", &written.replace("connection: prod,", often));
    let create = |email: &str| {
        let made = portal.post(
            "/crm/v3/objects/contacts",
            &json!({"properties": {"email": email, "firstname": "Ada"}}),
        );
        let made: Value = serde_json::from_str(&made).expect("JSON");
        made["id"].as_str().expect("an id").to_owned()
    };
    let (first, second, other) = (
        create("ada.first@secret.example"),
        create("ada.second@secret.example"),
        create("someone@else.example"),
    );
    workplace.run(&["sync", "--once"]).ok();
    portal.post(
        "/crm/v3/objects/contacts/batch/update",
        &json!({"inputs": [
            {"id": first, "properties": {"email": "ada.later@secret.example"}},
        ]}),
    );
    workplace.run(&["sync", "--once"]).ok();
    assert_eq!(holds(&workplace, "ada.later@secret.example"), ["hubspot.db"]);
    let merged = portal.post(
        "/crm/v3/objects/contacts/merge",
        &json!({"primaryObjectId": first, "objectIdToMerge": second}),
    );
    let merged: Value = serde_json::from_str(&merged).expect("JSON");
    workplace.run(&["sync", "--once"]).ok();
    let database = workplace.path("hubspot.db");
    let seen = "SELECT count(*) FROM contacts WHERE _merged_into IS NOT NULL AND email LIKE 'ada.%'";
    assert!(number(&database, seen) >= 1, "the merge was seen");

    portal.post(
        "/crm/v3/objects/contacts/gdpr-delete",
        &json!({"objectId": merged["id"]}),
    );
    portal.post("/_emulator/clock", &json!({"advance": "1h"}));
    workplace.run(&["sync", "--once"]).ok();
    let told = "SELECT count(*) FROM contacts WHERE email LIKE '%secret.example'";
    assert_eq!(number(&database, told), 0, "the rows are empty");
    let told = "SELECT count(*) FROM contacts_property_history WHERE value LIKE '%secret.example'";
    assert_eq!(number(&database, told), 0, "their history is gone");
    assert_eq!(holds(&workplace, "secret.example"), Vec::<String>::new());
    let history =
        format!("SELECT count(*) FROM contacts_property_history WHERE record_id IN ('{first}', '{second}')");
    assert_eq!(number(&database, &history), 0);
    assert!(
        !holds(&workplace, "someone@else.example").is_empty(),
        "{other} is there"
    );
    assert_equals_truth(&database, &portal, "contacts");
    assert_remains_are_found(&workplace, merged["id"].as_str().expect("an id"), &first);
}

/// Puts values of a contact back that was merged into an erased one, as if they had never gone.
fn assert_remains_are_found(workplace: &Workplace, erased: &str, merged: &str) {
    let findings = || {
        let ended = workplace.run(&["audit", "--json", "crm", "contacts", "contacts_property_history"]);
        let report = ended.json()[0].take();
        let of = |name: &str| {
            let findings = stream(&report, name)["findings"]
                .as_array()
                .expect("a list")
                .clone();
            let named = |one: &Value| format!("{} {}", one["id"].as_str()?, one["what"].as_str()?).into();
            findings.iter().filter_map(named).collect::<Vec<String>>()
        };
        (ended.code, of("contacts"), of("contacts_property_history"))
    };
    assert_eq!(findings(), (0, Vec::new(), Vec::new()));
    edit(
        workplace,
        &format!("UPDATE contacts SET city = 'Ulm' WHERE id = '{merged}'"),
    );
    edit(
        workplace,
        &format!(
            "INSERT INTO contacts_property_history (record_id, property, timestamp, ordinal, value) \
             VALUES ('{merged}', 'city', '2024-01-01T00:00:00.000Z', 0, 'Ulm')"
        ),
    );
    let (code, records, history) = findings();
    assert_eq!(code, 1);
    let told = [format!("{erased} remains")];
    assert_eq!((&records[..], &history[..]), (&told[..], &told[..]));
    workplace.run(&["audit", "--repair"]).ok();
    assert_eq!(findings(), (0, Vec::new(), Vec::new()));
}

#[test]
fn a_repair_of_an_erased_contact_forgets_its_history() {
    let portal = portal();
    let workplace = Workplace::syncing(&portal.url, "[{name: contacts, history: all}]");
    workplace.run(&["sync", "--once"]).ok();
    let touched = mutate(
        &portal,
        &json!({"objectType": "contacts", "seed": 5, "silent": true, "gdprDelete": 3, "distinct": true}),
    );
    workplace.run(&["audit", "--repair"]).ok();
    // The walk over the recycle bin of a run proves that they were erased.
    workplace.run(&["sync", "--once"]).ok();
    let list = ids(&touched, "gdprDelete").join("','");
    let history = format!("SELECT count(*) FROM contacts_property_history WHERE record_id IN ('{list}')");
    assert_eq!(number(&workplace.path("hubspot.db"), &history), 0);
}

#[test]
fn json_in_a_property_can_be_asked_for_its_parts() {
    let portal = portal();
    let property = json!({"name": "settings", "label": "Settings", "type": "json", "fieldType": "text", "groupName": "contactinformation"});
    portal.post("/crm/v3/properties/contacts", &property);
    let create = |settings: &str| {
        drop(portal.post(
            "/crm/v3/objects/contacts",
            &json!({"properties": {"lastname": "J", "settings": settings}}),
        ));
    };
    [r#"{"a":[1,2]}"#, "", "no json"].into_iter().for_each(create);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace.run(&["sync", "--once"]).ok();
    let database = workplace.path("hubspot.db");
    let count = |what: &str| {
        number(
            &database,
            &format!("SELECT count(*) FROM contacts WHERE lastname = 'J' AND {what}"),
        )
    };
    assert_eq!(count("json_extract(settings, '$.a[1]') = 2"), 1);
    assert_eq!(count("settings = ''"), 0);
    assert_eq!(
        count("json_extract(_raw, '$.settings') = 'no json' AND settings IS NULL"),
        1
    );
    workplace.run(&["audit"]).ok();
}
