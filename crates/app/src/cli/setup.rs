//! Commands to start with: a try without an account, a test of a connection, the configuration file.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use hubspot_emulator::Tier;

use super::{ConfigFile, ConfigFileIfPresent, duration};

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Folder for the demo's files
    #[arg(long, default_value = "spoke-demo", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// End when caught up instead of following changes until interrupted
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Emulate {
    /// Address to listen on; port 0 chooses a free one
    #[arg(long, default_value = "127.0.0.1:8400", value_name = "HOST:PORT")]
    pub(crate) listen: SocketAddr,
    /// Seed of the data: the same seed gives the same portal
    #[arg(long, default_value_t = 42, value_name = "N")]
    pub(crate) seed: u64,
    /// Number of contacts
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub(crate) contacts: u64,
    /// Number of companies [default: a fifth of the contacts, at most 20,000]
    #[arg(long, value_name = "N")]
    pub(crate) companies: Option<u64>,
    /// Number of deals [default: three tenths of the contacts, at most 20,000]
    #[arg(long, value_name = "N")]
    pub(crate) deals: Option<u64>,
    /// Number of tickets [default: three twentieths of the contacts, at most 20,000]
    #[arg(long, value_name = "N")]
    pub(crate) tickets: Option<u64>,
    /// Seed number properties with numbers only; otherwise a few hold text, as in real accounts
    #[arg(long)]
    pub(crate) clean: bool,
    /// Rate limits of this subscription: free, pro, enterprise or unlimited
    #[arg(long, default_value = "pro", value_name = "TIER")]
    pub(crate) tier: Tier,
    /// How long a change stays invisible to search
    #[arg(long, default_value = "0s", value_parser = duration, value_name = "DURATION")]
    pub(crate) search_lag: Duration,
    /// Time that every answer takes
    #[arg(long, default_value = "0ms", value_parser = duration, value_name = "DURATION")]
    pub(crate) latency: Duration,
    /// Access token to accept; may be repeated [default: the well-known token of the demo]
    #[arg(long = "token", value_name = "TOKEN")]
    pub(crate) tokens: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) file: ConfigFileIfPresent,
    /// Connection to test [default: the only one]
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Write a configuration file to start from
    Init {
        /// The file to write; an existing one is left alone
        #[arg(default_value = "spoke.yaml")]
        file: PathBuf,
    },
    /// Check a configuration file without calling anybody
    Validate {
        #[command(flatten)]
        file: ConfigFile,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the configuration with all defaults filled in and secrets masked
    Show {
        #[command(flatten)]
        file: ConfigFile,
        /// Print JSON instead of YAML
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
}
