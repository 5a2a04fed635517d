//! `spoke property`: properties and their groups.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Asked, Confirmed, FromFile};
use crate::actions::OptionInput;

#[derive(Debug, Subcommand)]
pub(crate) enum PropertyCommand {
    /// List the properties of an object type
    List(PropertyList),
    /// Show one property in full
    Show(PropertyShow),
    /// Make a property, or several from a file
    #[command(
        after_help = "Example: spoke property create contacts favourite_food --group contactinformation \\\n             \
                            --type enumeration --option rice=Rice --option bread=Bread"
    )]
    Create(PropertyCreate),
    /// Change a property; what is not named stays
    Update(PropertyUpdate),
    /// Put a property into the recycle bin, with its values; HubSpot's settings bring it back within 90 days
    Archive(PropertyArchive),
    /// Groups of properties
    #[command(subcommand)]
    Group(GroupCommand),
}

#[derive(Debug, Args)]
pub(crate) struct PropertyList {
    /// Object type
    pub(crate) object: String,
    /// Those in the recycle bin instead of the live ones
    #[arg(long)]
    pub(crate) archived: bool,
    /// Only those that the account made, not those that come with HubSpot
    #[arg(long)]
    pub(crate) custom: bool,
    /// Only those of this group
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct PropertyShow {
    /// Object type
    pub(crate) object: String,
    /// The property's internal name
    pub(crate) property: String,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct PropertyCreate {
    /// Object type
    pub(crate) object: String,
    /// Its internal name: lower-case letters, digits and `_` [default: what the file says]
    #[arg(value_name = "NAME", required_unless_present = "from")]
    pub(crate) property: Option<String>,
    #[command(flatten)]
    pub(crate) from: FromFile,
    #[command(flatten)]
    pub(crate) flags: PropertyFlags,
    /// No two records may have the same value; for ever
    #[arg(long)]
    pub(crate) unique: bool,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct PropertyUpdate {
    /// Object type
    pub(crate) object: String,
    /// The property's internal name
    pub(crate) property: String,
    #[command(flatten)]
    pub(crate) from: FromFile,
    #[command(flatten)]
    pub(crate) flags: PropertyFlags,
    /// A value that may be chosen besides those there are; may be repeated. `--option` replaces them all
    #[arg(long, value_name = "VALUE=LABEL", value_parser = option)]
    pub(crate) add_option: Vec<OptionInput>,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct PropertyArchive {
    /// Object type
    pub(crate) object: String,
    /// The property's internal name
    pub(crate) property: String,
    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// What may be said of a property; the names are those of the action's input.
#[derive(Debug, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PropertyFlags {
    /// What people see; of a new one, its name when left out
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// string, number, date, datetime, bool, enumeration or phone_number; of a new one, string when left out
    #[arg(long = "type", value_name = "TYPE")]
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    value_type: Option<String>,
    /// How forms show it, such as text, textarea, select, checkbox; of a new one, the usual one of the type when left out
    #[arg(long, value_name = "TYPE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    field_type: Option<String>,
    /// The group it is shown in
    #[arg(long, value_name = "GROUP")]
    #[serde(rename = "groupName", skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// A value that may be chosen and what people see; may be repeated
    #[arg(long = "option", value_name = "VALUE=LABEL", value_parser = option)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<OptionInput>,
    /// Its place among others; -1: behind them
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    display_order: Option<i64>,
    /// Whether people do not see it
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<bool>,
    /// Whether forms may have it
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    form_field: Option<bool>,
}

/// `VALUE=LABEL`, or a value that is its own label.
fn option(text: &str) -> Result<OptionInput, String> {
    let (value, label) = match text.split_once('=') {
        Some((value, label)) => (value, Some(label)),
        None => (text, None),
    };
    if value.is_empty() || label.is_some_and(str::is_empty) {
        return Err("write `VALUE=LABEL`, such as `rice=\"Fried rice\"`, or the value alone".to_owned());
    }
    Ok(OptionInput::new(value, label))
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// List the groups of properties of an object type
    List(GroupList),
    /// Make a group of properties
    Create(GroupCreate),
    /// Change a group of properties; what is not named stays
    Update(GroupUpdate),
    /// Put a group into the recycle bin; it must have no properties
    Archive(GroupArchive),
}

#[derive(Debug, Args)]
pub(crate) struct GroupList {
    /// Object type
    pub(crate) object: String,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct GroupCreate {
    /// Object type
    pub(crate) object: String,
    /// Its internal name: lower-case letters, digits and `_`
    #[arg(value_name = "NAME")]
    pub(crate) group: String,
    #[command(flatten)]
    pub(crate) flags: GroupFlags,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct GroupUpdate {
    /// Object type
    pub(crate) object: String,
    /// The group's internal name
    #[arg(value_name = "NAME")]
    pub(crate) group: String,
    #[command(flatten)]
    pub(crate) flags: GroupFlags,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct GroupArchive {
    /// Object type
    pub(crate) object: String,
    /// The group's internal name
    #[arg(value_name = "NAME")]
    pub(crate) group: String,
    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// What may be said of a group of properties.
#[derive(Debug, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupFlags {
    /// What people see; of a new one, its name when left out
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Its place among others; -1: behind them
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    display_order: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_a_value_and_a_label() {
        let pair = |text| option(text).map(|option| (option.value, option.label));
        assert_eq!(
            pair("rice=Fried=rice"),
            Ok(("rice".to_owned(), Some("Fried=rice".to_owned())))
        );
        assert_eq!(pair("rice"), Ok(("rice".to_owned(), None)));
        assert!(option("=Rice").is_err() && option("rice=").is_err());
    }
}
