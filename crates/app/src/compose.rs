//! Settings become things that run: the one place that knows every source, destination and store by name.

use std::sync::Arc;

use hubspot_client::{Client, Priority, RetryPolicy, StaticToken};
use hubspot_connector::HubspotSource;
use opencdc::{CheckpointStore, Destination};
use pipeline::destination::{NdjsonDestination, SqliteDestination};
use pipeline::{Pipeline, RunOptions, SqliteStore};

use crate::account::Account;
use crate::cli::Target;
use crate::exit::{Failure, Outcome};
use crate::settings::{self, Connection, DestinationConfig, Settings};

/// Everything that one pipeline of the settings needs to run.
pub(crate) async fn pipeline(
    settings: &Settings,
    name: &str,
    written: &settings::Pipeline,
) -> Outcome<Pipeline> {
    let connection = written.connection();
    let what = format!("connection `{connection}`");
    let client = client(settings.connection(connection)?, &what, for_a_run())?;
    let source = HubspotSource::new(client, written.hubspot().clone())?;
    let destination = destination(name, &written.destination).await?;
    let store = state(settings).await?;
    Ok(Pipeline {
        name: name.to_owned(),
        source: Arc::new(source),
        destination,
        checkpoints: Arc::clone(&store) as Arc<dyn CheckpointStore>,
        dead_letters: store,
        selection: None,
        options: RunOptions::default(),
    })
}

async fn destination(pipeline: &str, config: &DestinationConfig) -> Outcome<Arc<dyn Destination>> {
    Ok(match config {
        DestinationConfig::Sqlite(config) => {
            Arc::new(SqliteDestination::open(config.clone(), pipeline).await?)
        }
        DestinationConfig::Ndjson(config) => {
            Arc::new(NdjsonDestination::open(config.clone(), pipeline).await?)
        }
    })
}

async fn state(settings: &Settings) -> Outcome<Arc<SqliteStore>> {
    let settings::State::Sqlite(sqlite) = &settings.file.state;
    Ok(Arc::new(SqliteStore::open(&sqlite.path).await?))
}

/// Tries for about four seconds: a person waits, and would rather know.
fn for_a_person() -> (Priority, RetryPolicy) {
    (
        Priority::Interactive,
        RetryPolicy {
            max_attempts: 4,
            ..RetryPolicy::default()
        },
    )
}

/// Tries for about a quarter of a minute: long enough for a hiccup, short enough for a scheduler to be told of an
/// outage.
fn for_a_run() -> (Priority, RetryPolicy) {
    (
        Priority::Snapshot,
        RetryPolicy {
            max_attempts: 6,
            ..RetryPolicy::default()
        },
    )
}

/// A client for a connection; `what` names the connection in errors.
fn client(
    connection: &Connection,
    what: &str,
    (priority, retry): (Priority, RetryPolicy),
) -> Outcome<Client> {
    let secret = connection
        .access_token
        .resolve(&format!("{what}: `access_token`"))?;
    let token = StaticToken::new(secret)
        .map_err(|error| Failure::usage(format!("{what}: `access_token`: {error}")))?;
    let version = connection.api_version().map_err(|failure| failure.within(what))?;
    let builder = Client::builder()
        .base_url(&connection.base_url)
        .token(token)
        .api_version(version)
        .retry(retry);
    let client = builder
        .build()
        .map_err(|error| Failure::from(error).within(what))?;
    Ok(client.with_priority(priority))
}

/// A client for the account that a person asks about.
pub(crate) fn asking(account: &Account) -> Outcome<Client> {
    client(&account.connection, &account.to_string(), for_a_person())
}

/// The client that a one-shot command talks through.
pub(crate) fn one_shot(target: &Target) -> Outcome<Client> {
    asking(&Account::choose(
        target.config.as_deref(),
        target.connection.as_deref(),
    )?)
}

/// Ends when the program is asked to stop: Ctrl-C or SIGTERM.
pub(crate) async fn interrupted() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .expect("a signal handler can be installed");
    // Either branch may be dropped: a signal is only waited for, nothing is consumed.
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.expect("a signal handler can be installed"),
        _ = terminate.recv() => {}
    }
}
