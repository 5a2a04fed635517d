//! The layer that tries again.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use tracing::debug;

use super::RetryPolicy;
use crate::{
    http::{Exchange, HttpError, HttpService, Request, Response},
    request::Idempotency,
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

/// The outermost layer: sends a request until it is answered, refused for good, or given up.
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
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let (idempotency, start) = (Idempotency::of(&request), Instant::now());
        let mut attempts = 1;
        loop {
            let outcome = self.inner.call(request.clone()).await;
            let elapsed = start.elapsed();
            let Some(wait) = self.policy.wait(outcome.as_ref(), idempotency, attempts, elapsed) else {
                return finish(outcome, attempts, elapsed);
            };
            log(&request, &outcome, attempts, wait);
            sleep(wait).await;
            attempts += 1;
        }
    }
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
