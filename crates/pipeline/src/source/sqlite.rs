//! A table or a query of an SQLite file.

mod config;
mod reader;
mod value;

use std::path::PathBuf;

use async_trait::async_trait;
use opencdc::{BatchStream, Catalog, Error, ErrorKind, Result, Resume, Selection, Source, StreamStatus};

pub use config::SqliteConfig;

use super::follow::{self, Blocking};
use super::schema::{Schemas, Seen};
use super::status::Status;
use super::table::{Pass, Relation};
use reader::{File, Reader};

/// Reads rows of a file that others may write to meanwhile; it is never written to.
///
/// Integers and reals are numbers, texts are texts. Bytes are text in base64. In a column that was declared as a
/// boolean, 1 and 0 are `true` and `false`.
#[derive(Debug)]
pub struct SqliteSource {
    path: PathBuf,
    relation: Relation,
    status: Status,
    seen: Seen<Schemas>,
}

impl SqliteSource {
    /// Opens nothing yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the settings contradict each other.
    pub fn new(config: &SqliteConfig) -> Result<Self> {
        Ok(Self {
            path: config.path.clone(),
            relation: config.relation()?,
            status: Status::default(),
            seen: Seen::default(),
        })
    }

    /// Learns the columns and their types.
    async fn look(&self) -> Result<Schemas> {
        let (path, relation) = (self.path.clone(), self.relation.clone());
        let look = move || File::open(&path, relation)?.look();
        let looked = tokio::task::spawn_blocking(look).await;
        let schemas = looked.map_err(|error| {
            Error::new(ErrorKind::Internal, "a look at a table failed").with_source(error)
        })??;
        self.seen.look(&schemas);
        Ok(schemas)
    }
}

#[async_trait]
impl Source for SqliteSource {
    async fn catalog(&self) -> Result<Catalog> {
        Ok(self.look().await?.catalog())
    }

    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream> {
        let schemas = match self.seen.take() {
            Some(schemas) => schemas,
            None => self.look().await?,
        };
        follow::check(&selection, &schemas.catalog())?;
        let poll = self.relation.poll(selection.until)?;
        let pass = Pass::resume("sqlite", &self.relation, from)?;
        let (path, relation, status) = (self.path.clone(), self.relation.clone(), self.status.clone());
        let open = move || File::open(&path, relation).map(|file| Reader::new(file, schemas, pass, status));
        let opened = tokio::task::spawn_blocking(open).await;
        let reader = opened
            .map_err(|error| Error::new(ErrorKind::Internal, "opening a file failed").with_source(error))??;
        Ok(follow::batches(Blocking(reader), selection.until, poll))
    }

    fn status(&self) -> Vec<StreamStatus> {
        self.status.all()
    }
}
