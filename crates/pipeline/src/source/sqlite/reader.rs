//! Asks an SQLite file for one page after the other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use opencdc::{Batch, Error, ErrorKind, Result};
use rusqlite::types::ValueRef;
use rusqlite::{
    Column, Connection, ErrorCode, OpenFlags, OptionalExtension as _, Statement, params_from_iter,
};

use super::value::{Declared, Value};
use crate::source::follow::{BlockingReader, Interrupter};
use crate::source::rows::Object;
use crate::source::schema::Schemas;
use crate::source::status::Status;
use crate::source::table::{
    Dialect, Page, Pass, Reading, Relation, Row, frontier, is_gone, quote, rows_without_place,
};
use crate::sqlite_file;

/// How long to wait for another program that writes to the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// So many rows show the types of columns that were declared without one.
const LOOKED_AT: usize = 1_000;

struct Sqlite;

impl Dialect for Sqlite {
    /// Compared as bytes: in another collation, texts that differ may stand in the same place, and would be lost.
    fn term(&self, column: &str) -> String {
        format!("t.{} COLLATE BINARY", quote(column))
    }

    fn value(&self, _column: &str, number: usize) -> String {
        format!("?{number}")
    }
}

/// Names, and what is declared of them.
type Columns = Vec<(String, Declared)>;

/// The file, and what of it is read.
pub(super) struct File {
    path: PathBuf,
    connection: Connection,
    relation: Relation,
}

impl File {
    pub(super) fn open(path: &Path, relation: Relation) -> Result<Self> {
        if !path.exists() {
            let message = format!("there is no file `{}`", path.display());
            return Err(Error::new(ErrorKind::Configuration, message)
                .with_hint("check `path`: it is looked for from where the program is started"));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(connection)
        };
        Ok(Self {
            path: path.to_owned(),
            connection: open().map_err(|error| explain(path, error))?,
            relation,
        })
    }

    fn explain(&self, error: rusqlite::Error) -> Error {
        explain(&self.path, error)
    }

    /// Learns the columns and their types from their declarations, and from some rows.
    pub(super) fn look(&self) -> Result<Schemas> {
        let sql = format!(
            "SELECT t.* FROM {} LIMIT {LOOKED_AT}",
            self.relation.rows.clause()
        );
        let mut schemas = Schemas::default();
        let mut statement = self.prepare(&sql)?;
        let columns = self.columns(&statement)?;
        let mut rows = statement.query([]).map_err(|error| self.explain(error))?;
        observe_declared(&mut schemas, &self.relation, &columns);
        while let Some(row) = rows.next().map_err(|error| self.explain(error))? {
            self.json(row, &columns, &mut schemas)?;
        }
        // The whole of it is the catalog, nothing is news.
        schemas.news();
        Ok(schemas)
    }

    fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        self.connection.prepare(sql).map_err(|error| self.explain(error))
    }

    /// The names of the columns, with what is declared of them. Of a statement that was stepped: until then they may be
    /// those of before somebody changed the table.
    fn columns(&self, statement: &Statement<'_>) -> Result<Columns> {
        let column = |column: Column<'_>| (column.name().to_owned(), Declared::of(column.decl_type()));
        let columns: Columns = statement.columns().map(column).collect();
        self.relation
            .check_columns(columns.iter().map(|(name, _)| name.as_str()))?;
        Ok(columns)
    }

    /// The JSON object of a row.
    fn json(
        &self,
        row: &rusqlite::Row<'_>,
        columns: &Columns,
        schemas: &mut Schemas,
    ) -> Result<bytes::Bytes> {
        let mut schema = schemas.stream(&self.relation.stream, &self.relation.key);
        let mut json = Object::new();
        for (index, (name, declared)) in columns.iter().enumerate() {
            let value = row.get_ref(index).map_err(|error| self.explain(error))?;
            let seen = declared
                .write(&mut json, name, value)
                .map_err(|what| self.unreadable(name, &what))?;
            schema.field(name, seen);
        }
        Ok(json.end())
    }

    fn unreadable(&self, column: &str, what: &str) -> Error {
        let message = format!(
            "cannot read `{}`: column `{column}` holds {what}",
            self.path.display()
        );
        Error::new(ErrorKind::InvalidData, message)
            .with_hint("leave the column out with a `query`, or convert it there, such as with `hex(…)`")
    }

    fn check_places(&self) -> Result<()> {
        let sql = rows_without_place(&Sqlite, &self.relation.rows.clause(), &self.relation.order());
        let missing = self.connection.query_row(&sql, [], |row| row.get(0));
        match missing.map_err(|error| self.explain(error))? {
            true => Err(self.relation.without_place()),
            false => Ok(()),
        }
    }

    /// The greatest cursor.
    fn frontier(&self) -> Result<Option<Value>> {
        let Some(cursor) = &self.relation.cursor else {
            return Ok(None);
        };
        let sql = frontier(
            &Sqlite,
            &format!("t.{}", quote(cursor)),
            &self.relation.rows.clause(),
            &self.relation.order(),
        );
        let value = self
            .connection
            .query_row(&sql, [], |row| Ok(Value::of(row.get_ref(0)?)))
            .optional();
        let value = value.map_err(|error| self.explain(error))?;
        let value = value.unwrap_or(Ok(None));
        value.map_err(|what| self.unreadable(cursor, &what))
    }

    fn page(&self, page: &Page<Value>, schemas: &mut Schemas) -> Result<Vec<Row<Value>>> {
        let order = self.relation.order();
        let mut statement = self.prepare(&page.sql(&Sqlite, "t.*", &self.relation.rows.clause(), &order))?;
        let mut rows = statement
            .query(params_from_iter(page.values()))
            .map_err(|error| self.explain(error))?;
        let (mut read, mut columns) = (Vec::with_capacity(page.limit()), None);
        while let Some(row) = rows.next().map_err(|error| self.explain(error))? {
            let columns = match &mut columns {
                Some(columns) => columns,
                None => columns.insert(self.columns_of(row)?),
            };
            read.push(self.row(row, columns, &order, schemas)?);
        }
        Ok(read)
    }

    /// Those of the row, without the last one, which says whether it is live.
    fn columns_of(&self, row: &rusqlite::Row<'_>) -> Result<Columns> {
        let mut columns = self.columns(row.as_ref())?;
        columns.pop();
        Ok(columns)
    }

    fn row(
        &self,
        row: &rusqlite::Row<'_>,
        columns: &Columns,
        order: &[&str],
        schemas: &mut Schemas,
    ) -> Result<Row<Value>> {
        let json = self.json(row, columns, schemas)?;
        let value = |name: &str| row.get_ref(name).map_err(|error| self.explain(error));
        let place = |name: &&str| {
            let value = Value::of(value(name)?).map_err(|what| self.unreadable(name, &what))?;
            value.ok_or_else(|| self.relation.without_place())
        };
        let mut key = Object::new();
        for name in &self.relation.key {
            let declared = columns.iter().find(|(column, _)| column == name);
            let declared = declared.map_or(Declared::Nothing, |(_, declared)| *declared);
            let written = declared.write(&mut key, name, value(name)?);
            written.map_err(|what| self.unreadable(name, &what))?;
        }
        let gone = match &self.relation.deleted {
            Some(name) => is_gone(&text_of(value(name)?)),
            None => false,
        };
        Ok(Row {
            order: order.iter().map(place).collect::<Result<_>>()?,
            key: key.end(),
            columns: json,
            gone,
            live: row.get(columns.len()).map_err(|error| self.explain(error))?,
        })
    }
}

/// As it would be written.
fn text_of(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => real.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn observe_declared(schemas: &mut Schemas, relation: &Relation, columns: &Columns) {
    let mut schema = schemas.stream(&relation.stream, &relation.key);
    for (name, declared) in columns {
        schema.field(name, declared.data_type());
    }
}

/// What SQLite says of the statement is about the settings.
fn explain(path: &Path, error: rusqlite::Error) -> Error {
    match &error {
        rusqlite::Error::SqliteFailure(failure, Some(what)) if failure.code == ErrorCode::Unknown => {
            let message = format!("cannot read `{}`: {what}", path.display());
            Error::new(ErrorKind::Configuration, message).with_hint("check `table`, or `query`")
        }
        rusqlite::Error::SqlInputError { msg, .. } => {
            let message = format!("cannot read `{}`: {msg}", path.display());
            Error::new(ErrorKind::Configuration, message).with_hint("check `table`, or `query`")
        }
        _ => sqlite_file::explain(path, "cannot read", error),
    }
}

/// One page after the other.
pub(super) struct Reader {
    file: File,
    reading: Reading<Value>,
}

impl Reader {
    pub(super) fn new(file: File, schemas: Schemas, pass: Pass<Value>, status: Status) -> Self {
        let reading = Reading::new(schemas, pass, status);
        Self { file, reading }
    }

    fn ask(&mut self) -> Result<Option<Batch>> {
        if self.reading.pass.is_beginning() {
            self.file.check_places()?;
            self.reading.pass.begin(self.file.frontier()?);
        }
        let page = self.reading.pass.page();
        let rows = self.file.page(&page, &mut self.reading.schemas)?;
        self.reading.take(rows)
    }
}

impl BlockingReader for Reader {
    fn next(&mut self) -> Result<Option<Batch>> {
        while !self.reading.has_ended() {
            if let Some(batch) = self.ask()? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn interrupter(&self) -> Interrupter {
        let handle = self.file.connection.get_interrupt_handle();
        Interrupter(Some(Box::new(move || handle.interrupt())))
    }
}
