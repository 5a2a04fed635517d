//! Lists, who belongs to them, and how full the account is.

use serde_json::{Value, json};

use crate::desk::Desk;

async fn list(desk: &Desk, name: &str) -> String {
    let new = json!({"name": name, "objectTypeId": "0-1", "processingType": "MANUAL"});
    let made = desk.post("/crm/v3/lists", new).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.body["list"]["listId"]
        .as_str()
        .expect("ids are text")
        .to_owned()
}

fn members(body: &Value) -> Vec<&str> {
    let results = body["results"].as_array().expect("results");
    results
        .iter()
        .filter_map(|member| member["recordId"].as_str())
        .collect()
}

#[tokio::test]
async fn a_list_is_made_found_renamed_and_deleted() {
    let desk = Desk::empty();
    let id = list(&desk, "Friends").await;
    let again = json!({"name": "friends", "objectTypeId": "contacts", "processingType": "SNAPSHOT"});
    assert_eq!(desk.post("/crm/v3/lists", again).await.status, 400);
    let path = format!("/crm/lists/2026-03/{id}/update-list-name?listName=Foes");
    let renamed = desk.call("PUT", &path, None).await;
    assert_eq!(renamed.body["updatedList"]["name"], "Foes");
    let found = desk.post("/crm/v3/lists/search", json!({"query": "foe"})).await;
    assert_eq!(
        (&found.body["total"], &found.body["hasMore"]),
        (&json!(1), &json!(false))
    );
    let path = format!("/crm/v3/lists/{id}");
    assert_eq!(desk.get(&path).await.body["list"]["objectTypeId"], "0-1");
    let named = desk.get("/crm/v3/lists/object-type-id/0-1/name/foes").await;
    assert_eq!(named.body["list"]["listId"], id);
    assert_eq!(desk.call("DELETE", &path, None).await.status, 204);
    assert_eq!(desk.get(&path).await.status, 404);
    assert_eq!(
        desk.call("PUT", &format!("{path}/restore"), None).await.status,
        204
    );
    assert_eq!(desk.get(&path).await.status, 200);
}

#[tokio::test]
async fn members_come_in_pages_by_id_and_by_time() {
    let desk = Desk::small();
    let id = list(&desk, "Many").await;
    let path = format!("/crm/v3/lists/{id}/memberships");
    for ids in [json!(["103", "104", "999999"]), json!([101, 103])] {
        let added = desk.call("PUT", &format!("{path}/add"), Some(ids)).await;
        assert_eq!(added.status, 200, "{}", added.text);
        desk.post("/_emulator/clock", json!({"advance": "1s"})).await;
    }
    let first = desk.get(&format!("{path}?limit=2")).await;
    assert_eq!(
        (members(&first.body), &first.body["total"]),
        (vec!["101", "103"], &json!(3))
    );
    let after = first.body["paging"]["next"]["after"].as_str().expect("more");
    let second = desk.get(&format!("{path}?limit=2&after={after}")).await;
    assert_eq!(members(&second.body), ["104"]);
    assert!(second.body.get("paging").is_none());
    let joined = desk.get(&format!("{path}/join-order")).await;
    assert_eq!(members(&joined.body).len(), 3);
    let both = json!({"recordIdsToAdd": ["102"], "recordIdsToRemove": ["101", "555555"]});
    let changed = desk
        .call("PUT", &format!("{path}/add-and-remove"), Some(both))
        .await;
    assert_eq!(
        changed.body,
        json!({"recordsIdsAdded": ["102"], "recordIdsRemoved": ["101"], "recordIdsMissing": ["555555"]})
    );
    let of_record = desk.get("/crm/v3/lists/records/contacts/102/memberships").await;
    assert_eq!(of_record.body["results"][0]["listId"], id);
    assert_eq!(desk.call("DELETE", &path, None).await.status, 204);
    assert!(members(&desk.get(&path).await.body).is_empty());
}

#[tokio::test]
async fn dynamic_lists_are_refused_aloud() {
    let desk = Desk::empty();
    let new = json!({"name": "x", "objectTypeId": "0-1", "processingType": "DYNAMIC", "filterBranch": {}});
    let refused = desk.post("/crm/v3/lists", new).await;
    assert_eq!(
        (refused.status, &refused.body["category"]),
        (501, &json!("NOT_EMULATED"))
    );
}

#[tokio::test]
async fn the_account_tells_how_full_it_is_and_what_is_switched_on() {
    let desk = Desk::small();
    let records = desk.get("/crm/limits/2026-03/records").await;
    let contacts = &records.body["hubspotDefinedObjectTypes"][0];
    assert_eq!(
        (&contacts["objectTypeId"], contacts["usage"].is_u64()),
        (&json!("0-1"), true)
    );
    let one = desk.get("/crm/object-library/2026-03/enablement/0-1").await;
    assert_eq!(one.body, json!({"enablement": true}));
    let all = desk.get("/crm/v3/object-library/enablement").await;
    assert_eq!(all.body["enablementByObjectTypeId"]["0-2"], true);
}
