//! `spoke actions`: whatever can be done to an account, by name.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::actions::{self, Action, assignments};
use crate::cli::{ActionDescribe, ActionList, ActionRun, ActionsCommand};
use crate::confirm::{self, Answer};
use crate::exit::{Failure, Outcome};
use crate::printer;
use crate::session::Session;

pub(crate) async fn run(command: ActionsCommand) -> Outcome {
    match command {
        ActionsCommand::List(ActionList { json }) => list(json),
        ActionsCommand::Describe(ActionDescribe { name, json }) => describe(actions::find(&name)?, json),
        ActionsCommand::Run(arguments) => act(arguments).await,
    }
}

async fn act(arguments: ActionRun) -> Outcome {
    let action = actions::find(&arguments.name)?;
    let input = given(action, &arguments.input, arguments.from.path())?;
    if let Some(warning) = action.effect.warning() {
        let warning = format!("`{}` {warning}", action.name);
        confirm::proceed(&warning, Answer::Yes, arguments.confirmed.yes)?;
    }
    let session = Session::open(&arguments.target)?;
    printer::json(&action.run(&session, input).await?)
}

fn list(json: bool) -> Outcome {
    if json {
        let all: Vec<_> = actions::all().map(facts).collect();
        return printer::json(&all);
    }
    let row = |action: &Action| {
        let effect = word(action);
        vec![action.name.to_owned(), effect, first_sentence(&action.about())]
    };
    printer::table(&["action", "effect", "what it does"], actions::all().map(row));
    Ok(())
}

fn facts(action: &Action) -> Value {
    json!({"name": action.name, "description": action.about(), "effect": action.effect, "input": action.schema()})
}

fn word(action: &Action) -> String {
    json!(action.effect).as_str().unwrap_or_default().to_owned()
}

fn first_sentence(text: &str) -> String {
    let text = text.replace('\n', " ");
    text.split(". ")
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned()
}

fn describe(action: &Action, json: bool) -> Outcome {
    if json {
        return printer::json(&facts(action));
    }
    printer::data(&format!("{} ({})", action.name, word(action)));
    printer::data(&action.about().replace('\n', " "));
    let keys = keys(action.schema().as_value(), "");
    if !keys.is_empty() {
        printer::data("");
        printer::table(&["key", "type", "", "what it is"], keys);
    }
    Ok(())
}

/// The keys of an input, those that are needed first, each followed by what is inside.
fn keys(schema: &Value, path: &str) -> Vec<Vec<String>> {
    let needed = |key: &str| {
        schema["required"]
            .as_array()
            .is_some_and(|keys| keys.contains(&json!(key)))
    };
    let mut members: Vec<_> = schema["properties"].as_object().into_iter().flatten().collect();
    members.sort_by_key(|(key, _)| !needed(key));
    let rows = |(key, schema): (&String, &Value)| {
        let about = schema["description"]
            .as_str()
            .unwrap_or_default()
            .replace('\n', " ");
        let need = if needed(key) { "needed" } else { "" };
        let row = vec![
            format!("{path}{key}"),
            actions::kind(schema),
            need.to_owned(),
            about,
        ];
        let (inside, path) = match schema["items"].is_object() {
            true => (&schema["items"], format!("{path}{key}[].")),
            false => (schema, format!("{path}{key}.")),
        };
        [vec![row], keys(inside, &path)].concat()
    };
    members.into_iter().flat_map(rows).collect()
}

/// A file, then JSON, then `KEY=VALUE`s; the later goes before.
fn given(action: &Action, written: &[String], file: Option<&Path>) -> Outcome<Map<String, Value>> {
    let (json, pairs): (Vec<_>, Vec<_>) = written
        .iter()
        .cloned()
        .partition(|text| text.trim_start().starts_with('{'));
    let mut input = Map::new();
    for text in json {
        input.extend(object(&text)?);
    }
    input.extend(assignments(&action.schema(), &pairs)?);
    actions::one_input(file, &input)
}

fn object(text: &str) -> Outcome<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| Failure::usage("the input is no JSON object").because(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_input_goes_before() {
        let action = actions::find("list.create").unwrap();
        let written = [r#"{"object": "contacts", "name": "a"}"#, "name=b"].map(str::to_owned);
        let input = given(action, &written, None).unwrap();
        assert_eq!(Value::Object(input), json!({"object": "contacts", "name": "b"}));
        assert!(given(action, &["{".to_owned()], None).is_err());
    }
}
