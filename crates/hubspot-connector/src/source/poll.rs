//! Asking for changes: the late feed, where search has settled, then the early one. `feed.rs` says what to ask.
//!
//! Search only finds: what it shows may be old, or archived by now, so the records are read by id. A read may in turn be
//! older than what search has shown. What is remembered of a record is therefore the time that was *read*, and a record that
//! was read too early is read again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use async_stream::try_stream;
use futures_util::Stream;
use hubspot_client::{RawObject, SearchPage};
use jiff::{SignedDuration, Timestamp};
use opencdc::Result;

use super::acts::{Gates, attach, handed_out};
use super::context::Progress;
use super::differ::{Difference, number};
use super::feed::{self, Answer, Cell, Counting, Drain, Next, Seen};
use super::object::ObjectPart;
use super::resolve;
use super::step::{self, Goal};
use crate::known::digest;
use crate::position::{Cdc, Cursor, Snapshot};

/// HubSpot's clock is known to the second.
const SETTLED: SignedDuration = SignedDuration::from_secs(1);
/// The first pause before a question is repeated.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a record is read again that search shows newer than a read by id.
const MOST_READS: u32 = 5;
/// How far a stored position may lead all clocks: farther, it was made by a wrong one.
const LEAD: SignedDuration = SignedDuration::from_mins(5);

/// Records whose last read was older than what search has shown.
pub(super) type Stale = BTreeMap<u64, Behind>;

/// A record that was read too early.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behind {
    /// The last modification that search has shown.
    shown: Timestamp,
    reads: u32,
}

/// Asks both feeds for everything that has changed.
pub(super) fn poll<'a>(
    part: &'a mut ObjectPart,
    cdc: &'a mut Cdc,
    now: Timestamp,
) -> impl Stream<Item = Result<Progress>> + Send + 'a {
    try_stream! {
        if part.done.polled.is_none() {
            bring_back(part, cdc, now).await?;
        }
        if !part.stale.is_empty() {
            let (difference, _gates) = read_again(part, cdc, now).await?;
            yield handed_out(part, difference, cdc);
        }
        if let Some(until) = step::late_window(now, part.terms(), cdc, &part.done) {
            let to = until.saturating_add(feed::MILLISECOND).unwrap_or(until);
            let mut drain = Drain::new(cdc.delayed, Some(to), Counting::Exact);
            while let Some(cell) = drain.question() {
                let (difference, next, _gates) = page(part, &mut drain, &cell).await?;
                let moved = advance(&mut cdc.delayed, drain.cursor(), &part.stale);
                // What lies before is never found again.
                part.recent.retain(|_, at| *at >= cdc.delayed.timestamp);
                note_doubt(&drain, cdc, now);
                if moved || !difference.is_empty() {
                    yield handed_out(part, difference, cdc);
                }
                if next != Next::Done { part.note_behind(cdc.delayed) }
                pause(next).await;
            }
            part.done.polled_late = Some(now);
        }
        cdc.realtime = step::early_start(cdc);
        let mut drain = Drain::new(cdc.realtime, None, Counting::Growing);
        while let Some(cell) = drain.question() {
            let (difference, next, _gates) = page(part, &mut drain, &cell).await?;
            let moved = advance(&mut cdc.realtime, drain.cursor(), &part.stale);
            note_doubt(&drain, cdc, now);
            // An account at rest writes nothing.
            if moved || !difference.is_empty() {
                yield handed_out(part, difference, cdc);
            }
            if next != Next::Done { part.note_behind(cdc.realtime) }
            pause(next).await;
        }
        // Whoever reads once has no later poll.
        let mut wait = PAUSE;
        while part.terms().goal == Goal::CaughtUp && !part.stale.is_empty() {
            tokio::time::sleep(wait).await;
            wait *= 2;
            let (difference, _gates) = read_again(part, cdc, now).await?;
            yield handed_out(part, difference, cdc);
        }
        part.done.polled = Some(now);
        part.context.board.caught_up(part.stream());
    }
}

async fn pause(next: Next) {
    if let Next::Retry(times) = next {
        tokio::time::sleep(PAUSE * 2_u32.saturating_pow(times.saturating_sub(1))).await;
    }
}

/// A walk over all records is owed where a window could not be counted.
fn note_doubt(drain: &Drain, cdc: &mut Cdc, now: Timestamp) {
    if drain.is_doubtful() {
        cdc.doubt = cdc.doubt.max(Some(now));
    }
}

