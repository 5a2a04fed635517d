//! The network: reqwest over rustls with ring, with clocks on every phase.

use std::{error::Error as StdError, io, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::redirect;

use super::{HttpError, HttpErrorKind, HttpService, Network, Phase, Request, Response, error::REDIRECTED_TO};
use crate::error::Error;

const USER_AGENT: &str = concat!("spoke/", env!("CARGO_PKG_VERSION"));
const MAX_REDIRECTS: usize = 5;

/// The largest response that a client takes unless told otherwise: 256 MB. A page of 100 records with all properties
/// and their history has a few.
pub const MAX_RESPONSE_SIZE: usize = 256 * 1024 * 1024;

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
    max_size: usize,
    /// Where this connection's own proxy is, for messages.
    proxy: Option<String>,
}

impl ReqwestService {
    /// # Errors
    /// [`Error::Invalid`] when the platform offers no TLS set-up.
    pub fn new(timeouts: Timeouts) -> Result<Self, Error> {
        Self::with_network(timeouts, &Network::default())
    }

    /// The same by a way of its own.
    ///
    /// # Errors
    /// [`Error::Invalid`] when certificates or keys are none.
    pub fn with_network(timeouts: Timeouts, network: &Network) -> Result<Self, Error> {
        install_crypto_provider();
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.read)
            .gzip(true)
            .redirect(redirect::Policy::custom(within_host));
        let client = network
            .apply(builder)?
            .build()
            .map_err(|error| Error::Invalid(format!("no HTTP client: {}", innermost(&error))))?;
        Ok(Self {
            client,
            total: timeouts.total,
            max_size: MAX_RESPONSE_SIZE,
            proxy: network.proxy_host().map(ToOwned::to_owned),
        })
    }

    /// The largest body to take, in bytes after decompression. Default [`MAX_RESPONSE_SIZE`].
    #[must_use]
    pub fn max_response_size(self, max_size: usize) -> Self {
        Self { max_size, ..self }
    }

    async fn exchange(&self, request: &Request) -> Result<Response, HttpError> {
        let fail =
            |error: reqwest::Error| HttpError::new(kind_of(&error), request).caused_by(error.without_url());
        let outgoing = request.clone().try_into().map_err(fail)?;
        let mut incoming = self.client.execute(outgoing).await.map_err(fail)?;
        let mut response = Response::default();
        if incoming.status() == http::StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            // HubSpot never answers so: a plain request goes to the proxy itself.
            return Err(HttpError::new(HttpErrorKind::ProxyLogin, request));
        }
        *response.status_mut() = incoming.status();
        *response.version_mut() = incoming.version();
        *response.headers_mut() = std::mem::take(incoming.headers_mut());
        *response.body_mut() = self.body(incoming, request).await?;
        Ok(response)
    }

    /// Reads a body piece by piece, so that one without end, or a small one that unpacks to gigabytes, takes no more
    /// memory than the bound.
    async fn body(&self, mut incoming: reqwest::Response, request: &Request) -> Result<Bytes, HttpError> {
        let fail = |error: reqwest::Error| {
            // Whatever breaks once the head of the answer is here, breaks the answer.
            let kind = if error.is_timeout() {
                kind_of(&error)
            } else {
                HttpErrorKind::Interrupted
            };
            HttpError::new(kind, request).caused_by(error.without_url())
        };
        let Some(first) = incoming.chunk().await.map_err(fail)? else {
            return Ok(Bytes::new());
        };
        let mut body = BytesMut::from(first);
        loop {
            if body.len() > self.max_size {
                return Err(HttpError::new(HttpErrorKind::TooLarge, request));
            }
            match incoming.chunk().await.map_err(fail)? {
                Some(piece) => body.extend_from_slice(&piece),
                None => return Ok(body.freeze()),
            }
        }
    }
}

#[async_trait]
impl HttpService for ReqwestService {
    async fn call(&self, request: Request) -> Result<Response, HttpError> {
        // reqwest's own total timeout cannot be told from its read timeout afterwards; this one can.
        tokio::time::timeout(self.total, self.exchange(&request))
            .await
            .unwrap_or_else(|_| Err(HttpError::new(HttpErrorKind::Timeout(Phase::Total), &request)))
            .map_err(|error| error.through(self.proxy.as_deref()))
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
        return attempt.error(format!("{REDIRECTED_TO}{host}"));
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
        // A server that wants a certificate says so after the handshake.
        e if is_tls(e) => HttpErrorKind::Tls,
        _ => HttpErrorKind::Interrupted,
    }
}

fn is_tls(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn StdError>::is::<rustls::Error>)
}

/// hyper-util keeps its types for names and proxies private; the text is all there is.
fn kind_of_connect(error: &reqwest::Error) -> HttpErrorKind {
    const LOGIN: [&str; 4] = [
        "tunnel error: proxy authorization required",
        "SOCKS error: credentials not accepted",
        "SOCKS error: server does not support user/pass authentication",
        "SOCKS error: server implements authentication incorrectly",
    ];
    const NOT_REACHED: &str = ": failed to create underlying connection";
    let texts: Vec<_> = causes(error).map(ToString::to_string).collect();
    let any = |test: &dyn Fn(&str) -> bool| texts.iter().any(|text| test(text));
    match () {
        () if is_tls(error) => HttpErrorKind::Tls,
        () if any(&|text| text == "dns error") => HttpErrorKind::Dns,
        () if any(&|text| LOGIN.contains(&text)) => HttpErrorKind::ProxyLogin,
        () if any(&|text| text.ends_with(NOT_REACHED)) => HttpErrorKind::Connect,
        () if any(&|text| text.starts_with("tunnel error") || text.starts_with("SOCKS error")) => {
            HttpErrorKind::Proxy
        }
        () => HttpErrorKind::Connect,
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
