//! What HubSpot has now, for the comparison with a copy, as if nothing had been delivered.
//!
//! What can be read in two ways is read in the other one (`walk.rs`, `tables.rs`): a misunderstanding that a read and the
//! audit share would agree with itself.

mod again;
mod erased;
mod tables;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use async_stream::try_stream;
use async_trait::async_trait;
use futures_util::StreamExt;
use hubspot_client::Priority;
use jiff::{SignedDuration, Timestamp};
use opencdc::{
    Batch, Data, Error, ErrorKind, Origin, Pages, Position, Record, Result, Resume, SelectedStream,
    Selection, StreamName, Until, metadata_keys,
};
use serde_json::{Map, Value};

use super::account::Account;
use super::context::Context;
use super::differ::Difference;
use super::object::ObjectPart;
use super::{HubspotSource, Read, history};
use crate::discovery::Discovery;
use crate::known::{Edit, Known};
use crate::own::OwnStream;
use crate::plan::ObjectPlan;
use crate::position::{HubspotPosition, StreamPosition};
use crate::record::Facts;
use crate::status::Board;
use again::Again;
use tables::RawTable;

/// A read of some streams that nobody follows: where it stands and what it knows is forgotten afterwards.
pub(super) struct Desk {
    read: Read,
    context: Context,
}

impl HubspotSource {
    /// `known` is what the read believes to have delivered.
    pub(super) async fn desk(&self, streams: &[StreamName], known: Known) -> Result<Desk> {
        let one = |name: &StreamName| SelectedStream {
            name: name.clone(),
            fields: None,
        };
        let read = Read {
            client: self.client.with_priority(Priority::Snapshot),
            config: self.config.clone(),
            discovery: self.discovery().await?,
            selection: Selection {
                streams: streams.iter().map(one).collect(),
                until: Until::CaughtUp,
            },
            board: Board::default(),
        };
        super::check(&read.selection, &read.discovery.catalog)?;
        let account = Account::of(&read.client).await?;
        let context = read.context(&account, HubspotPosition::default(), known);
        Ok(Desk { read, context })
    }

    /// All rows of a selected table as they are now, each as if it was new.
    pub(crate) async fn table(&self, own: OwnStream) -> Result<Vec<Record>> {
        let desk = self.desk(&[own.name().into()], Known::default()).await?;
        Ok(desk.table(own).await?.records)
    }
}

impl Desk {
    pub(super) fn discovery(&self) -> &Discovery {
        &self.read.discovery
    }

    pub(super) fn part(&self, plan: &Arc<ObjectPlan>) -> Option<ObjectPart> {
        ObjectPart::new(&self.read.client, &self.context, plan)
    }

    /// All rows of a table, each as if it was new.
    pub(super) async fn table(&self, own: OwnStream) -> Result<super::context::Progress> {
        let rows = super::tables::run(&self.read.client, self.context.clone(), own);
        let first = Box::pin(rows).next().await;
        first.unwrap_or_else(|| Ok(super::context::Progress::default()))
    }

    /// The same rows, decoded in another way than a read decodes them.
    async fn raw_table(&self, own: OwnStream) -> Result<Vec<Record>> {
        let facts = Facts::new(own.name().into(), &self.context.portal_id, None);
        let table = RawTable {
            client: &self.read.client,
            plan: &self.discovery().plan,
            own,
            facts: &facts,
        };
        table.records().await
    }

    /// The rows of these keys of a table, or their deletes.
    async fn table_again(&self, own: OwnStream, keys: &[Map<String, Value>]) -> Result<Difference> {
        super::tables::again(&self.read.client, self.context.clone(), own, keys).await
    }

    /// The selected tables.
    pub(super) fn tables(&self) -> Vec<OwnStream> {
        let all = self.discovery().plan.own.iter().copied();
        all.filter(|own| self.context.is_selected(&own.name().into()))
            .collect()
    }
}

#[async_trait]
impl Origin for HubspotSource {
    async fn comparable(&self) -> Result<Vec<StreamName>> {
        let discovery = self.discovery().await?;
        let names = discovery.catalog.streams.iter().map(|stream| &stream.name);
        Ok(names.cloned().collect())
    }

    /// The histories: a copy keeps values that HubSpot has forgotten since.
    async fn forgetful(&self) -> Result<Vec<StreamName>> {
        let discovery = self.discovery().await?;
        let objects = discovery.plan.objects.iter();
        let histories = objects.filter_map(|plan| Some(plan.history.as_ref()?.stream.clone()));
        Ok(histories.collect())
    }

    async fn refused(&self) -> Result<Vec<(StreamName, Error)>> {
        let discovery = self.discovery().await?;
        let refused = discovery.refused.iter();
        Ok(refused.map(|one| (one.stream.clone(), one.error())).collect())
    }

