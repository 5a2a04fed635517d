//! Batches that no read gave: repairs, and dead letters that are sent again. Each is written like any other, at the
//! position where the pipeline stands, under the next number.

use std::sync::Arc;

use opencdc::{Batch, Checkpoint, Note, Outcome, Result, Resume, Until, check_outcomes};

use crate::run::commit::{self, Keeper};
use crate::run::selection;
use crate::{Pipeline, erasure};

/// Writes beside a run. The position stays where it is, the checkpoint's number moves on, and what the source remembers
/// changes with the rows (invariant 2): a run of the pipeline at the same time is stopped by that number, so none must
/// be under way.
pub(crate) struct Aside<'a> {
    pipeline: &'a Pipeline,
    keeper: Keeper,
    sequence: u64,
    /// Where the pipeline stands.
    pub(crate) resume: Resume,
}

impl<'a> Aside<'a> {
    /// Prepares the destination. `None` when the pipeline has not got anywhere yet.
    pub(crate) async fn open(pipeline: &'a Pipeline) -> Result<Option<Self>> {
        let catalog = pipeline.source.catalog().await?;
        let selection = selection::choose(pipeline.selection.as_deref(), &catalog, Until::CaughtUp)?;
        let selected = selection::apply(&selection, &catalog);
        pipeline.destination.prepare(&selected).await?;
        let keeper = Keeper::of(pipeline);
        let (sequence, resume) = keeper.resume(&pipeline.name).await?;
        Ok(resume.map(|resume| Self {
            pipeline,
            keeper,
            sequence,
            resume,
        }))
    }

    /// Writes a batch, puts what is refused into the dead letters, and moves the checkpoint's number.
    pub(crate) async fn write(&mut self, batch: Batch) -> Result<Vec<Outcome>> {
        self.sequence += 1;
        let checkpoint = Checkpoint {
            sequence: self.sequence,
            position: batch.position.clone(),
            notes: batch.notes.clone(),
        };
        let batch = Arc::new(batch);
        let written = self
            .pipeline
            .destination
            .write(Arc::clone(&batch), checkpoint.clone());
        let outcomes = written.await?;
        check_outcomes(&batch, &outcomes)?;
        // The order of a run: first the dead letters, then the checkpoint (invariant 1).
        let refused = commit::refused(&self.pipeline.name, &batch, &outcomes);
        let is_held = !refused.is_empty();
        if is_held {
            self.pipeline.dead_letters.put(refused).await?;
        }
        erasure::forget(self.pipeline, &erasure::forgotten(&batch)).await?;
        if is_held || matches!(self.keeper, Keeper::Loop(_)) {
            self.keeper.store().save(&self.pipeline.name, &checkpoint).await?;
        }
        Note::apply(&mut self.resume.notes, &checkpoint.notes);
        Ok(outcomes)
    }
}
