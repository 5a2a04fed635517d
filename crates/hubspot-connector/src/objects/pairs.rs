//! Which standard types can be associated with which (hubspot-api notes, appendix A).
//!
//! Automatic selection asks for no others: HubSpot may refuse a list that names a pair it does not have.

use super::ObjectType;

/// Every pair once, under the type that stands earlier in [`STANDARD`](super::STANDARD); a type may stand
/// beside itself (a company and its parent).
#[rustfmt::skip]
const PAIRS: &[(&str, &[&str])] = &[
    ("contacts", &["contacts", "companies", "deals", "tickets", "quotes", "communications",
        "feedback_submissions", "tasks", "notes", "meetings", "calls", "emails", "invoices",
        "subscriptions", "commerce_payments", "postal_mail", "orders", "leads", "carts", "services",
        "courses", "listings", "appointments", "projects"]),
    ("companies", &["companies", "deals", "tickets", "quotes", "communications", "feedback_submissions",
        "tasks", "notes", "meetings", "calls", "emails", "invoices", "subscriptions", "commerce_payments",
        "postal_mail", "orders", "leads", "services", "courses", "listings", "appointments", "projects"]),
    ("deals", &["deals", "tickets", "line_items", "quotes", "communications", "feedback_submissions",
        "tasks", "notes", "meetings", "calls", "emails", "invoices", "subscriptions", "goal_targets",
        "discounts", "commerce_payments", "postal_mail", "orders", "leads", "carts", "services", "courses",
        "listings", "appointments", "projects", "deal_splits"]),
    ("tickets", &["tickets", "communications", "feedback_submissions", "tasks", "notes", "meetings",
        "calls", "emails", "invoices", "subscriptions", "commerce_payments", "postal_mail", "orders",
        "carts", "services", "courses", "listings", "appointments", "projects"]),
    ("line_items", &["quotes", "invoices", "subscriptions", "discounts", "commerce_payments", "orders",
        "carts", "projects"]),
    ("quotes", &["feedback_submissions", "tasks", "invoices", "subscriptions", "discounts", "fees",
        "taxes", "commerce_payments", "orders", "carts"]),
    ("communications", &["orders", "leads", "services", "courses", "listings", "appointments", "projects"]),
    ("feedback_submissions", &["calls", "invoices", "subscriptions", "commerce_payments", "orders",
        "leads", "carts"]),
    ("tasks", &["orders", "leads", "carts", "services", "courses", "listings", "appointments", "projects"]),
    ("notes", &["orders", "leads", "services", "courses", "listings", "appointments", "projects"]),
    ("meetings", &["orders", "leads", "services", "courses", "listings", "appointments"]),
    ("calls", &["orders", "leads", "services", "courses", "listings", "appointments", "projects"]),
    ("emails", &["orders", "leads", "services", "courses", "listings", "appointments", "projects"]),
    ("invoices", &["subscriptions", "discounts", "fees", "taxes", "commerce_payments", "orders"]),
    ("marketing_events", &["projects"]),
    ("subscriptions", &["commerce_payments", "orders"]),
    ("discounts", &["commerce_payments", "orders", "carts"]),
    ("fees", &["commerce_payments"]),
    ("commerce_payments", &["orders"]),
    ("postal_mail", &["orders", "services", "courses", "listings", "appointments", "projects"]),
    ("orders", &["carts"]),
    ("services", &["projects"]),
    ("courses", &["projects"]),
    ("listings", &["projects"]),
    ("appointments", &["projects"]),
    ("projects", &["projects"]),
];

/// Whether HubSpot documents associations between two standard types. Custom types say in their schemas what
/// they can be associated with.
pub fn associable(a: &ObjectType, b: &ObjectType) -> bool {
    let listed = |from: &str, to: &str| {
        PAIRS
            .iter()
            .any(|(name, with)| *name == from && with.contains(&to))
    };
    listed(&a.name, &b.name) || listed(&b.name, &a.name)
}

#[cfg(test)]
mod tests {
    use super::super::{STANDARD, resolve};
    use super::*;

    fn place(name: &str) -> usize {
        STANDARD.iter().position(|object| object.name == name).unwrap()
    }

    #[test]
    fn each_pair_stands_once_under_the_earlier_type() {
        for (from, with) in PAIRS {
            for to in *with {
                assert!(place(from) <= place(to), "{from} {to}");
            }
        }
    }

    #[test]
    fn a_pair_has_no_direction() {
        let of = |a, b| associable(resolve(a).unwrap(), resolve(b).unwrap());
        assert!(of("contacts", "deals") && of("deals", "contacts"));
        assert!(of("companies", "companies"));
        assert!(!of("contacts", "products"));
    }
}
