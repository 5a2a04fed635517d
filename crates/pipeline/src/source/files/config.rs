//! What a person sets about files of rows.

use std::path::PathBuf;
use std::time::Duration;

use opencdc::{Error, ErrorKind, Result, StreamName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::Columns;
use crate::source::lines::{BadLines, CsvDialect, Format};

/// Ten calls of a service that takes a hundred records a call.
const BATCH_SIZE: usize = 1_000;
/// A look at a file costs nothing.
const POLL: Duration = Duration::from_secs(2);

/// Files of JSON lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NdjsonSource")]
pub struct NdjsonConfig {
    /// A file, a folder (its `*.ndjson` and `*.jsonl`), or a pattern such as `exports/contacts-*.ndjson`. A line is a
    /// JSON object: a plain row, or a whole record as the `ndjson` destination writes it.
    pub path: PathBuf,
    /// The stream that plain rows belong to; each file's name without its ending when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The fields that identify a plain row: a name or a list of names. Whole records bring their own key.
    #[serde(default, skip_serializing_if = "Columns::is_empty")]
    pub key: Columns,
    /// What to do about a line that is no row: `fail` (the default) or `skip`.
    #[serde(default)]
    pub bad_lines: BadLines,
    /// How often to look for appended lines and new files, such as `2s`.
    #[serde(
        default = "poll",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    #[schemars(with = "String", extend("default" = "2s"))]
    pub poll: Duration,
    /// Rows a batch.
    #[serde(default = "batch_size")]
    pub batch_size: usize,
}

/// Files of cells, the first row with the names of the columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CsvSource")]
pub struct CsvConfig {
    /// A file, a folder (its `*.csv` and `*.tsv`), or a pattern such as `exports/contacts-*.csv`. In UTF-8.
    pub path: PathBuf,
    /// The stream that the rows belong to; each file's name without its ending when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The columns that identify a row: a name or a list of names.
    pub key: Columns,
    /// What stands between two cells: one character, `\t` for a tabulator.
    #[serde(default = "comma")]
    #[schemars(extend("default" = ","))]
    pub delimiter: String,
    /// What stands around a cell that holds delimiters or line ends: one character.
    #[serde(default = "quote")]
    #[schemars(extend("default" = "\""))]
    pub quote: String,
    /// What to do about a line that is no row: `fail` (the default) or `skip`.
    #[serde(default)]
    pub bad_lines: BadLines,
    /// How often to look for appended rows and new files, such as `2s`.
    #[serde(
        default = "poll",
        with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required"
    )]
    #[schemars(with = "String", extend("default" = "2s"))]
    pub poll: Duration,
    /// Rows a batch.
    #[serde(default = "batch_size")]
    pub batch_size: usize,
}

fn poll() -> Duration {
    POLL
}

fn batch_size() -> usize {
    BATCH_SIZE
}

pub(in crate::source) fn comma() -> String {
    ",".to_owned()
}

pub(in crate::source) fn quote() -> String {
    "\"".to_owned()
}

impl NdjsonConfig {
    /// Plain rows in `path`, identified by `key`, with defaults for all else.
    pub fn new(path: impl Into<PathBuf>, key: impl Into<Columns>) -> Self {
        Self {
            path: path.into(),
            stream: None,
            key: key.into(),
            bad_lines: BadLines::default(),
            poll: POLL,
            batch_size: BATCH_SIZE,
        }
    }

    /// Checks what can be checked without a look at the files.
    pub fn validate(&self) -> Result<()> {
        Files::ndjson(self).map(drop)
    }
}

impl CsvConfig {
    /// Rows in `path`, identified by `key`, with defaults for all else.
    pub fn new(path: impl Into<PathBuf>, key: impl Into<Columns>) -> Self {
        Self {
            path: path.into(),
            stream: None,
            key: key.into(),
            delimiter: comma(),
            quote: quote(),
            bad_lines: BadLines::default(),
            poll: POLL,
            batch_size: BATCH_SIZE,
        }
    }

    /// Checks what can be checked without a look at the files.
    pub fn validate(&self) -> Result<()> {
        Files::csv(self).map(drop)
    }
}

/// What both settings come to.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) format: Format,
    pub(super) path: PathBuf,
    pub(super) stream: Option<StreamName>,
    pub(super) key: Vec<String>,
    pub(super) bad_lines: BadLines,
    pub(super) poll: Duration,
    pub(super) batch_size: usize,
}

