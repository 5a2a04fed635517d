//! An account that changes at random, and whether a copy of it is right in the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Portal;
use super::copy::{assert_associations_equal_truth, assert_equals_truth, rows, text};

const OBJECTS: [&str; 3] = ["contacts", "companies", "deals"];
const PAIRS: [(&str, &str); 3] = [
    ("contacts", "companies"),
    ("contacts", "deals"),
    ("companies", "deals"),
];
/// Short enough for every question to be asked between some two kills.
pub(crate) const STREAMS: &str = "[contacts, companies, deals], poll: 1s, lookback: 3s, archived: {every: 2s}, \
                       reconcile: {every: 5s}, reassociate: {every: 4s}, refresh: 20s";

/// An account of these objects in a process of its own, without limits; `more` are further arguments of `spoke emulate`.
pub(crate) fn portal(more: &[&str]) -> Portal {
    let usual = [
        "--contacts=400",
        "--companies=60",
        "--deals=90",
        "--tickets=0",
        "--tier=unlimited",
    ];
    Portal::process(&[&usual, more].concat())
}

/// Fails the test unless the copy is what HubSpot has: records, values, associations, and why records are gone.
pub(crate) fn assert_is_hubspots(database: &Path, portal: &Portal) {
    for object in OBJECTS {
        assert_equals_truth(database, portal, object);
        assert_gone_are_marked(database, portal, object);
    }
    for (from, to) in PAIRS {
        assert_associations_equal_truth(database, portal, from, to);
    }
}

/// Some changes of one object type, of several kinds.
pub(crate) fn change(portal: &Portal, draw: &mut Draw) {
    const KINDS: [(&str, u64); 9] = [
        ("update", 30),
        ("create", 6),
        ("archive", 4),
        ("restore", 2),
        ("merge", 2),
        ("gdprDelete", 2),
        ("associate", 8),
        ("disassociate", 5),
        ("label", 4),
    ];
    let object = *draw.one_of(&OBJECTS);
    let mut mutation =
        json!({"objectType": object, "seed": draw.next(), "sameMillisecond": draw.below(2) == 0});
    for _ in 0..3 {
        let (kind, most) = *draw.one_of(&KINDS);
        // Only people can ask to be forgotten.
        if kind != "gdprDelete" || object == "contacts" {
            mutation[kind] = (1 + draw.below(most)).into();
        }
    }
    portal.post("/_emulator/mutate", &mutation);
}

/// Fails the test unless every row of a record that is gone says so, and a merged one into which.
fn assert_gone_are_marked(database: &Path, portal: &Portal, object: &str) {
    let truth = portal.get(&format!("/_emulator/truth/{object}"));
    let records = truth
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a record a line"));
    let truth: BTreeMap<String, Value> = records
        .map(|record| (record["id"].as_str().expect("an id").to_owned(), record))
        .collect();
    for row in rows(
        database,
        &format!("SELECT id, _archived, _merged_into FROM {object}"),
    ) {
        let [id, archived, into] = ["id", "_archived", "_merged_into"].map(|name| text(&row[name]));
        let record = &truth[&id];
        let state = &record["state"];
        assert_eq!(archived == "1", state != "live", "{object} {id} is {state}");
        let survivors = survivors(&truth, record);
        // HubSpot no longer tells into which, once the survivor is gone too.
        let nobody_tells = into.is_empty() && survivors.iter().all(|id| truth[id]["state"] != "live");
        let is_right = state != "merged" || survivors.contains(&into) || nobody_tells;
        assert!(
            is_right,
            "{object} {id} is merged into {into:?}, not {survivors:?}"
        );
    }
}

/// Into which a record was merged, and that one in turn.
fn survivors(truth: &BTreeMap<String, Value>, record: &Value) -> Vec<String> {
    let into = |record: &Value| record["mergedInto"].as_str().map(str::to_owned);
    std::iter::successors(into(record), |id| into(&truth[id])).collect()
}

/// Pseudo-random numbers (SplitMix64): few, and the same everywhere for a seed.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = self.below(all.len() as u64);
        &all[usize::try_from(at).expect("it is an index")]
    }
}

/// A seed that no other run has had.
pub(crate) fn seed_of_now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is past 1970");
    u64::from(since.subsec_nanos()) + since.as_secs()
}
