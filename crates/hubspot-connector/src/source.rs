//! HubSpot as an [`opencdc::Source`].
//!
//! | File | What it holds |
//! |---|---|
//! | `step.rs` | the states of a stream and what follows what; pure |
//! | `walk.rs` | one object type page by page: records, associations, deletes |
//! | `inline.rs` | associations that came with the records; pure |
//! | `exact.rs` | associations read for themselves, where those were not enough |
//! | `own.rs` | owners, pipelines, stages, properties |
//! | `merge.rs` | all of them at once, as batches with one position |
//! | `account.rs` | which account, and what time it is there |
//!
//! # One pass
//! A read takes a cutoff first and then walks each selected object by id. The position of a batch says for every
//! stream how far it is. A read from a position in the middle goes on there; a read from a position whose streams
//! are all complete is a new pass: everything again, and deletes for what went to the recycle bin since the pass
//! before. A stream that the position does not know begins at the start while the others keep their place.

mod account;
mod exact;
mod inline;
mod merge;
mod own;
mod step;
mod walk;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use async_stream::try_stream;
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use hubspot_client::request::search::SearchRequest;
use hubspot_client::{Client, Priority};
use opencdc::{
    Batch, BatchStream, Catalog, Error, ErrorKind, Record, Result, Resume, SelectedStream, Selection, Source,
    StreamName,
};
use tokio::sync::Mutex;

use crate::config::SourceConfig;
use crate::discovery::Discovery;
use crate::objects::Capability;
use crate::plan::ObjectPlan;
use crate::position::{HubspotPosition, StreamPosition};
use account::Account;
use step::Pass;
use walk::{Walk, WalkPart};

/// Records that some streams yielded, and where those streams stand after them.
#[derive(Debug)]
struct Progress {
    states: Vec<(StreamName, StreamPosition)>,
    records: Vec<Record>,
}

/// What one part of a read yields.
type Part = BoxStream<'static, Result<Progress>>;

/// HubSpot as a source of records.
#[derive(Debug)]
pub struct HubspotSource {
    client: Client,
    config: SourceConfig,
    /// What the last `catalog` found; `read` goes by the same.
    discovered: Mutex<Option<Arc<Discovery>>>,
}

impl HubspotSource {
    /// A source of these streams. Nothing is asked of HubSpot yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for what is wrong whatever the account holds.
    pub fn new(client: Client, config: SourceConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self {
            client,
            config,
            discovered: Mutex::default(),
        })
    }

    async fn discover(&self) -> Result<Arc<Discovery>> {
        let found = Arc::new(Discovery::of(&self.client, &self.config).await?);
        *self.discovered.lock().await = Some(Arc::clone(&found));
        Ok(found)
    }

    async fn discovery(&self) -> Result<Arc<Discovery>> {
        let known = self.discovered.lock().await.clone();
        match known {
            Some(known) => Ok(known),
            None => self.discover().await,
        }
    }
}

#[async_trait]
impl Source for HubspotSource {
    async fn catalog(&self) -> Result<Catalog> {
        Ok(self.discover().await?.catalog.clone())
    }

    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream> {
        let from = from.map(|resume| resume.position);
        let discovery = self.discovery().await?;
        check(&selection, &discovery.catalog)?;
        let from = from
            .as_ref()
            .map(HubspotPosition::parse)
            .transpose()?
            .unwrap_or_default();
        let client = self.client.with_priority(Priority::Snapshot);
        Ok(batches(client, discovery, selection, from).boxed())
    }

    /// By one search of one record, where the type can be searched.
    async fn estimate(&self, stream: &StreamName) -> Option<u64> {
        let discovery = self.discovery().await.ok()?;
        let plan = discovery
            .plan
            .objects
            .iter()
            .find(|plan| plan.stream == *stream)?;
        if !plan.object.can(Capability::Search) {
            return None;
        }
        let one = SearchRequest::new().with_limit(1);
        Some(
            self.client
                .search(plan.object.path_name(), &one)
                .await
                .ok()?
                .total,
        )
    }
}

