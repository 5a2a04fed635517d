//! What can go wrong, each variant a thing a caller can act on.

mod api;

use std::{error::Error as StdError, time::Duration};

pub use self::api::{ApiError, SubError};
pub(crate) use self::api::{has_hubspot_body, is_passing, is_refusal};
use crate::{
    auth::{OAuthError, TokenError},
    http::{HttpError, HttpErrorKind},
};

/// A call that did not give what was asked for.
///
/// The text says what was being done, to what, and what came back; [`hint`](Error::hint) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// HubSpot answered with an error status.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// There was no whole answer.
    #[error(transparent)]
    Http(HttpError),
    /// There was an answer, but not the JSON that was expected.
    #[error(transparent)]
    Decode(Box<DecodeError>),
    /// The account's calls for today are used up. They come back at midnight in the account's time zone; until then
    /// a call now and then finds out whether they have.
    #[error("the account's daily call limit is used up; it resets at midnight in the account's time zone")]
    DailyLimit {
        /// HubSpot's answer, or why nothing was sent.
        #[source]
        source: Box<Error>,
    },
    /// There is no usable access token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A token provider failed.
    #[error("could not get an access token")]
    TokenProvider(#[source] Box<dyn StdError + Send + Sync>),
    /// A page says that the next page is one already read: following it would never end.
    #[error("HubSpot's pages of {stream} go in a circle: `after={after}` came a second time")]
    RepeatedPage {
        /// Whose pages.
        stream: String,
        /// The repeated token.
        after: String,
    },
    /// Page after page is empty and names a next one: following them would never end.
    #[error("HubSpot sent {pages} empty pages of {stream} in a row, each with a next one; gave up")]
    EmptyPages {
        /// Whose pages.
        stream: String,
        /// How many.
        pages: u32,
    },
    /// A page links to another host, where the token must not go.
    #[error("a page of {stream} links to another host, {host}; not followed")]
    ForeignLink {
        /// Whose page.
        stream: String,
        /// The other host.
        host: String,
    },
    /// The properties asked for do not fit a URL.
    #[error("the URL would be {length} characters long; HubSpot refuses them at about 16,200")]
    UrlTooLong {
        /// Length of path and query.
        length: usize,
    },
    /// A request or a setting that cannot work.
    #[error("{0}")]
    Invalid(String),
}

/// An answer that is not the JSON it should be. Holds no piece of the answer.
#[derive(Debug, thiserror::Error)]
#[error("{method} {path}: {fault}")]
pub struct DecodeError {
    /// The request's method.
    pub method: http::Method,
    /// The request's path, redacted.
    pub path: String,
    /// What is wrong with the answer.
    pub fault: Fault,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Something else than JSON, by its first character.
    #[error("expected JSON but got {found} (content-type {content_type})")]
    NotJson {
        /// `HTML`, `an empty answer` or `text`.
        found: &'static str,
        /// What the answer calls itself.
        content_type: String,
    },
    /// The answer stops in the middle.
    #[error("the JSON ends early at byte {at}")]
    EndsEarly {
        /// Length of the answer.
        at: usize,
    },
    /// Not UTF-8.
    #[error("the answer is not UTF-8 from byte {at}")]
    NotUtf8 {
        /// First byte at fault, or the chunk it is in.
        at: usize,
    },
    /// JSON with an error in it.
    #[error("the answer is not valid JSON at byte {at}")]
    Malformed {
        /// Where reading stopped.
        at: usize,
    },
    /// JSON without a member that HubSpot always sends: it says nothing of an end or an absence.
    #[error("the response has no `{member}`, so it is not taken for an empty one")]
    Lacks {
        /// Such as `results`.
        member: &'static str,
    },
    /// HubSpot's error body with a status that says success.
    #[error("the response is an error with the status of a success{}", category.as_deref().map(|category| format!(" ({category})")).unwrap_or_default())]
    ErrorBody {
        /// HubSpot's class of error.
        category: Option<String>,
    },
    /// A batch that HubSpot has not finished.
    #[error("the batch is not complete")]
    Unfinished,
    /// A page of a list that HubSpot gives whole.
    #[error("the response says that it goes on, but HubSpot gives this list whole")]
    InPart,
    /// A batch read that answers with other records than it was asked for.
    #[error("the response has records that were not asked for")]
    Strangers,
    /// JSON, but not of the expected shape.
    #[error("the answer does not have the expected shape: {what} at byte {at}")]
    WrongShape {
        /// What was missing or unexpected, without values.
        what: String,
        /// Where reading stopped.
        at: usize,
    },
}

