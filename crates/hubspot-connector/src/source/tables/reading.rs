//! Reading a table: all of it, some parts of it, or single rows.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use hubspot_client::request::lists::ListSearch;
use hubspot_client::request::resources::ResourceList;
use hubspot_client::{Error as ClientError, RawObject, RawPage, RecordList};
use opencdc::{Data, Result};
use serde::Serialize;
use serde_json::{Map, Value};

use super::vanished::{Proof, Vanished, part, vanished};
use super::{Row, Settled, Table, listed};
use crate::error::{Doing, OrFailed};
use crate::objects::ObjectType;
use crate::own::OwnStream;

/// How often a list that changes while it is read is read again.
const ATTEMPTS: usize = 3;

/// The parts of a table to read; `None` means all.
type Parts<'a> = Option<&'a BTreeSet<String>>;

/// What a read of a table shows.
#[derive(Default)]
pub(super) struct Found {
    rows: Vec<Row>,
    places: HashMap<String, usize>,
    /// The parts that HubSpot refused.
    unread: BTreeSet<String>,
}

impl Found {
    /// A row that comes twice is as it came last.
    fn add(&mut self, row: Row) {
        match self.places.get(&row.text) {
            Some(place) => self.rows[*place] = row,
            None => {
                self.places.insert(row.text.clone(), self.rows.len());
                self.rows.push(row);
            }
        }
    }

    fn extend(&mut self, rows: impl IntoIterator<Item = Row>) {
        rows.into_iter().for_each(|row| self.add(row));
    }

    fn holds(&self, text: &str) -> bool {
        self.places.contains_key(text)
    }

    /// The known rows of the table that were not shown.
    pub(super) fn vanished<'a>(&self, own: OwnStream, known: impl Iterator<Item = &'a str>) -> Vec<Vanished> {
        vanished(own, |text| self.holds(text), &self.unread, known)
    }
}

/// What HubSpot says of a single row.
enum Asked {
    There(Row),
    Gone,
    /// Neither: the row stays as it was delivered.
    Unsure,
}

impl Table {
    /// Reads the table, and finds out what became of the delivered rows that the read does not show.
    pub(super) async fn settle(&self, vanished: impl FnOnce(&Found) -> Vec<Vanished>) -> Result<Settled> {
        let mut found = self.rows(None).await?;
        let missing = vanished(&found);
        let gone = match Proof::of(self.own, missing.len()) {
            _ if missing.is_empty() => missing,
            Proof::Each => self.ask_for_each(&mut found, missing).await?,
            Proof::Again => self.read_again(&mut found, missing).await?,
        };
        Ok(Settled {
            rows: found.rows,
            gone,
        })
    }

    async fn ask_for_each(&self, found: &mut Found, missing: Vec<Vanished>) -> Result<Vec<Vanished>> {
        let mut gone = Vec::new();
        for row in missing {
            match self.ask(&row).await? {
                Asked::There(row) => found.add(row),
                Asked::Gone => gone.push(row),
                Asked::Unsure => tracing::warn!(
                    stream = self.own.name(),
                    "{} is not listed any more, and HubSpot does not say whether it is gone; its row stays",
                    row.text
                ),
            }
        }
        Ok(gone)
    }

    async fn read_again(&self, found: &mut Found, missing: Vec<Vanished>) -> Result<Vec<Vanished>> {
        let part_of = |row: &Vanished| part(self.own, &row.key).to_owned();
        let parts = missing.iter().map(part_of).collect();
        let second = self.rows(Some(&parts)).await?;
        found.extend(second.rows);
        let is_gone = |row: &Vanished| !found.holds(&row.text) && !second.unread.contains(&part_of(row));
        Ok(missing.into_iter().filter(is_gone).collect())
    }

