//! Sources that are no service.

mod files;
mod lines;
mod postgres;
mod reading;
mod sqlite;
mod stdin;
