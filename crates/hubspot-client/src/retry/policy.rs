//! The decision, without a clock: from what came back to a wait, or to an end.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use serde::Deserialize;

use crate::{
    error::{has_hubspot_body, is_passing, is_refusal},
    http::{HttpError, HttpErrorKind, Request, Response, header},
    request::{Idempotency, is_read},
};

/// How often and how long to try. Every bound holds at once.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included. Default 8.
    pub max_attempts: u32,
    /// No attempt begins later than this after the first. Default 5 min.
    pub max_elapsed: Duration,
    /// The first backing-off; doubles each time. Default 500 ms.
    pub base: Duration,
    /// The longest backing-off. Default 30 s.
    pub max_backoff: Duration,
    /// The longest `Retry-After` worth waiting for; 477 asks for up to a day. Default 2 min.
    pub max_retry_after: Duration,
    /// Spreads backing-off between a half and the whole, so that many clients do not return at once. Default on.
    pub jitter: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 8,
            max_elapsed: Duration::from_mins(5),
            base: Duration::from_millis(500),
            max_backoff: Duration::from_secs(30),
            max_retry_after: Duration::from_mins(2),
            jitter: true,
        }
    }
}

/// HubSpot's three kinds of 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitPolicy {
    TenSecondly,
    Secondly,
    Daily,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Refusal {
    policy_name: Option<String>,
    message: Option<String>,
}

impl LimitPolicy {
    /// By policy name first, then by message.
    pub(crate) fn of(policy_name: Option<&str>, message: Option<&str>) -> Option<Self> {
        policy_name
            .and_then(Self::in_words)
            .or_else(|| message.and_then(Self::in_words))
    }

    fn in_words(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        match () {
            () if text.contains("daily") => Some(Self::Daily),
            () if text.contains("ten_secondly") => Some(Self::TenSecondly),
            () if text.contains("secondly") => Some(Self::Secondly),
            () => None,
        }
    }

    pub(crate) fn of_response(response: &Response) -> Option<Self> {
        let Refusal { policy_name, message } = serde_json::from_slice(response.body()).unwrap_or_default();
        Self::of(policy_name.as_deref(), message.as_deref())
    }
}

/// `Retry-After`, in seconds or as a date.
pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let text = header(response, "retry-after")?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(date - Timestamp::now()).unwrap_or_default())
}

/// How long to wait, before HubSpot's own wish is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// This long, unless HubSpot said how long.
    For(Duration),
    /// This long, even if HubSpot said less.
    AtLeast(Duration),
    /// A backing-off, unless HubSpot said how long.
    Backoff,
}

impl RetryPolicy {
    /// For programs that would rather fail at once: one attempt.
    pub fn never() -> Self {
        Self {
            max_attempts: 1,
            ..Self::default()
        }
    }

    /// How long to wait before the next attempt; `None` ends it. `attempt` counts from 1.
    pub(crate) fn wait(
        &self,
        outcome: Result<&Response, &HttpError>,
        sent: Sent,
        attempt: u32,
        elapsed: Duration,
    ) -> Option<Duration> {
        let asked = outcome.ok().and_then(retry_after);
        let (wait, attempts) = match outcome {
            _ if sent.is_read && is_foreign(outcome) => (Wait::Backoff, FOREIGN_ATTEMPTS),
            Ok(response) => (
                wait_after_answer(response, sent.idempotency, asked.is_some())?,
                u32::MAX,
            ),
            Err(error) => (wait_after_error(error.kind(), sent.idempotency)?, u32::MAX),
        };
        let wait = match (wait, asked) {
            (Wait::For(default), asked) => asked.unwrap_or(default),
            (Wait::AtLeast(least), asked) => asked.unwrap_or(least).max(least),
            (Wait::Backoff, asked) => asked.unwrap_or_else(|| self.backoff(attempt)),
        };
        let bearable = asked.is_none_or(|asked| asked <= self.max_retry_after);
        (attempt < self.max_attempts.min(attempts) && bearable && elapsed + wait <= self.max_elapsed)
            .then_some(wait)
    }

    /// Doubling, bounded, spread.
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        let whole = self.base.saturating_mul(1 << doublings).min(self.max_backoff);
        if self.jitter {
            whole.mul_f64(0.5 + 0.5 * random())
        } else {
            whole
        }
    }
}

/// What a decision depends on besides what came back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) idempotency: Idempotency,
    pub(crate) is_read: bool,
}

impl Sent {
    pub(crate) fn of(request: &Request) -> Self {
        Self {
            idempotency: Idempotency::of(request),
            is_read: is_read(request),
        }
    }
}

