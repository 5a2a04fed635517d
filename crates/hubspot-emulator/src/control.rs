//! The control routes under `/_emulator`: never to be mistaken for HubSpot. They need no token, and are neither
//! limited nor counted.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::behaviour::faults::{Fault, duration};
use crate::emulator::Emulator;
use crate::failure::Failure;
use crate::mutate::{self, Mutation};
use crate::options::Counts;
use crate::state::resources::Kind;
use crate::truth::Reader;

pub(crate) fn router() -> Router<Emulator> {
    Router::new()
        .route("/_emulator", get(crate::pages::overview))
        .route("/_emulator/objects/{object_type}", get(crate::pages::records))
        .route("/_emulator/health", get(health))
        .route("/_emulator/seed", post(seed))
        .route("/_emulator/mutate", post(mutate))
        .route(
            "/_emulator/faults",
            get(show_faults).post(add_faults).delete(clear_faults),
        )
        .route("/_emulator/clock", get(show_clock).post(set_clock))
        .route("/_emulator/apps", get(show_apps).post(add_app))
        .route("/_emulator/behaviour", get(show_habits).post(set_habits))
        .route("/_emulator/requests", get(requests).delete(clear_requests))
        .route("/_emulator/truth/{object_type}", get(truth))
        .route(
            "/_emulator/truth/associations/{from}/{to}",
            get(truth_of_associations),
        )
        .route("/_emulator/{*unknown}", axum::routing::any(unknown))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}

fn wrong(problem: impl std::fmt::Display) -> Response {
    answer(StatusCode::BAD_REQUEST, &json!({"error": problem.to_string()}))
}

/// Reads the body of a control request; the error names what is wrong.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, String> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| format!("the body is not what this route takes: {error}"))
}

async fn unknown(uri: http::Uri) -> Response {
    answer(
        StatusCode::NOT_FOUND,
        &json!({"error": format!("{} is not a control route of the emulator", uri.path())}),
    )
}

async fn health(State(emulator): State<Emulator>) -> Response {
    let inner = &emulator.0;
    inner.catch_up_imports();
    let portal = inner.portal();
    let counts: Map<String, Value> = portal
        .stores
        .iter()
        .map(|store| (store.object_type.plural.clone(), json!(store.live_len())))
        .collect();
    let body = json!({
        "status": "ok",
        "portalId": inner.options.portal_id,
        "tier": inner.options.tier.to_string(),
        "seed": inner.options.seed,
        "counts": counts,
    });
    answer(StatusCode::OK, &body)
}

async fn seed(State(emulator): State<Emulator>, body: Bytes) -> Response {
    let counts: Result<SeedCounts, String> = read(&body);
    match counts {
        Ok(counts) => {
            let unknown = counts
                .more
                .keys()
                .find(|name| emulator.0.portal().type_index(name).is_err() && Kind::named(name).is_none());
            if let Some(name) = unknown {
                return wrong(format!("`{name}` is not an object type of this account"));
            }
            if counts.most() > MOST_SEEDED {
                return wrong(format!(
                    "at most {MOST_SEEDED} records of a type are made at once"
                ));
            }
            emulator.seed(&counts.into());
            health(State(emulator)).await
        }
        Err(problem) => wrong(problem),
    }
}

/// Like [`Counts`], but what is left out is none instead of the usual number, and other types stand beside the
/// usual ones.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SeedCounts {
    contacts: u64,
    companies: u64,
    deals: u64,
    tickets: u64,
    products: u64,
    line_items: Option<u64>,
    #[serde(flatten)]
    more: BTreeMap<String, u64>,
}

/// More would outgrow the memory of most machines before the answer comes.
const MOST_SEEDED: u64 = 10_000_000;

impl SeedCounts {
    /// The greatest of its numbers.
    fn most(&self) -> u64 {
        let usual = [
            self.contacts,
            self.companies,
            self.deals,
            self.tickets,
            self.products,
        ];
        let others = self.line_items.iter().chain(self.more.values()).copied();
        usual.into_iter().chain(others).max().unwrap_or(0)
    }
}

impl From<SeedCounts> for Counts {
    fn from(counts: SeedCounts) -> Self {
        let SeedCounts {
            contacts,
            companies,
            deals,
            tickets,
            products,
            line_items,
            more: others,
        } = counts;
        Self {
            contacts,
            companies,
            deals,
            tickets,
            products,
            line_items,
            others,
        }
    }
}

async fn mutate(State(emulator): State<Emulator>, body: Bytes) -> Response {
    let mutation: Mutation = match read(&body) {
        Ok(mutation) => mutation,
        Err(problem) => return wrong(problem),
    };
    match mutate::run(&emulator.0, &mutation).await {
        Ok(done) => answer(StatusCode::OK, &done),
        Err(failure) => wrong(&failure.message),
    }
}

