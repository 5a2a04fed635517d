//! The client: where the layers are put in order, and where bytes become answers or errors.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use crate::{
    auth::{Auth, OAuthCredentials, OAuthToken, TokenProvider},
    base_url::BaseUrl,
    decode::{self, Definition, Link, Whole},
    drive::Drive,
    error::{ApiError, Error, Fault},
    http::{
        Exchange, HttpService, MAX_RESPONSE_SIZE, Network, Request, ReqwestService, Response, Timeouts,
        Traced,
    },
    limit::{Limit, Limits, NextDay, Priority, RateLimiter},
    record::Next,
    request::{Idempotency, is_read},
    retry::{FOREIGN_ATTEMPTS, Retry, RetryPolicy},
    server_time::ServerTime,
    tally::{Tally, Waiting},
    version::ApiVersion,
};

/// One HubSpot account, reached with one token. Cheap to clone; clones share limits and connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    priority: Priority,
    tally: Tally,
}

struct Shared {
    service: Arc<dyn HttpService>,
    limiter: RateLimiter,
    retry: RetryPolicy,
    base: BaseUrl,
    version: ApiVersion,
    time: ServerTime,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { base, version, .. } = &*self.shared;
        f.debug_struct("Client")
            .field("base_url", &base.to_string())
            .field("api_version", &version.to_string())
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}

/// Retry around limit around auth around transport: each attempt waits for its turn and leaves with a current token.
/// Around them, if wanted, the layer that sleeps until the next day; around all, the one that makes calls drive
/// themselves.
fn layers(
    transport: Arc<dyn HttpService>,
    tokens: Arc<dyn TokenProvider>,
    limiter: RateLimiter,
    policy: RetryPolicy,
    waits_for_next_day: bool,
) -> Arc<dyn HttpService> {
    let traced = Arc::new(Traced::new(transport));
    let auth = Arc::new(Auth::new(traced, tokens));
    let limit = Arc::new(Limit::new(auth, limiter.clone()));
    let retry = Arc::new(Retry::new(limit, policy));
    let patient: Arc<dyn HttpService> = match waits_for_next_day {
        true => Arc::new(NextDay::new(retry, limiter)),
        false => retry,
    };
    Arc::new(Drive::new(patient))
}

/// Where tokens come from.
#[derive(Debug)]
enum Tokens {
    Provider(Arc<dyn TokenProvider>),
    OAuth(OAuthCredentials),
}

/// Settings of a [`Client`]; only the token has no default.
#[derive(Debug)]
pub struct ClientBuilder {
    base_url: String,
    tokens: Option<Tokens>,
    version: ApiVersion,
    service: Option<Arc<dyn HttpService>>,
    limiter: Option<RateLimiter>,
    limits: Limits,
    retry: RetryPolicy,
    timeouts: Timeouts,
    network: Network,
    max_response_size: usize,
    waits_for_next_day: bool,
}

impl ClientBuilder {
    fn new() -> Self {
        Self {
            base_url: "https://api.hubapi.com".to_owned(),
            tokens: None,
            version: ApiVersion::default(),
            service: None,
            limiter: None,
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
            network: Network::default(),
            max_response_size: MAX_RESPONSE_SIZE,
            waits_for_next_day: true,
        }
    }

    /// Where HubSpot is. Default `https://api.hubapi.com`, right for every region.
    #[must_use]
    pub fn base_url(self, url: impl Into<String>) -> Self {
        Self {
            base_url: url.into(),
            ..self
        }
    }

    /// The token: a [`StaticToken`](crate::StaticToken), or a provider of one's own.
    #[must_use]
    pub fn token(self, tokens: impl TokenProvider + 'static) -> Self {
        self.token_provider(Arc::new(tokens))
    }

    /// As [`token`](Self::token), for a provider that is shared or chosen at run time.
    #[must_use]
    pub fn token_provider(self, tokens: Arc<dyn TokenProvider>) -> Self {
        Self {
            tokens: Some(Tokens::Provider(tokens)),
            ..self
        }
    }

    /// Instead of a token: what to get tokens with, from the same HubSpot and over the same transport.
    #[must_use]
    pub fn oauth(self, credentials: OAuthCredentials) -> Self {
        Self {
            tokens: Some(Tokens::OAuth(credentials)),
            ..self
        }
    }

