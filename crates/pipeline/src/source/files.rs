//! Files of rows: one, a folder of them, or those that a pattern names.

mod config;
mod mark;
mod open;
mod paths;
mod walk;

use async_trait::async_trait;
use opencdc::{BatchStream, Catalog, Error, ErrorKind, Result, Resume, Selection, Source, StreamStatus};

pub use config::{CsvConfig, NdjsonConfig};
pub(super) use config::{check_batch_size, check_key, comma, dialect, quote};

use super::follow::{self, Blocking, Wanted};
use super::lines::Records;
use super::schema::Seen;
use super::status::Status;
use config::Files;
use walk::Walk;

/// Reads files of JSON lines or of cells.
///
/// # Promises
/// A read resumes at the very row: each file's place is a [`Note`](opencdc::Note), with a digest of how the file
/// begins, so that one that was replaced or cut short is noticed, told, and read from its start. Lines that are
/// appended are followed. Rows of one key in several files come in the order of the files' names.
#[derive(Debug)]
pub struct FileSource {
    files: Files,
    status: Status,
    seen: Seen<Records>,
}

impl FileSource {
    /// Files of JSON lines.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the settings contradict each other.
    pub fn ndjson(config: &NdjsonConfig) -> Result<Self> {
        Files::ndjson(config).map(Self::new)
    }

    /// Files of cells.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the settings contradict each other.
    pub fn csv(config: &CsvConfig) -> Result<Self> {
        Files::csv(config).map(Self::new)
    }

    fn new(files: Files) -> Self {
        Self {
            files,
            status: Status::default(),
            seen: Seen::default(),
        }
    }

    /// Looks at the beginning of every file.
    async fn look(&self) -> Result<Records> {
        let files = self.files.clone();
        let look = move || walk::first_look(&files);
        let looked = tokio::task::spawn_blocking(look).await;
        let mut records = looked.map_err(|error| {
            Error::new(ErrorKind::Internal, "a look at files failed").with_source(error)
        })??;
        // The whole of it is the catalog, nothing is news.
        records.schemas().news();
        self.seen.look(&records);
        Ok(records)
    }
}

#[async_trait]
impl Source for FileSource {
    async fn catalog(&self) -> Result<Catalog> {
        Ok(self.look().await?.schemas().catalog())
    }

    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream> {
        let mut records = match self.seen.take() {
            Some(records) => records,
            None => self.look().await?,
        };
        let catalog = records.schemas().catalog();
        follow::check(&selection, &catalog)?;
        let wanted = Wanted::of(&selection, &catalog);
        let walk = Walk::resume(self.files.clone(), records, wanted, from, self.status.clone())?;
        Ok(follow::batches(
            Blocking(walk.until(selection.until)),
            selection.until,
            self.files.poll,
        ))
    }

    fn status(&self) -> Vec<StreamStatus> {
        self.status.all()
    }
}
