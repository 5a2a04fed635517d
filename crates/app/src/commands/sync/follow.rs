//! Without `--once`: every pipeline at the same time, each with its own retries, until stopped.

use std::collections::HashMap;

use opencdc::Until;
use pipeline::RetryOptions;
use tokio::task::{JoinError, JoinSet};

use super::{Ran, Syncing};
use crate::exit::Failure;

/// Runs until every pipeline has ended. One that fails does not stop the others.
pub(super) async fn all_at_once(sync: &Syncing, names: &[String], tell: impl Fn(&Ran)) -> Vec<Ran> {
    let (mut running, mut by_task) = (JoinSet::new(), HashMap::new());
    for name in names {
        let (sync, owned) = (sync.clone(), name.clone());
        let task = running.spawn(async move { sync.pipeline(&owned, Until::Dropped, patient()).await });
        by_task.insert(task.id(), name);
    }
    let mut all = Vec::new();
    while let Some(ended) = running.join_next().await {
        let ran = ended.unwrap_or_else(|error| {
            let name = by_task.get(&error.id()).map_or("", |name| name.as_str());
            Ran::not_run(name, broken(&error))
        });
        tell(&ran);
        all.push(ran);
    }
    all
}

/// No caller waits for the end, so what may pass is retried for as long as it takes. With a checkpoint the pipeline has
/// worked before, and then an answer that would end it is asked for again as well.
fn patient() -> RetryOptions {
    RetryOptions {
        max_attempts: u32::MAX,
        outlasts_answers: true,
        ..RetryOptions::default()
    }
}

fn broken(error: &JoinError) -> Failure {
    Failure::failed("a pipeline task panicked; this is a bug in Spoke").because(error)
}
