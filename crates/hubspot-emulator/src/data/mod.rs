//! The seeded account: word lists, property tables, and the making of records and links from a seed.

pub(crate) mod catalogue;
pub(crate) mod draw;
pub(crate) mod generate;
pub(crate) mod links;
pub(crate) mod people;
pub(crate) mod persona;
pub(crate) mod recipe;
pub(crate) mod resources;
pub(crate) mod seeding;
pub(crate) mod words;