fn check(selection: &Selection, catalog: &Catalog) -> Result<()> {
    let unknown = |selected: &&SelectedStream| catalog.stream(selected.name.as_str()).is_none();
    let Some(selected) = selection.streams.iter().find(unknown) else {
        return Ok(());
    };
    let names: Vec<_> = catalog
        .streams
        .iter()
        .map(|stream| format!("`{}`", stream.name))
        .collect();
    let message = format!("there is no stream `{}`", selected.name);
    Err(Error::new(ErrorKind::Configuration, message)
        .with_hint(format!("the streams are {}", names.join(", "))))
}

/// The batches of one read. What HubSpot refuses comes through here.
fn batches(
    client: Client,
    discovery: Arc<Discovery>,
    selection: Selection,
    from: HubspotPosition,
) -> impl Stream<Item = Result<Batch>> + Send {
    try_stream! {
        let account = Account::of(&client).await?;
        from.check_portal(&account.portal_id)?;
        let read = Read::new(client, &account, &discovery, &selection, from);
        let mut merged = pin!(merge::merge(read.parts(), read.position, selection.until));
        while let Some(batch) = merged.next().await {
            yield batch?;
        }
    }
}

/// One read: what is selected, and where each selected stream begins.
struct Read<'a> {
    client: Client,
    portal_id: Arc<str>,
    discovery: &'a Discovery,
    selected: BTreeMap<&'a StreamName, &'a SelectedStream>,
    /// Where all streams stand before the first batch. Streams that are not selected keep their place.
    position: HubspotPosition,
}

impl<'a> Read<'a> {
    fn new(
        client: Client,
        account: &Account,
        discovery: &'a Discovery,
        selection: &'a Selection,
        from: HubspotPosition,
    ) -> Self {
        let selected: BTreeMap<_, _> = selection
            .streams
            .iter()
            .map(|stream| (&stream.name, stream))
            .collect();
        let pass = Pass::of(selected.keys().map(|name| from.streams.get(*name)));
        let objects: Vec<_> = discovery.plan.objects.iter().map(|plan| &plan.stream).collect();
        let mut position = HubspotPosition {
            portal_id: Some(account.portal_id.to_string()),
            streams: from.streams,
        };
        for name in selected.keys() {
            let stored = position.streams.get(*name);
            let begun = step::begin(stored, pass, account.cutoff, objects.contains(name));
            position.streams.insert((*name).clone(), begun);
        }
        Self {
            client,
            portal_id: Arc::clone(&account.portal_id),
            discovery,
            selected,
            position,
        }
    }

    fn parts(&self) -> Vec<Part> {
        let objects = self
            .discovery
            .plan
            .objects
            .iter()
            .flat_map(|plan| self.walks(plan));
        let walks = objects.map(|walk| walk.run().boxed());
        walks.chain(self.own()).collect()
    }

    /// Where a stream begins, when it is selected and not complete.
    fn begins(&self, stream: &StreamName) -> Option<StreamPosition> {
        let selected = self.selected.contains_key(stream);
        let state = self
            .position
            .streams
            .get(stream)
            .filter(|state| selected && !state.is_complete());
        state.cloned()
    }

    /// The walks over one object type: one, unless its streams stand in different places.
    fn walks(&self, plan: &Arc<ObjectPlan>) -> Vec<Walk> {
        let records = self.begins(&plan.stream).map(|state| {
            let properties = self.discovery.properties_of(plan, self.selected[&plan.stream]);
            (state, WalkPart::Records(properties))
        });
        let target = |n: usize| Some((self.begins(&plan.targets[n].stream)?, WalkPart::Target(n)));
        let targets = (0..plan.targets.len()).filter_map(target);
        let groups = step::together(records.into_iter().chain(targets));
        let walk = |(state, parts)| Walk::new(self.client.clone(), &self.portal_id, plan, state, parts);
        groups.into_iter().map(walk).collect()
    }

    fn own(&self) -> impl Iterator<Item = Part> + '_ {
        let begun = |own: &own::OwnStream| Some((*own, self.begins(&own.name().into())?));
        let begun = self.discovery.plan.own.iter().filter_map(begun);
        begun.map(|(own, state)| {
            own::read(
                self.client.clone(),
                &self.portal_id,
                &self.discovery.plan,
                own,
                &state,
            )
            .boxed()
        })
    }
}
