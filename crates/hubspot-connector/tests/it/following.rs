//! What a stream's settings do to the copy, and what changes without a trace. Time is paused.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use hubspot_connector::HubspotSource;
use hubspot_emulator::{Counts, Emulator, Options};
use opencdc::{Batch, ErrorKind, Operation, Position, Resume, Selection, Source, Until};
use serde_json::{Value, json};

use crate::emulated::Hubspot;
use crate::table::{Tables, id_key};
use crate::{after, of_stream, read, try_read};

fn emulator() -> Emulator {
    let counts = Counts {
        contacts: 230,
        companies: 30,
        deals: 20,
        line_items: Some(0),
        ..Counts::none()
    };
    Emulator::new(Options {
        counts,
        ..Options::default()
    })
}

/// Follows for so long and keeps every batch.
async fn follow(source: &HubspotSource, tables: &mut Tables, time: Duration) -> Vec<Batch> {
    let everything = Selection::everything(&source.catalog().await.unwrap());
    let selection = Selection {
        until: Until::Dropped,
        ..everything
    };
    let mut batches = source.read(selection, tables.resume()).await.unwrap();
    let end = tokio::time::Instant::now() + time;
    let mut all = Vec::new();
    while let Ok(batch) = tokio::time::timeout_at(end, batches.next()).await {
        let batch = batch.expect("it never ends").unwrap();
        all.push(batch.clone());
        tables.apply(batch);
    }
    all
}

const MINUTE: Duration = Duration::from_mins(1);

fn truth(emulator: &Emulator, name: &str) -> BTreeMap<String, Value> {
    let text = emulator.truth(name).unwrap();
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    lines
        .map(|line| (line["id"].as_str().unwrap().to_owned(), line))
        .collect()
}

fn live(emulator: &Emulator, name: &str) -> Vec<String> {
    let all = truth(emulator, name).into_iter();
    all.filter(|(_, line)| line["state"] == "live")
        .map(|(id, _)| id_key(&id))
        .collect()
}

