//! What HubSpot has now, read a hundred records at a time: to change only what differs, to fill only gaps, and to find
//! out whether a record was made whose answer was lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future::try_join_all;
use hubspot_client::request::objects::{BatchRead, Get, MAX_BATCH};
use hubspot_client::{Client, Error, RawObject};

use super::decide::Live;

/// What a record is looked for by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Finder {
    /// Its id.
    Id(String),
    /// The value of a property that no two records share.
    Unique { property: String, value: String },
}

/// What there is of an object type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looking<'a> {
    pub(crate) client: &'a Client,
    pub(crate) object: &'a str,
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) created_at: Option<String>,
    /// Values that are not empty.
    pub(crate) values: BTreeMap<String, String>,
}

impl Found {
    fn of(record: &RawObject) -> Self {
        let values = record
            .properties()
            .map(|json| serde_json::from_slice(json).unwrap_or_default());
        let values: BTreeMap<String, Option<String>> = values.unwrap_or_default();
        let filled =
            |(name, value): (String, Option<String>)| Some((name, value.filter(|text| !text.is_empty())?));
        Self {
            id: record.id().to_owned(),
            created_at: record.created_at().map(str::to_owned),
            values: values.into_iter().filter_map(filled).collect(),
        }
    }
}

impl From<Found> for Live {
    fn from(found: Found) -> Self {
        Self::Found {
            id: found.id,
            values: found.values,
        }
    }
}

impl Looking<'_> {
    /// The records there are, by what they were looked for. A merged id finds the survivor.
    pub(crate) async fn find(
        self,
        finders: impl IntoIterator<Item = &Finder>,
        names: &BTreeSet<String>,
    ) -> Result<HashMap<Finder, Found>, Error> {
        let mut kinds: BTreeMap<Option<&str>, BTreeSet<&str>> = BTreeMap::new();
        for finder in finders {
            match finder {
                Finder::Id(id) => kinds.entry(None).or_default().insert(id),
                Finder::Unique { property, value } => kinds.entry(Some(property)).or_default().insert(value),
            };
        }
        let mut reads = Vec::new();
        for (property, values) in kinds {
            let values: Vec<_> = values.into_iter().collect();
            for chunk in values.chunks(MAX_BATCH) {
                reads.push(self.read(property, chunk.to_vec(), names));
            }
        }
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }

    async fn read(
        self,
        property: Option<&str>,
        values: Vec<&str>,
        names: &BTreeSet<String>,
    ) -> Result<Vec<(Finder, Found)>, Error> {
        let asked = names.iter().map(String::as_str).chain(property);
        let mut read = BatchRead::new(self.object, values.iter().copied()).with_properties(asked);
        if let Some(property) = property {
            read = read.by(property);
        }
        let records = self.client.batch_read(&read).await?.results;
        let mut by_key: HashMap<String, Found> = HashMap::new();
        for found in records.iter().map(Found::of) {
            let key = match property {
                None => found.id.clone(),
                Some(name) => found.values.get(name).cloned().unwrap_or_default().to_lowercase(),
            };
            by_key.insert(key, found);
        }
        let mut pairs = Vec::new();
        for value in values {
            let found = match property {
                None => self.by_id(value, by_key.remove(value), names).await?,
                Some(_) => by_key.remove(&value.to_lowercase()),
            };
            pairs.extend(found.map(|found| (finder(property, value), found)));
        }
        Ok(pairs)
    }

    /// The record with an id, when the batch has not found it: it may have been merged into another, which only a get
    /// follows (hubspot-api notes §1.4).
    async fn by_id(
        self,
        id: &str,
        found: Option<Found>,
        names: &BTreeSet<String>,
    ) -> Result<Option<Found>, Error> {
        if found.is_some() {
            return Ok(found);
        }
        let get = Get::new(self.object, id).with_properties(names.iter().cloned());
        match self.client.get_object(&get).await {
            Ok(record) => Ok(Some(Found::of(&record))),
            Err(error) if error.is_not_found() || error.status() == Some(400) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn finder(property: Option<&str>, value: &str) -> Finder {
    match property {
        None => Finder::Id(value.to_owned()),
        Some(property) => Finder::Unique {
            property: property.to_owned(),
            value: value.to_owned(),
        },
    }
}
