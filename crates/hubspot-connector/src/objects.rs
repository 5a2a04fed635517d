//! The types of CRM objects as data: names, ids, properties, scopes, what can be done with them.
//!
//! The standard ones are a table (hubspot-api notes §1.1); custom ones come from the account's schemas. Nothing
//! here calls HubSpot. An object type is data and not a generated struct, because its properties are the
//! account's and known only at run time.

pub(crate) mod naming;
mod pairs;
mod resolve;
mod standard;

use std::borrow::Cow;
use std::fmt;

pub use pairs::associable;
pub use resolve::{UnknownObject, resolve, resolve_among};
pub use standard::STANDARD;

use hubspot_client::{Property, Schema};

type Text = Cow<'static, str>;

/// What HubSpot's pages call a type that has another name in the API, both without what stands between words.
const SHOWN_AS: [(&str, &str); 2] = [("goals", "goaltargets"), ("goal", "goaltargets")];

/// Something that can be done with the records of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Listed page by page, archived ones too.
    List,
    /// Read a hundred at a time by id.
    BatchRead,
    /// Searched by property.
    Search,
    /// Created.
    Create,
    /// Updated.
    Update,
    /// Created or updated by a unique property.
    Upsert,
    /// Archived, which is what HubSpot's API calls delete.
    Archive,
    /// Merged into another of the same type.
    Merge,
    /// Erased for good under the GDPR.
    GdprDelete,
}

/// A type of CRM object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectType {
    /// The plural name, which also names its stream: `contacts`, `line_items`, or a custom object's own name.
    pub name: Text,
    /// The singular, as it stands in HubSpot's names of association types: `line_item`.
    pub singular: Text,
    /// `0-1`, `2-123`; `None` where HubSpot does not publish it.
    pub type_id: Option<Text>,
    /// `p1234_cars`, of custom objects only.
    pub fully_qualified_name: Option<Text>,
    /// The property that HubSpot sets on every change, to search for changes by.
    pub last_modified: &'static str,
    /// The property that holds when a record was made.
    pub created: &'static str,
    /// The part X of the scopes `crm.objects.X.read` and `crm.objects.X.write`.
    pub scope: Text,
    /// Whether its records move through the stages of pipelines.
    pub has_pipelines: bool,
    /// What the API can do with its records.
    pub capabilities: &'static [Capability],
    /// What a new record must have.
    pub required: Required,
}

/// What a new record must have (hubspot-api notes §1.1; HubSpot is more lenient here and there).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Required {
    /// Nothing that is known.
    Nothing,
    /// Each of these properties.
    Each(&'static [&'static str]),
    /// One of these properties.
    OneOf(&'static [&'static str]),
    /// Each of these properties, and an association with a record of one of these types.
    Associated(&'static [&'static str], &'static [&'static str]),
    /// Each of these properties, as the schema says.
    Schema(Vec<String>),
}

impl Required {
    /// The properties that it is about.
    pub fn properties(&self) -> Vec<&str> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Each(names) | Self::OneOf(names) | Self::Associated(names, _) => names.to_vec(),
            Self::Schema(names) => names.iter().map(String::as_str).collect(),
        }
    }
}

impl fmt::Display for Required {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .properties()
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        match self {
            Self::OneOf(_) => write!(f, "one of {names}"),
            Self::Associated(_, types) => {
                write!(f, "{names}, and an association with one of: {}", types.join(", "))
            }
            _ if names.is_empty() => f.write_str("nothing"),
            Self::Nothing | Self::Each(_) | Self::Schema(_) => f.write_str(&names),
        }
    }
}

/// The properties by which HubSpot knows a person.
const PERSON: &[&str] = &["email", "firstname", "lastname", "phone", "mobilephone"];

