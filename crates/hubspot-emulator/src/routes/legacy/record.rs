//! What the older record routes have in common: pages by offset, recently modified records, values with their
//! times.

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::failure::Failure;
use crate::state::associations::TypeIndex;
use crate::state::portal::Portal;
use crate::state::record::Record;
use crate::state::store::Store;
use crate::time::{Millis, parse_iso};

/// The recent lists end after so many records (documented).
const MOST_RECENT: usize = 10_000;

/// A call to the v3 route of an object type, for its unfiltered answer.
pub(super) fn own(object_type: &str) -> Call {
    Call {
        params: vec![object_type.to_owned()],
        ..Call::default()
    }
}

/// A time in milliseconds instead of ISO 8601.
pub(super) fn millis(time: &Value) -> Option<Millis> {
    time.as_str().and_then(parse_iso)
}

/// A number in the query; what is no number is refused.
pub(super) fn number<T: std::str::FromStr>(call: &Call, name: &str, default: T) -> Result<T, Failure> {
    let given = call.query(name).filter(|text| !text.is_empty());
    given.map_or(Ok(default), |text| {
        text.parse()
            .map_err(|_| Failure::validation(format!("Invalid value for {name}: {text}")))
    })
}

/// The page size: these routes lower what is too much instead of refusing it.
pub(super) fn page_size(call: &Call, name: &str, default: usize, most: usize) -> Result<usize, Failure> {
    Ok(number(call, name, default)?.clamp(1, most))
}

/// A part of a list, and where the next part begins.
pub(super) struct Part<'p> {
    pub(super) records: Vec<&'p Record>,
    pub(super) more: bool,
    pub(super) next: u64,
    pub(super) total: usize,
}

/// Live records by ascending id, from an id on.
pub(super) fn by_id(store: &Store, from: u64, most: usize) -> Part<'_> {
    let mut records: Vec<&Record> = store.live_from(store.slot_from(from)).take(most + 1).collect();
    let more = records.len() > most;
    records.truncate(most);
    Part {
        next: records.last().map_or(from, |record| record.id + 1),
        total: records.len(),
        records,
        more,
    }
}

/// Live records, the most recently modified first, not older than `since`.
pub(super) fn recent(store: &Store, since: Millis) -> Vec<&Record> {
    let mut records: Vec<&Record> = store
        .live_from(0)
        .filter(|record| record.updated >= since)
        .collect();
    records.sort_unstable_by_key(|record| std::cmp::Reverse((record.updated, record.id)));
    records.truncate(MOST_RECENT);
    records
}

/// A page of [`recent`], by `since`, `offset` and `count`.
pub(super) fn recent_part<'p>(store: &'p Store, call: &Call) -> Result<Part<'p>, Failure> {
    let offset: usize = number(call, "offset", 0)?;
    let count = page_size(call, "count", 20, 250)?;
    let all = recent(store, number(call, "since", 0)?);
    let end = offset.saturating_add(count).min(all.len());
    Ok(Part {
        records: all.get(offset..end).unwrap_or_default().to_vec(),
        more: end < all.len(),
        next: end as u64,
        total: all.len(),
    })
}

/// The body of a recent list of companies or deals.
pub(super) fn recent_body(part: &Part<'_>, results: &[Value]) -> Value {
    json!({"results": results, "hasMore": part.more, "offset": part.next, "total": part.total})
}

/// Values by name, of those asked for that have one; no names at all means every one.
pub(super) fn values(
    store: &Store,
    record: &Record,
    names: &[&str],
    shown: impl Fn(&str) -> Value,
) -> Map<String, Value> {
    let wanted = store
        .properties
        .iter()
        .filter(|(_, property)| !property.archived)
        .filter(|(_, property)| names.is_empty() || names.contains(&property.name.as_str()));
    let held = wanted.filter_map(|(index, property)| {
        let text = store.text(record, index)?;
        Some((property.name.clone(), shown(&text)))
    });
    held.collect()
}

/// A value of companies and deals; when each was set is not told apart from the record's last modification.
pub(super) fn timed(record: &Record) -> impl Fn(&str) -> Value + use<> {
    let at = record.updated;
    move |text| json!({"value": text, "timestamp": at, "source": "API", "sourceId": null})
}

/// The ids that a record is linked with, each once.
pub(super) fn linked(portal: &Portal, of: TypeIndex, record: &Record, to: &str) -> Vec<u64> {
    let Ok(to) = portal.type_index(to) else {
        return Vec::new();
    };
    let mut ids: Vec<u64> = portal
        .associations
        .of(of, to, record.id, 0)
        .map(|link| link.to)
        .collect();
    ids.dedup();
    ids
}
