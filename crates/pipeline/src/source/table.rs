//! Rows of a table, page by page in the order of a cursor and the key: what databases have in common. Pure.
//!
//! A page begins behind the last row of the one before, compared by cursor *and* key, so rows with equal cursors are
//! never lost between pages. What is written while a pass goes on may come to stand behind it: with the cursor that was
//! the greatest when the pass began (the *frontier*), or a greater one. So the next pass begins at the frontier, not
//! behind the last row; the rows from there on that were delivered already are known by their digests and are not
//! delivered again.

mod known;
mod pass;
mod reading;
mod relation;
mod sql;

pub(super) use pass::{Pass, Row};
pub(super) use reading::Reading;
pub(super) use relation::{Relation, Written, is_gone};
pub(super) use sql::{Dialect, Page, frontier, quote, rows_without_place};
