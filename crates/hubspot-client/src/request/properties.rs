//! Property definitions of an object type; not paged (hubspot-api notes §2.1).
//!
//! Definitions have a name, so making one twice answers 409 the second time and does no harm; but whoever made it would
//! take that for a failure, so creates are not repeated when an answer was lost.

use http::Method;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Idempotency, Target, batches::check_size};
use crate::{error::Error, http::Request, version::ApiVersion};

/// `GET {properties}/{type}`. Sensitive properties are left out by HubSpot unless asked for with their scope.
pub fn list(version: &ApiVersion, object_type: &str, archived: bool) -> Result<Request, Error> {
    Target::new(version.properties(object_type))
        .archived(archived)
        .get()
}

/// The most definitions one batch takes.
pub const MAX_BATCH: usize = 100;

/// A property to make.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewProperty {
    /// Internal name: lower-case letters, digits and `_`, beginning with a letter, at most 100.
    pub name: String,
    /// Name that people see.
    pub label: String,
    /// `string`, `number`, `date`, `datetime`, `bool`, `enumeration`, `phone_number`.
    #[serde(rename = "type")]
    pub type_: String,
    /// How forms show it, such as `text`; must go with the type.
    pub field_type: String,
    /// The group it is shown in; in a schema it may be left empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group_name: String,
    /// The values of an enumeration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<NewOption>,
    /// No two records may have the same value; for ever.
    pub has_unique_value: bool,
    /// All that this type does not name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A value of an enumeration to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOption {
    /// Name that people see.
    pub label: String,
    /// Internal value; case matters.
    pub value: String,
    /// Its place among others.
    pub display_order: i64,
    /// Not offered to people.
    pub hidden: bool,
    /// What it means.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

#[derive(Serialize)]
struct Inputs<T> {
    inputs: Vec<T>,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
}

/// `GET {properties}/{type}/{name}`
pub fn get(version: &ApiVersion, object_type: &str, name: &str) -> Result<Request, Error> {
    property(version, object_type, name)?.get()
}

/// `POST {properties}/{type}`
pub fn create(version: &ApiVersion, object_type: &str, property: &NewProperty) -> Result<Request, Error> {
    Target::new(version.properties(object_type)).write(Method::POST, Idempotency::Unsafe, property)
}

/// `PATCH {properties}/{type}/{name}`: what `changes` names is set, the rest stays.
pub fn update(
    version: &ApiVersion,
    object_type: &str,
    name: &str,
    changes: &Map<String, Value>,
) -> Result<Request, Error> {
    property(version, object_type, name)?.write(Method::PATCH, Idempotency::Safe, changes)
}

/// `DELETE {properties}/{type}/{name}`: into the recycle bin.
pub fn archive(version: &ApiVersion, object_type: &str, name: &str) -> Result<Request, Error> {
    property(version, object_type, name)?.delete()
}

/// `POST {properties}/{type}/batch/read`
pub fn batch_read(
    version: &ApiVersion,
    object_type: &str,
    names: &[impl AsRef<str>],
) -> Result<Request, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        archived: bool,
        inputs: Vec<Name<'a>>,
    }
    let inputs = by_name(names)?;
    batch(version, object_type, "read").read(&Body {
        archived: false,
        inputs,
    })
}

/// `POST {properties}/{type}/batch/create`
pub fn batch_create(
    version: &ApiVersion,
    object_type: &str,
    properties: &[NewProperty],
) -> Result<Request, Error> {
    check_size("properties are written", properties.len(), MAX_BATCH)?;
    let inputs = properties.iter().collect();
    batch(version, object_type, "create").write(Method::POST, Idempotency::Unsafe, &Inputs { inputs })
}

/// `POST {properties}/{type}/batch/archive`
pub fn batch_archive(
    version: &ApiVersion,
    object_type: &str,
    names: &[impl AsRef<str>],
) -> Result<Request, Error> {
    let inputs = by_name(names)?;
    batch(version, object_type, "archive").ask(&Inputs { inputs })
}

fn by_name(names: &[impl AsRef<str>]) -> Result<Vec<Name<'_>>, Error> {
    check_size("properties are named", names.len(), MAX_BATCH)?;
    Ok(names.iter().map(|name| Name { name: name.as_ref() }).collect())
}

fn batch(version: &ApiVersion, object_type: &str, word: &str) -> Target {
    Target::new(version.properties(object_type))
        .segment("batch")
        .segment(word)
}

fn property(version: &ApiVersion, object_type: &str, name: &str) -> Result<Target, Error> {
    Target::new(version.properties(object_type)).id("a property", name)
}

/// A group of properties to make.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewGroup {
    /// Internal name.
    pub name: String,
    /// Name that people see.
    pub label: String,
    /// Its place among others; -1: behind them.
    pub display_order: i64,
}

