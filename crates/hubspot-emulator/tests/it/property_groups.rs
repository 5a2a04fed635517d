//! Groups of properties, and properties in batches (hubspot-api notes §2.1).

use serde_json::json;

use crate::desk::Desk;

const CONTACTS: &str = "/crm/v3/properties/contacts";

#[tokio::test]
async fn groups_are_made_changed_and_deleted() {
    let desk = Desk::empty();
    let groups = format!("{CONTACTS}/groups");
    let asked = json!({"name": "mine", "label": "Mine"});
    assert_eq!(desk.post(&groups, asked.clone()).await.status, 201);
    assert_eq!(desk.post(&groups, asked).await.status, 409);
    let one = format!("{groups}/mine");
    let renamed = desk.call("PATCH", &one, Some(json!({"label": "Ours"}))).await;
    assert_eq!((renamed.status, &renamed.body["label"]), (200, &json!("Ours")));
    assert!(desk.get(&groups).await.text.contains("contactinformation"));
    assert_eq!(desk.call("DELETE", &one, None).await.status, 204);
    assert_eq!(desk.get(&one).await.status, 404);
    let used = format!("{groups}/contactinformation");
    assert_eq!(desk.call("DELETE", &used, None).await.status, 400);
}

#[tokio::test]
async fn properties_are_made_read_and_archived_in_batches() {
    let desk = Desk::empty();
    let property = |name: &str| json!({"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "mine"});
    let path = |verb: &str| format!("{CONTACTS}/batch/{verb}");
    let both = json!({"inputs": [property("one"), property("two")]});
    let made = desk.post(&path("create"), both).await;
    assert_eq!(
        (made.status, &made.body["results"][1]["name"]),
        (201, &json!("two"))
    );
    let names = json!({"inputs": [{"name": "one"}, {"name": "email"}, {"name": "nothing"}]});
    let read = desk.post(&path("read"), names).await.body;
    assert_eq!(read["results"].as_array().map(Vec::len), Some(2));
    let gone = json!({"inputs": [{"name": "one"}]});
    assert_eq!(desk.post(&path("archive"), gone).await.status, 204);
    assert_eq!(desk.get(&format!("{CONTACTS}/one")).await.status, 404);
}

#[tokio::test]
async fn ten_properties_may_be_unique() {
    let desk = Desk::empty();
    let mut answers = Vec::new();
    for at in 0..11 {
        let asked = json!({"name": format!("key{at}"), "label": "Key", "type": "string", "fieldType": "text",
            "groupName": "mine", "hasUniqueValue": true});
        answers.push(desk.post("/crm/v3/properties/companies", asked).await.status);
    }
    assert!(answers.contains(&201));
    assert_eq!(answers.last(), Some(&400));
}
