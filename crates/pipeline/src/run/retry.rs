//! How long to wait before the next attempt: a growing wait, without a clock of its own.

use std::time::Duration;

/// When and how often a failed run starts again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryOptions {
    /// How many attempts may fail one after another without a batch being written in between.
    pub max_attempts: u32,
    /// The wait after the first failure; each further one doubles it.
    pub first_wait: Duration,
    /// The longest wait.
    pub max_wait: Duration,
    /// Whether an answer that would end the run ([`Error::is_answer`](opencdc::Error::is_answer)) is asked for again once
    /// there is a checkpoint. For runs that follow: the configuration has worked before, so the answer may pass.
    pub outlasts_answers: bool,
}

impl RetryOptions {
    /// With the waits below, about five minutes of trying.
    pub const MAX_ATTEMPTS: u32 = 10;
    /// Long enough for a dropped connection.
    pub const FIRST_WAIT: Duration = Duration::from_secs(1);
    /// Short enough to resume soon after an outage.
    pub const MAX_WAIT: Duration = Duration::from_mins(1);
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self {
            max_attempts: Self::MAX_ATTEMPTS,
            first_wait: Self::FIRST_WAIT,
            max_wait: Self::MAX_WAIT,
            outlasts_answers: false,
        }
    }
}

/// Counts the failures since the last progress.
#[derive(Debug)]
pub(super) struct Backoff<'a> {
    options: &'a RetryOptions,
    failed: u32,
}

impl<'a> Backoff<'a> {
    pub(super) fn new(options: &'a RetryOptions) -> Self {
        Self { options, failed: 0 }
    }

    /// Notes a failure and tells how long to wait; `None` when there were too many.
    pub(super) fn next(&mut self) -> Option<Duration> {
        self.failed = self.failed.saturating_add(1);
        let doublings = (self.failed - 1).min(31);
        let wait = self.options.first_wait.saturating_mul(1 << doublings);
        (self.failed < self.options.max_attempts).then(|| wait.min(self.options.max_wait))
    }

    /// How many attempts have failed since the last progress.
    pub(super) fn attempts(&self) -> u32 {
        self.failed
    }

    pub(super) fn reset(&mut self) {
        self.failed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest_and_ends() {
        let options = RetryOptions {
            max_attempts: 5,
            first_wait: Duration::from_secs(1),
            max_wait: Duration::from_secs(3),
            outlasts_answers: false,
        };
        let mut backoff = Backoff::new(&options);
        let waits: Vec<_> = std::iter::from_fn(|| backoff.next())
            .map(|wait| wait.as_secs())
            .collect();
        assert_eq!(waits, [1, 2, 3, 3]);
        assert_eq!(backoff.attempts(), 5);
        backoff.reset();
        assert_eq!(backoff.next(), Some(Duration::from_secs(1)));
    }
}
