//! Batches on their way: every record of a batch gets an outcome of its own, whatever comes back.
//!
//! - HubSpot says what became of each record: that is it.
//! - It refuses the whole batch: the batch is split until the bad record is alone.
//! - The answer to a create is lost: the records are looked for by a unique property. Those that are there were made;
//!   only the others are made again. Without such a property nobody can tell, and that is what is said (invariant 3).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use hubspot_client::request::batches::{BatchWrite, Input};
use hubspot_client::{Client, Error, InputOutcome, SubError};
use jiff::{SignedDuration, Timestamp};

use super::live::{Finder, Found, Looking};
use super::refusal::{Refusal, Said, for_good};
use super::rules::Definitions;
use super::writer::Done;

/// How often records are made again after a look that did not find them.
const MAX_CREATES: u32 = 5;
/// HubSpot's clock and its `Date` header differ by less.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);

/// What a batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Create,
    Update,
    UpdateBy,
    Upsert,
    Archive,
}

/// One record of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Its place among all records.
    pub(crate) at: usize,
    /// The id, or the unique value; empty for a create.
    pub(crate) id: String,
    pub(crate) values: BTreeMap<String, String>,
    /// What it is looked for by, should the answer be lost.
    pub(crate) finder: Option<Finder>,
    /// What it is associated with from the start.
    pub(crate) associations: Vec<hubspot_client::request::writes::AssociateTo>,
}

/// Sends the batches of one object type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sending<'a> {
    pub(crate) client: &'a Client,
    pub(crate) object: &'a str,
    pub(crate) id_property: Option<&'a str>,
    pub(crate) definitions: &'a Definitions,
}

type Outcomes = Vec<(usize, Done)>;

/// What became of a batch: outcomes of single records, and what kept the others from theirs.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) done: Outcomes,
    pub(crate) failed: Option<Failed>,
}

/// Why some records of a batch have no outcome: something that may go better another time, or that concerns everything,
/// such as the token, the scopes, the day's calls.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// The records without an outcome were surely not written.
    pub(crate) nothing_written: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        let nothing_written = false;
        Self {
            error,
            nothing_written,
        }
    }
}

impl<'a> Sending<'a> {
    /// Writes at most [`MAX_BATCH`](hubspot_client::request::objects::MAX_BATCH) records.
    pub(crate) async fn batch(self, kind: Kind, items: Vec<Item>) -> Sent {
        let mut sent = Sent::default();
        let failed = match kind {
            Kind::Archive => self.archive(items, &mut sent.done).await,
            _ => self.write(kind, items, 1, &mut sent.done).await,
        };
        sent.failed = failed.err();
        sent
    }

