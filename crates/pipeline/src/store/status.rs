//! A picture of each pipeline's run, for people who ask from another process.

use opencdc::Result;
use rusqlite::{Connection, params};

use super::SqliteStore;

impl SqliteStore {
    /// Replaces the picture of `pipeline`: some JSON that nobody here looks into.
    pub async fn save_status(&self, pipeline: &str, json: String) -> Result<()> {
        let (pipeline, at) = (pipeline.to_owned(), jiff::Timestamp::now().to_string());
        let save = move |connection: &Connection| {
            connection
                .prepare_cached("INSERT OR REPLACE INTO status VALUES (?1, ?2, ?3)")?
                .execute(params![pipeline, json, at])?;
            Ok(Ok(()))
        };
        self.queue().run("cannot keep a status in", save).await
    }

    /// The last picture of `pipeline`.
    pub async fn status(&self, pipeline: &str) -> Result<Option<String>> {
        let pipeline = pipeline.to_owned();
        let load = move |connection: &Connection| {
            let mut select = connection.prepare_cached("SELECT json FROM status WHERE pipeline = ?1")?;
            let mut rows = select.query([pipeline])?;
            rows.next()?.map(|row| row.get(0)).transpose().map(Ok)
        };
        self.queue().run("cannot read a status in", load).await
    }
}