    /// Which generation of paths to use. Default: the dated one this crate is written against.
    #[must_use]
    pub fn api_version(self, version: ApiVersion) -> Self {
        Self { version, ..self }
    }

    /// Something else than the network: a script, a recorder, an emulator's router.
    #[must_use]
    pub fn http_service(self, service: Arc<dyn HttpService>) -> Self {
        Self {
            service: Some(service),
            ..self
        }
    }

    /// How much of HubSpot's limits to use.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Shares the limiter of another client with the same token, instead of one of its own.
    #[must_use]
    pub fn limiter(self, limiter: RateLimiter) -> Self {
        Self {
            limiter: Some(limiter),
            ..self
        }
    }

    /// What to try again, how often, how long.
    #[must_use]
    pub fn retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }

    /// How long each phase of one attempt may take.
    #[must_use]
    pub fn timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// Proxy, certificate authorities, a certificate of one's own.
    #[must_use]
    pub fn network(self, network: Network) -> Self {
        Self { network, ..self }
    }

    /// The largest response to take, in bytes after decompression; larger ones are refused with
    /// [`HttpErrorKind::TooLarge`](crate::HttpErrorKind). Default [`MAX_RESPONSE_SIZE`].
    #[must_use]
    pub fn max_response_size(self, max_response_size: usize) -> Self {
        Self {
            max_response_size,
            ..self
        }
    }

    /// Whether a call sleeps until midnight in the account's time zone when the day's calls are used up, or fails with
    /// [`Error::DailyLimit`]. Default: it sleeps, and [`RateLimiter::day`] shows it.
    #[must_use]
    pub fn wait_for_next_day(self, waits_for_next_day: bool) -> Self {
        Self {
            waits_for_next_day,
            ..self
        }
    }

    /// # Errors
    /// [`Error::Invalid`] when there is no token or the base URL is none. Nothing is sent.
    pub fn build(self) -> Result<Client, Error> {
        let base: BaseUrl = self.base_url.parse()?;
        self.limits.check()?;
        let tokens = self
            .tokens
            .ok_or_else(|| Error::Invalid("a client needs an access token".to_owned()))?;
        let transport: Arc<dyn HttpService> = match self.service {
            Some(service) => service,
            None => Arc::new(
                ReqwestService::with_network(self.timeouts, &self.network)?
                    .max_response_size(self.max_response_size),
            ),
        };
        let tokens: Arc<dyn TokenProvider> = match tokens {
            Tokens::Provider(tokens) => tokens,
            Tokens::OAuth(credentials) => {
                let (transport, retry) = (Arc::clone(&transport), self.retry.clone());
                Arc::new(OAuthToken::at(
                    credentials,
                    &base,
                    &self.version,
                    transport,
                    retry,
                )?)
            }
        };
        let limiter = self.limiter.unwrap_or_else(|| RateLimiter::new(self.limits));
        let (retry, waits) = (self.retry.clone(), self.waits_for_next_day);
        let service = layers(transport, tokens, limiter.clone(), retry, waits);
        let shared = Shared {
            service,
            limiter,
            retry: self.retry,
            base,
            version: self.version,
            time: ServerTime::default(),
        };
        Ok(Client {
            shared: Arc::new(shared),
            priority: Priority::default(),
            tally: Tally::default(),
        })
    }
}

impl Client {
    /// Begins a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// The same client, whose requests wait in another class. Default: [`Priority::Interactive`].
    #[must_use]
    pub fn with_priority(&self, priority: Priority) -> Self {
        Self {
            priority,
            ..self.clone()
        }
    }

    /// The same client, which counts its calls by itself from now on.
    #[must_use]
    pub fn with_own_tally(&self) -> Self {
        Self {
            tally: Tally::default(),
            ..self.clone()
        }
    }

    /// How many calls this client and its clones have made, every attempt included.
    pub fn calls(&self) -> u64 {
        self.tally.calls()
    }

    /// The request of this client or a clone that was not answered and will be sent again; the last one of several.
    pub fn waiting(&self) -> Option<Waiting> {
        self.tally.waiting()
    }

