//! Which of a source's keys became which id, as rows of the state file.

use std::sync::Arc;

use async_trait::async_trait;
use opencdc::{KeyMap, Mapped, Result, StreamName};
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;

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
