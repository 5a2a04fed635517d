//! Changes arrive whatever HubSpot's search does to their order, its pages, its times and its counts.

use std::collections::BTreeMap;
use std::time::Duration;

use hubspot_emulator::{Counts, Emulator, Options, Tier};
use opencdc::Until;
use serde_json::{Value, json};

use crate::follower::{Follower, searches};
use crate::table::id_key;

/// Changes in one go; more than three pages of a search.
const CHANGES: u64 = 700;

fn emulator(search_lag: Duration) -> Emulator {
    Emulator::new(Options {
        counts: Counts {
            contacts: 900,
            ..Counts::none()
        },
        tier: Tier::Unlimited,
        search_lag,
        ..Options::default()
    })
}

/// No walk over all records but the first, unless a feed owes one.
fn config() -> Value {
    json!({
        "streams": ["contacts"],
        "properties": ["defaults"],
        "associations": [],
        "reconcile": {"every": "240h"},
        "lookback": "2m",
    })
}

fn update(emulator: &Emulator, count: u64, same_millisecond: bool) {
    let mutation = json!({"objectType": "contacts", "seed": count, "update": count, "sameMillisecond": same_millisecond});
    emulator.mutate(&mutation).unwrap();
}

/// How many rows of the copy differ from what the account holds.
fn differing(emulator: &Emulator, copy: &Follower) -> usize {
    let truth = emulator.truth("contacts").unwrap();
    let lines = truth.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let lines = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    lines
        .filter(|line| line["state"] == "live")
        .filter(|line| {
            let row = copy
                .tables
                .after("contacts", &id_key(line["id"].as_str().unwrap()));
            row.is_none_or(|row| {
                !has_same_values(row["properties"].as_object().unwrap(), &line["properties"])
            })
        })
        .count()
}

fn has_same_values(row: &serde_json::Map<String, Value>, truth: &Value) -> bool {
    let is_value = |value: &Value| !value.is_null() && *value != "";
    let found: BTreeMap<_, _> = row.iter().filter(|(_, value)| is_value(value)).collect();
    let truth = truth.as_object().unwrap().iter();
    let truth = truth.filter(|(name, value)| is_value(value) && row.contains_key(*name));
    found == truth.collect()
}

struct Case {
    name: &'static str,
    behaviour: Value,
    search_lag: Duration,
    same_millisecond: bool,
}

fn cases() -> Vec<Case> {
    let case = |name, behaviour| Case {
        name,
        behaviour,
        search_lag: Duration::ZERO,
        same_millisecond: false,
    };
    let instant = |name, behaviour| Case {
        same_millisecond: true,
        ..case(name, behaviour)
    };
    vec![
        case("as documented", json!({})),
        case("short and empty pages", json!({"shortPages": true})),
        instant("short and empty pages of an instant", json!({"shortPages": true})),
        case("out of order by seconds", json!({"disorder": 1_500})),
        case("out of order by almost an hour", json!({"disorder": 3_500_000})),
        instant(
            "equal times are never found",
            json!({"equalTimesFindNothing": true}),
        ),
        instant("ids in the order of texts", json!({"idsSortAsText": true})),
        case(
            "all of it",
            json!({"shortPages": true, "disorder": 1_500, "idsSortAsText": true, "equalTimesFindNothing": true}),
        ),
        case("reads behind search", json!({"readLag": 5_000})),
    ]
}

#[tokio::test(start_paused = true)]
async fn every_change_is_found_by_one_run() {
    for case in cases() {
        let emulator = emulator(case.search_lag);
        let mut copy = Follower::of(&emulator, config()).await;
        copy.catch_up().await;
        emulator.set_behaviour(&case.behaviour).unwrap();
        update(&emulator, CHANGES, case.same_millisecond);
        copy.catch_up().await;
        assert_eq!(differing(&emulator, &copy), 0, "{}", case.name);
    }
}

