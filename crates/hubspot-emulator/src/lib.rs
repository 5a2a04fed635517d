//! Be HubSpot: a local HubSpot account that answers as the real one does, with its status codes, error bodies,
//! limits, paging and search rules, and with faults on demand. Demos, tests and sandboxes talk to it instead of
//! to a real account. Nothing here is shared with the connector that it judges.
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use hubspot_emulator::{Counts, Emulator, Options, serve};
//!
//! let counts = Counts { contacts: 100, ..Counts::default() };
//! let emulator = Emulator::new(Options { seed: 7, counts, ..Options::default() });
//!
//! // In process: an axum router, no socket needed.
//! let router = emulator.router();
//!
//! // Or on a port, until the future completes.
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! serve(listener, emulator, async {}).await?;
//! # Ok(())
//! # }
//! ```
//!
//! What is only believed about HubSpot, and what differs on purpose, is listed in `parity/believed.md`.

mod behaviour;
mod call;
mod control;
mod data;
mod emulator;
mod failure;
mod gateway;
mod html;
mod imports;
mod in_process;
mod json;
mod mutate;
mod options;
mod pages;
mod reply;
mod routes;
mod server;
mod state;
mod time;
mod truth;

pub use emulator::{Emulator, serve};
pub use gateway::Dropped;
pub use options::{App, Counts, DEFAULT_TOKEN, Options, Scopes, Tier, Token, UnknownTier};
