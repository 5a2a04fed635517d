//! The way of records into one object type: checked, decided about, sent, associated, remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures_util::future::join_all;
use hubspot_client::Client;
use hubspot_client::request::objects::MAX_BATCH;
use opencdc::{DataType, Error, ErrorKind, KeyMap, Mapped, Result, StreamName};
use tokio::sync::Semaphore;

use super::config::{DEFAULT_CONCURRENCY, MissingProperty, WriteMode, WriteRules};
use super::decide::{Action, Candidate, Deciding, Live, Planned};
use super::keys::Keys;
use super::links::{self, Link, Target};
use super::live::{Finder, Looking};
use super::missing;
use super::order::{Lanes, Token, token, waves};
use super::refusal::Refusal;
use super::rules::{Checked, Definitions};
use super::send::{Item, Kind, Sending, lost_answer};
use super::shape::{Verb, Wanted};
use crate::discovery::find_object;
use crate::error::{Doing, OrFailed};
use crate::objects::{Capability, ObjectType};

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It was made.
    Created {
        /// Its id.
        id: String,
    },
    /// It was changed, or written as it was.
    Updated {
        /// Its id.
        id: String,
    },
    /// It is in the recycle bin.
    Archived {
        /// Its id.
        id: String,
    },
    /// Nothing had to be done.
    Unchanged {
        /// Its id, where that is known.
        id: Option<String>,
    },
    /// It cannot be written, now or later.
    Refused(Refusal),
    /// It may have been written, and nobody can tell: the answer was lost.
    Unsure(Refusal),
}

impl Done {
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Created { id } | Self::Updated { id } => Some(id),
            Self::Unchanged { id } => id.as_deref(),
            Self::Archived { .. } | Self::Refused(_) | Self::Unsure(_) => None,
        }
    }
}

/// Writes records of one object type.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    object: ObjectType,
    rules: WriteRules,
    /// Replaced as a whole when properties were made.
    definitions: RwLock<Arc<Definitions>>,
    links: Vec<Link>,
    keys: Option<Keys>,
    /// The scope that writing needs, for when HubSpot does not say.
    scope: Option<String>,
    permits: Arc<Semaphore>,
    lanes: Lanes,
    /// The types of the source's fields, for properties to be made.
    types: BTreeMap<String, DataType>,
    /// What was warned of already.
    told: Mutex<BTreeSet<String>>,
}

/// What became of records, as far as it came.
#[derive(Debug)]
pub struct Written {
    /// One entry a record, in their order; none for a record that was not written, or that may be written again without
    /// harm.
    pub done: Vec<Option<Done>>,
    /// Why some have none: something that may go better another time, or that concerns everything.
    pub failed: Option<Error>,
}

/// How far records are looked into before it is decided about them.
#[derive(Debug, Clone, Copy)]
struct Depth {
    /// Each is read, also where that is not needed.
    look: bool,
    /// Missing properties are made, when the rules say so.
    make: bool,
}

/// A record with what is to be done with it.
pub(crate) struct Row<'a> {
    pub(crate) wanted: &'a Wanted,
    pub(crate) planned: Planned,
    pub(crate) mapped: Option<Mapped>,
}

impl Writer {
    /// A writer to an object type of the account, by what a person calls it. Asks for the definitions.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the rules name something that is not there.
    pub async fn open(client: Client, object: &str, rules: WriteRules) -> Result<Self> {
        let object = find_object(&client, object).await?;
        Self::to(client, object, rules).await
    }

    /// The same to an object type that is known already.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when it can only be read, or the rules name something that is not there.
    pub async fn to(client: Client, object: ObjectType, rules: WriteRules) -> Result<Self> {
        check_capability(&object)?;
        let definitions = definitions(&client, &object).await?;
        rules.validate()?;
        check_names(&object, &definitions, &rules)?;
        let mut links = Vec::new();
        for rule in rules.associations.clone() {
            let to = find_object(&client, &rule.to).await?;
            links.push(Link::resolve(&client, &object, &to, rule).await?);
        }
        let scope = object.write_scope();
        Ok(Self {
            client,
            object,
            rules,
            definitions: RwLock::new(Arc::new(definitions)),
            links,
            keys: None,
            scope,
            permits: Arc::new(Semaphore::new(DEFAULT_CONCURRENCY)),
            lanes: Lanes::default(),
            types: BTreeMap::new(),
            told: Mutex::default(),
        })
    }

