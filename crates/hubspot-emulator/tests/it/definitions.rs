//! Properties, pipelines, owners, schemas.

use serde_json::json;

use crate::desk::{Desk, ids};

#[tokio::test]
async fn contacts_define_as_many_properties_as_a_real_account() {
    let desk = Desk::empty();
    let all = desk.get("/crm/v3/properties/contacts").await.body;
    let all = all["results"].as_array().expect("results");
    assert!(all.len() >= 180, "{}", all.len());
    assert!(
        all.iter()
            .any(|property| property["name"] == "hs_object_id" && property["type"] == "number")
    );
    let owner = all
        .iter()
        .find(|property| property["name"] == "hubspot_owner_id")
        .expect("an owner property");
    assert_eq!(
        (&owner["referencedObjectType"], &owner["options"]),
        (&json!("OWNER"), &json!([]))
    );
    let kinds: std::collections::BTreeSet<&str> = all
        .iter()
        .filter_map(|property| property["type"].as_str())
        .collect();
    let expected = [
        "bool",
        "date",
        "datetime",
        "enumeration",
        "json",
        "number",
        "object_coordinates",
        "phone_number",
        "string",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_property_can_be_made_changed_used_and_archived() {
    let desk = Desk::empty();
    let definition = json!({"name": "mood", "label": "Mood", "type": "enumeration", "fieldType": "select", "groupName": "custom",
        "options": [{"label": "Good", "value": "good"}]});
    assert_eq!(
        desk.post("/crm/v3/properties/contacts", definition.clone())
            .await
            .status,
        201
    );
    assert_eq!(
        desk.post("/crm/v3/properties/contacts", definition).await.status,
        409
    );
    let write = async |mood: &str| {
        let answer = desk
            .post(
                "/crm/v3/objects/contacts",
                json!({"properties": {"lastname": "A", "mood": mood}}),
            )
            .await;
        (answer.status, answer.body["properties"]["mood"].clone())
    };
    assert_eq!(write("good").await, (201, json!("good")));
    assert_eq!(write("Good").await.0, 400);
    let more = json!({"options": [{"label": "Good", "value": "good"}, {"label": "Bad", "value": "bad"}]});
    assert_eq!(
        desk.call("PATCH", "/crm/properties/2026-03/contacts/mood", Some(more))
            .await
            .status,
        200
    );
    assert_eq!(write("bad").await.0, 201);
    assert_eq!(
        desk.call("DELETE", "/crm/v3/properties/contacts/mood", None)
            .await
            .status,
        204
    );
    assert_eq!(desk.get("/crm/v3/properties/contacts/mood").await.status, 404);
    assert_eq!(write("bad").await.0, 400);
    assert_eq!(
        desk.get("/crm/v3/properties/contacts/mood?archived=true")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn bad_definitions_are_refused() {
    let desk = Desk::empty();
    for definition in [
        json!({"name": "Mood", "label": "x", "type": "string", "fieldType": "text", "groupName": "g"}),
        json!({"name": "mood", "label": "x", "type": "string", "fieldType": "checkbox", "groupName": "g"}),
        json!({"name": "mood", "label": "x", "type": "colour", "fieldType": "text", "groupName": "g"}),
        json!({"name": "mood", "label": "x", "type": "string", "fieldType": "text"}),
    ] {
        assert_eq!(
            desk.post("/crm/v3/properties/contacts", definition.clone())
                .await
                .status,
            400,
            "{definition}"
        );
    }
    assert_eq!(
        desk.call("DELETE", "/crm/v3/properties/contacts/email", None)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn pipelines_have_the_stages_that_records_use() {
    let desk = Desk::small();
    let pipelines = desk.get("/crm/v3/pipelines/deals").await.body;
    assert_eq!(ids(&pipelines)[0], "default");
    assert_eq!(
        pipelines["results"][0]["stages"][5]["metadata"],
        json!({"isClosed": "true", "probability": "1.0"})
    );
    assert_eq!(pipelines["results"][0]["createdAt"], "1970-01-01T00:00:00.000Z");
    let known: Vec<(String, String)> = pipelines["results"]
        .as_array()
        .expect("results")
        .iter()
        .flat_map(|pipeline| {
            pipeline["stages"]
                .as_array()
                .expect("stages")
                .iter()
                .map(|stage| (text(&pipeline["id"]), text(&stage["id"])))
        })
        .collect();
    for deal in desk.lines("/_emulator/truth/deals").await {
        let pair = (
            text(&deal["properties"]["pipeline"]),
            text(&deal["properties"]["dealstage"]),
        );
        assert!(known.contains(&pair), "{pair:?}");
    }
    assert_eq!(
        desk.get("/crm/v3/pipelines/tickets/0/stages/1").await.body["label"],
        "New"
    );
    assert_eq!(desk.get("/crm/pipelines/2026-03/tickets/77").await.status, 404);
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().expect("text").to_owned()
}

#[tokio::test]
async fn owners_are_paged_and_the_archived_are_apart() {
    let desk = Desk::empty();
    let first = desk.get("/crm/v3/owners?limit=20").await.body;
    let after = text(&first["paging"]["next"]["after"]);
    let second = desk
        .get(&format!("/crm/v3/owners?limit=20&after={after}"))
        .await
        .body;
    assert!(second.get("paging").is_none());
    assert_eq!(ids(&first).len() + ids(&second).len(), 22);
    let archived = desk.get("/crm/owners/2026-03?archived=true").await.body;
    assert_eq!(archived["results"][0]["userId"], serde_json::Value::Null);
    let owner = &first["results"][0];
    let by_user = desk
        .get(&format!("/crm/v3/owners/{}?idProperty=userId", owner["userId"]))
        .await
        .body;
    assert_eq!(&by_user, owner);
    let by_email = desk
        .get(&format!("/crm/v3/owners?email={}", text(&owner["email"])))
        .await
        .body;
    assert_eq!(ids(&by_email), [text(&owner["id"])]);
}

#[tokio::test]
async fn there_are_no_custom_objects_at_first() {
    let desk = Desk::empty();
    for path in [
        "/crm/v3/schemas",
        "/crm-object-schemas/v3/schemas",
        "/crm-object-schemas/2026-03/schemas",
    ] {
        assert_eq!(desk.get(path).await.body, json!({"results": []}));
    }
}
