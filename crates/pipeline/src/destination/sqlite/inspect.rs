//! A look at the rows of a file, by the same conversion that writes them. Only reads, also while others write.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use opencdc::{
    Batch, Catalog, Compared, Data, DataType, Error, ErrorKind, Inspect, Operation, Position, Record, Result,
    StreamName, metadata_keys,
};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement};
use serde_json::{Map, Number, Value};

use super::beside::Side;
use super::columns::{ARCHIVED_AT, EXTRA, MERGED_INTO, RAW, sql_type};
use super::config::SqliteConfig;
use super::place::{KIND, STATEMENTS, bound};
use super::rows::{self, Change, Plan, Rows};
use super::schema::{self, Failure};
use super::table::{Table, quote, table_name};
use super::unfit::Unfit;
use super::value::Cell;
use super::widening::nothing;
use crate::sqlite_file::{self, explain};

/// A file as somebody looks at it who compares.
#[derive(Clone)]
pub(super) struct Look(Arc<Mutex<Open>>);

struct Open {
    config: SqliteConfig,
    catalog: Catalog,
    connection: Connection,
    /// The tables as they were found, with the file's number for that.
    tables: Option<(i64, Arc<Tables>)>,
}

/// The tables of the catalog as they are in the file.
struct Tables {
    plan: Plan,
    /// How to read the rows of each; `None` for one that is not there.
    reads: Vec<Option<Read>>,
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Look").finish_non_exhaustive()
    }
}

/// The statements that read a table.
struct Read {
    /// Parameters: the key. Columns: whether it is gone, the fields' columns, [`RAW`], [`EXTRA`].
    row: String,
    /// Parameters: how many, and the key to begin behind.
    next_keys: String,
    first_keys: String,
    /// Rows that are marked as archived, likewise, with the time; `None` where no time is kept.
    archived: Option<(String, String)>,
}

impl Look {
    /// The file as it is; a column that the catalog has and the file has not is empty.
    pub(super) fn open(config: &SqliteConfig, catalog: &Catalog) -> Result<Self> {
        let connection = sqlite_file::open_read_only(&config.path, &KIND, config.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let mut open = Open {
            config: config.clone(),
            catalog: catalog.clone(),
            connection,
            tables: None,
        };
        open.tables()?;
        Ok(Self(Arc::new(Mutex::new(open))))
    }

    /// Has `work` done where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Open) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let open = Arc::clone(&self.0);
        let work = move || work(&mut open.lock().unwrap_or_else(PoisonError::into_inner));
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| {
            Error::new(ErrorKind::Internal, "looking at the rows failed").with_source(error)
        })?
    }
}

#[async_trait]
impl Inspect for Look {
    async fn compare(&self, records: &[Record]) -> Result<Vec<Compared>> {
        let batch = Batch::new(records.to_vec(), Position::new(""));
        self.blocking(move |open| open.compare(&batch)).await
    }

    async fn keys(&self, stream: &StreamName, after: Option<&Data>, limit: usize) -> Result<Vec<Data>> {
        let delete = |key: &Data| Record::new(stream.clone(), Operation::Delete, key.clone(), None);
        let after = Batch::new(after.map(delete).into_iter().collect(), Position::new(""));
        let stream = stream.clone();
        self.blocking(move |open| open.keys(&stream, &after, limit)).await
    }

    async fn archived(&self, stream: &StreamName, after: Option<&Data>, limit: usize) -> Result<Vec<Record>> {
        let delete = |key: &Data| Record::new(stream.clone(), Operation::Delete, key.clone(), None);
        let after = Batch::new(after.map(delete).into_iter().collect(), Position::new(""));
        let stream = stream.clone();
        self.blocking(move |open| open.archived(&stream, &after, limit))
            .await
    }

    async fn remains(&self, erased: &[Record]) -> Result<Vec<bool>> {
        let batch = Batch::new(erased.to_vec(), Position::new(""));
        self.blocking(move |open| open.remains(&batch)).await
    }
}

impl Open {
    fn explain<T>(&self, done: Result<T, Failure>) -> Result<T> {
        done.map_err(|failure| match failure {
            Failure::Sqlite(error) => explain(&self.config.path, "cannot read", error),
            Failure::Told(error) => error,
        })
    }

