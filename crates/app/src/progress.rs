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

use crate::printer;

/// Elsewhere than on a terminal: often enough to see life, seldom enough for a log.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// The observer that fits where stderr goes.
pub(crate) fn observer(pipeline: &Pipeline) -> Box<dyn Observer> {
    if std::io::stderr().is_terminal() {
        Box::new(Bars::start(pipeline))
    } else {
        Box::new(Lines::new(&pipeline.name))
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

/// A line every few seconds.
struct Lines {
    pipeline: String,
    state: Mutex<Counted>,
}

struct Counted {
    records: u64,
    since: Instant,
    told: Instant,
}

impl Lines {
    fn new(pipeline: &str) -> Self {
        let now = Instant::now();
        Self {
            pipeline: pipeline.to_owned(),
            state: Mutex::new(Counted {
                records: 0,
                since: now,
                told: now,
            }),
        }
    }

    fn count(&self, streams: &StreamTotals) {
        let mut state = lock(&self.state);
        state.records += streams.total().records();
        if state.told.elapsed() >= BETWEEN_LINES {
            state.told = Instant::now();
            let seconds = state.since.elapsed().as_secs();
            let records = grouped(state.records);
            printer::note(&format!("{}: {records} records in {seconds} s", self.pipeline));
        }
    }
}

impl Observer for Lines {
    fn event(&self, event: &Event<'_>) {
        tell(&self.pipeline, event, printer::note);
        if let Event::Wrote { streams, .. } = event {
            self.count(streams);
        }
    }
}

/// A bar for every stream that has had a record.
struct Bars {
    pipeline: String,
    screen: MultiProgress,
    streams: Mutex<BTreeMap<StreamName, ProgressBar>>,
    estimates: Arc<Mutex<BTreeMap<StreamName, u64>>>,
}

impl Bars {
    /// Asks the source in the background how much there is; the bars do not wait for the answer.
    fn start(pipeline: &Pipeline) -> Self {
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
            screen: MultiProgress::new(),
            streams: Mutex::default(),
            estimates,
        }
    }

    fn begin(&self, catalog: &Catalog) {
        let mut streams = lock(&self.streams);
        for stream in &catalog.streams {
            streams.entry(stream.name.clone()).or_insert_with(|| {
                let bar = ProgressBar::no_length()
                    .with_prefix(stream.name.to_string())
                    .with_style(counting());
                self.screen.add(bar)
            });
        }
    }

    fn count(&self, totals: &StreamTotals) {
        let (streams, estimates) = (lock(&self.streams), lock(&self.estimates));
        for (name, counts) in totals.iter() {
            let Some(bar) = streams.get(name) else { continue };
            if let Some(total) = estimates.get(name).filter(|_| bar.length().is_none()) {
                bar.set_style(measuring());
                bar.set_length(*total);
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
            Event::Started { catalog, .. } => self.begin(catalog),
            Event::Wrote { streams, .. } => self.count(streams),
            Event::Finished(_) => drop(self.screen.clear()),
            _ => {}
        }
    }
}

fn counting() -> ProgressStyle {
    style("{prefix:24} {human_pos:>11} {rate:>10}")
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

    #[test]
    fn thousands_are_apart() {
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
