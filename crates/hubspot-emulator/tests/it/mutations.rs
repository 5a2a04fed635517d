//! What `/_emulator/mutate` can do, mostly driven in process.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hubspot_emulator::{Counts, Emulator, Options, Tier};
use serde_json::{Value, json};

use crate::desk::{Desk, ids};

fn emulator(options: Options) -> Emulator {
    let counts = Counts {
        contacts: 300,
        companies: 20,
        deals: 40,
        ..Counts::none()
    };
    Emulator::new(Options {
        counts,
        tier: Tier::Unlimited,
        ..options
    })
}

fn account() -> Emulator {
    emulator(Options::default())
}

/// Each line of truth by its id.
fn truth(emulator: &Emulator, name: &str) -> BTreeMap<String, Value> {
    let lines = emulator.truth(name).expect("known");
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).expect("each line is JSON"))
        .map(|line: Value| (line["id"].as_str().expect("an id").to_owned(), line))
        .collect()
}

fn links(emulator: &Emulator, from: &str, to: &str) -> BTreeSet<(String, String, u64)> {
    let lines = emulator.truth_of_associations(from, to).expect("known");
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice::<Value>(line).expect("each line is JSON"))
        .map(|link| key(&link))
        .collect()
}

fn key(link: &Value) -> (String, String, u64) {
    let text = |name: &str| link[name].as_str().expect("an id").to_owned();
    (
        text("fromId"),
        text("toId"),
        link["typeId"].as_u64().expect("a type"),
    )
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter().map(|id| id.as_str().expect("an id")).collect()
}

fn mutate(emulator: &Emulator, asked: &Value) -> Value {
    emulator.mutate(asked).expect("understood")
}

async fn found_by_search(desk: &Desk) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for after in [0, 200] {
        let answer = desk
            .post(
                "/crm/v3/objects/contacts/search",
                json!({"limit": 200, "after": after}),
            )
            .await;
        found.extend(ids(&answer.body));
    }
    found
}

#[test]
fn distinct_changes_each_record_at_most_once() {
    let emulator = account();
    let before = truth(&emulator, "contacts");
    let live = before.values().filter(|record| record["state"] == "live").count();
    let asked = json!({"objectType": "contacts", "update": 150, "archive": 50, "gdprDelete": 20,
        "calculated": 20, "merge": 10, "distinct": true, "sameMillisecond": true});
    let done = mutate(&emulator, &asked);
    let mut touched: Vec<&str> = ["update", "archive", "gdprDelete", "calculated"]
        .iter()
        .flat_map(|kind| texts(&done[kind]))
        .collect();
    for merge in done["merge"].as_array().expect("merges") {
        touched.extend([&merge["primary"], &merge["merged"]].map(|id| id.as_str().expect("an id")));
    }
    assert_eq!(touched.len(), 150 + 50 + 20 + 20 + 2 * 10);
    assert_eq!(touched.iter().collect::<BTreeSet<_>>().len(), touched.len());
    let rest = mutate(
        &emulator,
        &json!({"objectType": "contacts", "update": 1000, "distinct": true}),
    );
    assert_eq!(
        texts(&rest["update"]).len(),
        live - 50 - 20 - 10,
        "every live record"
    );
}

#[test]
fn distinct_updates_are_as_many_as_asked_for() {
    let emulator = account();
    let before = truth(&emulator, "contacts");
    let done = mutate(
        &emulator,
        &json!({"objectType": "contacts", "update": 250, "distinct": true, "sameMillisecond": true}),
    );
    let after = truth(&emulator, "contacts");
    let changed: BTreeSet<&str> = after
        .iter()
        .filter(|(id, record)| before[*id]["updatedAt"] != record["updatedAt"])
        .map(|(id, _)| id.as_str())
        .collect();
    assert_eq!(changed.len(), 250);
    assert_eq!(changed, texts(&done["update"]).into_iter().collect());
}

#[tokio::test]
async fn silent_updates_change_values_and_nothing_else() {
    let emulator = account();
    let before = truth(&emulator, "contacts");
    let done = mutate(
        &emulator,
        &json!({"objectType": "contacts", "update": 100, "distinct": true, "silent": true}),
    );
    let after = truth(&emulator, "contacts");
    let updated = texts(&done["update"]);
    assert_eq!(updated.len(), 100);
    for (id, record) in &after {
        assert_eq!(record["updatedAt"], before[id]["updatedAt"], "{id}");
        let same = record["properties"] == before[id]["properties"];
        assert_eq!(same, !updated.contains(&id.as_str()), "{id}");
    }
}

