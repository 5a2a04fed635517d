//! What a person asks a database for, whichever it is.

use std::time::Duration;

use opencdc::{Error, ErrorKind, Result, StreamName, Until};

use super::sql::quote;

use crate::source::Columns;
use crate::source::files::{check_batch_size, check_key};

/// Rows of a table or of a query, and what their columns mean.
#[derive(Debug, Clone)]
pub(in crate::source) struct Relation {
    pub(in crate::source) stream: StreamName,
    pub(in crate::source) rows: Rows,
    pub(in crate::source) key: Vec<String>,
    /// Grows whenever a row changes.
    pub(in crate::source) cursor: Option<String>,
    /// Says whether a row is gone.
    pub(in crate::source) deleted: Option<String>,
    pub(in crate::source) batch_size: usize,
    pub(in crate::source) poll: Option<Duration>,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) enum Rows {
    /// A name, perhaps with the schema before it.
    Table(String),
    /// A statement.
    Query(String),
}

impl Rows {
    /// What stands behind `FROM`; its rows are called `t`.
    pub(in crate::source) fn clause(&self) -> String {
        match self {
            Self::Table(name) => {
                let name: Vec<_> = name.split('.').map(quote).collect();
                format!("{} AS t", name.join("."))
            }
            Self::Query(query) => format!("({query}) AS t"),
        }
    }
}

/// When no `poll` is set.
const POLL: Duration = Duration::from_secs(30);

/// The settings as they are written.
pub(in crate::source) struct Written<'a> {
    pub(in crate::source) table: Option<&'a str>,
    pub(in crate::source) query: Option<&'a str>,
    pub(in crate::source) stream: Option<&'a str>,
    pub(in crate::source) key: &'a Columns,
    pub(in crate::source) cursor: Option<&'a str>,
    pub(in crate::source) deleted: Option<&'a str>,
    pub(in crate::source) batch_size: usize,
    pub(in crate::source) poll: Option<Duration>,
}

fn wrong(what: impl Into<String>, hint: &str) -> Error {
    Error::new(ErrorKind::Configuration, what).with_hint(hint)
}

impl Relation {
    pub(in crate::source) fn of(written: &Written<'_>) -> Result<Self> {
        check_batch_size(written.batch_size)?;
        check_key(written.key)?;
        let (rows, name) = rows(written)?;
        Ok(Self {
            stream: written.stream.unwrap_or(name).into(),
            rows,
            key: written.key.names().to_vec(),
            cursor: written.cursor.map(ToOwned::to_owned),
            deleted: written.deleted.map(ToOwned::to_owned),
            batch_size: written.batch_size,
            poll: written.poll,
        })
    }

    /// The columns that rows are ordered by.
    pub(in crate::source) fn order(&self) -> Vec<&str> {
        let key = self.key.iter().filter(|name| self.cursor.as_ref() != Some(name));
        self.cursor.iter().chain(key).map(String::as_str).collect()
    }

    /// Whether changes can be told from what was read before.
    pub(in crate::source) fn has_cursor(&self) -> bool {
        self.cursor.is_some()
    }

    /// How often to ask again. Without a cursor that is a copy of the whole table each time, which nobody should get
    /// unasked.
    pub(in crate::source) fn poll(&self, until: Until) -> Result<Duration> {
        match (until, self.poll, &self.cursor) {
            (Until::Dropped, None, None) => Err(wrong(
                format!("`{}` cannot be followed: `cursor` is not set", self.stream),
                "name a column that grows whenever a row changes, such as `cursor: updated_at`; or set `poll` to read \
                 all rows again each time; or run with `--once`",
            )),
            (_, poll, _) => Ok(poll.unwrap_or(POLL)),
        }
    }

    /// Refuses columns that the rows do not have.
    pub(in crate::source) fn check_columns<'a>(
        &self,
        columns: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<()> {
        let wanted = [
            ("key", &self.key[..]),
            ("cursor", as_list(self.cursor.as_ref())),
            ("deleted", as_list(self.deleted.as_ref())),
        ];
        for (setting, names) in wanted {
            if let Some(name) = names
                .iter()
                .find(|name| !columns.clone().any(|column| column == *name))
            {
                let listed: Vec<_> = columns.clone().map(|column| format!("`{column}`")).collect();
                return Err(wrong(
                    format!("there is no column `{name}`, which `{setting}` names"),
                    &format!("the columns are {}", listed.join(", ")),
                ));
            }
        }
        let mut seen: Vec<&str> = Vec::new();
        for column in columns {
            if seen.contains(&column) {
                return Err(wrong(
                    format!("two columns are called `{column}`"),
                    "give each a name of its own with `AS`",
                ));
            }
            seen.push(column);
        }
        Ok(())
    }

    /// A row has no place in the order, and would never be read.
    pub(in crate::source) fn without_place(&self) -> Error {
        let columns: Vec<_> = self.order().iter().map(|name| format!("`{name}`")).collect();
        let message = format!(
            "a row of `{}` has no value in {}",
            self.stream,
            columns.join(" or ")
        );
        Error::new(ErrorKind::InvalidData, message).with_hint(
            "give every row one, leave such rows out with a `query`, or fill them in there, such as with \
             `coalesce(updated_at, created_at)`",
        )
    }

