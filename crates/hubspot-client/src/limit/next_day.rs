//! The outermost layer: whoever comes when the day's calls are used up sleeps until there are new ones.
//!
//! Outside of retries, so that the request begins anew in the morning, with all its attempts. Nothing was done with
//! it: it was refused, by HubSpot or before it left.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::time::sleep;
use tracing::warn;

use super::RateLimiter;
use crate::{
    http::{HttpError, HttpErrorKind, HttpService, Request, Response},
    retry::LimitPolicy,
};

/// The longest sleep before the clock on the wall is read again: it may have been set, or the machine have slept.
const LONGEST_SLEEP: Duration = Duration::from_mins(10);

/// A service that goes on tomorrow.
#[derive(Debug)]
pub(crate) struct NextDay {
    inner: Arc<dyn HttpService>,
    limiter: RateLimiter,
}

impl NextDay {
    pub(crate) fn new(inner: Arc<dyn HttpService>, limiter: RateLimiter) -> Self {
        Self { inner, limiter }
    }
}

#[async_trait]
impl HttpService for NextDay {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        loop {
            let outcome = self.inner.call(request.clone()).await;
            if !is_day_over(&outcome) {
                return outcome;
            }
            warn!(status = ?*self.limiter.day().borrow(), "the day's calls are used up");
            self.limiter.next_day().await;
        }
    }
}

fn is_day_over(outcome: &Result<Response, HttpError>) -> bool {
    match outcome {
        Ok(response) => {
            response.status() == 429 && LimitPolicy::of_response(response) == Some(LimitPolicy::Daily)
        }
        Err(error) => error.kind() == HttpErrorKind::DailyLimit,
    }
}

impl RateLimiter {
    /// Sleeps until there may be calls again.
    async fn next_day(&self) {
        let mut day = self.day();
        loop {
            let wait = self.lock().until_next_day();
            let Some(wait) = wait else { return };
            // Both branches may be dropped: the loop looks at the clock and the day itself.
            tokio::select! {
                () = sleep(wait.min(LONGEST_SLEEP)) => {}
                _ = day.changed() => {}
            }
        }
    }
}
