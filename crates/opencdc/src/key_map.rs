//! What a destination with keys of its own remembers of the source's keys.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Result, StreamName};

/// What is known of the thing that a source's key names, at a destination that gives out its own ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapped {
    /// It is about to be made there, or was being made when the process died: it may be there under an id that
    /// nobody has told us. Whoever finds this looks before making it again (invariant 3).
    Pending,
    /// It is there, under this id.
    Id(String),
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
}
