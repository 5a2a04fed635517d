//! One object type: its snapshot, then its changes. The loop that carries out what `step.rs` chooses.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_stream::try_stream;
use futures_util::{Stream, StreamExt};
use hubspot_client::{Client, RawPage};
use jiff::{SignedDuration, Timestamp};
use opencdc::{Operation, Result, StreamName};

use super::context::{Context, Progress};
use super::differ::{self, Difference, Fate, Rule, number};
use super::poll::Stale;
use super::reader::{self, Inline, Links, Reader};
use super::step::{self, Act, Done, Terms};
use crate::error::Doing;
use crate::known::{Edit, LOST, OfStream, all_of};
use crate::objects::{Capability, ObjectType};
use crate::plan::{ObjectPlan, Target};
use crate::position::{Cdc, Complete, Cursor, Round, StreamPosition};
use crate::record::Facts;

/// A stream that is filled from this object type's records beside their own.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) facts: Facts,
    pub(super) kind: Kind,
    pub(super) complete: Complete,
}

/// What an attached stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Associations with the target of this number.
    Target(usize),
    /// The history of properties.
    History,
}

/// See [`ObjectPart::replanned`].
enum Replanned {
    Same,
    Other(Box<ObjectPart>),
    Gone,
}

/// An association stream of another type that leads here.
#[derive(Debug)]
struct Incoming {
    stream: StreamName,
    facts: Facts,
    from: Arc<ObjectType>,
    from_stream: StreamName,
    target: Target,
}

/// One object type of a read.
#[derive(Debug)]
pub(super) struct ObjectPart {
    pub(super) context: Context,
    pub(super) reader: Reader,
    pub(super) facts: Facts,
    /// The records' own stream is wanted, and not only what is attached to it.
    pub(super) delivers: bool,
    pub(super) attached: Vec<Attached>,
    incoming: Vec<Incoming>,
    pub(super) done: Done,
    terms: Terms,
    /// What was read because of the feeds lately, with the last modification that was read.
    pub(super) recent: HashMap<u64, Timestamp>,
    /// What search shows newer than it was read.
    pub(super) stale: Stale,
    /// What is gone may have been in the recycle bin and left it unseen, see [`Cdc::blind`].
    pub(super) blind: bool,
    /// The properties that say who a record is about, as far as they are read.
    identity: Vec<&'static str>,
    /// Which definitions `reader` goes by.
    shape: usize,
    /// Whether a history that may be cut was reported.
    limit_noted: AtomicBool,
}

impl ObjectPart {
    /// The part of this object type, from where its streams stand; `None` when none of them is wanted.
    pub(super) fn new(client: &Client, context: &Context, plan: &Arc<ObjectPlan>) -> Option<Self> {
        if !reader::stream_names(plan).any(|stream| context.is_selected(stream)) {
            return None;
        }
        let delivers = context.is_selected(&plan.stream);
        let shape = context.shape();
        let properties = if delivers {
            shape.properties_of(plan, context.fields_of(&plan.stream))
        } else {
            Vec::new()
        };
        let client = client.with_own_tally();
        context.board.reads(&plan.stream, &client);
        let facts = |stream: &StreamName, object: &ObjectType| {
            Facts::new(stream.clone(), &context.portal_id, Some(object))
        };
        Some(Self {
            identity: identity(plan, &properties),
            reader: Reader::new(client, plan, properties),
            facts: facts(&plan.stream, &plan.object),
            delivers,
            attached: attached(context, plan),
            incoming: incoming(context, plan),
            done: Done::default(),
            terms: Terms {
                rhythm: plan.rhythm,
                goal: context.goal,
                searchable: plan.object.can(Capability::Search),
            },
            recent: HashMap::new(),
            stale: Stale::new(),
            blind: false,
            shape: shape.number,
            limit_noted: AtomicBool::new(false),
            context: context.clone(),
        })
    }

    pub(super) fn plan(&self) -> &Arc<ObjectPlan> {
        &self.reader.plan
    }

    pub(super) fn stream(&self) -> &StreamName {
        &self.reader.plan.stream
    }

