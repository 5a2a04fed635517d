//! Requests as values: pure functions from arguments to an `http::Request`, one file per resource.
//!
//! Nothing here sends. A request carries its path and query; the client puts the host before it. It also carries
//! what its method cannot say, as extensions: [`Idempotency`] and, put on by the client, [`Priority`](crate::Priority).

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Method, header};
use serde::Serialize;

use crate::{error::Error, http::Request};

pub mod account;
pub mod associating;
pub mod associations;
pub mod batches;
pub mod imports;
pub mod library;
pub mod lists;
pub mod objects;
pub mod owners;
pub mod pipelines;
pub mod properties;
pub mod resources;
pub mod rows;
pub mod schemas;
pub mod search;
pub mod writes;

/// The longest path and query this crate sends. HubSpot answers 414 at about 16,200 characters
/// (hubspot-api notes §1.3); the rest is left for the host and for what proxies add.
pub const MAX_URL: usize = 15_000;

/// Whether sending a request twice does what sending it once does.
///
/// It decides what a retry may assume when an answer was lost. HubSpot has no idempotency keys, so a create whose
/// answer was lost may have happened (hubspot-api notes §7, row 21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Reads, searches, PUT, DELETE: may be sent again whatever happened to the first.
    Safe,
    /// Creates: may be sent again only when HubSpot surely did nothing with the first.
    Unsafe,
}

impl Idempotency {
    /// What the request says of itself; else what its method promises.
    pub fn of<B>(request: &http::Request<B>) -> Self {
        request
            .extensions()
            .get()
            .copied()
            .unwrap_or_else(|| Self::of_method(request.method()))
    }

    fn of_method(method: &Method) -> Self {
        if method.is_idempotent() {
            Self::Safe
        } else {
            Self::Unsafe
        }
    }
}

/// Extension of a POST that changes nothing at HubSpot: a search or a batch read.
#[derive(Clone, Copy, Debug)]
struct Reads;

/// Whether a request only reads. Reads are retried after failures that would be final for a write.
pub(crate) fn is_read<B>(request: &http::Request<B>) -> bool {
    request.method().is_safe() || request.extensions().get::<Reads>().is_some()
}

const JSON: &str = "application/json";

/// Path and query, grown left to right.
#[derive(Debug)]
pub(crate) struct Target {
    text: String,
    separator: char,
}

impl Target {
    pub(crate) fn new(path: String) -> Self {
        Self {
            text: path,
            separator: '?',
        }
    }

    pub(crate) fn segment(mut self, segment: &str) -> Self {
        self.text.push('/');
        self.text.push_str(&encode(segment));
        self
    }

    /// A segment that must not be empty: the path without it means something else.
    pub(crate) fn id(self, what: &str, id: &str) -> Result<Self, Error> {
        if id.is_empty() {
            return Err(Error::Invalid(format!("{what} cannot be named by an empty id")));
        }
        Ok(self.segment(id))
    }

    pub(crate) fn pair(mut self, name: &str, value: &str) -> Self {
        self.begin(name);
        push_encoded(&mut self.text, value);
        self
    }

