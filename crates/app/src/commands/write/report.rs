//! What became of the rows: counts, a line for each of a few, and the file of those that were refused.

use hubspot_connector::write::{Done, Written};
use serde::Serialize;

use super::input::{Input, Row};
use super::job::CHUNK;
use super::rejects::Rejects;
use crate::exit::{Failure, Outcome};
use crate::printer;

/// More rows than this are only counted, unless JSON was asked for.
const TOLD: usize = 20;

/// How many rows ended in which way.
#[derive(Debug, Default, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    created: u64,
    updated: u64,
    archived: u64,
    unchanged: u64,
    refused: u64,
    /// HubSpot's answer was lost, and nobody can tell.
    unsure: u64,
    /// The run ended before they were written for certain.
    not_written: u64,
}

/// One row, told.
#[derive(Debug, Serialize)]
struct Told {
    line: u64,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Summary<'a> {
    object: &'a str,
    #[serde(flatten)]
    counts: Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejects: Option<String>,
    rows: &'a [Told],
}

pub(crate) struct Report {
    object: String,
    counts: Counts,
    rejects: Rejects,
    told: Vec<Told>,
    /// Rows that were written without some of their values.
    incomplete: u64,
    json: bool,
}

impl Report {
    pub(crate) fn new(object: String, rejects: Rejects, json: bool) -> Self {
        Self {
            object,
            counts: Counts::default(),
            rejects,
            told: Vec::new(),
            incomplete: 0,
            json,
        }
    }

    /// Adds what became of a row.
    pub(crate) fn add(&mut self, row: &Row, done: Done) -> Outcome {
        let (count, outcome) = self.counts.of(&done);
        *count += 1;
        let (id, reason) = match done {
            Done::Created { id } | Done::Updated { id } | Done::Archived { id } => (Some(id), None),
            Done::Unchanged { id } => (id, None),
            Done::Refused(refusal) | Done::Unsure(refusal) => (None, Some(refusal.to_string())),
        };
        if let Some(reason) = &reason {
            self.rejects.add(row, reason)?;
        }
        self.tell(row.line, outcome, id, reason);
        Ok(())
    }

    /// Adds what became of rows as far as it came, and gives back why it came no further.
    pub(crate) fn add_some(&mut self, rows: &[Row], written: Written) -> Outcome<Option<Failure>> {
        let reason = written
            .failed
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        for (row, done) in rows.iter().zip(written.done) {
            match done {
                Some(done) => self.add(row, done)?,
                None => self.not_written(row, &format!("not written: {reason}"))?,
            }
        }
        Ok(written.failed.map(Failure::from))
    }

    /// Adds a row that was not written, as far as anybody knows.
    pub(crate) fn not_written(&mut self, row: &Row, reason: &str) -> Outcome {
        self.counts.not_written += 1;
        self.rejects.add(row, reason)
    }

    /// Adds records that imports have made and changed; which row became which, HubSpot does not say.
    pub(crate) fn count(&mut self, created: u64, updated: u64) {
        self.counts.created += created;
        self.counts.updated += updated;
    }

    /// Tells of a row that was written without some of its values.
    pub(crate) fn incomplete(&mut self, line: u64, reason: &str) {
        self.incomplete += 1;
        self.tell(line, "incomplete", None, Some(reason.to_owned()));
    }

    fn tell(&mut self, line: u64, outcome: &'static str, id: Option<String>, reason: Option<String>) {
        if self.json || self.told.len() <= TOLD {
            self.told.push(Told {
                line,
                outcome,
                id,
                reason,
            });
        }
    }

    /// Ends the report: what is left of the input after a failure was not written.
    ///
    /// # Errors
    /// The failure, or that a row was refused.
    pub(crate) fn end(mut self, mut input: Input, failure: Option<Failure>) -> Outcome {
        let Some(failure) = failure else {
            return self.finish();
        };
        while let Ok(rows) = input.next_rows(CHUNK)
            && !rows.is_empty()
        {
            for row in &rows {
                self.not_written(row, "not tried: the run ended before")?;
            }
        }
        Err(self.ended_by(failure)?)
    }

