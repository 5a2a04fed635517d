//! Associations between records: one pair, or any number of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::linking::{Doing, work};
use super::{Act, Action, Effect};
use crate::exit::{Failure, Outcome};
use crate::session::Session;

pub(super) const ACTIONS: &[Action] = &[
    Action::of::<Associate>(),
    Action::of::<AssociateMany>(),
    Action::of::<Dissociate>(),
    Action::of::<DissociateMany>(),
];

/// Two records, as they are written, and how they are associated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PairInput {
    /// The record that the direction begins at: its id, or the value of `fromBy`.
    pub(crate) from_id: String,
    /// The other record: its id, or the value of `toBy`.
    pub(crate) to_id: String,
    /// The label, such as `Primary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    /// Instead of a label: the number of the type of association.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) type_id: Option<u64>,
    /// The category of that number, such as `USER_DEFINED`: needed only where two types share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<String>,
}

/// Between which object types, and how their records are named.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ends {
    /// Object type that the direction begins at.
    pub(super) from_object: String,
    /// The other object type.
    pub(super) to_object: String,
    /// The property whose values are in `fromId`, such as `email`; ids when left out.
    #[serde(default)]
    pub(super) from_by: Option<String>,
    /// The property whose values are in `toId`, such as `domain`; ids when left out.
    #[serde(default)]
    pub(super) to_by: Option<String>,
}

/// What became of pairs.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Linked {
    /// How many are as they were asked to be.
    pub(crate) done: usize,
    /// Those that are not.
    pub(crate) failed: Vec<FailedPair>,
}

/// A pair that could not be associated, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FailedPair {
    #[serde(flatten)]
    pub(crate) pair: PairInput,
    pub(crate) message: String,
}

impl Linked {
    /// The same of one pair, which either worked or did not.
    fn single(mut self) -> Outcome<Self> {
        match self.failed.pop() {
            None => Ok(self),
            Some(failed) => Err(Failure::failed(failed.message)),
        }
    }
}

/// Associates two records. What they are to each other already stays.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Associate {
    #[serde(flatten)]
    ends: Ends,
    #[serde(flatten)]
    pair: PairInput,
}

impl Act for Associate {
    const NAME: &'static str = "association.create";
    const EFFECT: Effect = Effect::Writes;
    type Output = Linked;

    async fn act(self, session: &Session) -> Outcome<Linked> {
        work(session, &self.ends, vec![self.pair], Doing::Associate)
            .await?
            .single()
    }
}

/// Associates any number of pairs of records, 2,000 a call.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AssociateMany {
    #[serde(flatten)]
    ends: Ends,
    /// The pairs.
    pairs: Vec<PairInput>,
}

impl Act for AssociateMany {
    const NAME: &'static str = "association.create_many";
    const EFFECT: Effect = Effect::Writes;
    type Output = Linked;

    async fn act(self, session: &Session) -> Outcome<Linked> {
        work(session, &self.ends, self.pairs, Doing::Associate).await
    }
}

/// Ends an association of two records: all that is between them, or one label.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Dissociate {
    #[serde(flatten)]
    ends: Ends,
    #[serde(flatten)]
    pair: PairInput,
}

impl Act for Dissociate {
    const NAME: &'static str = "association.remove";
    const EFFECT: Effect = Effect::Writes;
    type Output = Linked;

    async fn act(self, session: &Session) -> Outcome<Linked> {
        work(session, &self.ends, vec![self.pair], Doing::Dissociate)
            .await?
            .single()
    }
}

/// Ends the associations of any number of pairs of records, 2,000 a call.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct DissociateMany {
    #[serde(flatten)]
    ends: Ends,
    /// The pairs.
    pairs: Vec<PairInput>,
}

impl Act for DissociateMany {
    const NAME: &'static str = "association.remove_many";
    const EFFECT: Effect = Effect::Writes;
    type Output = Linked;

    async fn act(self, session: &Session) -> Outcome<Linked> {
        work(session, &self.ends, self.pairs, Doing::Dissociate).await
    }
}
