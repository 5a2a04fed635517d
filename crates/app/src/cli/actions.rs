//! `spoke actions`: anything that can be done to an account, by name.

use clap::{Args, Subcommand};

use super::{Confirmed, FromFile, Target};

#[derive(Debug, Subcommand)]
pub(crate) enum ActionsCommand {
    /// List what can be done
    List(ActionList),
    /// Show what an action does and the input it takes
    Describe(ActionDescribe),
    /// Do it; the result is printed as JSON
    #[command(
        after_help = "Example: spoke actions run list.create object=contacts name=\"Visited the fair\""
    )]
    Run(ActionRun),
}

#[derive(Debug, Args)]
pub(crate) struct ActionList {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ActionDescribe {
    /// The action, such as `property.create`
    pub(crate) name: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ActionRun {
    /// The action, such as `property.create`
    pub(crate) name: String,
    /// The input: a JSON object, or a value for each key
    #[arg(value_name = "JSON|KEY=VALUE")]
    pub(crate) input: Vec<String>,
    #[command(flatten)]
    pub(crate) from: FromFile,
    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
    #[command(flatten)]
    pub(crate) target: Target,
}
