//! One object type, page by page: its records, the associations that come with them, and what went to the recycle bin.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use hubspot_client::request::objects::{BatchRead, List};
use hubspot_client::{Client, RawObject, RawPage};
use jiff::{SignedDuration, Timestamp};
use opencdc::{Error, ErrorKind, Record, Result, StreamName};

use super::inline::{ListKeys, Lists, TypeNames};
use super::step::{self, Ask};
use super::{Progress, exact};
use crate::error::{Doing, OrFailed};
use crate::objects::ObjectType;
use crate::plan::{ObjectPlan, Target};
use crate::position::StreamPosition;
use crate::record::{AssociationRows, Facts};

/// Pages that wait together for association lists that must be read exactly: as many as one call takes.
const HELD_PAGES: usize = 10;
/// Asked for when only ids are wanted: HubSpot sends a handful of properties when none is named.
const CHEAPEST_PROPERTY: &str = "hs_object_id";
/// Archived a little before the last pass's cutoff may have been seen alive by it. A delete too many does no harm.
const ARCHIVE_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// What a walk yields beside others.
#[derive(Debug, Clone)]
pub(super) enum WalkPart {
    /// The records, with these properties.
    Records(Vec<String>),
    /// The association stream of this number in the plan.
    Target(usize),
}

/// A walk over one object type, for the streams that stand at the same page.
#[derive(Debug)]
pub(super) struct Walk {
    client: Client,
    plan: Arc<ObjectPlan>,
    scope: String,
    state: StreamPosition,
    records: Option<Records>,
    targets: Vec<Associated>,
    keys: ListKeys,
}

/// The records of a walk.
#[derive(Debug)]
struct Records {
    facts: Facts,
    properties: Vec<String>,
    /// The properties do not fit a URL: the list gives ids, and a batch read the records (hubspot-api notes §1.3).
    is_wide: bool,
}

/// An association stream of a walk.
#[derive(Debug)]
struct Associated {
    target: Target,
    facts: Facts,
    /// Read when the first association is seen, once a run.
    names: Option<TypeNames>,
}

/// A page that was read, with the association lists that are still to be read exactly.
struct Page {
    states: Vec<(StreamName, StreamPosition)>,
    records: Vec<Record>,
    /// By association stream.
    rows: Vec<AssociationRows>,
    /// By association stream, the ids of records.
    uncertain: Vec<Vec<String>>,
}

impl Walk {
    pub(super) fn new(
        client: Client,
        portal_id: &Arc<str>,
        plan: &Arc<ObjectPlan>,
        state: StreamPosition,
        parts: Vec<WalkPart>,
    ) -> Self {
        let scope = plan.object.read_scope();
        let mut walk = Self {
            client,
            plan: Arc::clone(plan),
            scope,
            state,
            records: None,
            targets: Vec::new(),
            keys: ListKeys::default(),
        };
        for part in parts {
            walk.add(portal_id, part);
        }
        walk
    }

    fn add(&mut self, portal_id: &Arc<str>, part: WalkPart) {
        let object = &self.plan.object;
        match part {
            WalkPart::Records(properties) => {
                let facts = Facts::new(self.plan.stream.clone(), portal_id, Some(object));
                self.records = Some(Records {
                    facts,
                    properties,
                    is_wide: false,
                });
            }
            WalkPart::Target(n) => {
                let target = self.plan.targets[n].clone();
                let facts = Facts::new(target.stream.clone(), portal_id, Some(object));
                self.targets.push(Associated {
                    target,
                    facts,
                    names: None,
                });
            }
        }
    }

    /// The pages, until the state has nothing more to ask for.
    pub(super) fn run(mut self) -> impl Stream<Item = Result<Progress>> + Send {
        self.choose_route();
        try_stream! {
            while let Some(list) = self.list() {
                let mut pages = pin!(self.client.pages(list));
                let mut held = Vec::new();
                while let Some(page) = pages.next().await {
                    let page = page.or_failed(self.doing())?;
                    let is_last = page.next.is_none();
                    held.push(self.read(page).await?);
                    if is_last || held.len() == HELD_PAGES || !held.iter().any(Page::is_uncertain) {
                        self.settle(&mut held).await?;
                        for page in held.drain(..) {
                            yield self.progress(page);
                        }
                    }
                }
            }
        }
    }

