//! `spoke schema`: custom objects.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Asked, Confirmed, FromFile};

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// List the custom objects of the account
    List(SchemaList),
    /// Show a custom object: labels, properties, what it may be associated with
    Show(SchemaShow),
    /// Make a custom object
    #[command(
        after_help = "Example: spoke schema create car --property vin:string:VIN --property doors:number \\\n             \
                            --required vin --searchable vin --associate contacts,companies"
    )]
    Create(SchemaCreate),
    /// Change a custom object; what is not named stays
    Update(SchemaUpdate),
    /// Put a custom object into the recycle bin; it must have no records
    Archive(SchemaArchive),
    /// Let records of a custom object be associated with those of another object type
    Associate(SchemaAssociate),
}

#[derive(Debug, Args)]
pub(crate) struct SchemaList {
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaShow {
    /// The custom object's name or type id
    pub(crate) object: String,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaCreate {
    /// Its internal name, for ever: letters, digits and `_` [default: what the file says]
    #[arg(value_name = "NAME", required_unless_present = "from")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) from: FromFile,
    /// A property: its name, its type and what people see; may be repeated
    #[arg(long = "property", value_name = "NAME[:TYPE[:LABEL]]", value_parser = property)]
    pub(crate) properties: Vec<NamedProperty>,
    /// Object types that its records may be associated with, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "OBJECT,…")]
    pub(crate) associate: Vec<String>,
    #[command(flatten)]
    pub(crate) flags: SchemaFlags,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaUpdate {
    /// The custom object's name or type id
    pub(crate) object: String,
    #[command(flatten)]
    pub(crate) from: FromFile,
    #[command(flatten)]
    pub(crate) flags: SchemaFlags,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArchive {
    /// The custom object's name or type id
    pub(crate) object: String,
    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaAssociate {
    /// The custom object's name or type id
    pub(crate) object: String,
    /// The other object type
    pub(crate) to: String,
    /// A name for it [default: OBJECT_to_TO]
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) asked: Asked,
}

/// What may be said of a custom object.
#[derive(Debug, Args)]
pub(crate) struct SchemaFlags {
    /// What people call one record; of a new one, made from the name when left out
    #[arg(long, value_name = "TEXT")]
    pub(crate) singular: Option<String>,
    /// What people call many records; of a new one, made from the name when left out
    #[arg(long, value_name = "TEXT")]
    pub(crate) plural: Option<String>,
    /// The property that names a record; of a new one, the first when left out
    #[arg(long, value_name = "PROP")]
    pub(crate) primary: Option<String>,
    /// Properties shown below the first one, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "PROP,…")]
    pub(crate) secondary: Vec<String>,
    /// Properties without which no record can be made, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "PROP,…")]
    pub(crate) required: Vec<String>,
    /// Properties that a search's text looks in, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "PROP,…")]
    pub(crate) searchable: Vec<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
}

/// A property in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NamedProperty {
    name: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    value_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
}

/// `NAME`, `NAME:TYPE` or `NAME:TYPE:LABEL`.
fn property(text: &str) -> Result<NamedProperty, String> {
    let mut parts = text.splitn(3, ':').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let mut given = || parts.next().map(str::to_owned).filter(|part| !part.is_empty());
    let (value_type, label) = (given(), given());
    if name.is_empty() {
        return Err(
            "write `NAME`, `NAME:TYPE` or `NAME:TYPE:LABEL`, such as `doors:number:Doors`".to_owned(),
        );
    }
    Ok(NamedProperty {
        name: name.to_owned(),
        value_type,
        label,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_in_short_may_have_a_type_and_a_label() {
        let json = |text| serde_json::to_value(property(text).unwrap()).unwrap();
        assert_eq!(json("vin"), serde_json::json!({"name": "vin"}));
        assert_eq!(
            json("vin::VIN: number"),
            serde_json::json!({"name": "vin", "label": "VIN: number"})
        );
        assert_eq!(
            json("doors:number"),
            serde_json::json!({"name": "doors", "type": "number"})
        );
        assert!(property(":number").is_err());
    }
}
