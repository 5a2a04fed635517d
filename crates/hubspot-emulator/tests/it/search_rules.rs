//! Search to the letter: a row of a table per rule (hubspot-api notes §1.5). The account is made by hand, so that
//! every row can name the records it finds.

use std::collections::BTreeMap;

use hubspot_emulator::{Counts, Options, Tier};
use serde_json::{Value, json};

use crate::desk::{Answer, Desk};

const CONTACTS: &str = "/crm/v3/objects/contacts/search";

/// Four contacts by first name: their values are what the rows are about.
fn people() -> [Value; 4] {
    [
        json!({"firstname": "Ann", "lastname": "Lopez-Garcia", "email": "ann@one.example", "city": "Köln", "discount_rate": "9",
            "birthday": "2000-02-29", "last_visit_at": "2024-01-17T19:55:04.281Z", "newsletter": "true", "size": "S",
            "favourite_colours": "red;blue", "phone": "+49 221 5550100", "company": "Acme"}),
        json!({"firstname": "Bob", "lastname": "garcia", "email": "bob@two.example", "city": "köln", "discount_rate": "10",
            "birthday": "2001-01-01", "last_visit_at": "2024-01-18T00:00:00.000Z", "newsletter": "false", "size": "M",
            "favourite_colours": "blue"}),
        json!({"firstname": "Cy", "lastname": "Lopez", "email": "cy@two.example", "city": "Bonn", "discount_rate": "50.5",
            "hs_additional_emails": "cyril@three.example", "favourite_colours": "red"}),
        json!({"firstname": "Dee"}),
    ]
}

struct Account {
    desk: Desk,
    /// First names by id.
    names: BTreeMap<String, String>,
    ids: BTreeMap<String, String>,
}

impl Account {
    async fn new() -> Self {
        let desk = Desk::empty();
        let (mut names, mut ids) = (BTreeMap::new(), BTreeMap::new());
        for properties in people() {
            let name = properties["firstname"].as_str().expect("a name").to_owned();
            let made = desk
                .post("/crm/v3/objects/contacts", json!({"properties": properties}))
                .await;
            assert_eq!(made.status, 201, "{}", made.text);
            let id = made.body["id"].as_str().expect("an id").to_owned();
            names.insert(id.clone(), name.clone());
            ids.insert(name, id);
            desk.post("/_emulator/clock", json!({"advance": "1s"})).await;
        }
        Self { desk, names, ids }
    }

    async fn search(&self, body: Value) -> Answer {
        self.desk.post(CONTACTS, body).await
    }

    /// The first letters of the names found, in the order of the answer.
    async fn found(&self, body: Value) -> String {
        let answer = self.search(body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let letters = answer.body["results"].as_array().expect("results").iter();
        letters
            .filter_map(|record| self.names[record["id"].as_str()?].chars().next())
            .collect()
    }
}

fn one(filter: &Value) -> Value {
    json!({"filterGroups": [{"filters": [filter]}]})
}

fn filter(property: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"propertyName": property, "operator": operator, "value": value.into()})
}

fn list(property: &str, operator: &str, values: &[&str]) -> Value {
    json!({"propertyName": property, "operator": operator, "values": values})
}

fn between(property: &str, low: &str, high: &str) -> Value {
    json!({"propertyName": property, "operator": "BETWEEN", "value": low, "highValue": high})
}

