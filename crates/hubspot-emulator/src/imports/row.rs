//! One row of a file, written as any other write is.

use std::collections::{BTreeMap, HashSet};

use super::cell;
use super::plan::{Column, KeyKind, Operation, Plan};
use super::problem::{Problem, of_whole, refused};
use crate::failure::Failure;
use crate::state::history::Origin;
use crate::state::index::Slot;
use crate::state::portal::{Moment, Portal};
use crate::state::validation::Asked;

/// A row that was written, perhaps without some of its values.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) slot: Slot,
    pub(super) is_new: bool,
    pub(super) values: usize,
    pub(super) left_out: Vec<Problem>,
}

/// Keys of the rows before: the file may name a record once.
pub(super) type Seen = HashSet<String>;

/// Writes a row. `Err`: nothing was written, and why.
pub(super) fn write(
    portal: &mut Portal,
    plan: &Plan,
    cells: &[String],
    seen: &mut Seen,
    now: Moment,
) -> Result<Written, Vec<Problem>> {
    if cells.len() != plan.width {
        let message = format!("The row has {} columns, not {}", cells.len(), plan.width);
        return Err(vec![Problem::new("INCORRECT_NUMBER_OF_COLUMNS", message)]);
    }
    let found = find(portal, plan, cells, seen).map_err(|problem| vec![problem])?;
    allowed(plan, found).map_err(|problem| vec![problem])?;
    let mut values = Values::of(portal, plan, cells, found.is_some());
    if values.asked.is_empty() {
        let message = "The row has no values";
        let nothing = Problem::new("FAILED_TO_PROCESS_OBJECT_WITH_EMPTY_PROPERTY_VALUES", message);
        values.left_out.push(nothing);
        return Err(values.left_out);
    }
    let slot = values.write(portal, plan, cells, found, now)?;
    Ok(Written {
        slot,
        is_new: found.is_none(),
        values: values.asked.len(),
        left_out: values.left_out,
    })
}

/// The record that a row means; `None` is a new one.
fn find(portal: &Portal, plan: &Plan, cells: &[String], seen: &mut Seen) -> Result<Option<Slot>, Problem> {
    let Some((column, kind)) = plan.key() else {
        return Ok(None);
    };
    let cell = cells[column.at].trim();
    if cell.is_empty() {
        return Ok(None);
    }
    let store = portal.store(plan.of);
    let (slot, twice) = match kind {
        KeyKind::RecordId => {
            let slot = cell.parse().ok().and_then(|id| store.live_slot(id));
            let message = format!("There is no record with the id {cell}");
            let unknown = || Problem::new("INVALID_OBJECT_ID", message).at(column.at, cell);
            (Some(slot.ok_or_else(unknown)?), "DUPLICATE_OBJECT_ID")
        }
        KeyKind::Unique => {
            let index = store.properties.index(&column.property);
            let slot = index.and_then(|index| store.find_unique(index, cell));
            let live = slot.filter(|slot| store.record(*slot).is_live());
            (live, "DUPLICATE_ALTERNATE_ID")
        }
    };
    if !seen.insert(cell.to_lowercase()) {
        let message = format!("An earlier row has the same {}", column.property);
        return Err(Problem::new(twice, message).at(column.at, cell));
    }
    Ok(slot)
}

fn allowed(plan: &Plan, found: Option<Slot>) -> Result<(), Problem> {
    match (plan.operation, found) {
        (Operation::Create, Some(_)) => Err(Problem::new(
            "CREATE_ONLY_IMPORT",
            "The record exists, and the import only creates",
        )),
        (Operation::Update, None) => Err(Problem::new(
            "UPDATE_ONLY_IMPORT",
            "There is no such record, and the import only updates",
        )),
        _ => Ok(()),
    }
}

/// The values of a row, and those that could not be taken.
struct Values {
    asked: Asked,
    left_out: Vec<Problem>,
}

impl Values {
    /// An empty cell leaves a property as it is (documented). The key of a record that exists is not written again.
    fn of(portal: &Portal, plan: &Plan, cells: &[String], exists: bool) -> Self {
        let store = portal.store(plan.of);
        let (mut asked, mut left_out) = (BTreeMap::new(), Vec::new());
        for column in &plan.columns {
            let text = cells[column.at].as_str();
            let is_key = column.key == Some(KeyKind::RecordId) || (exists && column.key.is_some());
            let Some(property) = store.properties.named(&column.property) else {
                continue;
            };
            if text.trim().is_empty() || is_key {
                continue;
            }
            match cell::value(portal, property, text, plan.dates) {
                Ok(value) => _ = asked.insert(column.property.clone(), Some(value.into_owned())),
                Err(problem) => left_out.push(problem.at(column.at, text)),
            }
        }
        Self { asked, left_out }
    }

    /// Writes what can be written: a value that cannot be read is left out, and the rest is tried again.
    fn write(
        &mut self,
        portal: &mut Portal,
        plan: &Plan,
        cells: &[String],
        found: Option<Slot>,
        now: Moment,
    ) -> Result<Slot, Vec<Problem>> {
        loop {
            let failure = match attempt(portal, plan, &self.asked, found, now) {
                Ok(slot) => return Ok(slot),
                Err(failure) => failure,
            };
            if !self.leave_out(&failure, plan, cells) {
                return Err(std::mem::take(&mut self.left_out));
            }
        }
    }

    /// Takes out what a write was refused for. `false`: the row cannot be written.
    fn leave_out(&mut self, failure: &Failure, plan: &Plan, cells: &[String]) -> bool {
        let refused = refused(failure);
        if refused.is_empty() {
            self.left_out.push(of_whole(failure));
            return false;
        }
        let mut goes_on = true;
        for one in refused {
            let column = plan.columns.iter().find(|column| column.property == one.property);
            goes_on &= one.rest_is_written && column.is_some_and(|column| column.key.is_none());
            let problem = Problem::new(one.kind, one.message);
            let at = |column: &Column| problem.clone().at(column.at, &cells[column.at]);
            self.left_out.push(column.map_or_else(|| problem.clone(), at));
            self.asked.remove(&one.property);
        }
        goes_on
    }
}

fn attempt(
    portal: &mut Portal,
    plan: &Plan,
    asked: &Asked,
    found: Option<Slot>,
    now: Moment,
) -> Result<Slot, Failure> {
    match found {
        Some(slot) => portal
            .update_from(plan.of, slot, asked, now, Origin::Import)
            .map(|_| slot),
        None => portal.create(plan.of, asked, &[], now),
    }
}
