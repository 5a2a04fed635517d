//! What makes up websites: blog posts, pages, redirects, HubDB tables and their rows, one call a record.
//!
//! HubSpot gives out the ids and has no unique values to find them by, so what was written is known by the key map, or
//! by the record's own key. A table and its rows are written into the draft, which is published after each batch.

use std::sync::Arc;

use hubspot_client::{Client, Error, RawObject, Resource};
use opencdc::{KeyMap, Mapped, Operation, Record, Result, StreamName, metadata_keys};
use serde_json::{Map, Value};

use super::config::{Deletes, KeyMeaning, WriteRules};
use super::order::{Lanes, token};
use super::refusal::{Refusal, for_good};
use super::send::{lost_answer, may_have_happened};
use super::shape::key_of;
use super::writer::Done;
use crate::error::{Doing, OrFailed};
use crate::own::OwnStream;

/// What rows of a HubDB table are called: `hubdb_rows:TABLE`.
const ROWS: &str = "hubdb_rows:";
/// What HubSpot sets itself; a record of another account has it, and it cannot be written.
const HUBSPOTS_OWN: [&str; 14] = [
    "id",
    "created",
    "updated",
    "createdAt",
    "updatedAt",
    "archivedAt",
    "deletedAt",
    "createdById",
    "updatedById",
    "createdBy",
    "updatedBy",
    "publishedAt",
    "rowCount",
    "columnCount",
];

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Resource(Resource),
    /// The rows of a HubDB table, by its id or name.
    Rows(String),
}

impl Kind {
    /// What a person calls so, if it is something of the CMS that can be written.
    pub(crate) fn called(name: &str) -> Option<Self> {
        if let Some(table) = name.strip_prefix(ROWS) {
            return Some(Self::Rows(table.to_owned()));
        }
        match OwnStream::called(name)? {
            OwnStream::Resource(Resource::Domains) => None,
            OwnStream::Resource(resource) => Some(Self::Resource(resource)),
            _ => None,
        }
    }

    /// The HubDB table whose draft is written.
    fn drafted_table<'a>(&'a self, id: &'a str) -> Option<&'a str> {
        match self {
            Self::Rows(table) => Some(table),
            Self::Resource(Resource::HubDbTables) => Some(id),
            Self::Resource(_) => None,
        }
    }
}

/// Writes one kind of things.
#[derive(Debug)]
pub(crate) struct CmsWriter {
    pub(crate) client: Client,
    pub(crate) stream: StreamName,
    pub(crate) kind: Kind,
    pub(crate) rules: WriteRules,
    pub(crate) keys: Arc<dyn KeyMap>,
    pub(crate) lanes: Lanes,
}

impl CmsWriter {
    /// Writes records, one after the other, and publishes what is drafted.
    pub(crate) async fn write(&self, records: &[&Record]) -> Result<Vec<Done>> {
        let keys: Vec<_> = records.iter().map(|record| key_of(record)).collect();
        let tokens = keys
            .iter()
            .flatten()
            .map(|key| token("key", self.stream.as_str(), key));
        let mut place = self.lanes.enter(tokens.collect());
        place.turn().await?;
        let written = self.write_all(records, keys).await;
        if written.is_err() {
            place.fail();
        }
        written
    }

    async fn write_all(&self, records: &[&Record], keys: Vec<Result<String, Refusal>>) -> Result<Vec<Done>> {
        let mut done = Vec::new();
        for (record, key) in records.iter().zip(keys) {
            done.push(match key {
                Ok(key) => self.write_one(record, key).await?,
                Err(refusal) => Done::Refused(refusal),
            });
        }
        self.publish(&done).await?;
        Ok(done)
    }

    async fn write_one(&self, record: &Record, key: String) -> Result<Done> {
        let known = self.known(&key).await?;
        let gone = record.operation == Operation::Delete;
        match known {
            // Unless a person has looked and sends it again.
            Some(Mapped::Pending) if !insisted(record) => Ok(Done::Unsure(lost_answer())),
            Some(Mapped::Id(id)) if gone => self.archive(key, id).await,
            _ if gone => Ok(Done::Unchanged { id: None }),
            Some(Mapped::Id(id)) => match members(record) {
                Ok(members) => self.settled(self.update(&id, &members).await, |id| Done::Updated { id }),
                Err(refusal) => Ok(Done::Refused(refusal)),
            },
            _ => match members(record) {
                Ok(members) => self.create(key, &members).await,
                Err(refusal) => Ok(Done::Refused(refusal)),
            },
        }
    }

    async fn known(&self, key: &str) -> Result<Option<Mapped>> {
        if self.rules.key.unwrap_or_default() == KeyMeaning::Hubspot {
            return Ok(Some(Mapped::Id(key.to_owned())));
        }
        let found = self.keys.look_up(&self.stream, &[key.to_owned()]).await?;
        Ok(found.into_iter().flatten().next())
    }

