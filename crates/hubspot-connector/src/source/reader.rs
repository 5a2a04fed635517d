//! Reading one object type: pages, records by id, associations, history. What comes back is HubSpot's; what to make of
//! it is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hubspot_client::request::objects::{BatchRead, Get, List, MAX_BATCH};
use hubspot_client::request::search::SearchRequest;
use hubspot_client::{AssociationType, Client, Priority, RawObject, RawPage, SearchPage};
use opencdc::{Error, ErrorKind, Result, StreamName};

use super::absence::Absence;
use super::exact;
use super::inline::{ListKeys, Lists, TypeNames};
use crate::error::{Doing, OrFailed};
use crate::objects::ObjectType;
use crate::plan::{ObjectPlan, Target};

/// Asked for when only ids are wanted: HubSpot sends a handful of properties when none is named.
pub(super) const CHEAPEST_PROPERTY: &str = "hs_object_id";

/// One association of a record: to which one, and how.
pub(super) type Link = (String, AssociationType);
/// The associations of some records with records of one type, whole; a record without any has an empty list.
pub(super) type Links = BTreeMap<String, Vec<Link>>;

/// Reads one object type.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) client: Client,
    pub(super) plan: Arc<ObjectPlan>,
    scope: String,
    /// The properties of the records; empty when only the ids matter.
    pub(super) properties: Vec<String>,
    /// The properties do not fit a URL: the list gives ids, and a batch read the records (hubspot-api notes §1.3).
    is_wide: bool,
    keys: ListKeys,
    /// What the words of inline types mean, by target; asked once.
    names: Vec<Option<TypeNames>>,
    /// What a list that is not there means, by target.
    absence: Vec<Absence>,
}

/// The associations of a page's records with one target.
#[derive(Debug, Default)]
pub(super) struct Inline {
    /// Those that came whole and certain.
    pub(super) links: Links,
    /// Records whose list must be read for itself.
    pub(super) uncertain: Vec<String>,
    /// Those of them that came without any list.
    pub(super) without_list: BTreeSet<String>,
}

/// A page that was asked for behind another one.
#[derive(Debug)]
pub(super) enum Paged {
    Page(RawPage),
    /// HubSpot does not take the paging token.
    Refused(Error),
}

impl Paged {
    /// The page, for whoever has no other way on.
    pub(super) fn taken(self) -> Result<RawPage> {
        match self {
            Self::Page(page) => Ok(page),
            Self::Refused(error) => Err(error),
        }
    }
}

/// What became of records that were asked for by id.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) objects: Vec<RawObject>,
    /// Ids without a live record of their own.
    pub(super) missing: Vec<String>,
}

impl Reader {
    pub(super) fn new(client: Client, plan: &Arc<ObjectPlan>, properties: Vec<String>) -> Self {
        let mut reader = Self {
            client,
            plan: Arc::clone(plan),
            scope: plan.object.read_scope(),
            properties: Vec::new(),
            is_wide: false,
            keys: ListKeys::default(),
            names: plan.targets.iter().map(|_| None).collect(),
            absence: vec![Absence::default(); plan.targets.len()],
        };
        reader.read_properties(properties);
        reader
    }

    /// Reads these properties from now on.
    pub(super) fn read_properties(&mut self, properties: Vec<String>) {
        self.properties = properties;
        self.is_wide = false;
        let every_target: Vec<_> = (0..self.plan.targets.len()).collect();
        self.is_wide = !self.list(None, &every_target).fits_url(self.client.api_version());
    }

    /// Whether what is asked from now on should go before what takes its time anyway.
    pub(super) fn hurry(&mut self, hurry: bool) {
        let priority = if hurry { Priority::Cdc } else { Priority::Snapshot };
        self.client = self.client.with_priority(priority);
    }

    /// Whether a page is only ids, and its records take a call of their own.
    pub(super) fn is_wide(&self) -> bool {
        self.is_wide && !self.properties.is_empty()
    }

