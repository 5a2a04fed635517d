//! What an account holds and the rules of its data. Plain structs; no HTTP.

pub(crate) mod associations;
pub(crate) mod earlier;
pub(crate) mod filter;
pub(crate) mod history;
pub(crate) mod index;
pub(crate) mod lists;
pub(crate) mod marketing_events;
mod merge;
pub(crate) mod object_type;
pub(crate) mod operations;
pub(crate) mod owners;
pub(crate) mod pipelines;
pub(crate) mod portal;
pub(crate) mod property;
pub(crate) mod record;
pub(crate) mod resources;
pub(crate) mod schemas;
pub(crate) mod search;
pub(crate) mod search_index;
pub(crate) mod store;
pub(crate) mod unique;
pub(crate) mod validation;
pub(crate) mod values;
