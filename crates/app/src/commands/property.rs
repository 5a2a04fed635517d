//! `spoke property`: properties and their groups. Each command is one action.

mod group;

use hubspot_client::Property;
use serde::Serialize;
use serde_json::{Value, json};

use super::describe;
use crate::actions::{
    self, ArchiveProperty, CreateProperty, GetProperty, ListProperties, UpdateProperty, inputs, members,
};
use crate::cli::{
    Asked, PropertyArchive, PropertyCommand, PropertyCreate, PropertyList, PropertyShow, PropertyUpdate,
};
use crate::confirm::{self, Answer};
use crate::exit::Outcome;
use crate::printer;
use crate::session::Session;

pub(crate) async fn run(command: PropertyCommand) -> Outcome {
    match command {
        PropertyCommand::List(arguments) => list(arguments).await,
        PropertyCommand::Show(arguments) => show(arguments).await,
        PropertyCommand::Create(arguments) => create(arguments).await,
        PropertyCommand::Update(arguments) => update(arguments).await,
        PropertyCommand::Archive(arguments) => archive(arguments).await,
        PropertyCommand::Group(command) => group::run(command).await,
    }
}

async fn list(arguments: PropertyList) -> Outcome {
    let PropertyList {
        object,
        archived,
        custom,
        group,
        asked,
    } = arguments;
    let session = Session::open(&asked.target)?;
    let input = json!({"object": object, "archived": archived});
    let mut properties = session.run::<ListProperties>(&input).await?;
    properties.retain(|property| !(custom && property.hubspot_defined));
    properties.retain(|property| group.as_ref().is_none_or(|group| property.group_name == *group));
    if asked.json {
        return printer::json(&properties);
    }
    describe::table(&session.object(&object).await?, &properties);
    Ok(())
}

async fn show(
    PropertyShow {
        object,
        property,
        asked,
    }: PropertyShow,
) -> Outcome {
    let session = Session::open(&asked.target)?;
    let input = json!({"object": object, "name": property});
    let found = session.run::<GetProperty>(&input).await?;
    describe::one(&session.object(&object).await?, found, asked.json)
}

/// One property, or each of a file; all are looked at before the first is made.
async fn create(arguments: PropertyCreate) -> Outcome {
    let mut given = members(&arguments.flags);
    given.insert("object".to_owned(), arguments.object.into());
    given.extend(
        arguments
            .property
            .map(|name| ("name".to_owned(), Value::String(name))),
    );
    given.extend(
        arguments
            .unique
            .then(|| ("hasUniqueValue".to_owned(), Value::Bool(true))),
    );
    let wanted = inputs(arguments.from.path(), &given)?;
    wanted
        .iter()
        .try_for_each(actions::check_input::<CreateProperty>)?;
    let session = Session::open(&arguments.asked.target)?;
    for input in &wanted {
        told(
            &session.run::<CreateProperty>(input).await?,
            "made",
            &arguments.asked,
        )?;
    }
    Ok(())
}

async fn update(arguments: PropertyUpdate) -> Outcome {
    let PropertyUpdate {
        object,
        property,
        from,
        flags,
        add_option,
        asked,
    } = arguments;
    let mut given = members(&flags);
    given.extend(members(&json!({"object": object, "name": property})));
    if !add_option.is_empty() {
        given.insert("addOptions".to_owned(), json!(add_option));
    }
    let input = actions::one_input(from.path(), &given)?;
    let changed = Session::open(&asked.target)?
        .run::<UpdateProperty>(&input)
        .await?;
    told(&changed, "changed", &asked)
}

async fn archive(arguments: PropertyArchive) -> Outcome {
    let PropertyArchive {
        object,
        property,
        confirmed,
        asked,
    } = arguments;
    let warning = format!("the property `{property}` of {object} and its values go into the recycle bin");
    confirm::proceed(&warning, Answer::Yes, confirmed.yes)?;
    let input = json!({"object": object, "name": property});
    let done = Session::open(&asked.target)?
        .run::<ArchiveProperty>(&input)
        .await?;
    said(&done, &format!("`{property}` was archived"), &asked)
}

fn told(property: &Property, what: &str, asked: &Asked) -> Outcome {
    let kind = format!("{} ({})", property.type_, property.field_type);
    let text = format!(
        "`{}` was {what}: {kind}, group {}",
        property.name, property.group_name
    );
    said(property, &text, asked)
}

/// The result as JSON, or a line about it.
pub(super) fn said(result: &impl Serialize, text: &str, asked: &Asked) -> Outcome {
    if asked.json {
        return printer::json(result);
    }
    printer::data(text);
    Ok(())
}
