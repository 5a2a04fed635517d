//! Two rows beside each other: the one that there should be and the one that there is. Pure.

use std::collections::BTreeMap;

use opencdc::{Compared, DataType, Verdict};
use rusqlite::types::ValueRef;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use super::table::Table;

/// A row as it is compared: a value for every field, and what stands beside the columns.
pub(super) struct Side<'a> {
    fields: Vec<ValueRef<'a>>,
    /// JSON texts by the field's identity.
    beside: BTreeMap<String, Box<RawValue>>,
}

impl<'a> Side<'a> {
    /// `raw` and `extra` are the columns of these names.
    pub(super) fn new(
        table: &Table,
        fields: Vec<ValueRef<'a>>,
        raw: ValueRef<'_>,
        extra: ValueRef<'_>,
    ) -> Self {
        let mut beside = object(raw);
        // A text column holds everything. What it kept beside itself before it was widened says nothing any more.
        for column in table
            .columns()
            .filter(|column| column.data_type == DataType::String)
        {
            beside.remove(&column.identity);
        }
        beside.extend(object(extra));
        Self {
            fields: fields.into_iter().map(plain).collect(),
            beside,
        }
    }

    /// Whether the row itself says that its record is archived.
    pub(super) fn is_archived(&self, table: &Table) -> bool {
        table
            .archived
            .is_some_and(|index| self.fields[index] == ValueRef::Integer(1))
    }

    fn kept(&self, identity: &str) -> Option<&str> {
        self.beside.get(identity).map(|raw| raw.get())
    }

    fn checksum(&self, table: &Table) -> u64 {
        let mut bytes = Vec::new();
        for (index, column) in table.fields.iter().enumerate() {
            let kept = self.kept(&column.identity);
            if self.fields[index] != ValueRef::Null || kept.is_some() {
                let mut push = |part: &[u8]| {
                    bytes.extend_from_slice(&part.len().to_le_bytes());
                    bytes.extend_from_slice(part);
                };
                push(column.identity.as_bytes());
                match self.fields[index] {
                    ValueRef::Null => push(b""),
                    ValueRef::Integer(integer) => push(&integer.to_le_bytes()),
                    ValueRef::Real(real) => push(&real.to_le_bytes()),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => push(bytes),
                }
                push(kept.unwrap_or_default().as_bytes());
            }
        }
        // 0 means that there is no row.
        xxh3_64(&bytes).max(1)
    }
}

/// Origins write an empty text for no value, and sources do not take the one for a change of the other.
fn plain(value: ValueRef<'_>) -> ValueRef<'_> {
    match value {
        ValueRef::Text(b"") => ValueRef::Null,
        // There is one zero.
        ValueRef::Real(0.0) => ValueRef::Real(0.0),
        value => value,
    }
}

/// What somebody else has put there is no object of ours, and differs from every one.
fn object(value: ValueRef<'_>) -> BTreeMap<String, Box<RawValue>> {
    match value {
        ValueRef::Text(text) => serde_json::from_slice(text).unwrap_or_default(),
        _ => BTreeMap::new(),
    }
}

/// How the row that there should be compares with the one that there is.
pub(super) fn compare(table: &Table, wanted: Option<&Side<'_>>, row: Option<&Side<'_>>) -> Compared {
    let verdict = match (wanted, row) {
        (None, None) => Verdict::Same,
        (None, Some(_)) => Verdict::Extra,
        (Some(_), None) => Verdict::Missing,
        (Some(wanted), Some(row)) => difference(table, wanted, row),
    };
    let checksum = |side: Option<&Side<'_>>| side.map_or(0, |side| side.checksum(table));
    Compared {
        verdict,
        wanted: checksum(wanted),
        found: checksum(row),
    }
}

fn difference(table: &Table, wanted: &Side<'_>, row: &Side<'_>) -> Verdict {
    let differs = |index: &usize| {
        let identity = &table.fields[*index].identity;
        wanted.fields[*index] != row.fields[*index] || wanted.kept(identity) != row.kept(identity)
    };
    let fields: Vec<_> = (0..table.fields.len())
        .filter(differs)
        .map(|index| table.stream.fields[index].name.clone())
        .collect();
    match fields.is_empty() {
        true => Verdict::Same,
        false => Verdict::Differs { fields },
    }
}
