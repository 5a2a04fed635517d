//! One error type for the contracts: what kind it is decides what the run loop does and what a person
//! should do.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::StreamName;

/// The result of every contract's methods.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as anyone outside the component can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is wrong or missing. Not retried: a person must mend it.
    Configuration,
    /// The other side could not be reached, or did not answer in time. Retried.
    Unreachable,
    /// The other side refused our credentials, withheld a permission, or cannot be trusted. Not retried.
    Refused,
    /// A quota is used up for longer than a retry should wait. Not retried before it resets.
    Quota,
    /// What arrived cannot be understood, or breaks a promise. Not retried: it would arrive again.
    InvalidData,
    /// The place to write to is full, locked or read-only, or the write failed there. Retried.
    Storage,
    /// A state on disk was made by a newer version, or belongs to something else. Not retried.
    Incompatible,
    /// Another process runs the same pipeline. Not retried.
    Conflict,
    /// A bug of ours.
    Internal,
}

impl ErrorKind {
    /// The kind as a word that programs read: `unreachable`, `invalid_data`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Quota => "quota",
            Self::InvalidData => "invalid_data",
            Self::Storage => "storage",
            Self::Incompatible => "incompatible",
            Self::Conflict => "conflict",
            Self::Internal => "internal",
        }
    }
}

/// What the run loop does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Start again from the last checkpoint, after a growing wait.
    Retry,
    /// Start again from the last checkpoint, but not before this long.
    RetryAfter(Duration),
    /// Stop and tell a person.
    Stop,
}

/// What was being done, what came back, and what to do.
///
/// `Display` is one line without the sources; walk [`StdError::source`] for those. No text in here ever holds
/// a secret (invariant 7).
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    retry_after: Option<Duration>,
    is_answer: bool,
    streams: Vec<(StreamName, Error)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; `message` says what was being done, to what, and what came back.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner {
            kind,
            message,
            hint: None,
            retry_after: None,
            is_answer: false,
            streams: Vec::new(),
            source: None,
        }))
    }

    /// The same error with the way out, for the person who reads it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same error, to be retried no sooner than `wait` from now.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// The same error, marked as an answer of the other side to a read: the same question may be answered otherwise
    /// later. A run that follows and has a checkpoint asks again instead of ending.
    #[must_use]
    pub fn from_answer(mut self) -> Self {
        self.0.is_answer = true;
        self
    }

    /// One error for the streams that failed, each by itself; `None` when there are none. Its kind, hint and wait are
    /// those of the failure that a person must act on first.
    pub fn of_streams(mut failed: Vec<(StreamName, Self)>) -> Option<Self> {
        let stops = |(_, error): &(StreamName, Self)| error.disposition() == Disposition::Stop;
        let worst = failed.iter().position(stops).unwrap_or(0);
        if failed.len() <= 1 {
            let (stream, error) = failed.pop()?;
            let mut whole = Self::new(error.kind(), error.to_string());
            whole.0.hint.clone_from(&error.0.hint);
            return Some(whole.standing_for(0, vec![(stream, error)]));
        }
        let names: Vec<_> = failed.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("{} streams could not be read: {}", failed.len(), names.join(", "));
        let whole = Self::new(failed[worst].1.kind(), message);
        Some(whole.standing_for(worst, failed))
    }

    fn standing_for(mut self, worst: usize, failed: Vec<(StreamName, Self)>) -> Self {
        self.0.retry_after = failed[worst].1.0.retry_after;
        self.0.is_answer = failed[worst].1.0.is_answer;
        self.0.streams = failed;
        self
    }

    /// The streams that this error is about, each with its own error; see [`of_streams`](Self::of_streams).
    pub fn streams(&self) -> &[(StreamName, Self)] {
        &self.0.streams
    }

    /// Whether this is an answer of the other side, which may be another one later.
    pub fn is_answer(&self) -> bool {
        self.0.is_answer
    }

    /// The same error with a line before its message that says what was being done around it.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.message = format!("{doing}: {}", self.0.message);
        self
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// What the run loop does about it.
    pub fn disposition(&self) -> Disposition {
        match (self.0.kind, self.0.retry_after) {
            (_, Some(wait)) => Disposition::RetryAfter(wait),
            (ErrorKind::Unreachable | ErrorKind::Storage, None) => Disposition::Retry,
            _ => Disposition::Stop,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug
            .field("kind", &self.0.kind)
            .field("message", &self.0.message);
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let own = self.0.source.as_deref();
        // The cause of a single stream's failure is that of the whole.
        match (own, &*self.0.streams) {
            (None, [(_, only)]) => only.source(),
            _ => own.map(|source| source as &(dyn StdError + 'static)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_stands_before_the_message_and_keeps_the_kind() {
        let error = Error::new(ErrorKind::Storage, "disk is full").context("cannot write `x.db`");
        assert_eq!(error.to_string(), "cannot write `x.db`: disk is full");
        assert_eq!(error.kind(), ErrorKind::Storage);
    }

    #[test]
    fn an_error_of_several_streams_names_all_and_is_of_the_kind_that_a_person_must_act_on() {
        let failed = |stream: &str, kind| (stream.into(), Error::new(kind, "no").with_hint("do this"));
        assert!(Error::of_streams(vec![]).is_none());
        let one = Error::of_streams(vec![failed("deals", ErrorKind::Refused)]).unwrap();
        assert_eq!((one.to_string(), one.hint()), ("no".to_owned(), Some("do this")));
        let two = vec![
            failed("deals", ErrorKind::Unreachable),
            failed("tasks", ErrorKind::Refused),
        ];
        let two = Error::of_streams(two).unwrap();
        assert_eq!(two.to_string(), "2 streams could not be read: `deals`, `tasks`");
        assert_eq!((two.kind(), two.streams().len()), (ErrorKind::Refused, 2));
    }

    #[test]
    fn only_what_may_heal_by_itself_is_retried() {
        assert_eq!(
            Error::new(ErrorKind::Unreachable, "").disposition(),
            Disposition::Retry
        );
        assert_eq!(
            Error::new(ErrorKind::Refused, "").disposition(),
            Disposition::Stop
        );
        let wait = Duration::from_secs(3);
        let quota = Error::new(ErrorKind::Quota, "").retry_after(wait);
        assert_eq!(quota.disposition(), Disposition::RetryAfter(wait));
    }
}
