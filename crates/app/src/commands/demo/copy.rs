//! The demo's copy: the SQLite file, compared with the truth and asked questions.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

use super::portal::TrueRecord;
use crate::exit::{Failure, Outcome};
use crate::printer::render_table;

/// A question and the statement that answers it.
pub(super) const QUERIES: [(&str, &str); 3] = [
    (
        "Which stage of the pipeline holds the money?",
        "SELECT s.label AS stage, count(*) AS deals, round(sum(d.amount)) AS amount\n\
         FROM deals d JOIN pipeline_stages s ON s.id = d.dealstage AND s.pipeline_id = d.pipeline\n\
         WHERE NOT d._archived GROUP BY s.label ORDER BY amount DESC LIMIT 5;",
    ),
    (
        "Which companies do we know the most people at?",
        "SELECT c.name AS company, c.industry, count(DISTINCT cc.from_id) AS contacts\n\
         FROM companies c JOIN contacts_companies cc ON cc.to_id = c.id\n\
         GROUP BY c.id ORDER BY contacts DESC, company LIMIT 5;",
    ),
    (
        "Who is gone from HubSpot, and why?",
        "SELECT id, firstname, lastname, CASE WHEN _merged_into IS NOT NULL THEN 'merged into ' || _merged_into\n\
         WHEN _archived_at IS NOT NULL THEN 'archived' ELSE 'erased for good' END AS why\n\
         FROM contacts WHERE _archived ORDER BY id LIMIT 8;",
    ),
];

pub(super) struct Copy(Connection);

impl Copy {
    pub(super) fn open(path: &Path) -> Outcome<Self> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        connection.map(Self).map_err(|error| trouble(&error))
    }

    /// What is in HubSpot and not in the copy, or the other way round, or older; a few examples.
    pub(super) fn differences(
        &self,
        object: &str,
        truth: &BTreeMap<String, TrueRecord>,
    ) -> Outcome<Vec<String>> {
        const EXAMPLES: usize = 5;
        let rows = self.live_rows(object)?;
        let live = || truth.values().filter(|record| record.state == "live");
        let wrong = live().filter(|record| rows.get(&record.id) != Some(&record.updated_at));
        let wrong = wrong.map(|record| format!("{} is not as in HubSpot", record.id));
        let gone = |id: &&String| truth.get(*id).is_none_or(|record| record.state != "live");
        let extra = rows
            .keys()
            .filter(gone)
            .map(|id| format!("{id} is gone from HubSpot"));
        Ok(wrong.chain(extra).take(EXAMPLES).collect())
    }

    /// Whether the copy has these records as HubSpot has them now.
    pub(super) fn has(
        &self,
        object: &str,
        ids: &[String],
        truth: &BTreeMap<String, TrueRecord>,
    ) -> Outcome<bool> {
        let rows = self.live_rows(object)?;
        let live = |id| truth.get(id).filter(|record| record.state == "live");
        Ok(ids
            .iter()
            .all(|id| rows.get(id) == live(id).map(|record| &record.updated_at)))
    }

    /// How many live rows there are, in words.
    pub(super) fn counts(&self, objects: &[&str]) -> Outcome<String> {
        let count = |object: &&str| {
            Ok(format!(
                "{} {}",
                self.live_rows(object)?.len(),
                object.replace('_', " ")
            ))
        };
        let counts: Outcome<Vec<_>> = objects.iter().map(count).collect();
        Ok(format!("{} equal", counts?.join(", ")))
    }

    /// Ids of rows that are not archived, each with its time of change.
    fn live_rows(&self, object: &str) -> Outcome<BTreeMap<String, String>> {
        let sql = format!("SELECT id, _updated_at FROM \"{object}\" WHERE NOT _archived");
        let mut statement = self.0.prepare(&sql).map_err(|error| trouble(&error))?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.and_then(Iterator::collect).map_err(|error| trouble(&error))
    }

    /// The result of a statement as a table.
    pub(super) fn query(&self, sql: &str) -> Outcome<String> {
        let mut statement = self.0.prepare(sql).map_err(|error| trouble(&error))?;
        let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
        let cells = |row: &rusqlite::Row<'_>| (0..names.len()).map(|i| row.get(i).map(text)).collect();
        let rows: Result<Vec<Vec<String>>, _> = statement.query_map([], cells).and_then(Iterator::collect);
        let header: Vec<_> = names.iter().map(String::as_str).collect();
        Ok(render_table(&header, rows.map_err(|error| trouble(&error))?))
    }
}

fn text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => text,
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn trouble(error: &rusqlite::Error) -> Failure {
    Failure::failed("the copy cannot be read").because(error)
}
