//! A pipeline as it is written: one source, one destination.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hubspot_connector::SourceConfig as HubspotConfig;
use hubspot_connector::config::stream_name;
use hubspot_connector::write::DestinationConfig as HubspotDestinationConfig;
use pipeline::{destination, source};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;
use crate::exit::{Failure, Outcome};

/// One source to one destination.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pipeline {
    /// Where records come from.
    pub(crate) source: SourceConfig,
    /// Where they go.
    pub(crate) destination: DestinationConfig,
}

/// Where records come from.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum SourceConfig {
    /// A HubSpot account.
    Hubspot(HubspotConfig),
    /// Files of JSON lines.
    Ndjson(source::NdjsonConfig),
    /// Files of cells, the first row with the names of the columns.
    Csv(source::CsvConfig),
    /// Rows that are piped in.
    Stdin(source::StdinConfig),
    /// A table or a query of an SQLite file.
    Sqlite(source::SqliteConfig),
    /// A table or a query of a PostgreSQL database.
    Postgres(source::PostgresConfig<SecretRef>),
}

/// Where records go.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum DestinationConfig {
    /// An SQLite file with typed columns.
    Sqlite(destination::SqliteConfig),
    /// One file of JSON lines a stream.
    Ndjson(destination::NdjsonConfig),
    /// A HubSpot account.
    Hubspot(Box<HubspotDestinationConfig>),
}

impl DestinationConfig {
    /// Where its files are, for one that keeps its checkpoint beside its rows.
    pub(crate) fn place(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(config) => Some(&config.path),
            Self::Ndjson(config) => Some(&config.dir),
            Self::Hubspot(_) => None,
        }
    }

    /// Checks what can be checked without asking anybody.
    fn check(&self) -> Outcome {
        match self {
            Self::Hubspot(config) => Ok(config.validate()?),
            Self::Sqlite(_) | Self::Ndjson(_) => Ok(()),
        }
    }
}

impl SourceConfig {
    /// The word that stands for it in the file.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Hubspot(_) => "hubspot",
            Self::Ndjson(_) => "ndjson",
            Self::Csv(_) => "csv",
            Self::Stdin(_) => "stdin",
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// Checks what can be checked without asking anybody.
    fn check(&self) -> Outcome {
        match self {
            Self::Hubspot(config) => config.validate()?,
            Self::Ndjson(config) => config.validate()?,
            Self::Csv(config) => config.validate()?,
            Self::Stdin(config) => config.validate()?,
            Self::Sqlite(config) => config.validate()?,
            Self::Postgres(config) => config.validate()?,
        }
        Ok(())
    }
}

/// Where a pipeline from HubSpot writes.
pub(crate) struct Tables<'a> {
    pub(crate) connection: &'a str,
    pub(crate) path: &'a Path,
    prefix: &'a str,
    streams: BTreeSet<&'a str>,
}

impl Tables<'_> {
    /// A table that both would write, each with the records of another account.
    pub(crate) fn clash(&self, other: &Self) -> Option<String> {
        let is_apart = self.connection == other.connection
            || self.prefix != other.prefix
            || place(self.path) != place(other.path);
        if is_apart {
            return None;
        }
        let shared = self.streams.intersection(&other.streams).next();
        shared.map(|stream| format!("{}{stream}", self.prefix))
    }
}

/// The file, however its path is written.
fn place(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    std::fs::canonicalize(&whole).unwrap_or(whole)
}

impl Pipeline {
    /// The settings of the source, when it is HubSpot.
    pub(crate) fn hubspot_source(&self) -> Option<&HubspotConfig> {
        match &self.source {
            SourceConfig::Hubspot(config) => Some(config),
            _ => None,
        }
    }

    /// The same, for something that can only be done with HubSpot as the source: `what`, such as "its costs cannot be
    /// planned".
    pub(crate) fn need_hubspot_source(&self, name: &str, what: &str) -> Outcome<&HubspotConfig> {
        self.hubspot_source().ok_or_else(|| {
            let source = self.source.name();
            Failure::usage(format!("pipeline `{name}` reads from `{source}`: {what}"))
                .hint("this is there for pipelines that read from `hubspot`")
        })
    }

    /// The names of the connections that it uses.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &str> {
        let written = match &self.destination {
            DestinationConfig::Hubspot(config) => Some(&*config.connection),
            DestinationConfig::Sqlite(_) | DestinationConfig::Ndjson(_) => None,
        };
        let read = self.hubspot_source().map(|config| &*config.connection);
        read.into_iter().chain(written)
    }

    /// The streams of HubSpot that are written into tables of a file: the connection, the file, what the tables' names
    /// begin with, and the streams. `custom_objects` stands for any name.
    pub(crate) fn shared_tables(&self) -> Option<Tables<'_>> {
        let (SourceConfig::Hubspot(source), DestinationConfig::Sqlite(copy)) =
            (&self.source, &self.destination)
        else {
            return None;
        };
        Some(Tables {
            connection: &source.connection,
            path: &copy.path,
            prefix: &copy.table_prefix,
            streams: source
                .streams
                .iter()
                .map(|stream| stream_name(&stream.name))
                .collect(),
        })
    }

    /// Checks what can be checked without asking anybody.
    pub(crate) fn check(&self) -> Outcome {
        self.source
            .check()
            .map_err(|failure| failure.within(&format!("source `{}`", self.source.name())))?;
        self.destination.check()
    }
}
