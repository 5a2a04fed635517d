//! Every standard object type, through the same routes (hubspot-api notes §1.1).

use serde_json::{Value, json};

use crate::desk::{Desk, ids};

/// Type, what a create needs, and whether it has all operations.
fn creatable() -> Vec<(&'static str, Value)> {
    let at = "2026-05-05T05:05:05.000Z";
    vec![
        (
            "quotes",
            json!({"hs_title": "Q", "hs_expiration_date": "2027-01-31"}),
        ),
        (
            "communications",
            json!({"hs_timestamp": at, "hs_communication_channel_type": "SMS"}),
        ),
        ("tasks", json!({"hs_timestamp": at})),
        ("notes", json!({"hs_timestamp": at})),
        ("meetings", json!({"hs_timestamp": at})),
        ("calls", json!({"hs_timestamp": at})),
        (
            "emails",
            json!({"hs_timestamp": at, "hs_email_direction": "EMAIL"}),
        ),
        ("postal_mail", json!({"hs_timestamp": at})),
        ("invoices", json!({"hs_currency": "EUR"})),
        ("subscriptions", json!({"hs_name": "S"})),
        (
            "commerce_payments",
            json!({"hs_initial_amount": "5", "hs_initiated_date": at}),
        ),
        ("orders", json!({"hs_order_name": "O"})),
        ("appointments", json!({"hs_appointment_name": "A"})),
        ("0-410", json!({"hs_course_name": "C"})),
        ("0-420", json!({"hs_name": "L"})),
        (
            "0-162",
            json!({"hs_name": "S", "hs_pipeline": "service-pipeline-id", "hs_pipeline_stage": "service-new"}),
        ),
        (
            "projects",
            json!({"hs_name": "P", "hs_pipeline": "project-pipeline-id", "hs_pipeline_stage": "project-new"}),
        ),
    ]
}

#[tokio::test]
async fn every_type_has_rows_properties_and_both_generations_of_paths() {
    let desk = Desk::usual();
    let health = desk.get("/_emulator/health").await.body;
    let counts = health["counts"].as_object().expect("counts");
    assert_eq!(counts.len(), 38);
    // Deal splits belong to deals, and cannot be listed.
    for (name, count) in counts.iter().filter(|(name, _)| *name != "deal_splits") {
        assert!(count.as_u64() > Some(0), "{name}");
        let list = desk
            .get(&format!("/crm/objects/2026-03/{name}?limit=3&archived=false"))
            .await;
        assert_eq!((list.status, ids(&list.body).len()), (200, 3), "{name}");
        let record = &list.body["results"][0];
        let created = record["properties"]["createdate"].is_string()
            || record["properties"]["hs_createdate"].is_string();
        assert!(created, "{name}: {record}");
        let properties = desk.get(&format!("/crm/v3/properties/{name}")).await.body;
        let own = properties["results"].as_array().expect("results").len();
        assert!(own > 25, "{name} has {own} properties");
    }
}

#[tokio::test]
async fn required_properties_are_required_and_enough() {
    let desk = Desk::empty();
    for (name, properties) in creatable() {
        let path = format!("/crm/v3/objects/{name}");
        assert_eq!(
            desk.post(&path, json!({"properties": {}})).await.status,
            400,
            "{name}"
        );
        for left_out in properties.as_object().into_iter().flat_map(serde_json::Map::keys) {
            let mut rest = properties.clone();
            rest.as_object_mut().expect("an object").remove(left_out);
            let refused = desk.post(&path, json!({"properties": rest})).await;
            assert_eq!(refused.status, 400, "{name} without {left_out}");
            assert_eq!(refused.body["context"]["properties"], json!([left_out]), "{name}");
        }
        let made = desk.post(&path, json!({"properties": properties})).await;
        assert_eq!(made.status, 201, "{name}: {}", made.text);
        let id = made.body["id"].as_str().expect("an id");
        assert_eq!(desk.get(&format!("{path}/{id}")).await.status, 200, "{name}");
        let found = desk.post(&format!("{path}/search"), json!({})).await;
        assert_eq!(found.body["total"], 1, "{name}");
    }
}

