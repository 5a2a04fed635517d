//! OAuth: access tokens that end after half an hour, renewed before they do (hubspot-api notes §4).

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use http::{Method, Uri, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use tracing::debug;

use super::{AccessToken, TokenProvider};
use crate::{
    base_url::BaseUrl,
    error::Error,
    http::{Exchange, HttpService, Request, Response, Traced},
    request::{Idempotency, encode},
    retry::{Retry, RetryPolicy},
    version::ApiVersion,
};

/// How long before its end a token is renewed: five minutes, or a sixth of a shorter life.
const LEEWAY: Duration = Duration::from_mins(5);

/// The longest life that is believed.
const LONGEST: Duration = Duration::from_hours(24);

/// What an app renews its tokens with. Neither secret is shown by `Debug`; both are wiped when dropped.
#[derive(Clone, Debug)]
pub struct OAuthCredentials {
    /// The app's id; no secret.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: SecretString,
    /// What the account's owner granted. It stays valid while the app is installed.
    pub refresh_token: SecretString,
}

/// A token that is renewed before it ends.
///
/// However many requests wait for a new token, HubSpot is asked for one once; and the renewal belongs to none of them, so
/// a request that is abandoned takes nothing away from the others. Clones share the token.
#[derive(Clone, Debug)]
pub struct OAuthToken(Arc<Inner>);

/// Why there is no new token. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OAuthError {
    /// HubSpot refused, and will again until something is changed.
    #[error("HubSpot refused to renew the access token: {status} {code}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// HubSpot's class of refusal, such as `BAD_REFRESH_TOKEN`.
        code: String,
        /// HubSpot's words.
        message: String,
    },
    /// HubSpot was not reached, or was in no state to answer.
    #[error("HubSpot could not be asked to renew the access token: {0}")]
    Unanswered(String),
    /// The answer holds no usable token.
    #[error("HubSpot's answer holds no usable access token: {0}")]
    Unusable(String),
}

impl OAuthError {
    /// Whether the credentials are to blame.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// What whoever reads this can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        let Self::Refused { code, .. } = self else {
            return Some("try again; if it stays, check the base URL and the API version");
        };
        Some(match code.as_str() {
            "BAD_REFRESH_TOKEN" | "invalid_grant" => {
                "install the app in the account again and keep the new refresh token"
            }
            // HubSpot's word for either.
            "BAD_CLIENT_ID" => "check client id and client secret: the app's settings in HubSpot show them",
            "BAD_CLIENT_SECRET" | "invalid_client" => {
                "check the client secret: the app's settings in HubSpot show it"
            }
            "BAD_HUB" | "access_denied" => "the app was removed from the account; install it again",
            _ => "check client id, client secret and refresh token: all three belong to one app",
        })
    }
}

type Renewal = Shared<BoxFuture<'static, Result<AccessToken, OAuthError>>>;

struct Inner {
    client_id: String,
    client_secret: SecretString,
    endpoint: Uri,
    service: Retry,
    state: Mutex<State>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthToken")
            .field("client_id", &self.client_id)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

struct State {
    refresh_token: SecretString,
    current: Option<Current>,
    /// The renewal that is under way, for all who wait.
    renewal: Option<Renewal>,
}

struct Current {
    token: AccessToken,
    renew_at: Instant,
    ends_at: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    refresh_token: Option<Secret>,
    expires_in: u64,
}

#[derive(Deserialize)]
#[serde(from = "String")]
struct Secret(SecretString);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Option<String>,
    error_description: Option<String>,
    status: Option<String>,
    message: Option<String>,
}

impl OAuthToken {
    /// Tokens of one account, asked for at `base_url` through `service`.
    ///
    /// [`ClientBuilder::oauth`](crate::ClientBuilder::oauth) does this with the client's own.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the base URL is none. Nothing is sent.
    pub fn new(
        credentials: OAuthCredentials,
        base_url: &str,
        version: &ApiVersion,
        service: Arc<dyn HttpService>,
    ) -> Result<Self, Error> {
        Self::at(
            credentials,
            &base_url.parse()?,
            version,
            service,
            RetryPolicy::default(),
        )
    }

