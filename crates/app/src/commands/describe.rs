//! `spoke describe`: the properties of an object type.

use hubspot_client::Property;

use crate::cli::Describe;
use crate::exit::Outcome;
use crate::printer;
use crate::session::Session;

/// Prints what every property means, holds and allows.
pub(crate) async fn run(arguments: Describe) -> Outcome {
    let session = Session::open(&arguments.target)?;
    let object = session.object(&arguments.object).await?;
    let properties = session.client.properties(object.path_name()).await?;
    if arguments.json {
        return printer::json(&properties);
    }
    printer::table(
        &["property", "type", "label", "options", "rules"],
        properties.iter().map(row),
    );
    Ok(())
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
