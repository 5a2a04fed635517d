//! The keys of a connection: what is said when they are wrong, and that they do what they say.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::{Portal, Workplace};

/// A workplace with one connection of these keys, and no pipeline.
fn connection(keys: &str) -> Workplace {
    let workplace = Workplace::new();
    workplace.write(
        "spoke.yaml",
        &format!("version: 1\nstate: {{sqlite: {{path: state.db}}}}\nconnections:\n  prod: {{{keys}}}\n"),
    );
    workplace
}

const TOKEN: &str = "access_token: env:HUBSPOT_ACCESS_TOKEN";
const OAUTH: &str = "oauth: {client_id: a, client_secret: literal:hunter2, refresh_token: literal:hunter3}";

#[track_caller]
fn invalid(keys: &str, texts: &[&str]) {
    let ended = connection(keys).run(&["config", "validate"]).fails(2, texts);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[test]
fn both_ways_in_or_neither_are_refused_with_what_to_write() {
    invalid(
        &format!("{TOKEN}, {OAUTH}"),
        &[
            "connection `prod`",
            "both `access_token` and `oauth`",
            "hint: keep",
        ],
    );
    invalid(
        "use: 80%",
        &[
            "connection `prod`",
            "neither `access_token` nor `oauth`",
            "hint: write",
        ],
    );
}

#[test]
fn wrong_keys_are_named_with_the_way_out() {
    let wrong: [(&str, &[&str]); 15] = [
        (
            "oauth: {clientid: a}",
            &["unknown key `clientid`", "did you mean `client_id`?"],
        ),
        (
            "oauth: {client_id: a, client_secret: hunter2, refresh_token: env:X}",
            &["must not stand in the file"],
        ),
        ("proxy: {uri: x}", &["unknown key `uri`", "did you mean `url`?"]),
        (
            "proxy: http://me:hunter2@proxy:1",
            &["`proxy` is `none`, or has keys", "{url: http://HOST:PORT}"],
        ),
        (
            "proxy: {url: 'http://me:hunter2@proxy:1'}",
            &["`proxy`", "has a user in it", "`password`"],
        ),
        ("proxy: {url: 'ftp://proxy'}", &["`proxy`", "socks5://HOST:PORT"]),
        (
            "proxy: {url: 'http://proxy', user: me}",
            &["`user` and no `password`", "write both"],
        ),
        (
            "tls: {client_cert: x.pem}",
            &["`client_cert` and no `client_key`", "`client_key: PATH`"],
        ),
        ("tls: {only_ca: true}", &["`only_ca` and no `ca`"]),
        (
            "timeouts: {conect: 5s}",
            &["unknown key `conect`", "did you mean `connect`?"],
        ),
        ("timeouts: {connect: 0s}", &["`0s`", "10s"]),
        ("max_response_size: 5kB", &["`5kB` is not a size", "256MB"]),
        (
            "api_version: 2099-12",
            &["`api_version` is `2099-12`", "valid versions", "`2026-09`"],
        ),
        ("use: 120%", &["`use` is `120%`", "80%"]),
        (
            "max_calls_per_day: 0",
            &["`max_calls_per_day` is 0", "at least 1"],
        ),
    ];
    for (keys, texts) in wrong {
        invalid(&format!("{TOKEN}, {keys}"), texts);
    }
}

#[test]
fn show_tells_the_defaults_and_no_secret() {
    let shown = connection(&format!(
        "{OAUTH}, proxy: {{url: 'http://p:1', user: me, password: literal:hunter2}}"
    ))
    .run(&["config", "show"])
    .ok()
    .stdout;
    for text in ["100%", "256MB", "literal:***", "10s", "http://p:1"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("hunter"), "{shown}");
}

#[test]
fn the_schema_describes_every_key_of_a_connection() {
    let text = Workplace::new().run(&["config", "schema"]).ok().stdout;
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys = schema["$defs"]["Connection"]["properties"].as_object().unwrap();
    for key in [
        "access_token",
        "oauth",
        "proxy",
        "tls",
        "timeouts",
        "use",
        "max_calls_per_day",
    ] {
        assert!(
            keys[key].to_string().contains("description"),
            "{key}: {}",
            keys[key]
        );
    }
}

#[test]
fn files_that_are_missing_or_no_pem_are_named_with_their_key() {
    let check = |keys: &str| {
        let workplace = connection(&format!("{TOKEN}, {keys}"));
        workplace.write("no.pem", "hunter2");
        workplace.write(
            "bad.pem",
            "-----BEGIN CERTIFICATE-----\nMTIz\n-----END CERTIFICATE-----\n",
        );
        workplace.run(&["check"])
    };
    check("tls: {ca: gone.pem}").fails(2, &["connection `prod`", "`tls.ca`", "`gone.pem`", "hint:"]);
    check("tls: {ca: no.pem}").fails(
        2,
        &["`tls.ca`", "`no.pem`", "holds no certificate", "PEM is text"],
    );
    check("tls: {ca: bad.pem}").fails(2, &["`tls.ca`", "`bad.pem`", "PEM is text"]);
    let ended = check("tls: {client_cert: no.pem, client_key: no.pem}");
    let ended = ended.fails(2, &["`tls.client_cert` and `tls.client_key`", "`no.pem`"]);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let proxy = format!("127.0.0.1:{port}");
    connection(&format!("{TOKEN}, proxy: {{url: 'http://{proxy}'}}"))
        .run(&["check"])
        .fails(3, &["connection `prod`", &proxy, "hint: check that the proxy"]);
}

#[test]
fn a_proxy_that_refuses_the_password_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let _ = connection.read(&mut [0; 1024]);
            let _ = connection.write_all(b"HTTP/1.1 407 X\r\ncontent-length: 0\r\n\r\n");
        }
    });
    let ended = connection(&format!(
        "{TOKEN}, proxy: {{url: 'http://{proxy}', user: me, password: literal:hunter2}}"
    ))
    .run(&["check"])
    .fails(3, &["connection `prod`", "refused user and password", &proxy]);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
}

/// The ceiling holds over several calls of the program, and says what it is.
#[test]
fn the_days_ceiling_is_kept_in_the_state_file() {
    let portal = Portal::with_contacts(1);
    let workplace = connection(&format!(
        "{TOKEN}, base_url: {:?}, max_calls_per_day: 25",
        portal.url
    ));
    portal.clear_requests();
    // Each takes a portion of the day; what it does not use is lost.
    workplace.run(&["get", "contacts", "1"]);
    workplace.run(&["get", "contacts", "1"]);
    workplace
        .run(&["get", "contacts", "1"])
        .fails(1, &["daily call limit", "hint:"]);
    assert!(portal.requests()["total"].as_u64().unwrap() <= 25);
}
