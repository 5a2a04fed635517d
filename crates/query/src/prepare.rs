//! A question made ready: its tables found, its statement checked by SQLite, its way chosen.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use hubspot_client::Client;
use hubspot_connector::objects::UnknownObject;
use hubspot_connector::query::{Access, Column, Condition, Table, Tables};
use opencdc::{Catalog, Error, Result};
use pipeline::destination::SqliteScratch;
use sqlparser::ast::{self, Expr, VisitMut, VisitorMut};

use crate::mode::{self, Rows, Top};
use crate::parse::{self, Simple};
use crate::read::Read;
use crate::{names, scope, wrong};

/// What is asked.
#[derive(Debug, Clone)]
pub enum Asked {
    /// A `SELECT`.
    Sql(String),
    /// An object, and what is wanted of it.
    Simple(Simple),
}

/// How it is asked.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Values in the place of `?`.
    pub parameters: Vec<String>,
    /// Never by search, which shows a change only after a moment: by id, or by reading everything.
    pub consistent: bool,
    /// How long it may take in all.
    pub timeout: Option<Duration>,
}

/// A question that is ready to be answered.
#[derive(Debug)]
pub struct Query {
    pub(crate) client: Client,
    pub(crate) sql: String,
    pub(crate) reads: Vec<Read>,
    pub(crate) scratch: SqliteScratch,
    pub(crate) mode: Mode,
    pub(crate) options: Options,
    columns: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// The way it is answered.
#[derive(Debug)]
pub(crate) enum Mode {
    /// HubSpot's own count is the answer.
    Count(Access),
    /// Row by row, a page at a time.
    Rows(Access, Rows),
    /// From the first rows of an order.
    Top(Top),
    /// From all rows at once.
    Load,
}

/// Makes a question ready. HubSpot is asked for definitions only.
///
/// # Errors
/// [`Configuration`](opencdc::ErrorKind::Configuration) when the question is wrong: its syntax, its names, or that it is not
/// one `SELECT`.
pub async fn prepare(client: &Client, asked: &Asked, options: &Options) -> Result<Query> {
    let mut tables = Tables::new(client.clone());
    let mut query = statement(asked, &mut tables).await?;
    parse::bind(&mut query, &options.parameters)?;
    let mut reads = reads(&query, &mut tables).await?;
    if let Asked::Simple(_) = asked {
        let is_column = |name: &str| reads.iter().any(|read| read.table.column(name).is_some());
        parse::texts_in_double_quotes(&mut query, is_column);
    }
    let words = names::words(&query);
    let new: Vec<_> = reads.iter().map(|read| read.scratch.clone()).collect();
    names::rename(&mut query, &new);
    scope::whole(&query, &mut reads);
    for read in &mut reads {
        read.choose(&words);
    }
    let scratch = SqliteScratch::new(&Catalog::new(
        reads.iter().map(|read| read.stream.clone()).collect(),
    ))?;
    let sql = query.to_string();
    let columns = check(&scratch, &sql, &reads)?;
    let mut notes = Vec::new();
    if means_the_same(&scratch, &query) {
        scope::conditions(&query, &mut reads, &mut notes);
    }
    let mode = mode(&query, &reads, options.consistent);
    Ok(Query {
        client: client.clone(),
        sql,
        reads,
        scratch,
        mode,
        options: options.clone(),
        columns,
        notes,
    })
}

impl Query {
    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The tables that it reads.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.reads.iter().map(|read| &read.table)
    }

