//! Bringing the rows of several tables into the scratch database, the fewest first: what is there already says which rows of
//! the others can be in the result.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use hubspot_client::Client;
use hubspot_connector::query::{self, Access, Fetch, Kind, LinkTable, Literal, Question, Table};
use opencdc::{Result, StreamName};
use pipeline::destination::SqliteScratch;
use rusqlite::types::ValueRef;

use crate::failed;
use crate::read::{Edge, Read};

/// So many values are asked for without weighing what else it would cost: three calls.
const FEW: usize = 300;
/// So many texts at most are searched for; each hundred is a search.
const MOST_TEXTS: usize = 500;

/// Brings rows.
pub(crate) struct Loader<'a> {
    pub(crate) client: &'a Client,
    pub(crate) reads: &'a [Read],
    pub(crate) scratch: &'a mut SqliteScratch,
    pub(crate) consistent: bool,
    pub(crate) notes: &'a mut Vec<String>,
    sizes: Vec<Option<u64>>,
    done: Vec<bool>,
}

/// How a table's turn comes: the lower, the sooner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Turn {
    /// Its rows are known by key, or there are few.
    Known,
    /// Tables that are there already say which rows are needed.
    Driven,
    /// HubSpot's search says which.
    Searched,
    /// All rows.
    Whole,
    /// All associations of all records.
    AllLinks,
}

/// When `n` should be read, given those that were.
pub(crate) fn turn(reads: &[Read], n: usize, done: &[bool], consistent: bool) -> Turn {
    let read = &reads[n];
    let driven = read
        .edges
        .iter()
        .any(|edge| done[edge.other] && drives(edge.column.kind, read, consistent));
    match &read.table {
        Table::Own(_) => Turn::Known,
        Table::Links(_) if ["from_id", "to_id"].iter().any(|end| read.values(end).is_some()) => Turn::Known,
        Table::Links(_) if driven => Turn::Driven,
        Table::Links(_) => Turn::AllLinks,
        Table::Object(_) => {
            let access = read.access(None, consistent);
            let by_key = |fetch: &Fetch| matches!(fetch, Fetch::Ids(_) | Fetch::Unique { .. });
            match access {
                access if access.fetches.iter().all(by_key) => Turn::Known,
                _ if driven => Turn::Driven,
                access if access.is_everything() => Turn::Whole,
                _ => Turn::Searched,
            }
        }
    }
}

/// Whether rows can be brought by values of a column of this kind.
fn drives(kind: Kind, read: &Read, consistent: bool) -> bool {
    match kind {
        Kind::Id | Kind::Text { unique: true } => true,
        Kind::Text { unique: false } | Kind::Choice | Kind::Reference => read.means(consistent).search,
        _ => false,
    }
}

impl<'a> Loader<'a> {
    pub(crate) fn new(
        client: &'a Client,
        reads: &'a [Read],
        scratch: &'a mut SqliteScratch,
        consistent: bool,
        notes: &'a mut Vec<String>,
    ) -> Self {
        Self {
            client,
            reads,
            scratch,
            consistent,
            notes,
            sizes: vec![None; reads.len()],
            done: vec![false; reads.len()],
        }
    }

    /// Brings all tables.
    pub(crate) async fn all(mut self) -> Result<()> {
        while let Some(n) = self.next().await? {
            self.load(n).await?;
            self.done[n] = true;
        }
        Ok(())
    }

    /// The table whose turn it is; of several that nothing is known of, the smallest, where that matters.
    async fn next(&mut self) -> Result<Option<usize>> {
        let waiting = (0..self.reads.len()).filter(|n| !self.done[*n]);
        let turns: Vec<_> = waiting
            .map(|n| (turn(self.reads, n, &self.done, self.consistent), n))
            .collect();
        let Some((soonest, first)) = turns.iter().min().copied() else {
            return Ok(None);
        };
        let rivals: Vec<_> = turns
            .iter()
            .filter(|(turn, _)| matches!(turn, Turn::Searched | Turn::Whole))
            .collect();
        let joined = rivals
            .iter()
            .all(|(_, n)| self.is_joined(*n) && self.reads[*n].means(self.consistent).search);
        if !matches!(soonest, Turn::Searched | Turn::Whole) || rivals.len() < 2 || !joined {
            return Ok(Some(first));
        }
        let mut sized = Vec::new();
        for (_, n) in rivals {
            sized.push((self.size(*n).await?, *n));
        }
        Ok(sized.into_iter().min().map(|(_, n)| n))
    }

    fn is_joined(&self, n: usize) -> bool {
        let to = |read: &Read| read.edges.iter().any(|edge| edge.other == n);
        !self.reads[n].edges.is_empty() || self.reads.iter().any(to)
    }

    /// How many rows it would be without help; one search of one record.
    async fn size(&mut self, n: usize) -> Result<u64> {
        if let Some(size) = self.sizes[n] {
            return Ok(size);
        }
        let mut size = 0;
        for fetch in self.reads[n].access(None, self.consistent).fetches {
            if let Some(question) = self.reads[n].question(fetch) {
                size += question.count(self.client).await?;
            }
        }
        self.sizes[n] = Some(size);
        Ok(size)
    }