    /// The tables as they are now: whoever writes may have made one meanwhile, or a column.
    fn tables(&mut self) -> Result<Arc<Tables>> {
        let number = self
            .connection
            .pragma_query_value(None, "schema_version", |row| row.get(0));
        let number: i64 = self.explain(number.map_err(Failure::from))?;
        match &self.tables {
            Some((of, tables)) if *of == number => Ok(Arc::clone(tables)),
            _ => {
                let found = Tables::find(&self.connection, &self.catalog, &self.config);
                let tables = Arc::new(self.explain(found)?);
                self.tables = Some((number, Arc::clone(&tables)));
                Ok(tables)
            }
        }
    }

    fn compare(&mut self, batch: &Batch) -> Result<Vec<Compared>> {
        let tables = self.tables()?;
        let rows = rows::convert(&tables.plan, &batch.records)?;
        self.explain(tables.compare(&self.connection, batch, &rows))
    }

    fn remains(&mut self, erased: &Batch) -> Result<Vec<bool>> {
        let tables = self.tables()?;
        let rows = rows::convert(&tables.plan, &erased.records)?;
        let changes = rows.changes.iter();
        let remains = changes.map(|change| tables.remains(&self.connection, &rows, change));
        self.explain(remains.collect())
    }

    fn keys(&mut self, stream: &StreamName, after: &Batch, limit: usize) -> Result<Vec<Data>> {
        let tables = self.tables()?;
        let rows = rows::convert(&tables.plan, &after.records)?;
        match tables.plan.by_stream.get(stream) {
            None => Ok(Vec::new()),
            Some(index) => self.explain(tables.keys(&self.connection, *index, &rows, limit)),
        }
    }

    fn archived(&mut self, stream: &StreamName, after: &Batch, limit: usize) -> Result<Vec<Record>> {
        let tables = self.tables()?;
        let rows = rows::convert(&tables.plan, &after.records)?;
        match tables.plan.by_stream.get(stream) {
            None => Ok(Vec::new()),
            Some(index) => self.explain(tables.archived(&self.connection, *index, &rows, limit)),
        }
    }
}

impl Tables {
    fn find(connection: &Connection, catalog: &Catalog, config: &SqliteConfig) -> Result<Self, Failure> {
        let names = catalog.streams.iter().map(|stream| stream.name.clone());
        let mut found = Self {
            plan: Plan {
                tables: Vec::new(),
                by_stream: names.zip(0..).collect(),
                unfit: Arc::new(Unfit::default()),
            },
            reads: Vec::new(),
        };
        for stream in &catalog.streams {
            let name = table_name(&config.table_prefix, stream);
            let remembered = schema::remembered(connection, &name)?;
            let table = Table::new(name, stream, &remembered, config.deletes).typed_as(&remembered);
            let present = schema::columns(connection, table.name())?;
            found
                .reads
                .push((!present.is_empty()).then(|| Read::of(&table, &present)));
            found.plan.tables.push(Arc::new(table));
        }
        Ok(found)
    }

    fn compare(&self, connection: &Connection, batch: &Batch, rows: &Rows) -> Result<Vec<Compared>, Failure> {
        let changes = rows.changes.iter().zip(&batch.records);
        let changes: Vec<_> = changes
            .map(|(change, record)| (self.plan.by_stream[&record.stream], change))
            .collect();
        let mut compared = Vec::with_capacity(changes.len());
        // Neighbours mostly need the same statement, so it is looked up once for each run of them.
        for run in changes.chunk_by(|(a, _), (b, _)| a == b) {
            let index = run[0].0;
            let table = &self.plan.tables[index];
            let wanted = run.iter().map(|(_, change)| Wanted { table, rows, change });
            let Some(read) = &self.reads[index] else {
                compared.extend(wanted.map(|wanted| wanted.beside(None)));
                continue;
            };
            let mut select = connection.prepare_cached(&read.row)?;
            for wanted in wanted {
                compared.push(wanted.look(&mut select)?);
            }
        }
        Ok(compared)
    }

    fn remains(&self, connection: &Connection, rows: &Rows, change: &Change) -> Result<bool, Failure> {
        let Change::Purge { table: index, cells } = change else {
            return Ok(false);
        };
        let table = &self.plan.tables[*index];
        let made: Vec<_> = self.reads.iter().map(Option::is_some).collect();
        if !made[*index] {
            return Ok(false);
        }
        let of_merged = table.of_made(&self.plan, &made);
        let of_merged = of_merged.map(|of| table.remains_with_merged(of));
        let sql = of_merged.as_ref().unwrap_or(&table.statements.remains);
        let mut select = connection.prepare_cached(sql)?;
        let last = select.parameter_count();
        for (parameter, cell) in &rows.cells[cells.clone()] {
            let place = usize::from(*parameter) + 1;
            // Of a purge's parameters only the key counts here.
            if place <= last {
                select.raw_bind_parameter(place, bound(*cell, &rows.texts))?;
            }
        }
        let remains = select.raw_query().next()?.is_some();
        Ok(remains)
    }

