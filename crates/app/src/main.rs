//! The `spoke` binary: commands, settings and the terminal. The only place where the crates meet.

mod account;
mod actions;
mod cli;
mod commands;
mod compose;
mod confirm;
mod exit;
mod lease;
mod open_files;
mod picture;
mod printer;
mod progress;
mod session;
mod settings;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    open_files::raise_limit();
    printer::start_logging(cli.global.log.as_deref());
    exit::code(commands::run(cli))
}
