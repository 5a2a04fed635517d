//! What the command line gives: ids, and values by name.

use hubspot_connector::write::Verb;

use crate::cli::What;
use crate::exit::{Failure, Outcome};

/// Ids and values as they were typed.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) verb: Verb,
    ids: Vec<String>,
    values: Vec<(String, String)>,
}

impl Given {
    /// Takes the words apart: `PROP=VALUE` is a value, anything else an id.
    pub(crate) fn of(what: &What) -> Outcome<Self> {
        let (mut ids, mut values) = (Vec::new(), Vec::new());
        for word in &what.values {
            match word.split_once('=') {
                Some((name, id)) if ["id", "hs_object_id"].contains(&name) => ids.push(id.to_owned()),
                Some((name, value)) => values.push((name.to_owned(), value.to_owned())),
                None => ids.push(word.clone()),
            }
        }
        if what.from.is_none() && ids.is_empty() && values.is_empty() {
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
    pub(crate) fn rows(self) -> Vec<Vec<(String, String)>> {
        let Self { ids, values, .. } = self;
        if ids.is_empty() {
            return vec![values];
        }
        let row = |id: String| {
            [("id".to_owned(), id)]
                .into_iter()
                .chain(values.clone())
                .collect()
        };
        ids.into_iter().map(row).collect()
    }
}
