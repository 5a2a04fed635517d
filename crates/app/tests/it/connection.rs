//! What is said when HubSpot cannot be talked to, or answers what it should not.

use std::io::{Read, Write};
use std::net::TcpListener;

use hubspot_emulator::{DEFAULT_TOKEN, Options, Token};
use serde_json::json;

use crate::support::spoke::Ended;
use crate::support::{Portal, Workplace};

fn faulty(action: &serde_json::Value) -> (Portal, Workplace) {
    let portal = Portal::with_contacts(300);
    let fault =
        json!([{"match": {"method": "GET", "path": "/crm/objects/*"}, "times": 1000, "action": action}]);
    portal.post("/_emulator/faults", &fault);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    (portal, workplace)
}

#[test]
fn an_unreachable_host_is_named() {
    // Bound and dropped: nobody listens there now.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let workplace = Workplace::syncing(&format!("http://127.0.0.1:{port}"), "[contacts]");
    let address = format!("127.0.0.1:{port}");
    workplace
        .run(&["check"])
        .fails(3, &["connection `prod`", &address, "hint:"]);
    workplace
        .run(&["sync", "--once"])
        .fails(3, &["pipeline `crm`", &address]);
}

#[test]
fn a_server_without_tls_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    // Plain text where a TLS handshake is expected; the thread lives as long as somebody connects.
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let _ = connection.read(&mut [0; 64]);
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    Workplace::syncing(&url, "[contacts]")
        .run(&["check"])
        .fails(3, &["TLS"]);
}

#[test]
fn a_refused_token_names_the_connection_and_never_the_token() {
    let portal = Portal::with_contacts(1);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let wrong = (
        "HUBSPOT_ACCESS_TOKEN",
        "pat-na1-99999999-0000-4000-8000-000000000000",
    );
    workplace
        .run_with(&["check"], wrong)
        .fails(3, &["connection `prod`", "401", "hint:"]);
    workplace
        .run_with(&["sync", "--once"], wrong)
        .fails(3, &["pipeline `crm`", "401"]);
}

#[test]
fn missing_scopes_are_named_with_the_object() {
    let token = Token::with_scopes(
        DEFAULT_TOKEN,
        ["crm.objects.companies.read", "crm.schemas.companies.read"],
    );
    let portal = Portal::start(Options {
        tokens: vec![token],
        ..Options::default()
    });
    let workplace = Workplace::syncing(&portal.url, "[contacts, companies]");
    let checked = workplace
        .run(&["check"])
        .fails(3, &["`contacts`", "crm.objects.contacts.read"]);
    assert!(
        checked.stdout.contains("companies") && checked.stdout.contains("missing scopes"),
        "{}",
        checked.stdout
    );
    workplace.run(&["sync", "--once"]).fails(3, &["contacts", "crm."]);
}

#[test]
fn a_token_with_a_line_break_is_explained() {
    let portal = Portal::with_contacts(1);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let broken = format!("{DEFAULT_TOKEN}\n");
    workplace
        .run_with(&["check"], ("HUBSPOT_ACCESS_TOKEN", &broken))
        .fails(2, &["`access_token`", "line break"]);
    let middle = DEFAULT_TOKEN.replacen("-4000", "\n-4000", 1);
    workplace
        .run_with(&["check"], ("HUBSPOT_ACCESS_TOKEN", &middle))
        .fails(2, &["`access_token`", "line break"]);
}

#[test]
fn html_where_json_was_expected_is_told_as_such() {
    let (_portal, workplace) = faulty(&json!({"html": true}));
    workplace
        .run(&["sync", "--once"])
        .fails(3, &["contacts", "expected JSON but got HTML", "login page"]);
}

#[test]
fn json_that_is_cut_off_every_time_is_told_as_such() {
    let (_portal, workplace) = faulty(&json!({"truncate": true}));
    let texts = ["contacts", "the connection ended before the answer did", "hint:"];
    workplace.run(&["sync", "--once"]).fails(3, &texts);
}

#[test]
fn json_that_is_cut_off_once_is_read_again() {
    let portal = Portal::with_contacts(300);
    let fault = json!([{"match": {"method": "GET", "path": "/crm/objects/*"}, "times": 1, "action": {"truncate": true}}]);
    portal.post("/_emulator/faults", &fault);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    workplace.run(&["sync", "--once"]).ok();
    crate::support::copy::assert_equals_truth(&workplace.path("hubspot.db"), &portal, "contacts");
}

#[test]
fn a_page_that_repeats_ends_the_run_instead_of_looping() {
    let (_portal, workplace) = faulty(&json!({"repeatPage": true}));
    workplace
        .run(&["sync", "--once"])
        .fails(1, &["contacts", "again"]);
}

