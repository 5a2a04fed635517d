//! `spoke audit`: the copy against HubSpot, after edits behind the connector's back.

use std::collections::BTreeSet;

use hubspot_emulator::Counts;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::copy::{assert_associations_equal_truth, assert_equals_truth, number};
use crate::support::spoke::wait_for;
use crate::support::{Portal, Workplace, stream};

const OBJECTS: [&str; 4] = ["contacts", "companies", "deals", "tickets"];
const STREAMS: &str = "[contacts, companies, deals, tickets, owners, pipelines]";

fn portal() -> Portal {
    Portal::with(Counts {
        contacts: 1_500,
        companies: 300,
        deals: 500,
        tickets: 300,
        ..Counts::none()
    })
}

fn synced(portal: &Portal) -> Workplace {
    let workplace = Workplace::syncing(&portal.url, STREAMS);
    workplace.run(&["sync", "--once"]).ok();
    workplace
}

/// The report of the one pipeline, and the exit code.
fn audit(workplace: &Workplace, more: &[&str]) -> (i32, Value) {
    let arguments: Vec<_> = ["audit", "--json"].iter().chain(more).copied().collect();
    let ended = workplace.run(&arguments);
    (ended.code, ended.json()[0].take())
}

/// The ids that a stream's report names, each with what is wrong.
fn findings(report: &Value, name: &str) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let findings = stream(report, name)["findings"].as_array().expect("findings");
    findings
        .iter()
        .map(|finding| (text(&finding["id"]), text(&finding["what"])))
        .collect()
}

/// Edits without a trace; what each kind touched.
fn edit(portal: &Portal, object: &str, seed: u64) -> Value {
    let edits = json!({"objectType": object, "seed": seed, "silent": true, "distinct": true, "create": 20,
                       "update": 60, "archive": 25, "merge": 10, "gdprDelete": 10});
    serde_json::from_str(&portal.post("/_emulator/mutate", &edits)).expect("the answer is JSON")
}

/// What an audit should say of these edits.
fn expected(touched: &Value) -> BTreeSet<(String, String)> {
    let ids = |kind: &str| touched[kind].as_array().expect("a list").clone();
    let named = |kind: &str, what: &'static str| {
        ids(kind)
            .into_iter()
            .map(move |id| (id.as_str().expect("an id").to_owned(), what.to_owned()))
    };
    let mut all: BTreeSet<_> = named("create", "missing")
        .chain(named("update", "differs"))
        .chain(named("archive", "extra"))
        .chain(named("gdprDelete", "extra"))
        .collect();
    for merge in ids("merge") {
        let id = |name: &str| merge[name].as_str().expect("an id").to_owned();
        all.insert((id("merged"), "extra".to_owned()));
        // Two contacts become a third one, two records of another type become the first of them.
        if id("survivor") == id("primary") {
            all.insert((id("primary"), "differs".to_owned()));
        } else {
            all.insert((id("primary"), "extra".to_owned()));
            all.insert((id("survivor"), "missing".to_owned()));
        }
    }
    all
}

#[test]
fn edits_behind_the_connectors_back_are_named_exactly_and_repaired() {
    let portal = portal();
    let workplace = synced(&portal);
    let (code, report) = audit(&workplace, &[]);
    assert_eq!((code, &report["right"]), (0, &json!(true)), "{report}");

    let touched: Vec<_> = OBJECTS
        .iter()
        .zip(1..)
        .map(|(object, seed)| edit(&portal, object, seed))
        .collect();
    let (code, report) = audit(&workplace, &[]);
    assert_eq!(code, 1);
    let mut edits = 0;
    for (object, touched) in OBJECTS.iter().zip(&touched) {
        let expected = expected(touched);
        edits += expected.len();
        assert_eq!(findings(&report, object), expected, "{object}");
    }
    assert!(edits >= 500, "{edits} edits");

    let (code, report) = audit(&workplace, &["--repair"]);
    assert_eq!(
        (code, &report["right"]),
        (0, &json!(true)),
        "{}",
        report["repaired"]
    );
    let database = workplace.path("hubspot.db");
    for object in OBJECTS {
        assert_equals_truth(&database, &portal, object);
    }
    for (from, to) in [
        ("contacts", "companies"),
        ("contacts", "deals"),
        ("companies", "deals"),
        ("contacts", "tickets"),
    ] {
        assert_associations_equal_truth(&database, &portal, from, to);
    }
    let merged = "SELECT count(*) FROM contacts WHERE _archived AND _merged_into IS NOT NULL";
    assert_eq!(number(&database, merged), 20);
    assert_only_proofs_of_erasure(&workplace, 10);
    assert_eq!(
        delivered_by_a_whole_comparison(&workplace),
        json!([]),
        "what is known is what was repaired"
    );
}

