//! What a source tells of itself while it is read.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::{Error, StreamName};

/// What keeps a stream, or a run, from going on right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trouble {
    /// The kind of error, as a word: [`ErrorKind::as_str`](crate::ErrorKind::as_str).
    pub kind: String,
    /// What was being done, to what, and what came back.
    pub message: String,
    /// What a person can do about it.
    pub hint: Option<String>,
    /// When it was noticed.
    pub at: SystemTime,
    /// When it will be tried again; `None` when it will not be.
    pub retry_at: Option<SystemTime>,
}

impl Trouble {
    /// An error that was noticed just now, and is tried again after `retry_in`.
    pub fn of(error: &Error, retry_in: Option<Duration>) -> Self {
        let now = SystemTime::now();
        Self {
            kind: error.kind().as_str().to_owned(),
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
            at: now,
            retry_at: retry_in.and_then(|wait| now.checked_add(wait)),
        }
    }
}

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
    /// How far what was read is behind the origin, where that is known. Grows while the origin does not answer.
    pub lag: Option<Duration>,
    /// How many records were given since the source was made.
    pub records: u64,
    /// How many calls to the origin were made, those that found nothing new and those that failed included.
    pub calls: u64,
    /// The last thing that went wrong, also when it went well again since.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<SystemTime>,
    /// When it will be tried again, while it waits for that.
    pub retry_at: Option<SystemTime>,
    /// What is wrong right now; `None` when the last attempt went well.
    #[serde(default)]
    pub trouble: Option<Trouble>,
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
            trouble: None,
        }
    }

    /// Notes what went wrong.
    pub fn fail(&mut self, trouble: Trouble) {
        let hint = trouble.hint.as_ref().map(|hint| format!(" ({hint})"));
        self.last_error = Some(format!("{}{}", trouble.message, hint.unwrap_or_default()));
        self.last_error_at = Some(trouble.at);
        self.retry_at = trouble.retry_at;
        self.trouble = Some(trouble);
    }

    /// Notes that an attempt went well; what went wrong last stays for who looks.
    pub fn recover(&mut self) {
        self.retry_at = None;
        self.trouble = None;
    }
}
