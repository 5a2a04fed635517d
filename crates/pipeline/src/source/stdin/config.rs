//! What a person sets about standard input.

use opencdc::{Result, StreamName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::Columns;
use crate::source::files::{check_batch_size, check_key, comma, dialect, quote};
use crate::source::lines::{BadLines, Format};

const BATCH_SIZE: usize = 1_000;
const STREAM: &str = "stdin";

/// Rows that are piped in. They are read once: a program that is started again goes on with what it is given then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StdinSource")]
pub struct StdinConfig {
    /// `ndjson` or `csv`.
    pub format: StdinFormat,
    /// The stream that the rows belong to; `stdin` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The columns that identify a row: a name or a list of names. Whole records, as the `ndjson` destination writes
    /// them, bring their own.
    #[serde(default, skip_serializing_if = "Columns::is_empty")]
    pub key: Columns,
    /// For `csv`: what stands between two cells, one character, `\t` for a tabulator.
    #[serde(default = "comma")]
    #[schemars(extend("default" = ","))]
    pub delimiter: String,
    /// For `csv`: what stands around a cell that holds delimiters or line ends, one character.
    #[serde(default = "quote")]
    #[schemars(extend("default" = "\""))]
    pub quote: String,
    /// What to do about a line that is no row: `fail` (the default) or `skip`.
    #[serde(default)]
    pub bad_lines: BadLines,
    /// Rows a batch, at most: one that waits for more is delivered as it is.
    #[serde(default = "batch_size")]
    pub batch_size: usize,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StdinFormat {
    /// A JSON object a line.
    Ndjson,
    /// Cells, the first row with the names of the columns.
    Csv,
}

fn batch_size() -> usize {
    BATCH_SIZE
}

impl StdinConfig {
    /// Rows identified by `key`, with defaults for all else.
    pub fn new(format: StdinFormat, key: impl Into<Columns>) -> Self {
        Self {
            format,
            stream: None,
            key: key.into(),
            delimiter: comma(),
            quote: quote(),
            bad_lines: BadLines::default(),
            batch_size: BATCH_SIZE,
        }
    }

    /// Checks what can be checked before anything is read.
    pub fn validate(&self) -> Result<()> {
        check_batch_size(self.batch_size)?;
        if self.format == StdinFormat::Csv {
            check_key(&self.key)?;
        }
        self.format().map(drop)
    }

    pub(super) fn format(&self) -> Result<Format> {
        Ok(match self.format {
            StdinFormat::Ndjson => Format::Ndjson,
            StdinFormat::Csv => Format::Csv(dialect(&self.delimiter, &self.quote)?),
        })
    }

    pub(super) fn stream(&self) -> StreamName {
        self.stream.as_deref().unwrap_or(STREAM).into()
    }
}
