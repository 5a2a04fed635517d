//! What became of every row.

use std::collections::BTreeMap;
use std::fmt;

use hubspot_client::{Import, ImportError, ImportState};

use super::Row;
use super::file::File;
use super::lines::Lines;
use crate::write::shown;

/// What became of a row that was not surely written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing of it was written.
    Refused,
    /// It went up, and HubSpot has not told what became of it.
    Unknown,
    /// It was not sent.
    NotSent,
}

/// Something that is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HubSpot's type of error, such as `INVALID_EMAIL`, or a word of this module's.
    pub kind: String,
    /// In words.
    pub message: Option<String>,
    /// The property at fault, if it is one.
    pub property: Option<String>,
    /// Its value in the row, cut when it is long.
    pub value: Option<String>,
}

impl Problem {
    pub(super) fn of_row(kind: &str, message: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            message: Some(message.into()),
            property: None,
            value: None,
        }
    }

    fn of<T>(error: &ImportError, file: &File<T>, row: Option<&Row<T>>) -> Self {
        let property = error.column.and_then(|column| file.columns().nth(column));
        let cell = property.and_then(|property| row?.value(property));
        Self {
            kind: error.error_type.clone(),
            message: error.message.clone(),
            property: property.map(ToOwned::to_owned),
            value: error.value.as_deref().or(cell).map(shown),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "{message} ({})", self.kind)?,
            None => f.write_str(&self.kind)?,
        }
        match (&self.property, &self.value) {
            (Some(property), Some(value)) => write!(f, ": {property} = `{value}`"),
            (Some(property), None) => write!(f, ": {property}"),
            _ => Ok(()),
        }
    }
}

/// A row that was not surely written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed<T = ()> {
    /// The row.
    pub row: Row<T>,
    /// What became of it.
    pub fate: Fate,
    /// Why; empty where [`Report::stopped`] says it.
    pub problems: Vec<Problem>,
}

/// A row that was written without some of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut<T = ()> {
    /// The row.
    pub row: Row<T>,
    /// The values, and what is wrong with them.
    pub problems: Vec<Problem>,
}

/// What became of all rows: each was written, or is in [`failed`](Self::failed).
#[derive(Debug)]
#[non_exhaustive]
pub struct Report<T = ()> {
    /// Rows that were given.
    pub rows: u64,
    /// Rows that were written; with [`failed`](Self::failed) these are all.
    pub written: u64,
    /// Records that HubSpot counts as made.
    pub created: u64,
    /// Records that HubSpot counts as changed.
    pub updated: u64,
    /// Rows that were not surely written, in no order.
    pub failed: Vec<Failed<T>>,
    /// Rows that were written without some of their values.
    pub left_out: Vec<LeftOut<T>>,
    /// Ids of the imports, for whoever looks into HubSpot.
    pub imports: Vec<String>,
    /// What does not add up.
    pub notes: Vec<String>,
    /// Why not everything was sent or followed to its end.
    pub stopped: Option<hubspot_client::Error>,
}

/// How the import of a file ended.
pub(super) enum End {
    /// HubSpot has done what it will do.
    Over(Import, Vec<ImportError>),
    /// It was not started.
    NotSent(hubspot_client::Error),
    /// It was started, or may have been, and then HubSpot could not be asked.
    Lost(Option<Import>, hubspot_client::Error),
}

impl<T> Default for Report<T> {
    fn default() -> Self {
        Self {
            rows: 0,
            written: 0,
            created: 0,
            updated: 0,
            failed: Vec::new(),
            left_out: Vec::new(),
            imports: Vec::new(),
            notes: Vec::new(),
            stopped: None,
        }
    }
}

impl<T> Report<T> {
    pub(super) fn fail(&mut self, row: Row<T>, fate: Fate, problems: Vec<Problem>) {
        self.failed.push(Failed { row, fate, problems });
    }

    pub(super) fn not_sent(&mut self, file: File<T>) {
        for row in file.into_rows() {
            self.fail(row, Fate::NotSent, Vec::new());
        }
    }

