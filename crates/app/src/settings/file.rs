//! `spoke.yaml` as it is written. Every field's comment is its documentation: `spoke config schema` and the
//! reference page are made from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Connection, Pipeline};
use crate::exit::{Failure, Outcome};

/// The only version of the file's shape so far.
const VERSION: u32 = 1;
/// HubSpot's address, the same for every region (hubspot-api notes §0).
pub(crate) const DEFAULT_BASE_URL: &str = "https://api.hubapi.com";
/// The generation of HubSpot's API that is spoken unless another is asked for.
pub(crate) const DEFAULT_API_VERSION: &str = "2026-03";
const DEFAULT_STATE: &str = "./spoke-state.db";

/// A configuration file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// The version of this file's shape: 1.
    pub(crate) version: u32,
    /// How to reach HubSpot accounts, by name.
    #[serde(default)]
    pub(crate) connections: BTreeMap<String, Connection>,
    /// Where checkpoints and dead letters are kept.
    #[serde(default)]
    pub(crate) state: State,
    /// What is moved where, by name.
    #[serde(default)]
    pub(crate) pipelines: BTreeMap<String, Pipeline>,
}

/// Names go into file names, metrics and labels, so they keep to what all of those take.
pub(crate) fn check_connection_name(name: &str) -> Outcome {
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && name.len() <= 49 && name.chars().all(inside) && !name.ends_with('-') {
        return Ok(());
    }
    Err(Failure::usage(format!("`{name}` is no name for a connection")).hint(
        "lower-case letters, digits and hyphens; it starts with a letter, ends with a letter or digit, and has \
         at most 49 characters",
    ))
}

/// Where checkpoints and dead letters are kept. A destination that keeps the checkpoint beside its rows
/// (SQLite, NDJSON) does so whatever stands here.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum State {
    /// One SQLite file.
    Sqlite(SqliteState),
}

/// State in one SQLite file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SqliteState {
    /// The file; it is made when it is not there.
    pub(crate) path: PathBuf,
}

impl State {
    /// The file.
    pub(crate) fn path(&self) -> &Path {
        let Self::Sqlite(sqlite) = self;
        &sqlite.path
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Sqlite(SqliteState {
            path: DEFAULT_STATE.into(),
        })
    }
}

impl File {
    /// Refuses a file of another version.
    pub(crate) fn check_version(&self) -> Outcome {
        if self.version == VERSION {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "`version` is {}, and this program knows version {VERSION}",
            self.version
        ))
        .hint("a newer file needs a newer Spoke"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_names_keep_the_rule() {
        for good in ["hub-prod-1", "a", "p9"] {
            assert!(check_connection_name(good).is_ok(), "{good}");
        }
        for bad in ["A_bad", "9x", "x-", "", &"x".repeat(50)] {
            assert!(check_connection_name(bad).is_err(), "{bad}");
        }
    }
}
