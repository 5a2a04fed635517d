//! Records by condition: which they are, and whether a person means them.

use hubspot_client::Client;
use hubspot_connector::write::Verb;

use super::job::Job;
use crate::confirm::{Answer, proceed};
use crate::exit::Outcome;

/// The ids of the records for which `condition` holds, once a person agrees to their number, or `yes`.
pub(crate) async fn ids(client: &Client, job: &Job, condition: &str, yes: bool) -> Outcome<Vec<String>> {
    let object = job.writer.object();
    let options = query::Options::default();
    let ids = query::ids_of(client, &object.name, condition, &options).await?;
    let will_be = match job.verb {
        Verb::Save => "changed",
        Verb::Delete => "archived",
    };
    let warning = format!("{} {} will be {will_be}", ids.len(), object.name);
    proceed(&warning, Answer::Yes, yes || ids.is_empty())?;
    Ok(ids)
}
