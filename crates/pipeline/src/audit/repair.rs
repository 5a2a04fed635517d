//! Mends what an audit found: just those records are read again and written like any others.

use std::collections::BTreeMap;

use opencdc::{Data, Origin, Outcome, Result, StreamName};

use super::{AGAIN, AuditReport, nothing_yet};
use crate::Pipeline;
use crate::aside::Aside;

/// Writes the records of all findings as they are at the origin now; gives back how many were written.
///
/// No run of the pipeline may be under way.
///
/// # Errors
/// Those of the origin, the destination and the stores. What was written before stays written.
pub async fn repair(pipeline: &Pipeline, origin: &dyn Origin, report: &AuditReport) -> Result<u64> {
    let aside = Aside::open(pipeline).await?;
    let mut aside = aside.ok_or_else(|| nothing_yet(&pipeline.name))?;
    let mut written = 0;
    for (stream, keys) in batches(report) {
        let keys = BTreeMap::from([(stream, keys)]);
        let batch = origin.amend(&aside.resume, &keys).await?;
        let outcomes = aside.write(batch).await?;
        let of_batch = outcomes
            .iter()
            .filter(|outcome| **outcome == Outcome::Written)
            .count();
        written += of_batch as u64;
    }
    pipeline.destination.close().await?;
    Ok(written)
}

/// The keys of the findings in pieces, each of one stream.
fn batches(report: &AuditReport) -> impl Iterator<Item = (StreamName, Vec<Data>)> {
    report.streams.iter().flat_map(|stream| {
        let pieces = stream.findings.chunks(AGAIN);
        let keys = |piece: &[super::Finding]| piece.iter().map(|finding| finding.key.clone()).collect();
        pieces.map(move |piece| (stream.stream.clone(), keys(piece)))
    })
}