    /// Notes what became of the rows of a file.
    pub(super) fn settle(&mut self, file: File<T>, name: &str, end: End) {
        match end {
            End::Over(import, errors) => self.over(file, &import, &errors),
            End::NotSent(error) => {
                self.stopped = Some(error);
                self.not_sent(file);
            }
            End::Lost(import, error) => {
                self.stopped = Some(error);
                self.notes.push(match &import {
                    Some(import) => format!("import {}, `{name}`, was started and may go on", import.id),
                    None => format!(
                        "an import `{name}` may have been started; look whether HubSpot has it before its rows are sent again"
                    ),
                });
                self.imports.extend(import.map(|import| import.id));
                for row in file.into_rows() {
                    self.fail(row, Fate::Unknown, Vec::new());
                }
            }
        }
    }

    fn over(&mut self, file: File<T>, import: &Import, errors: &[ImportError]) {
        self.imports.push(import.id.clone());
        self.created += import.created();
        self.updated += import.updated();
        let mut found = Found::among(errors, &file, import);
        self.notes.append(&mut found.strays);
        let (before, counted) = (self.written, import.created() + import.updated());
        for (place, row) in file.into_rows().into_iter().enumerate() {
            let (problems, refused) = found.rows.remove(&place).unwrap_or_default();
            match (&import.state, refused) {
                (_, true) => self.fail(row, Fate::Refused, problems),
                (ImportState::Done, false) => {
                    self.written += 1;
                    if !problems.is_empty() {
                        self.left_out.push(LeftOut { row, problems });
                    }
                }
                // An import that gave up has written some rows, unless it has written none.
                (_, false) => {
                    let fate = if counted == 0 {
                        Fate::Refused
                    } else {
                        Fate::Unknown
                    };
                    self.fail(row, fate, found.whole.clone());
                }
            }
        }
        let written = self.written - before;
        if import.state == ImportState::Done && counted != written {
            self.notes.push(format!(
                "import {}: {written} rows are without an error that refuses them, and HubSpot counts {counted} records \
                 made or changed",
                import.id
            ));
        }
    }
}

/// The errors of an import, by what they are about.
struct Found {
    /// Of each row, and whether it was refused.
    rows: BTreeMap<usize, (Vec<Problem>, bool)>,
    /// Of the whole file.
    whole: Vec<Problem>,
    /// Of rows that the file does not have.
    strays: Vec<String>,
}