    /// What whoever asked may want to know about the question.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

async fn statement(asked: &Asked, tables: &mut Tables) -> Result<ast::Query> {
    match asked {
        Asked::Sql(text) => parse::sql(text),
        Asked::Simple(simple) => {
            let shown = match tables.find(&simple.object).await? {
                Table::Object(table) => shown(&table.object.default_properties()),
                Table::Links(_) | Table::Own(_) => Vec::new(),
            };
            parse::simple(simple, &shown)
        }
    }
}

/// The record's id, and what HubSpot shows when no property is named.
fn shown(properties: &[&str]) -> Vec<String> {
    let others = properties.iter().filter(|name| **name != "hs_object_id");
    std::iter::once(&"id")
        .chain(others)
        .map(|name| (*name).to_owned())
        .collect()
}

async fn reads(query: &ast::Query, tables: &mut Tables) -> Result<Vec<Read>> {
    let mut reads: Vec<Read> = Vec::new();
    for name in names::tables(query)? {
        let table = tables.find(&name).await?;
        let before = reads
            .iter()
            .filter(|read| read.table.name() == table.name())
            .count();
        let scratch = match before {
            0 => table.name().to_owned(),
            n => format!("{} ({})", table.name(), n + 1),
        };
        reads.push(Read::new(table, scratch));
    }
    Ok(reads)
}

/// Has SQLite look at the statement, over tables that are empty still; gives the names of the result's columns.
fn check(scratch: &SqliteScratch, sql: &str, reads: &[Read]) -> Result<Vec<String>> {
    let statement = scratch
        .connection()
        .prepare(sql)
        .map_err(|error| explain(&error, reads))?;
    if !statement.readonly() {
        return Err(wrong("a query only reads"));
    }
    Ok(statement.column_names().map(str::to_owned).collect())
}

fn explain(error: &rusqlite::Error, reads: &[Read]) -> Error {
    let text = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let Some(name) = text.strip_prefix("no such column: ") else {
        return wrong(format!("the query is wrong: {text}"));
    };
    let column = name.rsplit('.').next().unwrap_or(name).trim_matches('"');
    let all: BTreeSet<_> = reads
        .iter()
        .flat_map(|read| read.table.fields())
        .map(|field| &*field.name)
        .collect();
    let tables: BTreeSet<_> = reads
        .iter()
        .map(|read| format!("`{}`", read.table.name()))
        .collect();
    let tables = tables.into_iter().collect::<Vec<_>>().join(", ");
    let unknown = UnknownObject::new(column, all);
    let error = wrong(format!("there is no column `{name}` in {tables}"));
    match unknown.nearest() {
        Some(nearest) => error.with_hint(format!("did you mean `{nearest}`?")),
        None => error.with_hint("`spoke describe OBJECT` lists the columns; a text stands in single quotes"),
    }
}

/// Whether SQLite takes the statement as it was understood here: with every operator in parentheses it must compile to the
/// same program. Else nothing is concluded from it.
fn means_the_same(scratch: &SqliteScratch, query: &ast::Query) -> bool {
    struct Parentheses;
    impl VisitorMut for Parentheses {
        type Break = ();

        fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            let is_operator = matches!(
                expression,
                Expr::BinaryOp { .. }
                    | Expr::UnaryOp { .. }
                    | Expr::Between { .. }
                    | Expr::In { .. }
                    | Expr::Like { .. }
                    | Expr::IsNull(_)
                    | Expr::IsNotNull(_)
                    | Expr::IsTrue(_)
                    | Expr::IsNotTrue(_)
                    | Expr::IsFalse(_)
                    | Expr::IsNotFalse(_)
            );
            if is_operator {
                *expression = Expr::Nested(Box::new(expression.clone()));
            }
            ControlFlow::Continue(())
        }
    }
    let mut nested = query.clone();
    let _ = nested.visit(&mut Parentheses);
    let program = |sql: &str| -> rusqlite::Result<Vec<String>> {
        let mut statement = scratch.connection().prepare(&format!("EXPLAIN {sql}"))?;
        let row = |row: &rusqlite::Row<'_>| {
            let cells: rusqlite::Result<Vec<String>> = (1..6)
                .map(|n| row.get_ref(n).map(|cell| format!("{cell:?}")))
                .collect();
            Ok(cells?.join(" "))
        };
        statement.query_map([], row)?.collect()
    };
    match (program(&query.to_string()), program(&nested.to_string())) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

fn mode(query: &ast::Query, reads: &[Read], consistent: bool) -> Mode {
    let [read] = reads else { return Mode::Load };
    let Some(object) = read.object() else {
        return Mode::Load;
    };
    let access = read.access(None, consistent);
    if mode::is_count(query) && access.exact && access.fetches.len() == 1 && read.means(consistent).search {
        return Mode::Count(access);
    }
    if let Some(rows) = mode::rows(query).filter(|_| access.fetches.len() < 2) {
        return Mode::Rows(access, rows);
    }
    let find = |name: &str| -> Option<Column> { Table::Object(Arc::clone(object)).column(name) };
    match mode::top(query, &find) {
        Some(top) if read.means(consistent).search && can_be_topped(read, &top, &access, consistent) => {
            Mode::Top(top)
        }
        _ => Mode::Load,
    }
}

/// Whether the first rows can be found by a search in order: only search sorts, and rows without a value must not come first.
fn can_be_topped(read: &Read, top: &Top, access: &Access, consistent: bool) -> bool {
    const MOST: usize = 1_000;
    let searched = matches!(
        &*access.fetches,
        [hubspot_connector::query::Fetch::List | hubspot_connector::query::Fetch::Search(_)]
    );
    let without = || {
        let absent = hubspot_connector::query::Test {
            property: top.column.property.clone(),
            kind: top.column.kind,
            check: hubspot_connector::query::Check::Absent,
            exact: false,
        };
        read.access(Some(Condition::Test(absent)), consistent)
            .fetches
            .is_empty()
    };
    searched && top.rows <= MOST && (!top.nulls_first || top.column.always_set || without())
}
