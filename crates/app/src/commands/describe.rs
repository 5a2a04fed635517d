//! `spoke describe`: what an object type is made of, or one property in full.

use hubspot_client::{Pipeline, Property};
use hubspot_connector::objects::{ObjectType, Required};
use serde::Serialize;

use super::objects::Facts;
use crate::actions::{GetProperty, ListProperties};
use crate::cli::Describe;
use crate::exit::Outcome;
use crate::printer;
use crate::session::Session;

/// Prints what the object type is and what every property means, holds and allows.
pub(crate) async fn run(arguments: Describe) -> Outcome {
    let session = Session::open(&arguments.target)?;
    let object = session.object(&arguments.object).await?;
    let input = |property: &str| serde_json::json!({"object": arguments.object, "name": property});
    if let Some(property) = &arguments.property {
        let property = session.run::<GetProperty>(&input(property)).await?;
        return one(&object, property, arguments.json);
    }
    let properties = session
        .run::<ListProperties>(&serde_json::json!({"object": arguments.object}))
        .await?;
    if arguments.json {
        let all = properties
            .into_iter()
            .map(|property| Described::new(&object, property));
        return printer::json(&all.collect::<Vec<_>>());
    }
    tell(&object, &Facts::with_pipelines(&session, &object).await?);
    table(&object, &properties);
    Ok(())
}

/// A property as HubSpot defines it, and what follows for writing it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    #[serde(flatten)]
    property: Property,
    read_only: bool,
    /// Whether every new record must have it.
    required_to_create: bool,
}

impl Described {
    fn new(object: &ObjectType, property: Property) -> Self {
        Self {
            read_only: property.is_read_only(),
            required_to_create: need(object, &property.name) == Some("required"),
            property,
        }
    }
}

/// Whether a new record needs this property.
fn need(object: &ObjectType, property: &str) -> Option<&'static str> {
    if !object.required.properties().contains(&property) {
        return None;
    }
    Some(match object.required {
        Required::OneOf(_) => "one required",
        _ => "required",
    })
}

/// The facts about the object type, one a line, and an empty one.
fn tell(object: &ObjectType, facts: &Facts<'_>) {
    let id = object.type_id.as_deref().unwrap_or("no type id");
    let kind = if object.is_custom() { "custom" } else { "standard" };
    let mut lines = vec![
        ("object", format!("{} ({id}), {kind}", object.name)),
        ("can", facts.can()),
        ("read scope", facts.read_scope.clone()),
        (
            "write scope",
            facts
                .write_scope
                .clone()
                .unwrap_or_else(|| "cannot be written".to_owned()),
        ),
        ("a new one needs", facts.required.clone()),
    ];
    let pipelines = facts.pipelines.iter().flatten();
    lines.extend(
        pipelines
            .enumerate()
            .map(|(n, pipeline)| ("pipeline", stages(n, pipeline))),
    );
    for (name, text) in lines {
        printer::data(&format!("{name:<16} {text}"));
    }
    printer::data("");
}

/// A pipeline and its stages by id, which is what records hold. HubSpot takes the first one when none is named
/// (believed; of tickets it is documented).
fn stages(n: usize, pipeline: &Pipeline) -> String {
    let stages: Vec<_> = pipeline
        .stages
        .iter()
        .map(|stage| format!("{} ({})", stage.id, stage.label))
        .collect();
    let first = if n == 0 { ", the default" } else { "" };
    format!(
        "{} ({}{first}): {}",
        pipeline.id,
        pipeline.label,
        stages.join(", ")
    )
}

/// The properties, a line each.
pub(super) fn table(object: &ObjectType, properties: &[Property]) {
    printer::table(
        &["property", "type", "label", "options", "rules"],
        properties.iter().map(|property| row(object, property)),
    );
}

fn row(object: &ObjectType, property: &Property) -> Vec<String> {
    let kind = match property.options.is_empty() {
        true => property.type_.clone(),
        false => format!("{} ({})", property.type_, property.field_type),
    };
    vec![
        property.name.clone(),
        kind,
        property.label.clone(),
        options(property),
        rules(object, property),
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

fn rules(object: &ObjectType, property: &Property) -> String {
    let rules = [
        (property.is_read_only(), "read-only"),
        (property.calculated, "calculated"),
        (property.has_unique_value, "unique"),
        (property.hidden, "hidden"),
    ];
    let named = rules.iter().filter(|(holds, _)| *holds).map(|(_, name)| *name);
    let named: Vec<_> = need(object, &property.name).into_iter().chain(named).collect();
    named.join(", ")
}

/// One property: all that is known of it.
pub(super) fn one(object: &ObjectType, property: Property, json: bool) -> Outcome {
    if json {
        return printer::json(&Described::new(object, property));
    }
    let made = if property.hubspot_defined {
        "by HubSpot"
    } else {
        "in this account"
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let facts = [
        ("property", property.name.clone()),
        ("label", property.label.clone()),
        ("type", format!("{} ({})", property.type_, property.field_type)),
        ("group", property.group_name.clone()),
        ("rules", rules(object, &property)),
        ("description", property.description.clone()),
        ("formula", text(&property.calculation_formula)),
        ("an id of", text(&property.referenced_object_type)),
        ("currency in", text(&property.currency_property_name)),
        ("sensitivity", text(&property.data_sensitivity)),
        ("made", made.to_owned()),
        ("made at", text(&property.created_at)),
        ("changed at", text(&property.updated_at)),
    ];
    for (name, text) in facts.iter().filter(|(_, text)| !text.is_empty()) {
        printer::data(&format!("{name:<12} {text}"));
    }
    if !property.options.is_empty() {
        printer::data("");
        let row = |option: &hubspot_client::PropertyOption| {
            let hidden = if option.hidden { "hidden" } else { "" };
            vec![option.value.clone(), option.label.clone(), hidden.to_owned()]
        };
        printer::table(&["value", "label", "rules"], property.options.iter().map(row));
    }
    Ok(())
}