    /// Everything, until the goal is reached.
    pub(super) fn run(mut self) -> impl Stream<Item = Result<Progress>> + Send {
        try_stream! {
            let mut state = self.begin()?;
            if let StreamPosition::Snapshot(mut snapshot) = state {
                let turn = self.context.snapshot_turn().await;
                super::poll::bound(&self, &mut snapshot).await?;
                let mut walk = Box::pin(super::snapshot::walk(&mut self, snapshot));
                let mut last = None;
                while let Some(progress) = walk.next().await {
                    let (progress, next) = progress?;
                    last = Some(next);
                    yield progress;
                }
                drop(walk);
                drop(turn);
                state = last.expect("a walk has at least one page");
                self.note_walked(&state);
            }
            let StreamPosition::Cdc(mut cdc) = state else { return };
            self.done.resumed_walk = cdc.reconcile.open.is_some();
            self.done.resumed_bin = cdc.archived.open.is_some();
            loop {
                match self.replanned() {
                    Replanned::Same => self.reshape(&mut cdc),
                    Replanned::Other(part) => {
                        self.reshape(&mut cdc);
                        self = *part;
                    }
                    Replanned::Gone => break,
                }
                let now = self.context.now(&self.reader.client);
                self.done.begun.get_or_insert(now);
                self.look_at_bin(&mut cdc, now);
                match self.next_act(now, &cdc) {
                    Act::End => break,
                    Act::Wait(until) => self.rest(now, until).await,
                    act => {
                        self.reader.hurry(act == Act::Poll);
                        let mut progresses = Box::pin(super::acts::act(&mut self, &mut cdc, act, now));
                        while let Some(progress) = progresses.next().await {
                            yield progress?;
                        }
                        drop(progresses);
                        self.done.note(act);
                    }
                }
            }
        }
    }

    /// What the account's new definitions make of this object type: it may have other association streams now, or be gone.
    fn replanned(&self) -> Replanned {
        let shape = self.context.shape();
        if shape.number == self.shape {
            return Replanned::Same;
        }
        let plan = shape.plan.of_stream(self.stream());
        match plan {
            None => Replanned::Gone,
            Some(plan) if reader::stream_names(plan).eq(reader::stream_names(self.plan())) => Replanned::Same,
            Some(plan) => match Self::new(&self.reader.client, &self.context, plan) {
                Some(part) => Replanned::Other(Box::new(part)),
                None => Replanned::Gone,
            },
        }
    }

    /// A walk over all records has just seen what is there, so the first questions are answered; but not what went away
    /// before it, where nobody took note of what was delivered.
    fn note_walked(&mut self, state: &StreamPosition) {
        let looks_back = matches!(state, StreamPosition::Cdc(cdc) if cdc.since.is_some());
        // Who was archived before may have left the recycle bin since.
        let has_bin = self.context.known.lock().of(self.stream()).bin.len() > 0;
        if !looks_back && !has_bin {
            self.done.archived = 1;
        }
        self.done.counted = 1;
        self.done.walked = true;
    }

    /// Where the records stand: where they stood, or at the start of a snapshot.
    fn begin(&self) -> Result<StreamPosition> {
        super::begin::begin(&self.context, self.plan(), self.delivers)
    }

    /// Notices when the recycle bin was not read for longer than it keeps records, and whether a walk over it is needed.
    fn look_at_bin(&mut self, cdc: &mut Cdc, now: Timestamp) {
        if super::bin::is_overdue(cdc, now) && cdc.blind.is_none() {
            cdc.blind = Some(now);
        }
        self.blind = cdc.blind.is_some();
        self.done.unproven = self.known(|known| known.lost.iter().any(|(_, noted)| noted == LOST));
    }

    /// The walk again from its first page, since HubSpot does not take the token of the next.
    ///
    /// # Errors
    /// The refusal, when that has not helped a few times.
    pub(super) fn begin_again(&mut self, refusal: opencdc::Error, now: Timestamp) -> Result<Round> {
        const MOST: u32 = 3;
        if self.done.begun_again >= MOST {
            return Err(refusal);
        }
        self.done.begun_again += 1;
        tracing::warn!(stream = %self.stream(), "{refusal}; the walk begins again at its first page");
        Ok(step::begin(now))
    }

    /// The properties that say who a record is about, as far as they are read.
    pub(super) fn identity(&self) -> &[&'static str] {
        &self.identity
    }