    /// A row is gone when HubSpot itself says so, of live and of archived ones; a gateway's 404 proves nothing.
    async fn ask(&self, row: &Vanished) -> Result<Asked> {
        let id = row.field("id");
        let states: &[bool] = match self.own {
            OwnStream::Lists => &[false],
            _ => &[false, true],
        };
        for archived in states.iter().copied() {
            let one = match self.own {
                OwnStream::Owners => self.client.owner(id, false, archived).await,
                OwnStream::Resource(resource) => self.client.get_resource(resource, id, archived).await,
                OwnStream::Lists => match self.client.list(id).await {
                    Ok(list) => return Ok(same(self.list_row(&list), row)),
                    Err(error) => Err(error),
                },
                _ => return Ok(Asked::Unsure),
            };
            match one {
                Ok(one) => return Ok(same(raw_row(&one, archived || one.is_archived()), row)),
                Err(error) if says_gone(&error) => {}
                Err(error) if is_about_one(&error) => return Ok(Asked::Unsure),
                Err(error) => return Err(self.doing().failed(error)),
            }
        }
        Ok(Asked::Gone)
    }

    fn doing(&self) -> Doing<'_> {
        Doing::reading(self.own.name(), self.own.scope())
    }

    async fn rows(&self, parts: Parts<'_>) -> Result<Found> {
        let mut found = Found::default();
        match self.own {
            OwnStream::Owners | OwnStream::Resource(_) => found.extend(self.listed().await?),
            OwnStream::Schemas => found.extend(self.schemas().await?),
            OwnStream::Lists => {
                let lists = self.lists().await?;
                found.extend(lists.iter().map(|list| self.list_row(list)));
            }
            OwnStream::ListMemberships => self.memberships(parts, &mut found).await?,
            OwnStream::Pipelines | OwnStream::PipelineStages | OwnStream::Properties => {
                self.definitions(parts, &mut found).await?;
            }
        }
        Ok(found)
    }

    /// Owners, forms and the CMS: archived ones come only when asked for, and then alone (hubspot-api notes §2.4, §2.8).
    async fn listed(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for archived in [false, true] {
            let objects = self.steady(archived).await?;
            rows.extend(objects.iter().map(|object| raw_row(object, archived)));
        }
        Ok(rows)
    }

    async fn page(&self, archived: bool, after: Option<String>) -> Result<RawPage, ClientError> {
        match self.own {
            OwnStream::Resource(resource) => {
                let list = ResourceList::new(resource).with_archived(archived);
                self.client.list_resources(&ResourceList { after, ..list }).await
            }
            _ => self.client.owners(after.as_deref(), archived).await,
        }
    }

    /// Every object of a list. Read again while its `total` changes from page to page: where pages are counted by place,
    /// one that was deleted hides another.
    async fn steady(&self, archived: bool) -> Result<Vec<RawObject>> {
        let mut attempt = 1;
        loop {
            let (mut objects, mut totals) = (Vec::new(), BTreeSet::new());
            let mut after: Option<String> = None;
            loop {
                let page = self.page(archived, after.clone()).await.or_failed(self.doing())?;
                objects.extend(page.results);
                totals.extend(page.total);
                let Some(next) = page.next else { break };
                self.refuse_standstill(after.as_deref(), &next.after)?;
                after = Some(next.after);
            }
            if totals.len() < 2 || attempt == ATTEMPTS {
                return Ok(objects);
            }
            attempt += 1;
        }
    }

    fn refuse_standstill(&self, after: Option<&str>, next: &str) -> Result<()> {
        if after != Some(next) {
            return Ok(());
        }
        let error = ClientError::RepeatedPage {
            stream: self.own.name().to_owned(),
            after: next.to_owned(),
        };
        Err(self.doing().failed(error))
    }

    async fn schemas(&self) -> Result<Vec<Row>> {
        let schemas = self.client.schemas().await.or_failed(self.doing())?;
        Ok(schemas
            .iter()
            .map(|schema| self.row(object(schema), None))
            .collect())
    }

    /// Every list, in the way of [`steady`](Self::steady).
    async fn lists(&self) -> Result<Vec<RecordList>> {
        let mut attempt = 1;
        loop {
            let (mut lists, mut totals) = (Vec::new(), BTreeSet::new());
            let mut offset = 0;
            loop {
                let search = ListSearch {
                    offset,
                    ..ListSearch::default()
                };
                let page = self.client.search_lists(&search).await.or_failed(self.doing())?;
                let next = page.offset.max(offset + page.lists.len() as u64);
                lists.extend(page.lists);
                totals.insert(page.total);
                if !page.has_more {
                    break;
                }
                self.refuse_standstill(Some(&offset.to_string()), &next.to_string())?;
                offset = next;
            }
            if totals.len() < 2 || attempt == ATTEMPTS {
                return Ok(lists);
            }
            attempt += 1;
        }
    }

    fn list_row(&self, list: &RecordList) -> Row {
        let mut row = object(list);
        row.insert("id".to_owned(), list.list_id.clone().into());
        self.row(row, None)
    }

    /// A list whose members HubSpot does not give is left out: some answer 400 `INVALID_OBJECT_TYPE_FOR_LIST`
    /// (singer-io/tap-hubspot#299), and one that was deleted meanwhile answers 404.
    async fn memberships(&self, parts: Parts<'_>, found: &mut Found) -> Result<()> {
        let lists = match parts {
            None => self.lists().await?,
            Some(ids) => self.lists_called(ids, found).await?,
        };
        for list in lists {
            match self.members(&list).await {
                Ok(rows) => found.extend(rows),
                Err(Refused::Part(error)) => {
                    tracing::warn!(
                        stream = self.own.name(),
                        "the members of the list {} (`{}`) cannot be read, their rows stay as they are: {error}",
                        list.list_id,
                        list.name
                    );
                    found.unread.insert(list.list_id);
                }
                Err(Refused::Table(error)) => return Err(self.doing().failed(error)),
            }
        }
        Ok(())
    }

    /// The lists of these ids, without those that HubSpot says are gone.
    async fn lists_called(&self, ids: &BTreeSet<String>, found: &mut Found) -> Result<Vec<RecordList>> {
        let mut lists = Vec::new();
        for id in ids {
            match self.client.list(id).await {
                Ok(list) => lists.push(list),
                Err(error) if says_gone(&error) => {}
                Err(error) if is_about_one(&error) => {
                    found.unread.insert(id.clone());
                }
                Err(error) => return Err(self.doing().failed(error)),
            }
        }
        Ok(lists)
    }

    async fn members(&self, list: &RecordList) -> Result<Vec<Row>, Refused> {
        let mut rows = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.client.list_members(&list.list_id, after.as_deref()).await?;
            for member in &page.members {
                let mut row = object(member);
                row.insert("list_id".to_owned(), list.list_id.clone().into());
                row.insert("record_id".to_owned(), member.record_id.clone().into());
                row.insert("object_type_id".to_owned(), list.object_type_id.clone().into());
                rows.push(self.row(row, None));
            }
            let Some(next) = page.after else {
                return Ok(rows);
            };
            if after.as_deref() == Some(&next) {
                let stream = format!("members of the list {}", list.list_id);
                return Err(Refused::Table(ClientError::RepeatedPage { stream, after: next }));
            }
            after = Some(next);
        }
    }

    /// A type whose definitions the token may not read is left out, unless that is every type.
    async fn definitions(&self, parts: Parts<'_>, found: &mut Found) -> Result<()> {
        let shape = self.context.shape();
        let mut types = match self.own {
            OwnStream::Properties => shape.plan.types_with_properties(),
            _ => shape.plan.types_with_pipelines(),
        };
        types.retain(|of| parts.is_none_or(|parts| parts.contains(&*of.name)));
        let mut refused = None;
        for of in &types {
            match self.definitions_of(of).await {
                Ok(rows) => found.extend(rows.into_iter().map(|row| self.row(row, Some(of)))),
                Err(error) if is_about_one(&error) || error.status() == Some(403) => {
                    let scope = of.read_scope();
                    let error = Doing::reading(self.own.name(), Some(&scope)).failed(error);
                    tracing::warn!(stream = self.own.name(), "`{}` is left out: {error}", of.name);
                    found.unread.insert(of.name.to_string());
                    refused = Some(error);
                }
                Err(error) => return Err(self.doing().failed(error)),
            }
        }
        match refused {
            Some(error) if parts.is_none() && found.unread.len() == types.len() => Err(error),
            _ => Ok(()),
        }
    }

    async fn definitions_of(&self, of: &ObjectType) -> Result<Vec<Map<String, Value>>, ClientError> {
        if self.own == OwnStream::Properties {
            let properties = self.client.properties(of.path_name()).await?;
            return Ok(properties.iter().map(|property| typed(of, property)).collect());
        }
        let pipelines = self.client.pipelines(of.path_name()).await?;
        Ok(match self.own {
            OwnStream::PipelineStages => pipelines
                .iter()
                .flat_map(|pipeline| stages(of, pipeline))
                .collect(),
            _ => pipelines
                .iter()
                .map(|pipeline| without_stages(typed(of, pipeline)))
                .collect(),
        })
    }

    fn row(&self, row: Map<String, Value>, object: Option<&Arc<ObjectType>>) -> Row {
        let field = |name: &&str| ((*name).to_owned(), row.get(*name).cloned().unwrap_or_default());
        let key = self.own.key().iter().map(field).collect();
        Row::new(key, Data::Structured(row), object.cloned())
    }
}

