//! What time it is at HubSpot, as its answers tell.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use tokio::time::Instant;

use crate::http::Response;

/// The `Date` of the last answer, and when it came.
#[derive(Debug, Default)]
pub(crate) struct ServerTime(Mutex<Option<(Timestamp, Instant)>>);

/// A `Date` has whole seconds, so it says what time it was at least: an answer may seem up to a second behind another.
/// More than that means that the clock was set.
const WHOLE_SECONDS: SignedDuration = SignedDuration::from_millis(1_500);

impl ServerTime {
    /// Goes by this answer, unless what is known already says more.
    pub(crate) fn note(&self, response: &Response) {
        let Some(date) = date(response) else { return };
        let behind = self.now().map(|known| known.duration_since(date));
        let knows_more = behind.is_some_and(|behind| (SignedDuration::ZERO..WHOLE_SECONDS).contains(&behind));
        if !knows_more {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
        }
    }

    /// The last `Date` that counts and what has passed since.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        let (date, at) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let since = SignedDuration::try_from(at.elapsed()).ok()?;
        date.checked_add(since).ok()
    }
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

    #[tokio::test(start_paused = true)]
    async fn the_time_goes_on_from_the_last_date() {
        let time = ServerTime::default();
        assert_eq!(time.now(), None);
        let answer = |date: &str| {
            http::Response::builder()
                .header("date", date)
                .body(Bytes::new())
                .unwrap()
        };
        time.note(&answer("Wed, 21 Oct 2026 07:28:00 GMT"));
        tokio::time::advance(Duration::from_secs(90)).await;
        time.note(&answer("no date"));
        assert_eq!(time.now().unwrap().to_string(), "2026-10-21T07:29:30Z");
        // The same moment as far as whole seconds tell, a clock that ran ahead, and one that was set back.
        for (date, expected) in [
            ("Wed, 21 Oct 2026 07:29:29 GMT", "2026-10-21T07:29:30Z"),
            ("Wed, 21 Oct 2026 07:29:31 GMT", "2026-10-21T07:29:31Z"),
            ("Wed, 21 Oct 2026 07:20:00 GMT", "2026-10-21T07:20:00Z"),
        ] {
            time.note(&answer(date));
            assert_eq!(time.now().unwrap().to_string(), expected);
        }
    }
}
