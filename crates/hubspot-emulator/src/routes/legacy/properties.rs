//! `/properties/v2/{type}/properties` and its elder kin (`/properties/v1/...`, `/companies/v2/properties`): the v3
//! definitions, as a bare list with members of their own.

use http::Method;
use serde_json::{Map, Value, json};

use super::super::{Access, Answer, Route, properties, route};
use super::record::{millis, own};
use crate::behaviour::limits::Toll;
use crate::call::Call;
use crate::emulator::Inner;
use crate::failure::Failure;
use crate::reply::Reply;

const READ: Access = Access::ReadDefinitions;
const TOLL: Toll = Toll::General;

pub(super) const ROUTES: &[Route] = &[
    // Forms are not CRM objects, so these definitions are a fixed list.
    route(Method::GET, "form/properties", TOLL, Access::Anyone, of_forms),
    route(Method::GET, "{type}/properties", TOLL, READ, list),
    route(Method::GET, "{type}/properties/named/{name}", TOLL, READ, get),
];

/// Below `/contacts`, `/companies`, `/deals`; the path says the type without a placeholder.
pub(super) const OWN_ROUTES: &[Route] = &[
    route(Method::GET, "v1/properties", TOLL, Access::Anyone, list_own),
    route(Method::GET, "v2/properties", TOLL, Access::Anyone, list_own),
];

fn list(emulator: &Inner, call: &Call) -> Answer {
    Ok(Reply::value(200, &current(emulator, call.param(0))?.into()))
}

fn list_own(emulator: &Inner, call: &Call) -> Answer {
    let object_type = call.path.trim_matches('/').split('/').next().unwrap_or_default();
    Ok(Reply::value(200, &current(emulator, object_type)?.into()))
}

/// Names and types of a form's own members. The list of HubSpot is not published; a connector makes a schema of it
/// and refuses an empty one.
const FORM_PROPERTIES: [(&str, &str); 6] = [
    ("guid", "string"),
    ("name", "string"),
    ("formType", "string"),
    ("archived", "bool"),
    ("createdAt", "datetime"),
    ("updatedAt", "datetime"),
];

#[expect(clippy::unnecessary_wraps, reason = "all routes have one signature")]
fn of_forms(_: &Inner, _: &Call) -> Answer {
    let named = FORM_PROPERTIES.iter().map(|(name, kind)| {
        json!({"name": name, "label": name, "type": kind, "groupName": "forminformation", "hubspotDefined": true})
    });
    Ok(Reply::value(200, &named.collect()))
}

fn get(emulator: &Inner, call: &Call) -> Answer {
    let known = current(emulator, call.param(0))?;
    let found = known.iter().find(|property| property["name"] == call.param(1));
    found
        .map(|property| Reply::value(200, property))
        .ok_or_else(Failure::not_found)
}

fn current(emulator: &Inner, object_type: &str) -> Result<Vec<Value>, Failure> {
    let reply = properties::list(emulator, &own(object_type))?;
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let results = body["results"].as_array().into_iter().flatten();
    Ok(results.filter_map(Value::as_object).map(property_json).collect())
}

/// The older form has the same names, times in milliseconds, and what v3 groups as `modificationMetadata` flat.
fn property_json(property: &Map<String, Value>) -> Value {
    let metadata = &property["modificationMetadata"];
    let mut body = property.clone();
    for added in ["modificationMetadata", "archived", "dataSensitivity"] {
        body.remove(added);
    }
    let more = json!({
        "createdAt": millis(&property["createdAt"]),
        "updatedAt": millis(&property["updatedAt"]),
        "deleted": property["archived"],
        "favorited": false,
        "hubspotDefined": property.get("hubspotDefined").is_some(),
        "mutableDefinitionNotDeletable": false,
        "readOnlyDefinition": metadata["readOnlyDefinition"],
        "readOnlyValue": metadata["readOnlyValue"],
        "referencedObjectType": property.get("referencedObjectType"),
        "searchableInGlobalSearch": false,
    });
    body.extend(more.as_object().cloned().unwrap_or_default());
    body.into()
}
