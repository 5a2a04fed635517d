//! Commands that ask an account one thing.

use clap::Args;

use super::{Target, pair};

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("which").required(true).args(["id", "by"])))]
pub(crate) struct Get {
    /// Object type: `contacts`, `contact`, `0-1`, a custom object's name
    pub(crate) object: String,
    /// The record's id
    pub(crate) id: Option<String>,
    /// A unique property and its value, such as `email=ada@example.com`
    #[arg(long, value_name = "PROP=VALUE", value_parser = pair)]
    pub(crate) by: Option<(String, String)>,
    /// Only these properties, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "PROP,…")]
    pub(crate) properties: Vec<String>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
