//! The bare loop that only writes: the very rows that `spoke sync` wrote, into tables of the same shape, with the
//! same durability.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// Rows a transaction: about what `spoke sync` commits at once.
const TRANSACTION: usize = 5_000;

pub(crate) fn count_rows(database: &Path, table: &str) -> u64 {
    let sql = format!("SELECT count(*) FROM \"{table}\"");
    open(database)
        .query_row(&sql, [], |row| row.get(0))
        .expect("the table is there")
}

/// The rows of all tables that hold records.
pub(crate) fn count_all(database: &Path) -> u64 {
    tables(&open(database))
        .iter()
        .map(|(name, _)| count_rows(database, name))
        .sum()
}

/// Writes every row of `from` into a new file at `to`. Reading is not counted.
pub(crate) fn same_rows(from: &Path, to: &Path) -> Duration {
    let source = open(from);
    let target = open(to);
    target.pragma_update(None, "journal_mode", "WAL").expect("WAL");
    target
        .pragma_update(None, "synchronous", "FULL")
        .expect("durable");
    tables(&source)
        .iter()
        .map(|(name, sql)| copy(&source, &target, name, sql))
        .sum()
}

fn open(path: &Path) -> Connection {
    Connection::open(path).expect("the database opens")
}

/// Names and definitions of the tables that hold records: all but our own.
fn tables(connection: &Connection) -> Vec<(String, String)> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 1) <> '_'";
    let mut statement = connection.prepare(sql).expect("the schema can be read");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.and_then(Iterator::collect).expect("a list of tables")
}

fn copy(source: &Connection, target: &Connection, name: &str, definition: &str) -> Duration {
    target.execute_batch(definition).expect("the same table");
    let mut select = source
        .prepare(&format!("SELECT * FROM \"{name}\""))
        .expect("the rows");
    let columns = select.column_count();
    let insert = upsert(&select, name);
    let mut rows = select.query([]).expect("can be read");
    let mut elapsed = Duration::ZERO;
    loop {
        let mut chunk = Vec::with_capacity(TRANSACTION);
        while chunk.len() < TRANSACTION {
            let Some(row) = rows.next().expect("a row") else {
                break;
            };
            chunk.push(
                (0..columns)
                    .map(|index| row.get_unwrap(index))
                    .collect::<Vec<Value>>(),
            );
        }
        if chunk.is_empty() {
            return elapsed;
        }
        elapsed += write(target, &insert, &chunk);
    }
}

/// An upsert, as a destination needs: a plain insert would not be the same work.
fn upsert(select: &rusqlite::Statement<'_>, name: &str) -> String {
    let columns: Vec<_> = select
        .column_names()
        .map(|column| format!("\"{column}\""))
        .collect();
    let marks = vec!["?"; columns.len()].join(",");
    let set: Vec<_> = columns
        .iter()
        .map(|column| format!("{column}=excluded.{column}"))
        .collect();
    format!(
        "INSERT INTO \"{name}\" ({}) VALUES ({marks}) ON CONFLICT DO UPDATE SET {}",
        columns.join(","),
        set.join(",")
    )
}

fn write(target: &Connection, insert: &str, chunk: &[Vec<Value>]) -> Duration {
    let begun = Instant::now();
    target.execute_batch("BEGIN").expect("a transaction");
    let mut statement = target.prepare_cached(insert).expect("the insert");
    for row in chunk {
        statement.execute(params_from_iter(row)).expect("a row goes in");
    }
    target.execute_batch("COMMIT").expect("the transaction commits");
    begun.elapsed()
}