    /// `after` holds the key to begin behind, if there is one.
    fn keys(
        &self,
        connection: &Connection,
        index: usize,
        after: &Rows,
        limit: usize,
    ) -> Result<Vec<Data>, Failure> {
        let Some(read) = &self.reads[index] else {
            return Ok(Vec::new());
        };
        let sql = if after.changes.is_empty() {
            &read.first_keys
        } else {
            &read.next_keys
        };
        self.page(connection, index, sql, (after, limit), key)
    }

    /// As `keys`, of the rows that are marked as archived.
    fn archived(
        &self,
        connection: &Connection,
        index: usize,
        after: &Rows,
        limit: usize,
    ) -> Result<Vec<Record>, Failure> {
        let archived = self.reads[index].as_ref().and_then(|read| read.archived.as_ref());
        let Some((first, next)) = archived else {
            return Ok(Vec::new());
        };
        let sql = if after.changes.is_empty() { first } else { next };
        self.page(connection, index, sql, (after, limit), |table, row| {
            let at: String = row.get(table.key.len())?;
            let delete = Record::new(
                table.stream.name.clone(),
                Operation::Delete,
                key(table, row)?,
                None,
            );
            Ok(delete
                .with_metadata(metadata_keys::DELETE_REASON, "archived")
                .with_metadata(metadata_keys::VERSION, at))
        })
    }

    /// What `one` makes of each row that a statement of [`Read`] gives.
    fn page<T>(
        &self,
        connection: &Connection,
        index: usize,
        sql: &str,
        (after, limit): (&Rows, usize),
        one: impl Fn(&Table, &rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Failure> {
        let table = &self.plan.tables[index];
        let mut select = connection.prepare_cached(sql)?;
        select.raw_bind_parameter(1, limit)?;
        if let Some(change) = after.changes.first() {
            let wanted = Wanted {
                table,
                rows: after,
                change,
            };
            for (place, cell) in wanted.key().into_iter().enumerate() {
                select.raw_bind_parameter(place + 2, bound(cell, &after.texts))?;
            }
        }
        let mut found = select.raw_query();
        let mut page = Vec::new();
        while let Some(row) = found.next()? {
            page.push(one(table, row)?);
        }
        Ok(page)
    }
}

/// A key as the origin wrote it: the type of a column says which kind of JSON it came as.
fn key(table: &Table, row: &rusqlite::Row<'_>) -> rusqlite::Result<Data> {
    let mut key = Map::new();
    for (place, index) in table.key.iter().enumerate() {
        let value = match row.get_ref(place)? {
            ValueRef::Integer(integer) if table.fields[*index].data_type == DataType::Boolean => {
                Value::Bool(integer != 0)
            }
            ValueRef::Integer(integer) => integer.into(),
            ValueRef::Real(real) => Number::from_f64(real).map_or(Value::Null, Value::Number),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
            ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        };
        key.insert(table.stream.key[place].clone(), value);
    }
    Ok(Data::Structured(key))
}

/// A record as the row that writing it would make.
struct Wanted<'a> {
    table: &'a Table,
    rows: &'a Rows,
    change: &'a Change,
}

impl<'a> Wanted<'a> {
    fn cells(&self) -> &'a [(u16, Cell)] {
        match self.change {
            Change::Upsert { cells, .. } | Change::Delete { cells, .. } | Change::Purge { cells, .. } => {
                &self.rows.cells[cells.clone()]
            }
            Change::Refused { .. } => &[],
        }
    }

    fn cell(&self, parameter: u16) -> Cell {
        let found = self.cells().iter().rev().find(|(of, _)| *of == parameter);
        found.map_or(Cell::Null, |(_, cell)| *cell)
    }

    fn key(&self) -> Vec<Cell> {
        let lives = matches!(self.change, Change::Upsert { .. });
        let places = self.table.key.iter().enumerate();
        let parameter = |(place, field): (usize, &usize)| match lives {
            true => self.table.parameters[*field].unwrap_or_default(),
            false => u16::try_from(place).unwrap_or(u16::MAX),
        };
        places.map(|place| self.cell(parameter(place))).collect()
    }

