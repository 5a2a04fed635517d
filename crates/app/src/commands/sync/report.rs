//! What a run did, once it has ended.

use std::fmt;
use std::time::Duration;

use opencdc::{Error, StreamName, Trouble};
use pipeline::{Ended, Summary};
use serde::Serialize;

use crate::exit::Failure;
use crate::picture::Current;
use crate::progress;

/// What a run did, for a person and for a program.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pipeline: String,
    ended: &'static str,
    resumed: bool,
    retries: u32,
    seconds: f64,
    streams: Vec<StreamReport>,
    /// Why the run failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<Current>,
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
    /// Why the stream could not be read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<Current>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct UnfitReport {
    stream: String,
    field: String,
    values: u64,
}

impl Report {
    pub(super) fn new(pipeline: &str, summary: &Summary, elapsed: Duration) -> Self {
        let streams = summary.streams.iter().map(|(name, counts)| StreamReport {
            stream: name.to_string(),
            written: counts.written,
            unchanged: counts.unchanged,
            rejected: counts.rejected,
            trouble: None,
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
                Ended::Failed => "failed",
            },
            resumed: summary.resumed,
            retries: summary.retries,
            seconds: elapsed.as_secs_f64(),
            streams: streams.collect(),
            trouble: None,
            unfit: unfit.collect(),
        }
    }

    /// A run that failed, with what it had done before.
    pub(super) fn failed(pipeline: &str, summary: &Summary, elapsed: Duration, error: &Error) -> Self {
        let mut report = Self::new(pipeline, summary, elapsed);
        report.ended = "failed";
        report.trouble = Some(Trouble::of(error, None).into());
        for (stream, error) in error.streams() {
            report.stream(stream).trouble = Some(Trouble::of(error, None).into());
        }
        report
    }

    /// A pipeline that could not run at all.
    pub(super) fn not_run(pipeline: &str, failure: &Failure) -> Self {
        let mut report = Self::new(pipeline, &Summary::default(), Duration::ZERO);
        report.ended = "failed";
        report.trouble = Some(failure.current());
        report
    }

    /// The report of `stream`, which may have had no record.
    fn stream(&mut self, stream: &StreamName) -> &mut StreamReport {
        let known = self
            .streams
            .iter()
            .position(|report| report.stream == stream.as_str());
        let index = known.unwrap_or_else(|| {
            self.streams.push(StreamReport {
                stream: stream.to_string(),
                written: 0,
                unchanged: 0,
                rejected: 0,
                trouble: None,
            });
            self.streams.len() - 1
        });
        &mut self.streams[index]
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
            if let Some(trouble) = &stream.trouble {
                write!(f, ", failed: {}", trouble.message)?;
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
