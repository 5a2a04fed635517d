//! Create, update, archive.

use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::{Desk, ids};

#[tokio::test]
async fn a_created_contact_is_there() {
    let desk = Desk::empty();
    let created = desk
        .post(
            "/crm/v3/objects/contacts",
            json!({"properties": {"email": "Ann@Example.com", "firstname": "Ann", "newsletter": "TRUE"}}),
        )
        .await;
    assert_eq!(created.status, 201);
    let properties = &created.body["properties"];
    assert_eq!(properties["email"], "ann@example.com");
    assert_eq!(properties["newsletter"], "true");
    assert_eq!(properties["hs_email_domain"], "example.com");
    assert_eq!(properties["lifecyclestage"], "lead");
    assert_eq!(created.body["createdAt"], created.body["updatedAt"]);
    assert!(
        properties.get("lastname").is_none(),
        "only properties with values come back"
    );
}

#[tokio::test]
async fn an_update_answers_with_what_changed() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let path = format!("/crm/v3/objects/contacts/{id}");
    let updated = desk
        .call(
            "PATCH",
            &path,
            Some(json!({"properties": {"city": "Köln", "zip": ""}})),
        )
        .await;
    assert_eq!(updated.status, 200);
    let names: Vec<&String> = updated.body["properties"]
        .as_object()
        .expect("properties")
        .keys()
        .collect();
    assert_eq!(
        names,
        ["city", "createdate", "hs_object_id", "lastmodifieddate", "zip"]
    );
    let by_email = "/crm/v3/objects/contacts/ann%40example.com?idProperty=email";
    assert_eq!(
        desk.call("PATCH", by_email, Some(json!({"properties": {"city": "Bonn"}})))
            .await
            .status,
        200
    );
    assert_eq!(
        desk.get(&format!("{path}?properties=city")).await.body["properties"]["city"],
        "Bonn"
    );
}

#[tokio::test]
async fn a_second_contact_with_the_address_is_a_conflict() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let again = desk
        .post(
            "/crm/v3/objects/contacts",
            json!({"properties": {"email": "ANN@example.com"}}),
        )
        .await;
    assert_eq!(again.status, 409);
    assert_eq!(again.body["category"], "CONFLICT");
    assert_eq!(
        again.body["message"],
        json!(format!("Contact already exists. Existing ID: {id}"))
    );
    let other = desk.contact("bob@example.com").await;
    let body = json!({"properties": {"email": "ann@example.com"}});
    assert_eq!(
        desk.call("PATCH", &format!("/crm/v3/objects/contacts/{other}"), Some(body))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn companies_are_not_deduplicated() {
    let desk = Desk::empty();
    for _ in 0..2 {
        let answer = desk
            .post(
                "/crm/v3/objects/companies",
                json!({"properties": {"domain": "example.com"}}),
            )
            .await;
        assert_eq!(answer.status, 201);
    }
}

#[tokio::test]
async fn every_refused_value_is_named() {
    let desk = Desk::empty();
    let bad = json!({"properties": {
        "email": "not an address", "nonsense": "1", "hs_object_id": "7", "discount_rate": "much", "birthday": "2023-02-29",
        "last_visit_at": "yesterday", "newsletter": "yes", "size": "XXL", "favourite_colours": "red;pink", "firstname": "fine"
    }});
    let refused = desk.post("/crm/v3/objects/contacts", bad).await;
    assert_eq!(
        (refused.status, refused.body["category"].as_str()),
        (400, Some("VALIDATION_ERROR"))
    );
    let codes: std::collections::BTreeMap<&str, &str> = refused.body["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|error| {
            Some((
                error["context"]["propertyName"][0].as_str()?,
                error["code"].as_str()?,
            ))
        })
        .collect();
    let expected = [
        ("birthday", "INVALID_DATE"),
        ("discount_rate", "INVALID_INTEGER"),
        ("email", "INVALID_EMAIL"),
        ("favourite_colours", "INVALID_OPTION"),
        ("hs_object_id", "READ_ONLY_VALUE"),
        ("last_visit_at", "INVALID_LONG"),
        ("newsletter", "INVALID_OPTION"),
        ("nonsense", "PROPERTY_DOESNT_EXIST"),
        ("size", "INVALID_OPTION"),
    ];
    assert_eq!(codes, expected.into());
    let message = refused.body["message"].as_str().expect("a message");
    let list = message
        .strip_prefix("Property values were not valid: ")
        .expect("the known prefix");
    let inside: Vec<Value> = serde_json::from_str(list).expect("a JSON list inside the message");
    assert_eq!(inside.len(), 9);
    assert!(
        inside
            .iter()
            .all(|item| item["isValid"] == false && item["portalId"].is_number())
    );
}

#[tokio::test]
async fn dates_are_midnight_utc_and_instants_are_normalised() {
    let desk = Desk::empty();
    let write = async |properties: Value| {
        desk.post("/crm/v3/objects/contacts", json!({"properties": properties}))
            .await
    };
    let good =
        write(json!({"firstname": "A", "birthday": "951782400000", "last_visit_at": "1705521304281"})).await;
    assert_eq!(good.body["properties"]["birthday"], "2000-02-29");
    assert_eq!(
        good.body["properties"]["last_visit_at"],
        "2024-01-17T19:55:04.281Z"
    );
    let noon = write(json!({"firstname": "A", "birthday": "951825600000"})).await;
    assert_eq!(noon.status, 400);
    assert!(
        noon.body["message"]
            .as_str()
            .is_some_and(|message| message.contains("not midnight"))
    );
}

