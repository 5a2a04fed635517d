//! `spoke audit`: the copy against HubSpot, after edits behind the connector's back.

use std::collections::BTreeSet;

use hubspot_emulator::{Counts, Options, Tier};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::copy::{assert_associations_equal_truth, assert_equals_truth, number};
use crate::support::{Portal, Workplace};

const OBJECTS: [&str; 4] = ["contacts", "companies", "deals", "tickets"];
const STREAMS: &str = "[contacts, companies, deals, tickets, owners, pipelines]";

fn portal() -> Portal {
    let counts = Counts {
        contacts: 1_500,
        companies: 300,
        deals: 500,
        tickets: 300,
        ..Counts::none()
    };
    Portal::start(Options {
        counts,
        tier: Tier::Unlimited,
        ..Options::default()
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
    let reports: Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("no JSON: {}", ended.stderr));
    (ended.code, reports[0].clone())
}

fn stream<'a>(report: &'a Value, name: &str) -> &'a Value {
    let streams = report["streams"].as_array().expect("streams");
    streams
        .iter()
        .find(|stream| stream["stream"] == name)
        .expect("the stream is there")
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
}
