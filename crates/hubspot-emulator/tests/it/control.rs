//! The control routes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::desk::Desk;

#[tokio::test]
async fn health_tells_what_there_is() {
    let desk = Desk::usual();
    let health = desk.get("/_emulator/health").await.body;
    assert_eq!(
        (health["tier"].as_str(), health["portalId"].as_u64()),
        (Some("unlimited"), Some(42_424_242))
    );
    let live = desk
        .lines("/_emulator/truth/deals")
        .await
        .iter()
        .filter(|record| record["state"] == "live")
        .count();
    assert_eq!(health["counts"]["deals"], json!(live));
}

#[tokio::test]
async fn seeding_adds_records_and_links() {
    let desk = Desk::small();
    let before = desk.lines("/_emulator/truth/contacts").await.len();
    assert_eq!(
        desk.post("/_emulator/seed", json!({"contacts": 50, "deals": 3}))
            .await
            .status,
        200
    );
    assert_eq!(desk.lines("/_emulator/truth/contacts").await.len(), before + 50);
    assert_eq!(desk.lines("/_emulator/truth/deals").await.len(), 33);
    assert_eq!(desk.lines("/_emulator/truth/companies").await.len(), 20);
    assert_eq!(
        desk.post("/_emulator/seed", json!({"unicorns": 1})).await.status,
        400
    );
}

#[tokio::test]
async fn what_no_memory_holds_is_refused() {
    let desk = Desk::empty();
    let seed = json!({"notes": u64::MAX});
    let mutation = json!({"objectType": "contacts", "create": u64::MAX});
    for (path, body) in [("/_emulator/seed", seed), ("/_emulator/mutate", mutation)] {
        let answer = desk.post(path, body).await;
        assert!(
            answer.status == 400 && answer.text.contains("at most"),
            "{}",
            answer.text
        );
    }
}

async fn states(desk: &Desk) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for record in desk.lines("/_emulator/truth/contacts").await {
        *states
            .entry(record["state"].as_str().expect("a state").to_owned())
            .or_default() += 1;
    }
    states
}

