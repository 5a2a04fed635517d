//! The one way every call to the emulated HubSpot takes: log, faults, authentication, limits, route.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http::{HeaderMap, HeaderValue, Request, header};
use serde_json::{Value, json};

use crate::behaviour::faults::{self, Action};
use crate::behaviour::limits::{Policy, Standing};
use crate::behaviour::oauth::Grant;
use crate::behaviour::request_log::Asked;
use crate::call::Call;
use crate::data::draw::mix;
use crate::emulator::{Emulator, Inner};
use crate::failure::Failure;
use crate::options::{Scopes, Token};
use crate::reply::Reply;
use crate::routes::{self, Access, Found, Route};
use crate::state::portal::Moment;
use crate::time::Millis;
use crate::time::iso;

/// Marks an answer that must never arrive: the server closes the connection instead. In process, the body fails
/// with this error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the emulator closed the connection without an answer, as a fault asked it to")
    }
}

impl std::error::Error for Dropped {}

/// Longer URLs answer 414 (hubspot-api notes §1.3).
const LONGEST_URL: usize = 16_200;

/// Bodies above this are refused; HubSpot's own limit is not known.
const LARGEST_BODY: usize = 32 << 20;

/// Uploads may be larger: a file of 512 MB is within HubSpot's limits (hubspot-api notes §6.2).
const LARGEST_UPLOAD: usize = 600 << 20;

fn largest_body(method: &http::Method, path: &str) -> usize {
    match routes::find(method, path) {
        Found::Route { route, .. } if route.is_upload => LARGEST_UPLOAD,
        _ => LARGEST_BODY,
    }
}

/// An answer on its way through the gateway.
struct Answered {
    reply: Reply,
    standing: Option<Standing>,
    label: String,
}

pub(crate) async fn handle(State(emulator): State<Emulator>, request: Request<Body>) -> Response {
    let inner = &*emulator.0;
    let (head, body) = request.into_parts();
    let arrived = inner.clock.now();
    note_arrival(inner, head.uri.path(), arrived);
    let most = largest_body(&head.method, head.uri.path());
    let body = axum::body::to_bytes(body, most).await.unwrap_or_default();
    inner.catch_up_imports();
    let fault = inner.faults().strike(head.method.as_str(), head.uri.path());
    wait(inner.options.latency, fault.as_ref()).await;
    let correlation_id = correlation_id();
    let Answered {
        reply,
        standing,
        label,
    } = match &fault {
        Some(action) if action.drop => {
            let label = label_of(&head.method, head.uri.path());
            note_answer(inner, &head, arrived, label, 0, 0);
            return lost();
        }
        Some(action) if action.status.is_some() => {
            forced(inner, &head.method, head.uri.path(), action, &correlation_id)
        }
        _ => answer(inner, &head, body, &correlation_id),
    };
    let action = fault.unwrap_or_default();
    let reply = distort(reply, &action, head.uri.query().unwrap_or(""));
    let status = if action.fail_after_write { 0 } else { reply.status };
    note_answer(inner, &head, arrived, label, status, reply.body.len());
    if action.fail_after_write {
        return lost();
    }
    let mut response = respond(reply, standing, &action, &correlation_id);
    set(response.headers_mut(), "date", &http_date(inner.clock.now().wall));
    response
}

/// The emulator's time as HTTP writes it: whoever asks may go by it, also where the clock was advanced.
fn http_date(now: Millis) -> String {
    let since_1970 = Duration::from_millis(u64::try_from(now).unwrap_or(0));
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since_1970)
}

/// Counts a request, and the first object type that its path names.
fn note_arrival(inner: &Inner, path: &str, now: Moment) {
    let portal = inner.portal();
    let object = path.split('/').find_map(|part| portal.type_index(part).ok());
    let mut log = inner.log();
    log.arrived(now.steady);
    if let Some(object) = object {
        log.asked_for(&portal.store(object).object_type.plural);
    }
}

