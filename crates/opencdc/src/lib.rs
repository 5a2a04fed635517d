//! The words and the contracts of change data capture: what a record is, where to resume, and what a
//! source, a destination and a store promise one another.
//!
//! The words are those of [OpenCDC](https://conduit.io/docs/using/opencdc-record) and mean what they mean
//! there. Nothing here knows HubSpot, a database, a runtime or HTTP.
//!
//! # The data's way
//!
//! ```text
//! Source --batches--> run loop --batches--> Destination
//!   ^                    |                      |
//!   |                    |<---- outcomes -------+
//!   +-- ack <-- checkpoint saved <-- every record written, or a dead letter
//! ```
//!
//! A [`Source`] is asked for its [`Catalog`] and then for a stream of [`Batch`]es that starts after a
//! [`Position`]. A [`Destination`] takes a batch and answers when every record of it is durable, with one
//! [`Outcome`] a record. Only then is the batch's position saved as a [`Checkpoint`], and only after that
//! is it acknowledged to the source. What a source must remember and cannot put into every position, it gives
//! along as [`Note`]s, which are stored with the checkpoint. A crash at any instant therefore repeats work and loses none: delivery
//! is *at least once*, and a destination that keeps the checkpoint in the transaction of its rows makes the
//! effect *exactly once*.
//!
//! [`Inspect`] and [`Origin`] are for whoever wants to know afterwards whether the copy is complete and right.
//!
//! # What to read next
//!
//! [`Source`] and [`Destination`] say what an implementer promises and what a caller may **not** conclude.
//! The module `conformance` (feature `conformance`) has one function for every promise; each implementation
//! in this repository calls all of them, the ones in [`memory`] first.
//!
//! ```
//! use opencdc::{memory::MemorySource, Batch, Position, Record, Selection, Source};
//! use futures_util::StreamExt;
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> opencdc::Result<()> {
//! let record = Record::snapshot("contacts", br#"{"id":"1"}"#, br#"{"id":"1","properties":{}}"#);
//! let source = MemorySource::new(["contacts"], vec![Batch::new(vec![record], Position::new("1"))]);
//!
//! let selection = Selection::everything(&source.catalog().await?);
//! let mut batches = source.read(selection, None).await?;
//! let batch = batches.next().await.expect("one batch was scripted")?;
//! assert_eq!(batch.records[0].stream.as_str(), "contacts");
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

mod catalog;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod destination;
mod error;
mod inspect;
mod key_map;
pub mod memory;
mod note;
mod position;
mod record;
mod source;
mod status;
mod store;

pub use catalog::{Catalog, DataType, Field, SelectedStream, Selection, Stream, StreamName, Until};
pub use destination::{Destination, Outcome, Rejection, UnfitValues, check_outcomes};
pub use error::{Disposition, Error, ErrorKind, Result};
pub use inspect::{Compared, Inspect, Origin, Pages, Verdict};
pub use key_map::{KeyMap, Mapped, Waiting};
pub use note::{Note, Notes, Resume};
pub use position::{Checkpoint, Position};
pub use record::{Change, Data, Metadata, Operation, Record, metadata_keys};
pub use source::{Batch, BatchStream, Source};
pub use status::{StreamStatus, Trouble};
pub use store::{CheckpointStore, DeadLetter, DeadLetters, Inbox, InboxEntry};