    async fn load(&mut self, n: usize) -> Result<()> {
        let read = &self.reads[n];
        let stream = StreamName::from(&*read.scratch);
        match &read.table {
            Table::Object(_) => {
                let access = self.access(n).await?;
                self.fetch(n, access).await
            }
            Table::Links(table) => self.links(n, table, &stream).await,
            Table::Own(table) => {
                let objects = read.values("object_type").unwrap_or_default();
                let objects: Vec<_> = objects.into_iter().collect();
                let rows = query::whole(self.client, table, &stream, &objects).await?;
                self.scratch.write(&rows)
            }
        }
    }

    /// The cheaper of asking for what the statement says and of asking for what the tables that are there say.
    async fn access(&mut self, n: usize) -> Result<Access> {
        let read = &self.reads[n];
        let own = read.access(None, self.consistent);
        let Some((values, edge)) = self.fewest(n, |edge| drives(edge.column.kind, read, self.consistent))?
        else {
            return Ok(own);
        };
        let by_key = matches!(edge.column.kind, Kind::Id | Kind::Text { unique: true });
        if !by_key && values.len() > MOST_TEXTS {
            return Ok(own);
        }
        let literals: Vec<_> = values.iter().cloned().map(Literal::Text).collect();
        let driven = read.access(Some(query::is_in(&edge.column, &literals)), self.consistent);
        if values.len() <= FEW || !read.means(self.consistent).search || driven.is_everything() {
            return Ok(driven);
        }
        let (pages, page) = (self.size(n).await?, if own.is_everything() { 100 } else { 200 });
        let is_cheaper = (values.len() as u64).div_ceil(100) <= pages.div_ceil(page);
        Ok(if is_cheaper { driven } else { own })
    }

    /// The values of the edge to a table that is there which has the fewest.
    fn fewest(&self, n: usize, wanted: impl Fn(&Edge) -> bool) -> Result<Option<(BTreeSet<String>, Edge)>> {
        let mut best: Option<(BTreeSet<String>, Edge)> = None;
        for edge in self.reads[n]
            .edges
            .iter()
            .filter(|edge| self.done[edge.other] && wanted(edge))
        {
            let Some(values) = self.distinct(edge)? else {
                continue;
            };
            if best
                .as_ref()
                .is_none_or(|(fewest, _)| values.len() < fewest.len())
            {
                best = Some((values, edge.clone()));
            }
        }
        Ok(best)
    }

    /// The texts that an edge leads to; `None` when not all of them are texts.
    fn distinct(&self, edge: &Edge) -> Result<Option<BTreeSet<String>>> {
        let sql = self.reads[edge.other].distinct(&edge.of_other);
        let mut statement = self.scratch.connection().prepare(&sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut all = BTreeSet::new();
        while let Some(row) = rows.next().map_err(failed)? {
            let ValueRef::Text(text) = row.get_ref(0).map_err(failed)? else {
                return Ok(None);
            };
            all.insert(String::from_utf8_lossy(text).into_owned());
        }
        Ok(Some(all))
    }

    /// Brings the rows of an object.
    pub(crate) async fn fetch(&mut self, n: usize, access: Access) -> Result<()> {
        for fetch in access.fetches {
            let Some(question) = self.reads[n].question(fetch) else {
                continue;
            };
            let (client, name) = (self.client.clone(), self.reads[n].table.name().to_owned());
            let mut pages = pages(client, question, &name, self.notes).await?;
            while let Some(page) = pages.next().await {
                self.scratch.write(&page?)?;
            }
        }
        Ok(())
    }

    /// Associations are read from their first end: of the records that are known to be wanted, or of all.
    async fn links(&mut self, n: usize, table: &LinkTable, stream: &StreamName) -> Result<()> {
        let ids = match (self.ends(n, "from_id")?, self.ends(n, "to_id")?) {
            (Some(from), to)
                if to
                    .as_ref()
                    .is_none_or(|to| from.len() <= to.len().saturating_mul(2)) =>
            {
                from
            }
            (_, Some(to)) => query::ids_of_links_to(self.client, table, to).await?,
            (Some(from), None) => from,
            (None, None) => self.every_id(table).await?,
        };
        let rows = query::links(self.client, table, stream, ids).await?;
        self.scratch.write(&rows)
    }

    /// The ids that an end of an association can have, as far as that is known.
    fn ends(&self, n: usize, end: &str) -> Result<Option<BTreeSet<String>>> {
        let written = self.reads[n].values(end);
        let driven = self
            .fewest(n, |edge| edge.column.name == end)?
            .map(|(values, _)| values);
        Ok(match (written, driven) {
            (Some(a), Some(b)) => Some(&a & &b),
            (a, b) => a.or(b),
        })
    }

    async fn every_id(&mut self, table: &LinkTable) -> Result<BTreeSet<String>> {
        query::every_id(self.client, &table.from).await
    }
}

/// The pages of a question. A search that HubSpot refuses, because it cannot filter by a property after all, becomes a walk
/// over all records.
pub(crate) async fn pages(
    client: Client,
    question: Question,
    name: &str,
    notes: &mut Vec<String>,
) -> Result<futures_util::stream::BoxStream<'static, Result<Vec<opencdc::Record>>>> {
    let is_search = matches!(question.fetch, Fetch::Search(_));
    let mut pages = question.clone().pages(client.clone()).boxed();
    match pages.next().await {
        Some(Err(error)) if is_search && query::is_bad_request(&error) => {
            notes.push(format!(
                "note: HubSpot refused to search `{name}` ({error}); all of it is read instead"
            ));
            Ok(Question {
                fetch: Fetch::List,
                ..question
            }
            .pages(client)
            .boxed())
        }
        first => Ok(futures_util::stream::iter(first).chain(pages).boxed()),
    }
}
