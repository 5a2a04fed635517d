//! The layer that makes calls drive themselves.
//!
//! A future that nobody polls stands still, with everything it holds. Inside a call that is a slot of the limiter or the
//! head of its queue, which other calls wait for: a pipeline that reads and writes through one connection could stop for
//! ever, each side waiting for the other. So each call is a task of its own. It goes on whatever its caller does, and
//! ends when its caller drops it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::http::{HttpError, HttpErrorKind, HttpService, Request, Response};

/// The outermost layer.
#[derive(Debug)]
pub(crate) struct Drive {
    inner: Arc<dyn HttpService>,
}

impl Drive {
    pub(crate) fn new(inner: Arc<dyn HttpService>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl HttpService for Drive {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let ended = HttpError::new(HttpErrorKind::Interrupted, &request);
        let inner = Arc::clone(&self.inner);
        // Dropping the set, with this future, aborts the call.
        let mut task = JoinSet::new();
        task.spawn(async move { inner.call(request).await }.in_current_span());
        match task.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is shutting down, and this future with it.
            Some(Err(error)) => Err(ended.caused_by(error)),
            None => Err(ended),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::pin, task::Poll, time::Duration};

    use bytes::Bytes;
    use tokio::time::sleep;

    use super::*;
    use crate::{
        limit::{Daily, Limit, Limits, RateLimiter},
        script::{Script, ok, slow},
    };

    fn request() -> Request {
        http::Request::get("http://h/crm/v3/objects/contacts")
            .body(Bytes::new())
            .unwrap()
    }

    /// One request in 10 s.
    fn one_at_a_time(script: &Arc<Script>) -> Drive {
        let script: Arc<Script> = Arc::clone(script);
        let limits = Limits {
            burst: 1,
            ..Limits::default()
        };
        let limiter = RateLimiter::with_daily(limits, Daily::default());
        Drive::new(Arc::new(Limit::new(script, limiter)))
    }

    /// Polls once and then no more.
    async fn begin<T: std::fmt::Debug>(call: std::pin::Pin<&mut (impl Future<Output = T> + Send)>) {
        let mut call = Some(call);
        std::future::poll_fn(|context| {
            let call = call.take().expect("polled once");
            assert!(call.poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nobody_polls_holds_no_slot_and_no_place() {
        let script = Script::new([slow(1.0, ok())]);
        let service = one_at_a_time(&script);
        let mut sent = pin!(service.call(request()));
        begin(sent.as_mut()).await;
        let mut waiting = pin!(service.call(request()));
        begin(waiting.as_mut()).await;
        let third = tokio::time::timeout(Duration::from_mins(1), service.call(request())).await;
        assert!(third.expect("others get their turn").is_ok());
        // What went on by itself is there when somebody asks.
        assert!(sent.await.is_ok() && waiting.await.is_ok());
        assert_eq!(script.times().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_when_it_is_dropped() {
        let script = Script::new([]);
        let service = one_at_a_time(&script);
        service.call(request()).await.unwrap();
        {
            let mut waiting = pin!(service.call(request()));
            begin(waiting.as_mut()).await;
        }
        sleep(Duration::from_mins(1)).await;
        assert_eq!(script.times().len(), 1, "it was not sent");
    }

    #[derive(Debug)]
    struct Panics;

    #[async_trait]
    impl HttpService for Panics {
        async fn call(&self, _: Request) -> Result<Response, HttpError> {
            panic!("a bug")
        }
    }

    #[tokio::test]
    #[should_panic(expected = "a bug")]
    async fn a_panic_reaches_the_caller() {
        let _ = Drive::new(Arc::new(Panics)).call(request()).await;
    }
}