    /// HubSpot's clock as its answers tell it, in whole seconds: the end of the present one.
    async fn time(&self) -> Result<SystemTime> {
        Account::of(&self.client).await?;
        let now = self.client.server_time().unwrap_or_else(Timestamp::now);
        let second = now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now);
        Ok(second.into())
    }

    /// Of associations, whose changes are found with those of the records at their ends: what both ends have reached.
    async fn reached(&self, position: &Position, stream: &StreamName) -> Result<Option<SystemTime>> {
        let position = HubspotPosition::parse(position)?;
        let discovery = self.discovery().await?;
        let reached = match discovery.plan.pair(stream) {
            Some((from, target)) => {
                let to = discovery.plan.object(&target.object).map(|to| &to.stream);
                let ends = [Some(&from.stream), to];
                ends.into_iter()
                    .flatten()
                    .filter_map(|end| reached(&position, end))
                    .min()
            }
            None => reached(&position, stream),
        };
        Ok(reached.map(SystemTime::from))
    }

    async fn walk(&self, streams: &[StreamName], position: &Position) -> Result<Pages> {
        let desk = self.desk(streams, Known::default()).await?;
        let position = HubspotPosition::parse(position)?;
        position.check_portal(&desk.context.portal_id)?;
        let pages = try_stream! {
            for plan in desk.discovery().plan.objects.clone() {
                let Some(part) = desk.part(&as_copied(&plan, &position)) else { continue };
                let mut pages = Box::pin(walk::object(part));
                while let Some(page) = pages.next().await {
                    yield page?;
                }
            }
            for own in desk.tables() {
                yield desk.raw_table(own).await?;
            }
        };
        Ok(pages.boxed())
    }

    async fn erased(&self, from: &Resume, streams: &[StreamName]) -> Result<Vec<Record>> {
        let discovery = self.discovery().await?;
        erased::deletes(&discovery, from, streams)
    }

    async fn again(&self, stream: &StreamName, keys: &[Data]) -> Result<Vec<Record>> {
        Ok(Again::of(self, stream).await?.read(self, keys).await?.records)
    }

    async fn amend(&self, from: &Resume, keys: &BTreeMap<StreamName, Vec<Data>>) -> Result<Batch> {
        let mut known = Known::restore(&from.notes)?;
        let position = HubspotPosition::parse(&from.position)?;
        let now = self.client.server_time().unwrap_or_else(Timestamp::now);
        let mut batch = Batch::new(Vec::new(), from.position.clone()).current();
        for (stream, keys) in keys {
            let mut difference = Again::of(self, stream).await?.read(self, keys).await?;
            if is_blind(&position, stream, now) {
                difference.edits.retain(|edit| !matches!(edit, Edit::Lost(..)));
            }
            let forgotten = self.forget(&position, stream, &difference.records).await?;
            batch.records.extend(difference.records);
            batch.records.extend(forgotten);
            batch.notes.extend(known.apply(difference.edits));
        }
        Ok(batch)
    }
}

impl HubspotSource {
    /// What goes from the history of records that are erased, where the copy at `position` has it.
    async fn forget(
        &self,
        position: &HubspotPosition,
        stream: &StreamName,
        records: &[Record],
    ) -> Result<Vec<Record>> {
        let discovery = self.discovery().await?;
        let Some(plan) = discovery.plan.of_stream(stream) else {
            return Ok(Vec::new());
        };
        let history = plan.history.as_ref().map(|history| &history.stream);
        let (Some(history), Some(portal_id)) = (history, &position.portal_id) else {
            return Ok(Vec::new());
        };
        if !position.streams.contains_key(history) {
            return Ok(Vec::new());
        }
        let facts = Facts::new(history.clone(), &portal_id.as_str().into(), Some(&plan.object));
        let is_purged =
            |record: &&Record| record.metadata.get(metadata_keys::DELETE_REASON) == Some("purged");
        let mut ids = Vec::new();
        for record in records.iter().filter(is_purged) {
            ids.extend(
                record
                    .key
                    .to_object()?
                    .get("id")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
        }
        Ok(history::forget(ids.iter().map(String::as_str), &facts))
    }
}

/// What search has not shown for sure, and what went to the recycle bin since it was read, is on its way.
fn reached(position: &HubspotPosition, stream: &StreamName) -> Option<Timestamp> {
    Some(match position.streams.get(stream)? {
        StreamPosition::Cdc(cdc) => cdc.delayed.timestamp.min(cdc.archived.last),
        StreamPosition::Snapshot(snapshot) => snapshot.initial_timestamp,
        StreamPosition::Complete(complete) => complete.initial_timestamp,
    })
}

/// Whether a record may have come to the recycle bin and left it since the last walk over it, see [`crate::position::Cdc`].
fn is_blind(position: &HubspotPosition, stream: &StreamName, now: Timestamp) -> bool {
    match position.streams.get(stream) {
        Some(StreamPosition::Cdc(cdc)) => cdc.blind.is_some() || super::bin::is_overdue(cdc, now),
        _ => true,
    }
}

/// The same object, of which the copy need not have everything: one that began without a snapshot has what changed since.
fn as_copied(plan: &Arc<ObjectPlan>, position: &HubspotPosition) -> Arc<ObjectPlan> {
    let begun = match position.streams.get(&plan.stream) {
        Some(StreamPosition::Cdc(cdc)) if !plan.snapshot => Some(cdc.initial_timestamp),
        _ => return Arc::clone(plan),
    };
    Arc::new(ObjectPlan {
        updated_after: plan.updated_after.max(begun),
        ..ObjectPlan::clone(plan)
    })
}

fn cannot_compare(stream: &StreamName) -> Error {
    let message = format!("the stream `{stream}` cannot be compared with HubSpot");
    Error::new(ErrorKind::Configuration, message)
}
