//! `spoke plan`: what a pipeline will cost, before it runs.

use std::fmt;
use std::time::Duration;

use hubspot_connector::estimate::{Estimate, StreamEstimate};
use serde::Serialize;

use crate::cli;
use crate::compose;
use crate::exit::Outcome;
use crate::printer;
use crate::progress::grouped;
use crate::settings::{Connection, Settings};

/// Walks that the source takes at the same time.
const AT_ONCE: f64 = 4.0;
/// From so many calls on it is worth a thought to take another way.
const WORTH_A_THOUGHT: u64 = 1_000;

/// Surveys the named pipeline, or all. Reads a few pages of each stream and changes nothing.
pub(crate) async fn run(arguments: cli::Plan) -> Outcome {
    let settings = Settings::load(arguments.file.path())?;
    let named: Vec<_> = arguments.pipeline.iter().cloned().collect();
    let mut reports = Vec::new();
    let what = "what it costs is not counted in calls to HubSpot";
    for (name, written) in super::reading_hubspot(&settings, &named, what)? {
        let config = written.need_hubspot_source(name, what)?;
        let connection = settings.connection(&config.connection)?;
        let estimate = compose::hubspot_source(&settings, config)?.survey().await?;
        reports.push(Report::new(name, estimate, connection));
    }
    if arguments.json {
        return printer::json(&reports);
    }
    for report in &reports {
        report.print();
    }
    Ok(())
}

/// What one pipeline will cost.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    pipeline: String,
    #[serde(flatten)]
    estimate: Estimate,
    minutes: Vec<Minutes>,
    total: Total,
    warnings: Vec<String>,
}

/// How long the snapshot of a stream takes, at least.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Minutes {
    stream: String,
    /// By the permitted rate of calls.
    by_rate: f64,
    /// By how long a page takes, since one comes after the other.
    by_latency: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Total {
    records: u64,
    bytes: u64,
    /// Calls of a first `spoke sync --once`.
    calls: u64,
    minutes: f64,
    /// Of the account's calls a day, in percent.
    share_of_day: Option<f64>,
    /// Calls a day afterwards, when changes are followed and nothing changes.
    calls_a_day: u64,
    share_of_day_following: Option<f64>,
}

impl Report {
    fn new(name: &str, estimate: Estimate, connection: &Connection) -> Self {
        let share = connection.share.fraction();
        let minutes: Vec<_> = estimate
            .streams
            .iter()
            .map(|stream| minutes(stream, &estimate, share))
            .collect();
        let total = total(&estimate, &minutes);
        Self {
            pipeline: name.to_owned(),
            warnings: warnings(&estimate, &total, connection.max_calls_per_day),
            minutes,
            total,
            estimate,
        }
    }

    fn print(&self) {
        let header = [
            "stream",
            "records",
            "calls",
            "minutes",
            "of the day",
            "calls a day after",
            "bytes",
            "cheapest",
        ];
        printer::data(&format!("{}:", self.pipeline));
        let streams = self.estimate.streams.iter().zip(&self.minutes);
        let rows = streams.map(|(stream, minutes)| self.row(stream, minutes));
        let start = [self.start_row(), self.total_row()];
        printer::table(&header, rows.chain(start));
        printer::data(&format!("\n{}", self.limits()));
        for warning in &self.warnings {
            printer::data(&format!("warning: {warning}"));
        }
    }

    fn row(&self, stream: &StreamEstimate, minutes: &Minutes) -> Vec<String> {
        let calls = stream.snapshot.total();
        let cheapest = stream
            .routes
            .iter()
            .map(|route| format!("{} {}", route.route, grouped(route.calls)));
        vec![
            stream.name.to_string(),
            stream.records.map_or_else(|| "?".to_owned(), grouped),
            grouped(calls),
            format!("{:.1}", minutes.by_rate.max(minutes.by_latency)),
            self.share(calls),
            grouped(stream.a_day.total()),
            stream.bytes.map_or_else(|| "?".to_owned(), size),
            cheapest.collect::<Vec<_>>().join(", "),
        ]
    }

    fn start_row(&self) -> Vec<String> {
        let estimate = &self.estimate;
        let mut row = vec![
            "(account, definitions)".to_owned(),
            String::new(),
            grouped(estimate.start),
        ];
        row.extend([
            String::new(),
            self.share(estimate.start),
            grouped(estimate.definitions_a_day),
        ]);
        row
    }

    fn total_row(&self) -> Vec<String> {
        let total = &self.total;
        vec![
            "total".to_owned(),
            grouped(total.records),
            grouped(total.calls),
            format!("{:.1}", total.minutes),
            self.share(total.calls),
            grouped(total.calls_a_day),
            size(total.bytes),
        ]
    }

    fn share(&self, calls: u64) -> String {
        let percent = percent(calls, self.estimate.limits.calls_a_day);
        percent.map_or_else(|| "-".to_owned(), |percent| format!("{percent:.2} %"))
    }

