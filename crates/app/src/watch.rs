//! Watches a pipeline while it runs: counts what the run loop tells, asks the source every second how it is getting
//! on, and shows the picture on the terminal and in the state file.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use opencdc::{Result, Source, StreamName};
use pipeline::{Ended, Event, Observer, Pipeline, SqliteStore, StreamTotals, Summary};
use tokio::time::MissedTickBehavior;

use crate::picture::{self, Picture, Trouble};
use crate::progress::Progress;

const BETWEEN_PICTURES: Duration = Duration::from_secs(1);

pub(crate) struct Watch {
    pipeline: String,
    source: Arc<dyn Source>,
    /// Where the picture is kept for other processes.
    store: Option<SqliteStore>,
    progress: Box<dyn Progress>,
    started: Timestamp,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    streams: Vec<StreamName>,
    totals: StreamTotals,
    retries: u32,
    trouble: Trouble,
    /// What a run had done when it failed.
    failed: Option<Summary>,
}

impl Watch {
    pub(crate) fn new(pipeline: &Pipeline, store: Option<SqliteStore>, progress: Box<dyn Progress>) -> Self {
        Self {
            pipeline: pipeline.name.clone(),
            source: Arc::clone(&pipeline.source),
            store,
            progress,
            started: Timestamp::now(),
            counted: Mutex::default(),
        }
    }

    /// Watches `run` to its end.
    pub(crate) async fn over(&self, run: impl Future<Output = Result<Summary>>) -> Result<Summary> {
        // The watching is dropped when the run has ended: a picture half-way into the state file arrives there or
        // does not, and the last one replaces it.
        let ended = tokio::select! {
            ended = run => ended,
            () = self.every_second() => unreachable!("it goes on for ever"),
        };
        if let Err(error) = &ended {
            self.counted().trouble = Trouble::now(error, None);
        }
        let how = match &ended {
            Ok(summary) if summary.ended == Ended::CaughtUp => "caught_up",
            Ok(_) => "stopped",
            Err(_) => "failed",
        };
        self.show(Some(how)).await;
        ended
    }

    /// What the run had done when it failed.
    pub(crate) fn failed(&self) -> Option<Summary> {
        self.counted().failed.take()
    }

    async fn every_second(&self) {
        let mut tick = tokio::time::interval(BETWEEN_PICTURES);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.show(None).await;
        }
    }

    /// A picture that cannot be kept is no reason to stop: the run is about records.
    async fn show(&self, ended: Option<&str>) {
        let picture = self.picture(ended);
        self.progress.show(&picture);
        let Some(store) = &self.store else { return };
        let json = serde_json::to_string(&picture).expect("a picture is always serialisable");
        if let Err(error) = store.save_status(&self.pipeline, json).await {
            tracing::debug!(pipeline = self.pipeline, %error, "the status could not be kept");
        }
    }

    fn picture(&self, ended: Option<&str>) -> Picture {
        let counted = self.counted();
        Picture {
            pipeline: self.pipeline.clone(),
            pid: std::process::id(),
            started: self.started,
            taken: Timestamp::now(),
            ended: ended.map(str::to_owned),
            retries: counted.retries,
            trouble: counted.trouble.clone(),
            streams: picture::streams(&counted.streams, &counted.totals, self.source.status()),
        }
    }

    /// Held for a few statements that cannot panic half-way.
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Watch {
    fn event(&self, event: &Event<'_>) {
        self.progress.event(event);
        let mut counted = self.counted();
        match event {
            Event::Started { catalog, .. } | Event::CatalogChanged { catalog } => {
                counted.streams = catalog.streams.iter().map(|stream| stream.name.clone()).collect();
            }
            Event::Wrote { streams, .. } => {
                counted.trouble.recover();
                counted.totals.add(streams);
            }
            Event::Retrying { error, wait, .. } => {
                counted.retries += 1;
                counted.trouble = Trouble::now(error, Some(*wait));
            }
            Event::Failed { summary, .. } => counted.failed = Some((*summary).clone()),
            _ => {}
        }
    }
}
