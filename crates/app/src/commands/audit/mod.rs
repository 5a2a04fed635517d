//! `spoke audit`: is the copy complete and right? And with `--repair`: make it so.

mod report;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use opencdc::{Origin, StreamName};
use pipeline::Pipeline;
use pipeline::audit::{self, Audit, AuditReport};

use crate::cli;
use crate::compose;
use crate::exit::{Failure, Outcome};
use crate::lease::Lease;
use crate::printer;
use crate::progress::grouped;
use crate::settings::Settings;
use report::{Repaired, Report};

/// Often enough to see life, seldom enough for a log.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Audits the named pipeline, or all of them. Fails when a copy differs.
pub(crate) async fn run(arguments: cli::Audit) -> Outcome {
    let settings = Settings::load(arguments.file.path())?;
    let named: Vec<_> = arguments.pipeline.iter().cloned().collect();
    let mut reports = Vec::new();
    for (name, written) in super::reading_hubspot(&settings, &named, compose::NOBODY_TO_ASK)? {
        let state = settings.file.state.path();
        // Held from before the comparison on, so that nobody delivers between it and the repair.
        let _lease = arguments.repair.then(|| Lease::take(state, name)).transpose()?;
        let follows = !arguments.repair && Lease::holder(state, name).is_some();
        let (pipeline, origin) = compose::audited(&settings, name, written).await?;
        let report = audit(&pipeline, &*origin, &arguments, follows).await?;
        if !arguments.json {
            printer::data(&report.to_string());
        }
        reports.push(report);
    }
    if arguments.json {
        printer::json(&reports)?;
    }
    reports.iter().try_for_each(verdict)
}

async fn audit(
    pipeline: &Pipeline,
    origin: &dyn Origin,
    arguments: &cli::Audit,
    follows: bool,
) -> Outcome<Report> {
    let streams: Vec<_> = arguments
        .streams
        .iter()
        .map(|name| StreamName::from(name.as_str()))
        .collect();
    let audit = Audit {
        pipeline,
        origin,
        streams: &streams,
        follows,
    };
    let begun = Instant::now();
    let progress = Lines::new(&pipeline.name);
    let found = audit
        .run(&|stream, records| progress.tell(stream, records))
        .await?;
    let repaired = match arguments.repair && !found.is_right() {
        true => Some(repair(&audit, &found).await?),
        false => None,
    };
    Ok(Report::new(&pipeline.name, &found, repaired, begun.elapsed()))
}

/// Mends what was found, and looks at it once more.
async fn repair(audit: &Audit<'_>, found: &AuditReport) -> Outcome<Repaired> {
    let written = audit::repair(audit.pipeline, audit.origin, found).await?;
    let left = audit.again(found).await?;
    Ok(Repaired::new(written, &left))
}

fn verdict(report: &Report) -> Outcome {
    let (name, wrong) = (report.name(), report.wrong());
    if wrong == 0 {
        return match report.refused() {
            refused if refused.is_empty() => Ok(()),
            refused => Err(Failure::environment(format!(
                "the copy of `{name}` was compared without `{}`",
                refused.join("`, `")
            ))
            .hint("grant the token what the report names, or take the streams out of the pipeline")),
        };
    }
    let plural = if wrong == 1 { "" } else { "s" };
    let message = format!(
        "the copy of `{name}` differs from HubSpot in {} record{plural}",
        grouped(wrong)
    );
    Err(Failure::failed(message).hint(match report.was_repaired() {
        false => format!("`spoke audit {name} --repair` reads just those again and writes them"),
        true => "what is left was refused by the destination, or has just changed again: see the report"
            .to_owned(),
    }))
}

/// A line every few seconds, on stderr.
struct Lines<'a> {
    pipeline: &'a str,
    told: Mutex<Instant>,
}

impl<'a> Lines<'a> {
    fn new(pipeline: &'a str) -> Self {
        Self {
            pipeline,
            told: Mutex::new(Instant::now()),
        }
    }

    fn tell(&self, stream: &StreamName, records: u64) {
        let mut told = self
            .told
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if told.elapsed() >= BETWEEN_LINES {
            *told = Instant::now();
            printer::note(&format!(
                "{}: compared {} {stream}",
                self.pipeline,
                grouped(records)
            ));
        }
    }
}