    /// What is known of the records.
    pub(super) fn known<T>(&self, look: impl FnOnce(&OfStream) -> T) -> T {
        let mut known = self.context.known.lock();
        look(known.of(self.stream()))
    }

    fn next_act(&self, now: Timestamp, cdc: &Cdc) -> Act {
        let rereads: Vec<_> = self
            .attached
            .iter()
            .map(|attached| (&attached.complete, self.rereads(attached)))
            .collect();
        step::next(now, &self.terms, cdc, &rereads, &self.done)
    }

    /// Histories are read whole once; after that every change brings its own.
    fn rereads(&self, attached: &Attached) -> SignedDuration {
        match attached.kind {
            _ if attached.complete.is_never() => SignedDuration::ZERO,
            Kind::Target(_) => self.terms.rhythm.associations,
            Kind::History => SignedDuration::from_hours(24 * 365 * 100),
        }
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    async fn rest(&self, now: Timestamp, until: Timestamp) {
        /// Definitions may change meanwhile, and clocks.
        const LONGEST: Duration = Duration::from_mins(1);
        let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        tokio::time::sleep(wait.clamp(Duration::from_millis(1), LONGEST)).await;
    }

    /// Goes by the account's new definitions. Values of a property that is new may have been there before it was asked
    /// for, so changes are looked for again since it was made; a calculated one changes nothing, so all is read again.
    fn reshape(&mut self, cdc: &mut Cdc) {
        let shape = self.context.shape();
        if shape.number == self.shape || !self.delivers {
            return;
        }
        self.shape = shape.number;
        let plan = Arc::clone(self.plan());
        let before: BTreeSet<String> = self.reader.properties.iter().cloned().collect();
        let properties = shape.properties_of(&plan, self.context.fields_of(&plan.stream));
        for name in properties.iter().filter(|name| !before.contains(*name)) {
            match shape.made_at(&plan.stream, name) {
                Some(made) => {
                    let made = made.checked_sub(SignedDuration::from_secs(5)).unwrap_or(made);
                    cdc.delayed.timestamp = cdc.delayed.timestamp.min(made);
                    cdc.delayed.item_id = None;
                    self.recent.retain(|_, at| *at < made);
                    self.done.polled_late = None;
                }
                None => cdc.reconcile.last = Timestamp::UNIX_EPOCH,
            }
        }
        self.identity = identity(&plan, &properties);
        self.reader.read_properties(properties);
    }

    /// The records among `objects` that are new or differ, as this stream delivers them.
    pub(super) fn differ(&self, objects: &[hubspot_client::RawObject], rule: Rule<'_>) -> Difference {
        let mut known = self.context.known.lock();
        let rule = Rule {
            identity: &self.identity,
            ..rule
        };
        let mut difference = differ::records(objects, known.of(self.stream()), &self.facts, rule);
        drop(known);
        if !self.delivers {
            difference.records.clear();
        }
        difference
    }

    /// The rule of everything but snapshots.
    pub(super) fn rule(&self) -> Rule<'static> {
        Rule {
            updated_after: self.plan().updated_after,
            ..Rule::default()
        }
    }

    /// The numbers of the selected targets.
    pub(super) fn targets(&self) -> Vec<usize> {
        let target = |attached: &Attached| match attached.kind {
            Kind::Target(n) => Some(n),
            Kind::History => None,
        };
        self.attached.iter().filter_map(target).collect()
    }

    /// Names of the association streams that a change of these records may touch.
    pub(super) fn touched(&self) -> Vec<StreamName> {
        let own = self.attached.iter().map(|attached| attached.facts.stream());
        own.chain(self.incoming.iter().map(|incoming| &incoming.stream))
            .cloned()
            .collect()
    }

    /// The associations with `target` that came with a page's records, of the attached stream `n`.
    pub(super) async fn inline(&mut self, page: &RawPage, n: usize, target: usize) -> Result<Inline> {
        let linked: BTreeSet<u64> = {
            let mut known = self.context.known.lock();
            let pairs = &known.of(self.attached[n].facts.stream()).pairs;
            let mut ids: Vec<_> = page
                .results
                .iter()
                .filter_map(|object| number(object.id()))
                .collect();
            ids.sort_unstable();
            ids.dedup();
            let of_page = pairs.ranges(ids.into_iter().map(all_of));
            of_page.into_iter().map(|((from, _, _), _)| from).collect()
        };
        let is_linked = |id: &str| number(id).is_some_and(|id| linked.contains(&id));
        self.reader.inline(page, target, is_linked).await
    }

