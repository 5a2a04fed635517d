//! Killed at any moment of a snapshot, then run again: nothing is lost, and what was committed is not read again.

use std::time::Duration;

use serde_json::Value;

use crate::support::copy::{assert_associations_equal_truth, assert_equals_truth, count, open};
use crate::support::{Portal, Workplace};

const CONTACTS: u64 = 6_000;
const KILLS: u64 = 12;

fn slow_portal() -> Portal {
    Portal::slow(CONTACTS, Duration::from_millis(5))
}

#[test]
fn killed_again_and_again_the_copy_is_complete_in_the_end() {
    let portal = slow_portal();
    let workplace = Workplace::syncing(&portal.url, "[contacts, companies]");
    for kill in 1..=KILLS {
        let mut process = workplace.start(&["sync", "--once"]);
        // Spread over the run: the first kill hits the start, the last one lands near the end.
        std::thread::sleep(Duration::from_millis(40 * kill));
        process.kill().expect("SIGKILL");
        process.wait().expect("it is gone");
    }
    workplace.run(&["sync", "--once"]).ok();
    let database = workplace.path("hubspot.db");
    assert_equals_truth(&database, &portal, "contacts");
    assert_equals_truth(&database, &portal, "companies");
    assert_associations_equal_truth(&database, &portal, "contacts", "companies");
}

#[test]
fn pages_before_the_checkpoint_are_not_read_again() {
    let portal = slow_portal();
    let workplace = Workplace::syncing(&portal.url, "[{name: contacts, associations: none}]");
    let database = workplace.path("hubspot.db");
    let mut process = workplace.start(&["sync", "--once"]);
    let reached = loop {
        // The table grows while this looks; once a third is committed the process is killed.
        if let Some(id) = checkpointed_id(&database).filter(|_| count(&database, "contacts") > CONTACTS / 3) {
            process.kill().expect("SIGKILL");
            process.wait().expect("it is gone");
            break checkpointed_id(&database).unwrap_or(id);
        }
        assert!(
            process.try_wait().expect("it can be asked").is_none(),
            "it ended before it was killed"
        );
        std::thread::yield_now();
    };
    portal.clear_requests();
    workplace.run(&["sync", "--once"]).ok();
    assert_equals_truth(&database, &portal, "contacts");
    let remaining = live_ids(&portal).into_iter().filter(|id| *id > reached).count() as u64;
    let requests = portal.requests();
    let routes = requests["byRoute"]
        .as_object()
        .expect("the log has routes")
        .iter();
    let lists = routes.filter(|(route, _)| route.starts_with("GET /crm/objects/"));
    let pages: u64 = lists
        .flat_map(|(_, statuses)| statuses.as_object().expect("counts by status").values())
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(
        pages,
        remaining.div_ceil(100).max(1),
        "calls for the {remaining} contacts after {reached}"
    );
}

/// The last contact that the committed position covers.
fn checkpointed_id(database: &std::path::Path) -> Option<u64> {
    if !database.exists() {
        return None;
    }
    let position: Vec<u8> = open(database)
        .query_row(
            "SELECT CAST(position AS BLOB) FROM _spoke_checkpoints",
            [],
            |row| row.get(0),
        )
        .ok()?;
    let position: Value = serde_json::from_slice(&position).expect("a position is JSON");
    position["streams"]["contacts"]["itemId"].as_str()?.parse().ok()
}

fn live_ids(portal: &Portal) -> Vec<u64> {
    let truth = portal.get("/_emulator/truth/contacts");
    let records = truth
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a record"));
    let live = records.filter(|record| record["state"] == "live");
    live.map(|record| record["id"].as_str().expect("an id").parse().expect("of digits"))
        .collect()
}
