//! Rows on their way to HubSpot: several batches at a time, in order, and nothing lost when it ends early.

use std::path::Path;

use futures_util::stream::{FuturesOrdered, StreamExt};
use hubspot_connector::write::config::Nulls;
use hubspot_connector::write::{Done, Refusal, Verb, Wanted, Writer, Written};

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
    pub(crate) fn wanted(&self, row: &Row) -> Result<Wanted, Refusal> {
        let mut row = row.clone();
        for (name, value) in &self.constants {
            let own = row.fields.get(name).is_some_and(|own| own.get() != "null");
            if !own {
                row.fields.insert(name.clone(), raw(value));
            }
        }
        let wanted = row.wanted(self.nulls, self.has_id)?;
        Ok(Wanted {
            verb: self.verb,
            ..wanted
        })
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
        if let Some(failure) = failure {
            while let Ok(rows) = input.next_rows(CHUNK) {
                if rows.is_empty() {
                    break;
                }
                report.not_written(&rows, "not tried: the run ended before")?;
            }
            return Err(report.ended_by(failure)?);
        }
        report.finish()
    }

    async fn write(&self, rows: Vec<Row>) -> (Vec<Row>, Written) {
        let wanted: Vec<_> = rows.iter().map(|row| self.wanted(row)).collect();
        let good: Vec<_> = wanted.iter().flatten().cloned().collect();
        let written = self
            .writer
            .write_some(&good)
            .await
            .unwrap_or_else(|error| Written {
                done: good.iter().map(|_| None).collect(),
                failed: Some(error),
            });
        let mut done = written.done.into_iter();
        let each = wanted.into_iter().map(|wanted| match wanted {
            Ok(_) => done.next().flatten(),
            Err(refusal) => Some(Done::Refused(refusal)),
        });
        let written = Written {
            done: each.collect(),
            failed: written.failed,
        };
        (rows, written)
    }
}
