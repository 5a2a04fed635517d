//! Destinations that need no server.

mod ndjson;
mod serial;
mod sqlite;

pub use ndjson::{LineFormat, NdjsonConfig, NdjsonDestination};
pub use sqlite::{Deletes, Mode, SqliteConfig, SqliteDestination, SqliteScratch};
