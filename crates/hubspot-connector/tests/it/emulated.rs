//! The emulator in process: its router behind the client's `HttpService`, and its control routes beside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hubspot_client::{
    Client, ClientBuilder, Daily, HttpError, HttpErrorKind, HttpService, Limits, RateLimiter, Request,
    Response, RetryPolicy, StaticToken, WallClock,
};
use hubspot_connector::{HubspotSource, SourceConfig};
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

/// One emulated account.
#[derive(Debug)]
pub(crate) struct Hubspot {
    router: Router,
    live_pages: Arc<AtomicUsize>,
}

/// A record as the emulator knows it to be.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) properties: BTreeMap<String, Value>,
}

/// A few of everything, enough for the hard cases: contacts with more than a hundred deals.
pub(crate) fn a_few() -> Counts {
    Counts {
        contacts: 250,
        companies: 60,
        deals: 300,
        tickets: 40,
        products: 10,
        line_items: Some(120),
        ..Counts::none()
    }
}

impl Hubspot {
    pub(crate) fn new(counts: Counts) -> Self {
        Self::with(Options {
            counts,
            ..Options::default()
        })
    }

    pub(crate) fn with(options: Options) -> Self {
        Self::of(&Emulator::new(options))
    }

    pub(crate) fn of(emulator: &Emulator) -> Self {
        Self {
            router: emulator.router(),
            live_pages: Arc::default(),
        }
    }

    /// How many pages of live records its clients have asked for.
    pub(crate) fn live_pages(&self) -> usize {
        self.live_pages.load(Ordering::Relaxed)
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(DEFAULT_TOKEN)
    }

    /// A client that gives up when the day's calls are used up.
    pub(crate) fn client_with(&self, token: &str) -> Client {
        self.builder(token).wait_for_next_day(false).build().unwrap()
    }

    /// A client that uses this much of the account's limits.
    pub(crate) fn client_within(&self, limits: Limits) -> Client {
        let builder = self.builder(DEFAULT_TOKEN).limiter(RateLimiter::new(limits));
        builder.build().unwrap()
    }

    fn builder(&self, token: &str) -> ClientBuilder {
        let service = Arc::new(Mounted {
            router: self.router.clone(),
            live_pages: Arc::clone(&self.live_pages),
        });
        // Days pass as fast as tokio's paused clock says.
        let daily = Daily {
            clock: WallClock::starting_at(Timestamp::now()),
            ..Daily::default()
        };
        let builder = Client::builder()
            .token(StaticToken::new(token).unwrap())
            .limiter(RateLimiter::with_daily(Limits::default(), daily))
            .retry(RetryPolicy::default());
        builder.http_service(service)
    }

    /// A source that waits for the next day then, as one that runs unattended does.
    pub(crate) fn patient_source(&self, config: Value) -> HubspotSource {
        let client = self.builder(DEFAULT_TOKEN).build().unwrap();
        HubspotSource::new(client, config_of(config)).unwrap()
    }

    pub(crate) fn source(&self, config: Value) -> HubspotSource {
        HubspotSource::new(self.client(), config_of(config)).unwrap()
    }

    /// A control route's answer.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &Value) -> String {
        self.send(method, &format!("/_emulator/{path}"), body).await
    }

    /// An API route's answer, as somebody else who works in the account gets it.
    pub(crate) async fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        serde_json::from_str(&self.send(method, path, body).await).unwrap_or_default()
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> String {
        let (status, text) = self.ask(method, path, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        text
    }

    /// As [`api`](Self::api), also where the account may refuse.
    pub(crate) async fn attempt(&self, method: &str, path: &str, body: &Value) -> http::StatusCode {
        self.ask(method, path, body).await.0
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (http::StatusCode, String) {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
            .header("content-type", "application/json");
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let answer = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let status = answer.status();
        // A fault may end the body half-way.
        let body = answer.into_body().collect().await;
        let body = body.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        (status, String::from_utf8(body).unwrap())
    }

    /// Changes a record as any other program does: one that tries again when it is refused.
    pub(crate) async fn patch(&self, path: &str, body: &Value) {
        loop {
            let request = http::Request::patch(path)
                .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
                .header("content-type", "application/json")
                .body(Body::from(body.to_string()));
            let answer = self.router.clone().oneshot(request.unwrap()).await.unwrap();
            if answer.status().is_success() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_secs(11)).await;
        }
    }

    pub(crate) async fn faults(&self, rules: Value) {
        self.control("POST", "faults", &rules).await;
    }

    pub(crate) async fn mutate(&self, mutation: Value) {
        self.control("POST", "mutate", &mutation).await;
    }

    /// Calls so far, by route.
    pub(crate) async fn requests(&self) -> Value {
        serde_json::from_str(&self.control("GET", "requests", &Value::Null).await).unwrap()
    }

    async fn lines(&self, path: &str) -> Vec<Value> {
        let text = self.control("GET", path, &Value::Null).await;
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Every record that ever was.
    pub(crate) async fn truth(&self, object: &str) -> Vec<Truth> {
        let lines = self.lines(&format!("truth/{object}")).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let record = |line: Value| Truth {
            id: text(&line["id"]),
            state: text(&line["state"]),
            properties: line["properties"]
                .as_object()
                .unwrap()
                .clone()
                .into_iter()
                .collect(),
        };
        lines.into_iter().map(record).collect()
    }

    /// The ids in one state.
    pub(crate) async fn ids(&self, object: &str, state: &str) -> BTreeSet<String> {
        let truth = self.truth(object).await;
        truth
            .into_iter()
            .filter(|record| record.state == state)
            .map(|record| record.id)
            .collect()
    }

    pub(crate) async fn links(&self, from: &str, to: &str) -> BTreeSet<String> {
        let lines = self.lines(&format!("truth/associations/{from}/{to}")).await;
        let link = |line: &Value| {
            json!([
                line["fromId"],
                line["toId"],
                line["typeId"],
                line["category"],
                line["label"]
            ])
            .to_string()
        };
        lines.iter().map(link).collect()
    }
}

pub(crate) fn config_of(mut config: Value) -> SourceConfig {
    config["connection"] = "emulator".into();
    serde_json::from_value(config).unwrap()
}

/// A router as the client's transport. An answer that ends early is handed on as far as it came, as a proxy would
/// that has read the length and not the end.
#[derive(Debug)]
struct Mounted {
    router: Router,
    live_pages: Arc<AtomicUsize>,
}

/// Whether a page of live records is asked for: `GET /crm/objects/{version}/{type}`.
fn is_live_page(request: &Request) -> bool {
    let path = request.uri().path().trim_matches('/');
    let is_list = path.contains("/objects/") && path.split('/').count() == 4;
    let archived = request
        .uri()
        .query()
        .is_some_and(|query| query.contains("archived=true"));
    request.method() == http::Method::GET && is_list && !archived
}

#[async_trait]
impl HttpService for Mounted {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let failed = HttpError::new(HttpErrorKind::Interrupted, &request);
        if is_live_page(&request) {
            self.live_pages.fetch_add(1, Ordering::Relaxed);
        }
        let answer = self
            .router
            .clone()
            .oneshot(request.map(Body::from))
            .await
            .expect("a router does not fail");
        let (head, mut body) = answer.into_parts();
        let mut read = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => read.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
                Err(error) if read.is_empty() => return Err(failed.caused_by(error)),
                Err(_) => break,
            }
        }
        Ok(Response::from_parts(head, Bytes::from(read)))
    }
}
