//! A read of a table while it goes on, whatever the database: what stands between its pages.

use opencdc::{Batch, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::pass::{Pass, Row};
use crate::source::schema::Schemas;
use crate::source::status::Status;

/// Where a read stands.
#[derive(Debug)]
pub(in crate::source) struct Reading<V> {
    pub(in crate::source) schemas: Schemas,
    pub(in crate::source) pass: Pass<V>,
    status: Status,
    /// A pass has ended, and that was not told yet.
    over: bool,
}

impl<V: Clone + PartialEq + Serialize + DeserializeOwned> Reading<V> {
    pub(in crate::source) fn new(schemas: Schemas, pass: Pass<V>, status: Status) -> Self {
        Self {
            schemas,
            pass,
            status,
            over: false,
        }
    }

    /// Takes the rows of a page: the batch that they make, when there is anything to tell.
    pub(in crate::source) fn take(&mut self, rows: Vec<Row<V>>) -> Result<Option<Batch>> {
        if let Some(catalog) = self.schemas.news() {
            self.pass.announce(catalog);
        }
        let (batch, over) = self.pass.take(rows)?;
        self.over = over;
        if let Some(batch) = &batch {
            self.status.read(&batch.records, &self.pass.in_words());
        }
        Ok(batch)
    }

    /// Whether a pass has ended since this was asked.
    pub(in crate::source) fn has_ended(&mut self) -> bool {
        std::mem::take(&mut self.over)
    }
}
