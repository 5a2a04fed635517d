//! What can go wrong before there is a whole answer.

use std::{error::Error as StdError, fmt, time::Duration};

use super::Request;
use crate::redact;

/// How the transport names the host that it was redirected to.
pub(super) const REDIRECTED_TO: &str = "redirected to ";

/// A request that got no whole answer. Names method, host and path; never the query, a header or a token.
///
/// The cause is kept as [`source`](StdError::source), not pasted into the text.
#[derive(Debug)]
pub struct HttpError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: HttpErrorKind,
    exchange: Exchange,
    proxy: Option<String>,
    attempts: u32,
    elapsed: Duration,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Why there is no whole answer, and what that allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// The host's name did not resolve. Retried for every request: nothing was sent.
    Dns,
    /// No connection to the host. Retried for every request: nothing was sent.
    Connect,
    /// The connection could not be made private: a certificate that is not trusted, or a port that does not speak
    /// TLS. Never retried: it does not mend itself.
    Tls,
    /// The proxy refused user and password, or wants some. Never retried: it does not mend itself.
    ProxyLogin,
    /// The proxy would not or could not reach the host. Retried for every request: nothing was sent.
    Proxy,
    /// No answer in time. Retried for every request if still connecting, else where repeating is safe.
    Timeout(Phase),
    /// The connection ended before the answer did. Retried where repeating is safe.
    Interrupted,
    /// The answer points to another host, where the token must not go. A few times retried for reads: HubSpot does not
    /// redirect, so a gateway that stumbles did.
    Redirect,
    /// The response is larger than the client takes. Never retried: it was the answer.
    TooLarge,
    /// No token could be had. Never retried here: a token provider has its own retries.
    Token,
    /// The day's calls are used up and nothing was sent. Never retried: the client sleeps until midnight in the
    /// account's time zone, or fails, as it was told.
    DailyLimit,
    /// The day's calls could not be counted, so nothing was sent. Never retried.
    Ledger,
    /// The request could not be sent as it is. Never retried.
    Request,
}

/// Which clock ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// While connecting: nothing was sent.
    Connect,
    /// While waiting for the next piece of the answer.
    Read,
    /// The whole exchange took too long, however steadily it trickled.
    Total,
}

impl HttpErrorKind {
    /// Whether HubSpot cannot have seen the request.
    pub fn never_sent(self) -> bool {
        use HttpErrorKind as Kind;
        match self {
            Kind::Timeout(phase) => phase == Phase::Connect,
            Kind::Interrupted | Kind::Redirect | Kind::TooLarge => false,
            Kind::Dns
            | Kind::Connect
            | Kind::Tls
            | Kind::ProxyLogin
            | Kind::Proxy
            | Kind::Token
            | Kind::DailyLimit
            | Kind::Ledger
            | Kind::Request => true,
        }
    }

    /// Whether the same request may do better later.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Dns | Self::Connect | Self::Proxy | Self::Timeout(_) | Self::Interrupted
        )
    }
}

impl fmt::Display for HttpErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "the host name does not resolve",
            Self::Connect => "no connection to the host",
            Self::Tls => "no TLS connection to the host",
            Self::ProxyLogin => "the proxy refused user and password",
            Self::Proxy => "the proxy did not reach the host",
            Self::Timeout(Phase::Connect) => "no connection in time",
            Self::Timeout(Phase::Read) => "no answer in time",
            Self::Timeout(Phase::Total) => "the answer took too long altogether",
            Self::Interrupted => "the connection ended before the answer did",
            Self::Redirect => "the answer points to another host",
            Self::TooLarge => "the response is larger than `max_response_size` allows",
            Self::Token => "there is no access token",
            Self::DailyLimit => "the daily limit is used up; nothing was sent",
            Self::Ledger => "the day's calls cannot be counted; nothing was sent",
            Self::Request => "the request could not be sent",
        })
    }
}

/// What an error may say about a request: method, host and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) method: http::Method,
    pub(crate) host: String,
    pub(crate) path: String,
}

