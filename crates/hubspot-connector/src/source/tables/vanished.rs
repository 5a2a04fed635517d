//! Rows that were delivered and that a read of their table does not show. Pure.
//!
//! Absence from a walk over pages proves nothing: when a row is deleted between two pages of a list that is paged by
//! place, another one moves into the page that was read before. A row counts as gone only when HubSpot says so of this row,
//! or when a second read of its part of the table does not show it either.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::own::OwnStream;

/// More rows than these are not asked for one by one, at a call or two each.
const ONE_BY_ONE: usize = 100;

/// A row that is not shown any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vanished {
    /// The key as it stands in what is known.
    pub(super) text: String,
    pub(super) key: Map<String, Value>,
}

impl Vanished {
    /// The row of this key.
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            key: serde_json::from_str(text).unwrap_or_default(),
        }
    }

    /// A field of the key.
    pub(super) fn field(&self, name: &str) -> &str {
        self.key.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// How it is found out whether vanished rows are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// HubSpot is asked for each.
    Each,
    /// The table is read again, or the part of it that each row belongs to.
    Again,
}

impl Proof {
    /// The proof that a table takes for so many rows.
    pub(super) fn of(own: OwnStream, rows: usize) -> Self {
        match own {
            OwnStream::Owners | OwnStream::Lists | OwnStream::Resource(_) if rows <= ONE_BY_ONE => Self::Each,
            _ => Self::Again,
        }
    }
}

/// The part of its table that a row belongs to, and that can be refused or read alone: its object type or list. Empty for
/// tables without parts.
pub(super) fn part(own: OwnStream, key: &Map<String, Value>) -> &str {
    let field = match own {
        OwnStream::ListMemberships => "list_id",
        OwnStream::Pipelines | OwnStream::PipelineStages | OwnStream::Properties => "object_type",
        OwnStream::Owners | OwnStream::Schemas | OwnStream::Lists | OwnStream::Resource(_) => return "",
    };
    key.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The known rows that a read does not show. Rows of the parts that could not be read are not among them.
pub(super) fn vanished<'a>(
    own: OwnStream,
    is_shown: impl Fn(&str) -> bool,
    unread: &BTreeSet<String>,
    known: impl Iterator<Item = &'a str>,
) -> Vec<Vanished> {
    known
        .filter(|text| !is_shown(text))
        .map(Vanished::of)
        .filter(|row| !unread.contains(part(own, &row.key)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn rows_that_are_not_shown_have_vanished_unless_their_part_was_not_read() {
        let key = |list: &str, record: &str| format!(r#"{{"list_id":"{list}","record_id":"{record}"}}"#);
        let known = [key("1", "10"), key("1", "11"), key("2", "10")];
        let seen = HashSet::from([key("1", "10")]);
        let unread = BTreeSet::from(["2".to_owned()]);
        let found = vanished(
            OwnStream::ListMemberships,
            |text| seen.contains(text),
            &unread,
            known.iter().map(String::as_str),
        );
        assert_eq!(found, [Vanished::of(&known[1])]);
        assert_eq!(found[0].field("record_id"), "11");
    }

    #[test]
    fn a_few_rows_are_asked_for_one_by_one_and_parts_are_read_again() {
        assert_eq!(Proof::of(OwnStream::Lists, 1), Proof::Each);
        assert_eq!(Proof::of(OwnStream::Lists, ONE_BY_ONE + 1), Proof::Again);
        for own in [
            OwnStream::ListMemberships,
            OwnStream::Pipelines,
            OwnStream::Properties,
            OwnStream::Schemas,
        ] {
            assert_eq!(Proof::of(own, 1), Proof::Again, "{}", own.name());
        }
    }
}