impl Files {
    pub(super) fn ndjson(config: &NdjsonConfig) -> Result<Self> {
        check_batch_size(config.batch_size)?;
        Ok(Self {
            format: Format::Ndjson,
            path: config.path.clone(),
            stream: config.stream.as_deref().map(Into::into),
            key: config.key.names().to_vec(),
            bad_lines: config.bad_lines,
            poll: config.poll,
            batch_size: config.batch_size,
        })
    }

    pub(super) fn csv(config: &CsvConfig) -> Result<Self> {
        check_batch_size(config.batch_size)?;
        check_key(&config.key)?;
        Ok(Self {
            format: Format::Csv(dialect(&config.delimiter, &config.quote)?),
            path: config.path.clone(),
            stream: config.stream.as_deref().map(Into::into),
            key: config.key.names().to_vec(),
            bad_lines: config.bad_lines,
            poll: config.poll,
            batch_size: config.batch_size,
        })
    }
}

fn wrong(what: impl Into<String>, hint: &str) -> Error {
    Error::new(ErrorKind::Configuration, what).with_hint(hint)
}

/// A key names at least one column, and none twice.
pub(in crate::source) fn check_key(key: &Columns) -> Result<()> {
    if key.is_empty() {
        return Err(wrong(
            "`key` names no column",
            "name the columns that identify a row, such as `key: id`",
        ));
    }
    let names = key.names();
    let again = names
        .iter()
        .enumerate()
        .find(|(index, name)| names[..*index].contains(name));
    match again {
        Some((_, name)) => Err(wrong(
            format!("`key` names `{name}` twice"),
            "name each column once",
        )),
        None => Ok(()),
    }
}

pub(in crate::source) fn check_batch_size(size: usize) -> Result<()> {
    /// Beyond this a batch is no longer a small part of the memory.
    const LARGEST: usize = 10_000;
    match size {
        1..=LARGEST => Ok(()),
        _ => Err(wrong(
            format!("`batch_size` is {size}"),
            "write a number from 1 to 10000",
        )),
    }
}

pub(in crate::source) fn dialect(delimiter: &str, quote: &str) -> Result<CsvDialect> {
    let dialect = CsvDialect {
        delimiter: character("delimiter", delimiter)?,
        quote: character("quote", quote)?,
    };
    match dialect.delimiter == dialect.quote {
        true => Err(wrong(
            "`delimiter` and `quote` are the same character",
            "choose two that differ",
        )),
        false => Ok(dialect),
    }
}

fn character(name: &str, text: &str) -> Result<u8> {
    let text = if text == "\\t" { "\t" } else { text };
    match text.as_bytes() {
        [byte] if !matches!(byte, b'\r' | b'\n') => Ok(*byte),
        _ => Err(wrong(
            format!("`{name}` is `{}`", text.escape_debug()),
            "write one character of ASCII, such as `,` or `;`, or `\\t` for a tabulator",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_a_key_are_enough() {
        let config: CsvConfig = serde_json::from_str(r#"{"path": "x.csv", "key": "id"}"#).unwrap();
        assert_eq!(config, CsvConfig::new("x.csv", ["id"]));
        let config: NdjsonConfig = serde_json::from_str(r#"{"path": "x.ndjson"}"#).unwrap();
        assert!(config.key.is_empty() && config.validate().is_ok());
        let text = serde_json::to_string(&CsvConfig::new("x.csv", ["id"])).unwrap();
        assert_eq!(
            serde_json::from_str::<CsvConfig>(&text).unwrap(),
            CsvConfig::new("x.csv", ["id"])
        );
    }

    #[test]
    fn what_cannot_be_right_is_refused_by_name() {
        let refused = |change: fn(&mut CsvConfig)| {
            let mut config = CsvConfig::new("x.csv", ["id"]);
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert_eq!(refused(|c| c.key = Columns::default()), "`key` names no column");
        assert_eq!(refused(|c| c.key = ["a", "a"].into()), "`key` names `a` twice");
        assert_eq!(refused(|c| c.delimiter = ";;".into()), "`delimiter` is `;;`");
        assert_eq!(refused(|c| c.quote = "€".into()), "`quote` is `€`");
        assert_eq!(
            refused(|c| c.quote = ",".into()),
            "`delimiter` and `quote` are the same character"
        );
        assert_eq!(refused(|c| c.batch_size = 0), "`batch_size` is 0");
    }

    #[test]
    fn a_tabulator_may_be_written_as_people_write_it() {
        assert_eq!(dialect("\\t", "\"").unwrap().delimiter, b'\t');
        assert_eq!(dialect("\t", "\"").unwrap().delimiter, b'\t');
    }
}