/// A repair cannot prove yet that a record was erased; the walk over the recycle bin of the next run can, and delivers so
/// many deletes of a stream at the most.
fn assert_only_proofs_of_erasure(workplace: &Workplace, most: u64) {
    let proven = delivered_by_a_whole_comparison(workplace);
    let is_few = |stream: &Value| stream["written"].as_u64().is_some_and(|written| written <= most);
    assert!(
        proven
            .as_array()
            .is_some_and(|streams| streams.iter().all(is_few)),
        "{proven}"
    );
}

/// What a run delivers that compares everything in HubSpot with what it knows of the copy.
fn delivered_by_a_whole_comparison(workplace: &Workplace) -> Value {
    let written = std::fs::read_to_string(workplace.path("spoke.yaml")).expect("the file is there");
    let often = "connection: prod, reconcile: {every: 1s}, reassociate: {every: 1s},";
    if !written.contains(often) {
        workplace.write("spoke.yaml", &written.replace("connection: prod,", often));
    }
    let summary = workplace.run(&["sync", "--once", "--json"]).ok().json();
    summary[0]["streams"].clone()
}

/// Runs SQL on the copy, as somebody might by mistake.
fn damage(workplace: &Workplace, sql: &str) {
    let connection = Connection::open(workplace.path("hubspot.db")).expect("the copy opens");
    connection.execute_batch(sql).expect("the statements are fine");
}

fn small() -> Portal {
    Portal::with(Counts {
        contacts: 200,
        companies: 40,
        ..Counts::none()
    })
}

