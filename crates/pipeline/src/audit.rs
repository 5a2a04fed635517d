//! Is the copy complete and right? The origin is read whole and compared with the destination's rows, not with notes of
//! what was delivered.
//!
//! ```text
//! Origin::walk --pages--> Inspect::compare --same--> windows        Inspect::keys --not seen--+
//!                               |                                                             |
//!                               +--missing, differs--> suspects <-----------------------------+
//!                                                         |
//!                        both sides are read again: Origin::again, Inspect::compare --> findings
//! ```
//!
//! A suspect is a finding only when a second look at both sides confirms it, and when it has not changed since the audit
//! began: whatever changes meanwhile is on its way to the copy.

mod key;
mod repair;
mod report;
mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt;
use jiff::Timestamp;
use opencdc::{
    Catalog, Error, ErrorKind, Inspect, Origin, Record, Result, Resume, Stream, StreamName, Until,
    metadata_keys,
};

pub use repair::repair;
pub use report::{AuditReport, AuditedStream, Finding, Side, What, Window};

use crate::Pipeline;
use crate::run::commit::Keeper;
use crate::run::selection;
use stream::Audited;

/// Keys that are read again together.
const AGAIN: usize = 500;
/// Keys of the copy that are listed together.
const KEYS: usize = 1_000;

/// What to compare.
#[derive(Debug)]
pub struct Audit<'a> {
    /// The pipeline whose copy is looked at.
    pub pipeline: &'a Pipeline,
    /// Where its records come from.
    pub origin: &'a dyn Origin,
    /// These streams alone; all that can be compared when empty.
    pub streams: &'a [StreamName],
    /// Whether the pipeline is running: then what changed after its position is on its way.
    pub follows: bool,
}

/// Told of progress: the stream, and how many of its records have been compared.
pub type Tell<'a> = &'a (dyn Fn(&StreamName, u64) + Sync);

impl Audit<'_> {
    /// Compares everything.
    ///
    /// # Errors
    /// [`Configuration`](ErrorKind::Configuration) when there is no copy yet, no such stream, or a destination that
    /// cannot be audited; those of the origin and of the destination.
    pub async fn run(&self, tell: Tell<'_>) -> Result<AuditReport> {
        let table = self.table().await?;
        let mut audited: BTreeMap<StreamName, Audited> = table
            .catalog
            .streams
            .iter()
            .map(|stream| (stream.name.clone(), Audited::new(stream)))
            .collect();
        let names: Vec<_> = audited.keys().cloned().collect();
        let mut pages = self.origin.walk(&names, &table.resume.position).await?;
        while let Some(page) = pages.next().await {
            table.compare(&page?, &mut audited, tell).await?;
        }
        drop(pages);
        for one in audited.values_mut() {
            if !table.forgetful.contains(&one.stream.name) {
                table.find_extra(one).await?;
            }
            table.confirm(one, self.origin).await?;
        }
        table.find_remains(&mut audited, self.origin).await?;
        Ok(table.report(audited))
    }

    /// Compares what an earlier audit found, and nothing else.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn again(&self, before: &AuditReport) -> Result<AuditReport> {
        let table = self.table().await?;
        let mut audited = BTreeMap::new();
        for stream in &table.catalog.streams {
            let Some(found) = before.stream(&stream.name) else {
                continue;
            };
            let mut one = Audited::new(stream);
            let suspects = found
                .findings
                .iter()
                .filter(|finding| finding.what != What::Remains);
            one.suspects = suspects.map(|finding| finding.key.clone()).collect();
            table.confirm(&mut one, self.origin).await?;
            audited.insert(stream.name.clone(), one);
        }
        table.find_remains(&mut audited, self.origin).await?;
        Ok(table.report(audited))
    }

    /// Everything that a comparison needs to know first.
    async fn table(&self) -> Result<Table> {
        let catalog = self.pipeline.source.catalog().await?;
        let wanted = self.pipeline.selection.as_deref();
        let selection = selection::choose(wanted, &catalog, Until::CaughtUp)?;
        let catalog = selection::apply(&selection, &catalog);
        let (catalog, left_out) = self.chosen(catalog).await?;
        let refused = self.refused().await?;
        let (_, resume) = Keeper::of(self.pipeline).resume(&self.pipeline.name).await?;
        let resume = resume.ok_or_else(|| nothing_yet(&self.pipeline.name))?;
        let began = self.origin.time().await?;
        let mut reached = BTreeMap::new();
        for stream in catalog.streams.iter().filter(|_| self.follows) {
            let time = self.origin.reached(&resume.position, &stream.name).await?;
            reached.insert(stream.name.clone(), time.unwrap_or(began).min(began));
        }
        Ok(Table {
            look: self.pipeline.destination.inspect(&catalog).await?,
            catalog,
            left_out,
            forgetful: self.origin.forgetful().await?,
            refused,
            resume,
            began,
            reached,
        })
    }

    /// The wanted streams that the origin refuses: the report names them, so that nobody takes a part for everything.
    async fn refused(&self) -> Result<Vec<(StreamName, String)>> {
        let mut refused = Vec::new();
        for (stream, error) in self.origin.refused().await? {
            if self.streams.is_empty() || self.streams.contains(&stream) {
                tracing::warn!(%stream, "{error}; it is not compared, the other streams are");
                refused.push((stream, error.to_string()));
            }
        }
        Ok(refused)
    }

    /// The part of the catalog that is compared, and the streams that cannot be.
    async fn chosen(&self, catalog: Catalog) -> Result<(Catalog, Vec<StreamName>)> {
        let refused = self.origin.refused().await?;
        let is_known = |name: &StreamName| {
            catalog.stream(name.as_str()).is_some() || refused.iter().any(|(stream, _)| stream == name)
        };
        if let Some(unknown) = self.streams.iter().find(|name| !is_known(name)) {
            let names: Vec<_> = catalog
                .streams
                .iter()
                .map(|stream| stream.name.as_str())
                .collect();
            let message = format!("pipeline `{}` has no stream `{unknown}`", self.pipeline.name);
            return Err(Error::new(ErrorKind::Configuration, message)
                .with_hint(format!("its streams are `{}`", names.join("`, `"))));
        }
        let able = self.origin.comparable().await?;
        let is_asked = |stream: &Stream| self.streams.is_empty() || self.streams.contains(&stream.name);
        let (chosen, others): (Vec<_>, Vec<_>) = catalog
            .streams
            .into_iter()
            .filter(is_asked)
            .partition(|stream| able.contains(&stream.name));
        let others = others.into_iter().map(|stream| stream.name).collect();
        Ok((Catalog::new(chosen), others))
    }
}

