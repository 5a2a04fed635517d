//! Running a search. Ranges over id, creation and last modification are answered from an ordered index, with
//! `total`, however many records there are; anything else looks at each candidate.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use super::associations::TypeIndex;
use super::filter::{Condition, Order, own};
use super::index::{Slot, SortedIndex};
use super::portal::Portal;
use super::property::{Kind, Source};
use super::record::Record;
use super::search_index::SearchIndex;
use super::store::Store;
use super::values::PropertyIndex;
use crate::behaviour::search_habits::Bend;

#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Conditions of a group are all met; of the groups, one. No groups: every record.
    pub(crate) groups: Vec<Vec<Condition>>,
    /// Lowercase words, each of which one of the searched properties holds.
    pub(crate) words: Vec<String>,
    pub(crate) sort: Option<Sort>,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
    /// How the account bends the order.
    pub(crate) bend: Bend,
}

impl Query {
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.groups.iter().flatten()
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Sort {
    pub(crate) property: PropertyIndex,
    pub(crate) descending: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Found<'p> {
    pub(crate) total: usize,
    pub(crate) records: Vec<&'p Record>,
}

/// One index and the part of it that can hold matches.
struct Candidates {
    order: Order,
    keys: RangeInclusive<i64>,
}

pub(crate) fn run<'p>(portal: &'p Portal, of: TypeIndex, query: &Query) -> Found<'p> {
    let store = portal.store(of);
    let candidates = choose(&store.search, query);
    match in_order(store, query, &candidates) {
        Some(descending) => slice(store, query, &candidates, descending),
        None => examine(portal, of, query, &candidates),
    }
}

fn index(search: &SearchIndex, order: Order) -> &SortedIndex {
    match order {
        Source::Id => &search.by_id,
        Source::Created => &search.by_created,
        Source::Updated | Source::Stored => &search.by_updated,
    }
}

/// The ranks of the entries whose keys lie in a range.
fn ranks(search: &SearchIndex, candidates: &Candidates) -> (usize, usize) {
    let index = index(search, candidates.order);
    let (low, high) = (*candidates.keys.start(), *candidates.keys.end());
    if low > high {
        return (0, 0);
    }
    (
        index.rank(low),
        high.checked_add(1).map_or(index.len(), |above| index.rank(above)),
    )
}

/// The smallest index range that holds every match. Several groups have no range in common: all records.
fn choose(search: &SearchIndex, query: &Query) -> Candidates {
    let mut best = Candidates {
        order: Source::Created,
        keys: i64::MIN..=i64::MAX,
    };
    let [group] = &query.groups[..] else { return best };
    let mut fewest = usize::MAX;
    for order in [Source::Updated, Source::Created, Source::Id] {
        let Some(keys) = common_span(group, order) else {
            continue;
        };
        let candidates = Candidates { order, keys };
        let (from, to) = ranks(search, &candidates);
        if to - from < fewest {
            fewest = to - from;
            best = candidates;
        }
    }
    best
}

/// The range that every condition on an ordered field leaves; `None` without such a condition.
fn common_span(group: &[Condition], order: Order) -> Option<RangeInclusive<i64>> {
    let spans = group
        .iter()
        .filter_map(Condition::span)
        .filter(|(of, _)| *of == order)
        .map(|(_, span)| span);
    spans.reduce(|one, other| *one.start().max(other.start())..=*one.end().min(other.end()))
}

/// Whether the candidates are the answer as they stand: `Some(descending)`.
fn in_order(store: &Store, query: &Query, candidates: &Candidates) -> Option<bool> {
    let covered = query
        .groups
        .iter()
        .flatten()
        .all(|condition| condition.span().is_some_and(|span| span.0 == candidates.order));
    let (order, descending) = sort_order(store, query.sort);
    (covered
        && query.bend.is_straight()
        && query.words.is_empty()
        && query.groups.len() < 2
        && order == candidates.order)
        .then_some(descending)
}

