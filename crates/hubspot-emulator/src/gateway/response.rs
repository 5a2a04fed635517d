//! The last step of an answer: headers, and what a fault does to them.

use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http::{HeaderMap, HeaderValue, header};

use super::Dropped;
use crate::behaviour::faults::Action;
use crate::behaviour::limits::Standing;
use crate::reply::Reply;
use crate::time::Millis;

/// An answer that never arrives: the server closes the connection.
pub(super) fn lost() -> Response {
    let nothing = stream::once(future::ready(Err::<Bytes, Dropped>(Dropped)));
    let mut response = Response::new(Body::from_stream(nothing));
    response.extensions_mut().insert(Dropped);
    response
}

/// The emulator's time as HTTP writes it: callers may rely on it, also where the clock was advanced.
fn http_date(now: Millis) -> String {
    let since_1970 = Duration::from_millis(u64::try_from(now).unwrap_or(0));
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since_1970)
}

/// Adds what every answer carries. A fault's own headers come last: they replace and take away.
pub(super) fn respond(
    reply: Reply,
    standing: Option<Standing>,
    action: &Action,
    correlation_id: &str,
    now: Millis,
) -> Response {
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
    set(headers, "date", &http_date(now + action.date_offset()));
    for (name, value) in &action.headers {
        match value {
            Some(value) => set(headers, name, value),
            None => drop(headers.remove(name)),
        }
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
