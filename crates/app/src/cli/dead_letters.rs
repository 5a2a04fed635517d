//! Commands about records that were refused.

use clap::Subcommand;

use super::ConfigFile;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetterCommand {
    /// List the records that were refused, with the reasons
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Pipeline whose letters are listed [default: all]
        #[arg(value_name = "PIPELINE")]
        pipeline: Option<String>,
        /// Print JSON: every letter with its whole record, one a line
        #[arg(long)]
        json: bool,
    },
    /// Print one, with its whole record
    Show {
        #[command(flatten)]
        file: ConfigFile,
        /// Pipeline it belongs to
        #[arg(value_name = "PIPELINE")]
        pipeline: String,
        /// Its number
        #[arg(value_name = "ID")]
        id: u64,
    },
    /// Send them again, once their cause is mended
    Redrive {
        #[command(flatten)]
        file: ConfigFile,
        /// Pipeline they belong to
        #[arg(value_name = "PIPELINE")]
        pipeline: String,
        /// Their numbers [default: all]
        #[arg(value_name = "ID")]
        ids: Vec<u64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Drop them for good
    Discard {
        #[command(flatten)]
        file: ConfigFile,
        /// Pipeline they belong to
        #[arg(value_name = "PIPELINE")]
        pipeline: String,
        /// Their numbers
        #[arg(value_name = "ID", required = true)]
        ids: Vec<u64>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}
