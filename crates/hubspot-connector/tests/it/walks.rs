//! Walks over lists that are less orderly than HubSpot's seem to be: pages in no order, paging tokens that are refused, texts
//! written in another way. Time is paused.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use hubspot_connector::HubspotSource;
use hubspot_emulator::{Counts, Emulator, Options};
use opencdc::{Batch, Operation, Selection, Source, Until};
use serde_json::{Value, json};

use crate::emulated::Hubspot;
use crate::follower::answered;
use crate::of_stream;
use crate::table::{Tables, id_key};

fn emulator() -> Emulator {
    let counts = Counts {
        contacts: 450,
        companies: 30,
        ..Counts::none()
    };
    Emulator::new(Options {
        counts,
        ..Options::default()
    })
}

fn source(emulator: &Emulator, config: Value) -> HubspotSource {
    Hubspot::of(emulator).source(config)
}

async fn catch_up(source: &HubspotSource, tables: &mut Tables) -> Vec<Batch> {
    let batches = crate::read(source, tables.resume()).await;
    batches.iter().cloned().for_each(|batch| tables.apply(batch));
    batches
}

/// Reads until `is_enough` says so of the position of a batch, which is the last that was kept.
async fn read_until(
    source: &HubspotSource,
    tables: &mut Tables,
    until: Until,
    is_enough: impl Fn(&Value) -> bool,
) -> Vec<Batch> {
    let selection = Selection {
        until,
        ..Selection::everything(&source.catalog().await.unwrap())
    };
    let mut batches = source.read(selection, tables.resume()).await.unwrap();
    let mut all = Vec::new();
    loop {
        let batch = batches.next().await.expect("it comes to that").unwrap();
        let position: Value = serde_json::from_slice(batch.position.as_bytes()).unwrap();
        all.push(batch.clone());
        tables.apply(batch);
        if is_enough(&position["streams"]["contacts"]) {
            return all;
        }
    }
}

fn mutate(emulator: &Emulator, what: &str, count: u64) -> Value {
    let mutation = json!({"objectType": "contacts", "seed": 5, "distinct": true, what: count});
    emulator.mutate(&mutation).unwrap()
}

fn live(emulator: &Emulator) -> BTreeSet<String> {
    let text = emulator.truth("contacts").unwrap();
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    lines
        .filter(|line| line["state"] == "live")
        .map(|line| id_key(line["id"].as_str().unwrap()))
        .collect()
}

#[track_caller]
fn assert_copied(tables: &Tables, emulator: &Emulator) {
    let here: BTreeSet<String> = tables.of("contacts").into_keys().collect();
    assert_eq!(here, live(emulator));
}

