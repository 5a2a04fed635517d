//! Tokens: where they come from, and the layer that puts one on each attempt.

mod oauth;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use http::{HeaderValue, StatusCode, header::AUTHORIZATION};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub use self::oauth::{OAuthCredentials, OAuthError, OAuthToken};
use crate::{
    error::Error,
    http::{HttpError, HttpErrorKind, HttpService, Request, Response},
};

/// A token that is good now. Not shown by `Debug`, wiped when dropped.
#[derive(Clone, Debug)]
pub struct AccessToken(SecretString);

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

/// Hands out tokens: a fixed one, or one that is renewed before it ends.
///
/// Asked once per attempt, so an answer from memory should be cheap.
#[async_trait]
pub trait TokenProvider: Send + Sync + fmt::Debug {
    /// A token that is good now.
    async fn token(&self) -> Result<AccessToken, Error>;

    /// Gets another token, because HubSpot says that this one has expired. `true`: there is one now, and the request
    /// may be sent again. The default cannot.
    async fn renew(&self, _expired: &AccessToken) -> Result<bool, Error> {
        Ok(false)
    }

    /// Looks for another token where this one came from, because HubSpot refused it for whatever reason: it may have been
    /// rotated. `true`: there is another one now, and the request may be sent again. The default cannot.
    async fn replace(&self, _refused: &AccessToken) -> Result<bool, Error> {
        Ok(false)
    }
}

/// Why a text is no access token. The text itself is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Nothing, or only white space.
    #[error("the access token is empty")]
    Empty,
    /// A secret read from a file usually ends in one.
    #[error("the access token contains a line break {0}; remove it where the token is kept")]
    LineBreak(Place),
    /// A blank or a tab.
    #[error("the access token contains white space {0}; remove it where the token is kept")]
    WhiteSpace(Place),
    /// A control character.
    #[error("the access token contains a control character {0}; copy it again")]
    Control(Place),
    /// Quotes of a word processor, a letter of another alphabet.
    #[error("the access token contains a character that is not ASCII {0}; copy it again")]
    NotAscii(Place),
}

/// Where in a token a character stands, as precisely as is safe to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// First character.
    Start,
    /// Somewhere between.
    Middle,
    /// Last character.
    End,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "at its start",
            Self::Middle => "in its middle",
            Self::End => "at its end",
        })
    }
}

impl AccessToken {
    /// Takes a token as it is; nothing is trimmed, because a token that needs trimming will surprise elsewhere too.
    pub fn new(token: impl Into<SecretString>) -> Result<Self, TokenError> {
        let token = token.into();
        check(token.expose_secret())?;
        Ok(Self(token))
    }

    fn header(&self) -> HeaderValue {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", self.0.expose_secret()))
            .expect("`AccessToken::new` lets visible ASCII through only");
        value.set_sensitive(true);
        value
    }
}

fn check(token: &str) -> Result<(), TokenError> {
    if token.trim().is_empty() {
        return Err(TokenError::Empty);
    }
    // The end first: a line break there is by far the usual fault.
    let last = token.chars().count() - 1;
    let place = |n| match n {
        0 => Place::Start,
        n if n == last => Place::End,
        _ => Place::Middle,
    };
    token
        .chars()
        .enumerate()
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .try_for_each(|(n, c)| check_char(c, place(n)))
}

fn check_char(c: char, place: Place) -> Result<(), TokenError> {
    match c {
        '\r' | '\n' => Err(TokenError::LineBreak(place)),
        c if c.is_whitespace() => Err(TokenError::WhiteSpace(place)),
        c if c.is_control() => Err(TokenError::Control(place)),
        c if !c.is_ascii() => Err(TokenError::NotAscii(place)),
        _ => Ok(()),
    }
}

/// A token that does not change: of a private app or a service key (hubspot-api notes §4).
#[derive(Clone, Debug)]
pub struct StaticToken(AccessToken);

