//! Checkpoints, dead letters and the inbox in one SQLite file.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use opencdc::{
    Checkpoint, CheckpointStore, DeadLetter, DeadLetters, Error, ErrorKind, Inbox, InboxEntry, Notes, Result,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::dead_letter;
use super::queue::Queue;
use crate::sqlite_checkpoints::Tables;
use crate::sqlite_file::{self, FileKind};

/// How long to wait for another process that writes to the same state.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

const KIND: FileKind = FileKind {
    application_id: i32::from_be_bytes(*b"SpkS"),
    what: "a state file of Spoke",
    migrations: &[
        include_str!("schema_v1.sql"),
        include_str!("schema_v2.sql"),
        include_str!("schema_v3.sql"),
        include_str!("schema_v4.sql"),
        include_str!("schema_v5.sql"),
    ],
    page_size: 4096,
};

const TABLES: Tables = Tables {
    checkpoints: "checkpoints",
    notes: "notes",
};

/// Keeps what must survive a crash in one SQLite file.
///
/// A clone is another handle to the same place. Every answer means: on disk, also after a power cut. Calls
/// that wait at the same time share one transaction. Several processes may use one file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    queue: Queue,
}

impl SqliteStore {
    /// Opens the file at `path`, or makes it.
    ///
    /// # Errors
    /// [`Incompatible`](ErrorKind::Incompatible) when the file is something else or of a newer version,
    /// [`Configuration`](ErrorKind::Configuration) when its directory does not exist,
    /// [`Storage`](ErrorKind::Storage) when it cannot be written.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let open = move || {
            let connection = sqlite_file::open(&path, &KIND, BUSY_TIMEOUT)?;
            Queue::start(path, connection).map(|queue| Self { queue })
        };
        tokio::task::spawn_blocking(open)
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, "opening the store failed").with_source(error))?
    }

    /// Takes up to `wanted` out of a budget of `max` for a `period`, such as a date, and returns how much it got. Another
    /// period begins at zero. Two programs never get the same.
    pub async fn take_from_budget(&self, name: &str, period: &str, wanted: u64, max: u64) -> Result<u64> {
        let (name, period) = (name.to_owned(), period.to_owned());
        let take = move |connection: &Connection| {
            let used = "SELECT used FROM budgets WHERE name = ?1 AND period = ?2";
            let used: Option<u64> = connection
                .prepare_cached(used)?
                .query_row(params![name, period], |row| row.get(0))
                .optional()?;
            let used = used.unwrap_or(0);
            let granted = wanted.min(max.saturating_sub(used));
            connection
                .prepare_cached("INSERT OR REPLACE INTO budgets VALUES (?1, ?2, ?3)")?
                .execute(params![name, period, used + granted])?;
            Ok(Ok(granted))
        };
        self.queue.run("cannot take from a budget in", take).await
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Forgets inbox entries up to the id `through`: they have been handled. A delivery repeated after that
    /// is taken for a new one, so leave as many as an origin may repeat.
    pub async fn trim_inbox(&self, through: u64) -> Result<()> {
        let trim = move |connection: &Connection| {
            connection.execute("DELETE FROM inbox WHERE id <= ?1", [through])?;
            Ok(Ok(()))
        };
        self.queue.run("cannot trim the inbox in", trim).await
    }
}

#[async_trait]
impl CheckpointStore for SqliteStore {
    async fn load(&self, pipeline: &str) -> Result<Option<Checkpoint>> {
        let pipeline = pipeline.to_owned();
        let load = move |connection: &Connection| TABLES.load(connection, &pipeline).map(Ok);
        self.queue.run("cannot read the checkpoint in", load).await
    }

    async fn notes(&self, pipeline: &str) -> Result<Notes> {
        let pipeline = pipeline.to_owned();
        let notes = move |connection: &Connection| TABLES.notes(connection, &pipeline).map(Ok);
        self.queue.run("cannot read the notes in", notes).await
    }

