//! Associations, written.

use serde::Deserialize;

use super::AssociationLabel;
use crate::{
    client::Client,
    decode::{self, Definition, Paging},
    error::{Error, SubError},
    request::{
        associating::{self, NewLabel, Pair},
        associations,
        writes::TypeSpec,
    },
};

/// What became of a batch of pairs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AssociatingBatch {
    /// The pairs that HubSpot says are associated now, in its order.
    pub pairs: Vec<AssociatedPair>,
    /// What was refused, in HubSpot's words.
    pub errors: Vec<SubError>,
}

/// Two records that are associated.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "AnyPair")]
#[non_exhaustive]
pub struct AssociatedPair {
    /// One record.
    pub from: String,
    /// The other.
    pub to: String,
    /// The labels between them.
    pub labels: Vec<String>,
}

/// The labelled and the default answer name the records in different ways.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyPair {
    #[serde(rename_all = "camelCase")]
    Flat {
        #[serde(deserialize_with = "crate::record::id")]
        from_object_id: String,
        #[serde(deserialize_with = "crate::record::id")]
        to_object_id: String,
        #[serde(default)]
        labels: Vec<Option<String>>,
    },
    Nested {
        from: Named,
        to: Named,
    },
}

#[derive(Deserialize)]
struct Named {
    #[serde(deserialize_with = "crate::record::id")]
    id: String,
}

impl From<AnyPair> for AssociatedPair {
    fn from(pair: AnyPair) -> Self {
        match pair {
            AnyPair::Flat {
                from_object_id: from,
                to_object_id: to,
                labels,
            } => Self {
                from,
                to,
                labels: labels.into_iter().flatten().collect(),
            },
            AnyPair::Nested { from, to } => Self {
                from: from.id,
                to: to.id,
                labels: Vec::new(),
            },
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    results: Vec<AssociatedPair>,
    #[serde(default)]
    errors: Vec<SubError>,
}

impl From<Answer> for AssociatingBatch {
    fn from(Answer { results, errors }: Answer) -> Self {
        Self {
            pairs: results,
            errors,
        }
    }
}

/// The associations of one record as the older form names them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedAssociations {
    /// The record.
    pub from: String,
    /// The other records, each with the word for its type, such as `contact_to_company`.
    pub to: Vec<(String, String)>,
    /// Where to go on with this record, if there is more.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct NamedEntry {
    from: Named,
    to: Vec<NamedTo>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct NamedTo {
    #[serde(deserialize_with = "crate::record::id")]
    id: String,
    #[serde(rename = "type")]
    type_: String,
}

impl Definition for Answer {
    const MUST: &'static [&'static str] = &[];
}

impl Definition for AssociatedPair {
    const MUST: &'static [&'static str] = &[];
}

impl Client {
    /// Adds types of association to up to 2,000 pairs. A type that a pair has stays.
    pub async fn associations_batch_create(
        &self,
        from: &str,
        to: &str,
        pairs: &[Pair],
    ) -> Result<AssociatingBatch, Error> {
        let request = associating::batch_create(self.api_version(), from, to, pairs)?;
        self.define::<Answer>(request).await.map(Into::into)
    }

    /// Associates up to 2,000 pairs in the unlabelled way.
    pub async fn associations_batch_default(
        &self,
        from: &str,
        to: &str,
        pairs: &[Pair],
    ) -> Result<AssociatingBatch, Error> {
        let request = associating::batch_default(self.api_version(), from, to, pairs)?;
        self.define::<Answer>(request).await.map(Into::into)
    }

    /// Ends all that is between up to 2,000 pairs.
    pub async fn associations_batch_archive(
        &self,
        from: &str,
        to: &str,
        pairs: &[Pair],
    ) -> Result<(), Error> {
        let request = associating::batch_archive(self.api_version(), from, to, pairs)?;
        self.done(request).await
    }

