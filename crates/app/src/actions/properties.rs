//! Properties: the columns of an object type.

use hubspot_client::{Property, PropertyOption};
use hubspot_connector::objects::ObjectType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::property_definition::{Definition, Details, OptionInput, ValueType};
use super::{Act, Action, Effect, property_groups};
use crate::exit::{Failure, Outcome};
use crate::session::Session;
use crate::settings::nearest;

pub(super) const ACTIONS: &[Action] = &[
    Action::of::<ListProperties>(),
    Action::of::<GetProperty>(),
    Action::of::<CreateProperty>(),
    Action::of::<UpdateProperty>(),
    Action::of::<ArchiveProperty>(),
];

/// Lists the properties of an object type.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListProperties {
    /// Object type: `contacts`, `0-1`, a custom object's name.
    object: String,
    /// Those in the recycle bin instead of the live ones.
    #[serde(default)]
    archived: bool,
}

impl Act for ListProperties {
    const NAME: &'static str = "property.list";
    const EFFECT: Effect = Effect::Reads;
    type Output = Vec<Property>;

    async fn act(self, session: &Session) -> Outcome<Vec<Property>> {
        let object = session.object(&self.object).await?;
        let client = &session.client;
        Ok(match self.archived {
            true => client.archived_properties(object.path_name()).await?,
            false => client.properties(object.path_name()).await?,
        })
    }
}

/// Reads the definition of one property.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetProperty {
    /// Object type: `contacts`, `0-1`, a custom object's name.
    object: String,
    /// The property's internal name.
    name: String,
}

impl Act for GetProperty {
    const NAME: &'static str = "property.get";
    const EFFECT: Effect = Effect::Reads;
    type Output = Property;

    async fn act(self, session: &Session) -> Outcome<Property> {
        let object = session.object(&self.object).await?;
        find(session, &object, &self.name).await
    }
}

/// The property called `name`; an unknown one is told with the nearest.
pub(super) async fn find(session: &Session, object: &ObjectType, name: &str) -> Outcome<Property> {
    match session.client.property(object.path_name(), name).await {
        Err(error) if error.is_not_found() => Err(unknown(session, object, name).await?),
        answer => Ok(answer?),
    }
}

async fn unknown(session: &Session, object: &ObjectType, name: &str) -> Outcome<Failure> {
    let known = session.client.properties(object.path_name()).await?;
    let near = nearest(name, known.iter().map(|property| property.name.as_str()));
    let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Ok(
        Failure::usage(format!("`{}` has no property `{name}`{meant}", object.name))
            .hint(format!("`spoke describe {}` lists them", object.name)),
    )
}

/// Makes a property of an object type.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CreateProperty {
    /// Object type: `contacts`, `0-1`, a custom object's name.
    object: String,
    #[serde(flatten)]
    definition: Definition,
}

impl Act for CreateProperty {
    const NAME: &'static str = "property.create";
    const EFFECT: Effect = Effect::Writes;
    type Output = Property;

    async fn act(self, session: &Session) -> Outcome<Property> {
        let new = self.definition.checked()?;
        let object = session.object(&self.object).await?;
        check_group(session, &object, &new.group_name).await?;
        Ok(session.client.create_property(object.path_name(), &new).await?)
    }
}

/// A property belongs to a group, which must be there before it.
async fn check_group(session: &Session, object: &ObjectType, name: &str) -> Outcome {
    let groups = session.client.property_groups(object.path_name()).await?;
    if groups.iter().any(|group| group.name == name) {
        return Ok(());
    }
    if !name.is_empty() {
        return Err(property_groups::unknown(object, &groups, name));
    }
    let names: Vec<_> = groups.iter().map(|group| format!("`{}`", group.name)).collect();
    Err(
        Failure::usage("`groupName` is missing: a property belongs to a group").hint(format!(
            "the groups of {}: {}",
            object.name,
            names.join(", ")
        )),
    )
}

