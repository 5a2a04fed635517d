//! Marketing events: what an app tells of its webinars and fairs. An event is known by the app's account and its own
//! id there, and by an object id.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::time::Millis;

#[derive(Debug, Clone)]
pub(crate) struct MarketingEvent {
    pub(crate) id: u64,
    pub(crate) account: String,
    pub(crate) external_id: String,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    /// Name, organizer, times and the like, by the API's names.
    pub(crate) facts: Map<String, Value>,
}

#[derive(Debug, Default)]
pub(crate) struct MarketingEvents {
    held: BTreeMap<u64, MarketingEvent>,
    made: u64,
}

/// Ids begin above those of other types, so that a mixed-up id is noticed.
const FIRST_ID: u64 = 540_001;

impl MarketingEvents {
    /// Adds an event, or changes the one that the app knows by this id.
    pub(crate) fn upsert(
        &mut self,
        account: &str,
        external_id: &str,
        facts: Map<String, Value>,
        now: Millis,
    ) -> &MarketingEvent {
        let known = self.known_as(account, external_id).map(|event| event.id);
        let id = known.unwrap_or(FIRST_ID + self.made);
        self.made += u64::from(known.is_none());
        let event = self.held.entry(id).or_insert_with(|| MarketingEvent {
            id,
            account: account.to_owned(),
            external_id: external_id.to_owned(),
            created: now,
            updated: now,
            facts: Map::new(),
        });
        event.facts.extend(facts);
        event.updated = now;
        event
    }

    pub(crate) fn known_as(&self, account: &str, external_id: &str) -> Option<&MarketingEvent> {
        self.named(external_id).find(|event| event.account == account)
    }

    /// The events that apps know by this id, whatever the account.
    pub(crate) fn named(&self, external_id: &str) -> impl Iterator<Item = &MarketingEvent> {
        self.held
            .values()
            .filter(move |event| event.external_id == external_id)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&MarketingEvent> {
        self.held.get(&id)
    }

    /// Changes an event; `None` when it is not there.
    pub(crate) fn change(
        &mut self,
        id: u64,
        facts: Map<String, Value>,
        now: Millis,
    ) -> Option<&MarketingEvent> {
        let event = self.held.get_mut(&id)?;
        event.facts.extend(facts);
        event.updated = now;
        Some(event)
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        self.held.remove(&id).is_some()
    }

    /// Ascending by id, from an id on.
    pub(crate) fn from(&self, id: u64) -> impl Iterator<Item = &MarketingEvent> {
        self.held.range(id..).map(|(_, event)| event)
    }
}
