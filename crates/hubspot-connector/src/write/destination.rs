//! HubSpot as a destination of pipelines.
//!
//! Each stream of the source is written by a [`Writer`] of its own. Writes overlap, so that the rate limits are used
//! up whatever a call takes; those about the same record take effect in their order.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use futures_util::future::join_all;
use hubspot_client::Client;
use opencdc::{
    Batch, Catalog, Checkpoint, Destination, Error, ErrorKind, KeyMap, Outcome, Record, Result, Stream,
    StreamName,
};
use tokio::sync::Semaphore;

use super::cms::{CmsWriter, Kind};
use super::config::{DEFAULT_CONCURRENCY, DestinationConfig, WriteRules};
use super::order::Lanes;
use super::pairs::{PairWriter, Side};
use super::shape::{Wanted, key_of};
use super::writer::{Done, Writer};
use crate::discovery::Objects;
use crate::objects::{self, ObjectType};

/// HubSpot as a destination.
#[derive(Debug)]
pub struct HubspotDestination {
    client: Client,
    config: DestinationConfig,
    keys: Arc<dyn KeyMap>,
    permits: Arc<Semaphore>,
    lanes: Lanes,
    targets: RwLock<Arc<Targets>>,
    reach: Reach,
}

/// What keeps some object types away.
struct Reach(Box<MayReach>);

type MayReach = dyn Fn(&ObjectType) -> Result<()> + Send + Sync;

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reach")
    }
}

type Targets = BTreeMap<StreamName, Target>;

/// What a stream is written to.
#[derive(Debug)]
enum Target {
    Object(Box<Writer>),
    Pairs(Box<PairWriter>),
    Cms(Box<CmsWriter>),
}

