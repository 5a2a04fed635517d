//! `spoke property group`.

use hubspot_client::PropertyGroup;
use serde_json::json;

use super::said;
use crate::actions::{ArchiveGroup, CreateGroup, ListGroups, UpdateGroup, members};
use crate::cli::{GroupArchive, GroupCommand, GroupCreate, GroupList, GroupUpdate};
use crate::confirm::{self, Answer};
use crate::exit::Outcome;
use crate::printer;
use crate::session::Session;

pub(super) async fn run(command: GroupCommand) -> Outcome {
    match command {
        GroupCommand::List(arguments) => list(arguments).await,
        GroupCommand::Create(arguments) => create(arguments).await,
        GroupCommand::Update(arguments) => update(arguments).await,
        GroupCommand::Archive(arguments) => archive(arguments).await,
    }
}

async fn list(GroupList { object, asked }: GroupList) -> Outcome {
    let groups = Session::open(&asked.target)?
        .run::<ListGroups>(&json!({"object": object}))
        .await?;
    if asked.json {
        return printer::json(&groups);
    }
    printer::table(&["group", "label", "order"], groups.into_iter().map(row));
    Ok(())
}

fn row(group: PropertyGroup) -> Vec<String> {
    vec![group.name, group.label, group.display_order.to_string()]
}

async fn create(
    GroupCreate {
        object,
        group,
        flags,
        asked,
    }: GroupCreate,
) -> Outcome {
    let mut input = members(&flags);
    input.extend(members(&json!({"object": object, "name": group})));
    let made = Session::open(&asked.target)?.run::<CreateGroup>(&input).await?;
    said(&made, &format!("the group `{}` was made", made.name), &asked)
}

async fn update(
    GroupUpdate {
        object,
        group,
        flags,
        asked,
    }: GroupUpdate,
) -> Outcome {
    let mut input = members(&flags);
    input.extend(members(&json!({"object": object, "name": group})));
    let changed = Session::open(&asked.target)?.run::<UpdateGroup>(&input).await?;
    said(
        &changed,
        &format!("the group `{}` was changed", changed.name),
        &asked,
    )
}

async fn archive(
    GroupArchive {
        object,
        group,
        confirmed,
        asked,
    }: GroupArchive,
) -> Outcome {
    let warning = format!("the group `{group}` of {object} goes into the recycle bin");
    confirm::proceed(&warning, Answer::Yes, confirmed.yes)?;
    let input = json!({"object": object, "name": group});
    let done = Session::open(&asked.target)?.run::<ArchiveGroup>(&input).await?;
    said(&done, &format!("the group `{group}` was archived"), &asked)
}
