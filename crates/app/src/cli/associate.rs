//! `spoke associate`: pairs of records, and the labels that they may have.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Asked, Confirmed};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    override_usage = "spoke associate FROM_OBJECT FROM_ID TO_OBJECT TO_ID [--label LABEL|--type ID] [--remove]\n       \
                      spoke associate FROM_OBJECT TO_OBJECT --from FILE|- [OPTIONS]\n       \
                      spoke associate labels FROM_OBJECT TO_OBJECT",
    after_help = "Example: spoke associate contacts ada@example.com companies example.com --from-by email --to-by domain\n\n\
                  A file is CSV with a header, or JSON lines: from_id, to_id and, if wanted, type_id (with its category) or label."
)]
pub(crate) struct Associate {
    #[command(subcommand)]
    pub(crate) command: Option<AssociateCommand>,
    /// FROM_OBJECT FROM_ID TO_OBJECT TO_ID; with --from, FROM_OBJECT TO_OBJECT
    #[arg(value_name = "RECORDS", num_args = 2..=4, required = true)]
    pub(crate) records: Vec<String>,
    /// The label of the association, such as `Primary` [default: the unlabelled one]
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Option<String>,
    /// The number of the type of association, instead of a label
    #[arg(long = "type", value_name = "ID", conflicts_with = "label")]
    pub(crate) type_id: Option<u64>,
    /// The category of the number, such as `USER_DEFINED`, where two types share it
    #[arg(long, value_name = "CATEGORY", requires = "type_id")]
    pub(crate) category: Option<String>,
    /// End the association: all that is between the records, or the label alone if one is given
    #[arg(long)]
    pub(crate) remove: bool,
    /// The first records are named by this property, such as `email`
    #[arg(long, value_name = "PROP")]
    pub(crate) from_by: Option<String>,
    /// The second records are named by this property, such as `domain`
    #[arg(long, value_name = "PROP")]
    pub(crate) to_by: Option<String>,
    /// Many pairs, from a file of CSV or JSON lines; `-` is standard input
    #[arg(long, value_name = "FILE|-")]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AssociateCommand {
    /// The labels that associations of two object types may have
    Labels(Labels),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Labels {
    #[command(subcommand)]
    pub(crate) command: Option<LabelCommand>,
    /// Object type that the direction begins at
    #[arg(required = true)]
    pub(crate) from: Option<String>,
    /// The other object type
    #[arg(required = true)]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelCommand {
    /// Make a label
    Create(LabelCreate),
    /// Name a label anew
    Update(LabelUpdate),
    /// Delete a label; records that have it stay associated, without it
    Delete(LabelDelete),
}

#[derive(Debug, Args)]
pub(crate) struct LabelCreate {
    /// Object type that the direction begins at
    pub(crate) from: String,
    /// The other object type
    pub(crate) to: String,
    /// What people see, such as `Manager`
    pub(crate) label: String,
    /// What people see in the other direction, such as `Reports to` [default: the same]
    #[arg(long, value_name = "LABEL")]
    pub(crate) inverse: Option<String>,
    /// Its internal name [default: made from the label]
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct LabelUpdate {
    /// Object type that the direction begins at
    pub(crate) from: String,
    /// The other object type
    pub(crate) to: String,
    /// The label's number in this direction
    pub(crate) type_id: u64,
    /// What people see from now on
    pub(crate) label: String,
    /// What people see in the other direction from now on
    #[arg(long, value_name = "LABEL")]
    pub(crate) inverse: Option<String>,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct LabelDelete {
    /// Object type that the direction begins at
    pub(crate) from: String,
    /// The other object type
    pub(crate) to: String,
    /// The label's number in this direction
    pub(crate) type_id: u64,
    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
    #[command(flatten)]
    pub(crate) asked: Asked,
}
