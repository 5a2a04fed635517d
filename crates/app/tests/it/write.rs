//! `spoke create`, `update`, `upsert` and `delete`, as they are typed.

use hubspot_emulator::Counts;
use serde_json::{Value, json};

use crate::support::spoke::Ended;
use crate::support::{Portal, Workplace};

/// An empty account, and a folder that reaches it.
fn empty() -> (Portal, Workplace) {
    let portal = Portal::with(Counts::none());
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    (portal, workplace)
}

/// One property of every live contact, in order.
fn values(portal: &Portal, property: &str) -> Vec<String> {
    let value = |record: Value| {
        record["properties"][property]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let mut values: Vec<_> = portal.live("contacts").into_iter().map(value).collect();
    values.sort();
    values
}

fn rows(ended: &Ended) -> Vec<(u64, String)> {
    let report = ended.json();
    let row = |row: &Value| {
        let outcome = row["outcome"].as_str().unwrap().to_owned();
        (row["line"].as_u64().unwrap(), outcome)
    };
    report["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn values_from_the_command_line_make_change_and_archive_a_record() {
    let (portal, spoke) = empty();
    let made = spoke
        .run(&[
            "create",
            "contacts",
            "email=ada@example.com",
            "city=London",
            "--json",
        ])
        .ok();
    let id = made.json()["rows"][0]["id"].as_str().unwrap().to_owned();
    spoke.run(&["update", "contact", &id, "city=Rome"]).ok();
    assert_eq!(values(&portal, "city"), ["Rome"]);
    spoke
        .run(&["update", "0-1", "email=ada@example.com", "city=Paris"])
        .ok();
    assert_eq!(values(&portal, "city"), ["Paris"]);
    spoke
        .run(&["upsert", "contacts", "email=ADA@example.com", "firstname=Ada"])
        .ok();
    assert_eq!(values(&portal, "firstname"), ["Ada"]);
    let told = spoke.run(&["create", "contacts", "email=ada@example.com"]);
    told.fails(1, &["1 of 1 rows were refused"]);
    assert!(
        !spoke.path("rejected.ndjson").exists(),
        "what was typed needs no file"
    );
    let gone = spoke.run(&["delete", "contacts", &id, "--json"]).ok();
    assert_eq!(rows(&gone), [(1, "archived".to_owned())]);
    let again = spoke.run(&["delete", "contacts", &id, "--json"]).ok();
    assert_eq!(
        rows(&again),
        [(1, "unchanged".to_owned())],
        "a second delete is told, and no failure"
    );
    assert!(portal.live("contacts").is_empty());
}

#[test]
fn refused_rows_can_be_mended_and_given_again() {
    let (portal, spoke) = empty();
    spoke.write(
        "people.csv",
        "email,firstname,lifecyclestage\na@example.com,A,lead\nbad,B,\nc@example.com,C,Kunde\nd@example.com,,\n",
    );
    let told = spoke.run(&["upsert", "contacts", "--from", "people.csv"]);
    told.fails(1, &["2 of 4 rows were refused", "people.rejected.csv"]);
    let rejected = std::fs::read_to_string(spoke.path("people.rejected.csv")).unwrap();
    for part in [
        "email,firstname,lifecyclestage,_line,_reason",
        "`email`, value `bad`",
        "`lifecyclestage`, value `Kunde`",
    ] {
        assert!(rejected.contains(part), "{part} is not in {rejected}");
    }
    let mended = rejected
        .replace("bad,", "b@example.com,")
        .replace("C,Kunde", "C,lead");
    spoke.write("mended.csv", &mended);
    spoke.run(&["upsert", "contacts", "--from", "mended.csv"]).ok();
    assert_eq!(
        values(&portal, "email"),
        ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]
    );
    assert_eq!(values(&portal, "firstname"), ["", "A", "B", "C"]);
}

#[test]
fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let (portal, spoke) = empty();
    spoke
        .run(&[
            "create",
            "contacts",
            "email=a@example.com",
            "city=Bonn",
            "firstname=A",
        ])
        .ok();
    spoke
        .run(&["create", "contacts", "email=b@example.com", "city=Bonn"])
        .ok();
    portal.clear_requests();
    spoke.write(
        "people.ndjson",
        "{\"email\":\"a@example.com\",\"city\":\"Rome\",\"firstname\":\"A\"}\n\
         {\"email\":\"b@example.com\",\"city\":\"Bonn\"}\n\
         {\"email\":\"c@example.com\"}\n\
         {\"email\":\"d@example.com\",\"citty\":\"x\"}\n",
    );
    let arguments = [
        "upsert",
        "contacts",
        "--from",
        "people.ndjson",
        "--changed-only",
        "--dry-run",
    ];
    let told = spoke.run(&arguments).fails(1, &["1 rows would be refused"]);
    for part in [
        "line 1: update",
        "city: Bonn → Rome",
        "line 2: unchanged",
        "line 3: create",
        "did you mean `city`?",
    ] {
        assert!(told.stdout.contains(part), "{part} is not in {}", told.stdout);
    }
    assert!(
        !told.stdout.contains("firstname"),
        "what stays is not shown: {}",
        told.stdout
    );
    assert!(told.stderr.contains("in 2 calls"), "{}", told.stderr);
    let report = spoke.run(&[&arguments[..], &["--json"]].concat()).json();
    assert_eq!(
        report["rows"][0]["changes"]["city"],
        json!({"from": "Bonn", "to": "Rome"})
    );
    assert_eq!(values(&portal, "city"), ["Bonn", "Bonn"]);
    let routes = portal.requests()["byRoute"].to_string();
    assert!(
        !routes.contains("batch/upsert") && !routes.contains("batch/create"),
        "{routes}"
    );
}

