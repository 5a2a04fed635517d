//! Commands about records that cannot be undone.

use clap::Args;

use super::{Asked, Confirmed, pair};

#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// Object type: `contacts`, `companies`, `deals`, `tickets`, a custom object's name
    pub(crate) object: String,
    /// The id of the record whose values go before
    pub(crate) primary: String,
    /// The id of the record that becomes part of it
    pub(crate) other: String,
    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
#[command(
    group(clap::ArgGroup::new("whom").required(true).args(["id", "by"])),
    override_usage = "spoke gdpr-delete <OBJECT> <ID|--by PROP=VALUE> [OPTIONS]"
)]
pub(crate) struct GdprDelete {
    /// Object type: `contacts`
    pub(crate) object: String,
    /// The contact's id
    pub(crate) id: Option<String>,
    /// A unique property and its value, such as `email=ada@example.com`; an address that no contact has is put on a
    /// blocklist
    #[arg(long, value_name = "PROP=VALUE", value_parser = pair)]
    pub(crate) by: Option<(String, String)>,
    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
    #[command(flatten)]
    pub(crate) asked: Asked,
}
