//! `propertiesWithHistory` in lists, single reads and batches.

use hubspot_emulator::{Counts, Emulator, Options, Tier};
use serde_json::{Value, json};

use crate::desk::{Desk, ids};

fn emulator() -> Emulator {
    let counts = Counts {
        contacts: 60,
        ..Counts::none()
    };
    Emulator::new(Options {
        counts,
        tier: Tier::Unlimited,
        ..Options::default()
    })
}

/// The history of one property, oldest first: value, time, source.
fn held(record: &Value, property: &str) -> Vec<(String, String, String)> {
    let list = record["propertiesWithHistory"][property]
        .as_array()
        .expect("a list");
    let text = |entry: &Value, name: &str| entry[name].as_str().expect("text").to_owned();
    list.iter()
        .rev()
        .map(|entry| {
            (
                text(entry, "value"),
                text(entry, "timestamp"),
                text(entry, "sourceType"),
            )
        })
        .collect()
}

#[tokio::test]
async fn lists_reads_and_batches_tell_the_same_history_newest_first() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let id = desk.contact("ann@example.com").await;
    let path = format!("/crm/v3/objects/contacts/{id}");
    for city in ["Bonn", "", "Köln"] {
        emulator.advance(std::time::Duration::from_secs(1));
        let change = json!({"properties": {"city": city}});
        assert_eq!(desk.call("PATCH", &path, Some(change)).await.status, 200);
    }
    let single = desk
        .get(&format!("{path}?propertiesWithHistory=city,nonsense"))
        .await
        .body;
    let values: Vec<String> = held(&single, "city")
        .into_iter()
        .map(|(value, ..)| value)
        .collect();
    assert_eq!(values, ["Bonn", "", "Köln"]);
    assert!(held(&single, "city").is_sorted_by_key(|(_, time, _)| time.clone()));
    let newest = &single["propertiesWithHistory"]["city"][0];
    assert_eq!(
        (&newest["value"], &newest["timestamp"], &newest["sourceType"]),
        (&json!("Köln"), &single["updatedAt"], &json!("INTEGRATION"))
    );
    assert!(newest["sourceId"].is_string() && newest["sourceLabel"].is_string());
    let listed = desk
        .get(&format!(
            "/crm/v3/objects/contacts?after={id}&propertiesWithHistory=city"
        ))
        .await
        .body;
    let batch = json!({"inputs": [{"id": id}], "propertiesWithHistory": ["city"], "properties": ["email"]});
    let read = desk.post("/crm/v3/objects/contacts/batch/read", batch).await.body;
    for record in [&listed["results"][0], &read["results"][0]] {
        assert_eq!(record["propertiesWithHistory"], single["propertiesWithHistory"]);
    }
}

#[tokio::test]
async fn each_value_says_where_it_came_from() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let asked = json!({"objectType": "contacts", "update": 60, "calculated": 60, "distinct": false});
    emulator.mutate(&asked).expect("understood");
    let names = desk.get("/crm/v3/properties/contacts").await.body;
    let names: Vec<&str> = names["results"]
        .as_array()
        .expect("properties")
        .iter()
        .filter_map(|property| property["name"].as_str())
        .collect();
    let inputs = ids(&desk.get("/crm/v3/objects/contacts?limit=50").await.body);
    let inputs: Vec<Value> = inputs.iter().map(|id| json!({"id": id})).collect();
    let batch = json!({"inputs": inputs, "propertiesWithHistory": names, "properties": names});
    let read = desk.post("/crm/v3/objects/contacts/batch/read", batch).await.body;
    let mut seen = std::collections::BTreeSet::new();
    for record in read["results"].as_array().expect("records") {
        for name in &names {
            let history = held(record, name);
            let current = &record["properties"][name];
            match history.last() {
                None => assert_eq!(current, &Value::Null, "{name}"),
                Some((newest, time, source)) => {
                    assert_eq!(current.as_str(), Some(newest.as_str()), "{name}");
                    assert!(
                        time.as_str() <= record["updatedAt"].as_str().expect("a time")
                            || source == "CALCULATED"
                    );
                    seen.insert(source.clone());
                }
            }
        }
        let modified = held(record, "lastmodifieddate");
        assert_eq!(Some(modified[0].1.as_str()), record["updatedAt"].as_str());
    }
    assert_eq!(seen, ["CALCULATED", "CRM_UI", "IMPORT"].map(str::to_owned).into());
}

#[tokio::test]
async fn fifty_records_at_most_are_read_with_history() {
    let emulator = emulator();
    let desk = Desk::at(&emulator);
    let inputs: Vec<Value> = (101..=151).map(|id| json!({"id": id.to_string()})).collect();
    for (count, history, refused) in [
        (50, json!(["email"]), false),
        (51, json!(["email"]), true),
        (51, json!([]), false),
    ] {
        let batch = json!({"inputs": inputs[..count], "propertiesWithHistory": history});
        let status = desk
            .post("/crm/v3/objects/contacts/batch/read", batch)
            .await
            .status;
        assert_eq!(status == 400, refused, "{count} {history}: {status}");
    }
    let unknown = "/crm/v3/objects/contacts?limit=51&propertiesWithHistory=nonsense";
    assert_eq!(
        desk.get(unknown).await.status,
        400,
        "the parameter counts, not what it names"
    );
}
