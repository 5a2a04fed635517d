//! CRM records, written: create, update, archive, merge, erase, one at a time (hubspot-api notes §1.4).
//!
//! Each request says of itself whether it may be sent twice ([`Idempotency`]):
//!
//! | Request | Twice is once? | Why |
//! |---|---|---|
//! | create | no | HubSpot knows no idempotency keys: a second one makes a second record, or answers 409 |
//! | update | yes, unless it changes the property it finds the record by | the values are set, not added to |
//! | archive | yes | an archived record answers 204 again |
//! | merge | no | the second finds one record where it was told of two |
//! | GDPR delete | yes | what is erased stays erased, an unknown address stays blocked |

use std::collections::BTreeMap;

use http::Method;
use serde::Serialize;

use super::{Idempotency, Target};
use crate::{error::Error, http::Request, version::ApiVersion};

/// Values by property name. HubSpot's values are texts, numbers and dates included; an empty one clears the property
/// (hubspot-api notes §1.2).
pub type Properties = BTreeMap<String, String>;

/// One way of being associated, as a write names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TypeSpec {
    /// `HUBSPOT_DEFINED`, `USER_DEFINED`, `INTEGRATOR_DEFINED`.
    #[serde(rename = "associationCategory")]
    pub category: String,
    /// Its number, which depends on the direction.
    #[serde(rename = "associationTypeId")]
    pub type_id: u64,
}

impl TypeSpec {
    /// A type that comes with HubSpot, such as 279 from contact to company.
    pub fn hubspot(type_id: u64) -> Self {
        Self {
            category: "HUBSPOT_DEFINED".to_owned(),
            type_id,
        }
    }

    /// A label that the account made.
    pub fn user(type_id: u64) -> Self {
        Self {
            category: "USER_DEFINED".to_owned(),
            type_id,
        }
    }
}

/// A record that a new one is associated with from the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssociateTo {
    /// The other record.
    #[serde(serialize_with = "as_reference")]
    pub to: String,
    /// In what ways.
    pub types: Vec<TypeSpec>,
}

impl AssociateTo {
    /// Associates with `to` in these ways.
    pub fn new(to: impl Into<String>, types: impl IntoIterator<Item = TypeSpec>) -> Self {
        Self {
            to: to.into(),
            types: types.into_iter().collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Reference<'a> {
    pub(super) id: &'a str,
}

fn as_reference<S: serde::Serializer>(id: &str, serializer: S) -> Result<S::Ok, S::Error> {
    Reference { id }.serialize(serializer)
}

/// A new record.
///
/// ```
/// use hubspot_client::{ApiVersion, request::writes::{Create, TypeSpec}};
/// let create = Create::new("contacts", [("email", "a@b.c")]).associated("7", [TypeSpec::hubspot(279)]);
/// let request = create.request(&ApiVersion::Numbered)?;
/// assert_eq!(request.uri(), "/crm/v3/objects/contacts");
/// # Ok::<(), hubspot_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Create {
    /// Plural name (`contacts`), type id (`2-123`) or fully qualified name of a custom object.
    #[serde(skip)]
    pub object_type: String,
    /// Its values.
    pub properties: Properties,
    /// What it is associated with from the start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub associations: Vec<AssociateTo>,
}

impl Create {
    /// A record with these values.
    pub fn new<N: Into<String>, V: Into<String>>(
        object_type: impl Into<String>,
        properties: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self {
            object_type: object_type.into(),
            properties: values(properties),
            associations: Vec::new(),
        }
    }

    /// Associates it with one record more.
    #[must_use]
    pub fn associated(mut self, to: impl Into<String>, types: impl IntoIterator<Item = TypeSpec>) -> Self {
        self.associations.push(AssociateTo::new(to, types));
        self
    }

    /// `POST {objects}`
    pub fn request(&self, version: &ApiVersion) -> Result<Request, Error> {
        Target::new(version.objects(&self.object_type)).write(Method::POST, Idempotency::Unsafe, self)
    }
}

/// New values for a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Update {
    /// As in [`Create`].
    #[serde(skip)]
    pub object_type: String,
    /// The id, or the value of `id_property`. A merged id finds the survivor.
    #[serde(skip)]
    pub id: String,
    /// The unique property that `id` is a value of, such as `email`; `None`: the record's own id.
    #[serde(skip)]
    pub id_property: Option<String>,
    /// The values to set; the others stay.
    pub properties: Properties,
}

impl Update {
    /// Values for the record with an id.
    pub fn new<N: Into<String>, V: Into<String>>(
        object_type: impl Into<String>,
        id: impl Into<String>,
        properties: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self {
            object_type: object_type.into(),
            id: id.into(),
            id_property: None,
            properties: values(properties),
        }
    }

    /// Reads `id` as a value of a unique property.
    #[must_use]
    pub fn by(self, id_property: impl Into<String>) -> Self {
        Self {
            id_property: Some(id_property.into()),
            ..self
        }
    }

    /// `PATCH {objects}/{id}`
    pub fn request(&self, version: &ApiVersion) -> Result<Request, Error> {
        let idempotency = of_update(self.id_property.as_deref(), &self.properties);
        record(version, &self.object_type, &self.id)?
            .optional("idProperty", self.id_property.as_deref())
            .write(Method::PATCH, idempotency, self)
    }
}

