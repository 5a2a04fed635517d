//! Records: list, get, batch read, search.

use crate::{
    client::Client,
    decode,
    error::{Error, SubError},
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
        let answer = self
            .fetch(request, |response| decode::collection(response.body()))
            .await?;
        let (missing, errors): (Vec<_>, Vec<_>) = answer.errors.into_iter().partition(is_missing);
        let missing = missing
            .into_iter()
            .flat_map(|mut error| error.context.remove("ids").unwrap_or_default());
        Ok(BatchResult {
            results: answer.results,
            missing: missing.collect(),
            errors,
        })
    }

    /// One page of a search.
    pub async fn search(&self, object_type: &str, search: &SearchRequest) -> Result<SearchPage, Error> {
        let request = search.request(self.api_version(), object_type)?;
        let page = self
            .fetch(request, |response| decode::collection(response.body()))
            .await?;
        let after = self.next(object_type, page.next)?.map(|Next { after }| after);
        let total = page.total.unwrap_or(page.results.len() as u64);
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
