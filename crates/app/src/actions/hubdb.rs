//! HubDB tables.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Act, Action, Effect};
use crate::exit::{Failure, Outcome};
use crate::session::Session;

pub(super) const ACTIONS: &[Action] = &[Action::of::<PublishTable>()];

/// Makes the draft of a HubDB table the table that pages show.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PublishTable {
    /// The table's id or name.
    table: String,
}

impl Act for PublishTable {
    const NAME: &'static str = "hubdb_table.publish";
    const EFFECT: Effect = Effect::Writes;
    type Output = Value;

    async fn act(self, session: &Session) -> Outcome<Value> {
        session.account.may_read("hubdb_tables")?;
        let published = session.client.publish_table(&self.table).await;
        let published = published.map_err(|error| match error.is_not_found() {
            true => Failure::failed(format!("there is no HubDB table `{}`", self.table)),
            false => error.into(),
        })?;
        serde_json::from_slice(published.json())
            .map_err(|error| Failure::failed("HubSpot's answer is no JSON").because(&error))
    }
}
