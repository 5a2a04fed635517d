//! What time it is at HubSpot, as far as its responses agree.
//!
//! A `Date` header may be missing, wrong or old: gateways set it from clocks of their own, and caches repeat it. Each one
//! says how far HubSpot's clock is ahead of this process's monotonic clock, which is a constant if both are right. So a
//! single wrong header is outvoted by the others, and headers that contradict each other say nothing.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use tokio::time::Instant;

use crate::http::Response;

/// How many headers have a say.
const SAMPLES: usize = 7;

/// A `Date` has whole seconds, so two right ones may seem up to a second apart, and a little more by the time that the
/// response took.
const WHOLE_SECONDS: SignedDuration = SignedDuration::from_millis(1_500);

/// Headers that differ by less mean the same clock: the rest is how long the responses took.
const AGREEMENT: SignedDuration = SignedDuration::from_secs(10);

/// A header that is further ahead of this machine's clock is not believed, however often it comes. No header that is
/// behind is refused for that: a time that lags costs calls, one that leads loses changes.
const TOO_FAR_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366);

/// The last `Date` headers, each as the time that it was at HubSpot when this clock began.
#[derive(Debug)]
pub(crate) struct ServerTime {
    began: Instant,
    here: Timestamp,
    beginnings: Mutex<VecDeque<Timestamp>>,
}

impl Default for ServerTime {
    fn default() -> Self {
        Self::beginning(Timestamp::now())
    }
}

impl ServerTime {
    /// A clock that knows nothing of HubSpot's yet. `here` is what this machine's clock says.
    fn beginning(here: Timestamp) -> Self {
        Self {
            began: Instant::now(),
            here,
            beginnings: Mutex::default(),
        }
    }

    /// Takes the response's header into account.
    pub(crate) fn note(&self, response: &Response) {
        let Some(beginning) = date(response).and_then(|date| date.checked_sub(self.passed()?).ok()) else {
            return;
        };
        if beginning.duration_since(self.here) > TOO_FAR_AHEAD {
            return;
        }
        let mut beginnings = self.beginnings.lock().unwrap_or_else(PoisonError::into_inner);
        if beginnings.len() == SAMPLES {
            beginnings.pop_front();
        }
        beginnings.push_back(beginning);
    }

    /// The time that most of the last headers agree on; `None` before the first and while they disagree.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        let beginnings = self.beginnings.lock().unwrap_or_else(PoisonError::into_inner);
        let beginning = agreed(beginnings.iter().copied().collect())?;
        beginning.checked_add(self.passed()?).ok()
    }

    fn passed(&self) -> Option<SignedDuration> {
        SignedDuration::try_from(self.began.elapsed()).ok()
    }
}

/// The median, if more than half agree with it. Of two the earlier one: it loses nothing. Of those that whole seconds
/// cannot tell apart from it the latest: a response is never from before its time.
fn agreed(mut times: Vec<Timestamp>) -> Option<Timestamp> {
    times.sort_unstable();
    let median = *times.get(times.len().saturating_sub(1) / 2)?;
    let within = |bound: SignedDuration| {
        let near = move |time: &&Timestamp| time.duration_since(median).abs() <= bound;
        times.iter().filter(near)
    };
    let is_majority = times.len() <= 2 || 2 * within(AGREEMENT).count() > times.len();
    is_majority
        .then(|| within(WHOLE_SECONDS).max().copied())
        .flatten()
}

fn date(response: &Response) -> Option<Timestamp> {
    let text = response.headers().get("date")?.to_str().ok()?;
    Some(rfc2822::parse(text).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    const START: &str = "2026-10-21T07:28:00Z";

    fn clock() -> ServerTime {
        ServerTime::beginning(START.parse().unwrap())
    }

    fn note(clock: &ServerTime, date: &str) {
        let response = http::Response::builder().header("date", date);
        clock.note(&response.body(Bytes::new()).unwrap());
    }

    fn now(clock: &ServerTime) -> String {
        clock
            .now()
            .map_or_else(|| "unknown".to_owned(), |now| now.to_string())
    }

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_goes_on_from_the_headers_that_came() {
        let clock = clock();
        assert_eq!(now(&clock), "unknown");
        note(&clock, "no date");
        assert_eq!(now(&clock), "unknown");
        note(&clock, "Wed, 21 Oct 2026 07:28:00 GMT");
        pass(90).await;
        assert_eq!(now(&clock), "2026-10-21T07:29:30Z");
        // The same moment as far as whole seconds tell.
        note(&clock, "Wed, 21 Oct 2026 07:29:29 GMT");
        note(&clock, "Wed, 21 Oct 2026 07:29:31 GMT");
        assert_eq!(now(&clock), "2026-10-21T07:29:31Z");
    }

    #[tokio::test(start_paused = true)]
    async fn three_wrong_headers_move_nothing_forwards_or_back() {
        for wrong in [
            "Wed, 21 Oct 2080 07:28:00 GMT",
            "Thu, 22 Oct 2026 07:28:00 GMT",
            "Tue, 20 Oct 2026 07:28:00 GMT",
        ] {
            let clock = clock();
            for _ in 0..4 {
                note(&clock, "Wed, 21 Oct 2026 07:28:00 GMT");
            }
            for _ in 0..3 {
                note(&clock, wrong);
                assert_eq!(now(&clock), START, "{wrong}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_that_is_far_ahead_is_never_believed_however_often_it_comes() {
        let clock = clock();
        for _ in 0..20 {
            note(&clock, "Wed, 21 Oct 2080 07:28:00 GMT");
            assert_eq!(now(&clock), "unknown");
        }
        note(&clock, "Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(now(&clock), START, "the first that can be");
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_that_differ_the_earlier_one_counts() {
        for dates in [
            ["Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 09:28:00 GMT"],
            ["Wed, 21 Oct 2026 09:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"],
        ] {
            let clock = clock();
            for date in dates {
                note(&clock, date);
            }
            assert_eq!(now(&clock), START);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_set_is_believed_once_most_headers_say_so() {
        let clock = clock();
        for _ in 0..7 {
            note(&clock, "Wed, 21 Oct 2026 07:28:00 GMT");
        }
        for _ in 0..3 {
            note(&clock, "Wed, 21 Oct 2026 07:20:00 GMT");
        }
        assert_eq!(now(&clock), START);
        note(&clock, "Wed, 21 Oct 2026 07:20:00 GMT");
        assert_eq!(now(&clock), "2026-10-21T07:20:00Z");
    }

    #[tokio::test(start_paused = true)]
    async fn headers_that_contradict_each_other_say_nothing() {
        // A cache repeats one header while time passes.
        let clock = clock();
        for _ in 0..5 {
            note(&clock, "Wed, 21 Oct 2026 07:28:00 GMT");
            pass(30).await;
        }
        assert_eq!(now(&clock), "unknown");
    }
}
