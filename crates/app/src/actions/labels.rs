//! Labels of associations between two object types.

use hubspot_client::AssociationLabel;
use hubspot_client::request::associating::NewLabel;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Act, Action, Effect};
use crate::exit::Outcome;
use crate::session::Session;

pub(super) const ACTIONS: &[Action] = &[
    Action::of::<ListLabels>(),
    Action::of::<CreateLabel>(),
    Action::of::<UpdateLabel>(),
    Action::of::<DeleteLabel>(),
];

/// Lists the types of association that records of two object types may have, in this direction.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListLabels {
    /// Object type that the direction begins at.
    from: String,
    /// The other object type.
    to: String,
}

impl Act for ListLabels {
    const NAME: &'static str = "label.list";
    const EFFECT: Effect = Effect::Reads;
    type Output = Vec<AssociationLabel>;

    async fn act(self, session: &Session) -> Outcome<Vec<AssociationLabel>> {
        let (from, to) = session.pair(&self.from, &self.to).await?;
        Ok(session
            .client
            .association_labels(from.path_name(), to.path_name())
            .await?)
    }
}

/// Makes a label for associations of two object types; it has a number in each direction.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CreateLabel {
    /// Object type that the direction begins at.
    from: String,
    /// The other object type.
    to: String,
    /// What people see, such as `Manager`.
    label: String,
    /// What people see in the other direction, such as `Reports to`; the same when left out.
    #[serde(default)]
    inverse: Option<String>,
    /// Internal name; made from the label when left out.
    #[serde(default)]
    name: Option<String>,
}

impl Act for CreateLabel {
    const NAME: &'static str = "label.create";
    const EFFECT: Effect = Effect::Writes;
    type Output = Vec<AssociationLabel>;

    async fn act(self, session: &Session) -> Outcome<Vec<AssociationLabel>> {
        let (from, to) = session.pair(&self.from, &self.to).await?;
        let label = NewLabel {
            name: self.name.unwrap_or_else(|| internal(&self.label)),
            label: self.label,
            inverse_label: self.inverse,
        };
        let client = &session.client;
        Ok(client
            .create_association_label(from.path_name(), to.path_name(), &label)
            .await?)
    }
}

/// `Reports to` as `reports_to`.
fn internal(label: &str) -> String {
    let fold = |c: char| {
        if c.is_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    label.chars().map(fold).collect()
}

/// Names a label anew.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateLabel {
    /// Object type that the direction begins at.
    from: String,
    /// The other object type.
    to: String,
    /// The label's number in this direction, as `label.list` shows it.
    type_id: u64,
    /// What people see from now on.
    label: String,
    /// What people see in the other direction from now on.
    #[serde(default)]
    inverse: Option<String>,
}

impl Act for UpdateLabel {
    const NAME: &'static str = "label.update";
    const EFFECT: Effect = Effect::Writes;
    type Output = Vec<AssociationLabel>;

    async fn act(self, session: &Session) -> Outcome<Vec<AssociationLabel>> {
        let (from, to) = session.pair(&self.from, &self.to).await?;
        let (from, to) = (from.path_name(), to.path_name());
        let names = (&*self.label, self.inverse.as_deref());
        session
            .client
            .update_association_label(from, to, self.type_id, names)
            .await?;
        let mut labels = session.client.association_labels(from, to).await?;
        // Only labels of the account's own can be changed, and HubSpot may have one of the same number.
        labels.retain(|label| label.type_id == self.type_id && label.category == "USER_DEFINED");
        Ok(labels)
    }
}

/// Deletes a label. Records that have it stay associated, without it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeleteLabel {
    /// Object type that the direction begins at.
    from: String,
    /// The other object type.
    to: String,
    /// The label's number in this direction, as `label.list` shows it.
    type_id: u64,
}

impl Act for DeleteLabel {
    const NAME: &'static str = "label.delete";
    const EFFECT: Effect = Effect::Irreversible;
    type Output = Value;

    async fn act(self, session: &Session) -> Outcome<Value> {
        let (from, to) = session.pair(&self.from, &self.to).await?;
        let client = &session.client;
        client
            .delete_association_label(from.path_name(), to.path_name(), self.type_id)
            .await?;
        Ok(json!({"from": from.name, "to": to.name, "typeId": self.type_id, "deleted": true}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_an_internal_name() {
        assert_eq!(internal("Reports to"), "reports_to");
    }
}
