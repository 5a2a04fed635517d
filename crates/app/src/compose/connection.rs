//! From a connection as it is written to a client: the only place where a secret becomes text.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use async_trait::async_trait;
use hubspot_client as client;
use hubspot_client::{
    CallLedger, Client, ClientBuilder, Daily, Limits, Network, OAuthCredentials, Priority, RateLimiter,
    RetryPolicy,
};
use pipeline::SqliteStore;
use secrecy::SecretString;
use tokio::sync::OnceCell;

use super::token::KeptToken;
use crate::exit::{Failure, Outcome};
use crate::progress;
use crate::settings::{Connection, Credentials, OAuth, Proxy, Tls};

/// Who asks, which decides how patiently.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asker {
    /// Tries for about four seconds and does not wait for midnight: a person would rather know.
    Person,
    /// Tries for about a quarter of a minute, long enough for a hiccup, short enough for a scheduler to be told of an
    /// outage; and goes on tomorrow when the day's calls are used up.
    Run,
}

impl Asker {
    fn patience(self, builder: ClientBuilder) -> ClientBuilder {
        let attempts = |max_attempts| RetryPolicy {
            max_attempts,
            ..RetryPolicy::default()
        };
        match self {
            Self::Person => builder.retry(attempts(4)).wait_for_next_day(false),
            Self::Run => builder.retry(attempts(6)),
        }
    }

    fn priority(self) -> Priority {
        match self {
            Self::Person => Priority::Interactive,
            Self::Run => Priority::Snapshot,
        }
    }
}

/// A client for a connection; `what` names the connection in errors, `state` is the file where its calls are counted.
pub(super) fn client(connection: &Connection, what: &str, state: &Path, asker: Asker) -> Outcome<Client> {
    let build = || {
        let builder = Client::builder()
            .base_url(&connection.base_url)
            .api_version(connection.api_version()?)
            .timeouts(timeouts(connection))
            .max_response_size(connection.max_response_size.bytes())
            .network(network(connection)?)
            .limiter(limiter(connection, what, state));
        let builder = asker.patience(with_credentials(builder, connection)?);
        Ok(builder.build()?.with_priority(asker.priority()))
    };
    build().map_err(|failure: Failure| failure.within(what))
}

fn with_credentials(builder: ClientBuilder, connection: &Connection) -> Outcome<ClientBuilder> {
    Ok(match connection.credentials()? {
        Credentials::Token(secret) => builder.token(KeptToken::new(secret)?),
        Credentials::OAuth(oauth) => builder.oauth(credentials(oauth)?),
    })
}

fn credentials(oauth: &OAuth) -> Outcome<OAuthCredentials> {
    Ok(OAuthCredentials {
        client_id: oauth.client_id.clone(),
        client_secret: oauth.client_secret.resolve("`oauth.client_secret`")?,
        refresh_token: oauth.refresh_token.resolve("`oauth.refresh_token`")?,
    })
}

/// Whoever allows a request so long means its answer, from the first piece on.
fn timeouts(connection: &Connection) -> client::Timeouts {
    let request = connection.timeouts.request.get();
    client::Timeouts {
        connect: connection.timeouts.connect.get(),
        read: request,
        total: request,
    }
}

fn network(connection: &Connection) -> Outcome<Network> {
    Ok(Network {
        proxy: proxy(connection.proxy.as_ref())?,
        tls: connection
            .tls
            .as_ref()
            .map_or_else(|| Ok(client::Tls::default()), tls)?,
    })
}

fn proxy(written: Option<&Proxy>) -> Outcome<client::Proxy> {
    let server = match written {
        None => return Ok(client::Proxy::Environment),
        Some(Proxy::None) => return Ok(client::Proxy::None),
        Some(Proxy::Server(server)) => server,
    };
    let proxy = server.server()?;
    Ok(client::Proxy::Server(match (&server.user, &server.password) {
        (Some(user), Some(password)) => proxy.with_login(user, password.resolve("`proxy.password`")?),
        _ => proxy,
    }))
}

/// Each file is tried alone, so that an error names its key.
fn tls(written: &Tls) -> Outcome<client::Tls> {
    let mut tls = client::Tls::default();
    if let Some(path) = &written.ca {
        tls.authorities = Some(read("tls.ca", path)?);
        check(&tls, &format!("`tls.ca`: `{}`", path.display()))?;
    }
    if let (Some(certificate), Some(key)) = (&written.client_cert, &written.client_key) {
        let pem = String::from_utf8(read("tls.client_key", key)?).unwrap_or_default();
        tls.identity = Some((read("tls.client_cert", certificate)?, SecretString::from(pem)));
        let files = (certificate.display(), key.display());
        check(
            &tls,
            &format!(
                "`tls.client_cert` and `tls.client_key`: `{}` and `{}`",
                files.0, files.1
            ),
        )?;
    }
    tls.only_authorities = written.only_ca;
    Ok(tls)
}

fn check(tls: &client::Tls, files: &str) -> Outcome {
    let hint = "PEM is text between `-----BEGIN …-----` and `-----END …-----`; `openssl x509 -in FILE -noout -text` \
                shows a certificate";
    tls.check()
        .map_err(|error| Failure::usage(files).because(&error).hint(hint))
}

fn read(key: &str, path: &Path) -> Outcome<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        Failure::usage(format!("`{key}`: cannot read `{}`", path.display()))
            .because(&error)
            .hint(format!(
                "check the path: `{key}` is looked for from where `spoke` is started"
            ))
    })
}

/// All pipelines that use a connection share its limits, as they do at HubSpot.
static LIMITERS: LazyLock<Mutex<BTreeMap<String, RateLimiter>>> = LazyLock::new(Mutex::default);

fn limiter(connection: &Connection, what: &str, state: &Path) -> RateLimiter {
    let mut limiters = LIMITERS.lock().unwrap_or_else(PoisonError::into_inner);
    let begin = || {
        let limits = Limits {
            use_share: connection.share.fraction(),
            ..Limits::default()
        };
        let mut daily = Daily::default();
        if let Some(max) = connection.max_calls_per_day {
            daily.max_calls = Some(max);
            daily.ledger = Arc::new(StoredCalls::new(state, what));
        }
        let limiter = RateLimiter::with_daily(limits, daily);
        tokio::spawn(progress::tell_days(what.to_owned(), limiter.day()));
        limiter
    };
    limiters.entry(what.to_owned()).or_insert_with(begin).clone()
}

/// The day's calls of a connection, in the state file. Opened when the first is made.
#[derive(Debug)]
struct StoredCalls {
    path: PathBuf,
    name: String,
    store: OnceCell<SqliteStore>,
}

impl StoredCalls {
    fn new(path: &Path, what: &str) -> Self {
        Self {
            path: path.to_owned(),
            name: format!("calls of {what}"),
            store: OnceCell::new(),
        }
    }
}

#[async_trait]
impl CallLedger for StoredCalls {
    async fn take(&self, day: &str, calls: u64, max: u64) -> Result<u64, Box<dyn StdError + Send + Sync>> {
        let store = self
            .store
            .get_or_try_init(|| SqliteStore::open(&self.path))
            .await?;
        Ok(store.take_from_budget(&self.name, day, calls, max).await?)
    }
}
