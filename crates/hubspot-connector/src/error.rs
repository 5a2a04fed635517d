//! From the client's errors to the contract's: which kind decides what the run loop does.

use hubspot_client::{Error as ClientError, Fault, HttpErrorKind};
use opencdc::{Error, ErrorKind, Result};

/// What was being done when HubSpot answered with an error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doing<'a> {
    /// Such as "cannot read".
    pub(crate) what: &'a str,
    /// The stream's name.
    pub(crate) stream: &'a str,
    /// The scope it needs, for when HubSpot does not say.
    pub(crate) scope: Option<&'a str>,
}

impl<'a> Doing<'a> {
    /// Reading records of a stream.
    pub(crate) fn reading(stream: &'a str, scope: Option<&'a str>) -> Self {
        Self {
            what: "cannot read",
            stream,
            scope,
        }
    }

    /// The error of the contract, with its cause kept.
    pub(crate) fn failed(self, error: ClientError) -> Error {
        let Self { what, stream, scope } = self;
        let missing = missing_scopes(&error, scope);
        let context = format!("{what} stream `{stream}`");
        match missing {
            Some(scopes) => refused(error, &scopes).context(context),
            None => from_client(error).context(context),
        }
    }
}

/// Maps the error of a call.
pub(crate) trait OrFailed<T> {
    /// The value, or the error of the contract that says what was being done.
    fn or_failed(self, doing: Doing<'_>) -> Result<T>;
}

impl<T> OrFailed<T> for Result<T, ClientError> {
    fn or_failed(self, doing: Doing<'_>) -> Result<T> {
        self.map_err(|error| doing.failed(error))
    }
}

/// The contract's error for one of the client's, of a call that belongs to no stream.
pub fn from_client(error: ClientError) -> Error {
    let mut mapped = Error::new(kind(&error), error.to_string());
    if let Some(hint) = error.hint() {
        mapped = mapped.with_hint(hint);
    }
    if let Some(wait) = error.retry_after() {
        mapped = mapped.retry_after(wait);
    }
    mapped.with_source(error)
}

/// The scopes of which one is missing: HubSpot's own list, or the one that the stream is known to need.
fn missing_scopes(error: &ClientError, scope: Option<&str>) -> Option<String> {
    let listed = error.missing_scopes();
    if !listed.is_empty() {
        return Some(listed.join("` or `"));
    }
    if error.status() == Some(403) {
        scope.map(str::to_owned)
    } else {
        None
    }
}

fn refused(error: ClientError, scopes: &str) -> Error {
    Error::new(
        ErrorKind::Refused,
        format!("the token lacks the scope `{scopes}`"),
    )
    .with_hint(format!(
        "grant `{scopes}` to the app in HubSpot, or take the stream out of `streams`"
    ))
    .with_source(error)
}

fn kind(error: &ClientError) -> ErrorKind {
    match error {
        ClientError::DailyLimit { .. } => ErrorKind::Quota,
        ClientError::Token(_) | ClientError::TokenProvider(_) => ErrorKind::Refused,
        // A refusal that is not HubSpot's says nothing of the token.
        ClientError::Api(error) if error.is_retryable() => ErrorKind::Unreachable,
        ClientError::Api(error) if matches!(error.status, 401 | 403) => ErrorKind::Refused,
        ClientError::EmptyPages { .. } => ErrorKind::Unreachable,
        ClientError::Http(error) => http_kind(error.kind()),
        ClientError::Decode(error) => decode_kind(&error.fault),
        ClientError::Invalid(_) => ErrorKind::Configuration,
        ClientError::UrlTooLong { .. } => ErrorKind::Internal,
        _ => ErrorKind::InvalidData,
    }
}

fn http_kind(kind: HttpErrorKind) -> ErrorKind {
    match kind {
        HttpErrorKind::Request => ErrorKind::Configuration,
        // A certificate that is not trusted now will not be in a second: trying again is no use.
        HttpErrorKind::Token | HttpErrorKind::Tls | HttpErrorKind::ProxyLogin => ErrorKind::Refused,
        HttpErrorKind::DailyLimit => ErrorKind::Quota,
        _ => ErrorKind::Unreachable,
    }
}

fn decode_kind(fault: &Fault) -> ErrorKind {
    if fault.is_passing() {
        ErrorKind::Unreachable
    } else {
        ErrorKind::InvalidData
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_heals_by_itself_is_unreachable_and_the_rest_is_not() {
        assert_eq!(decode_kind(&Fault::EndsEarly { at: 3 }), ErrorKind::Unreachable);
        assert_eq!(
            decode_kind(&Fault::Lacks { member: "results" }),
            ErrorKind::Unreachable
        );
        assert_eq!(http_kind(HttpErrorKind::Redirect), ErrorKind::Unreachable);
        assert_eq!(decode_kind(&Fault::Malformed { at: 3 }), ErrorKind::InvalidData);
        assert_eq!(http_kind(HttpErrorKind::Dns), ErrorKind::Unreachable);
        assert_eq!(http_kind(HttpErrorKind::Tls), ErrorKind::Refused);
    }

    #[test]
    fn an_error_names_its_stream_and_keeps_its_cause() {
        let circle = ClientError::RepeatedPage {
            stream: "contacts".into(),
            after: "7".into(),
        };
        let error = Doing::reading("contacts", None).failed(circle);
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(
            error.to_string().starts_with("cannot read stream `contacts`: "),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some() && error.hint().is_some());
    }
}
