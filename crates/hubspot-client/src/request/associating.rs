//! Associations, written: pairs of records, and the labels of a pair of types (hubspot-api notes §2.5).
//!
//! A pair either has a type or has it not, so all writes of pairs may be sent twice. Making a label may not: a second
//! one makes it again.

use http::Method;
use serde::Serialize;

use super::{
    Idempotency, Target,
    batches::check_size,
    writes::{Reference, TypeSpec},
};
use crate::{error::Error, http::Request, version::ApiVersion};

/// The most pairs one batch takes.
pub const MAX_WRITE: usize = 2_000;

/// Two records and in what ways they are to be associated, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The record that the types' direction begins at.
    pub from: String,
    /// The other record.
    pub to: String,
    /// The types; none where all or the default one is meant.
    pub types: Vec<TypeSpec>,
}

impl Pair {
    /// Two records, with no type named.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
            types: Vec::new(),
        }
    }

    /// Sets `types`.
    #[must_use]
    pub fn with_types(self, types: impl IntoIterator<Item = TypeSpec>) -> Self {
        Self {
            types: types.into_iter().collect(),
            ..self
        }
    }
}

#[derive(Serialize)]
struct Inputs<T> {
    inputs: Vec<T>,
}

#[derive(Serialize)]
struct Typed<'a> {
    from: Reference<'a>,
    to: Reference<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    types: &'a [TypeSpec],
}

impl<'a> Typed<'a> {
    fn of(pair: &'a Pair) -> Self {
        Self {
            from: Reference { id: &pair.from },
            to: Reference { id: &pair.to },
            types: &pair.types,
        }
    }
}

#[derive(Serialize)]
struct Untyped<'a> {
    from: Reference<'a>,
    to: Vec<Reference<'a>>,
}

fn batch(
    version: &ApiVersion,
    (from, to): (&str, &str),
    word: &str,
    inputs: Vec<impl Serialize>,
) -> Result<Request, Error> {
    check_size("associations are written", inputs.len(), MAX_WRITE)?;
    let path = format!("{}/batch/{word}", version.associations(from, to));
    Target::new(path).ask(&Inputs { inputs })
}

fn typed(pairs: &[Pair]) -> Vec<Typed<'_>> {
    pairs.iter().map(Typed::of).collect()
}

/// `POST {associations}/{from}/{to}/batch/create`: adds types to pairs.
pub fn batch_create(version: &ApiVersion, from: &str, to: &str, pairs: &[Pair]) -> Result<Request, Error> {
    if let Some(n) = pairs.iter().position(|pair| pair.types.is_empty()) {
        return Err(Error::Invalid(format!("pair {n} names no type of association")));
    }
    batch(version, (from, to), "create", typed(pairs))
}

/// `POST {associations}/{from}/{to}/batch/associate/default`: associates pairs in the unlabelled way.
pub fn batch_default(version: &ApiVersion, from: &str, to: &str, pairs: &[Pair]) -> Result<Request, Error> {
    let untyped = typed(pairs).into_iter();
    let inputs = untyped.map(|input| Typed { types: &[], ..input });
    batch(version, (from, to), "associate/default", inputs.collect())
}

/// `POST {associations}/{from}/{to}/batch/archive`: ends all that is between the pairs.
pub fn batch_archive(version: &ApiVersion, from: &str, to: &str, pairs: &[Pair]) -> Result<Request, Error> {
    let inputs = pairs.iter().map(|pair| Untyped {
        from: Reference { id: &pair.from },
        to: vec![Reference { id: &pair.to }],
    });
    batch(version, (from, to), "archive", inputs.collect())
}

/// `POST {associations}/{from}/{to}/batch/labels/archive`: takes types from pairs. Taking the unlabelled type ends
/// all that is between a pair.
pub fn batch_unlabel(version: &ApiVersion, from: &str, to: &str, pairs: &[Pair]) -> Result<Request, Error> {
    batch(version, (from, to), "labels/archive", typed(pairs))
}

/// `PUT {objects}/{from}/{id}/associations/{to}/{to_id}`: these types and no others.
pub fn set(
    version: &ApiVersion,
    (from, id): (&str, &str),
    (to, to_id): (&str, &str),
    types: &[TypeSpec],
) -> Result<Request, Error> {
    pair(version, (from, id), (to, to_id))?.write(Method::PUT, Idempotency::Safe, &types)
}

/// `DELETE {objects}/{from}/{id}/associations/{to}/{to_id}`: ends all that is between two records.
pub fn remove(
    version: &ApiVersion,
    (from, id): (&str, &str),
    (to, to_id): (&str, &str),
) -> Result<Request, Error> {
    pair(version, (from, id), (to, to_id))?.delete()
}

/// `PUT {objects}/{from}/{id}/associations/default/{to}/{to_id}`
pub fn set_default(
    version: &ApiVersion,
    (from, id): (&str, &str),
    (to, to_id): (&str, &str),
) -> Result<Request, Error> {
    Target::new(version.default_association(from, id, to))
        .id("an associated record", to_id)?
        .put()
}

fn pair(version: &ApiVersion, (from, id): (&str, &str), (to, to_id): (&str, &str)) -> Result<Target, Error> {
    Target::new(version.associations_of(from, id, to)).id("an associated record", to_id)
}

/// A label of a pair of types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewLabel {
    /// Name that people see.
    pub label: String,
    /// Internal name.
    pub name: String,
    /// Name that people see from the other side, if it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inverse_label: Option<String>,
}

