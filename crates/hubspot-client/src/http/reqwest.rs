//! The network: reqwest over rustls with ring, with clocks on every phase.

use std::{error::Error as StdError, io, time::Duration};

use async_trait::async_trait;
use reqwest::redirect;

use super::{HttpError, HttpErrorKind, HttpService, Phase, Request, Response};
use crate::error::Error;

const USER_AGENT: &str = concat!("spoke/", env!("CARGO_PKG_VERSION"));
const MAX_REDIRECTS: usize = 5;

/// How long each phase of one attempt may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection, TLS included. Default 10 s.
    pub connect: Duration,
    /// Between two pieces of an answer, the wait for its first included. Default 60 s.
    pub read: Duration,
    /// Everything together, so that an answer that trickles for ever is cut. Default 120 s; Cloudflare gives up on
    /// HubSpot after 100 s with a 524 (hubspot-api notes §3.1), which is worth waiting for.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_mins(1),
            total: Duration::from_mins(2),
        }
    }
}

/// The transport: HTTP/1.1 and 2, TLS, gzip, a connection pool. Follows redirects within a host only, because the
/// token goes with the request.
#[derive(Clone, Debug)]
pub struct ReqwestService {
    client: reqwest::Client,
    total: Duration,
}

impl ReqwestService {
    /// # Errors
    /// [`Error::Invalid`] when the platform offers no TLS set-up.
    pub fn new(timeouts: Timeouts) -> Result<Self, Error> {
        install_crypto_provider();
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.read)
            .gzip(true)
            .redirect(redirect::Policy::custom(within_host))
            .build()
            .map_err(|error| Error::Invalid(format!("no HTTP client: {}", innermost(&error))))?;
        Ok(Self {
            client,
            total: timeouts.total,
        })
    }

    async fn exchange(&self, request: &Request) -> Result<Response, HttpError> {
        let fail =
            |error: reqwest::Error| HttpError::new(kind_of(&error), request).caused_by(error.without_url());
        let outgoing = request.clone().try_into().map_err(fail)?;
        let mut incoming = self.client.execute(outgoing).await.map_err(fail)?;
        let mut response = Response::default();
        *response.status_mut() = incoming.status();
        *response.version_mut() = incoming.version();
        *response.headers_mut() = std::mem::take(incoming.headers_mut());
        *response.body_mut() = incoming.bytes().await.map_err(|error| {
            // Whatever breaks once the head of the answer is here, breaks the answer.
            let kind = if error.is_timeout() {
                kind_of(&error)
            } else {
                HttpErrorKind::Interrupted
            };
            HttpError::new(kind, request).caused_by(error.without_url())
        })?;
        Ok(response)
    }
}

#[async_trait]
impl HttpService for ReqwestService {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        // reqwest's own total timeout cannot be told from its read timeout afterwards; this one can.
        tokio::time::timeout(self.total, self.exchange(&request))
            .await
            .unwrap_or_else(|_| Err(HttpError::new(HttpErrorKind::Timeout(Phase::Total), &request)))
    }
}

/// reqwest without a built-in provider panics unless one was installed. Whoever came first is fine.
fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

fn within_host(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same = attempt
        .previous()
        .first()
        .is_some_and(|first| first.origin() == attempt.url().origin());
    if !same {
        let host = attempt.url().host_str().unwrap_or("nowhere").to_owned();
        return attempt.error(format!("redirected to {host}"));
    }
    if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error("too many redirects")
    } else {
        attempt.follow()
    }
}

fn kind_of(error: &reqwest::Error) -> HttpErrorKind {
    match error {
        e if e.is_redirect() => HttpErrorKind::Redirect,
        e if e.is_builder() => HttpErrorKind::Request,
        e if e.is_timeout() && e.is_connect() => HttpErrorKind::Timeout(Phase::Connect),
        e if e.is_timeout() => HttpErrorKind::Timeout(Phase::Read),
        e if e.is_connect() => kind_of_connect(e),
        _ => HttpErrorKind::Interrupted,
    }
}

fn kind_of_connect(error: &reqwest::Error) -> HttpErrorKind {
    if causes(error).any(<dyn StdError>::is::<rustls::Error>) {
        HttpErrorKind::Tls
    } else if causes(error).any(|cause| cause.to_string() == "dns error") {
        // hyper-util keeps its type for this private; the text is all there is.
        HttpErrorKind::Dns
    } else {
        HttpErrorKind::Connect
    }
}

/// An error and all that caused it. An `io::Error` hides the error it was made of from `source`, and rustls travels
/// inside one or two of them.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inside) => Some(inside),
        None => error.source(),
    }
}

fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}