/// Notes how a request was answered; status 0 is no answer.
fn note_answer(
    inner: &Inner,
    head: &http::request::Parts,
    arrived: Moment,
    label: String,
    status: u16,
    bytes: usize,
) {
    // The paths of OAuth hold tokens.
    let secret = head.uri.path().starts_with("/oauth/");
    let what = if secret {
        label.clone()
    } else {
        format!("{} {}", head.method, head.uri.path())
    };
    let took = inner.clock.now().steady.saturating_sub(arrived.steady);
    let asked = Asked {
        at: arrived.wall,
        what,
        status,
        bytes,
        took,
    };
    inner.log().answered(label, asked);
}

async fn wait(latency: Duration, fault: Option<&Action>) {
    let slow = fault
        .and_then(|action| action.slow.as_deref())
        .and_then(faults::duration)
        .unwrap_or_default();
    if !(latency + slow).is_zero() {
        tokio::time::sleep(latency + slow).await;
    }
}

fn lost() -> Response {
    let nothing = stream::once(future::ready(Err::<Bytes, Dropped>(Dropped)));
    let mut response = Response::new(Body::from_stream(nothing));
    response.extensions_mut().insert(Dropped);
    response
}

fn label_of(method: &http::Method, path: &str) -> String {
    match routes::find(method, path) {
        Found::Route { label, .. } | Found::WrongMethod { label } => label,
        Found::Nothing => format!("{method} (not emulated)"),
    }
}

/// The answer that a `status` fault asks for.
fn forced(
    inner: &Inner,
    method: &http::Method,
    path: &str,
    action: &Action,
    correlation_id: &str,
) -> Answered {
    let status = action.status.unwrap_or(500);
    let policy = action.policy.as_deref().and_then(Policy::parse);
    let reply = match (&action.body, policy) {
        (Some(Value::String(text)), _) => Reply::html(status, text),
        (Some(body), _) => Reply::value(status, body),
        (None, Some(policy)) => refuse(
            &policy.failure(inner.options.portal_id).with_status(status),
            correlation_id,
        ),
        (None, None) if status == 429 => refuse(
            &Policy::TenSecondlyRolling.failure(inner.options.portal_id),
            correlation_id,
        ),
        (None, None) => refuse(&Failure::new(status, text_of(status)), correlation_id),
    };
    Answered {
        reply,
        standing: None,
        label: label_of(method, path),
    }
}

/// HubSpot documents when these come, not what they say (hubspot-api notes §3.1).
fn text_of(status: u16) -> &'static str {
    match status {
        423 => "The resource is locked by heavy writes; wait at least two seconds",
        477 => "The account is being migrated to another data centre",
        _ => "The server could not answer (a fault of the emulator)",
    }
}

fn refuse(failure: &Failure, correlation_id: &str) -> Reply {
    Reply::value(failure.status, &failure.body(correlation_id))
}

fn answer(inner: &Inner, head: &http::request::Parts, body: Bytes, correlation_id: &str) -> Answered {
    let path = head.uri.path();
    let (route, label, params) = match routes::find(&head.method, path) {
        Found::Route { route, label, params } => (route, label, params),
        Found::WrongMethod { label } => {
            let failure = Failure::new(405, format!("Method {} is not allowed here", head.method));
            return Answered {
                reply: refuse(&failure, correlation_id),
                standing: None,
                label,
            };
        }
        Found::Nothing => return not_emulated(&head.method, path),
    };
    let mut call = Call {
        path: path.to_owned(),
        query: form_urlencoded::parse(head.uri.query().unwrap_or("").as_bytes())
            .into_owned()
            .collect(),
        host: host(head),
        body,
        content_type: content_type(&head.headers).to_owned(),
        app: String::new(),
        params,
    };
    let (standing, result) = admit(inner, head, route, &mut call);
    let result = result.and_then(|()| (route.handler)(inner, &call));
    let reply = result.unwrap_or_else(|failure| refuse(&failure, correlation_id));
    Answered {
        reply,
        standing,
        label,
    }
}

