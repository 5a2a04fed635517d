//! Reads the property tables of `data/properties/*.txt`: definitions, and how seeded values are made.

use super::recipe::Recipe;
use crate::state::object_type::ObjectType;
use crate::state::property::{Choice, Kind, Property, Source};
use crate::time::Millis;

/// When the properties of a seeded account were defined: 2019-01-01.
const DEFINED: Millis = 1_546_300_800_000;

const TABLES: &[(&str, &str)] = &[
    ("contacts", include_str!("properties/contacts.txt")),
    ("companies", include_str!("properties/companies.txt")),
    ("deals", include_str!("properties/deals.txt")),
    ("tickets", include_str!("properties/tickets.txt")),
    ("products", include_str!("properties/products.txt")),
    ("line_items", include_str!("properties/line_items.txt")),
    ("quotes", include_str!("properties/quotes.txt")),
    ("communications", include_str!("properties/communications.txt")),
    (
        "feedback_submissions",
        include_str!("properties/feedback_submissions.txt"),
    ),
    ("tasks", include_str!("properties/tasks.txt")),
    ("notes", include_str!("properties/notes.txt")),
    ("meetings", include_str!("properties/meetings.txt")),
    ("calls", include_str!("properties/calls.txt")),
    ("emails", include_str!("properties/emails.txt")),
    ("invoices", include_str!("properties/invoices.txt")),
    ("subscriptions", include_str!("properties/subscriptions.txt")),
    ("goal_targets", include_str!("properties/goal_targets.txt")),
    ("discounts", include_str!("properties/discounts.txt")),
    ("fees", include_str!("properties/fees.txt")),
    ("taxes", include_str!("properties/taxes.txt")),
    (
        "commerce_payments",
        include_str!("properties/commerce_payments.txt"),
    ),
    ("users", include_str!("properties/users.txt")),
    ("postal_mail", include_str!("properties/postal_mail.txt")),
    ("orders", include_str!("properties/orders.txt")),
    ("leads", include_str!("properties/leads.txt")),
    ("carts", include_str!("properties/carts.txt")),
    ("services", include_str!("properties/services.txt")),
    ("courses", include_str!("properties/courses.txt")),
    ("listings", include_str!("properties/listings.txt")),
    ("appointments", include_str!("properties/appointments.txt")),
    ("projects", include_str!("properties/projects.txt")),
    ("contracts", include_str!("properties/contracts.txt")),
    ("partner_clients", include_str!("properties/partner_clients.txt")),
    (
        "partner_services",
        include_str!("properties/partner_services.txt"),
    ),
    ("payments", include_str!("properties/payments.txt")),
    ("campaigns", include_str!("properties/campaigns.txt")),
    ("quote_templates", include_str!("properties/quote_templates.txt")),
    ("deal_splits", include_str!("properties/deal_splits.txt")),
];

/// Properties that every activity has.
const ACTIVITY: &str = include_str!("properties/activity.txt");

const ACTIVITIES: [&str; 7] = [
    "calls",
    "communications",
    "emails",
    "meetings",
    "notes",
    "postal_mail",
    "tasks",
];

/// What a custom object has before its schema's own properties.
const CUSTOM: &str = "hs_createdate | datetime/date | readonly ||| Object create date/time";

/// Properties that every object type has.
const EVERY: &str = include_str!("properties/every.txt");

/// A type's properties in alphabetical order, each with its recipe.
pub(crate) fn read(object_type: &ObjectType) -> Vec<(Property, Option<Recipe>)> {
    let mut properties = Vec::new();
    for table in tables(object_type) {
        let mut group = format!("{}information", object_type.singular);
        for line in table
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                Some(name) => name.clone_into(&mut group),
                None => properties.extend(row(line, &group, object_type)),
            }
        }
    }
    // A type whose creation is `hs_createdate` has no `createdate`.
    properties.retain(|(property, _)| {
        property.name != "createdate" || object_type.created_property == "createdate"
    });
    properties.sort_by(|one, other| one.0.name.cmp(&other.0.name));
    properties.dedup_by(|one, other| one.0.name == other.0.name);
    properties
}

