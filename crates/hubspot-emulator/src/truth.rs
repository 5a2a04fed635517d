//! What an account really holds, as NDJSON: everything that ever was, whatever the API shows of it.

mod things;

use serde_json::json;

use crate::emulator::Inner;
use crate::failure::Failure;
use crate::json;
use crate::routes::Stencil;
use crate::state::associations::{Link, TypeIndex};
use crate::state::portal::Portal;
use crate::state::property::{Projection, Source};
use crate::state::record::{Life, Record};
use crate::state::store::Store;
use crate::time::write_iso;

/// Lines written while the account is locked once.
const LINES: usize = 1000;

/// Where the reading of one truth stands.
#[derive(Debug)]
pub(crate) enum Reader {
    /// The records of one type, from a place on.
    Records(TypeIndex, usize),
    /// The associations from one type to another, above one of them.
    Links((TypeIndex, TypeIndex), Option<Link>),
    /// Things that are few.
    Whole(Vec<u8>),
}

impl Reader {
    pub(crate) fn of(inner: &Inner, name: &str) -> Result<Self, Failure> {
        inner.catch_up_imports();
        inner.catch_up_bin();
        if let Some(lines) = things::lines(inner, name) {
            return Ok(Self::Whole(lines));
        }
        Ok(Self::Records(inner.portal().type_index(name)?, 0))
    }

    pub(crate) fn of_associations(inner: &Inner, from: &str, to: &str) -> Result<Self, Failure> {
        inner.catch_up_imports();
        let portal = inner.portal();
        let types = (portal.type_index(from)?, portal.type_index(to)?);
        Ok(Self::Links(types, None))
    }

    /// Appends the next lines; `None` when these were the last.
    pub(crate) fn piece(self, inner: &Inner, out: &mut Vec<u8>) -> Option<Self> {
        let portal = inner.portal();
        match self {
            Self::Whole(lines) => {
                out.extend(lines);
                None
            }
            Self::Records(of, from) => {
                write_records(portal.store(of), from, out).map(|next| Self::Records(of, next))
            }
            Self::Links(types, above) => {
                write_links(&portal, types, above, out).map(|last| Self::Links(types, Some(last)))
            }
        }
    }

    /// Every line.
    pub(crate) fn read_all(self, inner: &Inner) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = Some(self);
        while let Some(reader) = rest {
            rest = reader.piece(inner, &mut out);
        }
        out
    }
}

fn write_records(store: &Store, from: usize, out: &mut Vec<u8>) -> Option<usize> {
    let records = store.all_from(from);
    let piece = &records[..records.len().min(LINES)];
    for record in piece {
        write_record(out, store, record);
    }
    (piece.len() < records.len()).then_some(from + LINES)
}

/// One line of truth: the record with every property that has a value.
fn write_record(out: &mut Vec<u8>, store: &Store, record: &Record) {
    out.extend_from_slice(b"{\"id\":\"");
    json::integer(out, record.id);
    out.extend_from_slice(b"\",\"state\":");
    json::string(out, record.state());
    out.extend_from_slice(b",\"mergedInto\":");
    match record.life {
        Life::Merged { into } => json::string(out, &into.to_string()),
        _ => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"properties\":{");
    if !record.is_purged() {
        write_properties(out, store, record);
    }
    out.extend_from_slice(b"},\"createdAt\":\"");
    write_iso(out, record.created);
    out.extend_from_slice(b"\",\"updatedAt\":\"");
    write_iso(out, record.updated);
    out.push(b'"');
    let slot = store.slot(record.id);
    if matches!(record.life, Life::Archived { .. }) && !slot.is_some_and(|slot| store.is_in_bin(slot)) {
        out.extend_from_slice(b",\"expired\":true");
    }
    out.extend_from_slice(b"}\n");
}

fn write_properties(out: &mut Vec<u8>, store: &Store, record: &Record) {
    let own = store
        .properties
        .iter()
        .filter(|(_, property)| property.source != Source::Stored);
    let held = record
        .values
        .iter()
        .map(|(index, _)| index)
        .chain(own.map(|(index, _)| index));
    let mut shown = Projection(held.collect());
    shown.0.sort_unstable();
    Stencil::new(&store.properties, &shown).fill(out, record);
}

fn write_links(
    portal: &Portal,
    types: (TypeIndex, TypeIndex),
    above: Option<Link>,
    out: &mut Vec<u8>,
) -> Option<Link> {
    let links: Vec<Link> = portal
        .associations
        .all_above(types.0, types.1, above)
        .take(LINES)
        .collect();
    for link in &links {
        write_link(out, portal, types, *link);
    }
    links.last().copied().filter(|_| links.len() == LINES)
}

fn write_link(out: &mut Vec<u8>, portal: &Portal, types: (TypeIndex, TypeIndex), link: Link) {
    let definition = portal.associations.definition(types.0, types.1, link.type_id);
    let text = json!({
        "fromId": link.from.to_string(),
        "toId": link.to.to_string(),
        "typeId": definition.map(|definition| definition.number),
        "category": definition.map(|definition| definition.category),
        "label": definition.and_then(|definition| definition.label.as_deref()),
    });
    out.extend_from_slice(text.to_string().as_bytes());
    out.push(b'\n');
}
