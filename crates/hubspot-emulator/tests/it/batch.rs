//! Batches of records.

use serde_json::{Value, json};

use crate::desk::{Desk, ids};

const CONTACTS: &str = "/crm/v3/objects/contacts/batch";

fn email_inputs(emails: &[&str]) -> Value {
    json!({"inputs": emails.iter().map(|email| json!({"properties": {"email": email}})).collect::<Vec<Value>>()})
}

#[tokio::test]
async fn a_read_names_the_missing_ids_in_one_error() {
    let desk = Desk::small();
    let body = json!({"properties": ["email"], "inputs": [{"id": "101"}, {"id": "999998"}, {"id": "102"}, {"id": "x"}, {"id": "101"}]});
    let read = desk.post(&format!("{CONTACTS}/read"), body).await;
    assert_eq!(
        (read.status, read.body["status"].as_str()),
        (207, Some("COMPLETE"))
    );
    let mut found = ids(&read.body);
    found.sort();
    assert_eq!(found, ["101", "102"]);
    assert_eq!(read.body["numErrors"], 1);
    let error = &read.body["errors"][0];
    assert_eq!(error["context"]["ids"], json!(["999998", "x"]));
    assert_eq!(
        error["message"],
        "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    );
}

#[tokio::test]
async fn results_are_not_in_the_order_of_the_inputs() {
    let desk = Desk::small();
    let inputs: Vec<Value> = (101..=110).map(|id| json!({"id": id.to_string()})).collect();
    let found = ids(&desk
        .post(&format!("{CONTACTS}/read"), json!({"inputs": inputs}))
        .await
        .body);
    assert_eq!(found.len(), 10);
    assert!(!found.is_sorted());
}

#[tokio::test]
async fn a_read_can_go_by_address() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let body =
        json!({"idProperty": "email", "inputs": [{"id": "ann@example.com"}, {"id": "bob@example.com"}]});
    let read = desk.post(&format!("{CONTACTS}/read"), body).await;
    assert_eq!((read.status, ids(&read.body)), (207, vec![id]));
}

#[tokio::test]
async fn a_batch_has_a_hundred_inputs_at_most() {
    let desk = Desk::empty();
    let inputs: Vec<Value> = (0..101).map(|id| json!({"id": id.to_string()})).collect();
    for operation in ["read", "archive"] {
        let answer = desk
            .post(&format!("{CONTACTS}/{operation}"), json!({"inputs": inputs}))
            .await;
        assert_eq!(answer.status, 400, "{operation}");
    }
}

#[tokio::test]
async fn without_trace_ids_one_bad_input_fails_the_whole_batch() {
    let desk = Desk::empty();
    let refused = desk
        .post(
            &format!("{CONTACTS}/create"),
            email_inputs(&["ann@example.com", "nonsense"]),
        )
        .await;
    assert_eq!(refused.status, 400);
    assert_eq!(ids(&desk.get("/crm/v3/objects/contacts").await.body).len(), 0);
    let good = desk
        .post(
            &format!("{CONTACTS}/create"),
            email_inputs(&["ann@example.com", "bob@example.com"]),
        )
        .await;
    assert_eq!((good.status, ids(&good.body).len()), (201, 2));
    let twice = desk
        .post(
            &format!("{CONTACTS}/create"),
            email_inputs(&["eve@example.com", "Eve@example.com"]),
        )
        .await;
    assert_eq!(twice.status, 400);
}

#[tokio::test]
async fn with_trace_ids_each_input_has_its_own_outcome() {
    let desk = Desk::empty();
    let body = json!({"inputs": [
        {"objectWriteTraceId": "one", "properties": {"email": "ann@example.com"}},
        {"objectWriteTraceId": "two", "properties": {"email": "nonsense"}},
    ]});
    let answer = desk.post(&format!("{CONTACTS}/create"), body).await;
    assert_eq!(answer.status, 207);
    assert_eq!(answer.body["results"][0]["objectWriteTraceId"], "one");
    assert_eq!(
        answer.body["errors"][0]["context"]["objectWriteTraceId"],
        json!(["two"])
    );
    assert_eq!(answer.body["errors"][0]["category"], "VALIDATION_ERROR");
}

#[tokio::test]
async fn an_update_changes_what_is_there_and_names_what_is_not() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let body = json!({"inputs": [
        {"id": id, "properties": {"city": "Bonn"}},
        {"id": "999", "properties": {"city": "Bonn"}},
    ]});
    let answer = desk.post(&format!("{CONTACTS}/update"), body).await;
    assert_eq!((answer.status, ids(&answer.body)), (207, vec![id]));
    assert_eq!(answer.body["errors"][0]["context"]["ids"], json!(["999"]));
    let by_email =
        json!({"inputs": [{"id": "ann@example.com", "idProperty": "email", "properties": {"city": "Köln"}}]});
    let answer = desk.post(&format!("{CONTACTS}/update"), by_email).await;
    assert_eq!(
        (answer.status, &answer.body["results"][0]["properties"]["city"]),
        (200, &json!("Köln"))
    );
}

#[tokio::test]
async fn archiving_ignores_unknown_ids() {
    let desk = Desk::empty();
    let id = desk.contact("ann@example.com").await;
    let answer = desk
        .post(
            &format!("{CONTACTS}/archive"),
            json!({"inputs": [{"id": id}, {"id": "999"}]}),
        )
        .await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    let read = desk
        .post(
            &format!("{CONTACTS}/read?archived=true"),
            json!({"inputs": [{"id": id}]}),
        )
        .await;
    assert_eq!(
        (read.status, &read.body["results"][0]["archived"]),
        (200, &json!(true))
    );
}

#[tokio::test]
async fn an_upsert_says_what_is_new() {
    let desk = Desk::empty();
    desk.contact("ann@example.com").await;
    let input = |email: &str| json!({"id": email, "idProperty": "email", "properties": {"city": "Bonn"}});
    let body = json!({"inputs": [input("ann@example.com"), input("bob@example.com")]});
    let answer = desk.post(&format!("{CONTACTS}/upsert"), body.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let new: std::collections::BTreeMap<&str, bool> = answer.body["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|record| Some((record["properties"]["email"].as_str()?, record["new"].as_bool()?)))
        .collect();
    assert_eq!(
        new,
        [("ann@example.com", false), ("bob@example.com", true)].into()
    );
    let again = desk.post(&format!("{CONTACTS}/upsert"), body).await;
    assert!(
        again.body["results"]
            .as_array()
            .expect("results")
            .iter()
            .all(|record| record["new"] == false)
    );
    let twice = json!({"inputs": [input("eve@example.com"), input("EVE@example.com")]});
    assert_eq!(desk.post(&format!("{CONTACTS}/upsert"), twice).await.status, 400);
}
