//! What time it is where people are: days end by the calendar, not by a stopwatch.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A clock on the wall.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallClock {
    /// Where a clock of one's own began; else the machine's is read.
    began: Option<(Timestamp, Instant)>,
}

impl WallClock {
    /// A clock that shows `time` now and moves with tokio's: for tests, which pause that one.
    pub fn starting_at(time: Timestamp) -> Self {
        Self {
            began: Some((time, Instant::now())),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        let Some((time, at)) = self.began else {
            return Timestamp::now();
        };
        let since = SignedDuration::try_from(at.elapsed()).unwrap_or(SignedDuration::MAX);
        time.saturating_add(since).unwrap_or(Timestamp::MAX)
    }
}
