//! Which values a write may carry, a row of a table per rule (hubspot-api notes §1.1, §1.2, §1.4, §1.6, §3.1).

use serde_json::{Value, json};

use crate::desk::{Answer, Desk};

const CONTACTS: &str = "/crm/v3/objects/contacts";

async fn patch(desk: &Desk, id: &str, properties: Value) -> Answer {
    let body = json!({"properties": properties});
    desk.call("PATCH", &format!("{CONTACTS}/{id}"), Some(body)).await
}

#[tokio::test]
async fn a_value_is_stored_in_its_type_s_form_or_refused_with_a_code() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let rows = [
        ("discount_rate", json!("12.50"), Ok("12.50")),
        ("discount_rate", json!(12), Ok("12")),
        ("discount_rate", json!(" 7 "), Ok("7")),
        ("discount_rate", json!("1e3"), Ok("1e3")),
        ("discount_rate", json!("12,5"), Err("INVALID_INTEGER")),
        ("discount_rate", json!("NaN"), Err("INVALID_INTEGER")),
        ("birthday", json!("2000-02-29"), Ok("2000-02-29")),
        ("birthday", json!("951782400000"), Ok("2000-02-29")),
        ("birthday", json!("2000-02-29T00:00:00Z"), Ok("2000-02-29")),
        ("birthday", json!("951782400001"), Err("INVALID_DATE")),
        ("birthday", json!("2000-02-29T12:00:00Z"), Err("INVALID_DATE")),
        ("birthday", json!("29.02.2000"), Err("INVALID_DATE")),
        (
            "last_visit_at",
            json!("1705521304281"),
            Ok("2024-01-17T19:55:04.281Z"),
        ),
        (
            "last_visit_at",
            json!("2024-01-17T20:55:04.281+01:00"),
            Ok("2024-01-17T19:55:04.281Z"),
        ),
        ("last_visit_at", json!("soon"), Err("INVALID_LONG")),
        ("newsletter", json!(true), Ok("true")),
        ("newsletter", json!("False"), Ok("false")),
        ("newsletter", json!("yes"), Err("INVALID_OPTION")),
        ("size", json!("M"), Ok("M")),
        ("size", json!("m"), Err("INVALID_OPTION")),
        ("favourite_colours", json!("red;blue"), Ok("red;blue")),
        ("favourite_colours", json!(";green;red"), Ok("red;blue;green")),
        ("favourite_colours", json!("blue"), Ok("blue")),
        ("favourite_colours", json!(";pink"), Err("INVALID_OPTION")),
        ("email", json!("Ann@Example.COM"), Ok("ann@example.com")),
        ("email", json!("ann"), Err("INVALID_EMAIL")),
        (
            "hs_additional_emails",
            json!("Ann@Work.Example"),
            Ok("ann@work.example"),
        ),
        (
            "hs_additional_emails",
            json!(";annie@x.example"),
            Ok("ann@work.example;annie@x.example"),
        ),
        (
            "hs_additional_emails",
            json!("ann@x.example;nobody"),
            Err("INVALID_EMAIL"),
        ),
        ("jobtitle", json!(" kept as it is "), Ok(" kept as it is ")),
        ("jobtitle", Value::Null, Ok("")),
        ("jobtitle", json!("x".repeat(65_537)), Err("INVALID_LENGTH")),
        ("hs_object_id", json!("1"), Err("READ_ONLY_VALUE")),
        ("createdate", json!("2024-01-01"), Err("READ_ONLY_VALUE")),
        ("num_associated_deals", json!("1"), Err("READ_ONLY_VALUE")),
        ("hubspotscore", json!("1"), Err("READ_ONLY_VALUE")),
        ("nonsense", json!("1"), Err("PROPERTY_DOESNT_EXIST")),
    ];
    for (property, value, expected) in rows {
        let shown = value.to_string().chars().take(60).collect::<String>();
        let answer = patch(&desk, &id, json!({property: value})).await;
        match expected {
            Ok(stored) => assert_eq!(
                answer.body["properties"][property], stored,
                "{property} {shown}: {}",
                answer.text
            ),
            Err(code) => {
                assert_eq!(answer.status, 400, "{property} {shown}");
                assert_eq!(answer.body["errors"][0]["code"], code, "{property} {shown}");
                let named = &answer.body["errors"][0]["context"]["propertyName"];
                assert_eq!(*named, json!([property]), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn a_lifecycle_stage_only_moves_forward_unless_it_is_cleared() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    for (written, held) in [
        ("opportunity", "opportunity"),
        ("lead", "opportunity"),
        ("customer", "customer"),
        ("customer", "customer"),
        ("", ""),
        ("subscriber", "subscriber"),
    ] {
        let answer = patch(&desk, &id, json!({"lifecyclestage": written})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let read = desk
            .get(&format!("{CONTACTS}/{id}?properties=lifecyclestage"))
            .await;
        assert_eq!(
            read.body["properties"]["lifecyclestage"], held,
            "after {written:?}"
        );
    }
}

#[tokio::test]
async fn primary_and_secondary_addresses_are_unique_together() {
    let desk = Desk::empty();
    let ann = desk.contact("ann@example.com").await;
    patch(
        &desk,
        &ann,
        json!({"hs_additional_emails": "annie@example.com;a@x.example"}),
    )
    .await;
    let conflict = format!("Contact already exists. Existing ID: {ann}");
    for properties in [
        json!({"email": "ANN@example.com"}),
        json!({"email": "Annie@example.com"}),
        json!({"email": "eve@example.com", "hs_additional_emails": "eva@example.com;ann@example.com"}),
        json!({"firstname": "Eve", "hs_additional_emails": "a@x.example"}),
    ] {
        let refused = desk.post(CONTACTS, json!({"properties": properties})).await;
        assert_eq!(refused.status, 409, "{properties}");
        assert_eq!(refused.body["category"], "CONFLICT");
        assert_eq!(refused.body["message"], conflict.as_str());
    }
    let bob = desk.contact("bob@example.com").await;
    for properties in [
        json!({"email": "annie@example.com"}),
        json!({"hs_additional_emails": "ann@example.com"}),
    ] {
        let refused = patch(&desk, &bob, properties).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert_eq!(refused.body["errors"][0]["code"], "CONFLICTING_UNIQUE_VALUE");
    }
    // A contact's own addresses may change places, and one that it gives up is free.
    let swapped = json!({"email": "annie@example.com", "hs_additional_emails": "ann@example.com"});
    assert_eq!(patch(&desk, &ann, swapped).await.status, 200);
    assert_eq!(
        patch(&desk, &bob, json!({"email": "a@x.example"})).await.status,
        200
    );
    let by_secondary = format!("{CONTACTS}/ann%40example.com?idProperty=email");
    assert_eq!(desk.get(&by_secondary).await.body["id"], ann.as_str());
}

#[tokio::test]
async fn a_merged_contact_keeps_both_addresses() {
    let desk = Desk::empty();
    let (ann, bob) = (
        desk.contact("ann@example.com").await,
        desk.contact("bob@example.com").await,
    );
    patch(&desk, &ann, json!({"hs_additional_emails": "a@x.example"})).await;
    let body = json!({"primaryObjectId": ann, "objectIdToMerge": bob});
    let merged = desk.post(&format!("{CONTACTS}/merge"), body).await;
    assert_eq!(merged.body["properties"]["email"], "ann@example.com");
    assert_eq!(
        merged.body["properties"]["hs_additional_emails"],
        "a@x.example;bob@example.com"
    );
    let again = json!({"properties": {"email": "bob@example.com"}});
    assert_eq!(desk.post(CONTACTS, again).await.status, 409);
}

#[tokio::test]
async fn a_custom_unique_property_is_enforced_in_every_write() {
    let desk = Desk::empty();
    let property = json!({"name": "member_no", "label": "Member", "groupName": "contactinformation", "type": "string",
        "fieldType": "text", "hasUniqueValue": true});
    assert_eq!(
        desk.post("/crm/v3/properties/contacts", property).await.status,
        201
    );
    let made = desk
        .post(
            CONTACTS,
            json!({"properties": {"firstname": "Ann", "member_no": "M1"}}),
        )
        .await;
    let ann = made.body["id"].as_str().expect("an id").to_owned();
    let twice = desk
        .post(
            CONTACTS,
            json!({"properties": {"firstname": "Bob", "member_no": "m1"}}),
        )
        .await;
    assert_eq!(twice.status, 409, "{}", twice.text);
    let bob = desk.contact("bob@example.com").await;
    assert_eq!(patch(&desk, &bob, json!({"member_no": "M1"})).await.status, 400);
    let batch = json!({"inputs": [
        {"id": "M1", "idProperty": "member_no", "properties": {"city": "Bonn"}, "objectWriteTraceId": "a"},
        {"id": "M2", "idProperty": "member_no", "properties": {"firstname": "Cy"}, "objectWriteTraceId": "b"},
        {"id": "M3", "idProperty": "member_no", "properties": {"email": "bob@example.com"}, "objectWriteTraceId": "c"},
    ]});
    let answer = desk.post(&format!("{CONTACTS}/batch/upsert"), batch).await;
    assert_eq!(answer.status, 207, "{}", answer.text);
    let results = answer.body["results"].as_array().expect("results");
    let of = |trace: &str| {
        results
            .iter()
            .find(|record| record["objectWriteTraceId"] == trace)
    };
    assert_eq!(
        of("a").map(|record| (&record["id"], &record["new"])),
        Some((&json!(ann), &json!(false)))
    );
    assert_eq!(of("b").map(|record| &record["new"]), Some(&json!(true)));
    assert_eq!(
        answer.body["errors"][0]["context"]["objectWriteTraceId"],
        json!(["c"])
    );
    assert_eq!(answer.body["errors"][0]["category"], "CONFLICT");
}

#[tokio::test]
async fn an_input_occurs_once_in_a_batch_and_an_upsert_needs_a_key() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let twice = json!({"inputs": [
        {"id": id, "properties": {"city": "Bonn"}},
        {"id": "ann@example.com", "idProperty": "email", "properties": {"city": "Köln"}},
    ]});
    for operation in ["update", "upsert"] {
        let refused = desk
            .post(&format!("{CONTACTS}/batch/{operation}"), twice.clone())
            .await;
        assert_eq!(refused.status, 400, "{operation}: {}", refused.text);
    }
    let by_id = json!({"inputs": [
        {"id": id, "properties": {"city": "Bonn"}},
        {"id": "999", "properties": {"firstname": "Nobody"}},
    ]});
    let answer = desk.post(&format!("{CONTACTS}/batch/upsert"), by_id).await;
    assert_eq!(answer.status, 207, "{}", answer.text);
    assert_eq!(answer.body["results"][0]["new"], false);
    assert_eq!(answer.body["errors"][0]["context"]["ids"], json!(["999"]));
}
