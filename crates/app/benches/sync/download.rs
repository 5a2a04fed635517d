//! The bare loop that only downloads and parses: the same pages, one after another, every value read and dropped.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::process::{Emulator, TOKEN};

#[derive(Deserialize)]
struct Page {
    results: Vec<Record>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Record {
    properties: Filled,
}

/// The number of properties with a value; every name and value is decoded, none is kept.
struct Filled(usize);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(CountFilled)
    }
}

struct CountFilled;

impl<'de> Visitor<'de> for CountFilled {
    type Value = Filled;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Filled, A::Error> {
        let mut filled = 0;
        while let Some((_, value)) = map.next_entry::<Borrowed<'de>, Option<Borrowed<'de>>>()? {
            filled += usize::from(value.is_some_and(|text| !text.0.is_empty()));
        }
        Ok(Filled(filled))
    }
}

/// Text without a copy unless it has escapes.
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Paging {
    next: Next,
}

#[derive(Deserialize)]
struct Next {
    after: String,
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made")
}

pub(crate) fn http() -> reqwest::Client {
    // An error means that it was installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Reads both streams as `spoke sync` does: contacts with their companies, all properties.
pub(crate) fn contacts_and_companies(emulator: &Emulator) -> Duration {
    let walks = [("contacts", "&associations=companies"), ("companies", "")].map(|(object, more)| {
        let names = property_names(emulator, object).join(",");
        format!(
            "{}/crm/v3/objects/{object}?limit=100&properties={names}{more}",
            emulator.url
        )
    });
    let begun = Instant::now();
    runtime().block_on(async {
        for url in walks {
            walk(&url).await;
        }
    });
    begun.elapsed()
}

fn property_names(emulator: &Emulator, object: &str) -> Vec<String> {
    let text = emulator.get(&format!("/crm/v3/properties/{object}"));
    let properties: Value = serde_json::from_str(&text).expect("the properties are JSON");
    let results = properties["results"].as_array().expect("a list");
    results
        .iter()
        .filter_map(|property| property["name"].as_str().map(str::to_owned))
        .collect()
}

async fn walk(url: &str) {
    let http = http();
    let mut after = String::new();
    loop {
        let request = http.get(format!("{url}{after}")).bearer_auth(TOKEN);
        let body = request
            .send()
            .await
            .expect("a page")
            .bytes()
            .await
            .expect("whole");
        let text = std::str::from_utf8(&body).expect("in UTF-8");
        let page: Page = serde_json::from_str(text).expect("of records");
        std::hint::black_box(
            page.results
                .iter()
                .map(|record| record.properties.0)
                .sum::<usize>(),
        );
        match page.paging {
            Some(paging) => after = format!("&after={}", paging.next.after),
            None => return,
        }
    }
}