    fn write<'b>(
        self,
        kind: Kind,
        items: Vec<Item>,
        attempt: u32,
        done: &'b mut Outcomes,
    ) -> BoxFuture<'b, Result<(), Failed>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            let sent_at = self.client.server_time();
            match self.client.batch_write(&self.batch_of(kind, &items)).await {
                Ok(outcome) => {
                    self.sort(kind, items, outcome.inputs, (sent_at, attempt), done)
                        .await
                }
                Err(error) if for_good(&error).is_some() => {
                    self.split(kind, items, &error, attempt, done).await
                }
                Err(error) if kind == Kind::Create && may_have_happened(&error) => {
                    tracing::debug!(object = self.object, %error, "an answer was lost; looking for what was made");
                    self.look_for(items, (sent_at, attempt), done).await
                }
                Err(error) => Err(Failed {
                    nothing_written: !may_have_happened(&error),
                    error,
                }),
            }
        })
    }

    fn batch_of(self, kind: Kind, items: &[Item]) -> BatchWrite {
        let inputs = items.iter().map(|item| Input {
            id: item.id.clone(),
            properties: item.values.clone(),
            associations: item.associations.clone(),
        });
        let id_property = self.id_property.unwrap_or_default();
        match kind {
            Kind::Create => BatchWrite::create(self.object, inputs),
            Kind::UpdateBy => BatchWrite::update_by(self.object, id_property, inputs),
            Kind::Upsert => BatchWrite::upsert(self.object, id_property, inputs),
            Kind::Update | Kind::Archive => BatchWrite::update(self.object, inputs),
        }
    }

    /// What became of each record, as HubSpot says; what it does not say is found out.
    async fn sort(
        self,
        kind: Kind,
        items: Vec<Item>,
        inputs: Vec<InputOutcome>,
        (sent_at, attempt): (Option<Timestamp>, u32),
        done: &mut Outcomes,
    ) -> Result<(), Failed> {
        let (mut unsure, mut moved) = (Vec::new(), Vec::new());
        for (item, outcome) in items.into_iter().zip(inputs) {
            match outcome {
                InputOutcome::Written(written) => {
                    let id = written.record.id().to_owned();
                    let made = kind == Kind::Create || written.is_new == Some(true);
                    done.push((
                        item.at,
                        if made {
                            Done::Created { id }
                        } else {
                            Done::Updated { id }
                        },
                    ));
                }
                InputOutcome::Refused(error) if kind == Kind::Update && is_missing(&error) => {
                    moved.push(item);
                }
                InputOutcome::Refused(error) => {
                    done.push((item.at, Done::Refused(self.refusal(&item, &error))));
                }
                InputOutcome::Unknown => unsure.push(item),
            }
        }
        self.follow(moved, done).await?;
        match kind {
            _ if unsure.is_empty() => Ok(()),
            Kind::Create => self.look_for(unsure, (sent_at, attempt), done).await,
            _ => self.again(kind, unsure, attempt, done).await,
        }
    }

    fn refusal(self, item: &Item, error: &SubError) -> Refusal {
        let message = error.message.as_deref();
        self.said(item, message, &[], &error.context)
    }

    fn said(
        self,
        item: &Item,
        message: Option<&str>,
        errors: &[SubError],
        context: &BTreeMap<String, Vec<String>>,
    ) -> Refusal {
        let mut values = item.values.clone();
        let found_by = self.id_property.filter(|_| !item.id.is_empty());
        if let Some(name) = found_by {
            values.entry(name.to_owned()).or_insert_with(|| item.id.clone());
        }
        let unique = self.definitions.unique_among(&values);
        let said = Said {
            message,
            errors,
            context,
            // A record that is found by a value is no conflict about that value.
            unique: unique.filter(|name| Some(*name) != found_by).collect(),
            values: &values,
        };
        said.refusal()
    }

    /// A batch that was refused as a whole: each half for itself, down to the record that is at fault.
    async fn split(
        self,
        kind: Kind,
        mut items: Vec<Item>,
        error: &Error,
        attempt: u32,
        done: &mut Outcomes,
    ) -> Result<(), Failed> {
        if items.len() > 1 {
            let rest = items.split_off(items.len() / 2);
            self.write(kind, items, attempt, done).await?;
            return self.write(kind, rest, attempt, done).await;
        }
        let api = for_good(error).expect("a batch is split when HubSpot refused it for good");
        for item in items {
            let refusal = self.said(&item, api.message.as_deref(), &api.errors, &api.context);
            done.push((item.at, Done::Refused(refusal)));
        }
        Ok(())
    }

    /// Records of which the answer said nothing, written again one by one: setting values twice is setting them once.
    async fn again(
        self,
        kind: Kind,
        items: Vec<Item>,
        attempt: u32,
        done: &mut Outcomes,
    ) -> Result<(), Failed> {
        for item in items {
            if attempt > 1 {
                let silent = "HubSpot's answer does not say what became of it; it may have been written";
                done.push((item.at, Done::Unsure(Refusal::new(silent))));
            } else {
                self.write(kind, vec![item], attempt + 1, done).await?;
            }
        }
        Ok(())
    }

    /// Records that an update did not find: merged into others, or gone. A batch does not know the ids of merged
    /// records (hubspot-api notes §1.4).
    async fn follow(self, items: Vec<Item>, done: &mut Outcomes) -> Result<(), Failed> {
        if items.is_empty() {
            return Ok(());
        }
        let finders: Vec<_> = items.iter().map(|item| Finder::Id(item.id.clone())).collect();
        let found = self.looking().find(&finders, &BTreeSet::new()).await?;
        for (mut item, finder) in items.into_iter().zip(&finders) {
            match found.get(finder).filter(|found| found.id != item.id) {
                Some(survivor) => {
                    item.id.clone_from(&survivor.id);
                    self.write(Kind::Update, vec![item], 1, done).await?;
                }
                None => done.push((item.at, Done::Refused(gone(&item.id)))),
            }
        }
        Ok(())
    }

    /// Records that were perhaps made: those that are there were, those that are not are made again, and of those that
    /// nobody can look for nobody can tell.
    async fn look_for(
        self,
        items: Vec<Item>,
        (sent_at, attempt): (Option<Timestamp>, u32),
        done: &mut Outcomes,
    ) -> Result<(), Failed> {
        let (findable, lost): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| item.finder.is_some());
        done.extend(lost.iter().map(|item| (item.at, Done::Unsure(lost_answer()))));
        let finders = findable.iter().filter_map(|item| item.finder.as_ref());
        let found = self.looking().find(finders, &BTreeSet::new()).await?;
        let mut not_there = Vec::new();
        for item in findable {
            match item.finder.as_ref().and_then(|finder| found.get(finder)) {
                Some(found) => done.push((item.at, self.found(&item, found, sent_at))),
                None => not_there.push(item),
            }
        }
        match attempt {
            _ if not_there.is_empty() => Ok(()),
            MAX_CREATES.. => {
                let reason = format!(
                    "HubSpot was asked {MAX_CREATES} times to make it, never answered, and has not made it"
                );
                done.extend(
                    not_there
                        .iter()
                        .map(|item| (item.at, Done::Refused(Refusal::new(&*reason)))),
                );
                Ok(())
            }
            _ => self.write(Kind::Create, not_there, attempt + 1, done).await,
        }
    }

    /// A record that is there: made by the call whose answer was lost, unless it is older.
    fn found(self, item: &Item, found: &Found, sent_at: Option<Timestamp>) -> Done {
        let made_at: Option<Timestamp> = found.created_at.as_deref().and_then(|at| at.parse().ok());
        let id = found.id.clone();
        match (made_at, sent_at) {
            (Some(made_at), Some(sent_at)) if made_at < sent_at - CLOCKS => {
                let taken = format!("there is a record with this value already, {id}");
                Done::Refused(self.said(
                    item,
                    Some(&format!("{taken}: it already exists")),
                    &[],
                    &BTreeMap::new(),
                ))
            }
            _ => Done::Created { id },
        }
    }

    fn looking(self) -> Looking<'a> {
        Looking {
            client: self.client,
            object: self.object,
        }
    }

    fn archive<'b>(self, mut items: Vec<Item>, done: &'b mut Outcomes) -> BoxFuture<'b, Result<(), Failed>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            let ids: Vec<_> = items.iter().map(|item| item.id.as_str()).collect();
            let refused = match self.client.batch_archive(self.object, &ids).await {
                Ok(()) => {
                    done.extend(
                        items
                            .into_iter()
                            .map(|item| (item.at, Done::Archived { id: item.id })),
                    );
                    return Ok(());
                }
                Err(error) if for_good(&error).is_some() => error,
                Err(error) => return Err(error.into()),
            };
            if items.len() == 1 {
                return self.split(Kind::Archive, items, &refused, 1, done).await;
            }
            let rest = items.split_off(items.len() / 2);
            self.archive(items, done).await?;
            self.archive(rest, done).await
        })
    }
}

/// What is said of a record that was perhaps made.
pub(crate) fn lost_answer() -> Refusal {
    Refusal::new(
        "HubSpot's answer was lost, so it may have been made or not, and it has no unique property to look for it by; \
         look in HubSpot, and send it again only if it is not there",
    )
}

/// What is said of a record that was written once and is not there any more.
pub(crate) fn gone(id: &str) -> Refusal {
    Refusal::new(format!(
        "there is no record {id} any more: it was archived or erased in HubSpot; restore it there, or send this again to \
         have it made anew"
    ))
}

fn is_missing(error: &SubError) -> bool {
    error.category.as_deref() == Some("OBJECT_NOT_FOUND")
}

/// Whether a call that failed may have been carried out: everything but a refusal.
pub(crate) fn may_have_happened(error: &Error) -> bool {
    match error {
        // 477 and 521 to 526 but 524 come from before HubSpot, and nothing was done.
        Error::Api(api) => matches!(api.status, 500 | 502 | 503 | 504 | 524),
        Error::Http(error) => error.kind().is_transient() && !error.kind().never_sent(),
        Error::Decode(_) => true,
        _ => false,
    }
}
