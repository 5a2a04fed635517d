//! `spoke associate`: pairs of records and their labels.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::spoke::Ended;
use crate::support::{Portal, Workplace};

/// A folder in which commands talk to the portal.
fn run(workplace: &Workplace, portal: &Portal, arguments: &[&str]) -> Ended {
    workplace.run_with(
        &[&["associate"], arguments].concat(),
        ("HUBSPOT_BASE_URL", &portal.url),
    )
}

/// Ids of live records, as many as there are.
fn ids(portal: &Portal, object: &str) -> Vec<String> {
    let records = portal.live(object);
    records
        .iter()
        .map(|record| record["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// The types of association between two records.
fn types(portal: &Portal, from: &str, to: &str) -> Vec<u64> {
    let truth = portal.get("/_emulator/truth/associations/contacts/companies");
    let pairs = truth
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a pair a line"));
    let mut found: Vec<_> = pairs
        .filter(|pair| pair["fromId"] == from && pair["toId"] == to)
        .map(|pair| pair["typeId"].as_u64().expect("a number"))
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn two_records_are_associated_with_a_label_and_without() {
    let (portal, workplace) = (Portal::with_contacts(20), Workplace::new());
    let (contacts, companies) = (ids(&portal, "contacts"), ids(&portal, "companies"));
    let (contact, company) = (&*contacts[0], &*companies[0]);
    let pair = ["contacts", contact, "companies", company];
    let run = |more: &[&str]| run(&workplace, &portal, &[&pair, more].concat());
    run(&["--remove"]).ok();
    assert_eq!(types(&portal, contact, company), [0; 0]);
    run(&[]).ok();
    assert_eq!(types(&portal, contact, company), [279]);
    run(&["--label", "billing CONTACT"]).ok();
    assert_eq!(types(&portal, contact, company), [279, 931]);
    run(&["--type", "931", "--remove"]).ok();
    assert_eq!(types(&portal, contact, company), [279], "only the label is gone");
    run(&["--label", "Biling contact"]).fails(
        2,
        &[
            "no label `Biling contact`",
            "did you mean `Billing contact`?",
            "279 (no label)",
        ],
    );
    run(&["--type", "280"]).fails(2, &["no type 280 of associations from contacts to companies"]);
    run(&["--remove"]).ok();
    assert_eq!(types(&portal, contact, company), [0; 0]);
}

#[test]
fn records_are_named_by_what_people_know_of_them() {
    let (portal, workplace) = (Portal::with_contacts(50), Workplace::new());
    let contact = portal
        .live("contacts")
        .into_iter()
        .find(|contact| contact["properties"]["email"].is_string());
    let contact = contact.expect("a contact with an address");
    let company = portal
        .live("companies")
        .into_iter()
        .find(|company| company["properties"]["domain"].is_string());
    let company = company.expect("a company with a domain");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (email, domain) = (
        text(&contact["properties"]["email"]),
        text(&company["properties"]["domain"]),
    );
    let by = [
        "--from-by",
        "email",
        "--to-by",
        "domain",
        "--label",
        "Billing contact",
    ];
    let pair = ["contacts", &email.to_uppercase(), "companies", &domain];
    run(&workplace, &portal, &[pair.as_slice(), &by].concat()).ok();
    assert!(types(&portal, &text(&contact["id"]), &text(&company["id"])).contains(&931));

    let nobody = ["contacts", "nobody@example.com", "companies", &domain];
    run(&workplace, &portal, &[nobody.as_slice(), &by].concat())
        .fails(1, &["there is no contact with email `nobody@example.com`"]);
    let twin = json!({"properties": {"name": "A twin", "domain": domain}});
    portal.post("/crm/v3/objects/companies", &twin);
    let pair = ["contacts", &email, "companies", &domain];
    run(&workplace, &portal, &[pair.as_slice(), &by].concat()).fails(1, &["several records (company "]);
}

#[test]
fn a_file_is_associated_two_thousand_pairs_a_call_and_refused_pairs_are_named() {
    let (portal, workplace) = (Portal::with_contacts(2_100), Workplace::new());
    let company = ids(&portal, "companies").remove(0);
    let contacts = ids(&portal, "contacts");
    assert!(contacts.len() > 2_000);
    let mut file = "from_id,to_id,type_id,category,label\n".to_owned();
    for contact in &contacts {
        writeln!(file, "{contact},{company},931,HUBSPOT_DEFINED,Billing contact").unwrap();
    }
    file.push_str("999999999,101,,,\nx,101,,,\n");
    workplace.write("pairs.csv", &file);
    let ended = run(
        &workplace,
        &portal,
        &["contacts", "companies", "--from", "pairs.csv", "--json"],
    );
    let report = ended
        .fails(1, &[&format!("2 of {} pairs were refused", contacts.len() + 2)])
        .json();
    assert_eq!(report["done"], contacts.len());
    let failed: Vec<_> = report["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failed| &failed["fromId"])
        .collect();
    assert_eq!(failed, ["x", "999999999"]);
    let routes = portal.requests();
    let creates = &routes["byRoute"]["POST /crm/associations/2026-03/{type}/{to}/batch/create"];
    assert_eq!(creates, &json!({"201": 1, "207": 1}), "{routes}");
    assert!(types(&portal, &contacts[2_000], &company).contains(&931));
}

#[test]
fn of_a_batch_that_is_refused_as_a_whole_only_the_pair_to_blame_is_left_out() {
    let (portal, workplace) = (Portal::with_contacts(50), Workplace::new());
    let company = ids(&portal, "companies").remove(0);
    let contacts = ids(&portal, "contacts");
    let mut file = "from_id,to_id\n".to_owned();
    // More digits than any id has: HubSpot cannot even look for it.
    for contact in contacts
        .iter()
        .map(String::as_str)
        .chain(["99999999999999999999999"])
    {
        writeln!(file, "{contact},{company}").unwrap();
    }
    workplace.write("pairs.csv", &file);
    let arguments = ["contacts", "companies", "--from", "pairs.csv", "--json"];
    let report = run(&workplace, &portal, &arguments).fails(1, &["1 of "]).json();
    assert_eq!(report["done"], contacts.len());
    assert_eq!(report["failed"][0]["fromId"], "99999999999999999999999");
    assert!(
        contacts
            .iter()
            .all(|contact| types(&portal, contact, &company).contains(&279))
    );
}

#[test]
fn json_lines_are_read_from_standard_input_and_ended_again() {
    let (portal, workplace) = (Portal::with_contacts(20), Workplace::new());
    let (contacts, companies) = (ids(&portal, "contacts"), ids(&portal, "companies"));
    let lines = format!(
        "{{\"from_id\": {}, \"to_id\": \"{}\"}}\n{{\"from_id\": \"{}\", \"to_id\": {}, \"label\": \"Billing contact\"}}\n",
        contacts[0], companies[0], contacts[1], companies[1]
    );
    workplace.write("pairs.ndjson", &lines);
    let pipe = |more: &[&str]| {
        let mut command =
            workplace.command(&[&["associate", "contacts", "companies", "--from", "-"], more].concat());
        let file = std::fs::File::open(workplace.path("pairs.ndjson")).unwrap();
        command.env("HUBSPOT_BASE_URL", &portal.url).stdin(file);
        Ended::from(command.output().expect("the program starts"))
    };
    let shown = pipe(&[]).ok().stdout;
    assert_eq!(shown, "2 pairs are associated\n");
    assert!(types(&portal, &contacts[1], &companies[1]).contains(&931));
    pipe(&["--remove"]).ok();
    assert!(!types(&portal, &contacts[1], &companies[1]).contains(&931));
    assert_eq!(types(&portal, &contacts[0], &companies[0]), [0; 0]);
    workplace.write("pairs.ndjson", "from,to_id\n1,2\n");
    pipe(&[]).fails(2, &["unknown column `from`; did you mean `from_id`?"]);
}

#[test]
fn labels_are_made_named_anew_and_deleted() {
    let (portal, workplace) = (Portal::with_contacts(5), Workplace::new());
    let labels = |words: &[&str]| run(&workplace, &portal, &[&["labels"], words].concat());
    let made = labels(&[
        "create",
        "contacts",
        "companies",
        "Manager",
        "--inverse",
        "Managed by",
        "--json",
    ])
    .ok()
    .json();
    assert_eq!(
        (&made[0]["label"], &made[1]["label"]),
        (&json!("Manager"), &json!("Managed by"))
    );
    let id = made[0]["typeId"].to_string();
    labels(&["update", "contacts", "companies", &id, "Boss"]).ok();
    let shown = labels(&["contacts", "companies"]).ok().stdout;
    assert!(
        shown.contains("Boss") && shown.contains("(no label)") && !shown.contains("Manager"),
        "{shown}"
    );
    labels(&["delete", "contacts", "companies", &id]).fails(2, &["for good", "add `--yes`"]);
    labels(&["delete", "contacts", "companies", &id, "--yes"]).ok();
    assert!(!labels(&["contacts", "companies"]).ok().stdout.contains("Boss"));
    run(&workplace, &portal, &["contacts", "1", "companies"])
        .fails(2, &["two records, each with an object type and an id"]);
    run(&workplace, &portal, &["labels"]).fails(2, &["<FROM>"]);
}
