//! The walk over all records of a type, page after page by id: the first time, or when it is asked for again.

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use hubspot_client::RawPage;
use jiff::Timestamp;
use opencdc::{Operation, Result};

use super::context::Progress;
use super::differ::{self, Difference, Rule, number};
use super::object::{Kind, ObjectPart};
use super::reader::{self, Inline};
use super::{step, walk as counting};
use crate::known::Edit;
use crate::position::{Complete, Snapshot, StreamPosition};

/// Pages that wait together for association lists that must be read exactly: as many as one call takes.
const HELD_PAGES: usize = 10;

/// A page that was read, with the association lists that are still to be read exactly.
struct Page {
    state: StreamPosition,
    difference: Difference,
    /// Which ids it has, for what the walk does not show.
    counted: counting::Page,
    /// By attached stream; empty for those that do not come with a page.
    inline: Vec<Inline>,
}

/// All pages from where the snapshot stands, each with what follows it.
pub(super) fn walk(
    part: &mut ObjectPart,
    mut snapshot: Snapshot,
) -> impl Stream<Item = Result<(Progress, StreamPosition)>> + Send {
    let joined = joins(part, &snapshot);
    let targets = joined_targets(part, &joined);
    try_stream! {
        let mut pages = Box::pin(part.reader.pages(snapshot.after.clone(), &targets));
        let mut held: Vec<Page> = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Err(error) if reader::refuses_token(&error, snapshot.after.as_deref()) => {
                    part.begin_again(part.reader.failed(error), snapshot.initial_timestamp)?;
                    held.clear();
                    snapshot = Snapshot { after: None, item_id: None, ..snapshot };
                    pages = Box::pin(part.reader.pages(None, &targets));
                    continue;
                }
                page => part.reader.page(page)?,
            };
            let is_last = page.next.is_none();
            let read = read(part, &snapshot, &page, &joined).await?;
            if let StreamPosition::Snapshot(next) = &read.state {
                snapshot = next.clone();
            }
            held.push(read);
            if is_last || held.len() == HELD_PAGES || !held.iter().any(Page::is_uncertain) {
                settle(part, &mut held, &joined).await?;
                for page in held.drain(..) {
                    yield hand_out(part, page, &joined, &snapshot);
                }
            }
        }
    }
}

/// Which attached streams are filled by this walk: those that begin with it, or were with it so far. The others are read
/// for themselves afterwards.
fn joins(part: &ObjectPart, snapshot: &Snapshot) -> Vec<bool> {
    let joins = |stream: &opencdc::StreamName| match part.context.position_of(stream) {
        None => snapshot.after.is_none(),
        Some(StreamPosition::Snapshot(other)) => step::same_page(&other, snapshot),
        Some(_) => false,
    };
    part.attached
        .iter()
        .map(|attached| joins(attached.facts.stream()))
        .collect()
}

fn joined_targets(part: &ObjectPart, joined: &[bool]) -> Vec<usize> {
    let target = |(attached, joined): (&super::object::Attached, &bool)| match attached.kind {
        Kind::Target(n) if *joined => Some(n),
        _ => None,
    };
    part.attached.iter().zip(joined).filter_map(target).collect()
}

async fn read(part: &mut ObjectPart, snapshot: &Snapshot, page: &RawPage, joined: &[bool]) -> Result<Page> {
    let objects = part.reader.whole(page).await?;
    let rule = Rule {
        snapshot: true,
        adopt: snapshot.adopt.as_ref(),
        updated_after: part.plan().updated_after,
        ..Rule::default()
    };
    let mut difference = part.differ(&objects, rule);
    let next = page.next.as_ref().map(|next| &*next.after);
    let through = snapshot.item_id.as_deref().and_then(number).unwrap_or(0);
    let through = snapshot.after.is_some().then_some(through);
    let counted = counting::Page::new(&page.results, through, next.is_none());
    let mut inline = Vec::new();
    for (n, joined) in joined.iter().enumerate() {
        inline.push(match part.attached[n].kind {
            Kind::Target(target) if *joined => part.inline(page, n, target).await?,
            Kind::History if *joined => {
                let history = part
                    .read_one_attached(n, &difference.changed, Operation::Snapshot)
                    .await?;
                difference.records.extend(history.records);
                Inline::default()
            }
            _ => Inline::default(),
        });
    }
    let reached = Some(counted.reached().to_string()).filter(|_| !counted.ids.is_empty());
    Ok(Page {
        state: step::after_page(snapshot, reached.as_deref(), next),
        difference,
        counted,
        inline,
    })
}

