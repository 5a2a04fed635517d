//! The emulator in process, behind the client's transport.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http_body_util::BodyExt;
use hubspot_client::{
    Client, Daily, HttpError, HttpService, Limits, RateLimiter, Request, Response, StaticToken, WallClock,
};
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options, Tier};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

/// One emulated account.
#[derive(Debug, Clone)]
pub(crate) struct Portal {
    router: Router,
}

impl Portal {
    pub(crate) fn new(counts: Counts) -> Self {
        Self::with(Options {
            counts,
            tier: Tier::Unlimited,
            ..Options::default()
        })
    }

    pub(crate) fn with(options: Options) -> Self {
        Self {
            router: Emulator::new(options).router(),
        }
    }

    pub(crate) fn client(&self) -> Client {
        // Days pass as fast as tokio's paused clock says.
        let daily = Daily {
            clock: WallClock::starting_at(Timestamp::now()),
            ..Daily::default()
        };
        Client::builder()
            .token(StaticToken::new(DEFAULT_TOKEN).expect("it is a token"))
            .limiter(RateLimiter::with_daily(Limits::default(), daily))
            .http_service(Arc::new(Mounted(self.router.clone())))
            .build()
            .expect("a client can be built")
    }

    /// An answer of HubSpot's, or of a control route.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {DEFAULT_TOKEN}"))
            .body(match body {
                Value::Null => Body::empty(),
                body => Body::from(body.to_string()),
            });
        let answer = self.router.clone().oneshot(request.expect("a request")).await;
        let answer = answer.expect("a router does not fail");
        let status = answer.status();
        let bytes = answer
            .into_body()
            .collect()
            .await
            .expect("a whole answer")
            .to_bytes();
        assert!(
            status.is_success(),
            "{method} {path} {body}: {status} {}",
            String::from_utf8_lossy(&bytes)
        );
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.call("POST", path, &body).await
    }

    /// Makes records, a hundred a call; gives their ids.
    pub(crate) async fn make(&self, object: &str, records: &[Value]) -> Vec<String> {
        let mut ids = Vec::new();
        for some in records.chunks(100) {
            let inputs: Vec<_> = some
                .iter()
                .map(|properties| json!({"properties": properties}))
                .collect();
            let path = format!("/crm/v3/objects/{object}/batch/create");
            let made = self.post(&path, json!({"inputs": inputs})).await;
            let results = made["results"].as_array().expect("results");
            ids.extend(
                results
                    .iter()
                    .map(|record| record["id"].as_str().expect("an id").to_owned()),
            );
        }
        ids
    }

    /// The calls so far, by route; forgets them.
    pub(crate) async fn calls(&self) -> Vec<(String, u64)> {
        let log = self.call("GET", "/_emulator/requests", &Value::Null).await;
        self.call("DELETE", "/_emulator/requests", &Value::Null).await;
        let routes = log["byRoute"].as_object().expect("routes").clone();
        let count = |statuses: &Value| {
            statuses
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(_, n)| n.as_u64())
                .sum()
        };
        let named = routes
            .iter()
            .map(|(route, statuses)| (route.clone(), count(statuses)));
        named
            .filter(|(route, _)| !route.contains("/properties/") && !route.contains("schemas"))
            .collect()
    }
}

/// A router as the client's transport.
#[derive(Debug)]
struct Mounted(Router);

#[async_trait]
impl HttpService for Mounted {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let answer = self.0.clone().oneshot(request.map(Body::from)).await;
        let (head, body) = answer.expect("a router does not fail").into_parts();
        let bytes = body.collect().await.expect("a whole answer").to_bytes();
        Ok(Response::from_parts(head, bytes))
    }
}
