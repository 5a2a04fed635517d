//! Settings become things that run: the one place that knows every source, destination and store by name.

use std::path::Path;
use std::sync::Arc;

use hubspot_client::{Client, Priority, RetryPolicy, StaticToken};
use hubspot_connector::HubspotSource;
use opencdc::{CheckpointStore, Destination};
use pipeline::destination::{NdjsonDestination, SqliteDestination};
use pipeline::{Pipeline, RunOptions, SqliteStore};

use crate::cli::Target;
use crate::exit::{Failure, Outcome};
use crate::settings::{self, Connection, DestinationConfig, SecretRef, Settings};

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

/// A client for the connection that a person asks about.
pub(crate) fn asking(connection: &Connection, what: &str) -> Outcome<Client> {
    client(connection, what, for_a_person())
}

/// The client that a one-shot command talks through: the named connection, the file's only one, or the
/// environment.
pub(crate) fn one_shot(target: &Target) -> Outcome<Client> {
    let (name, connection) = connection(target.config.as_deref(), target.connection.as_deref())?;
    asking(&connection, &name)
}

/// The connection that is meant, and what to call it in messages.
pub(crate) fn connection(config: Option<&Path>, name: Option<&str>) -> Outcome<(String, Connection)> {
    match (Settings::load_if_present(config)?, name) {
        (Some(settings), Some(name)) => {
            Ok((format!("connection `{name}`"), settings.connection(name)?.clone()))
        }
        (Some(settings), None) => only_connection(&settings),
        (None, Some(name)) => Err(Failure::usage(format!(
            "there is no configuration file with a connection `{name}`"
        ))
        .hint("name the file with `-c FILE`, or leave the connection out and set HUBSPOT_ACCESS_TOKEN")),
        (None, None) => from_environment(),
    }
}

fn only_connection(settings: &Settings) -> Outcome<(String, Connection)> {
    let mut all = settings.file.connections.iter();
    match (all.next(), all.next()) {
        (Some((name, connection)), None) => Ok((format!("connection `{name}`"), connection.clone())),
        (None, _) => from_environment(),
        _ => {
            let names: Vec<_> = settings
                .file
                .connections
                .keys()
                .map(|name| format!("`{name}`"))
                .collect();
            Err(
                Failure::usage(format!("`{}` has several connections", settings.path.display()))
                    .hint(format!("choose one: {}", names.join(", "))),
            )
        }
    }
}

fn from_environment() -> Outcome<(String, Connection)> {
    if std::env::var_os("HUBSPOT_ACCESS_TOKEN").is_none() {
        return Err(Failure::usage(
            "no account to talk to: there is no `spoke.yaml` and HUBSPOT_ACCESS_TOKEN is not set",
        )
        .hint("set HUBSPOT_ACCESS_TOKEN, or write a configuration with `spoke config init`"));
    }
    let token = SecretRef::Env("HUBSPOT_ACCESS_TOKEN".to_owned());
    Ok((
        "the environment".to_owned(),
        Connection::new(token, std::env::var("HUBSPOT_BASE_URL").ok()),
    ))
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
