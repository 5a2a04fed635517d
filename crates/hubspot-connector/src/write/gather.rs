//! Everything that is known of records before it is decided about them: their checked values, what is remembered of their
//! keys, and what HubSpot has now where that is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use opencdc::{Mapped, Result};

use super::config::{MissingProperty, WriteMode};
use super::decide::{Candidate, Deciding, Live, Planned};
use super::live::{Finder, Looking, definitions};
use super::missing;
use super::refusal::Refusal;
use super::rules::Checked;
use super::shape::{Verb, Wanted};
use super::writer::{Depth, Row, Writer};
use crate::error::OrFailed;

impl Writer {
    /// Records with what is to be done with each.
    pub(super) async fn rows<'a>(&self, wanted: &[&'a Wanted], depth: Depth) -> Result<Vec<Row<'a>>> {
        let checked = self.check(wanted, depth.make).await?;
        let mapped = match &self.keys {
            Some(keys) => keys.of(wanted).await?,
            None => wanted.iter().map(|_| None).collect(),
        };
        let candidates = wanted
            .iter()
            .zip(&checked)
            .zip(&mapped)
            .map(|((wanted, checked), mapped)| {
                checked
                    .as_ref()
                    .ok()
                    .map(|checked| self.candidate(wanted, checked, mapped.clone()))
            });
        let mut candidates: Vec<Option<Candidate>> = candidates.collect();
        self.look(candidates.iter_mut().flatten(), depth.look).await?;
        let definitions = self.definitions();
        let deciding = Deciding {
            rules: &self.rules,
            definitions: &definitions,
        };
        let planned =
            candidates
                .into_iter()
                .zip(checked)
                .map(|(candidate, checked)| match (candidate, checked) {
                    (Some(candidate), _) => deciding.decide(candidate),
                    (None, Err(refusal)) => Planned::refused(refusal),
                    (None, Ok(_)) => unreachable!("whatever was checked is a candidate"),
                });
        let rows = wanted.iter().zip(planned).zip(mapped);
        let row = |((wanted, planned), mapped): ((&&'a Wanted, Planned), Option<Mapped>)| Row {
            wanted,
            planned,
            mapped,
        };
        Ok(rows.map(row).collect())
    }

    /// The values that may be written; properties that are to be made are made first.
    async fn check(&self, wanted: &[&Wanted], make: bool) -> Result<Vec<Result<Checked, Refusal>>> {
        let check = || {
            let definitions = self.definitions();
            let checked = wanted.iter().map(|wanted| definitions.check(wanted, &self.rules));
            checked.collect::<Vec<_>>()
        };
        let mut checked = check();
        let make = make && self.rules.missing_property == Some(MissingProperty::Create);
        if make && self.make_missing(&checked).await? {
            checked = check();
        }
        self.tell(&checked);
        Ok(checked)
    }

    /// Whether any property was made.
    async fn make_missing(&self, checked: &[Result<Checked, Refusal>]) -> Result<bool> {
        let names: BTreeSet<_> = checked
            .iter()
            .flatten()
            .flat_map(|checked| &checked.missing)
            .collect();
        if names.is_empty() {
            return Ok(false);
        }
        let doing = self.doing("cannot make properties of");
        missing::make(&self.client, &self.object, &names, &self.types, &self.rules)
            .await
            .or_failed(doing)?;
        let fresh = definitions(&self.client, &self.object).await?;
        *self.definitions.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(true)
    }

    /// Warns of every property that is left out, once.
    fn tell(&self, checked: &[Result<Checked, Refusal>]) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let object = &self.object.name;
        let mut fresh = |names: fn(&Checked) -> &Vec<String>| {
            let names = checked.iter().flatten().flat_map(names);
            let fresh: BTreeSet<_> = names.filter(|name| told.insert((*name).clone())).collect();
            fresh
                .into_iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let (read_only, missing) = (
            fresh(|checked| &checked.read_only),
            fresh(|checked| &checked.missing),
        );
        if !read_only.is_empty() {
            tracing::warn!("{object}: left out, because HubSpot does not let them be written: {read_only}");
        }
        if !missing.is_empty() {
            let what = match self.rules.missing_property {
                Some(MissingProperty::Create) => "to be made, because there are no such properties yet",
                _ => "left out, because there are no such properties",
            };
            tracing::warn!("{object}: {what}: {missing}");
        }
    }

    fn candidate(&self, wanted: &Wanted, checked: &Checked, mapped: Option<Mapped>) -> Candidate {
        let unique = self
            .rules
            .id_property
            .as_deref()
            .and_then(|name| checked.values.get(name));
        Candidate {
            verb: wanted.verb,
            id: wanted.id.clone(),
            mapped,
            unique: unique.filter(|value| !value.is_empty()).cloned(),
            values: checked.values.clone(),
            live: Live::Unknown,
            insisted: wanted.insisted,
        }
    }

    /// Reads what is there now, of the records that cannot be decided about without.
    async fn look(&self, candidates: impl Iterator<Item = &mut Candidate>, always: bool) -> Result<()> {
        let always =
            always || self.rules.changed_only.unwrap_or_default() || !self.rules.set_if_empty.is_empty();
        let needed = |candidate: &Candidate| always || needs_look(candidate, self.rules.mode());
        let wanted = candidates
            .filter(|candidate| needed(candidate))
            .filter_map(|candidate| {
                let finder = self.finder(candidate)?;
                Some((finder, candidate))
            });
        let (finders, candidates): (Vec<Finder>, Vec<_>) = wanted.unzip();
        if finders.is_empty() {
            return Ok(());
        }
        let names = candidates
            .iter()
            .flat_map(|candidate| candidate.values.keys().cloned())
            .collect();
        let looking = Looking {
            client: &self.client,
            object: self.object.path_name(),
        };
        let found = looking
            .find(&finders, &names)
            .await
            .or_failed(self.doing("cannot read"))?;
        for (finder, candidate) in finders.iter().zip(candidates) {
            candidate.live = found.get(finder).cloned().map_or(Live::Absent, Live::from);
        }
        Ok(())
    }

    /// What a record is looked for by: its id, or a value that no other has.
    fn finder(&self, candidate: &Candidate) -> Option<Finder> {
        let mapped = match &candidate.mapped {
            Some(Mapped::Id(id)) => Some(id),
            _ => None,
        };
        let id = candidate.id.as_ref().or(mapped).cloned().map(Finder::Id);
        id.or_else(|| self.unique_finder(&candidate.values))
    }

    /// A value of a record that no other has.
    pub(super) fn unique_finder(&self, values: &BTreeMap<String, String>) -> Option<Finder> {
        let filled = |name: &&str| values.get(*name).is_some_and(|value| !value.is_empty());
        let definitions = self.definitions();
        let property = self.rules.id_property.as_deref().filter(filled);
        let property = property.or_else(|| definitions.unique_among(values).next())?;
        Some(Finder::Unique {
            property: property.to_owned(),
            value: values[property].clone(),
        })
    }
}

/// A record that was perhaps made, or that is to be gone and was never made by us, must be looked for.
fn needs_look(candidate: &Candidate, mode: WriteMode) -> bool {
    if candidate.insisted {
        return true;
    }
    let id_is_known = candidate.id.is_some() || matches!(candidate.mapped, Some(Mapped::Id(_)));
    match candidate.verb {
        Verb::Delete => !id_is_known,
        Verb::Save => {
            let upserts = mode != WriteMode::Create && candidate.unique.is_some();
            candidate.mapped == Some(Mapped::Pending) && !upserts
        }
    }
}
