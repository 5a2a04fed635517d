//! The acts of a followed object type: what to ask, and what its answers change.

use async_stream::try_stream;
use futures_util::Stream;
use futures_util::StreamExt;
use hubspot_client::RawObject;
use jiff::{SignedDuration, Timestamp};
use opencdc::{Operation, Result};

use super::context::Progress;
use super::differ::{self, Difference, Fate, day, day_of, number};
use super::object::{Kind, ObjectPart};
use super::step::{self, Act};
use super::{poll, resolve};
use crate::known::Edit;
use crate::position::{Cdc, Complete, StreamPosition};

/// As many as one association call takes (hubspot-api notes §2.5).
const REREAD: usize = hubspot_client::request::associations::MAX_BATCH;
/// Archived a little before a position was made may have been seen alive by it. A delete too many does no harm.
const ARCHIVE_MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// A record leaves the recycle bin by itself after 90 days (hubspot-api notes §1.3); one that leaves it well before was
/// erased.
const BIN_DAYS: u32 = 85;

/// Carries out one act.
pub(super) fn act<'a>(
    part: &'a mut ObjectPart,
    cdc: &'a mut Cdc,
    act: Act,
    now: Timestamp,
) -> impl Stream<Item = Result<Progress>> + Send + 'a {
    try_stream! {
        match act {
            Act::Poll => {
                let mut progresses = Box::pin(poll::poll(part, cdc, now));
                while let Some(progress) = progresses.next().await {
                    yield progress?;
                }
            }
            Act::Archived => {
                let (difference, _gates) = archived(part, cdc, now).await?;
                yield handed_out(part, difference, cdc);
            }
            Act::Count => count(part, cdc).await?,
            Act::Reconcile => {
                let (difference, _gates) = reconcile(part, cdc, now).await?;
                yield handed_out(part, difference, cdc);
            }
            Act::Reassociate(n) => {
                let _gates = part.context.gates([part.attached[n].facts.stream().clone()]).await;
                let progress = reassociate(part, n, now).await?;
                part.note_counts(&progress);
                yield progress;
            }
            Act::Wait(_) | Act::End => {}
        }
    }
}

pub(super) fn handed_out(part: &ObjectPart, difference: Difference, cdc: &Cdc) -> Progress {
    let progress = part.progress(difference, cdc);
    part.note_counts(&progress);
    progress
}

/// Held until what was compared is handed out, see `Context::gates`.
pub(super) type Gates = Vec<tokio::sync::OwnedMutexGuard<()>>;

/// What is attached to the records of a difference, on either side.
pub(super) async fn attach(part: &ObjectPart, difference: &Difference) -> Result<Difference> {
    let mut more = part.read_attached(&difference.changed, Operation::Create).await?;
    more.extend(part.read_incoming(&difference.created).await?);
    Ok(more)
}

/// A page of the recycle bin: what is known to live and lies there is gone; what lay there and does not is alive again, or
/// gone for good.
async fn archived(part: &mut ObjectPart, cdc: &mut Cdc, now: Timestamp) -> Result<(Difference, Gates)> {
    let round = step::open(&cdc.archived, now);
    let page = part
        .reader
        .archived_page(round.after.clone(), resolve::shown(part))
        .await?;
    let gates = part.context.gates(part.touched()).await;
    let (last, next) = ends(&page);
    let since = cdc
        .since
        .map(|since| since.checked_sub(ARCHIVE_MARGIN).unwrap_or(since));
    let found = sort_bin(part, &page.results, since, (round.through, last));
    let mut difference = part.gone(&found.archived);
    // A record that others were merged into may have come here before a feed saw it.
    difference.extend(part.gone(&resolve::merged(part, &page.results)));
    difference
        .edits
        .extend(differ::bin_edit(part.stream(), found.noted));
    let back = resolve::restored(part, &found.left, day_of(now).saturating_sub(BIN_DAYS)).await?;
    difference.extend(back);
    difference.extend(attach(part, &difference).await?);
    let found_here = difference.records.len() as u64;
    cdc.archived = step::after_round_page(
        &round,
        cdc.archived.last,
        last.unwrap_or(0),
        found_here,
        next.as_deref(),
    );
    if cdc.archived.open.is_none() {
        part.done.archived += 1;
        cdc.since = None;
    }
    Ok((difference, gates))
}

