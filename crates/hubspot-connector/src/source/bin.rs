//! The recycle bin, page after page: what was delivered and lies there is gone, and what left it is alive again or gone for
//! good. What the bin does not show is judged when a walk has ended.

use std::collections::BTreeSet;

use hubspot_client::RawObject;
use jiff::{SignedDuration, Timestamp};
use opencdc::Result;

use super::acts::{self, Gates};
use super::differ::{self, Difference, Fate, day, day_of, number};
use super::object::ObjectPart;
use super::reader::Paged;
use super::walk::{self, PIECE};
use super::{resolve, step};
use crate::known::{Edit, LOST_BEFORE_WALK};
use crate::position::{Cdc, Round};

/// Archived a little before a position was made may have been seen alive by it. A delete too many does no harm.
const ARCHIVE_MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// A record leaves the recycle bin by itself after 90 days (hubspot-api notes §1.3); one that leaves it well before was
/// restored or erased.
const BIN_DAYS: u32 = 85;

/// Whether a record may have come and left by age since the last walk.
pub(super) fn is_overdue(cdc: &Cdc, now: Timestamp) -> bool {
    now.duration_since(cdc.archived.last).as_hours() / 24 >= i64::from(BIN_DAYS)
}

/// A page of the recycle bin, or some of what a walk that has ended did not show.
pub(super) async fn act(part: &mut ObjectPart, cdc: &mut Cdc, now: Timestamp) -> Result<(Difference, Gates)> {
    let round = step::open(&cdc.archived, now);
    if round.ended {
        let gates = part.context.gates(part.touched()).await;
        let unseen = part.known(|known| known.unseen_bin.iter().map(|(id, _)| id).collect());
        let difference = judge(part, cdc, (&round, now), unseen, &BTreeSet::new()).await?;
        return Ok((difference, gates));
    }
    let shown = resolve::shown_archived(part);
    let page = match part.reader.archived_page(round.after.clone(), &shown).await? {
        Paged::Page(page) => page,
        Paged::Refused(error) => {
            cdc.archived.open = Some(part.begin_again(error, now)?);
            return Ok((Difference::default(), Vec::new()));
        }
    };
    let gates = part.context.gates(part.touched()).await;
    let since = cdc
        .since
        .map(|since| since.checked_sub(ARCHIVE_MARGIN).unwrap_or(since));
    let found = sort(part, &page.results, since);
    let mut difference = Difference::default();
    if round.after.is_none() {
        difference.edits.extend(begin(part));
    }
    difference.extend(part.gone(&found.gone));
    // A record that others were merged into may have come here before a feed saw it.
    let merged = resolve::merged(part, &page.results);
    difference.extend(part.gone(&merged));
    difference.edits.extend(differ::edit(found.noted, |noted| {
        Edit::Bin(part.stream().clone(), noted)
    }));
    let is_last = page.next.is_none();
    let through = round.after.is_some().then_some(round.through);
    let page_of_walk = walk::Page::new(&page.results, through, is_last);
    let passed = part.known(|known| page_of_walk.count(&known.bin, &known.unseen_bin));
    difference.edits.extend(differ::edit(passed.edits, |passed| {
        Edit::UnseenBin(part.stream().clone(), passed)
    }));
    if is_last {
        let merged = merged.into_iter().map(|(id, _)| id);
        let here = page_of_walk.ids.iter().copied().chain(merged).collect();
        difference.extend(judge(part, cdc, (&round, now), passed.unseen, &here).await?);
    } else {
        let next = page.next.as_ref().map(|next| &*next.after);
        let found_here = difference.records.len() as u64;
        cdc.archived = step::after_round_page(
            &round,
            cdc.archived.last,
            page_of_walk.reached(),
            found_here,
            next,
        );
    }
    Ok((difference, gates))
}

/// What is lost by now, a walk that begins can prove to be erased.
fn begin(part: &ObjectPart) -> Option<Edit> {
    let lost: Vec<_> = part.known(|known| known.lost.iter().map(|(id, _)| id).collect());
    let waiting = lost.into_iter().map(|id| (id, Some(LOST_BEFORE_WALK))).collect();
    differ::edit(waiting, |lost| Edit::Lost(part.stream().clone(), lost))
}

