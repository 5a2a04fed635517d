//! Schemas of custom objects; not paged (hubspot-api notes §2.2).

use http::Method;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Idempotency, Target, properties::NewProperty};
use crate::{error::Error, http::Request, version::ApiVersion};

/// `GET {schemas}`. Needs an Enterprise account; others answer an empty list or 403.
pub fn list(version: &ApiVersion, archived: bool) -> Result<Request, Error> {
    Target::new(version.schemas()).archived(archived).get()
}

/// A custom object type to make.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSchema {
    /// The bare name.
    pub name: String,
    /// Names that people see.
    pub labels: NewLabels,
    /// The property that names a record.
    pub primary_display_property: String,
    /// Properties without which no record can be made.
    pub required_properties: Vec<String>,
    /// Properties that full text search looks in, at most 20.
    pub searchable_properties: Vec<String>,
    /// Its properties.
    pub properties: Vec<NewProperty>,
    /// Types it may be associated with, by name or type id.
    pub associated_objects: Vec<String>,
    /// Properties shown below the first one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secondary_display_properties: Vec<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Names that people see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewLabels {
    /// One.
    pub singular: String,
    /// Many.
    pub plural: String,
}

/// `GET {schemas}/{type}`
pub fn get(version: &ApiVersion, object_type: &str) -> Result<Request, Error> {
    schema(version, object_type)?.get()
}

/// `POST {schemas}`
pub fn create(version: &ApiVersion, schema: &NewSchema) -> Result<Request, Error> {
    Target::new(version.schemas()).write(Method::POST, Idempotency::Unsafe, schema)
}

/// `PATCH {schemas}/{type}`: what `changes` names is set, the rest stays.
pub fn update(
    version: &ApiVersion,
    object_type: &str,
    changes: &Map<String, Value>,
) -> Result<Request, Error> {
    schema(version, object_type)?.write(Method::PATCH, Idempotency::Safe, changes)
}

/// `DELETE {schemas}/{type}`: into the recycle bin, if it has no records; or for good what is there already.
pub fn delete(version: &ApiVersion, object_type: &str, for_good: bool) -> Result<Request, Error> {
    schema(version, object_type)?.archived(for_good).delete()
}

/// `POST {schemas}/{type}/associations`: records of two types may be associated.
pub fn create_association(
    version: &ApiVersion,
    object_type: &str,
    to_object_type_id: &str,
    name: &str,
) -> Result<Request, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        from_object_type_id: &'a str,
        to_object_type_id: &'a str,
        name: &'a str,
    }
    let body = Body {
        from_object_type_id: object_type,
        to_object_type_id,
        name,
    };
    schema(version, object_type)?
        .segment("associations")
        .write(Method::POST, Idempotency::Unsafe, &body)
}

/// `DELETE {schemas}/{type}/associations/{id}`
pub fn delete_association(version: &ApiVersion, object_type: &str, id: &str) -> Result<Request, Error> {
    schema(version, object_type)?
        .segment("associations")
        .id("an association of types", id)?
        .delete()
}

fn schema(version: &ApiVersion, object_type: &str) -> Result<Target, Error> {
    Target::new(version.schemas()).id("an object type", object_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    #[test]
    fn schemas_are_listed_for_the_account() {
        let request = list(&ApiVersion::Numbered, false).unwrap();
        assert_eq!(text(&request), "GET /crm-object-schemas/v3/schemas");
    }

    #[test]
    fn schemas_are_made_once_changed_and_deleted() {
        const V3: ApiVersion = ApiVersion::Numbered;
        let new = NewSchema {
            name: "boats".to_owned(),
            labels: NewLabels {
                singular: "Boat".to_owned(),
                plural: "Boats".to_owned(),
            },
            primary_display_property: "name".to_owned(),
            associated_objects: vec!["CONTACT".to_owned()],
            ..NewSchema::default()
        };
        let create = create(&V3, &new).unwrap();
        assert_eq!(
            text(&create),
            "POST /crm-object-schemas/v3/schemas {\"name\":\"boats\",\"labels\":{\"singular\":\"Boat\",\
             \"plural\":\"Boats\"},\"primaryDisplayProperty\":\"name\",\"requiredProperties\":[],\
             \"searchableProperties\":[],\"properties\":[],\"associatedObjects\":[\"CONTACT\"]}"
        );
        assert_eq!(Idempotency::of(&create), Idempotency::Unsafe);
        let line = |request: Result<Request, Error>| text(&request.unwrap());
        let base = "/crm-object-schemas/v3/schemas/2-7";
        assert_eq!(line(get(&V3, "2-7")), format!("GET {base}"));
        assert_eq!(
            line(update(&V3, "2-7", &Map::new())),
            format!("PATCH {base} {{}}")
        );
        assert_eq!(line(delete(&V3, "2-7", false)), format!("DELETE {base}"));
        assert_eq!(
            line(delete(&V3, "2-7", true)),
            format!("DELETE {base}?archived=true")
        );
        assert_eq!(
            line(create_association(&V3, "2-7", "0-1", "boat_to_contact")),
            format!(
                "POST {base}/associations {{\"fromObjectTypeId\":\"2-7\",\"toObjectTypeId\":\"0-1\",\
                 \"name\":\"boat_to_contact\"}}"
            )
        );
        assert_eq!(
            line(delete_association(&V3, "2-7", "9")),
            format!("DELETE {base}/associations/9")
        );
    }
}
