//! What a destination with keys of its own remembers of the source's keys.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Record, Result, StreamName};

/// What is known of the thing that a source's key names, at a destination that gives out its own ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapped {
    /// It is about to be made there, or was being made when the process died: it may be there under an id that
    /// nobody has told us. Whoever finds this looks before making it again (invariant 3).
    Pending,
    /// It is there, under this id.
    Id(String),
}

/// A record that cannot be written before another one has been: an association of two records of which one is not there
/// yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The stream of the record that is waited for.
    pub stream: StreamName,
    /// Its key, as a [`KeyMap`] has it.
    pub key: String,
    /// The record that waits.
    pub record: Record,
}

/// Which of the source's keys became which id at the destination, so that what was created once is updated
/// afterwards, and what was perhaps created is looked for before it is created again.
///
/// One map belongs to one pipeline. A key is the value of a record's key as text; a key of several fields is its
/// JSON object with the fields in the order of their names.
///
/// # What an implementer promises
/// 1. When [`store`](KeyMap::store) or [`forget`](KeyMap::forget) answers, a crash no longer loses the change. All
///    of the call's entries are changed, or none.
/// 2. [`look_up`](KeyMap::look_up) sees every change that has answered.
#[async_trait]
pub trait KeyMap: Send + Sync + Debug {
    /// What is known of each of these keys, in their order.
    async fn look_up(&self, stream: &StreamName, keys: &[String]) -> Result<Vec<Option<Mapped>>>;

    /// Remembers something of each of these keys, in the place of what was known. A key that is there twice gets
    /// the last entry.
    async fn store(&self, stream: &StreamName, entries: &[(String, Mapped)]) -> Result<()>;

    /// Forgets these keys. Fine for those that are not there.
    async fn forget(&self, stream: &StreamName, keys: &[String]) -> Result<()>;

    /// Keeps records until what they wait for is there. A record of the same stream and key that is kept already gives
    /// way, whatever it waits for.
    async fn park(&self, waiting: &[Waiting]) -> Result<()>;

    /// The records that wait for any of these keys, in the order in which they were parked. They stay.
    async fn waiting(&self, stream: &StreamName, keys: &[String]) -> Result<Vec<Record>>;

    /// Keeps these records, known by stream and key, no longer. Fine for those that are not kept.
    async fn unpark(&self, records: &[Record]) -> Result<()>;

    /// How many records are kept.
    async fn parked(&self) -> Result<u64>;
}
