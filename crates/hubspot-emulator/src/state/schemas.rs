//! Custom objects: object types that an account makes for itself (hubspot-api notes §2.2).

use super::associations::{Label, TypeIndex};
use super::object_type::{ObjectType, Required};
use super::operations::Operations;
use super::portal::Portal;
use super::property::{Property, PropertySet};
use super::store::Store;
use crate::data::catalogue;
use crate::time::Millis;

/// What a schema says beyond its object type.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub(crate) of: TypeIndex,
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) labels: String,
    pub(crate) description: Option<String>,
    pub(crate) primary: Option<String>,
    pub(crate) secondary: Vec<String>,
    pub(crate) associations: Vec<SchemaLink>,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) archived: bool,
}

/// An association that a schema lists.
#[derive(Debug, Clone)]
pub(crate) struct SchemaLink {
    pub(crate) type_id: u32,
    pub(crate) name: String,
    pub(crate) from: TypeIndex,
    pub(crate) to: TypeIndex,
    pub(crate) created: Millis,
}

/// What a new custom object starts with.
#[derive(Debug)]
pub(crate) struct NewType {
    pub(crate) name: String,
    pub(crate) properties: Vec<Property>,
    pub(crate) required: Vec<String>,
    pub(crate) searched: Vec<String>,
}

/// Activities that every custom object can be associated with.
pub(crate) const ALWAYS_ASSOCIATED: [&str; 5] = ["calls", "emails", "meetings", "notes", "tasks"];

impl Portal {
    /// Adds an object type; its id is `2-` and a number of the account's.
    pub(crate) fn add_type(&mut self, new: NewType) -> TypeIndex {
        let object_type = ObjectType {
            id: format!("2-{}", self.mint()),
            plural: new.name.clone(),
            singular: new.name,
            created_property: "hs_createdate".into(),
            updated_property: "hs_lastmodifieddate".into(),
            scopes: vec!["custom".into()],
            defaults: Vec::new(),
            searched: new.searched,
            required: Required::All(new.required),
            linked: Vec::new(),
            operations: Operations::parse("full merge"),
        };
        let built_in = catalogue::read(&object_type);
        let mut properties: Vec<Property> = built_in.into_iter().map(|(property, _)| property).collect();
        properties.extend(new.properties);
        let of = self.stores.len();
        for alias in self.names_of(&object_type) {
            self.aliases.insert(alias, of);
        }
        self.stores
            .push(Store::new(object_type, PropertySet::new(properties)));
        of
    }

    /// `p{hubId}_{name}`.
    pub(crate) fn qualified_name(&self, name: &str) -> String {
        format!("p{}_{name}", self.id)
    }

    fn names_of(&self, object_type: &ObjectType) -> [String; 4] {
        [
            object_type.id.clone(),
            object_type.plural.to_lowercase(),
            self.qualified_name(&object_type.plural).to_lowercase(),
            format!("p_{}", object_type.plural).to_lowercase(),
        ]
    }

    /// Paths no longer lead to the type.
    pub(crate) fn forget_type(&mut self, of: TypeIndex) {
        self.aliases.retain(|_, known| *known != of);
    }

    /// Lets records of two types be associated; returns what a schema lists of it.
    pub(crate) fn associate_types(&mut self, from: TypeIndex, to: TypeIndex, now: Millis) -> SchemaLink {
        let word = |of: TypeIndex| self.stores[of].object_type.singular.clone();
        let name = format!("{}_to_{}", word(from), word(to));
        let known = self.associations.plain(from, to).map(|plain| plain.type_id);
        let type_id = known.unwrap_or_else(|| {
            let made = Label {
                text: None,
                inverse: None,
                name: name.clone(),
                category: "USER_DEFINED",
            };
            let sides = self.associations.define_label((from, to), made);
            sides.first().map_or(0, |side| side.type_id)
        });
        SchemaLink {
            type_id,
            name,
            from,
            to,
            created: now,
        }
    }
}