#[tokio::test]
async fn every_operator_finds_what_it_says() {
    let account = Account::new().await;
    let rows = [
        // Text is compared without regard to case.
        (filter("city", "EQ", "KÖLN"), "AB"),
        (filter("city", "NEQ", "köln"), "C"),
        (list("city", "IN", &["köln", "bonn"]), "ABC"),
        // IN and NOT_IN want lowercase.
        (list("city", "IN", &["Köln"]), ""),
        (list("city", "NOT_IN", &["köln"]), "C"),
        (list("city", "NOT_IN", &["Köln"]), "ABC"),
        (filter("city", "HAS_PROPERTY", Value::Null), "ABC"),
        (filter("city", "NOT_HAS_PROPERTY", Value::Null), "D"),
        (filter("firstname", "LT", "bob"), "A"),
        (filter("firstname", "GTE", "BOB"), "BCD"),
        // Numbers are compared as numbers; a bare one is taken too.
        (filter("discount_rate", "EQ", "9.0"), "A"),
        (filter("discount_rate", "GT", "9"), "BC"),
        (filter("discount_rate", "GTE", 10), "BC"),
        (filter("discount_rate", "LT", "10"), "A"),
        (filter("discount_rate", "LTE", "10"), "AB"),
        (between("discount_rate", "10", "50.5"), "BC"),
        (list("discount_rate", "IN", &["9", "10"]), "AB"),
        // Days and instants: epoch milliseconds or ISO 8601, finer than a millisecond is ignored.
        (filter("birthday", "EQ", "951782400000"), "A"),
        (filter("birthday", "EQ", "2000-02-29"), "A"),
        (filter("birthday", "GT", "2000-02-29"), "B"),
        (filter("last_visit_at", "EQ", "1705521304281"), "A"),
        (filter("last_visit_at", "EQ", "2024-01-17T19:55:04.281999Z"), "A"),
        (filter("last_visit_at", "GTE", "2024-01-18"), "B"),
        (filter("last_visit_at", "GTE", "0"), "AB"),
        (
            between("last_visit_at", "1705521304281", "2024-01-18T00:00:00Z"),
            "AB",
        ),
        // Options are compared exactly, and one of several is enough.
        (filter("size", "EQ", "S"), "A"),
        (filter("size", "EQ", "s"), ""),
        (list("size", "IN", &["S", "M"]), "AB"),
        (filter("newsletter", "EQ", "true"), "A"),
        (filter("favourite_colours", "EQ", "red"), "AC"),
        (list("favourite_colours", "IN", &["blue"]), "AB"),
        (filter("favourite_colours", "NEQ", "red"), "B"),
        // Tokens, and wildcards within them.
        (filter("lastname", "CONTAINS_TOKEN", "garcia"), "AB"),
        (filter("lastname", "CONTAINS_TOKEN", "gar"), ""),
        (filter("lastname", "CONTAINS_TOKEN", "GAR*"), "AB"),
        (filter("email", "CONTAINS_TOKEN", "*@two.example"), "BC"),
        (filter("lastname", "NOT_CONTAINS_TOKEN", "lopez"), "BD"),
    ];
    for (filter, found) in rows {
        assert_eq!(account.found(one(&filter)).await, found, "{filter}");
    }
}

#[tokio::test]
async fn groups_are_ored_filters_anded_and_top_level_filters_are_a_group() {
    let account = Account::new().await;
    let (ann, cologne, red) = (
        filter("firstname", "EQ", "ann"),
        filter("city", "EQ", "köln"),
        filter("favourite_colours", "EQ", "red"),
    );
    let rows = [
        (json!({}), "ABCD"),
        (json!({"filterGroups": []}), "ABCD"),
        (json!({"filters": [cologne]}), "AB"),
        (json!({"filters": [cologne, red]}), "A"),
        (
            json!({"filterGroups": [{"filters": [ann]}, {"filters": [red]}]}),
            "AC",
        ),
        (
            json!({"filterGroups": [{"filters": [ann, red]}], "filters": [red]}),
            "AC",
        ),
    ];
    for (body, found) in rows {
        assert_eq!(account.found(body.clone()).await, found, "{body}");
    }
}

#[tokio::test]
async fn one_sort_rule_in_three_forms() {
    let account = Account::new().await;
    let rows = [
        (json!([]), "ABCD"),
        (json!(["-createdate"]), "DCBA"),
        (json!(["discount_rate"]), "ABCD"),
        (
            json!([{"propertyName": "discount_rate", "direction": "DESCENDING"}]),
            "CBAD",
        ),
        (json!([{"propertyName": "lastname"}]), "BCAD"),
        (
            json!([{"propertyName": "hs_object_id", "direction": "DESCENDING"}]),
            "DCBA",
        ),
    ];
    for (sorts, found) in rows {
        assert_eq!(account.found(json!({"sorts": sorts})).await, found, "{sorts}");
    }
    assert_eq!(
        account.search(json!({"sorts": ["city", "zip"]})).await.status,
        400
    );
}

