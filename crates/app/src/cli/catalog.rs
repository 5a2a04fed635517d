//! Commands about what an account has: its object types.

use clap::Args;

use super::{Asked, Target};

#[derive(Debug, Args)]
pub(crate) struct Objects {
    /// Only these object types, with more about them in JSON [default: all]
    #[arg(value_name = "OBJECT")]
    pub(crate) only: Vec<String>,
    /// Also the tables of associations (`contacts_companies`) and the streams that are no objects (`owners`)
    #[arg(long, conflicts_with = "only")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// Object type: `contacts`, `contact`, `0-1`, a custom object's name
    pub(crate) object: String,
    /// One property, in full
    pub(crate) property: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// Print JSON: the properties (of the object itself, `spoke objects OBJECT --json` tells more)
    #[arg(long)]
    pub(crate) json: bool,
}
