//! Where records go.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Batch, Catalog, Checkpoint, CheckpointStore, Error, ErrorKind, Inspect, Result, StreamName};

/// Why a record was refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What is wrong with it, for a person: names the field and the value's shape, never a secret.
    pub reason: String,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Durable at the destination.
    Written,
    /// The destination already had this version or a newer one, and kept it. As good as written.
    Unchanged,
    /// Refused for good: writing it again would be refused again. It becomes a dead letter.
    Rejected(Rejection),
}

impl Outcome {
    /// A refusal with this reason.
    pub fn rejected(reason: impl Into<String>) -> Self {
        Self::Rejected(Rejection {
            reason: reason.into(),
        })
    }
}

/// Counts of values by stream and field.
pub type UnfitValues = BTreeMap<(StreamName, String), u64>;

/// Somewhere records go.
///
/// # What an implementer promises
/// 1. When `write` answers, every record that is [`Outcome::Written`] survives a power cut.
/// 2. There is one outcome a record, in the records' order. Leaving one out never means "fine"; the run loop
///    checks the count.
/// 3. Writing a batch again changes nothing: records are merged by key, or the destination says in its own
///    documentation that it appends.
/// 4. Calls to `write` may overlap. They take effect in the order in which their futures were first polled,
///    so that order holds per stream and key (invariant 4).
/// 5. A dropped `write` may or may not have happened; it never happened in part beyond record boundaries.
///    Where a stream has a version, an older record leaves a newer row as it is, unless its batch is
///    [`current`](Batch::current): then the record replaces the row.
/// 6. An `Err` means that nothing of the batch is known to be durable. Every write polled after it fails too,
///    until `prepare` is called again: a later batch must not overtake a lost one. The run loop starts again
///    from the last checkpoint.
///
/// 10. Of a record whose delete says `purged`, and of those that were merged into it, no value stays where this
///     destination can take it out; one that appends says so in its own documentation.
/// 11. A write that nobody polls holds nothing that others wait for but the order of promise 4: no slot of a limiter,
///     no place in a queue, no connection of a pool.
///
/// # Transactional destinations
/// A destination that can store a checkpoint *in the same transaction as the rows* returns its store from
/// [`checkpoints`](Destination::checkpoints). Then:
/// 7. `write` stores `checkpoint`, and its notes, with the rows of a batch whose every record was accepted. The
///    run loop resumes from that store and from no other, so the effect is exactly once.
/// 8. From a batch with a [`Rejected`](Outcome::Rejected) record on, `write` stores no checkpoint of its own
///    until the run loop has called [`CheckpointStore::save`] for that batch, which it does after the dead
///    letters are safe. Otherwise a crash between the two would lose the rejected record (invariant 1). The
///    run loop calls `save` for such batches, for the last batch before `prepare` is called again, and for the
///    last batch of a run, and for no others.
/// 9. The notes of a batch whose checkpoint is held back are held back with it. A `save` brings those of the
///    batches up to its own, in [`Checkpoint::notes`]; those of later batches come into force with the next
///    checkpoint that `write` stores. Until then the destination remembers them, and `prepare` forgets them:
///    such batches will be read again.
///
/// # What a caller may not conclude
/// - That records are durable before `write` has answered, or in any part when it has failed.
/// - That a `Written` record is the newest version: another writer may have come later.
#[async_trait]
pub trait Destination: Send + Sync + Debug {
    /// Makes ready for the streams of `catalog`: the selected ones, with the selected fields. Called before
    /// the first write and again whenever a schema has changed, never while a write is under way.
    ///
    /// A field that is gone from the catalog keeps its column. A field whose type has changed widens.
    async fn prepare(&self, catalog: &Catalog) -> Result<()>;

    /// Writes a batch and answers when it is durable.
    ///
    /// `checkpoint` is what to resume from once the batch is durable, with the batch's notes; only a
    /// transactional destination may look at it.
    async fn write(&self, batch: Arc<Batch>, checkpoint: Checkpoint) -> Result<Vec<Outcome>>;

    /// The store in which a transactional destination keeps the checkpoint beside its rows.
    fn checkpoints(&self) -> Option<Arc<dyn CheckpointStore>> {
        None
    }

    /// How many values did not fit their field's type and are kept beside the row instead, by stream and field,
    /// since this was opened. Nothing is lost by it; a person may want to know (invariant 6).
    fn unfit_values(&self) -> UnfitValues {
        UnfitValues::new()
    }

    /// A look at the rows of these streams, whoever wrote them. It needs no `prepare` and changes nothing.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when this destination cannot tell what it holds.
    async fn inspect(&self, _catalog: &Catalog) -> Result<Arc<dyn Inspect>> {
        let message = "the destination cannot be audited: it does not give back what it holds";
        Err(Error::new(ErrorKind::Configuration, message))
    }

    /// The run is over and nothing is under way: close what a later run would trip over.
    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// Checks promise 2: one outcome for every record.
///
/// # Errors
/// [`ErrorKind::Internal`] naming both counts.
pub fn check_outcomes(batch: &Batch, outcomes: &[Outcome]) -> Result<()> {
    if outcomes.len() == batch.records.len() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Internal,
        format!(
            "the destination answered {} outcomes for {} records",
            outcomes.len(),
            batch.records.len()
        ),
    ))
}
