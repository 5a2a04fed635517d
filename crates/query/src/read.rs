//! One occurrence of a table in a statement, and what is known about the rows that it needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use hubspot_connector::query::{Access, Check, Column, Condition, Means, ObjectTable, Question, Table};
use opencdc::{Stream, StreamName};

use crate::parse::quoted;

/// One occurrence of a table in a statement.
#[derive(Debug)]
pub(crate) struct Read {
    /// The table.
    pub(crate) table: Table,
    /// Its name in the scratch database.
    pub(crate) scratch: String,
    /// Whether all columns are wanted, and not only those that the statement names.
    pub(crate) whole: bool,
    /// What every row satisfies that can be in the result.
    pub(crate) condition: Condition,
    /// Columns that are equal to those of other tables, for every row that can be in the result.
    pub(crate) edges: Vec<Edge>,
    /// What it is called in its `SELECT`.
    pub(crate) alias: String,
    /// Conditions that its rows alone decide.
    pub(crate) local: Vec<String>,
    /// The columns that are read.
    pub(crate) stream: Stream,
}

/// `column = other.of_other`
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) column: Column,
    /// The other occurrence.
    pub(crate) other: usize,
    pub(crate) of_other: String,
}

impl Read {
    pub(crate) fn new(table: Table, scratch: String) -> Self {
        Self {
            stream: table.stream_of(&scratch, |_| false),
            table,
            scratch,
            whole: false,
            condition: Condition::Unknown,
            edges: Vec::new(),
            alias: String::new(),
            local: Vec::new(),
        }
    }

    /// Reads the columns among `words`, or all.
    pub(crate) fn choose(&mut self, words: &BTreeSet<String>) {
        let whole = self.whole;
        let wanted = |name: &str| whole || words.contains(&name.to_lowercase());
        self.stream = self.table.stream_of(&self.scratch, wanted);
    }

    pub(crate) fn object(&self) -> Option<&Arc<ObjectTable>> {
        match &self.table {
            Table::Object(table) => Some(table),
            Table::Links(_) | Table::Own(_) => None,
        }
    }

    /// What may be used to bring its rows.
    pub(crate) fn means(&self, consistent: bool) -> Means {
        Means {
            batch: self.object().is_some_and(|table| table.can_batch()),
            search: !consistent && self.object().is_some_and(|table| table.can_search()),
        }
    }

    /// The calls for its rows, of which `more` is known besides.
    pub(crate) fn access(&self, more: Option<Condition>, consistent: bool) -> Access {
        let condition = Condition::all(std::iter::once(self.condition.clone()).chain(more));
        Access::of(&condition, self.means(consistent))
    }

    /// A question for the rows of one fetch.
    pub(crate) fn question(&self, fetch: hubspot_connector::query::Fetch) -> Option<Question> {
        Some(Question {
            table: Arc::clone(self.object()?),
            stream: StreamName::from(&*self.scratch),
            properties: self.table.properties_of(&self.stream),
            fetch,
            first: None,
            ahead: true,
        })
    }

    /// The distinct values of a column among the rows that were brought and can be in the result.
    pub(crate) fn distinct(&self, column: &str) -> String {
        let (column, alias) = (quoted(column), quoted(&self.alias));
        let is_there = format!("{alias}.{column} IS NOT NULL");
        let all: Vec<_> = std::iter::once(is_there)
            .chain(self.local.iter().cloned())
            .collect();
        format!(
            "SELECT DISTINCT {alias}.{column} FROM {} AS {alias} WHERE {}",
            quoted(&self.scratch),
            all.join(" AND ")
        )
    }

    /// The texts of which one stands in `column`, when that is known.
    pub(crate) fn values(&self, column: &str) -> Option<BTreeSet<String>> {
        values(&self.condition, column)
    }
}

fn values(condition: &Condition, column: &str) -> Option<BTreeSet<String>> {
    match condition {
        Condition::Never => Some(BTreeSet::new()),
        Condition::Test(test) if test.property == column => match &test.check {
            Check::OneOf(values) => Some(values.clone()),
            _ => None,
        },
        Condition::Test(_) | Condition::Always | Condition::Unknown => None,
        Condition::All(parts) => parts
            .iter()
            .filter_map(|part| values(part, column))
            .reduce(|a, b| &a & &b),
        Condition::Any(parts) => {
            let all: Option<Vec<_>> = parts.iter().map(|part| values(part, column)).collect();
            Some(all?.into_iter().flatten().collect())
        }
    }
}
