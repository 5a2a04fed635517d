//! Schemas: custom object types.

use hubspot_client::request::schemas::{NewLabels, NewSchema};
use hubspot_client::{Schema, SchemaAssociation};
use hubspot_connector::objects::ObjectType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::property_definition::Definition;
use super::{Act, Action, Effect, members, names};
use crate::exit::{Failure, Outcome};
use crate::session::Session;

pub(super) const ACTIONS: &[Action] = &[
    Action::of::<ListSchemas>(),
    Action::of::<GetSchema>(),
    Action::of::<CreateSchema>(),
    Action::of::<UpdateSchema>(),
    Action::of::<ArchiveSchema>(),
    Action::of::<AssociateSchema>(),
    Action::of::<DissociateSchema>(),
];

/// Properties that a search's text may look into (hubspot-api notes §1.5).
const MOST_SEARCHED: usize = 20;

/// The custom object called `name`; a standard one has no schema.
async fn custom(session: &Session, name: &str) -> Outcome<ObjectType> {
    let object = session.object(name).await?;
    if object.is_custom() {
        return Ok(object);
    }
    Err(Failure::usage(format!(
        "`{}` is a standard object: it has no schema to show or change",
        object.name
    ))
    .hint("its properties are changed with `spoke property`"))
}

/// Lists the custom object types of the account.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListSchemas {}

impl Act for ListSchemas {
    const NAME: &'static str = "schema.list";
    const EFFECT: Effect = Effect::Reads;
    type Output = Vec<Schema>;

    async fn act(self, session: &Session) -> Outcome<Vec<Schema>> {
        let schemas = session.client.schemas().await?;
        let objects = ObjectType::customs(&schemas);
        let shown = schemas.into_iter().zip(objects);
        Ok(shown
            .filter(|(_, object)| session.account.shows(object))
            .map(|(schema, _)| schema)
            .collect())
    }
}

/// Reads the schema of a custom object type.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetSchema {
    /// The custom object's name or type id.
    object: String,
}

impl Act for GetSchema {
    const NAME: &'static str = "schema.get";
    const EFFECT: Effect = Effect::Reads;
    type Output = Schema;

    async fn act(self, session: &Session) -> Outcome<Schema> {
        let object = custom(session, &self.object).await?;
        Ok(session.client.schema(object.path_name()).await?)
    }
}

/// What people call records of a type.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct LabelsInput {
    /// One.
    #[serde(skip_serializing_if = "Option::is_none")]
    singular: Option<String>,
    /// Many.
    #[serde(skip_serializing_if = "Option::is_none")]
    plural: Option<String>,
}

/// Makes a custom object type.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateSchema {
    /// Internal name, for ever: letters, digits and `_`, beginning with a letter.
    name: String,
    /// What people see; made from the name when left out.
    #[serde(default)]
    labels: LabelsInput,
    /// The property that names a record; the first one when left out.
    #[serde(default)]
    primary_display_property: Option<String>,
    /// Properties shown below the first one.
    #[serde(default)]
    secondary_display_properties: Vec<String>,
    /// Properties without which no record can be made.
    #[serde(default)]
    required_properties: Vec<String>,
    /// Properties that a search's text looks in, at most 20.
    #[serde(default)]
    searchable_properties: Vec<String>,
    /// Its properties, at least one.
    properties: Vec<Definition>,
    /// Object types that its records may be associated with.
    #[serde(default)]
    associated_objects: Vec<String>,
    /// What it is for.
    #[serde(default)]
    description: Option<String>,
}

impl CreateSchema {
    /// What can be known to be wrong before HubSpot is asked.
    fn check(&self) -> Outcome {
        names::check_schema(&self.name)?;
        if self.properties.is_empty() {
            return Err(Failure::usage("a custom object needs a property")
                .hint("one that names a record, such as `{name: name, label: Name}`"));
        }
        let lists = [
            ("requiredProperties", &self.required_properties),
            ("searchableProperties", &self.searchable_properties),
            ("secondaryDisplayProperties", &self.secondary_display_properties),
        ];
        for (key, names) in lists {
            names.iter().try_for_each(|name| self.must_have(key, name))?;
        }
        if let Some(name) = &self.primary_display_property {
            self.must_have("primaryDisplayProperty", name)?;
        }
        match self.searchable_properties.len() {
            0..=MOST_SEARCHED => Ok(()),
            many => Err(Failure::usage(format!(
                "`searchableProperties` are at most {MOST_SEARCHED}, not {many}"
            ))),
        }
    }

    fn must_have(&self, key: &str, name: &str) -> Outcome {
        if self.properties.iter().any(|property| property.name == name) {
            return Ok(());
        }
        let names: Vec<_> = self
            .properties
            .iter()
            .map(|property| format!("`{}`", property.name))
            .collect();
        Err(Failure::usage(format!(
            "`{key}` names `{name}`, which is none of the `properties`"
        ))
        .hint(format!("the properties: {}", names.join(", "))))
    }

    /// Types by the id that HubSpot knows them by.
    async fn associated(&self, session: &Session) -> Outcome<Vec<String>> {
        let mut ids = Vec::new();
        for name in &self.associated_objects {
            ids.push(type_id(&session.object(name).await?));
        }
        Ok(ids)
    }
}

fn type_id(object: &ObjectType) -> String {
    object.type_id.as_deref().unwrap_or(&object.name).to_owned()
}

