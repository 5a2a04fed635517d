//! `spoke gdpr-delete`: erases a contact for good.

use super::property::said;
use crate::actions::{self, Act, Erased};
use crate::cli::GdprDelete;
use crate::confirm::{self, Answer};
use crate::exit::Outcome;
use crate::session::Session;

/// Shows the contact and has its id or address typed once more.
pub(crate) async fn run(arguments: GdprDelete) -> Outcome {
    let GdprDelete {
        object,
        id,
        by,
        confirmed,
        asked,
    } = arguments;
    let (id, id_property) = match (id, by) {
        (Some(id), _) => (id, None),
        (None, Some((property, value))) => (value, Some(property)),
        (None, None) => unreachable!("clap requires one of the two"),
    };
    let session = Session::open(&asked.target)?;
    let erase = actions::GdprDelete {
        object,
        id,
        id_property,
    };
    let (warning, done) = match erase.look(&session).await? {
        Erased::Contact(id, line) => (
            format!("{line}: is erased for good, with all that HubSpot knows of it"),
            format!("contact {id} was erased"),
        ),
        Erased::Nobody => (
            format!(
                "no contact has `{}`: it is put on a blocklist, and no contact with it can be made again",
                erase.id
            ),
            format!("`{}` was put on the blocklist", erase.id),
        ),
    };
    confirm::proceed(&warning, Answer::Exactly(&erase.id), confirmed.yes)?;
    said(&erase.act(&session).await?, &done, &asked)
}