impl Fault {
    /// Whether the same read may do better later: what a gateway or a lost connection did heals by itself, another
    /// shape does not.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::NotJson { .. }
            | Self::EndsEarly { .. }
            | Self::Lacks { .. }
            | Self::ErrorBody { .. }
            | Self::Unfinished
            | Self::InPart
            | Self::Strangers => true,
            Self::NotUtf8 { .. } | Self::Malformed { .. } | Self::WrongShape { .. } => false,
        }
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Self {
        match error.kind() {
            HttpErrorKind::Token => Self::of_provider(error),
            HttpErrorKind::DailyLimit => Self::DailyLimit {
                source: Box::new(Self::Http(error)),
            },
            _ => Self::Http(error),
        }
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        let daily = error.is_daily_limit();
        let error = Self::Api(Box::new(error));
        if daily {
            Self::DailyLimit {
                source: Box::new(error),
            }
        } else {
            error
        }
    }
}

impl Error {
    fn of_provider(error: HttpError) -> Self {
        match error
            .into_source()
            .map(<dyn StdError + Send + Sync>::downcast::<Self>)
        {
            Some(Ok(inner)) => *inner,
            Some(Err(other)) => Self::TokenProvider(other),
            None => Self::TokenProvider("no cause given".into()),
        }
    }

    /// HubSpot's own error, wherever it is.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::DailyLimit { source } => source.api(),
            _ => None,
        }
    }

    /// The status HubSpot answered with. `None` for a refusal without HubSpot's error body: a proxy or a firewall
    /// answered, which knows nothing of records and scopes.
    pub fn status(&self) -> Option<u16> {
        self.api()
            .filter(|error| !error.is_foreign())
            .map(|error| error.status)
    }

    /// Whether the same call may do better later. What could be retried at once has been.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Api(error) => error.is_retryable(),
            Self::Http(error) => error.kind().is_transient() || error.kind() == HttpErrorKind::Redirect,
            Self::Decode(error) => error.fault.is_passing(),
            Self::DailyLimit { .. } => true,
            Self::TokenProvider(_) => !self.is_unauthorized(),
            _ => false,
        }
    }

    /// Whether the token was refused or could not be used.
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
            || matches!(self, Self::Token(_))
            || self.oauth().is_some_and(OAuthError::is_refused)
    }

    /// Why there is no new OAuth token.
    fn oauth(&self) -> Option<&OAuthError> {
        match self {
            Self::TokenProvider(cause) => cause.downcast_ref(),
            _ => None,
        }
    }

    /// Whether the record, object type or path does not exist, in HubSpot's own words.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether the day's calls are used up.
    pub fn is_daily_limit(&self) -> bool {
        matches!(self, Self::DailyLimit { .. })
    }

    /// Scopes the token would need; any one of them suffices.
    pub fn missing_scopes(&self) -> &[String] {
        self.api().map_or(&[], |error| &error.missing_scopes)
    }

    /// How long HubSpot asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(|error| error.retry_after)
    }

    /// What whoever reads this can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Api(error) => return error.hint(),
            Self::Http(error) => return http_hint(error),
            Self::Decode(error) => return Some(decode_hint(&error.fault).to_owned()),
            Self::DailyLimit { .. } => {
                "wait for midnight, buy the API capacity add-on, or sync fewer streams less often"
            }
            Self::Token(_) => {
                "a private app token looks like `pat-na1-` and five groups of letters and digits"
            }
            Self::RepeatedPage { .. } | Self::EmptyPages { .. } => {
                "run it again; if it stays, report it with the names in this message"
            }
            Self::ForeignLink { .. } => "check the base URL: a proxy that rewrites links can cause this",
            Self::UrlTooLong { .. } => "read the ids by list and the properties by batch read",
            Self::TokenProvider(_) => return self.oauth()?.hint().map(ToOwned::to_owned),
            Self::Invalid(_) => return None,
        };
        Some(hint.to_owned())
    }
}

