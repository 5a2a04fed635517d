//! A HubSpot that answers what a test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use hubspot_client::{Client, HttpError, HttpService, Limits, Request, Response, StaticToken};
use hubspot_connector::{HubspotSource, SourceConfig};
use serde_json::{Value, json};

/// A request as a test looks at it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Path without the host, `/crm/v3/objects/contacts`.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// Status and body.
pub(crate) type Answer = (u16, Vec<u8>);

type Script = Box<dyn Fn(&Call) -> Option<Answer> + Send + Sync>;

/// Answers by a script first, then with an account and otherwise with nothing there.
pub(crate) struct Double {
    script: Script,
    calls: Mutex<Vec<Call>>,
}

impl std::fmt::Debug for Double {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Double").finish_non_exhaustive()
    }
}

/// A 200 with this body.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it is one arm of a script, whose other arms are `None`"
)]
pub(crate) fn ok(body: &Value) -> Option<Answer> {
    Some((200, serde_json::to_vec(body).unwrap()))
}

impl Double {
    pub(crate) fn new(script: impl Fn(&Call) -> Option<Answer> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            calls: Mutex::default(),
        })
    }

    pub(crate) fn client(self: &Arc<Self>) -> Client {
        let service: Arc<Self> = Arc::clone(self);
        let plenty = Limits {
            burst: 100_000,
            search: 100_000,
            associations: 100_000,
            ..Limits::default()
        };
        let token = StaticToken::new("pat-na1-double").unwrap();
        let builder = Client::builder()
            .token(token)
            .limits(plenty)
            .wait_for_next_day(false)
            .api_version("v3".parse().unwrap());
        builder.http_service(service).build().unwrap()
    }

    pub(crate) fn source(self: &Arc<Self>, config: Value) -> HubspotSource {
        let mut config = config;
        config["connection"] = "prod".into();
        let config: SourceConfig = serde_json::from_value(config).unwrap();
        HubspotSource::new(self.client(), config).unwrap()
    }

    /// The calls to paths that end so.
    pub(crate) fn calls(&self, end: &str) -> Vec<Call> {
        let calls = self.calls.lock().unwrap();
        calls
            .iter()
            .filter(|call| call.path.ends_with(end))
            .cloned()
            .collect()
    }

    fn answer(&self, call: &Call) -> Answer {
        (self.script)(call).unwrap_or_else(|| usual(call))
    }
}

fn usual(call: &Call) -> Answer {
    let body = match &*call.path {
        "/account-info/v3/details" => json!({"portalId": 4711, "timeZone": "UTC"}),
        path if path.ends_with("/search") => json!({"total": 0, "results": []}),
        _ => json!({"results": []}),
    };
    (200, serde_json::to_vec(&body).unwrap())
}

#[async_trait]
impl HttpService for Double {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        let query = request.uri().query().unwrap_or_default();
        let pair = |pair: &str| {
            pair.split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        let call = Call {
            path: request.uri().path().to_owned(),
            query: query.split('&').filter_map(pair).collect(),
            body: serde_json::from_slice(request.body()).unwrap_or_default(),
        };
        let (status, body) = self.answer(&call);
        self.calls.lock().unwrap().push(call);
        Ok(http::Response::builder()
            .status(status)
            .body(Bytes::from(body))
            .unwrap())
    }
}

/// A record with this id.
pub(crate) fn record(id: u64) -> Value {
    json!({"id": id.to_string(), "properties": {"email": format!("{id}@example.com")},
           "createdAt": "2024-01-01T00:00:00.000Z", "updatedAt": "2024-01-02T00:00:00.000Z", "archived": false})
}

/// The page of records `1..=total` that `call` asks for, each changed by `with`.
pub(crate) fn page(call: &Call, total: u64, with: impl Fn(u64, Value) -> Value) -> Option<Answer> {
    let number = |name: &str, otherwise: u64| {
        call.query
            .get(name)
            .map_or(otherwise, |text| text.parse().unwrap())
    };
    let (first, limit) = (number("after", 1), number("limit", 10));
    let last = (first + limit - 1).min(total);
    let results: Vec<_> = (first..=last).map(|id| with(id, record(id))).collect();
    let mut page = json!({"results": results});
    if last < total {
        page["paging"] = json!({"next": {"after": (last + 1).to_string()}});
    }
    ok(&page)
}

/// Whether `call` lists live records of a type.
pub(crate) fn lists(call: &Call, object: &str) -> bool {
    call.path == format!("/crm/v3/objects/{object}") && !call.query.contains_key("archived")
}
