//! Records of given keys as they are now, or what became of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use opencdc::{Data, Operation, Record, Result, StreamName, metadata_keys};
use serde_json::{Map, Value};

use super::super::differ::{self, Difference, Rule, number};
use super::super::object::ObjectPart;
use super::super::reader::{Links, Reader};
use super::super::{HubspotSource, history, resolve};
use super::cannot_compare;
use crate::known::{ANONYMOUS, Category, Edit, Kind, Known, OfStream, Pair};
use crate::own::OwnStream;
use crate::plan::ObjectPlan;
use crate::record::{Facts, LinkRows};

/// What kind of thing a stream's keys name.
pub(super) enum Again {
    Records(StreamName, Arc<ObjectPlan>),
    /// Associations with the target of this number.
    Links(StreamName, Arc<ObjectPlan>, usize),
    /// Values that properties have had.
    Histories(StreamName, Arc<ObjectPlan>),
    Rows(StreamName, OwnStream),
}

type Key = Map<String, Value>;

impl Again {
    pub(super) async fn of(source: &HubspotSource, stream: &StreamName) -> Result<Self> {
        let discovery = source.discovery().await?;
        for plan in &discovery.plan.objects {
            if plan.stream == *stream {
                return Ok(Self::Records(stream.clone(), Arc::clone(plan)));
            }
            if let Some(n) = plan.targets.iter().position(|target| target.stream == *stream) {
                return Ok(Self::Links(stream.clone(), Arc::clone(plan), n));
            }
            if plan
                .history
                .as_ref()
                .is_some_and(|history| history.stream == *stream)
            {
                return Ok(Self::Histories(stream.clone(), Arc::clone(plan)));
            }
        }
        let own = discovery
            .plan
            .own
            .iter()
            .find(|own| own.name() == stream.as_str());
        own.map(|own| Self::Rows(stream.clone(), *own))
            .ok_or_else(|| cannot_compare(stream))
    }

    /// Every record of these keys: as a snapshot record, or as a delete.
    pub(super) async fn read(&self, source: &HubspotSource, keys: &[Data]) -> Result<Difference> {
        let keys = keys
            .iter()
            .map(|key| Ok(key.to_object()?.into_owned()))
            .collect::<Result<Vec<_>>>()?;
        match self {
            Self::Records(stream, plan) => records(source, stream, plan, &keys).await,
            Self::Links(stream, plan, n) => links(source, stream, (plan, *n), &keys).await,
            Self::Histories(stream, plan) => histories(source, stream, plan, &keys).await,
            Self::Rows(stream, own) => rows(source, stream, *own, &keys).await,
        }
    }
}

