//! The catalog: `objects`, `describe`, `property`, `schema`.

use serde_json::{Value, json};

use crate::support::spoke::Ended;
use crate::support::{Portal, Workplace};

/// A portal, and a folder without a file in which commands talk to it.
struct Desk {
    portal: Portal,
    workplace: Workplace,
}

impl Desk {
    fn new() -> Self {
        Self {
            portal: Portal::with_contacts(20),
            workplace: Workplace::new(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.workplace
            .run_with(arguments, ("HUBSPOT_BASE_URL", &self.portal.url))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).ok().json()
    }
}

fn named<'a>(all: &'a Value, name: &str) -> &'a Value {
    let found = all
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {all}"))
}

#[test]
fn objects_tell_scopes_and_what_can_be_done() {
    let desk = Desk::new();
    let all = desk.json(&["objects"]);
    let contacts = named(&all, "contacts");
    assert_eq!(contacts["writeScope"], "crm.objects.contacts.write");
    assert_eq!(contacts["required"], "one of `email`, `firstname`, `lastname`");
    assert!(
        contacts["capabilities"].to_string().contains("gdpr_delete"),
        "{contacts}"
    );
    assert_eq!(named(&all, "contracts")["writeScope"], Value::Null);
    let shown = desk.run(&["objects"]).ok().stdout;
    assert!(
        shown.contains("read, write, search, merge, gdpr_delete"),
        "{shown}"
    );
    let deals = desk.json(&["objects", "deals"]);
    assert_eq!(deals[0]["pipelines"][0]["id"], "default", "{deals}");
}

#[test]
fn with_all_there_are_tables_of_associations_and_other_streams() {
    let desk = Desk::new();
    desk.run(&[
        "schema",
        "create",
        "car",
        "--property",
        "vin",
        "--associate",
        "deals",
    ])
    .ok();
    let all = desk.json(&["objects", "--all"]);
    assert_eq!(named(&all, "contacts_companies")["kind"], "associations");
    assert_eq!(named(&all, "deals_car")["between"], json!(["deals", "car"]));
    assert_eq!(named(&all, "owners")["kind"], "stream");
    assert!(!all.to_string().contains("products_car"));
}

#[test]
fn without_the_scope_for_schemas_the_standard_objects_are_shown_and_it_is_said() {
    let desk = Desk::new();
    let fault = json!([{"match": {"method": "GET", "path": "/crm-object-schemas/*"}, "times": 9, "action": {"status": 403}}]);
    desk.portal.post("/_emulator/faults", &fault);
    let listed = desk.run(&["objects"]).ok();
    assert!(listed.stdout.contains("contacts"), "{}", listed.stdout);
    assert!(
        listed
            .stderr
            .contains("lacks the scope `crm.schemas.custom.read`"),
        "{}",
        listed.stderr
    );
    desk.run(&["describe", "car"]).fails(
        2,
        &["there is no object or stream `car`", "crm.schemas.custom.read"],
    );
}

#[test]
fn describe_tells_what_a_new_record_needs_and_the_stages() {
    let desk = Desk::new();
    let shown = desk.run(&["describe", "deals"]).ok().stdout;
    for text in [
        "crm.objects.deals.read",
        "crm.objects.deals.write",
        "a new one needs  `dealname`, `dealstage`, `pipeline`",
        "default (Sales Pipeline, the default): appointmentscheduled (Appointment Scheduled)",
    ] {
        assert!(shown.contains(text), "{text:?} is not in {shown}");
    }
    let properties = desk.json(&["describe", "deals"]);
    assert_eq!(named(&properties, "dealname")["requiredToCreate"], true);
    assert_eq!(named(&properties, "amount")["requiredToCreate"], false);
    assert_eq!(named(&properties, "hs_object_id")["readOnly"], true);
    let shown = desk.run(&["describe", "contacts", "lifecyclestage"]).ok().stdout;
    assert!(
        shown.contains("marketingqualifiedlead  Marketing Qualified Lead"),
        "{shown}"
    );
    desk.run(&["describe", "contacts", "emial"])
        .fails(2, &["`contacts` has no property `emial`; did you mean `email`?"]);
}

#[test]
fn a_property_is_made_changed_and_archived() {
    let desk = Desk::new();
    let create = ["property", "create", "contacts", "favourite_food"];
    let about = [
        "--type",
        "enumeration",
        "--option",
        "rice=Rice",
        "--option",
        "bread",
        "--group",
        "contactinformation",
    ];
    desk.run(&[create.as_slice(), &about].concat()).ok();
    let update = ["property", "update", "contacts", "favourite_food"];
    desk.run(
        &[
            update.as_slice(),
            &["--add-option", "fish=Fresh fish", "--label", "Food"],
        ]
        .concat(),
    )
    .ok();
    let shown = desk.json(&["property", "show", "contacts", "favourite_food"]);
    assert_eq!(
        (&shown["label"], &shown["fieldType"]),
        (&json!("Food"), &json!("select"))
    );
    let options: Vec<_> = shown["options"]
        .as_array()
        .unwrap()
        .iter()
        .map(|option| &option["value"])
        .collect();
    assert_eq!(options, ["rice", "bread", "fish"]);
    let archive = ["property", "archive", "contacts", "favourite_food"];
    desk.run(&archive)
        .fails(2, &["go into the recycle bin", "add `--yes`"]);
    desk.run(&[archive.as_slice(), &["--yes"]].concat()).ok();
    desk.run(&[archive.as_slice(), &["--yes"]].concat())
        .fails(2, &["has no property `favourite_food`"]);
    let archived = desk.json(&["property", "list", "contacts", "--archived"]);
    named(&archived, "favourite_food");
}

