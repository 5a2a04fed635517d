//! Lists of records.

use hubspot_client::request::lists::{ListSearch, NewList};
use hubspot_client::{Member, MembersChanged, PageTrail, RecordList};
use hubspot_connector::objects::ObjectType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Act, Action, Effect};
use crate::exit::{Failure, Outcome};
use crate::session::Session;

pub(super) const ACTIONS: &[Action] = &[
    Action::of::<ListLists>(),
    Action::of::<GetList>(),
    Action::of::<CreateList>(),
    Action::of::<ListMembers>(),
    Action::of::<AddMembers>(),
    Action::of::<RemoveMembers>(),
];

/// Lists the lists of the account whose name contains a text, or all.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListLists {
    /// Part of the name.
    #[serde(default)]
    query: Option<String>,
    /// Only lists of this object type's records.
    #[serde(default)]
    object: Option<String>,
}

impl Act for ListLists {
    const NAME: &'static str = "list.list";
    const EFFECT: Effect = Effect::Reads;
    type Output = Vec<RecordList>;

    async fn act(self, session: &Session) -> Outcome<Vec<RecordList>> {
        let mut search = ListSearch {
            query: self.query,
            ..ListSearch::default()
        };
        if let Some(object) = &self.object {
            search.object_type_id = Some(type_id(&session.object(object).await?)?);
        }
        let shown = session.objects().await?;
        let mut lists = Vec::new();
        loop {
            let page = session.client.search_lists(&search).await?;
            lists.extend(page.lists);
            if !page.has_more {
                break;
            }
            search.offset = page.offset;
        }
        lists.retain(|list| shown.iter().any(|object| object.is_called(&list.object_type_id)));
        Ok(lists)
    }
}

fn type_id(object: &ObjectType) -> Outcome<String> {
    object.type_id.as_deref().map(str::to_owned).ok_or_else(|| {
        Failure::usage(format!(
            "there are no lists of {}: HubSpot publishes no type id for them",
            object.name
        ))
    })
}

/// A list whose records may be reached.
async fn reach(session: &Session, id: &str) -> Outcome<RecordList> {
    let list = session
        .client
        .list(id)
        .await
        .map_err(|error| match error.is_not_found() {
            true => Failure::failed(format!("there is no list `{id}`"))
                .hint("`spoke actions run list.list` shows them"),
            false => error.into(),
        })?;
    session.object(&list.object_type_id).await?;
    Ok(list)
}

/// Reads one list.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct GetList {
    /// The list's id.
    id: String,
}

impl Act for GetList {
    const NAME: &'static str = "list.get";
    const EFFECT: Effect = Effect::Reads;
    type Output = RecordList;

    async fn act(self, session: &Session) -> Outcome<RecordList> {
        reach(session, &self.id).await
    }
}

/// How records come into a list.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Processing {
    /// They are added and removed by hand.
    #[default]
    Manual,
    /// A filter finds them.
    Dynamic,
    /// A filter found them once.
    Snapshot,
}

impl Processing {
    fn name(self) -> &'static str {
        match self {
            Self::Manual => "MANUAL",
            Self::Dynamic => "DYNAMIC",
            Self::Snapshot => "SNAPSHOT",
        }
    }
}

/// Makes a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateList {
    /// Object type of its records.
    object: String,
    /// Its name, which no other list has.
    name: String,
    /// `MANUAL`, as when left out: records are added and removed; `DYNAMIC`: a filter finds them; `SNAPSHOT`: a filter
    /// found them once.
    #[serde(default)]
    processing_type: Processing,
    /// The filter, in HubSpot's words.
    #[serde(default)]
    filter_branch: Option<Value>,
}

impl Act for CreateList {
    const NAME: &'static str = "list.create";
    const EFFECT: Effect = Effect::Writes;
    type Output = RecordList;

    async fn act(self, session: &Session) -> Outcome<RecordList> {
        let object = session.object(&self.object).await?;
        let new = NewList {
            name: self.name,
            object_type_id: type_id(&object)?,
            processing_type: self.processing_type.name().to_owned(),
            filter_branch: self.filter_branch,
        };
        Ok(session.client.create_list(&new).await?)
    }
}

/// Lists the records of a list, all of them.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ListMembers {
    /// The list's id.
    id: String,
}

impl Act for ListMembers {
    const NAME: &'static str = "list.members";
    const EFFECT: Effect = Effect::Reads;
    type Output = Vec<Member>;

    async fn act(self, session: &Session) -> Outcome<Vec<Member>> {
        let list = reach(session, &self.id).await?;
        let mut trail = PageTrail::new(format!("members of the list {}", list.list_id));
        let (mut members, mut after) = (Vec::new(), None);
        loop {
            let page = session
                .client
                .list_members(&list.list_id, after.as_deref())
                .await?;
            let found = page.members.len();
            members.extend(page.members);
            after = page.after;
            match &after {
                Some(next) => trail.follow(found, next)?,
                None => return Ok(members),
            }
        }
    }
}

/// Puts records into a manual list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddMembers {
    /// The list's id.
    id: String,
    /// The records' ids.
    record_ids: Vec<String>,
}

impl Act for AddMembers {
    const NAME: &'static str = "list.add_members";
    const EFFECT: Effect = Effect::Writes;
    type Output = MembersChanged;

    async fn act(self, session: &Session) -> Outcome<MembersChanged> {
        let list = reach(session, &self.id).await?;
        Ok(session
            .client
            .add_list_members(&list.list_id, &self.record_ids)
            .await?)
    }
}

/// Takes records out of a manual list; the records stay.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemoveMembers {
    /// The list's id.
    id: String,
    /// The records' ids.
    record_ids: Vec<String>,
}

impl Act for RemoveMembers {
    const NAME: &'static str = "list.remove_members";
    const EFFECT: Effect = Effect::Writes;
    type Output = MembersChanged;

    async fn act(self, session: &Session) -> Outcome<MembersChanged> {
        let list = reach(session, &self.id).await?;
        Ok(session
            .client
            .remove_list_members(&list.list_id, &self.record_ids)
            .await?)
    }
}
