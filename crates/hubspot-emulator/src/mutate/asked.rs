//! What a mutation asks for: which changes, how many, and how time passes meanwhile.

use std::time::Duration;

use serde::Deserialize;

use crate::behaviour::faults::duration;
use crate::failure::Failure;

/// What is asked for; each number counts records or, of associations, pairs of records.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Mutation {
    pub(super) object_type: String,
    pub(super) seed: u64,
    create: u64,
    update: u64,
    archive: u64,
    restore: u64,
    merge: u64,
    gdpr_delete: u64,
    /// Records of which a calculated property changes; that never counts as a modification.
    pub(super) calculated: u64,
    associate: u64,
    disassociate: u64,
    /// Pairs that gain or lose a second association type.
    label: u64,
    /// All changes happen in one millisecond; otherwise time passes between them.
    same_millisecond: bool,
    /// How long the changes take; the clock moves on by that much without anyone waiting.
    over: Option<String>,
    /// Each record is drawn once at most.
    pub(super) distinct: bool,
    /// The changes leave last modifications and search as they are.
    pub(super) silent: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Create,
    Update,
    Archive,
    Restore,
    Merge,
    Purge,
    Recalculate,
    Associate,
    Disassociate,
    Label,
}

/// A kind of change; the name is its member of the request and of the answer.
pub(super) struct Kind {
    pub(super) change: Change,
    pub(super) name: &'static str,
    pub(super) count: fn(&Mutation) -> u64,
}

/// More would outgrow the memory of most machines before the answer comes.
const MOST_CHANGES: u64 = 1_000_000;

pub(super) static KINDS: [Kind; 10] = [
    kind(Change::Create, "create", |asked| asked.create),
    kind(Change::Update, "update", |asked| asked.update),
    kind(Change::Archive, "archive", |asked| asked.archive),
    kind(Change::Restore, "restore", |asked| asked.restore),
    kind(Change::Merge, "merge", |asked| asked.merge),
    kind(Change::Purge, "gdprDelete", |asked| asked.gdpr_delete),
    kind(Change::Recalculate, "calculated", |asked| asked.calculated),
    kind(Change::Associate, "associate", |asked| asked.associate),
    kind(Change::Disassociate, "disassociate", |asked| asked.disassociate),
    kind(Change::Label, "label", |asked| asked.label),
];

const fn kind(change: Change, name: &'static str, count: fn(&Mutation) -> u64) -> Kind {
    Kind { change, name, count }
}

/// How time passes while changes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    Together,
    Over(Duration),
    /// A step at a time, with a millisecond in between.
    Steps,
}

impl Mutation {
    pub(super) fn pace(&self) -> Result<Pace, Failure> {
        match (self.same_millisecond, self.over.as_deref()) {
            (true, Some(_)) => Err(Failure::validation(
                "`sameMillisecond` and `over` exclude each other",
            )),
            (true, None) => Ok(Pace::Together),
            (false, None) => Ok(Pace::Steps),
            (false, Some(text)) => duration(text).map(Pace::Over).ok_or_else(|| {
                Failure::validation(format!(
                    "`{text}` is not a duration; write `1h`, `10s` or `150ms`"
                ))
            }),
        }
    }

    /// The kinds of changes that are asked for.
    pub(super) fn asked(&self) -> impl Iterator<Item = &'static Kind> {
        KINDS.iter().filter(|kind| (kind.count)(self) > 0)
    }

    /// The place in [`KINDS`] of each change.
    pub(super) fn changes(&self) -> Result<Vec<usize>, Failure> {
        if let Some(kind) = KINDS.iter().find(|kind| (kind.count)(self) > MOST_CHANGES) {
            return Err(Failure::validation(format!(
                "`{}` is too many: at most {MOST_CHANGES} changes of a kind are made at once",
                kind.name
            )));
        }
        let counts = KINDS
            .iter()
            .map(|kind| usize::try_from((kind.count)(self)).unwrap_or(0));
        Ok(counts
            .enumerate()
            .flat_map(|(at, count)| std::iter::repeat_n(at, count))
            .collect())
    }
}
