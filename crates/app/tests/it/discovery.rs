//! The commands that look: `objects`, `describe`, `get`, `check`.

use serde_json::Value;

use crate::support::{Portal, Workplace};

fn first_contact(portal: &Portal) -> Value {
    let live = portal.live("contacts").into_iter();
    let mut found = live.filter(|record| record["properties"]["email"].is_string());
    found.next().expect("a live contact with an e-mail address")
}

#[test]
fn one_shot_commands_work_without_a_file() {
    let portal = Portal::with_contacts(50);
    let listed = Workplace::new()
        .run_with(&["objects"], ("HUBSPOT_BASE_URL", &portal.url))
        .ok();
    for name in ["contacts", "line_items", "0-3", "hs_lastmodifieddate"] {
        assert!(listed.stdout.contains(name), "{name} is not in {}", listed.stdout);
    }
}

#[test]
fn without_a_file_and_a_token_the_way_in_is_shown() {
    let workplace = Workplace::new();
    let mut command = workplace.command(&["objects"]);
    let output = command.env_remove("HUBSPOT_ACCESS_TOKEN").output().unwrap();
    let ended = crate::support::spoke::Ended::from(output);
    ended.fails(2, &["HUBSPOT_ACCESS_TOKEN", "spoke config init"]);
}

#[test]
fn describe_lists_types_options_and_rules() {
    let portal = Portal::with_contacts(10);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let text = workplace.run(&["describe", "contact"]).ok().stdout;
    for part in ["lifecyclestage", "enumeration", "email", "datetime", "read-only"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let json = workplace.run(&["describe", "0-1", "--json"]).ok().stdout;
    let properties: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert!(
        properties.len() >= 150,
        "contacts define at least 150 properties, got {}",
        properties.len()
    );
}

#[test]
fn an_unknown_object_is_told_with_the_nearest() {
    let portal = Portal::with_contacts(1);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace
        .run(&["describe", "contcts"])
        .fails(2, &["`contcts`", "did you mean `contacts`?", "companies"]);
}

#[test]
fn get_finds_a_record_by_id_and_by_a_unique_property() {
    let portal = Portal::with_contacts(50);
    let contact = first_contact(&portal);
    let (id, email) = (
        contact["id"].as_str().unwrap(),
        contact["properties"]["email"].as_str().unwrap(),
    );
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let by_id = workplace.run(&["get", "contacts", id]).ok().stdout;
    assert!(by_id.contains(email), "{by_id}");
    let by_email = workplace
        .run(&["get", "contacts", "--by", &format!("email={email}"), "--json"])
        .ok()
        .stdout;
    assert_eq!(serde_json::from_str::<Value>(&by_email).unwrap()["id"], id);
}

#[test]
fn get_says_when_there_is_no_such_record() {
    let portal = Portal::with_contacts(5);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace
        .run(&["get", "contacts", "999999999"])
        .fails(1, &["there is no contact `999999999`"]);
    workplace
        .run(&["get", "contacts", "--by", "email=nobody@example.com"])
        .fails(1, &["email `nobody@example.com`"]);
    workplace.run(&["get", "contacts"]).fails(2, &["--by"]);
}

#[test]
fn check_shows_the_portal_and_each_object() {
    let portal = Portal::with_contacts(5);
    let workplace = Workplace::syncing(&portal.url, "[contacts, companies]");
    let text = workplace.run(&["check"]).ok().stdout;
    assert!(
        text.contains("connection `prod`: ok, portal 42424242") && text.contains("readable"),
        "{text}"
    );
    let json = workplace.run(&["check", "prod", "--json"]).ok().stdout;
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&report["status"], report["objects"].as_array().unwrap().len()),
        (&"ACTIVE".into(), 2)
    );
}

#[test]
fn get_tells_which_record_a_merged_one_went_into() {
    let portal = Portal::with_contacts(20);
    let merge = serde_json::json!({"objectType": "contacts", "merge": 1});
    portal.post("/_emulator/mutate", &merge);
    let truth = portal.get("/_emulator/truth/contacts");
    let mut records = truth
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let merged = records.find(|record| record["state"] == "merged").unwrap();
    let (id, into) = (
        merged["id"].as_str().unwrap(),
        merged["mergedInto"].as_str().unwrap(),
    );
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let ended = workplace.run(&["get", "contacts", id, "--json"]).ok();
    assert!(
        ended.stderr.contains(&format!("{id} was merged into {into}")),
        "{}",
        ended.stderr
    );
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap()["id"], into);
}