fn not_emulated(method: &http::Method, path: &str) -> Answered {
    let message =
        format!("{method} {path} is not emulated. The emulator answers 501 instead of making something up.");
    let body = json!({"status": "error", "category": "NOT_EMULATED", "message": message, "route": format!("{method} {path}")});
    Answered {
        reply: Reply::value(501, &body),
        standing: None,
        label: format!("{method} (not emulated)"),
    }
}

fn host(head: &http::request::Parts) -> String {
    let header = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    header
        .or_else(|| head.uri.authority().map(http::uri::Authority::as_str))
        .unwrap_or("localhost")
        .to_owned()
}

/// Everything that can refuse a request before its route sees it.
fn admit(
    inner: &Inner,
    head: &http::request::Parts,
    route: &Route,
    call: &mut Call,
) -> (Option<Standing>, Result<(), Failure>) {
    if head.uri.to_string().len() > LONGEST_URL {
        return (None, Err(Failure::new(414, "URI Too Long")));
    }
    if route.access == Access::Open {
        return (None, Ok(()));
    }
    let caller = match authenticate(inner, &head.headers) {
        Ok(caller) => caller,
        Err(failure) => return (None, Err(failure)),
    };
    call.app = caller.app(inner);
    let now = inner.clock.now();
    let admitted = match &caller {
        Caller::PrivateApp(token) => inner.limiter().admit(&token.value, route.toll, now),
        Caller::App(grant) => inner.limiter().admit_app(&grant.client_id, route.toll, now),
    };
    let standing = match admitted {
        Ok(standing) => standing,
        Err((policy, standing)) => return (Some(standing), Err(policy.failure(inner.options.portal_id))),
    };
    (
        Some(standing),
        check_content_type(route, call).and_then(|()| authorise(inner, &caller, route.access, call)),
    )
}

/// Whom a token stands for.
enum Caller<'i> {
    PrivateApp(&'i Token),
    App(Grant),
}

impl Caller<'_> {
    /// A name for the app, which must not be its token.
    fn app(&self, inner: &Inner) -> String {
        match self {
            Self::PrivateApp(token) => {
                let mut tokens = inner.options.tokens.iter();
                let place = tokens.position(|known| known.value == token.value);
                format!("private app {}", place.unwrap_or(0))
            }
            Self::App(grant) => grant.client_id.clone(),
        }
    }

    fn may(&self, wanted: &[String]) -> bool {
        match self {
            Self::PrivateApp(token) => token.scopes.allow(wanted),
            Self::App(grant) => Scopes::List(grant.scopes.clone()).allow(wanted),
        }
    }
}

fn authenticate<'i>(inner: &'i Inner, headers: &HeaderMap) -> Result<Caller<'i>, Failure> {
    let header = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let (scheme, value) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthenticated());
    }
    let value = value.trim();
    let token = inner.options.tokens.iter().find(|token| token.value == value);
    token.map_or_else(|| app_of(inner, value), |token| Ok(Caller::PrivateApp(token)))
}

fn app_of<'i>(inner: &'i Inner, token: &str) -> Result<Caller<'i>, Failure> {
    let now = inner.clock.now().wall;
    let oauth = inner.oauth();
    let held = oauth.access(token).ok_or_else(unauthenticated)?;
    if held.expires > now {
        return Ok(Caller::App(held.grant.clone()));
    }
    let seconds = (now - held.expires) / 1000;
    let message = format!("The OAuth token used to make this call expired {seconds} second(s) ago.");
    Err(Failure::new(401, message)
        .category("EXPIRED_AUTHENTICATION")
        .context("expire time", vec![iso(held.expires)]))
}

/// As recorded (hubspot-api notes §3.1).
fn unauthenticated() -> Failure {
    let message = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find \
                   more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview";
    Failure::new(401, message).category("INVALID_AUTHENTICATION")
}