#[test]
fn a_run_that_ends_early_loses_no_row() {
    let (portal, spoke) = empty();
    let lines = (0..2_000)
        .map(|n| json!({"email": format!("p{n}@example.com"), "firstname": "P"}).to_string() + "\n");
    spoke.write("people.ndjson", &lines.collect::<String>());
    let denied = json!([{"match": {"method": "POST", "path": "/crm/*/batch/upsert"}, "times": 1,
        "action": {"status": 401}}]);
    portal.post("/_emulator/faults", &denied);
    let told = spoke.run(&["upsert", "contacts", "--from", "people.ndjson"]);
    told.fails(3, &["rows were not written", "people.rejected.ndjson"]);
    assert!(portal.live("contacts").len() < 2_000);
    spoke
        .run(&[
            "upsert",
            "contacts",
            "--from",
            "people.rejected.ndjson",
            "--rejects",
            "again.ndjson",
        ])
        .ok();
    let emails = values(&portal, "email");
    assert_eq!(emails.len(), 2_000);
    assert!(
        emails.windows(2).all(|pair| pair[0] != pair[1]),
        "nobody is there twice"
    );
}

#[test]
fn rows_come_from_stdin_and_values_beside_them_go_into_each() {
    use std::io::Write;
    use std::process::Stdio;
    let (portal, spoke) = empty();
    let mut command = spoke.command(&["create", "contacts", "--from", "-", "city=Bonn"]);
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = piped.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin
        .write_all(b"email,city\na@example.com,\nb@example.com,Rome\n")
        .unwrap();
    drop(stdin);
    Ended::from(process.wait_with_output().unwrap()).ok();
    assert_eq!(values(&portal, "city"), ["Bonn", "Rome"]);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_called() {
    let (portal, spoke) = empty();
    spoke.write("people.csv", "email\na@example.com\n");
    for (arguments, parts) in [
        (&["update", "contacts"][..], &["nothing says which record"][..]),
        (&["create", "contacts", "17"], &["`17` is no value", "PROP=VALUE"]),
        (
            &["update", "contacts", "17", "--from", "people.csv"],
            &["`17` stands beside `--from`"],
        ),
        (
            &["create", "contcts", "email=a@b.c"],
            &["did you mean `contacts`?"],
        ),
        (&["upsert", "deals", "dealname=x"], &["id_property"]),
        (&["create", "contacts", "--from", "nowhere.csv"], &["nowhere.csv"]),
        (
            &["upsert", "contacts", "city=x", "--id-property", "city"],
            &["two contacts may have the same `city`"],
        ),
        (
            &["create", "feedback_submissions", "hs_content=x"],
            &["can only be read"],
        ),
    ] {
        spoke.run(arguments).fails(2, parts);
    }
    assert!(portal.live("contacts").is_empty());
}

#[test]
fn records_are_changed_and_archived_by_condition_once_somebody_agrees() {
    let portal = Portal::with(Counts::none());
    let spoke = Workplace::syncing(&portal.url, "[contacts]");
    spoke.write(
        "people.csv",
        "email,city\na@example.com,Bonn\nb@example.com,bonn\nc@example.com,Rome\nd@example.com,\n",
    );
    spoke.run(&["create", "contacts", "--from", "people.csv"]).ok();
    spoke
        .run(&["update", "contacts", "--where", " ", "city=x"])
        .fails(2, &["every record"]);
    let unasked = spoke.run(&["update", "contacts", "--where", "city = 'Bonn'", "city=Köln"]);
    unasked.fails(2, &["1 contacts will be changed", "--yes"]);
    let dry = spoke
        .run(&[
            "update",
            "contacts",
            "--where",
            "city = 'Bonn'",
            "city=Köln",
            "--dry-run",
        ])
        .ok();
    assert!(dry.stdout.contains("city: Bonn → Köln"), "{}", dry.stdout);
    assert_eq!(values(&portal, "city"), ["", "Bonn", "Rome", "bonn"]);
    spoke
        .run(&[
            "update",
            "contacts",
            "--where",
            "city IN ('Bonn', 'bonn')",
            "city=Köln",
            "--yes",
        ])
        .ok();
    assert_eq!(values(&portal, "city"), ["", "Köln", "Köln", "Rome"]);
    spoke
        .run(&[
            "delete",
            "contacts",
            "--where",
            "city IS NULL OR city = 'Rome'",
            "--yes",
        ])
        .ok();
    assert_eq!(values(&portal, "city"), ["Köln", "Köln"]);
    spoke
        .run(&["delete", "contacts", "--where", "citty = 'x'", "--yes"])
        .fails(2, &["did you mean `city`?"]);
}

#[test]
fn a_row_that_was_perhaps_made_is_told_as_that() {
    let (portal, spoke) = empty();
    let lost = json!([{"match": {"method": "POST", "path": "/crm/*/batch/create"}, "times": 1,
        "action": {"failAfterWrite": true}}]);
    portal.post("/_emulator/faults", &lost);
    spoke.write("firms.csv", "name\nA\nB\n");
    let told = spoke.run(&["create", "companies", "--from", "firms.csv"]);
    let told = told.fails(1, &["2 rows were perhaps made", "firms.rejected.csv"]);
    assert!(told.stdout.contains("unsure"), "{}", told.stdout);
    assert_eq!(portal.live("companies").len(), 2);
}