    /// What time it is at HubSpot, in the opinion of most of the last `Date` headers; `None` before there was one, while
    /// they contradict each other, and when all are more than a year ahead of this machine's clock. A single wrong header
    /// changes nothing.
    pub fn server_time(&self) -> Option<Timestamp> {
        self.shared.time.now()
    }

    /// The limiter that all clones share, for its figures.
    pub fn limiter(&self) -> &RateLimiter {
        &self.shared.limiter
    }

    /// The generation of paths in use.
    pub fn api_version(&self) -> &ApiVersion {
        &self.shared.version
    }

    /// Sends a request with a path and query, through all layers.
    ///
    /// # Errors
    /// [`Error::Api`] for any status that is not 2xx.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let request = self.address(request)?;
        self.exchange(&Exchange::of(&request), request).await
    }

    /// Sends a request and reads its response. A read whose response is cut, empty of what was asked for or not
    /// HubSpot's at all is sent again: only the code that reads the JSON can tell. A write is sent again only when its
    /// response was cut and it is safe to repeat.
    pub(crate) async fn fetch<T>(
        &self,
        request: Request,
        read: impl Fn(&Response) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let request = self.address(request)?;
        let exchange = Exchange::of(&request);
        let mut attempt = 1;
        loop {
            let response = self.exchange(&exchange, request.clone()).await?;
            match read(&response).map_err(|fault| decode::explain(fault, &exchange, &response)) {
                Err(error) if self.may_reread(&request, &error, attempt) => {
                    tokio::time::sleep(self.shared.retry.backoff(attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// The same for a definition: a property, a pipeline, a list.
    pub(crate) async fn define<T: Definition>(&self, request: Request) -> Result<T, Error> {
        self.fetch(request, |response| decode::definition(response.body()))
            .await
    }

    /// Like [`define`](Self::define), for a list that is not paged.
    pub(crate) async fn defined<T: Definition>(&self, request: Request) -> Result<Vec<T>, Error> {
        self.define::<Whole<T>>(request)
            .await
            .map(|whole| whole.0.results)
    }

    /// The same where the answer says nothing.
    pub(crate) async fn done(&self, request: Request) -> Result<(), Error> {
        self.send(request).await.map(drop)
    }

    fn may_reread(&self, request: &Request, error: &Error, attempt: u32) -> bool {
        /// A cut that comes back is the work of something on the way, which more attempts do not change.
        const MAX_READS: u32 = 3;
        let Error::Decode(error) = error else {
            return false;
        };
        let was_cut = matches!(error.fault, Fault::EndsEarly { .. });
        let most = if was_cut { MAX_READS } else { FOREIGN_ATTEMPTS };
        let may_repeat = match was_cut {
            true => Idempotency::of(request) == Idempotency::Safe,
            false => is_read(request) && error.fault.is_passing(),
        };
        may_repeat && attempt < self.shared.retry.max_attempts.min(most)
    }

    async fn exchange(&self, exchange: &Exchange, request: Request) -> Result<Response, Error> {
        self.tally.count();
        let response = self.shared.service.call(request).await?;
        if response.status().is_success() {
            // What answers in HubSpot's place has a clock of its own.
            self.shared.time.note(&response);
            return Ok(response);
        }
        Err(ApiError::read(exchange, &response).into())
    }

    /// Puts the host before the path, and the class on the request.
    fn address(&self, mut request: Request) -> Result<Request, Error> {
        *request.uri_mut() = self.shared.base.join(request.uri())?;
        if request.extensions().get::<Priority>().is_none() {
            request.extensions_mut().insert(self.priority);
        }
        request.extensions_mut().insert(self.tally.clone());
        Ok(request)
    }

    /// Reads where the next page is: `after`, or the one inside a link to the same host.
    pub(crate) fn next(&self, stream: &str, link: Option<Link>) -> Result<Option<Next>, Error> {
        let Some(Link { after, link }) = link else {
            return Ok(None);
        };
        let after = match (after, link) {
            (Some(after), _) => Some(after),
            (None, Some(link)) => Some(self.shared.base.after_of(stream, &link)?),
            (None, None) => None,
        };
        Ok(after.map(|after| Next { after }))
    }
}
