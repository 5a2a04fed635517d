//! Custom objects, through the schemas API and the same routes as all others (hubspot-api notes §2.2).

use serde_json::{Value, json};

use crate::desk::{Desk, ids};

const SCHEMAS: &str = "/crm-object-schemas/v3/schemas";

fn cars() -> Value {
    json!({"name": "cars", "labels": {"singular": "Car", "plural": "Cars"},
        "primaryDisplayProperty": "model", "requiredProperties": ["vin"], "searchableProperties": ["model"],
        "properties": [
            {"name": "vin", "label": "VIN", "type": "string", "fieldType": "text", "hasUniqueValue": true},
            {"name": "model", "label": "Model", "type": "string", "fieldType": "text"}],
        "associatedObjects": ["CONTACT"]})
}

async fn made(desk: &Desk) -> Value {
    let made = desk.post(SCHEMAS, cars()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body
}

#[tokio::test]
async fn records_are_reached_by_id_qualified_and_bare_name_or_not_by_the_last() {
    let desk = Desk::empty();
    let schema = made(&desk).await;
    let car = json!({"properties": {"vin": "V1", "model": "Beetle"}});
    let path = "/crm/v3/objects/cars";
    assert_eq!(
        desk.post(path, json!({"properties": {"model": "x"}}))
            .await
            .status,
        400
    );
    let one = desk.post(path, car.clone()).await;
    assert_eq!(one.status, 201, "{}", one.text);
    assert_eq!(desk.post(path, car).await.status, 409);
    for name in ["cars", "p_cars", "objectTypeId", "fullyQualifiedName"] {
        let name = schema[name].as_str().unwrap_or(name);
        let list = desk
            .get(&format!("/crm/objects/2026-03/{name}?properties=vin"))
            .await;
        assert_eq!(list.body["results"][0]["properties"]["vin"], "V1", "{name}");
    }
    let found = desk
        .post(&format!("{path}/search"), json!({"query": "beetle"}))
        .await;
    assert_eq!(found.body["total"], 1);
    let properties = desk.get("/crm/v3/properties/cars").await;
    assert!(properties.text.contains("\"vin\""));
    desk.post("/_emulator/behaviour", json!({"bareNamesRefused": true}))
        .await;
    for (name, status) in [("cars", 400), ("p_cars", 200), ("contacts", 200)] {
        let list = desk.get(&format!("/crm/v3/objects/{name}")).await;
        assert_eq!(list.status, status, "{name}");
        let links = desk
            .get(&format!("/crm/v4/objects/contacts/101/associations/{name}"))
            .await;
        assert_eq!(links.status == 400, status == 400, "{name}: {}", links.text);
    }
}

#[tokio::test]
async fn custom_objects_are_associated_with_others() {
    let desk = Desk::empty();
    made(&desk).await;
    let contact = desk.contact("a@example.com").await;
    let car = json!({"properties": {"vin": "V1"}});
    let car = desk.post("/crm/v3/objects/cars", car).await.body["id"].clone();
    let car = car.as_str().expect("an id");
    let link = format!("/crm/v4/objects/cars/{car}/associations/default/contacts/{contact}");
    assert_eq!(desk.call("PUT", &link, None).await.status, 200);
    let seen = desk
        .get(&format!("/crm/v4/objects/contacts/{contact}/associations/cars"))
        .await;
    assert_eq!(seen.body["results"][0]["toObjectId"].to_string(), car);
    let path = format!("{SCHEMAS}/cars/associations");
    let asked = json!({"fromObjectTypeId": "cars", "toObjectTypeId": "0-3", "name": "car_deal"});
    let more = desk.post(&path, asked).await;
    assert_eq!((more.status, &more.body["name"]), (201, &json!("car_deal")));
    let one = format!("{path}/{}", more.body["id"].as_str().expect("an id"));
    assert_eq!(desk.call("DELETE", &one, None).await.status, 204);
    assert_eq!(desk.call("DELETE", &one, None).await.status, 404);
}

#[tokio::test]
async fn a_schema_is_changed_and_goes_only_without_records() {
    let desk = Desk::empty();
    made(&desk).await;
    assert_eq!(desk.post(SCHEMAS, cars()).await.status, 409);
    let path = format!("{SCHEMAS}/cars");
    let changed = desk
        .call("PATCH", &path, Some(json!({"requiredProperties": []})))
        .await;
    assert_eq!(
        (changed.status, &changed.body["requiredProperties"]),
        (200, &json!([]))
    );
    let unknown = json!({"searchableProperties": ["wheels"]});
    assert_eq!(desk.call("PATCH", &path, Some(unknown)).await.status, 400);
    let car = desk
        .post("/crm/v3/objects/cars", json!({"properties": {"model": "x"}}))
        .await;
    assert_eq!(desk.call("DELETE", &path, None).await.status, 400);
    let record = format!("/crm/v3/objects/cars/{}", car.body["id"].as_str().expect("an id"));
    assert_eq!(desk.call("DELETE", &record, None).await.status, 204);
    assert_eq!(desk.call("DELETE", &path, None).await.status, 204);
    assert_eq!(desk.get("/crm/v3/objects/cars").await.status, 400);
    assert!(ids(&desk.get(SCHEMAS).await.body).is_empty());
    assert_eq!(
        ids(&desk.get(&format!("{SCHEMAS}?archived=true")).await.body).len(),
        1
    );
    assert_eq!(
        desk.call("DELETE", &format!("{path}?archived=true"), None)
            .await
            .status,
        204
    );
    assert!(ids(&desk.get(&format!("{SCHEMAS}?archived=true")).await.body).is_empty());
    made(&desk).await;
}

#[tokio::test]
async fn bad_schemas_are_refused() {
    let desk = Desk::empty();
    for (member, value) in [
        ("name", json!("Cars!")),
        ("labels", json!({})),
        ("requiredProperties", json!(["wheels"])),
        ("associatedObjects", json!(["planets"])),
    ] {
        let mut asked = cars();
        asked[member] = value;
        assert_eq!(desk.post(SCHEMAS, asked).await.status, 400, "{member}");
    }
    assert_eq!(desk.get(&format!("{SCHEMAS}/contacts")).await.status, 501);
}
