//! The emulator as its callers see it, in process through the router.

mod account;
mod associations;
mod batch;
mod control;
mod custom_objects;
mod definitions;
mod desk;
mod faults;
mod fuzz;
mod history;
mod labels;
mod limits;
mod lists;
mod memberships;
mod model;
mod mutations;
mod neighbours;
mod oauth;
mod pages;
mod property_groups;
mod resources;
mod search;
mod seeded_data;
mod stages;
mod standard_types;
mod writes;
