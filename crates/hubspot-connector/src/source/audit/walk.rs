//! The records of one object type as they are now, and what is attached to them, by other routes than a read takes.
//!
//! A read takes associations from the pages of records and histories from batch reads. Here associations come from v4 and
//! histories from pages, so a misunderstanding of either does not agree with itself.

use std::collections::HashSet;
use std::pin::pin;

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use hubspot_client::request::objects::{List, MAX_LIST_WITH_HISTORY};
use opencdc::{Operation, Record, Result};

use super::super::differ::{self, Rule, number};
use super::super::history;
use super::super::object::{Attached, Kind, ObjectPart};
use crate::known::OfStream;

/// As many as one association call takes (hubspot-api notes §2.5).
const LINKED: usize = hubspot_client::request::associations::MAX_BATCH;
/// Characters of property names in the URL of a page, which has room for about 15,000 once they are escaped.
const NAMES: usize = 5_000;

/// Every live record, its associations, and the values its properties have had.
pub(super) fn object(part: ObjectPart) -> impl Stream<Item = Result<Vec<Record>>> + Send {
    try_stream! {
        let rule = Rule {
            snapshot: true,
            updated_after: part.plan().updated_after,
            ..Rule::default()
        };
        let mut delivered = HashSet::new();
        let mut ids = Vec::new();
        let mut pages = pin!(part.reader.pages(None, &[]));
        while let Some(page) = pages.next().await {
            let page = part.reader.page(page)?;
            let objects = part.reader.whole(&page).await?;
            let difference = part.differ(&objects, rule);
            delivered.extend(difference.changed.iter().filter_map(|id| number(id)));
            yield difference.records;
            ids.extend(page.results.iter().map(|object| object.id().to_owned()));
            while ids.len() >= LINKED || (page.next.is_none() && !ids.is_empty()) {
                let some: Vec<_> = ids.drain(..ids.len().min(LINKED)).collect();
                for attached in &part.attached {
                    yield links(&part, attached, &some).await?;
                }
            }
        }
        for attached in part.attached.iter().filter(|attached| attached.kind == Kind::History) {
            let names = part.plan().history_properties(&part.reader.properties);
            for names in in_urls(names) {
                let mut pages = pin!(part.reader.client.pages(with_history(&part, names)));
                while let Some(page) = pages.next().await {
                    let mut objects = part.reader.page(page)?.results;
                    objects.retain(|object| number(object.id()).is_none_or(|id| delivered.contains(&id)));
                    yield history::records(&objects, &attached.facts, Operation::Snapshot)?;
                }
            }
        }
    }
}

async fn links(part: &ObjectPart, attached: &Attached, ids: &[String]) -> Result<Vec<Record>> {
    let Kind::Target(n) = attached.kind else {
        return Ok(Vec::new());
    };
    let links = part.reader.links(&part.plan().targets[n], ids).await?;
    let nothing = OfStream::default();
    Ok(differ::links(&links, &nothing, &attached.facts, Operation::Snapshot).records)
}

fn with_history(part: &ObjectPart, names: Vec<String>) -> List {
    List {
        limit: part.plan().page_size.min(MAX_LIST_WITH_HISTORY),
        properties: names.clone(),
        properties_with_history: names,
        ..List::new(part.plan().object.path_name())
    }
}

/// The names in pieces that fit into a URL, in which each stands twice.
fn in_urls(names: Vec<String>) -> Vec<Vec<String>> {
    let mut pieces: Vec<Vec<String>> = Vec::new();
    let mut room = 0;
    for name in names {
        if pieces.is_empty() || name.len() > room {
            pieces.push(Vec::new());
            room = NAMES;
        }
        room = room.saturating_sub(name.len() + 1);
        pieces.last_mut().expect("one was just added").push(name);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_pieces_that_fit_and_none_is_lost() {
        let names: Vec<_> = (0..600)
            .map(|n| format!("a_property_with_a_long_name_{n}"))
            .collect();
        let pieces = in_urls(names.clone());
        assert!(pieces.len() > 1);
        let length = |piece: &Vec<String>| piece.iter().map(|name| name.len() + 1).sum::<usize>();
        assert!(pieces.iter().all(|piece| length(piece) <= NAMES + 1));
        assert_eq!(pieces.concat(), names);
        assert_eq!(in_urls(Vec::new()).len(), 0);
    }
}
