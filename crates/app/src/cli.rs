//! The command line as clap sees it. Names of commands and flags are a contract: scripts rely on them.

mod actions;
mod ask;
mod associate;
mod catalog;
mod dead_letters;
mod property;
mod query;
mod records;
mod run;
mod schema;
mod setup;
mod shared;
mod target;
mod write;

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use jiff::SignedDuration;

pub(crate) use actions::{ActionDescribe, ActionList, ActionRun, ActionsCommand};
pub(crate) use ask::Get;
pub(crate) use associate::{
    Associate, AssociateCommand, LabelCommand, LabelCreate, LabelDelete, LabelUpdate, Labels,
};
pub(crate) use catalog::{Describe, Objects};
pub(crate) use dead_letters::DeadLetterCommand;
pub(crate) use property::{
    GroupArchive, GroupCommand, GroupCreate, GroupList, GroupUpdate, PropertyArchive, PropertyCommand,
    PropertyCreate, PropertyList, PropertyShow, PropertyUpdate,
};
pub(crate) use query::{Format, Query};
pub(crate) use records::{GdprDelete, Merge};
pub(crate) use run::{Audit, Plan, StateCommand, Status, Sync};
pub(crate) use schema::{
    NamedProperty, SchemaArchive, SchemaAssociate, SchemaCommand, SchemaCreate, SchemaFlags, SchemaList,
    SchemaShow, SchemaUpdate,
};
pub(crate) use setup::{Check, ConfigCommand, Demo, Emulate};
pub(crate) use shared::{Asked, Confirmed, FromFile};
pub(crate) use target::{ConfigFile, ConfigFileIfPresent, Target};
pub(crate) use write::{Create, Delete, Filter, How, Run, Update, What};

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
    Objects(Objects),
    /// Tell what an object type is made of: properties, scopes, what a new record needs, pipelines
    Describe(Describe),
    /// Print one record
    Get(Get),
    /// Ask live records, in SQL or by an object and its conditions
    Query(Query),
    /// Make records, from values, a file or stdin
    Create(Create),
    /// Change records, from values, a file or stdin, or all for which a condition holds
    Update(Update),
    /// Change records by a unique property, or make those that are not there
    Upsert(Create),
    /// Put records into the recycle bin
    Delete(Delete),
    /// Custom objects: list, show, make, change, archive them
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Properties and their groups: list, show, make, change, archive them
    #[command(subcommand)]
    Property(PropertyCommand),
    /// Associate two records, or many pairs of them, or end that
    Associate(Associate),
    /// Make one record of two; cannot be undone
    Merge(Merge),
    /// Erase a contact for good, as the GDPR asks for; cannot be undone
    GdprDelete(GdprDelete),
    /// Whatever else can be done to an account, by name, with JSON in and out
    #[command(subcommand)]
    Actions(ActionsCommand),
    /// Run pipelines
    Sync(Sync),
    /// Show how pipelines are getting on
    Status(Status),
    /// Look at where pipelines resume, or have them start again
    #[command(subcommand)]
    State(StateCommand),
    /// Records that a destination refused: look at them, send them again, drop them
    #[command(subcommand)]
    DeadLetters(DeadLetterCommand),
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
