//! What a person sees while a pipeline runs: bars on a terminal, a line now and then elsewhere. On stderr, as
//! everything that is not data.

use std::collections::BTreeMap;
use std::fmt;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hubspot_client::{DayOver, DayStatus};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use opencdc::{Catalog, StreamName};
use pipeline::{Event, Observer, Pipeline, StreamTotals};
use tokio::sync::watch;

use crate::picture::{Picture, StreamPicture};
use crate::printer;

/// Elsewhere than on a terminal: often enough to see life, seldom enough for a log.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// When nothing happens at all.
const BETWEEN_IDLE_LINES: Duration = Duration::from_mins(1);

/// Shows how a run is getting on.
pub(crate) trait Progress: Observer {
    /// Called about once a second with the latest picture.
    fn show(&self, picture: &Picture);
}

/// For a run that is shown in another way: only what went wrong is told.
struct Hidden(String);

impl Observer for Hidden {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Retrying { .. }) {
            tell(&self.0, event, printer::note);
        }
    }
}

impl Progress for Hidden {
    fn show(&self, _: &Picture) {}
}

/// The progress of a pipeline that somebody else shows.
pub(crate) fn hidden(pipeline: &Pipeline) -> Box<dyn Progress> {
    Box::new(Hidden(pipeline.name.clone()))
}

/// Where stderr goes, for all pipelines of a command together.
#[derive(Clone)]
pub(crate) struct Screen {
    /// On a terminal.
    bars: Option<MultiProgress>,
    /// Whether names of streams need the pipeline's before them.
    several: bool,
}

impl Screen {
    /// One for so many pipelines.
    pub(crate) fn new(pipelines: usize) -> Self {
        Self {
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
            several: pipelines > 1,
        }
    }

    /// The progress of one pipeline.
    pub(crate) fn progress(&self, pipeline: &Pipeline) -> Box<dyn Progress> {
        match &self.bars {
            Some(bars) => Box::new(Bars::start(pipeline, bars.clone(), self.several)),
            None => Box::new(Lines::new(&pipeline.name)),
        }
    }

