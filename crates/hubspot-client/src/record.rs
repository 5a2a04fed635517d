//! Records as HubSpot wrote them: the text is kept, a few fields are read.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{decode::safe_words, error::Error};

/// One record: its JSON text, a slice of the page it came in, and the fields that say which and when.
///
/// Cloning copies no text. A record keeps its whole page in memory; who holds few records for long copies them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawObject {
    json: Bytes,
    id: String,
    created_at: Option<String>,
    updated_at: Option<String>,
    archived_at: Option<String>,
    archived: bool,
    properties: Option<Bytes>,
    history: Option<Bytes>,
    associations: Option<Bytes>,
}

/// The fields that are read; the others are skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Head<'a> {
    #[serde(deserialize_with = "id")]
    id: String,
    created_at: Option<String>,
    updated_at: Option<String>,
    archived_at: Option<String>,
    /// What blogs and URL redirects call their times (hubspot-api notes §2.8).
    created: Option<String>,
    updated: Option<String>,
    deleted_at: Option<String>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    #[serde(borrow)]
    properties_with_history: Option<&'a RawValue>,
    #[serde(borrow)]
    associations: Option<&'a RawValue>,
}

impl Head<'_> {
    /// `place` is where in `body` the record stands.
    pub(crate) fn into_object(self, body: &Bytes, place: Range<usize>) -> RawObject {
        let slice = |raw: &RawValue| body.slice_ref(raw.get().as_bytes());
        let archived_at = self.archived_at.or(self.deleted_at).filter(|at| !is_never(at));
        RawObject {
            json: body.slice(place),
            properties: self.properties.map(slice),
            history: self.properties_with_history.map(slice),
            associations: self.associations.map(slice),
            id: self.id,
            created_at: self.created_at.or(self.created),
            updated_at: self.updated_at.or(self.updated),
            archived: self.archived.unwrap_or(archived_at.is_some()),
            archived_at,
        }
    }
}

/// Blog posts and pages that are not deleted say that they were deleted in 1970.
fn is_never(time: &str) -> bool {
    time.starts_with("1970-01-01")
}

/// Ids are strings, except where HubSpot writes a number (hubspot-api notes §7, row 11).
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Visitor;
    impl serde::de::Visitor<'_> for Visitor {
        type Value = String;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an id")
        }

        fn visit_str<E>(self, id: &str) -> Result<String, E> {
            Ok(id.to_owned())
        }

        fn visit_u64<E>(self, id: u64) -> Result<String, E> {
            Ok(id.to_string())
        }
    }
    deserializer.deserialize_any(Visitor)
}

impl RawObject {
    /// A record from its JSON text, as it stands in an answer; `None` when it is none.
    pub fn parse(json: &Bytes) -> Option<Self> {
        crate::decode::record(json).ok()
    }

    /// The record exactly as HubSpot wrote it.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The record's id, unique within its type and account.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `createdAt`, as written.
    pub fn created_at(&self) -> Option<&str> {
        self.created_at.as_deref()
    }

    /// `updatedAt`, as written.
    pub fn updated_at(&self) -> Option<&str> {
        self.updated_at.as_deref()
    }

    /// `archivedAt`, as written; archived records only.
    pub fn archived_at(&self) -> Option<&str> {
        self.archived_at.as_deref()
    }

    /// Whether the record is in the recycle bin.
    pub fn is_archived(&self) -> bool {
        self.archived
    }

    /// The JSON text of `properties`: an object of strings and nulls.
    pub fn properties(&self) -> Option<&Bytes> {
        self.properties.as_ref()
    }

    /// The JSON text of `propertiesWithHistory`, if it was asked for.
    pub fn properties_with_history(&self) -> Option<&Bytes> {
        self.history.as_ref()
    }

    /// What the properties have held, newest first; empty when that was not asked for.
    ///
    /// # Errors
    /// [`Error::Invalid`] when HubSpot writes history in another shape than it is known to.
    pub fn history(&self) -> Result<PropertyHistory, Error> {
        let Some(text) = &self.history else {
            return Ok(PropertyHistory::new());
        };
        serde_json::from_slice(text).map_err(|error| {
            Error::Invalid(format!(
                "the property history of record {} is not what it is known to be: {}",
                self.id,
                safe_words(&error)
            ))
        })
    }

    /// The JSON text of `associations`, if any were asked for and are there.
    pub fn associations(&self) -> Option<&Bytes> {
        self.associations.as_ref()
    }
}

/// What properties have held, by name, newest first.
pub type PropertyHistory = BTreeMap<String, Vec<HeldValue>>;

/// A value that a property has held (hubspot-api notes §1.2).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HeldValue {
    /// The value; none when it was cleared.
    pub value: Option<String>,
    /// Since when.
    pub timestamp: String,
    /// What kind of thing set it: `CRM_UI`, `IMPORT`, `CALCULATED`...
    pub source_type: Option<String>,
    /// Which one of these.
    pub source_id: Option<String>,
    /// What people call it.
    pub source_label: Option<String>,
    /// The user who set it, if it was one.
    pub updated_by_user_id: Option<u64>,
}

/// One page of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPage {
    /// The answer as it came; the records are slices of it.
    pub body: Bytes,
    /// The records, in HubSpot's order.
    pub results: Vec<RawObject>,
    /// Where to go on; `None` on the last page.
    pub next: Option<Next>,
    /// How many there are on all pages, where the answer says so.
    pub total: Option<u64>,
}

/// Where the next page begins. Opaque, but good for long: it may be kept to resume from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// To be given as `after`.
    pub after: String,
}
