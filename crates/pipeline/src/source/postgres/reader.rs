//! Asks for one page after the other.

use opencdc::{Batch, Result};

use super::database::Database;
use crate::source::follow;
use crate::source::schema::Schemas;
use crate::source::status::Status;
use crate::source::table::Pass;

/// One page after the other. A page that fails ends the read; the run loop begins another one, with another connection.
pub(super) struct Reader {
    database: Database,
    schemas: Schemas,
    pass: Pass<String>,
    status: Status,
    /// A pass has ended, and that was not told yet.
    over: bool,
}

impl Reader {
    pub(super) fn new(database: Database, schemas: Schemas, pass: Pass<String>, status: Status) -> Self {
        Self {
            database,
            schemas,
            pass,
            status,
            over: false,
        }
    }

    async fn ask(&mut self) -> Result<Option<Batch>> {
        let rows = self.database.page(&mut self.pass, &mut self.schemas).await?;
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

    async fn batch(&mut self) -> Result<Option<Batch>> {
        while !std::mem::take(&mut self.over) {
            if let Some(batch) = self.ask().await? {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

impl follow::Reader for Reader {
    async fn next(mut self) -> (Self, Result<Option<Batch>>) {
        let batch = self.batch().await;
        (self, batch)
    }
}
