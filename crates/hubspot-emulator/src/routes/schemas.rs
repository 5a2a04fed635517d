//! `/crm-object-schemas/v3/schemas` and its dated twin: custom objects (hubspot-api notes §2.2).

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::properties::{AskedProperty, check_name, new_property, property_json};
use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::filter::Text;
use crate::state::object_type::Required;
use crate::state::portal::Portal;
use crate::state::property::Property;
use crate::state::schemas::{ALWAYS_ASSOCIATED, NewType, Schema, SchemaLink};
use crate::time::{Millis, iso};

const TOLL: Toll = Toll::General;
const ANYONE: Access = Access::Anyone;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "", TOLL, ANYONE, list),
    route(Method::POST, "", TOLL, ANYONE, create),
    route(Method::POST, "batch/read", TOLL, ANYONE, read),
    route(Method::GET, "{type}", TOLL, ANYONE, get),
    route(Method::PATCH, "{type}", TOLL, ANYONE, update),
    route(Method::DELETE, "{type}", TOLL, ANYONE, delete),
    route(Method::POST, "{type}/associations", TOLL, ANYONE, associate),
    route(
        Method::DELETE,
        "{type}/associations/{id}",
        TOLL,
        ANYONE,
        dissociate,
    ),
];

/// Properties that a search's `query` may look into.
const MOST_SEARCHED: usize = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    name: Option<String>,
    labels: AskedLabels,
    description: Option<String>,
    primary_display_property: Option<String>,
    secondary_display_properties: Option<Vec<String>>,
    required_properties: Option<Vec<String>>,
    searchable_properties: Option<Vec<String>>,
    properties: Vec<AskedProperty>,
    associated_objects: Vec<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedLabels {
    singular: Option<String>,
    plural: Option<String>,
}

fn schema_json(portal: &Portal, schema: &Schema) -> Value {
    let store = portal.store(schema.of);
    let required = match &store.object_type.required {
        Required::All(names) | Required::AnyOf(names) => names,
    };
    let shown = store.properties.iter().filter(|(_, property)| !property.archived);
    let properties: Vec<Value> = shown.map(|(_, property)| property_json(property)).collect();
    let links: Vec<Value> = schema
        .associations
        .iter()
        .map(|link| link_json(portal, link))
        .collect();
    let mut body = json!({
        "id": store.object_type.id.trim_start_matches("2-"),
        "objectTypeId": store.object_type.id,
        "fullyQualifiedName": portal.qualified_name(&schema.name),
        "name": schema.name,
        "labels": {"singular": schema.label, "plural": schema.labels},
        "requiredProperties": required,
        "searchableProperties": store.object_type.searched,
        "secondaryDisplayProperties": schema.secondary,
        "properties": properties,
        "associations": links,
        "archived": schema.archived,
        "createdAt": iso(schema.created),
        "updatedAt": iso(schema.updated),
        "allowsSensitiveProperties": false,
        "metaType": "PORTAL_SPECIFIC",
    });
    for (key, value) in [
        ("primaryDisplayProperty", &schema.primary),
        ("description", &schema.description),
    ] {
        if let Some(value) = value {
            body[key] = json!(value);
        }
    }
    body
}