    /// Takes types from up to 2,000 pairs.
    pub async fn associations_batch_unlabel(
        &self,
        from: &str,
        to: &str,
        pairs: &[Pair],
    ) -> Result<(), Error> {
        let request = associating::batch_unlabel(self.api_version(), from, to, pairs)?;
        self.done(request).await
    }

    /// Gives a pair of records, each named by type and id, these types of association and no others.
    pub async fn set_association(
        &self,
        from: (&str, &str),
        to: (&str, &str),
        types: &[TypeSpec],
    ) -> Result<AssociatedPair, Error> {
        let request = associating::set(self.api_version(), from, to, types)?;
        self.define(request).await
    }

    /// Associates a pair of records, each named by type and id, in the unlabelled way.
    pub async fn set_default_association(&self, from: (&str, &str), to: (&str, &str)) -> Result<(), Error> {
        let request = associating::set_default(self.api_version(), from, to)?;
        self.done(request).await
    }

    /// Ends all that is between a pair of records, each named by type and id.
    pub async fn remove_association(&self, from: (&str, &str), to: (&str, &str)) -> Result<(), Error> {
        let request = associating::remove(self.api_version(), from, to)?;
        self.done(request).await
    }

    /// Makes a label; the answer has its number in each direction.
    pub async fn create_association_label(
        &self,
        from: &str,
        to: &str,
        label: &NewLabel,
    ) -> Result<Vec<AssociationLabel>, Error> {
        let request = associating::create_label(self.api_version(), from, to, label)?;
        self.defined(request).await
    }

    /// Names a label anew, in this direction and, if given, in the other.
    pub async fn update_association_label(
        &self,
        from: &str,
        to: &str,
        type_id: u64,
        names: (&str, Option<&str>),
    ) -> Result<(), Error> {
        let request = associating::update_label(self.api_version(), from, to, type_id, names)?;
        self.done(request).await
    }

    /// Deletes a label.
    pub async fn delete_association_label(&self, from: &str, to: &str, type_id: u64) -> Result<(), Error> {
        let request = associating::delete_label(self.api_version(), from, to, type_id)?;
        self.done(request).await
    }

    /// Associations of up to 1,000 records in the older form, at most 100 a record.
    pub async fn associations_batch_read_v3(
        &self,
        from: &str,
        to: &str,
        ids: &[impl AsRef<str>],
    ) -> Result<Vec<NamedAssociations>, Error> {
        let request = associations::batch_read_v3(from, to, ids)?;
        let answer = self
            .fetch(request, |response| decode::listed::<NamedEntry>(response.body()))
            .await?;
        let stream = format!("associations of {from} with {to}");
        let entries = answer.results.into_iter();
        entries.map(|entry| self.named(&stream, entry)).collect()
    }

    fn named(&self, stream: &str, entry: NamedEntry) -> Result<NamedAssociations, Error> {
        let next = self.next(stream, entry.paging.and_then(|paging| paging.next))?;
        Ok(NamedAssociations {
            from: entry.from.id,
            to: entry.to.into_iter().map(|to| (to.id, to.type_)).collect(),
            next: next.map(|next| next.after),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_of_a_pair_are_read() {
        let answer: Answer = serde_json::from_str(
            r#"{"results":[{"fromObjectTypeId":"0-1","fromObjectId":1,"toObjectId":"2","labels":["Boss",null]},
               {"from":{"id":"1"},"to":{"id":"3"},"associationSpec":{"associationTypeId":1}}],
               "errors":[{"message":"no"}]}"#,
        )
        .unwrap();
        let batch = AssociatingBatch::from(answer);
        let pair = |n: usize| (batch.pairs[n].from.as_str(), batch.pairs[n].to.as_str());
        assert_eq!((pair(0), pair(1)), (("1", "2"), ("1", "3")));
        assert_eq!(batch.pairs[0].labels, ["Boss"]);
        assert_eq!(batch.errors.len(), 1);
    }
}
