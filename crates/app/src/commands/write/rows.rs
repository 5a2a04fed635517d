//! What the command line gives: ids, and values by name.

use hubspot_connector::write::Verb;

use crate::cli::{Filter, What};
use crate::exit::{Failure, Outcome};

/// Ids and values as they were typed.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) verb: Verb,
    ids: Vec<String>,
    values: Vec<(String, String)>,
    /// All records for which this holds.
    pub(crate) condition: Option<String>,
    /// Nobody is asked before all of them are written.
    pub(crate) yes: bool,
}

impl Given {
    /// Takes the words apart: `PROP=VALUE` is a value, anything else an id.
    pub(crate) fn of(what: &What, filter: &Filter) -> Outcome<Self> {
        let condition = checked(filter.condition.as_deref())?;
        let (mut ids, mut values) = (Vec::new(), Vec::new());
        for word in &what.values {
            match word.split_once('=') {
                Some((name, id)) if ["id", "hs_object_id"].contains(&name) => ids.push(id.to_owned()),
                Some((name, value)) => values.push((name.to_owned(), value.to_owned())),
                None => ids.push(word.clone()),
            }
        }
        if condition.is_some() && !ids.is_empty() {
            return Err(Failure::usage(format!("`{}` stands beside `--where`", ids[0]))
                .hint("with `--where`, the condition says which records"));
        }
        if what.from.is_none() && condition.is_none() && ids.is_empty() && values.is_empty() {
            return Err(Failure::usage("nothing says which record")
                .hint("give values such as `email=ada@example.com`, an id, or rows with `--from FILE`"));
        }
        if what.from.is_some() && !ids.is_empty() {
            return Err(
                Failure::usage(format!("`{}` stands beside `--from`", ids[0])).hint(
                    "with `--from`, the rows say which records; values such as `city=Bonn` are added to each",
                ),
            );
        }
        Ok(Self {
            verb: Verb::Save,
            ids,
            values,
            condition,
            yes: filter.yes,
        })
    }

    /// Refuses ids, for records that are found by their values or made.
    pub(crate) fn without_ids(self) -> Outcome<Self> {
        match self.ids.first() {
            None => Ok(self),
            Some(id) => Err(Failure::usage(format!("`{id}` is no value"))
                .hint("write `PROP=VALUE`; `spoke update` changes a record by its id")),
        }
    }

    /// Values that are added to every row of a file.
    pub(crate) fn constants(&self, from_file: bool) -> Vec<(String, String)> {
        if from_file {
            self.values.clone()
        } else {
            Vec::new()
        }
    }

    /// One row for each id, or one in all.
    pub(crate) fn rows(mut self) -> Vec<Vec<(String, String)>> {
        if self.ids.is_empty() {
            return vec![self.values];
        }
        let ids = std::mem::take(&mut self.ids);
        self.rows_of(ids)
    }

    /// One row for each of these ids.
    pub(crate) fn rows_of(self, ids: Vec<String>) -> Vec<Vec<(String, String)>> {
        let values = self.values;
        let row = |id: String| {
            [("id".to_owned(), id)]
                .into_iter()
                .chain(values.clone())
                .collect()
        };
        ids.into_iter().map(row).collect()
    }
}

/// An empty condition would hold for every record of the account.
fn checked(condition: Option<&str>) -> Outcome<Option<String>> {
    match condition {
        Some(text) if text.trim().is_empty() => Err(Failure::usage(
            "`--where` is empty, which would mean every record",
        )
        .hint("write a condition such as `city = 'Bonn'`; `id IS NOT NULL` holds for all")),
        condition => Ok(condition.map(str::to_owned)),
    }
}
