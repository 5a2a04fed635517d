//! What became of records that are not where they were.

use std::collections::BTreeSet;

use hubspot_client::RawObject;
use opencdc::Result;

use super::acts::left_bin;
use super::differ::{Difference, Fate, number};
use super::object::ObjectPart;
use crate::objects::Capability;

/// The property that lists what was merged into a record (hubspot-api notes §7, row 5).
const MERGED_IDS: &str = "hs_merged_object_ids";

/// Records that are gone, with the reason.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) dead: Vec<(u64, Fate)>,
}

/// What became of these records, of those among them that were delivered.
pub(super) async fn known(part: &ObjectPart, ids: &[String]) -> Result<Resolved> {
    let known: Vec<u64> = {
        let mut known = part.context.known.lock();
        let live = &known.of(part.stream()).live;
        ids.iter()
            .filter_map(|id| number(id))
            .filter(|id| live.get(*id).is_some())
            .collect()
    };
    Ok(Resolved {
        dead: fates(part, known).await?,
    })
}

/// Those of these records that do not live, with the reason.
async fn fates(part: &ObjectPart, ids: Vec<u64>) -> Result<Vec<(u64, Fate)>> {
    let mut dead = Vec::new();
    for id in ids {
        if let Some(fate) = fate(part, id).await? {
            dead.push((id, fate));
        }
    }
    Ok(dead)
}

/// `None` when it lives after all.
async fn fate(part: &ObjectPart, id: u64) -> Result<Option<Fate>> {
    let text = id.to_string();
    if let Some(object) = part.reader.one(&text, false).await? {
        // A merged id answers with the survivor (hubspot-api notes §1.3).
        return Ok((object.id() != text).then(|| Fate::Merged(object.id().to_owned())));
    }
    let archived = part.reader.one(&text, true).await?;
    Ok(Some(match archived {
        Some(object) if object.id() != text => Fate::Merged(object.id().to_owned()),
        Some(object) => Fate::Archived(object.archived_at().map(str::to_owned)),
        None => Fate::Purged,
    }))
}

/// What a search must show, so that [`merged`] sees it.
pub(super) fn shown(part: &ObjectPart) -> &'static [&'static str] {
    match part.plan().object.can(Capability::Merge) {
        true => &[MERGED_IDS],
        false => &[],
    }
}

/// Records that were merged into these, as these say themselves.
pub(super) fn merged(part: &ObjectPart, objects: &[RawObject]) -> Vec<(u64, Fate)> {
    let mut known = part.context.known.lock();
    let live = &known.of(part.stream()).live;
    let mut seen = BTreeSet::new();
    let mut merged = Vec::new();
    for object in objects {
        for id in merged_ids(object) {
            let is_other = object.id() != id.to_string();
            if is_other && live.get(id).is_some() && seen.insert(id) {
                merged.push((id, Fate::Merged(object.id().to_owned())));
            }
        }
    }
    // A record that was merged cannot be among those that live now.
    merged.retain(|(id, _)| !objects.iter().any(|object| object.id() == id.to_string()));
    merged
}

fn merged_ids(object: &RawObject) -> Vec<u64> {
    let Some(json) = object.properties().filter(|json| contains(json, MERGED_IDS)) else {
        return Vec::new();
    };
    let properties: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(json).unwrap_or_default();
    let ids = properties
        .get(MERGED_IDS)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    ids.split(';').filter_map(|id| number(id.trim())).collect()
}

fn contains(json: &[u8], name: &str) -> bool {
    json.windows(name.len()).any(|window| window == name.as_bytes())
}

/// Records that left the recycle bin: alive again, erased, or restored and merged before anybody looked. `youngest` is the
/// day before which a record leaves the bin by itself.
pub(super) async fn restored(part: &ObjectPart, left: &[(u64, u32)], youngest: u32) -> Result<Difference> {
    if left.is_empty() {
        return Ok(Difference::default());
    }
    let ids: Vec<_> = left.iter().map(|(id, _)| id.to_string()).collect();
    let read = part.reader.by_id(&ids).await?;
    let mut difference = part.differ(&read.objects, part.rule());
    let missing: BTreeSet<_> = read.missing.iter().filter_map(|id| number(id)).collect();
    let gone = left
        .iter()
        .filter(|(id, day)| missing.contains(id) && *day >= youngest);
    let gone: Vec<_> = gone.map(|(id, _)| *id).collect();
    difference.extend(part.gone(&fates(part, gone).await?));
    difference
        .edits
        .extend(left_bin(part, left.iter().map(|(id, _)| *id)));
    Ok(difference)
}