/// An error of one part of a table, or of the table.
enum Refused {
    Part(ClientError),
    Table(ClientError),
}

impl From<ClientError> for Refused {
    fn from(error: ClientError) -> Self {
        match is_about_one(&error) {
            true => Self::Part(error),
            false => Self::Table(error),
        }
    }
}

/// HubSpot's own words that there is no such thing.
fn says_gone(error: &ClientError) -> bool {
    match error {
        ClientError::Api(error) => {
            error.status == 404 && (error.category.is_some() || error.message.is_some())
        }
        _ => false,
    }
}

/// Whether HubSpot refused the one thing that it was asked for: neither the token nor the moment is to blame.
pub(in crate::source) fn is_about_one(error: &ClientError) -> bool {
    match error {
        ClientError::Api(error) => {
            (400..500).contains(&error.status)
                && !matches!(error.status, 401 | 403 | 407 | 408)
                && !error.is_retryable()
        }
        _ => false,
    }
}

/// The row that was asked for; another one does not say what became of it.
fn same(row: Row, asked: &Vanished) -> Asked {
    match row.text == asked.text {
        true => Asked::There(row),
        false => Asked::Unsure,
    }
}

/// A row with an id, as HubSpot wrote it in the list of live or of archived ones.
fn raw_row(object: &RawObject, archived: bool) -> Row {
    let key = Map::from_iter([("id".to_owned(), object.id().into())]);
    Row::new(key, Data::Raw(listed::row(object.json(), archived)), None)
}

/// A definition as HubSpot gave it.
fn object(definition: &impl Serialize) -> Map<String, Value> {
    let value =
        serde_json::to_value(definition).expect("a definition was read from JSON and is written as JSON");
    match value {
        Value::Object(row) => row,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// A definition with the object type that it belongs to.
fn typed(of: &ObjectType, definition: &impl Serialize) -> Map<String, Value> {
    let mut row = object(definition);
    row.insert("object_type".to_owned(), Value::from(&*of.name));
    row
}

fn without_stages(mut pipeline: Map<String, Value>) -> Map<String, Value> {
    pipeline.remove("stages");
    pipeline
}

fn stages(of: &ObjectType, pipeline: &hubspot_client::Pipeline) -> Vec<Map<String, Value>> {
    let stage = |stage| {
        let mut row = typed(of, stage);
        row.insert("pipeline_id".to_owned(), Value::from(&*pipeline.id));
        row
    };
    pipeline.stages.iter().map(stage).collect()
}
