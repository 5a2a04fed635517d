//! The file: the connection, the open transaction and the checkpoints in it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use opencdc::{Batch, Catalog, Checkpoint, Notes, Outcome, Result};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Statement};

use super::config::{Deletes, SqliteConfig};
use super::rows::{self, Change, Plan, Rows};
use super::schema::{self, Failure};
use super::table::{Table, check_apart, table_name};
use super::unfit::Unfit;
use super::value::Cell;
use crate::destination::serial::Place;
use crate::failpoint::failpoint;
use crate::sqlite_checkpoints::Tables;
use crate::sqlite_file::{self, FileKind, explain};

pub(super) const KIND: FileKind = FileKind {
    application_id: i32::from_be_bytes(*b"SpkD"),
    what: "a file that Spoke writes rows to",
    migrations: &[include_str!("schema_v1.sql"), include_str!("schema_v2.sql")],
    page_size: 4096,
};

const TABLES: Tables = Tables {
    checkpoints: "_spoke_checkpoints",
    notes: "_spoke_notes",
};

/// Four statements a table, and a catalog has tens of tables.
pub(super) const STATEMENTS: usize = 256;

#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    busy_timeout: Duration,
    deletes: Deletes,
    table_prefix: String,
    pipeline: String,
    /// `None` after `close`, and after an error: whatever is needed next opens the file again.
    connection: Option<Connection>,
    /// Which tables of the plan are there; the others are made for their first row.
    made: Vec<bool>,
    unfit: Arc<Unfit>,
    /// Something was erased, and the log may still hold it.
    erased: bool,
}

impl File {
    pub(super) fn open(config: SqliteConfig, pipeline: String, unfit: Arc<Unfit>) -> Result<Self> {
        let mut file = Self {
            path: config.path,
            busy_timeout: config.busy_timeout,
            deletes: config.deletes,
            table_prefix: config.table_prefix,
            pipeline,
            connection: None,
            made: Vec::new(),
            unfit,
            erased: false,
        };
        file.connection()?;
        Ok(file)
    }

    fn connection(&mut self) -> Result<&Connection> {
        let connection = match self.connection.take() {
            Some(open) => open,
            None => {
                let connection = sqlite_file::open(&self.path, &KIND, self.busy_timeout)?;
                connection.set_prepared_statement_cache_capacity(STATEMENTS);
                connection
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// See [`empty_log`].
    fn empty_log(&mut self) -> Result<bool> {
        let patience = self.busy_timeout;
        self.with("cannot empty the log of", |connection| {
            let emptied = empty_log(connection);
            connection.busy_timeout(patience)?;
            Ok(emptied?)
        })
    }

    /// Has `work` done on the open file, and explains what SQLite says about it.
    fn with<T>(&mut self, doing: &str, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T> {
        let done = work(self.connection()?);
        done.map_err(|failure| match failure {
            Failure::Sqlite(error) => explain(&self.path, doing, error),
            Failure::Told(error) => error.context(format_args!("{doing} `{}`", self.path.display())),
        })
    }
}

impl Place for File {
    type Plan = Plan;
    type Rows = Rows;

    fn prepare(&mut self, catalog: &Catalog) -> Result<Plan> {
        let (deletes, prefix) = (self.deletes, self.table_prefix.clone());
        let (tables, made) = self.with("cannot prepare the tables of", |connection| {
            in_transaction(connection, || tables(connection, catalog, &prefix, deletes))
        })?;
        self.made = made;
        let by_stream = tables.iter().enumerate();
        Ok(Plan {
            by_stream: by_stream
                .map(|(index, table)| (table.stream.name.clone(), index))
                .collect(),
            tables,
            unfit: Arc::clone(&self.unfit),
        })
    }

    fn convert(plan: &Plan, batch: &Batch) -> Result<Rows> {
        let rows = rows::convert(plan, &batch.records)?;
        Ok(Rows {
            current: batch.current,
            ..rows
        })
    }

    fn begin(&mut self) -> Result<()> {
        self.with("cannot write to", |connection| {
            Ok(connection.execute_batch("BEGIN IMMEDIATE")?)
        })
    }

    fn write(&mut self, plan: &Plan, rows: Rows, _sequence: u64) -> Result<Vec<Outcome>> {
        self.erased |= rows
            .changes
            .iter()
            .any(|change| matches!(change, Change::Purge { .. }));
        let mut made = std::mem::take(&mut self.made);
        let written = self.with("cannot write to", |connection| {
            write(connection, plan, &rows, &mut made)
        });
        self.made = made;
        written
    }

    fn commit(&mut self, checkpoint: Option<&Checkpoint>) -> Result<()> {
        let pipeline = self.pipeline.clone();
        self.with("cannot write to", |connection| {
            if let Some(checkpoint) = checkpoint {
                TABLES
                    .save(connection, &pipeline, checkpoint)?
                    .map_err(Failure::Told)?;
            }
            failpoint!("sqlite.before_commit");
            Ok(connection.execute_batch("COMMIT")?)
        })?;
        failpoint!("sqlite.after_commit");
        if self.erased {
            self.erased = !self.empty_log()?;
        }
        Ok(())
    }

    /// Closing rolls back, and frees us of whatever state the error left the connection in.
    fn roll_back(&mut self) {
        self.connection = None;
    }

    fn load(&mut self, pipeline: &str) -> Result<Option<Checkpoint>> {
        self.with("cannot read the checkpoint in", |connection| {
            Ok(TABLES.load(connection, pipeline)?)
        })
    }

    fn notes(&mut self, pipeline: &str) -> Result<Notes> {
        self.with("cannot read the notes in", |connection| {
            Ok(TABLES.notes(connection, pipeline)?)
        })
    }

    fn save(&mut self, pipeline: &str, checkpoint: &Checkpoint) -> Result<()> {
        self.with("cannot save the checkpoint in", |connection| {
            in_transaction(connection, || {
                TABLES
                    .save(connection, pipeline, checkpoint)?
                    .map_err(Failure::Told)
            })
        })
    }

    fn reset(&mut self, pipeline: &str) -> Result<()> {
        self.with("cannot reset the checkpoint in", |connection| {
            in_transaction(connection, || Ok(TABLES.reset(connection, pipeline)?))
        })
    }

    /// The last one to close a file moves the log into it, so that one file remains.
    fn close(&mut self) -> Result<()> {
        let Some(connection) = self.connection.take() else {
            return Ok(());
        };
        let explain = |error| explain(&self.path, "cannot close", error);
        empty_log(&connection).map_err(explain)?;
        connection.close().map_err(|(_, error)| explain(error))
    }
}

/// Moves the log into the file and empties it, and says whether that was done. While another program reads, it cannot
/// be: that is no failure, and not waited for.
fn empty_log(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(0)? == 0)
    })
}

/// The tables of the catalog, and which of them are there.
fn tables(
    connection: &Connection,
    catalog: &Catalog,
    prefix: &str,
    deletes: Deletes,
) -> Result<(Vec<Arc<Table>>, Vec<bool>), Failure> {
    check_apart(prefix, &catalog.streams).map_err(Failure::Told)?;
    let one = |stream| {
        let name = table_name(prefix, stream);
        let remembered = schema::remembered(connection, &name)?;
        let table = Arc::new(Table::new(name, stream, &remembered, deletes));
        let made = schema::exists(connection, table.name())?;
        if made {
            schema::adapt(connection, &table, &remembered)?;
        }
        Ok((table, made))
    };
    catalog.streams.iter().map(one).collect()
}

fn in_transaction<T>(
    connection: &Connection,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = work();
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    // When a rollback fails too, SQLite has rolled back by itself; the first error is the one to tell.
    let ended = connection.execute_batch(end);
    let done = done?;
    ended?;
    Ok(done)
}

fn write(
    connection: &Connection,
    plan: &Plan,
    rows: &Rows,
    made: &mut [bool],
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(rows.changes.len());
    // Neighbours mostly need the same statement, so it is looked up once for each run of them.
    for run in rows.changes.chunk_by(|a, b| a.statement() == b.statement()) {
        let Some((table, _)) = run[0].statement() else {
            outcomes.extend(run.iter().map(Change::refusal));
            continue;
        };
        if !made[table] {
            if !matches!(run[0], Change::Upsert { .. }) {
                // There is no row to delete.
                outcomes.extend(run.iter().map(|_| Outcome::Written));
                continue;
            }
            schema::create(connection, &plan.tables[table])?;
            made[table] = true;
        }
        let sql = match (&run[0], plan.tables[table].of_made(plan, made)) {
            (Change::Purge { .. }, Some(of)) => &plan.tables[table].purge_with_merged(of),
            _ => run[0].sql(&plan.tables[table], rows.current),
        };
        let mut statement = connection.prepare_cached(sql)?;
        for change in run {
            outcomes.push(execute(&mut statement, rows, change)?);
        }
    }
    Ok(outcomes)
}

impl Change {
    /// What tells its statement from that of another change.
    pub(super) fn statement(&self) -> Option<(usize, std::mem::Discriminant<Self>)> {
        match self {
            Self::Upsert { table, .. } | Self::Delete { table, .. } | Self::Purge { table, .. } => {
                Some((*table, std::mem::discriminant(self)))
            }
            Self::Refused { .. } => None,
        }
    }

