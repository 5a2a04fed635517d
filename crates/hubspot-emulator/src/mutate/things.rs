//! Changes to things that are no records: forms, the CMS, lists and their members, owners, pipelines.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Change;
use crate::data::draw::Draw;
use crate::data::resources::{change, id, new_fields, row};
use crate::emulator::Inner;
use crate::state::portal::{Moment, Portal};
use crate::state::resources::{Draft, HUBDB_TABLES, Kind};

/// What `objectType` may name beside object types.
#[derive(Debug, Clone, Copy)]
pub(super) enum Things {
    Resources(&'static Kind),
    Lists,
    /// `create` puts a record into a list, `archive` takes one out.
    Memberships,
    Owners,
    Pipelines,
}

/// What one change works with.
pub(super) struct Stage<'a> {
    pub(super) inner: &'a Inner,
    pub(super) portal: &'a mut Portal,
    pub(super) draw: &'a mut Draw,
    pub(super) now: Moment,
    /// What may not be drawn again; `None`: everything may.
    pub(super) drawn: Option<&'a mut HashSet<u64>>,
}

impl Things {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "lists" => Some(Self::Lists),
            "list_memberships" => Some(Self::Memberships),
            "owners" => Some(Self::Owners),
            "pipelines" => Some(Self::Pipelines),
            _ => Kind::named(name).map(Self::Resources),
        }
    }

    pub(super) fn allow(self, change: Change) -> bool {
        use Change::{Archive, Create, Restore, Update};
        match self {
            Self::Resources(_) | Self::Lists => matches!(change, Create | Update | Archive | Restore),
            Self::Memberships => matches!(change, Create | Archive),
            Self::Owners => matches!(change, Update | Archive | Restore),
            Self::Pipelines => matches!(change, Update),
        }
    }

    /// Makes a change that is allowed and tells what was touched; `None`: there was nothing to change.
    pub(super) fn make(self, stage: &mut Stage<'_>, change: Change) -> Option<Value> {
        match (self, change) {
            (Self::Resources(kind), Change::Create) => Some(stage.create_resource(kind)),
            (Self::Resources(kind), change) => stage.change_resource(kind, change),
            (Self::Lists, Change::Create) => stage.create_list(),
            (Self::Lists, change) => stage.change_list(change),
            (Self::Memberships, Change::Create) => stage.join_list(),
            (Self::Memberships, _) => stage.leave_list(),
            (Self::Owners, change) => stage.change_owner(change),
            (Self::Pipelines, _) => stage.rename_stage(),
        }
    }
}

impl Stage<'_> {
    /// Draws one of these numbers, never the same twice if that was asked for.
    pub(super) fn pick(&mut self, numbers: impl Iterator<Item = u64>) -> Option<u64> {
        let fresh = |number: &u64| self.drawn.as_ref().is_none_or(|drawn| !drawn.contains(number));
        let numbers: Vec<u64> = numbers.filter(fresh).collect();
        let picked = numbers.get(self.draw.place(numbers.len().max(1))).copied()?;
        if let Some(drawn) = &mut self.drawn {
            drawn.insert(picked);
        }
        Some(picked)
    }

    fn create_resource(&mut self, kind: &'static Kind) -> Value {
        let seed = self.inner.options.seed;
        let mut resources = self.inner.resources();
        let number = resources.shelf(kind).next_number();
        let fields = new_fields(kind, seed, number);
        let made =
            resources
                .shelf_mut(kind)
                .create(|number| id(kind, seed, number), fields.clone(), self.now.wall);
        let told = json!(made.id);
        if kind.name == HUBDB_TABLES.name {
            let draft = Draft {
                fields,
                ..Draft::default()
            };
            resources.drafts.insert(number, draft);
        }
        told
    }

    fn change_resource(&mut self, kind: &'static Kind, change: Change) -> Option<Value> {
        let inner = self.inner;
        let mut resources = inner.resources();
        let archived = matches!(change, Change::Restore);
        let fitting = resources.shelf(kind).all();
        let fitting = fitting.filter(|resource| resource.archived.is_some() == archived);
        let number = self.pick(fitting.map(|resource| resource.number))?;
        let resource = resources.shelf_mut(kind).get_mut(number)?;
        let before = resource.updated;
        match change {
            Change::Archive => resource.archived = Some(self.now.wall),
            Change::Restore => resource.archived = None,
            _ => self::change(kind, self.draw, &mut resource.fields),
        }
        resource.updated = self.now.modified(before);
        let told = json!(resource.id);
        if kind.name == HUBDB_TABLES.name && matches!(change, Change::Update) {
            let (fields, updated) = (resource.fields.clone(), resource.updated);
            let draft = resources.drafts.entry(number).or_default();
            draft.fields = fields;
            draft
                .rows
                .create(|row| row.to_string(), row(self.draw), self.now.wall);
            resources.publish(number, updated);
        }
        Some(told)
    }
}
