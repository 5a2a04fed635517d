//! An SQLite file: one typed table a stream, merged by key, with the checkpoint in the transaction of the rows.

mod config;

use std::sync::Arc;

use async_trait::async_trait;
use opencdc::{Batch, Catalog, Checkpoint, CheckpointStore, Destination, Error, ErrorKind, Outcome, Result};

pub use config::{Deletes, Mode, SqliteConfig};

/// Writes records into an SQLite file.
#[derive(Debug)]
pub struct SqliteDestination {
    _config: SqliteConfig,
}

impl SqliteDestination {
    /// Opens the file, or makes it; `pipeline` names the checkpoint kept in it.
    pub async fn open(config: SqliteConfig, _pipeline: impl Into<String>) -> Result<Self> {
        Ok(Self { _config: config })
    }
}

#[async_trait]
impl Destination for SqliteDestination {
    async fn prepare(&self, _catalog: &Catalog) -> Result<()> {
        Err(Error::new(ErrorKind::Internal, "being written"))
    }

    async fn write(&self, _batch: Arc<Batch>, _checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
        Err(Error::new(ErrorKind::Internal, "being written"))
    }

    fn checkpoints(&self) -> Option<Arc<dyn CheckpointStore>> {
        None
    }
}
