//! `spoke sync --once`: the main job.

use hubspot_emulator::{Counts, Options, Tier};
use serde_json::{Value, json};

use crate::support::copy::{assert_associations_equal_truth, assert_equals_truth, number};
use crate::support::{Portal, Workplace};

const EVERYTHING: &str = "[contacts, companies, deals, tickets, products, line_items, owners, pipelines, pipeline_stages, properties]";

fn whole_portal() -> Portal {
    Portal::with(Counts {
        contacts: 700,
        companies: 150,
        deals: 400,
        tickets: 200,
        products: 40,
        ..Counts::none()
    })
}

#[test]
fn every_object_arrives_as_hubspot_has_it() {
    let portal = whole_portal();
    let workplace = Workplace::syncing(&portal.url, EVERYTHING);
    workplace.run(&["sync", "--once"]).ok();
    let database = workplace.path("hubspot.db");
    for object in [
        "contacts",
        "companies",
        "deals",
        "tickets",
        "products",
        "line_items",
    ] {
        assert_equals_truth(&database, &portal, object);
    }
    for (from, to) in [
        ("contacts", "companies"),
        ("contacts", "deals"),
        ("companies", "deals"),
        ("deals", "line_items"),
    ] {
        assert_associations_equal_truth(&database, &portal, from, to);
    }
    for table in ["owners", "pipelines", "pipeline_stages", "properties"] {
        assert!(
            number(&database, &format!("SELECT count(*) FROM {table}")) > 0,
            "{table} is empty"
        );
    }
}

#[test]
fn a_contact_with_more_than_a_hundred_deals_keeps_them_all() {
    let portal = whole_portal();
    let workplace = Workplace::syncing(&portal.url, "[contacts, deals]");
    workplace.run(&["sync", "--once"]).ok();
    let database = workplace.path("hubspot.db");
    assert_associations_equal_truth(&database, &portal, "contacts", "deals");
    let most = "SELECT max(n) FROM (SELECT count(DISTINCT to_id) n FROM contacts_deals GROUP BY from_id)";
    assert!(number(&database, most) > 100, "the portal has the hard case");
}

#[test]
fn a_second_run_brings_creates_updates_and_archives() {
    let portal = Portal::with_contacts(400);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let database = workplace.path("hubspot.db");
    workplace.run(&["sync", "--once"]).ok();
    let before = number(&database, "SELECT count(*) FROM contacts");
    for changes in [json!({"update": 50, "archive": 12}), json!({"create": 30})] {
        let mut changes = changes;
        changes["objectType"] = "contacts".into();
        changes["seed"] = 7.into();
        portal.post("/_emulator/mutate", &changes);
    }
    workplace.run(&["sync", "--once"]).ok();
    assert_equals_truth(&database, &portal, "contacts");
    assert_eq!(
        number(&database, "SELECT count(*) FROM contacts"),
        before + 30,
        "archived rows stay"
    );
    assert_eq!(
        number(&database, "SELECT count(*) FROM contacts WHERE _archived"),
        12
    );
}

#[test]
fn hard_deletes_remove_the_row() {
    let portal = Portal::with_contacts(200);
    let destination = "sqlite: {path: hubspot.db, deletes: hard}";
    let workplace = Workplace::with_destination(&portal.url, "[contacts]", destination);
    workplace.run(&["sync", "--once"]).ok();
    portal.post(
        "/_emulator/mutate",
        &json!({"objectType": "contacts", "seed": 7, "archive": 12}),
    );
    workplace.run(&["sync", "--once"]).ok();
    assert_equals_truth(&workplace.path("hubspot.db"), &portal, "contacts");
    assert_eq!(
        number(
            &workplace.path("hubspot.db"),
            "SELECT count(*) FROM contacts WHERE _archived"
        ),
        0
    );
}

#[test]
fn the_limits_of_the_pro_tier_are_kept() {
    let counts = Counts {
        contacts: 20_000,
        companies: 1,
        line_items: Some(0),
        ..Counts::none()
    };
    let portal = Portal::start(Options {
        counts,
        tier: Tier::Pro,
        ..Options::default()
    });
    let workplace = Workplace::syncing(&portal.url, "[contacts, companies]");
    workplace.run(&["sync", "--once"]).ok();
    let requests = portal.requests();
    assert_eq!(requests["rateLimited"], 0, "{requests}");
    let contacts = portal.calls("contacts");
    assert!(
        contacts <= 20_000 / 100 + 20,
        "{contacts} calls for 20,000 contacts: {requests}"
    );
}