async fn show_faults(State(emulator): State<Emulator>) -> Response {
    answer(StatusCode::OK, &json!(emulator.0.faults().rules()))
}

/// Takes a list of rules, or a single one.
async fn add_faults(State(emulator): State<Emulator>, body: Bytes) -> Response {
    let rules: Result<Vec<Fault>, String> = if body.trim_ascii_start().starts_with(b"[") {
        read(&body)
    } else {
        read(&body).map(|fault| vec![fault])
    };
    let rules = match rules {
        Ok(rules) => rules,
        Err(problem) => return wrong(problem),
    };
    let added = emulator.0.faults().add(rules);
    match added {
        Ok(()) => show_faults(State(emulator)).await,
        Err(problem) => wrong(problem),
    }
}

async fn clear_faults(State(emulator): State<Emulator>) -> Response {
    *emulator.0.faults() = crate::behaviour::faults::FaultPlan::default();
    answer(StatusCode::OK, &json!([]))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClockSetting {
    advance: Option<String>,
    freeze: Option<bool>,
}

async fn show_clock(State(emulator): State<Emulator>) -> Response {
    answer(
        StatusCode::OK,
        &json!({"now": crate::time::iso(emulator.0.clock.now().wall)}),
    )
}

async fn set_clock(State(emulator): State<Emulator>, body: Bytes) -> Response {
    let setting: ClockSetting = match read(&body) {
        Ok(setting) => setting,
        Err(problem) => return wrong(problem),
    };
    if let Some(text) = &setting.advance {
        match duration(text) {
            Some(by) => emulator.0.clock.advance(by),
            None => {
                return wrong(format!(
                    "`{text}` is not a duration; write `1h`, `10s` or `150ms`"
                ));
            }
        }
    }
    setting
        .freeze
        .into_iter()
        .for_each(|freeze| emulator.0.clock.freeze(freeze));
    show_clock(State(emulator)).await
}

/// The apps' names, never their secrets.
async fn show_apps(State(emulator): State<Emulator>) -> Response {
    let oauth = emulator.0.oauth();
    let apps: Vec<Value> = oauth
        .apps()
        .iter()
        .map(|app| {
            json!({"clientId": app.client_id, "scopes": app.scopes, "accessTokenSeconds": app.access_token_seconds})
        })
        .collect();
    answer(StatusCode::OK, &json!(apps))
}

async fn add_app(State(emulator): State<Emulator>, body: Bytes) -> Response {
    match read(&body) {
        Ok(app) => {
            emulator.0.oauth().register(app);
            show_apps(State(emulator)).await
        }
        Err(problem) => wrong(problem),
    }
}

async fn show_habits(State(emulator): State<Emulator>) -> Response {
    answer(StatusCode::OK, &json!(*emulator.0.habits()))
}

async fn set_habits(State(emulator): State<Emulator>, body: Bytes) -> Response {
    match read(&body) {
        Ok(habits) => {
            emulator.0.behave(habits);
            show_habits(State(emulator)).await
        }
        Err(problem) => wrong(problem),
    }
}

async fn requests(State(emulator): State<Emulator>) -> Response {
    answer(StatusCode::OK, &emulator.0.log().report())
}

async fn clear_requests(State(emulator): State<Emulator>) -> Response {
    *emulator.0.log() = crate::behaviour::request_log::RequestLog::default();
    requests(State(emulator)).await
}

/// Streams the truth as NDJSON; the account is locked for one piece at a time.
fn ndjson(emulator: Emulator, reader: Result<Reader, Failure>) -> Response {
    let reader = match reader {
        Ok(reader) => reader,
        Err(failure) => return answer(StatusCode::NOT_FOUND, &json!({"error": failure.message})),
    };
    let lines = stream::unfold((emulator, Some(reader)), |(emulator, reader)| async move {
        let mut out = Vec::new();
        let rest = reader?.piece(&emulator.0, &mut out);
        Some((
            Ok::<Bytes, std::convert::Infallible>(out.into()),
            (emulator, rest),
        ))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    response
}

async fn truth(State(emulator): State<Emulator>, Path(name): Path<String>) -> Response {
    let reader = Reader::of(&emulator.0, &name);
    ndjson(emulator, reader)
}

async fn truth_of_associations(
    State(emulator): State<Emulator>,
    Path((from, to)): Path<(String, String)>,
) -> Response {
    let reader = Reader::of_associations(&emulator.0, &from, &to);
    ndjson(emulator, reader)
}
