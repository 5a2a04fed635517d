//! `propertiesWithHistory` of a record (hubspot-api notes §1.2).

use std::cmp::Reverse;

use serde_json::{Value, json};

use crate::behaviour::habits::Habits;
use crate::json;
use crate::state::history::{Held, Origin};
use crate::state::owners::user_id;
use crate::state::property::Source;
use crate::state::record::Record;
use crate::state::store::Store;
use crate::state::values::PropertyIndex;
use crate::time::iso;

/// The most records that one request reads with history (hubspot-api notes §1.3; for batches it is believed).
pub(super) const MOST_WITH_HISTORY: usize = 50;

/// Appends every value that the wanted properties have held, newest first.
pub(super) fn write(
    out: &mut Vec<u8>,
    store: &Store,
    record: &Record,
    wanted: &[PropertyIndex],
    habits: Habits,
) {
    out.extend_from_slice(b",\"propertiesWithHistory\":{");
    for (at, &property) in wanted.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(store.properties.fragment(property).key());
        out.push(b'[');
        let mut all = of(store, record, property);
        if habits.history_unordered {
            // Whatever stands in one millisecond is turned round.
            all.reverse();
            all.sort_by_key(|held| Reverse(held.since));
        }
        all.truncate(habits.history_cut.unwrap_or(usize::MAX));
        for held in all {
            let mut told = held_json(&held);
            if habits.fine_times {
                told["timestamp"] = json!(iso(held.since).replace('Z', "456Z"));
            }
            json::comma(out);
            out.extend_from_slice(told.to_string().as_bytes());
        }
        out.push(b']');
    }
    out.push(b'}');
}

fn of(store: &Store, record: &Record, property: PropertyIndex) -> Vec<Held> {
    let noted = store
        .slot(record.id)
        .map_or(&[][..], |slot| store.history.of(slot, property));
    if noted.is_empty() {
        return since_the_start(store, record, property).into_iter().collect();
    }
    noted.iter().rev().cloned().collect()
}

/// A property that has not changed since the start has held its value since the record's creation.
fn since_the_start(store: &Store, record: &Record, property: PropertyIndex) -> Option<Held> {
    let value = store.text(record, property)?.into_owned();
    let changes = store.properties.source(property) == Source::Updated;
    Some(Held {
        value,
        since: if changes { record.updated } else { record.created },
        origin: Origin::Import,
    })
}

fn held_json(held: &Held) -> Value {
    let user = user_id(0);
    let (kind, id, label) = match held.origin {
        Origin::Import => ("IMPORT", "100001".to_owned(), Some("Import")),
        Origin::Integration => ("INTEGRATION", "200001".to_owned(), Some("Private app")),
        Origin::Person => ("CRM_UI", format!("userId:{user}"), None),
        Origin::Calculation => ("CALCULATED", "CalculatedPropertyComputer".to_owned(), None),
    };
    let mut told = json!({
        "value": held.value,
        "timestamp": iso(held.since),
        "sourceType": kind,
        "sourceId": id,
    });
    if let Some(label) = label {
        told["sourceLabel"] = json!(label);
    }
    if held.origin == Origin::Person {
        told["updatedByUserId"] = json!(user);
    }
    told
}
