//! `spoke objects`: what the account has to read.

use hubspot_connector::objects::ObjectType;
use serde::Serialize;

use crate::cli::Discover;
use crate::exit::Outcome;
use crate::printer;
use crate::session::Session;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    name: &'a str,
    object_type_id: Option<&'a str>,
    custom: bool,
    last_modified_property: &'a str,
    read_scope: String,
}

impl<'a> From<&'a ObjectType> for Listed<'a> {
    fn from(object: &'a ObjectType) -> Self {
        Self {
            name: &object.name,
            object_type_id: object.type_id.as_deref(),
            custom: object.is_custom(),
            last_modified_property: object.last_modified,
            read_scope: object.read_scope(),
        }
    }
}

impl Listed<'_> {
    fn row(self) -> Vec<String> {
        vec![
            self.name.to_owned(),
            self.object_type_id.unwrap_or_default().to_owned(),
            if self.custom { "custom" } else { "standard" }.to_owned(),
            self.last_modified_property.to_owned(),
            self.read_scope,
        ]
    }
}

/// Lists the standard types and the account's custom ones.
pub(crate) async fn run(arguments: Discover) -> Outcome {
    let session = Session::open(&arguments.target)?;
    let all = session.objects().await?;
    let all = all.iter().map(Listed::from);
    if arguments.json {
        return printer::json(&all.collect::<Vec<_>>());
    }
    printer::table(
        &["name", "type id", "kind", "last modified", "read scope"],
        all.map(Listed::row),
    );
    Ok(())
}