/// How often a read is sent that something other than HubSpot answers. A gateway that stumbles does so once or twice;
/// one that is in the way for good should be reported soon.
pub(crate) const FOREIGN_ATTEMPTS: u32 = 4;

/// Whether something between here and HubSpot answered: a refusal without HubSpot's error body, or a redirect to
/// another host. HubSpot's API does neither.
fn is_foreign(outcome: Result<&Response, &HttpError>) -> bool {
    match outcome {
        Ok(response) => is_refusal(response.status().as_u16()) && !has_hubspot_body(response),
        Err(error) => error.kind() == HttpErrorKind::Redirect,
    }
}

fn wait_after_answer(response: &Response, idempotency: Idempotency, told: bool) -> Option<Wait> {
    let safe = idempotency == Idempotency::Safe;
    match response.status().as_u16() {
        423 => Some(Wait::AtLeast(Duration::from_secs(2))),
        429 => wait_for_limit(response),
        // Refused, or never reached: nothing was done.
        477 | 521 | 522 | 523 | 525 | 526 => Some(Wait::Backoff),
        // Who says when to come back has refused.
        503 if told => Some(Wait::Backoff),
        status if safe && is_passing(status) => Some(Wait::Backoff),
        _ => None,
    }
}

fn wait_for_limit(response: &Response) -> Option<Wait> {
    match LimitPolicy::of_response(response) {
        Some(LimitPolicy::Daily) => None,
        Some(LimitPolicy::Secondly) => Some(Wait::For(Duration::from_secs(1))),
        Some(LimitPolicy::TenSecondly) | None => Some(Wait::For(Duration::from_secs(10))),
    }
}

fn wait_after_error(kind: HttpErrorKind, idempotency: Idempotency) -> Option<Wait> {
    let harmless = kind.never_sent() || idempotency == Idempotency::Safe;
    (kind.is_transient() && harmless).then_some(Wait::Backoff)
}

