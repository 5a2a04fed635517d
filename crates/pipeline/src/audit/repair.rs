//! Mends what an audit found: just those records are read again and written like any others.

use std::collections::BTreeMap;
use std::sync::Arc;

use opencdc::{Checkpoint, Data, Note, Origin, Outcome, Result, Resume, StreamName, Until, check_outcomes};

use super::{AGAIN, AuditReport, nothing_yet};
use crate::Pipeline;
use crate::run::commit::{self, Keeper};
use crate::run::selection;

/// Writes the records of all findings as they are at the origin now; gives back how many were written.
///
/// The position stays where it is, the checkpoint's number moves on, and what the source remembers changes with the
/// rows (invariant 2): a run of the pipeline at the same time is stopped by that number, so none must be under way.
///
/// # Errors
/// Those of the origin, the destination and the stores. What was written before stays written.
pub async fn repair(pipeline: &Pipeline, origin: &dyn Origin, report: &AuditReport) -> Result<u64> {
    let catalog = pipeline.source.catalog().await?;
    let selection = selection::choose(pipeline.selection.as_deref(), &catalog, Until::CaughtUp)?;
    pipeline
        .destination
        .prepare(&selection::apply(&selection, &catalog))
        .await?;
    let keeper = Keeper::of(pipeline);
    let (sequence, resume) = keeper.resume(&pipeline.name).await?;
    let mut writer = Writer {
        pipeline,
        keeper,
        sequence,
        resume: resume.ok_or_else(|| nothing_yet(&pipeline.name))?,
        written: 0,
    };
    for (stream, keys) in batches(report) {
        writer.amend(origin, stream, keys).await?;
    }
    pipeline.destination.close().await?;
    Ok(writer.written)
}

/// The keys of the findings in pieces, each of one stream.
fn batches(report: &AuditReport) -> impl Iterator<Item = (StreamName, Vec<Data>)> {
    report.streams.iter().flat_map(|stream| {
        let pieces = stream.findings.chunks(AGAIN);
        let keys = |piece: &[super::Finding]| piece.iter().map(|finding| finding.key.clone()).collect();
        pieces.map(move |piece| (stream.stream.clone(), keys(piece)))
    })
}

struct Writer<'a> {
    pipeline: &'a Pipeline,
    keeper: Keeper,
    sequence: u64,
    resume: Resume,
    written: u64,
}

impl Writer<'_> {
    async fn amend(&mut self, origin: &dyn Origin, stream: StreamName, keys: Vec<Data>) -> Result<()> {
        let batch = origin
            .amend(&self.resume, &BTreeMap::from([(stream, keys)]))
            .await?;
        self.sequence += 1;
        let checkpoint = Checkpoint {
            sequence: self.sequence,
            position: batch.position.clone(),
            notes: batch.notes.clone(),
        };
        let batch = Arc::new(batch);
        let outcomes = self
            .pipeline
            .destination
            .write(Arc::clone(&batch), checkpoint.clone())
            .await?;
        check_outcomes(&batch, &outcomes)?;
        // The order of a run: first the dead letters, then the checkpoint (invariant 1).
        let refused = commit::refused(&self.pipeline.name, &batch, &outcomes);
        let is_held = !refused.is_empty();
        if is_held {
            self.pipeline.dead_letters.put(refused).await?;
        }
        if is_held || matches!(self.keeper, Keeper::Loop(_)) {
            self.keeper.store().save(&self.pipeline.name, &checkpoint).await?;
        }
        Note::apply(&mut self.resume.notes, &checkpoint.notes);
        self.written += outcomes
            .iter()
            .filter(|outcome| **outcome == Outcome::Written)
            .count() as u64;
        Ok(())
    }
}