    /// The same writer, which remembers which key of `stream` became which id.
    #[must_use]
    pub fn remembering(self, stream: StreamName, map: Arc<dyn KeyMap>) -> Self {
        let keys = Some(Keys { stream, map });
        Self { keys, ..self }
    }

    /// The same writer, which shares permits and the order of its writes with others.
    #[must_use]
    pub(crate) fn sharing(self, permits: Arc<Semaphore>, lanes: Lanes) -> Self {
        Self {
            permits,
            lanes,
            ..self
        }
    }

    /// The same writer, which makes missing properties of the types of these fields.
    #[must_use]
    pub fn with_types(self, types: BTreeMap<String, DataType>) -> Self {
        Self { types, ..self }
    }

    /// What is written to.
    pub fn object(&self) -> &ObjectType {
        &self.object
    }

    /// What is to be done with each record, after a look at what is there now. Nothing is written. A value that its
    /// property's definition speaks against is refused here; HubSpot may have more to say against it.
    pub async fn plan(&self, wanted: &[Wanted]) -> Result<Vec<Planned>> {
        let all: Vec<_> = wanted.iter().collect();
        let depth = Depth {
            look: true,
            make: false,
        };
        let mut rows = self.rows(&all, depth).await?;
        self.targets(&mut rows).await?;
        let definitions = self.definitions();
        Ok(rows
            .into_iter()
            .map(|row| row.planned.judged(&definitions))
            .collect())
    }

    /// The rules it goes by.
    pub fn rules(&self) -> &WriteRules {
        &self.rules
    }

    /// What is to be written of each record, after a look only where the rules ask for one: for whoever sends in another
    /// way than [`write`](Self::write). No record is written; missing properties are made when the rules say so.
    pub async fn prepare(&self, wanted: &[Wanted]) -> Result<Vec<Planned>> {
        let all: Vec<_> = wanted.iter().collect();
        let depth = Depth {
            look: false,
            make: true,
        };
        let rows = self.rows(&all, depth).await?;
        let definitions = self.definitions();
        Ok(rows
            .into_iter()
            .map(|row| row.planned.judged(&definitions))
            .collect())
    }

    /// Writes records and tells what became of each, in their order.
    ///
    /// Calls may overlap. Records that are about the same thing are written one after the other, within one call and
    /// between calls, in the order in which the calls' futures were first polled (invariant 4).
    ///
    /// # Errors
    /// What may go better another time, or concerns everything. Some of the records may have been written then; calls
    /// that came later fail too.
    pub async fn write(&self, wanted: &[Wanted]) -> Result<Vec<Done>> {
        let Written { done, failed } = self.write_some(wanted).await;
        match failed {
            Some(error) => Err(error),
            None => Ok(done.into_iter().map(|done| done.unwrap_or_else(silent)).collect()),
        }
    }

    /// The same, for whoever wants to know of each record also when something failed.
    pub async fn write_some(&self, wanted: &[Wanted]) -> Written {
        let tokens: Vec<_> = wanted.iter().map(|wanted| self.tokens(wanted)).collect();
        // Until here nothing was awaited: the place is taken when this is first polled.
        let mut place = self.lanes.enter(tokens.iter().flatten().copied().collect());
        let refused = |wanted: &Wanted| wanted.refusal.clone().map(Done::Refused);
        let mut done: Vec<Option<Done>> = wanted.iter().map(refused).collect();
        if let Err(error) = place.turn().await {
            let failed = Some(error);
            return Written { done, failed };
        }
        let failed = self.write_waves(wanted, &waves(&tokens), &mut done).await.err();
        if failed.is_some() {
            place.fail();
        }
        Written { done, failed }
    }

    async fn write_waves(&self, wanted: &[Wanted], waves: &[usize], done: &mut [Option<Done>]) -> Result<()> {
        let last = waves.iter().max().copied().unwrap_or_default();
        for wave in 0..=last {
            let places: Vec<_> = (0..wanted.len()).filter(|at| waves[*at] == wave).collect();
            let records: Vec<_> = places.iter().map(|at| &wanted[*at]).collect();
            let depth = Depth {
                look: false,
                make: true,
            };
            let mut rows = self.rows(&records, depth).await?;
            let mut of_wave: Vec<Option<Done>> = rows.iter().map(|_| None).collect();
            let carried_out = self.carry_out(&mut rows, &mut of_wave).await;
            for (at, outcome) in places.into_iter().zip(of_wave) {
                done[at] = outcome.or(done[at].take());
            }
            carried_out?;
        }
        Ok(())
    }

