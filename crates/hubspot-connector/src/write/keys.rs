//! What is remembered of the source's keys while they are written (invariant 3).

use std::sync::Arc;

use opencdc::{KeyMap, Mapped, Result, StreamName};

use super::config::Deletes;
use super::decide::Action;
use super::send::{Item, Kind};
use super::shape::{Verb, Wanted};
use super::writer::{Done, Row};

/// Where is remembered which key of a stream became which id.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) stream: StreamName,
    pub(crate) map: Arc<dyn KeyMap>,
}

impl Keys {
    /// What is remembered of each record's key.
    pub(crate) async fn of(&self, wanted: &[&Wanted]) -> Result<Vec<Option<Mapped>>> {
        let mut mapped: Vec<_> = wanted.iter().map(|_| None).collect();
        let places = (0..wanted.len()).filter_map(|at| Some((at, wanted[at].key.clone()?)));
        let (places, names): (Vec<_>, Vec<_>) = places.unzip();
        if names.is_empty() {
            return Ok(mapped);
        }
        let found = self.map.look_up(&self.stream, &names).await?;
        for (at, found) in places.into_iter().zip(found) {
            mapped[at] = found;
        }
        Ok(mapped)
    }

    /// Whatever is about to be made is remembered as such: should the process die before the answer, it is looked for
    /// before it is made again.
    pub(crate) async fn about_to_make(&self, rows: &[Row<'_>], items: &[(Kind, Vec<Item>)]) -> Result<()> {
        let made = items
            .iter()
            .filter(|(kind, _)| *kind == Kind::Create)
            .flat_map(|(_, items)| items);
        let pending: Vec<_> = made
            .filter_map(|item| Some((rows[item.at].wanted.key.clone()?, Mapped::Pending)))
            .collect();
        if pending.is_empty() {
            return Ok(());
        }
        self.map.store(&self.stream, &pending).await
    }

    /// What became of each record, before anything else is done with it. Without an outcome nothing is learnt: what was
    /// perhaps made stays remembered as that.
    pub(crate) async fn learn(
        &self,
        rows: &[Row<'_>],
        done: &[Option<Done>],
        deletes: Deletes,
    ) -> Result<()> {
        let (mut learnt, mut forgotten) = (Vec::new(), Vec::new());
        for (row, done) in rows.iter().zip(done) {
            let (Some(key), Some(done)) = (row.wanted.key.clone(), done) else {
                continue;
            };
            match done {
                Done::Unsure(_) => {}
                Done::Archived { .. } => forgotten.push(key),
                Done::Unchanged { .. } if row.wanted.verb == Verb::Delete && deletes == Deletes::Archive => {
                    forgotten.push(key);
                }
                // What was refused while it was made is not there.
                Done::Refused(_) if row.planned.action == Action::Create => forgotten.push(key),
                done => learnt.extend(done.id().and_then(|id| news(key, id, row.mapped.as_ref()))),
            }
        }
        self.store(&learnt).await?;
        self.forget(&forgotten).await
    }

    /// These records were surely not made.
    pub(crate) async fn not_made(&self, rows: &[Row<'_>], places: &[usize]) -> Result<()> {
        let keys: Vec<_> = places
            .iter()
            .filter_map(|at| rows[*at].wanted.key.clone())
            .collect();
        self.forget(&keys).await
    }

    async fn store(&self, entries: &[(String, Mapped)]) -> Result<()> {
        match entries.is_empty() {
            true => Ok(()),
            false => self.map.store(&self.stream, entries).await,
        }
    }

    async fn forget(&self, keys: &[String]) -> Result<()> {
        match keys.is_empty() {
            true => Ok(()),
            false => self.map.forget(&self.stream, keys).await,
        }
    }
}

/// An entry that is not known yet.
fn news(key: String, id: &str, known: Option<&Mapped>) -> Option<(String, Mapped)> {
    let mapped = Mapped::Id(id.to_owned());
    (known != Some(&mapped)).then_some((key, mapped))
}
