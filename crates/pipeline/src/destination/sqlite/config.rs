//! What a person sets about the `sqlite` destination.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where and how to write an SQLite file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqliteConfig {
    /// The file. It is made when it is not there; its directory must be.
    pub path: PathBuf,
    /// What the name of each table begins with, before the stream's name, such as `emea_`: for several accounts in one
    /// file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub table_prefix: String,
    /// What becomes of the row of a record that is gone at its origin.
    #[serde(default)]
    pub deletes: Deletes,
    /// How a record meets the row that is there already.
    #[serde(default)]
    pub mode: Mode,
    /// How long to wait for another program that writes to the file, such as `5s`.
    #[serde(
        default = "default_busy_timeout",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    #[schemars(with = "String", extend("default" = "10s"))]
    pub busy_timeout: Duration,
}

impl SqliteConfig {
    /// Longer than a reasonable transaction of a reader's tool, shorter than a person's patience.
    pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

    /// The file at `path` with defaults for all else.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            table_prefix: String::new(),
            deletes: Deletes::default(),
            mode: Mode::default(),
            busy_timeout: Self::BUSY_TIMEOUT,
        }
    }
}

fn default_busy_timeout() -> Duration {
    SqliteConfig::BUSY_TIMEOUT
}

/// What becomes of the row of a record that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Deletes {
    /// The row stays and is marked in `_archived`. A purged record (erased for privacy) keeps its key only.
    #[default]
    Soft,
    /// The row is deleted.
    Hard,
}

/// How a record meets the row that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One row for every key, holding the newest version.
    #[default]
    Merge,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_enough() {
        let config: SqliteConfig = serde_json::from_str(r#"{"path": "x.db"}"#).unwrap();
        assert_eq!(config, SqliteConfig::new("x.db"));
        let written = serde_json::to_value(&config).unwrap();
        assert_eq!(
            written.get("table_prefix"),
            None,
            "files of earlier versions read the same"
        );
        let text = r#"{"path": "x.db", "deletes": "hard", "busy_timeout": "500ms"}"#;
        let config: SqliteConfig = serde_json::from_str(text).unwrap();
        assert_eq!(
            (config.deletes, config.busy_timeout),
            (Deletes::Hard, Duration::from_millis(500))
        );
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in [
            r#"{"path": "x", "delete": "hard"}"#,
            r#"{"path": "x", "mode": "append"}"#,
        ] {
            assert!(serde_json::from_str::<SqliteConfig>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_schema_shows_the_defaults() {
        let schema = serde_json::to_value(schemars::schema_for!(SqliteConfig)).unwrap();
        assert_eq!(schema["properties"]["busy_timeout"]["default"], "10s");
        assert_eq!(schema["properties"]["deletes"]["default"], "soft");
    }
}