impl Exchange {
    pub(crate) fn of<B>(request: &http::Request<B>) -> Self {
        Self {
            method: request.method().clone(),
            host: request
                .uri()
                .authority()
                .map(|a| redact::authority(a.as_str()))
                .unwrap_or_default()
                .to_owned(),
            path: redact::path(request.uri().path()),
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.host, self.path)
    }
}

impl HttpError {
    /// An error of one attempt at a request.
    pub fn new(kind: HttpErrorKind, request: &Request) -> Self {
        Self::about(kind, Exchange::of(request))
    }

    pub(crate) fn about(kind: HttpErrorKind, exchange: Exchange) -> Self {
        Self(Box::new(Inner {
            kind,
            exchange,
            proxy: None,
            attempts: 1,
            elapsed: Duration::ZERO,
            source: None,
        }))
    }

    /// Keeps what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says which proxy it went through.
    pub(super) fn through(mut self, proxy: Option<&str>) -> Self {
        self.0.proxy = proxy.map(ToOwned::to_owned);
        self
    }

    /// Says how often and how long it was tried.
    pub(crate) fn after(mut self, attempts: u32, elapsed: Duration) -> Self {
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        self
    }

    /// Why there is no whole answer.
    pub fn kind(&self) -> HttpErrorKind {
        self.0.kind
    }

    /// The host that was asked.
    pub fn host(&self) -> &str {
        &self.0.exchange.host
    }

    /// Host and port of the proxy it went through, if it was told to.
    pub fn proxy(&self) -> Option<&str> {
        self.0.proxy.as_deref()
    }

    /// The path that was asked for, without its query.
    pub fn path(&self) -> &str {
        &self.0.exchange.path
    }

    /// How many attempts were made.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long all attempts and the waits between them took.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// The other host that a redirect names.
    fn redirected_to(&self) -> Option<String> {
        let first: Option<&(dyn StdError + 'static)> = self.source();
        std::iter::successors(first, |error| (*error).source()).find_map(|error| {
            let words = error.to_string();
            words.strip_prefix(REDIRECTED_TO).map(ToOwned::to_owned)
        })
    }

    /// The cause, for whoever wraps this error.
    pub(crate) fn into_source(self) -> Option<Box<dyn StdError + Send + Sync>> {
        self.0.source
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            kind,
            exchange,
            proxy,
            attempts,
            elapsed,
            ..
        } = &*self.0;
        write!(f, "{exchange}: {kind}")?;
        if let Some(host) = self.redirected_to() {
            write!(f, ", {host}")?;
        }
        if let Some(proxy) = proxy {
            write!(f, " (proxy {proxy})")?;
        }
        write_attempts(f, *attempts, *elapsed)
    }
}

/// ` (after 3 attempts in 4.2s)`; nothing for a first attempt.
pub(crate) fn write_attempts(f: &mut fmt::Formatter<'_>, attempts: u32, elapsed: Duration) -> fmt::Result {
    if attempts <= 1 {
        return Ok(());
    }
    write!(f, " (after {attempts} attempts in {:.1}s)", elapsed.as_secs_f64())
}

impl StdError for HttpError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn request(uri: &str) -> Request {
        http::Request::get(uri).body(Bytes::new()).unwrap()
    }

    #[test]
    fn an_error_names_host_and_path_but_no_query() {
        let request = request("https://user:pw@api.hubapi.com/crm/v3/objects/contacts?after=secret");
        let error = HttpError::new(HttpErrorKind::Connect, &request).after(3, Duration::from_millis(4210));
        assert_eq!(
            error.to_string(),
            "GET api.hubapi.com/crm/v3/objects/contacts: no connection to the host (after 3 attempts in 4.2s)"
        );
        assert!(!format!("{error:?}").contains("secret") && !format!("{error:?}").contains("pw"));
    }

    #[test]
    fn the_cause_is_kept_and_not_pasted() {
        let error =
            HttpError::new(HttpErrorKind::Interrupted, &request("http://h/p")).caused_by("reset by peer");
        assert!(!error.to_string().contains("reset"));
        assert_eq!(error.source().unwrap().to_string(), "reset by peer");
    }
}
