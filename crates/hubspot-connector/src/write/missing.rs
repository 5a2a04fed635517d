//! Properties that an object does not have, made of the types that the source's fields have.

use std::collections::{BTreeMap, BTreeSet};

use hubspot_client::request::properties::{MAX_BATCH, NewOption, NewProperty};
use hubspot_client::{Client, Error};
use opencdc::DataType;

use super::config::WriteRules;
use crate::objects::ObjectType;

/// Makes properties of the types that the source's fields have. One that somebody else makes at the same time is as
/// good.
pub(crate) async fn make(
    client: &Client,
    object: &ObjectType,
    names: &BTreeSet<&String>,
    types: &BTreeMap<String, DataType>,
    rules: &WriteRules,
) -> Result<(), Error> {
    let group = group(client, object).await?;
    let types = by_property(types, rules);
    let names: BTreeSet<_> = names.iter().map(|name| folded(name, rules)).collect();
    let type_of = |name: &str| types.get(name).copied().unwrap_or(DataType::String);
    let made: Vec<_> = names
        .iter()
        .map(|name| definition(name, type_of(name), &group))
        .collect();
    for chunk in made.chunks(MAX_BATCH) {
        tracing::warn!("{}: making the properties {}", object.name, listed(chunk));
        make_all(client, object.path_name(), chunk).await?;
    }
    Ok(())
}

/// The types of fields by the properties that the fields fill.
fn by_property(types: &BTreeMap<String, DataType>, rules: &WriteRules) -> BTreeMap<String, DataType> {
    let name = |field: &String| folded(rules.properties.get(field).unwrap_or(field), rules);
    types
        .iter()
        .map(|(field, data_type)| (name(field), *data_type))
        .collect()
}

/// Where case does not matter, a property is made in HubSpot's own: lower.
fn folded(name: &str, rules: &WriteRules) -> String {
    match rules.fold_names.unwrap_or_default() {
        true => name.to_lowercase(),
        false => name.to_owned(),
    }
}

async fn make_all(client: &Client, object: &str, properties: &[NewProperty]) -> Result<(), Error> {
    match client.properties_batch_create(object, properties).await {
        Err(error) if error.status() == Some(409) => {}
        answer => return answer.map(drop),
    }
    // One of them is there, and HubSpot may have made none of the others.
    for property in properties {
        match client.create_property(object, property).await {
            Err(error) if error.status() != Some(409) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn listed(properties: &[NewProperty]) -> String {
    let names: Vec<_> = properties.iter().map(|property| property.name.as_str()).collect();
    names.join(", ")
}

/// The group that people look into first: HubSpot calls it `contactinformation`, `dealinformation` and so on.
async fn group(client: &Client, object: &ObjectType) -> Result<String, Error> {
    let groups = client.property_groups(object.path_name()).await?;
    let main = groups
        .iter()
        .find(|group| group.name.ends_with("information") || group.name.ends_with("_information"));
    Ok(main
        .or(groups.first())
        .map(|group| group.name.clone())
        .unwrap_or_default())
}

fn definition(name: &str, data_type: DataType, group: &str) -> NewProperty {
    let (type_, field_type) = match data_type {
        DataType::Integer | DataType::Number => ("number", "number"),
        DataType::Boolean => ("bool", "booleancheckbox"),
        DataType::Date => ("date", "date"),
        DataType::Timestamp => ("datetime", "date"),
        DataType::String | DataType::Json => ("string", "text"),
    };
    NewProperty {
        name: name.to_owned(),
        label: name.to_owned(),
        type_: type_.to_owned(),
        field_type: field_type.to_owned(),
        group_name: group.to_owned(),
        options: if data_type == DataType::Boolean {
            yes_and_no()
        } else {
            Vec::new()
        },
        ..NewProperty::default()
    }
}

fn yes_and_no() -> Vec<NewOption> {
    let option = |(display_order, label, value): (i64, &str, &str)| NewOption {
        label: label.to_owned(),
        value: value.to_owned(),
        display_order,
        ..NewOption::default()
    };
    [(0, "Yes", "true"), (1, "No", "false")].map(option).to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_those_of_the_properties_that_fields_fill() {
        let types = [("since", DataType::Date), ("Age", DataType::Integer)];
        let types = types
            .map(|(field, data_type)| (field.to_owned(), data_type))
            .into();
        let found = |rules| {
            let rules = serde_json::from_value(rules).unwrap();
            by_property(&types, &rules).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(
            found(json!({"properties": {"since": "Member_Since"}})),
            [
                ("Age".to_owned(), DataType::Integer),
                ("Member_Since".to_owned(), DataType::Date)
            ]
        );
        assert_eq!(
            found(json!({"properties": {"since": "Member_Since"}, "fold_names": true})),
            [
                ("age".to_owned(), DataType::Integer),
                ("member_since".to_owned(), DataType::Date)
            ]
        );
    }

    #[test]
    fn a_property_has_the_type_of_its_field() {
        let made = |data_type| {
            let property = definition("x", data_type, "g");
            (property.type_, property.field_type, property.options.len())
        };
        assert_eq!(made(DataType::Integer), ("number".into(), "number".into(), 0));
        assert_eq!(
            made(DataType::Boolean),
            ("bool".into(), "booleancheckbox".into(), 2)
        );
        assert_eq!(made(DataType::Timestamp), ("datetime".into(), "date".into(), 0));
        assert_eq!(made(DataType::Json), ("string".into(), "text".into(), 0));
    }
}
