//! `spoke` as its users meet it: the real binary, a HubSpot on a port, files on disk.

mod support;

mod actions;
mod associate;
mod audit;
mod browsable;
mod bulk;
mod carried_over;
mod catalog;
mod config;
mod connection;
mod connection_keys;
mod crash;
mod demo;
mod discovery;
mod follow;
mod follow_account;
mod follow_crash;
mod guides;
mod help;
mod lease;
mod oauth;
mod odd_portals;
mod plan;
mod query;
mod rotation;
mod rows_in_place;
mod soak;
mod sources;
mod state;
mod storage;
mod sync;
mod write;
mod write_back;

#[path = "../../../pipeline/tests/it/postgres_server.rs"]
mod postgres_server;