fn http_hint(error: &HttpError) -> Option<String> {
    let host = error.host();
    match error.kind() {
        HttpErrorKind::Dns => Some(format!(
            "check the base URL and that this machine can resolve `{host}`"
        )),
        HttpErrorKind::ProxyLogin => Some(match error.proxy() {
            Some(proxy) => format!("check user and password of the proxy `{proxy}`"),
            None => "check user and password of the proxy that the environment names".to_owned(),
        }),
        HttpErrorKind::Proxy => Some(format!("check that the proxy may and can reach `{host}`")),
        HttpErrorKind::Connect if error.proxy().is_some() => Some(format!(
            "check that the proxy `{}` is right and reachable from here",
            error.proxy().unwrap_or_default()
        )),
        HttpErrorKind::Connect => Some(format!("check that `{host}` is right and reachable from here")),
        HttpErrorKind::Tls => Some(format!(
            "check that `{host}` speaks HTTPS and that its certificate is trusted here"
        )),
        HttpErrorKind::Timeout(_) | HttpErrorKind::Interrupted => {
            Some("try again; if it stays, look for a proxy or firewall between here and HubSpot".to_owned())
        }
        HttpErrorKind::TooLarge => Some(
            "HubSpot sends far less: look for a proxy or gateway on the way, or raise `max_response_size`"
                .to_owned(),
        ),
        HttpErrorKind::Redirect => Some(
            "HubSpot's API does not redirect: check the base URL, and proxies or login pages on the way"
                .to_owned(),
        ),
        _ => None,
    }
}

fn decode_hint(fault: &Fault) -> &'static str {
    match fault {
        Fault::NotJson { .. } => {
            "check the base URL; a proxy or a login page may be answering instead of HubSpot"
        }
        Fault::EndsEarly { .. } => "try again; if it stays, something between here and HubSpot cuts answers",
        Fault::NotUtf8 { .. } | Fault::Malformed { .. } => {
            "something between here and HubSpot changes answers"
        }
        Fault::Lacks { .. }
        | Fault::ErrorBody { .. }
        | Fault::Unfinished
        | Fault::InPart
        | Fault::Strangers => {
            "try again; if it stays, look for a proxy or gateway that answers instead of HubSpot"
        }
        Fault::WrongShape { .. } => "HubSpot may have changed this answer; report it with this message",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_enough_to_return() {
        assert!(size_of::<Error>() <= 64, "{}", size_of::<Error>());
    }

    #[test]
    fn hints_say_what_to_do() {
        let decode = |fault| {
            let (method, path) = (http::Method::GET, "/p".to_owned());
            Error::Decode(Box::new(DecodeError { method, path, fault }))
        };
        let html = Fault::NotJson {
            found: "HTML",
            content_type: "text/html".to_owned(),
        };
        assert_eq!(
            decode(html.clone()).to_string(),
            "GET /p: expected JSON but got HTML (content-type text/html)"
        );
        assert!(decode(html).hint().unwrap().contains("base URL"));
        assert!(
            Error::UrlTooLong { length: 20_000 }
                .hint()
                .unwrap()
                .contains("batch read")
        );
    }
}