#[test]
fn a_wrong_property_is_refused_before_anything_is_sent() {
    let desk = Desk::new();
    let create = ["property", "create", "contacts"];
    let cases: [(&[&str], &[&str]); 4] = [
        (
            &["Favourite Food"],
            &["no name for a property", "such as `favourite_food`"],
        ),
        (
            &["food", "--type", "strng"],
            &["`type` cannot be `strng`; did you mean `string`?"],
        ),
        (&["food", "--option", "=Rice"], &["VALUE=LABEL"]),
        (
            &["--from", "props.yaml"],
            &["unknown key `lable`; did you mean `label`?"],
        ),
    ];
    desk.workplace.write(
        "props.yaml",
        "- {name: a_good_one, groupName: contactinformation}\n- {name: b, lable: B}\n",
    );
    for (arguments, texts) in cases {
        desk.run(&[create.as_slice(), arguments].concat()).fails(2, texts);
    }
    assert_eq!(desk.portal.requests()["total"], 0);
    desk.run(&["property", "create", "contacts", "food"])
        .fails(2, &["`groupName` is missing", "`contactinformation`"]);
    desk.run(&[
        "property",
        "create",
        "contacts",
        "food",
        "--group",
        "contactinfomation",
    ])
    .fails(
        2,
        &["has no group of properties `contactinfomation`; did you mean `contactinformation`?"],
    );
}

#[test]
fn properties_come_from_a_file_and_flags_go_before_it() {
    let desk = Desk::new();
    desk.workplace.write(
        "props.yaml",
        "- {name: a_one, label: One}\n- {name: a_two, type: number, groupName: lifecycle}\n",
    );
    let create = [
        "property",
        "create",
        "contacts",
        "--from",
        "props.yaml",
        "--group",
        "contactinformation",
    ];
    desk.run(&create).ok();
    let all = desk.json(&["property", "list", "contacts", "--custom"]);
    assert_eq!(named(&all, "a_one")["label"], "One");
    assert_eq!(named(&all, "a_two")["type"], "number");
    assert_eq!(named(&all, "a_two")["groupName"], "contactinformation");
}

#[test]
fn groups_of_properties_are_made_changed_and_archived() {
    let desk = Desk::new();
    let group = |words: &[&str]| desk.run(&[&["property", "group"], words].concat());
    group(&["create", "contacts", "sport"]).ok();
    group(&["update", "contacts", "sport", "--label", "Sports"]).ok();
    let all = desk.json(&["property", "group", "list", "contacts"]);
    assert_eq!(named(&all, "sport")["label"], "Sports");
    group(&["update", "contacts", "sprt", "--label", "x"]).fails(2, &["did you mean `sport`?"]);
    group(&["archive", "contacts", "sport", "--yes"]).ok();
    let shown = group(&["list", "contacts"]).ok().stdout;
    assert!(!shown.contains("sport"), "{shown}");
}

#[test]
fn a_custom_object_is_made_used_and_archived() {
    let desk = Desk::new();
    let create = [
        "schema",
        "create",
        "car",
        "--property",
        "vin:string:VIN",
        "--property",
        "doors:number",
    ];
    desk.run(
        &[
            create.as_slice(),
            &["--required", "vin", "--associate", "contacts"],
        ]
        .concat(),
    )
    .ok();
    let shown = desk.run(&["schema", "show", "car"]).ok().stdout;
    for text in ["Car, Cars", "required      vin", "contacts (id "] {
        assert!(shown.contains(text), "{text:?} is not in {shown}");
    }
    assert_eq!(
        named(&desk.json(&["describe", "car"]), "vin")["requiredToCreate"],
        true
    );
    desk.run(&[
        "schema",
        "update",
        "car",
        "--plural",
        "Automobiles",
        "--searchable",
        "vin",
    ])
    .ok();
    desk.run(&["schema", "associate", "car", "deals"]).ok();
    let listed = desk.json(&["schema", "list"]);
    let car = named(&listed, "car");
    assert_eq!(
        (&car["labels"]["plural"], &car["searchableProperties"]),
        (&json!("Automobiles"), &json!(["vin"]))
    );
    desk.run(&["schema", "archive", "car"]).fails(2, &["add `--yes`"]);
    desk.run(&["schema", "archive", "car", "--yes"]).ok();
    desk.run(&["schema", "show", "car"])
        .fails(2, &["there is no object or stream `car`"]);
}

#[test]
fn a_wrong_custom_object_is_refused_before_anything_is_sent() {
    let desk = Desk::new();
    desk.workplace.write(
        "boat.json",
        r#"{"name": "boat", "properties": [{"name": "hull"}], "requiredProperties": ["hul"]}"#,
    );
    for (arguments, text) in [
        (
            ["schema", "create", "my car", "--property=vin"].as_slice(),
            "such as `my_car`",
        ),
        (&["schema", "create", "car"], "`properties` is missing"),
        (
            &["schema", "create", "--from", "boat.json"],
            "`requiredProperties` names `hul`",
        ),
        (&["schema", "show", "contacts"], "`contacts` is a standard object"),
    ] {
        desk.run(arguments).fails(2, &[text]);
    }
    assert_eq!(desk.portal.requests()["total"], 0);
}
