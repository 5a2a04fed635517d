//! Checkpoints and their notes in two tables of an SQLite file: once for the state file and for destinations.
//!
//! Whoever calls has opened a transaction; what is done here is in it.

use bytes::Bytes;
use jiff::Timestamp;
use opencdc::{Checkpoint, Note, Notes, Position, Result};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The names of the two tables.
#[derive(Debug)]
pub(crate) struct Tables {
    /// `(pipeline, sequence, position, saved_at)`.
    pub(crate) checkpoints: &'static str,
    /// `(pipeline, key, value)`.
    pub(crate) notes: &'static str,
}

impl Tables {
    /// See [`opencdc::CheckpointStore::load`].
    pub(crate) fn load(
        &self,
        connection: &Connection,
        pipeline: &str,
    ) -> rusqlite::Result<Option<Checkpoint>> {
        let sql = format!(
            "SELECT sequence, position FROM {} WHERE pipeline = ?1",
            self.checkpoints
        );
        let read = |row: &Row<'_>| {
            let position = Position::new(row.get::<_, Vec<u8>>(1)?);
            Ok(Checkpoint::new(row.get(0)?, position))
        };
        connection
            .prepare_cached(&sql)?
            .query_row([pipeline], read)
            .optional()
    }

    /// See [`opencdc::CheckpointStore::notes`].
    pub(crate) fn notes(&self, connection: &Connection, pipeline: &str) -> rusqlite::Result<Notes> {
        let sql = format!("SELECT key, value FROM {} WHERE pipeline = ?1", self.notes);
        let mut select = connection.prepare_cached(&sql)?;
        let read = |row: &Row<'_>| {
            let value = Bytes::from(row.get::<_, Vec<u8>>(1)?);
            Ok((row.get::<_, String>(0)?.into(), value))
        };
        select.query_map([pipeline], read)?.collect()
    }

    /// See [`opencdc::CheckpointStore::save`] (invariant 2).
    pub(crate) fn save(
        &self,
        connection: &Connection,
        pipeline: &str,
        next: &Checkpoint,
    ) -> rusqlite::Result<Result<()>> {
        let stored = self.load(connection, pipeline)?;
        match next.replaces(pipeline, stored.as_ref()) {
            Ok(true) => {}
            Ok(false) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        }
        let sql = format!(
            "INSERT OR REPLACE INTO {} VALUES (?1, ?2, ?3, ?4)",
            self.checkpoints
        );
        connection.prepare_cached(&sql)?.execute(params![
            pipeline,
            next.sequence,
            next.position.as_bytes(),
            Timestamp::now().to_string()
        ])?;
        self.apply(connection, pipeline, &next.notes).map(Ok)
    }

    fn apply(&self, connection: &Connection, pipeline: &str, changes: &[Note]) -> rusqlite::Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let notes = self.notes;
        let remember = format!("INSERT OR REPLACE INTO {notes} VALUES (?1, ?2, ?3)");
        let forget = format!("DELETE FROM {notes} WHERE pipeline = ?1 AND key = ?2");
        let mut remember = connection.prepare_cached(&remember)?;
        let mut forget = connection.prepare_cached(&forget)?;
        for (key, value) in Note::last_of_each(changes) {
            match value {
                Some(value) => remember.execute(params![pipeline, &**key, &**value])?,
                None => forget.execute(params![pipeline, &**key])?,
            };
        }
        Ok(())
    }

    /// See [`opencdc::CheckpointStore::reset`].
    pub(crate) fn reset(&self, connection: &Connection, pipeline: &str) -> rusqlite::Result<()> {
        for table in [self.checkpoints, self.notes] {
            connection.execute(&format!("DELETE FROM {table} WHERE pipeline = ?1"), [pipeline])?;
        }
        Ok(())
    }
}
