//! What the custom object types of an account are called. Pure.
//!
//! The name of a type is also the name of its stream and its table. So no type gets a name that another stream can get in
//! the same account, or that a destination keeps for itself.

use std::collections::{BTreeMap, BTreeSet};

use hubspot_client::Schema;

use super::{STANDARD, fold};
use crate::config::CUSTOM_OBJECTS;
use crate::own::OwnStream;

/// Beginnings of names that destinations keep for themselves: SQLite's own tables, and ours.
const RESERVED: [&str; 2] = ["sqlite_", "_spoke_"];
/// The longest name in bytes. File systems take no longer one.
const LONGEST: usize = 255;
/// What follows an object's name in the name of its history stream.
pub(crate) const HISTORY: &str = "_property_history";

/// The name of each type, in the order of the schemas: its own in lower case; where that is taken, its fully qualified
/// name; where that is taken too, its type id.
pub(crate) fn names(schemas: &[Schema]) -> Vec<String> {
    let own = counted(schemas.iter().map(|schema| &schema.name));
    let long = counted(schemas.iter().map(|schema| &schema.fully_qualified_name));
    let objects: BTreeSet<&str> = STANDARD
        .iter()
        .map(|standard| &*standard.name)
        .chain(own.keys().map(String::as_str))
        .collect();
    let name = |schema: &Schema| {
        let short = schema.name.to_lowercase();
        let qualified = schema.fully_qualified_name.to_lowercase();
        if own[&short] == 1 && !is_taken(&short, &objects) {
            short
        } else if long[&qualified] == 1 && !own.contains_key(&qualified) && !is_taken(&qualified, &objects) {
            qualified
        } else {
            schema.object_type_id.clone()
        }
    };
    schemas.iter().map(name).collect()
}

/// How often each name comes, whatever its case.
fn counted<'a>(names: impl Iterator<Item = &'a String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_lowercase()).or_default() += 1;
    }
    counts
}

/// Whether something else than a custom type can have the name.
fn is_taken(name: &str, objects: &BTreeSet<&str>) -> bool {
    name.is_empty()
        || name.len() > LONGEST
        || name.chars().any(char::is_control)
        || RESERVED.iter().any(|reserved| name.starts_with(reserved))
        || fold(name) == fold(CUSTOM_OBJECTS)
        || STANDARD.iter().any(|standard| standard.is_called(name))
        || OwnStream::called(name).is_some()
        || name
            .strip_suffix(HISTORY)
            .is_some_and(|object| objects.contains(object))
        || is_pair(name, objects)
}

/// Whether the name is that of the associations between two types.
fn is_pair(name: &str, objects: &BTreeSet<&str>) -> bool {
    name.match_indices('_')
        .any(|(place, _)| objects.contains(&name[..place]) && objects.contains(&name[place + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(own: &[&str]) -> Vec<String> {
        let schema = |(n, name): (usize, &&str)| {
            let schema = serde_json::json!({
                "objectTypeId": format!("2-{n}"), "fullyQualifiedName": format!("p4711_{name}"), "name": name,
            });
            serde_json::from_value(schema).unwrap()
        };
        let schemas: Vec<Schema> = own.iter().enumerate().map(schema).collect();
        names(&schemas)
    }

    #[test]
    fn a_type_has_its_own_name_unless_another_stream_can_get_it() {
        assert_eq!(named(&["Cars", "car_parts"]), ["cars", "car_parts"]);
        for taken in [
            "contact",
            "owners",
            "custom_objects",
            "contacts_companies",
            "companies_contacts",
            "line_items_deals",
            "contacts_property_history",
            "list_memberships",
        ] {
            assert_eq!(named(&[taken]), [format!("p4711_{taken}")], "{taken}");
        }
    }

    #[test]
    fn the_names_that_other_custom_types_bring_along_are_taken_too() {
        assert_eq!(
            named(&["cars", "contacts_cars", "cars_property_history", "cars_contacts"]),
            [
                "cars",
                "p4711_contacts_cars",
                "p4711_cars_property_history",
                "p4711_cars_contacts"
            ]
        );
        assert_eq!(named(&["cars", "boats", "cars_boats"])[2], "p4711_cars_boats");
        assert_eq!(
            named(&["boats_cars"]),
            ["boats_cars"],
            "no such pair in this account"
        );
        assert_eq!(named(&["cars", "Cars"]), ["2-0", "2-1"]);
        assert_eq!(named(&["contact", "p4711_contact"]), ["2-0", "p4711_contact"]);
    }

    #[test]
    fn what_a_destination_cannot_take_is_not_a_name() {
        let long = "x".repeat(300);
        for odd in ["sqlite_stat1", "_spoke_columns", "a\0b", ""] {
            assert_eq!(
                named(&[odd]),
                [if odd.contains('\0') {
                    "2-0".to_owned()
                } else {
                    format!("p4711_{odd}")
                }]
            );
        }
        assert_eq!(named(&[&long]), ["2-0"]);
    }
}
