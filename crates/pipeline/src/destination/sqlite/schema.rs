//! Makes the tables of a file fit the tables of a run: new columns, wider columns, and what is remembered of
//! them.

use opencdc::{DataType, Error, ErrorKind, Result};
use rusqlite::{Connection, params};

use super::columns::{Column, RAW, Remembered, sql_type};
use super::table::{Table, list, quote};
use super::widening::{self, Retyped};

/// A failure of SQLite, or a reason of ours.
#[derive(Debug)]
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Told(Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A column as it is in the file.
struct Present {
    name: String,
    sql_type: String,
    not_null: bool,
    /// Its place in the primary key, from 1; 0 for none.
    key: usize,
}

impl Present {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// What is remembered of the fields of `table`. The column is called `stream` from when no name could have a prefix.
pub(super) fn remembered(connection: &Connection, table: &str) -> Result<Vec<Remembered>, Failure> {
    let sql = "SELECT field, \"column\", type FROM _spoke_columns WHERE stream = ?1";
    let mut select = connection.prepare_cached(sql)?;
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?));
    let rows = select.query_map([table], row)?;
    rows.map(|row| {
        let (identity, column, word) = row?;
        Ok(Remembered {
            identity,
            column,
            data_type: data_type(&word)?,
        })
    })
    .collect()
}

pub(super) fn exists(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql =
        "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 COLLATE NOCASE";
    connection.query_row(sql, [table], |row| row.get(0))
}

/// Makes the table and remembers its columns.
pub(super) fn create(connection: &Connection, table: &Table) -> Result<(), Failure> {
    if exists(connection, table.name())? {
        let message = format!("another process has made the table `{}` meanwhile", table.name());
        // The next attempt finds it.
        return Err(Failure::Told(Error::new(ErrorKind::Storage, message)));
    }
    connection.execute_batch(&table.create())?;
    Ok(remember(connection, table)?)
}

/// Makes the present table fit `table`, given what was remembered of it.
pub(super) fn adapt(
    connection: &Connection,
    table: &Table,
    remembered: &[Remembered],
) -> Result<(), Failure> {
    let present = present(connection, table.name())?;
    if remembered.is_empty() {
        return Err(Failure::Told(foreign(table.name())));
    }
    check_key(table, &present)?;
    let has = |name: &str| {
        present
            .iter()
            .any(|column| column.name.eq_ignore_ascii_case(name))
    };
    let ours = table.ours.iter().copied();
    let fields = table
        .columns()
        .map(|column| (column.name.as_str(), sql_type(column.data_type)));
    for (name, sql_type) in fields.chain(ours).filter(|(name, _)| !has(name)) {
        let table = quote(table.name());
        connection.execute_batch(&format!(
            "ALTER TABLE {table} ADD COLUMN {} {sql_type}",
            quote(name)
        ))?;
    }
    rebuild(connection, table, remembered)?;
    Ok(remember(connection, table)?)
}

fn remember(connection: &Connection, table: &Table) -> rusqlite::Result<()> {
    let sql = "INSERT INTO _spoke_columns VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT DO UPDATE SET type = excluded.type WHERE type <> excluded.type";
    let mut insert = connection.prepare_cached(sql)?;
    for column in &table.fields {
        insert.execute(params![
            table.name(),
            column.identity,
            column.name,
            word(column.data_type)
        ])?;
    }
    Ok(())
}

/// Brings the cells of columns whose type has changed into the new one, and the table to its key.
fn rebuild(connection: &Connection, table: &Table, remembered: &[Remembered]) -> rusqlite::Result<()> {
    let present = present(connection, table.name())?;
    let retyped = retyped(table, &present, remembered);
    let is_same_key = key_of(&present).into_iter().eq(table.key_columns());
    if is_same_key && retyped.is_empty() {
        return Ok(());
    }
    widening::register(connection)?;
    let is_kept = |column: &Present| wanted(table, column) == column.sql_type;
    if is_same_key && present.iter().all(is_kept) {
        convert(connection, table, &retyped)
    } else {
        remake(connection, table, &present, &retyped)
    }
}

fn retyped(table: &Table, present: &[Present], remembered: &[Remembered]) -> Vec<Retyped> {
    let one = |column: &Column| {
        let there = present.iter().find(|there| there.is(&column.name))?;
        let before = remembered
            .iter()
            .find(|before| before.identity == column.identity);
        let from = before.map_or(column.data_type, |before| before.data_type);
        (from != column.data_type || there.sql_type != sql_type(column.data_type)).then(|| Retyped {
            column: column.name.clone(),
            identity: column.identity.clone(),
            from,
            to: column.data_type,
        })
    };
    table.columns().filter_map(one).collect()
}

/// The SQL type that a column of the file is to have.
fn wanted(table: &Table, column: &Present) -> String {
    let field = table.columns().find(|field| column.is(&field.name));
    field.map_or_else(
        || column.sql_type.clone(),
        |field| sql_type(field.data_type).to_owned(),
    )
}