#[tokio::test(start_paused = true)]
async fn every_change_is_found_while_following() {
    for case in cases() {
        let emulator = emulator(case.search_lag);
        let mut copy = Follower::of(&emulator, config()).await;
        let mut batches = copy.start(Until::Dropped).await;
        copy.apply(&mut batches, Duration::from_mins(1)).await;
        emulator.set_behaviour(&case.behaviour).unwrap();
        let walked = copy.live_pages();
        for _ in 0..5 {
            update(&emulator, CHANGES / 5, case.same_millisecond);
            copy.apply(&mut batches, Duration::from_secs(20)).await;
        }
        copy.apply(&mut batches, Duration::from_secs(20)).await;
        assert_eq!(differing(&emulator, &copy), 0, "{}", case.name);
        assert_eq!(
            copy.live_pages(),
            walked,
            "{}: a walk over all records helped",
            case.name
        );
    }
}

/// A record that changes while it is searched stands at its old place and shows a time of now.
#[tokio::test(start_paused = true)]
async fn a_time_of_now_at_an_old_place_moves_no_feed() {
    let emulator = emulator(Duration::from_secs(30));
    let mut copy = Follower::of(&emulator, config()).await;
    copy.catch_up().await;
    emulator.set_behaviour(&json!({"freshValues": true})).unwrap();
    update(&emulator, CHANGES, false);
    // Search has settled, and then some of the records change again.
    tokio::time::sleep(Duration::from_mins(10)).await;
    update(&emulator, CHANGES / 10, false);
    copy.catch_up().await;
    // By then search shows also those that it had never shown as changed.
    tokio::time::sleep(Duration::from_mins(1)).await;
    copy.catch_up().await;
    assert_eq!(differing(&emulator, &copy), 0);
}

#[tokio::test(start_paused = true)]
async fn an_account_at_rest_costs_as_many_searches_as_before() {
    let emulator = emulator(Duration::ZERO);
    let mut copy = Follower::of(&emulator, config()).await;
    copy.catch_up().await;
    update(&emulator, 150, false);
    emulator.advance(Duration::from_mins(10));
    copy.catch_up().await;
    emulator.clear_requests();
    copy.catch_up().await;
    assert_eq!(
        searches(&emulator),
        2 + 1,
        "the late feed, the early one, and the count"
    );
    update(&emulator, CHANGES, false);
    emulator.clear_requests();
    copy.catch_up().await;
    // They fill four pages at the most.
    let searches = searches(&emulator);
    assert!(searches <= 1 + 4 + 1, "{searches} searches");
}

/// A search that counts what it does not show leaves a doubt, and then all records are compared.
#[tokio::test(start_paused = true)]
async fn a_total_that_is_never_reached_makes_all_records_be_compared() {
    let emulator = emulator(Duration::ZERO);
    let mut copy = Follower::of(&emulator, config()).await;
    copy.catch_up().await;
    emulator.set_behaviour(&json!({"totalDrift": 3})).unwrap();
    update(&emulator, CHANGES, false);
    let walked = copy.live_pages();
    copy.catch_up().await;
    assert_eq!(differing(&emulator, &copy), 0);
    assert!(copy.live_pages() > walked);
}

/// A wrong clock has led the position into the future.
#[tokio::test(start_paused = true)]
async fn a_position_in_the_future_is_brought_back() {
    let emulator = emulator(Duration::ZERO);
    let mut copy = Follower::of(&emulator, config()).await;
    copy.catch_up().await;
    let mut resume = copy.tables.resume().unwrap();
    let mut position: Value = serde_json::from_slice(resume.position.as_bytes()).unwrap();
    let contacts = &mut position["streams"]["contacts"];
    contacts["timestamp"] = "2080-01-01T00:00:00Z".into();
    contacts["delayed"]["timestamp"] = "2080-01-01T00:00:00Z".into();
    resume.position = opencdc::Position::new(position.to_string());
    copy.tables.set_resume(resume);
    update(&emulator, 20, false);
    copy.catch_up().await;
    assert_eq!(differing(&emulator, &copy), 0);
    update(&emulator, CHANGES, false);
    copy.catch_up().await;
    assert_eq!(differing(&emulator, &copy), 0);
}