    fn doing(&self) -> Doing<'_> {
        Doing::reading(self.stream(), Some(&self.scope))
    }

    /// The stream to name in an error: the records', else the first association stream.
    fn stream(&self) -> &str {
        let target = self.targets.first().filter(|_| self.records.is_none());
        target
            .map_or(&self.plan.stream, |associated| &associated.target.stream)
            .as_str()
    }

    fn choose_route(&mut self) {
        let list = self.live_list(None);
        let fits = list.fits_url(self.client.api_version());
        if let Some(records) = &mut self.records {
            records.is_wide = !fits;
        }
    }

    /// What to list next; `None` when the walk is over.
    fn list(&self) -> Option<List> {
        match step::ask(&self.state) {
            Ask::Live(after) => Some(self.live_list(after)),
            Ask::Archived(after) => Some(List {
                archived: true,
                ..self.list_of(after, &[CHEAPEST_PROPERTY.to_owned()])
            }),
            Ask::Nothing => None,
        }
    }

    fn live_list(&self, after: Option<String>) -> List {
        let cheapest = [CHEAPEST_PROPERTY.to_owned()];
        let properties = match &self.records {
            Some(records) if !records.is_wide => &records.properties[..],
            _ => &cheapest,
        };
        let others = self
            .targets
            .iter()
            .map(|associated| associated.target.object.path_name());
        self.list_of(after, properties).with_associations(others)
    }

    fn list_of(&self, after: Option<String>, properties: &[String]) -> List {
        let list = List::new(self.plan.object.path_name());
        List {
            after,
            limit: self.plan.page_size,
            properties: properties.to_vec(),
            ..list
        }
    }

    /// Reads a page and moves the state behind it.
    async fn read(&mut self, page: RawPage) -> Result<Page> {
        let (records, rows, uncertain) = match self.state {
            StreamPosition::Archived { since, .. } => (self.deletes(&page, since), Vec::new(), Vec::new()),
            StreamPosition::Snapshot { .. } | StreamPosition::Complete { .. } => {
                let records = self.snapshots(&page).await?;
                let (rows, uncertain) = self.associations(&page).await?;
                (records, rows, uncertain)
            }
        };
        let last_id = page.results.last().map(RawObject::id);
        let next = page.next.as_ref().map(|next| &*next.after);
        self.state = step::after_page(&self.state, last_id, next);
        Ok(Page {
            states: self.states(),
            records,
            rows,
            uncertain,
        })
    }

    fn states(&self) -> Vec<(StreamName, StreamPosition)> {
        let records = self
            .records
            .iter()
            .map(|_| (self.plan.stream.clone(), self.state.clone()));
        let target = |associated: &Associated| {
            (
                associated.target.stream.clone(),
                step::without_deletes(&self.state),
            )
        };
        records.chain(self.targets.iter().map(target)).collect()
    }

    async fn snapshots(&self, page: &RawPage) -> Result<Vec<Record>> {
        let Some(records) = &self.records else {
            return Ok(Vec::new());
        };
        if !records.is_wide {
            return Ok(records.facts.read_now().snapshots(&page.results).collect());
        }
        let objects = self.read_wide(&records.properties, page).await?;
        Ok(records.facts.read_now().snapshots(&objects).collect())
    }

    /// The records of a page by their ids. An id that vanished meanwhile is simply not there.
    async fn read_wide(&self, properties: &[String], page: &RawPage) -> Result<Vec<RawObject>> {
        if page.results.is_empty() {
            return Ok(Vec::new());
        }
        let ids = page.results.iter().map(RawObject::id);
        let read =
            BatchRead::new(self.plan.object.path_name(), ids).with_properties(properties.iter().cloned());
        let answer = self.client.batch_read(&read).await.or_failed(self.doing())?;
        match answer.errors.first() {
            None => Ok(answer.results),
            Some(error) => Err(self.in_part(error.message.as_deref())),
        }
    }

    /// HubSpot could not give some of the records: leaving them out would lose them in silence.
    fn in_part(&self, words: Option<&str>) -> Error {
        let words = words.unwrap_or("no reason given");
        let message = format!(
            "cannot read stream `{}`: a batch read failed in part: {words}",
            self.stream()
        );
        Error::new(ErrorKind::Unreachable, message)
    }

    fn deletes(&self, page: &RawPage, since: Timestamp) -> Vec<Record> {
        let Some(records) = &self.records else {
            return Vec::new();
        };
        let since = since.checked_sub(ARCHIVE_MARGIN).unwrap_or(since);
        let gone = page.results.iter().filter(|object| archived_since(object, since));
        let gone: Vec<_> = gone.cloned().collect();
        records.facts.read_now().deletes(&gone).collect()
    }

    /// The association rows of a page that are certain, and the ids of records whose lists are not.
    async fn associations(&mut self, page: &RawPage) -> Result<(Vec<AssociationRows>, Vec<Vec<String>>)> {
        let mut rows: Vec<_> = self.targets.iter().map(|_| AssociationRows::default()).collect();
        let mut uncertain = vec![Vec::new(); self.targets.len()];
        for object in &page.results {
            let Some(json) = object.associations() else {
                continue;
            };
            let lists = Lists::parse(json).map_err(|source| self.unreadable(object.id(), source))?;
            for (key, list) in lists.iter() {
                let others = self.targets.iter().map(|associated| &*associated.target.object);
                let Some(n) = self.keys.place(key, others) else {
                    continue;
                };
                let names = self.names(n).await?;
                if list.is_certain(names) {
                    list.certain(names)
                        .for_each(|(to, kind)| rows[n].push(object.id(), to, kind));
                } else {
                    uncertain[n].push(object.id().to_owned());
                }
            }
        }
        Ok((rows, uncertain))
    }

    fn unreadable(&self, id: &str, source: serde_json::Error) -> Error {
        let message = format!(
            "cannot read stream `{}`: the associations of record {id} have an unknown shape",
            self.stream()
        );
        Error::new(ErrorKind::InvalidData, message).with_source(source)
    }

    /// What the words of inline types mean, asked once.
    async fn names(&mut self, n: usize) -> Result<&TypeNames> {
        let Associated { target, names, .. } = &mut self.targets[n];
        if names.is_none() {
            let from = &self.plan.object;
            let doing = Doing {
                what: "cannot list the association types of",
                ..Doing::reading(target.stream.as_str(), Some(&self.scope))
            };
            let labels = self
                .client
                .association_labels(from.path_name(), target.object.path_name())
                .await;
            *names = Some(TypeNames::new(from, &target.object, &labels.or_failed(doing)?));
        }
        Ok(names.as_ref().expect("they were just read"))
    }

    /// Reads exactly what is uncertain in the held pages.
    async fn settle(&self, held: &mut [Page]) -> Result<()> {
        for (n, associated) in self.targets.iter().enumerate() {
            let uncertain = held
                .iter()
                .enumerate()
                .filter_map(|(page, held)| Some((page, held.uncertain.get(n)?)));
            let page_of: HashMap<String, usize> = uncertain
                .flat_map(|(page, ids)| ids.iter().map(move |id| (id.clone(), page)))
                .collect();
            let pair: (&ObjectType, &ObjectType) = (&self.plan.object, &associated.target.object);
            let doing = Doing::reading(associated.target.stream.as_str(), Some(&self.scope));
            for found in exact::read(&self.client, pair, page_of.keys().cloned())
                .await
                .or_failed(doing)?
            {
                let Some(page) = page_of.get(&found.from) else {
                    continue;
                };
                held[*page].add(n, &found);
            }
        }
        Ok(())
    }

    fn progress(&self, page: Page) -> Progress {
        let Page {
            states,
            mut records,
            rows,
            ..
        } = page;
        for (associated, rows) in self.targets.iter().zip(rows) {
            records.extend(rows.records(&associated.facts.read_now()));
        }
        Progress { states, records }
    }
}

impl Page {
    fn is_uncertain(&self) -> bool {
        self.uncertain.iter().any(|ids| !ids.is_empty())
    }

    fn add(&mut self, n: usize, found: &exact::Found) {
        for association in &found.to {
            for kind in &association.association_types {
                self.rows[n].push(&found.from, &association.to_object_id, kind);
            }
        }
    }
}

/// Without a time it is taken for new: a delete too many does no harm, one too few does.
fn archived_since(object: &RawObject, since: Timestamp) -> bool {
    let at = object
        .archived_at()
        .and_then(|text| text.parse::<Timestamp>().ok());
    at.is_none_or(|at| at >= since)
}