#[tokio::test]
async fn a_multi_select_is_replaced_or_appended_to() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let path = format!("/crm/v3/objects/contacts/{id}");
    for (written, held) in [
        ("red;blue", "red;blue"),
        (";green", "red;blue;green"),
        (";red", "red;blue;green"),
        ("blue", "blue"),
        ("", ""),
    ] {
        let answer = desk
            .call(
                "PATCH",
                &path,
                Some(json!({"properties": {"favourite_colours": written}})),
            )
            .await;
        assert_eq!(
            answer.body["properties"]["favourite_colours"], held,
            "after writing {written:?}"
        );
    }
}

#[tokio::test]
async fn some_properties_are_needed_to_create() {
    let desk = Desk::empty();
    for (kind, properties, status) in [
        ("contacts", json!({}), 400),
        ("contacts", json!({"lastname": "A"}), 201),
        ("companies", json!({"city": "Bonn"}), 400),
        ("companies", json!({"name": "A"}), 201),
        ("deals", json!({"dealname": "A", "pipeline": "default"}), 400),
        (
            "deals",
            json!({"dealname": "A", "pipeline": "default", "dealstage": "closedwon"}),
            201,
        ),
        (
            "deals",
            json!({"dealname": "A", "pipeline": "default", "dealstage": "Closed Won"}),
            400,
        ),
        ("tickets", json!({"subject": "A"}), 400),
        ("tickets", json!({"subject": "A", "hs_pipeline_stage": "1"}), 201),
        ("products", json!({"price": "1"}), 400),
        ("line_items", json!({"quantity": "1"}), 201),
    ] {
        let answer = desk
            .post(
                &format!("/crm/v3/objects/{kind}"),
                json!({"properties": properties}),
            )
            .await;
        assert_eq!(answer.status, status, "{kind} {properties}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_deleted_record_is_archived_and_deleting_again_is_fine() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let path = format!("/crm/v3/objects/contacts/{id}");
    for _ in 0..2 {
        let deleted = desk.call("DELETE", &path, None).await;
        assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    }
    assert_eq!(desk.get(&path).await.status, 404);
    assert_eq!(
        desk.call("DELETE", "/crm/v3/objects/contacts/424242", None)
            .await
            .status,
        204
    );
    // The address is free again.
    assert_ne!(desk.contact("ann@example.com").await, id);
}

#[tokio::test]
async fn a_create_can_link() {
    let desk = Desk::empty();
    let company = desk
        .post("/crm/v3/objects/companies", json!({"properties": {"name": "A"}}))
        .await
        .body["id"]
        .clone();
    let link = json!([{"to": {"id": company}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}]);
    let body = json!({"properties": {"email": "ann@example.com"}, "associations": link});
    let contact = desk.post("/crm/v3/objects/contacts", body).await.body["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let read = desk
        .get(&format!(
            "/crm/v3/objects/contacts/{contact}?associations=companies"
        ))
        .await;
    let expected =
        json!({"companies": {"results": [{"id": company, "type": "contact_to_company_unlabeled"}]}});
    assert_eq!(read.body["associations"], expected);
}

#[tokio::test]
async fn merged_and_purged_records_can_be_had_through_the_api() {
    let desk = Desk::empty();
    let (ann, bob) = (
        desk.contact("ann@example.com").await,
        desk.contact("bob@example.com").await,
    );
    let merge = json!({"primaryObjectId": ann, "objectIdToMerge": bob});
    let merged = desk.post("/crm/v3/objects/contacts/merge", merge.clone()).await;
    assert_eq!(merged.status, 200);
    let survivor = merged.body["id"].as_str().expect("an id").to_owned();
    assert!(survivor != ann && survivor != bob);
    assert_eq!(merged.body["properties"]["email"], "ann@example.com");
    for id in [&ann, &bob] {
        assert_eq!(
            desk.get(&format!("/crm/v3/objects/contacts/{id}")).await.body["id"],
            json!(survivor)
        );
    }
    assert_eq!(
        desk.post("/crm/v3/objects/contacts/merge", merge).await.status,
        400
    );
    let purge = json!({"objectId": "ann@example.com", "idProperty": "email"});
    assert_eq!(
        desk.post("/crm/v3/objects/contacts/gdpr-delete", purge)
            .await
            .status,
        204
    );
    assert_eq!(
        desk.get(&format!("/crm/v3/objects/contacts/{survivor}"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_bin_empties_after_90_days() {
    let emulator = hubspot_emulator::Emulator::new(hubspot_emulator::Options::default());
    let desk = Desk::at(&emulator);
    let path = "/crm/v3/objects/contacts";
    let bin = format!("{path}?archived=true&limit=100");
    let seeded = ids(&desk.get(&bin).await.body);
    assert!(!seeded.is_empty(), "some contacts are seeded as archived");
    emulator.advance(Duration::from_hours(24));
    let id = desk.contact("gone@example.com").await;
    desk.call("DELETE", &format!("{path}/{id}"), None).await;
    emulator.advance(Duration::from_hours(24 * 89 + 1));
    let left = ids(&desk.get(&bin).await.body);
    assert_eq!(left, [id.as_str()], "those that were seeded have left");
    emulator.advance(Duration::from_hours(24));
    assert!(ids(&desk.get(&bin).await.body).is_empty());
    assert_eq!(desk.get(&format!("{path}/{id}?archived=true")).await.status, 404);
    let asked = json!({"objectType": "contacts", "restore": 1});
    assert_eq!(
        emulator.mutate(&asked).expect("it is understood")["restore"],
        json!([])
    );
    let truth = desk.lines("/_emulator/truth/contacts").await;
    let record = truth
        .iter()
        .find(|record| record["id"] == id.as_str())
        .expect("it was there");
    assert_eq!(
        (&record["state"], &record["expired"]),
        (&json!("archived"), &json!(true))
    );
    assert_eq!(record["properties"]["email"], "gone@example.com");
}
