//! What a source tells of itself while it is read.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::StreamName;

/// How one stream is getting on: a picture for people, from which nothing is concluded. Holds no secret
/// (invariant 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamStatus {
    /// The stream.
    pub stream: StreamName,
    /// What is being done, in a word of the source's: `snapshot`, `cdc`.
    pub mode: String,
    /// Where it stands, in words.
    pub position: String,
    /// How far what was read is behind the origin, where that is known.
    pub lag: Option<Duration>,
    /// How many records were given since the source was made.
    pub records: u64,
    /// How many calls to the origin that took.
    pub calls: u64,
    /// The last thing that went wrong, also when it went well again since.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<SystemTime>,
    /// When it will be tried again, while it waits for that.
    pub retry_at: Option<SystemTime>,
}

impl StreamStatus {
    /// A stream that has done nothing yet.
    pub fn new(stream: impl Into<StreamName>, mode: impl Into<String>) -> Self {
        Self {
            stream: stream.into(),
            mode: mode.into(),
            position: String::new(),
            lag: None,
            records: 0,
            calls: 0,
            last_error: None,
            last_error_at: None,
            retry_at: None,
        }
    }
}
