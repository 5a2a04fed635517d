//! Live objects as tables: which there are, what of a question HubSpot can answer by itself, and the rows.
//!
//! Nothing here knows SQL. A question's `WHERE` comes as a [`Condition`], made of comparisons by [`compare`]; an [`Access`]
//! says which calls bring every row of it; a [`Question`] makes them. The rows are the records that a source delivers, so
//! whoever puts them into a table gets the table of a copy. What HubSpot is asked for may be more than is wanted, never
//! less: the whole question is answered from the rows.

mod access;
mod column;
mod compare;
mod condition;
mod fetch;
mod filter;
mod groups;
mod table;

pub use access::{Access, Fetch, Means};
pub use column::{Column, Kind};
pub use compare::{
    Comparison, Literal, compare, equal_in_any_case, is_in, is_not_in, is_not_null, is_null, like, not_like,
};
pub use condition::{Check, Condition, Range, Test};
pub use fetch::{Question, every_id, ids_of_links_to, is_bad_request, links, links_call, whole};
pub use table::{LinkTable, ObjectTable, OwnTable, Table, Tables};