#[tokio::test]
async fn search_does_not_notice_what_happens_in_silence() {
    for search_lag in [Duration::ZERO, Duration::from_secs(5)] {
        let emulator = emulator(Options {
            search_lag,
            ..Options::default()
        });
        let desk = Desk::at(&emulator);
        let before = (found_by_search(&desk).await, truth(&emulator, "contacts"));
        let done = mutate(
            &emulator,
            &json!({"objectType": "contacts", "create": 3, "archive": 3, "merge": 2, "gdprDelete": 3,
                "distinct": true, "silent": true}),
        );
        emulator.advance(Duration::from_mins(1));
        assert_eq!(found_by_search(&desk).await, before.0);
        let after = truth(&emulator, "contacts");
        for (id, record) in &before.1 {
            assert_eq!(after[id]["updatedAt"], record["updatedAt"], "{id}");
        }
        let archived = texts(&done["archive"])[0];
        assert_eq!(after[archived]["state"], "archived");
        assert_eq!(
            desk.get(&format!("/crm/v3/objects/contacts/{archived}"))
                .await
                .status,
            404
        );
        let created = texts(&done["create"])[0];
        let path = format!("/crm/v3/objects/contacts/{created}");
        assert_eq!(desk.get(&path).await.status, 200);
        let change = json!({"properties": {"city": "Bonn"}});
        assert_eq!(desk.call("PATCH", &path, Some(change)).await.status, 200);
        emulator.advance(Duration::from_mins(1));
        let now = found_by_search(&desk).await;
        assert!(
            now.contains(created),
            "a change that search notices shows the record"
        );
        assert_eq!(now.len(), before.0.len() + 1);
    }
}

#[test]
fn calculated_values_change_without_a_modification() {
    let emulator = account();
    for name in ["contacts", "companies", "deals"] {
        let before = truth(&emulator, name);
        let done = mutate(
            &emulator,
            &json!({"objectType": name, "calculated": 15, "distinct": true}),
        );
        let changed = texts(&done["calculated"]);
        assert_eq!(changed.len(), 15, "{name}");
        let after = truth(&emulator, name);
        for id in changed {
            assert_eq!(after[id]["updatedAt"], before[id]["updatedAt"], "{name} {id}");
            assert_ne!(after[id]["properties"], before[id]["properties"], "{name} {id}");
        }
    }
    let problem = emulator.mutate(&json!({"objectType": "users", "calculated": 1}));
    assert_eq!(problem, Err("users have no calculated values".to_owned()));
}

