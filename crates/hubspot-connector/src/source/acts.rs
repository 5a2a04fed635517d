//! The acts of a followed object type: what to ask, and what its answers change.

use std::collections::BTreeSet;

use async_stream::try_stream;
use futures_util::Stream;
use futures_util::StreamExt;
use jiff::Timestamp;
use opencdc::{Operation, Result};

use super::context::Progress;
use super::differ::{self, Difference};
use super::object::{Kind, ObjectPart};
use super::reader::Paged;
use super::step::{self, Act};
use super::walk::{self, PIECE};
use super::{bin, poll, resolve};
use crate::known::Edit;
use crate::position::{Cdc, Complete, Round, StreamPosition};

/// As many as one association call takes (hubspot-api notes §2.5).
const REREAD: usize = hubspot_client::request::associations::MAX_BATCH;

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
                let (difference, _gates) = bin::act(part, cdc, now).await?;
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

/// A page of all live records, compared with what is known; or some of what a walk that has ended did not show.
async fn reconcile(part: &mut ObjectPart, cdc: &mut Cdc, now: Timestamp) -> Result<(Difference, Gates)> {
    let round = step::open(&cdc.reconcile, now);
    // Associations come with the page, so nobody else may compare them from here on.
    let gates = part.context.gates(part.touched()).await;
    if round.ended {
        let unseen = part.known(|known| known.unseen.iter().map(|(id, _)| id).collect());
        let difference = judge(part, cdc, &round, unseen).await?;
        return Ok((difference, gates));
    }
    let page = match part
        .reader
        .live_page(round.after.clone(), &part.targets())
        .await?
    {
        Paged::Page(page) => page,
        Paged::Refused(error) => {
            cdc.reconcile.open = Some(part.begin_again(error, now)?);
            return Ok((Difference::default(), gates));
        }
    };
    let mut objects = part.reader.whole(&page).await?;
    let last_modified = part.plan().object.last_modified;
    objects.retain(|object| !poll::is_behind(object, last_modified, &part.recent));
    let mut difference = part.differ(&objects, part.rule());
    let changed = difference.changed.clone();
    difference.extend(inline(part, &page).await?);
    difference.extend(history(part, &changed).await?);
    difference.extend(part.read_incoming(&difference.created.clone()).await?);
    let is_last = page.next.is_none();
    let through = round.after.is_some().then_some(round.through);
    let page_of_walk = walk::Page::new(&page.results, through, is_last);
    let passed = part.known(|known| page_of_walk.count(&known.live, &known.unseen));
    difference.edits.extend(differ::edit(passed.edits, |passed| {
        Edit::Unseen(part.stream().clone(), passed)
    }));
    if is_last {
        difference.extend(judge(part, cdc, &round, passed.unseen).await?);
    } else {
        let next = page.next.as_ref().map(|next| &*next.after);
        let found_here = difference.records.len() as u64;
        let last = cdc.reconcile.last;
        cdc.reconcile = step::after_round_page(&round, last, page_of_walk.reached(), found_here, next);
    }
    Ok((difference, gates))
}

/// Looks after some of what the walk did not show; the walk is complete when nothing of it is left.
async fn judge(
    part: &mut ObjectPart,
    cdc: &mut Cdc,
    round: &Round,
    unseen: BTreeSet<u64>,
) -> Result<Difference> {
    let some: Vec<_> = unseen.iter().copied().take(PIECE).collect();
    let mut difference = resolve::unseen(part, &some).await?;
    difference.extend(attach(part, &difference).await?);
    let judged = some.iter().map(|id| (*id, None)).collect();
    difference.edits.extend(differ::edit(judged, |ids| {
        Edit::Unseen(part.stream().clone(), ids)
    }));
    if unseen.len() > some.len() {
        cdc.reconcile.open = Some(step::ended(round));
        return Ok(difference);
    }
    cdc.reconcile = step::after_round_page(round, cdc.reconcile.last, 0, 0, None);
    cdc.blind = cdc.blind.filter(|since| round.begun < *since);
    cdc.doubt = cdc.doubt.filter(|doubt| *doubt > round.begun);
    part.done.miscounted = false;
    // What vanished behind a snapshot that was resumed was not compared: a wrong count is no standing difference then.
    // Nor of what vanished behind this walk before this run.
    let is_whole = !std::mem::take(&mut part.done.resumed_walk);
    part.done.reconciled = is_whole && round.begun > cdc.initial_timestamp;
    part.done.walked |= is_whole;
    part.done.counted = 0;
    part.done.archived = part.done.archived.max(1);
    note_associations_read(part, round.begun);
    Ok(difference)
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
