//! Object types as data: names, ids, and the few rules that differ from type to type. A further standard type
//! is one more line in `data/object_types.txt`; a custom object is one more value at run time.

/// What may be left out when a record is created (hubspot-api notes §1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Required {
    All(Vec<String>),
    AnyOf(Vec<String>),
}

#[derive(Debug, Clone)]
pub(crate) struct ObjectType {
    /// `0-1`, or `2-N` for a custom object.
    pub(crate) id: String,
    /// The path name, `contacts`.
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) created_property: String,
    pub(crate) updated_property: String,
    /// `contacts` in `crm.objects.contacts.read`.
    pub(crate) scope: String,
    /// Shown when a request names no properties.
    pub(crate) defaults: Vec<String>,
    /// What a search's `query` looks into.
    pub(crate) searched: Vec<String>,
    pub(crate) required: Required,
}

impl ObjectType {
    /// Every spelling under which paths may name this type; compared without regard to case.
    pub(crate) fn aliases(&self) -> [&str; 3] {
        [&self.plural, &self.singular, &self.id]
    }

    pub(crate) fn read_scope(&self) -> String {
        self.scope_for("read")
    }

    pub(crate) fn write_scope(&self) -> String {
        self.scope_for("write")
    }

    /// Tickets have one scope for both (hubspot-api notes §1.1).
    fn scope_for(&self, access: &str) -> String {
        if self.scope == "tickets" {
            "tickets".into()
        } else {
            format!("crm.objects.{}.{access}", self.scope)
        }
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
        ] = columns[..]
        else {
            return None;
        };
        Some(Self {
            id: id.into(),
            plural: plural.into(),
            singular: singular.into(),
            created_property: created.into(),
            updated_property: updated.into(),
            scope: scope.into(),
            defaults: words(defaults),
            searched: words(searched),
            required: match required.strip_prefix("any ") {
                Some(any) => Required::AnyOf(words(any)),
                None => Required::All(words(required)),
            },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_file_is_a_type() {
        let lines = include_str!("../data/object_types.txt")
            .lines()
            .filter(|line| line.starts_with("0-"))
            .count();
        assert_eq!(standard().len(), lines);
    }

    #[test]
    fn scopes_follow_the_type() {
        let scopes: Vec<String> = standard().iter().map(ObjectType::read_scope).collect();
        assert!(scopes.contains(&"crm.objects.contacts.read".to_owned()));
        assert!(scopes.contains(&"tickets".to_owned()));
    }
}
