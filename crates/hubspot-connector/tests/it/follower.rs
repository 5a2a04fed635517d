//! A copy in memory that catches up with an emulator, or follows it, under paused time; and what that cost.

use std::time::Duration;

use futures_util::StreamExt;
use hubspot_connector::HubspotSource;
use hubspot_emulator::Emulator;
use opencdc::{BatchStream, Catalog, Selection, Source, Until};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::emulated::Hubspot;
use crate::table::Tables;

/// A source and what it has delivered.
pub(crate) struct Follower {
    hubspot: Hubspot,
    source: HubspotSource,
    catalog: Catalog,
    pub(crate) tables: Tables,
}

impl Follower {
    pub(crate) async fn of(emulator: &Emulator, config: Value) -> Self {
        let hubspot = Hubspot::of(emulator);
        let source = hubspot.patient_source(config);
        let catalog = source.catalog().await.expect("the catalog is there");
        Self {
            hubspot,
            source,
            catalog,
            tables: Tables::default(),
        }
    }

    /// How many pages of live records were asked for so far.
    pub(crate) fn live_pages(&self) -> usize {
        self.hubspot.live_pages()
    }

    /// Begins to read from where the tables stand, as a new process does.
    pub(crate) async fn start(&self, until: Until) -> BatchStream {
        let selection = Selection {
            until,
            ..Selection::everything(&self.catalog)
        };
        let batches = self.source.read(selection, self.tables.resume()).await;
        batches.expect("the read starts")
    }

    /// Reads until everything has been asked once.
    pub(crate) async fn catch_up(&mut self) {
        let mut batches = self.start(Until::CaughtUp).await;
        while let Some(batch) = batches.next().await {
            self.tables.apply(batch.expect("nothing goes wrong"));
        }
    }

    /// Goes on with a read for so long.
    pub(crate) async fn apply(&mut self, batches: &mut BatchStream, time: Duration) {
        let end = Instant::now() + time;
        while let Ok(batch) = timeout_at(end, batches.next()).await {
            let batch = batch.expect("a read that never ends goes on");
            self.tables.apply(batch.expect("nothing goes wrong"));
        }
    }

    /// Goes on with a read until the tables are as wanted.
    pub(crate) async fn apply_until(&mut self, batches: &mut BatchStream, done: impl Fn(&Tables) -> bool) {
        while !done(&self.tables) {
            let batch = batches.next().await.expect("a read that never ends goes on");
            self.tables.apply(batch.expect("nothing goes wrong"));
        }
    }
}

/// The requests since the log was cleared whose route begins and ends like this; none of them was refused.
#[track_caller]
pub(crate) fn answered(emulator: &Emulator, begin: &str, end: &str) -> u64 {
    let requests = emulator.requests();
    let routes = requests["byRoute"].as_object().expect("the log has routes");
    let mut answered = 0;
    for (route, statuses) in routes {
        if route.starts_with(begin) && route.ends_with(end) {
            let statuses = statuses.as_object().expect("counts by status");
            assert!(
                statuses.keys().all(|status| status.starts_with('2')),
                "{route}: {statuses:?}"
            );
            answered += statuses.values().filter_map(Value::as_u64).sum::<u64>();
        }
    }
    answered
}

/// How many searches there were, none beyond HubSpot's 10,000 results: the emulator refuses those.
#[track_caller]
pub(crate) fn searches(emulator: &Emulator) -> u64 {
    answered(emulator, "POST ", "/search")
}

/// A number from the environment.
pub(crate) fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is `{text}`, not a number"))
    })
}
