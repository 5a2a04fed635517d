//! How many calls are made, and when: a snapshot uses what the account allows, an account at rest costs little, and a
//! change is not kept waiting. Time is paused, so every number is exact.

use std::time::Duration;

use hubspot_emulator::{Counts, Emulator, Options, Tier};
use opencdc::Until;
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use crate::follower::{Follower, answered, searches};
use crate::table::{Tables, id_key};

const TEN_SECONDS: Duration = Duration::from_secs(10);
const OBJECTS: [&str; 3] = ["contacts", "companies", "deals"];
/// Requests per ten seconds (hubspot-api notes §3.2).
const PRO: u64 = 190;

fn portal(counts: Counts, tier: Tier, latency: Duration) -> Emulator {
    let counts = Counts {
        line_items: Some(0),
        ..counts
    };
    Emulator::new(Options {
        counts,
        tier,
        latency,
        ..Options::default()
    })
}

/// Calls that count against the ten seconds: searches and batches of associations do not.
fn general(emulator: &Emulator) -> u64 {
    answered(emulator, "GET ", "") + answered(emulator, "POST ", "/batch/read")
        - answered(emulator, "POST /crm/associations/", "/batch/read")
}

/// Calls in each ten seconds of a snapshot of four streams and their associations.
async fn snapshot(latency: Duration) -> Vec<u64> {
    let counts = Counts {
        contacts: 20_000,
        companies: 20_000,
        deals: 20_000,
        tickets: 20_000,
        ..Counts::none()
    };
    let emulator = portal(counts, Tier::Pro, latency);
    let config =
        json!({"streams": ["contacts", "companies", "deals", "tickets"], "properties": ["hs_object_id"]});
    let mut follower = Follower::of(&emulator, config).await;
    let mut tick = interval(TEN_SECONDS);
    tick.tick().await;
    let (mut calls, mut before) = (Vec::new(), general(&emulator));
    let read = follower.catch_up();
    tokio::pin!(read);
    loop {
        // The read goes on where it was; a tick is never lost.
        tokio::select! {
            () = &mut read => break,
            _ = tick.tick() => {
                let now = general(&emulator);
                calls.push(now - before);
                before = now;
            }
        }
    }
    assert_eq!(emulator.requests()["rateLimited"], 0);
    calls
}

/// The first ten seconds begin with what a client may do that knows nothing yet, the last are not whole.
#[tokio::test(start_paused = true)]
async fn a_snapshot_of_several_streams_uses_what_the_account_allows() {
    for latency in [Duration::ZERO, Duration::from_millis(150)] {
        let calls = snapshot(latency).await;
        let [_, whole @ .., _] = &*calls else {
            panic!("{calls:?}")
        };
        assert!(
            whole.iter().all(|calls| (PRO * 9 / 10..=PRO).contains(calls)),
            "{latency:?}: {calls:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_at_rest_costs_two_calls_a_stream_and_poll() {
    let counts = Counts {
        contacts: 250,
        companies: 60,
        deals: 80,
        ..Counts::none()
    };
    let emulator = portal(counts, Tier::Unlimited, Duration::ZERO);
    let config = json!({"streams": OBJECTS});
    let mut follower = Follower::of(&emulator, config).await;
    let mut batches = follower.start(Until::Dropped).await;
    // GIVEN that everything was read and the look-back is over
    follower
        .apply(&mut batches, Duration::from_secs(6 * 60 + 15))
        .await;
    // WHEN nothing happens for an hour
    emulator.clear_requests();
    follower.apply(&mut batches, Duration::from_hours(1)).await;
    // THEN, by the defaults: two searches every 30 s, the recycle bin and a count every 15 minutes, the properties every
    // 5 minutes, and nothing else
    let (polls, bins, refreshes) = (120, 4, 12);
    assert_eq!(searches(&emulator), 3 * (2 * polls + bins));
    assert_eq!(answered(&emulator, "GET /crm/objects/", ""), 3 * bins);
    assert_eq!(answered(&emulator, "GET /crm/properties/", ""), 3 * refreshes);
    assert_eq!(
        emulator.requests()["total"],
        3 * (2 * polls + bins + bins + refreshes)
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_is_there_within_a_poll_and_a_second() {
    let counts = Counts {
        contacts: 300,
        companies: 60,
        deals: 100,
        ..Counts::none()
    };
    let emulator = portal(counts, Tier::Unlimited, Duration::from_millis(40));
    let config = json!({"streams": OBJECTS, "poll": "5s"});
    let mut follower = Follower::of(&emulator, config).await;
    let mut batches = follower.start(Until::Dropped).await;
    follower.apply(&mut batches, Duration::from_mins(1)).await;
    for change in 0..200 {
        let kind = if change % 3 == 0 { "create" } else { "update" };
        let object = OBJECTS[change % 4 % 3];
        let done =
            emulator.mutate(&json!({"objectType": object, "seed": change, kind: 1, "sameMillisecond": true}));
        let id = done.expect("it can be done")[kind][0]
            .as_str()
            .expect("an id")
            .to_owned();
        let truth = modified(&emulator, object, &id);
        let since = Instant::now();
        let is_there = |tables: &Tables| {
            tables
                .after(object, &id_key(&id))
                .is_some_and(|after| after["updatedAt"] == truth)
        };
        follower.apply_until(&mut batches, is_there).await;
        let took = since.elapsed();
        assert!(took <= Duration::from_secs(6), "{took:?} for change {change}");
        // At another moment between two polls each time.
        let pause = Duration::from_millis(170 * (change as u64 % 37));
        follower.apply(&mut batches, pause).await;
    }
}

/// Six searches a second are asked for where five are allowed, so that a poll is always due.
#[tokio::test(start_paused = true)]
async fn polls_that_ask_for_more_than_is_allowed_do_not_keep_deletes_waiting() {
    let counts = Counts {
        contacts: 300,
        companies: 60,
        deals: 100,
        ..Counts::none()
    };
    let emulator = portal(counts, Tier::Pro, Duration::ZERO);
    let config = json!({"streams": OBJECTS, "poll": "1s", "lookback": "10s", "archived": {"every": "5s"}});
    let mut follower = Follower::of(&emulator, config).await;
    let mut batches = follower.start(Until::Dropped).await;
    follower.apply(&mut batches, Duration::from_mins(1)).await;
    let archived = emulator.mutate(&json!({"objectType": "contacts", "archive": 10}));
    let archived = archived.expect("it can be done")["archive"].clone();
    follower.apply(&mut batches, Duration::from_secs(15)).await;
    let rows = follower.tables.of("contacts");
    for id in archived.as_array().expect("a list of ids") {
        assert!(
            !rows.contains_key(&id_key(id.as_str().expect("an id"))),
            "{id} is still there"
        );
    }
}

/// When HubSpot says that a record was last modified.
fn modified(emulator: &Emulator, object: &str, id: &str) -> Value {
    let truth = emulator.truth(object).expect("there are such objects");
    let mut lines = truth.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let record = lines.find_map(|line| {
        let record: Value = serde_json::from_slice(line).expect("a record a line");
        (record["id"] == id).then_some(record)
    });
    record.expect("the record was just changed")["updatedAt"].clone()
}
