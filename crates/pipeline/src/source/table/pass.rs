//! One pass over the rows after the other.

use std::sync::Arc;

use bytes::Bytes;
use opencdc::{
    Batch, Catalog, Data, Error, ErrorKind, Operation, Position, Record, Result, Resume, StreamName,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::known::Known;
use super::relation::Relation;
use super::sql::{Page, Start};

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
    /// See [`Page`].
    pub(in crate::source) live: bool,
}

/// Where the reading is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place<V> {
    /// The next pass begins at this cursor; without one, at the beginning.
    Next { at: Option<V> },
    /// Every row of the pass up to this one was given.
    Behind { row: Vec<V>, frontier: Option<V> },
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
    /// Of the pass under way.
    frontier: Option<V>,
    known: Known,
    /// The pass under way was begun by an earlier run: what was written behind it since is found by another one.
    is_half: bool,
    /// Told with the next batch.
    catalog: Option<Catalog>,
    stored: Option<Position>,
}

impl<V: Clone + PartialEq + Serialize + DeserializeOwned> Pass<V> {
    /// From the start, or from where an earlier run ended.
    pub(in crate::source) fn resume(
        source: &'static str,
        relation: &Relation,
        from: Option<Resume>,
    ) -> Result<Self> {
        let of = relation.describe();
        let mut pass = Self {
            source,
            of,
            stream: relation.stream.clone(),
            has_cursor: relation.has_cursor(),
            batch_size: relation.batch_size,
            caught_up: false,
            place: Place::Next { at: None },
            frontier: None,
            known: Known::nothing(),
            is_half: false,
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
            return Err(strange(format!(
                "the position is version {} of `{}`",
                stored.version, stored.source
            )));
        }
        if stored.of != self.of {
            return Err(strange(format!(
                "the position is of {}, and the settings name {}",
                stored.of, self.of
            )));
        }
        match &stored.place {
            Place::Next { at: Some(at) } => self.known = Known::of(from.notes.get(&*self.note_name()), at),
            Place::Next { at: None } => {}
            Place::Behind { frontier, .. } => (self.frontier, self.is_half) = (frontier.clone(), true),
        }
        (self.caught_up, self.place) = (stored.caught_up, stored.place);
        self.stored = Some(from.position);
        Ok(())
    }

    fn note_name(&self) -> String {
        format!("{}/live", self.stream)
    }

    /// Whether a pass begins with the next page.
    pub(in crate::source) fn is_beginning(&self) -> bool {
        matches!(self.place, Place::Next { .. })
    }

    /// Begins a pass when this is the greatest cursor; none when there is no row, or no cursor.
    pub(in crate::source) fn begin(&mut self, frontier: Option<V>) {
        self.frontier = frontier;
    }

    /// The page to ask for.
    pub(in crate::source) fn page(&self) -> Page<V> {
        Page {
            start: match &self.place {
                Place::Next { at: None } => Start::Beginning,
                Place::Next { at: Some(cursor) } => Start::At(cursor.clone()),
                Place::Behind { row, .. } => Start::Behind(row.clone()),
            },
            frontier: self.frontier.clone(),
            limit: self.batch_size + 1,
        }
    }

    /// The schema has changed.
    pub(in crate::source) fn announce(&mut self, catalog: Catalog) {
        self.catalog = Some(catalog);
    }

    /// Takes the rows of the page: the batch that they make, when there is anything to tell, and whether everything
    /// was read that was there when the reading began.
    pub(in crate::source) fn take(&mut self, mut rows: Vec<Row<V>>) -> Result<(Option<Batch>, bool)> {
        self.check_places(&rows)?;
        let over = rows.len() <= self.batch_size;
        rows.truncate(self.batch_size);
        let last = rows.last().map(|row| row.order.clone());
        let records: Vec<_> = rows.into_iter().filter_map(|row| self.record(row)).collect();
        match (last, over) {
            (_, true) => self.end(),
            (Some(row), false) => self.move_to(row),
            (None, false) => {}
        }
        let caught_up = over && !std::mem::take(&mut self.is_half);
        Ok((self.batch(records, over), caught_up))
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
        if self.has_cursor && !self.known.is_new(&row.key, &row.columns, row.live) {
            return None;
        }
        let (operation, after) = match (row.gone, self.caught_up) {
            (true, _) => (Operation::Delete, None),
            (false, false) => (Operation::Snapshot, Some(Data::Raw(row.columns))),
            (false, true) => (Operation::Update, Some(Data::Raw(row.columns))),
        };
        Some(Record::new(self.stream.clone(), operation, row.key, after))
    }

