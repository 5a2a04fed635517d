//! `spoke merge`: one record of two.

use super::property::said;
use crate::actions::{self, Act};
use crate::cli::Merge;
use crate::confirm::{self, Answer};
use crate::exit::Outcome;
use crate::printer;
use crate::session::Session;

/// Shows both records, asks, and tells the id of the one that is left.
pub(crate) async fn run(arguments: Merge) -> Outcome {
    let Merge {
        object,
        primary,
        other,
        confirmed,
        asked,
    } = arguments;
    let session = Session::open(&asked.target)?;
    let merge = actions::Merge {
        object,
        primary,
        other,
    };
    let [primary, other] = merge.look(&session).await?;
    printer::note(&format!("{primary}: keeps its values"));
    printer::note(&format!("{other}: becomes part of it"));
    confirm::proceed("the two become one record, for good", Answer::Yes, confirmed.yes)?;
    let merged = merge.act(&session).await?;
    said(
        &merged,
        &format!("what is left is {} {}", merged.object, merged.id),
        &asked,
    )
}
