//! What a person sets about an SQLite file that is read.

use std::path::PathBuf;
use std::time::Duration;

use opencdc::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::Columns;
use crate::source::table::{Relation, Written};

/// Ten calls of a service that takes a hundred records a call.
const BATCH_SIZE: usize = 1_000;

/// A table or a query of an SQLite file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SqliteSource")]
pub struct SqliteConfig {
    /// The file. It is opened for reading alone.
    pub path: PathBuf,
    /// The table, or view, to read.
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
}

fn batch_size() -> usize {
    BATCH_SIZE
}

impl SqliteConfig {
    /// A table identified by `key`, with defaults for all else.
    pub fn new(path: impl Into<PathBuf>, table: impl Into<String>, key: impl Into<Columns>) -> Self {
        Self {
            path: path.into(),
            table: Some(table.into()),
            query: None,
            stream: None,
            key: key.into(),
            cursor: None,
            deleted: None,
            poll: None,
            batch_size: BATCH_SIZE,
        }
    }

    /// Checks what can be checked without opening the file.
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
    fn a_table_and_a_key_are_enough_and_a_config_survives_being_written() {
        let text = r#"{"path": "x.db", "table": "people", "key": "id"}"#;
        let config: SqliteConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config, SqliteConfig::new("x.db", "people", ["id"]));
        let config = SqliteConfig {
            poll: Some(Duration::from_secs(90)),
            ..config
        };
        let text = serde_json::to_string(&config).unwrap();
        assert!(
            text.contains(r#""poll":"1m30s""#) || text.contains(r#""poll":"1m 30s""#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<SqliteConfig>(&text).unwrap(), config);
    }
}