    fn move_to(&mut self, row: Vec<V>) {
        let frontier = self.frontier.clone();
        self.place = Place::Behind { row, frontier };
    }

    fn end(&mut self) {
        self.known.end_pass();
        let at = self.frontier.take();
        self.place = Place::Next { at };
        self.caught_up = true;
    }

    /// None when it would tell nothing.
    fn batch(&mut self, records: Vec<Record>, over: bool) -> Option<Batch> {
        let position = self.position();
        let moved = over && self.stored.as_ref() != Some(&position);
        if records.is_empty() && self.catalog.is_none() && !moved {
            return None;
        }
        self.stored = Some(position.clone());
        let mut batch = Batch::new(records, position);
        batch.catalog = self.catalog.take().map(Arc::new);
        if let (true, Place::Next { at: Some(at) }) = (over, &self.place) {
            batch.notes = vec![self.known.note(&self.note_name(), at)];
        }
        Some(batch)
    }

    /// Where it stands, for people.
    pub(in crate::source) fn in_words(&self) -> String {
        let place = |value: &V| serde_json::to_string(value).unwrap_or_default();
        match &self.place {
            Place::Next { at: Some(cursor) } => format!("up to {}", place(cursor)),
            Place::Next { at: None } => "all rows".to_owned(),
            Place::Behind { row, .. } => {
                format!("up to {}", row.iter().map(place).collect::<Vec<_>>().join(", "))
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Columns;
    use crate::source::table::Written;

    fn relation() -> Relation {
        Relation::of(&Written {
            table: Some("people"),
            query: None,
            stream: None,
            key: &Columns::from(["id"]),
            cursor: Some("at"),
            deleted: None,
            batch_size: 2,
            poll: None,
        })
        .unwrap()
    }

    fn row(at: u32, id: u32, live: bool) -> Row<u32> {
        Row {
            order: vec![at, id],
            key: id.to_string().into(),
            columns: format!("{at} {id}").into(),
            gone: false,
            live,
        }
    }

    #[test]
    fn the_next_pass_begins_at_the_frontier_and_delivers_what_is_new() {
        let mut pass = Pass::resume("test", &relation(), None).unwrap();
        assert!(pass.is_beginning());
        pass.begin(Some(7));
        let (batch, over) = pass
            .take(vec![row(1, 1, false), row(7, 2, true), row(7, 3, true)])
            .unwrap();
        assert!(batch.unwrap().records.len() == 2 && !over && !pass.is_beginning());
        assert_eq!(pass.page().start, Start::Behind(vec![7, 2]));
        let (batch, over) = pass.take(vec![row(7, 3, true)]).unwrap();
        assert!(batch.unwrap().records[0].operation == Operation::Snapshot && over);

        pass.begin(Some(7));
        assert_eq!(pass.page().start, Start::At(7));
        let (batch, over) = pass.take(vec![row(7, 2, true), row(7, 3, true)]).unwrap();
        assert!(batch.is_none() && over, "nothing is new");
        pass.begin(Some(8));
        let (batch, _) = pass.take(vec![row(7, 3, false), row(8, 2, true)]).unwrap();
        assert_eq!(batch.unwrap().records[0].operation, Operation::Update);
    }

    #[test]
    fn a_pass_that_an_earlier_run_began_is_followed_by_another() {
        let mut first = Pass::resume("test", &relation(), None).unwrap();
        first.begin(Some(7));
        let (batch, _) = first
            .take(vec![row(1, 1, false), row(7, 2, true), row(7, 3, true)])
            .unwrap();
        let mut second = Pass::resume("test", &relation(), Some(batch.unwrap().position.into())).unwrap();
        assert_eq!(second.page().start, Start::Behind(vec![7, 2]));
        let (_, over) = second.take(vec![row(7, 3, true)]).unwrap();
        assert!(!over);
        assert_eq!(second.page().start, Start::At(7));
    }

    /// Released shapes stay readable (invariant 2).
    #[test]
    fn positions_of_version_1_are_read() {
        for place in [
            r#"{"next":{"at":7}}"#,
            r#"{"next":{"at":null}}"#,
            r#"{"behind":{"row":[7,1],"frontier":9}}"#,
        ] {
            let of = "table people by at, id";
            let text =
                format!(r#"{{"version":1,"source":"test","of":"{of}","caught_up":true,"place":{place}}}"#);
            let from = Resume::from(Position::new(text.clone()));
            let pass = Pass::<u32>::resume("test", &relation(), Some(from)).unwrap();
            assert_eq!(pass.position(), Position::new(text));
        }
    }
}