/// `POST {associations}/{from}/{to}/labels`; at most 10 a pair of types.
pub fn create_label(version: &ApiVersion, from: &str, to: &str, label: &NewLabel) -> Result<Request, Error> {
    labels(version, from, to).write(Method::POST, Idempotency::Unsafe, label)
}

/// `PUT {associations}/{from}/{to}/labels`: names a label anew.
pub fn update_label(
    version: &ApiVersion,
    from: &str,
    to: &str,
    type_id: u64,
    (label, inverse): (&str, Option<&str>),
) -> Result<Request, Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        association_type_id: u64,
        label: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        inverse_label: Option<&'a str>,
    }
    let body = Body {
        association_type_id: type_id,
        label,
        inverse_label: inverse,
    };
    labels(version, from, to).write(Method::PUT, Idempotency::Safe, &body)
}

/// `DELETE {associations}/{from}/{to}/labels/{type_id}`
pub fn delete_label(version: &ApiVersion, from: &str, to: &str, type_id: u64) -> Result<Request, Error> {
    labels(version, from, to).segment(&type_id.to_string()).delete()
}

fn labels(version: &ApiVersion, from: &str, to: &str) -> Target {
    Target::new(format!("{}/labels", version.associations(from, to)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::text;

    const V3: ApiVersion = ApiVersion::Numbered;

    fn pairs() -> [Pair; 1] {
        [Pair::new("1", "2").with_types([TypeSpec::hubspot(279)])]
    }

    #[test]
    fn batches_say_what_they_do_to_pairs() {
        let line = |request: Result<Request, Error>| text(&request.unwrap());
        let types = r#""types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}]"#;
        let base = "POST /crm/v4/associations/contacts/companies/batch";
        let full = format!(r#"{{"inputs":[{{"from":{{"id":"1"}},"to":{{"id":"2"}},{types}}}]}}"#);
        assert_eq!(
            line(batch_create(&V3, "contacts", "companies", &pairs())),
            format!("{base}/create {full}")
        );
        assert_eq!(
            line(batch_unlabel(&V3, "contacts", "companies", &pairs())),
            format!("{base}/labels/archive {full}")
        );
        assert_eq!(
            line(batch_default(&V3, "contacts", "companies", &pairs())),
            format!(r#"{base}/associate/default {{"inputs":[{{"from":{{"id":"1"}},"to":{{"id":"2"}}}}]}}"#)
        );
        assert_eq!(
            line(batch_archive(&V3, "contacts", "companies", &pairs())),
            format!(r#"{base}/archive {{"inputs":[{{"from":{{"id":"1"}},"to":[{{"id":"2"}}]}}]}}"#)
        );
    }

    #[test]
    fn single_pairs_are_set_and_removed_and_may_be_again() {
        let types = [TypeSpec::user(40)];
        let set = set(&ApiVersion::default(), ("contacts", "1"), ("deals", "2"), &types).unwrap();
        assert_eq!(
            text(&set),
            "PUT /crm/objects/2026-03/contacts/1/associations/0-3/2 \
             [{\"associationCategory\":\"USER_DEFINED\",\"associationTypeId\":40}]"
        );
        assert_eq!(Idempotency::of(&set), Idempotency::Safe);
        assert_eq!(
            text(&set_default(&V3, ("contacts", "1"), ("deals", "2")).unwrap()),
            "PUT /crm/v4/objects/contacts/1/associations/default/deals/2"
        );
        assert_eq!(
            text(&remove(&V3, ("contacts", "1"), ("deals", "2")).unwrap()),
            "DELETE /crm/v4/objects/contacts/1/associations/deals/2"
        );
    }

    #[test]
    fn labels_are_made_once_named_anew_and_deleted() {
        let label = NewLabel {
            label: "Boss".to_owned(),
            name: "boss".to_owned(),
            inverse_label: Some("Report".to_owned()),
        };
        let create = create_label(&V3, "contacts", "contacts", &label).unwrap();
        assert_eq!(
            text(&create),
            "POST /crm/v4/associations/contacts/contacts/labels \
             {\"label\":\"Boss\",\"name\":\"boss\",\"inverseLabel\":\"Report\"}"
        );
        assert_eq!(Idempotency::of(&create), Idempotency::Unsafe);
        assert_eq!(
            text(&update_label(&V3, "contacts", "contacts", 40, ("Chief", None)).unwrap()),
            "PUT /crm/v4/associations/contacts/contacts/labels {\"associationTypeId\":40,\"label\":\"Chief\"}"
        );
        assert_eq!(
            text(&delete_label(&V3, "contacts", "contacts", 40).unwrap()),
            "DELETE /crm/v4/associations/contacts/contacts/labels/40"
        );
    }

    #[test]
    fn what_hubspot_would_refuse_is_refused_here() {
        let untyped = [Pair::new("1", "2")];
        let error = batch_create(&V3, "contacts", "deals", &untyped).unwrap_err();
        assert_eq!(error.to_string(), "pair 0 names no type of association");
        let many: Vec<_> = (0..2_001).map(|n| Pair::new(n.to_string(), "1")).collect();
        let error = batch_archive(&V3, "contacts", "deals", &many).unwrap_err();
        assert!(error.to_string().contains("at most 2000"), "{error}");
        assert!(remove(&V3, ("contacts", "1"), ("deals", "")).is_err());
    }
}
