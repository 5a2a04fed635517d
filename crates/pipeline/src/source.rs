//! Sources that are no service: files, standard input, and tables of databases.
//!
//! All of them give flat rows: `payload.after` is the JSON object of a row's columns, and the key is the object of its
//! key columns. What is there when a source is first read comes as [`Snapshot`](opencdc::Operation::Snapshot), what
//! comes later as [`Update`](opencdc::Operation::Update).

mod columns;
mod files;
mod follow;
mod lines;
mod postgres;
mod rows;
mod schema;
mod sqlite;
mod status;
mod stdin;
mod table;

pub use columns::Columns;
pub use files::{CsvConfig, FileSource, NdjsonConfig};
pub use lines::BadLines;
pub use postgres::{PostgresConfig, PostgresSource};
pub use sqlite::{SqliteConfig, SqliteSource};
pub use stdin::{StdinConfig, StdinFormat, StdinSource};
