//! What must survive a crash besides the rows.

mod dead_letter;
mod key_map;
mod queue;
mod sqlite;
mod status;

pub use sqlite::SqliteStore;
