//! Links between records. Every link is held from both sides, ordered by (from, to, type), so that paging is a
//! range. Changing a link never touches a record's last-modified time (hubspot-api notes §2.5).

use std::collections::{BTreeSet, HashMap};

/// The place of an object type in the portal.
pub(crate) type TypeIndex = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkKind {
    /// The link without a label, which every linked pair has.
    Plain,
    /// At most one per record on the `from` side.
    Primary,
    /// The other side of a primary link.
    PrimaryInverse,
    Labelled,
}

/// One association type, seen from one side.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) from: TypeIndex,
    pub(crate) to: TypeIndex,
    /// The emulator's own id of this side, which no answer shows: `number` alone does not identify a type.
    pub(crate) type_id: u32,
    /// The other side, by the emulator's own id.
    pub(crate) inverse_id: u32,
    /// What HubSpot calls `typeId`: unique only within `category` and between these two object types.
    pub(crate) number: u32,
    pub(crate) label: Option<String>,
    /// The string that v3 answers use, `contact_to_company`.
    pub(crate) name: String,
    pub(crate) kind: LinkKind,
    pub(crate) category: &'static str,
}

/// One end of a link, as seen from the record asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Link {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) type_id: u32,
}

/// What the other end of a shelved link has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Live(u64),
    Archived(u64),
    Gone,
}

type Links = BTreeSet<(u64, u64, u32)>;

/// A further association type of the account's own, seen from the side that made it.
#[derive(Debug)]
pub(crate) struct Label {
    pub(crate) text: Option<String>,
    /// What the other side is called, if not the same.
    pub(crate) inverse: Option<String>,
    pub(crate) name: String,
    pub(crate) category: &'static str,
}

/// The emulator's own ids of the account's association types are above the numbers that HubSpot defines.
const FIRST_OWN: u32 = 5001;

/// The category of the association types that HubSpot defines.
pub(crate) const HUBSPOT_DEFINED: &str = "HUBSPOT_DEFINED";

/// An association type as a request names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    /// Without one, HubSpot's own types go before the account's (believed).
    pub(crate) category: Option<String>,
    pub(crate) number: u32,
}

impl Named {
    fn is(&self, side: &Definition) -> bool {
        let fits = self
            .category
            .as_deref()
            .is_none_or(|category| category == side.category);
        fits && self.number == side.number
    }
}

