//! The tables of a copy without the copy: rows that are wanted for a moment, and forgotten.

use std::sync::Arc;

use opencdc::{Catalog, Error, ErrorKind, Record, Result};
use rusqlite::Connection;

use super::config::Deletes;
use super::place::{self, STATEMENTS};
use super::rows::{self, Plan};
use super::table::{Table, quote, table_name};
use super::unfit::Unfit;

/// A private database with the tables that an [`SqliteDestination`](super::SqliteDestination) makes of a catalog, made
/// and written by the same code, so that a statement gives the same rows here as over a copy.
///
/// It lives in memory as long as it is small, else in a temporary file without a name, and ends with its value.
#[derive(Debug)]
pub struct SqliteScratch {
    connection: Connection,
    plan: Plan,
}

impl SqliteScratch {
    /// Makes the empty tables.
    pub fn new(catalog: &Catalog) -> Result<Self> {
        // The empty path is how SQLite is asked for a temporary database, see https://sqlite.org/inmemorydb.html
        let connection = Connection::open("").map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let tables = catalog.streams.iter().map(|stream| {
            Arc::new(Table::new(
                table_name("", stream),
                stream,
                &[],
                Deletes::default(),
            ))
        });
        let tables: Vec<_> = tables.collect();
        for table in &tables {
            connection.execute_batch(&table.create()).map_err(failed)?;
        }
        let by_stream = catalog.streams.iter().map(|stream| stream.name.clone()).zip(0..);
        let plan = Plan {
            by_stream: by_stream.collect(),
            tables,
            unfit: Arc::new(Unfit::default()),
        };
        Ok(Self { connection, plan })
    }

    /// Adds records. One that a copy would refuse is left out, as it would be there.
    pub fn write(&mut self, records: &[Record]) -> Result<()> {
        let rows = rows::convert(&self.plan, records)?;
        let transaction = self.connection.transaction().map_err(failed)?;
        for change in &rows.changes {
            let Some((table, _)) = change.statement() else {
                continue;
            };
            let sql = change.sql(&self.plan.tables[table], true);
            let mut statement = transaction.prepare_cached(sql).map_err(failed)?;
            place::execute(&mut statement, &rows, change).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    /// Takes all rows out of a table.
    pub fn clear(&mut self, table: &str) -> Result<()> {
        let sql = format!("DELETE FROM {}", quote(table));
        self.connection.execute_batch(&sql).map_err(failed)
    }

    /// The database, to ask.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }
}

fn failed(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::Storage, "cannot write the temporary database")
        .with_hint("check that there is room where temporary files go; `SQLITE_TMPDIR` names another place")
        .with_source(error)
}
