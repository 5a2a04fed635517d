//! `--bulk`: rows by HubSpot's imports.

use serde_json::{Value, json};

use crate::support::spoke::Ended;
use crate::support::{Portal, Workplace};

/// First names by address.
fn names(portal: &Portal) -> Vec<(String, String)> {
    let text =
        |record: &Value, name: &str| record["properties"][name].as_str().unwrap_or_default().to_owned();
    let live = portal.live("contacts");
    let mut names: Vec<_> = live
        .iter()
        .map(|record| (text(record, "email"), text(record, "firstname")))
        .collect();
    names.sort();
    names
}

fn at(portal: &Portal, arguments: &[&str], workplace: &Workplace) -> Ended {
    workplace.run_with(arguments, ("HUBSPOT_BASE_URL", &portal.url))
}

#[test]
fn rows_are_imported_and_each_is_told_of() {
    let (portal, workplace) = (Portal::with_contacts(0), Workplace::new());
    workplace.write(
        "people.csv",
        "email,firstname\na@x.example,Ann\nwrong,Bob\nc@x.example,Cid\n",
    );
    let lost = json!({"match": {"method": "POST", "path": "/crm/imports/*"}, "times": 1, "action": {"failAfterWrite": true}});
    portal.post("/_emulator/faults", &lost);
    let upsert = ["upsert", "contacts", "--from", "people.csv", "--bulk", "--json"];
    let ended = at(&portal, &upsert, &workplace).fails(1, &["1 of 3 rows were refused", "import 70001 done"]);
    let told = ended.json();
    assert_eq!((&told["created"], &told["refused"]), (&json!(2), &json!(1)));
    assert_eq!(told["rows"][0]["line"], 3);
    let rejected = std::fs::read_to_string(workplace.path("people.rejected.csv")).expect("a file");
    assert!(rejected.contains("wrong,Bob,3,"), "{rejected}");
    let imported = names(&portal);
    let pair = |email: &str, name: &str| (email.to_owned(), name.to_owned());
    assert_eq!(imported, [pair("a@x.example", "Ann"), pair("c@x.example", "Cid")]);

    let id = portal.live("contacts")[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    workplace.write(
        "more.csv",
        &format!("id,email,firstname\n{id},,Anna\n,c@x.example,Cora\n"),
    );
    let update = ["update", "contacts", "--from", "more.csv", "--bulk"];
    let ended = at(&portal, &update, &workplace).ok();
    assert!(ended.stderr.contains("contacts: 2 updated"), "{}", ended.stderr);
    assert_eq!(
        names(&portal),
        [pair("a@x.example", "Anna"), pair("c@x.example", "Cora")]
    );
}

#[test]
fn what_an_import_cannot_do_is_refused_before_anything_is_read() {
    let (portal, workplace) = (Portal::with_contacts(0), Workplace::new());
    for more in [&["--associate", "firm=companies"][..], &["--clear-empty"]] {
        let arguments = [&["upsert", "contacts", "email=a@x.example", "--bulk"], more].concat();
        at(&portal, &arguments, &workplace).fails(2, &[more[0], "exclude each other"]);
    }
    let contracts = ["create", "contracts", "hs_name=x", "--bulk"];
    let refused = at(&portal, &contracts, &workplace);
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    assert_eq!(
        portal.requests()["byRoute"]["POST /crm/imports/2026-03"],
        Value::Null
    );
}

#[test]
fn a_token_without_the_scope_is_told_of_and_no_row_is_lost() {
    let portal = Portal::start(hubspot_emulator::Options {
        counts: hubspot_emulator::Counts::none(),
        tokens: vec![hubspot_emulator::Token::with_scopes(
            hubspot_emulator::DEFAULT_TOKEN,
            ["crm.objects.contacts.read", "crm.objects.contacts.write"],
        )],
        ..hubspot_emulator::Options::default()
    });
    let workplace = Workplace::new();
    workplace.write("people.csv", "email\na@x.example\nb@x.example\n");
    let arguments = ["upsert", "contacts", "--from", "people.csv", "--bulk"];
    at(&portal, &arguments, &workplace).fails(3, &["crm.import", "2 rows were not written"]);
    let rejected = std::fs::read_to_string(workplace.path("people.rejected.csv")).expect("a file");
    assert_eq!(rejected.lines().count(), 3, "{rejected}");
}
