//! Labels of associations: `/crm/v4/associations/{from}/{to}/labels` and its dated twin (hubspot-api notes §2.5).

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::associations_batch::types;
use super::{Access, Answer, Route, route};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;
use crate::state::associations::{Definition, Label, TypeIndex};
use crate::state::filter::number;
use crate::state::portal::Portal;

const TOLL: Toll = Toll::AssociationBatch;
const WRITE: Access = Access::WriteRecords;

pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "{type}/{to}/labels", TOLL, Access::ReadRecords, list),
    route(Method::POST, "{type}/{to}/labels", TOLL, WRITE, create),
    route(Method::PUT, "{type}/{to}/labels", TOLL, WRITE, update),
    route(Method::DELETE, "{type}/{to}/labels/{id}", TOLL, WRITE, delete),
];

/// Labels of an account's own between one pair of types.
const MOST_LABELS: usize = 10;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Asked {
    #[serde(deserialize_with = "number")]
    association_type_id: u32,
    label: String,
    name: String,
    inverse_label: Option<String>,
}

fn label_json(side: &Definition) -> Value {
    json!({"category": side.category, "typeId": side.number, "label": side.label})
}

fn list(emulator: &Inner, call: &Call) -> Answer {
    let portal = emulator.portal();
    let types = types(&portal, call)?;
    let labels = portal.associations.definitions(types.0, types.1);
    let results: Vec<Value> = labels.map(label_json).collect();
    Ok(Reply::value(200, &json!({"results": results})))
}

/// Answers with both directions.
fn create(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    let mut portal = emulator.portal_mut();
    let types = types(&portal, call)?;
    check_given(&asked)?;
    check_room(portal.associations.definitions(types.0, types.1), &asked.name)?;
    let label = Label {
        text: Some(asked.label),
        inverse: asked.inverse_label,
        name: asked.name,
        category: "USER_DEFINED",
    };
    let sides = portal.associations.define_label(types, label);
    let results: Vec<Value> = sides.iter().map(label_json).collect();
    Ok(Reply::value(200, &json!({"results": results})))
}

fn check_room<'d>(known: impl Iterator<Item = &'d Definition>, name: &str) -> Result<(), Failure> {
    let own: Vec<&Definition> = known
        .filter(|side| side.category == "USER_DEFINED" && side.label.is_some())
        .collect();
    if own.iter().any(|side| side.name == name) {
        let message = format!("An association label named {name} exists already");
        return Err(Failure::validation(message));
    }
    if own.len() < MOST_LABELS {
        return Ok(());
    }
    let message = format!("There can be at most {MOST_LABELS} labels between two object types");
    Err(Failure::validation(message))
}

fn check_given(asked: &Asked) -> Result<(), Failure> {
    let missing = [("label", &asked.label), ("name", &asked.name)]
        .into_iter()
        .find(|(_, text)| text.is_empty());
    missing.map_or(Ok(()), |(what, _)| {
        Err(Failure::validation(format!("{what} is required")))
    })
}

fn update(emulator: &Inner, call: &Call) -> Answer {
    let asked: Asked = call.json()?;
    let mut portal = emulator.portal_mut();
    let types = types(&portal, call)?;
    let side = own(&portal, types, asked.association_type_id)?;
    portal
        .associations
        .rename(&side, asked.label, asked.inverse_label);
    Ok(Reply::no_content())
}

/// The account's own type of this number; one that only HubSpot has is refused.
fn own(portal: &Portal, types: (TypeIndex, TypeIndex), number: u32) -> Result<Definition, Failure> {
    let sides = portal.associations.definitions(types.0, types.1);
    let mut sides = sides.filter(|side| side.number == number);
    let any = sides.clone().next().ok_or_else(Failure::not_found)?;
    let own = sides.find(|side| side.category == "USER_DEFINED").cloned();
    own.ok_or_else(|| {
        Failure::validation(format!(
            "Association type {} is defined by HubSpot and cannot be changed",
            any.number
        ))
    })
}

/// Takes the label off every pair that has it; the pairs stay associated.
fn delete(emulator: &Inner, call: &Call) -> Answer {
    let mut portal = emulator.portal_mut();
    let types = types(&portal, call)?;
    let type_id = call.param(2).parse().map_err(|_| Failure::not_found())?;
    let side = own(&portal, types, type_id)?;
    portal.associations.undefine(&side);
    Ok(Reply::no_content())
}
