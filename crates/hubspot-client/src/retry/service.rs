//! The layer that tries again.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use tracing::debug;

use super::{RetryPolicy, policy::Sent};
use crate::{
    auth::Renewed,
    http::{Exchange, HttpError, HttpService, Request, Response},
};

/// How often and how long a request was tried; an extension of its response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempts {
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            attempts: 1,
            elapsed: Duration::ZERO,
        }
    }
}

/// The layer: sends a request until it is answered, refused for good, or given up.
#[derive(Debug)]
pub(crate) struct Retry {
    inner: Arc<dyn HttpService>,
    policy: RetryPolicy,
}

impl Retry {
    pub(crate) fn new(inner: Arc<dyn HttpService>, policy: RetryPolicy) -> Self {
        Self { inner, policy }
    }
}

#[async_trait]
impl HttpService for Retry {
    async fn call(&self, mut request: Request) -> Result<Response, HttpError> {
        let (sent, start) = (Sent::of(&request), Instant::now());
        let (mut attempts, mut renewed) = (1, false);
        loop {
            let outcome = self.inner.call(request.clone()).await;
            let elapsed = start.elapsed();
            // Once: a new token that is refused as well will not get better.
            if !renewed && has_new_token(&outcome) {
                (attempts, renewed) = (attempts + 1, true);
                request.extensions_mut().insert(Renewed);
                continue;
            }
            let Some(wait) = self.policy.wait(outcome.as_ref(), sent, attempts, elapsed) else {
                return finish(outcome, attempts, elapsed);
            };
            log(&request, &outcome, attempts, wait);
            sleep(wait).await;
            attempts += 1;
        }
    }
}

fn has_new_token(outcome: &Result<Response, HttpError>) -> bool {
    matches!(outcome, Ok(response) if response.extensions().get::<Renewed>().is_some())
}

fn finish(
    outcome: Result<Response, HttpError>,
    attempts: u32,
    elapsed: Duration,
) -> Result<Response, HttpError> {
    let mut response = outcome.map_err(|error| error.after(attempts, elapsed))?;
    response.extensions_mut().insert(Attempts { attempts, elapsed });
    Ok(response)
}

fn log(request: &Request, outcome: &Result<Response, HttpError>, attempt: u32, wait: Duration) {
    let Exchange { method, path, .. } = Exchange::of(request);
    let why = match outcome {
        Ok(response) => response.status().to_string(),
        Err(error) => error.kind().to_string(),
    };
    debug!(%method, path, attempt, ?wait, why, "trying again");
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        http::HttpErrorKind,
        request::Idempotency,
        script::{Script, Step, answer, ok},
    };

    fn policy() -> RetryPolicy {
        RetryPolicy {
            jitter: false,
            ..RetryPolicy::default()
        }
    }

    async fn call(script: &Arc<Script>, idempotency: Idempotency) -> Result<Response, HttpError> {
        let script: Arc<Script> = Arc::clone(script);
        let request = http::Request::post("http://h/x")
            .extension(idempotency)
            .body(Bytes::new())
            .unwrap();
        Retry::new(script, policy()).call(request).await
    }

    #[tokio::test(start_paused = true)]
    async fn it_waits_as_it_is_told_and_then_succeeds() {
        let limit = r#"{"policyName":"TEN_SECONDLY_ROLLING"}"#;
        let script = Script::new([
            answer(429, &[], limit),
            answer(503, &[("retry-after", "4")], ""),
            answer(502, &[], ""),
            Step::Fail(HttpErrorKind::Interrupted),
            ok(),
        ]);
        let response = call(&script, Idempotency::Safe).await.unwrap();
        let tried = response.extensions().get::<Attempts>().unwrap();
        assert_eq!((tried.attempts, tried.elapsed.as_secs()), (5, 10 + 4 + 2 + 4));
        let whole: Vec<f64> = script.times().iter().map(|at| at.floor()).collect();
        assert_eq!(whole, [0.0, 10.0, 14.0, 16.0, 20.0]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_error_says_how_often_and_how_long_it_was_tried() {
        let script = Script::new((0..9).map(|_| Step::Fail(HttpErrorKind::Connect)));
        let error = call(&script, Idempotency::Unsafe).await.unwrap_err();
        assert_eq!(error.attempts(), 8);
        assert_eq!(
            error.to_string(),
            "POST h/x: no connection to the host (after 8 attempts in 61.5s)"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_whose_answer_was_lost_is_not_repeated() {
        let script = Script::new([Step::Fail(HttpErrorKind::Interrupted), ok()]);
        call(&script, Idempotency::Unsafe).await.unwrap_err();
        assert_eq!(script.times().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_once_a_call() {
        let refused = || {
            let Step::Answer(mut response) = answer(401, &[], r#"{"status":"error"}"#) else {
                unreachable!("`answer` answers")
            };
            response.extensions_mut().insert(Renewed);
            Step::Answer(response)
        };
        let script = Script::new([refused(), refused(), refused()]);
        assert_eq!(call(&script, Idempotency::Safe).await.unwrap().status(), 401);
        assert_eq!(script.times().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_days_limit_is_final() {
        let script = Script::new([answer(429, &[], r#"{"policyName":"DAILY"}"#), ok()]);
        assert_eq!(call(&script, Idempotency::Safe).await.unwrap().status(), 429);
        assert_eq!(script.times().len(), 1);
    }
}
