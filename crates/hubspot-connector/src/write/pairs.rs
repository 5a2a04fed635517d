//! Associations as records of their own: a stream such as `contacts_companies`, from one account into another.
//!
//! The two records of a pair are known by the source's keys. When one of them has not been written yet, the pair waits
//! in the state file until it has.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hubspot_client::request::associating::{MAX_WRITE, Pair};
use hubspot_client::request::writes::TypeSpec;
use hubspot_client::{AssociationLabel, Client};
use opencdc::{KeyMap, Mapped, Operation, Record, Result, StreamName, Waiting};
use serde::Deserialize;

use super::config::{KeyMeaning, WriteRules};
use super::links::{Deed, Route};
use super::order::{Lanes, token, waves};
use super::refusal::Refusal;
use super::writer::Done;
use crate::error::{Doing, OrFailed, from_client};
use crate::objects::ObjectType;

/// Writes the associations of one pair of object types.
#[derive(Debug)]
pub(crate) struct PairWriter {
    client: Client,
    stream: StreamName,
    from: Side,
    to: Side,
    meaning: KeyMeaning,
    keys: Arc<dyn KeyMap>,
    /// The types that the pair may have here: labels have other numbers in another account.
    labels: Vec<AssociationLabel>,
    lanes: Lanes,
}

/// One end of the pairs.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) object: ObjectType,
    /// The stream whose keys name its records.
    pub(crate) stream: StreamName,
}

/// The fields of a record.
#[derive(Debug, Deserialize)]
struct Fields {
    from_id: String,
    to_id: String,
    type_id: Option<u64>,
    category: Option<String>,
    label: Option<String>,
}

/// The ids of records, by stream and key.
type Known = HashMap<(StreamName, String), String>;

/// How far a pair is.
enum Standing {
    /// It can be written.
    Ready(Ready),
    /// It is to end, and one of its records is not there.
    Gone,
    /// It cannot, now or later.
    Refused(Refusal),
    /// One of its ends is not there yet.
    Waits(Box<Waiting>),
}

/// A pair that can be written.
struct Ready {
    at: usize,
    pair: Pair,
    gone: bool,
}

impl PairWriter {
    pub(crate) async fn open(
        client: Client,
        stream: StreamName,
        (from, to): (Side, Side),
        rules: &WriteRules,
        keys: Arc<dyn KeyMap>,
        lanes: Lanes,
    ) -> Result<Self> {
        let labels = client
            .association_labels(from.object.path_name(), to.object.path_name())
            .await;
        Ok(Self {
            labels: labels.map_err(from_client)?,
            meaning: rules.key.unwrap_or_default(),
            client,
            stream,
            from,
            to,
            keys,
            lanes,
        })
    }

    /// Writes pairs, or parks them; parked ones count as written, because nothing can lose them any more.
    pub(crate) async fn write(&self, records: &[&Record]) -> Result<Vec<Done>> {
        let fields: Vec<_> = records.iter().map(|record| fields_of(record)).collect();
        let tokens: Vec<_> = fields
            .iter()
            .map(|fields| {
                fields
                    .as_ref()
                    .map(|fields| vec![self.token(fields)])
                    .unwrap_or_default()
            })
            .collect();
        let mut place = self.lanes.enter(tokens.iter().flatten().copied().collect());
        place.turn().await?;
        let waves = waves(&tokens);
        let written = self.write_waves(records, &fields, &waves).await;
        if written.is_err() {
            place.fail();
        }
        written
    }

    fn token(&self, fields: &Fields) -> u64 {
        token(
            "pair",
            self.stream.as_str(),
            &format!("{}/{}", fields.from_id, fields.to_id),
        )
    }

