//! What a property is: its type, its options, and whatever else HubSpot lets one say of it.

use hubspot_client::request::properties::{NewOption, NewProperty};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::names;
use crate::exit::Outcome;

/// What the values of a property are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ValueType {
    #[default]
    String,
    Number,
    Date,
    Datetime,
    Bool,
    Enumeration,
    PhoneNumber,
}

impl ValueType {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Bool => "bool",
            Self::Enumeration => "enumeration",
            Self::PhoneNumber => "phone_number",
        }
    }

    /// The usual way to show one: the type and it must go together (hubspot-api notes §2.1).
    fn field_type(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Number => "number",
            Self::Date | Self::Datetime => "date",
            Self::Bool => "booleancheckbox",
            Self::Enumeration => "select",
            Self::PhoneNumber => "phonenumber",
        }
    }
}

/// A value that may be chosen.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OptionInput {
    /// What records hold.
    pub(crate) value: String,
    /// What people see; the value when left out.
    #[serde(default)]
    pub(crate) label: Option<String>,
    /// Its place among the others; the place in this list when left out.
    #[serde(default)]
    display_order: Option<i64>,
    /// Not offered to people.
    #[serde(default)]
    hidden: bool,
    /// What it means.
    #[serde(default)]
    description: Option<String>,
}

impl OptionInput {
    /// A value and what people see.
    pub(crate) fn new(value: &str, label: Option<&str>) -> Self {
        Self {
            value: value.to_owned(),
            label: label.map(str::to_owned),
            display_order: None,
            hidden: false,
            description: None,
        }
    }

    /// With the place `n`, unless it has one.
    pub(super) fn at(&self, n: usize) -> NewOption {
        NewOption {
            label: self.label.clone().unwrap_or_else(|| self.value.clone()),
            value: self.value.clone(),
            display_order: self
                .display_order
                .unwrap_or_else(|| i64::try_from(n).unwrap_or(-1)),
            hidden: self.hidden,
            description: self.description.clone().unwrap_or_default(),
        }
    }
}

/// What may be said of a property whether it is made or changed, in HubSpot's words.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Details {
    /// What people see; the name when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// How forms show it, such as `text`, `textarea`, `select`, `checkbox`; the usual one of the type when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    field_type: Option<String>,
    /// The group it is shown in; `spoke property group list` names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_name: Option<String>,
    /// The values that may be chosen, of an enumeration. In a change: these and no others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) options: Option<Vec<OptionInput>>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Its place among others; -1: behind them.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_order: Option<i64>,
    /// Not shown to people.
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
    /// May be used in forms.
    #[serde(skip_serializing_if = "Option::is_none")]
    form_field: Option<bool>,
    /// The formula, of a property that HubSpot calculates.
    #[serde(skip_serializing_if = "Option::is_none")]
    calculation_formula: Option<String>,
    /// Options are kept elsewhere, as owners are.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_options: Option<bool>,
    /// What the value is an id of, such as `OWNER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    referenced_object_type: Option<String>,
    /// A money amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    show_currency_symbol: Option<bool>,
    /// The property that says in which currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_property_name: Option<String>,
    /// `non_sensitive`, `sensitive` or `highly_sensitive`; for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_sensitivity: Option<String>,
}

impl Details {
    pub(super) fn members(&self) -> Map<String, Value> {
        let mut members = super::input::members(self);
        if let Some(options) = &self.options {
            members.insert("options".to_owned(), json!(numbered(options)));
        }
        members
    }
}

fn numbered(options: &[OptionInput]) -> Vec<NewOption> {
    options
        .iter()
        .enumerate()
        .map(|(n, option)| option.at(n))
        .collect()
}

/// A property to make.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Definition {
    /// Internal name: lower-case letters, digits and `_`, beginning with a letter.
    pub(super) name: String,
    /// What its values are; `string` when left out.
    #[serde(default, rename = "type")]
    value_type: ValueType,
    /// No two records may have the same value; for ever.
    #[serde(default)]
    has_unique_value: bool,
    #[serde(flatten)]
    details: Details,
}

impl Definition {
    /// As HubSpot takes it.
    pub(super) fn checked(&self) -> Outcome<NewProperty> {
        names::check_property("a property", &self.name)?;
        let mut other = self.details.members();
        for own in ["label", "fieldType", "groupName", "options"] {
            other.remove(own);
        }
        let field_type = self.details.field_type.clone();
        Ok(NewProperty {
            name: self.name.clone(),
            label: self.details.label.clone().unwrap_or_else(|| self.name.clone()),
            type_: self.value_type.name().to_owned(),
            field_type: field_type.unwrap_or_else(|| self.value_type.field_type().to_owned()),
            group_name: self.details.group_name.clone().unwrap_or_default(),
            options: numbered(&self.options()),
            has_unique_value: self.has_unique_value,
            other,
        })
    }

    /// A yes-or-no has both as options; HubSpot asks for them (believed).
    fn options(&self) -> Vec<OptionInput> {
        match &self.details.options {
            Some(options) => options.clone(),
            None if self.value_type == ValueType::Bool => [("true", "Yes"), ("false", "No")]
                .map(|(value, label)| OptionInput::new(value, Some(label)))
                .into(),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(json: Value) -> Definition {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_is_left_out_is_filled_in() {
        let new = definition(
            json!({"name": "food", "type": "enumeration", "options": [{"value": "rice"}], "hidden": true}),
        );
        assert_eq!(
            json!(new.checked().unwrap()),
            json!({"name": "food", "label": "food", "type": "enumeration", "fieldType": "select", "hasUniqueValue": false,
                   "hidden": true, "options": [{"label": "rice", "value": "rice", "displayOrder": 0, "hidden": false}]})
        );
        let new = definition(json!({"name": "vegan", "type": "bool"}))
            .checked()
            .unwrap();
        assert_eq!(new.options.len(), 2);
        assert!(definition(json!({"name": "Food"})).checked().is_err());
    }
}
