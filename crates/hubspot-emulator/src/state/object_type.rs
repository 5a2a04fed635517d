//! Object types as data: names, ids, and the few rules that differ from type to type. A further standard type
//! is one more line in `data/object_types.txt`; a custom object is one more value at run time.

/// What may be left out when a record is created (hubspot-api notes §1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Required {
    All(Vec<String>),
    AnyOf(Vec<String>),
}

/// Standard types of HubSpot's that have no line in the table yet, by path name and id (hubspot-api notes §1.1).
const NOT_EMULATED: &str = "appointments 0-421 calls 0-48 carts 0-142 commerce_payments 0-101 communications 0-18 \
    contracts courses 0-410 discounts 0-84 emails 0-49 feedback_submissions 0-19 fees 0-85 goal_targets 0-74 \
    invoices 0-53 leads 0-136 listings 0-420 marketing_events 0-54 meetings 0-47 notes 0-46 orders 0-123 \
    partner_clients partner_services payments postal_mail 0-116 projects 0-970 quotes 0-14 services 0-162 \
    subscriptions 0-69 tasks 0-27 taxes 0-86 users 0-115";

/// Whether a path names a standard type that HubSpot has and the emulator does not; the singular counts as well.
pub(crate) fn is_not_emulated(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut known = NOT_EMULATED.split_whitespace();
    known.any(|plural| plural == name || plural.strip_suffix('s') == Some(&name))
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
