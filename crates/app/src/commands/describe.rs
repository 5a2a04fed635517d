//! `spoke describe`: the properties of an object type.

use std::borrow::Cow;

use hubspot_client::{Client, Property};
use hubspot_connector::objects::{self, ObjectType};

use crate::cli::Describe;
use crate::compose;
use crate::exit::Outcome;
use crate::printer;

/// Prints what every property means, holds and allows.
pub(crate) async fn run(arguments: Describe) -> Outcome {
    let client = compose::one_shot(&arguments.target)?;
    let object = resolve(&client, &arguments.object).await?;
    let properties = client.properties(object.path_name()).await?;
    if arguments.json {
        return printer::json(&properties);
    }
    printer::table(
        &["property", "type", "label", "options", "rules"],
        properties.iter().map(row),
    );
    Ok(())
}

/// The object type called `name`: a standard one, or else a custom one of the account.
pub(super) async fn resolve(client: &Client, name: &str) -> Outcome<Cow<'static, ObjectType>> {
    if let Ok(object) = objects::resolve(name) {
        return Ok(Cow::Borrowed(object));
    }
    let custom: Vec<_> = client.schemas().await?.iter().map(ObjectType::custom).collect();
    let all: Vec<_> = objects::STANDARD.iter().chain(&custom).collect();
    let found = objects::resolve_among(all, name).map_err(opencdc::Error::from)?;
    Ok(Cow::Owned(found.clone()))
}

fn row(property: &Property) -> Vec<String> {
    let kind = match property.options.is_empty() {
        true => property.type_.clone(),
        false => format!("{} ({})", property.type_, property.field_type),
    };
    vec![
        property.name.clone(),
        kind,
        property.label.clone(),
        options(property),
        rules(property),
    ]
}

/// The internal values, which are what records hold; labels are refused in writes (hubspot-api notes §7).
fn options(property: &Property) -> String {
    const SHOWN: usize = 4;
    let values: Vec<_> = property
        .options
        .iter()
        .take(SHOWN)
        .map(|option| option.value.as_str())
        .collect();
    let more = property.options.len().saturating_sub(SHOWN);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", values.join(", "))
}

fn rules(property: &Property) -> String {
    let rules = [
        (property.is_read_only(), "read-only"),
        (property.calculated, "calculated"),
        (property.has_unique_value, "unique"),
        (property.hidden, "hidden"),
    ];
    let named: Vec<_> = rules
        .iter()
        .filter(|(holds, _)| *holds)
        .map(|(_, name)| *name)
        .collect();
    named.join(", ")
}