/// The tables of a type; of properties named twice the first counts.
fn tables(object_type: &ObjectType) -> impl Iterator<Item = &'static str> {
    let own = TABLES
        .iter()
        .find(|(name, _)| *name == object_type.plural)
        .map_or(CUSTOM, |(_, table)| table);
    let activity = ACTIVITIES
        .contains(&object_type.plural.as_str())
        .then_some(ACTIVITY);
    [Some(own), activity, Some(EVERY)].into_iter().flatten()
}

/// `name | type/fieldType | flags | recipe | options | label`; the last three may be missing.
fn row(line: &str, group: &str, object_type: &ObjectType) -> Option<(Property, Option<Recipe>)> {
    let mut columns = line.split('|').map(str::trim);
    let (name, kind, flags) = (columns.next()?, columns.next()?, columns.next().unwrap_or(""));
    let recipe = Recipe::parse(columns.next().unwrap_or(""));
    let choices = columns
        .next()
        .unwrap_or("")
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(choice)
        .collect();
    let label = columns.next().map_or_else(|| humanise(name), str::to_owned);
    let (kind, field_type) = kind.split_once('/')?;
    let flag = |wanted| flags.split_whitespace().any(|flag| flag == wanted);
    let property = Property {
        name: name.to_owned(),
        label,
        description: String::new(),
        group: group.to_owned(),
        kind: Kind::parse(kind)?,
        field_type: field_type.to_owned(),
        choices,
        source: source(name, object_type),
        calculated: flag("calculated"),
        read_only: flag("calculated") || flag("readonly"),
        hidden: flag("hidden"),
        unique: flag("unique"),
        hubspot_defined: !flag("custom"),
        form_field: flag("custom") || flag("form"),
        references: flag("owner").then(|| "OWNER".to_owned()),
        archived: false,
        created: DEFINED,
        updated: DEFINED,
    };
    Some((property, recipe))
}

/// `value` or `value=Label`.
fn choice(word: &str) -> Choice {
    let (value, label) = word.split_once('=').map_or_else(
        || (word, humanise(word)),
        |(value, label)| (value, label.to_owned()),
    );
    Choice {
        value: value.to_owned(),
        label,
        hidden: false,
    }
}

fn source(name: &str, object_type: &ObjectType) -> Source {
    match name {
        "hs_object_id" => Source::Id,
        name if name == object_type.created_property => Source::Created,
        // Contacts also own a hidden `hs_lastmodifieddate` (hubspot-api notes §1.1).
        name if name == object_type.updated_property || name == "hs_lastmodifieddate" => Source::Updated,
        _ => Source::Stored,
    }
}

/// `hs_analytics_source` as `Analytics source`.
fn humanise(name: &str) -> String {
    let words = name.strip_prefix("hs_").unwrap_or(name).replace(['_', '-'], " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::object_type::standard;

    #[test]
    fn every_type_has_as_many_properties_as_a_real_account_at_least() {
        for (name, least) in [
            ("contacts", 150),
            ("companies", 95),
            ("deals", 75),
            ("tickets", 55),
            ("products", 28),
            ("line_items", 28),
        ] {
            let object_type = standard()
                .into_iter()
                .find(|known| known.plural == name)
                .expect("listed");
            let count = read(&object_type).len();
            assert!(count >= least, "{name} has {count}");
        }
    }

    #[test]
    fn every_row_is_read_and_every_recipe_is_known() {
        for object_type in standard() {
            for line in tables(&object_type)
                .flat_map(str::lines)
                .map(str::trim)
                .filter(|line| line.contains('|') && !line.starts_with('#'))
            {
                let read = row(line, "group", &object_type);
                let column = line.split('|').nth(3).unwrap_or("").trim();
                assert!(
                    read.is_some_and(|(_, recipe)| recipe.is_some() != column.is_empty()),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn the_three_always_returned_properties_exist() {
        for object_type in standard() {
            let shown = read(&object_type)
                .iter()
                .filter(|(property, _)| property.source != Source::Stored && !property.hidden)
                .count();
            assert_eq!(shown, 3, "{}", object_type.plural);
        }
    }
}
