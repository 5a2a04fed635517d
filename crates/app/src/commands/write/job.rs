//! Rows on their way to HubSpot: several batches at a time, in order, and nothing lost when it ends early.

use std::path::Path;

use futures_util::stream::{FuturesOrdered, StreamExt};
use hubspot_connector::write::config::Nulls;
use hubspot_connector::write::{Verb, Wanted, Writer, Written};

use super::input::{Input, Row, raw};
use super::rejects::Rejects;
use super::report::Report;
use crate::cli::Run;
use crate::exit::{Failure, Outcome};

/// Rows that are read at a time: five calls' worth.
pub(crate) const CHUNK: usize = 500;
/// Chunks under way at a time, so that a slow call does not hold up the others.
const AHEAD: usize = 6;

/// How rows are written.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) writer: Writer,
    pub(crate) verb: Verb,
    pub(crate) nulls: Nulls,
    /// Whether a row's `id` is the record's own.
    pub(crate) has_id: bool,
    /// Values that every row has besides its own.
    pub(crate) constants: Vec<(String, String)>,
}

impl Job {
    /// What a row asks for.
    pub(crate) fn wanted(&self, row: &Row) -> Wanted {
        let mut row = row.clone();
        for (name, value) in &self.constants {
            let own = row.fields.get(name).is_some_and(|own| own.get() != "null");
            if !own {
                row.fields.insert(name.clone(), raw(value));
            }
        }
        let wanted = row.wanted(self.nulls, self.has_id);
        Wanted {
            verb: self.verb,
            ..wanted.unwrap_or_else(Wanted::refused)
        }
    }

    /// Writes every row, and reports.
    pub(crate) async fn run(&self, mut input: Input, from: Option<&Path>, run: &Run) -> Outcome {
        let rejects = Rejects::new(run.rejects.clone(), from, input.format());
        let mut report = Report::new(self.writer.object().name.to_string(), rejects, run.json);
        let mut under_way = FuturesOrdered::new();
        let mut failure: Option<Failure> = None;
        loop {
            while failure.is_none() && under_way.len() < AHEAD {
                match input.next_rows(CHUNK) {
                    Ok(rows) if rows.is_empty() => break,
                    Ok(rows) => under_way.push_back(self.write(rows)),
                    Err(unreadable) => failure = Some(unreadable),
                }
            }
            let Some((rows, written)) = under_way.next().await else {
                break;
            };
            if let Some(error) = report.add_some(&rows, written)? {
                failure.get_or_insert(error);
            }
        }
        report.end(input, failure)
    }

    async fn write(&self, rows: Vec<Row>) -> (Vec<Row>, Written) {
        let wanted: Vec<_> = rows.iter().map(|row| self.wanted(row)).collect();
        let written = self.writer.write_some(&wanted).await;
        (rows, written)
    }
}
