//! The command line as clap sees it. Names of commands and flags are a contract: scripts rely on them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use hubspot_emulator::Tier;
use jiff::SignedDuration;

/// HubSpot in, out and proven complete.
#[derive(Debug, Parser)]
#[command(
    name = "spoke",
    version,
    about,
    propagate_version = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Try it without an account: `spoke demo`\nExit codes: 0 ok, 1 failed while running, \
                        2 bad usage or configuration, 3 environment (unreachable, refused credentials)"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Log to stderr: a level (`debug`) or levels by module (`hubspot_client=debug,info`)
    #[arg(long, global = true, value_name = "FILTER", env = "SPOKE_LOG")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Emulator, snapshot and changes into an SQLite file; no account needed
    Demo(Demo),
    /// Run a local HubSpot
    Emulate(Emulate),
    /// Test a connection: token, portal, missing scopes per object
    Check(Check),
    /// List the object types of the account
    Objects(Discover),
    /// List the properties of an object type
    Describe(Describe),
    /// Print one record
    Get(Get),
    /// Run pipelines
    Sync(Sync),
    /// Show how pipelines are getting on
    Status(Status),
    /// Look at where pipelines resume, or have them start again
    #[command(subcommand)]
    State(StateCommand),
    /// What a run will cost: calls, minutes, share of the daily quota; changes nothing
    Plan(Plan),
    /// Is the copy complete and right? Compares it with HubSpot, record by record
    Audit(Audit),
    /// Make, check and explain the configuration file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

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

/// Which account a one-shot command talks to.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Configuration file [default: spoke.yaml, where there is one]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Connection of the configuration file; without a file, HUBSPOT_ACCESS_TOKEN and HUBSPOT_BASE_URL are used
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Configuration file [default: spoke.yaml, where there is one]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Connection to test [default: the only one]
    #[arg(value_name = "CONNECTION")]
    pub(crate) connection: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Discover {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// Object type: `contacts`, `contact`, `0-1`, a custom object's name
    pub(crate) object: String,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["id", "by"])))]
pub(crate) struct Get {
    /// Object type: `contacts`, `contact`, `0-1`, a custom object's name
    pub(crate) object: String,
    /// The record's id
    pub(crate) id: Option<String>,
    /// A unique property and its value, such as `email=ada@example.com`
    #[arg(long, value_name = "PROP=VALUE", value_parser = pair)]
    pub(crate) by: Option<(String, String)>,
    /// Only these properties, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "PROP,…")]
    pub(crate) properties: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// Configuration file [default: spoke.yaml]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Pipelines to run [default: all]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<String>,
    /// End when caught up instead of following changes until interrupted
    #[arg(long)]
    pub(crate) once: bool,
    /// Print the summary as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Configuration file [default: spoke.yaml]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Pipeline to show [default: all]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Configuration file [default: spoke.yaml]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Pipeline to plan for [default: all]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Configuration file [default: spoke.yaml]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Pipeline whose copy is audited [default: all]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: Option<String>,
    /// Streams to compare [default: all]
    #[arg(value_name = "STREAM")]
    pub(crate) streams: Vec<String>,
    /// Read what is wrong again, and write just that
    #[arg(long)]
    pub(crate) repair: bool,
    /// Print JSON: every window, and every id that differs
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Print the position of a pipeline, and how much its source remembers besides
    Show {
        /// Configuration file [default: spoke.yaml]
        #[arg(short = 'c', long = "config", value_name = "FILE")]
        config: Option<PathBuf>,
        /// Pipeline to show [default: all]
        #[arg(value_name = "PIPELINE")]
        pipeline: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget where a pipeline, or one stream of it, stands: the next run reads it from the start
    Reset {
        /// Configuration file [default: spoke.yaml]
        #[arg(short = 'c', long = "config", value_name = "FILE")]
        config: Option<PathBuf>,
        /// Pipeline to reset
        #[arg(value_name = "PIPELINE")]
        pipeline: String,
        /// Only this stream
        #[arg(value_name = "STREAM")]
        stream: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
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
        /// Configuration file
        #[arg(
            short = 'c',
            long = "config",
            default_value = "spoke.yaml",
            value_name = "FILE"
        )]
        config: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the configuration with all defaults filled in and secrets masked
    Show {
        /// Configuration file
        #[arg(
            short = 'c',
            long = "config",
            default_value = "spoke.yaml",
            value_name = "FILE"
        )]
        config: PathBuf,
        /// Print JSON instead of YAML
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
}

/// A duration such as `250ms`, `5s`, `30m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<SignedDuration, _> = text.parse();
    let duration =
        parsed.map_err(|_| "write a number and a unit, such as `250ms`, `5s`, `30m` or `1h`".to_owned())?;
    duration
        .try_into()
        .map_err(|_| "a duration is not negative".to_owned())
}

/// `PROP=VALUE` apart at its first `=`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (property, value) = text
        .split_once('=')
        .ok_or("write `PROP=VALUE`, such as `email=ada@example.com`")?;
    Ok((property.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        assert!(duration("5").is_err() && duration("abc").is_err() && duration("-5s").is_err());
    }
}
