//! `--bulk`: rows by HubSpot's imports instead of a hundred a call. Checked and decided about as other rows are, then
//! handed to [`hubspot_connector::bulk`].

use std::path::Path;

use hubspot_client::Client;
use hubspot_client::request::imports::ImportOperation;
use hubspot_connector::bulk::{self, Bulk, Fate};
use hubspot_connector::objects::ObjectType;
use hubspot_connector::write::config::WriteMode;
use hubspot_connector::write::{Action, Done, Planned, Refusal};

use super::bulk_progress::Shown;
use super::input::{Input, Row};
use super::job::{CHUNK, Job};
use super::rejects::Rejects;
use super::report::Report;
use crate::cli::{How, Run};
use crate::exit::{Failure, Outcome};
use crate::printer;

/// What an import cannot do is refused before anything is read.
pub(crate) fn check(how: &How) -> Outcome {
    let refuse = |what: &str, why: &str| {
        let hint = format!("leave out one of the two: {why}");
        Err(Failure::usage(format!("`--bulk` and `{what}` exclude each other")).hint(hint))
    };
    if !how.associate.is_empty() {
        return refuse("--associate", "an import of rows makes no associations");
    }
    if how.clear_empty {
        return refuse(
            "--clear-empty",
            "an import leaves a property as it is where the cell is empty",
        );
    }
    Ok(())
}

/// Writes every row, and reports.
pub(crate) async fn run(
    client: &Client,
    job: &Job,
    mut input: Input,
    from: Option<&Path>,
    run: &Run,
) -> Outcome {
    let rejects = Rejects::new(run.rejects.clone(), from, input.format());
    let mut report = Report::new(job.writer.object().name.to_string(), rejects, run.json);
    let mut imports = Imports::new(client, job)?;
    let mut failure = None;
    while failure.is_none() {
        let rows = match input.next_rows(CHUNK) {
            Ok(rows) if rows.is_empty() => break,
            Ok(rows) => rows,
            Err(unreadable) => {
                failure = Some(unreadable);
                break;
            }
        };
        failure = imports.take(job, rows, &mut report).await?;
    }
    let stopped = imports.finish(&mut report).await?;
    // An error that ended the imports is why the rest was not written; one of the input comes after them.
    report.end(input, stopped.or(failure))
}

type Imported = bulk::Report<Row>;

/// The imports of a run. A file has one kind of key: rows that are found by id go apart from those with a value.
struct Imports<'a> {
    by_value: Bulk<'a, Row>,
    by_id: Bulk<'a, Row>,
    id_property: Option<String>,
}

impl<'a> Imports<'a> {
    fn new(client: &'a Client, job: &Job) -> Outcome<Self> {
        let (object, shown) = (job.writer.object(), Shown::new());
        let rules = job.writer.rules();
        let start = |operation, key: Option<&str>| -> Outcome<_> {
            let mut shown = shown.clone();
            let job = bulk::Job::new(object, operation, key)?;
            Ok(Bulk::new(client, job, Box::new(move |event| shown.show(event))))
        };
        let (operation, key) = operation(object, rules.mode(), rules.id_property.as_deref());
        Ok(Self {
            by_value: start(operation, key)?,
            by_id: start(ImportOperation::Update, Some("hs_object_id"))?,
            id_property: rules.id_property.clone(),
        })
    }

    /// Takes rows in, and notes those that need no import. Gives back why reading on is no use.
    async fn take(&mut self, job: &Job, rows: Vec<Row>, report: &mut Report) -> Outcome<Option<Failure>> {
        let wanted: Vec<_> = rows.iter().map(|row| job.wanted(row)).collect();
        let planned = match job.writer.prepare(&wanted).await {
            Ok(planned) => planned,
            Err(error) => {
                for row in &rows {
                    report.not_written(row, &error.to_string())?;
                }
                return Ok(Some(error.into()));
            }
        };
        for (row, planned) in rows.into_iter().zip(planned) {
            if let Some((row, done)) = self.place(row, planned).await {
                report.add(&row, done)?;
            }
        }
        Ok(None)
    }

    /// Puts a row into the import it belongs to, or gives it back with what became of it.
    async fn place(&mut self, row: Row, planned: Planned) -> Option<(Row, Done)> {
        let mut values: Vec<_> = planned.values.into_iter().collect();
        let (bulk, key) = match planned.action {
            Action::Create => (&mut self.by_value, None),
            Action::UpdateBy { value } | Action::Upsert { value } => {
                let key = self.id_property.clone().unwrap_or_default();
                (&mut self.by_value, Some((key, value)))
            }
            Action::Update { id } => (&mut self.by_id, Some(("hs_object_id".to_owned(), id))),
            Action::Nothing { id } => return Some((row, Done::Unchanged { id })),
            Action::Refuse(refusal) => return Some((row, Done::Refused(refusal))),
            Action::Archive { .. } => {
                return Some((row, Done::Refused(Refusal::new("an import deletes nothing"))));
            }
        };
        if let Some((name, value)) = key {
            values.retain(|(known, _)| *known != name);
            values.insert(0, (name, value));
        }
        let line = row.line;
        bulk.push(bulk::Row {
            line,
            origin: row,
            values,
        })
        .await;
        None
    }

    /// Sends what is left. Gives back why not everything was sent or followed to its end.
    async fn finish(self, report: &mut Report) -> Outcome<Option<Failure>> {
        let mut stopped = None;
        for bulk in [self.by_value, self.by_id] {
            let imported = bulk.finish().await;
            if let Some(error) = note(imported, report)? {
                stopped.get_or_insert(error);
            }
        }
        Ok(stopped)
    }
}

/// How an import finds the records of a mode. What is made is told from what is there by the address of a contact.
fn operation<'k>(
    object: &ObjectType,
    mode: WriteMode,
    id_property: Option<&'k str>,
) -> (ImportOperation, Option<&'k str>) {
    match mode {
        WriteMode::Create => {
            let email = (object.name == "contacts").then_some("email");
            (ImportOperation::Create, id_property.or(email))
        }
        // Rows with nothing but an id go another way; without a property there are no others.
        WriteMode::Update => (ImportOperation::Update, id_property.or(Some("hs_object_id"))),
        WriteMode::Upsert | WriteMode::Auto => (ImportOperation::Upsert, id_property),
    }
}

/// Puts what became of rows into the report, and says what does not add up.
fn note(imported: Imported, report: &mut Report) -> Outcome<Option<Failure>> {
    report.count(imported.created, imported.updated);
    let why = imported
        .stopped
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    for failed in imported.failed {
        let reason = match failed.problems.is_empty() {
            true => why.clone(),
            false => in_words(&failed.problems),
        };
        let row = failed.row.origin;
        match failed.fate {
            Fate::Refused => report.add(&row, Done::Refused(Refusal::new(reason)))?,
            Fate::Unknown => report.not_written(&row, &format!("may have been written: {reason}"))?,
            Fate::NotSent => report.not_written(&row, &format!("not sent: {reason}"))?,
        }
    }
    for left_out in imported.left_out {
        report.incomplete(left_out.row.line, &in_words(&left_out.problems));
    }
    for text in &imported.notes {
        printer::note(&format!("note: {text}"));
    }
    Ok(imported.stopped.map(Failure::from))
}

fn in_words(problems: &[bulk::Problem]) -> String {
    let words: Vec<_> = problems.iter().map(ToString::to_string).collect();
    words.join("; ")
}
