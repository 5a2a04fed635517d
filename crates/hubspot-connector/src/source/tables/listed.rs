//! A row of an owner, a form or a piece of the CMS. Pure.
//!
//! The families of the CMS disagree about the names of their times, and HubSpot's reference, clients and examples disagree
//! about the same family (hubspot-api notes §2.8). Some have no `archived` at all. A row therefore says under one set of
//! names what its family says under another; all else stays as HubSpot wrote it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

/// The times of a row, and the other name that a family may have for each.
const TIMES: [(&str, &str); 4] = [
    ("createdAt", "created"),
    ("updatedAt", "updated"),
    (ARCHIVED_AT, "deletedAt"),
    ("publishDate", "publishDate"),
];
const ARCHIVED_AT: &str = "archivedAt";

/// The members of an object, each with its text as HubSpot wrote it.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The JSON of a row from the list of archived or of live ones. The list decides, whatever the row says of itself. A time
/// of zero or in 1970 is none.
pub(super) fn row(json: &Bytes, archived: bool) -> Bytes {
    let Ok(mut members) = serde_json::from_slice::<Members<'_>>(json) else {
        return json.clone();
    };
    let (null, flag) = (raw(&Value::Null), raw(&archived.into()));
    let mut said: Members<'_> = TIMES
        .into_iter()
        .filter_map(|names| Some((names.0.to_owned(), time(&members, names, archived, &null)?)))
        .collect();
    said.insert("archived".to_owned(), &flag);
    let is_said = |(name, value): (&String, &&RawValue)| {
        members
            .get(name)
            .is_some_and(|written| written.get() == value.get())
    };
    if said.iter().all(is_said) {
        return json.clone();
    }
    members.extend(said);
    let text = serde_json::to_vec(&members).expect("raw JSON is always serialisable");
    text.into()
}

/// The time under either name; null when both are none; `None` when a row has no such member and needs none.
fn time<'a>(
    members: &Members<'a>,
    (name, other): (&str, &str),
    archived: bool,
    null: &'a RawValue,
) -> Option<&'a RawValue> {
    let can_be = archived || name != ARCHIVED_AT;
    let mut written = [name, other].into_iter().filter_map(|name| members.get(name));
    let time = written.find(|written| can_be && is_time(written)).copied();
    time.or_else(|| members.contains_key(name).then_some(null))
}

/// Posts and pages that are not deleted say that they were deleted in 1970, drafts that they were published then.
fn is_time(written: &RawValue) -> bool {
    match serde_json::from_str(written.get()) {
        Ok(Value::String(text)) => !text.is_empty() && text != "0" && !text.starts_with("1970-01-01"),
        Ok(Value::Number(number)) => number.as_f64() != Some(0.0),
        _ => false,
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("null and booleans are always serialisable")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row_of(written: &Value, archived: bool) -> Value {
        let row = row(&written.to_string().into(), archived);
        serde_json::from_slice(&row).unwrap()
    }

    const AT: &str = "2026-03-01T10:00:00Z";
    const NEVER: &str = "1970-01-01T00:00:00Z";

    #[test]
    fn the_list_decides_what_is_archived() {
        for written in [
            json!({"id": "1"}),
            json!({"id": "1", "archived": false}),
            json!({"id": "1", "archived": true}),
        ] {
            assert_eq!(row_of(&written, true)["archived"], true, "{written}");
            assert_eq!(row_of(&written, false)["archived"], false, "{written}");
        }
    }

    #[test]
    fn either_name_of_a_time_is_understood_and_the_familys_own_stays() {
        let blog = row_of(&json!({"created": AT, "updated": AT, "deletedAt": AT}), true);
        let page = row_of(&json!({"createdAt": AT, "updatedAt": AT, "archivedAt": AT}), true);
        for name in ["createdAt", "updatedAt", "archivedAt"] {
            assert_eq!((&blog[name], &page[name]), (&json!(AT), &json!(AT)), "{name}");
        }
        assert_eq!(blog["created"], AT);
        let both = row_of(&json!({"createdAt": NEVER, "created": AT}), false);
        assert_eq!(both["createdAt"], AT);
    }

    #[test]
    fn a_time_of_zero_or_in_1970_is_none() {
        for never in [
            json!(NEVER),
            json!("1970-01-01T00:00:00.000Z"),
            json!(0),
            json!("0"),
            json!(""),
        ] {
            let row = row_of(&json!({"archivedAt": never, "publishDate": never}), true);
            assert_eq!(
                (&row["archivedAt"], &row["publishDate"]),
                (&Value::Null, &Value::Null),
                "{never}"
            );
        }
        let restored = row_of(&json!({"archivedAt": AT}), false);
        assert_eq!(restored["archivedAt"], Value::Null);
        let number = row_of(&json!({"createdAt": 1_700_000_000_000_u64}), false);
        assert_eq!(number["createdAt"], 1_700_000_000_000_u64);
    }

    #[test]
    fn what_needs_no_change_stays_byte_for_byte_and_other_members_keep_their_digits() {
        let whole = Bytes::from(r#"{"id":"1", "archived":false, "createdAt":"2026-03-01T10:00:00Z"}"#);
        assert_eq!(row(&whole, false), whole);
        let precise = Bytes::from(r#"{"id":"1","n":12345678901234567890.10,"s":"\u00f6"}"#);
        let text = String::from_utf8(row(&precise, true).to_vec()).unwrap();
        assert!(
            text.contains(r#""n":12345678901234567890.10"#) && text.contains(r#""s":"\u00f6""#),
            "{text}"
        );
    }
}
