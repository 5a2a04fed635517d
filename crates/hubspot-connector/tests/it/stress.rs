//! Many changes at once, as imports and workflows make them: what other connectors loop over for ever or leave out.
//!
//! `SPOKE_STRESS=25000` is the number of records; a plain `cargo test` takes fewer, which is still beyond the 10,000
//! results that a search shows.

use std::collections::BTreeMap;
use std::time::Duration;

use hubspot_emulator::{Counts, Emulator, Options, Tier};
use opencdc::Until;
use serde_json::{Value, json};

use crate::follower::{Follower, answered, searches, setting};
use crate::table::id_key;

/// What a page of a search holds.
const PAGE: u64 = 200;
/// What comes on top of the pages: the first question of an instant, those that find nothing, the count of the records.
const SMALL: u64 = 8;

/// Beyond what a search shows, and beyond twice that together.
fn many() -> u64 {
    setting("SPOKE_STRESS").unwrap_or(12_000)
}

/// A few of the seeded records lie in the recycle bin.
fn with_gone(live: u64) -> u64 {
    live + live / 25
}

fn portal(contacts: u64, search_lag: Duration) -> Emulator {
    let counts = Counts {
        contacts,
        line_items: Some(0),
        ..Counts::none()
    };
    Emulator::new(Options {
        counts,
        tier: Tier::Unlimited,
        search_lag,
        ..Options::default()
    })
}

fn narrow(more: &Value) -> Value {
    let mut config =
        json!({"streams": ["contacts"], "properties": ["email", "lastmodifieddate"], "poll": "15s"});
    for (key, value) in more.as_object().expect("settings by name") {
        config[key] = value.clone();
    }
    config
}

fn change(emulator: &Emulator, how: &Value) -> Vec<String> {
    let mut mutation = json!({"objectType": "contacts", "seed": 7, "distinct": true});
    for (key, value) in how.as_object().expect("settings by name") {
        mutation[key] = value.clone();
    }
    let done = emulator.mutate(&mutation).expect("it can be done");
    let kinds = ["create", "update"].into_iter();
    let ids = kinds.flat_map(|kind| done[kind].as_array().expect("a list by kind").clone());
    ids.map(|id| id.as_str().expect("an id").to_owned()).collect()
}

/// The live contacts by their key.
fn live(emulator: &Emulator) -> BTreeMap<String, Value> {
    let truth = emulator.truth("contacts").expect("there are contacts");
    let lines = truth.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice::<Value>(line).expect("a record a line"))
        .filter(|record| record["state"] == "live")
        .map(|record| (id_key(record["id"].as_str().expect("an id")), record))
        .collect()
}

/// Fails the test unless the copy is the truth, value by value.
fn assert_equal(emulator: &Emulator, follower: &Follower) {
    let truth = live(emulator);
    let rows = follower.tables.of("contacts");
    assert!(
        rows.keys().eq(truth.keys()),
        "{} rows of {}",
        rows.len(),
        truth.len()
    );
    for (key, row) in &rows {
        for property in ["email", "lastmodifieddate"] {
            let (found, wanted) = (
                &row.after["properties"][property],
                &truth[key]["properties"][property],
            );
            assert_eq!(found, wanted, "{property} of {key}");
        }
    }
}

/// Fails the test unless each of these was written so often.
fn assert_written(follower: &Follower, ids: &[String], times: usize) {
    let rows = follower.tables.of("contacts");
    let wrong: Vec<_> = ids
        .iter()
        .filter(|id| rows[&id_key(id)].writes != times)
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} ids: {:?}",
        wrong.len(),
        ids.len(),
        wrong.first()
    );
}

