//! What HubSpot has now, for whoever compares it with a copy: read as a snapshot reads it, by the same code, as if nothing
//! had been delivered.

mod again;

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
    Selection, StreamName, Until,
};

use super::account::Account;
use super::context::Context;
use super::object::ObjectPart;
use super::{HubspotSource, Read, snapshot, tables};
use crate::discovery::{Discovery, Refused};
use crate::known::{Edit, Known};
use crate::own::OwnStream;
use crate::plan::ObjectPlan;
use crate::position::{HubspotPosition, Snapshot, StreamPosition};
use crate::status::Board;
use again::Again;

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
        let rows = tables::run(&self.read.client, self.context.clone(), own);
        let first = Box::pin(rows).next().await;
        first.unwrap_or_else(|| Ok(super::context::Progress::default()))
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
    /// All but the histories: a copy keeps values that HubSpot has forgotten since.
    async fn comparable(&self) -> Result<Vec<StreamName>> {
        let discovery = self.discovery().await?;
        let objects = discovery.plan.objects.iter();
        let histories: Vec<_> = objects
            .filter_map(|plan| Some(&plan.history.as_ref()?.stream))
            .collect();
        let names = discovery.catalog.streams.iter().map(|stream| &stream.name);
        Ok(names.filter(|name| !histories.contains(name)).cloned().collect())
    }

    async fn refused(&self) -> Result<Option<Error>> {
        let discovery = self.discovery().await?;
        Ok(discovery.refused.first().map(Refused::error))
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
                let Some(mut part) = desk.part(&as_copied(&plan, &position)) else { continue };
                let begin = Snapshot::from(desk.context.cutoff);
                let mut pages = Box::pin(snapshot::walk(&mut part, begin));
                while let Some(page) = pages.next().await {
                    yield page?.0.records;
                }
            }
            for own in desk.tables() {
                yield desk.table(own).await?.records;
            }
        };
        Ok(pages.boxed())
    }

    async fn again(&self, stream: &StreamName, keys: &[Data]) -> Result<Vec<Record>> {
        Ok(Again::of(self, stream).await?.read(self, keys).await?.records)
    }

    async fn amend(&self, from: &Resume, keys: &BTreeMap<StreamName, Vec<Data>>) -> Result<Batch> {
        let mut known = Known::restore(&from.notes)?;
        let position = HubspotPosition::parse(&from.position)?;
        let now = self.client.server_time().unwrap_or_else(Timestamp::now);
        let mut batch = Batch::new(Vec::new(), from.position.clone());
        for (stream, keys) in keys {
            let mut difference = Again::of(self, stream).await?.read(self, keys).await?;
            if is_blind(&position, stream, now) {
                difference.edits.retain(|edit| !matches!(edit, Edit::Lost(..)));
            }
            batch.records.extend(difference.records);
            batch.notes.extend(known.apply(difference.edits));
        }
        Ok(batch)
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