    async fn write_waves(
        &self,
        records: &[&Record],
        fields: &[Result<Fields, Refusal>],
        waves: &[usize],
    ) -> Result<Vec<Done>> {
        let refused = |fields: &Result<Fields, Refusal>| match fields {
            Err(refusal) => Done::Refused(refusal.clone()),
            Ok(_) => Done::Unchanged { id: None },
        };
        let mut done: Vec<_> = fields.iter().map(refused).collect();
        let known = self.known(fields.iter().flatten()).await?;
        let last = waves.iter().max().copied().unwrap_or_default();
        for wave in 0..=last {
            let mut ready = Vec::new();
            let (mut parked, mut over) = (Vec::new(), Vec::new());
            for (at, fields) in fields.iter().enumerate().filter(|(at, _)| waves[*at] == wave) {
                let Ok(fields) = fields else { continue };
                match self.standing(at, records[at], fields, &known) {
                    Standing::Ready(pair) => ready.push(pair),
                    Standing::Gone => over.push(records[at].clone()),
                    Standing::Refused(refusal) => done[at] = Done::Refused(refusal),
                    Standing::Waits(waiting) => parked.push(*waiting),
                }
            }
            self.park(parked).await?;
            self.unpark(&over).await?;
            for (at, refusal) in self.send(&ready).await? {
                done[at] = Done::Refused(refusal);
            }
        }
        Ok(done)
    }

