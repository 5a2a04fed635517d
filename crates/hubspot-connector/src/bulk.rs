//! Many rows by HubSpot's imports instead of one batch a hundred: files are built here, uploaded, followed to their
//! end, and every row of the input is told of (hubspot-api notes §6.2).
//!
//! | Module | Question it answers | Calls HubSpot |
//! |---|---|---|
//! | `file` | which rows go into one file, and what does it look like? | no |
//! | `lines` | which row does HubSpot mean by this line? | no |
//! | `report` | what became of each row? | no |
//! | `run` | how does an import get from its start to its end? | yes |
//!
//! Differences from batches, which come from HubSpot: an empty cell leaves a property as it is, so a row that would
//! clear one is refused here; a record may occur once in a file, so a row with the key of an earlier one waits for the
//! next file; and a value that cannot be read is left out while the rest of its row is written.

mod file;
mod lines;
mod report;
mod run;

use std::collections::HashSet;

use hubspot_client::request::imports::{Column, ImportOperation, MAX_ROWS, NewImport};
use hubspot_client::{Client, Import};
use opencdc::{Error, ErrorKind, Result};

use self::file::{File, key_of};
pub use self::report::{Failed, Fate, LeftOut, Problem, Report};
use self::run::Run;
use crate::objects::ObjectType;

/// A row of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<T = ()> {
    /// Where it stands in the input, for whoever reads the report.
    pub line: u64,
    /// What the caller wants to find again in the report, such as the row as it came.
    pub origin: T,
    /// Values by property, in the input's order. A property that is not named stays as it is.
    pub values: Vec<(String, String)>,
}

impl<T> Row<T> {
    /// The value of a property, if the row has one.
    pub fn value(&self, property: &str) -> Option<&str> {
        let found = self.values.iter().find(|(name, _)| name == property);
        found.map(|(_, value)| value.as_str())
    }
}

/// How much goes into one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimits {
    /// Rows, without the header.
    pub rows: usize,
    /// Bytes.
    pub bytes: usize,
}

impl Default for FileLimits {
    /// As many rows as HubSpot takes. Of bytes it takes 512 MB; 32 MB are in memory together with their rows, and pass a
    /// line of 10 Mbit/s before the client's clocks run out.
    fn default() -> Self {
        Self {
            rows: MAX_ROWS - 1,
            bytes: 32 << 20,
        }
    }
}

/// What is done with the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    object_type: String,
    type_id: String,
    operation: ImportOperation,
    key: Option<String>,
    limits: FileLimits,
}

impl Job {
    /// `key` is the property of the rows that records are found by: a unique one, or `hs_object_id`. Updates and upserts
    /// need one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for a type that cannot be imported, or a key that is missing.
    pub fn new(object: &ObjectType, operation: ImportOperation, key: Option<&str>) -> Result<Self> {
        let configuration = |message: String| Error::new(ErrorKind::Configuration, message);
        let type_id = object.type_id.as_deref().ok_or_else(|| {
            configuration(format!(
                "{} cannot be imported: HubSpot names no type id of them",
                object.name
            ))
            .with_hint("leave out `--bulk`")
        })?;
        if key.is_none() && operation != ImportOperation::Create {
            return Err(configuration(
                "an import that changes records needs a property to find them by".to_owned(),
            )
            .with_hint("name it with `--id-property`"));
        }
        Ok(Self {
            object_type: object.name.to_string(),
            type_id: type_id.to_owned(),
            operation,
            key: key.map(ToOwned::to_owned),
            limits: FileLimits::default(),
        })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: FileLimits) -> Self {
        Self { limits, ..self }
    }

    fn word(&self) -> &'static str {
        match self.operation {
            ImportOperation::Create => "create",
            ImportOperation::Update => "update",
            ImportOperation::Upsert => "upsert",
        }
    }

    /// Why a row cannot be imported at all.
    fn refusal<T>(&self, row: &Row<T>) -> Option<Problem> {
        if let Some(key) = &self.key
            && row.value(key).is_none_or(|value| value.trim().is_empty())
            && self.operation != ImportOperation::Create
        {
            let message = format!("the row has no `{key}` to find its record by");
            return Some(Problem::of_row("MISSING_KEY", message));
        }
        if self.operation == ImportOperation::Create {
            return None;
        }
        let (name, _) = row.values.iter().find(|(_, value)| value.trim().is_empty())?;
        let message =
            format!("an import leaves `{name}` as it is where its cell is empty; it cannot clear it");
        Some(Problem {
            property: Some(name.clone()),
            ..Problem::of_row("EMPTY_VALUE", message)
        })
    }

    fn column(&self, property: &str) -> Column {
        match &self.key {
            Some(key) if key == property && key == "hs_object_id" => Column::record_ids(),
            Some(key) if key == property => Column::unique_values(property),
            _ => Column::values(property),
        }
    }
}

