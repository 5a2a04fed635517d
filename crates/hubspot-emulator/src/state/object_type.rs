//! Object types as data: names, ids, and the few rules that differ from type to type. A further standard type
//! is one more line in `data/object_types.txt`; a custom object is one more value at run time.

use super::operations::{Operation, Operations};

/// What may be left out when a record is created (hubspot-api notes §1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Required {
    All(Vec<String>),
    AnyOf(Vec<String>),
}

/// Standard types of HubSpot's that are no part of the objects API here, by path name and id (hubspot-api notes §1.1).
const NOT_EMULATED: &str = "marketing_events 0-54";

/// Whether a path names a standard type that HubSpot has and the emulator does not; the singular counts as well.
pub(crate) fn is_not_emulated(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut known = NOT_EMULATED.split_whitespace();
    known.any(|plural| plural == name || plural.strip_suffix('s') == Some(&name))
}

#[derive(Debug, Clone)]
pub(crate) struct ObjectType {
    /// `0-1`, or `2-N` for a custom object; `-` where HubSpot has published none.
    pub(crate) id: String,
    /// The path name, `contacts`.
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) created_property: String,
    pub(crate) updated_property: String,
    /// `contacts` stands for `crm.objects.contacts.read`, `=tickets` for itself; one of them is enough.
    pub(crate) scopes: Vec<String>,
    /// Shown when a request names no properties.
    pub(crate) defaults: Vec<String>,
    /// What a search's `query` looks into.
    pub(crate) searched: Vec<String>,
    pub(crate) required: Required,
    /// Of these types one record must be associated when a record is created.
    pub(crate) linked: Vec<String>,
    pub(crate) operations: Operations,
}

impl ObjectType {
    /// Every spelling under which paths may name this type; compared without regard to case.
    pub(crate) fn aliases(&self) -> [&str; 3] {
        [&self.plural, &self.singular, &self.id]
    }

    pub(crate) fn is_custom(&self) -> bool {
        self.id.starts_with("2-")
    }

    /// Scopes of which one is enough to `read` or `write` records; tickets have one for both
    /// (hubspot-api notes §1.1).
    pub(crate) fn scopes(&self, access: &str) -> Vec<String> {
        let spell = |scope: &String| match scope.strip_prefix('=') {
            Some(literal) => literal.to_owned(),
            None => format!("crm.objects.{scope}.{access}"),
        };
        self.scopes.iter().map(spell).collect()
    }

    /// The scope to `read` or `write` definitions.
    pub(crate) fn schema_scope(&self, access: &str) -> String {
        let own = self.scopes.first().map_or("", String::as_str);
        format!("crm.schemas.{}.{access}", own.trim_start_matches('='))
    }

    /// One line of `data/object_types.txt`.
    fn parse(line: &str) -> Option<Self> {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let [
            id,
            plural,
            singular,
            created,
            updated,
            scope,
            defaults,
            searched,
            required,
            operations,
        ] = columns[..]
        else {
            return None;
        };
        let (required, linked) = required.split_once("linked").unwrap_or((required, ""));
        Some(Self {
            id: id.into(),
            plural: plural.into(),
            singular: singular.into(),
            created_property: created.into(),
            updated_property: updated.into(),
            scopes: words(scope),
            defaults: words(defaults),
            searched: words(searched),
            required: match required.strip_prefix("any ") {
                Some(any) => Required::AnyOf(words(any)),
                None => Required::All(words(required)),
            },
            linked: words(linked),
            operations: Operations::parse(operations),
        })
    }
}

fn words(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

/// The standard types, in the order of the data file.
pub(crate) fn standard() -> Vec<ObjectType> {
    let lines = include_str!("../data/object_types.txt").lines();
    lines
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter_map(ObjectType::parse)
        .collect()
}

/// Path names of the standard types that [`Counts`](crate::Counts) has no member of its own for, and that records
/// can be made of without others: a deal split belongs to a deal.
pub(crate) fn other_names() -> impl Iterator<Item = String> {
    let own = [
        "contacts",
        "companies",
        "deals",
        "tickets",
        "products",
        "line_items",
    ];
    let listed = standard()
        .into_iter()
        .filter(|known| known.operations.has(Operation::List));
    let names = listed.map(|known| known.plural);
    names.filter(move |name| !own.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_file_is_a_type() {
        let lines = include_str!("../data/object_types.txt")
            .lines()
            .filter(|line| line.starts_with("0-") || line.starts_with("- "))
            .count();
        assert_eq!(standard().len(), lines);
    }

    #[test]
    fn scopes_follow_the_type() {
        let of = |name: &str| {
            let types = standard();
            let found = types.iter().find(|known| known.plural == name);
            found.expect("listed").scopes("read")
        };
        assert_eq!(of("contacts"), ["crm.objects.contacts.read"]);
        assert_eq!(of("tickets"), ["tickets"]);
        assert_eq!(of("products"), ["crm.objects.products.read", "e-commerce"]);
    }
}
