//! What time it is at HubSpot, as its answers tell.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use tokio::time::Instant;

use crate::http::Response;

/// The `Date` of the last answer, and when it came.
#[derive(Debug, Default)]
pub(crate) struct ServerTime(Mutex<Option<(Timestamp, Instant)>>);

impl ServerTime {
    pub(crate) fn note(&self, response: &Response) {
        let Some(date) = date(response) else { return };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
    }

    /// The last `Date` and what has passed since.
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
    }
}