impl From<&Definition> for Named {
    fn from(side: &Definition) -> Self {
        Self {
            category: Some(side.category.to_owned()),
            number: side.number,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Associations {
    definitions: HashMap<(TypeIndex, TypeIndex), Vec<Definition>>,
    /// How many types of the account's own there ever were.
    made: u32,
    /// How many types of the account's own there ever were in each direction: accounts number them from 1, as HubSpot
    /// numbers its own (hubspot-api notes, B: HubSpot staff in the community forum).
    numbered: HashMap<(TypeIndex, TypeIndex), u32>,
    links: HashMap<(TypeIndex, TypeIndex), Links>,
    /// Links of archived records, brought back by a restore.
    shelved: HashMap<(TypeIndex, u64), Vec<(TypeIndex, Link)>>,
}

impl Associations {
    /// The association types that HubSpot defines, among the types that `index` knows by path name.
    pub(crate) fn standard(index: impl Fn(&str) -> Option<TypeIndex>) -> Self {
        let lines = include_str!("../data/association_types.txt")
            .lines()
            .filter(|line| !line.starts_with('#'));
        let mut associations = Self::default();
        for definition in lines.filter_map(|line| both_sides(line, &index)).flatten() {
            associations.define(definition);
        }
        associations
    }

    /// Adds one side of an association type.
    pub(crate) fn define(&mut self, side: Definition) {
        self.definitions
            .entry((side.from, side.to))
            .or_default()
            .push(side);
    }

    /// Adds an association type, and its other side unless that is the same; returns the new sides.
    pub(crate) fn define_label(&mut self, types: (TypeIndex, TypeIndex), made: Label) -> Vec<Definition> {
        let kind = if made.text.is_some() {
            LinkKind::Labelled
        } else {
            LinkKind::Plain
        };
        let type_id = self.next_id();
        let symmetric = types.0 == types.1 && made.inverse.is_none();
        let inverse_id = if symmetric { type_id } else { self.next_id() };
        let back_label = made.inverse.or_else(|| made.text.clone());
        let number = self.next_number(types);
        let side = |pair: (TypeIndex, TypeIndex), ids: (u32, u32), number, label| Definition {
            from: pair.0,
            to: pair.1,
            type_id: ids.0,
            inverse_id: ids.1,
            number,
            label,
            name: made.name.clone(),
            kind,
            category: made.category,
        };
        let mut sides = vec![side(types, (type_id, inverse_id), number, made.text.clone())];
        if !symmetric {
            let back = (types.1, types.0);
            let number = self.next_number(back);
            sides.push(side(back, (inverse_id, type_id), number, back_label));
        }
        sides.iter().cloned().for_each(|side| self.define(side));
        sides
    }

    fn next_id(&mut self) -> u32 {
        self.made += 1;
        FIRST_OWN + self.made - 1
    }

    fn next_number(&mut self, types: (TypeIndex, TypeIndex)) -> u32 {
        let numbered = self.numbered.entry(types).or_default();
        *numbered += 1;
        *numbered
    }

    fn side_mut(&mut self, from: TypeIndex, to: TypeIndex, type_id: u32) -> Option<&mut Definition> {
        let sides = self.definitions.get_mut(&(from, to))?;
        sides.iter_mut().find(|side| side.type_id == type_id)
    }

    /// Gives a label other words; without words for the other side that one stays as it is.
    pub(crate) fn rename(&mut self, side: &Definition, label: String, inverse: Option<String>) {
        if let Some(known) = self.side_mut(side.from, side.to, side.type_id) {
            known.label = Some(label);
        }
        if let (Some(back), Some(inverse)) = (self.side_mut(side.to, side.from, side.inverse_id), inverse) {
            back.label = Some(inverse);
        }
    }

    /// Removes an association type, and its links.
    pub(crate) fn undefine(&mut self, side: &Definition) {
        let of_type = |link: &Link| link.type_id == side.type_id;
        let gone: Vec<Link> = self.all_above(side.from, side.to, None).filter(of_type).collect();
        for link in gone {
            self.take(side, link.from, link.to);
        }
        for (pair, id) in [
            ((side.from, side.to), side.type_id),
            ((side.to, side.from), side.inverse_id),
        ] {
            if let Some(sides) = self.definitions.get_mut(&pair) {
                sides.retain(|known| known.type_id != id);
            }
        }
    }

    /// The association types from one object type to another, the plain one first.
    pub(crate) fn definitions(
        &self,
        from: TypeIndex,
        to: TypeIndex,
    ) -> impl Iterator<Item = &Definition> + Clone {
        self.definitions.get(&(from, to)).into_iter().flatten()
    }

    pub(crate) fn definition(&self, from: TypeIndex, to: TypeIndex, type_id: u32) -> Option<&Definition> {
        self.definitions(from, to)
            .find(|definition| definition.type_id == type_id)
    }

    /// The association type that a request names.
    pub(crate) fn named(&self, from: TypeIndex, to: TypeIndex, named: &Named) -> Option<&Definition> {
        let mut found = self.definitions(from, to).filter(|side| named.is(side));
        let first = found.clone().find(|side| side.category == HUBSPOT_DEFINED);
        first.or_else(|| found.next())
    }

    pub(crate) fn plain(&self, from: TypeIndex, to: TypeIndex) -> Option<&Definition> {
        self.definitions(from, to)
            .find(|definition| definition.kind == LinkKind::Plain)
    }

    /// The links of one record to one object type from `after` on, ascending by (to, type).
    pub(crate) fn of(
        &self,
        from: TypeIndex,
        to: TypeIndex,
        id: u64,
        after: u64,
    ) -> impl Iterator<Item = Link> + '_ {
        let range = (id, after, 0)..=(id, u64::MAX, u32::MAX);
        let links = self
            .links
            .get(&(from, to))
            .into_iter()
            .flat_map(move |links| links.range(range.clone()));
        links.map(|&(from, to, type_id)| Link { from, to, type_id })
    }

    /// Every link from one object type to another, starting above `above`.
    pub(crate) fn all_above(
        &self,
        from: TypeIndex,
        to: TypeIndex,
        above: Option<Link>,
    ) -> impl Iterator<Item = Link> + '_ {
        let start = above.map_or((0, 0, 0), |link| (link.from, link.to, link.type_id + 1));
        let links = self
            .links
            .get(&(from, to))
            .into_iter()
            .flat_map(move |links| links.range(start..));
        links.map(|&(from, to, type_id)| Link { from, to, type_id })
    }

    pub(crate) fn has_pair(&self, from: TypeIndex, to: TypeIndex, pair: (u64, u64)) -> bool {
        self.of(from, to, pair.0, pair.1)
            .next()
            .is_some_and(|link| link.to == pair.1)
    }

    pub(crate) fn has(&self, from: TypeIndex, to: TypeIndex, link: Link) -> bool {
        let links = self.links.get(&(from, to));
        links.is_some_and(|links| links.contains(&(link.from, link.to, link.type_id)))
    }

    /// Whether any record of one type is linked to any of the other.
    pub(crate) fn are_linked(&self, from: TypeIndex, to: TypeIndex) -> bool {
        self.links.get(&(from, to)).is_some_and(|links| !links.is_empty())
    }

    /// Links a pair. Every linked pair also has the plain link; a record has one primary of a kind.
    /// `false`: there is no such association type.
    pub(crate) fn link(&mut self, from: TypeIndex, to: TypeIndex, link: Link) -> bool {
        let Some(definition) = self.definition(from, to, link.type_id).cloned() else {
            return false;
        };
        match definition.kind {
            LinkKind::Primary => self.drop_primary(&definition, link.from),
            LinkKind::PrimaryInverse => {
                if let Some(forward) = self.definition(to, from, definition.inverse_id).cloned() {
                    self.drop_primary(&forward, link.to);
                }
            }
            LinkKind::Plain | LinkKind::Labelled => {}
        }
        if let Some(plain) = self.plain(from, to).cloned() {
            self.put(&plain, link.from, link.to);
        }
        self.put(&definition, link.from, link.to);
        true
    }

    fn drop_primary(&mut self, primary: &Definition, from: u64) {
        let old: Vec<u64> = self
            .of(primary.from, primary.to, from, 0)
            .filter(|link| link.type_id == primary.type_id)
            .map(|link| link.to)
            .collect();
        for to in old {
            self.take(primary, from, to);
        }
    }

    fn put(&mut self, definition: &Definition, from: u64, to: u64) {
        self.links
            .entry((definition.from, definition.to))
            .or_default()
            .insert((from, to, definition.type_id));
        self.links
            .entry((definition.to, definition.from))
            .or_default()
            .insert((to, from, definition.inverse_id));
    }

    fn take(&mut self, definition: &Definition, from: u64, to: u64) {
        let forward = self.links.entry((definition.from, definition.to)).or_default();
        forward.remove(&(from, to, definition.type_id));
        let back = self.links.entry((definition.to, definition.from)).or_default();
        back.remove(&(to, from, definition.inverse_id));
    }

    /// Adds many links of known types at once; `links` need not be ordered.
    pub(crate) fn extend(&mut self, from: TypeIndex, to: TypeIndex, links: &[Link]) {
        let inverse: HashMap<u32, u32> = self
            .definitions(from, to)
            .map(|definition| (definition.type_id, definition.inverse_id))
            .collect();
        let back = links
            .iter()
            .filter_map(|link| Some((link.to, link.from, *inverse.get(&link.type_id)?)));
        let mut back: Links = back.collect();
        let mut forward: Links = links
            .iter()
            .map(|link| (link.from, link.to, link.type_id))
            .collect();
        self.links.entry((from, to)).or_default().append(&mut forward);
        self.links.entry((to, from)).or_default().append(&mut back);
    }

    /// Removes every link of a pair.
    pub(crate) fn unlink(&mut self, from: TypeIndex, to: TypeIndex, pair: (u64, u64)) {
        let found: Vec<Link> = self
            .of(from, to, pair.0, pair.1)
            .take_while(|link| link.to == pair.1)
            .collect();
        for link in found {
            self.unlink_one(from, to, link);
        }
    }

    /// Removes one link of a pair.
    pub(crate) fn unlink_one(&mut self, from: TypeIndex, to: TypeIndex, link: Link) {
        if let Some(definition) = self.definition(from, to, link.type_id).cloned() {
            self.take(&definition, link.from, link.to);
        }
    }

    /// Takes a record's links away and keeps them for a restore.
    pub(crate) fn shelve(&mut self, of: TypeIndex, id: u64) {
        let taken = self.take_all(of, id);
        if !taken.is_empty() {
            self.shelved.entry((of, id)).or_default().extend(taken);
        }
    }

    /// Brings a restored record's links back. A link to a record that is itself in the recycle bin waits there.
    pub(crate) fn unshelve(&mut self, of: TypeIndex, id: u64, end: impl Fn(TypeIndex, u64) -> End) {
        for (to, link) in self.shelved.remove(&(of, id)).unwrap_or_default() {
            match end(to, link.to) {
                End::Live(other) => _ = self.link(of, to, Link { to: other, ..link }),
                End::Archived(other) => self.wait_for(of, to, Link { to: other, ..link }),
                End::Gone => {}
            }
        }
    }

    /// Puts a link on the other record's shelf, as seen from there.
    fn wait_for(&mut self, of: TypeIndex, to: TypeIndex, link: Link) {
        let Some(definition) = self.definition(of, to, link.type_id) else {
            return;
        };
        let back = Link {
            from: link.to,
            to: link.from,
            type_id: definition.inverse_id,
        };
        self.shelved.entry((to, link.to)).or_default().push((of, back));
    }

    /// Removes every link of a record and returns them, as seen from it.
    pub(crate) fn take_all(&mut self, of: TypeIndex, id: u64) -> Vec<(TypeIndex, Link)> {
        let partners: BTreeSet<TypeIndex> = self
            .links
            .keys()
            .filter(|pair| pair.0 == of)
            .map(|pair| pair.1)
            .collect();
        let mut taken = Vec::new();
        for to in partners {
            let links: Vec<Link> = self.of(of, to, id, 0).collect();
            for link in &links {
                self.unlink_one(of, to, *link);
            }
            taken.extend(links.into_iter().map(|link| (to, link)));
        }
        taken
    }
}

/// One line of the data file as the two definitions it stands for (one, when a type is linked to itself by the
/// same id).
fn both_sides(line: &str, index: &impl Fn(&str) -> Option<TypeIndex>) -> Option<Vec<Definition>> {
    let columns: Vec<&str> = line.split('|').map(str::trim).collect();
    let [from, to, id, label, name, back_id, back_label, back_name, kind] = columns[..] else {
        return None;
    };
    let (forward_kind, back_kind) = match kind {
        "plain" => (LinkKind::Plain, LinkKind::Plain),
        "primary" => (LinkKind::Primary, LinkKind::PrimaryInverse),
        _ => (LinkKind::Labelled, LinkKind::Labelled),
    };
    let (id, back_id) = (id.parse().ok()?, back_id.parse().ok()?);
    let side = |from, to, type_id, inverse_id, label: &str, name: &str, kind| Definition {
        from,
        to,
        type_id,
        inverse_id,
        number: type_id,
        label: (!label.is_empty()).then(|| label.to_owned()),
        name: name.to_owned(),
        kind,
        category: HUBSPOT_DEFINED,
    };
    let (from, to) = (index(from)?, index(to)?);
    let forward = side(from, to, id, back_id, label, name, forward_kind);
    let back = side(to, from, back_id, id, back_label, back_name, back_kind);
    Some(if id == back_id {
        vec![forward]
    } else {
        vec![forward, back]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTACTS: TypeIndex = 0;
    const COMPANIES: TypeIndex = 1;

    fn associations() -> Associations {
        Associations::standard(|name| {
            ["contacts", "companies", "deals", "tickets", "line_items"]
                .iter()
                .position(|known| *known == name)
        })
    }

    fn types(associations: &Associations, from: TypeIndex, to: TypeIndex, id: u64) -> Vec<(u64, u32)> {
        associations
            .of(from, to, id, 0)
            .map(|link| (link.to, link.type_id))
            .collect()
    }

    #[test]
    fn a_label_brings_the_plain_link_and_both_sides_see_it() {
        let mut links = associations();
        assert!(links.link(
            CONTACTS,
            COMPANIES,
            Link {
                from: 1,
                to: 9,
                type_id: 1
            }
        ));
        assert_eq!(types(&links, CONTACTS, COMPANIES, 1), [(9, 1), (9, 279)]);
        assert_eq!(types(&links, COMPANIES, CONTACTS, 9), [(1, 2), (1, 280)]);
    }

    #[test]
    fn a_contact_has_one_primary_company() {
        let mut links = associations();
        links.link(
            CONTACTS,
            COMPANIES,
            Link {
                from: 1,
                to: 8,
                type_id: 1,
            },
        );
        links.link(
            COMPANIES,
            CONTACTS,
            Link {
                from: 9,
                to: 1,
                type_id: 2,
            },
        );
        assert_eq!(
            types(&links, CONTACTS, COMPANIES, 1),
            [(8, 279), (9, 1), (9, 279)]
        );
    }

    #[test]
    fn unlinking_a_pair_removes_both_sides() {
        let mut links = associations();
        links.link(
            CONTACTS,
            COMPANIES,
            Link {
                from: 1,
                to: 9,
                type_id: 1,
            },
        );
        links.unlink(COMPANIES, CONTACTS, (9, 1));
        assert_eq!(types(&links, CONTACTS, COMPANIES, 1), []);
        assert!(!links.has_pair(CONTACTS, COMPANIES, (1, 9)));
    }

    #[test]
    fn shelved_links_come_back() {
        let mut links = associations();
        links.link(
            CONTACTS,
            COMPANIES,
            Link {
                from: 1,
                to: 9,
                type_id: 1,
            },
        );
        links.shelve(CONTACTS, 1);
        assert_eq!(types(&links, COMPANIES, CONTACTS, 9), []);
        links.unshelve(CONTACTS, 1, |_, id| End::Live(id));
        assert_eq!(types(&links, COMPANIES, CONTACTS, 9), [(1, 2), (1, 280)]);
    }

    #[test]
    fn unknown_types_are_refused() {
        assert!(!associations().link(
            CONTACTS,
            COMPANIES,
            Link {
                from: 1,
                to: 9,
                type_id: 99_999
            }
        ));
    }

    #[test]
    fn every_line_of_the_data_file_is_read() {
        let lines = include_str!("../data/association_types.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count();
        let types = crate::state::object_type::standard();
        let all = Associations::standard(|name| types.iter().position(|known| known.plural == name));
        let sides: Vec<&Definition> = all.definitions.values().flatten().collect();
        let single = sides
            .iter()
            .filter(|side| side.type_id == side.inverse_id)
            .count();
        assert_eq!(sides.len(), 2 * lines - single);
    }
}
