//! Records become rows: pure, and done on another thread than the writing.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use opencdc::{Data, Error, ErrorKind, Operation, Record, Result, StreamName, metadata_keys};

use serde_json::Value;

use super::payload::Learned;
use super::table::Table;
use super::time;
use super::unfit::Unfit;
use super::value::{Cell, Fit, fit, put};

/// What the conversion knows: the tables of the prepared catalog.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tables: Vec<Arc<Table>>,
    pub(super) by_stream: HashMap<StreamName, usize>,
    pub(super) unfit: Arc<Unfit>,
}

/// The rows of a batch. Cells of all rows stand one after another, and so do the bytes of all texts.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) changes: Vec<Change>,
    /// A parameter, counted from 0, and its value. Parameters that do not occur are `NULL`.
    pub(super) cells: Vec<(u16, Cell)>,
    pub(super) texts: String,
    /// They replace what is there, whatever the versions say: see [`opencdc::Batch::current`].
    pub(super) current: bool,
}

/// What is done to a table, or why not.
#[derive(Debug)]
pub(super) enum Change {
    Upsert { table: usize, cells: Range<usize> },
    Delete { table: usize, cells: Range<usize> },
    Purge { table: usize, cells: Range<usize> },
    Refused { reason: String },
}

/// Converts the records of a batch.
///
/// # Errors
/// [`ErrorKind::Internal`] when a record belongs to no stream of the catalog: a promise of the source is
/// broken, and the records behind it cannot be trusted.
pub(super) fn convert(plan: &Plan, records: &[Record]) -> Result<Rows> {
    let mut converter = Converter::new(plan);
    for record in records {
        let table = *plan.by_stream.get(&record.stream).ok_or_else(|| {
            let message = format!(
                "stream `{}` of a record is not in the prepared catalog",
                record.stream
            );
            Error::new(ErrorKind::Internal, message)
        })?;
        converter.record(table, record);
    }
    Ok(converter.rows)
}

struct Converter<'a> {
    plan: &'a Plan,
    /// The text of `_synced_at`, which all rows share.
    synced_at: Cell,
    /// For each table what was learned of its payloads and of its keys.
    learned: Vec<(Learned, Learned)>,
    rows: Rows,
}

/// Why a record is refused.
type Reason = String;

impl<'a> Converter<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut rows = Rows::default();
        Self {
            plan,
            synced_at: put(&mut rows.texts, &time::now()),
            learned: plan.tables.iter().map(|_| Default::default()).collect(),
            rows,
        }
    }

    fn record(&mut self, table: usize, record: &Record) {
        let start = self.rows.cells.len();
        let converted = if record.operation == Operation::Delete {
            self.delete(table, record)
        } else {
            self.upsert(table, record)
        };
        let cells = start..self.rows.cells.len();
        let change = match converted {
            Err(reason) => {
                self.rows.cells.truncate(start);
                Change::Refused { reason }
            }
            Ok(()) if record.operation != Operation::Delete => Change::Upsert { table, cells },
            Ok(()) if is_purge(record) => Change::Purge { table, cells },
            Ok(()) => Change::Delete { table, cells },
        };
        self.rows.changes.push(change);
    }

    fn upsert(&mut self, index: usize, record: &Record) -> Result<(), Reason> {
        let table = Arc::clone(&self.plan.tables[index]);
        let parameter = |field: usize, _: usize| table.parameters[field].unwrap_or_default();
        self.key(index, record, &parameter)?;
        let Some(after) = &record.payload.after else {
            return Err("the record has no payload".to_owned());
        };
        let row = Row::read(&table, after, &mut self.learned[index].0, &mut self.rows)?;
        self.plan.unfit.note(&table, &row.unfit);
        self.finish(&table, row);
        Ok(())
    }

    /// Our own columns of an upsert.
    fn finish(&mut self, table: &Table, row: Row) {
        let first = table.synced_at;
        let (raw, extra, archived_is_missing) = (row.raw, row.extra, row.archived_is_missing);
        if let Some(parameter) = table.archived.filter(|_| archived_is_missing) {
            let parameter = table.parameters[parameter].unwrap_or_default();
            self.rows.cells.push((parameter, Cell::Integer(0)));
        }
        self.rows.cells.push((first, self.synced_at));
        if let Some(raw) = raw.finish() {
            self.text(first + 1, &raw);
        }
        if let Some(extra) = extra.finish() {
            self.text(first + 2, &extra);
        }
    }

    fn delete(&mut self, index: usize, record: &Record) -> Result<(), Reason> {
        if is_purge(record) && self.plan.tables[index].stream.of.is_some() {
            return self.first_key(index, record);
        }
        self.key(index, record, &|_, place| parameter(place))?;
        let first = parameter(self.plan.tables[index].key.len());
        self.rows.cells.push((first, self.synced_at));
        let archived_at = record
            .metadata
            .get(metadata_keys::VERSION)
            .and_then(time::timestamp);
        if let Some((archived_at, _)) = archived_at {
            self.text(first + 1, &archived_at);
        }
        if let Some(merged_into) = record.metadata.get(metadata_keys::MERGED_INTO) {
            self.text(first + 2, merged_into);
        }
        Ok(())
    }

    /// The one cell of a purge of all rows about a record.
    fn first_key(&mut self, index: usize, record: &Record) -> Result<(), Reason> {
        let name = &self.plan.tables[index].stream.key[0];
        let key = record.key.to_object().map_err(|error| error.to_string())?;
        match key.get(name) {
            Some(Value::String(text)) => self.text(0, text),
            _ => return Err(format!("field `{name}` of the key is not a text")),
        }
        Ok(())
    }

    /// The cells of the key; `parameter` says where, from the field's index and its place in the key.
    fn key(
        &mut self,
        index: usize,
        record: &Record,
        parameter: &dyn Fn(usize, usize) -> u16,
    ) -> Result<(), Reason> {
        let table = &self.plan.tables[index];
        let (rows, learned) = (&mut self.rows, &mut self.learned[index].1);
        let mut seen = HashSet::new();
        let mut wrong = None;
        let text = record.key.to_json();
        let text = utf8(&text).map_err(|what| format!("the key {what}"))?;
        let mut found = |field: usize, raw: &str| {
            let column = &table.fields[field];
            let place = table.key.iter().position(|key| *key == field).unwrap_or_default();
            let cell = match fit(column.data_type, raw, &mut rows.texts) {
                Fit::Exact(Cell::Null) | Fit::Not => None,
                Fit::Exact(cell) => Some(cell),
                Fit::Rounded(cell) => Some(cell).filter(|_| table.is_exact_enough(field)),
            };
            match cell {
                None => wrong = Some(column.identity.clone()),
                Some(cell) => {
                    rows.cells.push((parameter(field, place), cell));
                    seen.insert(field);
                }
            }
        };
        table
            .key_paths
            .read(text, learned, &mut found)
            .map_err(|error| format!("the key cannot be read: {error}"))?;
        match wrong {
            Some(field) => Err(format!("field `{field}` of the key does not fit its type")),
            None if seen.len() < table.key.len() => Err("the key lacks a field".to_owned()),
            None => Ok(()),
        }
    }

    fn text(&mut self, parameter: u16, text: &str) {
        let cell = put(&mut self.rows.texts, text);
        self.rows.cells.push((parameter, cell));
    }
}

