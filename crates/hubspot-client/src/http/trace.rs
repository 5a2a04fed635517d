//! One debug line per attempt: what was asked, what came back, how long it took. Never a header, a query or a body.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;
use tracing::debug;

use super::{Exchange, HttpError, HttpService, Request, Response, header};

/// The transport, watched.
#[derive(Debug)]
pub(crate) struct Traced {
    inner: Arc<dyn HttpService>,
}

impl Traced {
    pub(crate) fn new(inner: Arc<dyn HttpService>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl HttpService for Traced {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let (exchange, start) = (Exchange::of(&request), Instant::now());
        let result = self.inner.call(request).await;
        let (Exchange { method, path, .. }, ms) = (exchange, start.elapsed().as_millis());
        match &result {
            Ok(response) => {
                let correlation = header(response, "x-hubspot-correlation-id");
                debug!(%method, path, status = response.status().as_u16(), %ms, correlation, "answered");
            }
            Err(error) => debug!(%method, path, %ms, error = %error.kind(), "no answer"),
        }
        result
    }
}
