//! The client from outside: against a server on a port where the network matters, against a script where it does not.

mod answers;
mod believing;
mod emulated;
mod fairness;
mod faults;
mod imports;
mod logs;
mod network;
mod oauth;
mod pages;
mod resources;
mod server;
mod writes;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use hubspot_client::{
    Client, ClientBuilder, HttpError, HttpService, Request, Response, RetryPolicy, StaticToken, Timeouts,
};

const TOKEN: &str = "pat-na1-5ec2e7";

/// A client with a token, short patience and quick retries.
fn builder() -> ClientBuilder {
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        ..Timeouts::default()
    };
    let retry = RetryPolicy {
        base: Duration::from_millis(1),
        max_attempts: 3,
        ..RetryPolicy::default()
    };
    Client::builder()
        .token(StaticToken::new(TOKEN).unwrap())
        .timeouts(timeouts)
        .retry(retry)
}

/// Answers each request with the next body of a list, and remembers the requests.
#[derive(Debug, Default)]
struct Bodies {
    bodies: Mutex<VecDeque<(u16, &'static str)>>,
    seen: Mutex<Vec<Request>>,
}

impl Bodies {
    fn new(bodies: impl IntoIterator<Item = (u16, &'static str)>) -> Arc<Self> {
        Arc::new(Self {
            bodies: Mutex::new(bodies.into_iter().collect()),
            seen: Mutex::default(),
        })
    }

    fn client(self: &Arc<Self>) -> Client {
        let service: Arc<Self> = Arc::clone(self);
        builder()
            .http_service(service)
            .wait_for_next_day(false)
            .build()
            .unwrap()
    }

    /// `METHOD path?query` of each request.
    fn targets(&self) -> Vec<String> {
        let line =
            |request: &Request| format!("{} {}", request.method(), request.uri().path_and_query().unwrap());
        self.seen.lock().unwrap().iter().map(line).collect()
    }
}

#[async_trait]
impl HttpService for Bodies {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        self.seen.lock().unwrap().push(request);
        let (status, body) = self
            .bodies
            .lock()
            .unwrap()
            .pop_front()
            .expect("the script has an answer left");
        let response = http::Response::builder()
            .status(status)
            .header("content-type", "application/json");
        Ok(response.body(Bytes::from_static(body.as_bytes())).unwrap())
    }
}