/// Between 0 and 1. A hasher's random keys are random enough to spread clients, and cost no dependency.
fn random() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(()) >> 32).expect("32 bits are left");
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::http::Phase;

    const READ: Sent = Sent {
        idempotency: Idempotency::Safe,
        is_read: true,
    };
    const SAFE: Sent = Sent {
        idempotency: Idempotency::Safe,
        is_read: false,
    };
    const UNSAFE: Sent = Sent {
        idempotency: Idempotency::Unsafe,
        is_read: false,
    };
    /// HubSpot's error body.
    const OURS: &str = r#"{"status":"error","message":"no"}"#;

    fn policy() -> RetryPolicy {
        RetryPolicy {
            jitter: false,
            ..RetryPolicy::default()
        }
    }

    fn answer(status: u16, retry_after: Option<&str>, body: &'static str) -> Response {
        let mut builder = http::Response::builder().status(status);
        if let Some(text) = retry_after {
            builder = builder.header("retry-after", text);
        }
        builder.body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    /// The wait in seconds after a first attempt.
    fn wait(response: &Response, sent: Sent) -> Option<f64> {
        policy()
            .wait(Ok(response), sent, 1, Duration::ZERO)
            .map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn what_the_caller_did_wrong_is_not_tried_again() {
        for status in [200, 207, 302, 400, 401, 403, 404, 405, 409, 414, 415, 501] {
            for sent in [READ, SAFE, UNSAFE] {
                assert_eq!(wait(&answer(status, None, OURS), sent), None, "{status}");
            }
        }
    }

    #[test]
    fn a_read_that_something_else_refused_is_repeated_a_few_times_and_a_write_is_not() {
        let policy = policy();
        for status in [400, 401, 403, 404, 405, 409, 422] {
            let refusal = answer(status, None, "<html>Forbidden</html>");
            let waits = |sent, attempt| policy.wait(Ok(&refusal), sent, attempt, Duration::ZERO).is_some();
            assert!(
                (1..FOREIGN_ATTEMPTS).all(|attempt| waits(READ, attempt)),
                "{status}"
            );
            assert!(!waits(READ, FOREIGN_ATTEMPTS), "{status}");
            assert!(!waits(SAFE, 1) && !waits(UNSAFE, 1), "{status}");
        }
    }

    #[test]
    fn every_429_has_its_own_wait() {
        let limit = |body| wait(&answer(429, None, body), UNSAFE);
        assert_eq!(limit(r#"{"policyName":"TEN_SECONDLY_ROLLING"}"#), Some(10.0));
        assert_eq!(limit(r#"{"policyName":"SECONDLY"}"#), Some(1.0));
        assert_eq!(
            limit(r#"{"message":"You have reached your secondly limit."}"#),
            Some(1.0)
        );
        assert_eq!(
            limit(r#"{"message":"You have reached your ten_secondly_rolling limit."}"#),
            Some(10.0)
        );
        assert_eq!(
            limit(r#"{"policyName":"DAILY","message":"You have reached your daily limit."}"#),
            None
        );
        assert_eq!(
            limit(r#"{"policyName":"SECONDLY","message":"daily limit"}"#),
            Some(1.0),
            "name first"
        );
        assert_eq!(limit("<html>"), Some(10.0));
    }

    #[test]
    fn retry_after_is_heard_in_seconds_and_as_a_date() {
        let ten = r#"{"policyName":"TEN_SECONDLY_ROLLING"}"#;
        assert_eq!(wait(&answer(429, Some("3"), ten), SAFE), Some(3.0));
        assert_eq!(wait(&answer(503, Some("0.5"), ""), SAFE), Some(0.5));
        assert_eq!(wait(&answer(429, Some("soon"), ten), SAFE), Some(10.0));
        assert_eq!(
            wait(&answer(429, Some("Wed, 21 Oct 2015 07:28:00 GMT"), ten), SAFE),
            Some(0.0)
        );
        assert_eq!(
            wait(&answer(423, Some("1"), ""), SAFE),
            Some(2.0),
            "a lock lasts 2 s"
        );
    }

    #[test]
    fn a_move_to_another_data_centre_is_waited_for_up_to_the_cap() {
        assert_eq!(wait(&answer(477, Some("60"), ""), UNSAFE), Some(60.0));
        assert_eq!(wait(&answer(477, Some("86400"), ""), UNSAFE), None);
    }

    #[test]
    fn a_create_is_repeated_only_when_nothing_was_done() {
        for status in [408, 425, 499, 500, 502, 503, 504, 520, 524, 527, 530] {
            assert_eq!(wait(&answer(status, None, ""), READ), Some(0.5), "{status}");
            assert_eq!(wait(&answer(status, None, ""), SAFE), Some(0.5), "{status}");
            assert_eq!(wait(&answer(status, None, ""), UNSAFE), None, "{status}");
        }
        for status in [521, 522, 523] {
            assert_eq!(wait(&answer(status, None, ""), UNSAFE), Some(0.5), "{status}");
        }
        assert_eq!(wait(&answer(503, Some("1"), ""), UNSAFE), Some(1.0));
    }

    #[test]
    fn a_lost_answer_is_repeated_where_that_is_safe_and_a_lost_connection_always() {
        use HttpErrorKind as Kind;
        let request = http::Request::new(Bytes::new());
        let wait = |kind, sent| {
            let error = HttpError::new(kind, &request);
            policy().wait(Err(&error), sent, 1, Duration::ZERO).is_some()
        };
        for kind in [
            Kind::Interrupted,
            Kind::Timeout(Phase::Read),
            Kind::Timeout(Phase::Total),
        ] {
            assert!(wait(kind, SAFE) && !wait(kind, UNSAFE), "{kind}");
        }
        for kind in [Kind::Connect, Kind::Dns, Kind::Timeout(Phase::Connect)] {
            assert!(wait(kind, SAFE) && wait(kind, UNSAFE), "{kind}");
        }
        for kind in [
            Kind::Tls,
            Kind::Redirect,
            Kind::Token,
            Kind::DailyLimit,
            Kind::Request,
        ] {
            assert!(!wait(kind, SAFE) && !wait(kind, UNSAFE), "{kind}");
        }
        assert!(wait(Kind::Redirect, READ) && !wait(Kind::Tls, READ));
    }

    #[test]
    fn attempts_and_time_are_bounded() {
        let (policy, response) = (policy(), answer(500, None, ""));
        let wait = |attempt, elapsed| policy.wait(Ok(&response), SAFE, attempt, Duration::from_secs(elapsed));
        assert!(wait(7, 0).is_some());
        assert!(wait(8, 0).is_none(), "attempts");
        assert!(wait(1, 300).is_none(), "time");
    }

    #[test]
    fn backing_off_doubles_to_a_bound_and_spreads_by_half() {
        let policy = policy();
        let millis = |attempt| policy.backoff(attempt).as_millis();
        assert_eq!([1, 2, 3, 4].map(millis), [500, 1_000, 2_000, 4_000]);
        assert_eq!([7, 8, 99].map(millis), [30_000; 3]);
        let spread = RetryPolicy::default();
        for _ in 0..100 {
            let wait = spread.backoff(1);
            assert!(wait >= Duration::from_millis(250) && wait <= Duration::from_millis(500));
        }
    }
}
