//! HubSpot as an [`opencdc::Source`].
//!
//! | File | What it holds | Asks HubSpot |
//! |---|---|---|
//! | `step.rs` | what a stream does next | no |
//! | `feed.rs` | the questions of the change feeds, and what follows their answers | no |
//! | `differ.rs` | what HubSpot has against what is known: the records to deliver | no |
//! | `walk.rs` | what a walk over a list has not shown | no |
//! | `object.rs` | one object type: the loop that carries out what `step.rs` chooses | |
//! | `held.rs` | what a destination holds already of streams that begin | no |
//! | `begin.rs`, `snapshot.rs` | where it begins; the walk over all records | yes |
//! | `poll.rs` | the change feeds, one page at a time | yes |
//! | `acts.rs`, `bin.rs` | comparison, associations, recycle bin, one page at a time | yes |
//! | `resolve.rs` | what became of records that are not where they were | yes |
//! | `absence.rs` | what an association list that is not there means | no |
//! | `reader.rs`, `exact.rs`, `inline.rs`, `history.rs` | the reading itself | yes |
//! | `tables.rs` | owners, pipelines, lists and the like | yes |
//! | `definitions.rs` | new properties, new custom objects | yes |
//! | `audit.rs` | what there is now, for whoever compares it with a copy | yes |
//! | `survey.rs` | how much there is, before anything is read | yes |
//! | `probe.rs` | whether each stream can be read | yes |
//! | `merge.rs`, `context.rs` | all of them at once, as batches with one position | no |
//!
//! # One read
//! A stream begins with a snapshot and goes on with changes, from where its position says. A read that ends when it has
//! caught up asks every question once; one that never ends asks each when it is due. What is known of the copy (see
//! `known`) changes only with the batch that changes the copy.

mod absence;
mod account;
mod acts;
mod audit;
mod begin;
mod bin;
mod context;
mod definitions;
mod differ;
pub(crate) mod exact;
mod feed;
mod held;
mod history;
mod inline;
mod merge;
mod object;
mod poll;
mod probe;
mod reader;
mod resolve;
mod snapshot;
mod step;
mod survey;
mod tables;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use async_stream::try_stream;
use async_trait::async_trait;
use futures_util::{Stream, StreamExt};
use hubspot_client::{Client, Priority};
use opencdc::{
    BatchStream, Catalog, Error, ErrorKind, Inspect, Note, Result, Resume, SelectedStream, Selection, Source,
    StreamName, StreamStatus, Until,
};
use tokio::sync::Mutex;

use crate::config::SourceConfig;
use crate::discovery::Discovery;
use crate::error::answered;
use crate::known::{Known, SharedKnown};
use crate::objects::Capability;
use crate::plan::ObjectPlan;
use crate::position::HubspotPosition;
use crate::status::Board;
use account::Account;
use context::{Context, Progress};
use merge::Make;
use object::ObjectPart;
use reader::Reader;
use step::Goal;

pub use probe::{Probed, Refusal};

