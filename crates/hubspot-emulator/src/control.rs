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
use crate::emulator::{Emulator, Inner};
use crate::json;
use crate::mutate::{self, Mutation};
use crate::options::Counts;
use crate::state::associations::{Link, TypeIndex};
use crate::state::portal::Portal;
use crate::state::property::Projection;
use crate::state::record::{Life, Record};
use crate::state::store::Store;
use crate::time::write_iso;

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
                .find(|name| emulator.0.portal().type_index(name).is_err());
            if let Some(name) = unknown {
                return wrong(format!("`{name}` is not an object type of this account"));
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
            *emulator.0.habits() = habits;
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

/// Lines written while the account is locked once.
const LINES: usize = 1000;

/// Streams pieces of NDJSON; `piece` appends lines from a place on and returns the next place, or `None` at the
/// end. The account is locked for one piece at a time.
fn ndjson<P>(inner: Emulator, start: P, piece: fn(&Inner, P, &mut Vec<u8>) -> Option<P>) -> Response
where
    P: Send + 'static,
{
    let lines = stream::unfold((inner, Some(start)), move |(inner, place)| async move {
        let mut out = Vec::new();
        let next = piece(&inner.0, place?, &mut out);
        Some((Ok::<Bytes, std::convert::Infallible>(out.into()), (inner, next)))
    });
    let mut response = Response::new(Body::from_stream(lines));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-ndjson"),
    );
    response
}

async fn truth(State(emulator): State<Emulator>, Path(name): Path<String>) -> Response {
    let of = emulator.0.portal().type_index(&name);
    match of {
        Ok(of) => ndjson(emulator, (of, 0), write_records),
        Err(failure) => answer(StatusCode::NOT_FOUND, &json!({"error": failure.message})),
    }
}

fn write_records(
    inner: &Inner,
    (of, from): (TypeIndex, usize),
    out: &mut Vec<u8>,
) -> Option<(TypeIndex, usize)> {
    let portal = inner.portal();
    let store = portal.store(of);
    let records = store.all_from(from);
    let piece = &records[..records.len().min(LINES)];
    for record in piece {
        write_record(out, store, record);
    }
    (piece.len() < records.len()).then_some((of, from + LINES))
}

/// One line of truth: the record with every property that has a value.
fn write_record(out: &mut Vec<u8>, store: &Store, record: &Record) {
    out.extend_from_slice(b"{\"id\":\"");
    json::integer(out, record.id);
    out.extend_from_slice(b"\",\"state\":");
    json::string(out, record.state());
    out.extend_from_slice(b",\"mergedInto\":");
    match record.life {
        Life::Merged { into } => json::string(out, &into.to_string()),
        _ => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"properties\":{");
    if record.life != Life::Purged {
        write_properties(out, store, record);
    }
    out.extend_from_slice(b"},\"createdAt\":\"");
    write_iso(out, record.created);
    out.extend_from_slice(b"\",\"updatedAt\":\"");
    write_iso(out, record.updated);
    out.extend_from_slice(b"\"}\n");
}

fn write_properties(out: &mut Vec<u8>, store: &Store, record: &Record) {
    let own = store
        .properties
        .iter()
        .filter(|(_, property)| property.source != crate::state::property::Source::Stored);
    let held = record
        .values
        .iter()
        .map(|(index, _)| index)
        .chain(own.map(|(index, _)| index));
    let mut shown = Projection(held.collect());
    shown.0.sort_unstable();
    crate::routes::write_properties(out, store, record, &shown);
}

async fn truth_of_associations(
    State(emulator): State<Emulator>,
    Path((from, to)): Path<(String, String)>,
) -> Response {
    let types = {
        let portal = emulator.0.portal();
        portal
            .type_index(&from)
            .and_then(|from| Ok((from, portal.type_index(&to)?)))
    };
    match types {
        Ok(types) => ndjson(emulator, (types, None), write_links),
        Err(failure) => answer(StatusCode::NOT_FOUND, &json!({"error": failure.message})),
    }
}

type LinkPlace = ((TypeIndex, TypeIndex), Option<Link>);

fn write_links(inner: &Inner, (types, above): LinkPlace, out: &mut Vec<u8>) -> Option<LinkPlace> {
    let portal = inner.portal();
    let links: Vec<Link> = portal
        .associations
        .all_above(types.0, types.1, above)
        .take(LINES)
        .collect();
    for link in &links {
        write_link(out, &portal, types, *link);
    }
    (links.len() == LINES).then_some((types, links.last().copied()))
}

fn write_link(out: &mut Vec<u8>, portal: &Portal, types: (TypeIndex, TypeIndex), link: Link) {
    let definition = portal.associations.definition(types.0, types.1, link.type_id);
    let text = json!({
        "fromId": link.from.to_string(),
        "toId": link.to.to_string(),
        "typeId": link.type_id,
        "category": definition.map(|definition| definition.category),
        "label": definition.and_then(|definition| definition.label.as_deref()),
    });
    out.extend_from_slice(text.to_string().as_bytes());
    out.push(b'\n');
}
