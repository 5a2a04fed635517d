//! From values of a property to ids of records: `ada@example.com` to a contact, `example.com` to a company.

use std::collections::{BTreeMap, BTreeSet};

use hubspot_client::RawObject;
use hubspot_client::request::objects::{BatchRead, Get};
use hubspot_client::request::search::{Filter, SearchRequest};
use hubspot_connector::objects::{Capability, ObjectType};
use serde_json::Value;

use super::properties;
use crate::exit::{Failure, Outcome};
use crate::session::Session;

/// As many values as a batch and an IN filter take (hubspot-api notes §1.5, §1.6).
const MOST: usize = 100;

/// What was found of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// One record.
    Id(String),
    /// None.
    Nothing,
    /// Several records have it.
    Several(Vec<String>),
}

/// What each value leads to. Letter case does not matter, as in HubSpot.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    found: BTreeMap<String, BTreeSet<String>>,
}

impl Lookup {
    /// Looks for records by `property`: a unique one is read at once, another one searched, which knows a record only a
    /// moment after it was made.
    pub(super) async fn by(
        session: &Session,
        object: &ObjectType,
        property: &str,
        values: impl IntoIterator<Item = &str>,
    ) -> Outcome<Self> {
        let values: BTreeSet<_> = values.into_iter().collect();
        let values: Vec<_> = values.into_iter().collect();
        let definition = properties::find(session, object, property).await?;
        let is_unique = object.is_unique(&definition);
        let mut lookup = Self::default();
        for values in values.chunks(MOST) {
            if is_unique {
                lookup.read(session, object, property, values).await?;
            } else {
                lookup.search(session, object, property, values).await?;
            }
        }
        Ok(lookup)
    }

    /// The record with this value.
    pub(super) fn of(&self, value: &str) -> Found {
        let ids: Vec<_> = self
            .found
            .get(&fold(value))
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        match ids.as_slice() {
            [] => Found::Nothing,
            [id] => Found::Id(id.clone()),
            _ => Found::Several(ids),
        }
    }

    async fn read(
        &mut self,
        session: &Session,
        object: &ObjectType,
        property: &str,
        values: &[&str],
    ) -> Outcome {
        let mut read = BatchRead::new(object.path_name(), values.iter().copied());
        read.id_property = Some(property.to_owned());
        read.properties = vec![property.to_owned()];
        for record in session.client.batch_read(&read).await?.results {
            self.keep(&record, property)?;
        }
        // A contact is found by a secondary address too, but shows its primary one.
        for value in values
            .iter()
            .filter(|value| self.of(value) == Found::Nothing)
            .copied()
            .collect::<Vec<_>>()
        {
            let get = Get::new(object.path_name(), value)
                .by(property)
                .with_properties([property]);
            match session.client.get_object(&get).await {
                Ok(record) => self.insert(value, record.id()),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn search(
        &mut self,
        session: &Session,
        object: &ObjectType,
        property: &str,
        values: &[&str],
    ) -> Outcome {
        if !object.can(Capability::Search) {
            return Err(
                Failure::usage(format!("{} cannot be searched by `{property}`", object.name))
                    .hint("name the records by their ids, or by a property with unique values"),
            );
        }
        // IN wants strings in lower case (hubspot-api notes §1.5).
        let filter = Filter::is_in(property, values.iter().map(|value| value.to_lowercase()));
        let mut search = SearchRequest::new()
            .with_filters([filter])
            .with_properties([property]);
        loop {
            let page = session.client.search(object.path_name(), &search).await?;
            for record in &page.results {
                self.keep(record, property)?;
            }
            match page.after {
                Some(after) => search = search.with_after(after),
                None => return Ok(()),
            }
        }
    }

    fn keep(&mut self, record: &RawObject, property: &str) -> Outcome {
        let json: Value = serde_json::from_slice(record.json())
            .map_err(|error| Failure::failed("HubSpot's answer is no JSON").because(&error))?;
        if let Some(value) = json["properties"][property].as_str() {
            self.insert(value, record.id());
        }
        Ok(())
    }

    fn insert(&mut self, value: &str, id: &str) {
        self.found.entry(fold(value)).or_default().insert(id.to_owned());
    }
}

fn fold(value: &str) -> String {
    value.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_leads_to_one_record_to_none_or_to_several() {
        let mut lookup = Lookup::default();
        lookup.insert("Ada@example.com", "1");
        lookup.insert("example.com", "2");
        lookup.insert("example.com", "3");
        assert_eq!(lookup.of(" ada@EXAMPLE.com"), Found::Id("1".to_owned()));
        assert_eq!(
            lookup.of("example.com"),
            Found::Several(vec!["2".to_owned(), "3".to_owned()])
        );
        assert_eq!(lookup.of("nobody"), Found::Nothing);
    }
}