impl Page {
    fn is_uncertain(&self) -> bool {
        self.inline.iter().any(|inline| !inline.uncertain.is_empty())
    }
}

/// Reads exactly what is uncertain in the held pages.
async fn settle(part: &mut ObjectPart, held: &mut [Page], joined: &[bool]) -> Result<()> {
    for n in (0..part.attached.len()).filter(|n| joined[*n]) {
        let Kind::Target(target) = part.attached[n].kind else {
            continue;
        };
        let uncertain: Vec<_> = held
            .iter()
            .flat_map(|page| page.inline[n].uncertain.iter().cloned())
            .collect();
        if uncertain.is_empty() {
            continue;
        }
        let without_list = held.iter_mut();
        let without_list = without_list.flat_map(|page| std::mem::take(&mut page.inline[n].without_list));
        let without_list = without_list.collect();
        let mut links = part.reader.exactly(target, &uncertain, &without_list).await?;
        for inline in held.iter_mut().map(|page| &mut page.inline[n]) {
            for id in std::mem::take(&mut inline.uncertain) {
                let found = links.remove(&id).unwrap_or_default();
                inline.links.insert(id, found);
            }
        }
    }
    Ok(())
}

fn hand_out(
    part: &mut ObjectPart,
    page: Page,
    joined: &[bool],
    snapshot: &Snapshot,
) -> (Progress, StreamPosition) {
    let Page {
        mut state,
        mut difference,
        counted,
        inline,
    } = page;
    let passed = part.known(|known| counted.count(&known.live, &known.unseen));
    difference.edits.extend(differ::edit(passed.edits, |passed| {
        Edit::Unseen(part.stream().clone(), passed)
    }));
    // What the walk did not show is looked after as that of any other.
    if let StreamPosition::Cdc(cdc) = &mut state
        && !passed.unseen.is_empty()
    {
        cdc.reconcile.open = Some(step::ended(&step::begin(cdc.reconcile.last)));
    }
    for (attached, inline) in part.attached.iter().zip(&inline) {
        difference.extend(part.differ_links(&attached.facts, &inline.links, Operation::Snapshot));
    }
    let mut states = vec![(part.stream().clone(), state.clone())];
    for (n, _) in joined.iter().enumerate().filter(|(_, joined)| **joined) {
        let state = attached_state(&state, snapshot.initial_timestamp);
        if let StreamPosition::Complete(complete) = &state {
            part.attached[n].complete = complete.clone();
        }
        part.context.board.at(part.attached[n].facts.stream(), &state);
        states.push((part.attached[n].facts.stream().clone(), state));
    }
    part.context.board.at(part.stream(), &state);
    let progress = Progress {
        states,
        records: difference.records,
        edits: difference.edits,
        shape: None,
    };
    part.note_counts(&progress);
    (progress, state)
}

/// Attached streams stand at the same page, and are complete when it was the last.
fn attached_state(state: &StreamPosition, cutoff: Timestamp) -> StreamPosition {
    match state {
        StreamPosition::Snapshot(snapshot) => StreamPosition::Snapshot(Snapshot {
            adopt: None,
            since: None,
            selection: String::new(),
            ..snapshot.clone()
        }),
        StreamPosition::Cdc(_) | StreamPosition::Complete(_) => StreamPosition::Complete(Complete {
            initial_timestamp: cutoff,
            open: None,
        }),
    }
}
