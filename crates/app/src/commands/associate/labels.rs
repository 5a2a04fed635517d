//! `spoke associate labels`.

use hubspot_client::AssociationLabel;
use serde_json::json;

use super::super::property::said;
use crate::actions::{CreateLabel, DeleteLabel, ListLabels, UpdateLabel};
use crate::cli::{Asked, LabelCommand, LabelCreate, LabelDelete, LabelUpdate, Labels};
use crate::confirm::{self, Answer};
use crate::exit::Outcome;
use crate::printer;
use crate::session::Session;

pub(super) async fn run(arguments: Labels) -> Outcome {
    match arguments.command {
        None => {
            let input = json!({"from": arguments.from, "to": arguments.to});
            let labels = Session::open(&arguments.asked.target)?
                .run::<ListLabels>(&input)
                .await?;
            show(&labels, &arguments.asked)
        }
        Some(LabelCommand::Create(arguments)) => create(arguments).await,
        Some(LabelCommand::Update(arguments)) => update(arguments).await,
        Some(LabelCommand::Delete(arguments)) => delete(arguments).await,
    }
}

async fn create(
    LabelCreate {
        from,
        to,
        label,
        inverse,
        name,
        asked,
    }: LabelCreate,
) -> Outcome {
    let input = json!({"from": from, "to": to, "label": label, "inverse": inverse, "name": name});
    show(
        &Session::open(&asked.target)?.run::<CreateLabel>(&input).await?,
        &asked,
    )
}

async fn update(
    LabelUpdate {
        from,
        to,
        type_id,
        label,
        inverse,
        asked,
    }: LabelUpdate,
) -> Outcome {
    let input = json!({"from": from, "to": to, "typeId": type_id, "label": label, "inverse": inverse});
    show(
        &Session::open(&asked.target)?.run::<UpdateLabel>(&input).await?,
        &asked,
    )
}

async fn delete(
    LabelDelete {
        from,
        to,
        type_id,
        confirmed,
        asked,
    }: LabelDelete,
) -> Outcome {
    let warning = format!("the label {type_id} is taken off all associations from {from} to {to}, for good");
    confirm::proceed(&warning, Answer::Yes, confirmed.yes)?;
    let input = json!({"from": from, "to": to, "typeId": type_id});
    let done = Session::open(&asked.target)?.run::<DeleteLabel>(&input).await?;
    said(&done, &format!("the label {type_id} was deleted"), &asked)
}

fn show(labels: &[AssociationLabel], asked: &Asked) -> Outcome {
    if asked.json {
        return printer::json(&labels);
    }
    let row = |label: &AssociationLabel| {
        let text = label.label.clone().unwrap_or_else(|| "(no label)".to_owned());
        vec![label.type_id.to_string(), text, label.category.clone()]
    };
    printer::table(&["type", "label", "category"], labels.iter().map(row));
    Ok(())
}
