//! Associations as records of their own: a stream such as `contacts_companies`, from one account into another.
//!
//! The two records of a pair are known by the source's keys. When one of them has not been written yet, the pair waits
//! in the state file until it has.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::try_join_all;
use hubspot_client::request::associating::{MAX_WRITE, Pair};
use hubspot_client::request::writes::TypeSpec;
use hubspot_client::{AssociationLabel, Client};
use opencdc::{KeyMap, Mapped, Operation, Record, Result, StreamName, Waiting};
use serde::Deserialize;

use super::config::{KeyMeaning, WriteRules};
use super::links::Route;
use super::order::{Lanes, token, waves};
use super::refusal::{Refusal, for_good};
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
            let mut parked = Vec::new();
            for (at, fields) in fields.iter().enumerate().filter(|(at, _)| waves[*at] == wave) {
                let Ok(fields) = fields else { continue };
                match self.ready(at, records[at], fields, &known) {
                    Ok(Ok(pair)) => ready.push(pair),
                    Ok(Err(refusal)) => done[at] = Done::Refused(refusal),
                    Err(waiting) => parked.push(waiting),
                }
            }
            self.park(parked).await?;
            for (at, refusal) in self.send(&ready).await? {
                done[at] = Done::Refused(refusal);
            }
        }
        Ok(done)
    }

    /// The ids of the records that these pairs name, by stream and key.
    async fn known<'a>(
        &self,
        fields: impl Iterator<Item = &'a Fields> + Clone,
    ) -> Result<HashMap<(StreamName, String), String>> {
        let mut known = HashMap::new();
        if self.meaning == KeyMeaning::Hubspot {
            return Ok(known);
        }
        let ends: [(&Side, fn(&Fields) -> &String); 2] = [
            (&self.from, |fields| &fields.from_id),
            (&self.to, |fields| &fields.to_id),
        ];
        for (side, key) in ends {
            let keys: Vec<_> = fields.clone().map(|fields| key(fields).clone()).collect();
            for (key, mapped) in keys.iter().zip(self.keys.look_up(&side.stream, &keys).await?) {
                if let Some(Mapped::Id(id)) = mapped {
                    known.insert((side.stream.clone(), key.clone()), id);
                }
            }
        }
        Ok(known)
    }

    /// The pair by its ids here; or the reason against it; or, when an end is not there yet, what it waits for.
    fn ready(
        &self,
        at: usize,
        record: &Record,
        fields: &Fields,
        known: &HashMap<(StreamName, String), String>,
    ) -> Result<Result<Ready, Refusal>, Waiting> {
        let id = |side: &Side, key: &String| {
            if self.meaning == KeyMeaning::Hubspot {
                return Ok(key.clone());
            }
            let place = (side.stream.clone(), key.clone());
            known.get(&place).cloned().ok_or_else(|| Waiting {
                stream: place.0,
                key: place.1,
                record: record.clone(),
            })
        };
        let pair = Pair::new(id(&self.from, &fields.from_id)?, id(&self.to, &fields.to_id)?);
        let gone = record.operation == Operation::Delete;
        Ok(self.kind(fields).map(|kind| Ready {
            at,
            pair: pair.with_types(kind),
            gone,
        }))
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
        let spec = |known: &AssociationLabel| TypeSpec {
            category: known.category.clone(),
            type_id: known.type_id,
        };
        found.map(|known| Some(spec(known))).ok_or_else(|| {
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

    /// Writes records that waited and whose end has been written.
    pub(crate) async fn retry(&self, records: Vec<Record>) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let fields: Vec<_> = records.iter().map(fields_of).collect();
        let known = self.known(fields.iter().flatten()).await?;
        let (mut ready, mut over, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for (at, record) in records.iter().enumerate() {
            let Ok(fields) = &fields[at] else { continue };
            match self.ready(at, record, fields, &known) {
                Ok(Ok(pair)) => ready.push(pair),
                Ok(Err(refusal)) => tracing::warn!("{} stays parked: {refusal}", self.stream),
                Err(waiting) => again.push(waiting),
            }
        }
        let refused: HashMap<_, _> = self.send(&ready).await?.into_iter().collect();
        for ready in &ready {
            match refused.get(&ready.at) {
                None => over.push(records[ready.at].clone()),
                Some(refusal) => tracing::warn!("{} stays parked: {refusal}", self.stream),
            }
        }
        self.keys.park(&again).await?;
        self.keys.unpark(&over).await
    }

    async fn send(&self, ready: &[Ready]) -> Result<Vec<(usize, Refusal)>> {
        let (gone, there): (Vec<_>, Vec<_>) = ready.iter().partition(|ready| ready.gone);
        let (plain, typed): (Vec<_>, Vec<_>) =
            there.into_iter().partition(|ready| ready.pair.types.is_empty());
        let route = Route {
            client: &self.client,
            from: self.from.object.path_name(),
            to: self.to.object.path_name(),
        };
        let pairs = |all: Vec<&Ready>| {
            all.iter()
                .map(|ready| (ready.at, ready.pair.clone()))
                .collect::<Vec<_>>()
        };
        let (plain, typed, gone) = (pairs(plain), pairs(typed), pairs(gone));
        let writes = plain
            .chunks(MAX_WRITE)
            .chain(typed.chunks(MAX_WRITE))
            .map(|chunk| route.write(chunk));
        let refused = try_join_all(writes).await.or_failed(self.doing())?;
        let mut refused: Vec<_> = refused.into_iter().flatten().collect();
        for chunk in gone.chunks(MAX_WRITE) {
            refused.extend(self.end(route, chunk).await?);
        }
        Ok(refused)
    }

    /// Ends associations: one type of a pair, or all that is between it when no type is named.
    async fn end(&self, route: Route<'_>, pairs: &[(usize, Pair)]) -> Result<Vec<(usize, Refusal)>> {
        let (all, some): (Vec<_>, Vec<_>) =
            pairs.iter().cloned().partition(|(_, pair)| pair.types.is_empty());
        let mut refused = Vec::new();
        for (pairs, whole) in [(all, true), (some, false)] {
            if pairs.is_empty() {
                continue;
            }
            let only: Vec<_> = pairs.iter().map(|(_, pair)| pair.clone()).collect();
            let answer = match whole {
                true => {
                    self.client
                        .associations_batch_archive(route.from, route.to, &only)
                        .await
                }
                false => {
                    self.client
                        .associations_batch_unlabel(route.from, route.to, &only)
                        .await
                }
            };
            match answer {
                Ok(()) => {}
                Err(error) => match for_good(&error) {
                    Some(_) => {
                        let reason = Refusal::new(format!("the association was not ended: {error}"));
                        refused.extend(pairs.iter().map(|(at, _)| (*at, reason.clone())));
                    }
                    None => return Err(error).or_failed(self.doing()),
                },
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
