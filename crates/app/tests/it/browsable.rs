//! `browsable`: a connection shows and reaches what it names, and nothing else.

use crate::support::{Portal, Workplace};

/// A folder whose connection is restricted, with a pipeline of `streams`.
fn restricted(portal: &Portal, browsable: &str, streams: &str) -> Workplace {
    let workplace = Workplace::syncing(&portal.url, streams);
    let written = std::fs::read_to_string(workplace.path("spoke.yaml")).expect("the file is there");
    let restricted = written.replace("base_url:", &format!("browsable: {browsable}, base_url:"));
    workplace.write("spoke.yaml", &restricted);
    workplace
}

#[test]
fn only_what_is_named_is_listed_and_reached() {
    let portal = Portal::with_contacts(5);
    let workplace = restricted(&portal, "[contact, '0-2']", "[contacts]");
    let listed = workplace.run(&["objects", "--json"]).ok().json();
    let names: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|object| object["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["contacts", "companies"]);
    workplace.run(&["describe", "companies"]).ok();
    portal.clear_requests();
    for command in [
        ["describe", "deals"].as_slice(),
        &["get", "0-3", "1"],
        &["create", "deals", "dealname=x"],
        &["delete", "deals", "1"],
        &["create", "contacts", "email=a@b.cd", "--associate", "x=deals"],
    ] {
        workplace.run(command).fails(
            2,
            &[
                "connection `prod`",
                "`deals` is outside",
                "`browsable` names `contact`, `0-2`",
            ],
        );
    }
    assert_eq!(portal.requests()["total"], 0, "HubSpot was not asked");
    for question in [
        "SELECT * FROM deals",
        "SELECT 1 FROM contacts JOIN contacts_deals ON from_id = contacts.id",
        "SELECT * FROM owners",
    ] {
        workplace
            .run(&["query", question])
            .fails(2, &["is outside", "browsable"]);
    }
}

#[test]
fn a_pipeline_that_reads_more_is_refused_before_anything_is_called() {
    let portal = Portal::with_contacts(5);
    for (streams, outside) in [
        ("[contacts, deals]", "`deals` is outside"),
        ("[contacts, owners]", "`owners` is outside"),
        (
            "[{name: contacts, associations: [tickets]}]",
            "`tickets` is outside",
        ),
        ("[contacts, custom_objects]", "`custom_objects` is outside"),
    ] {
        let workplace = restricted(&portal, "[contacts]", streams);
        for command in [["config", "validate"], ["sync", "--once"]] {
            workplace
                .run(&command)
                .fails(2, &["pipeline `crm`", outside, "browsable"]);
        }
    }
    let workplace = restricted(&portal, "[contacts, owners]", "[contacts, owners]");
    workplace.run(&["sync", "--once"]).ok();
    restricted(&portal, "[]", "[contacts]")
        .run(&["config", "validate"])
        .fails(2, &["`browsable` is empty"]);
}
