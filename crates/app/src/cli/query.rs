//! The command line of `spoke query`.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Target, duration};

/// Ask live records, in SQL or by an object and its conditions.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  spoke query deals --where \"amount > 100 AND dealstage = 'closedwon'\" --sort -amount --limit 10
  spoke query \"SELECT dealstage, count(*), sum(amount) FROM deals GROUP BY dealstage\" --format csv
  spoke query \"SELECT c.email, co.name FROM contacts c JOIN contacts_companies cc ON cc.from_id = c.id
               JOIN companies co ON co.id = cc.to_id WHERE co.domain = ?\" --param example.com

The rows are those that SQLite gives over a copy made this moment. What HubSpot's search can answer is asked of it, and
search shows a change only after a moment: `--consistent` never searches. `--explain` shows what would be asked.")]
pub(crate) struct Query {
    /// A `SELECT`, or an object type: `contacts`, `0-1`, a custom object's name, `contacts_companies`, `owners`
    #[arg(value_name = "SQL|OBJECT")]
    pub(crate) question: String,
    /// Condition in SQL; texts in single or double quotes
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: Option<String>,
    /// Columns, separated by commas; `*` for all [default: the id and what HubSpot itself shows]
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,…")]
    pub(crate) select: Vec<String>,
    /// Columns to sort by, separated by commas; `-COLUMN` from the greatest down
    #[arg(
        long,
        value_delimiter = ',',
        allow_hyphen_values = true,
        value_name = "COLUMN,…"
    )]
    pub(crate) sort: Vec<String>,
    /// Number of rows
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Value of the next `?`; may be repeated
    #[arg(long = "param", allow_hyphen_values = true, value_name = "VALUE")]
    pub(crate) parameters: Vec<String>,
    /// How to print the rows
    #[arg(long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) format: Format,
    /// Print JSON: the same as `--format json`; with `--explain`, what would be asked as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Show what would be asked of HubSpot, and ask for nothing but definitions
    #[arg(long)]
    pub(crate) explain: bool,
    /// Never use search, which shows a change only after a moment: read by id, or everything
    #[arg(long)]
    pub(crate) consistent: bool,
    /// How long it may take
    #[arg(long, default_value = "180s", value_parser = duration, value_name = "DURATION")]
    pub(crate) timeout: Duration,
    /// How many rows to print; 0 is all [default: 1000 in a table, else all]
    #[arg(long, value_name = "N")]
    pub(crate) max_rows: Option<usize>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people
    Table,
    /// One array of objects
    Json,
    /// An object a line, as soon as it is known
    Ndjson,
    /// Comma-separated, with a header
    Csv,
}
