//! What HubSpot has now, read a hundred records at a time: to change only what differs, to fill only gaps, and to find
//! out whether a record was made whose answer was lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future::{try_join, try_join_all};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use hubspot_client::request::objects::{BatchRead, Get, MAX_BATCH};
use hubspot_client::{Client, Error, RawObject};

use super::decide::Live;
use super::rules::Definitions;
use crate::error::{Doing, OrFailed};
use crate::objects::ObjectType;

/// Ids that are followed side by side.
const GETS: usize = 8;

/// The properties that an object type has.
pub(crate) async fn definitions(client: &Client, object: &ObjectType) -> opencdc::Result<Definitions> {
    let doing = Doing {
        what: "cannot read the properties of",
        stream: &object.name,
        scope: None,
    };
    let properties = client.properties(object.path_name()).await.or_failed(doing)?;
    Ok(Definitions::new(object, properties))
}

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
        let (mut ids, mut values) = (BTreeSet::new(), BTreeMap::<&str, BTreeSet<&str>>::new());
        for finder in finders {
            match finder {
                Finder::Id(id) => ids.insert(id.as_str()),
                Finder::Unique { property, value } => values.entry(property).or_default().insert(value),
            };
        }
        let mut reads = Vec::new();
        for (property, values) in values {
            reads.push(self.by_value(property, values, names));
        }
        let (by_id, by_value) = try_join(self.by_id(ids, names), try_join_all(reads)).await?;
        Ok(by_id.into_iter().chain(by_value.into_iter().flatten()).collect())
    }

    /// The records with these values. Two that differ only in case are one to HubSpot, and are asked for once.
    async fn by_value(
        self,
        property: &str,
        values: BTreeSet<&str>,
        names: &BTreeSet<String>,
    ) -> Result<Vec<(Finder, Found)>, Error> {
        let asked: BTreeMap<String, &str> = values
            .iter()
            .map(|value| (value.to_lowercase(), *value))
            .collect();
        let asked: Vec<_> = asked.into_values().collect();
        let records = self.read(Some(property), &asked, names).await?;
        let key = |found: &Found| Some(found.values.get(property)?.to_lowercase());
        let by_key: HashMap<_, _> = records
            .into_iter()
            .filter_map(|found| Some((key(&found)?, found)))
            .collect();
        let pair = |value: &str| {
            let finder = Finder::Unique {
                property: property.to_owned(),
                value: value.to_owned(),
            };
            Some((finder, by_key.get(&value.to_lowercase())?.clone()))
        };
        Ok(values.into_iter().filter_map(pair).collect())
    }

    /// The records with these ids. One that the batch does not find may have been merged into another, which only a
    /// get follows (hubspot-api notes §1.4).
    async fn by_id(
        self,
        ids: BTreeSet<&str>,
        names: &BTreeSet<String>,
    ) -> Result<Vec<(Finder, Found)>, Error> {
        // Anything else is no id (§1.2), and may make HubSpot refuse the whole batch (§2.5).
        let ids: Vec<&str> = ids.into_iter().filter(|id| is_number(id)).collect();
        let mut found = by_own_id(self.read(None, &ids, names).await?);
        let unknown = ids.iter().copied().filter(|id| !found.contains_key(*id));
        let survivors = self.survivors(unknown.collect()).await?;
        let now: BTreeSet<&str> = survivors.values().map(String::as_str).collect();
        let unread: Vec<&str> = now.into_iter().filter(|id| !found.contains_key(*id)).collect();
        let read = self.read(None, &unread, names).await?;
        found.extend(by_own_id(read));
        let pair = |id: &str| {
            let now = survivors.get(id).map_or(id, String::as_str);
            Some((Finder::Id(id.to_owned()), found.get(now)?.clone()))
        };
        Ok(ids.into_iter().filter_map(pair).collect())
    }

    async fn read(
        self,
        property: Option<&str>,
        values: &[&str],
        names: &BTreeSet<String>,
    ) -> Result<Vec<Found>, Error> {
        let mut reads = Vec::new();
        for chunk in values.chunks(MAX_BATCH) {
            reads.push(self.read_batch(property, chunk, names));
        }
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }

    async fn read_batch(
        self,
        property: Option<&str>,
        values: &[&str],
        names: &BTreeSet<String>,
    ) -> Result<Vec<Found>, Error> {
        let asked = names.iter().map(String::as_str).chain(property);
        let mut read = BatchRead::new(self.object, values.iter().copied()).with_properties(asked);
        if let Some(property) = property {
            read = read.by(property);
        }
        let records = self.client.batch_read(&read).await?.results;
        Ok(records.iter().map(Found::of).collect())
    }

    /// The ids that records have now, by those they were known under.
    async fn survivors(self, ids: Vec<&str>) -> Result<HashMap<String, String>, Error> {
        let mut gets = Vec::new();
        for id in ids {
            gets.push(self.survivor(id));
        }
        let found: Vec<_> = stream::iter(gets).buffer_unordered(GETS).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Values are left to a batch: the names of many properties make an address too long.
    async fn survivor(self, id: &str) -> Result<Option<(String, String)>, Error> {
        match self.client.get_object(&Get::new(self.object, id)).await {
            Ok(record) => Ok(Some((id.to_owned(), record.id().to_owned()))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn by_own_id(records: Vec<Found>) -> HashMap<String, Found> {
    let pairs = records.into_iter().map(|found| (found.id.clone(), found));
    pairs.collect()
}

fn is_number(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}