#[test]
fn a_named_connection_goes_before_the_environment() {
    let portal = Portal::with_contacts(5);
    let workplace = Workplace::new();
    workplace.write(
        "spoke.yaml",
        &format!(
            "version: 1\nconnections:\n  other: {{access_token: env:OTHER_TOKEN, base_url: {:?}}}\n  \
             third: {{access_token: env:HUBSPOT_ACCESS_TOKEN, base_url: {:?}}}\n",
            portal.url, portal.url
        ),
    );
    let run = |arguments: &[&str]| {
        let mut command = workplace.command(arguments);
        command
            .env("HUBSPOT_ACCESS_TOKEN", "pat-na1-of-somebody-else-0001")
            .env("HUBSPOT_BASE_URL", "http://127.0.0.1:1")
            .env("OTHER_TOKEN", DEFAULT_TOKEN);
        Ended::from(command.output().expect("the program starts"))
    };
    run(&["describe", "contacts", "--connection", "other"]).ok();
    run(&["describe", "contacts", "--connection", "third"]).fails(3, &["401"]);
    run(&["describe", "contacts"]).fails(2, &["several connections", "`other`", "`third`"]);
}

/// A configuration of two connections, of which the second has nobody behind it, and these streams of the first.
fn two_connections(workplace: &Workplace, url: &str, streams: &str) {
    workplace.write(
        "spoke.yaml",
        &format!(
            "version: 1\nconnections:\n  prod:\n    access_token: env:HUBSPOT_ACCESS_TOKEN\n    base_url: {url}\n  \
             spare:\n    access_token: env:HUBSPOT_ACCESS_TOKEN\n    base_url: http://127.0.0.1:1\npipelines:\n  \
             crm:\n    source:\n      hubspot: {{connection: prod, streams: {streams}}}\n    destination:\n      \
             sqlite: {{path: ./hubspot.db}}\n"
        ),
    );
}

#[test]
fn check_asks_what_each_stream_of_a_pipeline_needs() {
    let streams = "[contacts, custom_objects, cms.blogs.posts, forms, lists, list_memberships, pipelines]";
    let scopes = [
        "crm.objects.contacts.read",
        "crm.schemas.contacts.read",
        "crm.schemas.custom.read",
    ];
    for (token, fails) in [
        (Token::new(DEFAULT_TOKEN), false),
        (Token::with_scopes(DEFAULT_TOKEN, scopes), true),
    ] {
        let portal = Portal::start(Options {
            tokens: vec![token],
            ..Options::default()
        });
        let workplace = Workplace::syncing(&portal.url, streams);
        let ended = workplace.run(&["check", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON, also on failure");
        let status = |stream: &str| {
            let objects = report["objects"].as_array().unwrap();
            let found = objects.iter().find(|object| object["object"] == stream);
            found.map(|object| object["status"].clone())
        };
        for stream in ["blog_posts", "forms", "lists", "list_memberships", "pipelines"] {
            let expected = if fails { "missing_scopes" } else { "readable" };
            assert_eq!(status(stream), Some(expected.into()), "{report}");
        }
        assert_eq!(status("contacts"), Some("readable".into()), "{report}");
        match fails {
            false => drop(ended.ok()),
            true => {
                assert_eq!(report["status"], "AUTH_ERROR", "{report}");
                ended.fails(3, &["`blog_posts`", "content", "forms", "crm.lists.read"]);
            }
        }
    }
}

#[test]
fn check_says_that_definitions_are_refused() {
    let portal = Portal::with_contacts(5);
    let fault = json!([{"match": {"path": "/crm/properties/*/companies"}, "action": {"status": 403}}]);
    portal.post("/_emulator/faults", &fault);
    Workplace::syncing(&portal.url, "[contacts, companies]")
        .run(&["check"])
        .fails(3, &["`companies`"]);
}

#[test]
fn check_tests_every_connection_and_prints_json_when_one_fails() {
    let portal = Portal::with_contacts(5);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    two_connections(&workplace, &portal.url, "[contacts]");
    let ended = workplace.run(&["check", "--json"]);
    let reports: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON, also on failure");
    assert_eq!(reports[0]["status"], "ACTIVE", "{reports}");
    assert_eq!(reports[1]["status"], "ERROR", "{reports}");
    assert!(
        reports[1]["reason"].as_str().unwrap().contains("127.0.0.1:1"),
        "{reports}"
    );
    ended.fails(3, &["connection `spare`"]);

    let wrong = (
        "HUBSPOT_ACCESS_TOKEN",
        "pat-na1-99999999-0000-4000-8000-000000000000",
    );
    let refused = workplace.run_with(&["check", "prod", "--json"], wrong);
    let report: serde_json::Value = serde_json::from_str(&refused.stdout).unwrap();
    assert_eq!(report["status"], "AUTH_ERROR", "{report}");
    refused.fails(3, &["connection `prod`", "401"]);
}
