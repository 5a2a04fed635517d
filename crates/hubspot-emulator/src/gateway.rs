//! The one way every call to the emulated HubSpot takes: log, faults, authentication, limits, route.

mod admission;
mod response;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::{Request, header};
use serde_json::{Value, json};

use crate::behaviour::faults::{self, Action, Subject};
use crate::behaviour::limits::{Policy, Standing};
use crate::behaviour::request_log::Asked;
use crate::call::Call;
use crate::data::draw::mix;
use crate::emulator::{Emulator, Inner};
use crate::failure::Failure;
use crate::reply::Reply;
use crate::routes::{self, Found, Route};
use crate::state::portal::Moment;

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
    let body = match axum::body::to_bytes(body, most).await {
        Ok(body) => body,
        Err(error) => return unread(inner, &head, arrived, &error),
    };
    inner.catch_up_imports();
    inner.catch_up_bin();
    let fault = inner.faults().strike(&Subject {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or(""),
        body: &body,
    });
    wait(inner.options.latency, fault.as_ref()).await;
    let action = fault.unwrap_or_default();
    let correlation_id = correlation_id();
    if action.drop {
        let label = label_of(&head.method, head.uri.path());
        note_answer(inner, &head, arrived, label, 0, 0);
        return response::lost();
    }
    let Answered {
        reply,
        standing,
        label,
    } = carry_out(inner, &head, &body, &action, &correlation_id);
    let status = if action.loses_answer() { 0 } else { reply.status };
    note_answer(inner, &head, arrived, label, status, reply.body.len());
    if action.loses_answer() {
        return response::lost();
    }
    response::respond(reply, standing, &action, &correlation_id, inner.clock.now().wall)
}

/// Does the work and finds the answer, as far as the fault lets either happen.
fn carry_out(
    inner: &Inner,
    head: &http::request::Parts,
    body: &Bytes,
    action: &Action,
    correlation_id: &str,
) -> Answered {
    let forced = || forced(inner, &head.method, head.uri.path(), action, correlation_id);
    if action.refuses() {
        return forced();
    }
    let mut answered = answer(inner, head, body.clone(), action, correlation_id);
    if action.status.is_some() {
        return forced();
    }
    if action.html {
        answered.reply = Reply::html(
            200,
            "<!DOCTYPE html><html><body><h1>Just a moment...</h1></body></html>",
        );
    }
    answered.reply = action
        .bend
        .reply(answered.reply, head.uri.query().unwrap_or(""), body);
    answered
}

/// A body that is too large is refused; one that was cut off gets no answer, for nobody listens to one.
fn unread(inner: &Inner, head: &http::request::Parts, arrived: Moment, error: &axum::Error) -> Response {
    let label = label_of(&head.method, head.uri.path());
    let too_large = std::error::Error::source(error)
        .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
    if !too_large {
        note_answer(inner, head, arrived, label, 0, 0);
        return response::lost();
    }
    let correlation_id = correlation_id();
    let reply = refuse(&Failure::new(413, "Payload Too Large"), &correlation_id);
    note_answer(inner, head, arrived, label, 413, reply.body.len());
    response::respond(
        reply,
        None,
        &Action::default(),
        &correlation_id,
        inner.clock.now().wall,
    )
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

fn answer(
    inner: &Inner,
    head: &http::request::Parts,
    body: Bytes,
    action: &Action,
    correlation_id: &str,
) -> Answered {
    let path = head.uri.path();
    let (route, label, params) = match routes::find(&head.method, path) {
        Found::Route { route, label, params } => (route, label, params),
        // HubSpot may have the method: nothing is known of what it does not have.
        Found::WrongMethod { label } => {
            let answered = not_emulated(&head.method, path);
            return Answered { label, ..answered };
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
        content_type: admission::content_type(&head.headers).to_owned(),
        app: String::new(),
        params,
    };
    let (standing, result) = admission::admit(inner, head, route, &mut call);
    let result = result.and_then(|()| {
        refuse_bare_names(inner, route, &call)?;
        action.bend.request(&mut call);
        (route.handler)(inner, &call)
    });
    let reply = result.unwrap_or_else(|failure| refuse(&failure, correlation_id));
    Answered {
        reply,
        standing,
        label,
    }
}

/// Since June 2025 the API does not find a custom object by its bare name any more (hubspot-api notes, corrections).
fn refuse_bare_names(inner: &Inner, route: &Route, call: &Call) -> Result<(), Failure> {
    if !inner.habits().bare_names_refused {
        return Ok(());
    }
    let portal = inner.portal();
    let bare = route.types(call).find(|name| {
        let of = portal.type_index(name).map(|of| &portal.store(of).object_type);
        of.is_ok_and(|of| of.is_custom() && of.plural.eq_ignore_ascii_case(name))
    });
    bare.map_or(Ok(()), |name| Err(Failure::unknown_type(name)))
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
