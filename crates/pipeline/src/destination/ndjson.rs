//! Files of JSON lines, one a stream, with a checkpoint beside them that says how long each of them is.

mod config;
mod directory;
mod notes;
mod sidecar;

use std::sync::Arc;

use async_trait::async_trait;
use opencdc::{
    Batch, Catalog, Checkpoint, CheckpointStore, Destination, Error, ErrorKind, Inspect, Outcome, Result,
};

pub use config::{LineFormat, NdjsonConfig};
use directory::Directory;

use super::serial::Serial;

/// Appends records to files, `DIR/STREAM.ndjson`.
///
/// # Promises
/// This destination **appends** (promise 3 of [`Destination`]): a record that comes again, or an older version
/// that comes later, is one more line. Yet no batch stands there twice: `_spoke_checkpoint.json` holds the
/// checkpoint together with the length of each file, and what is beyond it is cut off before a run resumes.
/// Who reads the files while a run is under way may see lines that are cut off later; up to the recorded
/// lengths, lines never change. The source's notes stand in `_spoke_notes.N`, up to a length recorded likewise.
///
/// A record whose JSON is not well-formed is refused.
#[derive(Debug)]
pub struct NdjsonDestination {
    serial: Serial<Directory>,
}

impl NdjsonDestination {
    /// Opens the directory, or makes it; `pipeline` names the checkpoint kept in it.
    ///
    /// # Errors
    /// [`Incompatible`](opencdc::ErrorKind::Incompatible) when the directory belongs to another pipeline or a
    /// newer version, [`Storage`](opencdc::ErrorKind::Storage) when it cannot be read.
    pub async fn open(config: NdjsonConfig, pipeline: impl Into<String>) -> Result<Self> {
        let pipeline = pipeline.into();
        let open = move || Directory::open(config, &pipeline);
        let serial = Serial::start("spoke-ndjson", open).await?;
        Ok(Self { serial })
    }
}

#[async_trait]
impl Destination for NdjsonDestination {
    async fn prepare(&self, catalog: &Catalog) -> Result<()> {
        self.serial.prepare(catalog).await
    }

    async fn write(&self, batch: Arc<Batch>, checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
        self.serial.write(batch, checkpoint).await
    }

    fn checkpoints(&self) -> Option<Arc<dyn CheckpointStore>> {
        Some(self.serial.checkpoints())
    }

    async fn inspect(&self, _catalog: &Catalog) -> Result<Arc<dyn Inspect>> {
        let message = "files of JSON lines cannot be audited: they are appended to, so they hold every version and no row";
        Err(Error::new(ErrorKind::Configuration, message)
            .with_hint("audit a pipeline with an `sqlite` destination"))
    }

    async fn close(&self) -> Result<()> {
        self.serial.close().await
    }
}
