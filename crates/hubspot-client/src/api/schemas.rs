//! Schemas of custom objects.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Property;
use crate::{
    client::Client,
    decode::Definition,
    error::Error,
    request::{self, schemas::NewSchema},
};

/// A custom object type (hubspot-api notes §2.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Schema {
    /// Id of the schema.
    pub id: String,
    /// `2-N`, good in every path.
    pub object_type_id: String,
    /// `p{hubId}_{name}`.
    pub fully_qualified_name: String,
    /// The bare name.
    pub name: String,
    /// Names that people see.
    pub labels: Labels,
    /// The property that names a record.
    pub primary_display_property: Option<String>,
    /// Properties without which no record can be made.
    pub required_properties: Vec<String>,
    /// Properties that full text search looks in.
    pub searchable_properties: Vec<String>,
    /// Its properties.
    pub properties: Vec<Property>,
    /// Types it may be associated with.
    pub associations: Vec<SchemaAssociation>,
    /// In the recycle bin.
    pub archived: bool,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it last changed.
    pub updated_at: Option<String>,
    /// All that this type does not name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Names that people see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Labels {
    /// One.
    pub singular: Option<String>,
    /// Many.
    pub plural: Option<String>,
}

/// That two types may be associated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SchemaAssociation {
    /// Id of the definition.
    pub id: String,
    /// Name of the definition.
    pub name: Option<String>,
    /// Type id.
    pub from_object_type_id: String,
    /// Type id.
    pub to_object_type_id: String,
}

impl Definition for Schema {
    const MUST: &'static [&'static str] = &["name", "objectTypeId"];
}

impl Definition for SchemaAssociation {
    const MUST: &'static [&'static str] = &["id"];
}

impl Client {
    /// All custom object types of the account.
    pub async fn schemas(&self) -> Result<Vec<Schema>, Error> {
        let request = request::schemas::list(self.api_version(), false)?;
        self.defined(request).await
    }

    /// One custom object type, by name or type id.
    pub async fn schema(&self, object_type: &str) -> Result<Schema, Error> {
        self.define(request::schemas::get(self.api_version(), object_type)?)
            .await
    }

    /// Makes a custom object type.
    pub async fn create_schema(&self, schema: &NewSchema) -> Result<Schema, Error> {
        self.define(request::schemas::create(self.api_version(), schema)?)
            .await
    }

    /// Changes what `changes` names.
    pub async fn update_schema(
        &self,
        object_type: &str,
        changes: &Map<String, Value>,
    ) -> Result<Schema, Error> {
        let request = request::schemas::update(self.api_version(), object_type, changes)?;
        self.define(request).await
    }

    /// Puts a type without records into the recycle bin, or deletes for good what is there already.
    pub async fn delete_schema(&self, object_type: &str, for_good: bool) -> Result<(), Error> {
        let request = request::schemas::delete(self.api_version(), object_type, for_good)?;
        self.done(request).await
    }

    /// Lets records of two types be associated; the second is named by its type id.
    pub async fn create_schema_association(
        &self,
        object_type: &str,
        to_object_type_id: &str,
        name: &str,
    ) -> Result<SchemaAssociation, Error> {
        let version = self.api_version();
        let request = request::schemas::create_association(version, object_type, to_object_type_id, name)?;
        self.define(request).await
    }

    /// Ends that records of two types may be associated.
    pub async fn delete_schema_association(&self, object_type: &str, id: &str) -> Result<(), Error> {
        let request = request::schemas::delete_association(self.api_version(), object_type, id)?;
        self.done(request).await
    }
}