    /// The difference of association lists that were read.
    pub(super) fn differ_links(&self, facts: &Facts, links: &Links, operation: Operation) -> Difference {
        let mut known = self.context.known.lock();
        differ::links(links, known.of(facts.stream()), facts, operation)
    }

    /// What changed about everything that is attached to these records.
    pub(super) async fn read_attached(&self, ids: &[String], operation: Operation) -> Result<Difference> {
        let mut difference = Difference::default();
        for n in 0..self.attached.len() {
            difference.extend(self.read_one_attached(n, ids, operation).await?);
        }
        Ok(difference)
    }

    pub(super) async fn read_one_attached(
        &self,
        n: usize,
        ids: &[String],
        operation: Operation,
    ) -> Result<Difference> {
        let attached = &self.attached[n];
        if ids.is_empty() {
            return Ok(Difference::default());
        }
        match attached.kind {
            Kind::Target(n) => {
                let links = self.reader.links(&self.plan().targets[n], ids).await?;
                Ok(self.differ_links(&attached.facts, &links, operation))
            }
            Kind::History => {
                let properties = self.plan().history_properties(&self.reader.properties);
                let objects = self.reader.history(ids, &properties).await?;
                let records = super::history::records(&objects, &attached.facts, operation)?;
                self.note_limit(&records);
                Ok(Difference {
                    records,
                    ..Difference::default()
                })
            }
        }
    }

    /// Once for each read: a history that HubSpot may have cut.
    fn note_limit(&self, records: &[opencdc::Record]) {
        if let Some((property, values)) = super::history::at_limit(records)
            && !self.limit_noted.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                stream = %self.stream(),
                "`{property}` of a record has {values} values, which may be all that HubSpot keeps: older ones may be missing"
            );
        }
    }

    /// Associations of records of other types with records that are new here: whoever links a new record need not have
    /// been changed by it.
    pub(super) async fn read_incoming(&self, created: &[String]) -> Result<Difference> {
        let mut difference = Difference::default();
        for incoming in self.incoming.iter().filter(|_| !created.is_empty()) {
            difference.extend(self.read_one_incoming(incoming, created).await?);
        }
        Ok(difference)
    }

    async fn read_one_incoming(&self, incoming: &Incoming, created: &[String]) -> Result<Difference> {
        let scope = self.plan().object.read_scope();
        let doing = Doing::reading(incoming.stream.as_str(), Some(&scope));
        let client = &self.reader.client;
        let back = reader::links(client, (&self.plan().object, &incoming.from), created, doing).await?;
        let froms: BTreeSet<_> = back.into_values().flatten().map(|(from, _)| from).collect();
        // Records that are not known yet bring their associations with them.
        let froms: Vec<_> = froms
            .into_iter()
            .filter(|from| self.is_known(&incoming.from_stream, from))
            .collect();
        if froms.is_empty() {
            return Ok(Difference::default());
        }
        let pair = (&*incoming.from, &*incoming.target.object);
        let links = reader::links(client, pair, &froms, doing).await?;
        Ok(self.differ_links(&incoming.facts, &links, Operation::Create))
    }

    fn is_known(&self, stream: &StreamName, id: &str) -> bool {
        let mut known = self.context.known.lock();
        number(id).is_some_and(|id| known.of(stream).live.get(id).is_some())
    }

    /// Deletes of records that are gone, and of their associations.
    pub(super) fn gone(&self, gone: &[(u64, Fate)]) -> Difference {
        if gone.is_empty() {
            return Difference::default();
        }
        let ids: BTreeSet<_> = gone.iter().map(|(id, _)| *id).collect();
        let mut difference = differ::deletes(gone, &self.facts);
        if !self.delivers {
            difference.records.clear();
        }
        let purged = gone.iter().filter(|(_, fate)| *fate == Fate::Purged);
        let purged: Vec<_> = purged.map(|(id, _)| id.to_string()).collect();
        let mut known = self.context.known.lock();
        let lost = lost(gone, known.of(self.stream()), self.blind);
        difference
            .edits
            .extend(differ::edit(lost, |lost| Edit::Lost(self.stream().clone(), lost)));
        for attached in &self.attached {
            if attached.kind == Kind::History {
                let forgotten = super::history::forget(purged.iter().map(String::as_str), &attached.facts);
                difference.records.extend(forgotten);
            }
            if let Kind::Target(_) = attached.kind {
                difference.extend(differ::unlink(
                    &ids,
                    true,
                    known.of(attached.facts.stream()),
                    &attached.facts,
                ));
            }
        }
        for incoming in &self.incoming {
            difference.extend(differ::unlink(
                &ids,
                false,
                known.of(&incoming.stream),
                &incoming.facts,
            ));
        }
        difference
    }

    /// A difference as it is handed out, with where the records stand behind it.
    pub(super) fn progress(&self, difference: Difference, cdc: &Cdc) -> Progress {
        let state = StreamPosition::Cdc(Box::new(cdc.clone()));
        self.context.board.at(self.stream(), &state);
        Progress {
            states: vec![(self.stream().clone(), state)],
            records: difference.records,
            edits: difference.edits,
            shape: None,
        }
    }

    /// Tells the board that a feed has more to read than up to here.
    pub(super) fn note_behind(&self, cursor: Cursor) {
        let lag = self
            .context
            .now(&self.reader.client)
            .duration_since(cursor.timestamp);
        self.context
            .board
            .behind(self.stream(), Duration::try_from(lag).unwrap_or_default());
    }

    /// Tells the board how much each stream got.
    pub(super) fn note_counts(&self, progress: &Progress) {
        let mut counts: BTreeMap<&StreamName, u64> = BTreeMap::from([(self.stream(), 0)]);
        for record in &progress.records {
            *counts.entry(&record.stream).or_default() += 1;
        }
        for (stream, records) in counts {
            self.context.board.count(stream, records);
        }
    }
}

