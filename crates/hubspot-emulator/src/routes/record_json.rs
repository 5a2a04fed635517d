//! Records as the API shows them (hubspot-api notes §1.2), spliced from prepared bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::history_json;
use super::stencil::Stencil;
use crate::behaviour::habits::Habits;
use crate::call::Call;
use crate::failure::Failure;
use crate::json;
use crate::state::associations::{Link, TypeIndex};
use crate::state::portal::Portal;
use crate::state::property::Projection;
use crate::state::record::Record;
use crate::state::store::Store;
use crate::state::values::PropertyIndex;
use crate::time::write_iso;

/// At most this many inline associations per type (hubspot-api notes §1.3).
const INLINE_ASSOCIATIONS: usize = 100;

/// What a request wants to see of each record.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) projection: Projection,
    pub(crate) history: Vec<PropertyIndex>,
    pub(crate) associations: Vec<TypeIndex>,
    stencil: Stencil,
    habits: Habits,
}

impl View {
    /// The same with the account's present habits.
    pub(crate) fn with_habits(self, habits: Habits) -> Self {
        Self { habits, ..self }
    }

    /// Reads `properties`, `propertiesWithHistory` and `associations` of a list or get.
    pub(crate) fn of_query(portal: &Portal, store: &Store, call: &Call) -> Result<Self, Failure> {
        let history: Vec<&str> = call.list("propertiesWithHistory").collect();
        let associations: Result<Vec<TypeIndex>, Failure> = call
            .list("associations")
            .map(|name| portal.type_index(name))
            .collect();
        let view = Self::new(store, call.list("properties"), &history);
        Ok(Self {
            associations: associations?,
            ..view
        })
    }

    /// Unknown names are dropped in silence, and no names at all means the type's default ones.
    pub(crate) fn new<'n>(store: &Store, names: impl Iterator<Item = &'n str>, history: &[&str]) -> Self {
        let mut names = names.peekable();
        let projection = if names.peek().is_none() {
            store
                .properties
                .projection(store.object_type.defaults.iter().map(String::as_str))
        } else {
            store.properties.projection(names)
        };
        let history = history
            .iter()
            .filter_map(|name| store.properties.index(name))
            .collect();
        Self {
            stencil: Stencil::new(&store.properties, &projection),
            projection,
            history,
            associations: Vec::new(),
            habits: Habits::default(),
        }
    }

    /// How many bytes one record takes, roughly, without history and associations.
    pub(crate) fn size(&self) -> usize {
        self.stencil.size() + 256
    }
}

/// Appends one record.
pub(crate) fn write(
    out: &mut Vec<u8>,
    portal: &Portal,
    of: TypeIndex,
    record: &Record,
    view: &View,
    call: &Call,
) {
    open_with(out, record, &view.stencil);
    if !view.history.is_empty() {
        history_json::write(out, portal.store(of), record, &view.history, view.habits);
    }
    if !view.associations.is_empty() && !view.habits.association_lists_missing {
        write_associations(out, portal, of, record, view, call);
    }
    out.push(b'}');
}

/// Appends one record without the closing brace, so that more members can follow.
pub(crate) fn open(out: &mut Vec<u8>, store: &Store, record: &Record, projection: &Projection) {
    open_with(out, record, &Stencil::new(&store.properties, projection));
}

fn open_with(out: &mut Vec<u8>, record: &Record, stencil: &Stencil) {
    out.extend_from_slice(b"{\"id\":\"");
    json::integer(out, record.id);
    out.extend_from_slice(b"\",\"properties\":{");
    stencil.fill(out, record);
    out.extend_from_slice(b"},\"createdAt\":\"");
    write_iso(out, record.created);
    out.extend_from_slice(b"\",\"updatedAt\":\"");
    write_iso(out, record.updated);
    match record.archived_at() {
        None => out.extend_from_slice(b"\",\"archived\":false"),
        Some(at) => {
            out.extend_from_slice(b"\",\"archived\":true,\"archivedAt\":\"");
            write_iso(out, at);
            out.push(b'"');
        }
    }
}

