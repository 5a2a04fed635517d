//! What a run did, once it has ended.

use std::fmt;
use std::time::Duration;

use pipeline::{Ended, Summary};
use serde::Serialize;

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
    pub(super) fn new(pipeline: &str, summary: &Summary, elapsed: Duration) -> Self {
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