/// Moves a cursor, never past a record that is still to be read; whether it has moved.
fn advance(cursor: &mut Cursor, to: Cursor, stale: &Stale) -> bool {
    let unread = stale.values().map(|behind| behind.shown).min();
    let to = match unread {
        Some(unread) if unread < to.timestamp => Cursor::at(feed::whole(unread)),
        _ => to,
    };
    let is_ahead = (to.timestamp, to.item_id) > (cursor.timestamp, cursor.item_id);
    if is_ahead {
        *cursor = to;
    }
    is_ahead
}

/// A position may lie in the future, where a wrong clock has led it: changes would be missed until then.
async fn bring_back(part: &ObjectPart, cdc: &mut Cdc, now: Timestamp) -> Result<()> {
    let latest = part.context.latest(&part.reader.client);
    let limit = latest.saturating_add(LEAD).unwrap_or(latest);
    if cdc.delayed.timestamp <= limit && cdc.realtime.timestamp <= limit {
        return Ok(());
    }
    let newest = newest(part).await?.unwrap_or(Timestamp::UNIX_EPOCH);
    tracing::warn!(
        stream = %part.stream(),
        "the stored position is in the future, so a clock was wrong; changes are read from {newest} on, and all records are compared"
    );
    for cursor in [&mut cdc.delayed, &mut cdc.realtime] {
        if cursor.timestamp > newest {
            *cursor = Cursor::at(newest);
        }
    }
    cdc.doubt = cdc.doubt.max(Some(now));
    Ok(())
}

/// Notes where the feeds begin at the latest, before a snapshot reads its first page: whatever changes from now on has a
/// later time in HubSpot, while the clocks that the cutoff rests on may be wrong.
pub(super) async fn bound(part: &ObjectPart, snapshot: &mut Snapshot) -> Result<()> {
    let is_new = snapshot.after.is_none() && snapshot.newest.is_none();
    if is_new && part.terms().searchable {
        snapshot.newest = Some(newest(part).await?.unwrap_or(Timestamp::UNIX_EPOCH));
    }
    Ok(())
}

/// The latest time of last modification that search shows; `None` without records.
async fn newest(part: &ObjectPart) -> Result<Option<Timestamp>> {
    let last_modified = part.plan().object.last_modified;
    let page = part.reader.search(&feed::ask_newest(last_modified)).await?;
    Ok(seen(&page, last_modified)
        .into_iter()
        .filter_map(|seen| seen.at)
        .max())
}

/// One page of a feed, with the records that it names.
async fn page(part: &mut ObjectPart, drain: &mut Drain, cell: &Cell) -> Result<(Difference, Next, Gates)> {
    let last_modified = part.plan().object.last_modified;
    let question = feed::ask(last_modified, resolve::shown(part), cell);
    let page = part.reader.search(&question).await?;
    let latest = part.context.latest(&part.reader.client);
    let seen = seen(&page, last_modified);
    let answer = Answer {
        total: page.total,
        has_next: page.after.is_some(),
        seen: &seen,
    };
    let next = drain.answer(answer, latest);
    let is_fresh = |(_, seen): &(_, &Seen)| {
        let known = part.recent.get(&seen.id).copied();
        known.is_none() || known < seen.at
    };
    let fresh: Vec<_> = page.results.iter().zip(&seen).filter(is_fresh).collect();
    let ids = fresh.iter().map(|(object, _)| object.id().to_owned()).collect();
    let shown = fresh
        .iter()
        .filter_map(|(_, seen)| Some((seen.id, seen.at?)))
        .collect();
    // Also of records that were read before, when search did not show yet what was merged into them.
    let merged = resolve::merged(part, &page.results);
    let (mut difference, gates) = read(part, ids, &shown).await?;
    difference.extend(part.gone(&merged));
    Ok((difference, next, gates))
}

/// Reads again what was read too early.
async fn read_again(part: &mut ObjectPart, cdc: &mut Cdc, now: Timestamp) -> Result<(Difference, Gates)> {
    let shown: BTreeMap<_, _> = part
        .stale
        .iter()
        .map(|(id, behind)| (*id, behind.shown))
        .collect();
    let ids = shown.keys().map(u64::to_string).collect();
    let read = read(part, ids, &shown).await?;
    let given_up: Vec<u64> = {
        let old = part.stale.iter().filter(|(_, behind)| behind.reads >= MOST_READS);
        old.map(|(id, _)| *id).collect()
    };
    for id in given_up {
        // It counts as read, or the feeds would never get past it.
        part.stale.remove(&id);
        part.recent.extend(shown.get(&id).map(|at| (id, *at)));
        cdc.doubt = cdc.doubt.max(Some(now));
    }
    Ok(read)
}