#[tokio::test]
async fn a_query_looks_into_the_fields_of_its_type() {
    let account = Account::new().await;
    for (query, found) in [
        ("LOPEZ", "AC"),
        ("ann", "A"),
        ("two.example", "BC"),
        ("cyril@three", "C"),
        ("5550100", "A"),
        ("acme", "A"),
        // The city is none of a contact's searched fields.
        ("bonn", ""),
        ("lopez acme", "A"),
    ] {
        assert_eq!(account.found(json!({"query": query})).await, found, "{query}");
    }
}

#[tokio::test]
async fn every_searched_field_of_a_type_is_looked_into_and_no_other() {
    let desk = Desk::empty();
    let at = "2026-05-05T05:05:05Z";
    let rows = [
        (
            "companies",
            json!({"domain": "acme.example"}),
            "website phone name domain",
            "city",
        ),
        (
            "deals",
            json!({"dealname": "D", "pipeline": "default", "dealstage": "closedwon"}),
            "dealname description",
            "hs_next_step",
        ),
        (
            "tickets",
            json!({"hs_pipeline_stage": "1"}),
            "subject content",
            "source_ref",
        ),
        (
            "products",
            json!({"name": "P"}),
            "name description hs_sku",
            "hs_url",
        ),
        (
            "quotes",
            json!({"hs_title": "Q", "hs_expiration_date": "2027-01-31"}),
            "hs_title hs_sender_firstname hs_sender_lastname hs_sender_email",
            "hs_terms",
        ),
        (
            "calls",
            json!({"hs_timestamp": at}),
            "hs_call_title",
            "hs_call_body",
        ),
        (
            "emails",
            json!({"hs_timestamp": at, "hs_email_direction": "EMAIL"}),
            "hs_email_subject",
            "hs_email_text",
        ),
        (
            "meetings",
            json!({"hs_timestamp": at}),
            "hs_meeting_title hs_meeting_body",
            "hs_meeting_location",
        ),
        (
            "notes",
            json!({"hs_timestamp": at}),
            "hs_note_body",
            "hs_attachment_ids",
        ),
        (
            "tasks",
            json!({"hs_timestamp": at}),
            "hs_task_subject hs_task_body",
            "hs_attachment_ids",
        ),
    ];
    for (kind, needed, searched, other) in rows {
        let path = format!("/crm/v3/objects/{kind}");
        for (found, field) in searched.split(' ').map(|field| (1, field)).chain([(0, other)]) {
            let word = format!("needle{}{field}", kind.len()).replace('_', "");
            let mut properties = needed.clone();
            properties[field] = json!(format!("hay {word} hay"));
            let made = desk.post(&path, json!({"properties": properties})).await;
            assert_eq!(made.status, 201, "{kind} {field}: {}", made.text);
            let query = json!({"query": word.to_uppercase()});
            let answer = desk.post(&format!("{path}/search"), query).await;
            assert_eq!(answer.body["total"], found, "{kind} {field}");
        }
    }
}

