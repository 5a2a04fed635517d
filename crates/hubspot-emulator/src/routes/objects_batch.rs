//! `POST /crm/v3/objects/{type}/batch/{read,create,update,archive}`: at most 100 inputs (hubspot-api notes §1.6).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use super::Answer;
use super::history_json::MOST_WITH_HISTORY;
use super::objects::{Write, WrittenId, WrittenLink, asked, asked_links, find, find_archived, sorted};
use super::record_json::{View, open, write};
use crate::call::Call;
use crate::data::draw::mix;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::json;
use crate::reply::Reply;
use crate::state::associations::TypeIndex;
use crate::state::filter::Text;
use crate::state::index::Slot;
use crate::state::operations::Operation;
use crate::state::portal::{Moment, Portal};
use crate::state::property::Projection;
use crate::state::validation::Asked;
use crate::time::iso;

const MOST_INPUTS: usize = 100;

#[derive(Debug, Deserialize)]
struct Inputs<T> {
    #[serde(default = "Vec::new")]
    inputs: Vec<T>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ReadBatch {
    properties: Vec<String>,
    properties_with_history: Vec<String>,
    id_property: Option<String>,
    inputs: Vec<WrittenId>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: Option<Text>,
    id_property: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, Option<Text>>,
    #[serde(default)]
    associations: Vec<WrittenLink>,
    object_write_trace_id: Option<String>,
}

/// What came of a batch.
struct Outcome {
    done: Vec<Done>,
    missing: Vec<String>,
    failed: Vec<Failure>,
}

/// One record that was written.
struct Done {
    slot: Slot,
    shown: Projection,
    trace: Option<String>,
    /// Only an upsert says so.
    new: Option<bool>,
}

impl Done {
    fn new(slot: Slot, shown: Projection, trace: Option<String>) -> Self {
        Self {
            slot,
            shown,
            trace,
            new: None,
        }
    }
}

impl Item {
    fn key(&self) -> String {
        self.id.clone().map(Text::into_text).unwrap_or_default()
    }
}

pub(super) fn check_count(inputs: usize) -> Result<(), Failure> {
    if inputs <= MOST_INPUTS {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "The batch has {inputs} inputs; at most {MOST_INPUTS} are allowed"
    )))
}

pub(super) fn read(emulator: &Inner, call: &Call) -> Answer {
    let now = emulator.clock.now();
    let asked: ReadBatch = call.json()?;
    check_count(asked.inputs.len())?;
    if !asked.properties_with_history.is_empty() && asked.inputs.len() > MOST_WITH_HISTORY {
        let message = format!("At most {MOST_WITH_HISTORY} inputs with property history in one request");
        return Err(Failure::validation(message));
    }
    let portal = emulator.portal();
    let of = portal.type_with(call.param(0), Operation::BatchRead)?;
    let store = portal.store(of);
    let history: Vec<&str> = asked.properties_with_history.iter().map(String::as_str).collect();
    let view = View::new(store, asked.properties.iter().map(String::as_str), &history)
        .with_habits(*emulator.habits());
    let (mut found, mut missing) = (BTreeSet::new(), Vec::new());
    for id in asked.inputs.into_iter().map(|input| input.id.into_text()) {
        let slot = if call.flag("archived") {
            find_archived(emulator, &portal, of, &id).and_then(|record| store.slot(record.id))
        } else {
            find_for_batch(&portal, of, &id, asked.id_property.as_deref())?
        };
        match slot {
            Some(slot) => _ = found.insert(slot),
            None => missing.push(id),
        }
    }
    let mut out = begin();
    for slot in unordered(found.into_iter().collect(), |slot| *slot) {
        json::comma(&mut out);
        let record = store.earlier.as_read(slot, store.record(slot), now.wall);
        write(&mut out, &portal, of, record, &view, call);
    }
    Ok(finish(out, &portal, of, missing, &[], now, 200))
}

