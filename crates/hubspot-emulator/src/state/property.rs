//! Property definitions: what a type's records may hold, and which values are allowed.

use std::collections::{BTreeSet, HashMap};

use super::values::PropertyIndex;
use crate::json;
use crate::time::Millis;

/// `type` of a property (hubspot-api notes §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Number,
    Bool,
    Enumeration,
    Date,
    DateTime,
    PhoneNumber,
    Coordinates,
    Json,
}

const KINDS: [(Kind, &str); 9] = [
    (Kind::String, "string"),
    (Kind::Number, "number"),
    (Kind::Bool, "bool"),
    (Kind::Enumeration, "enumeration"),
    (Kind::Date, "date"),
    (Kind::DateTime, "datetime"),
    (Kind::PhoneNumber, "phone_number"),
    (Kind::Coordinates, "object_coordinates"),
    (Kind::Json, "json"),
];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        KINDS
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("string", |(_, name)| name)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        KINDS
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }
}

/// Where a property's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// From the record's packed values.
    Stored,
    /// The record's id, creation or last modification, which every record has.
    Id,
    Created,
    Updated,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) hidden: bool,
}

/// One property definition.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are HubSpot's own independent flags"
)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) description: String,
    pub(crate) group: String,
    pub(crate) kind: Kind,
    pub(crate) field_type: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) source: Source,
    pub(crate) calculated: bool,
    pub(crate) read_only: bool,
    pub(crate) hidden: bool,
    pub(crate) unique: bool,
    pub(crate) hubspot_defined: bool,
    pub(crate) form_field: bool,
    /// `OWNER` for owner properties, whose options are the account's owners and are not listed.
    pub(crate) references: Option<String>,
    pub(crate) archived: bool,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
}

impl Property {
    pub(crate) fn is_multiple(&self) -> bool {
        self.kind == Kind::Enumeration && self.field_type == "checkbox"
    }

    /// The values that a text of this property stands for: several in `a;b` of a multi-select.
    pub(crate) fn parts<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> + use<'t> {
        let separator = self.is_multiple().then_some(';');
        text.split(move |letter| Some(letter) == separator)
            .filter(|part| !part.is_empty())
    }
}

/// A property's name, ready to be spliced into a page: few copies of few bytes are what a page costs.
#[derive(Debug, Clone)]
pub(crate) struct Fragment {
    /// `,"name":"`, before a value and a closing quote.
    pub(crate) opening: Box<[u8]>,
    /// `,"name":null`.
    pub(crate) null: Box<[u8]>,
}

impl Fragment {
    fn of(name: &str) -> Self {
        let mut start = vec![b','];
        json::string(&mut start, name);
        start.push(b':');
        Self {
            opening: [&start[..], b"\""].concat().into(),
            null: [&start[..], b"null"].concat().into(),
        }
    }

    /// `"name":`.
    pub(crate) fn key(&self) -> &[u8] {
        &self.opening[1..self.opening.len() - 1]
    }
}

/// All properties of one object type. Indices are never reused: packed values refer to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct PropertySet {
    definitions: Vec<Property>,
    by_name: HashMap<String, PropertyIndex>,
    fragments: Vec<Fragment>,
    /// The source of each property, close together for the sake of the pages.
    sources: Vec<Source>,
}

impl PropertySet {
    pub(crate) fn new(definitions: Vec<Property>) -> Self {
        let mut set = Self::default();
        for definition in definitions {
            set.add(definition);
        }
        set
    }

    /// Adds a property, or revives an archived one of the same name. `None`: the type has no room for more.
    pub(crate) fn add(&mut self, definition: Property) -> Option<PropertyIndex> {
        if let Some(&index) = self.by_name.get(&definition.name) {
            self.sources[usize::from(index)] = definition.source;
            self.definitions[usize::from(index)] = definition;
            return Some(index);
        }
        let index = PropertyIndex::try_from(self.definitions.len()).ok()?;
        self.fragments.push(Fragment::of(&definition.name));
        self.by_name.insert(definition.name.clone(), index);
        self.sources.push(definition.source);
        self.definitions.push(definition);
        Some(index)
    }

    /// The index of a property that is not archived.
    pub(crate) fn index(&self, name: &str) -> Option<PropertyIndex> {
        let index = *self.by_name.get(name)?;
        (!self.get(index).archived).then_some(index)
    }

    /// The definition of a property by name, archived or not.
    pub(crate) fn named(&self, name: &str) -> Option<&Property> {
        self.by_name.get(name).map(|&index| self.get(index))
    }

    pub(crate) fn named_mut(&mut self, name: &str) -> Option<&mut Property> {
        let index = *self.by_name.get(name)?;
        self.definitions.get_mut(usize::from(index))
    }

    pub(crate) fn get(&self, index: PropertyIndex) -> &Property {
        &self.definitions[usize::from(index)]
    }

    pub(crate) fn source(&self, index: PropertyIndex) -> Source {
        self.sources[usize::from(index)]
    }

    pub(crate) fn fragment(&self, index: PropertyIndex) -> &Fragment {
        &self.fragments[usize::from(index)]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PropertyIndex, &Property)> {
        (0..).zip(&self.definitions)
    }

    /// The properties that stand for a record's own fields: asked for or not, answers carry them
    /// (hubspot-api notes §1.2, recorded).
    pub(crate) fn always(&self) -> impl Iterator<Item = PropertyIndex> + '_ {
        self.iter()
            .filter(|(_, property)| property.source != Source::Stored && !property.hidden)
            .map(|(index, _)| index)
    }

    /// Which properties an answer shows: those named that exist, and always id, creation and last modification.
    pub(crate) fn projection<'n>(&self, names: impl Iterator<Item = &'n str>) -> Projection {
        let wanted: BTreeSet<PropertyIndex> = names
            .filter_map(|name| self.index(name))
            .chain(self.always())
            .collect();
        Projection(wanted.into_iter().collect())
    }
}

/// The properties an answer shows, ascending by index.
#[derive(Debug, Clone, Default)]
pub(crate) struct Projection(pub(crate) Vec<PropertyIndex>);
