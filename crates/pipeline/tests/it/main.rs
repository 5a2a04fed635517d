//! The pipeline's promises, kept by the run loop, the store and the destinations.

mod audit;
mod conformance;
mod crash;
mod doubles;
mod file_errors;
mod inspect;
mod ndjson;
mod postgres_server;
mod run_in_flight;
mod run_loop;
mod run_schedules;
mod sources;
mod sqlite;
mod store;
mod unkind;
