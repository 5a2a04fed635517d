//! Streams that are no CRM objects: read whole, and compared with what was delivered.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_stream::try_stream;
use futures_util::Stream;
use hubspot_client::request::lists::ListSearch;
use hubspot_client::request::resources::ResourceList;
use hubspot_client::{Client, RawObject, RecordList, Resource};
use opencdc::{Data, Operation, Record, Result};
use serde::Serialize;
use serde_json::{Map, Value};

use super::context::{Context, Progress};
use super::step::Goal;
use crate::error::{Doing, OrFailed};
use crate::known::Edit;
use crate::known::digest::{self, Compared};
use crate::objects::ObjectType;
use crate::own::OwnStream;
use crate::position::{Complete, StreamPosition};
use crate::record::Facts;

/// One row of a table.
struct Row {
    key: Map<String, Value>,
    after: Data,
    object: Option<Arc<ObjectType>>,
}

/// Reads a table, and again whenever it is time.
pub(super) fn run(
    client: &Client,
    context: Context,
    own: OwnStream,
) -> impl Stream<Item = Result<Progress>> + Send + use<> {
    let table = Table {
        client: client.with_own_tally(),
        context,
        own,
    };
    try_stream! {
        loop {
            let progress = table.read().await?;
            let stream = own.name().into();
            table.context.board.count(&stream, progress.records.len() as u64, table.client.calls());
            yield progress;
            table.context.board.caught_up(&stream);
            if table.context.goal == Goal::CaughtUp {
                break;
            }
            tokio::time::sleep(table.context.shape().plan.refresh).await;
        }
    }
}

struct Table {
    client: Client,
    context: Context,
    own: OwnStream,
}

impl Table {
    async fn read(&self) -> Result<Progress> {
        let begun = self.context.now(&self.client);
        let rows = self.rows().await?;
        let is_first = self.context.position_of(&self.own.name().into()).is_none();
        let (records, edits) = self.differ(
            &rows,
            if is_first {
                Operation::Snapshot
            } else {
                Operation::Create
            },
        );
        let state = StreamPosition::Complete(Complete {
            initial_timestamp: begun,
            open: None,
        });
        self.context.board.at(&self.own.name().into(), &state);
        Ok(Progress {
            states: vec![(self.own.name().into(), state)],
            records,
            edits,
            shape: None,
        })
    }

    /// The rows that are new, differ, or are gone.
    fn differ(&self, rows: &[Row], new: Operation) -> (Vec<Record>, Vec<Edit>) {
        let stream = self.own.name().into();
        let mut known = self.context.known.lock();
        let known = &known.of(&stream).rows;
        let mut gone: BTreeSet<&str> = known.keys().map(|key| &**key).collect();
        let (mut records, mut edits) = (Vec::new(), Vec::new());
        for row in rows {
            let text = serde_json::to_string(&row.key).expect("a key is always serialisable");
            let digest = digest::of_json(&row.after.to_json());
            gone.remove(&*text);
            let operation = match known.get(&text).map(|before| digest.compare(*before)) {
                Some(Compared::Same) => continue,
                Some(Compared::SameText) => {
                    edits.push((text, Some(digest.value)));
                    continue;
                }
                Some(Compared::Differs) => Operation::Update,
                None => new,
            };
            let facts = self.facts(row.object.as_deref());
            records.push(
                facts
                    .read_now()
                    .row(operation, row.key.clone(), Some(row.after.clone())),
            );
            edits.push((text, Some(digest.value)));
        }
        for key in gone {
            let parsed = serde_json::from_str(key).unwrap_or_default();
            records.push(self.facts(None).read_now().row(Operation::Delete, parsed, None));
            edits.push((key.to_owned(), None));
        }
        (records, vec![Edit::Rows(stream, edits)])
    }

    fn facts(&self, object: Option<&ObjectType>) -> Facts {
        Facts::new(self.own.name().into(), &self.context.portal_id, object)
    }