fn operations(batches: &[Batch], stream: &str) -> Vec<Operation> {
    of_stream(batches, stream)
        .iter()
        .map(|record| record.operation)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn values_that_change_without_a_trace_are_found_by_the_comparison() {
    let emulator = emulator();
    let source =
        Hubspot::of(&emulator).source(json!({"streams": ["contacts"], "reconcile": {"every": "10m"}}));
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    let silent = json!({"objectType": "contacts", "seed": 3, "silent": true, "distinct": true,
                        "update": 20, "create": 5, "archive": 4, "gdprDelete": 3, "merge": 2});
    emulator.mutate(&silent).unwrap();
    emulator
        .mutate(&json!({"objectType": "contacts", "seed": 4, "calculated": 6, "distinct": true}))
        .unwrap();
    follow(&source, &mut tables, 11 * MINUTE).await;
    let mut expected = live(&emulator, "contacts");
    expected.sort_unstable();
    assert_eq!(
        tables.of("contacts").keys().cloned().collect::<Vec<_>>(),
        expected
    );
    let truth = truth(&emulator, "contacts");
    for (key, row) in tables.of("contacts") {
        let id = row.after["id"].as_str().unwrap();
        for (name, value) in truth[id]["properties"].as_object().unwrap() {
            assert_eq!(&row.after["properties"][name], value, "{key} {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_erased_is_found_by_the_count_long_before_the_comparison_is_due() {
    let emulator = emulator();
    let config = json!({"streams": ["contacts"], "archived": {"every": "5m"}, "reconcile": {"every": "24h"}});
    let source = Hubspot::of(&emulator).source(config);
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    emulator.advance(Duration::from_hours(2));
    emulator
        .mutate(&json!({"objectType": "contacts", "seed": 3, "gdprDelete": 1}))
        .unwrap();
    let batches = follow(&source, &mut tables, 12 * MINUTE).await;
    let purged = of_stream(&batches, "contacts")
        .iter()
        .filter(|record| record.metadata.get("hubspot.purged") == Some("true"))
        .count();
    assert_eq!(purged, 1);
    assert_eq!(tables.of("contacts").len(), live(&emulator, "contacts").len());
}

#[tokio::test(start_paused = true)]
async fn a_merge_is_seen_with_the_survivor_and_says_into_which() {
    let emulator = emulator();
    let source = Hubspot::of(&emulator).source(json!({"streams": ["contacts"]}));
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    let done = emulator
        .mutate(&json!({"objectType": "contacts", "seed": 3, "merge": 1}))
        .unwrap();
    let survivor = done["merge"][0]["survivor"].as_str().unwrap();
    let batches = follow(&source, &mut tables, MINUTE).await;
    let merged: Vec<_> = of_stream(&batches, "contacts")
        .into_iter()
        .filter(|record| record.operation == Operation::Delete)
        .map(|record| record.metadata.get("hubspot.mergedInto").map(str::to_owned))
        .collect();
    assert_eq!(merged, [Some(survivor.to_owned()), Some(survivor.to_owned())]);
    assert!(tables.of("contacts").contains_key(&id_key(survivor)));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_restored_and_merged_before_anybody_looked_is_not_told_as_erased() {
    // GIVEN two contacts, of which one lies in the recycle bin
    let counts = Counts {
        contacts: 2,
        line_items: Some(0),
        ..Counts::none()
    };
    let emulator = Emulator::new(Options {
        counts,
        ..Options::default()
    });
    let source = Hubspot::of(&emulator).source(json!({"streams": ["contacts"]}));
    let mut tables = Tables::default();
    let change = |kind: &str| {
        let done = emulator.mutate(&json!({"objectType": "contacts", kind: 1}));
        done.unwrap()[kind][0].clone()
    };
    let archived = change("archive");
    follow(&source, &mut tables, 20 * MINUTE).await;
    // WHEN it is restored, and the two become a third
    assert_eq!(change("restore"), archived);
    let survivor = change("merge")["survivor"].clone();
    let batches = follow(&source, &mut tables, 20 * MINUTE).await;
    // THEN both are told to be that one
    let contacts = of_stream(&batches, "contacts").into_iter();
    let deletes: Vec<_> = contacts
        .filter(|record| record.operation == Operation::Delete)
        .collect();
    assert_eq!(deletes.len(), 2);
    for delete in deletes {
        assert_eq!(
            delete.metadata.get("hubspot.mergedInto"),
            survivor.as_str(),
            "{delete:?}"
        );
        assert_eq!(delete.metadata.get("hubspot.purged"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_of_an_association_alone_is_found_when_all_are_read_again() {
    let emulator = emulator();
    let config = json!({"streams": ["contacts", "companies"], "reassociate": {"every": "10m"}});
    let source = Hubspot::of(&emulator).source(config);
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    let before = tables.of("contacts_companies");
    for change in [json!({"disassociate": 7}), json!({"label": 5})] {
        let mut change = change;
        change["objectType"] = "contacts".into();
        emulator.mutate(&change).unwrap();
    }
    let batches = follow(&source, &mut tables, 11 * MINUTE).await;
    let lines = emulator.truth_of_associations("contacts", "companies").unwrap();
    let expected = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .count();
    assert_eq!(tables.of("contacts_companies").len(), expected);
    assert_ne!(
        tables.of("contacts_companies").keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert_eq!(
        operations(&batches, "contacts"),
        [],
        "the records themselves have not changed"
    );
}

#[tokio::test(start_paused = true)]
async fn the_history_of_properties_is_a_stream_of_its_own() {
    let emulator = emulator();
    let config = json!({"streams": [{"name": "contacts", "history": ["lifecyclestage", "firstname"]}]});
    let source = Hubspot::of(&emulator).source(config);
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    let before = tables.of("contacts_property_history").len();
    assert!(before >= 230, "{before}");
    emulator
        .mutate(&json!({"objectType": "contacts", "seed": 3, "update": 150, "distinct": true}))
        .unwrap();
    follow(&source, &mut tables, 2 * MINUTE).await;
    let after = tables.of("contacts_property_history");
    assert!(after.len() > before, "{} values after {before}", after.len());
    let newest = |id: &str, property: &str| {
        let of = after
            .values()
            .filter(|row| row.after["record_id"] == id && row.after["property"] == property);
        let newest = of.max_by_key(|row| row.after["timestamp"].as_str().unwrap().to_owned());
        newest.map(|row| row.after["value"].clone())
    };
    for (id, line) in truth(&emulator, "contacts") {
        if line["state"] == "live" && line["properties"].get("firstname").is_some() {
            assert_eq!(
                newest(&id, "firstname").as_ref(),
                line["properties"].get("firstname"),
                "{id}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_snapshot_only_changes_are_delivered_and_deletes_all_the_same() {
    let emulator = emulator();
    let source = Hubspot::of(&emulator).source(json!({"streams": [{"name": "contacts", "snapshot": false}]}));
    let mut tables = Tables::default();
    let batches = follow(&source, &mut tables, MINUTE).await;
    assert_eq!(operations(&batches, "contacts"), []);
    let change = json!({"objectType": "contacts", "seed": 3, "update": 5, "distinct": true, "create": 2, "archive": 3});
    emulator.mutate(&change).unwrap();
    let batches = follow(&source, &mut tables, 20 * MINUTE).await;
    let count = |wanted| {
        operations(&batches, "contacts")
            .iter()
            .filter(|operation| **operation == wanted)
            .count()
    };
    assert!(
        (4..=5).contains(&count(Operation::Update)),
        "{}",
        count(Operation::Update)
    );
    assert_eq!((count(Operation::Create), count(Operation::Snapshot)), (2, 0));
    assert!((2..=3).contains(&count(Operation::Delete)));
}

#[tokio::test(start_paused = true)]
async fn records_that_have_not_changed_for_long_are_left_out_when_asked() {
    let emulator = emulator();
    let mut times: Vec<String> = truth(&emulator, "contacts")
        .into_values()
        .filter(|line| line["state"] == "live")
        .map(|line| line["updatedAt"].as_str().unwrap().to_owned())
        .collect();
    times.sort_unstable();
    let limit = times[100].clone();
    let newer = times.iter().filter(|time| **time >= limit).count();
    let source = Hubspot::of(&emulator).source(json!({"streams": ["contacts"], "updated_after": limit}));
    let mut tables = Tables::default();
    follow(&source, &mut tables, MINUTE).await;
    assert_eq!(tables.of("contacts").len(), newer);
}

#[tokio::test(start_paused = true)]
async fn a_position_of_conduits_connector_goes_on_where_that_one_stood() {
    let emulator = emulator();
    let source = Hubspot::of(&emulator).source(json!({"streams": ["contacts"]}));
    let stood = jiff::Timestamp::from_millisecond(emulator.now()).unwrap();
    tokio::time::advance(MINUTE).await;
    emulator
        .mutate(&json!({"objectType": "contacts", "seed": 3, "update": 6, "distinct": true, "create": 2}))
        .unwrap();
    let position = json!({"mode": "cdc", "itemId": "256", "initialTimestamp": "2020-01-01T00:00:00Z", "timestamp": stood.to_string()});
    let from = Resume::from(Position::new(position.to_string()));
    let batches = read(&source, Some(from.clone())).await;
    let ids: std::collections::BTreeSet<_> = crate::ids(&batches, "contacts").into_iter().collect();
    assert!(
        (7..=8).contains(&ids.len()),
        "only what has changed since: {ids:?}"
    );
    // It names no stream, so it can only be that of the one object.
    let two = Hubspot::of(&emulator).source(json!({"streams": ["contacts", "deals"]}));
    let error = try_read(&two, Some(from)).await.remove(0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_selected_differently_is_read_again_or_refused() {
    let emulator = emulator();
    let hubspot = Hubspot::of(&emulator);
    let before =
        json!({"streams": [{"name": "contacts", "properties": ["email"]}, "deals"], "associations": "none"});
    let first = read(&hubspot.source(before), None).await;
    let other = json!({"streams": [{"name": "contacts", "properties": ["email", "city"]}, "deals"], "associations": "none"});
    let again = read(&hubspot.source(other.clone()), Some(after(&first))).await;
    assert_eq!(
        operations(&again, "contacts").len(),
        live(&emulator, "contacts").len()
    );
    assert_eq!(operations(&again, "deals"), [], "the others keep their place");

    let mut refusing = other;
    refusing["on_selection_change"] = "refuse".into();
    let mut results = try_read(&hubspot.source(refusing), Some(after(&first))).await;
    let error = results.pop().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error.to_string().contains("`contacts`") && error.hint().unwrap().contains("on_selection_change")
    );
}

#[tokio::test(start_paused = true)]
async fn tables_deliver_what_differs() {
    let counts = Counts {
        contacts: 20,
        line_items: Some(0),
        others: [
            ("blog_posts", 12),
            ("forms", 4),
            ("hubdb_tables", 3),
            ("url_redirects", 5),
            ("domains", 2),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into(),
        ..Counts::none()
    };
    let emulator = Emulator::new(Options {
        counts,
        ..Options::default()
    });
    let streams = [
        "owners",
        "pipelines",
        "pipeline_stages",
        "properties",
        "schemas",
        "lists",
        "list_memberships",
        "forms",
        "cms.blogs.authors",
        "cms.blogs.posts",
        "cms.blogs.tags",
        "cms.pages.landing",
        "cms.pages.site",
        "cms.hubdb.tables",
        "cms.urlRedirects",
        "domains",
    ];
    let source = Hubspot::of(&emulator).source(json!({"streams": streams, "refresh": "2m"}));
    let mut tables = Tables::default();
    let first = follow(&source, &mut tables, MINUTE).await;
    assert_eq!(operations(&first, "blog_posts").len(), 12);
    assert!(
        operations(&first, "owners")
            .iter()
            .all(|operation| *operation == Operation::Snapshot)
    );
    for change in [json!({"update": 2, "distinct": true}), json!({"create": 1})] {
        let mut change = change;
        change["objectType"] = "blog_posts".into();
        emulator.mutate(&change).unwrap();
    }
    let second = follow(&source, &mut tables, 5 * MINUTE).await;
    let mut found = operations(&second, "blog_posts");
    found.sort_unstable();
    assert_eq!(found, [Operation::Create, Operation::Update, Operation::Update]);
    assert_eq!(operations(&second, "owners"), [], "nothing comes twice");
}
