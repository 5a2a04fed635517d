//! `kill -9` at every named instant loses nothing and doubles nothing (invariant 8).
//!
//! Each test runs this binary again as a child that aborts at a failpoint, until a child ends well; then it
//! compares what is there with what the source had.
//!
//! Every batch changes notes, and the source refuses to resume with notes that are not those of its position: a
//! child that finds them apart panics, and so fails the test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use opencdc::conformance::source::resume_after;
use opencdc::memory::{MemoryDestination, MemorySource};
use opencdc::{
    Batch, Catalog, CheckpointStore, DataType, DeadLetters, Destination, Field, Note, Position, Record,
    Stream, Until,
};
use pipeline::destination::{NdjsonConfig, NdjsonDestination, SqliteConfig, SqliteDestination};
use pipeline::{Pipeline, RunOptions, SqliteStore, run};
use tokio_util::sync::CancellationToken;

use crate::conformance::rows;

const BATCHES: u64 = 12;
/// The ids of records whose payload is refused, one of them in the last batch.
const REFUSED: [u64; 3] = [5, 14, 24];

/// Large enough for the log of the files' notes to be written anew a few times.
const NOTE: usize = 40_000;

/// Two contacts a batch, and notes that are others at every position.
fn source() -> MemorySource {
    let fields = vec![Field::new("id", DataType::String, ["id"])];
    let catalog = Catalog::new(vec![Stream::new("contacts", ["id"], fields)]);
    MemorySource::with_catalog(catalog, batches())
}

fn batches() -> Vec<Batch> {
    let batch = |n: u64| {
        let records = [2 * n - 1, 2 * n].map(record).to_vec();
        let mut batch = Batch::new(records, Position::new(n.to_string()));
        batch.notes = vec![
            Note::remember("contacts/last", n.to_string()),
            Note::remember(format!("contacts/{n}"), vec![b'x'; NOTE]),
            Note::forget(format!("contacts/{}", n.saturating_sub(2))),
        ];
        batch
    };
    (1..=BATCHES).map(batch).collect()
}

fn record(id: u64) -> Record {
    let json = format!(r#"{{"id":"{id}"}}"#);
    let payload = if REFUSED.contains(&id) {
        "{".to_owned()
    } else {
        json.clone()
    };
    Record::snapshot("contacts", json.as_bytes(), payload.as_bytes())
}

async fn destination(kind: &str, dir: &Path) -> Arc<dyn Destination> {
    match kind {
        "sqlite" => {
            let config = SqliteConfig::new(dir.join("rows.db"));
            Arc::new(SqliteDestination::open(config, "p").await.unwrap())
        }
        "ndjson" => {
            let config = NdjsonConfig::new(dir.join("out"));
            Arc::new(NdjsonDestination::open(config, "p").await.unwrap())
        }
        // One that keeps no checkpoint; its rows are gone with the process, its dead letters are not.
        _ => Arc::new(MemoryDestination::default().refusing(|record| {
            let id = record.key.to_object().ok()?["id"].as_str()?.parse().ok()?;
            REFUSED.contains(&id).then(|| "no".to_owned())
        })),
    }
}

/// What a child does: nothing, unless the parent has said where.
#[tokio::test]
async fn child() {
    let (Some(kind), Some(dir)) = (
        std::env::var_os("SPOKE_CRASH_KIND"),
        std::env::var_os("SPOKE_CRASH_DIR"),
    ) else {
        return;
    };
    let dir = PathBuf::from(dir);
    let store = Arc::new(SqliteStore::open(dir.join("state.db")).await.unwrap());
    let pipeline = Pipeline {
        name: "p".to_owned(),
        source: Arc::new(source()),
        destination: destination(kind.to_str().unwrap(), &dir).await,
        checkpoints: Arc::clone(&store) as _,
        dead_letters: store,
        selection: None,
        options: RunOptions {
            max_in_flight: 3,
            ..RunOptions::default()
        },
    };
    run(&pipeline, Until::CaughtUp, &(), CancellationToken::new())
        .await
        .unwrap();
}

/// Runs the child with `failpoint` set; whether it ended well.
fn run_child(kind: &str, dir: &Path, failpoint: &str) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env("SPOKE_CRASH_KIND", kind)
        .env("SPOKE_CRASH_DIR", dir)
        .env("SPOKE_FAILPOINT", failpoint)
        .output()
        .unwrap();
    let aborted = !output.status.success() && !String::from_utf8_lossy(&output.stderr).contains("panicked");
    assert!(
        output.status.success() || aborted,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.status.success()
}

/// Kills at the first passing of `failpoint`, then at the second of what is left, and so on, until a run
/// ends well. Gives back how many were killed.
fn killed_again_and_again(kind: &str, dir: &Path, failpoint: &str) -> u64 {
    let ended = (1..100).find(|nth| run_child(kind, dir, &format!("{failpoint}:{nth}")));
    ended.expect("a run with few passings left ends well") - 1
}

fn expected() -> BTreeSet<u64> {
    (1..=2 * BATCHES).filter(|id| !REFUSED.contains(id)).collect()
}

fn ids<'a>(found: impl Iterator<Item = &'a str>) -> Vec<u64> {
    let mut ids: Vec<u64> = found.map(|id| id.parse().unwrap()).collect();
    ids.sort_unstable();
    ids
}