    pub(crate) fn at(
        credentials: OAuthCredentials,
        base: &BaseUrl,
        version: &ApiVersion,
        service: Arc<dyn HttpService>,
        retry: RetryPolicy,
    ) -> Result<Self, Error> {
        let path: Uri = version
            .oauth_token()
            .parse()
            .map_err(|error| Error::Invalid(format!("no path to renew tokens at: {error}")))?;
        let state = State {
            refresh_token: credentials.refresh_token,
            current: None,
            renewal: None,
        };
        Ok(Self(Arc::new(Inner {
            client_id: credentials.client_id,
            client_secret: credentials.client_secret,
            endpoint: base.join(&path)?,
            service: Retry::new(Arc::new(Traced::new(service)), retry),
            state: Mutex::new(state),
        })))
    }

    /// The renewal that is under way, or a new one. It runs in a task of its own: whoever waits for it may stop waiting.
    fn renewal(&self, state: &mut State) -> Renewal {
        if let Some(renewal) = &state.renewal {
            return renewal.clone();
        }
        let inner = Arc::clone(&self.0);
        let refresh_token = state.refresh_token.clone();
        let task = tokio::spawn(async move {
            let result = inner.ask(&refresh_token).await;
            inner.finish(result)
        });
        let ended = |error| {
            Err(OAuthError::Unanswered(format!(
                "the task that asks ended: {error}"
            )))
        };
        let renewal = task
            .map(move |joined| joined.unwrap_or_else(ended))
            .boxed()
            .shared();
        state.renewal = Some(renewal.clone());
        renewal
    }
}

#[async_trait]
impl TokenProvider for OAuthToken {
    async fn token(&self) -> Result<AccessToken, Error> {
        let renewal = {
            let mut state = self.0.state();
            match &state.current {
                Some(current) if Instant::now() < current.renew_at => return Ok(current.token.clone()),
                _ => self.renewal(&mut state),
            }
        };
        let renewed = renewal.await;
        // A token that could not be renewed in good time may still be good for some minutes.
        renewed.or_else(|error| self.0.state().last_minutes().ok_or_else(|| error.into()))
    }

    async fn renew(&self, refused: &AccessToken) -> Result<bool, Error> {
        let renewal = {
            let mut state = self.0.state();
            match &state.current {
                Some(current) if current.token != *refused => return Ok(true),
                _ => state.current = None,
            }
            self.renewal(&mut state)
        };
        renewal.await.map(|_| true).map_err(Into::into)
    }
}

impl State {
    fn last_minutes(&self) -> Option<AccessToken> {
        let current = self.current.as_ref()?;
        (Instant::now() < current.ends_at).then(|| current.token.clone())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, refresh_token: &SecretString) -> Result<(Granted, Instant), OAuthError> {
        let (request, asked_at) = (self.request(refresh_token), Instant::now());
        let exchange = Exchange::of(&request);
        let response = self.service.call(request).await;
        let response = response.map_err(|error| OAuthError::Unanswered(error.to_string()))?;
        debug!(
            path = exchange.path,
            status = response.status().as_u16(),
            "asked for a new access token"
        );
        if !response.status().is_success() {
            return Err(self.refusal(&response, refresh_token));
        }
        // serde's words could quote the token.
        let granted = serde_json::from_slice(response.body())
            .map_err(|_| OAuthError::Unusable("it is not the JSON it should be".to_owned()))?;
        Ok((granted, asked_at))
    }