#[test]
fn damage_to_the_copy_is_named_and_repaired_and_the_next_sync_has_nothing_to_do() {
    let portal = small();
    let workplace = Workplace::syncing(&portal.url, "[contacts, companies, owners]");
    workplace.run(&["sync", "--once"]).ok();
    let database = workplace.path("hubspot.db");
    let ids: Vec<_> = crate::support::copy::rows(&database, "SELECT id FROM contacts ORDER BY id LIMIT 4")
        .iter()
        .map(|row| match &row["id"] {
            rusqlite::types::Value::Text(id) => id.clone(),
            other => panic!("an id is a text, not {other:?}"),
        })
        .collect();
    damage(
        &workplace,
        &format!(
            "DELETE FROM contacts WHERE id = '{}';
             UPDATE contacts SET email = 'nobody@example.com' WHERE id = '{}';
             UPDATE contacts SET _archived = 1 WHERE id = '{}';
             UPDATE contacts SET _raw = '{{\"firstname\":\"x\",\"_created_at\":\"y\"}}' WHERE id = '{}';
             INSERT INTO contacts (id) VALUES ('999999999'), ('nonsense');
             DELETE FROM contacts_companies WHERE rowid IN (SELECT rowid FROM contacts_companies LIMIT 3);
             INSERT INTO contacts_companies (from_id, to_id, type_id, category)
               VALUES ('{}', '999999999', 1, 'HUBSPOT_DEFINED');
             UPDATE owners SET email = 'nobody@example.com' WHERE rowid = 1;",
            ids[0], ids[1], ids[2], ids[3], ids[1]
        ),
    );
    let (code, report) = audit(&workplace, &[]);
    assert_eq!(code, 1);
    let wanted = [
        (&*ids[0], "missing"),
        (&*ids[1], "differs"),
        (&*ids[2], "missing"),
        (&*ids[3], "differs"),
        ("999999999", "extra"),
        ("nonsense", "extra"),
    ];
    let wanted = wanted.map(|(id, what)| (id.to_owned(), what.to_owned()));
    assert_eq!(findings(&report, "contacts"), BTreeSet::from(wanted));
    let differs = &stream(&report, "contacts")["findings"][1];
    assert_eq!(differs["fields"], json!(["email"]), "{report}");
    assert_eq!(findings(&report, "contacts_companies").len(), 4);
    assert_eq!(findings(&report, "owners").len(), 1);
    assert_eq!(findings(&report, "companies").len(), 0);

    let shown = workplace
        .run(&["audit", "crm", "--repair", "contacts", "contacts_companies"])
        .ok();
    assert!(shown.stdout.contains("all of them are right"), "{}", shown.stdout);
    let shown = workplace
        .run(&["audit"])
        .fails(1, &["differs from HubSpot in 1 record\n", "--repair"]);
    let live = number(&database, "SELECT count(*) FROM contacts WHERE NOT _archived");
    let right = format!("complete and right: {live} of {live}");
    assert!(shown.stdout.contains(&right), "{}", shown.stdout);
    workplace.run(&["audit", "--repair"]).ok();
    assert_equals_truth(&database, &portal, "contacts");
    assert_associations_equal_truth(&database, &portal, "contacts", "companies");

    assert_only_proofs_of_erasure(&workplace, 1);
    assert_eq!(delivered_by_a_whole_comparison(&workplace), json!([]));
}

#[test]
fn associations_and_tables_that_changed_are_named_and_repaired() {
    let portal = portal();
    let workplace = synced(&portal);
    let changes = json!({"objectType": "contacts", "seed": 4, "silent": true, "associate": 30, "disassociate": 20, "label": 15});
    portal.post("/_emulator/mutate", &changes);
    let (_, report) = audit(&workplace, &[]);
    let pairs = [
        ("contacts", "companies"),
        ("contacts", "deals"),
        ("contacts", "tickets"),
    ];
    let count = |report: &Value| {
        pairs
            .map(|(from, to)| findings(report, &format!("{from}_{to}")).len())
            .iter()
            .sum::<usize>()
    };
    assert!(count(&report) >= 50, "{}", count(&report));
    assert_eq!(
        findings(&report, "contacts").len(),
        0,
        "the records are as they were"
    );
    portal.post(
        "/_emulator/mutate",
        &json!({"objectType": "owners", "seed": 4, "update": 2, "distinct": true}),
    );
    let (code, report) = audit(&workplace, &["--repair"]);
    assert_eq!(
        (code, findings(&report, "owners").len()),
        (0, 2),
        "{}",
        report["repaired"]
    );
    for (from, to) in pairs {
        assert_associations_equal_truth(&workplace.path("hubspot.db"), &portal, from, to);
    }
    assert_eq!(delivered_by_a_whole_comparison(&workplace), json!([]));
}

#[test]
fn both_sides_of_every_window_are_counted_and_summed() {
    let portal = small();
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace.run(&["sync", "--once"]).ok();
    let (_, before) = audit(&workplace, &[]);
    portal.post(
        "/_emulator/mutate",
        &json!({"objectType": "contacts", "seed": 3, "silent": true, "update": 1}),
    );
    let (_, after) = audit(&workplace, &[]);
    let window = |report: &Value, side: &str| stream(report, "contacts")["windows"][0][side].clone();
    assert_eq!(window(&before, "hubspot"), window(&before, "copy"));
    let live = number(&workplace.path("hubspot.db"), "SELECT count(*) FROM contacts");
    assert_eq!(window(&before, "hubspot")["records"], live);
    assert_eq!(
        window(&after, "copy"),
        window(&before, "copy"),
        "the copy is as it was"
    );
    assert_ne!(
        window(&after, "hubspot")["checksum"],
        window(&after, "copy")["checksum"]
    );
}

