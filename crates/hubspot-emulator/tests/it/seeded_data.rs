//! The seeded account: the same every time, and as awkward as real ones.

use std::collections::BTreeMap;

use hubspot_emulator::{Counts, Options, Tier};
use serde_json::Value;

use crate::desk::Desk;

/// FNV-1a over every line of truth.
async fn fingerprint(desk: &Desk) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let types = [
        "contacts",
        "companies",
        "deals",
        "tickets",
        "products",
        "line_items",
    ];
    let mut paths: Vec<String> = types
        .iter()
        .map(|name| format!("/_emulator/truth/{name}"))
        .collect();
    paths.extend(
        ["contacts/companies", "deals/contacts", "deals/line_items"]
            .map(|pair| format!("/_emulator/truth/associations/{pair}")),
    );
    for path in paths {
        for byte in desk.get(&path).await.text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Seeded data is a contract: demos, tests and benchmarks name records in it. When it has to change, say so in the
/// changelog and put the new number here.
#[tokio::test]
async fn seed_42_is_frozen() {
    assert_eq!(fingerprint(&Desk::usual()).await, FROZEN);
}

const FROZEN: u64 = 10_270_705_485_954_142_312;

#[tokio::test]
async fn another_seed_is_another_account() {
    let counts = Counts {
        contacts: 20,
        companies: 3,
        deals: 3,
        tickets: 3,
        products: 3,
        line_items: None,
        ..Counts::none()
    };
    let with = |seed| {
        Desk::with(Options {
            seed,
            counts: counts.clone(),
            tier: Tier::Unlimited,
            ..Options::default()
        })
    };
    assert_eq!(fingerprint(&with(1)).await, fingerprint(&with(1)).await);
    assert_ne!(fingerprint(&with(1)).await, fingerprint(&with(2)).await);
}

async fn contacts(desk: &Desk) -> Vec<Value> {
    desk.lines("/_emulator/truth/contacts").await
}

fn texts<'r>(records: &'r [Value], property: &'r str) -> impl Iterator<Item = &'r str> {
    records
        .iter()
        .filter_map(move |record| record["properties"][property].as_str())
}

#[tokio::test]
async fn contacts_hold_the_hard_cases() {
    let desk = Desk::usual();
    let records = contacts(&desk).await;
    let filled: usize = records
        .iter()
        .map(|record| record["properties"].as_object().map_or(0, serde_json::Map::len))
        .sum();
    let average = filled / records.len();
    assert!(
        (55..=75).contains(&average),
        "about sixty properties are filled, here {average}"
    );
    let archived = records
        .iter()
        .filter(|record| record["state"] == "archived")
        .count();
    assert!((8..=40).contains(&archived), "{archived}");
    for script in ['ë', 'λ', 'и', '伟', 'م'] {
        assert!(
            texts(&records, "firstname").any(|name| name.contains(script)),
            "{script}"
        );
    }
    assert!(texts(&records, "firstname").any(|name| name.contains('🚀')));
    assert!(
        texts(&records, "legacy_score").any(|score| score.parse::<f64>().is_err()),
        "a number that is none"
    );
    assert!(texts(&records, "contact_notes").any(|note| note.contains('\n') && note.contains('"')));
    assert!(
        texts(&records, "work_email").any(str::is_empty),
        "an empty string"
    );
    assert!(texts(&records, "erp_reference").all(|id| id.len() == 17));
    assert!(texts(&records, "favourite_colours").any(|colours| colours.contains(';')));
    let mut emails: Vec<&str> = texts(&records, "email").collect();
    let count = emails.len();
    emails.sort_unstable();
    emails.dedup();
    assert_eq!(emails.len(), count, "addresses are unique");
}

#[tokio::test]
async fn domains_belong_to_nobody() {
    let desk = Desk::usual();
    let records = contacts(&desk).await;
    for email in texts(&records, "email") {
        assert!(
            [".example.com", ".example.org", ".example.net", ".example"]
                .iter()
                .any(|zone| email.ends_with(zone)),
            "{email}"
        );
    }
}

#[tokio::test]
async fn links_hold_the_hard_cases() {
    let desk = Desk::usual();
    let links = desk
        .lines("/_emulator/truth/associations/contacts/companies")
        .await;
    let mut by_company = BTreeMap::<&str, usize>::new();
    for link in links.iter().filter(|link| link["typeId"] == 279) {
        *by_company
            .entry(link["toId"].as_str().expect("an id"))
            .or_default() += 1;
    }
    assert!(
        by_company.values().any(|count| *count > 150),
        "a company with far more than a hundred contacts"
    );
    let linked: std::collections::BTreeSet<&str> =
        links.iter().filter_map(|link| link["fromId"].as_str()).collect();
    let live = contacts(&desk)
        .await
        .iter()
        .filter(|record| record["state"] == "live")
        .count();
    assert!(linked.len() < live, "contacts without a company");
    assert!(links.iter().any(|link| link["label"] == "Primary"));
    let deals = desk.lines("/_emulator/truth/associations/contacts/deals").await;
    let mut by_contact = BTreeMap::<&str, usize>::new();
    for link in &deals {
        *by_contact
            .entry(link["fromId"].as_str().expect("an id"))
            .or_default() += 1;
    }
    assert_eq!(
        by_contact.values().filter(|count| **count > 100).count(),
        2,
        "contacts with more than a hundred deals"
    );
}
