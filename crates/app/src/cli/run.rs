//! Commands about pipelines: run them, look at them, prove their copies.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ConfigFile;

#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) file: ConfigFile,
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
    #[command(flatten)]
    pub(crate) file: ConfigFile,
    /// Pipeline to show [default: all]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Print the position of a pipeline, and how much its source remembers besides
    Show {
        #[command(flatten)]
        file: ConfigFile,
        /// Pipeline to show [default: all]
        #[arg(value_name = "PIPELINE")]
        pipeline: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Set the position that the next run of a pipeline starts from, such as one of Conduit's connector
    Set {
        #[command(flatten)]
        file: ConfigFile,
        /// Pipeline whose position is set
        #[arg(value_name = "PIPELINE")]
        pipeline: String,
        /// File with the position as JSON; `-` reads it from stdin
        #[arg(long, value_name = "FILE")]
        position: PathBuf,
        /// Skip the confirmation prompt
        #[arg(long)]
        yes: bool,
    },
    /// Forget where a pipeline, or one stream of it, stands: the next run reads it from the start
    Reset {
        #[command(flatten)]
        file: ConfigFile,
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

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) file: ConfigFile,
    /// Pipeline to plan for [default: all]
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) file: ConfigFile,
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