    /// What a record may share with others.
    fn tokens(&self, wanted: &Wanted) -> Vec<Token> {
        let object = self.object.path_name();
        let stream = self.keys.as_ref().map_or(object, |keys| keys.stream.as_str());
        let key = wanted.key.as_deref().map(|key| token("key", stream, key));
        let id = wanted.id.as_deref().map(|id| token("id", object, id));
        let unique = self
            .unique_field(wanted)
            .map(|value| token("unique", object, &value.to_lowercase()));
        [key, id, unique].into_iter().flatten().collect()
    }

    /// The value of the `id_property`, before it is checked.
    fn unique_field<'a>(&self, wanted: &'a Wanted) -> Option<&'a str> {
        let name = self.rules.id_property.as_deref()?;
        let definitions = self.definitions();
        let fills = |field: &str| {
            definitions
                .find(field, &self.rules)
                .is_ok_and(|property| property.name == name)
        };
        wanted
            .values
            .iter()
            .find(|(field, _)| fills(field))
            .map(|(_, value)| value.as_str())
    }

    fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(&self.definitions.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn rows<'a>(&self, wanted: &[&'a Wanted], depth: Depth) -> Result<Vec<Row<'a>>> {
        let checked = self.check(wanted, depth.make).await?;
        let mapped = match &self.keys {
            Some(keys) => keys.of(wanted).await?,
            None => wanted.iter().map(|_| None).collect(),
        };
        let candidates = wanted
            .iter()
            .zip(&checked)
            .zip(&mapped)
            .map(|((wanted, checked), mapped)| {
                checked
                    .as_ref()
                    .ok()
                    .map(|checked| self.candidate(wanted, checked, mapped.clone()))
            });
        let mut candidates: Vec<Option<Candidate>> = candidates.collect();
        self.look(candidates.iter_mut().flatten(), depth.look).await?;
        let definitions = self.definitions();
        let deciding = Deciding {
            rules: &self.rules,
            definitions: &definitions,
        };
        let planned =
            candidates
                .into_iter()
                .zip(checked)
                .map(|(candidate, checked)| match (candidate, checked) {
                    (Some(candidate), _) => deciding.decide(candidate),
                    (None, Err(refusal)) => Planned::refused(refusal),
                    (None, Ok(_)) => unreachable!("whatever was checked is a candidate"),
                });
        let rows = wanted.iter().zip(planned).zip(mapped);
        let row = |((wanted, planned), mapped): ((&&'a Wanted, Planned), Option<Mapped>)| Row {
            wanted,
            planned,
            mapped,
        };
        Ok(rows.map(row).collect())
    }

    /// The values that may be written; properties that are to be made are made first.
    async fn check(&self, wanted: &[&Wanted], make: bool) -> Result<Vec<Result<Checked, Refusal>>> {
        let check = || {
            let definitions = self.definitions();
            let checked = wanted.iter().map(|wanted| definitions.check(wanted, &self.rules));
            checked.collect::<Vec<_>>()
        };
        let mut checked = check();
        let make = make && self.rules.missing_property == Some(MissingProperty::Create);
        if make && self.make_missing(&checked).await? {
            checked = check();
        }
        self.tell(&checked);
        Ok(checked)
    }

    /// Whether any property was made.
    async fn make_missing(&self, checked: &[Result<Checked, Refusal>]) -> Result<bool> {
        let names: BTreeSet<_> = checked
            .iter()
            .flatten()
            .flat_map(|checked| &checked.missing)
            .collect();
        if names.is_empty() {
            return Ok(false);
        }
        let doing = self.doing("cannot make properties of");
        missing::make(&self.client, &self.object, &names, &self.types, &self.rules)
            .await
            .or_failed(doing)?;
        let fresh = definitions(&self.client, &self.object).await?;
        *self.definitions.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(true)
    }

    /// Warns of every property that is left out, once.
    fn tell(&self, checked: &[Result<Checked, Refusal>]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let object = &self.object.name;
        let mut fresh = |names: fn(&Checked) -> &Vec<String>| {
            let names = checked.iter().flatten().flat_map(names);
            let fresh: BTreeSet<_> = names.filter(|name| told.insert((*name).clone())).collect();
            fresh
                .into_iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let (read_only, missing) = (
            fresh(|checked| &checked.read_only),
            fresh(|checked| &checked.missing),
        );
        if !read_only.is_empty() {
            tracing::warn!("{object}: left out, because HubSpot does not let them be written: {read_only}");
        }
        if !missing.is_empty() {
            let what = match self.rules.missing_property {
                Some(MissingProperty::Create) => "to be made, because there are no such properties yet",
                _ => "left out, because there are no such properties",
            };
            tracing::warn!("{object}: {what}: {missing}");
        }
    }

    fn candidate(&self, wanted: &Wanted, checked: &Checked, mapped: Option<Mapped>) -> Candidate {
        let unique = self
            .rules
            .id_property
            .as_deref()
            .and_then(|name| checked.values.get(name));
        Candidate {
            verb: wanted.verb,
            id: wanted.id.clone(),
            mapped,
            unique: unique.filter(|value| !value.is_empty()).cloned(),
            values: checked.values.clone(),
            live: Live::Unknown,
            insisted: wanted.insisted,
        }
    }

    /// Reads what is there now, of the records that cannot be decided about without.
    async fn look(&self, candidates: impl Iterator<Item = &mut Candidate>, always: bool) -> Result<()> {
        let always =
            always || self.rules.changed_only.unwrap_or_default() || !self.rules.set_if_empty.is_empty();
        let needed = |candidate: &Candidate| always || needs_look(candidate, self.rules.mode());
        let wanted = candidates
            .filter(|candidate| needed(candidate))
            .filter_map(|candidate| {
                let finder = self.finder(candidate)?;
                Some((finder, candidate))
            });
        let (finders, candidates): (Vec<Finder>, Vec<_>) = wanted.unzip();
        if finders.is_empty() {
            return Ok(());
        }
        let names = candidates
            .iter()
            .flat_map(|candidate| candidate.values.keys().cloned())
            .collect();
        let looking = Looking {
            client: &self.client,
            object: self.object.path_name(),
        };
        let found = looking
            .find(&finders, &names)
            .await
            .or_failed(self.doing("cannot read"))?;
        for (finder, candidate) in finders.iter().zip(candidates) {
            candidate.live = found.get(finder).cloned().map_or(Live::Absent, Live::from);
        }
        Ok(())
    }

    /// What a record is looked for by: its id, or a value that no other has.
    fn finder(&self, candidate: &Candidate) -> Option<Finder> {
        let mapped = match &candidate.mapped {
            Some(Mapped::Id(id)) => Some(id),
            _ => None,
        };
        let id = candidate.id.as_ref().or(mapped).cloned().map(Finder::Id);
        id.or_else(|| self.unique_finder(&candidate.values))
    }

    fn unique_finder(&self, values: &BTreeMap<String, String>) -> Option<Finder> {
        let filled = |name: &&str| values.get(*name).is_some_and(|value| !value.is_empty());
        let definitions = self.definitions();
        let property = self.rules.id_property.as_deref().filter(filled);
        let property = property.or_else(|| {
            definitions
                .unique_among(values, self.object.name == "contacts")
                .next()
        })?;
        Some(Finder::Unique {
            property: property.to_owned(),
            value: values[property].clone(),
        })
    }

    async fn carry_out(&self, rows: &mut [Row<'_>], done: &mut [Option<Done>]) -> Result<()> {
        let targets = self.targets(rows).await?;
        for (row, done) in rows.iter().zip(done.iter_mut()) {
            *done = at_once(&row.planned.action);
        }
        let batches = self.batches(rows, &targets);
        if let Some(keys) = &self.keys {
            keys.about_to_make(rows, &batches).await?;
        }
        let sent = self.send(rows, batches, done).await;
        // What was written is remembered whatever failed besides, and before anything else is done with it.
        if let Some(keys) = &self.keys {
            let deletes = self.rules.deletes.unwrap_or_default();
            keys.learn(rows, done, deletes).await?;
        }
        sent?;
        self.associate(rows, &targets, done).await
    }

    /// The other sides of each record; one that lacks a needed one is refused before anything is written of it.
    async fn targets(&self, rows: &mut [Row<'_>]) -> Result<Vec<Vec<Target>>> {
        if self.links.is_empty() {
            return Ok(rows.iter().map(|_| Vec::new()).collect());
        }
        let nobody = Wanted::default();
        let linked =
            |row: &Row<'_>| row.wanted.verb == Verb::Save && !matches!(row.planned.action, Action::Refuse(_));
        let wanted: Vec<_> = rows
            .iter()
            .map(|row| if linked(row) { row.wanted } else { &nobody })
            .collect();
        let keys = self.keys.as_ref().map(|keys| &*keys.map);
        let found = links::targets(&self.links, &self.client, keys, &wanted).await?;
        let targets = rows.iter_mut().zip(found).map(|(row, targets)| {
            targets.unwrap_or_else(|refusal| {
                row.planned = Planned::refused(refusal);
                Vec::new()
            })
        });
        Ok(targets.collect())
    }

    /// Calls to make, each of one kind and of at most 100 records.
    fn batches(&self, rows: &[Row<'_>], targets: &[Vec<Target>]) -> Vec<(Kind, Vec<Item>)> {
        let mut items: BTreeMap<Kind, Vec<Item>> = BTreeMap::new();
        for (at, (row, targets)) in rows.iter().zip(targets).enumerate() {
            if let Some((kind, id)) = kind_of(&row.planned.action) {
                items
                    .entry(kind)
                    .or_default()
                    .push(self.item(at, (kind, id), row, targets));
            }
        }
        let mut batches = Vec::new();
        for (kind, mut items) in items {
            while !items.is_empty() {
                let rest = items.split_off(items.len().min(MAX_BATCH));
                batches.push((kind, std::mem::replace(&mut items, rest)));
            }
        }
        batches
    }

    fn item(&self, at: usize, (kind, id): (Kind, &str), row: &Row<'_>, targets: &[Target]) -> Item {
        let creates = kind == Kind::Create;
        Item {
            at,
            id: id.to_owned(),
            finder: creates.then(|| self.unique_finder(&row.planned.values)).flatten(),
            associations: if creates {
                links::inline(&self.links, targets)
            } else {
                Vec::new()
            },
            values: row.planned.values.clone(),
        }
    }

    /// Makes the calls, side by side, each to its end: a call that is given up may have been carried out.
    async fn send(
        &self,
        rows: &[Row<'_>],
        batches: Vec<(Kind, Vec<Item>)>,
        done: &mut [Option<Done>],
    ) -> Result<()> {
        let definitions = self.definitions();
        let sending = Sending {
            client: &self.client,
            object: self.object.path_name(),
            id_property: self.rules.id_property.as_deref(),
            definitions: &definitions,
        };
        let calls = batches.into_iter().map(|(kind, items)| async move {
            let places: Vec<_> = items.iter().map(|item| item.at).collect();
            (kind, places, self.permitted(sending.batch(kind, items)).await)
        });
        let mut first = None;
        for (kind, places, sent) in join_all(calls).await {
            for (at, outcome) in sent.done {
                done[at] = Some(outcome);
            }
            let Some(failed) = sent.failed else { continue };
            if kind == Kind::Create {
                self.settle(rows, &places, failed.nothing_written, done).await?;
            }
            first.get_or_insert(failed.error);
        }
        match first {
            Some(error) => Err(self.doing("cannot write").failed(error)),
            None => Ok(()),
        }
    }

    /// Records to be made that have no outcome: either they surely were not made, or nobody can tell yet.
    async fn settle(
        &self,
        rows: &[Row<'_>],
        places: &[usize],
        nothing_written: bool,
        done: &mut [Option<Done>],
    ) -> Result<()> {
        let open: Vec<_> = places.iter().copied().filter(|at| done[*at].is_none()).collect();
        match (&self.keys, nothing_written) {
            (Some(keys), true) => keys.not_made(rows, &open).await?,
            (_, true) => {}
            (_, false) => open
                .into_iter()
                .for_each(|at| done[at] = Some(Done::Unsure(lost_answer()))),
        }
        Ok(())
    }

    async fn permitted<T>(&self, call: impl Future<Output = T>) -> T {
        let _permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        call.await
    }

    async fn associate(
        &self,
        rows: &[Row<'_>],
        targets: &[Vec<Target>],
        done: &mut [Option<Done>],
    ) -> Result<()> {
        if targets.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let open: Vec<Vec<Target>> = targets
            .iter()
            .zip(rows)
            .map(|(targets, row)| links::remaining(&self.links, targets, &row.planned.action))
            .collect();
        let id = |done: &Option<Done>| done.as_ref().and_then(Done::id).map(str::to_owned);
        let ids: Vec<Option<String>> = done.iter().map(id).collect();
        let records: Vec<_> = ids
            .iter()
            .zip(&open)
            .enumerate()
            .filter_map(|(at, (id, targets))| Some((at, id.as_deref()?, targets.as_slice())))
            .collect();
        let refused = links::associate(&self.links, &self.client, &records)
            .await
            .or_failed(self.doing("cannot associate records of"))?;
        for (at, refusal) in refused {
            let id = ids[at].as_deref().unwrap_or_default();
            let written = Refusal::new(format!("it was written as {id}, but {refusal}"));
            done[at] = Some(Done::Refused(written));
        }
        Ok(())
    }

    fn doing<'a>(&'a self, what: &'a str) -> Doing<'a> {
        Doing {
            what,
            stream: &self.object.name,
            scope: self.scope.as_deref(),
        }
    }
}

/// Of whatever has no outcome although nothing failed.
fn silent() -> Done {
    Done::Unsure(Refusal::new("nothing is known of what became of it"))
}

/// A record that was perhaps made, or that is to be gone and was never made by us, must be looked for.
fn needs_look(candidate: &Candidate, mode: WriteMode) -> bool {
    if candidate.insisted {
        return true;
    }
    let id_is_known = candidate.id.is_some() || matches!(candidate.mapped, Some(Mapped::Id(_)));
    match candidate.verb {
        Verb::Delete => !id_is_known,
        Verb::Save => {
            let upserts = mode != WriteMode::Create && candidate.unique.is_some();
            candidate.mapped == Some(Mapped::Pending) && !upserts
        }
    }
}

fn kind_of(action: &Action) -> Option<(Kind, &str)> {
    match action {
        Action::Create => Some((Kind::Create, "")),
        Action::Update { id } => Some((Kind::Update, id)),
        Action::UpdateBy { value } => Some((Kind::UpdateBy, value)),
        Action::Upsert { value } => Some((Kind::Upsert, value)),
        Action::Archive { id } => Some((Kind::Archive, id)),
        Action::Nothing { .. } | Action::Refuse(_) => None,
    }
}

/// The outcome of what needs no call.
fn at_once(action: &Action) -> Option<Done> {
    match action {
        Action::Refuse(refusal) => Some(Done::Refused(refusal.clone())),
        Action::Nothing { id } => Some(Done::Unchanged { id: id.clone() }),
        _ => None,
    }
}

async fn definitions(client: &Client, object: &ObjectType) -> Result<Definitions> {
    let doing = Doing {
        what: "cannot read the properties of",
        stream: &object.name,
        scope: None,
    };
    let properties = client.properties(object.path_name()).await.or_failed(doing)?;
    Ok(Definitions::new(properties))
}

/// Some objects can only be read (hubspot-api notes §1.1).
fn check_capability(object: &ObjectType) -> Result<()> {
    let writable = [Capability::Create, Capability::Update, Capability::Upsert];
    if writable.into_iter().any(|capability| object.can(capability)) {
        return Ok(());
    }
    let message = format!(
        "{} can only be read: HubSpot's API does not write them",
        object.name
    );
    Err(Error::new(ErrorKind::Configuration, message))
}

/// Every property that the rules name is there, and the `id_property` is one that records are found by.
fn check_names(object: &ObjectType, definitions: &Definitions, rules: &WriteRules) -> Result<()> {
    let named = rules.id_property.iter().map(|name| ("id_property", name));
    let gaps = rules.set_if_empty.iter().map(|name| ("set_if_empty", name));
    let renamed = rules.properties.values().map(|name| ("properties", name));
    let made = rules.missing_property == Some(MissingProperty::Create);
    for (key, name) in named.chain(gaps).chain(renamed.filter(|_| !made)) {
        let Some(property) = definitions.get(name) else {
            let near = definitions
                .nearest(name)
                .map(|near| format!("; did you mean `{near}`?"));
            let message = format!(
                "`{key}`: {} have no property `{name}`{}",
                object.name,
                near.unwrap_or_default()
            );
            return Err(Error::new(ErrorKind::Configuration, message)
                .with_hint(format!("`spoke describe {}` lists them", object.name)));
        };
        let unique = property.has_unique_value || (object.name == "contacts" && name == "email");
        if key == "id_property" && !unique {
            let message = format!("`id_property`: two {} may have the same `{name}`", object.name);
            return Err(Error::new(ErrorKind::Configuration, message)
                .with_hint("name a property with unique values; of contacts, `email` is one"));
        }
    }
    Ok(())
}
