//! Faults on demand.

use std::time::Duration;

use serde_json::{Value, json};

use crate::desk::{Desk, ids};

async fn with_fault(desk: &Desk, action: Value) {
    let rule = json!([{"match": {"method": "*", "path": "/crm/*"}, "times": 1, "action": action}]);
    let added = desk.post("/_emulator/faults", rule).await;
    assert_eq!(added.status, 200, "{}", added.text);
}

#[tokio::test]
async fn a_status_is_answered_as_often_as_asked_for() {
    let desk = Desk::empty();
    let rule = json!([{"match": {"method": "GET", "path": "/crm/*"}, "times": 2, "action": {"status": 503, "headers": {"retry-after": "7"}}}]);
    desk.post("/_emulator/faults", rule).await;
    for status in [503, 503, 200] {
        let answer = desk.get("/crm/v3/objects/contacts").await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503);
    }
}

#[tokio::test]
async fn a_429_names_its_policy() {
    let desk = Desk::empty();
    for (policy, message) in [
        ("DAILY", "You have reached your daily limit."),
        ("SECONDLY", "You have reached your secondly limit."),
    ] {
        with_fault(&desk, json!({"status": 429, "policy": policy})).await;
        let answer = desk.get("/crm/v3/objects/contacts").await;
        assert_eq!(
            (answer.status, &answer.body["policyName"], &answer.body["message"]),
            (429, &json!(policy), &json!(message))
        );
    }
    with_fault(
        &desk,
        json!({"status": 400, "body": {"status": "error", "message": "mine"}}),
    )
    .await;
    assert_eq!(desk.get("/crm/v3/objects/contacts").await.body["message"], "mine");
}

#[tokio::test]
async fn a_dropped_request_does_nothing_and_answers_nothing() {
    let desk = Desk::empty();
    with_fault(&desk, json!({"drop": true})).await;
    let answer = desk
        .post(
            "/crm/v3/objects/contacts",
            json!({"properties": {"lastname": "A"}}),
        )
        .await;
    assert!(answer.broken);
    assert!(ids(&desk.get("/crm/v3/objects/contacts").await.body).is_empty());
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_has_happened() {
    let desk = Desk::empty();
    with_fault(&desk, json!({"failAfterWrite": true})).await;
    let answer = desk
        .post(
            "/crm/v3/objects/contacts",
            json!({"properties": {"lastname": "A"}}),
        )
        .await;
    assert!(answer.broken);
    assert_eq!(ids(&desk.get("/crm/v3/objects/contacts").await.body).len(), 1);
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_it_gives() {
    let desk = Desk::small();
    with_fault(&desk, json!({"truncate": true})).await;
    let answer = desk.get("/crm/v3/objects/contacts").await;
    let promised: usize = answer.headers["content-length"]
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("a length");
    assert!(answer.broken && answer.text.len() < promised && !answer.text.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_good() {
    let desk = Desk::empty();
    with_fault(&desk, json!({"slow": "2s"})).await;
    let before = tokio::time::Instant::now();
    assert_eq!(desk.get("/crm/v3/objects/contacts").await.status, 200);
    assert!(before.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn html_and_repeated_pages_can_be_had() {
    let desk = Desk::small();
    with_fault(&desk, json!({"html": true})).await;
    let page = desk.get("/crm/v3/objects/contacts").await;
    assert!(page.status == 200 && page.text.starts_with("<!DOCTYPE html>"));
    with_fault(&desk, json!({"repeatPage": true})).await;
    let page = desk.get("/crm/v3/objects/contacts?limit=5&after=110").await;
    assert_eq!(page.body["paging"]["next"]["after"], "110");
    assert_eq!(ids(&page.body).len(), 5);
}

#[tokio::test]
async fn rules_are_shown_cleared_and_checked() {
    let desk = Desk::empty();
    let rule = json!({"match": {"method": "GET", "path": "/crm/*"}, "times": 3, "action": {"status": 503}});
    desk.post("/_emulator/faults", json!([rule])).await;
    assert_eq!(desk.get("/_emulator/faults").await.body, json!([rule]));
    assert_eq!(desk.call("DELETE", "/_emulator/faults", None).await.status, 200);
    assert_eq!(desk.get("/crm/v3/objects/contacts").await.status, 200);
    for wrong in [
        json!([{"action": {}}]),
        json!([{"action": {"explode": true}}]),
        json!("x"),
        json!([{"action": {"slow": "soon"}}]),
    ] {
        let answer = desk.post("/_emulator/faults", wrong.clone()).await;
        assert!(
            answer.status == 400 && answer.body["error"].is_string(),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_locked_resource_and_a_moving_account_can_be_had() {
    let desk = Desk::empty();
    with_fault(&desk, json!({"status": 423})).await;
    let locked = desk.get("/crm/v3/objects/contacts").await;
    assert_eq!((locked.status, &locked.body["status"]), (423, &json!("error")));
    assert!(!locked.headers.contains_key("retry-after"));
    with_fault(&desk, json!({"status": 477})).await;
    let moving = desk.get("/crm/v3/objects/contacts").await;
    assert_eq!(
        (moving.status, &moving.headers["retry-after"]),
        (477, &"60".parse().unwrap())
    );
    with_fault(&desk, json!({"status": 477, "retryAfter": 86400})).await;
    let moving = desk.get("/crm/v3/objects/contacts").await;
    assert_eq!(moving.headers["retry-after"], "86400");
}