#[tokio::test]
async fn a_mutation_does_what_it_says() {
    let desk = Desk::small();
    let before = states(&desk).await;
    let asked = json!({"objectType": "contacts", "seed": 7, "create": 10, "update": 20, "archive": 5, "merge": 3, "gdprDelete": 2, "associate": 4});
    let done = desk.post("/_emulator/mutate", asked).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let count = |kind: &str| done.body[kind].as_array().map_or(0, Vec::len);
    assert_eq!(
        (
            count("create"),
            count("update"),
            count("archive"),
            count("gdprDelete")
        ),
        (10, 20, 5, 2)
    );
    let after = states(&desk).await;
    let merges = count("merge");
    assert!(merges > 0);
    let change =
        |state: &str| after.get(state).copied().unwrap_or(0) - before.get(state).copied().unwrap_or(0);
    assert_eq!(
        (change("archived"), change("merged"), change("purged")),
        (5, 2 * merges, 2)
    );
    let total = |states: &BTreeMap<String, usize>| states.values().sum::<usize>();
    assert_eq!(
        total(&after),
        total(&before) + 10 + merges,
        "merging contacts makes a new record"
    );
    assert_eq!(
        desk.post("/_emulator/mutate", json!({"objectType": "unicorns"}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_merged_id_leads_to_the_survivor() {
    let desk = Desk::small();
    let done = desk
        .post(
            "/_emulator/mutate",
            json!({"objectType": "contacts", "seed": 1, "merge": 1}),
        )
        .await
        .body;
    let merge = &done["merge"][0];
    let old = merge["merged"].as_str().expect("an id");
    let read = desk
        .get(&format!(
            "/crm/v3/objects/contacts/{old}?properties=hs_merged_object_ids"
        ))
        .await;
    assert_eq!((read.status, &read.body["id"]), (200, &merge["survivor"]));
    let names = read.body["properties"]["hs_merged_object_ids"]
        .as_str()
        .expect("ids");
    assert!(names.split(';').any(|id| id == old));
    let batch = json!({"inputs": [{"id": old, "properties": {"city": "Bonn"}}]});
    assert_eq!(
        desk.post("/crm/v3/objects/contacts/batch/update", batch)
            .await
            .status,
        207,
        "a batch update does not follow"
    );
    let truth = desk.lines("/_emulator/truth/contacts").await;
    let gone = truth
        .iter()
        .find(|record| record["id"] == old)
        .expect("still in the truth");
    assert_eq!(
        (&gone["state"], &gone["mergedInto"]),
        (&json!("merged"), &merge["survivor"])
    );
}

#[tokio::test]
async fn a_purged_record_leaves_only_its_id() {
    let desk = Desk::small();
    let done = desk
        .post(
            "/_emulator/mutate",
            json!({"objectType": "contacts", "gdprDelete": 1}),
        )
        .await
        .body;
    let id = done["gdprDelete"][0].as_str().expect("an id");
    assert_eq!(
        desk.get(&format!("/crm/v3/objects/contacts/{id}")).await.status,
        404
    );
    assert_eq!(
        desk.get(&format!("/crm/v3/objects/contacts/{id}?archived=true"))
            .await
            .status,
        404
    );
    let truth = desk.lines("/_emulator/truth/contacts").await;
    let gone = truth
        .iter()
        .find(|record| record["id"] == id)
        .expect("still in the truth");
    assert_eq!(
        (&gone["state"], &gone["properties"]),
        (&json!("purged"), &json!({}))
    );
    let links = desk
        .lines("/_emulator/truth/associations/contacts/companies")
        .await;
    assert!(links.iter().all(|link| link["fromId"] != id));
}

#[tokio::test]
async fn an_erased_contact_stays_in_the_bin_for_thirty_days_where_that_is_asked_for() {
    let desk = Desk::small();
    desk.post("/_emulator/behaviour", json!({"erasedStaysInBin": true}))
        .await;
    let mutate = async |what: Value| desk.post("/_emulator/mutate", what).await.body;
    let done =
        mutate(json!({"objectType": "contacts", "gdprDelete": 1, "archive": 1, "distinct": true})).await;
    let (live, archived) = (&done["gdprDelete"][0], &done["archive"][0]);
    let erase = json!({"objectId": archived});
    assert_eq!(
        desk.post("/crm/v3/objects/contacts/gdpr-delete", erase)
            .await
            .status,
        204
    );
    let bin = "/crm/v3/objects/contacts?limit=100&archived=true&properties=email,city";
    for id in [live, archived] {
        let listed = desk.get(bin).await.body["results"].clone();
        let listed = listed.as_array().expect("a list");
        let one = listed.iter().find(|one| one["id"] == *id).expect("it lies there");
        assert!(one["archivedAt"].is_string(), "{one}");
        assert_eq!(
            (&one["properties"]["email"], &one["properties"]["city"]),
            (&Value::Null, &Value::Null)
        );
    }
    let ids = |body: &Value| {
        let results = body["results"].as_array().expect("a list").clone();
        results
            .into_iter()
            .map(|one| one["id"].clone())
            .collect::<Vec<_>>()
    };
    let restored = mutate(json!({"objectType": "contacts", "restore": 100})).await;
    let restored = restored["restore"].as_array().expect("a list").clone();
    assert!(
        !restored.contains(live) && !restored.contains(archived),
        "{restored:?}"
    );
    let truth = desk.lines("/_emulator/truth/contacts").await;
    let states = truth
        .iter()
        .filter(|one| one["id"] == *live || one["id"] == *archived);
    assert!(
        states
            .into_iter()
            .all(|one| one["state"] == "purged" && one["properties"] == json!({}))
    );
    desk.post("/_emulator/clock", json!({"advance": "721h"})).await;
    let left = ids(&desk.get(bin).await.body);
    assert!(!left.contains(live) && !left.contains(archived), "{left:?}");
}

#[tokio::test]
async fn changes_can_share_a_millisecond() {
    let desk = Desk::small();
    let asked = json!({"objectType": "contacts", "create": 150, "sameMillisecond": true});
    let done = desk.post("/_emulator/mutate", asked).await.body;
    let created: Vec<&Value> = done["create"].as_array().expect("ids").iter().collect();
    let truth = desk.lines("/_emulator/truth/contacts").await;
    let times: std::collections::BTreeSet<&str> = truth
        .iter()
        .filter(|record| created.contains(&&record["id"]))
        .filter_map(|record| record["updatedAt"].as_str())
        .collect();
    assert_eq!(times.len(), 1);
}

#[tokio::test]
async fn the_log_counts_calls_but_not_control() {
    let desk = Desk::empty();
    desk.get("/crm/v3/objects/contacts").await;
    desk.get("/crm/v3/objects/contacts/7").await;
    desk.get("/marketing/v3/campaigns").await;
    let report = desk.get("/_emulator/requests").await.body;
    assert_eq!(report["total"], 3);
    assert_eq!(report["maxPerSecond"], 3);
    let expected = json!({
        "GET /crm/v3/objects/{type}": {"200": 1},
        "GET /crm/v3/objects/{type}/{id}": {"404": 1},
        "GET (not emulated)": {"501": 1},
    });
    assert_eq!(report["byRoute"], expected);
    let cleared = desk.call("DELETE", "/_emulator/requests", None).await;
    assert_eq!((cleared.status, &cleared.body["total"]), (200, &json!(0)));
}

#[tokio::test]
async fn a_frozen_clock_stamps_everything_alike() {
    let desk = Desk::empty();
    let frozen = desk.post("/_emulator/clock", json!({"freeze": true})).await.body["now"].clone();
    let id = desk.contact("ann@example.com").await;
    let path = format!("/crm/v3/objects/contacts/{id}");
    assert_eq!(desk.get(&path).await.body["createdAt"], frozen);
    desk.post("/_emulator/clock", json!({"advance": "1h"})).await;
    desk.call("PATCH", &path, Some(json!({"properties": {"city": "Bonn"}})))
        .await;
    let record = desk.get(&path).await.body;
    assert_ne!(record["updatedAt"], frozen);
    assert_eq!(
        desk.post("/_emulator/clock", json!({"advance": "soon"}))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn unknown_control_routes_are_not_hubspot_s() {
    let desk = Desk::empty();
    assert_eq!(desk.get("/_emulator/nonsense").await.status, 404);
    assert_eq!(desk.get("/_emulator/truth/unicorns").await.status, 404);
}
