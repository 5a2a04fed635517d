//! What a run would do, told record by record after a look at what is there now. Nothing is written.

use std::collections::BTreeMap;

use hubspot_connector::write::{Action, Planned, Refusal};
use serde::Serialize;

use super::input::{Input, Row};
use super::job::{CHUNK, Job};
use crate::cli::Run;
use crate::exit::{Failure, Outcome};
use crate::printer;

/// As many records go into one call.
const BATCH: u64 = 100;

/// What would become of one row.
#[derive(Debug, Serialize)]
struct Foreseen {
    line: u64,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    /// What is there now and what would be, by property.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    changes: BTreeMap<String, Difference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Difference {
    from: Option<String>,
    to: String,
}

/// How many rows would end in which way, and how many calls that would take.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    create: u64,
    update: u64,
    archive: u64,
    unchanged: u64,
    conflicts: u64,
    /// Calls that write. A look before, where it is asked for, takes as many again.
    calls: u64,
}

#[derive(Serialize)]
struct Summary {
    object: String,
    #[serde(flatten)]
    counts: Counts,
    rows: Vec<Foreseen>,
}

/// Looks, and tells.
///
/// # Errors
/// When a row would be refused.
pub(crate) async fn run(job: &Job, mut input: Input, run: &Run) -> Outcome {
    let (mut counts, mut all) = (Counts::default(), Vec::new());
    loop {
        let rows = input.next_rows(CHUNK)?;
        if rows.is_empty() {
            break;
        }
        for foreseen in look(job, &rows).await? {
            counts.count(&foreseen);
            match run.json {
                true => all.push(foreseen),
                false => foreseen.print(),
            }
        }
    }
    counts.calls = counts.calls();
    let conflicts = counts.conflicts;
    let object = job.writer.object().name.to_string();
    if run.json {
        printer::json(&Summary {
            object,
            counts,
            rows: all,
        })?;
    } else {
        printer::note(&format!("{object}: {}; nothing was written", counts.in_words()));
    }
    match conflicts {
        0 => Ok(()),
        conflicts => Err(Failure::failed(format!("{conflicts} rows would be refused"))),
    }
}

async fn look(job: &Job, rows: &[Row]) -> Outcome<Vec<Foreseen>> {
    let wanted: Vec<_> = rows.iter().map(|row| job.wanted(row)).collect();
    let planned = job.writer.plan(&wanted).await?;
    let each = rows.iter().zip(planned);
    Ok(each
        .map(|(row, planned)| Foreseen::of(row.line, planned))
        .collect())
}

impl Foreseen {
    fn of(line: u64, planned: Planned) -> Self {
        let Planned {
            action,
            values,
            before,
        } = planned;
        let there = before.unwrap_or_default();
        let (action, record) = match action {
            Action::Create => ("create", None),
            // After a look, an upsert of a record that is there is an update by its id.
            Action::Upsert { value } => ("create", Some(value)),
            Action::Update { id } => ("update", Some(id)),
            Action::UpdateBy { value } => ("update", Some(value)),
            Action::Archive { id } => ("archive", Some(id)),
            Action::Nothing { id } => ("unchanged", id),
            Action::Refuse(refusal) => return Self::refused(line, &refusal),
        };
        let change = |(name, to): (String, String)| {
            let from = there.get(&name).cloned();
            (from.as_ref() != Some(&to)).then_some((name, Difference { from, to }))
        };
        Self {
            line,
            action,
            record,
            changes: values.into_iter().filter_map(change).collect(),
            reason: None,
        }
    }

    fn refused(line: u64, refusal: &Refusal) -> Self {
        Self {
            line,
            action: "conflict",
            record: None,
            changes: BTreeMap::new(),
            reason: Some(refusal.to_string()),
        }
    }

    fn print(&self) {
        let what = self
            .record
            .as_deref()
            .or(self.reason.as_deref())
            .unwrap_or_default();
        printer::data(format!("line {}: {} {what}", self.line, self.action).trim_end());
        for (name, Difference { from, to }) in &self.changes {
            match from {
                Some(from) => printer::data(&format!("  {name}: {from} → {to}")),
                None => printer::data(&format!("  {name}: {to}")),
            }
        }
    }
}

impl Counts {
    fn count(&mut self, foreseen: &Foreseen) {
        let count = match foreseen.action {
            "create" => &mut self.create,
            "update" => &mut self.update,
            "archive" => &mut self.archive,
            "unchanged" => &mut self.unchanged,
            _ => &mut self.conflicts,
        };
        *count += 1;
    }

    fn calls(&self) -> u64 {
        [self.create, self.update, self.archive]
            .iter()
            .map(|count| count.div_ceil(BATCH))
            .sum()
    }

    fn in_words(&self) -> String {
        format!(
            "{} to create, {} to update, {} to archive, {} as they are, {} conflicts, in {} calls",
            self.create, self.update, self.archive, self.unchanged, self.conflicts, self.calls
        )
    }
}
