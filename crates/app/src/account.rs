//! Which account a one-shot command talks to: the named connection, the configuration file's only one, or the
//! environment.

use std::fmt;
use std::path::Path;

use hubspot_connector::SourceConfig;
use hubspot_connector::objects::ObjectType;

use crate::exit::{Failure, Outcome};
use crate::settings::{Connection, Pipeline, SecretRef, Settings, State};

/// An account that was chosen. Its `Display` is what to call it in messages.
#[derive(Debug)]
pub(crate) struct Account {
    /// The connection's name; none when it comes from the environment.
    name: Option<String>,
    /// How to reach it.
    pub(crate) connection: Connection,
    /// Where the file keeps its state.
    pub(crate) state: State,
    /// What the file's pipelines read through this connection.
    pub(crate) sources: Vec<SourceConfig>,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "connection `{name}`"),
            None => f.write_str("the environment"),
        }
    }
}

impl Account {
    /// The account that is meant by a file (or the default one, where it is) and a connection's name.
    pub(crate) fn choose(config: Option<&Path>, name: Option<&str>) -> Outcome<Self> {
        match (Settings::load_if_present(config)?, name) {
            (Some(settings), Some(name)) => Self::named(&settings, name),
            (Some(settings), None) => Self::only_one(&settings),
            (None, Some(name)) => Err(no_file(name)),
            (None, None) => Self::from_environment(),
        }
    }

    /// Like [`choose`](Self::choose), but every account of the file when none is named.
    pub(crate) fn choose_all(config: Option<&Path>, name: Option<&str>) -> Outcome<Vec<Self>> {
        match (Settings::load_if_present(config)?, name) {
            (Some(settings), None) if settings.file.connections.len() > 1 => {
                let names = settings.file.connections.keys();
                names.map(|name| Self::named(&settings, name)).collect()
            }
            _ => Ok(vec![Self::choose(config, name)?]),
        }
    }

    /// Whether this object type is shown. The one question behind everything that lists.
    pub(crate) fn shows(&self, object: &ObjectType) -> bool {
        self.connection.browsable.shows(object)
    }

    /// The one check before anything that reads or writes an object type.
    ///
    /// # Errors
    /// The type is outside the connection's `browsable`.
    pub(crate) fn may_reach(&self, object: &ObjectType) -> Outcome {
        let checked = self.connection.browsable.may_reach(object);
        checked.map_err(|failure| failure.within(&self.to_string()))
    }

    /// The same of a stream that is no object, such as `hubdb_tables`.
    ///
    /// # Errors
    /// The stream is outside the connection's `browsable`.
    pub(crate) fn may_read(&self, stream: &str) -> Outcome {
        let checked = self.connection.browsable.may_read_stream(stream);
        checked.map_err(|failure| failure.within(&self.to_string()))
    }

    fn named(settings: &Settings, name: &str) -> Outcome<Self> {
        let connection = settings.connection(name)?.clone();
        let sources = settings
            .file
            .pipelines
            .values()
            .filter_map(Pipeline::hubspot_source);
        let sources = sources.filter(|source| source.connection == name);
        Ok(Self {
            name: Some(name.to_owned()),
            connection,
            state: settings.file.state.clone(),
            sources: sources.cloned().collect(),
        })
    }

    fn only_one(settings: &Settings) -> Outcome<Self> {
        let mut names = settings.file.connections.keys();
        match (names.next(), names.next()) {
            (None, _) => Self::from_environment(),
            (Some(name), None) => Self::named(settings, name),
            _ => Err(several(settings)),
        }
    }

    fn from_environment() -> Outcome<Self> {
        if std::env::var_os("HUBSPOT_ACCESS_TOKEN").is_none() {
            return Err(no_account());
        }
        let token = SecretRef::Env("HUBSPOT_ACCESS_TOKEN".to_owned());
        let connection = Connection::new(token, std::env::var("HUBSPOT_BASE_URL").ok());
        Ok(Self {
            name: None,
            connection,
            state: State::default(),
            sources: Vec::new(),
        })
    }
}

fn no_file(name: &str) -> Failure {
    Failure::usage(format!(
        "there is no configuration file with a connection `{name}`"
    ))
    .hint("name the file with `-c FILE`, or leave the connection out and set HUBSPOT_ACCESS_TOKEN")
}

fn no_account() -> Failure {
    Failure::usage("no account to talk to: there is no `spoke.yaml` and HUBSPOT_ACCESS_TOKEN is not set")
        .hint("set HUBSPOT_ACCESS_TOKEN, or write a configuration with `spoke config init`")
}

fn several(settings: &Settings) -> Failure {
    let names: Vec<_> = settings
        .file
        .connections
        .keys()
        .map(|name| format!("`{name}`"))
        .collect();
    Failure::usage(format!("`{}` has several connections", settings.path.display()))
        .hint(format!("choose one: {}", names.join(", ")))
}