/// `GET {properties}/{type}/groups`
pub fn groups(version: &ApiVersion, object_type: &str) -> Result<Request, Error> {
    Target::new(version.properties(object_type))
        .segment("groups")
        .get()
}

/// `POST {properties}/{type}/groups`
pub fn create_group(version: &ApiVersion, object_type: &str, group: &NewGroup) -> Result<Request, Error> {
    Target::new(version.properties(object_type))
        .segment("groups")
        .write(Method::POST, Idempotency::Unsafe, group)
}

/// `PATCH {properties}/{type}/groups/{name}`
pub fn update_group(
    version: &ApiVersion,
    object_type: &str,
    name: &str,
    changes: &Map<String, Value>,
) -> Result<Request, Error> {
    group(version, object_type, name)?.write(Method::PATCH, Idempotency::Safe, changes)
}

/// `DELETE {properties}/{type}/groups/{name}`
pub fn archive_group(version: &ApiVersion, object_type: &str, name: &str) -> Result<Request, Error> {
    group(version, object_type, name)?.delete()
}

fn group(version: &ApiVersion, object_type: &str, name: &str) -> Result<Target, Error> {
    Target::new(version.properties(object_type))
        .segment("groups")
        .id("a group of properties", name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn definitions_are_listed_by_type() {
        let request = list(&ApiVersion::default(), "contacts", false).unwrap();
        assert_eq!(text(&request), "GET /crm/properties/2026-03/contacts");
        let request = list(&ApiVersion::Numbered, "deals", true).unwrap();
        assert_eq!(text(&request), "GET /crm/v3/properties/deals?archived=true");
    }

    const V3: ApiVersion = ApiVersion::Numbered;

    fn size() -> NewProperty {
        NewProperty {
            name: "size".to_owned(),
            label: "Size".to_owned(),
            type_: "number".to_owned(),
            field_type: "number".to_owned(),
            group_name: "contactinformation".to_owned(),
            ..NewProperty::default()
        }
    }

    #[test]
    fn a_definition_is_made_changed_and_archived() {
        let create = create(&V3, "contacts", &size()).unwrap();
        assert_eq!(
            text(&create),
            "POST /crm/v3/properties/contacts {\"name\":\"size\",\"label\":\"Size\",\"type\":\"number\",\
             \"fieldType\":\"number\",\"groupName\":\"contactinformation\",\"hasUniqueValue\":false}"
        );
        assert_eq!(Idempotency::of(&create), Idempotency::Unsafe);
        let changes = Map::from_iter([("label".to_owned(), Value::from("Big"))]);
        assert_eq!(
            text(&update(&V3, "contacts", "size", &changes).unwrap()),
            "PATCH /crm/v3/properties/contacts/size {\"label\":\"Big\"}"
        );
        assert_eq!(
            text(&archive(&V3, "contacts", "size").unwrap()),
            "DELETE /crm/v3/properties/contacts/size"
        );
        assert!(archive(&V3, "contacts", "").is_err());
    }

    #[test]
    fn definitions_come_in_batches() {
        assert_eq!(
            text(&batch_read(&V3, "contacts", &["a"]).unwrap()),
            "POST /crm/v3/properties/contacts/batch/read {\"archived\":false,\"inputs\":[{\"name\":\"a\"}]}"
        );
        assert_eq!(
            text(&batch_archive(&V3, "contacts", &["a"]).unwrap()),
            "POST /crm/v3/properties/contacts/batch/archive {\"inputs\":[{\"name\":\"a\"}]}"
        );
        let create = batch_create(&V3, "contacts", &[size()]).unwrap();
        assert!(
            text(&create).starts_with("POST /crm/v3/properties/contacts/batch/create {\"inputs\":[{\"name\"")
        );
        assert!(batch_create(&V3, "contacts", &vec![size(); 101]).is_err());
    }

    #[test]
    fn groups_are_made_changed_and_archived() {
        let group = NewGroup {
            name: "mine".to_owned(),
            label: "Mine".to_owned(),
            display_order: -1,
        };
        assert_eq!(
            text(&create_group(&V3, "contacts", &group).unwrap()),
            "POST /crm/v3/properties/contacts/groups {\"name\":\"mine\",\"label\":\"Mine\",\"displayOrder\":-1}"
        );
        assert_eq!(
            text(&groups(&V3, "contacts").unwrap()),
            "GET /crm/v3/properties/contacts/groups"
        );
        assert_eq!(
            text(&update_group(&V3, "contacts", "mine", &Map::new()).unwrap()),
            "PATCH /crm/v3/properties/contacts/groups/mine {}"
        );
        assert_eq!(
            text(&archive_group(&V3, "contacts", "mine").unwrap()),
            "DELETE /crm/v3/properties/contacts/groups/mine"
        );
    }
}