/// `my_car` as people write it.
fn spoken(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl Act for CreateSchema {
    const NAME: &'static str = "schema.create";
    const EFFECT: Effect = Effect::Writes;
    type Output = Schema;

    async fn act(self, session: &Session) -> Outcome<Schema> {
        self.check()?;
        let singular = self.labels.singular.clone().unwrap_or_else(|| spoken(&self.name));
        let new = NewSchema {
            labels: NewLabels {
                plural: self
                    .labels
                    .plural
                    .clone()
                    .unwrap_or_else(|| format!("{singular}s")),
                singular,
            },
            primary_display_property: self
                .primary_display_property
                .clone()
                .unwrap_or_else(|| self.properties[0].name.clone()),
            secondary_display_properties: self.secondary_display_properties.clone(),
            properties: self
                .properties
                .iter()
                .map(Definition::checked)
                .collect::<Outcome<_>>()?,
            associated_objects: self.associated(session).await?,
            name: self.name,
            required_properties: self.required_properties,
            searchable_properties: self.searchable_properties,
            description: self.description,
        };
        Ok(session.client.create_schema(&new).await?)
    }
}

/// Changes what is named of a custom object type; the rest stays. Properties are changed by `property.create` and the
/// like.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct UpdateSchema {
    /// The custom object's name or type id.
    object: String,
    #[serde(flatten)]
    changes: SchemaChanges,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SchemaChanges {
    /// What people see.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<LabelsInput>,
    /// The property that names a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_display_property: Option<String>,
    /// Properties shown below the first one: these and no others.
    #[serde(skip_serializing_if = "Option::is_none")]
    secondary_display_properties: Option<Vec<String>>,
    /// Properties without which no record can be made: these and no others.
    #[serde(skip_serializing_if = "Option::is_none")]
    required_properties: Option<Vec<String>>,
    /// Properties that a search's text looks in: these and no others.
    #[serde(skip_serializing_if = "Option::is_none")]
    searchable_properties: Option<Vec<String>>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl Act for UpdateSchema {
    const NAME: &'static str = "schema.update";
    const EFFECT: Effect = Effect::Writes;
    type Output = Schema;

    async fn act(self, session: &Session) -> Outcome<Schema> {
        let object = custom(session, &self.object).await?;
        let changes = members(&self.changes);
        if changes.is_empty() {
            return Err(Failure::usage(format!(
                "nothing of `{}` is to change",
                object.name
            )));
        }
        let client = &session.client;
        client.update_schema(object.path_name(), &changes).await?;
        // A change answers without properties and associations (believed), so the whole is read.
        Ok(client.schema(object.path_name()).await?)
    }
}

/// Puts a custom object type into the recycle bin. It must have no records.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ArchiveSchema {
    /// The custom object's name or type id.
    object: String,
}

impl Act for ArchiveSchema {
    const NAME: &'static str = "schema.archive";
    const EFFECT: Effect = Effect::Removes;
    type Output = Value;

    async fn act(self, session: &Session) -> Outcome<Value> {
        let object = custom(session, &self.object).await?;
        session.client.delete_schema(object.path_name(), false).await?;
        Ok(json!({"object": object.name, "objectTypeId": object.type_id, "archived": true}))
    }
}

/// Lets records of a custom object type be associated with those of another type.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AssociateSchema {
    /// The custom object's name or type id.
    object: String,
    /// The other object type.
    to: String,
    /// A name for it; `{object}_to_{to}` when left out.
    #[serde(default)]
    name: Option<String>,
}

impl Act for AssociateSchema {
    const NAME: &'static str = "schema.associate";
    const EFFECT: Effect = Effect::Writes;
    type Output = SchemaAssociation;

    async fn act(self, session: &Session) -> Outcome<SchemaAssociation> {
        let object = custom(session, &self.object).await?;
        let to = session.object(&self.to).await?;
        let name = self
            .name
            .unwrap_or_else(|| format!("{}_to_{}", object.singular, to.singular));
        let client = &session.client;
        Ok(client
            .create_schema_association(object.path_name(), &type_id(&to), &name)
            .await?)
    }
}

/// Ends that records of a custom object type may be associated with those of another; what is associated is so no more.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DissociateSchema {
    /// The custom object's name or type id.
    object: String,
    /// The id of the association, as `schema.get` shows it.
    id: String,
}

impl Act for DissociateSchema {
    const NAME: &'static str = "schema.dissociate";
    const EFFECT: Effect = Effect::Irreversible;
    type Output = Value;

    async fn act(self, session: &Session) -> Outcome<Value> {
        let object = custom(session, &self.object).await?;
        session
            .client
            .delete_schema_association(object.path_name(), &self.id)
            .await?;
        Ok(json!({"object": object.name, "id": self.id, "removed": true}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(json: Value) -> CreateSchema {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_names_no_property_is_refused() {
        let car = json!({"name": "car", "properties": [{"name": "vin"}], "requiredProperties": ["vim"]});
        let failure = format!("{:?}", new(car).check().unwrap_err());
        assert!(
            failure.contains("`requiredProperties` names `vim`") && failure.contains("`vin`"),
            "{failure}"
        );
        assert!(new(json!({"name": "car", "properties": []})).check().is_err());
        assert!(
            new(json!({"name": "car", "properties": [{"name": "vin"}]}))
                .check()
                .is_ok()
        );
    }

    #[test]
    fn a_name_is_spoken_with_a_capital() {
        assert_eq!(spoken("company_car"), "Company car");
    }
}
