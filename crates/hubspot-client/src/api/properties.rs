//! Property definitions: the columns of an object type, known only at run time.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    client::Client,
    decode::Definition,
    error::Error,
    request::{
        self,
        properties::{NewGroup, NewProperty},
    },
};

/// The definition of a property (hubspot-api notes §2.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "HubSpot's definition has as many")]
pub struct Property {
    /// Internal name.
    pub name: String,
    /// Name that people see.
    pub label: String,
    /// `string`, `number`, `date`, `datetime`, `bool`, `enumeration`, `phone_number` and whatever comes: decide by this.
    #[serde(rename = "type")]
    pub type_: String,
    /// How forms show it; says nothing about the values.
    pub field_type: String,
    /// What it is for.
    pub description: String,
    /// The group it is shown in.
    pub group_name: String,
    /// The values of an enumeration.
    pub options: Vec<PropertyOption>,
    /// Computed by HubSpot; may change without the record's last-modified time changing.
    pub calculated: bool,
    /// The formula, where HubSpot tells it.
    pub calculation_formula: Option<String>,
    /// Options are kept elsewhere, as owners are.
    pub external_options: bool,
    /// No two records have the same value, so that records can be read and written by it.
    pub has_unique_value: bool,
    /// Not shown to people.
    pub hidden: bool,
    /// Comes with HubSpot.
    pub hubspot_defined: bool,
    /// What the value is an id of, such as `OWNER`.
    pub referenced_object_type: Option<String>,
    /// A money amount.
    pub show_currency_symbol: bool,
    /// The property that says in which currency.
    pub currency_property_name: Option<String>,
    /// `non_sensitive`, `sensitive`, `highly_sensitive`.
    pub data_sensitivity: Option<String>,
    /// In the recycle bin.
    pub archived: bool,
    /// When it was made.
    pub created_at: Option<String>,
    /// When its definition last changed.
    pub updated_at: Option<String>,
    /// What may be changed.
    pub modification_metadata: Option<ModificationMetadata>,
    /// All that this type does not name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Property {
    /// Whether values cannot be written.
    pub fn is_read_only(&self) -> bool {
        self.calculated
            || self
                .modification_metadata
                .as_ref()
                .is_some_and(|may| may.read_only_value)
    }
}

/// One value of an enumeration. Records hold `value`, never `label`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PropertyOption {
    /// Name that people see.
    pub label: String,
    /// Internal value; case matters.
    pub value: String,
    /// Not offered to people.
    pub hidden: bool,
    /// All that this type does not name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What may be changed about a property.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ModificationMetadata {
    /// May be archived.
    pub archivable: bool,
    /// The definition cannot be changed.
    pub read_only_definition: bool,
    /// The options cannot be changed.
    pub read_only_options: Option<bool>,
    /// The values cannot be changed.
    pub read_only_value: bool,
}

/// A group of properties.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PropertyGroup {
    /// Internal name.
    pub name: String,
    /// Name that people see.
    pub label: String,
    /// Its place among others.
    pub display_order: i64,
    /// In the recycle bin.
    pub archived: bool,
}

impl Definition for Property {
    const MUST: &'static [&'static str] = &["name", "type"];
}

impl Definition for PropertyGroup {
    const MUST: &'static [&'static str] = &["name"];
}

impl Client {
    /// All live properties of an object type, without the sensitive ones.
    pub async fn properties(&self, object_type: &str) -> Result<Vec<Property>, Error> {
        let request = request::properties::list(self.api_version(), object_type, false)?;
        self.defined(request).await
    }

    /// All archived properties of an object type.
    pub async fn archived_properties(&self, object_type: &str) -> Result<Vec<Property>, Error> {
        let request = request::properties::list(self.api_version(), object_type, true)?;
        self.defined(request).await
    }

    /// One property.
    pub async fn property(&self, object_type: &str, name: &str) -> Result<Property, Error> {
        let request = request::properties::get(self.api_version(), object_type, name)?;
        self.define(request).await
    }

    /// Makes a property.
    pub async fn create_property(
        &self,
        object_type: &str,
        property: &NewProperty,
    ) -> Result<Property, Error> {
        let request = request::properties::create(self.api_version(), object_type, property)?;
        self.define(request).await
    }

    /// Changes what `changes` names.
    pub async fn update_property(
        &self,
        object_type: &str,
        name: &str,
        changes: &Map<String, Value>,
    ) -> Result<Property, Error> {
        let request = request::properties::update(self.api_version(), object_type, name, changes)?;
        self.define(request).await
    }

    /// Puts a property into the recycle bin.
    pub async fn archive_property(&self, object_type: &str, name: &str) -> Result<(), Error> {
        let request = request::properties::archive(self.api_version(), object_type, name)?;
        self.done(request).await
    }

    /// Up to 100 properties by name.
    pub async fn properties_batch_read(
        &self,
        object_type: &str,
        names: &[impl AsRef<str>],
    ) -> Result<Vec<Property>, Error> {
        let request = request::properties::batch_read(self.api_version(), object_type, names)?;
        self.defined(request).await
    }

    /// Makes up to 100 properties.
    pub async fn properties_batch_create(
        &self,
        object_type: &str,
        properties: &[NewProperty],
    ) -> Result<Vec<Property>, Error> {
        let request = request::properties::batch_create(self.api_version(), object_type, properties)?;
        self.defined(request).await
    }

    /// Puts up to 100 properties into the recycle bin.
    pub async fn properties_batch_archive(
        &self,
        object_type: &str,
        names: &[impl AsRef<str>],
    ) -> Result<(), Error> {
        let request = request::properties::batch_archive(self.api_version(), object_type, names)?;
        self.done(request).await
    }

    /// All groups of properties of an object type.
    pub async fn property_groups(&self, object_type: &str) -> Result<Vec<PropertyGroup>, Error> {
        let request = request::properties::groups(self.api_version(), object_type)?;
        self.defined(request).await
    }

    /// Makes a group of properties.
    pub async fn create_property_group(
        &self,
        object_type: &str,
        group: &NewGroup,
    ) -> Result<PropertyGroup, Error> {
        let request = request::properties::create_group(self.api_version(), object_type, group)?;
        self.define(request).await
    }

    /// Changes what `changes` names.
    pub async fn update_property_group(
        &self,
        object_type: &str,
        name: &str,
        changes: &Map<String, Value>,
    ) -> Result<PropertyGroup, Error> {
        let request = request::properties::update_group(self.api_version(), object_type, name, changes)?;
        self.define(request).await
    }

    /// Puts a group of properties into the recycle bin.
    pub async fn archive_property_group(&self, object_type: &str, name: &str) -> Result<(), Error> {
        let request = request::properties::archive_group(self.api_version(), object_type, name)?;
        self.done(request).await
    }
}