    fn limits(&self) -> String {
        let limits = &self.estimate.limits;
        let day = match (limits.calls_a_day, limits.left_today) {
            (Some(day), Some(left)) => format!("{} calls a day, {} left today", grouped(day), grouped(left)),
            _ => "no limit of calls a day".to_owned(),
        };
        format!(
            "the account allows {} calls in 10 s, {} searches a second, {day}; a page takes {} ms",
            grouped(limits.calls_in_ten_seconds),
            grouped(limits.searches_a_second),
            self.estimate.latency.as_millis()
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "estimates are read to two digits")]
fn real(number: u64) -> f64 {
    number as f64
}

fn percent(calls: u64, of: Option<u64>) -> Option<f64> {
    of.filter(|of| *of > 0).map(|of| 100.0 * real(calls) / real(of))
}

fn minutes(stream: &StreamEstimate, estimate: &Estimate, share: f64) -> Minutes {
    let rate = (real(estimate.limits.calls_in_ten_seconds) * share).max(1.0) / 10.0;
    Minutes {
        stream: stream.name.to_string(),
        by_rate: real(stream.snapshot.general()) / rate / 60.0,
        by_latency: seconds(stream.snapshot.total(), estimate.latency) / 60.0,
    }
}

fn seconds(calls: u64, each: Duration) -> f64 {
    real(calls) * each.as_secs_f64()
}

/// The rate is shared by all streams; of the walks a few go on at once, and the longest is the least it takes.
fn total(estimate: &Estimate, minutes: &[Minutes]) -> Total {
    let streams = &estimate.streams;
    let calls = estimate.start + streams.iter().map(|stream| stream.snapshot.total()).sum::<u64>();
    let by_rate: f64 = minutes.iter().map(|minutes| minutes.by_rate).sum();
    let longest = minutes
        .iter()
        .map(|minutes| minutes.by_latency)
        .fold(0.0, f64::max);
    let by_latency = minutes.iter().map(|minutes| minutes.by_latency).sum::<f64>() / AT_ONCE;
    let calls_a_day =
        estimate.definitions_a_day + streams.iter().map(|stream| stream.a_day.total()).sum::<u64>();
    Total {
        records: streams.iter().filter_map(|stream| stream.records).sum(),
        bytes: streams.iter().filter_map(|stream| stream.bytes).sum(),
        calls,
        minutes: by_rate.max(by_latency).max(longest),
        share_of_day: percent(calls, estimate.limits.calls_a_day),
        calls_a_day,
        share_of_day_following: percent(calls_a_day, estimate.limits.calls_a_day),
    }
}

fn warnings(estimate: &Estimate, total: &Total, ceiling: Option<u64>) -> Vec<String> {
    let refused = estimate.refused.iter().cloned();
    let streams = estimate.streams.iter().flat_map(peculiarities);
    refused
        .chain(shortages(estimate, total, ceiling))
        .chain(streams)
        .chain(estimate.left_out.clone())
        .collect()
}

/// What the calls of a day will not suffice for.
fn shortages(estimate: &Estimate, total: &Total, ceiling: Option<u64>) -> Vec<String> {
    const LATER: &str = "it goes on when the day is over";
    const LESS: &str = "raise `poll`, `archived`, `reconcile` or `refresh`, or select fewer streams";
    let limits = &estimate.limits;
    let first = ("the snapshot", total.calls, LATER);
    let daily = ("a day of following", total.calls_a_day, LESS);
    let all = [
        (first, "HubSpot's daily limit leaves", limits.left_today),
        (first, "`max_calls_per_day` is", ceiling),
        (daily, "HubSpot's daily limit is", limits.calls_a_day),
        (daily, "`max_calls_per_day` is", ceiling),
    ];
    let short = |((what, calls, way_out), whose, most): ((&str, u64, &str), &str, Option<u64>)| {
        let most = most.filter(|most| calls > *most)?;
        let (calls, most) = (grouped(calls), grouped(most));
        Some(format!(
            "{what} takes {calls} calls, and {whose} {most}: {way_out}"
        ))
    };
    all.into_iter().filter_map(short).collect()
}

/// What is out of the ordinary about a stream.
fn peculiarities(stream: &StreamEstimate) -> Vec<String> {
    let name = &stream.name;
    let mut said = Vec::new();
    if stream.full_bin {
        said.push(format!(
            "`{name}` has more than a page of archived records: following takes a few calls more"
        ));
    }
    if stream.records.is_none() {
        said.push(format!(
            "HubSpot does not say how many `{name}` there are: its calls are the least it takes"
        ));
    }
    let calls = stream.snapshot.total();
    let cheapest = stream.routes.first().filter(|route| route.route != "list");
    if let Some(route) = cheapest.filter(|_| calls > WORTH_A_THOUGHT) {
        said.push(format!(
            "`{name}` would take {} calls by {} and takes {} by list, which Spoke reads because it is complete, \
             current and resumable",
            grouped(route.calls),
            route.route,
            grouped(calls)
        ));
    }
    said
}

struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
        let mut value = real(self.0);
        let mut unit = 0;
        while value >= 1_000.0 && unit + 1 < UNITS.len() {
            value /= 1_000.0;
            unit += 1;
        }
        let digits = usize::from(unit > 0 && value < 10.0);
        write!(f, "{value:.digits$} {}", UNITS[unit])
    }
}

fn size(bytes: u64) -> String {
    Bytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_two_digits_or_more() {
        let shown = [999, 1_500, 15_000, 2_000_000, 7_000_000_000_000].map(size);
        assert_eq!(shown, ["999 B", "1.5 kB", "15 kB", "2.0 MB", "7000 GB"]);
    }
}
