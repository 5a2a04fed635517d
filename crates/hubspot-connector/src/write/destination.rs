//! HubSpot as a destination of pipelines.
//!
//! Each stream of the source is written by a [`Writer`] of its own. Writes overlap, so that the rate limits are used
//! up whatever a call takes; those about the same record take effect in their order.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use hubspot_client::Client;
use opencdc::{
    Batch, Catalog, Checkpoint, Destination, Error, ErrorKind, KeyMap, Outcome, Result, Stream, StreamName,
};
use tokio::sync::Semaphore;

use super::config::{DEFAULT_CONCURRENCY, DestinationConfig};
use super::order::Lanes;
use super::refusal::Refusal;
use super::shape::Wanted;
use super::writer::{Done, Writer};

/// HubSpot as a destination.
#[derive(Debug)]
pub struct HubspotDestination {
    client: Client,
    config: DestinationConfig,
    keys: Arc<dyn KeyMap>,
    permits: Arc<Semaphore>,
    lanes: Lanes,
    targets: RwLock<Arc<Targets>>,
}

type Targets = BTreeMap<StreamName, Writer>;

/// The records of one stream in a batch, each with its place in the batch.
struct Part<'a> {
    writer: &'a Writer,
    places: Vec<usize>,
    wanted: Vec<Wanted>,
}

/// A batch that was taken apart.
struct Parts<'a> {
    parts: Vec<Part<'a>>,
    /// Outcomes that need no call.
    refused: Vec<(usize, Refusal)>,
}

impl HubspotDestination {
    /// A destination for one pipeline. `keys` is where it remembers which key of the source became which record.
    /// Nothing is called.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the settings cannot work.
    pub fn new(client: Client, config: DestinationConfig, keys: Arc<dyn KeyMap>) -> Result<Self> {
        config.validate()?;
        let permits = config.concurrency.unwrap_or(DEFAULT_CONCURRENCY);
        Ok(Self {
            client,
            config,
            keys,
            permits: Arc::new(Semaphore::new(permits)),
            lanes: Lanes::default(),
            targets: RwLock::default(),
        })
    }

    async fn target(&self, stream: &Stream) -> Result<Writer> {
        let rules = self.config.rules_of(stream.name.as_str());
        let object = rules.object.clone().unwrap_or_else(|| stream.name.to_string());
        let writer = Writer::open(self.client.clone(), &object, rules).await;
        let writer = writer.map_err(|error| error.context(format_args!("stream `{}`", stream.name)))?;
        let types = stream
            .fields
            .iter()
            .map(|field| (field.name.clone(), field.data_type));
        Ok(writer
            .remembering(stream.name.clone(), Arc::clone(&self.keys))
            .sharing(Arc::clone(&self.permits), self.lanes.clone())
            .with_types(types.collect()))
    }

    fn targets(&self) -> Arc<Targets> {
        Arc::clone(&self.targets.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn take_apart<'a>(&self, targets: &'a Targets, batch: &Batch) -> Result<Parts<'a>> {
        let mut parts: BTreeMap<&str, Part<'a>> = BTreeMap::new();
        let mut refused = Vec::new();
        for (at, record) in batch.records.iter().enumerate() {
            let stream = record.stream.as_str();
            let writer = targets.get(&record.stream).ok_or_else(|| not_prepared(stream))?;
            match Wanted::of(record, &self.config.rules_of(stream)) {
                Ok(wanted) => {
                    let part = parts.entry(stream).or_insert_with(|| Part::new(writer));
                    part.places.push(at);
                    part.wanted.push(wanted);
                }
                Err(refusal) => refused.push((at, refusal)),
            }
        }
        Ok(Parts {
            parts: parts.into_values().collect(),
            refused,
        })
    }
}

impl<'a> Part<'a> {
    fn new(writer: &'a Writer) -> Self {
        Self {
            writer,
            places: Vec::new(),
            wanted: Vec::new(),
        }
    }

    async fn write(self) -> Result<Vec<(usize, Outcome)>> {
        let done = self.writer.write(&self.wanted).await?;
        Ok(self
            .places
            .into_iter()
            .zip(done.into_iter().map(outcome))
            .collect())
    }
}

impl Parts<'_> {
    async fn write(self) -> Result<Vec<Outcome>> {
        let written = try_join_all(self.parts.into_iter().map(Part::write)).await?;
        let refused = self.refused.into_iter();
        let refused = refused.map(|(at, refusal)| (at, Outcome::rejected(refusal.to_string())));
        let mut all: Vec<_> = written.into_iter().flatten().chain(refused).collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, outcome)| outcome).collect())
    }
}

fn outcome(done: Done) -> Outcome {
    match done {
        Done::Created { .. } | Done::Updated { .. } | Done::Archived { .. } => Outcome::Written,
        Done::Unchanged { .. } => Outcome::Unchanged,
        Done::Refused(refusal) => Outcome::rejected(refusal.to_string()),
    }
}

fn not_prepared(stream: &str) -> Error {
    let message = format!("stream `{stream}` is written before the destination was prepared for it");
    Error::new(ErrorKind::Internal, message)
}

#[async_trait]
impl Destination for HubspotDestination {
    async fn prepare(&self, catalog: &Catalog) -> Result<()> {
        let mut targets = Targets::new();
        for stream in &catalog.streams {
            targets.insert(stream.name.clone(), self.target(stream).await?);
        }
        *self.targets.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(targets);
        self.lanes.mend();
        Ok(())
    }

    async fn write(&self, batch: Arc<Batch>, _checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
        let targets = self.targets();
        let parts = self.take_apart(&targets, &batch)?;
        // Nothing was awaited: each writer takes its place when this is first polled (promise 4).
        parts.write().await
    }
}
