//! Pipelines that write into HubSpot: dead letters, and `kill -9` at any moment.

use std::collections::BTreeSet;
use std::time::Duration;

use hubspot_emulator::{Counts, Options, Tier};
use serde_json::json;

use crate::support::{Portal, Workplace, setting};

/// A folder with a pipeline from `people.ndjson` into the contacts of an account.
fn people(portal: &Portal, rules: &str) -> Workplace {
    let spoke = Workplace::new();
    spoke.write(
        "spoke.yaml",
        &format!(
            "version: 1\n\
             connections:\n  prod: {{access_token: env:HUBSPOT_ACCESS_TOKEN, base_url: {:?}}}\n\
             state: {{sqlite: {{path: state.db}}}}\n\
             pipelines:\n  people:\n    source: {{ndjson: {{path: people.ndjson, stream: people, key: nr}}}}\n    \
             destination: {{hubspot: {{connection: prod, object: contacts, {rules}}}}}\n",
            portal.url
        ),
    );
    spoke
}

fn write_people(spoke: &Workplace, count: u64) {
    let line =
        |n| json!({"nr": n, "email": format!("p{n}@example.com"), "firstname": "P"}).to_string() + "\n";
    spoke.write("people.ndjson", &(0..count).map(line).collect::<String>());
}

#[test]
fn a_refused_row_is_a_dead_letter_and_the_rest_is_written() {
    let portal = Portal::with(Counts::none());
    let spoke = people(&portal, "id_property: email");
    spoke.write(
        "people.ndjson",
        "{\"nr\":1,\"email\":\"a@example.com\"}\n{\"nr\":2,\"email\":\"bad\"}\n{\"nr\":3,\"email\":\"c@example.com\"}\n",
    );
    let ended = spoke.run(&["sync", "--once"]).ok();
    assert!(ended.stdout.contains("2 written, 1 rejected"), "{}", ended.stdout);
    assert_eq!(portal.live("contacts").len(), 2);
    let listed = spoke.run(&["dead-letters", "list"]).ok().stdout;
    assert!(
        listed.contains("`email`, value `bad`") && listed.contains("INVALID_EMAIL"),
        "{listed}"
    );
    let letter = spoke
        .run(&["dead-letters", "list", "people", "--json"])
        .ok()
        .json();
    assert_eq!(letter["record"]["payload"]["after"]["nr"], 2);
}

#[test]
fn dead_letters_are_sent_again_once_their_cause_is_mended_and_dropped_when_asked_to() {
    let portal = Portal::with(Counts::none());
    let spoke = people(&portal, "id_property: email");
    spoke.write(
        "people.ndjson",
        "{\"nr\":1,\"email\":\"a@example.com\",\"our_score\":7}\n{\"nr\":2,\"email\":\"bad\"}\n",
    );
    spoke.run(&["sync", "--once"]).ok();
    let ids: Vec<_> = spoke
        .run(&["dead-letters", "list", "--json"])
        .ok()
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 2);
    // The property is made by hand; the address stays bad.
    spoke
        .run_with(
            &[
                "property",
                "create",
                "contacts",
                "our_score",
                "--type",
                "number",
                "--group",
                "contactinformation",
            ],
            ("HUBSPOT_BASE_URL", &portal.url),
        )
        .ok();
    spoke
        .run(&["dead-letters", "redrive", "people"])
        .fails(1, &["1 letters were refused again"]);
    assert_eq!(portal.live("contacts").len(), 1);
    let left = spoke.run(&["dead-letters", "list", "people"]).ok().stdout;
    assert!(
        left.contains("value `bad`") && !left.contains("our_score"),
        "{left}"
    );
    spoke
        .run(&["dead-letters", "discard", "people", "77", "--yes"])
        .fails(1, &["no dead letter 77"]);
    let id = spoke.run(&["dead-letters", "list", "--json"]).ok().json()["id"].to_string();
    spoke
        .run(&["dead-letters", "discard", "people", &id])
        .fails(2, &["--yes"]);
    spoke
        .run(&["dead-letters", "discard", "people", &id, "--yes"])
        .ok();
    spoke.run(&["dead-letters", "redrive", "people", "--json"]).ok();
    assert!(spoke.run(&["dead-letters", "list"]).ok().stdout.is_empty());
}

#[test]
fn many_dead_letters_are_listed_and_sent_again_in_pages_and_each_once() {
    let portal = Portal::with(Counts::none());
    let spoke = people(&portal, "id_property: email");
    let line = |n| format!("{{\"nr\":{n},\"email\":\"bad{n}\"}}\n");
    spoke.write("people.ndjson", &(0..501).map(line).collect::<String>());
    spoke.run(&["sync", "--once"]).ok();
    let listed = spoke.run(&["dead-letters", "list"]).ok().stdout;
    let pages = listed.matches("REFUSED AT").count();
    assert_eq!((listed.lines().count() - pages, pages), (501, 2));
    spoke
        .run(&["dead-letters", "redrive", "people"])
        .fails(1, &["501 letters were refused again"]);
    let last = spoke.run(&["dead-letters", "list", "--json"]).ok().stdout;
    let last: serde_json::Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    let id = last["id"].to_string();
    assert_eq!(
        spoke.run(&["dead-letters", "show", "people", &id]).ok().json(),
        last
    );
    spoke
        .run(&["dead-letters", "redrive", "people", &id, &id])
        .fails(1, &["1 letters were refused again"]);
    spoke
        .run(&["dead-letters", "show", "people", &id])
        .fails(1, &["no dead letter"]);
}

#[test]
fn killed_again_and_again_nothing_is_made_twice_and_nothing_is_missing() {
    let rows = setting("SPOKE_KILLS").unwrap_or(25) * 100;
    let portal = Portal::start(Options {
        counts: Counts::none(),
        tier: Tier::Unlimited,
        latency: Duration::from_millis(20),
        ..Options::default()
    });
    // Plain creates, found again by their address alone; every third answer is lost as well.
    let spoke = people(&portal, "write: create, concurrency: 2");
    write_people(&spoke, rows);
    let lost = json!([{"match": {"method": "POST", "path": "/crm/*/batch/create"}, "times": rows / 300,
        "action": {"failAfterWrite": true}}]);
    portal.post("/_emulator/faults", &lost);
    for kill in 0..15 {
        let mut process = spoke.start(&["sync", "--once"]);
        std::thread::sleep(Duration::from_millis(60 + 25 * (kill % 5)));
        process.kill().expect("SIGKILL");
        process.wait().expect("it is gone");
    }
    spoke.run(&["sync", "--once"]).ok();
    let live = portal.live("contacts");
    let emails: BTreeSet<_> = live
        .iter()
        .map(|record| record["properties"]["email"].to_string())
        .collect();
    assert_eq!(live.len() as u64, rows, "every row is a contact");
    assert_eq!(emails.len() as u64, rows, "and no contact is there twice");
}
