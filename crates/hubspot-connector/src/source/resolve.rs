//! What became of records that are not where they were.

use std::collections::BTreeSet;

use hubspot_client::RawObject;
use opencdc::Result;

use super::differ::{Difference, Fate, number};
use super::object::ObjectPart;
use super::reader::One;
use crate::known::{Edit, LOST, digest};
use crate::objects::Capability;

/// The property that lists what was merged into a record (hubspot-api notes §7, row 5).
const MERGED_IDS: &str = "hs_merged_object_ids";

/// Records that are gone, with the reason.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) dead: Vec<(u64, Fate)>,
}

/// What HubSpot says of a record that is not among the live ones.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Archived(Option<String>),
    /// Still in the recycle bin, but nothing there says any more who it was about.
    Erased,
    Merged(String),
    Nowhere {
        is_certain: bool,
    },
}

/// What became of these records, of those among them that were delivered. A batch read did not find them alive.
pub(super) async fn known(part: &ObjectPart, ids: &[String]) -> Result<Resolved> {
    let known: Vec<u64> = {
        let mut known = part.context.known.lock();
        let live = &known.of(part.stream()).live;
        ids.iter()
            .filter_map(|id| number(id))
            .filter(|id| live.get(*id).is_some())
            .collect()
    };
    let found = look(part, &known).await?;
    Ok(Resolved {
        dead: found.into_iter().map(|(id, found)| (id, found.fate())).collect(),
    })
}

/// Records that a walk over all live records has not shown: alive after all, or gone.
pub(super) async fn unseen(part: &ObjectPart, ids: &[u64]) -> Result<Difference> {
    // Some may have been found to be gone meanwhile.
    let ids: Vec<_> = part.known(|known| {
        let live = ids.iter().filter(|id| known.live.get(**id).is_some());
        live.map(u64::to_string).collect()
    });
    let read = part.reader.by_id(&ids).await?;
    let mut difference = part.differ(&read.objects, part.rule());
    let gone = known(part, &read.missing).await?;
    difference.extend(part.gone(&gone.dead));
    Ok(difference)
}

impl Found {
    fn fate(self) -> Fate {
        match self {
            Self::Archived(at) => Fate::Archived(at),
            Self::Erased => Fate::Purged,
            Self::Merged(into) => Fate::Merged(into),
            // A read by id that finds nothing proves nothing: see `left_bin` and `lost`.
            Self::Nowhere { .. } => Fate::Lost,
        }
    }
}

/// Where these records are, which a batch read did not find alive: a hundred a call, and singly only what no batch finds.
async fn look(part: &ObjectPart, ids: &[u64]) -> Result<Vec<(u64, Found)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let texts: Vec<_> = ids.iter().map(u64::to_string).collect();
    let archived = part
        .reader
        .archived(&texts, part.plan().object.identity())
        .await?;
    let mut found = Vec::with_capacity(ids.len());
    for (id, text) in ids.iter().zip(&texts) {
        let there = match archived.iter().find(|object| object.id() == text) {
            Some(object) if is_erased(part, object) => Found::Erased,
            Some(object) => Found::Archived(object.archived_at().map(str::to_owned)),
            None => alone(part, text).await?,
        };
        found.push((*id, there));
    }
    Ok(found)
}

async fn alone(part: &ObjectPart, id: &str) -> Result<Found> {
    match part.reader.one(id).await? {
        One::Nowhere { is_certain } => Ok(Found::Nowhere { is_certain }),
        // A merged id answers with the survivor (hubspot-api notes §1.3).
        One::There(object) if object.id() != id => Ok(Found::Merged(object.id().to_owned())),
        // The batch left it out: whatever it has now would be lost.
        One::There(_) => Err(part.reader.in_part(Some(&format!("record {id} was left out")))),
    }
}

/// Whether an archived record was erased meanwhile: all that says who it is about is empty, and was not when it was
/// delivered. HubSpot keeps an erased contact in the recycle bin for up to 30 days (believed, from its help).
pub(super) fn is_erased(part: &ObjectPart, archived: &RawObject) -> bool {
    let Some(id) = number(archived.id()).filter(|_| !part.identity().is_empty()) else {
        return false;
    };
    let json = archived.properties().map(AsRef::as_ref);
    let looked = digest::look(json, part.plan().object.identity());
    looked.has_value == Some(false) && part.known(|known| known.anonymous.get(id).is_none())
}

