//! The calls: each builds a request, sends it, reads the answer. One file per resource.

mod account;
mod associations;
mod batches;
mod objects;
mod owners;
mod pages;
mod pipelines;
mod properties;
mod schemas;
mod writes;

pub use self::{
    account::AccountDetails,
    associations::{Association, AssociationBatch, AssociationLabel, AssociationType, AssociationsOf},
    batches::{BatchOutcome, InputOutcome, Written},
    objects::{BatchResult, SearchPage},
    pipelines::{Pipeline, Stage},
    properties::{ModificationMetadata, Property, PropertyOption},
    schemas::{Labels, Schema, SchemaAssociation},
};

use serde::Deserialize;

/// `{"results": [...]}`, the shape of every list that is not paged.
#[derive(Deserialize)]
struct Results<T> {
    results: Vec<T>,
}
