//! `/crm/v3/properties/{type}` and its dated twin: definitions, unpaged (hubspot-api notes §2.1).

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::property::{Choice, Kind, Property, Source};
use crate::state::store::Store;
use crate::time::{Millis, iso};

const READ: Access = Access::ReadDefinitions;
const WRITE: Access = Access::WriteDefinitions;
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "{type}", TOLL, READ, list),
    route(Method::POST, "{type}", TOLL, WRITE, create),
    route(Method::GET, "{type}/{name}", TOLL, READ, get),
    route(Method::PATCH, "{type}/{name}", TOLL, WRITE, update),
    route(Method::DELETE, "{type}/{name}", TOLL, WRITE, archive),
];

pub(super) fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let store = portal.store(portal.type_index(call.param(0))?);
    let archived = call.flag("archived");
    let shown = store
        .properties
        .iter()
        .filter(|(_, property)| property.archived == archived);
    let results: Vec<Value> = shown.map(|(_, property)| property_json(property)).collect();
    Ok(Reply::value(200, &json!({"results": results})))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let store = portal.store(portal.type_index(call.param(0))?);
    let property = store
        .properties
        .named(call.param(1))
        .filter(|property| property.archived == call.flag("archived"));
    property
        .map(|property| Reply::value(200, &property_json(property)))
        .ok_or_else(Failure::not_found)
}

pub(super) fn property_json(property: &Property) -> Value {
    let options: Vec<Value> = (0..)
        .zip(&property.choices)
        .map(|(order, choice)| choice_json(order, choice))
        .collect();
    let mut body = json!({
        "name": property.name,
        "label": property.label,
        "type": property.kind.name(),
        "fieldType": property.field_type,
        "description": property.description,
        "groupName": property.group,
        "options": options,
        "displayOrder": -1,
        "calculated": property.calculated,
        "externalOptions": property.references.is_some(),
        "hasUniqueValue": property.unique && property.name != "email",
        "hidden": property.hidden,
        "formField": property.form_field,
        "createdAt": iso(property.created),
        "updatedAt": iso(property.updated),
        "archived": property.archived,
        "dataSensitivity": "non_sensitive",
        "modificationMetadata": {
            "archivable": !property.hubspot_defined,
            "readOnlyDefinition": property.hubspot_defined,
            "readOnlyOptions": property.hubspot_defined,
            "readOnlyValue": property.read_only || property.source != Source::Stored,
        },
    });
    if property.hubspot_defined {
        body["hubspotDefined"] = json!(true);
    }
    if let Some(references) = &property.references {
        body["referencedObjectType"] = json!(references);
    }
    if property.name == "amount" {
        body["showCurrencySymbol"] = json!(true);
        body["currencyPropertyName"] = json!("deal_currency_code");
    }
    body
}

fn choice_json(order: usize, choice: &Choice) -> Value {
    json!({
        "label": choice.label,
        "value": choice.value,
        "displayOrder": order,
        "hidden": choice.hidden,
        "description": "",
    })
}

/// The body of a create or an update; an update leaves out what stays.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AskedProperty {
    name: Option<String>,
    label: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    field_type: Option<String>,
    group_name: Option<String>,
    description: Option<String>,
    options: Option<Vec<AskedChoice>>,
    has_unique_value: bool,
    hidden: Option<bool>,
    form_field: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedChoice {
    label: String,
    value: String,
    hidden: bool,
}

impl AskedProperty {
    /// In this group, unless it names one.
    pub(super) fn in_group(mut self, group: &str) -> Self {
        self.group_name.get_or_insert_with(|| group.to_owned());
        self
    }
}

fn create(emulator: &Inner, call: &Call) -> Answer {
    let asked: AskedProperty = call.json()?;
    let now = emulator.clock.now().wall;
    let mut portal = emulator.portal_mut();
    let of = portal.type_index(call.param(0))?;
    let body = add(&mut portal.stores[of], asked, now)?;
    Ok(Reply::value(201, &body))
}

/// Properties of an account's own that may be unique.
const MOST_UNIQUE: usize = 10;

/// Adds a property and shows it.
pub(super) fn add(store: &mut Store, asked: AskedProperty, now: Millis) -> Result<Value, Failure> {
    let property = new_property(asked, now)?;
    let known = store.properties.named(&property.name);
    if let Some(known) = known.filter(|known| !known.archived) {
        let message = format!("A property named '{}' already exists.", known.name);
        return Err(Failure::new(409, message).category("OBJECT_ALREADY_EXISTS"));
    }
    let own = |known: &&Property| known.unique && !known.hubspot_defined && !known.archived;
    let unique = store
        .properties
        .iter()
        .map(|(_, known)| known)
        .filter(own)
        .count();
    if property.unique && unique >= MOST_UNIQUE {
        let message = format!("There can be at most {MOST_UNIQUE} properties with unique values");
        return Err(Failure::validation(message));
    }
    let body = property_json(&property);
    let unique = property.unique;
    let index = store
        .properties_mut()
        .add(property)
        .ok_or_else(|| Failure::validation("This object type has no room for more properties"))?;
    if unique {
        store.make_unique(index);
    }
    Ok(body)
}