    fn doing(&self) -> Doing<'_> {
        Doing::reading(self.own.name(), self.own.scope())
    }

    async fn rows(&self) -> Result<Vec<Row>> {
        match self.own {
            OwnStream::Owners => self.owners().await,
            OwnStream::Schemas => self.schemas().await,
            OwnStream::Lists => Ok(self
                .lists()
                .await?
                .iter()
                .map(|list| self.list_row(list))
                .collect()),
            OwnStream::ListMemberships => self.memberships().await,
            OwnStream::Pipelines | OwnStream::PipelineStages | OwnStream::Properties => {
                self.definitions().await
            }
            OwnStream::Resource(resource) => self.resources(resource).await,
        }
    }

    /// Archived ones are marked so; HubSpot lists them apart (hubspot-api notes §2.8).
    async fn resources(&self, resource: Resource) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for archived in [false, true] {
            let mut list = ResourceList::new(resource).with_archived(archived);
            loop {
                let page = self.client.list_resources(&list).await.or_failed(self.doing())?;
                rows.extend(page.results.iter().map(raw_row));
                let Some(next) = page.next else { break };
                self.refuse_standstill(list.after.as_deref(), &next.after)?;
                list = list.with_after(next.after);
            }
        }
        Ok(rows)
    }

    fn row(&self, row: Map<String, Value>, object: Option<&Arc<ObjectType>>) -> Row {
        let field = |name: &&str| ((*name).to_owned(), row.get(*name).cloned().unwrap_or_default());
        Row {
            key: self.own.key().iter().map(field).collect(),
            after: Data::Structured(row),
            object: object.cloned(),
        }
    }

    /// Archived owners come only when asked for, and then alone (hubspot-api notes §2.4).
    async fn owners(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for archived in [false, true] {
            let mut after: Option<String> = None;
            loop {
                let page = self
                    .client
                    .owners(after.as_deref(), archived)
                    .await
                    .or_failed(self.doing())?;
                rows.extend(page.results.iter().map(raw_row));
                let Some(next) = page.next else { break };
                self.refuse_standstill(after.as_deref(), &next.after)?;
                after = Some(next.after);
            }
        }
        Ok(rows)
    }

    fn refuse_standstill(&self, after: Option<&str>, next: &str) -> Result<()> {
        if after != Some(next) {
            return Ok(());
        }
        let error = hubspot_client::Error::RepeatedPage {
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

    async fn lists(&self) -> Result<Vec<RecordList>> {
        let mut lists: Vec<RecordList> = Vec::new();
        loop {
            let search = ListSearch {
                offset: lists.len() as u64,
                ..ListSearch::default()
            };
            let page = self.client.search_lists(&search).await.or_failed(self.doing())?;
            let more = page.has_more && !page.lists.is_empty();
            lists.extend(page.lists);
            if !more {
                return Ok(lists);
            }
        }
    }

    fn list_row(&self, list: &RecordList) -> Row {
        let mut row = object(list);
        row.insert("id".to_owned(), list.list_id.clone().into());
        self.row(row, None)
    }

    async fn memberships(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for list in self.lists().await? {
            let mut after: Option<String> = None;
            loop {
                let page = self
                    .client
                    .list_members(&list.list_id, after.as_deref())
                    .await
                    .or_failed(self.doing())?;
                for member in &page.members {
                    let mut row = object(member);
                    row.insert("list_id".to_owned(), list.list_id.clone().into());
                    row.insert("record_id".to_owned(), member.record_id.clone().into());
                    row.insert("object_type_id".to_owned(), list.object_type_id.clone().into());
                    rows.push(self.row(row, None));
                }
                let Some(next) = page.after else { break };
                self.refuse_standstill(after.as_deref(), &next)?;
                after = Some(next);
            }
        }
        Ok(rows)
    }

    async fn definitions(&self) -> Result<Vec<Row>> {
        let shape = self.context.shape();
        let types = match self.own {
            OwnStream::Properties => shape.plan.types_with_properties(),
            _ => shape.plan.types_with_pipelines(),
        };
        let mut rows = Vec::new();
        for object in &types {
            let of_type = self.definitions_of(object).await?;
            rows.extend(of_type.into_iter().map(|row| self.row(row, Some(object))));
        }
        Ok(rows)
    }

    async fn definitions_of(&self, of: &ObjectType) -> Result<Vec<Map<String, Value>>> {
        let scope = of.read_scope();
        let doing = Doing::reading(self.own.name(), Some(&scope));
        if self.own == OwnStream::Properties {
            let properties = self.client.properties(of.path_name()).await.or_failed(doing)?;
            return Ok(properties.iter().map(|property| typed(of, property)).collect());
        }
        let pipelines = self.client.pipelines(of.path_name()).await.or_failed(doing)?;
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
}

/// Something with an id, as HubSpot wrote it.
fn raw_row(object: &RawObject) -> Row {
    Row {
        key: Map::from_iter([("id".to_owned(), object.id().into())]),
        after: Data::Raw(object.json().clone()),
        object: None,
    }
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

/// The same, and whose it is.
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
