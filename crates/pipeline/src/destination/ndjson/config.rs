//! What a person sets about the `ndjson` destination.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where and how to write files of JSON lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NdjsonConfig {
    /// The directory of the files, one `STREAM.ndjson` a stream. It is made when it is not there.
    pub dir: PathBuf,
    /// What a line holds.
    #[serde(default)]
    pub format: LineFormat,
}

impl NdjsonConfig {
    /// Files in `dir` with defaults for all else.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            format: LineFormat::default(),
        }
    }
}

/// What a line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineFormat {
    /// The whole record: stream, operation, key, payload and metadata.
    #[default]
    Record,
    /// The state after the change alone. Deletes have none and leave no line.
    Payload,
}
