//! SQL over live HubSpot objects.
//!
//! A statement gives the rows that SQLite gives over a copy that was made this moment: the rows that can be in the result are
//! brought into a scratch database by the code that writes copies, and SQLite answers from there. HubSpot is asked for as
//! little as surely suffices; what it is asked for never decides what the result is.
//!
//! | File | Question it answers | Calls HubSpot |
//! |---|---|---|
//! | `parse.rs` | what was written? | no |
//! | `names.rs` | which tables and columns does it name? | no |
//! | `implied.rs`, `scope.rs` | what does every row satisfy that can be in the result? | no |
//! | `mode.rs` | must all rows be there at once? | no |
//! | `prepare.rs` | is it right, and how is it answered? | for definitions |
//! | `load.rs` | which table first, and what does it say about the others? | yes |
//! | `run.rs` | what are the rows? | yes |
//! | `explain.rs` | what would be asked? | no |
//!
//! ```no_run
//! # async fn example(client: hubspot_client::Client) -> opencdc::Result<()> {
//! use query::{Asked, Options, prepare};
//! use std::ops::ControlFlow;
//!
//! let sql = "SELECT dealstage, sum(amount) FROM deals WHERE amount > 100 GROUP BY dealstage";
//! let query = prepare(&client, &Asked::Sql(sql.into()), &Options::default()).await?;
//! query.run(&mut |row| { println!("{row:?}"); ControlFlow::Continue(()) }).await?;
//! # Ok(()) }
//! ```
#![deny(missing_docs)]

mod deadline;
mod explain;
mod implied;
mod load;
mod mode;
mod names;
mod notes;
mod parse;
mod prepare;
mod read;
mod run;
mod scope;

pub use explain::{Explanation, Step};
pub use parse::Simple;
pub use prepare::{Asked, Options, Query, prepare};
pub use run::{Ended, Row, ids_of, rows_of};
/// A value of a row.
pub use rusqlite::types::Value;

use opencdc::{Error, ErrorKind};

/// The question is wrong.
fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

/// SQLite could not answer.
fn failed(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("SQLite cannot answer: {error}")).with_source(error)
}