    /// The answer of a renewal that was lost can be asked for again: the refresh token stays valid.
    fn request(&self, refresh_token: &SecretString) -> Request {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        let fields = fields.map(|(name, value)| format!("{name}={}", encode(value)));
        let mut request = Request::new(Bytes::from(fields.join("&")));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        request.extensions_mut().insert(Idempotency::Safe);
        let form = header::HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, form);
        request
    }

    fn refusal(&self, response: &Response, refresh_token: &SecretString) -> OAuthError {
        let status = response.status();
        if status.is_server_error() || matches!(status.as_u16(), 423 | 429 | 477) {
            return OAuthError::Unanswered(format!("it answered {}", status.as_u16()));
        }
        let refusal: Refusal = serde_json::from_slice(response.body()).unwrap_or_default();
        let secrets = [&self.client_secret, refresh_token];
        let clean = |text: String| {
            let hide = |text: String, secret: &&SecretString| match secret.expose_secret() {
                "" => text,
                secret => text.replace(secret, "***"),
            };
            secrets.iter().fold(text, hide)
        };
        let or = |text: Option<String>, other: Option<String>, neither: &str| {
            clean(text.or(other).unwrap_or_else(|| neither.to_owned()))
        };
        OAuthError::Refused {
            status: status.as_u16(),
            code: or(refusal.status, refusal.error, "no reason"),
            message: or(refusal.message, refusal.error_description, "no explanation"),
        }
    }

    /// Keeps what was granted, for all who come later; the renewal is over.
    fn finish(&self, result: Result<(Granted, Instant), OAuthError>) -> Result<AccessToken, OAuthError> {
        let mut state = self.state();
        state.renewal = None;
        let (granted, asked_at) = result?;
        let token = AccessToken::new(granted.access_token.0)
            .map_err(|error| OAuthError::Unusable(error.to_string()))?;
        let life = Duration::from_secs(granted.expires_in).min(LONGEST);
        state.current = Some(Current {
            token: token.clone(),
            renew_at: asked_at + life.saturating_sub(LEEWAY.min(life / 6)),
            ends_at: asked_at + life,
        });
        if let Some(Secret(refresh_token)) = granted.refresh_token {
            state.refresh_token = refresh_token;
        }
        Ok(token)
    }
}

