//! The suites of `opencdc`, on every implementation here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use opencdc::conformance::destination::{self, Subject, contact};
use opencdc::conformance::{checkpoints, dead_letters, inbox, key_map, widening};
use opencdc::{CheckpointStore, Data, DeadLetters, Destination, Inbox, KeyMap, Record};
use pipeline::SqliteStore;
use pipeline::destination::{NdjsonConfig, NdjsonDestination, SqliteConfig, SqliteDestination};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};
use tempfile::TempDir;

/// A record that no destination can make sense of.
fn malformed() -> Record {
    let mut record = contact("refused", "x@example.com", 1);
    record.payload.after = Some(Data::Raw(bytes::Bytes::from_static(br#"{"id": "refused","#)));
    record
}

struct Sqlite {
    dir: TempDir,
}

impl Sqlite {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("rows.db")
    }
}

#[async_trait]
impl Subject for Sqlite {
    async fn open(&self) -> Arc<dyn Destination> {
        let config = SqliteConfig::new(self.path());
        Arc::new(
            SqliteDestination::open(config, destination::PIPELINE)
                .await
                .unwrap(),
        )
    }

    async fn rows(&self, stream: &str) -> Vec<Map<String, Value>> {
        rows(&self.path(), stream)
    }

    fn refused(&self) -> Option<Record> {
        Some(malformed())
    }
}

/// The rows of a table as JSON, in the order of their keys.
pub(crate) fn rows(path: &Path, table: &str) -> Vec<Map<String, Value>> {
    let connection = Connection::open(path).unwrap();
    let Ok(mut select) = connection.prepare(&format!("SELECT * FROM \"{table}\" ORDER BY 1")) else {
        return Vec::new();
    };
    let names: Vec<_> = select.column_names().map(ToString::to_string).collect();
    let row = |row: &rusqlite::Row<'_>| {
        let value = |index| match row.get_ref(index).unwrap() {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(integer) => integer.into(),
            ValueRef::Real(real) => real.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
            ValueRef::Blob(_) => unreachable!("no column holds bytes"),
        };
        Ok(names
            .iter()
            .cloned()
            .enumerate()
            .map(|(index, name)| (name, value(index)))
            .collect())
    };
    select.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn the_sqlite_destination_keeps_every_promise() {
    destination::all(Sqlite::new).await;
}

#[tokio::test]
async fn the_checkpoints_of_the_sqlite_destination_keep_every_promise() {
    let opened = async || {
        let sqlite = Sqlite::new();
        let config = SqliteConfig::new(sqlite.path());
        let opened = SqliteDestination::open(config, destination::PIPELINE)
            .await
            .unwrap();
        (sqlite, opened.checkpoints().unwrap())
    };
    let mut places = Vec::new();
    for _ in 0..12 {
        places.push(opened().await);
    }
    let places = std::cell::RefCell::new(places);
    checkpoints::all(|| {
        let (dir, store) = places.borrow_mut().pop().unwrap();
        move || {
            let _keep = &dir;
            Arc::clone(&store)
        }
    })
    .await;
}

/// A directory keeps the checkpoints of one pipeline: those of another are refused by name, see `ndjson.rs`.
#[tokio::test]
async fn the_checkpoints_of_the_ndjson_destination_keep_the_promises_of_one_pipeline() {
    let dirs: Vec<_> = (0..11).map(|_| tempfile::tempdir().unwrap()).collect();
    let mut opened = Vec::new();
    for dir in &dirs {
        let config = NdjsonConfig::new(dir.path());
        let destination = NdjsonDestination::open(config, "p").await.unwrap();
        opened.push(destination.checkpoints().unwrap());
    }
    let mut stores = opened.into_iter();
    let mut open = || {
        let store = stores.next().expect("one directory a promise");
        move || Arc::clone(&store)
    };
    checkpoints::starts_empty(open()).await;
    checkpoints::a_saved_checkpoint_is_there_after_reopening(open()).await;
    checkpoints::a_sequence_only_moves_forward(open()).await;
    checkpoints::saving_the_same_again_is_fine(open()).await;
    checkpoints::a_reset_pipeline_starts_from_nothing(open()).await;
    checkpoints::notes_are_there_after_reopening(open()).await;
    checkpoints::later_notes_win_and_a_forgotten_one_is_gone(open()).await;
    checkpoints::notes_survive_byte_for_byte(open()).await;
    checkpoints::a_refused_save_changes_no_note(open()).await;
    checkpoints::saving_the_same_again_changes_no_note(open()).await;
    checkpoints::a_reset_pipeline_has_no_notes(open()).await;
}

struct Ndjson {
    dir: TempDir,
}

impl Ndjson {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }
}

#[async_trait]
impl Subject for Ndjson {
    async fn open(&self) -> Arc<dyn Destination> {
        let config = NdjsonConfig::new(self.dir.path().join("out"));
        Arc::new(
            NdjsonDestination::open(config, destination::PIPELINE)
                .await
                .unwrap(),
        )
    }

    /// The lines replayed: the last one of each key stands.
    async fn rows(&self, stream: &str) -> Vec<Map<String, Value>> {
        let path = self.dir.path().join(format!("out/{stream}.ndjson"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut rows = std::collections::BTreeMap::new();
        for line in text.lines() {
            let record: Record = serde_json::from_str(line).unwrap();
            let key = Value::Object(record.key.to_object().unwrap().into_owned()).to_string();
            match record.payload.after {
                Some(after) => rows.insert(key, destination::fields_of(&after.to_object().unwrap())),
                None => rows.remove(&key),
            };
        }
        rows.into_values().collect()
    }

    fn refused(&self) -> Option<Record> {
        Some(malformed())
    }
}

/// Not called, because this destination appends and says so: `an_older_version_does_not_overwrite_a_newer` (the
/// older one is a line of its own), and `writing_a_batch_again_changes_nothing` (replaying the lines would
/// hide that they stand there twice).
#[tokio::test]
async fn the_ndjson_destination_keeps_the_promises_of_one_that_appends() {
    let make = Ndjson::new;
    destination::there_is_one_outcome_for_every_record(&make()).await;
    destination::what_was_written_is_there_after_reopening(&make()).await;
    destination::what_the_origin_has_now_replaces_a_row_of_any_version(&make()).await;
    destination::overlapping_writes_take_effect_in_order(&make()).await;
    destination::a_deleted_record_is_gone(&make()).await;
    destination::a_new_field_is_filled_from_then_on(&make()).await;
    widening::a_type_that_widens_keeps_what_was_there(&make()).await;
    destination::a_batch_without_records_is_fine(&make()).await;
    destination::a_dropped_write_leaves_the_destination_usable(&make()).await;
    destination::a_write_that_nobody_polls_holds_up_no_other_key(&make()).await;
    destination::a_transactional_destination_stores_the_checkpoint_with_the_rows(&make()).await;
    destination::a_refused_record_holds_the_checkpoint_back(&make()).await;
    destination::notes_come_into_force_with_the_checkpoint(&make()).await;
    destination::held_notes_come_into_force_with_the_save_that_releases_them(&make()).await;
    destination::prepare_forgets_notes_that_were_held(&make()).await;
    // It cannot be audited, and says so.
    destination::a_look_tells_what_is_missing_what_differs_and_what_should_be_gone(&make()).await;
}

/// Opens a store from a function that is not async, as the suites of stores want it.
fn open_store(dir: &TempDir) -> SqliteStore {
    let path = dir.path().join("state.db");
    let open = || {
        tokio::runtime::Handle::current()
            .block_on(SqliteStore::open(path))
            .unwrap()
    };
    tokio::task::block_in_place(open)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_keeps_every_promise() {
    let dir = || tempfile::tempdir().unwrap();
    checkpoints::all(|| {
        let dir = dir();
        move || Arc::new(open_store(&dir)) as Arc<dyn CheckpointStore>
    })
    .await;
    dead_letters::all(|| {
        let dir = dir();
        move || Arc::new(open_store(&dir)) as Arc<dyn DeadLetters>
    })
    .await;
    inbox::all(|| {
        let dir = dir();
        move || Arc::new(open_store(&dir)) as Arc<dyn Inbox>
    })
    .await;
    key_map::all(|| {
        let dir = dir();
        move || -> Arc<dyn KeyMap> { open_store(&dir).keys("p") }
    })
    .await;
}
