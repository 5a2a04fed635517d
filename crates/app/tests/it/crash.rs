//! Killed at any moment of a snapshot, then run again: nothing is lost, and what was committed is not read again.
//!
//! `SPOKE_ROWS=100000` sets the size of the portal that is read half-way.

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::support::copy::{assert_associations_equal_truth, assert_equals_truth, count, open};
use crate::support::setting;
use crate::support::spoke::{ended, terminate, wait_for};
use crate::support::{Portal, Workplace};

const CONTACTS: u64 = 6_000;
const KILLS: u64 = 12;

#[test]
fn killed_again_and_again_the_copy_is_complete_in_the_end() {
    let portal = Portal::slow(CONTACTS, Duration::from_millis(5));
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
fn killed_half_way_it_reads_no_page_again() {
    goes_on(|mut process| {
        process.kill().expect("SIGKILL");
        process.wait().expect("it is gone");
    });
}

#[test]
fn stopped_half_way_it_writes_what_it_has_and_reads_no_page_again() {
    goes_on(|process| {
        terminate(&process);
        let ended = ended(process).ok();
        assert!(ended.stdout.contains("crm: stopped in"), "{}", ended.stdout);
    });
}

/// A run that ends so after 63 of 100 rows, and the next one: it asks for the pages after the checkpoint, each once.
fn goes_on(end: impl FnOnce(Child)) {
    let contacts = setting("SPOKE_ROWS").unwrap_or(10_000);
    let portal = Portal::slow(contacts, Duration::from_millis(5));
    let stream = "[{name: contacts, properties: [email], associations: none}]";
    let workplace = Workplace::syncing(&portal.url, stream);
    let database = workplace.path("hubspot.db");
    let mut process = workplace.start_listening(&["sync", "--once"]);
    wait_for(&mut process, || {
        (count(&database, "contacts") >= contacts * 63 / 100).then_some(())
    });
    end(process);
    let reached = checkpointed_id(&database).expect("the walk has not ended");
    let live = live_ids(&portal);
    let before = live.iter().filter(|id| **id <= reached).count() as u64;
    assert_eq!(
        count(&database, "contacts"),
        before,
        "rows and checkpoint belong together"
    );
    portal.clear_requests();
    workplace.run(&["sync", "--once"]).ok();
    assert!(copied_ids(&database) == live, "the copy is complete");
    let remaining = live.len() as u64 - before;
    assert_eq!(
        pages(&portal),
        remaining.div_ceil(100).max(1),
        "for the {remaining} contacts after {reached}"
    );
}

/// How many pages of records were asked for.
fn pages(portal: &Portal) -> u64 {
    let requests = portal.requests();
    let routes = requests["byRoute"]
        .as_object()
        .expect("the log has routes")
        .iter();
    let lists = routes.filter(|(route, _)| route.starts_with("GET /crm/objects/"));
    lists
        .flat_map(|(_, statuses)| statuses.as_object().expect("counts by status").values())
        .filter_map(Value::as_u64)
        .sum()
}

/// The last contact that the committed position covers.
fn checkpointed_id(database: &Path) -> Option<u64> {
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

/// In order.
fn live_ids(portal: &Portal) -> Vec<u64> {
    #[derive(Deserialize)]
    struct Record {
        id: String,
        state: String,
    }
    let truth = portal.get("/_emulator/truth/contacts");
    let records = truth
        .lines()
        .map(|line| serde_json::from_str::<Record>(line).expect("a record"));
    let live = records.filter(|record| record.state == "live");
    let mut ids: Vec<u64> = live.map(|record| record.id.parse().expect("of digits")).collect();
    ids.sort_unstable();
    ids
}

/// In order.
fn copied_ids(database: &Path) -> Vec<u64> {
    let connection = open(database);
    let mut statement = connection
        .prepare("SELECT CAST(id AS INTEGER) FROM contacts WHERE NOT _archived ORDER BY 1")
        .expect("the statement is fine");
    let ids = statement.query_map([], |row| row.get(0));
    ids.and_then(Iterator::collect).expect("the rows can be read")
}