/// Changes what is named of a property; the rest stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateProperty {
    /// Object type: `contacts`, `0-1`, a custom object's name.
    object: String,
    /// The property's internal name, which stays.
    name: String,
    /// What its values are. HubSpot allows few changes once there are values.
    #[serde(default, rename = "type")]
    value_type: Option<ValueType>,
    /// Values that may be chosen besides those there are.
    #[serde(default)]
    add_options: Vec<OptionInput>,
    #[serde(flatten)]
    details: Details,
}

impl UpdateProperty {
    async fn changes(&self, session: &Session, object: &ObjectType) -> Outcome<Map<String, Value>> {
        let mut changes = self.details.members();
        if let Some(value_type) = self.value_type {
            changes.insert("type".to_owned(), value_type.name().into());
        }
        if !self.add_options.is_empty() {
            let options = self.with_added(&find(session, object, &self.name).await?.options)?;
            changes.insert("options".to_owned(), options.into());
        }
        if changes.is_empty() {
            return Err(Failure::usage(format!("nothing of `{}` is to change", self.name)));
        }
        Ok(changes)
    }

    /// The options there are, as they are, and the new ones behind them.
    fn with_added(&self, there: &[PropertyOption]) -> Outcome<Vec<Value>> {
        if self.details.options.is_some() {
            return Err(Failure::usage("both `options` and `addOptions` are given")
                .hint("`options` are all there will be, `addOptions` come to those there are"));
        }
        let known = |value: &str| there.iter().any(|option| option.value == value);
        if let Some(twice) = self.add_options.iter().find(|option| known(&option.value)) {
            return Err(Failure::usage(format!(
                "`{}` has an option `{}` already",
                self.name, twice.value
            )));
        }
        let first = there.len();
        let added = self
            .add_options
            .iter()
            .enumerate()
            .map(|(n, option)| json!(option.at(first + n)));
        Ok(there.iter().map(|option| json!(option)).chain(added).collect())
    }
}

impl Act for UpdateProperty {
    const NAME: &'static str = "property.update";
    const EFFECT: Effect = Effect::Writes;
    type Output = Property;

    async fn act(self, session: &Session) -> Outcome<Property> {
        let object = session.object(&self.object).await?;
        let changes = self.changes(session, &object).await?;
        match session
            .client
            .update_property(object.path_name(), &self.name, &changes)
            .await
        {
            Err(error) if error.is_not_found() => Err(unknown(session, &object, &self.name).await?),
            answer => Ok(answer?),
        }
    }
}

/// Puts a property into the recycle bin, with its values. HubSpot's settings bring it back within 90 days.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ArchiveProperty {
    /// Object type: `contacts`, `0-1`, a custom object's name.
    object: String,
    /// The property's internal name.
    name: String,
}

impl Act for ArchiveProperty {
    const NAME: &'static str = "property.archive";
    const EFFECT: Effect = Effect::Removes;
    type Output = Value;

    async fn act(self, session: &Session) -> Outcome<Value> {
        let object = session.object(&self.object).await?;
        // HubSpot answers 204 for a name that there is not.
        let property = find(session, &object, &self.name).await?;
        session
            .client
            .archive_property(object.path_name(), &property.name)
            .await?;
        Ok(json!({"object": object.name, "name": property.name, "archived": true}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_options_stand_behind_those_there_are() {
        let update: UpdateProperty = serde_json::from_value(
            json!({"object": "contacts", "name": "food", "addOptions": [{"value": "rice", "label": "Rice"}]}),
        )
        .unwrap();
        let there = |value: &str| -> Vec<PropertyOption> {
            serde_json::from_value(json!([{"value": value, "label": "B", "displayOrder": 7}])).unwrap()
        };
        let options = update.with_added(&there("bread")).unwrap();
        assert_eq!(options[0]["displayOrder"], 7, "what is there stays as it is");
        assert_eq!(
            (&options[1]["value"], &options[1]["displayOrder"]),
            (&json!("rice"), &json!(1))
        );
        assert!(update.with_added(&there("rice")).is_err());
    }
}
