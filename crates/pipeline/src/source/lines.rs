//! Rows in a text, one after the other: what a file and standard input have in common.

mod csv;
mod ndjson;
mod record;

use std::io::{self, BufRead};

use bytes::Bytes;
use opencdc::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use csv::CsvDialect;
pub(super) use record::Records;

/// More than this is no row, but a file that is something else. It bounds the memory.
const LONGEST_ROW: usize = 16 << 20;

/// A batch ends with the row that makes it this long, however few rows it has. It bounds the memory.
pub(super) const FULL: usize = 4 << 20;

/// What to do about a line that is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BadLines {
    /// Stop, and name it. The rows before it are delivered.
    #[default]
    Fail,
    /// Leave it out: each is told, and they are counted.
    Skip,
}

/// How a text holds its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Format {
    Ndjson,
    Csv(CsvDialect),
}

impl Format {
    /// For positions and messages.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv(_) => "csv",
        }
    }

    /// What the names of such files end with.
    pub(super) fn endings(&self) -> &'static [&'static str] {
        match self {
            Self::Ndjson => &["ndjson", "jsonl"],
            Self::Csv(_) => &["csv", "tsv"],
        }
    }

    /// Reads a text from its beginning, or, where the format has a header, from behind it.
    pub(super) fn decoder(&self) -> Box<dyn Decoder> {
        match self {
            Self::Ndjson => Box::new(ndjson::Lines),
            Self::Csv(dialect) => Box::new(csv::Rows::new(*dialect)),
        }
    }

    /// Whether a value's type must be guessed from its text.
    fn is_untyped(&self) -> bool {
        matches!(self, Self::Csv(_))
    }

    /// Whether each text begins with the names of its columns.
    pub(super) fn has_header(&self) -> bool {
        matches!(self, Self::Csv(_))
    }
}

/// Takes a text apart.
pub(super) trait Decoder: Send {
    /// The next piece; none at the end. After a piece that has no end ([`Piece::ended`]) nothing more is asked for.
    fn next(&mut self, input: &mut dyn BufRead) -> io::Result<Option<Piece>>;
}

/// A line, or several that belong together.
#[derive(Debug)]
pub(super) struct Piece {
    /// Its length, its line end included.
    pub(super) bytes: u64,
    pub(super) lines: u64,
    /// Whether it had a line end. Otherwise somebody may still be writing it.
    pub(super) ended: bool,
    pub(super) content: Content,
}

/// What a piece holds.
#[derive(Debug, PartialEq)]
pub(super) enum Content {
    /// No row: a blank line, a header.
    Nothing,
    /// A row as a JSON object.
    Row(Bytes),
    Bad(Problem),
}

/// Why a piece is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The line is wrong, and the next one may be right.
    Line(String),
    /// No line can be right.
    All { why: String, hint: String },
    /// It was not written to its end.
    Unfinished(String),
}

impl BadLines {
    /// What to tell of a piece that is left out; `place` says where it stands.
    pub(super) fn judge(self, problem: Problem, place: &str) -> Result<String> {
        let wrong = |kind, why: &str, hint: &str| Error::new(kind, format!("{place}: {why}")).with_hint(hint);
        match (problem, self) {
            (Problem::Line(why) | Problem::Unfinished(why), Self::Skip) => {
                Ok(format!("{place} is skipped: {why}"))
            }
            (Problem::Line(why) | Problem::Unfinished(why), Self::Fail) => {
                let hint = "correct the line, or set `bad_lines: skip` to leave such lines out";
                Err(wrong(ErrorKind::InvalidData, &why, hint))
            }
            (Problem::All { why, hint }, _) => Err(wrong(ErrorKind::Configuration, &why, &hint)),
        }
    }
}

impl Problem {
    fn line(why: impl Into<String>) -> Self {
        Self::Line(why.into())
    }
}

/// The mark that some programs put before a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether the text begins as one in UTF-16 does, which would otherwise be refused line by line.
fn is_utf16(text: &[u8]) -> bool {
    text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff")
}

fn not_utf8(text: &[u8]) -> Problem {
    if is_utf16(text) {
        return Problem::All {
            why: "the text is in UTF-16".to_owned(),
            hint: "save it as UTF-8, or convert it: `iconv -f UTF-16 -t UTF-8`".to_owned(),
        };
    }
    Problem::line("it is not in UTF-8; `iconv -f WINDOWS-1252 -t UTF-8` converts what older programs write")
}

fn too_long() -> Problem {
    Problem::All {
        why: format!("a row is longer than {} MiB", LONGEST_ROW >> 20),
        hint: "is a quote missing, or is the file something else?".to_owned(),
    }
}