impl Found {
    fn among<T>(errors: &[ImportError], file: &File<T>, import: &Import) -> Self {
        let lines = Lines::of(file);
        let mut found = Self {
            rows: BTreeMap::new(),
            whole: Vec::new(),
            strays: Vec::new(),
        };
        for error in errors {
            match lines.row(error) {
                _ if error.line() == 0 => found.whole.push(Problem::of(error, file, None)),
                Some(place) => {
                    let (problems, refused) = found.rows.entry(place).or_default();
                    problems.push(Problem::of(error, file, Some(&file.rows()[place])));
                    *refused |= !error.leaves_out_a_value();
                }
                None => found.strays.push(format!(
                    "import {}: an error of line {}, which the file does not have: {}",
                    import.id,
                    error.line(),
                    Problem::of(error, file, None)
                )),
            }
        }
        if found.whole.is_empty() {
            let message = format!("the import {} ended as {:?}", import.id, import.state);
            found.whole.push(Problem::of_row("IMPORT_ENDED", message));
        } else if import.state == ImportState::Done {
            let told = found.whole.iter();
            found
                .strays
                .extend(told.map(|problem| format!("import {}: {problem}", import.id)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn file(rows: u64) -> File<()> {
        let mut file = File::default();
        for line in 1..=rows {
            let values = vec![("email".to_owned(), format!("{line}@x.example"))];
            let origin = ();
            file.add(Row { line, origin, values }, None);
        }
        file
    }

    fn end(state: &str, written: u64, errors: &[(u64, &str)]) -> End {
        let import =
            json!({"id": "7", "state": state, "metadata": {"counters": {"CREATED_OBJECTS": written}}});
        let error = |(line, kind): &(u64, &str)| -> Value {
            json!({"errorType": kind, "knownColumnNumber": 0, "sourceData": {"lineNumber": line}})
        };
        let read = |error| serde_json::from_value(error).expect("an error");
        let errors = errors.iter().map(error).map(read).collect();
        End::Over(serde_json::from_value(import).expect("an import"), errors)
    }

    fn settled(rows: u64, end: End) -> Report {
        let mut report = Report {
            rows,
            ..Report::default()
        };
        report.settle(file(rows), "spring (1)", end);
        report
    }

    fn failed(report: &Report) -> Vec<(u64, Fate)> {
        let failed = report.failed.iter();
        failed.map(|failed| (failed.row.line, failed.fate)).collect()
    }

    #[test]
    fn a_row_is_written_left_out_of_or_refused() {
        let errors = [
            (3, "COULD_NOT_PARSE_DATE"),
            (4, "INVALID_EMAIL"),
            (4, "COULD_NOT_PARSE_DATE"),
        ];
        let report = settled(4, end("DONE", 3, &errors));
        assert_eq!(failed(&report), [(3, Fate::Refused)]);
        assert_eq!(report.failed[0].problems.len(), 2);
        assert_eq!(
            report.failed[0].problems[0].to_string(),
            "INVALID_EMAIL: email = `3@x.example`"
        );
        assert_eq!((report.written, report.left_out[0].row.line), (3, 2));
        assert!(report.notes.is_empty(), "{:?}", report.notes);
    }

    #[test]
    fn long_values_are_cut() {
        let mut file = File::default();
        let values = vec![("note".to_owned(), "é".repeat(500))];
        let origin = ();
        file.add(
            Row {
                line: 1,
                origin,
                values,
            },
            None,
        );
        let mut report = Report::default();
        report.settle(file, "spring (1)", end("DONE", 0, &[(2, "TOO_LONG")]));
        let told = report.failed[0].problems[0].to_string();
        assert!(told.contains("… (500 characters)") && told.len() < 400, "{told}");
    }

    #[test]
    fn what_does_not_add_up_is_told() {
        let report = settled(2, end("DONE", 1, &[]));
        assert!(report.notes[0].contains("2 rows") && report.notes[0].contains("counts 1"));
        let report = settled(2, end("DONE", 2, &[(9, "INVALID_EMAIL")]));
        assert!(report.notes[0].contains("line 9"), "{:?}", report.notes);
        let report = settled(2, end("DONE", 2, &[(0, "LIMIT_EXCEEDED")]));
        assert!(report.notes[0].contains("LIMIT_EXCEEDED"), "{:?}", report.notes);
    }

    #[test]
    fn an_import_that_gave_up_has_written_nothing_or_nobody_knows_what() {
        let report = settled(2, end("FAILED", 0, &[(0, "PROPERTY_DEFINITION_NOT_FOUND")]));
        assert_eq!(failed(&report), [(1, Fate::Refused), (2, Fate::Refused)]);
        assert_eq!(report.failed[0].problems[0].kind, "PROPERTY_DEFINITION_NOT_FOUND");
        let report = settled(2, end("CANCELED", 1, &[]));
        assert_eq!(failed(&report), [(1, Fate::Unknown), (2, Fate::Unknown)]);
        assert_eq!(report.failed[0].problems[0].kind, "IMPORT_ENDED");
    }

    #[test]
    fn what_was_not_sent_and_what_was_lost_are_told_apart() {
        let error = || hubspot_client::Error::Invalid("x".to_owned());
        let report = settled(1, End::NotSent(error()));
        assert_eq!(
            (failed(&report), report.imports.len()),
            (vec![(1, Fate::NotSent)], 0)
        );
        let report = settled(1, End::Lost(None, error()));
        assert_eq!(failed(&report), [(1, Fate::Unknown)]);
        assert!(report.notes[0].starts_with("an import `spring (1)` may have been started;"));
        assert!(report.stopped.is_some() && report.written == 0);
    }
}
