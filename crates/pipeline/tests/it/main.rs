//! The pipeline's promises, kept by the run loop, the store and the destinations.

mod conformance;
mod crash;
mod doubles;
mod file_errors;
mod ndjson;
mod run_loop;
mod sqlite;
mod store;