/// The records of one stream in a batch, each with its place in the batch.
struct Part<'a> {
    target: &'a Target,
    stream: &'a StreamName,
    places: Vec<usize>,
    records: Vec<&'a Record>,
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
            reach: Reach(Box::new(|_| Ok(()))),
        })
    }

    /// The same destination, which writes to an object type only when `may_reach` has nothing against it.
    #[must_use]
    pub fn reaching(self, may_reach: impl Fn(&ObjectType) -> Result<()> + Send + Sync + 'static) -> Self {
        let reach = Reach(Box::new(may_reach));
        Self { reach, ..self }
    }

    /// The object type that a person calls so.
    async fn object(&self, objects: &Objects, name: &str) -> Result<ObjectType> {
        let object = objects.find(name).await?;
        (self.reach.0)(&object)?;
        Ok(object)
    }

    async fn target(&self, objects: &Objects, stream: &Stream, catalog: &Catalog) -> Result<Target> {
        let rules = self.config.rules_of(stream.name.as_str());
        let object = rules.object.clone().unwrap_or_else(|| stream.name.to_string());
        if let Some(kind) = Kind::called(&object) {
            self.check_cms(&stream.name)?;
            return Ok(Target::Cms(Box::new(self.cms(stream, kind, rules))));
        }
        if let Some(sides) = self.sides(objects, &object, catalog).await? {
            let (client, keys, lanes) = (self.client.clone(), Arc::clone(&self.keys), self.lanes.clone());
            let pairs = PairWriter::open(client, stream.name.clone(), sides, &rules, keys, lanes).await?;
            return Ok(Target::Pairs(Box::new(pairs)));
        }
        let object = self.object(objects, &object).await?;
        let mut others = Vec::new();
        for link in &rules.associations {
            others.push(self.object(objects, &link.to).await?);
        }
        let writer = Writer::to(self.client.clone(), object, &others, rules).await?;
        let types = stream
            .fields
            .iter()
            .map(|field| (field.name.clone(), field.data_type));
        let writer = writer
            .remembering(stream.name.clone(), Arc::clone(&self.keys))
            .sharing(Arc::clone(&self.permits), self.lanes.clone())
            .with_types(types.collect());
        Ok(Target::Object(Box::new(writer)))
    }

    /// What a stream of the CMS cannot heed must not stand beside it: it would be passed over in silence.
    fn check_cms(&self, stream: &StreamName) -> Result<()> {
        let own = self.config.streams.get(stream.as_str());
        let unheeded = own.map(WriteRules::only_for_objects).unwrap_or_default();
        if unheeded.is_empty() {
            return Ok(());
        }
        let message = format!(
            "`{}` is for CRM records, and this is written as it is",
            unheeded.join("`, `")
        );
        Err(Error::new(ErrorKind::Configuration, message).with_hint("leave it out"))
    }

    fn cms(&self, stream: &Stream, kind: Kind, rules: WriteRules) -> CmsWriter {
        CmsWriter {
            client: self.client.clone(),
            stream: stream.name.clone(),
            kind,
            rules,
            keys: Arc::clone(&self.keys),
            lanes: self.lanes.clone(),
        }
    }

    /// The two ends of a stream of associations such as `contacts_companies`: other streams of the source, or objects.
    async fn sides(&self, account: &Objects, name: &str, catalog: &Catalog) -> Result<Option<(Side, Side)>> {
        if objects::resolve(name).is_ok() {
            return Ok(None);
        }
        let is_stream = |name: &str| catalog.stream(name).is_some() || objects::resolve(name).is_ok();
        let underscores = name
            .match_indices('_')
            .map(|(at, _)| (&name[..at], &name[at + 1..]));
        let Some((from, to)) = underscores
            .into_iter()
            .find(|(from, to)| is_stream(from) && is_stream(to))
        else {
            return Ok(None);
        };
        Ok(Some((
            self.side(account, from).await?,
            self.side(account, to).await?,
        )))
    }

    async fn side(&self, objects: &Objects, stream: &str) -> Result<Side> {
        let object = self.config.rules_of(stream).object;
        let object = object.as_deref().unwrap_or(stream);
        Ok(Side {
            object: self.object(objects, object).await?,
            stream: stream.into(),
        })
    }

    fn targets(&self) -> Arc<Targets> {
        Arc::clone(&self.targets.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn write_part(&self, targets: &Targets, part: Part<'_>) -> Result<Vec<(usize, Outcome)>> {
        let done = match part.target {
            Target::Object(writer) => {
                let done = write_objects(writer, &part.records).await?;
                self.wake(targets, &part).await?;
                done
            }
            Target::Pairs(writer) => writer.write(&part.records).await?,
            Target::Cms(writer) => writer.write(&part.records).await?,
        };
        Ok(part
            .places
            .into_iter()
            .zip(done.into_iter().map(outcome))
            .collect())
    }

    /// Writes the associations that waited for these records.
    async fn wake(&self, targets: &Targets, part: &Part<'_>) -> Result<()> {
        if !targets.values().any(|target| matches!(target, Target::Pairs(_))) {
            return Ok(());
        }
        let keys: Vec<_> = part
            .records
            .iter()
            .filter_map(|record| key_of(record).ok())
            .collect();
        let mut waiting: BTreeMap<StreamName, Vec<Record>> = BTreeMap::new();
        for record in self.keys.waiting(part.stream, &keys).await? {
            waiting.entry(record.stream.clone()).or_default().push(record);
        }
        for (stream, records) in waiting {
            if let Some(Target::Pairs(writer)) = targets.get(&stream) {
                writer.wake(records).await?;
            }
        }
        Ok(())
    }
}

fn take_apart<'a>(targets: &'a Targets, batch: &'a Batch) -> Result<Vec<Part<'a>>> {
    let mut parts: BTreeMap<&StreamName, Part<'a>> = BTreeMap::new();
    for (at, record) in batch.records.iter().enumerate() {
        let (stream, target) = targets
            .get_key_value(&record.stream)
            .ok_or_else(|| not_prepared(&record.stream))?;
        let part = parts.entry(stream).or_insert_with(|| Part {
            target,
            stream,
            places: Vec::new(),
            records: Vec::new(),
        });
        part.places.push(at);
        part.records.push(record);
    }
    Ok(parts.into_values().collect())
}

/// Takes its place in the order when this is first polled: nothing is awaited before the writer does so.
async fn write_objects(writer: &Writer, records: &[&Record]) -> Result<Vec<Done>> {
    let wanted = records
        .iter()
        .map(|record| Wanted::of(record, writer.rules()).unwrap_or_else(Wanted::refused));
    writer.write(&wanted.collect::<Vec<_>>()).await
}

fn outcome(done: Done) -> Outcome {
    match done {
        Done::Created { .. } | Done::Updated { .. } | Done::Archived { .. } => Outcome::Written,
        Done::Unchanged { .. } => Outcome::Unchanged,
        Done::Refused(refusal) | Done::Unsure(refusal) => Outcome::rejected(refusal.to_string()),
    }
}

fn not_prepared(stream: &StreamName) -> Error {
    let message = format!("stream `{stream}` is written before the destination was prepared for it");
    Error::new(ErrorKind::Internal, message)
}

#[async_trait]
impl Destination for HubspotDestination {
    async fn prepare(&self, catalog: &Catalog) -> Result<()> {
        let objects = Objects::new(self.client.clone());
        let mut targets = Targets::new();
        for stream in &catalog.streams {
            let target = self.target(&objects, stream, catalog).await;
            let target = target.map_err(|error| error.context(format_args!("stream `{}`", stream.name)))?;
            targets.insert(stream.name.clone(), target);
        }
        *self.targets.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(targets);
        self.lanes.mend();
        Ok(())
    }

    async fn write(&self, batch: Arc<Batch>, _checkpoint: Checkpoint) -> Result<Vec<Outcome>> {
        let targets = self.targets();
        let parts = take_apart(&targets, &batch)?;
        // Each writer takes its place in the order when this is first polled (promise 4).
        // Each goes on to its end whatever becomes of the others: a call that is given up may have been carried out.
        let written = join_all(parts.into_iter().map(|part| self.write_part(&targets, part))).await;
        let written = written.into_iter().collect::<Result<Vec<_>>>();
        if written.is_err() {
            self.lanes.fail();
        }
        let mut all: Vec<_> = written?.into_iter().flatten().collect();
        all.sort_unstable_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, outcome)| outcome).collect())
    }

    async fn close(&self) -> Result<()> {
        let parked = self.keys.parked().await?;
        if parked > 0 {
            tracing::warn!("{parked} associations wait for records that have not been written yet");
        }
        Ok(())
    }
}
