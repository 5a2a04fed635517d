//! An SQLite file: one typed table a stream, merged by key, with the checkpoint in the transaction of the rows.

mod beside;
mod columns;
mod config;
mod inspect;
mod payload;
mod place;
mod rows;
mod schema;
mod scratch;
mod table;
mod time;
mod unfit;
mod value;
mod widening;

use std::sync::Arc;

use async_trait::async_trait;
use opencdc::{
    Batch, Catalog, Checkpoint, CheckpointStore, Destination, Inspect, Outcome, Result, UnfitValues,
};

pub use config::{Deletes, Mode, SqliteConfig};
use inspect::Look;
use place::File;
pub use scratch::SqliteScratch;
use unfit::Unfit;

use super::serial::Serial;

/// Writes records into an SQLite file, for everybody to read, also while it is written.
///
/// # Tables
/// A stream has a `STRICT` table of its name, behind [`table_prefix`](SqliteConfig::table_prefix), made when its first row
/// comes. A field has a column of its name;
/// where two names differ only in case, the later field gets `_2`, `_3` and so on, and `_spoke_columns` says
/// which. Fields beyond 1,900 stand together in `_extra`, as a JSON object. A new field adds a column, a
/// changed type widens it, and a field that is gone keeps it.
///
/// | type | column | holds |
/// |---|---|---|
/// | string | `TEXT` | the text; numbers, booleans and nested values as they are written in JSON |
/// | integer | `INTEGER` | whole numbers of 64 bits |
/// | number | `REAL` | |
/// | boolean | `INTEGER` | 0 or 1 |
/// | date | `TEXT` | `YYYY-MM-DD` |
/// | timestamp | `TEXT` | `YYYY-MM-DDTHH:MM:SS.mmmZ`, so that the order of texts is that of time |
/// | json | `TEXT` | JSON, also where the origin wrote it as a text |
///
/// An empty text is `NULL` in every column that is not for text. A value that its column cannot hold is kept in
/// `_raw`, a JSON object from field to value: what has another type (the column is then `NULL`), and also
/// numbers with more digits than a double has, numbers with leading zeros, and fractions of a millisecond, unless the
/// stream means its times to the millisecond
/// (the column then holds what it can). [`unfit_values`](Destination::unfit_values) counts them.
///
/// `_synced_at` says when a row was last written here. Streams whose records can be archived have
/// `_archived_at` and `_merged_into` as well.
///
/// # Deletes
/// See [`Deletes`]. A delete is never weighed against the version of its row: it is the last word of its origin
/// until the record comes again. A delete of a record that is not there does nothing.
///
/// # Promises
/// All of [`Destination`], with the checkpoint in the transaction of the rows: the effect is exactly once. The
/// file is written by a thread of its own, several batches a transaction, with `synchronous=FULL`.
#[derive(Debug)]
pub struct SqliteDestination {
    serial: Serial<File>,
    config: SqliteConfig,
    unfit: Arc<Unfit>,
}

impl SqliteDestination {
    /// Opens the file, or makes it; `pipeline` names the checkpoint kept in it.
    ///
    /// # Errors
    /// [`Incompatible`](opencdc::ErrorKind::Incompatible) when the file is something else or of a newer
    /// version, [`Configuration`](opencdc::ErrorKind::Configuration) when its directory does not exist,
    /// [`Storage`](opencdc::ErrorKind::Storage) when it cannot be written.
    pub async fn open(config: SqliteConfig, pipeline: impl Into<String>) -> Result<Self> {
        let unfit = Arc::new(Unfit::default());
        let (pipeline, counts) = (pipeline.into(), Arc::clone(&unfit));
        let written = config.clone();
        let serial = Serial::start("spoke-sqlite", move || File::open(written, pipeline, counts)).await?;
        Ok(Self {
            serial,
            config,
            unfit,
        })
    }
}

#[async_trait]
impl Destination for SqliteDestination {
    async fn prepare(&self, catalog: &Catalog) -> Result<()> {
        self.serial.prepare(catalog).await
    }

    async fn write(&self, batch: Arc<Batch>, checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
        self.serial.write(batch, checkpoint).await
    }

    fn checkpoints(&self) -> Option<Arc<dyn CheckpointStore>> {
        Some(self.serial.checkpoints())
    }

    async fn inspect(&self, catalog: &Catalog) -> Result<Arc<dyn Inspect>> {
        Ok(Arc::new(Look::open(&self.config, catalog)?))
    }

    fn unfit_values(&self) -> UnfitValues {
        self.unfit.counts()
    }

    async fn close(&self) -> Result<()> {
        self.serial.close().await
    }
}