    /// Lets something be printed that is to stay.
    pub(crate) fn suspend(&self, print: impl FnOnce()) {
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

/// Says when the day's calls are used up and when it goes on, as often as that happens.
pub(crate) async fn tell_days(connection: String, mut day: watch::Receiver<DayStatus>) {
    let mut is_over = false;
    while day.changed().await.is_ok() {
        let status = day.borrow_and_update().clone();
        match status {
            DayStatus::Over { why, until } if !is_over => {
                is_over = true;
                printer::note(&format!(
                    "{connection}: {}; sending nothing until {until:.0}",
                    day_over(why)
                ));
            }
            DayStatus::Open if is_over => {
                is_over = false;
                printer::note(&format!("{connection}: a new day, going on"));
            }
            _ => {}
        }
    }
}

fn day_over(why: DayOver) -> String {
    match why {
        DayOver::Ceiling(max) => format!("the {} calls of `max_calls_per_day` are made", grouped(max)),
        _ => "HubSpot says that the account's calls for today are used up".to_owned(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What both tell in the same words.
fn tell(pipeline: &str, event: &Event<'_>, say: impl Fn(&str)) {
    match event {
        Event::Started { resumed: true, .. } => {
            say(&format!("{pipeline}: going on from the last checkpoint"));
        }
        Event::Retrying { error, wait, attempt } => {
            say(&format!(
                "{pipeline}: {error}; attempt {} in {} s",
                attempt + 1,
                wait.as_secs()
            ));
        }
        Event::CatalogChanged { .. } => say(&format!("{pipeline}: the schema has changed")),
        _ => {}
    }
}

/// A line when something has happened, every few seconds at most; once a minute otherwise.
struct Lines {
    pipeline: String,
    told: Mutex<Told>,
}

/// What the last line said.
struct Told {
    what: String,
    since: Instant,
    at: Instant,
}

impl Lines {
    fn new(pipeline: &str) -> Self {
        let now = Instant::now();
        Self {
            pipeline: pipeline.to_owned(),
            told: Mutex::new(Told {
                what: summary(&[]),
                since: now,
                at: now,
            }),
        }
    }
}

impl Told {
    /// The line to tell now, if there is one.
    fn next(&mut self, streams: &[StreamPicture], now: Instant) -> Option<String> {
        let what = summary(streams);
        let wait = if what == self.what {
            BETWEEN_IDLE_LINES
        } else {
            BETWEEN_LINES
        };
        if now.duration_since(self.at) < wait {
            return None;
        }
        let seconds = now.duration_since(self.since).as_secs();
        let behind: Vec<_> = streams
            .iter()
            .filter(|stream| stream.mode.is_some())
            .map(|stream| format!("; {} {}", stream.stream, stream.doing()))
            .collect();
        let line = format!("{what} in {seconds} s{}", behind.concat());
        (self.what, self.at) = (what, now);
        Some(line)
    }
}

/// What tells one moment from another: how many records there were. Lag alone is no event.
fn summary(streams: &[StreamPicture]) -> String {
    let records = streams.iter().map(|stream| stream.records).sum();
    format!("{} records", grouped(records))
}

impl Observer for Lines {
    fn event(&self, event: &Event<'_>) {
        tell(&self.pipeline, event, printer::note);
    }
}

impl Progress for Lines {
    fn show(&self, picture: &Picture) {
        let line = lock(&self.told).next(&picture.streams, Instant::now());
        if let Some(line) = line.filter(|_| picture.ended.is_none()) {
            printer::note(&format!("{}: {line}", self.pipeline));
        }
    }
}

/// A bar for every stream.
struct Bars {
    pipeline: String,
    screen: MultiProgress,
    several: bool,
    streams: Mutex<BTreeMap<StreamName, ProgressBar>>,
    estimates: Arc<Mutex<BTreeMap<StreamName, u64>>>,
}

impl Bars {
    /// Asks the source in the background how much there is; the bars do not wait for the answer.
    fn start(pipeline: &Pipeline, screen: MultiProgress, several: bool) -> Self {
        let estimates = Arc::new(Mutex::new(BTreeMap::new()));
        let (found, source) = (Arc::clone(&estimates), Arc::clone(&pipeline.source));
        tokio::spawn(async move {
            for stream in source.catalog().await.unwrap_or_default().streams {
                if let Some(total) = source.estimate(&stream.name).await {
                    lock(&found).insert(stream.name, total);
                }
            }
        });
        Self {
            pipeline: pipeline.name.clone(),
            screen,
            several,
            streams: Mutex::default(),
            estimates,
        }
    }

    fn begin(&self, catalog: &Catalog) {
        let mut streams = lock(&self.streams);
        for stream in &catalog.streams {
            streams.entry(stream.name.clone()).or_insert_with(|| {
                let prefix = match self.several {
                    true => format!("{} {}", self.pipeline, stream.name),
                    false => stream.name.to_string(),
                };
                let bar = ProgressBar::no_length()
                    .with_prefix(prefix)
                    .with_style(counting());
                self.screen.add(bar)
            });
        }
    }

    fn count(&self, totals: &StreamTotals) {
        let (streams, mut estimates) = (lock(&self.streams), lock(&self.estimates));
        for (name, counts) in totals.iter() {
            let Some(bar) = streams.get(name) else { continue };
            if let Some(total) = estimates.remove(name) {
                bar.set_style(measuring());
                bar.set_length(total);
            }
            bar.inc(counts.records());
        }
    }
}

impl Observer for Bars {
    fn event(&self, event: &Event<'_>) {
        tell(&self.pipeline, event, |line| {
            self.screen.suspend(|| printer::note(line));
        });
        match event {
            Event::Started { catalog, .. } | Event::CatalogChanged { catalog } => self.begin(catalog),
            Event::Wrote { streams, .. } => self.count(streams),
            _ => {}
        }
    }
}

impl Progress for Bars {
    fn show(&self, picture: &Picture) {
        let streams = lock(&self.streams);
        for shown in &picture.streams {
            let Some(bar) = streams.get(&StreamName::from(shown.stream.as_str())) else {
                continue;
            };
            // What follows changes has no end to be measured by.
            if shown.lag_seconds.is_some() && bar.length().is_some() {
                bar.unset_length();
                bar.set_style(counting());
            }
            bar.set_message(shown.doing());
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        for bar in lock(&self.streams).values() {
            bar.finish_and_clear();
        }
    }
}

fn counting() -> ProgressStyle {
    style("{prefix:24} {human_pos:>11} {rate:>10} {msg}")
}

fn measuring() -> ProgressStyle {
    style("{prefix:24} {human_pos:>11} {rate:>10} of {human_len:11} [{bar:25}] {eta:>4}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is a constant that a test parses")
        .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
            // A bar that cannot be written is no reason to stop.
            let _ = write!(out, "{:.0}/s", state.per_sec());
        })
        .progress_chars("=> ")
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_valid() {
        let _ = (counting(), measuring());
    }

    fn stream(records: u64) -> Vec<StreamPicture> {
        vec![StreamPicture {
            stream: "contacts".into(),
            mode: Some("cdc".into()),
            lag_seconds: Some(3.2),
            records,
            ..StreamPicture::default()
        }]
    }

    #[test]
    fn a_line_comes_when_something_happened_and_once_a_minute_otherwise() {
        let start = Instant::now();
        let lines = Lines::new("crm");
        let mut told = lock(&lines.told);
        (told.since, told.at) = (start, start);
        let mut at = |second, records| told.next(&stream(records), start + Duration::from_secs(second));
        assert_eq!(at(4, 10), None, "too soon");
        let line = "10 records in 5 s; contacts cdc, 3s behind";
        assert_eq!(at(5, 10).as_deref(), Some(line));
        assert_eq!(at(64, 10), None, "nothing happened");
        assert!(at(65, 10).is_some(), "a minute has passed");
        assert!(at(69, 12).is_none() && at(70, 12).is_some());
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
