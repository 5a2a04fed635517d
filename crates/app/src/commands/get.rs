//! `spoke get`: one record, by its id or by a unique property.

use hubspot_client::request::objects::Get as Request;
use hubspot_client::{Client, RawObject};
use hubspot_connector::objects::ObjectType;
use serde_json::Value;

use crate::cli::Get;
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::session::Session;

/// Prints the record: as a table of the properties that have a value, or as HubSpot's JSON.
pub(crate) async fn run(arguments: Get) -> Outcome {
    let session = Session::open(&arguments.target)?;
    let client = &session.client;
    let object = session.object(&arguments.object).await?;
    let request = request(client, &object, &arguments).await?;
    let record = client
        .get_object(&request)
        .await
        .map_err(|error| match error.is_not_found() {
            true => not_found(&object, &arguments),
            false => error.into(),
        })?;
    if let Some(id) = arguments.id.as_deref().filter(|id| *id != record.id()) {
        printer::note(&format!("note: {id} was merged into {}", record.id()));
    }
    print(&record, arguments.json)
}

async fn request(client: &Client, object: &ObjectType, arguments: &Get) -> Outcome<Request> {
    let properties = match arguments.properties.is_empty() {
        true => all_that_fit(client, object).await?,
        false => arguments.properties.clone(),
    };
    let request = match (&arguments.id, &arguments.by) {
        (Some(id), _) => Request::new(object.path_name(), id),
        (None, Some((property, value))) => Request::new(object.path_name(), value).by(property),
        (None, None) => unreachable!("clap requires one of the two"),
    };
    Ok(request.with_properties(properties))
}

/// The names of all properties, as many as one URL takes.
async fn all_that_fit(client: &Client, object: &ObjectType) -> Outcome<Vec<String>> {
    let mut left = hubspot_client::MAX_URL - 1000;
    let all = client
        .properties(object.path_name())
        .await?
        .into_iter()
        .map(|property| property.name);
    let fits = |name: &String| {
        // A comma in a query is three characters.
        left = left.saturating_sub(name.len() + 3);
        left > 0
    };
    Ok(all.take_while(fits).collect())
}

fn not_found(object: &ObjectType, arguments: &Get) -> Failure {
    let which = match (&arguments.id, &arguments.by) {
        (_, Some((property, value))) => format!("with {property} `{value}`"),
        (id, None) => format!("`{}`", id.as_deref().unwrap_or_default()),
    };
    Failure::failed(format!("there is no {} {which}", object.singular))
        .hint("archived and merged records are not found by this; the id may belong to another object type")
}

fn print(record: &RawObject, json: bool) -> Outcome {
    let value: Value = serde_json::from_slice(record.json())
        .map_err(|error| Failure::failed("HubSpot's answer is no JSON").because(&error))?;
    if json {
        return printer::json(&value);
    }
    let properties = value["properties"].as_object().cloned().unwrap_or_default();
    let filled = properties
        .into_iter()
        .filter_map(|(name, value)| Some(vec![name, value.as_str()?.to_owned()]));
    printer::table(&["property", "value"], filled);
    Ok(())
}
