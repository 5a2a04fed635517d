//! Commands that write records.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hubspot_connector::write::config::{LinkRule, MissingLink, MissingProperty, ReadOnly};

use super::Target;

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) what: What,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(crate) what: What,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) how: How,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) what: What,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) run: Run,
}

/// Which records.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// Object type: `contacts`, `contact`, `0-1`, a custom object's name
    pub(crate) object: String,
    /// Values such as `city=Bonn`; which record by `id=123`, or by a value of `--id-property`
    #[arg(value_name = "PROP=VALUE")]
    pub(crate) values: Vec<String>,
    /// Rows to write: a CSV file with a header, or a file of JSON lines; `-` is stdin. Columns that begin with `_` are
    /// passed over
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// The unique property that finds a record [default: `email` for contacts that have no id]
    #[arg(long, value_name = "PROP")]
    pub(crate) id_property: Option<String>,
}

/// Records by condition.
#[derive(Debug, Default, Args)]
pub(crate) struct Filter {
    /// Every record for which this holds, such as `city = 'Bonn' AND lastname IS NULL`
    #[arg(long = "where", value_name = "CONDITION", conflicts_with = "from")]
    pub(crate) condition: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

/// How values become properties.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are flags of their own, as they stand on the command line"
)]
pub(crate) struct How {
    /// Read each record before, and write only what differs
    #[arg(long)]
    pub(crate) changed_only: bool,
    /// Properties that are only filled where HubSpot has no value yet
    #[arg(long, value_name = "PROP,…", value_delimiter = ',')]
    pub(crate) set_if_empty: Vec<String>,
    /// What to do with values of properties that there are not
    #[arg(long, value_name = "POLICY", default_value = "fail")]
    pub(crate) missing_property: MissingChoice,
    /// What to do with values of read-only properties
    #[arg(long, value_name = "POLICY", default_value = "strip")]
    pub(crate) read_only: ReadOnlyChoice,
    /// Empty the property where a cell is empty, instead of leaving it alone
    #[arg(long)]
    pub(crate) clear_empty: bool,
    /// Find the property of a column whatever the case of its name
    #[arg(long)]
    pub(crate) fold_names: bool,
    /// Associate with the record that a column names: `COLUMN=OBJECT` by id, `COLUMN=OBJECT.PROP` by a unique property,
    /// either with `@LABEL`; may be repeated
    #[arg(long, value_name = "COLUMN=OBJECT", value_parser = link)]
    pub(crate) associate: Vec<LinkRule>,
    /// Write by HubSpot's imports: one upload for up to a million rows instead of a call for a hundred. HubSpot then
    /// works in its own time, and tells no ids of what it makes
    #[arg(long)]
    pub(crate) bulk: bool,
    #[command(flatten)]
    pub(crate) run: Run,
}

/// What a run does besides writing.
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "`--dry-run` is called so")]
pub(crate) struct Run {
    /// Show what would be written, record by record, after a look at what is there; write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write refused rows here, with the reason, to be mended and given to `--from` again
    /// [default: FILE.rejected.csv or .ndjson beside the input]
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum MissingChoice {
    /// Refuse the row
    Fail,
    /// Leave the values out
    Ignore,
    /// Make the properties, as texts
    Create,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ReadOnlyChoice {
    /// Leave the values out
    Strip,
    /// Refuse the row
    Fail,
}

impl From<MissingChoice> for MissingProperty {
    fn from(choice: MissingChoice) -> Self {
        match choice {
            MissingChoice::Fail => Self::Fail,
            MissingChoice::Ignore => Self::Ignore,
            MissingChoice::Create => Self::Create,
        }
    }
}

impl From<ReadOnlyChoice> for ReadOnly {
    fn from(choice: ReadOnlyChoice) -> Self {
        match choice {
            ReadOnlyChoice::Strip => Self::Strip,
            ReadOnlyChoice::Fail => Self::Fail,
        }
    }
}

/// `COLUMN=OBJECT[.PROP][@LABEL]`
fn link(text: &str) -> Result<LinkRule, String> {
    let usage = "write `COLUMN=OBJECT`, `COLUMN=OBJECT.PROP` or `COLUMN=OBJECT.PROP@LABEL`";
    let (field, other) = text.split_once('=').ok_or(usage)?;
    let (other, label) = match other.split_once('@') {
        Some((other, label)) => (other, Some(label.to_owned())),
        None => (other, None),
    };
    let (to, by) = match other.split_once('.') {
        Some((to, by)) => (to, Some(by.to_owned())),
        None => (other, None),
    };
    if field.is_empty() || to.is_empty() {
        return Err(usage.to_owned());
    }
    Ok(LinkRule {
        field: field.to_owned(),
        to: to.to_owned(),
        by,
        stream: None,
        type_id: None,
        label,
        inverse_type_id: None,
        missing: MissingLink::Fail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_association_is_named_by_column_object_property_and_label() {
        let rule = link("firm=companies.customer_no@Head office").unwrap();
        assert_eq!((rule.field.as_str(), rule.to.as_str()), ("firm", "companies"));
        assert_eq!(
            (rule.by.as_deref(), rule.label.as_deref()),
            (Some("customer_no"), Some("Head office"))
        );
        let rule = link("firm=companies").unwrap();
        assert_eq!((rule.by, rule.label), (None, None));
        assert!(link("firm").is_err() && link("=companies").is_err());
    }
}