    fn doing(&self) -> Doing<'_> {
        Doing::reading(self.plan.stream.as_str(), Some(&self.scope))
    }

    /// The question for a page of live records, with the inline associations of some targets.
    pub(super) fn list(&self, after: Option<String>, targets: &[usize]) -> List {
        let others = targets.iter().map(|n| self.plan.targets[*n].object.path_name());
        let list = match self.is_wide || self.properties.is_empty() {
            true => self.ids(after),
            false => self.ids(after).with_properties(self.properties.iter().cloned()),
        };
        list.with_associations(others)
    }

    /// The question for a page of ids.
    fn ids(&self, after: Option<String>) -> List {
        List {
            after,
            limit: self.plan.page_size,
            properties: vec![CHEAPEST_PROPERTY.to_owned()],
            ..List::new(self.plan.object.path_name())
        }
    }

    pub(super) async fn live_page(&self, after: Option<String>, targets: &[usize]) -> Result<Paged> {
        self.paged(&self.list(after, targets)).await
    }

    /// A page of the recycle bin: ids, and what else is to be `shown`.
    pub(super) async fn archived_page(&self, after: Option<String>, shown: &[&str]) -> Result<Paged> {
        let mut list = self.ids(after).with_archived(true);
        list.properties
            .extend(shown.iter().map(|name| (*name).to_owned()));
        self.paged(&list).await
    }

    async fn paged(&self, list: &List) -> Result<Paged> {
        let page = match self.client.list_objects(list).await {
            Ok(page) => page,
            Err(error) if refuses_token(&error, list.after.as_deref()) => {
                return Ok(Paged::Refused(self.doing().failed(error)));
            }
            Err(error) => return Err(self.doing().failed(error)),
        };
        match &page.next {
            // The walk would never end.
            Some(next) if list.after.as_deref() == Some(&*next.after) => {
                let after = next.after.clone();
                let stream = self.plan.stream.to_string();
                let repeated = hubspot_client::Error::RepeatedPage { stream, after };
                Err(self.doing().failed(repeated))
            }
            _ => Ok(Paged::Page(page)),
        }
    }

    /// All pages from the one after `after` on, a little ahead of whoever consumes them.
    pub(super) fn pages(
        &self,
        after: Option<String>,
        targets: &[usize],
    ) -> impl futures_util::Stream<Item = Result<RawPage, hubspot_client::Error>> + Send + use<> {
        self.client.pages(self.list(after, targets))
    }

    /// An error of [`pages`](Self::pages), as the contract has it.
    pub(super) fn failed(&self, error: hubspot_client::Error) -> Error {
        self.doing().failed(error)
    }

    /// The error of a page of [`pages`](Self::pages), as the contract has it.
    pub(super) fn page(&self, page: Result<RawPage, hubspot_client::Error>) -> Result<RawPage> {
        page.or_failed(self.doing())
    }

    /// The records of a page with their properties. One that vanished meanwhile is simply not there.
    pub(super) async fn whole(&self, page: &RawPage) -> Result<Vec<RawObject>> {
        if !self.is_wide || self.properties.is_empty() {
            return Ok(page.results.clone());
        }
        let ids: Vec<_> = page.results.iter().map(|object| object.id().to_owned()).collect();
        Ok(self.by_id(&ids).await?.objects)
    }

    /// Records by id, as they are now. A merged id is missing, also where HubSpot answers with its survivor.
    pub(super) async fn by_id(&self, ids: &[String]) -> Result<Read> {
        let mut read = Read::default();
        for some in ids.chunks(MAX_BATCH) {
            let question = BatchRead::new(self.plan.object.path_name(), some.iter().cloned())
                .with_properties(self.properties.iter().cloned());
            let objects = self.batch(&question).await?;
            read.add(some, objects);
        }
        Ok(read)
    }

    /// As [`by_id`](Self::by_id), with the history of these properties instead of their values.
    pub(super) async fn history(&self, ids: &[String], properties: &[String]) -> Result<Vec<RawObject>> {
        /// Fewer than usual go into a batch with history (hubspot-api notes §1.6).
        const WITH_HISTORY: usize = MAX_BATCH / 2;
        let mut objects = Vec::new();
        for some in ids.chunks(WITH_HISTORY) {
            let mut question = BatchRead::new(self.plan.object.path_name(), some.iter().cloned());
            // Their values too: they say which of one millisecond's values is the newest.
            question.properties = properties.to_vec();
            question.properties_with_history = properties.to_vec();
            objects.extend(self.batch(&question).await?);
        }
        Ok(objects)
    }

    /// Records of the recycle bin by id, with what is to be `shown` of them.
    pub(super) async fn archived(&self, ids: &[String], shown: &[&str]) -> Result<Vec<RawObject>> {
        let mut objects = Vec::new();
        for some in ids.chunks(MAX_BATCH) {
            let shown = std::iter::once(&CHEAPEST_PROPERTY).chain(shown);
            let mut question = BatchRead::new(self.plan.object.path_name(), some.iter().cloned())
                .with_properties(shown.map(|name| (*name).to_owned()));
            question.archived = true;
            objects.extend(self.batch(&question).await?);
        }
        Ok(objects)
    }

    async fn batch(&self, question: &BatchRead) -> Result<Vec<RawObject>> {
        let answer = self.client.batch_read(question).await.or_failed(self.doing())?;
        match answer.errors.first() {
            None => Ok(answer.results),
            Some(error) => Err(self.in_part(error.message.as_deref())),
        }
    }

    /// HubSpot could not give some of the records: leaving them out would lose them in silence.
    pub(super) fn in_part(&self, words: Option<&str>) -> Error {
        let words = words.unwrap_or("no reason given");
        let message = format!(
            "cannot read stream `{}`: a batch read failed in part: {words}",
            self.plan.stream
        );
        Error::new(ErrorKind::Unreachable, message)
    }

    /// One live record.
    pub(super) async fn one(&self, id: &str) -> Result<One> {
        let get = Get {
            properties: vec![CHEAPEST_PROPERTY.to_owned()],
            ..Get::new(self.plan.object.path_name(), id)
        };
        match self.client.get_object(&get).await {
            Ok(object) => Ok(One::There(object)),
            Err(error) if error.is_not_found() => Ok(One::Nowhere {
                is_certain: is_hubspots(&error),
            }),
            Err(error) => Err(self.doing().failed(error)),
        }
    }

    pub(super) async fn search(&self, request: &SearchRequest) -> Result<SearchPage> {
        let found = self.client.search(self.plan.object.path_name(), request).await;
        found.or_failed(self.doing())
    }

    /// How many live records HubSpot's search has.
    pub(super) async fn count(&self) -> Result<u64> {
        let one = SearchRequest::new().with_limit(1);
        Ok(self.search(&one).await?.total)
    }

    /// The associations that came with a page's records. `is_linked` says which records were delivered with associations:
    /// a list that is not there would delete them all, so it is not believed.
    pub(super) async fn inline(
        &mut self,
        page: &RawPage,
        n: usize,
        is_linked: impl Fn(&str) -> bool,
    ) -> Result<Inline> {
        let mut inline = Inline::default();
        let mut without = Vec::new();
        for object in &page.results {
            let lists = self.lists(object)?;
            let (mut whole, mut unknown) = (None, false);
            for (key, list) in lists.iter() {
                let others = self.plan.targets.iter().map(|target| &*target.object);
                let place = self.keys.place(key, others);
                unknown |= place.is_none();
                if place != Some(n) {
                    continue;
                }
                let names = self.names(n).await?;
                let of_type = whole.get_or_insert_with(|| Some(Vec::new()));
                match of_type.as_mut().filter(|_| list.is_certain(names)) {
                    Some(of_type) => of_type.extend(
                        list.certain(names)
                            .map(|(to, kind)| (to.to_owned(), kind.clone())),
                    ),
                    None => whole = Some(None),
                }
            }
            let id = object.id().to_owned();
            match whole {
                Some(Some(links)) => {
                    self.absence[n].note_list();
                    inline.links.insert(id, links);
                }
                Some(None) => {
                    self.absence[n].note_list();
                    inline.uncertain.push(id);
                }
                None => without.push((id, unknown)),
            }
        }
        let is_believed = self.absence[n].is_believed();
        for (id, unknown) in without {
            if is_believed && !unknown && !is_linked(&id) {
                inline.links.insert(id, Vec::new());
            } else {
                inline.without_list.insert(id.clone());
                inline.uncertain.push(id);
            }
        }
        Ok(inline)
    }

    /// The lists that did not come with the pages, read for themselves.
    pub(super) async fn exactly(
        &mut self,
        n: usize,
        uncertain: &[String],
        without_list: &BTreeSet<String>,
    ) -> Result<Links> {
        let links = self.links(&self.plan.targets[n], uncertain).await?;
        let before = self.absence[n];
        self.absence[n].note_exact(without_list, &links);
        if self.absence[n] == Absence::Doubted && before != Absence::Doubted {
            tracing::warn!(
                stream = %self.plan.targets[n].stream,
                "HubSpot left associations out of its pages: they are read for themselves"
            );
        }
        Ok(links)
    }

    fn lists<'a>(&self, object: &'a RawObject) -> Result<Lists<'a>> {
        let json: &[u8] = object.associations().map_or(b"{}", |json| json);
        Lists::parse(json).map_err(|source| {
            let message = format!(
                "cannot read stream `{}`: the associations of record {} have an unknown shape",
                self.plan.stream,
                object.id()
            );
            Error::new(ErrorKind::InvalidData, message).with_source(source)
        })
    }

    /// What the words of inline types mean, asked once.
    async fn names(&mut self, n: usize) -> Result<&TypeNames> {
        if self.names[n].is_none() {
            let target = &self.plan.targets[n];
            let from = &self.plan.object;
            let doing = Doing {
                what: "cannot list the association types of",
                ..Doing::reading(target.stream.as_str(), Some(&self.scope))
            };
            let labels = self
                .client
                .association_labels(from.path_name(), target.object.path_name())
                .await;
            self.names[n] = Some(TypeNames::new(from, &target.object, &labels.or_failed(doing)?));
        }
        Ok(self.names[n].as_ref().expect("they were just read"))
    }

    /// The associations of these records with one target, read for themselves.
    pub(super) async fn links(&self, target: &Target, ids: &[String]) -> Result<Links> {
        let doing = Doing::reading(target.stream.as_str(), Some(&self.scope));
        links(&self.client, (&self.plan.object, &target.object), ids, doing).await
    }
}