#[tokio::test]
async fn what_goes_beyond_a_limit_is_refused() {
    let account = Account::new().await;
    let known = filter("city", "HAS_PROPERTY", Value::Null);
    let group = |filters: usize| json!({"filters": vec![known.clone(); filters]});
    let values = |count: usize| vec!["x"; count];
    let rows = [
        ("five groups", json!({"filterGroups": vec![group(1); 5]}), 200),
        ("six groups", json!({"filterGroups": vec![group(1); 6]}), 400),
        (
            "top-level filters count",
            json!({"filterGroups": vec![group(1); 5], "filters": [known]}),
            400,
        ),
        ("six filters", json!({"filterGroups": [group(6)]}), 200),
        ("seven filters", json!({"filterGroups": [group(7)]}), 400),
        (
            "18 filters",
            json!({"filterGroups": [group(6), group(6), group(6)]}),
            200,
        ),
        (
            "19 filters",
            json!({"filterGroups": [group(6), group(6), group(6), group(1)]}),
            400,
        ),
        ("100 values", one(&list("city", "IN", &values(100))), 200),
        ("101 values", one(&list("city", "IN", &values(101))), 400),
        ("no values", one(&list("city", "IN", &[])), 400),
        ("limit 200", json!({"limit": 200}), 200),
        ("limit 201", json!({"limit": 201}), 400),
        ("the last page", json!({"limit": 200, "after": "9800"}), 200),
        ("beyond the window", json!({"limit": 200, "after": "9801"}), 400),
        ("after is a number", json!({"after": "x"}), 400),
        ("3,000 characters", json!({"query": "x".repeat(2900)}), 200),
        ("a longer query", json!({"query": "x".repeat(3001)}), 400),
        (
            "longer filters",
            one(&filter("city", "EQ", "x".repeat(3000))),
            400,
        ),
        (
            "long properties",
            json!({"properties": vec!["a_rather_long_name_of_a_property"; 200]}),
            200,
        ),
        (
            "no value",
            one(&json!({"propertyName": "city", "operator": "EQ"})),
            400,
        ),
        ("no highValue", one(&filter("discount_rate", "BETWEEN", "1")), 400),
        ("unknown operator", one(&filter("city", "LIKE", "1")), 400),
        ("unknown property", one(&filter("nonsense", "EQ", "1")), 400),
        ("unknown sort", json!({"sorts": ["nonsense"]}), 400),
        ("no number", one(&filter("discount_rate", "GT", "many")), 400),
        (
            "no instant",
            one(&filter("last_visit_at", "GT", "yesterday")),
            400,
        ),
        (
            "not filterable",
            one(&filter("hs_body_preview_html", "HAS_PROPERTY", "")),
            400,
        ),
    ];
    for (what, body, status) in rows {
        let answer = account.search(body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        if status == 400 {
            assert_eq!(answer.body["category"], "VALIDATION_ERROR", "{what}");
        }
    }
}

#[tokio::test]
async fn the_bodies_of_emails_cannot_be_filtered() {
    let desk = Desk::empty();
    for (kind, property, status) in [
        ("emails", "hs_email_html", 400),
        ("emails", "hs_body_preview", 400),
        ("emails", "hs_email_subject", 200),
        ("calls", "hs_body_preview", 200),
        ("calls", "hs_body_preview_html", 400),
    ] {
        let body = one(&filter(property, "HAS_PROPERTY", Value::Null));
        let answer = desk.post(&format!("/crm/v3/objects/{kind}/search"), body).await;
        assert_eq!(answer.status, status, "{kind} {property}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_page_has_ten_results_unless_asked_and_names_its_offset() {
    let desk = Desk::small();
    let first = desk.post(CONTACTS, json!({})).await.body;
    assert_eq!(first["results"].as_array().map(Vec::len), Some(10));
    assert_eq!(first["paging"], json!({"next": {"after": "10"}}));
    let next = desk
        .post(CONTACTS, json!({"after": 10, "limit": "200"}))
        .await
        .body;
    let rest = first["total"].as_u64().map(|total| total - 10);
    assert_eq!(next["results"].as_array().map(|page| page.len() as u64), rest);
    assert!(next.get("paging").is_none());
}

#[tokio::test]
async fn a_total_goes_beyond_the_window_that_can_be_read() {
    let counts = Counts {
        products: 10_400,
        ..Counts::none()
    };
    let desk = Desk::with(Options {
        counts,
        tier: Tier::Unlimited,
        ..Options::default()
    });
    let body = json!({"limit": 200, "after": "9800"});
    let last = desk.post("/crm/v3/objects/products/search", body).await.body;
    let truth = desk.lines("/_emulator/truth/products").await;
    let live = truth.iter().filter(|record| record["state"] == "live").count();
    assert!(live > 10_000, "{live}");
    assert_eq!(last["total"], live);
    assert_eq!(last["paging"], json!({"next": {"after": "10000"}}));
    let beyond = json!({"limit": 10, "after": "10000"});
    assert_eq!(
        desk.post("/crm/v3/objects/products/search", beyond).await.status,
        400
    );
}

#[tokio::test]
async fn a_filter_with_the_epoch_fails_where_that_is_turned_on() {
    let account = Account::new().await;
    let rows = [
        (filter("lastmodifieddate", "GTE", "0"), 500),
        (filter("last_visit_at", "GT", 0), 500),
        (filter("lastmodifieddate", "GTE", "1"), 200),
        (filter("discount_rate", "GTE", "0"), 200),
    ];
    for (filter, _) in &rows {
        assert_eq!(account.search(one(filter)).await.status, 200, "{filter}");
    }
    account
        .desk
        .post("/_emulator/behaviour", json!({"epochFilterFails": true}))
        .await;
    for (filter, status) in &rows {
        assert_eq!(account.search(one(filter)).await.status, *status, "{filter}");
    }
}

#[tokio::test]
async fn associated_records_are_found_but_not_those_of_custom_objects() {
    let account = Account::new().await;
    let desk = &account.desk;
    let company = desk
        .post("/crm/v3/objects/companies", json!({"properties": {"name": "A"}}))
        .await
        .body["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let ann = &account.ids["Ann"];
    let path = format!("/crm/v4/objects/contacts/{ann}/associations/default/companies/{company}");
    assert_eq!(desk.call("PUT", &path, None).await.status, 200);
    for (filter, found) in [
        (filter("associations.company", "EQ", company.as_str()), "A"),
        (filter("associations.companies", "EQ", company.as_str()), "A"),
        (filter("associations.company", "EQ", "999"), ""),
        (filter("associations.0-2", "NEQ", company.as_str()), "BCD"),
        (list("associations.company", "IN", &[&company, "999"]), "A"),
        (filter("associations.company", "HAS_PROPERTY", Value::Null), "A"),
        (
            filter("associations.company", "NOT_HAS_PROPERTY", Value::Null),
            "BCD",
        ),
    ] {
        assert_eq!(account.found(one(&filter)).await, found, "{filter}");
    }
    let rocket = json!({"name": "rocket", "labels": {"singular": "Rocket", "plural": "Rockets"}, "requiredProperties": ["serial"],
        "properties": [{"name": "serial", "label": "Serial", "type": "string", "fieldType": "text"}], "associatedObjects": ["CONTACT"]});
    let made = desk.post("/crm-object-schemas/v3/schemas", rocket).await;
    assert_eq!(made.status, 201, "{}", made.text);
    for filter in [
        filter("associations.rocket", "EQ", "1"),
        filter("associations.company", "GT", "1"),
        filter("associations.unicorn", "EQ", "1"),
    ] {
        assert_eq!(account.search(one(&filter)).await.status, 400, "{filter}");
    }
}

#[tokio::test]
async fn without_properties_a_search_shows_the_default_ones_of_its_type() {
    let desk = Desk::usual();
    for (kind, defaults) in [
        ("contacts", "firstname lastname email createdate lastmodifieddate"),
        ("companies", "name domain createdate hs_lastmodifieddate"),
        (
            "deals",
            "dealname amount closedate pipeline dealstage createdate hs_lastmodifieddate",
        ),
        (
            "tickets",
            "content hs_pipeline hs_pipeline_stage hs_ticket_category hs_ticket_priority subject createdate hs_lastmodifieddate",
        ),
        (
            "products",
            "name description price createdate hs_lastmodifieddate",
        ),
        (
            "line_items",
            "quantity amount price createdate hs_lastmodifieddate",
        ),
        (
            "quotes",
            "hs_expiration_date hs_public_url_key hs_status hs_title hs_createdate hs_lastmodifieddate",
        ),
        ("calls", "hs_createdate hs_lastmodifieddate"),
        ("feedback_submissions", "hs_createdate hs_lastmodifieddate"),
        ("subscriptions", "hs_createdate hs_lastmodifieddate"),
        ("carts", "createdate hs_lastmodifieddate"),
        ("taxes", "createdate hs_lastmodifieddate"),
    ] {
        let path = format!("/crm/v3/objects/{kind}/search");
        let answer = desk.post(&path, json!({"limit": 1})).await;
        let shown = answer.body["results"][0]["properties"].as_object();
        let mut shown: Vec<&str> = shown
            .unwrap_or_else(|| panic!("{kind}: {}", answer.text))
            .keys()
            .map(String::as_str)
            .collect();
        let mut expected: Vec<&str> = defaults.split(' ').chain(["hs_object_id"]).collect();
        shown.sort_unstable();
        expected.sort_unstable();
        assert_eq!(shown, expected, "{kind}");
    }
}
