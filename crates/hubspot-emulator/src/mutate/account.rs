//! Changes to lists, their members, owners and pipelines.

use serde_json::{Value, json};

use super::Change;
use super::pick::any_live;
use super::things::Stage;
use crate::data::words;
use crate::state::lists::List;

/// So often a record is drawn until it is not in the list.
const TRIES: usize = 20;

impl Stage<'_> {
    /// A list of contacts that people fill.
    pub(super) fn create_list(&mut self) -> Option<Value> {
        let of = self.portal.type_index("contacts").ok()?;
        let mut lists = self.inner.lists();
        let name = format!(
            "{} {}",
            self.draw.pick(words::DEAL_WORDS),
            lists.every().count() + 1
        );
        let made = lists.create(of, &name, "MANUAL", self.now.wall)?;
        Some(json!(made.id.to_string()))
    }

    pub(super) fn change_list(&mut self, change: Change) -> Option<Value> {
        let inner = self.inner;
        let mut lists = inner.lists();
        let deleted = matches!(change, Change::Restore);
        let fitting = lists.every().filter(|list| list.deleted.is_some() == deleted);
        let id = self.pick(fitting.map(|list| list.id))?;
        if deleted {
            lists.restore(id);
        }
        let list = lists.get_mut(id)?;
        match change {
            Change::Archive => list.deleted = Some(self.now.wall),
            Change::Update => list.name.push_str(" again"),
            _ => {}
        }
        list.updated = self.now.modified(list.updated);
        Some(json!(id.to_string()))
    }

    pub(super) fn join_list(&mut self) -> Option<Value> {
        let inner = self.inner;
        let mut lists = inner.lists();
        let list = self.some_list(lists.all())?;
        let list = lists.get_mut(list)?;
        let store = self.portal.store(list.of);
        let record = (0..TRIES).find_map(|_| {
            let id = store.record(any_live(store, self.draw)?).id;
            (!list.members.contains_key(&id)).then_some(id)
        })?;
        list.members.insert(record, self.now.wall);
        Some(told(list.id, record))
    }

    pub(super) fn leave_list(&mut self) -> Option<Value> {
        let inner = self.inner;
        let mut lists = inner.lists();
        let list = self.some_list(lists.all().filter(|list| !list.members.is_empty()))?;
        let list = lists.get_mut(list)?;
        let record = *list.members.keys().nth(self.draw.place(list.members.len()))?;
        list.members.remove(&record);
        Some(told(list.id, record))
    }

    fn some_list<'l>(&mut self, lists: impl Iterator<Item = &'l List>) -> Option<u64> {
        let ids: Vec<u64> = lists.map(|list| list.id).collect();
        ids.get(self.draw.place(ids.len().max(1))).copied()
    }

    pub(super) fn change_owner(&mut self, change: Change) -> Option<Value> {
        let archived = matches!(change, Change::Restore);
        let owners = self
            .portal
            .owners
            .iter()
            .filter(|owner| owner.archived == archived);
        let fitting: Vec<u64> = owners.map(|owner| owner.id).collect();
        let id = self.pick(fitting.into_iter())?;
        let owner = self.portal.owners.iter_mut().find(|owner| owner.id == id)?;
        match change {
            Change::Update => owner.last_name.push_str("-Smith"),
            _ => owner.archived = !archived,
        }
        owner.updated = self.now.modified(owner.updated);
        Some(json!(id.to_string()))
    }

    /// Gives a random stage of a random pipeline another label.
    pub(super) fn rename_stage(&mut self) -> Option<Value> {
        let place = self.draw.place(self.portal.pipelines.len().max(1));
        let (of, pipeline) = self.portal.pipelines.get_mut(place)?;
        let (of, at) = (*of, self.draw.place(pipeline.stages.len().max(1)));
        let stage = pipeline.stages.get_mut(at)?;
        stage.label.push_str(" again");
        stage.updated = self.now.modified(stage.updated);
        pipeline.updated = self.now.modified(pipeline.updated);
        let told = json!({"pipeline": pipeline.id, "stage": stage.id});
        self.portal.offer_stages(of);
        Some(told)
    }
}

fn told(list: u64, record: u64) -> Value {
    json!({"listId": list.to_string(), "recordId": record.to_string()})
}
