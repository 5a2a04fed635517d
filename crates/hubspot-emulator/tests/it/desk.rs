//! A caller of the emulator.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request};
use hubspot_emulator::{Counts, DEFAULT_TOKEN, Emulator, Options, Tier};
use serde_json::Value;
use tower::ServiceExt;

pub(crate) struct Desk {
    router: Router,
    token: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null when there was no body or it is not JSON.
    pub(crate) body: Value,
    /// The text of the body as far as it came.
    pub(crate) text: String,
    /// Whether the body ended in an error.
    pub(crate) broken: bool,
}

impl Desk {
    /// A small account without limits.
    pub(crate) fn small() -> Self {
        let counts = Counts {
            contacts: 120,
            companies: 20,
            deals: 30,
            tickets: 15,
            products: 5,
            line_items: None,
            ..Counts::none()
        };
        Self::with(Options {
            counts,
            tier: Tier::Unlimited,
            ..Options::default()
        })
    }

    /// The account that the emulator starts with by default, without limits.
    pub(crate) fn usual() -> Self {
        Self::with(Options {
            tier: Tier::Unlimited,
            ..Options::default()
        })
    }

    /// An account without records.
    pub(crate) fn empty() -> Self {
        Self::with(Options {
            counts: Counts::none(),
            tier: Tier::Unlimited,
            ..Options::default()
        })
    }

    pub(crate) fn with(options: Options) -> Self {
        let token = options
            .tokens
            .first()
            .map_or_else(|| DEFAULT_TOKEN.to_owned(), |token| token.value.clone());
        Self {
            router: Emulator::new(options).router(),
            token,
        }
    }

    /// A caller of an emulator that is also driven in process.
    pub(crate) fn at(emulator: &Emulator) -> Self {
        Self::holding(emulator, DEFAULT_TOKEN)
    }

    /// The same with a token of its own.
    pub(crate) fn holding(emulator: &Emulator, token: &str) -> Self {
        Self {
            router: emulator.router(),
            token: token.to_owned(),
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("the router does not fail");
        let (head, body) = response.into_parts();
        let (text, broken) = collect(body).await;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            text,
            broken,
        }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token));
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.expect("a well-formed request")).await
    }

    /// Starts an import of one file.
    pub(crate) async fn import(&self, path: &str, request: &Value, file: &str) -> Answer {
        let name = request["files"][0]["fileName"].as_str().unwrap_or("data.csv");
        let body = format!(
            "--cut\r\ncontent-disposition: form-data; name=\"importRequest\"\r\n\r\n{request}\r\n--cut\r\n\
             content-disposition: form-data; name=\"files\"; filename=\"{name}\"\r\ncontent-type: text/csv\r\n\r\n\
             {file}\r\n--cut--\r\n"
        );
        let request = Request::builder()
            .method("POST")
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "multipart/form-data; boundary=cut")
            .body(Body::from(body));
        self.send(request.expect("a well-formed request")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    /// The lines of an NDJSON answer.
    pub(crate) async fn lines(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
            .text
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect()
    }

    /// Creates a contact and returns its id.
    pub(crate) async fn contact(&self, email: &str) -> String {
        let answer = self
            .post(
                "/crm/v3/objects/contacts",
                serde_json::json!({"properties": {"email": email}}),
            )
            .await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.body["id"].as_str().expect("an id").to_owned()
    }
}

async fn collect(body: Body) -> (String, bool) {
    use futures_util::StreamExt;
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(_) => return (String::from_utf8_lossy(&bytes).into_owned(), true),
        }
    }
    (String::from_utf8_lossy(&bytes).into_owned(), false)
}

/// The ids in `results`.
pub(crate) fn ids(body: &Value) -> Vec<String> {
    let results = body["results"].as_array().expect("results");
    results
        .iter()
        .map(|record| record["id"].as_str().expect("ids are text").to_owned())
        .collect()
}
