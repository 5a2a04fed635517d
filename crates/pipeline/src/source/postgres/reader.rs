//! Asks for one page after the other.

use opencdc::{Batch, Result};

use super::database::Database;
use crate::source::follow;
use crate::source::schema::Schemas;
use crate::source::status::Status;
use crate::source::table::{Pass, Reading};

/// One page after the other. A page that fails ends the read; the run loop begins another one, with another connection.
pub(super) struct Reader {
    database: Database,
    reading: Reading<String>,
}

impl Reader {
    pub(super) fn new(database: Database, schemas: Schemas, pass: Pass<String>, status: Status) -> Self {
        let reading = Reading::new(schemas, pass, status);
        Self { database, reading }
    }

    async fn ask(&mut self) -> Result<Option<Batch>> {
        let Reading { pass, schemas, .. } = &mut self.reading;
        let rows = self.database.page(pass, schemas).await?;
        self.reading.take(rows)
    }

    async fn batch(&mut self) -> Result<Option<Batch>> {
        while !self.reading.has_ended() {
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
