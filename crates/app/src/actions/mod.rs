//! What can be done to an account besides writing records, as data: a name, a JSON Schema of the input, a function.
//!
//! An action is a struct, and the struct is its input: serde reads it, schemars describes it, its documentation is
//! the action's. `spoke actions` runs any of them by name; commands such as `spoke property` run one each.

mod association_types;
mod associations;
mod check;
mod hubdb;
mod input;
mod labels;
mod linking;
mod lists;
mod lookup;
mod names;
mod pipelines;
mod properties;
mod property_definition;
mod property_groups;
mod records;
mod schemas;
mod stages;

use std::pin::Pin;

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(crate) use self::{
    associations::{AssociateMany, DissociateMany, Linked, PairInput},
    check::kind,
    input::{assignments, inputs, members, one_input},
    labels::{CreateLabel, DeleteLabel, ListLabels, UpdateLabel},
    properties::{ArchiveProperty, CreateProperty, GetProperty, ListProperties, UpdateProperty},
    property_definition::OptionInput,
    property_groups::{ArchiveGroup, CreateGroup, ListGroups, UpdateGroup},
    records::{Erased, GdprDelete, Merge},
    schemas::{ArchiveSchema, AssociateSchema, CreateSchema, GetSchema, ListSchemas, UpdateSchema},
};
use crate::exit::{Failure, Outcome};
use crate::session::Session;
use crate::settings::nearest;

/// What an action leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effect {
    /// Nothing changes.
    Reads,
    /// Something is made or changed.
    Writes,
    /// Something is taken away; HubSpot's pages may bring some of it back.
    Removes,
    /// Something is gone, and nobody can bring it back.
    Irreversible,
}

impl Effect {
    /// What a person is warned of first.
    pub(crate) fn warning(self) -> Option<&'static str> {
        match self {
            Self::Reads | Self::Writes => None,
            Self::Removes => Some("takes something away"),
            Self::Irreversible => Some("cannot be undone"),
        }
    }
}

/// One thing that can be done; the implementing struct is its input.
pub(crate) trait Act: DeserializeOwned + JsonSchema {
    /// `family.verb`
    const NAME: &'static str;
    /// What it leaves behind.
    const EFFECT: Effect;
    /// What it tells afterwards.
    type Output: Serialize;

    /// Does it.
    async fn act(self, session: &Session) -> Outcome<Self::Output>;
}

type Running<'a> = Pin<Box<dyn Future<Output = Outcome<Value>> + 'a>>;

/// An [`Act`] whose type is forgotten.
pub(crate) struct Action {
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    schema: fn() -> Schema,
    run: for<'a> fn(&'a Session, Map<String, Value>) -> Running<'a>,
}

impl Action {
    const fn of<A: Act>() -> Self {
        Self {
            name: A::NAME,
            effect: A::EFFECT,
            schema: input::schema::<A>,
            run: erased::<A>,
        }
    }

    /// The JSON Schema of its input.
    pub(crate) fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// What it does, in words.
    pub(crate) fn about(&self) -> String {
        let schema = self.schema();
        schema
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// Does it with this input; the output as JSON.
    pub(crate) async fn run(&self, session: &Session, input: Map<String, Value>) -> Outcome<Value> {
        (self.run)(session, input).await
    }
}

fn erased<A: Act>(session: &Session, input: Map<String, Value>) -> Running<'_> {
    Box::pin(async move {
        let output = act::<A>(session, input).await?;
        serde_json::to_value(output).map_err(|error| Failure::failed("the output is no JSON").because(&error))
    })
}

/// Reads the input of an action, and does it.
pub(crate) async fn act<A: Act>(session: &Session, input: Map<String, Value>) -> Outcome<A::Output> {
    input::read::<A>(input)?.act(session).await
}

/// Looks at the input of an action, and does nothing.
pub(crate) fn check_input<A: Act>(input: &Map<String, Value>) -> Outcome {
    input::read::<A>(input.clone()).map(drop)
}

/// Every action, by family.
pub(crate) fn all() -> impl Iterator<Item = &'static Action> {
    let families: [&'static [Action]; 10] = [
        properties::ACTIONS,
        property_groups::ACTIONS,
        schemas::ACTIONS,
        pipelines::ACTIONS,
        stages::ACTIONS,
        associations::ACTIONS,
        labels::ACTIONS,
        records::ACTIONS,
        lists::ACTIONS,
        hubdb::ACTIONS,
    ];
    families.into_iter().flatten()
}

/// The action called `name`.
pub(crate) fn find(name: &str) -> Outcome<&'static Action> {
    all().find(|action| action.name == name).ok_or_else(|| {
        let near = nearest(name, all().map(|action| action.name));
        let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Failure::usage(format!("there is no action `{name}`{meant}"))
            .hint("`spoke actions list` shows them all")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_actions_have_one_name_and_all_say_what_they_do() {
        let mut names: Vec<_> = all().map(|action| action.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for action in all() {
            assert!(!action.about().is_empty(), "{}", action.name);
            let properties = action.schema().get("properties").cloned().unwrap_or_default();
            for (key, property) in properties.as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{} {key}", action.name);
            }
        }
    }

    #[test]
    fn an_unknown_action_is_told_with_the_nearest() {
        let failure = find("property.creat").err().expect("there is none");
        assert!(format!("{failure:?}").contains("did you mean `property.create`?"));
    }
}