    /// Prints it all.
    ///
    /// # Errors
    /// When a row was refused, or not written as a whole.
    fn finish(self) -> Outcome {
        self.warn_of_doubt();
        let (refused, incomplete) = (self.counts.refused + self.counts.unsure, self.incomplete);
        let all = self.counts.all();
        let file = self.print()?;
        if refused == 0 && incomplete == 0 {
            return Ok(());
        }
        if refused == 0 {
            let message =
                format!("{incomplete} of {all} rows were written without values that HubSpot could not read");
            return Err(Failure::failed(message));
        }
        let failure = Failure::failed(format!("{refused} of {all} rows were refused"));
        Err(match file {
            None => failure,
            Some(file) => failure.hint(format!(
                "they are in `{file}` with the reasons; mend them there and give the file to `--from`"
            )),
        })
    }

    /// Prints it all, and says of what ended the run where the rest is.
    fn ended_by(self, failure: Failure) -> Outcome<Failure> {
        self.warn_of_doubt();
        let not_written = self.counts.not_written;
        let file = self.print()?;
        if let Some(file) = file {
            // Beside the hint that the failure has, which says what to do first.
            printer::note(&format!(
                "{not_written} rows were not written; they are in `{file}` and can be given to `--from`"
            ));
        }
        Ok(failure)
    }

    /// Rows in doubt are in the file too, but giving them again may make them twice.
    fn warn_of_doubt(&self) {
        let unsure = self.counts.unsure;
        if unsure > 0 {
            printer::note(&format!(
                "{unsure} rows were perhaps made: HubSpot's answer was lost, and they have no unique property to look for \
                 them by; `_reason` says which. Look in HubSpot before their rows are given again"
            ));
        }
    }

    /// Gives back where the refused rows are.
    fn print(self) -> Outcome<Option<String>> {
        let Self {
            object,
            counts,
            rejects,
            told,
            json,
            incomplete: _,
        } = self;
        let file = rejects.finish()?.map(|path| path.display().to_string());
        if json {
            printer::json(&Summary {
                object: &object,
                counts,
                rejects: file.clone(),
                rows: &told,
            })?;
            return Ok(file);
        }
        if !told.is_empty() && told.len() <= TOLD {
            printer::table(
                &["line", "outcome", "id", "reason"],
                told.into_iter().map(Told::cells),
            );
        }
        printer::note(&format!("{object}: {}", counts.in_words()));
        Ok(file)
    }
}

impl Counts {
    fn of(&mut self, done: &Done) -> (&mut u64, &'static str) {
        match done {
            Done::Created { .. } => (&mut self.created, "created"),
            Done::Updated { .. } => (&mut self.updated, "updated"),
            Done::Archived { .. } => (&mut self.archived, "archived"),
            Done::Unchanged { .. } => (&mut self.unchanged, "unchanged"),
            Done::Refused(_) => (&mut self.refused, "refused"),
            Done::Unsure(_) => (&mut self.unsure, "unsure"),
        }
    }

    fn named(self) -> [(u64, &'static str); 7] {
        [
            (self.created, "created"),
            (self.updated, "updated"),
            (self.archived, "archived"),
            (self.unchanged, "unchanged"),
            (self.refused, "refused"),
            (self.unsure, "perhaps made"),
            (self.not_written, "not written"),
        ]
    }

    fn all(self) -> u64 {
        self.named().iter().map(|(count, _)| count).sum()
    }

    fn in_words(self) -> String {
        let some = self.named().into_iter().filter(|(count, _)| *count > 0);
        let words: Vec<_> = some.map(|(count, word)| format!("{count} {word}")).collect();
        match words.is_empty() {
            true => "no rows".to_owned(),
            false => words.join(", "),
        }
    }
}

impl Told {
    fn cells(self) -> Vec<String> {
        let Self {
            line,
            outcome,
            id,
            reason,
        } = self;
        vec![
            line.to_string(),
            outcome.to_owned(),
            id.unwrap_or_default(),
            reason.unwrap_or_default(),
        ]
    }
}