    pub(crate) fn optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.pair(name, value),
            None => self,
        }
    }

    /// `name=a,b,c`; nothing when there are no values. HubSpot reads the commas unescaped.
    pub(crate) fn list(mut self, name: &str, values: &[impl AsRef<str>]) -> Self {
        for (n, value) in values.iter().enumerate() {
            if n == 0 {
                self.begin(name);
            } else {
                self.text.push(',');
            }
            push_encoded(&mut self.text, value.as_ref());
        }
        self
    }

    /// `archived=true`, or nothing: `false` is HubSpot's default everywhere.
    pub(crate) fn archived(self, archived: bool) -> Self {
        if archived {
            self.pair("archived", "true")
        } else {
            self
        }
    }

    fn begin(&mut self, name: &str) {
        self.text.push(self.separator);
        self.text.push_str(name);
        self.text.push('=');
        self.separator = '&';
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn get(self) -> Result<Request, Error> {
        self.build(Method::GET, Idempotency::Safe, Bytes::new())
    }

    pub(crate) fn delete(self) -> Result<Request, Error> {
        self.build(Method::DELETE, Idempotency::Safe, Bytes::new())
    }

    /// A PUT that says everything in its path.
    pub(crate) fn put(self) -> Result<Request, Error> {
        self.build(Method::PUT, Idempotency::Safe, Bytes::new())
    }

    /// A POST that only reads: a search or a batch read.
    pub(crate) fn read(self, body: &impl Serialize) -> Result<Request, Error> {
        let mut request = self.ask(body)?;
        request.extensions_mut().insert(Reads);
        Ok(request)
    }

    /// A write by POST that may be sent twice: the second time it does nothing.
    pub(crate) fn ask(self, body: &impl Serialize) -> Result<Request, Error> {
        self.write(Method::POST, Idempotency::Safe, body)
    }

    pub(crate) fn write(
        self,
        method: Method,
        idempotency: Idempotency,
        body: &impl Serialize,
    ) -> Result<Request, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Invalid(error.to_string()))?;
        self.build(method, idempotency, body.into())
    }

    fn build(self, method: Method, idempotency: Idempotency, body: Bytes) -> Result<Request, Error> {
        self.send(method, idempotency, JSON, body)
    }

    /// A body of any kind.
    pub(crate) fn send(
        self,
        method: Method,
        idempotency: Idempotency,
        content_type: &str,
        body: Bytes,
    ) -> Result<Request, Error> {
        if self.len() > MAX_URL {
            return Err(Error::UrlTooLong { length: self.len() });
        }
        let mut builder = http::Request::builder()
            .method(method)
            .uri(self.text)
            .extension(idempotency);
        if !body.is_empty() {
            builder = builder.header(header::CONTENT_TYPE, content_type);
        }
        builder
            .header(header::ACCEPT, JSON)
            .body(body)
            .map_err(|error| Error::Invalid(error.to_string()))
    }
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_encoded(&mut out, text);
    out
}

fn push_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            other => write!(out, "%{other:02X}").expect("writing to a string does not fail"),
        }
    }
}

#[cfg(test)]
pub(crate) fn text(request: &Request) -> String {
    let body = std::str::from_utf8(request.body()).expect("bodies are text");
    format!("{} {} {body}", request.method(), request.uri())
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_percent_encoded_and_commas_kept() {
        let target = Target::new("/x".to_owned())
            .pair("after", "MC0y=%")
            .list("properties", &["naïve", "b c"])
            .archived(true);
        assert_eq!(
            target.text,
            "/x?after=MC0y%3D%25&properties=na%C3%AFve,b%20c&archived=true"
        );
    }

    #[test]
    fn a_url_beyond_the_limit_is_refused_before_it_is_sent() {
        let error = Target::new("/x".to_owned())
            .pair("p", &"a".repeat(MAX_URL))
            .get()
            .unwrap_err();
        assert!(
            matches!(error, Error::UrlTooLong { length } if length > MAX_URL),
            "{error}"
        );
    }

    #[test]
    fn a_method_speaks_for_a_request_that_says_nothing() {
        let of = |method: Method| {
            Idempotency::of(&http::Request::builder().method(method).uri("/").body(()).unwrap())
        };
        assert_eq!(of(Method::DELETE), Idempotency::Safe);
        assert_eq!(of(Method::POST), Idempotency::Unsafe);
    }

    #[test]
    fn searches_and_batch_reads_are_reads_and_no_write_is() {
        let version = crate::ApiVersion::default();
        let ids = ["1"];
        let cursors = [("1", None::<&str>)];
        for request in [
            objects::List::new("contacts").request(&version),
            objects::BatchRead::new("contacts", ids).request(&version),
            search::SearchRequest::new().request(&version, "contacts"),
            lists::ListSearch::default().request(&version),
            properties::batch_read(&version, "contacts", &ids),
            associations::batch_read(&version, "contacts", "deals", &cursors),
            associations::batch_read_v3("contacts", "deals", &ids),
        ] {
            assert!(is_read(&request.unwrap()));
        }
        for request in [
            batches::archive(&version, "contacts", &ids),
            properties::batch_archive(&version, "contacts", &ids),
            imports::cancel(&version, "1"),
            lists::add_members(&version, "1", &ids),
        ] {
            assert!(!is_read(&request.unwrap()));
        }
    }
}
