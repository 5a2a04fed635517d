//! After the write: dead letters, checkpoint, ack, in this order (invariant 1).

use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

use opencdc::{
    Batch, Checkpoint, CheckpointStore, DeadLetter, Note, Outcome, Result, Resume, Source, check_outcomes,
};

use super::{Pipeline, StreamTotals};
use crate::erasure::{self, Forgotten};
use crate::failpoint::failpoint;

/// A batch that is durable at the destination; its records are let go of, except the refused ones.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) checkpoint: Checkpoint,
    streams: StreamTotals,
    refused: Vec<DeadLetter>,
    forgotten: Vec<Forgotten>,
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
            forgotten: erasure::forgotten(batch),
        })
    }

    /// The checkpoint without its notes.
    pub(super) fn position(&self) -> Checkpoint {
        Checkpoint::new(self.checkpoint.sequence, self.checkpoint.position.clone())
    }
}

pub(crate) fn refused(pipeline: &str, batch: &Batch, outcomes: &[Outcome]) -> Vec<DeadLetter> {
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
pub(crate) enum Keeper {
    /// The run loop saves it after every group of batches.
    Loop(Arc<dyn CheckpointStore>),
    /// The destination stores it with the rows.
    Destination(Arc<dyn CheckpointStore>),
}

impl Keeper {
    pub(crate) fn of(pipeline: &Pipeline) -> Self {
        match pipeline.destination.checkpoints() {
            Some(store) => Self::Destination(store),
            None => Self::Loop(Arc::clone(&pipeline.checkpoints)),
        }
    }

    pub(crate) fn store(&self) -> &Arc<dyn CheckpointStore> {
        match self {
            Self::Loop(store) | Self::Destination(store) => store,
        }
    }

    /// The number to go on from, and what a source resumes with; 0 and nothing before the first checkpoint.
    pub(crate) async fn resume(&self, pipeline: &str) -> Result<(u64, Option<Resume>)> {
        let store = self.store();
        let mut stored = store.load(pipeline).await?;
        loop {
            let notes = store.notes(pipeline).await?;
            // Another process may have saved in between: its notes are not those of our position.
            let now = store.load(pipeline).await?;
            if now == stored {
                let sequence = stored.as_ref().map_or(0, |checkpoint| checkpoint.sequence);
                let position = stored.map(|checkpoint| checkpoint.position);
                return Ok((sequence, position.map(|position| Resume { position, notes })));
            }
            stored = now;
        }
    }
}

/// Which batches a transactional destination may have written without their checkpoint.
///
/// A refused record holds the destination's checkpoint back until the loop has saved it (promise 8 of
/// [`opencdc::Destination`]). Batches that were under way by then are written, and may not be saved; they must
/// not be acknowledged before a later checkpoint covers them, and their notes go with that one.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// The greatest sequence that may lack its checkpoint.
    through: Option<u64>,
    /// The notes of those batches, in order. Some may be in force already; to bring them into force again
    /// together with all later ones changes nothing.
    notes: Vec<Note>,
}

impl Hold {
    /// Whether this batch may lack its checkpoint. One with a refused record does until the loop has saved it.
    fn holds(&mut self, written: &mut Written) -> bool {
        if !written.refused.is_empty() {
            self.through = Some(u64::MAX);
        }
        let sequence = written.checkpoint.sequence;
        let held = self.through.is_some_and(|through| sequence <= through);
        if held {
            self.notes.append(&mut written.checkpoint.notes);
        } else {
            // The destination has stored it, with the notes of those before it.
            *self = Self::default();
        }
        held
    }