    /// What the position is one of: another table or order makes it meaningless.
    pub(in crate::source) fn describe(&self) -> String {
        let table = match &self.rows {
            Rows::Table(name) => format!("table {name}"),
            // People improve queries; as long as the order stays, so does the place in it.
            Rows::Query(_) => "a query".to_owned(),
        };
        format!("{table} by {}", self.order().join(", "))
    }
}

fn as_list(name: Option<&String>) -> &[String] {
    name.map_or(&[], std::slice::from_ref)
}

fn rows<'a>(written: &Written<'a>) -> Result<(Rows, &'a str)> {
    let hint = "write `table: NAME` or `query: SELECT …`";
    match (written.table, written.query) {
        (Some(table), None) if !table.trim().is_empty() => {
            let name = table.rsplit('.').next().unwrap_or(table);
            Ok((Rows::Table(table.to_owned()), name))
        }
        (None, Some(query)) if !query.trim().is_empty() => {
            let name = written.stream.ok_or_else(|| {
                wrong(
                    "`stream` is not set",
                    "a query has no name of its own: write `stream: NAME`",
                )
            })?;
            let query = query.trim().trim_end_matches(';').trim_end();
            Ok((Rows::Query(query.to_owned()), name))
        }
        (Some(_), Some(_)) => Err(wrong("both `table` and `query` are set", hint)),
        _ => Err(wrong("neither `table` nor `query` is set", hint)),
    }
}

/// Whether the value of a `deleted` column says that the row is gone: a true boolean, a number that is not 0, a text
/// such as a date.
pub(in crate::source) fn is_gone(json: &str) -> bool {
    let text = json.trim_matches('"').to_ascii_lowercase();
    !matches!(&*text, "null" | "" | "0" | "0.0" | "false" | "f" | "no" | "n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(key: &Columns) -> Written<'_> {
        Written {
            table: Some("crm.people"),
            query: None,
            stream: None,
            key,
            cursor: None,
            deleted: None,
            batch_size: 10,
            poll: None,
        }
    }

    #[test]
    fn a_table_names_its_stream_and_a_query_needs_one() {
        let key = Columns::from(["id"]);
        let table = Relation::of(&written(&key)).unwrap();
        assert_eq!(
            (table.stream.as_str(), table.describe().as_str()),
            ("people", "table crm.people by id")
        );
        let query = Written {
            table: None,
            query: Some(" SELECT 1 AS id ; "),
            ..written(&key)
        };
        assert_eq!(
            Relation::of(&query).unwrap_err().to_string(),
            "`stream` is not set"
        );
        let query = Relation::of(&Written {
            stream: Some("ones"),
            ..query
        })
        .unwrap();
        assert_eq!(query.rows, Rows::Query("SELECT 1 AS id".to_owned()));
    }

    #[test]
    fn one_of_table_and_query_is_needed() {
        let key = Columns::from(["id"]);
        let both = Written {
            query: Some("SELECT 1"),
            ..written(&key)
        };
        let neither = Written {
            table: None,
            ..written(&key)
        };
        for (written, why) in [
            (both, "both `table` and `query` are set"),
            (neither, "neither `table` nor `query` is set"),
        ] {
            assert_eq!(Relation::of(&written).unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn rows_are_ordered_by_the_cursor_and_then_the_key() {
        let key = Columns::from(["a", "b"]);
        let order = |cursor| {
            Relation::of(&Written {
                cursor,
                ..written(&key)
            })
            .unwrap()
            .order()
            .join(" ")
        };
        assert_eq!(order(None), "a b");
        assert_eq!(order(Some("at")), "at a b");
        assert_eq!(order(Some("b")), "b a", "a column of the key may be the cursor");
    }

    #[test]
    fn following_without_a_cursor_must_be_asked_for() {
        let key = Columns::from(["id"]);
        let poll = |cursor, poll, until| {
            Relation::of(&Written {
                cursor,
                poll,
                ..written(&key)
            })
            .unwrap()
            .poll(until)
        };
        let second = Duration::from_secs(1);
        assert!(poll(None, None, Until::Dropped).is_err());
        assert_eq!(poll(None, Some(second), Until::Dropped).unwrap(), second);
        assert_eq!(poll(Some("at"), None, Until::Dropped).unwrap(), POLL);
        assert_eq!(poll(None, None, Until::CaughtUp).unwrap(), POLL);
    }

    #[test]
    fn columns_are_refused_by_name() {
        let key = Columns::from(["id"]);
        let relation = Relation::of(&Written {
            cursor: Some("at"),
            ..written(&key)
        })
        .unwrap();
        let error = relation.check_columns(["id", "when"].into_iter()).unwrap_err();
        assert_eq!(error.to_string(), "there is no column `at`, which `cursor` names");
        assert_eq!(error.hint(), Some("the columns are `id`, `when`"));
        let error = relation
            .check_columns(["id", "at", "id"].into_iter())
            .unwrap_err();
        assert_eq!(error.to_string(), "two columns are called `id`");
    }

    #[test]
    fn gone_is_what_is_not_nothing() {
        for gone in ["true", "1", "\"t\"", "\"2026-01-02T03:04:05Z\"", "17", "\"yes\""] {
            assert!(is_gone(gone), "{gone}");
        }
        for there in ["null", "false", "0", "\"\"", "\"f\"", "\"0\"", "\"No\""] {
            assert!(!is_gone(there), "{there}");
        }
    }
}
