//! Sources that are no service.

mod files;
mod lines;
mod reading;
mod sqlite;
mod stdin;
