//! What a question would ask of HubSpot, without asking it.

use hubspot_client::{ApiVersion, Request};
use hubspot_connector::query::{Access, Fetch, Table, links_call};
use opencdc::Result;
use serde::Serialize;
use serde_json::Value;

use crate::load::{Turn, turn};
use crate::prepare::{Mode, Query};
use crate::read::Read;

/// What a question would ask of HubSpot, and what is done here with the answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The calls, in their order.
    pub steps: Vec<Step>,
    /// What remains to be done here.
    pub here: String,
    /// What whoever asked may want to know.
    pub notes: Vec<String>,
}

/// The calls for the rows of one table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The table.
    pub table: String,
    /// What the calls bring.
    pub brings: String,
    /// The first call, where it is known already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Call>,
    /// How many calls, where that is known.
    pub calls: Option<usize>,
}

/// A call of HubSpot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Call {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

impl Call {
    fn of(request: &Request) -> Self {
        Self {
            method: request.method().to_string(),
            path: request.uri().to_string(),
            body: serde_json::from_slice(request.body()).ok(),
        }
    }
}

impl Query {
    /// What [`run`](Self::run) would ask.
    pub fn explain(&self) -> Result<Explanation> {
        let version = self.client.api_version();
        let (steps, here) = match &self.mode {
            Mode::Count(access) => (
                self.count_steps(access, version)?,
                "nothing: the count is HubSpot's own".to_owned(),
            ),
            Mode::Rows(access, rows) => {
                let until = match rows.limit {
                    Some(limit) => format!("until there are {limit} rows"),
                    None => "until there are no more".to_owned(),
                };
                let first = rows
                    .limit
                    .filter(|_| access.exact)
                    .map(|limit| limit.saturating_add(rows.offset));
                let here = format!("each page is put through the whole query as it comes, {until}");
                (fetch_steps(&self.reads[0], access, first, version)?, here)
            }
            Mode::Top(top) => {
                let access = self.reads[0].access(None, self.options.consistent);
                let here = format!(
                    "the first rows by `{}` give a bound; all rows within it are read, and put through the whole query",
                    top.column.name
                );
                (self.top_steps(&access, version)?, here)
            }
            Mode::Load => {
                let here = match self.reads.len() {
                    0 => "everything: no table is read".to_owned(),
                    _ => "the rows are put into a temporary SQLite database, which answers the whole query"
                        .to_owned(),
                };
                (self.load_steps(version)?, here)
            }
        };
        Ok(Explanation {
            steps,
            here,
            notes: self.notes.clone(),
        })
    }

    fn count_steps(&self, access: &Access, version: &ApiVersion) -> Result<Vec<Step>> {
        let question = access
            .fetches
            .first()
            .and_then(|fetch| self.reads[0].question(fetch.clone()));
        let question = question.expect("a count asks one question of an object");
        Ok(vec![Step {
            table: self.reads[0].table.name().to_owned(),
            brings: "how many there are".to_owned(),
            request: Some(Call::of(&question.count_call(version)?)),
            calls: Some(1),
        }])
    }

    fn top_steps(&self, access: &Access, version: &ApiVersion) -> Result<Vec<Step>> {
        let Mode::Top(top) = &self.mode else {
            return Ok(Vec::new());
        };
        let question = access
            .fetches
            .first()
            .and_then(|fetch| self.reads[0].question(fetch.clone()));
        let question = question.expect("an order is that of an object");
        let call = question.sorted_call(version, &top.column.property, top.descending, top.rows)?;
        let step = |brings: &str, request, calls| Step {
            table: self.reads[0].table.name().to_owned(),
            brings: brings.to_owned(),
            request,
            calls,
        };
        Ok(vec![
            step("the first rows in this order", Some(Call::of(&call)), None),
            step(
                "all rows within their bound, a page after the other by id",
                None,
                None,
            ),
        ])
    }

    fn load_steps(&self, version: &ApiVersion) -> Result<Vec<Step>> {
        let mut done = vec![false; self.reads.len()];
        let mut steps = Vec::new();
        let next = |done: &[bool]| {
            let waiting = (0..done.len()).filter(|n| !done[*n]);
            waiting.min_by_key(|n| (turn(&self.reads, *n, done, self.options.consistent), *n))
        };
        while let Some(n) = next(&done) {
            let turn = turn(&self.reads, n, &done, self.options.consistent);
            steps.extend(self.steps_of(n, turn, &done, version)?);
            done[n] = true;
        }
        Ok(steps)
    }

    fn steps_of(&self, n: usize, turn: Turn, done: &[bool], version: &ApiVersion) -> Result<Vec<Step>> {
        let read = &self.reads[n];
        let driver = read.edges.iter().find(|edge| done[edge.other]);
        let by = driver.map(|edge| format!("`{}` of `{}`", edge.of_other, self.reads[edge.other].alias));
        let step = |brings: String, request| Step {
            table: read.table.name().to_owned(),
            brings,
            request,
            calls: None,
        };
        Ok(match (&read.table, by) {
            (Table::Own(_), _) => vec![step("all rows".to_owned(), None)],
            (Table::Links(table), by) => {
                let (from, to) = (&table.from, &table.to);
                let ids = read.values("from_id").unwrap_or_default();
                let ids: Vec<_> = ids.into_iter().collect();
                let brings = match (turn, by) {
                    (Turn::Driven, Some(by)) => {
                        format!("the associations of the records that {by} names, 1,000 a call")
                    }
                    (Turn::Known, _) => "the associations of the named records".to_owned(),
                    _ => format!("the associations of all {}", from.name),
                };
                let mut call = Call::of(&links_call(version, (from, to), &ids)?);
                // Which records these are is known when the others are there.
                call.body = call.body.filter(|_| !ids.is_empty());
                vec![step(brings, Some(call))]
            }
            (Table::Object(_), Some(by)) if turn == Turn::Driven => vec![step(
                format!("the records that {by} names, or all below if that is fewer calls"),
                None,
            )]
            .into_iter()
            .chain(fetch_steps(
                read,
                &read.access(None, self.options.consistent),
                None,
                version,
            )?)
            .collect(),
            (Table::Object(_), _) => {
                fetch_steps(read, &read.access(None, self.options.consistent), None, version)?
            }
        })
    }
}

fn fetch_steps(
    read: &Read,
    access: &Access,
    first: Option<usize>,
    version: &ApiVersion,
) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for fetch in &access.fetches {
        let brings = match fetch {
            Fetch::List => "all records, 100 a call".to_owned(),
            Fetch::Ids(ids) if ids.len() == 1 => "the record with this id".to_owned(),
            Fetch::Ids(ids) => format!("the records with these {} ids", ids.len()),
            Fetch::Unique { property, values } if values.len() == 1 => {
                format!("the record with this `{property}`")
            }
            Fetch::Unique { property, values } => {
                format!("the records with these {} values of `{property}`", values.len())
            }
            Fetch::Search(_) => "what a search finds, 200 a call, each page behind the last id".to_owned(),
        };
        let Some(mut question) = read.question(fetch.clone()) else {
            continue;
        };
        question.first = first;
        let (request, calls) = question.first_call(version)?;
        steps.push(Step {
            table: read.table.name().to_owned(),
            brings,
            request: Some(Call::of(&request)),
            calls,
        });
    }
    if steps.is_empty() {
        steps.push(Step {
            table: read.table.name().to_owned(),
            brings: "nothing: no record can satisfy the conditions".to_owned(),
            request: None,
            calls: Some(0),
        });
    }
    Ok(steps)
}