    /// Remembered as pending before, so that neither a crash nor a lost answer makes anything twice (invariant 3).
    async fn create(&self, key: String, members: &Map<String, Value>) -> Result<Done> {
        let keys = [key.clone()];
        self.keys
            .store(&self.stream, &[(key.clone(), Mapped::Pending)])
            .await?;
        let created = match &self.kind {
            Kind::Resource(resource) => self.client.create_resource(*resource, members).await,
            Kind::Rows(table) => self.client.create_row(table, members).await,
        };
        match created {
            Ok(record) => {
                let id = record.id().to_owned();
                let entry = (key, Mapped::Id(id.clone()));
                self.keys.store(&self.stream, &[entry]).await?;
                Ok(Done::Created { id })
            }
            Err(error) if may_have_happened(&error) => Ok(Done::Unsure(lost_answer())),
            Err(error) => {
                self.keys.forget(&self.stream, &keys).await?;
                self.refused_or_failed(error)
            }
        }
    }

    async fn update(&self, id: &str, members: &Map<String, Value>) -> Result<RawObject, Error> {
        match &self.kind {
            Kind::Resource(resource) => self.client.update_resource(*resource, id, members).await,
            Kind::Rows(table) => self.client.update_row(table, id, members).await,
        }
    }

    async fn archive(&self, key: String, id: String) -> Result<Done> {
        if self.rules.deletes.unwrap_or_default() == Deletes::Ignore {
            return Ok(Done::Unchanged { id: Some(id) });
        }
        let archived = match &self.kind {
            Kind::Resource(resource) => self.client.archive_resource(*resource, &id).await,
            Kind::Rows(table) => self.client.delete_row(table, &id).await,
        };
        let done = match archived {
            // As good as archived now.
            Err(error) if error.is_not_found() => Done::Unchanged { id: Some(id) },
            Err(error) => return self.refused_or_failed(error),
            Ok(()) => Done::Archived { id },
        };
        self.keys.forget(&self.stream, &[key]).await?;
        Ok(done)
    }

    fn settled(&self, answer: Result<RawObject, Error>, done: impl Fn(String) -> Done) -> Result<Done> {
        match answer {
            Ok(record) => Ok(done(record.id().to_owned())),
            Err(error) => self.refused_or_failed(error),
        }
    }

    fn refused_or_failed(&self, error: Error) -> Result<Done> {
        match for_good(&error) {
            Some(_) => Ok(Done::Refused(Refusal::new(error.to_string()))),
            None => Err(error).or_failed(self.doing("cannot write")),
        }
    }

    /// Makes the drafts of this batch what visitors see.
    async fn publish(&self, done: &[Done]) -> Result<()> {
        let written = done.iter().filter_map(|done| match done {
            Done::Created { id } | Done::Updated { id } | Done::Archived { id } => Some(id.as_str()),
            _ => None,
        });
        let mut tables: Vec<_> = written.filter_map(|id| self.kind.drafted_table(id)).collect();
        tables.sort_unstable();
        tables.dedup();
        for table in tables {
            match self.client.publish_table(table).await {
                // The table itself is gone.
                Err(error) if error.is_not_found() => {}
                published => drop(published.or_failed(self.doing("cannot publish"))?),
            }
        }
        Ok(())
    }

    fn doing<'a>(&'a self, what: &'a str) -> Doing<'a> {
        Doing {
            what,
            stream: self.stream.as_str(),
            scope: None,
        }
    }
}

fn insisted(record: &Record) -> bool {
    record.metadata.get(metadata_keys::REDRIVEN).is_some()
}

/// What a record wants to be written: its payload, without what HubSpot sets itself.
fn members(record: &Record) -> Result<Map<String, Value>, Refusal> {
    let after = record
        .payload
        .after
        .as_ref()
        .ok_or_else(|| Refusal::new("the record has no payload"))?;
    let object = after
        .to_object()
        .map_err(|_| Refusal::new("the payload is not a JSON object"))?;
    let mut members = object.into_owned();
    members.retain(|name, _| !HUBSPOTS_OWN.contains(&name.as_str()) && !name.starts_with('_'));
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_written_is_called_by_its_name_or_by_conduits_key() {
        assert_eq!(
            Kind::called("cms.blogs.posts"),
            Some(Kind::Resource(Resource::BlogPosts))
        );
        assert_eq!(
            Kind::called("hubdb_rows:prices"),
            Some(Kind::Rows("prices".to_owned()))
        );
        assert_eq!(Kind::called("domains"), None);
        assert_eq!(Kind::called("owners"), None);
        assert_eq!(Kind::called("contacts"), None);
    }

    #[test]
    fn what_hubspot_sets_itself_is_left_out() {
        let record = Record::snapshot(
            "blog_posts",
            br#"{"id":"1"}"#,
            br#"{"id":"1","name":"A","created":"x","_a":1}"#,
        );
        assert_eq!(
            Value::from(members(&record).unwrap()),
            serde_json::json!({"name": "A"})
        );
    }
}
