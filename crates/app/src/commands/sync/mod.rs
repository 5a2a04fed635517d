//! `spoke sync`: run pipelines.

use std::fmt;
use std::time::{Duration, Instant};

use opencdc::Until;
use pipeline::{Ended, Pipeline, RetryOptions, Summary};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::cli::Sync;
use crate::compose;
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::progress;
use crate::settings::Settings;

/// Runs the named pipelines, one after another, until each has caught up.
pub(crate) async fn run(arguments: Sync) -> Outcome {
    let settings = Settings::load(arguments.config.as_deref())?;
    let wanted = settings.pipelines(&arguments.pipelines)?;
    if wanted.is_empty() {
        return Err(
            Failure::usage(format!("`{}` has no pipeline to run", settings.path.display()))
                .hint("`spoke config init` writes a file with one"),
        );
    }
    if !arguments.once {
        return Err(
            Failure::usage("`spoke sync` cannot follow changes yet, only take snapshots")
                .hint("add `--once`; run it again to bring the copy up to date"),
        );
    }
    let stop = stop_when_interrupted();
    let mut reports = Vec::new();
    for (name, written) in wanted {
        let mut pipeline = compose::pipeline(&settings, name, written).await?;
        pipeline.options.retry = impatient();
        let report = run_pipeline(&pipeline, Until::CaughtUp, &stop).await?;
        match arguments.json {
            true => reports.push(report),
            false => printer::data(&report.to_string()),
        }
    }
    if arguments.json {
        printer::json(&reports)
    } else {
        Ok(())
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

/// Runs one pipeline with its progress shown.
pub(super) async fn run_pipeline(
    pipeline: &Pipeline,
    until: Until,
    stop: &CancellationToken,
) -> Outcome<Report> {
    let observer = progress::observer(pipeline);
    let begun = Instant::now();
    let summary = pipeline::run(pipeline, until, &*observer, stop.clone()).await?;
    Ok(Report::new(&pipeline.name, &summary, begun.elapsed()))
}

/// What a run did, for a person and for a program.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pipeline: String,
    ended: &'static str,
    resumed: bool,
    retries: u32,
    seconds: f64,
    streams: Vec<StreamReport>,
    /// Values that did not fit their column and are kept as text in `_raw`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unfit: Vec<UnfitReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StreamReport {
    stream: String,
    written: u64,
    unchanged: u64,
    rejected: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UnfitReport {
    stream: String,
    field: String,
    values: u64,
}

impl Report {
    fn new(pipeline: &str, summary: &Summary, elapsed: Duration) -> Self {
        let streams = summary.streams.iter().map(|(name, counts)| StreamReport {
            stream: name.to_string(),
            written: counts.written,
            unchanged: counts.unchanged,
            rejected: counts.rejected,
        });
        let unfit = summary.unfit.iter().map(|((stream, field), values)| UnfitReport {
            stream: stream.to_string(),
            field: field.clone(),
            values: *values,
        });
        Self {
            pipeline: pipeline.to_owned(),
            ended: match summary.ended {
                Ended::CaughtUp => "caught_up",
                Ended::Stopped => "stopped",
            },
            resumed: summary.resumed,
            retries: summary.retries,
            seconds: elapsed.as_secs_f64(),
            streams: streams.collect(),
            unfit: unfit.collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = self.ended.replace('_', " ");
        write!(f, "{}: {ended} in {:.1} s", self.pipeline, self.seconds)?;
        for stream in &self.streams {
            write!(
                f,
                "\n  {:24} {:>11} written",
                stream.stream,
                progress::grouped(stream.written)
            )?;
            for (count, what) in [
                (stream.unchanged, "unchanged"),
                (stream.rejected, "rejected, see the dead letters"),
            ] {
                if count > 0 {
                    write!(f, ", {} {what}", progress::grouped(count))?;
                }
            }
        }
        self.write_unfit(f)
    }
}

impl Report {
    fn write_unfit(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: u64 = self.unfit.iter().map(|unfit| unfit.values).sum();
        if values == 0 {
            return Ok(());
        }
        let fields: Vec<_> = self
            .unfit
            .iter()
            .map(|unfit| format!("{}.{}", unfit.stream, unfit.field))
            .collect();
        let values = progress::grouped(values);
        write!(
            f,
            "\n  {values} values did not fit their column and are kept in `_raw`: {}",
            fields.join(", ")
        )
    }
}