/// `None` is a record that is not there; only a bad `idProperty` is an error of the whole batch.
fn find_for_batch(
    portal: &Portal,
    of: TypeIndex,
    id: &str,
    id_property: Option<&str>,
) -> Result<Option<Slot>, Failure> {
    match find(portal, of, id, id_property) {
        Ok(slot) => Ok(Some(slot)),
        Err(failure) if failure.status == 404 => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Results come in no order of the inputs' (hubspot-api notes §1.6).
fn unordered<T>(mut items: Vec<T>, slot: impl Fn(&T) -> Slot) -> Vec<T> {
    items.sort_by_key(|item| mix(7, slot(item).into(), 3));
    items
}

pub(super) fn begin() -> Vec<u8> {
    b"{\"status\":\"COMPLETE\",\"results\":[".to_vec()
}

pub(super) fn finish(
    mut out: Vec<u8>,
    portal: &Portal,
    of: TypeIndex,
    missing: Vec<String>,
    failed: &[Failure],
    now: Moment,
    complete: u16,
) -> Reply {
    out.push(b']');
    let mut errors: Vec<_> = failed.iter().map(Failure::batch_item).collect();
    if !missing.is_empty() {
        errors.push(not_found_item(portal, of, missing).batch_item());
    }
    let status = if errors.is_empty() { complete } else { 207 };
    if !errors.is_empty() {
        let tail = json!({"numErrors": errors.len(), "errors": errors}).to_string();
        out.push(b',');
        out.extend_from_slice(&tail.as_bytes()[1..tail.len() - 1]);
    }
    let at = iso(now.wall);
    out.extend_from_slice(format!(",\"startedAt\":\"{at}\",\"completedAt\":\"{at}\"}}").as_bytes());
    Reply::json(status, out)
}

fn not_found_item(portal: &Portal, of: TypeIndex, ids: Vec<String>) -> Failure {
    let kind = portal.store(of).object_type.singular.to_uppercase();
    let message = format!(
        "Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid."
    );
    Failure::new(404, message)
        .category("OBJECT_NOT_FOUND")
        .context("ids", ids)
}

pub(super) fn create(emulator: &Inner, call: &Call) -> Answer {
    let now = emulator.clock.now();
    let batch: Inputs<Item> = call.json()?;
    check_count(batch.inputs.len())?;
    let mut portal = emulator.portal_mut();
    let of = portal.type_with(call.param(0), Operation::BatchCreate)?;
    let traced = all_traced(&batch.inputs);
    let mut outcome = Outcome {
        done: Vec::new(),
        missing: Vec::new(),
        failed: Vec::new(),
    };
    let mut items = Vec::new();
    for item in batch.inputs {
        let write = Write {
            properties: item.properties,
            associations: item.associations,
        };
        items.push((
            asked(write.properties),
            asked_links(write.associations)?,
            item.object_write_trace_id,
        ));
    }
    if !traced {
        // Without trace ids one bad input fails the whole batch, and nothing is written.
        portal.check_creates(
            of,
            items.iter().map(|(asked, links, _)| (asked, links.as_slice())),
        )?;
    }
    for (asked, links, trace) in items {
        match portal.create(of, &asked, &links, now) {
            Ok(slot) => outcome
                .done
                .push(Done::new(slot, everything(&portal, of, slot), trace)),
            Err(failure) => outcome.failed.push(with_trace(failure, trace)),
        }
    }
    Ok(report(&portal, of, outcome, now, 201))
}

/// Per-input outcomes are given only when every input carries a trace id of its own (hubspot-api notes §1.6).
fn all_traced(items: &[Item]) -> bool {
    let traces: BTreeSet<&String> = items
        .iter()
        .filter_map(|item| item.object_write_trace_id.as_ref())
        .collect();
    traces.len() == items.len()
}

fn with_trace(failure: Failure, trace: Option<String>) -> Failure {
    failure.context("objectWriteTraceId", trace.into_iter().collect())
}

fn everything(portal: &Portal, of: TypeIndex, slot: Slot) -> Projection {
    let store = portal.store(of);
    sorted(
        store
            .record(slot)
            .values
            .iter()
            .map(|(index, _)| index)
            .chain(store.properties.always()),
    )
}

pub(super) fn update(emulator: &Inner, call: &Call) -> Answer {
    let now = emulator.clock.now();
    let batch: Inputs<Item> = call.json()?;
    check_count(batch.inputs.len())?;
    let mut portal = emulator.portal_mut();
    let of = portal.type_with(call.param(0), Operation::BatchUpdate)?;
    let traced = all_traced(&batch.inputs);
    let mut outcome = Outcome {
        done: Vec::new(),
        missing: Vec::new(),
        failed: Vec::new(),
    };
    let mut found = Vec::new();
    for item in batch.inputs {
        let id = item.id.map(Text::into_text).unwrap_or_default();
        match find_for_update(&portal, of, &id, item.id_property.as_deref())? {
            Some(slot) => found.push((slot, asked(item.properties), item.object_write_trace_id)),
            None => outcome.missing.push(id),
        }
    }
    check_once(&portal, of, found.iter().map(|(slot, _, _)| *slot))?;
    if !traced {
        portal.check_updates(of, found.iter().map(|(slot, asked, _)| (*slot, asked)))?;
    }
    for (slot, asked, trace) in found {
        match portal.update(of, slot, &asked, now) {
            Ok(changes) => {
                let shown = changes
                    .iter()
                    .map(|(index, _)| *index)
                    .chain(portal.store(of).properties.always());
                outcome.done.push(Done::new(slot, sorted(shown), trace));
            }
            Err(failure) => outcome.failed.push(with_trace(failure, trace)),
        }
    }
    Ok(report(&portal, of, outcome, now, 200))
}

/// A record may occur once in a batch of writes (community source).
fn check_once(portal: &Portal, of: TypeIndex, slots: impl Iterator<Item = Slot>) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    let Some(twice) = slots.into_iter().find(|slot| !seen.insert(*slot)) else {
        return Ok(());
    };
    let id = portal.store(of).record(twice).id;
    let message = format!("Duplicate IDs found in batch input: [{id}]. IDs must be unique");
    Err(Failure::validation(message))
}

/// Unlike a single PATCH, a batch update does not follow merged ids (hubspot-api notes §1.4).
fn find_for_update(
    portal: &Portal,
    of: TypeIndex,
    id: &str,
    id_property: Option<&str>,
) -> Result<Option<Slot>, Failure> {
    let slot = find_for_batch(portal, of, id, id_property)?;
    Ok(slot.filter(|slot| id_property.is_some() || portal.store(of).record(*slot).id.to_string() == id))
}

fn report(portal: &Portal, of: TypeIndex, outcome: Outcome, now: Moment, complete: u16) -> Reply {
    let mut out = begin();
    for Done {
        slot,
        shown,
        trace,
        new,
    } in unordered(outcome.done, |done| done.slot)
    {
        json::comma(&mut out);
        open(&mut out, portal.store(of), portal.store(of).record(slot), &shown);
        if let Some(trace) = trace {
            out.extend_from_slice(b",\"objectWriteTraceId\":");
            json::string(&mut out, &trace);
        }
        if let Some(new) = new {
            out.extend_from_slice(if new { b",\"new\":true" } else { b",\"new\":false" });
        }
        out.push(b'}');
    }
    finish(out, portal, of, outcome.missing, &outcome.failed, now, complete)
}

/// Creates or updates by a unique property; each result says whether it is new (hubspot-api notes §1.6).
pub(super) fn upsert(emulator: &Inner, call: &Call) -> Answer {
    let now = emulator.clock.now();
    let batch: Inputs<Item> = call.json()?;
    check_count(batch.inputs.len())?;
    let mut portal = emulator.portal_mut();
    let of = portal.type_with(call.param(0), Operation::BatchUpsert)?;
    let keys: BTreeSet<String> = batch
        .inputs
        .iter()
        .map(|item| item.key().to_lowercase())
        .collect();
    if keys.len() < batch.inputs.len() {
        return Err(Failure::validation("The same key occurs twice in the batch"));
    }
    let traced = all_traced(&batch.inputs);
    let mut outcome = Outcome {
        done: Vec::new(),
        missing: Vec::new(),
        failed: Vec::new(),
    };
    let mut planned = Vec::new();
    for item in batch.inputs {
        let key = item.key();
        match plan_upsert(&portal, of, item)? {
            Some(plan) => planned.push(plan),
            None => outcome.missing.push(key),
        }
    }
    check_once(&portal, of, planned.iter().filter_map(|(slot, _, _)| *slot))?;
    if !traced {
        check_upserts(&portal, of, &planned)?;
    }
    for (slot, values, trace) in planned {
        match write_upsert(&mut portal, of, slot, &values, now) {
            Ok(written) => {
                outcome.done.push(Done {
                    new: Some(slot.is_none()),
                    ..Done::new(written, everything(&portal, of, written), trace)
                });
            }
            Err(failure) => outcome.failed.push(with_trace(failure, trace)),
        }
    }
    Ok(report(&portal, of, outcome, now, 200))
}

type PlannedUpsert = (Option<Slot>, Asked, Option<String>);

/// Finds the record that an input names, and adds the key to the values when there is none. A record cannot be
/// created under an id: without `idProperty` one that is not there is missing (`None`).
fn plan_upsert(portal: &Portal, of: TypeIndex, item: Item) -> Result<Option<PlannedUpsert>, Failure> {
    let key = item.key();
    let slot = find_for_batch(portal, of, &key, item.id_property.as_deref())?;
    let mut values = asked(item.properties);
    if slot.is_none() {
        let Some(name) = item.id_property.filter(|name| name != "hs_object_id") else {
            return Ok(None);
        };
        values.insert(name, Some(key));
    }
    Ok(Some((slot, values, item.object_write_trace_id)))
}

fn check_upserts(portal: &Portal, of: TypeIndex, planned: &[PlannedUpsert]) -> Result<(), Failure> {
    let new = planned.iter().filter(|(slot, _, _)| slot.is_none());
    portal.check_creates(of, new.map(|(_, values, _)| (values, &[][..])))?;
    let known = planned
        .iter()
        .filter_map(|(slot, values, _)| Some(((*slot)?, values)));
    portal.check_updates(of, known)
}

fn write_upsert(
    portal: &mut Portal,
    of: TypeIndex,
    slot: Option<Slot>,
    values: &Asked,
    now: Moment,
) -> Result<Slot, Failure> {
    match slot {
        Some(slot) => portal.update(of, slot, values, now).map(|_| slot),
        None => portal.create(of, values, &[], now),
    }
}

/// 204; unknown ids are ignored.
pub(super) fn archive(emulator: &Inner, call: &Call) -> Answer {
    let batch: Inputs<WrittenId> = call.json()?;
    check_count(batch.inputs.len())?;
    let mut portal = emulator.portal_mut();
    let of = portal.type_with(call.param(0), Operation::BatchArchive)?;
    for id in batch.inputs.into_iter().map(|input| input.id.into_text()) {
        if let Some(slot) = id.parse().ok().and_then(|id| portal.store(of).live_slot(id)) {
            portal.archive(of, slot, emulator.clock.now());
        }
    }
    Ok(Reply::no_content())
}