async fn assert_dead_letters(dir: &Path) {
    let store = SqliteStore::open(dir.join("state.db")).await.unwrap();
    let letters = store.list("p", 0, 100).await.unwrap();
    let keys = letters
        .iter()
        .map(|(_, letter)| letter.record.key.to_object().unwrap()["id"].clone());
    let keys: Vec<_> = keys.map(|id| id.as_str().unwrap().to_owned()).collect();
    assert_eq!(ids(keys.iter().map(String::as_str)), REFUSED);
}

/// Position and notes are those of the last batch.
async fn assert_position(store: &dyn CheckpointStore) {
    let expected = resume_after(&batches()).unwrap();
    assert_eq!(
        store.load("p").await.unwrap().unwrap().position,
        expected.position
    );
    assert_eq!(store.notes("p").await.unwrap(), expected.notes);
}

/// The instants that every kind of destination passes.
const LOOP: [&str; 3] = ["run.before_dead_letters", "run.before_save", "run.before_ack"];

#[tokio::test]
async fn a_killed_run_into_sqlite_loses_and_doubles_nothing() {
    for failpoint in LOOP
        .into_iter()
        .chain(["sqlite.before_commit", "sqlite.after_commit"])
    {
        let dir = tempfile::tempdir().unwrap();
        let killed = killed_again_and_again("sqlite", dir.path(), failpoint);
        assert!(killed > 0, "{failpoint} was never passed");
        let rows = rows(&dir.path().join("rows.db"), "contacts");
        let found = ids(rows.iter().map(|row| row["id"].as_str().unwrap()));
        assert_eq!(found, expected().into_iter().collect::<Vec<_>>(), "{failpoint}");
        assert_dead_letters(dir.path()).await;
        let store = destination("sqlite", dir.path()).await.checkpoints().unwrap();
        assert_position(&*store).await;
    }
}

#[tokio::test]
async fn a_killed_run_into_files_leaves_every_record_exactly_once() {
    let of_files = [
        "ndjson.before_notes",
        "ndjson.before_rename",
        "ndjson.after_rename",
    ];
    for failpoint in LOOP.into_iter().chain(of_files) {
        let dir = tempfile::tempdir().unwrap();
        let killed = killed_again_and_again("ndjson", dir.path(), failpoint);
        assert!(killed > 0, "{failpoint} was never passed");
        let text = std::fs::read_to_string(dir.path().join("out/contacts.ndjson")).unwrap();
        let records = text
            .lines()
            .map(|line| serde_json::from_str::<Record>(line).unwrap());
        let keys = records.map(|record| record.key.to_object().unwrap()["id"].as_str().unwrap().to_owned());
        let keys: Vec<_> = keys.collect();
        let found = ids(keys.iter().map(String::as_str));
        assert_eq!(found, expected().into_iter().collect::<Vec<_>>(), "{failpoint}");
        assert_dead_letters(dir.path()).await;
        let store = destination("ndjson", dir.path()).await.checkpoints().unwrap();
        assert_position(&*store).await;
    }
}

#[tokio::test]
async fn a_killed_run_without_a_transactional_destination_loses_no_dead_letter() {
    for failpoint in LOOP {
        let dir = tempfile::tempdir().unwrap();
        assert!(killed_again_and_again("memory", dir.path(), failpoint) > 0);
        assert_dead_letters(dir.path()).await;
        assert_position(&SqliteStore::open(dir.path().join("state.db")).await.unwrap()).await;
    }
}
