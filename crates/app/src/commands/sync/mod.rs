//! `spoke sync`: run pipelines.

mod follow;
mod report;

use std::sync::Arc;
use std::time::Instant;

use opencdc::Until;
use pipeline::{Pipeline, RetryOptions, SqliteStore};
use tokio_util::sync::CancellationToken;

use self::report::Report;
use crate::cli::Sync;
use crate::compose;
use crate::exit::{Failure, Outcome};
use crate::lease::Lease;
use crate::printer;
use crate::progress::{self, Screen};
use crate::settings::{self, Settings, SourceConfig};
use crate::watch::Watch;

/// Runs the named pipelines: with `--once` one after another, each until it has caught up; otherwise all at the same
/// time, until stopped.
pub(crate) async fn run(arguments: Sync) -> Outcome {
    let settings = Settings::load(arguments.file.path())?;
    let wanted = settings.pipelines(&arguments.pipelines)?;
    check_stdin(&wanted)?;
    let names: Vec<_> = wanted.into_iter().map(|(name, _)| name.to_owned()).collect();
    if names.is_empty() {
        return Err(
            Failure::usage(format!("`{}` has no pipeline to run", settings.path.display()))
                .hint("`spoke config init` writes a file with one"),
        );
    }
    let sync = Syncing {
        store: compose::state(&settings).await?.as_ref().clone(),
        settings: Arc::new(settings),
        screen: Screen::new(names.len()),
        stop: stop_when_interrupted(),
    };
    let tell = |report: &Report| {
        if !arguments.json {
            sync.screen.suspend(|| printer::data(&report.to_string()));
        }
    };
    let reports = if arguments.once {
        one_after_another(&sync, &names, tell).await?
    } else {
        follow::all_at_once(&sync, names, tell).await?
    };
    if arguments.json {
        printer::json(&reports)?;
    }
    Ok(())
}

/// There is one standard input, and nobody can read it twice.
fn check_stdin(wanted: &[(&str, &settings::Pipeline)]) -> Outcome {
    let mut names = wanted
        .iter()
        .filter(|(_, written)| matches!(written.source, SourceConfig::Stdin(_)))
        .map(|(name, _)| name);
    match (names.next(), names.next()) {
        (Some(one), Some(other)) => Err(Failure::usage(format!(
            "the pipelines `{one}` and `{other}` both read the standard input"
        ))
        .hint("name the one to run")),
        _ => Ok(()),
    }
}

async fn one_after_another(sync: &Syncing, names: &[String], tell: impl Fn(&Report)) -> Outcome<Vec<Report>> {
    let mut reports = Vec::new();
    for name in names {
        let report = sync.pipeline(name, Until::CaughtUp, impatient()).await?;
        tell(&report);
        reports.push(report);
    }
    Ok(reports)
}

/// What the pipelines of one command have in common.
#[derive(Clone)]
struct Syncing {
    settings: Arc<Settings>,
    /// Where the pictures of the runs are kept.
    store: SqliteStore,
    screen: Screen,
    stop: CancellationToken,
}

impl Syncing {
    /// Runs the pipeline called `name`, which nobody else may run meanwhile.
    async fn pipeline(&self, name: &str, until: Until, retry: RetryOptions) -> Outcome<Report> {
        let _lease = Lease::take(self.settings.file.state.path(), name)?;
        let written = self.settings.pipeline(name)?.1;
        let mut pipeline = compose::pipeline(&self.settings, name, written).await?;
        pipeline.options.retry = retry;
        let progress = self.screen.progress(&pipeline);
        let watch = Watch::new(&pipeline, Some(self.store.clone()), progress);
        watched(&pipeline, until, &self.stop, &watch).await
    }
}

/// Whoever waits for the end of `--once`, a person or a scheduler, has an opinion of their own about trying again;
/// the client has tried for a while by then.
fn impatient() -> RetryOptions {
    RetryOptions {
        max_attempts: 1,
        ..RetryOptions::default()
    }
}

/// Asks the run to stop in good order at Ctrl-C or SIGTERM.
pub(super) fn stop_when_interrupted() -> CancellationToken {
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        compose::interrupted().await;
        printer::note("stopping: what is under way is finished first");
        token.cancel();
    });
    stop
}

/// Runs one pipeline until it has caught up, with its progress shown, and kept nowhere.
pub(super) async fn catch_up(pipeline: &Pipeline, stop: &CancellationToken) -> Outcome<Report> {
    let watch = Watch::new(pipeline, None, Screen::new(1).progress(pipeline));
    watched(pipeline, Until::CaughtUp, stop, &watch).await
}

/// Follows with one pipeline until stopped; how it is getting on is kept in `store`, and not shown.
pub(super) async fn follow_unseen(
    pipeline: &Pipeline,
    store: SqliteStore,
    stop: &CancellationToken,
) -> Outcome<Report> {
    let watch = Watch::new(pipeline, Some(store), progress::hidden(pipeline));
    watched(pipeline, Until::Dropped, stop, &watch).await
}

async fn watched(
    pipeline: &Pipeline,
    until: Until,
    stop: &CancellationToken,
    watch: &Watch,
) -> Outcome<Report> {
    let begun = Instant::now();
    let run = pipeline::run(pipeline, until, watch, stop.clone());
    let summary = watch.over(run).await?;
    Ok(Report::new(&pipeline.name, &summary, begun.elapsed()))
}
