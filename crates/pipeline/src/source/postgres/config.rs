//! What a person sets about a PostgreSQL database that is read.

use std::path::PathBuf;
use std::time::Duration;

use opencdc::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::Columns;
use crate::source::table::{Relation, Written};

/// Ten calls of a service that takes a hundred records a call.
const BATCH_SIZE: usize = 1_000;
/// Longer than a page of rows in order should take with an index, shorter than a night.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(5);

/// A table or a query of a PostgreSQL database. What a reference to a secret looks like is the program's business, so
/// the type of `url` is its.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PostgresSource")]
pub struct PostgresConfig<U> {
    /// Where the database is: `postgres://USER:PASSWORD@HOST:5432/DATABASE`. With `?sslmode=require` nothing is sent
    /// unencrypted; `disable` never encrypts; left out, it is encrypted where the server can. A certificate is always
    /// verified.
    pub url: U,
    /// A PEM file with the authorities that the server's certificate may be from; those of the system when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The table, or view, to read, perhaps with its schema: `public.people`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// A `SELECT` to read instead of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The stream that the rows belong to; the table's name when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The columns that identify a row: a name or a list of names.
    pub key: Columns,
    /// A column that grows whenever a row changes, such as a time or a counter. Without one, every run reads all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// A column that says that a row is gone, by being true, not 0, or a text such as a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<String>,
    /// How often to ask for changes, such as `30s`, which is so when left out. Without a `cursor` all rows are read each
    /// time, so it must be set.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::optional"
    )]
    #[schemars(with = "Option<String>")]
    pub poll: Option<Duration>,
    /// Rows a batch.
    #[serde(default = "batch_size")]
    pub batch_size: usize,
    /// How long the server may work on one page, such as `5m`.
    #[serde(
        default = "statement_timeout",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    #[schemars(with = "String", extend("default" = "5m"))]
    pub statement_timeout: Duration,
}

fn batch_size() -> usize {
    BATCH_SIZE
}

fn statement_timeout() -> Duration {
    STATEMENT_TIMEOUT
}

impl<U> PostgresConfig<U> {
    /// A table identified by `key`, with defaults for all else.
    pub fn new(url: U, table: impl Into<String>, key: impl Into<Columns>) -> Self {
        Self {
            url,
            ca: None,
            table: Some(table.into()),
            query: None,
            stream: None,
            key: key.into(),
            cursor: None,
            deleted: None,
            poll: None,
            batch_size: BATCH_SIZE,
            statement_timeout: STATEMENT_TIMEOUT,
        }
    }

    /// Checks what can be checked without connecting.
    pub fn validate(&self) -> Result<()> {
        self.relation().map(drop)
    }

    pub(super) fn relation(&self) -> Result<Relation> {
        Relation::of(&Written {
            table: self.table.as_deref(),
            query: self.query.as_deref(),
            stream: self.stream.as_deref(),
            key: &self.key,
            cursor: self.cursor.as_deref(),
            deleted: self.deleted.as_deref(),
            batch_size: self.batch_size,
            poll: self.poll,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_a_table_and_a_key_are_enough() {
        let text = r#"{"url": "env:DATABASE_URL", "table": "people", "key": "id"}"#;
        let config: PostgresConfig<String> = serde_json::from_str(text).unwrap();
        assert_eq!(
            config,
            PostgresConfig::new("env:DATABASE_URL".to_owned(), "people", ["id"])
        );
    }
}