fn content_type(headers: &HeaderMap) -> &str {
    let given = headers.get(header::CONTENT_TYPE);
    given.and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// Bodies must be JSON, and uploads forms (hubspot-api notes §3.1, §6.2).
fn check_content_type(route: &Route, call: &Call) -> Result<(), Failure> {
    let wanted = if route.is_upload {
        "multipart/form-data"
    } else {
        "application/json"
    };
    if call.body.is_empty() || call.content_type.to_ascii_lowercase().starts_with(wanted) {
        return Ok(());
    }
    let message = format!("Unsupported Media Type: the body must be {wanted}");
    Err(Failure::new(415, message))
}

fn authorise(inner: &Inner, caller: &Caller<'_>, access: Access, call: &Call) -> Result<(), Failure> {
    let portal = inner.portal();
    let object_type = match access {
        Access::Open
        | Access::ReadOwners
        | Access::ReadLists
        | Access::WriteLists
        | Access::Scope(_)
        | Access::Anyone => None,
        Access::ReadRecordsOf(name) => Some(&portal.store(portal.type_index(name)?).object_type),
        _ => Some(&portal.store(portal.type_index(call.param(0))?).object_type),
    };
    let wanted = access.scopes(object_type);
    if caller.may(&wanted) {
        Ok(())
    } else {
        Err(missing_scopes(&wanted))
    }
}

fn missing_scopes(wanted: &[String]) -> Failure {
    let message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes \
                   here: https://developers.hubspot.com/scopes.";
    Failure::new(403, message)
        .category("MISSING_SCOPES")
        .error(json!({
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": wanted},
        }))
        .extra(
            "links",
            json!({"scopes": "https://developers.hubspot.com/scopes"}),
        )
}

/// Bends a good answer the way a fault asks for.
fn distort(reply: Reply, action: &Action, query: &str) -> Reply {
    if action.html {
        return Reply::html(
            200,
            "<!DOCTYPE html><html><body><h1>Just a moment...</h1></body></html>",
        );
    }
    if action.repeat_page {
        return repeat_page(reply, query);
    }
    reply
}

fn repeat_page(reply: Reply, query: &str) -> Reply {
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else {
        return reply;
    };
    let after = form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == "after")
        .map(|(_, value)| value.into_owned());
    body["paging"] = json!({"next": {"after": after.unwrap_or_else(|| "0".into())}});
    Reply::value(reply.status, &body)
}

fn respond(reply: Reply, standing: Option<Standing>, action: &Action, correlation_id: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() =
        http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if !reply.body.is_empty() {
        let kind = if reply.html {
            "text/html; charset=utf-8"
        } else {
            "application/json;charset=utf-8"
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    set(headers, "x-hubspot-correlation-id", correlation_id);
    if let Some(location) = &reply.location {
        set(headers, "location", location);
    }
    if let Some(standing) = &standing {
        add_limits(headers, standing);
    }
    if let Some(seconds) = action.wait() {
        set(headers, "retry-after", &seconds.to_string());
    }
    for (name, value) in &action.headers {
        set(headers, name, value);
    }
    if action.truncate {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
        *response.body_mut() = half(reply.body);
    } else {
        *response.body_mut() = Body::from(reply.body);
    }
    response
}

/// Half of a body, then an error. In between the server gets a chance to send the half.
fn half(body: Vec<u8>) -> Body {
    let body = Bytes::from(body);
    let half = stream::once(future::ready(Ok(body.slice(..body.len() / 2))));
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(Dropped)
    });
    Body::from_stream(half.chain(end))
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

/// Search answers lack the interval headers (hubspot-api notes §3.2).
fn add_limits(headers: &mut HeaderMap, standing: &Standing) {
    if let Some((most, left)) = standing.daily {
        set(headers, "x-hubspot-ratelimit-daily", &most.to_string());
        set(headers, "x-hubspot-ratelimit-daily-remaining", &left.to_string());
    }
    if let Some((most, left)) = standing.burst {
        set(headers, "x-hubspot-ratelimit-interval-milliseconds", "10000");
        set(headers, "x-hubspot-ratelimit-max", &most.to_string());
        set(headers, "x-hubspot-ratelimit-remaining", &left.to_string());
    }
}

/// A fresh uuid for every answer.
fn correlation_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let (high, low) = (mix(0xC0, number, 1), mix(0xC0, number, 2));
    let hex = format!("{high:016x}{low:016x}");
    format!(
        "{}-{}-4{}-a{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}