#[test]
fn what_cannot_be_audited_is_said() {
    let portal = small();
    let files = Workplace::with_destination(&portal.url, "[contacts]", "ndjson: {dir: records}");
    files.run(&["sync", "--once"]).ok();
    files.run(&["audit"]).fails(2, &["cannot be audited", "sqlite"]);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace
        .run(&["audit"])
        .fails(2, &["no copy yet", "spoke sync crm"]);
    assert!(!workplace.path("hubspot.db").exists(), "an audit makes nothing");
    workplace.run(&["sync", "--once"]).ok();
    workplace
        .run(&["audit", "crm", "deals"])
        .fails(2, &["has no stream `deals`", "`contacts`"]);
}

#[test]
fn a_wide_portal_is_audited_through_batch_reads() {
    let portal = small();
    portal.widen("contacts", "contactinformation");
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace.run(&["sync", "--once"]).ok();
    let touched = portal.post(
        "/_emulator/mutate",
        &json!({"objectType": "contacts", "seed": 5, "silent": true, "distinct": true, "update": 9}),
    );
    let touched: Value = serde_json::from_str(&touched).expect("the answer is JSON");
    let (_, report) = audit(&workplace, &["crm", "contacts", "--repair"]);
    assert_eq!(findings(&report, "contacts").len(), 9);
    assert_eq!(report["right"], true, "{touched} {report}");
    assert_equals_truth(&workplace.path("hubspot.db"), &portal, "contacts");
}

#[test]
fn of_a_pipeline_that_runs_new_changes_are_on_their_way_and_a_repair_is_refused() {
    let portal = small();
    // Asks for changes so seldom that those of this test are not copied before it ends.
    let workplace = Workplace::syncing(
        &portal.url,
        "[{name: contacts, poll: 1h}, {name: companies, poll: 1h}]",
    );
    workplace.run(&["sync", "--once"]).ok();
    let mut follower = workplace.start(&["sync"]);
    let polled = |portal: &Portal| {
        let requests = portal.requests();
        let routes = requests["byRoute"].as_object().expect("routes");
        let mut searches = routes.iter().filter(|(route, _)| route.ends_with("/search"));
        searches
            .next()
            .is_some_and(|(_, answers)| answers["200"].as_u64() >= Some(2))
    };
    portal.clear_requests();
    wait_for(&mut follower, || polled(&portal).then_some(()));
    let holder = wait_for(&mut follower, || {
        let status = workplace.run(&["status", "--json"]).ok().json();
        status[0]["running"].as_bool().filter(|running| *running)
    });
    assert!(holder);
    let changes = json!({"objectType": "contacts", "seed": 8, "distinct": true, "update": 7, "create": 2, "archive": 3});
    portal.post("/_emulator/mutate", &changes);
    portal.post(
        "/_emulator/mutate",
        &json!({"objectType": "companies", "seed": 8, "archive": 2}),
    );
    let (code, report) = audit(&workplace, &[]);
    assert_eq!((code, &report["right"]), (0, &json!(true)), "{report}");
    assert_eq!(stream(&report, "contacts")["onTheirWay"], 12, "{report}");
    let with_their_ends = stream(&report, "contacts_companies")["onTheirWay"].as_u64();
    assert!(with_their_ends > Some(3), "{report}");
    let pid = follower.id().to_string();
    workplace
        .run(&["audit", "--repair"])
        .fails(1, &["is run already", &pid]);
    follower.kill().expect("SIGKILL");
    follower.wait().expect("it is gone");

    let (code, report) = audit(&workplace, &[]);
    assert_eq!(
        (code, findings(&report, "contacts").len()),
        (1, 12),
        "nobody will bring them"
    );
}
