//! Mends what an audit found: just those records are read again and written like any others.

use std::collections::BTreeMap;

use opencdc::{Batch, Data, Origin, Outcome, Record, Result, StreamName};

use super::{AGAIN, AuditReport, What, nothing_yet};
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
    written += erase(&mut aside, origin, report).await?;
    pipeline.destination.close().await?;
    Ok(written)
}

/// Erases again what should have been erased.
async fn erase(aside: &mut Aside<'_>, origin: &dyn Origin, report: &AuditReport) -> Result<u64> {
    let is_left = |record: &Record| {
        let findings = report.stream(&record.stream).map(|stream| &stream.findings);
        findings.is_some_and(|findings| {
            let mut remains = findings.iter().filter(|finding| finding.what == What::Remains);
            remains.any(|finding| finding.key == record.key)
        })
    };
    let names: Vec<_> = report
        .streams
        .iter()
        .map(|stream| stream.stream.clone())
        .collect();
    let erased = origin.erased(&aside.resume, &names).await?;
    let left: Vec<_> = erased.into_iter().filter(is_left).collect();
    for some in left.chunks(AGAIN) {
        aside
            .write(Batch::new(some.to_vec(), aside.resume.position.clone()))
            .await?;
    }
    Ok(left.len() as u64)
}

/// The keys of the findings in pieces, each of one stream.
fn batches(report: &AuditReport) -> impl Iterator<Item = (StreamName, Vec<Data>)> {
    report.streams.iter().flat_map(|stream| {
        let findings = stream
            .findings
            .iter()
            .filter(|finding| finding.what != What::Remains);
        let keys: Vec<_> = findings.map(|finding| finding.key.clone()).collect();
        let pieces: Vec<_> = keys.chunks(AGAIN).map(<[Data]>::to_vec).collect();
        pieces.into_iter().map(|piece| (stream.stream.clone(), piece))
    })
}
