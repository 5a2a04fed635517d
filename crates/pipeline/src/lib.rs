//! Moves records from a source to a destination and keeps promises.
//!
//! There is one run loop, [`run`]: snapshot, changes, retries, order, dead letters and shutdown are written
//! once, for every source and every destination. This crate knows the contracts of `opencdc` and nothing of
//! where records come from.
//!
//! # What to read next
//!
//! [`Pipeline`] is what is run and [`run()`] runs it; [`audit`] tells afterwards whether the copy is complete and right, and
//! mends it; [`redrive`](redrive()) sends dead letters again. [`source`] and [`destination`] hold those that are no service: files, pipes and tables, and an SQLite file
//! and files of JSON lines to write to. [`SqliteStore`] keeps what must survive a crash beside the
//! rows: checkpoints, dead letters and the inbox.
//!
//! The numbered invariants in the comments are those of the project's `ARCHITECTURE.md`.
#![deny(missing_docs)]

mod aside;
pub mod audit;
pub mod destination;
mod erasure;
mod failpoint;
pub mod private_file;
mod redrive;
mod run;
pub mod source;
mod sqlite_checkpoints;
mod sqlite_file;
mod store;

pub use redrive::{Redriven, redrive};
pub use run::{
    Ended, Event, Observer, Pipeline, RetryOptions, RunOptions, StreamCounts, StreamTotals, Summary, run,
};
pub use store::SqliteStore;
