//! Streams that are no CRM objects: owners, pipelines, stages, properties. Small enough for one batch each.

use std::sync::Arc;

use async_stream::try_stream;
use futures_util::Stream;
use hubspot_client::Client;
use opencdc::{Record, Result};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Progress, step};
use crate::error::{Doing, OrFailed};
use crate::objects::ObjectType;
pub(super) use crate::plan::OwnStream;
use crate::plan::Plan;
use crate::position::StreamPosition;
use crate::record::Facts;

const OWNERS_SCOPE: &str = "crm.objects.owners.read";

/// Reads a stream whole.
pub(super) fn read(
    client: Client,
    portal_id: &Arc<str>,
    plan: &Plan,
    own: OwnStream,
    state: &StreamPosition,
) -> impl Stream<Item = Result<Progress>> + Send + use<> {
    let reader = Reader {
        client,
        portal_id: Arc::clone(portal_id),
        own,
        types: match own {
            OwnStream::Owners => Vec::new(),
            OwnStream::Pipelines | OwnStream::PipelineStages => plan.types_with_pipelines(),
            OwnStream::Properties => plan.types_with_properties(),
        },
    };
    let states = vec![(own.name().into(), step::after_page(state, None, None))];
    try_stream! {
        let records = reader.records().await?;
        yield Progress { states, records };
    }
}

struct Reader {
    client: Client,
    portal_id: Arc<str>,
    own: OwnStream,
    types: Vec<Arc<ObjectType>>,
}

impl Reader {
    async fn records(&self) -> Result<Vec<Record>> {
        if self.own == OwnStream::Owners {
            return self.owners().await;
        }
        let mut records = Vec::new();
        for object in &self.types {
            records.extend(self.of_type(object).await?);
        }
        Ok(records)
    }

    /// Archived owners come only when asked for, and then alone (hubspot-api notes §2.4).
    async fn owners(&self) -> Result<Vec<Record>> {
        let facts = Facts::new(self.own.name().into(), &self.portal_id, None);
        let mut records = Vec::new();
        for archived in [false, true] {
            let mut after: Option<String> = None;
            loop {
                let doing = Doing::reading(self.own.name(), Some(OWNERS_SCOPE));
                let page = self
                    .client
                    .owners(after.as_deref(), archived)
                    .await
                    .or_failed(doing)?;
                records.extend(facts.read_now().snapshots(&page.results));
                let Some(next) = page.next else { break };
                refuse_standstill(after.as_deref(), &next.after).or_failed(doing)?;
                after = Some(next.after);
            }
        }
        Ok(records)
    }

    async fn of_type(&self, object: &ObjectType) -> Result<Vec<Record>> {
        let facts = Facts::new(self.own.name().into(), &self.portal_id, Some(object));
        let facts = facts.read_now();
        let rows = self.rows(object).await?;
        Ok(rows.into_iter().map(|row| facts.row(self.key(), row)).collect())
    }

    async fn rows(&self, object: &ObjectType) -> Result<Vec<Map<String, Value>>> {
        let scope = object.read_scope();
        let doing = Doing::reading(self.own.name(), Some(&scope));
        if self.own == OwnStream::Properties {
            let properties = self
                .client
                .properties(object.path_name())
                .await
                .or_failed(doing)?;
            return Ok(properties.iter().map(|property| row(object, property)).collect());
        }
        let pipelines = self.client.pipelines(object.path_name()).await.or_failed(doing)?;
        Ok(match self.own {
            OwnStream::PipelineStages => pipelines
                .iter()
                .flat_map(|pipeline| stages(object, pipeline))
                .collect(),
            _ => pipelines
                .iter()
                .map(|pipeline| without_stages(row(object, pipeline)))
                .collect(),
        })
    }

    fn key(&self) -> &'static [&'static str] {
        match self.own {
            OwnStream::Owners => &["id"],
            OwnStream::Pipelines => &["object_type", "id"],
            OwnStream::PipelineStages => &["object_type", "pipeline_id", "id"],
            OwnStream::Properties => &["object_type", "name"],
        }
    }
}

fn refuse_standstill(after: Option<&str>, next: &str) -> Result<(), hubspot_client::Error> {
    if after == Some(next) {
        let stream = OwnStream::Owners.name().to_owned();
        return Err(hubspot_client::Error::RepeatedPage {
            stream,
            after: next.to_owned(),
        });
    }
    Ok(())
}

/// The definition as HubSpot gave it, and whose it is.
fn row(object: &ObjectType, definition: &impl Serialize) -> Map<String, Value> {
    let value =
        serde_json::to_value(definition).expect("a definition was read from JSON and is written as JSON");
    let mut row = match value {
        Value::Object(row) => row,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    row.insert("object_type".to_owned(), Value::from(&*object.name));
    row
}

fn without_stages(mut pipeline: Map<String, Value>) -> Map<String, Value> {
    pipeline.remove("stages");
    pipeline
}

fn stages(object: &ObjectType, pipeline: &hubspot_client::Pipeline) -> Vec<Map<String, Value>> {
    let stage = |stage| {
        let mut row = row(object, stage);
        row.insert("pipeline_id".to_owned(), Value::from(&*pipeline.id));
        row
    };
    pipeline.stages.iter().map(stage).collect()
}
