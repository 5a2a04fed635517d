//! What must survive a crash besides the rows.

mod dead_letter;
mod queue;
mod sqlite;
mod status;

pub use sqlite::SqliteStore;
