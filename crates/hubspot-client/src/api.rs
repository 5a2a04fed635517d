//! The calls: each builds a request, sends it, reads the answer. One file per resource.

mod account;
mod associating;
mod associations;
mod batches;
mod imports;
mod library;
mod lists;
mod objects;
mod owners;
mod pages;
mod pipelines;
mod properties;
mod resources;
mod rows;
mod schemas;
mod trail;
mod writes;

pub use self::{
    account::AccountDetails,
    associating::{AssociatedPair, AssociatingBatch, NamedAssociations},
    associations::{Association, AssociationBatch, AssociationLabel, AssociationType, AssociationsOf},
    batches::{BatchOutcome, InputOutcome, Written},
    imports::{Import, ImportError, ImportErrorPage, ImportPage, ImportState},
    lists::{Member, MemberPage, MembersChanged, RecordId, RecordList, RecordListPage},
    objects::{BatchResult, SearchPage},
    pipelines::{Pipeline, Stage},
    properties::{ModificationMetadata, Property, PropertyGroup, PropertyOption},
    schemas::{Labels, Schema, SchemaAssociation},
    trail::PageTrail,
};
