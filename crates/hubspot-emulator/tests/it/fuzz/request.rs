//! One random request: a call that makes sense, bent a little or a lot.

use std::fmt;

use axum::body::Body;
use http::{HeaderValue, Request};
use hubspot_emulator::DEFAULT_TOKEN;

use super::bend;
use super::calls::{CALLS, IDS, NAMES, QUERY, SEGMENTS, TYPES};
use super::chance::Chance;

pub(super) struct Sent {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Vec<u8>,
    headers: Vec<(&'static str, Vec<u8>)>,
}

pub(super) fn any(chance: &mut Chance) -> Sent {
    let (method, template, body) = chance.pick(CALLS);
    let method = if chance.percent(5) {
        chance.pick(&[
            "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW",
        ])
    } else {
        method
    };
    let path = if chance.percent(10) {
        made_path(chance)
    } else {
        filled(chance, template)
    };
    Sent {
        method,
        path: path + &query(chance),
        body: bend::body(chance, body),
        headers: headers(chance),
    }
}

/// Puts values in the place of `{type}`, `{id}` and `{name}`.
fn filled(chance: &mut Chance, template: &str) -> String {
    let part = |part: &str| match part {
        "{type}" => chance.pick(TYPES).to_owned(),
        "{id}" => chance.pick(IDS).to_owned(),
        "{name}" => chance.pick(NAMES).to_owned(),
        fixed => fixed.to_owned(),
    };
    template.split('/').map(part).collect::<Vec<String>>().join("/")
}

fn made_path(chance: &mut Chance) -> String {
    let parts = (0..chance.below(8)).map(|_| match chance.below(4) {
        0 => chance.pick(TYPES),
        1 => chance.pick(IDS),
        _ => chance.pick(SEGMENTS),
    });
    format!("/{}", parts.collect::<Vec<_>>().join("/"))
}

fn query(chance: &mut Chance) -> String {
    if chance.percent(40) {
        return String::new();
    }
    let pairs = (0..=chance.below(3)).map(|_| {
        let (key, values) = chance.pick(QUERY);
        let value = if chance.percent(70) {
            chance.pick(values)
        } else {
            chance.pick(IDS)
        };
        format!("{key}={value}")
    });
    format!("?{}", pairs.collect::<Vec<_>>().join("&"))
}

fn headers(chance: &mut Chance) -> Vec<(&'static str, Vec<u8>)> {
    let mut headers = Vec::new();
    match chance.below(20) {
        0 => {}
        1 => headers.push(("authorization", b"Bearer \xff\xfe".to_vec())),
        2 => headers.push(("authorization", b"bearer".to_vec())),
        _ => headers.push(("authorization", format!("Bearer {DEFAULT_TOKEN}").into())),
    }
    match chance.below(20) {
        0 => {}
        1 => headers.push(("content-type", b"\xff".to_vec())),
        2 => headers.push(("content-type", b"application/x-www-form-urlencoded".to_vec())),
        _ => headers.push(("content-type", b"application/json".to_vec())),
    }
    if chance.percent(10) {
        headers.push((
            "host",
            chance.pick(&[&b"\xe9"[..], b"", b"a:b:c", b"\"<x>"]).to_vec(),
        ));
    }
    headers
}

impl Sent {
    /// `None` where such a request cannot even be written down.
    pub(super) fn build(&self) -> Option<Request<Body>> {
        let mut request = Request::builder().method(self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(*name, HeaderValue::from_bytes(value).ok()?);
        }
        request.body(Body::from(self.body.clone())).ok()
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.method, self.path)?;
        for (name, value) in &self.headers {
            write!(out, "\n{name}: {}", value.escape_ascii())?;
        }
        write!(out, "\n\n{}", self.body.escape_ascii())
    }
}