    /// `checkpoint` with the notes of the batches up to it that may lack theirs.
    pub(super) fn covered_by(&mut self, checkpoint: Checkpoint) -> Checkpoint {
        checkpoint.covering(mem::take(&mut self.notes))
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
    forgotten: Vec<Forgotten>,
    saves: Vec<Checkpoint>,
    /// The last batch whose checkpoint is stored once the others are saved; without notes.
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
            forgotten: Vec::new(),
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

    fn add(&mut self, mut written: Written, keeper: &Keeper, hold: &mut Hold) {
        let position = written.position();
        match keeper {
            Keeper::Loop(_) => {
                let earlier = self.saves.pop().map_or_else(Vec::new, |earlier| earlier.notes);
                self.saves.push(written.checkpoint.covering(earlier));
                self.ack = Some(position);
            }
            Keeper::Destination(_) => {
                let lacking = hold.holds(&mut written);
                let refused = !written.refused.is_empty();
                if refused {
                    self.saves.push(hold.covered_by(position.clone()));
                }
                if refused || !lacking {
                    self.ack = Some(position);
                }
            }
        }
        self.streams.add(&written.streams);
        self.letters.extend(written.refused);
        self.forgotten.extend(written.forgotten);
    }

    /// Dead letters, then the checkpoint, then the ack.
    pub(super) async fn run(mut self, pipeline: &Pipeline, keeper: Keeper) -> Result<Self> {
        failpoint!("run.before_dead_letters");
        if !self.letters.is_empty() {
            pipeline.dead_letters.put(mem::take(&mut self.letters)).await?;
        }
        erasure::forget(pipeline, &self.forgotten).await?;
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

/// Saves and acknowledges the last batch that was settled, where the rounds have not done it already.
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

#[cfg(test)]
mod tests {
    use super::*;
    use opencdc::Position;
    use opencdc::memory::MemoryStore;

    fn written(sequence: u64, refused: bool) -> Written {
        let record = opencdc::Record::snapshot("contacts", b"{}", b"{}");
        let note = Note::remember("last", sequence.to_string());
        let position = Position::new(sequence.to_string());
        let batch = Batch::new(vec![record], position.clone());
        let outcome = if refused {
            Outcome::rejected("no")
        } else {
            Outcome::Written
        };
        let checkpoint = Checkpoint::new(sequence, position).covering(vec![note]);
        Written::new("p", &batch, checkpoint, &[outcome]).unwrap()
    }

    /// The saves of a round as `sequence: values of the notes`.
    fn saves(round: &Round) -> Vec<String> {
        let value = |note: &Note| String::from_utf8_lossy(note.value.as_ref().unwrap()).into_owned();
        let save = |save: &Checkpoint| {
            let notes: Vec<_> = save.notes.iter().map(value).collect();
            format!("{}: {}", save.sequence, notes.join(","))
        };
        round.saves.iter().map(save).collect()
    }

    #[test]
    fn one_save_brings_the_notes_of_its_whole_group_in_order() {
        let keeper = Keeper::Loop(Arc::new(MemoryStore::default()));
        let mut group = vec![written(1, false), written(2, true), written(3, false)];
        let round = Round::plan(&mut group, &keeper, &mut Hold::default());
        assert_eq!(saves(&round), ["3: 1,2,3"]);
    }

    #[test]
    fn a_save_for_a_refused_batch_brings_the_notes_that_were_held_before_it() {
        let keeper = Keeper::Destination(Arc::new(MemoryStore::default()));
        let mut hold = Hold::default();
        let plan = |mut group: Vec<Written>, hold: &mut Hold| Round::plan(&mut group, &keeper, hold);
        let group = vec![
            written(1, false),
            written(2, true),
            written(3, false),
            written(4, true),
        ];
        assert_eq!(saves(&plan(group, &mut hold)), ["2: 2", "4: 3,4"]);
        // 5 and 6 were under way: whether the destination has stored them, the loop cannot know.
        hold.released(6);
        let round = plan(vec![written(5, false)], &mut hold);
        assert_eq!((saves(&round).len(), round.acked()), (0, None));
        assert_eq!(saves(&plan(vec![written(6, true)], &mut hold)), ["6: 5,6"]);
        // From 8 on the destination stores them itself, with those of 7.
        hold.released(7);
        let round = plan(vec![written(7, false), written(8, false)], &mut hold);
        assert_eq!((saves(&round).len(), round.acked()), (0, Some(8)));
        let last = hold.covered_by(Checkpoint::new(8, Position::new("8")));
        assert!(last.notes.is_empty());
    }
}