/// What of a payload goes beside the columns of its fields.
struct Row {
    raw: Object,
    extra: Object,
    /// Indices of the fields whose value did not fit.
    unfit: Vec<usize>,
    archived_is_missing: bool,
}

impl Row {
    /// Reads the payload and pushes a cell for each value that has a column.
    fn read(table: &Table, after: &Data, learned: &mut Learned, rows: &mut Rows) -> Result<Self, Reason> {
        let mut row = Self {
            raw: Object::default(),
            extra: Object::default(),
            unfit: Vec::new(),
            archived_is_missing: true,
        };
        let text = after.to_json();
        let text = utf8(&text).map_err(|what| format!("the payload {what}"))?;
        let mut found = |field: usize, raw: &str| row.value(table, field, raw, rows);
        table
            .payload
            .read(text, learned, &mut found)
            .map_err(|error| format!("the payload cannot be read: {error}"))?;
        Ok(row)
    }

    fn value(&mut self, table: &Table, field: usize, raw: &str, rows: &mut Rows) {
        let column = &table.fields[field];
        let Some(parameter) = table.parameters[field] else {
            if raw != "null" {
                self.extra.push(&column.identity, raw);
            }
            return;
        };
        let cell = match fit(column.data_type, raw, &mut rows.texts) {
            Fit::Exact(cell) => cell,
            Fit::Rounded(cell) if table.is_exact_enough(field) => cell,
            Fit::Rounded(cell) => {
                self.keep(field, &column.identity, raw);
                cell
            }
            Fit::Not => {
                self.keep(field, &column.identity, raw);
                Cell::Null
            }
        };
        if cell != Cell::Null {
            self.archived_is_missing &= table.archived != Some(field);
            rows.cells.push((parameter, cell));
        }
    }

    fn keep(&mut self, field: usize, identity: &str, raw: &str) {
        self.raw.push(identity, raw);
        self.unfit.push(field);
    }
}

/// A JSON object in the making; empty as long as it has no member.
#[derive(Default)]
struct Object(String);

impl Object {
    fn push(&mut self, name: &str, raw: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        let name = serde_json::to_string(name).expect("a text is always serialisable");
        self.0.push_str(&name);
        self.0.push(':');
        self.0.push_str(raw);
    }

    fn finish(mut self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        self.0.push('}');
        Some(self.0)
    }
}

/// There are fewer parameters than columns.
fn parameter(index: usize) -> u16 {
    u16::try_from(index).expect("a table has at most 2,000 columns")
}

fn is_purge(record: &Record) -> bool {
    record.metadata.get(metadata_keys::DELETE_REASON) == Some("purged")
}

fn utf8(bytes: &[u8]) -> Result<&str, &'static str> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| "is not UTF-8 text")
}
