//! The rows of a question.

use std::ops::ControlFlow;

use futures_util::StreamExt;
use hubspot_client::Client;
use hubspot_connector::query::{Access, Comparison, Literal, compare};
use opencdc::{Error, ErrorKind, Result};
use rusqlite::types::Value;

use crate::deadline::Deadline;
use crate::failed;
use crate::load::{Loader, pages};
use crate::mode::{Rows, Top};
use crate::parse::{Simple, quoted};
use crate::prepare::{Asked, Mode, Options, Query, prepare};

/// One row of a result.
pub type Row = Vec<Value>;

/// Takes rows, until it has enough.
type Sink<'a> = &'a mut (dyn FnMut(Row) -> ControlFlow<()> + Send);

/// How it went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Calls of HubSpot, those for definitions among them.
    pub calls: u64,
    /// What whoever asked may want to know.
    pub notes: Vec<String>,
}

impl Query {
    /// Gives all rows to `sink`, as soon as they are known; it may end that.
    pub async fn run(mut self, sink: Sink<'_>) -> Result<Ended> {
        let told = self.notes.len();
        let Some(timeout) = self.options.timeout else {
            self.answer(sink).await?;
            return Ok(self.ended(told));
        };
        let deadline = Deadline::new(timeout, self.scratch.connection().get_interrupt_handle());
        let answered = tokio::time::timeout(timeout, self.answer(sink)).await;
        if answered.is_err() || deadline.is_over() {
            let message = format!("the query took longer than {}", shown(timeout));
            return Err(Error::new(ErrorKind::Quota, message)
                .with_hint("`--explain` shows what it asks for; `--timeout` gives it longer"));
        }
        answered.expect("it was not too late")?;
        Ok(self.ended(told))
    }

    fn ended(self, told: usize) -> Ended {
        Ended {
            calls: self.client.calls(),
            notes: self.notes.into_iter().skip(told).collect(),
        }
    }

    async fn answer(&mut self, sink: Sink<'_>) -> Result<()> {
        match std::mem::replace(&mut self.mode, Mode::Load) {
            Mode::Count(access) => self.count(access, sink).await,
            Mode::Rows(access, rows) => self.row_by_row(access, &rows, sink).await,
            Mode::Top(top) => self.top(&top, sink).await,
            Mode::Load => self.load(sink).await,
        }
    }