    async fn save(&self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        let (pipeline, checkpoint) = (pipeline.to_owned(), checkpoint.clone());
        let save = move |connection: &Connection| TABLES.save(connection, &pipeline, &checkpoint);
        self.queue.run("cannot save the checkpoint in", save).await
    }

    async fn reset(&self, pipeline: &str) -> Result<()> {
        let pipeline = pipeline.to_owned();
        let reset = move |connection: &Connection| TABLES.reset(connection, &pipeline).map(Ok);
        self.queue.run("cannot reset the checkpoint in", reset).await
    }
}

#[async_trait]
impl DeadLetters for SqliteStore {
    async fn put(&self, letters: Vec<DeadLetter>) -> Result<()> {
        let put = move |connection: &Connection| {
            letters
                .iter()
                .try_for_each(|letter| dead_letter::put(connection, letter))
                .map(Ok)
        };
        self.queue.run("cannot keep dead letters in", put).await
    }

    async fn list(&self, pipeline: &str, after: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>> {
        let pipeline = pipeline.to_owned();
        let list = move |connection: &Connection| {
            let sql = format!(
                "SELECT {} FROM dead_letters WHERE pipeline = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
                dead_letter::COLUMNS
            );
            let mut select = connection.prepare_cached(&sql)?;
            let rows = select.query_map(params![pipeline, after, limit], dead_letter::read)?;
            rows.collect::<rusqlite::Result<_>>().map(Ok)
        };
        self.queue.run("cannot read dead letters in", list).await
    }

    async fn take(&self, ids: &[u64]) -> Result<Vec<DeadLetter>> {
        let ids = ids.to_owned();
        let take = move |connection: &Connection| {
            let sql = format!(
                "DELETE FROM dead_letters WHERE id = ?1 RETURNING {}",
                dead_letter::COLUMNS
            );
            let mut delete = connection.prepare_cached(&sql)?;
            let taken = ids
                .iter()
                .map(|id| delete.query_row([id], dead_letter::read).optional());
            let taken: Vec<_> = taken.collect::<rusqlite::Result<_>>()?;
            Ok(Ok(taken
                .into_iter()
                .flatten()
                .map(|(_, letter)| letter)
                .collect()))
        };
        self.queue.run("cannot take dead letters from", take).await
    }
}

#[async_trait]
impl Inbox for SqliteStore {
    async fn append(&self, entries: Vec<InboxEntry>) -> Result<u64> {
        let append = move |connection: &Connection| {
            let sql = "INSERT INTO inbox (key, body, received_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
            let mut insert = connection.prepare_cached(sql)?;
            let received = now();
            for entry in &entries {
                insert.execute(params![entry.key, &*entry.body, received])?;
            }
            // Not `max(id)`: that of a trimmed inbox would go back.
            let last = "SELECT seq FROM sqlite_sequence WHERE name = 'inbox'";
            let last = connection
                .prepare_cached(last)?
                .query_row([], |row| row.get(0))
                .optional()?;
            Ok(Ok(last.unwrap_or(0)))
        };
        self.queue.run("cannot append to the inbox in", append).await
    }

    async fn read_after(&self, after: u64, limit: usize) -> Result<Vec<(u64, InboxEntry)>> {
        let read = move |connection: &Connection| {
            let sql = "SELECT id, key, body FROM inbox WHERE id > ?1 ORDER BY id LIMIT ?2";
            let mut select = connection.prepare_cached(sql)?;
            let entry = |row: &rusqlite::Row<'_>| {
                let body = Bytes::from(row.get::<_, Vec<u8>>(2)?);
                Ok((
                    row.get(0)?,
                    InboxEntry {
                        key: row.get(1)?,
                        body,
                    },
                ))
            };
            let rows = select.query_map(params![after, limit], entry)?;
            rows.collect::<rusqlite::Result<_>>().map(Ok)
        };
        self.queue.run("cannot read the inbox in", read).await
    }
}

fn now() -> String {
    Timestamp::now().to_string()
}
