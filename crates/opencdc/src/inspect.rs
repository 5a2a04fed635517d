//! Is the copy complete and right? What a destination and an origin show to whoever compares the two.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::Pin;
use std::time::SystemTime;

use async_trait::async_trait;
use futures_util::Stream;

use crate::{Batch, Data, Error, Position, Record, Result, Resume, StreamName};

/// How a record and its row compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The row is what writing the record would make it; for a delete: there is none, or it is marked as gone.
    Same,
    /// There is no row, or it is marked as gone, and the record lives.
    Missing,
    /// The row says something else.
    Differs {
        /// Names of the catalog's fields that differ.
        fields: Vec<String>,
    },
    /// There is a row that is not marked as gone, and the record is a delete.
    Extra,
}

/// A record beside its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// How they compare.
    pub verdict: Verdict,
    /// A checksum of what the row should be; 0 when there should be none.
    pub wanted: u64,
    /// The same of the row as it is; 0 when there is none. Equal to `wanted` when they are the same.
    pub found: u64,
}

/// A look at the rows of a destination, by whoever wants to know whether they are right.
///
/// # What an implementer promises
/// 1. `compare` gives one answer a record, in their order. What a record means as a row is decided by the code that
///    writes rows.
/// 2. `keys` gives the key of every row that is not marked as gone, once, in an order of the destination's own in which
///    the keys after a key are those behind it. Fewer than `limit` come only at the end.
/// 3. `archived` lists rows that are marked as gone likewise: those whose time of archiving is known, and that were not
///    merged into another. Each is the delete that would mark it so, with that time as its
///    [`VERSION`](crate::metadata_keys::VERSION).
/// 4. `remains` answers for each `purged` delete, in their order, whether a value of that record, or of one that was
///    merged into it, still stands in the rows that the delete is about.
/// 5. Nothing is changed, nobody who writes is held up, and what is seen is durable.
///
/// # What a caller may not conclude
/// - That two calls see the same rows: others may write in between.
#[async_trait]
pub trait Inspect: Send + Sync + Debug {
    /// How these records compare with their rows.
    async fn compare(&self, records: &[Record]) -> Result<Vec<Compared>>;

    /// Keys of the rows of `stream` that are not marked as gone, behind `after`, at most `limit`.
    async fn keys(&self, stream: &StreamName, after: Option<&Data>, limit: usize) -> Result<Vec<Data>>;

    /// Rows of `stream` that are marked as archived, behind the key `after`, at most `limit`. None of a destination that
    /// keeps no row of what is gone.
    async fn archived(
        &self,
        _stream: &StreamName,
        _after: Option<&Data>,
        _limit: usize,
    ) -> Result<Vec<Record>> {
        Ok(Vec::new())
    }

    /// Whether something of these erased records remains; each is the `purged` delete of one. A destination that keeps no
    /// rows has nothing to answer.
    async fn remains(&self, erased: &[Record]) -> Result<Vec<bool>> {
        Ok(vec![false; erased.len()])
    }
}

/// Records as they are at their origin now, a page at a time.
pub type Pages = Pin<Box<dyn Stream<Item = Result<Vec<Record>>> + Send>>;

/// An origin that can be asked what it has now, whatever was delivered before.
///
/// # What an implementer promises
/// 1. `walk` gives every record of the streams that lives during the whole walk as it is then, with the key that a
///    read gives it; pages come in the order of the keys as far as the origin has one.
/// 2. `again` answers for every key, with the record if it lives and with a delete if it does not. A key that it does
///    not answer for is just changing. When it last changed, or what a change of it comes along with, stands in the
///    stream's version or under [`VERSION`](crate::metadata_keys::VERSION), where that is known.
/// 3. The batch of `amend` holds what `again` gives for those keys, and brings what the source remembers in step with it:
///    a read from `from` with the batch's notes neither gives these records again nor overlooks their next change.
#[async_trait]
pub trait Origin: Send + Sync + Debug {
    /// The streams that can be compared with a copy.
    async fn comparable(&self) -> Result<Vec<StreamName>>;

    /// Streams of which a copy rightly keeps what the origin no longer has: rows that `walk` does not give are not compared.
    async fn forgetful(&self) -> Result<Vec<StreamName>> {
        Ok(Vec::new())
    }

    /// The wanted streams that cannot be read, and why; the others can be compared.
    async fn refused(&self) -> Result<Vec<(StreamName, Error)>>;

    /// The `purged` deletes of all records of these streams that a read up to `from` has found to be erased. Nothing of them
    /// may be left in a copy.
    async fn erased(&self, _from: &Resume, _streams: &[StreamName]) -> Result<Vec<Record>> {
        Ok(Vec::new())
    }

    /// The time there. What changes later may not be in any copy yet.
    async fn time(&self) -> Result<SystemTime>;

    /// Up to when a copy at `position` has every change of a stream; `None` when no time tells.
    async fn reached(&self, position: &Position, stream: &StreamName) -> Result<Option<SystemTime>>;

    /// Every live record of these streams that a copy at `position` should have.
    async fn walk(&self, streams: &[StreamName], position: &Position) -> Result<Pages>;

    /// The records of these keys.
    async fn again(&self, stream: &StreamName, keys: &[Data]) -> Result<Vec<Record>>;

    /// The records of these keys as a batch after which a read still goes on from `from`.
    async fn amend(&self, from: &Resume, keys: &BTreeMap<StreamName, Vec<Data>>) -> Result<Batch>;
}
