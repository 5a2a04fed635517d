//! Which seeded records are linked, with the hard cases that break connectors (hubspot-api notes §7): a company
//! with far more than a hundred contacts, contacts with more than a hundred deals, contacts without a company.

use super::draw::mix;
use crate::state::associations::Link;

/// What the links of a seeding are drawn from: ids of live records.
#[derive(Debug)]
pub(crate) struct People<'a> {
    pub(crate) seed: u64,
    pub(crate) contacts: &'a [u64],
    pub(crate) companies: &'a [u64],
}

fn pick(ids: &[u64], number: u64) -> Option<u64> {
    ids.get(usize::try_from(number % ids.len().max(1) as u64).ok()?)
        .copied()
}

/// The company a contact works for. Every fourth of the first twenty thousand works for the first company.
pub(crate) fn company_of(seed: u64, contact: u64, companies: &[u64]) -> Option<u64> {
    let number = mix(seed, contact, 21);
    if contact % 4 == 1 && contact < 20_000 {
        return companies.first().copied();
    }
    if number % 100 < 8 {
        None
    } else {
        pick(companies, number >> 8)
    }
}

/// Contacts to companies: the plain link (279) for all, the primary one (1) for most, a second company for some.
pub(crate) fn contacts_to_companies(people: &People<'_>, contacts: &[u64]) -> Vec<Link> {
    let mut links = Vec::with_capacity(contacts.len() * 2);
    for &contact in contacts {
        let Some(company) = company_of(people.seed, contact, people.companies) else {
            continue;
        };
        let number = mix(people.seed, contact, 22);
        links.push(Link {
            from: contact,
            to: company,
            type_id: 279,
        });
        if number % 100 < 90 {
            links.push(Link {
                from: contact,
                to: company,
                type_id: 1,
            });
        }
        if (number >> 8) % 100 < 5 {
            let second = pick(people.companies, number >> 16).filter(|second| *second != company);
            links.extend(second.map(|second| Link {
                from: contact,
                to: second,
                type_id: 279,
            }));
        }
    }
    links
}

/// The contacts of deals (3): one or two each. With 300 deals or more, the fourth contact is in 120 of them and
/// the eighth in 150.
pub(crate) fn deals_to_contacts(people: &People<'_>, deals: &[u64]) -> Vec<Link> {
    let mut links = Vec::new();
    let many = deals.len() >= 280;
    for (at, &deal) in deals.iter().enumerate() {
        let number = mix(people.seed, deal, 23);
        let first = if number % 100 < 92 {
            pick(people.contacts, number >> 8)
        } else {
            None
        };
        let second = if number.is_multiple_of(5) {
            pick(people.contacts, number >> 24)
        } else {
            None
        };
        let busy = if many && at < 120 {
            people.contacts.get(3).copied()
        } else {
            None
        };
        let busier = if many && (100..250).contains(&at) {
            people.contacts.get(7).copied()
        } else {
            None
        };
        let linked = [first, second, busy, busier].into_iter().flatten();
        links.extend(linked.map(|contact| Link {
            from: deal,
            to: contact,
            type_id: 3,
        }));
    }
    links
}

/// The companies of deals: plain (341) and primary (5).
pub(crate) fn deals_to_companies(people: &People<'_>, deals: &[u64]) -> Vec<Link> {
    to_companies(people, deals, 24, [341, 5])
}

/// The contacts of tickets (16).
pub(crate) fn tickets_to_contacts(people: &People<'_>, tickets: &[u64]) -> Vec<Link> {
    let linked = tickets.iter().filter_map(|&ticket| {
        let number = mix(people.seed, ticket, 25);
        let contact = if number % 100 < 95 {
            pick(people.contacts, number >> 8)
        } else {
            None
        };
        contact.map(|contact| Link {
            from: ticket,
            to: contact,
            type_id: 16,
        })
    });
    linked.collect()
}

/// The companies of tickets: plain (339) and primary (26).
pub(crate) fn tickets_to_companies(people: &People<'_>, tickets: &[u64]) -> Vec<Link> {
    to_companies(people, tickets, 26, [339, 26])
}

fn to_companies(people: &People<'_>, from: &[u64], salt: u64, types: [u32; 2]) -> Vec<Link> {
    let mut links = Vec::new();
    for &id in from {
        let number = mix(people.seed, id, salt);
        if number % 100 < 12 {
            continue;
        }
        let company = pick(people.companies, number >> 8);
        links.extend(company.iter().flat_map(|&to| {
            types.map(|type_id| Link {
                from: id,
                to,
                type_id,
            })
        }));
    }
    links
}

/// Deals to their line items (19): about two each.
pub(crate) fn deals_to_line_items(deals: &[u64], line_items: &[u64]) -> Vec<Link> {
    let linked = line_items.iter().enumerate().filter_map(|(at, &item)| {
        let deal = deals.get(at * deals.len() / line_items.len().max(1))?;
        Some(Link {
            from: *deal,
            to: item,
            type_id: 19,
        })
    });
    linked.collect()
}

/// A link from each record to one of `targets`.
pub(crate) fn one_each(seed: u64, from: &[u64], targets: &[u64], type_id: u32) -> Vec<Link> {
    if targets.is_empty() {
        return Vec::new();
    }
    let target = |id: u64| {
        let at = mix(seed, id, type_id.into()) % targets.len() as u64;
        targets[usize::try_from(at).unwrap_or(0)]
    };
    from.iter()
        .map(|&id| Link {
            from: id,
            to: target(id),
            type_id,
        })
        .collect()
}