/// Setting values twice is setting them once, unless the first time changed what the record is found by.
pub(super) fn of_update(id_property: Option<&str>, properties: &Properties) -> Idempotency {
    match id_property {
        Some(name) if properties.contains_key(name) => Idempotency::Unsafe,
        _ => Idempotency::Safe,
    }
}

pub(super) fn values<N: Into<String>, V: Into<String>>(
    properties: impl IntoIterator<Item = (N, V)>,
) -> Properties {
    let pair = |(name, value): (N, V)| (name.into(), value.into());
    properties.into_iter().map(pair).collect()
}

fn record(version: &ApiVersion, object_type: &str, id: &str) -> Result<Target, Error> {
    Target::new(version.objects(object_type)).id("a record", id)
}

/// `DELETE {objects}/{id}`: into the recycle bin, for 90 days.
pub fn archive(version: &ApiVersion, object_type: &str, id: &str) -> Result<Request, Error> {
    record(version, object_type, id)?.delete()
}

/// `POST {objects}/merge`: `other` becomes part of `primary`. Contacts and companies get a new id, which both old ids
/// keep resolving to.
pub fn merge(version: &ApiVersion, object_type: &str, primary: &str, other: &str) -> Result<Request, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        primary_object_id: &'a str,
        object_id_to_merge: &'a str,
    }
    let body = Body {
        primary_object_id: primary,
        object_id_to_merge: other,
    };
    Target::new(format!("{}/merge", version.objects(object_type))).write(
        Method::POST,
        Idempotency::Unsafe,
        &body,
    )
}

/// `POST {objects}/gdpr-delete`: erases a contact for good, by id or by a unique property. An e-mail address that no
/// contact has is put on a blocklist.
pub fn gdpr_delete(
    version: &ApiVersion,
    object_type: &str,
    id: &str,
    id_property: Option<&str>,
) -> Result<Request, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        object_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id_property: Option<&'a str>,
    }
    let body = Body {
        object_id: id,
        id_property,
    };
    Target::new(format!("{}/gdpr-delete", version.objects(object_type))).ask(&body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    const V3: ApiVersion = ApiVersion::Numbered;

    #[test]
    fn a_create_carries_values_and_associations_and_is_never_repeated_blindly() {
        let create = Create::new("deals", [("dealname", "x"), ("amount", "12.5")])
            .associated("7", [TypeSpec::hubspot(3), TypeSpec::user(40)]);
        let request = create.request(&ApiVersion::default()).unwrap();
        assert_eq!(
            text(&request),
            "POST /crm/objects/2026-03/0-3 {\"properties\":{\"amount\":\"12.5\",\"dealname\":\"x\"},\
             \"associations\":[{\"to\":{\"id\":\"7\"},\"types\":[\
             {\"associationCategory\":\"HUBSPOT_DEFINED\",\"associationTypeId\":3},\
             {\"associationCategory\":\"USER_DEFINED\",\"associationTypeId\":40}]}]}"
        );
        assert_eq!(Idempotency::of(&request), Idempotency::Unsafe);
    }

    #[test]
    fn an_update_may_be_repeated_unless_it_changes_its_own_key() {
        let by_id = Update::new("contacts", "7", [("email", "")]);
        let request = by_id.request(&V3).unwrap();
        assert_eq!(
            text(&request),
            "PATCH /crm/v3/objects/contacts/7 {\"properties\":{\"email\":\"\"}}"
        );
        assert_eq!(Idempotency::of(&request), Idempotency::Safe);

        let by_email = Update::new("contacts", "a@b.c", [("email", "d@e.f")]).by("email");
        let request = by_email.request(&V3).unwrap();
        assert_eq!(request.uri(), "/crm/v3/objects/contacts/a%40b.c?idProperty=email");
        assert_eq!(Idempotency::of(&request), Idempotency::Unsafe);
    }

    #[test]
    fn an_empty_id_is_refused_here() {
        assert!(matches!(archive(&V3, "contacts", ""), Err(Error::Invalid(_))));
        let update = Update::new("contacts", "", [("a", "b")]);
        assert!(matches!(update.request(&V3), Err(Error::Invalid(_))));
    }

    #[test]
    fn archiving_erasing_and_merging_say_whether_they_may_be_repeated() {
        let archive = archive(&V3, "contacts", "7").unwrap();
        assert_eq!(text(&archive), "DELETE /crm/v3/objects/contacts/7");
        assert_eq!(Idempotency::of(&archive), Idempotency::Safe);

        let merge = merge(&V3, "companies", "1", "2").unwrap();
        assert_eq!(
            text(&merge),
            "POST /crm/v3/objects/companies/merge {\"primaryObjectId\":\"1\",\"objectIdToMerge\":\"2\"}"
        );
        assert_eq!(Idempotency::of(&merge), Idempotency::Unsafe);

        let erase = gdpr_delete(&V3, "contacts", "a@b.c", Some("email")).unwrap();
        assert_eq!(
            text(&erase),
            "POST /crm/v3/objects/contacts/gdpr-delete {\"objectId\":\"a@b.c\",\"idProperty\":\"email\"}"
        );
        assert_eq!(Idempotency::of(&erase), Idempotency::Safe);
    }
}