pub(super) fn new_property(asked: AskedProperty, now: Millis) -> Result<Property, Failure> {
    let missing = |what: &str| Failure::validation(format!("{what} is required"));
    let name = asked
        .name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| missing("name"))?;
    check_name(&name)?;
    let kind = asked.kind.ok_or_else(|| missing("type"))?;
    let kind =
        Kind::parse(&kind).ok_or_else(|| Failure::validation(format!("Unknown property type: {kind}")))?;
    let field_type = asked.field_type.ok_or_else(|| missing("fieldType"))?;
    check_field_type(kind, &field_type)?;
    Ok(Property {
        label: asked.label.unwrap_or_else(|| name.clone()),
        name,
        description: asked.description.unwrap_or_default(),
        group: asked.group_name.ok_or_else(|| missing("groupName"))?,
        kind,
        field_type,
        choices: asked
            .options
            .unwrap_or_default()
            .into_iter()
            .map(into_choice)
            .collect(),
        source: Source::Stored,
        calculated: false,
        read_only: false,
        hidden: asked.hidden.unwrap_or(false),
        unique: asked.has_unique_value,
        hubspot_defined: false,
        form_field: asked.form_field.unwrap_or(false),
        references: None,
        archived: false,
        created: now,
        updated: now,
    })
}

/// Lowercase letters, digits and underscores, beginning with a letter, at most 100 (hubspot-api notes §2.1).
pub(super) fn check_name(name: &str) -> Result<(), Failure> {
    let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(fits)
        && name.len() <= 100
    {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "Property name '{name}' is not valid: use lowercase letters, digits and underscores, beginning with a letter"
    )))
}

/// The type and fieldType must go together (hubspot-api notes §2.1).
fn check_field_type(kind: Kind, field_type: &str) -> Result<(), Failure> {
    let fits: &[&str] = match kind {
        Kind::String => &[
            "text",
            "textarea",
            "phonenumber",
            "html",
            "file",
            "calculation_equation",
        ],
        Kind::Number => &["number", "calculation_equation"],
        Kind::Bool => &["booleancheckbox", "calculation_equation"],
        Kind::Enumeration => &[
            "select",
            "checkbox",
            "radio",
            "booleancheckbox",
            "calculation_equation",
        ],
        Kind::Date | Kind::DateTime => &["date"],
        Kind::PhoneNumber => &["phonenumber"],
        Kind::Coordinates | Kind::Json => &["text"],
    };
    if fits.contains(&field_type) {
        return Ok(());
    }
    Err(Failure::validation(format!(
        "fieldType {field_type} cannot be used with type {}",
        kind.name()
    )))
}

fn into_choice(asked: AskedChoice) -> Choice {
    Choice {
        value: asked.value,
        label: asked.label,
        hidden: asked.hidden,
    }
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let asked: AskedProperty = call.json()?;
    let now = emulator.clock.now().wall;
    let mut portal = emulator.portal_mut();
    let of = portal.type_index(call.param(0))?;
    let property = portal.stores[of]
        .properties_mut()
        .named_mut(call.param(1))
        .filter(|property| !property.archived);
    let property = property.ok_or_else(Failure::not_found)?;
    if property.hubspot_defined && (asked.kind.is_some() || asked.options.is_some()) {
        return Err(Failure::validation(format!(
            "{} is a read only definition.",
            property.name
        )));
    }
    if let Some(kind) = asked.kind {
        property.kind = Kind::parse(&kind)
            .ok_or_else(|| Failure::validation(format!("Unknown property type: {kind}")))?;
    }
    property.field_type = asked.field_type.unwrap_or_else(|| property.field_type.clone());
    property.label = asked.label.unwrap_or_else(|| property.label.clone());
    property.group = asked.group_name.unwrap_or_else(|| property.group.clone());
    property.description = asked.description.unwrap_or_else(|| property.description.clone());
    property.hidden = asked.hidden.unwrap_or(property.hidden);
    property.form_field = asked.form_field.unwrap_or(property.form_field);
    if let Some(options) = asked.options {
        property.choices = options.into_iter().map(into_choice).collect();
    }
    property.updated = now;
    Ok(Reply::value(200, &property_json(property)))
}

fn archive(emulator: &Inner, call: &Call) -> Answer {
    let now = emulator.clock.now().wall;
    let mut portal = emulator.portal_mut();
    let of = portal.type_index(call.param(0))?;
    archive_one(&mut portal.stores[of], call.param(1), now)?;
    Ok(Reply::no_content())
}

/// Archives a property; one that is not there is ignored.
pub(super) fn archive_one(store: &mut Store, name: &str, now: Millis) -> Result<(), Failure> {
    match store.properties_mut().named_mut(name) {
        Some(property) if property.hubspot_defined => Err(Failure::validation(format!(
            "{} is defined by HubSpot and cannot be archived.",
            property.name
        ))),
        Some(property) => {
            property.archived = true;
            property.updated = now;
            Ok(())
        }
        None => Ok(()),
    }
}