#[tokio::test(start_paused = true)]
async fn an_import_within_a_millisecond_and_one_over_a_second_arrive_once_while_search_lags() {
    let many = many();
    let emulator = portal(with_gone(many), Duration::from_secs(30));
    let mut follower = Follower::of(&emulator, narrow(&json!({"lookback": "2m"}))).await;
    // GIVEN a copy that follows
    let mut batches = follower.start(Until::Dropped).await;
    follower.apply(&mut batches, Duration::from_mins(5)).await;
    assert_equal(&emulator, &follower);
    emulator.clear_requests();
    // WHEN all change within one millisecond, and as many are made over a second
    let changed = change(&emulator, &json!({"update": many, "sameMillisecond": true}));
    let made = change(&emulator, &json!({"create": many, "over": "1s"}));
    follower.apply(&mut batches, Duration::from_mins(10)).await;
    // THEN all arrive, none twice
    assert_equal(&emulator, &follower);
    assert_written(&follower, &changed, 2);
    assert_written(&follower, &made, 1);
    // Both feeds read each record once, and 40 polls have two questions each. Every page begins with the millisecond that
    // the page before it ended in.
    let in_a_millisecond = many / 1000 + 1;
    let pages = many.div_ceil(PAGE) + many.div_ceil(PAGE - in_a_millisecond);
    let asked = searches(&emulator);
    assert!(
        asked <= 2 * (pages + 40) + SMALL,
        "{asked} searches for twice {pages} pages"
    );
}

/// Changes `many` records so, after a first copy, and gives the number of searches of the run that follows.
async fn searches_after(many: u64, how: Value, since: Duration) -> u64 {
    let emulator = portal(with_gone(many), Duration::ZERO);
    let mut follower = Follower::of(&emulator, narrow(&json!({"lookback": "5m"}))).await;
    follower.catch_up().await;
    let changed = change(&emulator, &how);
    assert_eq!(changed.len() as u64, many);
    tokio::time::sleep(since).await;
    emulator.clear_requests();
    follower.catch_up().await;
    assert_equal(&emulator, &follower);
    assert_written(&follower, &changed, 2);
    let reads = answered(&emulator, "POST ", "/batch/read");
    assert!(reads <= many / 100 + SMALL, "{reads} batches");
    searches(&emulator)
}

#[tokio::test(start_paused = true)]
async fn fifteen_thousand_distinct_times_cost_a_search_for_each_page() {
    let how = json!({"update": 15_000, "over": "15s"});
    for since in [Duration::from_secs(1), Duration::from_hours(1)] {
        let asked = searches_after(15_000, how.clone(), since).await;
        assert!(asked <= 15_000 / PAGE + SMALL, "{asked} searches after {since:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fifteen_thousand_of_one_time_cost_a_search_for_each_page() {
    let how = json!({"update": 15_000, "sameMillisecond": true});
    for since in [Duration::from_secs(1), Duration::from_hours(1)] {
        let asked = searches_after(15_000, how.clone(), since).await;
        assert!(asked <= 15_000 / PAGE + SMALL, "{asked} searches after {since:?}");
    }
}

/// The page that is ready, the one that is read and the one that is on its way were asked for when a read is dropped, and
/// are asked for again.
#[tokio::test(start_paused = true)]
async fn a_first_read_that_stops_half_way_goes_on_where_it_stopped() {
    let emulator = portal(many(), Duration::ZERO);
    let whole = live(&emulator).len() as u64;
    let mut follower = Follower::of(&emulator, narrow(&json!({}))).await;
    // GIVEN 63 of 100 rows
    let mut batches = follower.start(Until::CaughtUp).await;
    let reached = usize::try_from(whole * 63 / 100).expect("it fits");
    follower
        .apply_until(&mut batches, |tables| tables.len("contacts") >= reached)
        .await;
    drop(batches);
    let held = follower.tables.len("contacts") as u64;
    let first = answered(&emulator, "GET /crm/objects/", "");
    assert!(
        (held / 100..=held / 100 + 3).contains(&first),
        "{first} pages for {held} rows"
    );
    // WHEN it goes on
    emulator.clear_requests();
    follower.catch_up().await;
    // THEN it asks for the pages that it has not applied, and for the recycle bin
    assert_eq!(
        answered(&emulator, "GET /crm/objects/", ""),
        (whole - held).div_ceil(100)
    );
    assert_equal(&emulator, &follower);
    assert!(follower.tables.of("contacts").values().all(|row| row.writes == 1));
}