fn link_json(portal: &Portal, link: &SchemaLink) -> Value {
    json!({
        "id": link.type_id.to_string(),
        "name": link.name,
        "fromObjectTypeId": portal.store(link.from).object_type.id,
        "toObjectTypeId": portal.store(link.to).object_type.id,
        "createdAt": iso(link.created),
        "updatedAt": iso(link.created),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let shown = portal
        .schemas
        .iter()
        .filter(|schema| schema.archived == call.flag("archived"));
    let results: Vec<Value> = shown.map(|schema| schema_json(&portal, schema)).collect();
    Ok(Reply::value(200, &json!({"results": results})))
}

/// The place of a schema by id, fully qualified or bare name.
fn place(portal: &Portal, name: &str) -> Result<usize, Failure> {
    let named = |schema: &Schema| {
        let id = &portal.store(schema.of).object_type.id;
        [id, &schema.name, &portal.qualified_name(&schema.name)]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    if let Some(at) = portal.schemas.iter().rposition(named) {
        return Ok(at);
    }
    if portal.type_index(name).is_ok() {
        let message = format!("The schema of {name} is not emulated; only those of custom objects are.");
        return Err(Failure::new(501, message).category("NOT_EMULATED"));
    }
    Err(Failure::unknown_type(name))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let schema = &portal.schemas[place(&portal, call.param(0))?];
    Ok(Reply::value(200, &schema_json(&portal, schema)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Batch {
    inputs: Vec<Text>,
}

/// Schemas that are not there are left out.
fn read(emulator: &Inner, call: &Call) -> Answer {
    let batch: Batch = call.json()?;
    let portal = emulator.portal();
    let named = batch.inputs.into_iter().map(Text::into_text);
    let found = named.filter_map(|name| place(&portal, &name).ok());
    let results: Vec<Value> = found
        .map(|at| schema_json(&portal, &portal.schemas[at]))
        .collect();
    let at = iso(emulator.clock.now().wall);
    let body = json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at});
    Ok(Reply::value(200, &body))
}

fn required<T>(value: Option<T>, what: &str) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::validation(format!("{what} is required")))
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    let now = emulator.clock.now().wall;
    let mut portal = emulator.portal_mut();
    let name = required(asked.name.clone(), "name")?;
    check_name(&name)?;
    if portal.type_index(&name).is_ok() {
        let message = format!("Object type {name} already exists");
        return Err(Failure::new(409, message).category("CONFLICT"));
    }
    let others: Result<Vec<usize>, Failure> = asked
        .associated_objects
        .iter()
        .map(|other| portal.type_index(&other.clone().into_text()))
        .collect();
    let (others, label) = (
        others?,
        required(asked.labels.singular.clone(), "labels.singular")?,
    );
    let labels = required(asked.labels.plural.clone(), "labels.plural")?;
    let (new, primary, secondary, description) = new_type(&name, asked, now)?;
    let of = portal.add_type(new);
    let always = ALWAYS_ASSOCIATED
        .iter()
        .filter_map(|name| portal.type_index(name).ok());
    let always: Vec<usize> = always.collect();
    let links = others.into_iter().chain(always);
    let associations = links.map(|to| portal.associate_types(of, to, now)).collect();
    let schema = Schema {
        of,
        name,
        label,
        labels,
        description,
        primary,
        secondary,
        associations,
        created: now,
        updated: now,
        archived: false,
    };
    let body = schema_json(&portal, &schema);
    portal.schemas.push(schema);
    Ok(Reply::value(201, &body))
}

type Parts = (NewType, Option<String>, Vec<String>, Option<String>);

fn new_type(name: &str, asked: Asked, now: Millis) -> Result<Parts, Failure> {
    let group = format!("{name}_information");
    let mut properties: Vec<Property> = Vec::new();
    for property in asked.properties {
        properties.push(new_property(property.in_group(&group), now)?);
    }
    let new = NewType {
        name: name.to_owned(),
        properties,
        required: asked.required_properties.unwrap_or_default(),
        searched: asked.searchable_properties.unwrap_or_default(),
    };
    let secondary = asked.secondary_display_properties.unwrap_or_default();
    let named = new.required.iter().chain(&new.searched).chain(&secondary);
    for name in named.chain(&asked.primary_display_property) {
        check_known(name, |name| {
            new.properties.iter().any(|property| property.name == name)
        })?;
    }
    check_searched(&new.searched)?;
    Ok((new, asked.primary_display_property, secondary, asked.description))
}

fn check_known(name: &str, known: impl Fn(&str) -> bool) -> Result<(), Failure> {
    if known(name) {
        return Ok(());
    }
    Err(Failure::validation(format!("Property {name} does not exist")))
}

fn check_searched(names: &[String]) -> Result<(), Failure> {
    if names.len() <= MOST_SEARCHED {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "There can be at most {MOST_SEARCHED} searchable properties"
    )))
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    let now = emulator.clock.now().wall;
    let mut portal = emulator.portal_mut();
    let at = place(&portal, call.param(0))?;
    let of = portal.schemas[at].of;
    let lists = [
        &asked.required_properties,
        &asked.searchable_properties,
        &asked.secondary_display_properties,
    ];
    for name in lists
        .into_iter()
        .flatten()
        .flatten()
        .chain(&asked.primary_display_property)
    {
        check_known(name, |name| portal.store(of).properties.index(name).is_some())?;
    }
    let object_type = &mut portal.stores[of].object_type;
    if let Some(names) = asked.required_properties {
        object_type.required = Required::All(names);
    }
    if let Some(names) = asked.searchable_properties {
        check_searched(&names)?;
        object_type.searched = names;
    }
    let schema = &mut portal.schemas[at];
    schema.label = asked.labels.singular.unwrap_or_else(|| schema.label.clone());
    schema.labels = asked.labels.plural.unwrap_or_else(|| schema.labels.clone());
    schema.description = asked.description.or_else(|| schema.description.clone());
    schema.primary = asked.primary_display_property.or_else(|| schema.primary.clone());
    schema.secondary = asked
        .secondary_display_properties
        .unwrap_or_else(|| schema.secondary.clone());
    schema.updated = now;
    Ok(Reply::value(200, &schema_json(&portal, &portal.schemas[at])))
}

/// Only without records; `archived=true` takes away what was deleted before.
fn delete(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let at = place(&portal, call.param(0))?;
    let of = portal.schemas[at].of;
    if portal.store(of).live_len() > 0 {
        let message = "Object type cannot be deleted because it still has records";
        return Err(Failure::validation(message));
    }
    portal.forget_type(of);
    if call.flag("archived") {
        portal.schemas.remove(at);
    } else {
        portal.schemas[at].archived = true;
    }
    Ok(Reply::no_content())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskedLink {
    to_object_type_id: String,
    name: Option<String>,
}

fn associate(emulator: &Inner, call: &Call) -> Answer {
    let asked: AskedLink = call.json()?;
    let now = emulator.clock.now().wall;
    let mut portal = emulator.portal_mut();
    let at = place(&portal, call.param(0))?;
    let to = portal.type_index(&asked.to_object_type_id)?;
    let of = portal.schemas[at].of;
    let mut link = portal.associate_types(of, to, now);
    link.name = asked.name.unwrap_or(link.name);
    let body = link_json(&portal, &link);
    portal.schemas[at].associations.push(link);
    Ok(Reply::value(201, &body))
}

fn dissociate(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let at = place(&portal, call.param(0))?;
    let links = &mut portal.schemas[at].associations;
    let Some(found) = links
        .iter()
        .position(|link| link.type_id.to_string() == call.param(1))
    else {
        return Err(Failure::not_found());
    };
    let link = links.remove(found);
    let side = portal.associations.definition(link.from, link.to, link.type_id);
    if let Some(side) = side.cloned() {
        portal.associations.undefine(&side);
    }
    Ok(Reply::no_content())
}
