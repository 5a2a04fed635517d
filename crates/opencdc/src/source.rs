//! Where records come from.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::Stream;

use crate::{Catalog, Inspect, Note, Position, Record, Result, Resume, Selection, StreamName, StreamStatus};

/// Records, and the position that they reach.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The records, in the order in which they must be applied. May be empty: then only the position moved.
    pub records: Vec<Record>,
    /// Where to resume after *all* of these records.
    pub position: Position,
    /// Set when the streams' schemas changed: the catalog from this batch on. The destination is prepared
    /// with it before the batch is written.
    pub catalog: Option<Arc<Catalog>>,
    /// What the source remembers otherwise from this position on. Stored with the position, and handed to a
    /// read from it or from a later one: see [`Note`].
    pub notes: Vec<Note>,
    /// The records say what the origin has now: each was read after every earlier record of its key. They take the
    /// place of their rows whatever the versions say, since an origin may set a time back, and a row may have been
    /// edited. Otherwise a record is the change of its version's time, which may come late, and an older one never
    /// overwrites a newer one (invariant 4).
    pub current: bool,
}

impl Batch {
    /// A batch that changes no schema and no note.
    pub fn new(records: Vec<Record>, position: Position) -> Self {
        Self {
            records,
            position,
            catalog: None,
            notes: Vec::new(),
            current: false,
        }
    }

    /// The same, of records that say what the origin has now.
    #[must_use]
    pub fn current(mut self) -> Self {
        self.current = true;
        self
    }
}

/// The batches of one read, in order.
///
/// Dropping it cancels the read. It ends after [`Until::CaughtUp`](crate::Until::CaughtUp), or after its
/// first error.
pub type BatchStream = Pin<Box<dyn Stream<Item = Result<Batch>> + Send>>;

/// Somewhere records come from.
///
/// # What an implementer promises
/// 1. Every record belongs to a selected stream of the catalog, and has that stream's key.
/// 2. Reading again from the position of any batch, with the notes in force at it, gives, in the end, every
///    record that a read from the start would still have given after that batch: nothing is lost (records may
///    come again).
/// 3. Records of one stream with the same key come in the order in which the changes happened (invariant 4).
/// 4. Dropping the stream at any moment leaves the source usable; nothing that was not yielded counts as
///    read.
///    A batch that is [`current`](Batch::current) holds only what was read after all that came before it.
/// 5. The same selection, position and notes may be read any number of times.
/// 6. A read that nobody polls holds nothing that others wait for: no slot of a limiter, no place in a queue, no
///    connection of a pool. The run loop may leave a stream alone for as long as a write takes, and that write may go
///    through the same connection.
///
/// # What a caller may not conclude
/// - That a record not seen again is gone: only a `delete` says so.
/// - That a position compares with another, or that its bytes mean anything; no more do a note's.
/// - That `ack` was noticed: a source may ignore it.
#[async_trait]
pub trait Source: Send + Sync + Debug {
    /// What there is to read. Asked at the start of every run; may call the origin.
    async fn catalog(&self) -> Result<Catalog>;

    /// The batches after `from`, or from the very start.
    ///
    /// # Errors
    /// [`Incompatible`](crate::ErrorKind::Incompatible) when `from` was made by a newer version or another
    /// source; [`Configuration`](crate::ErrorKind::Configuration) when the selection names a stream that is
    /// not there. Errors of the origin come through the stream.
    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream>;

    /// As [`read`](Source::read), into a destination that shows what it holds. Of streams that begin with this read it may
    /// hold rows already, from a pipeline whose state was reset or that had another name: what is among them and not at
    /// the origin any more is found to be gone, as if it had been delivered by this source. A source that cannot tell
    /// reads as if there was nothing.
    ///
    /// # Errors
    /// Those of `read`, and those of looking at the rows.
    async fn read_into(
        &self,
        selection: Selection,
        from: Option<Resume>,
        _rows: Arc<dyn Inspect>,
    ) -> Result<BatchStream> {
        self.read(selection, from).await
    }

    /// Everything up to `position` is durable at the destination and saved as a checkpoint: the origin may
    /// forget it. Called after the save, never before (invariant 1).
    async fn ack(&self, _position: &Position) -> Result<()> {
        Ok(())
    }

    /// How each stream is getting on, for people; asked often, so it is cheap and calls nobody. Empty when the
    /// source has nothing to tell.
    fn status(&self) -> Vec<StreamStatus> {
        Vec::new()
    }

    /// About how many records a snapshot of `stream` has, for a progress bar. `None` when that is not cheap
    /// to know.
    async fn estimate(&self, _stream: &StreamName) -> Option<u64> {
        None
    }
}
