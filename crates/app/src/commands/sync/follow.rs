//! Without `--once`: every pipeline at the same time, each with its own retries, until stopped.

use opencdc::Until;
use pipeline::RetryOptions;
use tokio::task::{JoinError, JoinSet};

use super::Syncing;
use super::report::Report;
use crate::exit::{Failure, Outcome};

/// Runs until every pipeline has ended. One that fails is told and does not stop the others; it is a failure of the
/// command only when all have failed.
pub(super) async fn all_at_once(
    sync: &Syncing,
    names: Vec<String>,
    tell: impl Fn(&Report),
) -> Outcome<Vec<Report>> {
    let mut running = JoinSet::new();
    for name in &names {
        let (sync, name) = (sync.clone(), name.clone());
        running.spawn(async move { sync.pipeline(&name, Until::Dropped, patient()).await });
    }
    let (mut reports, mut failures) = (Vec::new(), 0);
    while let Some(ended) = running.join_next().await {
        match ended.unwrap_or_else(|error| Err(broken(&error))) {
            Ok(report) => {
                tell(&report);
                reports.push(report);
            }
            Err(failure) if names.len() == 1 => return Err(failure),
            Err(failure) => {
                sync.screen.suspend(|| failure.tell());
                failures += 1;
            }
        }
    }
    if failures == names.len() {
        return Err(Failure::failed("every pipeline has ended with an error"));
    }
    Ok(reports)
}

/// Nobody waits for the end: what may heal by itself is tried for as long as it takes.
fn patient() -> RetryOptions {
    RetryOptions {
        max_attempts: u32::MAX,
        ..RetryOptions::default()
    }
}

fn broken(error: &JoinError) -> Failure {
    Failure::failed("a pipeline has ended by a mistake of Spoke's").because(error)
}