/// Looks after some of what the walk did not show; the walk is complete when nothing of it is left. `here` is what its last
/// page showed or explained.
async fn judge(
    part: &mut ObjectPart,
    cdc: &mut Cdc,
    (round, now): (&Round, Timestamp),
    unseen: BTreeSet<u64>,
    here: &BTreeSet<u64>,
) -> Result<Difference> {
    let is_whole_walk = round.after.is_none() && !round.ended;
    let (left, lost) = part.known(|known| {
        let left = unseen.iter().filter_map(|id| Some((*id, known.bin.get(*id)?)));
        let lost = known.lost.iter();
        let lost =
            lost.filter(|(id, noted)| (*noted == LOST_BEFORE_WALK || is_whole_walk) && !here.contains(id));
        (
            left.collect::<Vec<_>>(),
            lost.map(|(id, _)| id).collect::<Vec<_>>(),
        )
    });
    let rest = unseen.len() + lost.len();
    let some: BTreeSet<_> = unseen.into_iter().take(PIECE).collect();
    let left: Vec<_> = left.into_iter().filter(|(id, _)| some.contains(id)).collect();
    let lost: Vec<_> = lost.into_iter().take(PIECE - some.len()).collect();
    let youngest = day_of(now).saturating_sub(BIN_DAYS);
    let mut difference = resolve::left_bin(part, &left, youngest).await?;
    if part.blind {
        let forgotten = lost.iter().map(|id| (*id, None)).collect();
        difference.edits.extend(differ::edit(forgotten, |lost| {
            Edit::Lost(part.stream().clone(), lost)
        }));
    } else {
        difference.extend(resolve::lost(part, &lost).await?);
    }
    difference.extend(acts::attach(part, &difference).await?);
    let judged = some.iter().map(|id| (*id, None)).collect();
    difference.edits.extend(differ::edit(judged, |ids| {
        Edit::UnseenBin(part.stream().clone(), ids)
    }));
    if rest > some.len() + lost.len() {
        cdc.archived.open = Some(step::ended(round));
    } else {
        cdc.archived = step::after_round_page(round, cdc.archived.last, 0, 0, None);
        let is_whole = !std::mem::take(&mut part.done.resumed_bin);
        part.done.archived += u32::from(is_whole);
        cdc.since = None;
    }
    Ok(difference)
}

/// A page of the recycle bin, sorted.
struct Bin {
    /// Records that were delivered as live or as gone for an unknown reason, and those that were erased since they came here.
    gone: Vec<(u64, Fate)>,
    /// Records that were never delivered, to be remembered all the same.
    noted: Vec<(u64, Option<u32>)>,
}

fn sort(part: &ObjectPart, objects: &[RawObject], since: Option<Timestamp>) -> Bin {
    let erased = objects.iter().filter(|object| resolve::is_erased(part, object));
    let erased: BTreeSet<_> = erased.filter_map(|object| number(object.id())).collect();
    part.known(|known| {
        let mut bin = Bin {
            gone: Vec::new(),
            noted: Vec::new(),
        };
        for object in objects {
            let Some(id) = number(object.id()) else { continue };
            let at = object.archived_at();
            let is_delivered = known.live.get(id).is_some() || known.lost.get(id).is_some();
            let after_since = || since.is_some_and(|since| archived_after(at, since));
            if known.erased.get(id).is_some() {
                continue;
            }
            if erased.contains(&id) && (is_delivered || known.bin.get(id).is_some()) {
                bin.gone.push((id, Fate::Purged));
            } else if is_delivered || (known.bin.get(id).is_none() && after_since()) {
                bin.gone.push((id, Fate::Archived(at.map(str::to_owned))));
            } else if known.bin.get(id).is_none() {
                bin.noted.push((id, Some(day(at))));
            }
        }
        bin
    })
}

/// Without a time it is taken for new: a delete too many does no harm, one too few does.
fn archived_after(at: Option<&str>, since: Timestamp) -> bool {
    let at = at.and_then(|at| at.parse::<Timestamp>().ok());
    at.is_none_or(|at| at >= since)
}
