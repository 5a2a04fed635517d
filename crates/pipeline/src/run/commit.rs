//! After the write: dead letters, checkpoint, ack, in this order (invariant 1).

use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use opencdc::{Batch, Checkpoint, CheckpointStore, DeadLetter, Outcome, Result, Source, check_outcomes};

use super::{Pipeline, StreamTotals};
use crate::failpoint::failpoint;

/// A batch that is durable at the destination; its records are let go of, except the refused ones.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) checkpoint: Checkpoint,
    streams: StreamTotals,
    refused: Vec<DeadLetter>,
}

impl Written {
    pub(super) fn new(
        pipeline: &str,
        batch: &Batch,
        checkpoint: Checkpoint,
        outcomes: &[Outcome],
    ) -> Result<Self> {
        check_outcomes(batch, outcomes)?;
        Ok(Self {
            checkpoint,
            streams: StreamTotals::of(batch, outcomes),
            refused: refused(pipeline, batch, outcomes),
        })
    }
}

fn refused(pipeline: &str, batch: &Batch, outcomes: &[Outcome]) -> Vec<DeadLetter> {
    let at = SystemTime::now();
    let letter = |(record, outcome): (&_, &Outcome)| match outcome {
        Outcome::Rejected(rejection) => Some(DeadLetter {
            pipeline: pipeline.to_owned(),
            record: Clone::clone(record),
            reason: rejection.reason.clone(),
            at,
        }),
        Outcome::Written | Outcome::Unchanged => None,
    };
    batch.records.iter().zip(outcomes).filter_map(letter).collect()
}

/// Where the checkpoint is kept, and who puts it there.
#[derive(Debug, Clone)]
pub(super) enum Keeper {
    /// The run loop saves it after every group of batches.
    Loop(Arc<dyn CheckpointStore>),
    /// The destination stores it with the rows.
    Destination(Arc<dyn CheckpointStore>),
}

impl Keeper {
    pub(super) fn of(pipeline: &Pipeline) -> Self {
        match pipeline.destination.checkpoints() {
            Some(store) => Self::Destination(store),
            None => Self::Loop(Arc::clone(&pipeline.checkpoints)),
        }
    }

    pub(super) fn store(&self) -> &Arc<dyn CheckpointStore> {
        match self {
            Self::Loop(store) | Self::Destination(store) => store,
        }
    }
}

/// Which batches a transactional destination may have written without their checkpoint.
///
/// A refused record holds the destination's checkpoint back until the loop has saved it (promise 8 of
/// [`opencdc::Destination`]). Batches that were under way by then are written, and may not be saved; they must
/// not be acknowledged before a later checkpoint covers them.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// The greatest sequence that may lack its checkpoint.
    through: Option<u64>,
}

impl Hold {
    /// Whether the checkpoint of this batch is stored once the refused ones of its group have been saved.
    fn stored(&mut self, written: &Written) -> bool {
        if !written.refused.is_empty() {
            self.through = Some(u64::MAX);
            return true;
        }
        let held = self
            .through
            .is_some_and(|through| written.checkpoint.sequence <= through);
        if !held {
            self.through = None;
        }
        !held
    }

    /// The refused batches have been saved; only batches up to `submitted` were under way before.
    pub(super) fn released(&mut self, submitted: u64) {
        if self.through == Some(u64::MAX) {
            self.through = Some(submitted);
        }
    }
}

/// What one round of the order below has to do.
#[derive(Debug)]
pub(super) struct Round {
    letters: Vec<DeadLetter>,
    saves: Vec<Checkpoint>,
    ack: Option<Checkpoint>,
    pub(super) batches: u64,
    pub(super) streams: StreamTotals,
}

impl Round {
    /// Everything that was written since the last round: one save is enough for a group (invariant 2 asks for
    /// order, not for every step).
    pub(super) fn plan(group: &mut Vec<Written>, keeper: &Keeper, hold: &mut Hold) -> Self {
        let mut round = Self {
            letters: Vec::new(),
            saves: Vec::new(),
            ack: None,
            batches: group.len() as u64,
            streams: StreamTotals::default(),
        };
        for written in mem::take(group) {
            round.add(written, keeper, hold);
        }
        round
    }

    fn add(&mut self, written: Written, keeper: &Keeper, hold: &mut Hold) {
        match keeper {
            Keeper::Loop(_) => {
                self.saves = vec![written.checkpoint.clone()];
                self.ack = Some(written.checkpoint.clone());
            }
            Keeper::Destination(_) => {
                if hold.stored(&written) {
                    self.ack = Some(written.checkpoint.clone());
                }
                if !written.refused.is_empty() {
                    self.saves.push(written.checkpoint.clone());
                }
            }
        }
        self.streams.add(&written.streams);
        self.letters.extend(written.refused);
    }

    /// Dead letters, then the checkpoint, then the ack.
    pub(super) async fn run(mut self, pipeline: &Pipeline, keeper: Keeper) -> Result<Self> {
        failpoint!("run.before_dead_letters");
        if !self.letters.is_empty() {
            pipeline.dead_letters.put(mem::take(&mut self.letters)).await?;
        }
        failpoint!("run.before_save");
        for checkpoint in &self.saves {
            keeper.store().save(&pipeline.name, checkpoint).await?;
        }
        failpoint!("run.before_ack");
        if let Some(checkpoint) = &self.ack {
            pipeline.source.ack(&checkpoint.position).await?;
        }
        Ok(self)
    }

    /// The sequence up to which the source has been told.
    pub(super) fn acked(&self) -> Option<u64> {
        self.ack.as_ref().map(|checkpoint| checkpoint.sequence)
    }
}

/// Saves and acknowledges the last batch of a run, where the rounds have not done it already.
pub(super) async fn finish(
    pipeline: &Pipeline,
    keeper: &Keeper,
    last: &Checkpoint,
    acked: Option<u64>,
) -> Result<()> {
    if let Keeper::Destination(store) = keeper {
        store.save(&pipeline.name, last).await?;
    }
    if acked != Some(last.sequence) {
        Source::ack(&*pipeline.source, &last.position).await?;
    }
    Ok(())
}