    /// The row that there should be; `None` for a delete, and for a record that is refused.
    fn side(&self) -> Option<Side<'a>> {
        if !matches!(self.change, Change::Upsert { .. }) {
            return None;
        }
        let value = |parameter: u16| match self.cell(parameter) {
            Cell::Null => ValueRef::Null,
            Cell::Integer(integer) => ValueRef::Integer(integer),
            Cell::Real(real) => ValueRef::Real(real),
            Cell::Text { start, len } => {
                ValueRef::Text(&self.rows.texts.as_bytes()[start..start + len as usize])
            }
        };
        let fields = self.table.parameters.iter();
        let fields = fields
            .map(|parameter| parameter.map_or(ValueRef::Null, value))
            .collect();
        let first = self.table.synced_at;
        Some(Side::new(self.table, fields, value(first + 1), value(first + 2)))
    }

    fn look(&self, select: &mut Statement<'_>) -> rusqlite::Result<Compared> {
        for (place, cell) in self.key().into_iter().enumerate() {
            select.raw_bind_parameter(place + 1, bound(cell, &self.rows.texts))?;
        }
        let mut found = select.raw_query();
        let Some(row) = found.next()? else {
            return Ok(self.beside(None));
        };
        let gone: bool = row.get(0)?;
        let columns = self.table.parameters.iter().flatten().count();
        // Parameters are in the order of the columns; a field without one has no column.
        let value = |parameter: &Option<u16>| match parameter {
            Some(parameter) => row.get_ref(usize::from(*parameter) + 1),
            None => Ok(ValueRef::Null),
        };
        let fields: Vec<_> = self
            .table
            .parameters
            .iter()
            .map(value)
            .collect::<Result<_, _>>()?;
        let (raw, extra) = (row.get_ref(columns + 1)?, row.get_ref(columns + 2)?);
        let side = Side::new(self.table, fields, raw, extra);
        Ok(self.beside(Some((side, gone))))
    }

    /// A row that is marked as gone is none, unless the record says so itself.
    fn beside(&self, row: Option<(Side<'_>, bool)>) -> Compared {
        let wanted = self.side();
        let says_gone = wanted
            .as_ref()
            .is_some_and(|wanted| wanted.is_archived(self.table));
        let row = row.filter(|(_, gone)| !gone || says_gone).map(|(side, _)| side);
        super::beside::compare(self.table, wanted.as_ref(), row.as_ref())
    }
}

impl Read {
    fn of(table: &Table, present: &[String]) -> Self {
        let value = |name: &str| match present.iter().any(|column| column.eq_ignore_ascii_case(name)) {
            true => quote(name),
            false => "NULL".to_owned(),
        };
        let gone = table.archived.map(|index| value(&table.fields[index].name));
        let gone = format!("coalesce({}, 0)", gone.as_deref().unwrap_or("0"));
        let mut columns = vec![gone.clone()];
        columns.extend(table.columns().map(|column| value(&column.name)));
        columns.extend([value(RAW), value(EXTRA)]);
        let key = |index: &usize| {
            let column = &table.fields[*index];
            match value(&column.name) {
                missing if missing == "NULL" => nothing(sql_type(column.data_type)),
                name => name,
            }
        };
        let keys: Vec<_> = table.key.iter().map(key).collect();
        let from = quote(table.name());
        let places: Vec<_> = (2..keys.len() + 2).map(|n| format!("?{n}")).collect();
        let equal: Vec<_> = keys
            .iter()
            .zip(1..)
            .map(|(key, n)| format!("{key} = ?{n}"))
            .collect();
        let keys = keys.join(", ");
        let behind = format!(" AND ({keys}) > ({})", places.join(", "));
        let page = |behind: &str| {
            format!("SELECT {keys} FROM {from} WHERE NOT {gone}{behind} ORDER BY {keys} LIMIT ?1")
        };
        let [at, into] = [ARCHIVED_AT, MERGED_INTO].map(|mark| value(table.column_called(mark)));
        let archived = |behind: &str| {
            format!(
                "SELECT {keys}, {at} FROM {from} WHERE {gone} AND typeof({at}) = 'text' AND {into} IS NULL{behind} \
                 ORDER BY {keys} LIMIT ?1"
            )
        };
        Self {
            archived: table.archived.map(|_| (archived(""), archived(&behind))),
            row: format!(
                "SELECT {} FROM {from} WHERE {}",
                columns.join(", "),
                equal.join(" AND ")
            ),
            first_keys: page(""),
            next_keys: page(&behind),
        }
    }
}