impl StaticToken {
    /// ```
    /// use hubspot_client::StaticToken;
    /// assert!(StaticToken::new("pat-na1-0000").is_ok());
    /// let error = StaticToken::new("pat-na1-0000\n").unwrap_err();
    /// assert!(error.to_string().starts_with("the access token contains a line break at its end"));
    /// ```
    pub fn new(token: impl Into<SecretString>) -> Result<Self, TokenError> {
        AccessToken::new(token).map(Self)
    }
}

#[async_trait]
impl TokenProvider for StaticToken {
    async fn token(&self) -> Result<AccessToken, Error> {
        Ok(self.0.clone())
    }
}

/// The layer: every attempt carries the token that is current when it leaves.
#[derive(Debug)]
pub(crate) struct Auth {
    inner: Arc<dyn HttpService>,
    tokens: Arc<dyn TokenProvider>,
}

impl Auth {
    pub(crate) fn new(inner: Arc<dyn HttpService>, tokens: Arc<dyn TokenProvider>) -> Self {
        Self { inner, tokens }
    }
}

#[async_trait]
impl HttpService for Auth {
    async fn call(&self, mut request: Request) -> Result<Response, HttpError> {
        let no_token = HttpError::new(HttpErrorKind::Token, &request);
        let token = match self.tokens.token().await {
            Ok(token) => token,
            Err(error) => return Err(no_token.caused_by(error)),
        };
        request.headers_mut().insert(AUTHORIZATION, token.header());
        let is_second = request.extensions().get::<Renewed>().is_some();
        let mut response = self.inner.call(request).await?;
        if !is_second && response.status() == StatusCode::UNAUTHORIZED {
            match self.another(&token, &response).await {
                Ok(true) => drop(response.extensions_mut().insert(Renewed)),
                Ok(false) => {}
                Err(error) => return Err(no_token.caused_by(error)),
            }
        }
        Ok(response)
    }
}

impl Auth {
    /// Whether there is another token than the refused one now.
    async fn another(&self, refused: &AccessToken, response: &Response) -> Result<bool, Error> {
        Ok(is_expired(response) && self.tokens.renew(refused).await? || self.tokens.replace(refused).await?)
    }
}

/// An extension of a response: the token was refused, and there is another one now. The retry
/// layer sends the request again, with the same extension, so that this attempt too waits for its turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewed;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    category: Option<String>,
}

/// 401 with `EXPIRED_AUTHENTICATION` (hubspot-api notes §3.1).
fn is_expired(response: &Response) -> bool {
    response.status() == StatusCode::UNAUTHORIZED
        && serde_json::from_slice::<Refusal>(response.body())
            .unwrap_or_default()
            .category
            .is_some_and(|category| category == "EXPIRED_AUTHENTICATION")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(token: &str) -> TokenError {
        let error = StaticToken::new(token).unwrap_err();
        assert!(!error.to_string().contains("pat-"), "the token is in the error");
        error
    }

    #[test]
    fn a_faulty_token_is_refused_with_its_fault_and_without_its_text() {
        assert_eq!(refusal(""), TokenError::Empty);
        assert_eq!(refusal(" \n"), TokenError::Empty);
        assert_eq!(refusal("pat-na1-x\n"), TokenError::LineBreak(Place::End));
        assert_eq!(refusal("pat-na1-x\r\n"), TokenError::LineBreak(Place::End));
        assert_eq!(refusal("pat-na1\n-x"), TokenError::LineBreak(Place::Middle));
        assert_eq!(refusal(" pat-na1-x"), TokenError::WhiteSpace(Place::Start));
        assert_eq!(refusal("pat-\u{7}-x"), TokenError::Control(Place::Middle));
        assert_eq!(refusal("“pat-na1-x"), TokenError::NotAscii(Place::Start));
    }

    #[test]
    fn a_token_is_in_no_debug_text() {
        let token = StaticToken::new("pat-na1-secret").unwrap();
        assert!(!format!("{token:?} {:?}", token.0.header()).contains("secret"));
    }
}
