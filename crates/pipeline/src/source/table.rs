//! Rows of a table, page by page in the order of a cursor and the key: what databases have in common. Pure.
//!
//! A page begins behind the last row of the one before, compared by cursor *and* key, so rows with equal cursors are
//! never lost between pages. When everything was read, the next pass begins *at* the greatest cursor, not behind it:
//! a row with the same cursor may have come since. The rows of that cursor that were delivered already are known by
//! their digests and are not delivered again.

mod boundary;
mod pass;
mod relation;
mod sql;

pub(super) use pass::{Page, Pass, Row};
pub(super) use relation::Relation;
pub(super) use sql::{Dialect, Start, page, rows_without_place};