fn text(key: &Key, field: &str) -> String {
    match key.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

async fn records(
    source: &HubspotSource,
    stream: &StreamName,
    plan: &Arc<ObjectPlan>,
    keys: &[Key],
) -> Result<Difference> {
    let ids: Vec<u64> = keys.iter().filter_map(|key| number(&text(key, "id"))).collect();
    let desk = source
        .desk(std::slice::from_ref(stream), delivered(stream, &ids))
        .await?;
    let Some(part) = desk.part(plan) else {
        return Ok(Difference::default());
    };
    let texts: Vec<_> = ids.iter().map(u64::to_string).collect();
    let read = part.reader.by_id(&texts).await?;
    let everything = Rule {
        snapshot: true,
        ..Rule::default()
    };
    let mut difference = part.differ(&read.objects, everything);
    let gone = resolve::known(&part, &read.missing).await?;
    difference.extend(part.gone(&gone.dead));
    difference.records.extend(strangers(&part, keys));
    Ok(difference)
}

/// What became of a record is only asked of those that were delivered. Whether they had a name then is not known, so an
/// empty one in the recycle bin proves nothing here: the read itself decides.
fn delivered(stream: &StreamName, ids: &[u64]) -> Known {
    let mut known = Known::default();
    let live = ids.iter().map(|id| (*id, Some(0))).collect();
    let anonymous = ids.iter().map(|id| (*id, Some(ANONYMOUS))).collect();
    known.apply(vec![
        Edit::Live(stream.clone(), live),
        Edit::Anonymous(stream.clone(), anonymous),
    ]);
    known
}

/// Deletes of rows whose id no record of HubSpot's has: they are decimal numbers (hubspot-api notes §1.2).
fn strangers(part: &ObjectPart, keys: &[Key]) -> Vec<Record> {
    let ids = keys
        .iter()
        .map(|key| text(key, "id"))
        .filter(|id| number(id).is_none());
    let facts = part.facts.read_now();
    ids.map(|id| facts.delete(&id, crate::record::Gone::Purged))
        .collect()
}

async fn links(
    source: &HubspotSource,
    stream: &StreamName,
    (plan, n): (&Arc<ObjectPlan>, usize),
    keys: &[Key],
) -> Result<Difference> {
    let desk = source
        .desk(std::slice::from_ref(stream), Known::default())
        .await?;
    let client = &desk.read.client;
    let reader = Reader::new(client.clone(), plan, Vec::new());
    let target = &plan.targets[n];
    let facts = Facts::new(stream.clone(), &desk.context.portal_id, Some(&plan.object));
    let from = Ends::of(&reader, keys, "from_id").await?;
    let to = match desk.discovery().plan.object(&target.object) {
        Some(other) => {
            let reader = Reader::new(client.clone(), other, Vec::new());
            Ends::of(&reader, keys, "to_id").await?
        }
        None => Ends::default(),
    };
    // A record that is gone has no associations, whatever HubSpot still lists.
    let there = match from.live.is_empty() {
        true => Links::new(),
        false => reader.links(target, &from.live).await?,
    };
    let mut difference = settle_links(there, keys, &facts);
    for record in &mut difference.records {
        let key = record.key.to_object()?;
        let ends = [from.changed(&key, "from_id"), to.changed(&key, "to_id")];
        if let Some(at) = ends.into_iter().flatten().max() {
            record.metadata.set(metadata_keys::VERSION, at.to_string());
        }
    }
    Ok(difference)
}

/// The records at one end of some associations.
#[derive(Default)]
struct Ends {
    live: Vec<String>,
    /// When each last changed, or went to the recycle bin.
    changed: BTreeMap<String, Timestamp>,
}

impl Ends {
    async fn of(reader: &Reader, keys: &[Key], field: &str) -> Result<Self> {
        let ids: BTreeSet<_> = keys.iter().map(|key| text(key, field)).collect();
        let ids: Vec<_> = ids.into_iter().filter(|id| number(id).is_some()).collect();
        let read = reader.by_id(&ids).await?;
        let mut ends = Self::default();
        for object in &read.objects {
            ends.live.push(object.id().to_owned());
            ends.note(object.id(), object.updated_at());
        }
        for object in reader.archived(&read.missing, &[]).await? {
            ends.note(object.id(), object.archived_at());
        }
        Ok(ends)
    }

    fn note(&mut self, id: &str, at: Option<&str>) {
        if let Some(at) = at.and_then(|at| at.parse().ok()) {
            self.changed.insert(id.to_owned(), at);
        }
    }

    fn changed(&self, key: &Key, field: &str) -> Option<Timestamp> {
        self.changed.get(&text(key, field)).copied()
    }
}

/// Of the associations that are there, those that were asked for; deletes of the others.
fn settle_links(mut there: Links, keys: &[Key], facts: &Facts) -> Difference {
    let pair = |key: &Key| {
        Some((
            number(&text(key, "from_id"))?,
            number(&text(key, "to_id"))?,
            Kind {
                number: key.get("type_id")?.as_u64()?,
                category: Category::of(&text(key, "category")),
            },
        ))
    };
    let mut gone: BTreeSet<Pair> = keys.iter().filter_map(pair).collect();
    for (from, list) in &mut there {
        list.retain(|(to, kind)| {
            let key = number(from)
                .zip(number(to))
                .map(|(from, to)| (from, to, Kind::from(&*kind)));
            key.is_some_and(|key| gone.remove(&key))
        });
    }
    let mut difference = differ::links(&there, &OfStream::default(), facts, Operation::Snapshot);
    let mut deletes = LinkRows::default();
    for key in &gone {
        deletes.push_delete(*key);
    }
    difference.records.extend(deletes.records(&facts.read_now()));
    let edits = gone.into_iter().map(|key| (key, None)).collect();
    difference.edits.push(Edit::Pairs(facts.stream().clone(), edits));
    difference
}

/// A value that HubSpot does not list any more is not answered for: a copy rightly keeps it.
async fn histories(
    source: &HubspotSource,
    stream: &StreamName,
    plan: &Arc<ObjectPlan>,
    keys: &[Key],
) -> Result<Difference> {
    let names = [plan.stream.clone(), stream.clone()];
    let desk = source.desk(&names, Known::default()).await?;
    let Some(part) = desk.part(plan) else {
        return Ok(Difference::default());
    };
    let facts = Facts::new(stream.clone(), &desk.context.portal_id, Some(&plan.object));
    let ids: BTreeSet<_> = keys.iter().map(|key| text(key, "record_id")).collect();
    let ids: Vec<_> = ids.into_iter().filter(|id| number(id).is_some()).collect();
    let properties = plan.history_properties(&part.reader.properties);
    let objects = part.reader.history(&ids, &properties).await?;
    let asked: BTreeSet<_> = keys.iter().map(row_text).collect();
    let mut records = history::records(&objects, &facts, Operation::Snapshot)?;
    records.retain(|record| {
        record
            .key
            .to_object()
            .is_ok_and(|key| asked.contains(&row_text(&key)))
    });
    Ok(Difference {
        records,
        ..Difference::default()
    })
}

fn row_text(key: &Key) -> String {
    serde_json::to_string(key).expect("a key is always serialisable")
}

async fn rows(
    source: &HubspotSource,
    stream: &StreamName,
    own: OwnStream,
    keys: &[Key],
) -> Result<Difference> {
    let desk = source
        .desk(std::slice::from_ref(stream), Known::default())
        .await?;
    desk.table_again(own, keys).await
}