#[tokio::test]
async fn a_lead_needs_somebody() {
    let desk = Desk::empty();
    let contact = desk.contact("a@example.com").await;
    let lead = |links: Value| json!({"properties": {"hs_lead_name": "L"}, "associations": links});
    let path = "/crm/v3/objects/leads";
    assert_eq!(desk.post(path, lead(json!([]))).await.status, 400);
    let links = json!([{"to": {"id": contact},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}]}]);
    let made = desk.post(path, lead(links)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.body["id"].as_str().expect("an id");
    let linked = desk
        .get(&format!("/crm/v4/objects/leads/{id}/associations/contacts"))
        .await;
    let types = &linked.body["results"][0]["associationTypes"];
    assert_eq!(
        (&types[0]["typeId"], &types[0]["label"]),
        (&json!(578), &json!("Primary"))
    );
    assert_eq!(types[1]["typeId"], 608);
}

#[tokio::test]
async fn types_have_only_their_own_operations() {
    let desk = Desk::usual();
    for (method, path, status) in [
        ("GET", "feedback_submissions", 200),
        ("POST", "feedback_submissions/search", 200),
        ("POST", "feedback_submissions/batch/read", 200),
        ("POST", "feedback_submissions", 405),
        ("POST", "0-19/batch/create", 405),
        ("PATCH", "feedback_submissions/101", 405),
        ("DELETE", "feedback_submission/101", 405),
        ("POST", "contracts/search", 405),
        ("GET", "contracts", 200),
        ("POST", "partner_clients/batch/update", 200),
        ("POST", "partner_services/batch/upsert", 405),
        ("POST", "payments/search", 200),
        ("POST", "companies/gdpr-delete", 405),
        ("POST", "products/merge", 405),
        ("GET", "marketing_events", 501),
    ] {
        let body = match (method, path) {
            ("GET", _) => None,
            (_, "companies/gdpr-delete") => Some(json!({"objectId": "101"})),
            (_, "products/merge") => Some(json!({"primaryObjectId": "101", "objectIdToMerge": "102"})),
            _ => Some(json!({})),
        };
        let answer = desk.call(method, &format!("/crm/v3/objects/{path}"), body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn activities_are_linked_with_people() {
    let desk = Desk::usual();
    let calls = desk
        .get("/crm/v3/objects/calls?limit=5&associations=contacts")
        .await
        .body;
    for call in calls["results"].as_array().expect("results") {
        let links = call["associations"]["contacts"]["results"].as_array();
        let links = links.expect("every seeded call has a contact");
        assert_eq!(links[0]["type"], "call_to_contact");
    }
}

#[tokio::test]
async fn seeding_takes_any_type() {
    let desk = Desk::empty();
    let seeded = desk
        .post("/_emulator/seed", json!({"notes": 12, "leads": 3}))
        .await;
    assert_eq!(seeded.status, 200, "{}", seeded.text);
    assert_eq!(desk.lines("/_emulator/truth/notes").await.len(), 12);
    assert_eq!(
        desk.post("/_emulator/seed", json!({"wishes": 1})).await.status,
        400
    );
}

#[tokio::test]
async fn every_type_with_pipelines_starts_with_one() {
    let desk = Desk::usual();
    for name in [
        "leads",
        "appointments",
        "courses",
        "listings",
        "orders",
        "services",
        "projects",
    ] {
        let pipelines = desk.get(&format!("/crm/v3/pipelines/{name}")).await.body;
        let stages = pipelines["results"][0]["stages"].as_array().expect("stages");
        let known: Vec<&str> = stages.iter().filter_map(|stage| stage["id"].as_str()).collect();
        let records = desk
            .get(&format!("/crm/v3/objects/{name}?properties=hs_pipeline_stage"))
            .await
            .body;
        let stage = records["results"][0]["properties"]["hs_pipeline_stage"].as_str();
        assert!(
            stage.is_some_and(|stage| known.contains(&stage)),
            "{name}: {stage:?}"
        );
    }
}