/// Reads these records by id, which search has `shown` as changed at these times.
async fn read(
    part: &mut ObjectPart,
    ids: Vec<String>,
    shown: &BTreeMap<u64, Timestamp>,
) -> Result<(Difference, Gates)> {
    if ids.is_empty() {
        return Ok((Difference::default(), Gates::new()));
    }
    let asked_at = part.context.now(&part.reader.client);
    let read = part.reader.by_id(&ids).await?;
    let gates = part.context.gates(part.touched()).await;
    let mut difference = part.differ(&read.objects, part.rule());
    let gone = resolve::known(part, &read.missing).await?;
    difference.extend(part.gone(&gone.dead));
    difference.extend(attach(part, &difference).await?);
    note_read(part, asked_at, shown, &read.objects);
    Ok((difference, gates))
}

/// Remembers when each record had changed that was read. Not of one that changed just before it was asked for: it may have
/// changed again in the same millisecond, and then only reading it once more can tell. One that is older than search has
/// shown is to be read again.
fn note_read(
    part: &mut ObjectPart,
    asked_at: Timestamp,
    shown: &BTreeMap<u64, Timestamp>,
    objects: &[RawObject],
) {
    let last_modified = part.plan().object.last_modified;
    let times = objects.iter().filter_map(|object| {
        let at = time(object, last_modified).or_else(|| updated(object))?;
        Some((number(object.id())?, at))
    });
    let times: BTreeMap<_, _> = times.collect();
    let settled = asked_at.saturating_sub(SETTLED).unwrap_or(asked_at);
    for (id, shown) in shown {
        // What is gone has been delivered as gone.
        let read = times.get(id).copied().unwrap_or(*shown);
        if read < *shown {
            let behind = part.stale.entry(*id).or_insert(Behind {
                shown: *shown,
                reads: 0,
            });
            behind.shown = behind.shown.max(*shown);
            behind.reads += 1;
            continue;
        }
        part.stale.remove(id);
        if read <= settled {
            let newest = part.recent.entry(*id).or_insert(read);
            *newest = read.max(*newest);
        }
    }
}

/// Whether a list shows a record as it was before it was last read by id. That counts as not read: what is delivered takes
/// the place of what is there (invariant 4). Only one property is compared with itself, and `recent` holds the times of the
/// last minutes only, so a time that HubSpot has set back is believed by a later walk.
pub(super) fn is_behind(object: &RawObject, last_modified: &str, recent: &HashMap<u64, Timestamp>) -> bool {
    let newest = number(object.id()).and_then(|id| recent.get(&id));
    newest
        .zip(time(object, last_modified))
        .is_some_and(|(newest, at)| at < *newest)
}

fn updated(object: &RawObject) -> Option<Timestamp> {
    object.updated_at()?.parse().ok().map(feed::whole)
}

/// The ids and times of a page. The time is the property that was sorted by, which need not be `updatedAt`.
fn seen(page: &SearchPage, last_modified: &str) -> Vec<Seen> {
    let seen = |object: &RawObject| Seen {
        id: number(object.id()).unwrap_or_else(|| u64::from(digest::of_text(object.id().as_bytes()))),
        at: time(object, last_modified).or_else(|| updated(object)),
    };
    page.results.iter().map(seen).collect()
}

/// A property of a record that is a time, in whole milliseconds.
fn time(object: &RawObject, property: &str) -> Option<Timestamp> {
    let properties: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(object.properties()?).ok()?;
    properties.get(property)?.as_str()?.parse().ok().map(feed::whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_behind_what_was_read_is_told_from_one_that_is_not() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let recent = HashMap::from([(7, at("2026-01-01T00:00:05Z"))]);
        let behind = |id: &str, changed: &str| {
            let updated = "2025-01-01T00:00:00Z";
            let json =
                format!(r#"{{"id":"{id}","properties":{{"changed":"{changed}"}},"updatedAt":"{updated}"}}"#);
            is_behind(&RawObject::parse(&json.into()).unwrap(), "changed", &recent)
        };
        assert!(behind("7", "2026-01-01T00:00:04.999Z"));
        assert!(!behind("7", "2026-01-01T00:00:05Z"));
        assert!(!behind("7", "2026-01-01T00:00:06Z"));
        assert!(!behind("8", "2026-01-01T00:00:04Z"), "not read lately");
        assert!(!behind("7", ""), "without a time it is taken for new");
    }
}