/// The default order is creation, oldest first (hubspot-api notes §1.5).
fn sort_order(store: &Store, sort: Option<Sort>) -> (Source, bool) {
    sort.map_or((Source::Created, false), |sort| {
        (store.properties.get(sort.property).source, sort.descending)
    })
}

fn slice<'p>(store: &'p Store, query: &Query, candidates: &Candidates, descending: bool) -> Found<'p> {
    let (from, to) = ranks(&store.search, candidates);
    let total = to - from;
    let take = query.limit.min(total.saturating_sub(query.offset));
    let index = index(&store.search, candidates.order);
    let slots: Vec<Slot> = if descending {
        index
            .descending(to.saturating_sub(query.offset))
            .take(take)
            .collect()
    } else {
        index.ascending(from + query.offset).take(take).collect()
    };
    Found {
        total,
        records: slots
            .into_iter()
            .filter_map(|slot| visible(store, slot))
            .collect(),
    }
}

fn visible(store: &Store, slot: Slot) -> Option<&Record> {
    store.search.visible(slot, store.record(slot))
}

/// Looks at every candidate, then sorts what matches.
fn examine<'p>(portal: &'p Portal, of: TypeIndex, query: &Query, candidates: &Candidates) -> Found<'p> {
    let store = portal.store(of);
    let searched: Vec<PropertyIndex> = store
        .object_type
        .searched
        .iter()
        .filter_map(|name| store.properties.index(name))
        .collect();
    let (from, to) = ranks(&store.search, candidates);
    let slots = index(&store.search, candidates.order)
        .ascending(from)
        .take(to - from);
    let matching = slots
        .filter_map(|slot| visible(store, slot))
        .filter(|record| matches(portal, of, query, &searched, record));
    let mut matching: Vec<(Key, &Record)> = matching
        .map(|record| (Key::of(store, query, record), record))
        .collect();
    let descending = query.sort.is_some_and(|sort| sort.descending);
    matching.sort_by(|one, other| one.0.compare(&other.0, descending));
    let total = matching.len();
    let records = matching
        .into_iter()
        .skip(query.offset)
        .take(query.limit)
        .map(|(_, record)| record)
        .collect();
    Found { total, records }
}

fn matches(
    portal: &Portal,
    of: TypeIndex,
    query: &Query,
    searched: &[PropertyIndex],
    record: &Record,
) -> bool {
    let any_group = query.groups.is_empty()
        || query
            .groups
            .iter()
            .any(|group| group.iter().all(|condition| condition.holds(portal, of, record)));
    any_group && has_words(&query.words, searched, record)
}

fn has_words(words: &[String], searched: &[PropertyIndex], record: &Record) -> bool {
    if words.is_empty() {
        return true;
    }
    let texts: Vec<String> = searched
        .iter()
        .filter_map(|property| record.values.get(*property))
        .map(|text| text.to_lowercase())
        .collect();
    words
        .iter()
        .all(|word| texts.iter().any(|text| text.contains(word.as_str())))
}

/// What a record is sorted by. Records without a value come last in both directions (believed).
#[derive(Debug)]
enum Key {
    Whole(i64),
    Number(f64),
    Text(String),
    Missing,
}

impl Key {
    fn of(store: &Store, query: &Query, record: &Record) -> Self {
        let Some(sort) = query.sort else {
            return Self::Whole(record.created);
        };
        let property = store.properties.get(sort.property);
        match property.source {
            Source::Id if query.bend.ids_as_text => return Self::Text(record.id.to_string()),
            Source::Updated => return Self::Whole(query.bend.time(record)),
            Source::Id | Source::Created => return Self::Whole(own(property.source, record)),
            Source::Stored => {}
        }
        match record.values.get(sort.property) {
            Some(text) if property.kind == Kind::Number => text.parse().map_or(Self::Missing, Self::Number),
            Some(text) if !text.is_empty() => Self::Text(text.to_lowercase()),
            _ => Self::Missing,
        }
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Missing, Self::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return Ordering::Greater,
            (_, Self::Missing) => return Ordering::Less,
            (Self::Whole(one), Self::Whole(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => Ordering::Equal,
        };
        if descending { order.reverse() } else { order }
    }
}