fn write_associations(
    out: &mut Vec<u8>,
    portal: &Portal,
    of: TypeIndex,
    record: &Record,
    view: &View,
    call: &Call,
) {
    out.extend_from_slice(b",\"associations\":{");
    let start = out.len();
    for &to in &view.associations {
        let links: Vec<Link> = portal
            .associations
            .of(of, to, record.id, 0)
            .take(INLINE_ASSOCIATIONS + 20)
            .collect();
        if links.is_empty() {
            continue;
        }
        if out.len() > start {
            out.push(b',');
        }
        let plural = &portal.store(to).object_type.plural;
        match view.habits.association_keys_differ {
            true => json::string(out, &format!("associated_{plural}")),
            false => json::string(out, &inline_name(plural)),
        }
        out.push(b':');
        write_inline(out, portal, of, to, record, &links, call);
    }
    out.push(b'}');
}

/// Keys are the plural names, with a blank where the path has an underscore (believed; recorded for `line items`).
fn inline_name(plural: &str) -> String {
    plural.replace('_', " ")
}

fn write_inline(
    out: &mut Vec<u8>,
    portal: &Portal,
    of: TypeIndex,
    to: TypeIndex,
    record: &Record,
    links: &[Link],
    call: &Call,
) {
    let shown = whole_pairs(links, INLINE_ASSOCIATIONS);
    write_v3_links(out, portal, of, to, shown);
    if let (Some(last), true) = (shown.last(), shown.len() < links.len()) {
        let after = STANDARD.encode(format!("{}-{}", portal.store(to).object_type.id, last.to));
        let path = format!(
            "/crm/v3/objects/{}/{}/associations/{}",
            portal.store(of).object_type.plural,
            record.id,
            portal.store(to).object_type.plural
        );
        write_paging(
            out,
            &after,
            &call.link(&path, &[("after", &after), ("limit", "500")]),
        );
    }
    out.push(b'}');
}

/// Appends `{"results":[{"id","type"}]` without the closing brace.
pub(crate) fn write_v3_links(
    out: &mut Vec<u8>,
    portal: &Portal,
    of: TypeIndex,
    to: TypeIndex,
    links: &[Link],
) {
    out.extend_from_slice(b"{\"results\":[");
    for (at, link) in links.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"id\":\"");
        json::integer(out, link.to);
        out.extend_from_slice(b"\",\"type\":");
        json::string(
            out,
            portal
                .associations
                .definition(of, to, link.type_id)
                .map_or("", |definition| &definition.name),
        );
        out.push(b'}');
    }
    out.push(b']');
}

/// Appends `,"paging":{...}`.
pub(crate) fn write_paging(out: &mut Vec<u8>, after: &str, link: &str) {
    out.extend_from_slice(b",\"paging\":{\"next\":{\"after\":");
    json::string(out, after);
    out.extend_from_slice(b",\"link\":");
    json::string(out, link);
    out.extend_from_slice(b"}}");
}

/// The first links, at most so many, never only some of the links of a pair.
pub(crate) fn whole_pairs(links: &[Link], most: usize) -> &[Link] {
    let Some(beyond) = links.get(most) else {
        return links;
    };
    let end = links[..most]
        .iter()
        .rposition(|link| link.to != beyond.to)
        .map_or(most, |at| at + 1);
    &links[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(to: u64, type_id: u32) -> Link {
        Link { from: 1, to, type_id }
    }

    #[test]
    fn a_cut_never_splits_a_pair() {
        let links = [link(5, 1), link(5, 279), link(6, 279), link(7, 1), link(7, 279)];
        assert_eq!(whole_pairs(&links, 5).len(), 5);
        assert_eq!(whole_pairs(&links, 4).len(), 3);
        assert_eq!(whole_pairs(&links, 3).len(), 3);
        assert_eq!(whole_pairs(&links, 1).len(), 1);
    }
}
