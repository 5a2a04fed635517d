//! Bringing rows as records: page by page, by the calls that an [`Access`](super::Access) names.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use hubspot_client::request::associations;
use hubspot_client::request::objects::{BatchRead, List, MAX_BATCH, MAX_LIST};
use hubspot_client::request::search::{Filter, FilterGroup, MAX_PAGE, Operator, SearchRequest, Sort};
use hubspot_client::{ApiVersion, Client, RawObject, Request, SearchPage};
use opencdc::{Error, ErrorKind, Operation, Record, Result, StreamName};

use super::access::Fetch;
use super::table::{LinkTable, ObjectTable, OwnTable};
use crate::config::SourceConfig;
use crate::error::{Doing, OrFailed};
use crate::objects::ObjectType;
use crate::record::{Facts, LinkRows};
use crate::source::{HubspotSource, exact};

/// What walks are sorted by, and what stands for no property at all.
const ID: &str = "hs_object_id";

/// The records of one object type that are to be brought.
#[derive(Debug, Clone)]
pub struct Question {
    /// Of which type.
    pub table: Arc<ObjectTable>,
    /// The stream that the records say they belong to.
    pub stream: StreamName,
    /// Their properties.
    pub properties: Vec<String>,
    /// Which of them, and how.
    pub fetch: Fetch,
    /// How many are wanted at first, where fewer than a page may do.
    pub first: Option<usize>,
    /// Whether pages are asked for before they are wanted.
    pub ahead: bool,
}

impl Question {
    fn object(&self) -> &ObjectType {
        &self.table.object
    }

    fn properties(&self) -> Vec<String> {
        match self.properties.is_empty() {
            true => vec![ID.to_owned()],
            false => self.properties.clone(),
        }
    }

    fn list(&self, version: &ApiVersion) -> List {
        let page = self
            .first
            .and_then(|first| u16::try_from(first).ok())
            .unwrap_or(MAX_LIST);
        let list = List::new(self.object().path_name())
            .with_properties(self.properties())
            .with_limit(page.clamp(1, MAX_LIST));
        match list.fits_url(version) {
            true => list,
            false => list.with_properties([ID]),
        }
    }

    fn is_wide(&self, version: &ApiVersion) -> bool {
        self.list(version).properties.len() < self.properties().len()
    }

    fn batch(&self, ids: &[String], by: Option<&str>) -> BatchRead {
        let read = BatchRead::new(self.object().path_name(), ids.iter().cloned());
        BatchRead {
            id_property: by.map(str::to_owned),
            ..read.with_properties(self.properties())
        }
    }

    /// The page of a search behind the record with the id `after`: a question of its own, so that no offset is ever sent
    /// and results beyond 10,000 come complete.
    fn search(&self, groups: &[FilterGroup], after: Option<&str>) -> SearchRequest {
        let mut search = SearchRequest::new()
            .sorted_by(ID)
            .with_properties(self.properties());
        search.filter_groups = groups.to_vec();
        let Some(after) = after else {
            if let Some(first) = self.first.and_then(|first| u16::try_from(first).ok()) {
                search.limit = first.clamp(1, search.limit);
            }
            return search;
        };
        if search.filter_groups.is_empty() {
            search.filter_groups.push(FilterGroup::default());
        }
        for group in &mut search.filter_groups {
            group.filters.push(Filter::new(ID, Operator::Gt, after));
        }
        search
    }

    /// The first call that would be made, and how many there are, if that is known.
    pub fn first_call(&self, version: &ApiVersion) -> Result<(Request, Option<usize>)> {
        let of_ids = |ids: &[String], by: Option<&str>| {
            let some = &ids[..ids.len().min(MAX_BATCH)];
            let request = self.batch(some, by).request(version);
            request.map(|request| (request, Some(ids.len().div_ceil(MAX_BATCH))))
        };
        let call = match &self.fetch {
            Fetch::List => self.list(version).request(version).map(|request| (request, None)),
            Fetch::Ids(ids) => of_ids(ids, None),
            Fetch::Unique { property, values } => of_ids(values, Some(property)),
            Fetch::Search(groups) => {
                let search = self.search(groups, None);
                search
                    .request(version, self.object().path_name())
                    .map(|request| (request, None))
            }
        };
        call.map_err(crate::contract_error)
    }

    /// The records, page by page.
    pub fn pages(self, client: Client) -> impl Stream<Item = Result<Vec<Record>>> + Send {
        let facts = Facts::new(self.stream.clone(), &"".into(), Some(self.object()));
        try_stream! {
            let mut pages = std::pin::pin!(self.objects(client));
            while let Some(page) = pages.next().await {
                let page = page?;
                let objects: Vec<_> = page.iter().map(|object| (Operation::Snapshot, object)).collect();
                yield facts.read_now().records(&objects);
            }
        }
    }

