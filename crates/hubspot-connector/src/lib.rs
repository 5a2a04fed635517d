//! HubSpot as a source of records: which streams an account has, what their fields are, and every record of
//! them, resumable at any page.
//!
//! This crate joins two others: [`opencdc`] says what a source promises, [`hubspot_client`] talks to HubSpot.
//!
//! | Module | Question it answers | Calls HubSpot |
//! |---|---|---|
//! | [`objects`] | which types of CRM objects are there? | no |
//! | [`config`] | what may a person write? | no |
//! | `plan` | what does that mean in this account? | no |
//! | `catalog` | which fields has a stream? | no |
//! | [`position`] | where does each stream stand? | no |
//! | `known` | what has been delivered? | no |
//! | [`estimate`] | what will it cost? | no |
//! | `discovery` | what is there in this account? | yes |
//! | [`source`] | what are the records? | yes |
//! | [`bulk`] | how do many rows get in by imports? | yes |
//! | [`query`] | what of a question can HubSpot answer, and which rows does that bring? | yes |
//!
//! ```no_run
//! use futures_util::StreamExt;
//! use hubspot_client::{Client, StaticToken};
//! use hubspot_connector::{HubspotSource, SourceConfig};
//! use opencdc::{Selection, Source};
//!
//! # async fn main_() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder().token(StaticToken::new("pat-na1-…")?).build()?;
//! let source = HubspotSource::new(client, SourceConfig::new("prod", ["contacts", "companies"]))?;
//! let everything = Selection::everything(&source.catalog().await?);
//! let mut batches = source.read(everything, None).await?;
//! while let Some(batch) = batches.next().await {
//!     println!("{} records", batch?.records.len());
//! }
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

pub mod bulk;
mod catalog;
pub mod config;
mod discovery;
mod error;
pub mod estimate;
mod known;
pub mod objects;
mod own;
mod plan;
pub mod position;
pub mod query;
mod record;
pub mod source;
mod status;
pub mod write;

pub use config::SourceConfig;
pub use error::from_client as contract_error;
pub use source::HubspotSource;
