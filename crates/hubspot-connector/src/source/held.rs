//! What a destination holds already of streams that begin: rows of a pipeline whose state was reset, or that had another
//! name. They become known, with a digest that nothing has: whatever the first walk does not find is looked after like
//! anything else that vanished.

use opencdc::{Data, Inspect, Note, Record, Result, StreamName, metadata_keys};
use serde_json::{Map, Value};

use super::Read;
use super::differ::{day, number};
use crate::known::{Category, Edit, Kind, Known, Pair};
use crate::position::HubspotPosition;

/// How many rows are asked for together.
const PAGE: usize = 5_000;
/// What is known of a row whose values are not.
const UNSEEN: u32 = 0;

type Key = Map<String, Value>;

/// Makes the rows known of those selected streams that have no position. The notes are in force from the first batch on.
pub(super) async fn take_up(
    rows: &dyn Inspect,
    read: &Read,
    position: &HubspotPosition,
    known: &mut Known,
) -> Result<Vec<Note>> {
    if position.only.is_some() {
        return Ok(Vec::new());
    }
    let is_selected = |stream: &StreamName| read.selection.streams.iter().any(|one| one.name == *stream);
    let begins = |stream: &StreamName| !position.streams.contains_key(stream);
    for plan in &read.discovery.plan.objects {
        let walks = begins(&plan.stream);
        if walks && is_selected(&plan.stream) {
            records(rows, &plan.stream, known).await?;
        }
        for target in &plan.targets {
            if begins(&target.stream) && is_selected(&target.stream) {
                // Those of a record that is gone are found with it.
                let from = walks.then_some(&plan.stream);
                pairs(rows, &target.stream, from, known).await?;
            }
        }
    }
    for own in &read.discovery.plan.own {
        let stream = StreamName::from(own.name());
        if begins(&stream) && is_selected(&stream) {
            table(rows, &stream, known).await?;
        }
    }
    Ok(known.notes())
}

async fn records(rows: &dyn Inspect, stream: &StreamName, known: &mut Known) -> Result<()> {
    let mut after = None;
    loop {
        let keys = rows.keys(stream, after.as_ref(), PAGE).await?;
        live(stream, keys.iter().filter_map(|key| id(key, "id")), known);
        if keys.len() < PAGE {
            break;
        }
        after = keys.last().cloned();
    }
    let mut after = None;
    loop {
        let archived = rows.archived(stream, after.as_ref(), PAGE).await?;
        let in_bin = |record: &Record| {
            let day = day(record.metadata.get(metadata_keys::VERSION));
            Some((id(&record.key, "id")?, Some(day)))
        };
        let mut edits: Vec<_> = archived.iter().filter_map(in_bin).collect();
        edits.retain(|(id, _)| known.of(stream).bin.get(*id).is_none());
        known.learn(Edit::Bin(stream.clone(), edits));
        if archived.len() < PAGE {
            return Ok(());
        }
        after = archived.last().map(|record| record.key.clone());
    }
}

/// Records that were not known yet.
fn live(stream: &StreamName, ids: impl Iterator<Item = u64>, known: &mut Known) {
    let mut edits: Vec<_> = ids.map(|id| (id, Some(UNSEEN))).collect();
    edits.retain(|(id, _)| known.of(stream).live.get(*id).is_none());
    known.learn(Edit::Live(stream.clone(), edits));
}

async fn pairs(
    rows: &dyn Inspect,
    stream: &StreamName,
    from: Option<&StreamName>,
    known: &mut Known,
) -> Result<()> {
    let mut after = None;
    loop {
        let keys = rows.keys(stream, after.as_ref(), PAGE).await?;
        let pairs: Vec<_> = keys.iter().filter_map(pair).collect();
        if let Some(from) = from {
            live(from, pairs.iter().map(|(from, ..)| *from), known);
        }
        let mut edits: Vec<_> = pairs.into_iter().map(|pair| (pair, Some(UNSEEN))).collect();
        edits.retain(|(pair, _)| known.of(stream).pairs.get(*pair).is_none());
        known.learn(Edit::Pairs(stream.clone(), edits));
        if keys.len() < PAGE {
            return Ok(());
        }
        after = keys.last().cloned();
    }
}

async fn table(rows: &dyn Inspect, stream: &StreamName, known: &mut Known) -> Result<()> {
    let mut after = None;
    loop {
        let keys = rows.keys(stream, after.as_ref(), PAGE).await?;
        let mut edits: Vec<_> = keys
            .iter()
            .filter_map(|key| Some((text(key)?, Some(UNSEEN))))
            .collect();
        edits.retain(|(key, _)| !known.of(stream).rows.contains_key(key));
        known.learn(Edit::Rows(stream.clone(), edits));
        if keys.len() < PAGE {
            return Ok(());
        }
        after = keys.last().cloned();
    }
}

fn field<T>(key: &Data, read: impl Fn(&Key) -> Option<T>) -> Option<T> {
    read(&*key.to_object().ok()?)
}

fn id(key: &Data, name: &str) -> Option<u64> {
    field(key, |key| number(key.get(name)?.as_str()?))
}

fn pair(key: &Data) -> Option<Pair> {
    let kind = field(key, |key| {
        let category = key.get("category").and_then(Value::as_str).unwrap_or_default();
        Some(Kind {
            number: key.get("type_id")?.as_u64()?,
            category: Category::of(category),
        })
    })?;
    Some((id(key, "from_id")?, id(key, "to_id")?, kind))
}

/// The key of a row as `tables.rs` writes it.
fn text(key: &Data) -> Option<String> {
    field(key, |key| serde_json::to_string(key).ok())
}
