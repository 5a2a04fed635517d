//! Is everything there, and is it right? Compared with what the emulator knows.

use std::collections::{BTreeMap, BTreeSet};

use hubspot_emulator::Counts;
use opencdc::{Batch, Record, Source, conformance};
use serde_json::{Map, Value, json};

use crate::emulated::{Hubspot, a_few};
use crate::{ids, key, of_stream, read};

const OBJECTS: [&str; 6] = [
    "contacts",
    "companies",
    "deals",
    "tickets",
    "products",
    "line_items",
];

fn after(record: &Record) -> Map<String, Value> {
    record
        .payload
        .after
        .as_ref()
        .expect("it is no delete")
        .to_object()
        .unwrap()
        .into_owned()
}

/// The properties that have a value; null and absent both mean none (hubspot-api notes §1.2).
fn values(record: &Record) -> BTreeMap<String, Value> {
    let after = after(record);
    let properties = after["properties"].as_object().unwrap().clone();
    properties
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect()
}

fn rows(batches: &[Batch], stream: &str) -> Vec<String> {
    let row = |record: &&Record| {
        let row = after(record);
        json!([
            row["from_id"],
            row["to_id"],
            row["type_id"],
            row["category"],
            row["label"]
        ])
        .to_string()
    };
    of_stream(batches, stream).iter().map(row).collect()
}

/// Every live record once, with every value it has.
async fn assert_records(hubspot: &Hubspot, batches: &[Batch], object: &str) {
    let records = of_stream(batches, object);
    let found: BTreeMap<_, _> = records
        .iter()
        .map(|record| (key(record, "id"), values(record)))
        .collect();
    assert_eq!(found.len(), records.len(), "{object}: a record came twice");
    let live = hubspot
        .truth(object)
        .await
        .into_iter()
        .filter(|record| record.state == "live");
    let expected: BTreeMap<_, _> = live.map(|record| (record.id, record.properties)).collect();
    let ids = |records: &BTreeMap<String, _>| records.keys().cloned().collect::<Vec<_>>();
    assert_eq!(ids(&found), ids(&expected), "{object}");
    for (id, properties) in &found {
        assert_eq!(properties, &expected[id], "{object} {id}");
    }
}

async fn assert_associations(hubspot: &Hubspot, batches: &[Batch], from: &str, to: &str) -> usize {
    let stream = format!("{from}_{to}");
    let rows = rows(batches, &stream);
    let expected = hubspot.links(from, to).await;
    let found: BTreeSet<_> = rows.iter().cloned().collect();
    assert_eq!(found.len(), rows.len(), "{stream}: a row came twice");
    assert_eq!(found, expected, "{stream}");
    rows.len()
}

#[tokio::test(start_paused = true)]
async fn the_source_keeps_every_promise_of_a_source() {
    let hubspot = Hubspot::new(Counts {
        contacts: 120,
        companies: 30,
        deals: 40,
        ..Counts::none()
    });
    let source = hubspot.source(json!({
        "streams": [{"name": "contacts", "page_size": 50}, "companies", "deals", "owners", "pipelines"],
        "properties": ["hs_object_id"],
    }));
    let suite = conformance::source::all(&source);
    let ended = tokio::time::timeout(std::time::Duration::from_hours(24), suite).await;
    ended.expect("nothing waits for a read that nobody polls");
}

