//! Deal splits, by deal and by search.

use serde_json::{Value, json};

use crate::desk::{Desk, ids};

const SPLITS: &str = "/crm/v3/objects/deals/splits/batch";

async fn owners(desk: &Desk) -> (u64, u64) {
    let page = desk.get("/crm/v3/owners").await.body;
    let id = |at: usize| page["results"][at]["id"].as_str().and_then(|id| id.parse().ok());
    (id(0).expect("an owner"), id(1).expect("an owner"))
}

async fn deal(desk: &Desk, owner: u64) -> String {
    let properties =
        json!({"dealname": "D", "pipeline": "default", "dealstage": "closedwon", "hubspot_owner_id": owner});
    let made = desk
        .post("/crm/v3/objects/deals", json!({"properties": properties}))
        .await;
    made.body["id"].as_str().expect("an id").to_owned()
}

fn wanted(deal: &str, splits: &[(u64, f64)]) -> Value {
    let splits: Vec<Value> = splits
        .iter()
        .map(|(owner, part)| json!({"ownerId": owner, "percentage": part}))
        .collect();
    json!({"inputs": [{"id": deal, "splits": splits}]})
}

#[tokio::test]
async fn the_splits_of_a_deal_are_replaced_read_and_found() {
    let desk = Desk::empty();
    let (ann, bob) = owners(&desk).await;
    let deal = deal(&desk, ann).await;
    let made = desk
        .post(
            &format!("{SPLITS}/upsert"),
            wanted(&deal, &[(ann, 0.6), (bob, 0.4)]),
        )
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    let splits = made.body["results"][0]["splits"].as_array().expect("splits");
    assert_eq!(splits.len(), 2);
    assert_eq!(
        splits[0]["properties"],
        json!({"hs_deal_split_percentage": "0.6", "hubspot_owner_id": ann.to_string()})
    );
    let again = wanted(&deal, &[(ann, 1.0)]);
    let replaced = desk.post("/deal-splits/2026-03/batch/upsert", again).await;
    assert_eq!(replaced.status, 200, "{}", replaced.text);
    let read = json!({"inputs": [{"id": deal}, {"id": "999"}]});
    let read = desk.post(&format!("{SPLITS}/read"), read).await;
    assert_eq!(
        (read.status, &read.body["results"]),
        (207, &replaced.body["results"])
    );
    assert_eq!(read.body["errors"][0]["context"]["ids"], json!(["999"]));
    let filter = json!({"filters": [{"propertyName": "associations.deal", "operator": "EQ", "value": deal}]});
    let found = desk.post("/crm/v3/objects/deal_split/search", filter).await;
    let split = replaced.body["results"][0]["splits"][0]["id"]
        .as_str()
        .expect("an id");
    assert_eq!(ids(&found.body), [split]);
}

#[tokio::test]
async fn splits_make_up_the_whole_and_include_the_deal_s_owner() {
    let desk = Desk::empty();
    let (ann, bob) = owners(&desk).await;
    let deal = deal(&desk, ann).await;
    for (what, body) in [
        ("too little", wanted(&deal, &[(ann, 0.5)])),
        ("too much", wanted(&deal, &[(ann, 0.5), (bob, 0.6)])),
        ("nothing", wanted(&deal, &[])),
        ("negative", wanted(&deal, &[(ann, 1.5), (bob, -0.5)])),
        ("twice", wanted(&deal, &[(ann, 0.5), (ann, 0.5)])),
        ("without the owner", wanted(&deal, &[(bob, 1.0)])),
        ("nobody", wanted(&deal, &[(ann, 0.5), (7, 0.5)])),
        ("no deal", wanted("999", &[(ann, 1.0)])),
    ] {
        let refused = desk.post(&format!("{SPLITS}/upsert"), body).await;
        assert_eq!(refused.status, 400, "{what}: {}", refused.text);
    }
    let read = desk
        .post(&format!("{SPLITS}/read"), json!({"inputs": [{"id": deal}]}))
        .await;
    assert_eq!(read.body["results"], json!([{"id": deal, "splits": []}]));
}

#[tokio::test]
async fn the_objects_api_only_searches_them() {
    let desk = Desk::empty();
    for (method, path, status) in [
        ("POST", "deal_split/search", 200),
        ("GET", "deal_splits", 405),
        ("POST", "deal_splits", 405),
        ("POST", "deal_splits/batch/read", 405),
    ] {
        let body = (method == "POST").then(|| json!({}));
        let answer = desk.call(method, &format!("/crm/v3/objects/{path}"), body).await;
        assert_eq!(answer.status, status, "{method} {path}");
    }
}
