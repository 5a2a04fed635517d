//! `spoke` as its users meet it: the real binary, a HubSpot on a port, files on disk.

mod support;

mod config;
mod connection;
mod crash;
mod demo;
mod discovery;
mod guides;
mod help;
mod odd_portals;
mod storage;
mod sync;
