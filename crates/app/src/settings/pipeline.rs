//! A pipeline as it is written: one source, one destination.

use std::path::Path;

use hubspot_connector::SourceConfig as HubspotConfig;
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

    /// Checks what can be checked without asking anybody.
    pub(crate) fn check(&self) -> Outcome {
        self.source
            .check()
            .map_err(|failure| failure.within(&format!("source `{}`", self.source.name())))?;
        self.destination.check()
    }
}