/// The columns stay as they are; what they could not hold goes into those that now can.
fn convert(connection: &Connection, table: &Table, retyped: &[Retyped]) -> rusqlite::Result<()> {
    let mut sets: Vec<_> = retyped
        .iter()
        .map(|one| format!("{} = {}", quote(&one.column), one.cell()))
        .collect();
    sets.push(format!("{RAW} = {}", widening::raw(retyped)));
    let (name, sets) = (quote(table.name()), sets.join(", "));
    connection.execute_batch(&format!("UPDATE {name} SET {sets} WHERE {RAW} IS NOT NULL"))
}

/// A `STRICT` column cannot change its type and a table cannot change its key, so a table with a column to widen or a longer
/// key is created again. Views stay as they are; the indices and triggers of others are created again. Columns that become
/// part of the key have a value in every row.
fn remake(
    connection: &Connection,
    table: &Table,
    present: &[Present],
    retyped: &[Retyped],
) -> rusqlite::Result<()> {
    let (name, new) = (quote(table.name()), quote("_spoke_new"));
    let definitions: Vec<_> = present
        .iter()
        .map(|column| definition(column, &wanted(table, column)))
        .collect();
    let value = |column: &Present| {
        let value = match retyped.iter().find(|one| column.is(&one.column)) {
            Some(one) => one.cell(),
            None if column.is(RAW) => widening::raw(retyped),
            None => quote(&column.name),
        };
        let joins_key = column.key == 0 && table.key_columns().any(|name| column.is(name));
        match joins_key {
            true => format!("coalesce({value}, {})", widening::nothing(&wanted(table, column))),
            false => value,
        }
    };
    let values: Vec<_> = present.iter().map(value).collect();
    let attached = attached(connection, table.name())?;
    // The names in views are left alone, see https://sqlite.org/lang_altertable.html#otheralter
    connection.pragma_update(None, "legacy_alter_table", true)?;
    let rebuilt = connection.execute_batch(&format!(
        "CREATE TABLE {new} ({}, PRIMARY KEY ({})) STRICT;
         INSERT INTO {new} SELECT {} FROM {name};
         DROP TABLE {name};
         ALTER TABLE {new} RENAME TO {name};
         {attached}",
        definitions.join(", "),
        list(table.key_columns()),
        values.join(", ")
    ));
    connection.pragma_update(None, "legacy_alter_table", false)?;
    rebuilt
}

fn definition(column: &Present, sql_type: &str) -> String {
    let not_null = if column.not_null { " NOT NULL" } else { "" };
    format!("{} {sql_type}{not_null}", quote(&column.name))
}

fn key_of(present: &[Present]) -> Vec<&str> {
    let mut key: Vec<_> = present.iter().filter(|column| column.key > 0).collect();
    key.sort_by_key(|column| column.key);
    key.into_iter().map(|column| column.name.as_str()).collect()
}

/// The statements that made the indices and triggers of a table.
fn attached(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let sql = "SELECT sql || ';' FROM sqlite_schema
               WHERE tbl_name = ?1 AND type IN ('index', 'trigger') AND sql IS NOT NULL";
    let mut select = connection.prepare(sql)?;
    let rows = select.query_map([table], |row| row.get::<_, String>(0))?;
    rows.collect()
}

fn present(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Present>> {
    let mut select = connection.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)")?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Present {
            name: row.get(0)?,
            sql_type: row.get(1)?,
            not_null: row.get(2)?,
            key: row.get(3)?,
        })
    };
    select.query_map([table], row)?.collect()
}

/// The names of the columns of a table; none when it is not there.
pub(super) fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let present = present(connection, table)?;
    Ok(present.into_iter().map(|column| column.name).collect())
}

/// A key may get longer, which makes no two rows one; any other change would.
fn check_key(table: &Table, present: &[Present]) -> Result<(), Failure> {
    let before = key_of(present);
    let now: Vec<_> = table.key_columns().collect();
    if !before.is_empty() && now.starts_with(&before) {
        return Ok(());
    }
    let message = format!(
        "table `{}` has the key `{}`, and the stream now has `{}`",
        table.name(),
        before.join("`, `"),
        now.join("`, `")
    );
    Err(Failure::Told(
        Error::new(ErrorKind::Incompatible, message)
            .with_hint("rename or drop the table and reset the pipeline's state, or choose another `path`"),
    ))
}

fn foreign(table: &str) -> Error {
    let message = format!("there is a table or view `{table}` that Spoke did not make");
    Error::new(ErrorKind::Incompatible, message).with_hint("rename it, or choose another `path`")
}

const WORDS: [(DataType, &str); 7] = [
    (DataType::String, "string"),
    (DataType::Integer, "integer"),
    (DataType::Number, "number"),
    (DataType::Boolean, "boolean"),
    (DataType::Date, "date"),
    (DataType::Timestamp, "timestamp"),
    (DataType::Json, "json"),
];

pub(super) fn word(data_type: DataType) -> &'static str {
    let found = WORDS.iter().find(|(of, _)| *of == data_type);
    found.map(|(_, word)| *word).expect("every type has a word")
}

pub(super) fn data_type(word: &str) -> Result<DataType, Failure> {
    let found = WORDS.iter().find(|(_, of)| *of == word);
    found.map(|(data_type, _)| *data_type).ok_or_else(|| {
        let message = format!("`_spoke_columns` holds the type `{word}`, which this version does not know");
        Failure::Told(Error::new(ErrorKind::Incompatible, message).with_hint("use a newer version of Spoke"))
    })
}