    fn objects(self, client: Client) -> impl Stream<Item = Result<Vec<RawObject>>> + Send {
        try_stream! {
            match self.fetch.clone() {
                Fetch::List => {
                    let is_wide = self.is_wide(client.api_version());
                    let list = self.list(client.api_version());
                    let mut pages = if self.ahead { client.pages(list).boxed() } else { one_by_one(client.clone(), list).boxed() };
                    while let Some(page) = pages.next().await {
                        let page = page.or_failed(self.doing())?;
                        if is_wide {
                            let ids: Vec<_> = page.results.iter().map(|object| object.id().to_owned()).collect();
                            yield self.by(&client, &ids, None).await?;
                        } else {
                            yield page.results;
                        }
                    }
                }
                Fetch::Ids(ids) => {
                    for some in ids.chunks(MAX_BATCH) {
                        yield self.by(&client, some, None).await?;
                    }
                }
                Fetch::Unique { property, values } => {
                    for some in values.chunks(MAX_BATCH) {
                        yield self.by(&client, some, Some(&property)).await?;
                    }
                }
                Fetch::Search(groups) => {
                    let mut after: Option<u64> = None;
                    loop {
                        let behind = after.map(|after| after.to_string());
                        let page = self.ask(&client, &self.search(&groups, behind.as_deref())).await?;
                        let more = page.after.is_some();
                        let last = page.results.iter().filter_map(|object| object.id().parse().ok()).max();
                        yield page.results;
                        if !more {
                            break;
                        }
                        after = Some(self.further(after, last)?);
                    }
                }
            }
        }
    }

    /// A walk that stands still would never end.
    fn further(&self, after: Option<u64>, last: Option<u64>) -> Result<u64> {
        last.filter(|last| after.is_none_or(|after| *last > after))
            .ok_or_else(|| {
                let message = format!(
                    "cannot read `{}`: a page of the search leads nowhere",
                    self.object().name
                );
                Error::new(ErrorKind::InvalidData, message)
            })
    }

    async fn by(&self, client: &Client, ids: &[String], by: Option<&str>) -> Result<Vec<RawObject>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let answer = client
            .batch_read(&self.batch(ids, by))
            .await
            .or_failed(self.doing())?;
        let real = |error: &&hubspot_client::SubError| error.category.as_deref() != Some("OBJECT_NOT_FOUND");
        match answer.errors.iter().find(real) {
            None => Ok(answer.results),
            Some(error) => {
                let words = error.message.as_deref().unwrap_or("no reason given");
                let message = format!(
                    "cannot read `{}`: a batch read failed in part: {words}",
                    self.object().name
                );
                Err(Error::new(ErrorKind::Unreachable, message))
            }
        }
    }

    async fn ask(&self, client: &Client, search: &SearchRequest) -> Result<SearchPage> {
        client
            .search(self.object().path_name(), search)
            .await
            .or_failed(self.doing())
    }

    /// How many records there are, by one search of one record.
    pub async fn count(&self, client: &Client) -> Result<u64> {
        Ok(self.ask(client, &self.counting()).await?.total)
    }

    fn counting(&self) -> SearchRequest {
        SearchRequest {
            filter_groups: self.groups().to_vec(),
            ..SearchRequest::new().with_properties([ID]).with_limit(1)
        }
    }

    /// The call that [`count`](Self::count) makes.
    pub fn count_call(&self, version: &ApiVersion) -> Result<Request> {
        let request = self.counting().request(version, self.object().path_name());
        request.map_err(crate::contract_error)
    }

    /// A page in the order of a property, and the offset of the next. Only a guess at what the greatest are: search orders by
    /// what it has seen.
    pub async fn sorted(
        &self,
        client: &Client,
        property: &str,
        descending: bool,
        rows: usize,
        after: Option<String>,
    ) -> Result<(Vec<Record>, Option<String>)> {
        let search = SearchRequest {
            after,
            ..self.sorting(property, descending, rows)
        };
        let page = self.ask(client, &search).await?;
        let objects: Vec<_> = page
            .results
            .iter()
            .map(|object| (Operation::Snapshot, object))
            .collect();
        let facts = Facts::new(self.stream.clone(), &"".into(), Some(self.object()));
        Ok((facts.read_now().records(&objects), page.after))
    }

    fn sorting(&self, property: &str, descending: bool, rows: usize) -> SearchRequest {
        let mut search = SearchRequest {
            sorts: vec![Sort {
                property_name: property.to_owned(),
                descending,
            }],
            ..self.search(self.groups(), None)
        };
        search.limit = u16::try_from(rows).unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
        search
    }

    /// The call of the first page of [`sorted`](Self::sorted).
    pub fn sorted_call(
        &self,
        version: &ApiVersion,
        property: &str,
        descending: bool,
        rows: usize,
    ) -> Result<Request> {
        let request = self
            .sorting(property, descending, rows)
            .request(version, self.object().path_name());
        request.map_err(crate::contract_error)
    }

    fn groups(&self) -> &[FilterGroup] {
        match &self.fetch {
            Fetch::Search(groups) => groups,
            _ => &[],
        }
    }

    fn doing(&self) -> Doing<'_> {
        Doing {
            scope: None,
            ..Doing::reading(&self.object().name, None)
        }
    }
}

