//! Records: list, get, batch read, search.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    client::Client,
    decode::{self, Collection},
    error::{Error, Fault, SubError},
    http::Response,
    record::{Next, RawObject, RawPage},
    request::{
        objects::{BatchRead, Get, List},
        search::SearchRequest,
    },
};

/// What a batch read found. Results come in HubSpot's order, not in that of the ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchResult {
    /// The records there are. A merged id may be answered by its survivor, or be missing.
    pub results: Vec<RawObject>,
    /// Ids that HubSpot says it has no record for.
    pub missing: Vec<String>,
    /// What else was wrong, id by id, in HubSpot's words.
    pub errors: Vec<SubError>,
}

/// One page of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchPage {
    /// How many records match; may be more than a search can page through.
    pub total: u64,
    /// The records of this page.
    pub results: Vec<RawObject>,
    /// The offset of the next page, if there is one.
    pub after: Option<String>,
}

impl From<Collection> for BatchResult {
    fn from(answer: Collection) -> Self {
        let (missing, errors): (Vec<_>, Vec<_>) = answer.errors.into_iter().partition(is_missing);
        let missing = missing
            .into_iter()
            .flat_map(|mut error| error.context.remove("ids").unwrap_or_default());
        Self {
            results: once_each(answer.results),
            missing: missing.collect(),
            errors,
        }
    }
}

impl BatchResult {
    /// Whether there are records that merges cannot explain. HubSpot answers a merged id with its survivor, so a record
    /// that was not asked for stands for an id that has no record and is not said to be missing.
    fn has_strangers(&self, ids: &[String]) -> bool {
        let asked: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let (known, strangers): (Vec<&str>, Vec<&str>) = self
            .results
            .iter()
            .map(RawObject::id)
            .partition(|id| asked.contains(id));
        let explained: BTreeSet<&str> = known
            .into_iter()
            .chain(self.missing.iter().map(String::as_str))
            .collect();
        strangers.len() > asked.difference(&explained).count()
    }
}

/// Each record once: of two with one id, the one that changed last.
fn once_each(results: Vec<RawObject>) -> Vec<RawObject> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<RawObject> = Vec::with_capacity(results.len());
    for record in results {
        match places.get(record.id()) {
            Some(&place) if kept[place].updated_at() < record.updated_at() => kept[place] = record,
            Some(_) => {}
            None => {
                places.insert(record.id().to_owned(), kept.len());
                kept.push(record);
            }
        }
    }
    kept
}

impl Client {
    /// One page of a list. [`pages`](Client::pages) walks them all.
    pub async fn list_objects(&self, list: &List) -> Result<RawPage, Error> {
        let request = list.request(self.api_version())?;
        self.page(&list.object_type, request).await
    }

    /// One record, archived or live as asked; an error with [`is_not_found`](Error::is_not_found) when there is none.
    pub async fn get_object(&self, get: &Get) -> Result<RawObject, Error> {
        let request = get.request(self.api_version())?;
        self.fetch(request, |response| decode::record(response.body()))
            .await
    }

    /// One live record by a unique property, such as a contact by `email`.
    pub async fn get_object_by(
        &self,
        object_type: &str,
        id_property: &str,
        value: &str,
        properties: &[impl AsRef<str>],
    ) -> Result<RawObject, Error> {
        let names = properties.iter().map(AsRef::as_ref);
        self.get_object(
            &Get::new(object_type, value)
                .by(id_property)
                .with_properties(names),
        )
        .await
    }

    /// Up to 100 records by id. Some may be missing; that is no error.
    pub async fn batch_read(&self, read: &BatchRead) -> Result<BatchResult, Error> {
        let request = read.request(self.api_version())?;
        self.fetch(request, |response| {
            let result = BatchResult::from(decode::collection(response.body())?);
            match read.id_property.is_none() && result.has_strangers(&read.ids) {
                true => Err(Fault::Strangers),
                false => Ok(result),
            }
        })
        .await
    }

    /// One page of a search.
    pub async fn search(&self, object_type: &str, search: &SearchRequest) -> Result<SearchPage, Error> {
        let request = search.request(self.api_version(), object_type)?;
        let read = |response: &Response| {
            let page = decode::collection(response.body())?;
            let total = page.total.ok_or(Fault::Lacks { member: "total" })?;
            Ok((total, page))
        };
        let (total, page) = self.fetch(request, read).await?;
        let after = self.next(object_type, page.next)?.map(|Next { after }| after);
        Ok(SearchPage {
            total,
            results: page.results,
            after,
        })
    }
}

/// Ids without a record are grouped in one error (hubspot-api notes §1.6).
fn is_missing(error: &SubError) -> bool {
    error.category.as_deref() == Some("OBJECT_NOT_FOUND") && error.context.contains_key("ids")
}
