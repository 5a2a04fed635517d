//! `spoke query` as its users meet it.

use hubspot_emulator::{Counts, Options, Tier};
use serde_json::Value;

use crate::support::{Portal, Workplace};

fn portal() -> (Portal, Workplace) {
    let portal = Portal::start(Options {
        counts: Counts {
            contacts: 120,
            companies: 20,
            deals: 60,
            ..Counts::none()
        },
        tier: Tier::Unlimited,
        ..Options::default()
    });
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    (portal, workplace)
}

#[test]
fn rows_come_as_a_table_json_lines_and_csv() {
    let (_portal, workplace) = portal();
    let query = |format: &[&str]| {
        let arguments = [
            "query",
            "deals",
            "--select",
            "id,dealname,amount",
            "--sort",
            "-amount",
            "--limit",
            "3",
        ];
        workplace.run(&[&arguments[..], format].concat()).ok().stdout
    };
    let table = query(&[]);
    assert!(table.starts_with("ID ") && table.lines().count() == 4, "{table}");
    let json: Vec<Value> = serde_json::from_str(&query(&["--json"])).unwrap();
    let lines: Vec<Value> = query(&["--format", "ndjson"])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(json, lines);
    assert!(
        json[0]["amount"].as_f64() >= json[2]["amount"].as_f64() && json.len() == 3,
        "{json:?}"
    );
    let csv = query(&["--format", "csv"]);
    assert!(
        csv.starts_with("id,dealname,amount\n") && csv.lines().count() == 4,
        "{csv}"
    );
}

#[test]
fn sql_joins_counts_and_takes_parameters() {
    let (_portal, workplace) = portal();
    let sql = "SELECT count(*) AS n, min(co.id) AS id FROM contacts c JOIN contacts_companies cc ON cc.from_id = c.id \
               JOIN companies co ON co.id = cc.to_id WHERE co.id = ?";
    let found = workplace
        .run(&["query", sql, "--param", "101", "--json"])
        .ok()
        .stdout;
    let found: Vec<Value> = serde_json::from_str(&found).unwrap();
    assert!(
        found[0]["n"].as_u64() > Some(0) && found[0]["id"] == "101",
        "{found:?}"
    );
}

#[test]
fn what_is_cut_is_told() {
    let (_portal, workplace) = portal();
    let ended = workplace
        .run(&["query", "contacts", "--select", "id", "--max-rows", "2"])
        .ok();
    assert_eq!(ended.stdout.lines().count(), 3);
    assert!(
        ended.stderr.contains("more rows than these 2"),
        "{}",
        ended.stderr
    );
    let all = workplace
        .run(&["query", "contacts", "--select", "id", "--max-rows", "0"])
        .ok();
    assert!(
        all.stdout.lines().count() > 100 && all.stderr.is_empty(),
        "{}",
        all.stderr
    );
}

#[test]
fn an_explanation_shows_calls_and_makes_none() {
    let (portal, workplace) = portal();
    portal.clear_requests();
    let arguments = ["query", "deals", "--where", "amount > 100", "--explain"];
    let text = workplace.run(&arguments).ok().stdout;
    for part in [
        "deals: what a search finds",
        "POST /crm/objects/2026-03/0-3/search",
        "\"operator\":\"GT\"",
        "here: ",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let json = workplace.run(&[&arguments[..], &["--json"]].concat()).ok().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["steps"][0]["request"]["method"], "POST");
    let requests = portal.requests().to_string();
    assert!(!requests.contains("search"), "{requests}");
}

#[test]
fn wrong_questions_end_with_2_and_late_ones_with_1() {
    let (_portal, workplace) = portal();
    let fails = |arguments: &[&str], texts: &[&str]| drop(workplace.run(arguments).fails(2, texts));
    fails(
        &["query", "deals", "--where", "amuont > 5"],
        &["`amuont` in `deals`", "did you mean `amount`?"],
    );
    fails(&["query", "deels"], &["there is no table `deels`", "`deals`"]);
    fails(&["query", "DELETE FROM deals"], &["`DELETE` is not a `SELECT`"]);
    fails(
        &["query", "SELECT 1 FROM deals", "--limit", "5"],
        &["`--limit` goes with an object"],
    );
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    workplace
        .run(&["query", endless, "--timeout", "200ms"])
        .fails(1, &["took longer than 200 milliseconds"]);
}
