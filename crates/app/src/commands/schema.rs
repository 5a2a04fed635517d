//! `spoke schema`: custom objects. Each command is one action.

use hubspot_client::Schema;
use serde_json::{Map, Value, json};

use super::property::said;
use crate::actions::{
    self, ArchiveSchema, AssociateSchema, CreateSchema, GetSchema, ListSchemas, UpdateSchema,
};
use crate::cli::{
    NamedProperty, SchemaArchive, SchemaAssociate, SchemaCommand, SchemaCreate, SchemaFlags, SchemaList,
    SchemaShow, SchemaUpdate,
};
use crate::confirm::{self, Answer};
use crate::exit::Outcome;
use crate::printer;
use crate::session::Session;

pub(crate) async fn run(command: SchemaCommand) -> Outcome {
    match command {
        SchemaCommand::List(arguments) => list(arguments).await,
        SchemaCommand::Show(arguments) => show(arguments).await,
        SchemaCommand::Create(arguments) => create(arguments).await,
        SchemaCommand::Update(arguments) => update(arguments).await,
        SchemaCommand::Archive(arguments) => archive(arguments).await,
        SchemaCommand::Associate(arguments) => associate(arguments).await,
    }
}

async fn list(SchemaList { asked }: SchemaList) -> Outcome {
    let schemas = Session::open(&asked.target)?
        .run::<ListSchemas>(&json!({}))
        .await?;
    if asked.json {
        return printer::json(&schemas);
    }
    let header = ["name", "type id", "label", "properties", "required"];
    printer::table(&header, schemas.iter().map(row));
    Ok(())
}

async fn show(SchemaShow { object, asked }: SchemaShow) -> Outcome {
    let session = Session::open(&asked.target)?;
    let schema = session.run::<GetSchema>(&json!({"object": object})).await?;
    if asked.json {
        return printer::json(&schema);
    }
    tell(&session, &schema).await
}

async fn create(arguments: SchemaCreate) -> Outcome {
    let SchemaCreate {
        name,
        from,
        properties,
        associate,
        flags,
        asked,
    } = arguments;
    let given = new(name, &properties, &associate, &flags);
    let input = actions::one_input(from.path(), &given)?;
    let made = Session::open(&asked.target)?.run::<CreateSchema>(&input).await?;
    said(
        &made,
        &format!("`{}` was made: {}", made.name, made.object_type_id),
        &asked,
    )
}

async fn update(
    SchemaUpdate {
        object,
        from,
        flags,
        asked,
    }: SchemaUpdate,
) -> Outcome {
    let mut given = said_of(&flags);
    given.insert("object".to_owned(), object.into());
    let input = actions::one_input(from.path(), &given)?;
    let changed = Session::open(&asked.target)?.run::<UpdateSchema>(&input).await?;
    said(&changed, &format!("`{}` was changed", changed.name), &asked)
}

async fn archive(
    SchemaArchive {
        object,
        confirmed,
        asked,
    }: SchemaArchive,
) -> Outcome {
    let warning = format!("the custom object `{object}` goes into the recycle bin, with its properties");
    confirm::proceed(&warning, Answer::Yes, confirmed.yes)?;
    let done = Session::open(&asked.target)?
        .run::<ArchiveSchema>(&json!({"object": object}))
        .await?;
    said(&done, &format!("`{object}` was archived"), &asked)
}

async fn associate(
    SchemaAssociate {
        object,
        to,
        name,
        asked,
    }: SchemaAssociate,
) -> Outcome {
    let input = json!({"object": object, "to": to, "name": name});
    let made = Session::open(&asked.target)?
        .run::<AssociateSchema>(&input)
        .await?;
    said(
        &made,
        &format!("records of {object} may be associated with {to} (id {})", made.id),
        &asked,
    )
}

fn new(
    name: Option<String>,
    properties: &[NamedProperty],
    associate: &[String],
    flags: &SchemaFlags,
) -> Map<String, Value> {
    let mut given = said_of(flags);
    given.extend(name.map(|name| ("name".to_owned(), Value::String(name))));
    if !properties.is_empty() {
        given.insert("properties".to_owned(), json!(properties));
    }
    if !associate.is_empty() {
        given.insert("associatedObjects".to_owned(), json!(associate));
    }
    given
}

/// The flags in the words of the action's input.
fn said_of(flags: &SchemaFlags) -> Map<String, Value> {
    let mut said = Map::new();
    let texts = [
        ("primaryDisplayProperty", &flags.primary),
        ("description", &flags.description),
    ];
    for (key, text) in texts {
        said.extend(text.clone().map(|text| (key.to_owned(), Value::String(text))));
    }
    let lists = [
        ("secondaryDisplayProperties", &flags.secondary),
        ("requiredProperties", &flags.required),
        ("searchableProperties", &flags.searchable),
    ];
    for (key, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
        said.insert(key.to_owned(), json!(names));
    }
    let labels = [("singular", &flags.singular), ("plural", &flags.plural)];
    let labels: Map<_, _> = labels
        .into_iter()
        .filter_map(|(key, label)| Some((key.to_owned(), Value::String(label.clone()?))))
        .collect();
    if !labels.is_empty() {
        said.insert("labels".to_owned(), Value::Object(labels));
    }
    said
}

fn row(schema: &Schema) -> Vec<String> {
    let own = schema
        .properties
        .iter()
        .filter(|property| !property.hubspot_defined);
    let names: Vec<_> = own.map(|property| property.name.as_str()).collect();
    vec![
        schema.name.clone(),
        schema.object_type_id.clone(),
        schema.labels.plural.clone().unwrap_or_default(),
        names.join(", "),
        schema.required_properties.join(", "),
    ]
}

async fn tell(session: &Session, schema: &Schema) -> Outcome {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (singular, plural) = (text(&schema.labels.singular), text(&schema.labels.plural));
    let facts = [
        (
            "object",
            format!(
                "{} ({}, {})",
                schema.name, schema.object_type_id, schema.fully_qualified_name
            ),
        ),
        ("labels", format!("{singular}, {plural}")),
        ("primary", text(&schema.primary_display_property)),
        ("required", schema.required_properties.join(", ")),
        ("searchable", schema.searchable_properties.join(", ")),
        ("associations", associations(session, schema).await?),
    ];
    for (name, text) in facts {
        printer::data(&format!("{name:<13} {text}"));
    }
    printer::data("");
    let object = session.object(&schema.object_type_id).await?;
    super::describe::table(&object, &schema.properties);
    Ok(())
}

/// The types that records may be associated with, each with the id of the association.
async fn associations(session: &Session, schema: &Schema) -> Outcome<String> {
    let all = session.objects().await?;
    let shown = schema.associations.iter().map(|association| {
        let other = match association.from_object_type_id == schema.object_type_id {
            true => &association.to_object_type_id,
            false => &association.from_object_type_id,
        };
        let object = all.iter().find(|object| object.is_called(other));
        let name = object.map_or(other.as_str(), |object| &object.name);
        format!("{name} (id {})", association.id)
    });
    Ok(shown.collect::<Vec<_>>().join(", "))
}
