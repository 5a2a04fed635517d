//! Which of a source's keys became which id, as rows of the state file.

use std::sync::Arc;

use async_trait::async_trait;
use opencdc::{Error, ErrorKind, KeyMap, Mapped, Record, Result, StreamName, Waiting};
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::dead_letter::identity;

impl SqliteStore {
    /// The keys of `pipeline`.
    pub fn keys(&self, pipeline: &str) -> Arc<dyn KeyMap> {
        Arc::new(SqliteKeyMap {
            store: self.clone(),
            pipeline: pipeline.into(),
        })
    }
}

/// The key map of one pipeline. A call is one transaction, or shares one with others that wait.
#[derive(Debug)]
struct SqliteKeyMap {
    store: SqliteStore,
    pipeline: Arc<str>,
}

impl SqliteKeyMap {
    /// What a statement about `stream` begins with.
    fn place(&self, stream: &StreamName) -> (Arc<str>, StreamName) {
        (Arc::clone(&self.pipeline), stream.clone())
    }
}

#[async_trait]
impl KeyMap for SqliteKeyMap {
    async fn look_up(&self, stream: &StreamName, keys: &[String]) -> Result<Vec<Option<Mapped>>> {
        let ((pipeline, stream), keys) = (self.place(stream), keys.to_owned());
        let look_up = move |connection: &Connection| {
            let sql = "SELECT id FROM keys WHERE pipeline = ?1 AND stream = ?2 AND key = ?3";
            let mut select = connection.prepare_cached(sql)?;
            let found = keys.iter().map(|key| {
                let row = params![pipeline, stream.as_str(), key];
                select.query_row(row, |row| row.get(0).map(mapped)).optional()
            });
            found.collect::<rusqlite::Result<_>>().map(Ok)
        };
        self.store.queue().run("cannot look up keys in", look_up).await
    }

    async fn store(&self, stream: &StreamName, entries: &[(String, Mapped)]) -> Result<()> {
        let ((pipeline, stream), entries) = (self.place(stream), entries.to_owned());
        let store = move |connection: &Connection| {
            let mut insert =
                connection.prepare_cached("INSERT OR REPLACE INTO keys VALUES (?1, ?2, ?3, ?4)")?;
            for (key, mapped) in &entries {
                insert.execute(params![pipeline, stream.as_str(), key, id(mapped)])?;
            }
            Ok(Ok(()))
        };
        self.store.queue().run("cannot store keys in", store).await
    }

    async fn forget(&self, stream: &StreamName, keys: &[String]) -> Result<()> {
        let ((pipeline, stream), keys) = (self.place(stream), keys.to_owned());
        let forget = move |connection: &Connection| {
            let sql = "DELETE FROM keys WHERE pipeline = ?1 AND stream = ?2 AND key = ?3";
            let mut delete = connection.prepare_cached(sql)?;
            for key in &keys {
                delete.execute(params![pipeline, stream.as_str(), key])?;
            }
            Ok(Ok(()))
        };
        self.store.queue().run("cannot forget keys in", forget).await
    }

    async fn park(&self, waiting: &[Waiting]) -> Result<()> {
        let (pipeline, waiting) = (Arc::clone(&self.pipeline), waiting.to_owned());
        let park = move |connection: &Connection| {
            // The new row comes last, as the later change of the record.
            let mut insert = connection.prepare_cached(
                "INSERT OR REPLACE INTO parked (pipeline, stream, key, waiting_stream, waiting_key, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for Waiting { stream, key, record } in &waiting {
                let text = serde_json::to_string(record).expect("a record is always serialisable");
                let (own, known_by) = (record.stream.as_str(), identity(&record.key));
                insert.execute(params![pipeline, stream.as_str(), key, own, known_by, text])?;
            }
            Ok(Ok(()))
        };
        self.store.queue().run("cannot park records in", park).await
    }

    async fn waiting(&self, stream: &StreamName, keys: &[String]) -> Result<Vec<Record>> {
        let ((pipeline, stream), keys) = (self.place(stream), keys.to_owned());
        let waiting = move |connection: &Connection| {
            let sql = "SELECT id, record FROM parked WHERE pipeline = ?1 AND stream = ?2 AND key = ?3";
            let mut select = connection.prepare_cached(sql)?;
            let mut found: Vec<(i64, String)> = Vec::new();
            for key in &keys {
                let rows = select.query_map(params![pipeline, stream.as_str(), key], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
                found.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            found.sort_unstable_by_key(|(id, _)| *id);
            Ok(found.iter().map(|(_, text)| parse(text)).collect())
        };
        self.store
            .queue()
            .run("cannot read parked records of", waiting)
            .await
    }

    async fn unpark(&self, records: &[Record]) -> Result<()> {
        let (pipeline, records) = (Arc::clone(&self.pipeline), records.to_owned());
        let unpark = move |connection: &Connection| {
            let sql = "DELETE FROM parked WHERE pipeline = ?1 AND waiting_stream = ?2 AND waiting_key = ?3";
            let mut delete = connection.prepare_cached(sql)?;
            for record in &records {
                delete.execute(params![pipeline, record.stream.as_str(), identity(&record.key)])?;
            }
            Ok(Ok(()))
        };
        self.store
            .queue()
            .run("cannot take parked records from", unpark)
            .await
    }

    async fn parked(&self) -> Result<u64> {
        let pipeline = Arc::clone(&self.pipeline);
        let count = move |connection: &Connection| {
            let sql = "SELECT count(*) FROM parked WHERE pipeline = ?1";
            connection
                .query_row(sql, params![pipeline], |row| row.get(0))
                .map(Ok)
        };
        self.store
            .queue()
            .run("cannot count parked records of", count)
            .await
    }
}

fn parse(text: &str) -> Result<Record> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(
            ErrorKind::InvalidData,
            "a parked record in the state file is damaged",
        )
        .with_source(error)
    })
}

/// What a row with this `id` says.
fn mapped(id: Option<String>) -> Mapped {
    id.map_or(Mapped::Pending, Mapped::Id)
}

fn id(mapped: &Mapped) -> Option<&str> {
    match mapped {
        Mapped::Pending => None,
        Mapped::Id(id) => Some(id),
    }
}
