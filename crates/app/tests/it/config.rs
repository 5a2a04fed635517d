//! What is said about a configuration that is wrong.

use crate::support::{Portal, Workplace};

const GOOD: &str = "version: 1
connections:
  prod: {access_token: env:HUBSPOT_ACCESS_TOKEN, base_url: http://127.0.0.1:9}
pipelines:
  crm:
    source:
      hubspot: {connection: prod, streams: [contacts], poll: 5s}
    destination:
      sqlite: {path: hubspot.db}
";

/// `spoke config validate` on the good file with one thing replaced.
#[track_caller]
fn refused(good: &str, bad: &str, texts: &[&str]) {
    let workplace = Workplace::new();
    assert!(GOOD.contains(good), "{good:?} is in the file");
    workplace.write("spoke.yaml", &GOOD.replace(good, bad));
    workplace.run(&["config", "validate"]).fails(2, texts);
    workplace.run(&["sync", "--once"]).fails(2, texts);
}

#[test]
fn a_good_file_is_valid() {
    let workplace = Workplace::new();
    workplace.write("spoke.yaml", GOOD);
    workplace.run(&["config", "validate"]).ok();
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_known_one() {
    refused(
        "streams:",
        "steams:",
        &["spoke.yaml:7:", "unknown key `steams`", "did you mean `streams`?"],
    );
    refused(
        "access_token:",
        "acess_token:",
        &["unknown key `acess_token`", "did you mean `access_token`?"],
    );
    refused(
        "pipelines:",
        "pipeline:",
        &["unknown key `pipeline`", "did you mean `pipelines`?"],
    );
}

#[test]
fn an_unknown_destination_is_named_with_the_nearest() {
    refused(
        "sqlite:",
        "sqllite:",
        &["unknown value `sqllite`", "did you mean `sqlite`?", "`ndjson`"],
    );
}

#[test]
fn a_wrong_duration_is_shown_with_how_to_write_it() {
    refused("poll: 5s", "poll: abc", &["abc", "5s", "30m"]);
    refused("poll: 5s", "poll: -5s", &["-5s"]);
}

/// Only the account knows its custom objects, so this is told when it has been asked.
#[test]
fn an_unknown_object_lists_the_valid_ones() {
    let portal = Portal::with_contacts(1);
    let workplace = Workplace::syncing(&portal.url, "[contcats]");
    let texts = [
        "`contcats`",
        "did you mean `contacts`?",
        "companies",
        "line_items",
    ];
    workplace.run(&["sync", "--once"]).fails(2, &texts);
}

#[test]
fn an_unknown_connection_lists_those_there_are() {
    refused(
        "connection: prod",
        "connection: prd",
        &["pipeline `crm`", "no connection `prd`", "did you mean `prod`?"],
    );
}

#[test]
fn a_literal_secret_is_refused_without_being_repeated() {
    let token = "pat-na1-11111111-2222-4333-8444-555555555555";
    refused(
        "env:HUBSPOT_ACCESS_TOKEN",
        token,
        &["a secret must not stand in the file", "env:NAME", "spoke.yaml:3:"],
    );
    refused(
        "env:HUBSPOT_ACCESS_TOKEN",
        "hunter2",
        &["a secret must not stand in the file"],
    );
}

#[test]
fn a_missing_file_says_how_to_make_one() {
    Workplace::new()
        .run(&["sync", "--once"])
        .fails(2, &["spoke.yaml", "spoke config init"]);
}

#[test]
fn a_missing_environment_variable_is_named() {
    let workplace = Workplace::new();
    workplace.write(
        "spoke.yaml",
        &GOOD.replace("env:HUBSPOT_ACCESS_TOKEN", "env:NO_SUCH_TOKEN"),
    );
    workplace
        .run(&["sync", "--once"])
        .fails(2, &["connection `prod`", "`access_token`", "`NO_SUCH_TOKEN`"]);
}

#[test]
fn a_bad_connection_name_is_refused_with_the_rule() {
    refused(
        "  prod:",
        "  A_bad:",
        &["`A_bad`", "lower-case letters, digits and hyphens"],
    );
}

#[test]
fn what_is_made_by_init_is_valid_and_never_overwritten() {
    let workplace = Workplace::new();
    workplace.run(&["config", "init"]).ok();
    workplace.run(&["config", "validate"]).ok();
    workplace.run(&["config", "init"]).fails(2, &["spoke.yaml"]);
}

#[test]
fn show_fills_in_defaults_and_masks_a_literal() {
    let workplace = Workplace::new();
    workplace.write(
        "spoke.yaml",
        &GOOD.replace("env:HUBSPOT_ACCESS_TOKEN", "literal:hunter2"),
    );
    let shown = workplace.run(&["config", "show"]).ok().stdout;
    assert!(
        shown.contains("literal:***") && !shown.contains("hunter2"),
        "{shown}"
    );
    assert!(
        shown.contains("2026-03") && shown.contains("spoke-state.db"),
        "{shown}"
    );
    let json = workplace.run(&["config", "show", "--json"]).ok().stdout;
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["version"],
        1
    );
}

#[test]
fn the_schema_names_every_top_level_key() {
    let text = Workplace::new().run(&["config", "schema"]).ok().stdout;
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    for key in ["version", "connections", "state", "pipelines"] {
        assert!(properties.contains_key(key), "{key}");
    }
}

#[test]
fn two_accounts_in_one_table_are_refused_with_both_names() {
    let workplace = Workplace::new();
    let write = |path: &str, prefix: &str, streams: &str| {
        workplace.write(
            "spoke.yaml",
            &format!(
                "version: 1\nconnections:\n  emea: {{access_token: env:A}}\n  apac: {{access_token: env:B}}\n\
                 pipelines:\n  one: {{source: {{hubspot: {{connection: emea, streams: [contacts]}}}}, \
                 destination: {{sqlite: {{path: hubspot.db}}}}}}\n  two: {{source: {{hubspot: {{connection: apac, \
                 streams: [{streams}]}}}}, destination: {{sqlite: {{path: {path}{prefix}}}}}}}\n"
            ),
        );
    };
    let refused = [
        "the pipelines `one` and `two` both write the table `contacts`",
        "`emea` and `apac`",
        "table_prefix: two_",
    ];
    for (path, streams) in [
        ("hubspot.db", "deals, contacts"),
        ("./hubspot.db", "contacts"),
        ("hubspot.db", "0-1"),
    ] {
        write(path, "", streams);
        workplace.run(&["config", "validate"]).fails(2, &refused);
        workplace.run(&["sync", "--once"]).fails(2, &refused);
    }
    for (path, prefix, streams) in [
        ("hubspot.db", ", table_prefix: two_", "contacts"),
        ("other.db", "", "contacts"),
        ("hubspot.db", "", "deals"),
    ] {
        write(path, prefix, streams);
        workplace.run(&["config", "validate"]).ok();
    }
}
