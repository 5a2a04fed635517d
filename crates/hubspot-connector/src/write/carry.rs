//! What was decided, done: batches side by side, associations, and what is remembered of it.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use hubspot_client::request::objects::MAX_BATCH;
use opencdc::Result;

use super::decide::{Action, Planned};
use super::links::{self, Target};
use super::refusal::Refusal;
use super::send::{Item, Kind, Sending, lost_answer};
use super::shape::{Verb, Wanted};
use super::writer::{Done, Row, Writer};
use crate::error::OrFailed;

impl Writer {
    /// Does what was decided, and fills in what became of each record.
    pub(super) async fn carry_out(&self, rows: &mut [Row<'_>], done: &mut [Option<Done>]) -> Result<()> {
        let targets = self.targets(rows).await?;
        for (row, done) in rows.iter().zip(done.iter_mut()) {
            *done = at_once(&row.planned.action);
        }
        let batches = self.batches(rows, &targets);
        if let Some(keys) = &self.keys {
            keys.about_to_make(rows, &batches).await?;
        }
        let sent = self.send(rows, batches, done).await;
        // What was written is remembered whatever failed besides, and before anything else is done with it.
        if let Some(keys) = &self.keys {
            let deletes = self.rules.deletes.unwrap_or_default();
            keys.learn(rows, done, deletes).await?;
        }
        sent?;
        self.associate(rows, &targets, done).await
    }

    /// The other sides of each record; one that lacks a needed one is refused before anything is written of it.
    pub(super) async fn targets(&self, rows: &mut [Row<'_>]) -> Result<Vec<Vec<Target>>> {
        if self.links.is_empty() {
            return Ok(rows.iter().map(|_| Vec::new()).collect());
        }
        let nobody = Wanted::default();
        let linked =
            |row: &Row<'_>| row.wanted.verb == Verb::Save && !matches!(row.planned.action, Action::Refuse(_));
        let wanted: Vec<_> = rows
            .iter()
            .map(|row| if linked(row) { row.wanted } else { &nobody })
            .collect();
        let keys = self.keys.as_ref().map(|keys| &*keys.map);
        let found = links::targets(&self.links, &self.client, keys, &wanted).await?;
        let targets = rows.iter_mut().zip(found).map(|(row, targets)| {
            targets.unwrap_or_else(|refusal| {
                row.planned = Planned::refused(refusal);
                Vec::new()
            })
        });
        Ok(targets.collect())
    }

    /// Calls to make, each of one kind and of at most 100 records.
    fn batches(&self, rows: &[Row<'_>], targets: &[Vec<Target>]) -> Vec<(Kind, Vec<Item>)> {
        let mut items: BTreeMap<Kind, Vec<Item>> = BTreeMap::new();
        for (at, (row, targets)) in rows.iter().zip(targets).enumerate() {
            if let Some((kind, id)) = kind_of(&row.planned.action) {
                items
                    .entry(kind)
                    .or_default()
                    .push(self.item(at, (kind, id), row, targets));
            }
        }
        let mut batches = Vec::new();
        for (kind, mut items) in items {
            while !items.is_empty() {
                let rest = items.split_off(items.len().min(MAX_BATCH));
                batches.push((kind, std::mem::replace(&mut items, rest)));
            }
        }
        batches
    }

    fn item(&self, at: usize, (kind, id): (Kind, &str), row: &Row<'_>, targets: &[Target]) -> Item {
        let creates = kind == Kind::Create;
        Item {
            at,
            id: id.to_owned(),
            finder: creates.then(|| self.unique_finder(&row.planned.values)).flatten(),
            associations: if creates {
                links::inline(&self.links, targets)
            } else {
                Vec::new()
            },
            values: row.planned.values.clone(),
        }
    }

    /// Makes the calls, side by side, each to its end: a call that is given up may have been carried out.
    async fn send(
        &self,
        rows: &[Row<'_>],
        batches: Vec<(Kind, Vec<Item>)>,
        done: &mut [Option<Done>],
    ) -> Result<()> {
        let definitions = self.definitions();
        let sending = Sending {
            client: &self.client,
            object: self.object.path_name(),
            id_property: self.rules.id_property.as_deref(),
            definitions: &definitions,
        };
        let calls = batches.into_iter().map(|(kind, items)| async move {
            let places: Vec<_> = items.iter().map(|item| item.at).collect();
            (kind, places, self.permitted(sending.batch(kind, items)).await)
        });
        let mut first = None;
        for (kind, places, sent) in join_all(calls).await {
            for (at, outcome) in sent.done {
                done[at] = Some(outcome);
            }
            let Some(failed) = sent.failed else { continue };
            if kind == Kind::Create {
                self.settle(rows, &places, failed.nothing_written, done).await?;
            }
            first.get_or_insert(failed.error);
        }
        match first {
            Some(error) => Err(self.doing("cannot write").failed(error)),
            None => Ok(()),
        }
    }

    /// Records to be made that have no outcome: either they surely were not made, or nobody can tell yet.
    async fn settle(
        &self,
        rows: &[Row<'_>],
        places: &[usize],
        nothing_written: bool,
        done: &mut [Option<Done>],
    ) -> Result<()> {
        let open: Vec<_> = places.iter().copied().filter(|at| done[*at].is_none()).collect();
        match (&self.keys, nothing_written) {
            (Some(keys), true) => keys.not_made(rows, &open).await?,
            (_, true) => {}
            (_, false) => open
                .into_iter()
                .for_each(|at| done[at] = Some(Done::Unsure(lost_answer()))),
        }
        Ok(())
    }

    async fn permitted<T>(&self, call: impl Future<Output = T>) -> T {
        let _permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        call.await
    }

    async fn associate(
        &self,
        rows: &[Row<'_>],
        targets: &[Vec<Target>],
        done: &mut [Option<Done>],
    ) -> Result<()> {
        if targets.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let open: Vec<Vec<Target>> = targets
            .iter()
            .zip(rows)
            .map(|(targets, row)| links::remaining(&self.links, targets, &row.planned.action))
            .collect();
        let id = |done: &Option<Done>| done.as_ref().and_then(Done::id).map(str::to_owned);
        let ids: Vec<Option<String>> = done.iter().map(id).collect();
        let records: Vec<_> = ids
            .iter()
            .zip(&open)
            .enumerate()
            .filter_map(|(at, (id, targets))| Some((at, id.as_deref()?, targets.as_slice())))
            .collect();
        let refused = links::associate(&self.links, &self.client, &records)
            .await
            .or_failed(self.doing("cannot associate records of"))?;
        for (at, refusal) in refused {
            let id = ids[at].as_deref().unwrap_or_default();
            let written = Refusal::new(format!("it was written as {id}, but {refusal}"));
            done[at] = Some(Done::Refused(written));
        }
        Ok(())
    }
}

fn kind_of(action: &Action) -> Option<(Kind, &str)> {
    match action {
        Action::Create => Some((Kind::Create, "")),
        Action::Update { id } => Some((Kind::Update, id)),
        Action::UpdateBy { value } => Some((Kind::UpdateBy, value)),
        Action::Upsert { value } => Some((Kind::Upsert, value)),
        Action::Archive { id } => Some((Kind::Archive, id)),
        Action::Nothing { .. } | Action::Refuse(_) => None,
    }
}

/// The outcome of what needs no call.
fn at_once(action: &Action) -> Option<Done> {
    match action {
        Action::Refuse(refusal) => Some(Done::Refused(refusal.clone())),
        Action::Nothing { id } => Some(Done::Unchanged { id: id.clone() }),
        _ => None,
    }
}