fn nothing_yet(pipeline: &str) -> Error {
    let message =
        format!("pipeline `{pipeline}` has not delivered anything yet, so there is no copy to audit");
    Error::new(ErrorKind::Configuration, message).with_hint("run the pipeline first")
}

/// Both sides of the comparison, and when it began.
struct Table {
    look: Arc<dyn Inspect>,
    catalog: Catalog,
    left_out: Vec<StreamName>,
    forgetful: Vec<StreamName>,
    refused: Vec<(StreamName, String)>,
    resume: Resume,
    began: SystemTime,
    /// Of a pipeline that runs: up to when its copy has everything.
    reached: BTreeMap<StreamName, SystemTime>,
}

impl Table {
    async fn compare(
        &self,
        page: &[Record],
        audited: &mut BTreeMap<StreamName, Audited>,
        tell: Tell<'_>,
    ) -> Result<()> {
        let compared = self.look.compare(page).await?;
        for (record, compared) in page.iter().zip(compared) {
            if let Some(one) = audited.get_mut(&record.stream) {
                one.note(record, &compared)?;
            }
        }
        for run in page.chunk_by(|a, b| a.stream == b.stream) {
            let stream = &run[0].stream;
            tell(stream, audited.get(stream).map_or(0, Audited::walked));
        }
        Ok(())
    }

    /// Rows of the copy that the origin did not give are suspects.
    async fn find_extra(&self, one: &mut Audited) -> Result<()> {
        let mut last = None;
        loop {
            let keys = self.look.keys(&one.stream.name, last.as_ref(), KEYS).await?;
            last = keys.last().cloned();
            let is_last = keys.len() < KEYS;
            for key in keys {
                one.note_row(key)?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Looks at both sides of every suspect again.
    async fn confirm(&self, one: &mut Audited, origin: &dyn Origin) -> Result<()> {
        let suspects = std::mem::take(&mut one.suspects);
        for keys in suspects.chunks(AGAIN) {
            let records = origin.again(&one.stream.name, keys).await?;
            let compared = self.look.compare(&records).await?;
            for (record, compared) in records.iter().zip(&compared) {
                one.settle(record, compared, self.is_on_its_way(&one.stream, record))?;
            }
            one.unanswered(keys.len().saturating_sub(records.len()));
        }
        Ok(())
    }

    /// What was erased at the origin must have left every row of the copy.
    async fn find_remains(
        &self,
        audited: &mut BTreeMap<StreamName, Audited>,
        origin: &dyn Origin,
    ) -> Result<()> {
        let names: Vec<_> = audited.keys().cloned().collect();
        let erased = origin.erased(&self.resume, &names).await?;
        for some in erased.chunks(AGAIN) {
            let remains = self.look.remains(some).await?;
            for (record, _) in some.iter().zip(remains).filter(|(_, remains)| *remains) {
                if let Some(one) = audited.get_mut(&record.stream) {
                    one.note_remains(record)?;
                }
            }
        }
        Ok(())
    }

    fn is_on_its_way(&self, stream: &Stream, record: &Record) -> bool {
        let limit = self.reached.get(&stream.name).copied().unwrap_or(self.began);
        let limit = Timestamp::try_from(limit).unwrap_or(Timestamp::MAX);
        changed_at(stream, record).is_some_and(|at| at >= limit)
    }

    fn report(self, mut audited: BTreeMap<StreamName, Audited>) -> AuditReport {
        let streams = self.catalog.streams.iter();
        let marked = streams.clone().filter(|stream| stream.archived.is_some());
        let marked = marked.map(|stream| stream.name.clone()).collect();
        let is_audited = |name: &StreamName| self.catalog.stream(name.as_str()).is_some();
        let forgetful = self.forgetful.into_iter().filter(is_audited).collect();
        let streams = streams.filter_map(|stream| audited.remove(&stream.name));
        AuditReport {
            began: self.began,
            streams: streams.map(Audited::finish).collect(),
            left_out: self.left_out,
            forgetful,
            marked,
            refused: self.refused,
        }
    }
}

/// When a record last changed, as it says itself: a delete in its metadata, any other in its version.
fn changed_at(stream: &Stream, record: &Record) -> Option<Timestamp> {
    if let Some(version) = record.metadata.get(metadata_keys::VERSION) {
        return version.parse().ok();
    }
    let field = stream.field(stream.version.as_deref()?)?;
    let after = record.payload.after.as_ref()?.to_object().ok()?;
    let (first, rest) = field.path.split_first()?;
    let version = rest
        .iter()
        .try_fold(after.get(first)?, |value, name| value.get(name));
    version?.as_str()?.parse().ok()
}