/// HubSpot as a source of records.
#[derive(Debug)]
pub struct HubspotSource {
    client: Client,
    config: SourceConfig,
    /// What the last `catalog` found; `read` goes by the same.
    discovered: Mutex<Option<Arc<Discovery>>>,
    board: Board,
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
            board: Board::default(),
        })
    }

    async fn discover(&self) -> Result<Arc<Discovery>> {
        let found = Arc::new(Discovery::of(&self.client, &self.config).await?);
        *self.discovered.lock().await = Some(Arc::clone(&found));
        Ok(found)
    }

    /// A read that has asked nothing yet, with where it begins and what it knows.
    async fn open(
        &self,
        selection: Selection,
        from: Option<Resume>,
    ) -> Result<(Read, HubspotPosition, Known)> {
        let discovery = self.discovery().await.map_err(answered)?;
        check(&selection, &discovery.catalog)?;
        let (position, known) = match from {
            Some(resume) => (
                HubspotPosition::parse(&resume.position)?,
                Known::restore(&resume.notes)?,
            ),
            None => Default::default(),
        };
        let read = Read {
            client: self.client.with_priority(Priority::Snapshot),
            config: self.config.clone(),
            discovery,
            selection,
            board: self.board.clone(),
        };
        Ok((read, position, known))
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
        let found = self.discover().await.map_err(answered)?;
        Ok(found.catalog.clone())
    }

    async fn read(&self, selection: Selection, from: Option<Resume>) -> Result<BatchStream> {
        let (read, position, known) = self.open(selection, from).await?;
        let batches = read.batches(position, known, Vec::new());
        Ok(batches.map(|batch| batch.map_err(answered)).boxed())
    }

    async fn read_into(
        &self,
        selection: Selection,
        from: Option<Resume>,
        rows: Arc<dyn Inspect>,
    ) -> Result<BatchStream> {
        let (read, position, mut known) = self.open(selection, from).await?;
        let notes = held::take_up(&*rows, &read, &position, &mut known).await?;
        let batches = read.batches(position, known, notes);
        Ok(batches.map(|batch| batch.map_err(answered)).boxed())
    }

    fn status(&self) -> Vec<StreamStatus> {
        self.board.all()
    }

    /// By one search of one record, where the type can be searched.
    async fn estimate(&self, stream: &StreamName) -> Option<u64> {
        let discovery = self.discovery().await.ok()?;
        let plan = discovery.plan.of_stream(stream)?;
        if !plan.object.can(Capability::Search) {
            return None;
        }
        let reader = Reader::new(self.client.clone(), plan, Vec::new());
        reader.count().await.ok()
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

/// One read, before it has asked anything.
struct Read {
    client: Client,
    config: SourceConfig,
    discovery: Arc<Discovery>,
    selection: Selection,
    board: Board,
}

impl Read {
    /// What HubSpot refuses comes through here. `learned` are notes of what is known beyond those that are stored; they
    /// are stored before anything else happens.
    fn batches(
        self,
        from: HubspotPosition,
        known: Known,
        learned: Vec<Note>,
    ) -> impl Stream<Item = Result<opencdc::Batch>> + Send {
        try_stream! {
            let account = Account::of(&self.client).await?;
            from.check_portal(&account.portal_id)?;
            let from = self.named(from)?;
            let context = self.context(&account, from, known);
            if let Some(left_out) = self.discovery.plan.left_out() {
                tracing::info!("{left_out}");
            }
            if !learned.is_empty() {
                yield opencdc::Batch { notes: learned, ..context.hand_out(Progress::default()) };
            }
            let refused = self.refusals(&context);
            let parts = self.parts(&context);
            let mut merged = pin!(merge::merge(context, parts, self.more(), refused));
            while let Some(batch) = merged.next().await {
                yield batch?;
            }
        }
    }

    /// A position that names no stream is that of the one selected object.
    fn named(&self, mut from: HubspotPosition) -> Result<HubspotPosition> {
        let Some(only) = from.only.take() else {
            return Ok(from);
        };
        let mut objects = self.discovery.plan.objects.iter();
        match (objects.next(), objects.next()) {
            (Some(object), None) => {
                from.streams.insert(object.stream.clone(), only);
                Ok(from)
            }
            _ => Err(Error::new(
                ErrorKind::Configuration,
                "the position names no stream, and several objects are selected",
            )
            .with_hint("select the one object that the position was made for")),
        }
    }

    fn context(&self, account: &Account, mut position: HubspotPosition, known: Known) -> Context {
        position.portal_id = Some(account.portal_id.to_string());
        let streams = self.selection.streams.iter();
        let selected: BTreeMap<_, _> = streams
            .map(|stream| (stream.name.clone(), stream.fields.clone()))
            .collect();
        let is_whole = |stream: &opencdc::Stream| matches!(selected.get(&stream.name), Some(None));
        let goal = match self.selection.until {
            Until::CaughtUp => Goal::CaughtUp,
            Until::Dropped => Goal::Follow,
        };
        Context::new(context::Facts {
            portal_id: Arc::clone(&account.portal_id),
            goal,
            cutoff: account.cutoff,
            takes_new_streams: self.discovery.catalog.streams.iter().all(is_whole),
            known: SharedKnown::new(known),
            board: self.board.clone(),
            selected,
            shape: Arc::clone(&self.discovery),
            position,
        })
    }

    /// What the token may not read, to be returned at the end of a one-off read; in follow mode it is on the board.
    fn refusals(&self, context: &Context) -> Vec<(StreamName, Error)> {
        let refused = &self.discovery.refused;
        for one in refused {
            let error = one.error();
            tracing::warn!(stream = %one.stream, "{error}; the other streams go on");
            self.board.failed(&one.stream, &error, None);
        }
        match context.goal {
            Goal::Follow => Vec::new(),
            Goal::CaughtUp => refused
                .iter()
                .map(|one| (one.stream.clone(), one.error()))
                .collect(),
        }
    }

    fn parts(&self, context: &Context) -> Vec<(StreamName, Make)> {
        let plan = &self.discovery.plan;
        let objects = plan
            .objects
            .iter()
            .map(|plan| object(self.client.clone(), Arc::clone(plan)));
        let selected = plan
            .own
            .iter()
            .filter(|own| context.is_selected(&own.name().into()));
        let own = selected.map(|own| {
            let (client, own) = (self.client.clone(), *own);
            let make: Make =
                Box::new(move |context: &Context| Some(tables::run(&client, context.clone(), own).boxed()));
            (StreamName::from(own.name()), make)
        });
        objects.chain(own).chain(self.watch(context)).collect()
    }

    fn watch(&self, context: &Context) -> Option<(StreamName, Make)> {
        let (client, config) = (self.client.clone(), self.config.clone());
        let make: Make = Box::new(move |context: &Context| {
            Some(definitions::watch(client.clone(), config.clone(), context.clone()).boxed())
        });
        (context.goal == Goal::Follow).then(|| ("definitions".into(), make))
    }

    /// The parts of objects that were not there before.
    fn more(&self) -> impl Fn(&Context) -> Vec<(StreamName, Make)> + Send + use<> {
        let client = self.client.clone();
        let there = self.discovery.plan.objects.iter().map(|plan| plan.stream.clone());
        let there = std::sync::Mutex::new(there.collect::<BTreeSet<_>>());
        move |context: &Context| {
            let mut there = there.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let shape = context.shape();
            let new = shape
                .plan
                .objects
                .iter()
                .filter(|plan| there.insert(plan.stream.clone()));
            new.map(|plan| object(client.clone(), Arc::clone(plan))).collect()
        }
    }
}

/// The part of one object type.
fn object(client: Client, plan: Arc<ObjectPlan>) -> (StreamName, Make) {
    let stream = plan.stream.clone();
    let make: Make =
        Box::new(move |context: &Context| Some(ObjectPart::new(&client, context, &plan)?.run().boxed()));
    (stream, make)
}
