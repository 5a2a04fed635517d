//! Settings become things that run: the one place that knows every source, destination and store by name.

mod connection;
mod token;

use std::path::Path;
use std::sync::Arc;

use hubspot_client::Client;
use hubspot_connector::write::{DestinationConfig as HubspotDestinationConfig, HubspotDestination};
use hubspot_connector::{HubspotSource, SourceConfig as HubspotConfig};
use opencdc::{CheckpointStore, Destination, Origin, Source};
use pipeline::destination::{NdjsonDestination, SqliteDestination};
use pipeline::source::{self, FileSource, StdinSource};
use pipeline::{Pipeline, RunOptions, SqliteStore};
use secrecy::ExposeSecret as _;

use crate::account::Account;
use crate::exit::{Failure, Outcome};
use crate::settings::{self, DestinationConfig, SecretRef, Settings, SourceConfig};

use self::connection::Asker;

/// Everything that one pipeline of the settings needs to run.
pub(crate) async fn pipeline(
    settings: &Settings,
    name: &str,
    written: &settings::Pipeline,
) -> Outcome<Pipeline> {
    let source =
        source(settings, &written.source).map_err(|failure| failure.within(&format!("pipeline `{name}`")))?;
    let store = state(settings).await?;
    let destination = destination(settings, name, &written.destination).await?;
    Ok(Pipeline {
        name: name.to_owned(),
        source,
        destination,
        checkpoints: Arc::clone(&store) as Arc<dyn CheckpointStore>,
        dead_letters: store,
        selection: None,
        options: RunOptions::default(),
    })
}

fn source(settings: &Settings, config: &SourceConfig) -> Outcome<Arc<dyn Source>> {
    Ok(match config {
        SourceConfig::Hubspot(config) => hubspot_source(settings, config)?,
        SourceConfig::Ndjson(config) => Arc::new(FileSource::ndjson(config)?),
        SourceConfig::Csv(config) => Arc::new(FileSource::csv(config)?),
        SourceConfig::Stdin(config) => Arc::new(StdinSource::new(config)?),
        SourceConfig::Sqlite(config) => Arc::new(source::SqliteSource::new(config)?),
        SourceConfig::Postgres(config) => Arc::new(postgres_source(config)?),
    })
}

fn postgres_source(config: &source::PostgresConfig<SecretRef>) -> Outcome<source::PostgresSource> {
    let url = config.url.resolve("`url`")?;
    Ok(source::PostgresSource::new(config, url.expose_secret())?)
}

/// The account that a pipeline reads.
pub(crate) fn hubspot_source(settings: &Settings, config: &HubspotConfig) -> Outcome<Arc<HubspotSource>> {
    let client = run_client(settings, &config.connection)?;
    Ok(Arc::new(HubspotSource::new(client, config.clone())?))
}

/// Why a pipeline with another source than HubSpot cannot be audited.
pub(crate) const NOBODY_TO_ASK: &str = "there is nobody to ask whether its copy is complete";

/// A pipeline, and its source as an origin to compare its copy with. A copy that is not there is not made.
pub(crate) async fn audited(
    settings: &Settings,
    name: &str,
    written: &settings::Pipeline,
) -> Outcome<(Pipeline, Arc<dyn Origin>)> {
    let config = written.need_hubspot_source(name, NOBODY_TO_ASK)?;
    if let DestinationConfig::Sqlite(config) = &written.destination
        && !config.path.exists()
    {
        let message = format!(
            "pipeline `{name}`: there is no copy yet at `{}`",
            config.path.display()
        );
        return Err(Failure::usage(message).hint(format!("`spoke sync {name}` makes one")));
    }
    let origin = hubspot_source(settings, config)?;
    let mut pipeline = pipeline(settings, name, written).await?;
    pipeline.source = Arc::clone(&origin) as Arc<dyn Source>;
    Ok((pipeline, origin))
}

async fn destination(
    settings: &Settings,
    pipeline: &str,
    config: &DestinationConfig,
) -> Outcome<Arc<dyn Destination>> {
    Ok(match config {
        DestinationConfig::Sqlite(config) => {
            Arc::new(SqliteDestination::open(config.clone(), pipeline).await?)
        }
        DestinationConfig::Ndjson(config) => {
            Arc::new(NdjsonDestination::open(config.clone(), pipeline).await?)
        }
        DestinationConfig::Hubspot(config) => {
            Arc::new(hubspot_destination(settings, pipeline, config).await?)
        }
    })
}

/// HubSpot as a destination, which remembers the source's keys in the state file.
async fn hubspot_destination(
    settings: &Settings,
    pipeline: &str,
    config: &HubspotDestinationConfig,
) -> Outcome<HubspotDestination> {
    let connection = settings.connection(&config.connection)?;
    let client = run_client(settings, &config.connection)?;
    let keys = state(settings).await?.keys(pipeline);
    let browsable = connection.browsable.clone();
    let destination = HubspotDestination::new(client, config.clone(), keys)?;
    Ok(destination.reaching(move |object| browsable.may_write(object)))
}

/// A client for a connection that a pipeline uses.
fn run_client(settings: &Settings, connection: &str) -> Outcome<Client> {
    let what = format!("connection `{connection}`");
    let state_file = settings.file.state.path();
    connection::client(settings.connection(connection)?, &what, state_file, Asker::Run)
}

/// The store that the settings name.
pub(crate) async fn state(settings: &Settings) -> Outcome<Arc<SqliteStore>> {
    Ok(Arc::new(SqliteStore::open(settings.file.state.path()).await?))
}

/// Where the checkpoint of a pipeline is kept: beside the rows, once there is a destination, or in the state file.
/// `None` when neither is there yet; nothing is made.
pub(crate) async fn checkpoints(
    settings: &Settings,
    name: &str,
    written: &settings::Pipeline,
) -> Outcome<Option<Arc<dyn CheckpointStore>>> {
    if written.destination.place().is_some_and(Path::exists) {
        let destination = destination(settings, name, &written.destination).await?;
        if let Some(store) = destination.checkpoints() {
            return Ok(Some(store));
        }
    }
    if !settings.file.state.path().exists() {
        return Ok(None);
    }
    Ok(Some(state(settings).await? as Arc<dyn CheckpointStore>))
}

/// A client for the account that a person asks about.
pub(crate) fn asking(account: &Account) -> Outcome<Client> {
    let what = account.to_string();
    connection::client(&account.connection, &what, account.state.path(), Asker::Person)
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
