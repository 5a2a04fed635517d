//! From what a person wrote (JSON, YAML, `KEY=VALUE`) to the input of an action: strict, with the place of what is wrong.

use std::io::Read as _;
use std::path::Path;

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Act;
use super::check::{check, is, kind};
use crate::exit::{Failure, Outcome};

/// The schema of an action's input, which takes no keys but its own.
pub(super) fn schema<A: JsonSchema>() -> Schema {
    let closed = |schema: &mut Schema| {
        if schema.get("properties").is_some() {
            schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    };
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let settings = settings.with_transform(schemars::transform::RecursiveTransform(closed));
    settings.into_generator().into_root_schema_for::<A>()
}

/// Reads the input of an action.
pub(super) fn read<A: Act>(input: Map<String, Value>) -> Outcome<A> {
    let input = Value::Object(input);
    let schema = schema::<A>();
    check(schema.as_value(), &input, "")
        .and_then(|()| parse(input))
        .map_err(|failure| {
            failure.within(A::NAME).or_hint(format!(
                "`spoke actions describe {}` shows what it takes",
                A::NAME
            ))
        })
}

/// What the schema cannot say is left to serde.
fn parse<A: DeserializeOwned>(input: Value) -> Outcome<A> {
    serde_json::from_value(input).map_err(|error| Failure::usage(error.to_string()))
}

/// What a file says, or standard input (`-`): JSON or YAML.
fn from_file(path: &Path) -> Outcome<Value> {
    let shown = path.display();
    let read = match path.to_str() {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
        }
        _ => std::fs::read_to_string(path),
    };
    let text = read.map_err(|error| Failure::usage(format!("cannot read `{shown}`")).because(&error))?;
    // JSON is YAML, but the errors of a JSON parser are better.
    if text.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str(&text)
            .map_err(|error| Failure::usage(format!("`{shown}` is no JSON")).because(&error));
    }
    serde_saphyr::from_str(&text).map_err(|error| {
        Failure::usage(format!("`{shown}` is neither JSON nor YAML")).because(error.without_snippet())
    })
}

/// `KEY=VALUE`s as the schema wants them: what is no text there is read as JSON, a list of texts also as `a,b`; `a.b=c`
/// reaches inside.
pub(crate) fn assignments(schema: &Schema, given: &[String]) -> Outcome<Map<String, Value>> {
    let mut input = Map::new();
    for text in given {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`{text}` is no `KEY=VALUE`"))
                .hint("write `label=\"Favourite food\"`, or the whole input as JSON")
        })?;
        assign(&mut input, schema.as_value(), key, value)?;
    }
    Ok(input)
}

fn assign(into: &mut Map<String, Value>, schema: &Value, key: &str, text: &str) -> Outcome {
    let (first, rest) = key
        .split_once('.')
        .map_or((key, None), |(first, rest)| (first, Some(rest)));
    let schema = &schema["properties"][first];
    let Some(rest) = rest else {
        into.insert(first.to_owned(), typed(schema, key, text)?);
        return Ok(());
    };
    let inner = into.entry(first).or_insert_with(|| Value::Object(Map::new()));
    match inner {
        Value::Object(inner) => assign(inner, schema, rest, text),
        _ => Err(Failure::usage(format!(
            "`{first}` is given both whole and in parts"
        ))),
    }
}

fn typed(schema: &Value, key: &str, text: &str) -> Outcome<Value> {
    if is(schema, "string") || schema.is_null() {
        return Ok(Value::String(text.to_owned()));
    }
    if is(schema, "array") && is(&schema["items"], "string") && !text.starts_with('[') {
        return Ok(text.split(',').map(str::trim).collect());
    }
    serde_json::from_str(text).map_err(|_| {
        Failure::usage(format!("`{key}` is `{text}`, and should be {}", kind(schema)))
            .hint("lists and objects are written as JSON")
    })
}

/// The inputs of an action: what the file says, each with what is given besides on top.
pub(crate) fn inputs(file: Option<&Path>, given: &Map<String, Value>) -> Outcome<Vec<Map<String, Value>>> {
    let written = match file {
        None => return Ok(vec![given.clone()]),
        Some(path) => from_file(path)?,
    };
    let written = match written {
        Value::Array(several) => several,
        one => vec![one],
    };
    let with_given = |written| match written {
        Value::Object(mut input) => {
            input.extend(given.clone());
            Ok(input)
        }
        other => Err(Failure::usage(format!(
            "the file has `{other}` where keys and values belong"
        ))),
    };
    written.into_iter().map(with_given).collect()
}

/// The same where one is wanted.
pub(crate) fn one_input(file: Option<&Path>, given: &Map<String, Value>) -> Outcome<Map<String, Value>> {
    let inputs = inputs(file, given)?;
    let count = inputs.len();
    <[_; 1]>::try_from(inputs)
        .map(|[input]| input)
        .map_err(|_| Failure::usage(format!("the file holds {count} inputs, and one is taken here")))
}

/// What a value looks like as JSON, which must be an object.
pub(crate) fn members(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(members)) => members,
        other => unreachable!("structs of texts and numbers are objects, not {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CreateProperty, find};
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_the_action_and_where_to_look() {
        let input = members(&serde_json::json!({"object": "contacts", "nmae": "x"}));
        let failure = format!("{:?}", read::<CreateProperty>(input).expect_err("it is wrong"));
        assert!(
            failure.contains("property.create: unknown key `nmae`"),
            "{failure}"
        );
        assert!(
            failure.contains("spoke actions describe property.create"),
            "{failure}"
        );
    }

    #[test]
    fn assignments_become_what_the_schema_wants() {
        let schema = find("property.create").unwrap().schema();
        let given = [
            "object=contacts",
            "name=1",
            "displayOrder=3",
            "hasUniqueValue=true",
            r#"options=[{"value":"a"}]"#,
        ];
        let input = assignments(&schema, &given.map(str::to_owned)).unwrap();
        assert_eq!(
            Value::Object(input),
            serde_json::json!({"object": "contacts", "name": "1", "displayOrder": 3, "hasUniqueValue": true,
                               "options": [{"value": "a"}]})
        );
        assert!(assignments(&schema, &["displayOrder=x".to_owned()]).is_err());
        let schema = find("schema.create").unwrap().schema();
        let given = ["labels.singular=Car", "requiredProperties=vin, name"].map(str::to_owned);
        assert_eq!(
            Value::Object(assignments(&schema, &given).unwrap()),
            serde_json::json!({"labels": {"singular": "Car"}, "requiredProperties": ["vin", "name"]})
        );
    }
}
