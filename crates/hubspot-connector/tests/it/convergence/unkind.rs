//! What a schedule may meet: habits of the account that no documentation rules out, answers that go wrong, and people who
//! change definitions meanwhile.

use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{below, pick};

/// What this account's search, lists and reads do that no documentation promises not to be done. `feeds_only` and `one_walk`
/// as in the schedule.
pub(super) fn habits(draw: &mut ChaCha8Rng, feeds_only: bool, one_walk: bool) -> Value {
    let mut habits = json!({});
    let disorder = pick(draw, &[300, 1_500, 60_000, 3_500_000]);
    let read_lag = 1_000 + below(draw, 5_000);
    let one_in = [
        (3, "unstableOrder", json!(true)),
        (3, "freshValues", json!(true)),
        (3, "shortPages", json!(true)),
        (3, "equalTimesFindNothing", json!(true)),
        (3, "idsSortAsText", json!(true)),
        (3, "disorder", json!(disorder)),
        (3, "readLag", json!(read_lag)),
        (3, "disorderedPages", json!(true)),
        (3, "escapedLists", json!(true)),
        (3, "erasedStaysInBin", json!(true)),
        (5, "archivedReadsMiss", json!(true)),
        (5, "associationKeysDiffer", json!(true)),
        (5, "associationListsMissing", json!(true)),
    ];
    for (one_in, name, value) in one_in {
        if below(draw, one_in) == 0 {
            habits[name] = value;
        }
    }
    if below(draw, 16) == 0 && !one_walk {
        let drift: i64 = pick(draw, &[-1, 1]);
        // A total that is too low hides a record until the next walk over all records, and there is none.
        habits["totalDrift"] = json!(if feeds_only { drift.abs() } else { drift });
    }
    habits
}

/// Something that goes wrong a few times.
pub(super) fn fault(draw: &mut ChaCha8Rng) -> Value {
    let path = pick(
        draw,
        &["*", "*/search", "*/batch/read", "*/associations/*", "*contacts*"],
    );
    // A gateway's answers, with no words of HubSpot's.
    let foreign = |status: u16| json!({"status": status, "body": {"status": "error", "error": "upstream"}});
    let few = || json!([0, 1, 2, 7]);
    let actions = [
        json!({"status": 429, "policy": "TEN_SECONDLY_ROLLING"}),
        json!({"status": 429, "policy": "SECONDLY"}),
        json!({"status": 429, "policy": "DAILY"}),
        json!({"status": 503}),
        json!({"status": 500}),
        json!({"status": 401}),
        json!({"status": 408}),
        json!({"status": 499}),
        json!({"status": 520, "body": null}),
        json!({"status": 530, "body": "error 1033"}),
        json!({"status": 404, "body": "no such upstream"}),
        json!({"status": 200, "body": {}}),
        foreign(200),
        foreign(400),
        json!({"drop": true}),
        json!({"truncate": true}),
        json!({"slow": "40s"}),
        json!({"failAfterWrite": true}),
        json!({"html": true}),
        // Clocks of proxies, or none.
        json!({"date": "-2h"}),
        json!({"date": "3h"}),
        json!({"headers": {"date": null}}),
        json!({"headers": {"date": "yesterday"}}),
        // Pages and batches that are not what was asked for.
        json!({"shortPage": 0}),
        json!({"shortPage": 3}),
        json!({"leaveOut": few()}),
        json!({"duplicate": few()}),
    ];
    let action = &actions[usize::try_from(below(draw, actions.len() as u64)).unwrap()];
    let times = 1 + below(draw, 12);
    json!({"match": {"method": "*", "path": path}, "times": times, "action": action})
}

/// A call of somebody who changes a definition: method, path, body. It may be refused.
pub(super) fn redefinition(draw: &mut ChaCha8Rng) -> (&'static str, String, Value) {
    const PROPERTIES: &str = "/crm/v3/properties/contacts";
    const LABELS: &str = "/crm/v4/associations/contacts/companies/labels";
    let n = below(draw, 1_000);
    match below(draw, 8) {
        0 => {
            let property = json!({"name": format!("drawn_{n}"), "label": "Drawn", "type": "string", "fieldType": "text",
                                  "groupName": "contactinformation"});
            ("POST", PROPERTIES.to_owned(), property)
        }
        // Renamed, and of another type while it holds texts.
        1 => (
            "PATCH",
            format!("{PROPERTIES}/city"),
            json!({"label": format!("Town {n}")}),
        ),
        2 => {
            let (data_type, field) = pick(
                draw,
                &[("number", "number"), ("string", "text"), ("string", "textarea")],
            );
            let change = json!({"type": data_type, "fieldType": field});
            ("PATCH", format!("{PROPERTIES}/zip"), change)
        }
        // Own labels are numbered from 1, in each direction.
        3..=5 => {
            let label = json!({"label": format!("Label {n}"), "name": format!("label_{n}")});
            ("POST", LABELS.to_owned(), label)
        }
        6 => {
            let renamed = json!({"associationTypeId": 1 + n % 3, "label": format!("Renamed {n}")});
            ("PUT", LABELS.to_owned(), renamed)
        }
        _ => ("DELETE", format!("{LABELS}/{}", 1 + n % 3), Value::Null),
    }
}
