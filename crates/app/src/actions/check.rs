//! A value against its JSON Schema, with errors for people: what is wrong, where, and what was probably meant.
//!
//! It knows what the schemas of actions use: types, words, lists, members; and takes no member that is not named.

use serde_json::Value;

use crate::exit::{Failure, Outcome};
use crate::settings::nearest;

/// # Errors
/// The first thing that is wrong; `path` says where the value stands.
pub(super) fn check(schema: &Value, value: &Value, path: &str) -> Outcome {
    let schema = without_null(schema);
    if value.is_null() {
        return Ok(());
    }
    check_type(schema, value, path)?;
    match value {
        Value::Object(_) => check_members(schema, value, path),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(n, item)| check(&schema["items"], item, &format!("{path}[{n}]"))),
        Value::String(word) => check_word(schema, word, path),
        _ => Ok(()),
    }
}

/// What may be left out may also be null; what else it is stands beside.
fn without_null(schema: &Value) -> &Value {
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    let mut others = alternatives.filter(|one| one["type"] != "null");
    others.next().unwrap_or(schema)
}

fn check_type(schema: &Value, value: &Value, path: &str) -> Outcome {
    let fits = match value {
        Value::Null => true,
        Value::Bool(_) => is(schema, "boolean"),
        Value::Number(number) => is(schema, "number") || (is(schema, "integer") && !number.is_f64()),
        Value::String(_) => is(schema, "string"),
        Value::Array(_) => is(schema, "array"),
        Value::Object(_) => is(schema, "object"),
    };
    if fits || schema["type"].is_null() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "`{path}` is `{value}`, and should be {}",
        kind(schema)
    )))
}

/// Whether the schema takes values of this type.
pub(super) fn is(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(only) => only == name,
        Value::Array(several) => several.iter().any(|one| one == name),
        _ => false,
    }
}

/// The type of a value, in words.
pub(crate) fn kind(schema: &Value) -> String {
    let schema = without_null(schema);
    let words = words(schema);
    if !words.is_empty() {
        return words.join("|");
    }
    if is(schema, "array") {
        let (_, many) = named(without_null(&schema["items"]));
        return format!("a list of {many}");
    }
    named(schema).0.to_owned()
}

/// One value of a type, and many.
fn named(schema: &Value) -> (&'static str, &'static str) {
    let known = [
        ("string", ("text", "texts")),
        ("boolean", ("true or false", "true or false")),
        ("integer", ("a number", "numbers")),
        ("number", ("a number", "numbers")),
        ("object", ("an object", "objects")),
    ];
    let found = known.into_iter().find(|(name, _)| is(schema, name));
    found.map_or(("anything", "anything"), |(_, words)| words)
}

fn check_members(schema: &Value, value: &Value, path: &str) -> Outcome {
    let (Some(known), Some(members)) = (schema["properties"].as_object(), value.as_object()) else {
        return Ok(());
    };
    let within = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    for (key, member) in members {
        let Some(schema) = known.get(key) else {
            let meant = meant(key, known.keys().map(String::as_str));
            return Err(Failure::usage(format!("unknown key `{}`{meant}", within(key))));
        };
        check(schema, member, &within(key))?;
    }
    let mut required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    match required.find(|key| members.get(*key).is_none_or(Value::is_null)) {
        Some(key) => Err(Failure::usage(format!("`{}` is missing", within(key)))),
        None => Ok(()),
    }
}

/// The words that may stand here; none where any may.
fn words(schema: &Value) -> Vec<&str> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    let described = schema["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| &one["const"]);
    listed.chain(described).filter_map(Value::as_str).collect()
}

fn check_word(schema: &Value, word: &str, path: &str) -> Outcome {
    let words = words(schema);
    if words.is_empty() || words.contains(&word) {
        return Ok(());
    }
    let meant = meant(word, words.iter().copied());
    Err(Failure::usage(format!("`{path}` cannot be `{word}`{meant}"))
        .hint(format!("it is one of {}", words.join(", "))))
}

fn meant<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(given, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::find;
    use super::*;

    fn failure(action: &str, input: &Value) -> String {
        let schema = find(action).unwrap().schema();
        format!(
            "{:?}",
            check(schema.as_value(), input, "").expect_err("it is wrong")
        )
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (input, text) in [
            (
                json!({"object": "contacts", "nmae": "x"}),
                "unknown key `nmae`; did you mean `name`?",
            ),
            (
                json!({"object": "contacts", "name": "x", "options": [{"value": "a", "lable": "A"}]}),
                "unknown key `options[0].lable`; did you mean `label`?",
            ),
            (json!({"name": "x"}), "`object` is missing"),
            (
                json!({"object": "c", "name": "x", "options": [{}]}),
                "`options[0].value` is missing",
            ),
            (
                json!({"object": "c", "name": "x", "type": "strng"}),
                "`type` cannot be `strng`; did you mean `string`?",
            ),
            (
                json!({"object": "c", "name": 7}),
                "`name` is `7`, and should be text",
            ),
            (
                json!({"object": "c", "name": "x", "displayOrder": 1.5}),
                "should be a number",
            ),
            (
                json!({"object": "c", "name": "x", "options": "a"}),
                "should be a list of objects",
            ),
        ] {
            let told = failure("property.create", &input);
            assert!(told.contains(text), "{text} is not in {told}");
        }
        let told = failure(
            "list.create",
            &json!({"object": "c", "name": "x", "processingType": "MANAUL"}),
        );
        assert!(told.contains("did you mean `MANUAL`?"), "{told}");
    }

    #[test]
    fn what_is_left_out_may_be_null() {
        let schema = find("property.update").unwrap().schema();
        let input = json!({"object": "c", "name": "x", "type": null, "label": null});
        assert!(check(schema.as_value(), &input, "").is_ok());
    }
}