impl ObjectType {
    /// The properties that say who a record is about. All of them are empty once it was erased, also while it still lies
    /// in the recycle bin (believed, from HubSpot's help on permanent deletion). Empty for types whose records HubSpot's
    /// API does not erase.
    pub fn identity(&self) -> &'static [&'static str] {
        if self.can(Capability::GdprDelete) {
            PERSON
        } else {
            &[]
        }
    }

    /// The custom object types of an account, in the order of its schemas.
    pub fn customs(schemas: &[Schema]) -> Vec<Self> {
        let names = naming::names(schemas);
        schemas
            .iter()
            .zip(names)
            .map(|(schema, name)| Self::custom(schema, name))
            .collect()
    }

    fn custom(schema: &Schema, name: String) -> Self {
        Self {
            name: Cow::Owned(name),
            singular: Cow::Owned(schema.name.clone()),
            type_id: Some(Cow::Owned(schema.object_type_id.clone())),
            fully_qualified_name: Some(Cow::Owned(schema.fully_qualified_name.clone())),
            last_modified: standard::LAST_MODIFIED,
            created: standard::HS_CREATED,
            scope: Cow::Borrowed("custom"),
            has_pipelines: true,
            capabilities: standard::FULL_AND_MERGE,
            required: Required::Schema(schema.required_properties.clone()),
        }
    }

    /// Whether the account defined it.
    pub fn is_custom(&self) -> bool {
        self.fully_qualified_name.is_some()
    }

    /// Whether the API can do this with its records.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// What the client calls it in a path. A custom object is safest by its id: a bare name may be taken.
    pub fn path_name(&self) -> &str {
        match &self.type_id {
            Some(id) if self.is_custom() => id,
            _ => &self.name,
        }
    }

    /// The properties that HubSpot shows when none is named (hubspot-api notes §1.5).
    pub fn default_properties(&self) -> Vec<&str> {
        let shown: &[&str] = match &*self.name {
            "contacts" => &["firstname", "lastname", "email"],
            "companies" => &["name", "domain"],
            "deals" => &["dealname", "amount", "closedate", "pipeline", "dealstage"],
            "tickets" => &[
                "content",
                "hs_pipeline",
                "hs_pipeline_stage",
                "hs_ticket_category",
                "hs_ticket_priority",
                "subject",
            ],
            "products" => &["name", "description", "price"],
            "line_items" => &["quantity", "amount", "price"],
            "quotes" => &["hs_expiration_date", "hs_public_url_key", "hs_status", "hs_title"],
            _ => &[],
        };
        let always = [self.created, self.last_modified, "hs_object_id"];
        shown.iter().copied().chain(always).collect()
    }

    /// The scope that reading its records needs.
    pub fn read_scope(&self) -> String {
        self.scope_to("read")
    }

    /// The scope that writing its records needs; `None` where the API cannot write them.
    pub fn write_scope(&self) -> Option<String> {
        self.is_writable().then(|| self.scope_to("write"))
    }

    /// Whether the API can make or change its records: some types can only be read (hubspot-api notes §1.1).
    pub fn is_writable(&self) -> bool {
        let writes = [Capability::Create, Capability::Update, Capability::Upsert];
        writes.into_iter().any(|write| self.can(write))
    }

    /// Whether no two of its records have the same value of a property. A contact's address is such a one, although its
    /// definition does not say so (hubspot-api notes §1.4).
    pub fn is_unique(&self, property: &Property) -> bool {
        property.has_unique_value || (self.name == "contacts" && property.name == "email")
    }

    fn scope_to(&self, what: &str) -> String {
        match &*self.scope {
            spelled_out if spelled_out.contains('.') || spelled_out == "tickets" => spelled_out.to_owned(),
            part => format!("crm.objects.{part}.{what}"),
        }
    }

    /// Whether `text` is one of the ways HubSpot or a person writes this type: name, singular, id, fully
    /// qualified name, Conduit's `crm.lineItems`; whatever the case, and whatever stands between the words
    /// (HubSpot itself answers `line items` among inline associations).
    pub fn is_called(&self, text: &str) -> bool {
        let folded = fold(text);
        let folded = SHOWN_AS
            .iter()
            .find(|(shown, _)| *shown == folded)
            .map_or(&*folded, |(_, name)| *name);
        let ids = [&self.type_id, &self.fully_qualified_name];
        ids.into_iter().flatten().any(|id| id.eq_ignore_ascii_case(text))
            || [&self.name, &self.singular]
                .into_iter()
                .any(|name| fold(name) == folded)
    }
}

/// Whether two names differ at most in case and in what stands between the words.
pub fn same_name(a: &str, b: &str) -> bool {
    fold(a) == fold(b)
}

/// Lower case without what stands between words, and without Conduit's `crm.` before it.
fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    let name = lower.strip_prefix("crm.").unwrap_or(&lower);
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(name: &str) -> ObjectType {
        let schema = serde_json::json!({
            "objectTypeId": "2-17", "fullyQualifiedName": format!("p4711_{name}"), "name": name,
        });
        ObjectType::customs(&[serde_json::from_value(schema).unwrap()]).remove(0)
    }

    #[test]
    fn a_custom_type_is_named_by_its_name_unless_that_is_taken() {
        assert_eq!(custom("Cars").name, "cars");
        assert_eq!(custom("contact").name, "p4711_contact");
        assert_eq!(custom("owners").name, "p4711_owners");
        assert_eq!(custom("cars").path_name(), "2-17");
        assert!(custom("cars").is_called("P4711_CARS") && custom("cars").is_custom());
    }

    #[test]
    fn scopes_are_spelled_as_hubspot_spells_them() {
        let scope = |name: &str| resolve(name).unwrap().read_scope();
        assert_eq!(scope("contacts"), "crm.objects.contacts.read");
        assert_eq!(scope("notes"), "crm.objects.contacts.read");
        assert_eq!(scope("tickets"), "tickets");
        assert_eq!(custom("cars").read_scope(), "crm.objects.custom.read");
        let written = |name: &str| resolve(name).unwrap().write_scope();
        assert_eq!(written("deals").unwrap(), "crm.objects.deals.write");
        assert_eq!(written("tickets").unwrap(), "tickets");
        assert_eq!(written("contracts"), None);
    }

    #[test]
    fn what_a_new_record_needs_is_told_in_words() {
        let needed = |name: &str| resolve(name).unwrap().required.to_string();
        assert_eq!(needed("contacts"), "one of `email`, `firstname`, `lastname`");
        assert_eq!(needed("deals"), "`dealname`, `dealstage`, `pipeline`");
        assert_eq!(
            needed("leads"),
            "`hs_lead_name`, and an association with one of: contacts, companies"
        );
        assert_eq!(needed("users"), "nothing");
        assert_eq!(custom("cars").required.to_string(), "nothing");
    }
}
