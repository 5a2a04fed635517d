//! `spoke actions`, and the commands that cannot be undone: `merge`, `gdpr-delete`.

use serde_json::{Value, json};

use crate::support::spoke::Ended;
use crate::support::{Portal, Workplace};

fn run(portal: &Portal, arguments: &[&str]) -> Ended {
    Workplace::new().run_with(arguments, ("HUBSPOT_BASE_URL", &portal.url))
}

fn act(portal: &Portal, arguments: &[&str]) -> Value {
    run(portal, &[&["actions", "run"], arguments].concat())
        .ok()
        .json()
}

fn record(portal: &Portal, object: &str, id: &str) -> Value {
    let truth = portal.get(&format!("/_emulator/truth/{object}"));
    let records = truth
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a record a line"));
    records
        .into_iter()
        .find(|record| record["id"] == id)
        .expect("the record was there once")
}

/// The ids of the first live records.
fn ids(portal: &Portal, object: &str) -> Vec<String> {
    let live = portal.live(object);
    live.iter()
        .map(|record| record["id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn actions_are_listed_and_described_without_an_account() {
    let workplace = Workplace::new();
    let run = |arguments: &[&str]| {
        let mut command = workplace.command(&[&["actions"], arguments].concat());
        Ended::from(
            command
                .env_remove("HUBSPOT_ACCESS_TOKEN")
                .output()
                .expect("the program starts"),
        )
    };
    let all = run(&["list", "--json"]).ok().json();
    let names: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action["name"].as_str().unwrap())
        .collect();
    for name in [
        "property.create",
        "schema.archive",
        "stage.update",
        "association.create_many",
        "record.gdpr_delete",
    ] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    let shown = run(&["describe", "schema.create"]).ok().stdout;
    for text in [
        "Makes a custom object type",
        "properties[].name",
        "needed",
        "labels.singular",
    ] {
        assert!(shown.contains(text), "{text:?} is not in {shown}");
    }
    let described = run(&["describe", "record.merge", "--json"]).ok().json();
    assert_eq!(
        described["input"]["required"],
        json!(["object", "primary", "other"])
    );
    assert_eq!(
        (&described["effect"], &described["input"]["additionalProperties"]),
        (&json!("irreversible"), &json!(false))
    );
    run(&["describe", "record.merg"]).fails(2, &["did you mean `record.merge`?"]);
}

#[test]
fn input_is_json_a_file_or_values_by_key() {
    let portal = Portal::with_contacts(10);
    let made = act(&portal, &["list.create", "object=contacts", "name=By key"]);
    assert_eq!(
        (&made["name"], &made["processingType"]),
        (&json!("By key"), &json!("MANUAL"))
    );
    let made = act(
        &portal,
        &[
            "list.create",
            r#"{"object": "contacts", "name": "overwritten"}"#,
            "name=By JSON",
        ],
    );
    assert_eq!(made["name"], "By JSON");
    let workplace = Workplace::new();
    workplace.write("list.yaml", "object: contacts\nname: By file\n");
    let from = ["actions", "run", "list.create", "--from", "list.yaml"];
    let made = workplace
        .run_with(&from, ("HUBSPOT_BASE_URL", &portal.url))
        .ok()
        .json();
    let (id, contacts) = (
        made["listId"].as_str().unwrap().to_owned(),
        ids(&portal, "contacts"),
    );
    let members = format!("recordIds={},{},999999999", contacts[0], contacts[1]);
    let changed = act(&portal, &["list.add_members", &format!("id={id}"), &members]);
    assert_eq!(changed["missing"], json!(["999999999"]));
    let members = act(&portal, &["list.members", &format!("id={id}")]);
    assert_eq!(members.as_array().map(Vec::len), Some(2), "{members}");
}

#[test]
fn wrong_input_is_told_with_its_place_and_nothing_is_sent() {
    let portal = Portal::with_contacts(1);
    let cases: [(&[&str], &str); 6] = [
        (&["property.creat"], "did you mean `property.create`?"),
        (
            &["property.create", "object=contacts", "nmae=x"],
            "unknown key `nmae`; did you mean `name`?",
        ),
        (&["property.create", "name=x"], "`object` is missing"),
        (
            &[
                "property.create",
                "object=contacts",
                "name=x",
                "displayOrder=first",
            ],
            "`displayOrder` is `first`, and should be a number",
        ),
        (
            &["stage.create", r#"{"object": "deals", "pipeline": 7}"#],
            "`pipeline` is `7`, and should be text",
        ),
        (&["list.create", "{"], "the input is no JSON object"),
    ];
    for (arguments, text) in cases {
        run(&portal, &[&["actions", "run"], arguments].concat()).fails(2, &[text]);
    }
    assert_eq!(portal.requests()["total"], 0);
}

#[test]
fn pipelines_and_stages_are_made_changed_and_deleted() {
    let portal = Portal::with_contacts(1);
    let new = r#"{"object": "deals", "label": "Fair", "stages": [{"label": "Met", "metadata": {"probability": 0.1}}]}"#;
    let pipeline = act(&portal, &["pipeline.create", new]);
    let id = format!("id={}", pipeline["id"].as_str().unwrap());
    let of = format!("pipeline={}", pipeline["id"].as_str().unwrap());
    let stage = act(
        &portal,
        &[
            "stage.create",
            "object=deals",
            &of,
            "label=Won",
            r#"metadata={"probability": 1}"#,
        ],
    );
    assert_eq!(
        (&stage["displayOrder"], &stage["metadata"]["isClosed"]),
        (&json!(1), &json!("true"))
    );
    let stage = format!("id={}", stage["id"].as_str().unwrap());
    let changed = act(
        &portal,
        &[
            "stage.update",
            "object=deals",
            &of,
            &stage,
            "label=Lost",
            "metadata.probability=0.0",
        ],
    );
    assert_eq!(
        (&changed["label"], &changed["metadata"]["probability"]),
        (&json!("Lost"), &json!("0.0"))
    );
    act(
        &portal,
        &["pipeline.update", "object=deals", &id, "label=Trade fair"],
    );
    run(
        &portal,
        &["actions", "run", "stage.archive", "object=deals", &of, &stage],
    )
    .fails(2, &["add `--yes`"]);
    act(&portal, &["stage.archive", "object=deals", &of, &stage, "--yes"]);
    let all = act(&portal, &["pipeline.list", "object=deals"]);
    let made = all
        .as_array()
        .unwrap()
        .iter()
        .find(|pipeline| pipeline["label"] == "Trade fair")
        .unwrap();
    assert_eq!(made["stages"].as_array().map(Vec::len), Some(1), "{made}");
    act(&portal, &["pipeline.archive", "object=deals", &id, "--yes"]);
    run(&portal, &["actions", "run", "pipeline.list", "object=contacts"])
        .fails(2, &["`contacts` have no pipelines", "deals"]);
}

#[test]
fn every_other_action_is_reached_by_its_name() {
    let portal = Portal::with_contacts(20);
    let (contacts, companies) = (ids(&portal, "contacts"), ids(&portal, "companies"));
    let (from, to) = (
        format!("fromId={}", contacts[0]),
        format!("toId={}", companies[0]),
    );
    let pair = ["fromObject=contacts", "toObject=companies", &from, &to];
    assert_eq!(
        act(
            &portal,
            &[
                &["association.create"],
                pair.as_slice(),
                &["label=Billing contact"]
            ]
            .concat()
        )["done"],
        1
    );
    assert_eq!(
        act(&portal, &[&["association.remove"], pair.as_slice()].concat())["done"],
        1
    );
    act(
        &portal,
        &[
            "schema.create",
            "name=car",
            r#"properties=[{"name": "vin"}]"#,
            "labels.singular=Car",
        ],
    );
    let linked = act(&portal, &["schema.associate", "object=car", "to=contacts"]);
    act(
        &portal,
        &[
            "schema.dissociate",
            "object=car",
            &format!("id={}", linked["id"].as_str().unwrap()),
            "--yes",
        ],
    );
    let table = json!({"name": "offices", "label": "Offices", "columns": []});
    let made: Value = serde_json::from_str(&portal.post("/cms/v3/hubdb/tables", &table)).unwrap();
    let id = format!("table={}", made["id"].as_str().unwrap());
    assert_eq!(act(&portal, &["hubdb_table.publish", &id])["name"], "offices");
    assert!(portal.get("/_emulator/truth/hubdb_tables").contains("offices"));
    run(&portal, &["actions", "run", "hubdb_table.publish", "table=77"])
        .fails(1, &["there is no HubDB table `77`"]);
}

#[test]
fn a_merge_shows_both_asks_and_tells_what_is_left() {
    let portal = Portal::with_contacts(20);
    let contacts = ids(&portal, "contacts");
    let pair = ["merge", "contacts", &contacts[0], &contacts[1]];
    let refused = run(&portal, &pair).fails(
        2,
        &[
            "keeps its values",
            "becomes part of it",
            "for good",
            "add `--yes`",
        ],
    );
    assert!(
        refused.stderr.contains(&format!("contact {}", contacts[1])),
        "{}",
        refused.stderr
    );
    assert_eq!(
        record(&portal, "contacts", &contacts[0])["state"],
        "live",
        "nothing was done"
    );
    let merged = run(&portal, &[pair.as_slice(), &["--yes", "--json"]].concat())
        .ok()
        .json();
    let left = merged["id"].as_str().unwrap();
    assert_eq!(record(&portal, "contacts", left)["state"], "live");
    assert_eq!(record(&portal, "contacts", &contacts[1])["mergedInto"], left);
    let again = run(&portal, &[pair.as_slice(), &["--yes"]].concat());
    again.fails(2, &["are the same record", left]);
    run(&portal, &["merge", "contacts", left, "999999999", "--yes"])
        .fails(1, &["there is no contact `999999999`"]);
    run(&portal, &["merge", "products", "1", "2", "--yes"])
        .fails(2, &["cannot merge products", "it can merge contacts, companies"]);
}

#[test]
fn an_erasure_is_confirmed_and_an_unknown_address_is_blocked() {
    let portal = Portal::with_contacts(20);
    let id = &*ids(&portal, "contacts")[0];
    let erase = ["gdpr-delete", "contacts", id];
    run(&portal, &erase).fails(2, &["is erased for good", "add `--yes`"]);
    assert_eq!(
        record(&portal, "contacts", id)["state"],
        "live",
        "nothing was done"
    );
    run(&portal, &[erase.as_slice(), &["--yes"]].concat()).ok();
    assert_eq!(record(&portal, "contacts", id)["state"], "purged");
    run(&portal, &[erase.as_slice(), &["--yes"]].concat())
        .fails(1, &[&format!("there is no contact `{id}`")]);

    let by = ["gdpr-delete", "contacts", "--by", "email=nobody@example.com"];
    run(&portal, &by).fails(2, &["no contact has `nobody@example.com`", "blocklist"]);
    let done = run(&portal, &[by.as_slice(), &["--yes", "--json"]].concat())
        .ok()
        .json();
    assert_eq!((&done["erased"], &done["blocked"]), (&json!(false), &json!(true)));
    run(&portal, &["gdpr-delete", "companies", "1", "--yes"])
        .fails(2, &["cannot erase companies", "contacts"]);
    run(&portal, &["gdpr-delete", "contacts"]).fails(2, &["--by"]);
}
