//! Associations: pairs of records, each with one or more types.

use serde::{Deserialize, Serialize};

use crate::{
    client::Client,
    decode::{self, Definition, Listed, Paging},
    error::{Error, SubError},
    request::{self, writes::TypeSpec},
};

/// The associations of many records with records of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssociationBatch {
    /// One entry per record that has any.
    pub results: Vec<AssociationsOf>,
    /// Records without any. HubSpot calls that an error and says the same of records that do not exist.
    pub none: Vec<String>,
    /// What was wrong otherwise.
    pub errors: Vec<SubError>,
}

/// A page of the associations of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssociationsOf {
    /// The record.
    pub from: String,
    /// What it is associated with.
    pub to: Vec<Association>,
    /// Where to go on with this record, if there is more.
    pub next: Option<String>,
}

/// An associated record and in what ways it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Association {
    /// Its id; HubSpot writes a number or a string (hubspot-api notes §7, row 11).
    #[serde(deserialize_with = "crate::record::id")]
    pub to_object_id: String,
    /// At least one; a labelled pair has the unlabelled type too. The order says nothing.
    #[serde(default)]
    pub association_types: Vec<AssociationType>,
}

/// One way of being associated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AssociationType {
    /// `HUBSPOT_DEFINED`, `USER_DEFINED`, `INTEGRATOR_DEFINED`, `WORK` or what comes.
    pub category: String,
    /// Its number, which depends on the direction.
    pub type_id: u64,
    /// Its name, if it is a labelled one.
    #[serde(default)]
    pub label: Option<String>,
}

impl From<&AssociationType> for TypeSpec {
    /// The type as a write names it.
    fn from(known: &AssociationType) -> Self {
        Self {
            category: known.category.clone(),
            type_id: known.type_id,
        }
    }
}

/// A type of association that a pair of object types may have.
pub type AssociationLabel = AssociationType;

#[derive(Deserialize)]
struct Entry {
    from: From_,
    to: Vec<Association>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct From_ {
    #[serde(deserialize_with = "crate::record::id")]
    id: String,
}

impl Definition for AssociationType {
    const MUST: &'static [&'static str] = &["category", "typeId"];
}

impl Client {
    /// Associations of up to 1,000 records, each from its own cursor on.
    pub async fn associations_batch_read(
        &self,
        from: &str,
        to: &str,
        records: &[(impl AsRef<str>, Option<impl AsRef<str>>)],
    ) -> Result<AssociationBatch, Error> {
        let request = request::associations::batch_read(self.api_version(), from, to, records)?;
        let Listed { results, errors, .. } = self
            .fetch(request, |response| decode::listed::<Entry>(response.body()))
            .await?;
        let stream = format!("associations of {from} with {to}");
        let results = results
            .into_iter()
            .map(|entry| self.entry(&stream, entry))
            .collect::<Result<_, _>>()?;
        let (none, errors): (Vec<_>, Vec<_>) = errors.into_iter().partition(is_none);
        let none = none
            .into_iter()
            .flat_map(|mut error| error.context.remove("fromObjectId").unwrap_or_default());
        Ok(AssociationBatch {
            results,
            none: none.collect(),
            errors,
        })
    }

    fn entry(&self, stream: &str, entry: Entry) -> Result<AssociationsOf, Error> {
        let Entry {
            from: From_ { id: from },
            to,
            paging,
        } = entry;
        Ok(AssociationsOf {
            from,
            to,
            next: self
                .next(stream, paging.and_then(|paging| paging.next))?
                .map(|next| next.after),
        })
    }

    /// One page of up to 500 associations of one record.
    pub async fn associations(
        &self,
        from: &str,
        id: &str,
        to: &str,
        after: Option<&str>,
    ) -> Result<AssociationsOf, Error> {
        let request = request::associations::page(self.api_version(), from, id, to, after)?;
        let page = self
            .fetch(request, |response| decode::listed(response.body()))
            .await?;
        let (results, link) = page.split();
        let next = self.next(&format!("associations of {from} {id} with {to}"), link)?;
        Ok(AssociationsOf {
            from: id.to_owned(),
            to: results,
            next: next.map(|next| next.after),
        })
    }

    /// The types of association that a pair of object types may have, in this direction.
    pub async fn association_labels(&self, from: &str, to: &str) -> Result<Vec<AssociationLabel>, Error> {
        let request = request::associations::labels(self.api_version(), from, to)?;
        let answer = self
            .fetch(request, |response| decode::listed(response.body()))
            .await?;
        Ok(answer.results)
    }
}

/// The everyday 207: a record without associations is listed as an error (hubspot-api notes §2.5).
fn is_none(error: &SubError) -> bool {
    error.sub_category.as_deref() == Some("crm.associations.NO_ASSOCIATIONS_FOUND")
}