    fn loader(&mut self) -> Loader<'_> {
        let consistent = self.options.consistent;
        Loader::new(
            &self.client,
            &self.reads,
            &mut self.scratch,
            consistent,
            &mut self.notes,
        )
    }

    async fn load(&mut self, sink: Sink<'_>) -> Result<()> {
        self.loader().all().await?;
        self.all_rows(sink)
    }

    fn all_rows(&self, sink: Sink<'_>) -> Result<()> {
        self.each(&self.sql, sink).map(drop)
    }

    /// Has SQLite answer from what is there.
    fn each(&self, sql: &str, sink: Sink<'_>) -> Result<ControlFlow<()>> {
        let mut statement = self.scratch.connection().prepare_cached(sql).map_err(failed)?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let values: rusqlite::Result<Row> = (0..columns).map(|n| row.get(n)).collect();
            if sink(values.map_err(failed)?).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn count(&mut self, access: Access, sink: Sink<'_>) -> Result<()> {
        let question = access
            .fetches
            .into_iter()
            .next()
            .and_then(|fetch| self.reads[0].question(fetch));
        let question = question.expect("a count asks one question of an object");
        match question.count(&self.client).await {
            Ok(count) => {
                let _ = sink(vec![Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))]);
                Ok(())
            }
            // The walk tells the same, and knows what to do about it.
            Err(error) if hubspot_connector::query::is_bad_request(&error) => self.load(sink).await,
            Err(error) => Err(error),
        }
    }

    /// A page of rows at a time, so that the first are there soon and memory does not grow.
    async fn row_by_row(&mut self, access: Access, rows: &Rows, sink: Sink<'_>) -> Result<()> {
        let (mut skip, mut left) = (rows.offset, rows.limit.unwrap_or(usize::MAX));
        let Some(fetch) = access.fetches.into_iter().next().filter(|_| left > 0) else {
            return Ok(());
        };
        let mut question = self.reads[0]
            .question(fetch)
            .expect("rows are taken from an object");
        question.first = rows
            .limit
            .filter(|_| access.exact)
            .map(|limit| limit.saturating_add(rows.offset));
        question.ahead = rows.limit.is_none();
        let name = self.reads[0].table.name().to_owned();
        let mut pages = pages(self.client.clone(), question, &name, &mut self.notes).await?;
        while let Some(page) = pages.next().await {
            self.scratch.write(&page?)?;
            let mut counted = |row: Row| {
                if skip > 0 {
                    skip -= 1;
                    return ControlFlow::Continue(());
                }
                left -= 1;
                match sink(row) {
                    ControlFlow::Continue(()) if left > 0 => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            };
            if self.each(&rows.sql, &mut counted)?.is_break() {
                return Ok(());
            }
            self.scratch.clear(&self.reads[0].scratch)?;
        }
        Ok(())
    }

    /// The first rows of an order. What search sorts is not relied upon: any rows that pass give a bound that the wanted rows
    /// do not lie beyond, and all rows within it are read.
    async fn top(&mut self, top: &Top, sink: Sink<'_>) -> Result<()> {
        let Some(bound) = self.bound(top).await? else {
            return self.load(sink).await;
        };
        let comparison = match top.descending {
            true => Comparison::GreaterOrEqual,
            false => Comparison::LessOrEqual,
        };
        let within = compare(&top.column, comparison, &bound);
        let access = self.reads[0].access(Some(within), self.options.consistent);
        self.loader().fetch(0, access).await?;
        self.all_rows(sink)
    }

    /// The value of the last wanted row among the first ones of a search in that order; `None` when they are too few.
    async fn bound(&mut self, top: &Top) -> Result<Option<Literal>> {
        const PAGES: usize = 5;
        let read = &self.reads[0];
        let fetch = read
            .access(None, self.options.consistent)
            .fetches
            .into_iter()
            .next();
        let Some(question) = fetch.and_then(|fetch| read.question(fetch)) else {
            return Ok(None);
        };
        let mut after = None;
        for _ in 0..PAGES {
            let page = question
                .sorted(
                    &self.client,
                    &top.column.property,
                    top.descending,
                    top.rows,
                    after,
                )
                .await;
            let (records, next) = match page {
                Ok(page) => page,
                Err(error) if hubspot_connector::query::is_bad_request(&error) => return Ok(None),
                Err(error) => return Err(error),
            };
            self.scratch.write(&records)?;
            let bound = self.nth(top)?;
            if bound.is_some() || next.is_none() {
                return Ok(bound);
            }
            after = next;
        }
        Ok(None)
    }

    fn nth(&self, top: &Top) -> Result<Option<Literal>> {
        let read = &self.reads[0];
        let (table, column) = (quoted(&read.scratch), quoted(&top.column.name));
        let alias = quoted(&read.alias);
        let sql = format!(
            "SELECT {alias}.{column} FROM {table} AS {alias} WHERE ({}) AND {alias}.{column} IS NOT NULL \
             ORDER BY 1 {} LIMIT 1 OFFSET {}",
            top.condition,
            if top.descending { "DESC" } else { "ASC" },
            top.rows - 1
        );
        let mut found = None;
        let _ = self.each(&sql, &mut |row| {
            found = row.into_iter().next();
            ControlFlow::Break(())
        })?;
        Ok(match found {
            Some(Value::Integer(number)) => Some(Literal::Integer(number)),
            Some(Value::Real(number)) => Some(Literal::Real(number)),
            Some(Value::Text(text)) => Some(Literal::Text(text)),
            _ => None,
        })
    }
}

fn shown(time: std::time::Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} seconds", time.as_secs()),
        _ => format!("{} milliseconds", time.as_millis()),
    }
}

/// The rows of an object that satisfy a condition, with these columns; of all records, where there is no condition.
///
/// Whoever changes what it finds refuses an empty condition first. Rows are all there before the first is given back, so that
/// changing them does not change what is found.
pub async fn rows_of(
    client: &Client,
    object: &str,
    condition: Option<&str>,
    columns: &[&str],
    options: &Options,
) -> Result<Vec<Row>> {
    let asked = Asked::Simple(Simple {
        object: object.to_owned(),
        condition: condition.map(str::to_owned),
        select: columns.iter().map(|name| quoted(name)).collect(),
        ..Simple::default()
    });
    let mut rows = Vec::new();
    let query = prepare(client, &asked, options).await?;
    query
        .run(&mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        })
        .await?;
    Ok(rows)
}

/// The ids of the records of an object that satisfy a condition, written as in `spoke query OBJECT --where`; see [`rows_of`].
///
/// ```no_run
/// # async fn example(client: hubspot_client::Client) -> opencdc::Result<()> {
/// let ids = query::ids_of(&client, "deals", "amount > 100 AND dealstage = 'closedlost'", &query::Options::default()).await?;
/// # Ok(()) }
/// ```
pub async fn ids_of(
    client: &Client,
    object: &str,
    condition: &str,
    options: &Options,
) -> Result<Vec<String>> {
    let rows = rows_of(client, object, Some(condition), &["id"], options).await?;
    let id = |row: Row| match row.into_iter().next() {
        Some(Value::Text(id)) => Some(id),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(id).collect())
}