/// Pages of which none is asked for before it is wanted: whoever has enough rows has not paid for more.
fn one_by_one(
    client: Client,
    list: List,
) -> impl Stream<Item = Result<hubspot_client::RawPage, hubspot_client::Error>> + Send {
    try_stream! {
        let mut trail = hubspot_client::PageTrail::new(list.object_type.clone());
        let mut next = Some(list.clone());
        while let Some(asked) = next {
            let page = client.list_objects(&asked).await?;
            next = match &page.next {
                Some(further) => {
                    trail.follow(page.results.len(), &further.after)?;
                    Some(list.clone().with_after(further.after.clone()))
                }
                None => None,
            };
            yield page;
        }
    }
}

/// The associations of these records, as records of `stream`.
pub async fn links(
    client: &Client,
    table: &LinkTable,
    stream: &StreamName,
    ids: BTreeSet<String>,
) -> Result<Vec<Record>> {
    let name = format!("{}_{}", table.from.name, table.to.name);
    let found = exact::read(client, (&table.from, &table.to), ids).await;
    let found = found.or_failed(Doing::reading(&name, None))?;
    let mut rows = LinkRows::default();
    for of in &found {
        for to in &of.to {
            for kind in &to.association_types {
                rows.push(Operation::Snapshot, &of.from, &to.to_object_id, kind);
            }
        }
    }
    let facts = Facts::new(stream.clone(), &"".into(), Some(&table.from));
    Ok(rows.records(&facts.read_now()))
}

/// The ids of the records that are associated with these, from the other end.
pub async fn ids_of_links_to(
    client: &Client,
    table: &LinkTable,
    ids: BTreeSet<String>,
) -> Result<BTreeSet<String>> {
    let name = format!("{}_{}", table.to.name, table.from.name);
    let found = exact::read(client, (&table.to, &table.from), ids).await;
    let found = found.or_failed(Doing::reading(&name, None))?;
    let to = found.into_iter().flat_map(|of| of.to);
    Ok(to.map(|to| to.to_object_id).collect())
}

/// The first call of reading these records' associations.
pub fn links_call(
    version: &ApiVersion,
    (from, to): (&ObjectType, &ObjectType),
    ids: &[String],
) -> Result<Request> {
    let some: Vec<_> = ids
        .iter()
        .take(associations::MAX_BATCH)
        .map(|id| (id, None::<String>))
        .collect();
    let request = associations::batch_read(version, from.path_name(), to.path_name(), &some);
    request.map_err(crate::contract_error)
}

/// All rows of a table that is read whole; of some object types, where it has rows for each.
pub async fn whole(
    client: &Client,
    table: &OwnTable,
    stream: &StreamName,
    objects: &[String],
) -> Result<Vec<Record>> {
    let name = table.own.name().to_owned();
    let streams = objects.iter().cloned().chain([name]);
    let source = HubspotSource::new(client.clone(), SourceConfig::new("query", streams))?;
    let mut records = source.table(table.own).await?;
    for record in &mut records {
        record.stream = stream.clone();
    }
    Ok(records)
}

/// The ids of all live records of a type.
pub async fn every_id(client: &Client, object: &ObjectType) -> Result<BTreeSet<String>> {
    let list = List::new(object.path_name()).with_properties([ID]);
    let mut pages = std::pin::pin!(client.pages(list));
    let mut ids = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.or_failed(Doing::reading(&object.name, None))?;
        ids.extend(page.results.iter().map(|object| object.id().to_owned()));
    }
    Ok(ids)
}

/// Whether HubSpot did not understand the question, and would not the next time.
pub fn is_bad_request(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let source = source.and_then(|source| source.downcast_ref::<hubspot_client::Error>());
    source.is_some_and(|error| error.status() == Some(400))
}