/// What happens meanwhile.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An import was started, with so many rows.
    Started {
        /// The import.
        import: &'a Import,
        /// Its rows.
        rows: usize,
    },
    /// It was asked how far it is.
    Looked {
        /// The import.
        import: &'a Import,
        /// Its rows.
        rows: usize,
    },
    /// HubSpot takes no import now; it will be asked again.
    Waiting {
        /// HubSpot's reason.
        reason: &'a hubspot_client::Error,
    },
}

/// Hears of events.
pub type Observe<'a> = Box<dyn FnMut(&Event<'_>) + Send + 'a>;

/// Rows on their way into imports. Give it rows with [`push`](Self::push), then [`finish`](Self::finish) it.
pub struct Bulk<'a, T = ()> {
    client: &'a Client,
    job: Job,
    observe: Observe<'a>,
    /// What the names of this run's imports begin with. Nobody else's do.
    name: String,
    /// Files that were sent.
    files: usize,
    file: File<T>,
    /// Rows whose key an earlier row of the file has, in order.
    later: Vec<Row<T>>,
    /// Their keys: what follows with the same key must follow them.
    later_keys: HashSet<String>,
    report: Report<T>,
}

impl<T> std::fmt::Debug for Bulk<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bulk")
            .field("job", &self.job)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A key that occurs more often than this is not waited for any longer: each time costs an import.
const MOST_ROUNDS: usize = 20;

impl<'a, T> Bulk<'a, T> {
    /// Nothing is sent yet.
    pub fn new(client: &'a Client, job: Job, observe: Observe<'a>) -> Self {
        Self {
            name: run::name(&job),
            client,
            job,
            observe,
            files: 0,
            file: File::default(),
            later: Vec::new(),
            later_keys: HashSet::new(),
            report: Report::default(),
        }
    }

    /// Takes a row. When a file is full, it is imported before this returns. After an error that ends everything
    /// ([`Report::stopped`]) rows are only noted as not sent.
    pub async fn push(&mut self, row: Row<T>) {
        self.report.rows += 1;
        self.place(row).await;
    }

    /// Whether HubSpot cannot be written to any more; reading on is no use then.
    pub fn is_stopped(&self) -> bool {
        self.report.stopped.is_some()
    }

    /// Imports what is left, and tells what became of every row.
    pub async fn finish(mut self) -> Report<T> {
        self.send().await;
        for _ in 1..MOST_ROUNDS {
            if self.later.is_empty() {
                break;
            }
            self.send_later().await;
        }
        for row in std::mem::take(&mut self.later) {
            let message = format!("more than {MOST_ROUNDS} rows have this key; an import takes one");
            let problem = Problem::of_row("REPEATED_KEY", message);
            self.report.fail(row, Fate::Refused, vec![problem]);
        }
        self.report
    }

    async fn send_later(&mut self) {
        self.later_keys.clear();
        for row in std::mem::take(&mut self.later) {
            self.place(row).await;
        }
        self.send().await;
    }

    async fn place(&mut self, row: Row<T>) {
        if self.is_stopped() {
            return self.report.fail(row, Fate::NotSent, Vec::new());
        }
        if let Some(problem) = self.job.refusal(&row) {
            return self.report.fail(row, Fate::Refused, vec![problem]);
        }
        let key = key_of(&row, self.job.key.as_deref());
        if let Some(key) = &key
            && (self.file.has_key(key) || self.later_keys.contains(key))
        {
            self.later_keys.insert(key.clone());
            return self.later.push(row);
        }
        if !self.file.has_room(&row, self.job.limits) {
            self.send().await;
        }
        if self.is_stopped() {
            return self.report.fail(row, Fate::NotSent, Vec::new());
        }
        if !self.file.has_room(&row, self.job.limits) {
            let message = format!("the row is larger than {} bytes", self.job.limits.bytes);
            let problem = Problem::of_row("ROW_DATA_TOO_LARGE", message);
            return self.report.fail(row, Fate::Refused, vec![problem]);
        }
        self.file.add(row, key);
    }

    /// Imports the file, and begins a new one.
    async fn send(&mut self) {
        let file = std::mem::take(&mut self.file);
        if file.is_empty() {
            return;
        }
        if self.is_stopped() {
            return self.report.not_sent(file);
        }
        self.files += 1;
        let new = NewImport {
            name: format!("{} ({})", self.name, self.files),
            object_type_id: self.job.type_id.clone(),
            operation: self.job.operation,
            columns: file.columns().map(|name| self.job.column(name)).collect(),
            csv: file.csv().into(),
        };
        let run = Run {
            client: self.client,
            rows: file.len(),
            observe: &mut self.observe,
        };
        let end = run.finish(&new).await;
        self.report.settle(file, &new.name, end);
    }
}