    /// `current` as in [`Rows`].
    pub(super) fn sql<'a>(&self, table: &'a Table, current: bool) -> &'a str {
        match self {
            Self::Upsert { .. } if current => &table.statements.replace,
            Self::Upsert { .. } => &table.statements.upsert,
            Self::Delete { .. } => &table.statements.delete,
            Self::Purge { .. } | Self::Refused { .. } => &table.statements.purge,
        }
    }

    fn refusal(&self) -> Outcome {
        match self {
            Self::Refused { reason } => Outcome::rejected(reason.clone()),
            _ => Outcome::Written,
        }
    }
}

pub(super) fn execute(
    statement: &mut Statement<'_>,
    rows: &Rows,
    change: &Change,
) -> rusqlite::Result<Outcome> {
    let (Change::Upsert { cells, .. } | Change::Delete { cells, .. } | Change::Purge { cells, .. }) = change
    else {
        return Ok(change.refusal());
    };
    statement.clear_bindings();
    let last = statement.parameter_count();
    for (parameter, cell) in &rows.cells[cells.clone()] {
        let index = usize::from(*parameter) + 1;
        // A hard delete has no use for what comes after the key.
        if index <= last {
            statement.raw_bind_parameter(index, bound(*cell, &rows.texts))?;
        }
    }
    let changed = statement.raw_execute()?;
    let older = changed == 0 && matches!(change, Change::Upsert { .. });
    Ok(if older {
        Outcome::Unchanged
    } else {
        Outcome::Written
    })
}

pub(super) fn bound(cell: Cell, texts: &str) -> ToSqlOutput<'_> {
    match cell {
        Cell::Null => ToSqlOutput::Owned(Value::Null),
        Cell::Integer(integer) => ToSqlOutput::Owned(Value::Integer(integer)),
        Cell::Real(real) => ToSqlOutput::Owned(Value::Real(real)),
        Cell::Text { start, len } => {
            ToSqlOutput::Borrowed(ValueRef::Text(&texts.as_bytes()[start..start + len as usize]))
        }
    }
}
