//! A table or a query of a PostgreSQL database.

mod column;
mod config;
mod database;
mod error;
mod reader;
mod target;
mod tls;

use async_trait::async_trait;
use opencdc::{BatchStream, Catalog, Result, Resume, Selection, Source, StreamStatus};

pub use config::PostgresConfig;

use super::follow;
use super::schema::{Schemas, Seen};
use super::status::Status;
use super::table::{Pass, Relation};
use database::Database;
use reader::Reader;
use target::Target;

/// Reads rows of a database, in transactions that can only read.
///
/// Values are what PostgreSQL's `to_json` makes of them: numbers with all their digits, times in RFC 3339 and UTC, JSON
/// as it is, arrays as arrays, and whatever else there is as its text.
#[derive(Debug)]
pub struct PostgresSource {
    target: Target,
    relation: Relation,
    status: Status,
    seen: Seen<Schemas>,
}

impl PostgresSource {
    /// Connects to nobody yet. `url` says where the database is, and may hold a password; it is kept to itself
    /// (invariant 7).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](opencdc::ErrorKind::Configuration) when the settings contradict each other, or
    /// `url` is none.
    pub fn new<U>(config: &PostgresConfig<U>, url: &str) -> Result<Self> {
        Ok(Self {
            target: Target::new(url, config.ca.as_deref(), config.statement_timeout)?,
            relation: config.relation()?,
            status: Status::default(),
            seen: Seen::default(),
        })
    }

    /// Learns the columns and their types.
    async fn look(&self) -> Result<Schemas> {
        let mut database = Database::connect(&self.target, &self.relation).await?;
        let mut schemas = Schemas::default();
        database.look(&mut schemas).await?;
        // The whole of it is the catalog, nothing is news.
        schemas.news();
        self.seen.look(&schemas);
        Ok(schemas)
    }
}

#[async_trait]
impl Source for PostgresSource {
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
        let pass = Pass::resume("postgres", &self.relation, from)?;
        let database = Database::connect(&self.target, &self.relation).await?;
        let reader = Reader::new(database, schemas, pass, self.status.clone());
        Ok(follow::batches(reader, selection.until, poll))
    }

    fn status(&self) -> Vec<StreamStatus> {
        self.status.all()
    }
}