impl From<OAuthError> for Error {
    fn from(error: OAuthError) -> Self {
        Self::TokenProvider(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::sleep;

    use super::*;
    use crate::{
        client::Client,
        http::HttpErrorKind,
        script::{Script, Step, answer, ok, slow},
    };

    const GRANTED: &str =
        r#"{"token_type":"bearer","access_token":"one","refresh_token":"r-secret","expires_in":1800}"#;
    const AGAIN: &str = r#"{"access_token":"two","refresh_token":"r-secret","expires_in":1800}"#;
    const EXPIRED: &str = r#"{"status":"error","category":"EXPIRED_AUTHENTICATION","message":"expired"}"#;

    fn credentials() -> OAuthCredentials {
        OAuthCredentials {
            client_id: "app".to_owned(),
            client_secret: SecretString::from("c-secret"),
            refresh_token: SecretString::from("r-secret"),
        }
    }

    fn tokens(script: &Arc<Script>) -> OAuthToken {
        let script: Arc<Script> = Arc::clone(script);
        OAuthToken::new(credentials(), "https://h", &ApiVersion::default(), script).unwrap()
    }

    fn client(script: &Arc<Script>) -> Client {
        let script: Arc<Script> = Arc::clone(script);
        Client::builder()
            .oauth(credentials())
            .api_version(ApiVersion::Numbered)
            .http_service(script)
            .build()
            .unwrap()
    }

    async fn token(tokens: &OAuthToken) -> String {
        tokens.token().await.unwrap().0.expose_secret().to_owned()
    }

    #[test]
    fn a_renewal_is_a_form_with_the_secrets_in_the_body_and_nowhere_else() {
        let tokens = tokens(&Script::new([]));
        let request = tokens.0.request(&SecretString::from("r&=é"));
        assert_eq!(request.uri(), "https://h/oauth/2026-03/token");
        assert_eq!(
            &request.body()[..],
            b"grant_type=refresh_token&client_id=app&client_secret=c-secret&refresh_token=r%26%3D%C3%A9"
        );
        assert!(
            !format!("{tokens:?} {:?}", credentials()).contains("secret\""),
            "{tokens:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_before_it_ends() {
        let script = Script::new([answer(200, &[], GRANTED), answer(200, &[], AGAIN)]);
        let tokens = tokens(&script);
        assert_eq!(token(&tokens).await, "one");
        sleep(Duration::from_secs(1_499)).await;
        assert_eq!(token(&tokens).await, "one");
        sleep(Duration::from_secs(1)).await;
        assert_eq!(token(&tokens).await, "two");
        assert_eq!(script.times(), [0.0, 1_500.0]);
    }

    #[tokio::test(start_paused = true)]
    async fn many_waiters_are_one_renewal() {
        let script = Script::new([slow(1.0, answer(200, &[], GRANTED))]);
        let tokens = tokens(&script);
        let all = join_all((0..100).map(|_| token(&tokens))).await;
        assert!(all.iter().all(|token| token == "one"));
        assert_eq!(script.times().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_that_gives_up_takes_nothing_away() {
        let script = Script::new([slow(1.0, answer(200, &[], GRANTED))]);
        let tokens = tokens(&script);
        let impatient = tokio::time::timeout(Duration::from_millis(10), tokens.token()).await;
        assert!(impatient.is_err());
        sleep(Duration::from_secs(10)).await;
        assert_eq!(token(&tokens).await, "one");
        assert_eq!(script.times().len(), 1, "nobody waited, and the answer was kept");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_told_with_a_way_out_and_without_a_secret() {
        let body = r#"{"status":"BAD_REFRESH_TOKEN","message":"r-secret is no refresh token","error":"invalid_grant"}"#;
        let script = Script::new([answer(400, &[], body), answer(200, &[], GRANTED)]);
        let tokens = tokens(&script);
        let error = tokens.token().await.unwrap_err();
        let Error::TokenProvider(cause) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(
            cause.to_string(),
            "HubSpot refused to renew the access token: 400 BAD_REFRESH_TOKEN: *** is no refresh token"
        );
        assert!(error.hint().unwrap().contains("install the app"));
        assert!(!error.is_retryable() && error.is_unauthorized());
        assert_eq!(token(&tokens).await, "one", "the next one asks again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hiccup_is_retried_and_a_token_is_used_to_its_end() {
        let hiccup = [answer(503, &[], ""), Step::Fail(HttpErrorKind::Interrupted)];
        let outage = (0..8).map(|_| answer(500, &[], ""));
        let script = Script::new(
            hiccup
                .into_iter()
                .chain([answer(200, &[], GRANTED)])
                .chain(outage),
        );
        let tokens = tokens(&script);
        assert_eq!(token(&tokens).await, "one");
        sleep(Duration::from_secs(1_600)).await;
        assert_eq!(
            token(&tokens).await,
            "one",
            "not renewed, but good for two minutes more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_token_is_renewed_once_and_the_request_sent_again() {
        let script = Script::new([
            answer(200, &[], GRANTED),
            answer(401, &[], EXPIRED),
            answer(200, &[], AGAIN),
            ok(),
        ]);
        client(&script).record_limits().await.unwrap();
        let (token, call) = ("/oauth/v1/token", "/crm/v3/limits/records");
        assert_eq!(script.targets(), [token, call, token, call]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_expires_at_once_is_renewed_no_second_time() {
        let script = Script::new([
            answer(200, &[], GRANTED),
            answer(401, &[], EXPIRED),
            answer(200, &[], AGAIN),
            answer(401, &[], EXPIRED),
        ]);
        let error = client(&script).record_limits().await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");
        assert_eq!(script.times().len(), 4);
    }
}