/// A run that only ended the walks of an earlier one has not seen what went away behind them.
#[tokio::test(start_paused = true)]
async fn what_vanished_behind_a_walk_that_an_earlier_run_began_is_found_by_the_next_run() {
    for (walk, vanish) in [("reconcile", "gdprDelete"), ("archived", "archive")] {
        let emulator = emulator();
        let source = source(
            &emulator,
            json!({"streams": ["contacts"], "reconcile": {"every": "1s"}}),
        );
        let mut tables = Tables::default();
        mutate(&emulator, "archive", 250);
        catch_up(&source, &mut tables).await;
        emulator.advance(std::time::Duration::from_hours(1));
        let is_half_way = |contacts: &Value| contacts[walk]["open"]["after"].is_string();
        read_until(&source, &mut tables, Until::CaughtUp, is_half_way).await;
        let mutation =
            json!({"objectType": "contacts", "seed": 6, "distinct": true, "silent": true, vanish: 60});
        emulator.mutate(&mutation).unwrap();
        emulator.advance(std::time::Duration::from_hours(1));
        catch_up(&source, &mut tables).await;
        let found: BTreeSet<_> = tables.of("contacts").into_keys().collect();
        assert_eq!(found, live(&emulator), "{walk}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_in_no_order_cost_no_more_reads_and_bring_no_delete_twice() {
    let emulator = emulator();
    emulator.set_behaviour(&json!({"disorderedPages": true})).unwrap();
    let config = json!({"streams": ["contacts"], "reconcile": {"every": "1s"}});
    let source = source(&emulator, config);
    let mut tables = Tables::default();
    catch_up(&source, &mut tables).await;
    assert_copied(&tables, &emulator);
    mutate(&emulator, "archive", 220);
    let batches = catch_up(&source, &mut tables).await;
    assert_copied(&tables, &emulator);
    assert_eq!(of_stream(&batches, "contacts").len(), 220);
    for _ in 0..2 {
        emulator.clear_requests();
        let batches = catch_up(&source, &mut tables).await;
        assert_eq!(of_stream(&batches, "contacts").len(), 0);
        assert_eq!(answered(&emulator, "GET ", "/{id}"), 0);
        assert_eq!(answered(&emulator, "POST ", "/batch/read"), 0);
    }
    assert_copied(&tables, &emulator);
}

#[tokio::test(start_paused = true)]
async fn what_vanished_is_read_a_hundred_a_call_and_only_what_no_batch_finds_alone() {
    let emulator = emulator();
    let config = json!({"streams": ["contacts"], "properties": ["email"], "reconcile": {"every": "10m"},
                        "archived": {"every": "48h"}});
    let source = source(&emulator, config);
    let mut tables = Tables::default();
    catch_up(&source, &mut tables).await;
    emulator.clear_requests();
    mutate(&emulator, "archive", 250);
    mutate(&emulator, "gdprDelete", 5);
    emulator.advance(std::time::Duration::from_mins(20));
    read_until(&source, &mut tables, Until::Dropped, |contacts| {
        contacts["reconcile"]["last"].as_str() > contacts["initialTimestamp"].as_str()
    })
    .await;
    assert_copied(&tables, &emulator);
    let route = |method: &str, end: &str| {
        let requests = emulator.requests();
        let routes = requests["byRoute"].as_object().unwrap();
        let of = routes
            .iter()
            .filter(|(route, _)| route.starts_with(method) && route.ends_with(end));
        of.flat_map(|(_, statuses)| statuses.as_object().unwrap().values())
            .filter_map(Value::as_u64)
            .sum::<u64>()
    };
    assert_eq!(route("POST ", "/batch/read"), 6, "255 live, 255 archived");
    assert_eq!(route("GET ", "/{id}"), 5);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_whose_paging_token_is_refused_begins_again() {
    let emulator = emulator();
    let config = json!({"streams": ["contacts", "companies"]});
    let source = source(&emulator, config);
    let mut tables = Tables::default();
    emulator.set_behaviour(&json!({"pagingKey": 1})).unwrap();
    let half = |contacts: &Value| contacts["mode"] == "snapshot" && contacts["after"].is_string();
    read_until(&source, &mut tables, Until::CaughtUp, half).await;
    emulator.set_behaviour(&json!({"pagingKey": 2})).unwrap();
    catch_up(&source, &mut tables).await;
    assert_copied(&tables, &emulator);
    let links = Hubspot::of(&emulator).links("contacts", "companies").await;
    assert_eq!(tables.len("contacts_companies"), links.len());
}

#[tokio::test(start_paused = true)]
async fn a_walk_over_the_bin_whose_paging_token_is_refused_begins_again() {
    let emulator = emulator();
    let source = source(&emulator, json!({"streams": ["contacts"]}));
    let mut tables = Tables::default();
    emulator.set_behaviour(&json!({"pagingKey": 1})).unwrap();
    catch_up(&source, &mut tables).await;
    mutate(&emulator, "archive", 350);
    let half = |contacts: &Value| contacts["archived"]["open"]["after"].is_string();
    let first = read_until(&source, &mut tables, Until::CaughtUp, half).await;
    emulator.set_behaviour(&json!({"pagingKey": 2})).unwrap();
    let batches = catch_up(&source, &mut tables).await;
    assert_copied(&tables, &emulator);
    // Those that the emulator had in the bin from the start are no news.
    let all: BTreeSet<_> = first
        .iter()
        .chain(&batches)
        .flat_map(|batch| &batch.records)
        .collect::<Vec<_>>()
        .into_iter()
        .map(|record| crate::key(record, "id"))
        .collect();
    assert_eq!(all.len(), 350);
    let records = of_stream(&first, "contacts").len() + of_stream(&batches, "contacts").len();
    assert_eq!(records, 350, "nothing comes twice");
}

#[tokio::test(start_paused = true)]
async fn a_comparison_whose_paging_token_is_refused_begins_again() {
    let emulator = emulator();
    let source = source(
        &emulator,
        json!({"streams": ["contacts"], "reconcile": {"every": "1s"}}),
    );
    let mut tables = Tables::default();
    emulator.set_behaviour(&json!({"pagingKey": 1})).unwrap();
    catch_up(&source, &mut tables).await;
    let silent =
        json!({"objectType": "contacts", "seed": 3, "silent": true, "distinct": true, "update": 200});
    emulator.mutate(&silent).unwrap();
    let half = |contacts: &Value| contacts["reconcile"]["open"]["after"].is_string();
    read_until(&source, &mut tables, Until::CaughtUp, half).await;
    emulator.set_behaviour(&json!({"pagingKey": 2})).unwrap();
    catch_up(&source, &mut tables).await;
    assert_copied(&tables, &emulator);
    let rest = catch_up(&source, &mut tables).await;
    assert_eq!(of_stream(&rest, "contacts").len(), 0, "every value was found");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_refused_again_and_again_end_a_read_with_hubspots_words() {
    let emulator = emulator();
    let refused =
        json!({"match": {"method": "GET", "path": "/crm/*objects/*contacts"}, "action": {"status": 400}});
    let source = source(&emulator, json!({"streams": ["contacts"]}));
    let mut tables = Tables::default();
    let half = |contacts: &Value| contacts["after"].is_string();
    read_until(&source, &mut tables, Until::CaughtUp, half).await;
    emulator.add_faults(&json!([refused])).unwrap();
    let batches = crate::try_read(&source, tables.resume()).await;
    let error = batches.into_iter().last().unwrap().unwrap_err();
    assert!(error.to_string().contains("400"), "{error}");
    emulator.clear_faults();
    catch_up(&source, &mut tables).await;
    assert_copied(&tables, &emulator);
}

#[tokio::test(start_paused = true)]
async fn what_only_a_list_escapes_is_no_change() {
    let emulator = emulator();
    emulator.set_behaviour(&json!({"escapedLists": true})).unwrap();
    let source = source(
        &emulator,
        json!({"streams": ["contacts"], "reconcile": {"every": "1s"}}),
    );
    let mut tables = Tables::default();
    catch_up(&source, &mut tables).await;
    let done = mutate(&emulator, "update", 40);
    assert_eq!(done["update"].as_array().unwrap().len(), 40);
    emulator.advance(std::time::Duration::from_mins(10));
    let batches = catch_up(&source, &mut tables).await;
    let updates = of_stream(&batches, "contacts");
    assert_eq!(updates.len(), 40, "each once");
    assert!(updates.iter().all(|record| record.operation == Operation::Update));
    assert_eq!(
        of_stream(&catch_up(&source, &mut tables).await, "contacts").len(),
        0
    );
}
