//! Faults on demand.

use std::time::Duration;

use axum::body::Body;
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

#[tokio::test]
async fn a_write_can_be_done_and_answered_as_if_it_were_not() {
    for status in [408, 499, 520] {
        let desk = Desk::empty();
        with_fault(&desk, json!({"failAfterWrite": true, "status": status})).await;
        let answer = desk
            .post(
                "/crm/v3/objects/contacts",
                json!({"properties": {"lastname": "A"}}),
            )
            .await;
        assert_eq!((answer.status, answer.broken), (status, false));
        assert_eq!(ids(&desk.get("/crm/v3/objects/contacts").await.body).len(), 1);
    }
}

#[tokio::test]
async fn one_page_of_one_list_goes_wrong_alone() {
    let desk = Desk::small();
    let rule = json!([{
        "match": {"path": "/crm/v3/objects/contacts", "query": "after=1"},
        "skip": 1, "times": 1, "action": {"status": 502},
    }]);
    desk.post("/_emulator/faults", rule).await;
    for (path, status) in [
        ("/crm/v3/objects/contacts?limit=5", 200),
        ("/crm/v3/objects/contacts?limit=5&after=106", 200),
        ("/crm/v3/objects/companies?limit=5&after=106", 200),
        ("/crm/v3/objects/contacts?limit=5&after=111", 502),
        ("/crm/v3/objects/contacts?limit=5&after=111", 200),
    ] {
        assert_eq!(desk.get(path).await.status, status, "{path}");
    }
    let rule = json!([{"match": {"body": "\"105\""}, "action": {"status": 404}}]);
    desk.post("/_emulator/faults", rule).await;
    for (id, status) in [("104", 200), ("105", 404)] {
        let asked = json!({"inputs": [{"id": id}], "properties": []});
        let answer = desk.post("/crm/v3/objects/contacts/batch/read", asked).await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn a_batch_can_leave_an_input_out_of_its_answer() {
    let desk = Desk::small();
    let live = ids(&desk.get("/crm/v3/objects/contacts?limit=3").await.body);
    with_fault(&desk, json!({"leaveOut": [live[1]], "duplicate": [live[0]]})).await;
    let inputs: Vec<Value> = live.iter().map(|id| json!({"id": id})).collect();
    let asked = json!({"inputs": inputs, "properties": []});
    let answer = desk.post("/crm/v3/objects/contacts/batch/read", asked).await;
    assert_eq!(answer.status, 200);
    let mut read = ids(&answer.body);
    read.sort();
    assert_eq!(read, [&*live[0], &live[0], &live[2]]);
}

#[tokio::test]
async fn short_and_empty_pages_lose_nothing() {
    let desk = Desk::small();
    let path = "/crm/v3/objects/contacts?limit=10&after=110";
    let whole = ids(&desk.get(path).await.body);
    with_fault(&desk, json!({"shortPage": 3})).await;
    let page = desk.get(path).await;
    assert_eq!(ids(&page.body), whole[..3]);
    let after = page.body["paging"]["next"]["after"]
        .as_str()
        .expect("a next page");
    let rest = desk
        .get(&format!("/crm/v3/objects/contacts?limit=7&after={after}"))
        .await;
    assert_eq!(ids(&rest.body), whole[3..]);
    with_fault(&desk, json!({"shortPage": 0})).await;
    let page = desk.get(path).await;
    assert_eq!(
        (ids(&page.body).len(), &page.body["paging"]["next"]["after"]),
        (0, &json!("110"))
    );
    for most in [3, 0] {
        with_fault(&desk, json!({"shortPage": most})).await;
        let asked = json!({"limit": 50, "after": "10"});
        let page = desk.post("/crm/v3/objects/contacts/search", asked).await;
        assert_eq!(ids(&page.body).len(), most);
        assert!(page.body["total"].as_u64().is_some_and(|total| total > 100));
        assert_eq!(page.body["paging"]["next"]["after"], (10 + most).to_string());
    }
}

#[tokio::test]
async fn the_date_of_an_answer_can_be_wrong_or_missing() {
    let desk = Desk::empty();
    with_fault(&desk, json!({"headers": {"date": null}})).await;
    let answer = desk.get("/crm/v3/objects/contacts").await;
    assert_eq!((answer.status, answer.headers.get("date")), (200, None));
    with_fault(&desk, json!({"headers": {"date": "yesterday"}})).await;
    assert_eq!(
        desk.get("/crm/v3/objects/contacts").await.headers["date"],
        "yesterday"
    );
    for (off, days) in [("90d", 90), ("-90d", -90)] {
        desk.post("/_emulator/clock", json!({"freeze": true})).await;
        let right = desk.get("/crm/v3/objects/contacts").await;
        with_fault(&desk, json!({"date": off})).await;
        let wrong = desk.get("/crm/v3/objects/contacts").await;
        assert_eq!(
            seconds(&wrong.headers["date"]) - seconds(&right.headers["date"]),
            days * 86_400
        );
    }
}

fn seconds(date: &http::HeaderValue) -> i64 {
    let date = httpdate::parse_http_date(date.to_str().expect("text")).expect("a date");
    let since = date.duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("not so far away")
}

#[tokio::test]
async fn a_body_that_is_too_large_or_cut_off_is_not_taken_for_an_empty_one() {
    let emulator = hubspot_emulator::Emulator::new(hubspot_emulator::Options::default());
    let desk = Desk::at(&emulator);
    let request = |body: Body| {
        http::Request::builder()
            .method("POST")
            .uri("/crm/v3/objects/contacts/batch/create")
            .header(
                "authorization",
                format!("Bearer {}", hubspot_emulator::DEFAULT_TOKEN),
            )
            .header("content-type", "application/json")
            .body(body)
            .expect("a request")
    };
    let large = desk.send(request(vec![b' '; (32 << 20) + 1].into())).await;
    assert_eq!((large.status, &large.body["status"]), (413, &json!("error")));
    let parts: [Result<&str, std::io::Error>; 2] = [
        Ok("{\"inputs\":[]"),
        Err(std::io::ErrorKind::UnexpectedEof.into()),
    ];
    let cut = Body::from_stream(futures_util::stream::iter(parts));
    assert!(desk.send(request(cut)).await.broken);
}