/// A page of the recycle bin, sorted.
struct Bin {
    /// Records that were delivered as live.
    archived: Vec<(u64, Fate)>,
    /// Records that were never delivered, to be remembered all the same.
    noted: Vec<(u64, Option<u32>)>,
    /// Records that were here and are not any more, with the day they came.
    left: Vec<(u64, u32)>,
}

fn sort_bin(
    part: &ObjectPart,
    objects: &[RawObject],
    since: Option<Timestamp>,
    (through, last): (u64, Option<u64>),
) -> Bin {
    let mut known = part.context.known.lock();
    let known = known.of(part.stream());
    let mut bin = Bin {
        archived: Vec::new(),
        noted: Vec::new(),
        left: Vec::new(),
    };
    for object in objects {
        let Some(id) = number(object.id()) else { continue };
        let at = object.archived_at();
        let after_since = || since.is_some_and(|since| archived_after(at, since));
        if known.live.get(id).is_some() || (known.bin.get(id).is_none() && after_since()) {
            bin.archived.push((id, Fate::Archived(at.map(str::to_owned))));
        } else if known.bin.get(id).is_none() {
            bin.noted.push((id, Some(day(at))));
        }
    }
    let low = through.saturating_add(1);
    let high = last.unwrap_or(u64::MAX);
    if low <= high {
        let days: Vec<_> = known.bin.range(low, high).collect();
        let left = differ::vanished(days.iter().copied(), objects);
        bin.left = days
            .into_iter()
            .filter(|(id, _)| left.binary_search(id).is_ok())
            .collect();
    }
    bin
}

/// Without a time it is taken for new: a delete too many does no harm, one too few does.
fn archived_after(at: Option<&str>, since: Timestamp) -> bool {
    let at = at.and_then(|at| at.parse::<Timestamp>().ok());
    at.is_none_or(|at| at >= since)
}

/// The greatest id of a page, `None` on the last one; and the token of the next.
fn ends(page: &hubspot_client::RawPage) -> (Option<u64>, Option<String>) {
    let next = page.next.as_ref().map(|next| next.after.clone());
    let last = page.results.iter().filter_map(|object| number(object.id())).max();
    (next.as_ref().map(|_| last.unwrap_or(0)), next)
}

/// The number of records here and there. They differ when something vanished that left no trace in the feeds, but also
/// while search lags: so it only makes the walk over all records come sooner, and not too often.
async fn count(part: &mut ObjectPart, cdc: &mut Cdc) -> Result<()> {
    part.done.counted = part.done.archived;
    let there = part.reader.count().await?;
    let here = part.context.known.lock().of(part.stream()).live.len();
    let offset = there.cast_signed() - i64::try_from(here).unwrap_or(i64::MAX);
    if part.plan().updated_after.is_some() || offset == cdc.count_offset {
        return Ok(());
    }
    if std::mem::take(&mut part.done.reconciled) {
        // Just compared: this is a difference that the comparison does not see.
        cdc.count_offset = offset;
    } else {
        part.done.miscounted = true;
    }
    Ok(())
}

/// A page of all live records, compared with what is known.
async fn reconcile(part: &mut ObjectPart, cdc: &mut Cdc, now: Timestamp) -> Result<(Difference, Gates)> {
    let round = step::open(&cdc.reconcile, now);
    let targets = part.targets();
    // Its associations come with the page, so nobody else may compare them from here on.
    let gates = part.context.gates(part.touched()).await;
    let page = part.reader.live_page(round.after.clone(), &targets).await?;
    let (last, next) = ends(&page);
    let mut objects = part.reader.whole(&page).await?;
    let last_modified = part.plan().object.last_modified;
    objects.retain(|object| !poll::is_behind(object, last_modified, &part.recent));
    let mut difference = part.differ(&objects, part.rule());
    let changed = difference.changed.clone();
    difference.extend(inline(part, &page).await?);
    difference.extend(history(part, &changed).await?);
    difference.extend(part.read_incoming(&difference.created.clone()).await?);
    let missing = missing(part, &page.results, (round.through, last));
    let found = resolve::known(part, &missing).await?;
    difference.extend(part.gone(&found.dead));
    let found_here = difference.records.len() as u64;
    cdc.reconcile = step::after_round_page(
        &round,
        cdc.reconcile.last,
        last.unwrap_or(0),
        found_here,
        next.as_deref(),
    );
    if cdc.reconcile.open.is_none() {
        part.done.miscounted = false;
        cdc.doubt = cdc.doubt.filter(|doubt| *doubt > round.begun);
        part.done.reconciled = true;
        part.done.walked = true;
        part.done.counted = 0;
        part.done.archived = part.done.archived.max(1);
        note_associations_read(part, round.begun);
    }
    Ok((difference, gates))
}