/// What a list must show, so that [`merged`] sees it.
pub(super) fn shown(part: &ObjectPart) -> &'static [&'static str] {
    match part.plan().object.can(Capability::Merge) {
        true => &[MERGED_IDS],
        false => &[],
    }
}

/// What a list of archived records must show, so that [`merged`] and [`is_erased`] see it.
pub(super) fn shown_archived(part: &ObjectPart) -> Vec<&'static str> {
    let identity = part.plan().object.identity();
    shown(part).iter().chain(identity).copied().collect()
}

/// Records that were merged into these, as these say themselves.
pub(super) fn merged(part: &ObjectPart, objects: &[RawObject]) -> Vec<(u64, Fate)> {
    let mut known = part.context.known.lock();
    let known = known.of(part.stream());
    // Lost ones too: HubSpot answers 404 for a merged id while its survivor lies in the recycle bin (believed).
    let is_open = |id| known.live.get(id).is_some() || known.lost.get(id).is_some();
    let mut seen = BTreeSet::new();
    let mut merged = Vec::new();
    for object in objects {
        for id in merged_ids(object) {
            let is_other = object.id() != id.to_string();
            if is_other && is_open(id) && seen.insert(id) {
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

/// Records that left the recycle bin: alive again, merged, or gone for a reason that is to be proven. `youngest` is the day
/// before which a record leaves the bin by itself.
pub(super) async fn left_bin(part: &ObjectPart, left: &[(u64, u32)], youngest: u32) -> Result<Difference> {
    if left.is_empty() {
        return Ok(Difference::default());
    }
    let ids: Vec<_> = left.iter().map(|(id, _)| id.to_string()).collect();
    let read = part.reader.by_id(&ids).await?;
    let mut difference = part.differ(&read.objects, part.rule());
    let missing: BTreeSet<_> = read.missing.iter().filter_map(|id| number(id)).collect();
    let young = left
        .iter()
        .filter(|(id, day)| missing.contains(id) && *day >= youngest);
    let missing: Vec<_> = young.map(|(id, _)| *id).collect();
    let mut stay = BTreeSet::new();
    let (mut gone, mut lost) = (Vec::new(), Vec::new());
    for (id, found) in look(part, &missing).await? {
        match found {
            Found::Archived(_) => _ = stay.insert(id),
            found @ (Found::Merged(_) | Found::Erased) => gone.push((id, found.fate())),
            // Its delete was delivered when it went to the bin, and keeps the values.
            Found::Nowhere { .. } => lost.push((id, Some(LOST))),
        }
    }
    difference.extend(part.gone(&gone));
    let stream = part.stream();
    if !lost.is_empty() && !part.blind {
        difference.edits.push(Edit::Lost(stream.clone(), lost));
    }
    let forgotten = left.iter().filter(|(id, _)| !stay.contains(id));
    let forgotten: Vec<_> = forgotten.map(|(id, _)| (*id, None)).collect();
    difference.edits.push(Edit::Bin(stream.clone(), forgotten));
    Ok(difference)
}

/// Lost records that a whole walk over the recycle bin has not shown. What HubSpot itself does not know either was erased.
pub(super) async fn lost(part: &ObjectPart, ids: &[u64]) -> Result<Difference> {
    if ids.is_empty() {
        return Ok(Difference::default());
    }
    let texts: Vec<_> = ids.iter().map(u64::to_string).collect();
    let read = part.reader.by_id(&texts).await?;
    let mut difference = part.differ(&read.objects, part.rule());
    let missing: Vec<_> = read.missing.iter().filter_map(|id| number(id)).collect();
    let mut gone = Vec::new();
    let mut again = Vec::new();
    for (id, found) in look(part, &missing).await? {
        match found {
            Found::Nowhere { is_certain: true } => gone.push((id, Fate::Purged)),
            Found::Nowhere { is_certain: false } => again.push((id, Some(LOST))),
            found => gone.push((id, found.fate())),
        }
    }
    difference.extend(part.gone(&gone));
    if !again.is_empty() {
        difference.edits.push(Edit::Lost(part.stream().clone(), again));
    }
    Ok(difference)
}
