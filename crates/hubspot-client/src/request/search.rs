//! Search: filters, one sort, pages by offset (hubspot-api notes §1.5).

use serde::{Serialize, Serializer};

use super::Target;
use crate::{error::Error, http::Request, version::ApiVersion};

/// The most records one search page holds.
pub const MAX_PAGE: u16 = 200;
/// Offset plus limit never go beyond this; HubSpot answers 400.
pub const MAX_WINDOW: u32 = 10_000;

/// A search over one object type. Archived records are never found, new ones only after a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchRequest {
    /// Groups are joined by OR, the filters inside one by AND. At most 5 groups, 6 filters each, 18 in all.
    pub filter_groups: Vec<FilterGroup>,
    /// HubSpot takes one. Equal values come in no particular order.
    pub sorts: Vec<Sort>,
    /// Full text over the type's searchable properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Properties to return, beside id, created and last-modified.
    pub properties: Vec<String>,
    /// Records a page, at most [`MAX_PAGE`]; HubSpot's own default is 10.
    pub limit: u16,
    /// Offset, as the page before this one gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Filters that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FilterGroup {
    /// At most 6.
    pub filters: Vec<Filter>,
}

/// One condition on one property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// The property's internal name.
    pub property_name: String,
    /// How to compare.
    pub operator: Operator,
    /// What to compare with; dates as epoch milliseconds, at least 1 (0 has given 500s).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The upper end of [`Operator::Between`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_value: Option<String>,
    /// The values of [`Operator::In`] and [`Operator::NotIn`]; at most 100, strings in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
}

/// HubSpot's comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operator {
    /// Equal, ignoring case in strings.
    Eq,
    /// Not equal.
    Neq,
    /// Less than.
    Lt,
    /// Less than or equal.
    Lte,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Gte,
    /// Between `value` and `highValue`, both included.
    Between,
    /// One of `values`.
    In,
    /// None of `values`.
    NotIn,
    /// Has any value.
    HasProperty,
    /// Has no value.
    NotHasProperty,
    /// Contains a word; `*` is a wildcard.
    ContainsToken,
    /// Does not contain a word.
    NotContainsToken,
}

/// The order of the results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sort {
    /// The property's internal name.
    pub property_name: String,
    /// Up or down.
    #[serde(rename = "direction", serialize_with = "direction")]
    pub descending: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde fixes the signature")]
fn direction<S: Serializer>(descending: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if *descending { "DESCENDING" } else { "ASCENDING" })
}

impl Filter {
    /// `property operator value`
    pub fn new(property: impl Into<String>, operator: Operator, value: impl Into<String>) -> Self {
        Self {
            value: Some(value.into()),
            ..Self::without_value(property, operator)
        }
    }

    /// `property BETWEEN low AND high`, both included.
    pub fn between(property: impl Into<String>, low: impl Into<String>, high: impl Into<String>) -> Self {
        Self {
            high_value: Some(high.into()),
            ..Self::new(property, Operator::Between, low)
        }
    }

    /// `property IN (values)`
    pub fn is_in<S: Into<String>>(property: impl Into<String>, values: impl IntoIterator<Item = S>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self {
            values: Some(values),
            ..Self::without_value(property, Operator::In)
        }
    }

    /// `property HAS_PROPERTY`, or its opposite.
    pub fn without_value(property: impl Into<String>, operator: Operator) -> Self {
        Self {
            property_name: property.into(),
            operator,
            value: None,
            high_value: None,
            values: None,
        }
    }
}

impl SearchRequest {
    /// Everything, in HubSpot's own order, in pages as long as it allows.
    pub fn new() -> Self {
        Self {
            limit: MAX_PAGE,
            ..Self::default()
        }
    }

    /// Adds a group of filters that must all hold; several groups are alternatives.
    #[must_use]
    pub fn with_filters(mut self, filters: impl IntoIterator<Item = Filter>) -> Self {
        self.filter_groups.push(FilterGroup {
            filters: filters.into_iter().collect(),
        });
        self
    }

    /// Sorts upwards by a property.
    #[must_use]
    pub fn sorted_by(self, property: impl Into<String>) -> Self {
        Self {
            sorts: vec![Sort {
                property_name: property.into(),
                descending: false,
            }],
            ..self
        }
    }

    /// Sets `properties`.
    #[must_use]
    pub fn with_properties<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self {
            properties: names.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Sets `limit`.
    #[must_use]
    pub fn with_limit(self, limit: u16) -> Self {
        Self { limit, ..self }
    }

    /// Sets `after`.
    #[must_use]
    pub fn with_after(self, after: impl Into<String>) -> Self {
        Self {
            after: Some(after.into()),
            ..self
        }
    }

    /// `POST {objects}/search`
    pub fn request(&self, version: &ApiVersion, object_type: &str) -> Result<Request, Error> {
        Target::new(format!("{}/search", version.objects(object_type))).read(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn a_search_for_changes_reads_as_hubspot_documents_it() {
        let search = SearchRequest::new()
            .with_filters([Filter::new("lastmodifieddate", Operator::Gte, "1704067200000")])
            .sorted_by("lastmodifieddate")
            .with_properties(["email"])
            .with_after("200");
        assert_eq!(
            text(&search.request(&ApiVersion::Numbered, "contacts").unwrap()),
            "POST /crm/v3/objects/contacts/search \
             {\"filterGroups\":[{\"filters\":[{\"propertyName\":\"lastmodifieddate\",\"operator\":\"GTE\",\
             \"value\":\"1704067200000\"}]}],\"sorts\":[{\"propertyName\":\"lastmodifieddate\",\
             \"direction\":\"ASCENDING\"}],\"properties\":[\"email\"],\"limit\":200,\"after\":\"200\"}"
        );
    }

    #[test]
    fn operators_carry_the_values_they_need_and_no_others() {
        let json = |filter: &Filter| serde_json::to_string(filter).unwrap();
        assert_eq!(
            json(&Filter::between("amount", "1", "9")),
            r#"{"propertyName":"amount","operator":"BETWEEN","value":"1","highValue":"9"}"#
        );
        assert_eq!(
            json(&Filter::is_in("city", ["oslo"])),
            r#"{"propertyName":"city","operator":"IN","values":["oslo"]}"#
        );
        assert_eq!(
            json(&Filter::without_value("email", Operator::NotHasProperty)),
            r#"{"propertyName":"email","operator":"NOT_HAS_PROPERTY"}"#
        );
    }
}