/// A walk over all records has read their associations too.
fn note_associations_read(part: &mut ObjectPart, begun: Timestamp) {
    for attached in &mut part.attached {
        if matches!(attached.kind, Kind::Target(_))
            && attached.complete.initial_timestamp != Timestamp::UNIX_EPOCH
        {
            attached.complete.initial_timestamp = attached.complete.initial_timestamp.max(begun);
        }
    }
}

/// The ids that are known in the range of a page and are not on it.
pub(super) fn missing(
    part: &ObjectPart,
    objects: &[RawObject],
    (through, last): (u64, Option<u64>),
) -> Vec<String> {
    let mut known = part.context.known.lock();
    let (low, high) = (through.saturating_add(1), last.unwrap_or(u64::MAX));
    if low > high {
        return Vec::new();
    }
    let vanished = differ::vanished(known.of(part.stream()).live.range(low, high), objects);
    vanished.into_iter().map(|id| id.to_string()).collect()
}

/// The associations of a page: those that came with it, and those that must be read for themselves.
async fn inline(part: &mut ObjectPart, page: &hubspot_client::RawPage) -> Result<Difference> {
    let mut difference = Difference::default();
    for n in 0..part.attached.len() {
        let Kind::Target(target) = part.attached[n].kind else {
            continue;
        };
        let mut inline = part.inline(page, n, target).await?;
        if !inline.uncertain.is_empty() {
            let (uncertain, without_list) = (&inline.uncertain, &inline.without_list);
            let exact = part.reader.exactly(target, uncertain, without_list).await?;
            inline.links.extend(exact);
        }
        let facts = &part.attached[n].facts;
        difference.extend(part.differ_links(facts, &inline.links, Operation::Create));
    }
    Ok(difference)
}

async fn history(part: &ObjectPart, changed: &[String]) -> Result<Difference> {
    match part
        .attached
        .iter()
        .position(|attached| attached.kind == Kind::History)
    {
        Some(n) => part.read_one_attached(n, changed, Operation::Create).await,
        None => Ok(Difference::default()),
    }
}

/// What is attached to the next records, for a stream that was never read whole or not for long.
async fn reassociate(part: &mut ObjectPart, n: usize, now: Timestamp) -> Result<Progress> {
    let round = step::reopen(&part.attached[n].complete, now);
    let ids: Vec<u64> = {
        let mut known = part.context.known.lock();
        let live = &known.of(part.stream()).live;
        live.range(round.through.saturating_add(1), u64::MAX)
            .map(|(id, _)| id)
            .take(REREAD)
            .collect()
    };
    let texts: Vec<_> = ids.iter().map(u64::to_string).collect();
    let difference = part.read_one_attached(n, &texts, Operation::Create).await?;
    let last = ids.last().copied().filter(|_| ids.len() == REREAD);
    let before = part.attached[n].complete.initial_timestamp;
    let text = last.map(|id| id.to_string());
    let rounds = step::after_round_page(
        &round,
        before,
        last.unwrap_or(0),
        difference.records.len() as u64,
        text.as_deref(),
    );
    part.attached[n].complete = Complete {
        initial_timestamp: rounds.last,
        open: rounds.open,
    };
    let stream = part.attached[n].facts.stream().clone();
    let state = StreamPosition::Complete(part.attached[n].complete.clone());
    part.context.board.at(&stream, &state);
    Ok(Progress {
        states: vec![(stream, state)],
        records: difference.records,
        edits: difference.edits,
        shape: None,
    })
}

/// What a record of the recycle bin leaves in what is known when it is alive again.
pub(super) fn left_bin(part: &ObjectPart, ids: impl IntoIterator<Item = u64>) -> Option<Edit> {
    differ::bin_edit(part.stream(), ids.into_iter().map(|id| (id, None)).collect())
}