/// What becomes of what is noted as lost when these are gone.
fn lost(gone: &[(u64, Fate)], known: &OfStream, blind: bool) -> Vec<(u64, Option<u32>)> {
    let noted = |(id, fate): &(u64, Fate)| match fate {
        Fate::Lost => (!blind).then_some((*id, Some(LOST))),
        _ => known.lost.get(*id).map(|_| (*id, None)),
    };
    gone.iter().filter_map(noted).collect()
}

fn identity(plan: &ObjectPlan, properties: &[String]) -> Vec<&'static str> {
    let all = plan.object.identity().iter().copied();
    all.filter(|name| properties.iter().any(|read| read == name))
        .collect()
}

fn attached(context: &Context, plan: &Arc<ObjectPlan>) -> Vec<Attached> {
    let one = |stream: &StreamName, kind| {
        let facts = Facts::new(stream.clone(), &context.portal_id, Some(&plan.object));
        let complete = match context.position_of(stream) {
            Some(StreamPosition::Complete(complete)) => complete,
            // Unless the snapshot fills it.
            _ => Complete::never(),
        };
        context.is_selected(stream).then_some(Attached {
            facts,
            kind,
            complete,
        })
    };
    let targets = plan.targets.iter().enumerate();
    let targets = targets.filter_map(|(n, target)| one(&target.stream, Kind::Target(n)));
    let history = plan
        .history
        .as_ref()
        .and_then(|history| one(&history.stream, Kind::History));
    targets.chain(history).collect()
}

fn incoming(context: &Context, plan: &Arc<ObjectPlan>) -> Vec<Incoming> {
    let shape = context.shape();
    let mut incoming = Vec::new();
    for other in &shape.plan.objects {
        for target in &other.targets {
            if *target.object == *plan.object && context.is_selected(&target.stream) {
                incoming.push(Incoming {
                    stream: target.stream.clone(),
                    facts: Facts::new(target.stream.clone(), &context.portal_id, Some(&other.object)),
                    from: Arc::clone(&other.object),
                    from_stream: other.stream.clone(),
                    target: target.clone(),
                });
            }
        }
    }
    incoming
}