#[test]
fn changes_are_spread_over_the_time_they_take() {
    for frozen in [false, true] {
        let emulator = account();
        emulator.freeze(frozen);
        let start = emulator.now();
        let done = mutate(
            &emulator,
            &json!({"objectType": "contacts", "update": 250, "distinct": true, "over": "10s"}),
        );
        let end = emulator.now();
        assert!(end - start >= 10_000, "the clock has moved on");
        let after = truth(&emulator, "contacts");
        let times: Vec<&str> = texts(&done["update"])
            .iter()
            .map(|id| after[*id]["updatedAt"].as_str().expect("a time"))
            .collect();
        assert!(times.is_sorted());
        assert_eq!(times.iter().collect::<BTreeSet<_>>().len(), 250, "40 ms apart");
        let seconds: BTreeSet<&str> = times.iter().map(|time| &time[..19]).collect();
        assert!((10..=11).contains(&seconds.len()), "{seconds:?}");
        if frozen {
            let last = after[texts(&done["update"])[249]]["updatedAt"].clone();
            let millis = last.as_str().and_then(|text| text[20..23].parse().ok());
            assert_eq!(millis, Some(end % 1000), "the last change happens at the end");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn search_lag_counts_from_each_change() {
    let emulator = emulator(Options {
        search_lag: Duration::from_secs(5),
        ..Options::default()
    });
    let desk = Desk::at(&emulator);
    let before = found_by_search(&desk).await.len();
    mutate(
        &emulator,
        &json!({"objectType": "contacts", "create": 10, "over": "10s"}),
    );
    assert_eq!(
        found_by_search(&desk).await.len(),
        before + 5,
        "those of the first five seconds"
    );
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(
        found_by_search(&desk).await.len(),
        before + 7,
        "the clock follows paused time"
    );
    emulator.advance(Duration::from_secs(3));
    assert_eq!(found_by_search(&desk).await.len(), before + 10);
}

#[tokio::test(start_paused = true)]
async fn paused_time_stamps_what_the_route_changes() {
    let emulator = account();
    let desk = Desk::at(&emulator);
    let start = emulator.now();
    let asked = json!({"objectType": "contacts", "update": 100});
    assert_eq!(desk.post("/_emulator/mutate", asked).await.status, 200);
    // A timer of tokio's ends with the millisecond after the one it is set for.
    assert!(
        (99..=200).contains(&(emulator.now() - start)),
        "{}",
        emulator.now() - start
    );
    mutate(&emulator, &json!({"objectType": "contacts", "update": 100}));
    assert!(
        emulator.now() - start >= 198,
        "driven in process, the clock moves on by itself"
    );
}

#[test]
fn what_excludes_itself_or_is_unknown_is_refused() {
    let emulator = account();
    let before = truth(&emulator, "contacts");
    for (asked, problem) in [
        (
            json!({"sameMillisecond": true, "over": "1s"}),
            "exclude each other",
        ),
        (json!({"over": "soon"}), "`soon` is not a duration"),
        (json!({"objectType": "unicorns"}), "unicorns"),
        (json!({"updates": 3}), "updates"),
    ] {
        let mut whole = json!({"objectType": "contacts", "update": 1});
        whole
            .as_object_mut()
            .expect("an object")
            .extend(asked.as_object().expect("an object").clone());
        let refused = emulator.mutate(&whole).expect_err("refused");
        assert!(refused.contains(problem), "{refused}");
    }
    assert_eq!(truth(&emulator, "contacts"), before);
    assert!(emulator.truth("unicorns").is_err());
    assert!(emulator.truth_of_associations("contacts", "unicorns").is_err());
}

#[test]
fn disassociating_removes_whole_pairs() {
    let emulator = account();
    let (before, records) = (
        links(&emulator, "contacts", "companies"),
        truth(&emulator, "contacts"),
    );
    let deals = links(&emulator, "contacts", "deals");
    let done = mutate(&emulator, &json!({"objectType": "contacts", "disassociate": 60}));
    let gone = done["disassociate"].as_array().expect("pairs");
    assert_eq!(gone.len(), 60);
    let after = links(&emulator, "contacts", "companies");
    let pairs = |links: &BTreeSet<(String, String, u64)>| -> BTreeSet<(String, String)> {
        links
            .iter()
            .map(|(from, to, _)| (from.clone(), to.clone()))
            .collect()
    };
    let told = |to: &str| -> BTreeSet<(String, String, u64)> {
        gone.iter().filter(|link| link["toType"] == to).map(key).collect()
    };
    let companies = told("companies");
    assert!(!companies.is_empty() && companies.is_subset(&before));
    assert_eq!(&pairs(&before) - &pairs(&after), pairs(&companies));
    assert_eq!(&deals - &links(&emulator, "contacts", "deals"), told("deals"));
    assert_eq!(truth(&emulator, "contacts"), records, "no record is modified");
}

#[test]
fn labelling_adds_and_removes_second_types_of_existing_pairs() {
    let emulator = account();
    let before = links(&emulator, "contacts", "companies");
    let done = mutate(&emulator, &json!({"objectType": "contacts", "label": 80}));
    let labelled = done["label"].as_array().expect("pairs");
    assert_eq!(labelled.len(), 80);
    let after = links(&emulator, "contacts", "companies");
    let plain = |links: &BTreeSet<(String, String, u64)>| -> BTreeSet<(String, String, u64)> {
        links.iter().filter(|link| link.2 == 279).cloned().collect()
    };
    assert_eq!(plain(&before), plain(&after), "every pair stays a pair");
    let companies: Vec<&Value> = labelled
        .iter()
        .filter(|link| link["toType"] == "companies")
        .collect();
    assert!(companies.iter().any(|link| link["added"] == true));
    assert!(companies.iter().any(|link| link["added"] == false));
    let last: BTreeMap<_, bool> = companies
        .iter()
        .map(|link| (key(link), link["added"] == true))
        .collect();
    for (link, added) in last {
        assert!(added || !after.contains(&link), "{link:?}");
    }
    assert_ne!(before, after);
}

#[test]
fn merges_and_restores_are_as_many_as_asked_for() {
    let emulator = account();
    let done = mutate(
        &emulator,
        &json!({"objectType": "deals", "merge": 5, "archive": 10, "restore": 4}),
    );
    let count = |kind: &str| done[kind].as_array().map_or(0, Vec::len);
    assert_eq!((count("merge"), count("archive"), count("restore")), (5, 10, 4));
}

#[tokio::test]
async fn faults_habits_and_the_log_are_reached_in_process() {
    let emulator = account();
    let desk = Desk::at(&emulator);
    emulator
        .add_faults(
            &json!({"match": {"method": "GET", "path": "/crm/*"}, "times": 1, "action": {"status": 503}}),
        )
        .expect("understood");
    assert_eq!(emulator.faults().as_array().map(Vec::len), Some(1));
    assert_eq!(desk.get("/crm/v3/objects/contacts").await.status, 503);
    assert_eq!(desk.get("/crm/v3/objects/contacts").await.status, 200);
    assert_eq!(emulator.requests()["total"], 2);
    emulator.clear_requests();
    assert_eq!(emulator.requests()["total"], 0);
    emulator
        .add_faults(&json!([{"action": {"drop": true}}]))
        .expect("understood");
    emulator.clear_faults();
    assert_eq!(emulator.faults(), json!([]));
    assert!(emulator.add_faults(&json!({"action": {}})).is_err());
    emulator
        .set_behaviour(&json!({"unstableOrder": true}))
        .expect("understood");
    assert_eq!(desk.get("/_emulator/behaviour").await.body["unstableOrder"], true);
    assert!(emulator.set_behaviour(&json!({"moody": true})).is_err());
}