/// What HubSpot says of one record.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is looked into at once and never kept"
)]
pub(super) enum One {
    /// This one, or the one that it was merged into.
    There(RawObject),
    /// 404, for certain with HubSpot's own body: a gateway answers 404 as well.
    Nowhere { is_certain: bool },
}

/// HubSpot's errors have words and an id (hubspot-api notes §3.1).
fn is_hubspots(error: &hubspot_client::Error) -> bool {
    error
        .api()
        .is_some_and(|api| api.message.is_some() && api.correlation_id.is_some())
}

/// Whether an answer may mean that a paging token is no good. Nothing says what HubSpot answers then; a list asked for
/// without a token tells whether it was anything else.
pub(super) fn refuses_token(error: &hubspot_client::Error, after: Option<&str>) -> bool {
    after.is_some() && matches!(error.status(), Some(400 | 404 | 410 | 422))
}

/// The associations of records of one type with records of another.
pub(super) async fn links(
    client: &Client,
    pair: (&ObjectType, &ObjectType),
    ids: &[String],
    doing: Doing<'_>,
) -> Result<Links> {
    let mut links: Links = ids.iter().map(|id| (id.clone(), Vec::new())).collect();
    for found in exact::read(client, pair, ids.iter().cloned())
        .await
        .or_failed(doing)?
    {
        let of = links.entry(found.from).or_default();
        for association in found.to {
            let to = association.to_object_id;
            of.extend(
                association
                    .association_types
                    .into_iter()
                    .map(|kind| (to.clone(), kind)),
            );
        }
    }
    Ok(links)
}

impl Read {
    fn add(&mut self, asked: &[String], objects: Vec<RawObject>) {
        let (own, survivors): (Vec<_>, Vec<_>) = objects
            .into_iter()
            .partition(|object| asked.iter().any(|id| id == object.id()));
        drop(survivors);
        let missing = asked
            .iter()
            .filter(|id| !own.iter().any(|object| object.id() == **id));
        self.missing.extend(missing.cloned());
        self.objects.extend(own);
    }
}

/// Streams that a walk over one object type fills beside its own, such as `contacts_companies`.
pub(super) fn stream_names(plan: &ObjectPlan) -> impl Iterator<Item = &StreamName> {
    let targets = plan.targets.iter().map(|target| &target.stream);
    std::iter::once(&plan.stream)
        .chain(targets)
        .chain(plan.history.as_ref().map(|history| &history.stream))
}