    /// The ids of the records that these pairs name, by stream and key.
    async fn known<'a>(&self, fields: impl Iterator<Item = &'a Fields> + Clone) -> Result<Known> {
        let mut known = Known::new();
        if self.meaning == KeyMeaning::Hubspot {
            return Ok(known);
        }
        let from = fields.clone().map(|fields| (&self.from, &fields.from_id));
        let to = fields.map(|fields| (&self.to, &fields.to_id));
        let mut keys: BTreeMap<&StreamName, Vec<String>> = BTreeMap::new();
        for (side, key) in from.chain(to) {
            keys.entry(&side.stream).or_default().push(key.clone());
        }
        for (stream, keys) in keys {
            let mapped = self.keys.look_up(stream, &keys).await?;
            for (key, mapped) in keys.into_iter().zip(mapped) {
                if let Some(Mapped::Id(id)) = mapped {
                    known.insert((stream.clone(), key), id);
                }
            }
        }
        Ok(known)
    }

    /// How far a pair is: what its ends are called here, unless one of them is not there yet.
    fn standing(&self, at: usize, record: &Record, fields: &Fields, known: &Known) -> Standing {
        let kind = match self.kind(fields) {
            Ok(kind) => kind,
            Err(refusal) => return Standing::Refused(refusal),
        };
        let gone = record.operation == Operation::Delete;
        let from = self.end(&self.from, &fields.from_id, known);
        let to = self.end(&self.to, &fields.to_id, known);
        match (from, to) {
            (Ok(from), Ok(to)) => Standing::Ready(Ready {
                at,
                pair: Pair::new(from, to).with_types(kind),
                gone,
            }),
            // What is not there is associated with nothing, and nothing needs to wait any more.
            _ if gone => Standing::Gone,
            (Err((stream, key)), _) | (_, Err((stream, key))) => {
                let record = record.clone();
                Standing::Waits(Box::new(Waiting { stream, key, record }))
            }
        }
    }

    /// The id of an end, or what is waited for.
    fn end(&self, side: &Side, key: &str, known: &Known) -> Result<String, (StreamName, String)> {
        if self.meaning == KeyMeaning::Hubspot {
            return Ok(key.to_owned());
        }
        let place = (side.stream.clone(), key.to_owned());
        known.get(&place).cloned().ok_or(place)
    }

    /// The type here. HubSpot's own have the same number everywhere; labels are known by their name.
    fn kind(&self, fields: &Fields) -> Result<Option<TypeSpec>, Refusal> {
        let is_hubspots = fields.category.as_deref() == Some("HUBSPOT_DEFINED");
        if let (true, Some(type_id)) = (is_hubspots, fields.type_id) {
            return Ok(Some(TypeSpec::hubspot(type_id)));
        }
        let Some(label) = &fields.label else {
            return Ok(None);
        };
        let found = self
            .labels
            .iter()
            .find(|known| known.label.as_ref() == Some(label));
        found.map(|known| Some(TypeSpec::from(known))).ok_or_else(|| {
            let (from, to) = (&self.from.object.name, &self.to.object.name);
            Refusal::of(
                "label",
                Some(label),
                format!("{from} and {to} have no such label here"),
            )
        })
    }

    /// Keeps pairs until their ends are there. An end that was written in this very moment has not seen them, so it is
    /// looked at again.
    async fn park(&self, waiting: Vec<Waiting>) -> Result<()> {
        if waiting.is_empty() {
            return Ok(());
        }
        self.keys.park(&waiting).await?;
        let mut there = Vec::new();
        for one in waiting {
            let keys = [one.key];
            let mapped = self.keys.look_up(&one.stream, &keys).await?;
            if matches!(mapped[0], Some(Mapped::Id(_))) {
                there.push(one.record);
            }
        }
        self.retry(there).await
    }

    /// Writes records that waited and whose end has been written, in their place among other writes.
    pub(crate) async fn wake(&self, records: Vec<Record>) -> Result<()> {
        let fields = records.iter().filter_map(|record| fields_of(record).ok());
        let tokens = fields.map(|fields| self.token(&fields)).collect();
        let mut place = self.lanes.enter(tokens);
        place.turn().await?;
        let woken = self.retry(records).await;
        if woken.is_err() {
            place.fail();
        }
        woken
    }

    /// Within a place: writes records that were parked.
    async fn retry(&self, records: Vec<Record>) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let fields: Vec<_> = records.iter().map(fields_of).collect();
        let known = self.known(fields.iter().flatten()).await?;
        let (mut ready, mut over, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for (at, record) in records.iter().enumerate() {
            let Ok(fields) = &fields[at] else { continue };
            match self.standing(at, record, fields, &known) {
                Standing::Ready(pair) => ready.push(pair),
                Standing::Gone => over.push(record.clone()),
                Standing::Refused(refusal) => self.tell_parked(&refusal),
                Standing::Waits(waiting) => again.push(*waiting),
            }
        }
        let refused: HashMap<_, _> = self.send(&ready).await?.into_iter().collect();
        for ready in &ready {
            match refused.get(&ready.at) {
                None => over.push(records[ready.at].clone()),
                Some(refusal) => self.tell_parked(refusal),
            }
        }
        self.keys.park(&again).await?;
        self.unpark(&over).await
    }

    /// A pair that HubSpot refuses when its turn has come is kept, and told.
    fn tell_parked(&self, refusal: &Refusal) {
        tracing::warn!("{}: an association stays parked: {refusal}", self.stream);
    }

    async fn unpark(&self, records: &[Record]) -> Result<()> {
        match records.is_empty() {
            true => Ok(()),
            false => self.keys.unpark(records).await,
        }
    }

    async fn send(&self, ready: &[Ready]) -> Result<Vec<(usize, Refusal)>> {
        let mut sets: BTreeMap<(bool, bool), Vec<(usize, Pair)>> = BTreeMap::new();
        for Ready { at, pair, gone } in ready {
            let kind = (*gone, pair.types.is_empty());
            sets.entry(kind).or_default().push((*at, pair.clone()));
        }
        let route = Route {
            client: &self.client,
            from: self.from.object.path_name(),
            to: self.to.object.path_name(),
        };
        let mut refused = Vec::new();
        // What begins goes before what ends: ending the unlabelled type ends all that is between a pair.
        for ((gone, _), pairs) in &sets {
            let deed = if *gone { Deed::Part } else { Deed::Join };
            for chunk in pairs.chunks(MAX_WRITE) {
                refused.extend(route.carry(deed, chunk).await.or_failed(self.doing())?);
            }
        }
        Ok(refused)
    }

    fn doing(&self) -> Doing<'_> {
        Doing {
            what: "cannot write",
            stream: self.stream.as_str(),
            scope: None,
        }
    }
}

/// The fields of a record; of a delete, those of its key.
fn fields_of(record: &Record) -> Result<Fields, Refusal> {
    let data = record.payload.after.as_ref().unwrap_or(&record.key);
    serde_json::from_slice(&data.to_json())
        .map_err(|error| Refusal::new(format!("the record is no association: {error}")))
}
