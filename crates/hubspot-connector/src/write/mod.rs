//! Records into HubSpot: what a person asks for becomes batches of at most 100, and every record gets an outcome of
//! its own.
//!
//! | Module | Question it answers | Calls HubSpot |
//! |---|---|---|
//! | [`config`] | what may a person write? | no |
//! | `shape` | what does a payload ask for? | no |
//! | `value` | how does HubSpot write that value? | no |
//! | `rules` | which of the values may be written? | no |
//! | `order` | which writes must wait for which? | no |
//! | `keys` | what is remembered of the source's keys? | no |
//! | `decide` | what is to be done with each record? | no |
//! | `refusal` | why was it refused, in words? | no |
//! | `live` | what is there now? | yes |
//! | `send` | what became of it? | yes |
//! | `links` | what is it to be associated with? | yes |
//! | `pairs`, `cms` | the same for associations, and for websites | yes |
//! | `missing` | which properties are made first? | yes |
//! | `gather`, `carry` | the writer's two halves: before the decision and after it | yes |
//! | [`writer`] | all of this, one step after the other | yes |
//!
//! A destination of a pipeline and the one-shot commands go the same way; the commands stop after `decide` when they
//! are run dry.

mod carry;
mod cms;
pub mod config;
mod decide;
mod destination;
mod gather;
mod keys;
mod links;
mod live;
mod missing;
mod order;
mod pairs;
mod refusal;
mod rules;
mod send;
mod shape;
mod value;
pub mod writer;

pub use config::{DestinationConfig, WriteRules};
pub use decide::{Action, Planned};
pub use destination::HubspotDestination;
pub use refusal::Refusal;
pub(crate) use refusal::shown;
pub use shape::{Verb, Wanted};
pub use writer::{Done, Writer, Written};
