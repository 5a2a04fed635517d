//! One pass over the rows after the other.

use std::sync::Arc;

use bytes::Bytes;
use opencdc::{
    Batch, Catalog, Data, Error, ErrorKind, Operation, Position, Record, Result, Resume, StreamName,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::boundary::Boundary;
use super::sql::Start;
use super::relation::Relation;

const VERSION: u32 = 1;

/// A row as it was read.
#[derive(Debug, Clone)]
pub(in crate::source) struct Row<V> {
    /// Its values in the columns of the order.
    pub(in crate::source) order: Vec<V>,
    /// The JSON object of its key columns.
    pub(in crate::source) key: Bytes,
    /// The JSON object of all its columns.
    pub(in crate::source) columns: Bytes,
    pub(in crate::source) gone: bool,
}

/// What to ask for next.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::source) struct Page<V> {
    pub(in crate::source) start: Start<V>,
    /// One row more than a batch has: it tells whether two rows stand in the same place.
    pub(in crate::source) limit: usize,
    /// Whether a pass begins with it.
    pub(in crate::source) is_first: bool,
}

/// Where the reading is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place<V> {
    /// The next pass begins at this cursor; without one, at the beginning.
    Next { at: Option<V> },
    /// Every row of the pass up to this one was given.
    Behind { row: Vec<V> },
}

/// The position as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Stored<V> {
    version: u32,
    source: String,
    /// See [`Relation::describe`].
    of: String,
    /// Whether everything that was there at first was read, so that what comes now is new.
    caught_up: bool,
    place: Place<V>,
}

/// Decides what to ask for, and makes batches of what was answered.
#[derive(Debug)]
pub(in crate::source) struct Pass<V> {
    source: &'static str,
    of: String,
    stream: StreamName,
    has_cursor: bool,
    batch_size: usize,
    caught_up: bool,
    place: Place<V>,
    boundary: Boundary<V>,
    /// Told with the next batch.
    catalog: Option<Catalog>,
    stored: Option<Position>,
}

impl<V: Clone + PartialEq + Serialize + DeserializeOwned> Pass<V> {
    /// From the start, or from where an earlier run ended.
    pub(in crate::source) fn resume(source: &'static str, relation: &Relation, from: Option<Resume>) -> Result<Self> {
        let of = relation.describe();
        let mut pass = Self {
            source,
            of,
            stream: relation.stream.clone(),
            has_cursor: relation.has_cursor(),
            batch_size: relation.batch_size,
            caught_up: false,
            place: Place::Next { at: None },
            boundary: Boundary::default(),
            catalog: None,
            stored: None,
        };
        if let Some(from) = from {
            pass.go_on(from)?;
        }
        Ok(pass)
    }

    fn go_on(&mut self, from: Resume) -> Result<()> {
        let strange = |what: String| {
            Error::new(ErrorKind::Incompatible, what)
                .with_hint("reset the pipeline to read everything from the start, or undo the change")
        };
        let stored: Stored<V> = serde_json::from_slice(from.position.as_bytes())
            .map_err(|_| strange(format!("the position is none of the source `{}`'s", self.source)))?;
        if stored.version != VERSION || stored.source != self.source {
            return Err(strange(format!("the position is version {} of `{}`", stored.version, stored.source)));
        }
        if stored.of != self.of {
            return Err(strange(format!("the position is of {}, and the settings name {}", stored.of, self.of)));
        }
        let cursor = match &stored.place {
            Place::Next { at } => at.as_ref(),
            Place::Behind { row } => row.first(),
        };
        self.boundary = Boundary::of(from.notes.get(&*self.note_name()), cursor);
        (self.caught_up, self.place) = (stored.caught_up, stored.place);
        self.stored = Some(from.position);
        Ok(())
    }

    fn note_name(&self) -> String {
        format!("{}/boundary", self.stream)
    }

    /// The page to ask for.
    pub(in crate::source) fn page(&self) -> Page<V> {
        Page {
            start: match &self.place {
                Place::Next { at: None } => Start::Beginning,
                Place::Next { at: Some(cursor) } => Start::At(cursor.clone()),
                Place::Behind { row } => Start::Behind(row.clone()),
            },
            limit: self.batch_size + 1,
            is_first: matches!(self.place, Place::Next { .. }),
        }
    }

    /// The schema has changed.
    pub(in crate::source) fn announce(&mut self, catalog: Catalog) {
        self.catalog = Some(catalog);
    }

    /// Takes the rows of the page: the batch that they make, when there is anything to tell, and whether the pass is
    /// over.
    pub(in crate::source) fn take(&mut self, mut rows: Vec<Row<V>>) -> Result<(Option<Batch>, bool)> {
        self.check_places(&rows)?;
        let over = rows.len() <= self.batch_size;
        rows.truncate(self.batch_size);
        let last = rows.last().map(|row| row.order.clone());
        let records: Vec<_> = rows.into_iter().filter_map(|row| self.record(row)).collect();
        self.move_on(last, over);
        Ok((self.batch(records, over), over))
    }

    /// Rows in the same place would be lost where a page ends between them.
    fn check_places(&self, rows: &[Row<V>]) -> Result<()> {
        if rows.windows(2).all(|pair| pair[0].order != pair[1].order) {
            return Ok(());
        }
        let message = format!("two rows of `{}` have the same key", self.stream);
        Err(Error::new(ErrorKind::InvalidData, message)
            .with_hint("`key` must name the columns that tell every row from all others"))
    }

    /// None when the row was delivered already.
    fn record(&mut self, row: Row<V>) -> Option<Record> {
        if self.has_cursor && !self.boundary.is_new(&row.order[0], &row.key, &row.columns) {
            return None;
        }
        let (operation, after) = match (row.gone, self.caught_up) {
            (true, _) => (Operation::Delete, None),
            (false, false) => (Operation::Snapshot, Some(Data::Raw(row.columns))),
            (false, true) => (Operation::Update, Some(Data::Raw(row.columns))),
        };
        Some(Record::new(self.stream.clone(), operation, row.key, after))
    }

    fn move_on(&mut self, last: Option<Vec<V>>, over: bool) {
        let cursor = |row: &Vec<V>| row.first().cloned().filter(|_| self.has_cursor);
        self.place = match (&self.place, last, over) {
            (_, Some(row), false) => Place::Behind { row },
            (_, Some(row), true) => Place::Next { at: cursor(&row) },
            (Place::Behind { row }, None, _) => Place::Next { at: cursor(row) },
            (Place::Next { at }, None, _) => Place::Next { at: at.clone() },
        };
        self.caught_up |= over;
    }

    /// None when it would tell nothing.
    fn batch(&mut self, records: Vec<Record>, over: bool) -> Option<Batch> {
        let position = self.position();
        let nothing_new = records.is_empty() && self.catalog.is_none() && self.stored.as_ref() == Some(&position);
        if nothing_new {
            return None;
        }
        self.stored = Some(position.clone());
        let mut batch = Batch::new(records, position);
        batch.catalog = self.catalog.take().map(Arc::new);
        if over && self.has_cursor {
            batch.notes = vec![self.boundary.note(&self.note_name())];
        }
        Some(batch)
    }

    fn position(&self) -> Position {
        let stored = Stored {
            version: VERSION,
            source: self.source.to_owned(),
            of: self.of.clone(),
            caught_up: self.caught_up,
            place: self.place.clone(),
        };
        Position::new(serde_json::to_vec(&stored).expect("a place is always serialisable"))
    }
}