#[tokio::test(start_paused = true)]
async fn every_record_arrives_with_every_value() {
    let hubspot = Hubspot::new(a_few());
    let batches = read(&hubspot.source(json!({"streams": OBJECTS})), None).await;
    for object in OBJECTS {
        assert_records(&hubspot, &batches, object).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_association_arrives_with_its_type_and_label() {
    let hubspot = Hubspot::new(a_few());
    let source = hubspot.source(json!({"streams": OBJECTS, "properties": ["hs_object_id"]}));
    let catalog = source.catalog().await.unwrap();
    let batches = read(&source, None).await;
    let mut total = 0;
    for from in OBJECTS {
        for to in OBJECTS
            .iter()
            .filter(|to| catalog.stream(&format!("{from}_{to}")).is_some())
        {
            total += assert_associations(&hubspot, &batches, from, to).await;
        }
    }
    assert!(total > 1_000, "{total}");
}

#[tokio::test(start_paused = true)]
async fn an_association_list_longer_than_a_page_is_whole() {
    let hubspot = Hubspot::new(a_few());
    let source = hubspot.source(json!({"streams": ["contacts", "deals"]}));
    let batches = read(&source, None).await;
    assert_associations(&hubspot, &batches, "contacts", "deals").await;
    let mut deals = BTreeMap::<String, usize>::new();
    for record in of_stream(&batches, "contacts_deals") {
        *deals.entry(key(record, "from_id")).or_default() += 1;
    }
    assert!(deals.values().any(|count| *count > 100), "the case is there");
}

#[tokio::test(start_paused = true)]
async fn the_other_direction_is_read_when_asked_for() {
    // Every fourth contact works for the first company: more than the 500 that one page of associations holds.
    let hubspot = Hubspot::new(Counts {
        contacts: 2_400,
        companies: 20,
        ..Counts::none()
    });
    let config =
        json!({"streams": [{"name": "companies", "associations": ["contacts"]}], "properties": ["name"]});
    let batches = read(&hubspot.source(config), None).await;
    let total = assert_associations(&hubspot, &batches, "companies", "contacts").await;
    assert!(total > 2_400, "{total}");
}

#[tokio::test(start_paused = true)]
async fn a_wide_account_arrives_whole() {
    let hubspot = Hubspot::new(Counts {
        contacts: 230,
        companies: 40,
        ..Counts::none()
    });
    let client = hubspot.client();
    for n in 0..450 {
        let name = format!("a_property_with_a_rather_long_name_{n:03}");
        let property = json!({"name": name, "label": name, "type": "string", "fieldType": "text",
                              "groupName": "contactinformation"});
        let request =
            http::Request::post("/crm/v3/properties/contacts").header("content-type", "application/json");
        client
            .send(request.body(property.to_string().into()).unwrap())
            .await
            .unwrap();
    }
    let batches = read(
        &hubspot.source(json!({"streams": ["contacts", "companies"]})),
        None,
    )
    .await;
    assert_records(&hubspot, &batches, "contacts").await;
    assert_associations(&hubspot, &batches, "contacts", "companies").await;
    assert!(
        hubspot.requests().await["byRoute"]
            .to_string()
            .contains("batch/read"),
        "read by id"
    );
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_no_objects_arrive() {
    let hubspot = Hubspot::new(a_few());
    let own = ["owners", "pipelines", "pipeline_stages", "properties"];
    let source =
        hubspot.source(json!({"streams": ["deals", "owners", "pipelines", "pipeline_stages", "properties"]}));
    let catalog = source.catalog().await.unwrap();
    let batches = read(&source, None).await;
    for stream in own {
        let records = of_stream(&batches, stream);
        assert!(!records.is_empty(), "{stream}");
        let fields = &catalog.stream(stream).unwrap().fields;
        for field in fields.iter().filter(|field| !field.name.starts_with('_')) {
            let has = |record: &&Record| after(record).contains_key(&field.path[0]);
            assert!(records.iter().any(has), "{stream} has no `{}`", field.name);
        }
    }
    let stages: Vec<_> = of_stream(&batches, "pipeline_stages")
        .iter()
        .map(|record| key(record, "id"))
        .collect();
    assert!(stages.contains(&"closedwon".to_owned()), "{stages:?}");
    let names: Vec<_> = of_stream(&batches, "properties")
        .iter()
        .map(|record| key(record, "name"))
        .collect();
    assert!(names.contains(&"dealname".to_owned()));
    let archived = of_stream(&batches, "owners")
        .iter()
        .filter(|record| after(record)["archived"] == true)
        .count();
    assert!(
        archived > 0 && archived < ids(&batches, "owners").len(),
        "archived owners are among them"
    );
}

#[tokio::test(start_paused = true)]
async fn the_fields_of_the_catalog_are_where_it_says() {
    let hubspot = Hubspot::new(a_few());
    let source = hubspot.source(json!({"streams": ["contacts"]}));
    let catalog = source.catalog().await.unwrap();
    let batches = read(&source, None).await;
    let record = after(of_stream(&batches, "contacts")[0]);
    for field in &catalog.stream("contacts").unwrap().fields {
        let found = field
            .path
            .iter()
            .try_fold(&Value::Object(record.clone()), |value, key| {
                value.get(key).or(None)
            })
            .is_some();
        assert!(
            found || field.name == "_archived_at",
            "`{}` is not at {:?}",
            field.name,
            field.path
        );
    }
}

#[tokio::test(start_paused = true)]
async fn contacts_with_their_companies_cost_a_call_a_hundred() {
    let hubspot = Hubspot::new(Counts {
        contacts: 2_500,
        companies: 100,
        ..Counts::none()
    });
    let source = hubspot.source(
        json!({"streams": [{"name": "contacts", "associations": ["companies"], "properties": ["email"]}]}),
    );
    let batches = read(&source, None).await;
    assert_eq!(
        ids(&batches, "contacts").len(),
        hubspot.ids("contacts", "live").await.len()
    );
    assert_associations(&hubspot, &batches, "contacts", "companies").await;
    let total = hubspot.requests().await["total"].as_u64().unwrap();
    assert!(total <= 2_500 / 100 + 20, "{total} calls");
}
