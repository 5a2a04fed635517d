//! Marketing events by the app's own id and by object id.

use serde_json::{Value, json};

use crate::desk::Desk;

const EVENTS: &str = "/marketing/v3/marketing-events/events";

fn webinar(id: &str) -> Value {
    json!({"externalAccountId": "acme", "externalEventId": id, "eventName": "Webinar", "eventOrganizer": "Ann",
        "startDateTime": "2026-05-05T10:00:00+02:00", "eventCancelled": false})
}

#[tokio::test]
async fn an_event_is_made_read_changed_and_deleted_by_the_app_s_id() {
    let desk = Desk::empty();
    let made = desk.post(EVENTS, webinar("w1")).await;
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.body["startDateTime"], "2026-05-05T08:00:00.000Z");
    assert_eq!(desk.post(EVENTS, webinar("w1")).await.status, 409);
    let path = format!("{EVENTS}/w1?externalAccountId=acme");
    let read = desk.get(&path).await;
    assert_eq!((read.status, &read.body["eventName"]), (200, &json!("Webinar")));
    let dated = "/marketing/marketing-events/2026-03/events/w1?externalAccountId=acme";
    assert_eq!(desk.get(dated).await.body, read.body);
    let other_account = format!("{EVENTS}/w1?externalAccountId=other");
    assert_eq!(desk.get(&other_account).await.status, 404);
    assert_eq!(desk.get(&format!("{EVENTS}/w1")).await.status, 400);
    let changed = desk
        .call("PATCH", &path, Some(json!({"eventName": "Fair"})))
        .await;
    assert_eq!(changed.body["eventName"], "Fair");
    assert_eq!(changed.body["eventOrganizer"], "Ann");
    let cancelled = desk
        .post(&format!("{EVENTS}/w1/cancel?externalAccountId=acme"), json!({}))
        .await;
    assert_eq!(cancelled.body["eventCancelled"], true);
    let found = desk.get(&format!("{EVENTS}/search?q=w1")).await;
    assert_eq!(found.body["results"][0]["objectId"], made.body["objectId"]);
    assert_eq!(desk.call("DELETE", &path, None).await.status, 204);
    assert_eq!(desk.get(&path).await.status, 404);
}

#[tokio::test]
async fn upserts_make_what_is_new_and_refuse_what_is_incomplete() {
    let desk = Desk::empty();
    let path = format!("{EVENTS}/w1");
    let first = desk.call("PUT", &path, Some(webinar("w1"))).await;
    let again = json!({"externalAccountId": "acme", "eventName": "Fair"});
    let second = desk.call("PUT", &path, Some(again)).await;
    assert_eq!((first.status, second.status), (200, 200), "{}", second.text);
    assert_eq!(first.body["objectId"], second.body["objectId"]);
    let incomplete =
        json!({"inputs": [webinar("w2"), {"externalAccountId": "acme", "externalEventId": "w3"}]});
    let refused = desk.post(&format!("{EVENTS}/upsert"), incomplete).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let both = json!({"inputs": [webinar("w1"), webinar("w2")]});
    let batch = desk.post(&format!("{EVENTS}/upsert"), both).await;
    assert_eq!(
        batch.body["results"].as_array().map(Vec::len),
        Some(2),
        "{}",
        batch.text
    );
    let bad_time = json!({"externalAccountId": "acme", "startDateTime": "soon"});
    assert_eq!(desk.call("PUT", &path, Some(bad_time)).await.status, 400);
}

#[tokio::test]
async fn events_are_listed_by_object_id_in_pages() {
    let desk = Desk::empty();
    for id in ["a", "b", "c"] {
        desk.post(EVENTS, webinar(id)).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = desk
            .get(&format!("/marketing/v3/marketing-events?limit=2{after}"))
            .await;
        let results = page.body["results"].as_array().expect("results").clone();
        seen.extend(results.iter().map(|event| event["externalEventId"].clone()));
        match page.body["paging"]["next"]["after"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["a", "b", "c"]);
    let gone = json!({"inputs": [{"externalAccountId": "acme", "externalEventId": "a"},
        {"externalAccountId": "acme", "externalEventId": "unknown"}]});
    assert_eq!(desk.post(&format!("{EVENTS}/delete"), gone).await.status, 204);
    let left = desk.get("/marketing/v3/marketing-events").await.body;
    assert_eq!(left["results"].as_array().map(Vec::len), Some(2));
    let id = left["results"][0]["objectId"].as_str().expect("an id");
    let by_id = format!("/marketing/v3/marketing-events/{id}");
    assert_eq!(desk.get(&by_id).await.body, left["results"][0]);
    assert_eq!(desk.call("DELETE", &by_id, None).await.status, 204);
    assert_eq!(desk.get(&by_id).await.status, 404);
}

#[tokio::test]
async fn what_is_not_emulated_of_them_says_so() {
    let desk = Desk::empty();
    for path in [
        "/marketing/v3/marketing-events/attendance/w1/register/create",
        "/marketing/v3/marketing-events/associations/1/lists",
        "/marketing/v3/marketing-events/participations/1/breakdown",
        "/crm/v3/objects/marketing_events",
    ] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, 501, "{path}");
    }
}