#[test]
fn only_the_selected_properties_become_columns() {
    let portal = Portal::with_contacts(20);
    let workplace = Workplace::syncing(&portal.url, "[{name: contacts, properties: [email, firstname]}]");
    workplace.run(&["sync", "--once"]).ok();
    let columns = number(
        &workplace.path("hubspot.db"),
        "SELECT count(*) FROM pragma_table_info('contacts') WHERE name IN ('email', 'firstname')",
    );
    assert_eq!(columns, 2);
    let others = number(
        &workplace.path("hubspot.db"),
        "SELECT count(*) FROM pragma_table_info('contacts') WHERE name = 'lastname'",
    );
    assert_eq!(others, 0);
}

#[test]
fn json_lines_hold_every_record_once() {
    let portal = Portal::with_contacts(250);
    let workplace = Workplace::with_destination(&portal.url, "[contacts]", "ndjson: {dir: records}");
    workplace.run(&["sync", "--once"]).ok();
    let text = std::fs::read_to_string(workplace.path("records/contacts.ndjson")).unwrap();
    let ids: Vec<_> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["key"]["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let live = portal.live("contacts").len();
    assert_eq!(ids.len(), live);
    assert_eq!(
        ids.iter().collect::<std::collections::BTreeSet<_>>().len(),
        live,
        "none twice"
    );
}

#[test]
fn the_summary_is_json_when_asked() {
    let portal = Portal::with_contacts(20);
    let workplace = Workplace::syncing(&portal.url, "[contacts]");
    let report = workplace.run(&["sync", "--once", "--json"]).ok().json();
    assert_eq!(report[0]["pipeline"], "crm");
    assert_eq!(report[0]["streams"][0]["stream"], "contacts");
}

/// A portal whose token may read companies and nothing else.
fn narrow_portal() -> Portal {
    let scopes = ["crm.objects.companies.read", "crm.schemas.companies.read"];
    Portal::start(Options {
        counts: Counts {
            contacts: 5,
            companies: 5,
            deals: 5,
            ..Counts::none()
        },
        tokens: vec![hubspot_emulator::Token::with_scopes(
            hubspot_emulator::DEFAULT_TOKEN,
            scopes,
        )],
        ..Options::default()
    })
}

#[test]
fn every_stream_that_was_refused_is_named_beside_what_was_written() {
    let portal = narrow_portal();
    let workplace = Workplace::syncing(&portal.url, "[contacts, companies, deals, owners]");
    let ended = workplace.run(&["sync", "--once"]).fails(
        3,
        &[
            "3 streams could not be read: `contacts`, `deals`, `owners`",
            "crm.objects.contacts.read",
            "crm.objects.deals.read",
            "crm.objects.owners.read",
        ],
    );
    for text in ["crm: failed in", "contacts", "deals", "owners", "5 written"] {
        assert!(ended.stdout.contains(text), "{text}: {}", ended.stdout);
    }
    let ended = workplace
        .run(&["sync", "--once", "--json"])
        .fails(3, &["3 streams"]);
    let report = &ended.json()[0];
    assert_eq!(
        (&report["ended"], &report["trouble"]["kind"]),
        (&"failed".into(), &"refused".into())
    );
    let streams = report["streams"].as_array().unwrap();
    let troubled: Vec<_> = streams
        .iter()
        .filter(|stream| stream["trouble"]["kind"] == "refused" && stream["trouble"]["hint"].is_string())
        .map(|stream| stream["stream"].as_str().unwrap())
        .collect();
    assert_eq!(troubled, ["contacts", "deals", "owners"], "{report}");
}

#[test]
fn a_pipeline_that_cannot_run_keeps_no_other_from_running_and_makes_the_exit_code() {
    let portal = Portal::with_contacts(20);
    let workplace = Workplace::new();
    let one = |name: &str, path: &str| {
        format!(
            "  {name}: {{source: {{hubspot: {{connection: prod, streams: [contacts]}}}}, \
             destination: {{sqlite: {{path: {path}}}}}}}\n"
        )
    };
    let pipelines = [one("a", "missing/a.db"), one("b", "b.db")].concat();
    workplace.write(
        "spoke.yaml",
        &format!(
            "version: 1\nconnections:\n  prod: {{access_token: env:HUBSPOT_ACCESS_TOKEN, base_url: {:?}}}\n\
             state: {{sqlite: {{path: state.db}}}}\npipelines:\n{pipelines}",
            portal.url
        ),
    );
    let ended = workplace.run(&["sync", "--once", "--json"]).fails(
        1,
        &[
            "1 of 2 pipelines ended with an error: `a`",
            "there is no directory",
        ],
    );
    let report = ended.json();
    assert_eq!(
        (&report[0]["ended"], &report[1]["ended"]),
        (&"failed".into(), &"caught_up".into())
    );
    assert_eq!(report[0]["trouble"]["kind"], "configuration");
}
