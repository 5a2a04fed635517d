//! One file a command. Each takes what clap read and gives back how it ended.

mod actions;
mod associate;
mod audit;
mod check;
mod config;
mod dead_letters;
mod demo;
mod describe;
mod emulate;
mod gdpr_delete;
mod get;
mod merge;
mod objects;
mod plan;
mod property;
mod query;
mod schema;
mod state;
mod status;
mod sync;
mod write;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::settings::{self, Settings};

/// Runs the command.
pub(crate) fn run(cli: Cli) -> Outcome {
    match cli.command {
        Command::Config(command) => config::run(command),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "spoke", &mut std::io::stdout());
            Ok(())
        }
        command => runtime()?.block_on(run_async(command)),
    }
}

async fn run_async(command: Command) -> Outcome {
    match command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Emulate(arguments) => emulate::run(arguments).await,
        Command::Check(arguments) => check::run(arguments).await,
        Command::Objects(arguments) => objects::run(arguments).await,
        Command::Describe(arguments) => describe::run(arguments).await,
        Command::Get(arguments) => get::run(arguments).await,
        Command::Create(arguments) => write::create(arguments).await,
        Command::Update(arguments) => write::update(arguments).await,
        Command::Upsert(arguments) => write::upsert(arguments).await,
        Command::Delete(arguments) => write::delete(arguments).await,
        Command::Schema(command) => schema::run(command).await,
        Command::Property(command) => property::run(command).await,
        Command::Associate(arguments) => associate::run(arguments).await,
        Command::Merge(arguments) => merge::run(arguments).await,
        Command::GdprDelete(arguments) => gdpr_delete::run(arguments).await,
        Command::Actions(command) => actions::run(command).await,
        Command::Query(arguments) => query::run(arguments).await,
        Command::Sync(arguments) => sync::run(arguments).await,
        Command::Status(arguments) => status::run(arguments).await,
        Command::State(command) => state::run(command).await,
        Command::DeadLetters(command) => dead_letters::run(command).await,
        Command::Plan(arguments) => plan::run(arguments).await,
        Command::Audit(arguments) => audit::run(arguments).await,
        Command::Config(_) | Command::Completions { .. } => unreachable!("handled without a runtime"),
    }
}

/// The pipelines called `names`; or, when none is named, those of all that read from HubSpot, and `why` the others are
/// left out.
fn reading_hubspot<'a>(
    settings: &'a Settings,
    names: &[String],
    why: &str,
) -> Outcome<Vec<(&'a str, &'a settings::Pipeline)>> {
    let wanted = settings.pipelines(names)?;
    let reads = |(_, written): &(_, &settings::Pipeline)| written.hubspot_source().is_some();
    if !names.is_empty() || !wanted.iter().any(reads) {
        // Whatever cannot be done is refused by name.
        return Ok(wanted);
    }
    let (reading, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(reads);
    for (name, written) in others {
        let source = written.source.name();
        printer::note(&format!(
            "pipeline `{name}` is left out: it reads from `{source}`, and {why}"
        ));
    }
    Ok(reading)
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed("cannot start the runtime").because(&error))
}
