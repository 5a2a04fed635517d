//! Groups of properties.

use hubspot_client::PropertyGroup;
use hubspot_client::request::properties::NewGroup;
use hubspot_connector::objects::ObjectType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Act, Action, Effect, members, names};
use crate::exit::{Failure, Outcome};
use crate::session::Session;
use crate::settings::nearest;

pub(super) const ACTIONS: &[Action] = &[
    Action::of::<ListGroups>(),
    Action::of::<CreateGroup>(),
    Action::of::<UpdateGroup>(),
    Action::of::<ArchiveGroup>(),
];

/// Lists the groups of properties of an object type.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListGroups {
    /// Object type: `contacts`, `0-1`, a custom object's name.
    object: String,
}

impl Act for ListGroups {
    const NAME: &'static str = "property_group.list";
    const EFFECT: Effect = Effect::Reads;
    type Output = Vec<PropertyGroup>;

    async fn act(self, session: &Session) -> Outcome<Vec<PropertyGroup>> {
        let object = session.object(&self.object).await?;
        Ok(session.client.property_groups(object.path_name()).await?)
    }
}

/// Makes a group of properties.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateGroup {
    /// Object type: `contacts`, `0-1`, a custom object's name.
    object: String,
    /// Internal name: lower-case letters, digits and `_`, beginning with a letter.
    name: String,
    /// What people see; the name when left out.
    #[serde(default)]
    label: Option<String>,
    /// Its place among others; -1, as when left out: behind them.
    #[serde(default)]
    display_order: Option<i64>,
}

impl Act for CreateGroup {
    const NAME: &'static str = "property_group.create";
    const EFFECT: Effect = Effect::Writes;
    type Output = PropertyGroup;

    async fn act(self, session: &Session) -> Outcome<PropertyGroup> {
        names::check_property("a group of properties", &self.name)?;
        let object = session.object(&self.object).await?;
        let group = NewGroup {
            label: self.label.unwrap_or_else(|| self.name.clone()),
            name: self.name,
            display_order: self.display_order.unwrap_or(-1),
        };
        Ok(session
            .client
            .create_property_group(object.path_name(), &group)
            .await?)
    }
}

/// Changes what is named of a group of properties; the rest stays.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct UpdateGroup {
    /// Object type: `contacts`, `0-1`, a custom object's name.
    object: String,
    /// The group's internal name, which stays.
    name: String,
    #[serde(flatten)]
    changes: GroupChanges,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GroupChanges {
    /// What people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Its place among others; -1: behind them.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_order: Option<i64>,
}

impl Act for UpdateGroup {
    const NAME: &'static str = "property_group.update";
    const EFFECT: Effect = Effect::Writes;
    type Output = PropertyGroup;

    async fn act(self, session: &Session) -> Outcome<PropertyGroup> {
        let object = session.object(&self.object).await?;
        let changes = members(&self.changes);
        if changes.is_empty() {
            return Err(Failure::usage(format!(
                "nothing of the group `{}` is to change",
                self.name
            )));
        }
        match session
            .client
            .update_property_group(object.path_name(), &self.name, &changes)
            .await
        {
            Err(error) if error.is_not_found() => {
                let groups = session.client.property_groups(object.path_name()).await?;
                Err(unknown(&object, &groups, &self.name))
            }
            answer => Ok(answer?),
        }
    }
}

pub(super) fn unknown(object: &ObjectType, groups: &[PropertyGroup], name: &str) -> Failure {
    let names = groups.iter().map(|group| group.name.as_str());
    let near = nearest(name, names.clone());
    let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    let all: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    let message = format!("`{}` has no group of properties `{name}`{meant}", object.name);
    Failure::usage(message).hint(format!("the groups of {}: {}", object.name, all.join(", ")))
}

/// Puts a group of properties into the recycle bin. It must have no properties.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ArchiveGroup {
    /// Object type: `contacts`, `0-1`, a custom object's name.
    object: String,
    /// The group's internal name.
    name: String,
}

impl Act for ArchiveGroup {
    const NAME: &'static str = "property_group.archive";
    const EFFECT: Effect = Effect::Removes;
    type Output = Value;

    async fn act(self, session: &Session) -> Outcome<Value> {
        let object = session.object(&self.object).await?;
        let groups = session.client.property_groups(object.path_name()).await?;
        if !groups.iter().any(|group| group.name == self.name) {
            return Err(unknown(&object, &groups, &self.name));
        }
        session
            .client
            .archive_property_group(object.path_name(), &self.name)
            .await?;
        Ok(json!({"object": object.name, "name": self.name, "archived": true}))
    }
}
