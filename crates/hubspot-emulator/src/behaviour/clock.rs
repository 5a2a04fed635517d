//! The emulator's time. A steady clock, which obeys tokio's paused time, measures windows and lags; a wall
//! clock on top of it stamps records. Both can be advanced; only the wall clock can be frozen.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::state::portal::Moment;
use crate::time::Millis;

#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    wall_at_start: Millis,
    setting: Mutex<Setting>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Setting {
    advanced: Duration,
    frozen: Option<Millis>,
}

impl Clock {
    /// A clock that starts at the machine's time.
    pub(crate) fn start() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            started: Instant::now(),
            wall_at_start: millis(since),
            setting: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        let setting = *self.setting.lock().unwrap_or_else(PoisonError::into_inner);
        let steady = self.started.elapsed() + setting.advanced;
        Moment {
            steady,
            wall: setting.frozen.unwrap_or(self.wall_at_start + millis(steady)),
            silent: false,
        }
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut setting = self.setting.lock().unwrap_or_else(PoisonError::into_inner);
        setting.advanced += by;
        setting.frozen = setting.frozen.map(|at| at + millis(by));
    }

    pub(crate) fn freeze(&self, freeze: bool) {
        let now = self.now().wall;
        self.setting.lock().unwrap_or_else(PoisonError::into_inner).frozen = freeze.then_some(now);
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_follows_paused_time_and_can_be_advanced_and_frozen() {
        let clock = Clock::start();
        let start = clock.now();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now().wall - start.wall, 5000);
        clock.freeze(true);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now().wall - start.wall, 5000);
        assert_eq!(clock.now().steady, Duration::from_secs(10));
        clock.advance(Duration::from_hours(1));
        assert_eq!(clock.now().wall - start.wall, 3_605_000);
    }
}
