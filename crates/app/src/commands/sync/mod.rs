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
    let tell = |ran: &Ran| {
        sync.screen.suspend(|| {
            // A pipeline that could not run has nothing to report but its failure.
            if !arguments.json && ran.has_run {
                printer::data(&ran.report.to_string());
            }
            // The failure of the only one is that of the command.
            if let Some(failure) = ran.failure.as_ref().filter(|_| names.len() > 1) {
                failure.tell();
            }
        });
    };
    let ran = if arguments.once {
        one_after_another(&sync, &names, tell).await
    } else {
        follow::all_at_once(&sync, &names, tell).await
    };
    if arguments.json {
        let reports: Vec<_> = ran.iter().map(|ran| &ran.report).collect();
        printer::json(&reports)?;
    }
    whole(ran)
}

/// Fails when any pipeline failed; the only one with its own exit code.
fn whole(mut ran: Vec<Ran>) -> Outcome {
    if ran.len() == 1 {
        let failure = ran.pop().and_then(|ran| ran.failure);
        return failure.map_or(Ok(()), Err);
    }
    let failed = ran.iter().filter(|ran| ran.failure.is_some());
    let names: Vec<_> = failed.map(|ran| format!("`{}`", ran.name)).collect();
    let message = match names.len() {
        0 => return Ok(()),
        failed if failed == ran.len() => "every pipeline has ended with an error".to_owned(),
        failed => format!(
            "{failed} of {} pipelines ended with an error: {}",
            ran.len(),
            names.join(", ")
        ),
    };
    Err(Failure::failed(message))
}

/// How one pipeline ended.
struct Ran {
    name: String,
    /// Whether it got as far as running.
    has_run: bool,
    report: Report,
    failure: Option<Failure>,
}

impl Ran {
    fn not_run(name: &str, failure: Failure) -> Self {
        Self {
            name: name.to_owned(),
            has_run: false,
            report: Report::not_run(name, &failure),
            failure: Some(failure),
        }
    }

    /// The report, or the failure.
    fn whole(self) -> Outcome<Report> {
        match self.failure {
            None => Ok(self.report),
            Some(failure) => Err(failure),
        }
    }
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

/// A pipeline that fails does not keep the others from running.
async fn one_after_another(sync: &Syncing, names: &[String], tell: impl Fn(&Ran)) -> Vec<Ran> {
    let mut all = Vec::new();
    for name in names {
        let ran = sync.pipeline(name, Until::CaughtUp, impatient()).await;
        tell(&ran);
        all.push(ran);
    }
    all
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
    async fn pipeline(&self, name: &str, until: Until, retry: RetryOptions) -> Ran {
        let ran = self.run(name, until, retry).await;
        ran.unwrap_or_else(|failure| Ran::not_run(name, failure))
    }

    async fn run(&self, name: &str, until: Until, retry: RetryOptions) -> Outcome<Ran> {
        let _lease = Lease::take(self.settings.file.state.path(), name)?;
        let written = self.settings.pipeline(name)?.1;
        let mut pipeline = compose::pipeline(&self.settings, name, written).await?;
        pipeline.options.retry = retry;
        let progress = self.screen.progress(&pipeline);
        let watch = Watch::new(&pipeline, Some(self.store.clone()), progress);
        Ok(watched(&pipeline, until, &self.stop, &watch).await)
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
    watched(pipeline, Until::CaughtUp, stop, &watch).await.whole()
}

/// Follows with one pipeline until stopped; how it is getting on is kept in `store`, and not shown.
pub(super) async fn follow_unseen(
    pipeline: &Pipeline,
    store: SqliteStore,
    stop: &CancellationToken,
) -> Outcome<Report> {
    let watch = Watch::new(pipeline, Some(store), progress::hidden(pipeline));
    watched(pipeline, Until::Dropped, stop, &watch).await.whole()
}

async fn watched(pipeline: &Pipeline, until: Until, stop: &CancellationToken, watch: &Watch) -> Ran {
    let begun = Instant::now();
    let run = pipeline::run(pipeline, until, watch, stop.clone());
    let (report, failure) = match watch.over(run).await {
        Ok(summary) => (Report::new(&pipeline.name, &summary, begun.elapsed()), None),
        Err(error) => {
            let done = watch.failed().unwrap_or_default();
            let report = Report::failed(&pipeline.name, &done, begun.elapsed(), &error);
            (report, Some(Failure::from(error)))
        }
    };
    Ran {
        name: pipeline.name.clone(),
        has_run: true,
        report,
        failure,
    }
}
