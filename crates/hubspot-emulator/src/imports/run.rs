//! An import from its start to its end, by the emulator's clock.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;

use super::plan::Plan;
use super::problem::Problem;
use super::row::{self, Seen};
use crate::state::index::Slot;
use crate::state::portal::{Moment, Portal};
use crate::time::Millis;

/// How long an import waits before its first row.
const QUEUE: Duration = Duration::from_millis(500);
/// How many rows are written in a second from then on.
const ROWS_PER_SECOND: u128 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Started,
    Processing,
    Done,
    Failed,
    Canceled,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Processing => "PROCESSING",
            Self::Done => "DONE",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
        }
    }
}

/// What has been done so far.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counters {
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) values: usize,
}

/// A problem and the row it is about, counted from 1; 0 is the whole file.
#[derive(Debug)]
pub(crate) struct RowProblem {
    pub(crate) line: usize,
    pub(crate) problem: Problem,
    pub(crate) at: Millis,
}

#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) id: u64,
    /// Who started it.
    pub(crate) app: String,
    pub(crate) name: String,
    /// The request as it came.
    pub(crate) request: Value,
    pub(crate) started: Moment,
    pub(crate) updated: Millis,
    pub(crate) state: State,
    pub(crate) counters: Counters,
    pub(crate) problems: Vec<RowProblem>,
    /// `Err` ends the import when its first row is due.
    plan: Result<Plan, Problem>,
    /// Every line of the file, its header included.
    lines: Vec<Vec<String>>,
    object_type_id: String,
    next: usize,
    seen: Seen,
    written: HashSet<Slot>,
}

impl Import {
    pub(crate) fn new(
        id: u64,
        app: &str,
        (name, request): (String, Value),
        (object_type_id, plan): (String, Result<Plan, Problem>),
        lines: Vec<Vec<String>>,
        now: Moment,
    ) -> Self {
        let next = plan.as_ref().map_or(0, |plan| usize::from(plan.has_header));
        Self {
            id,
            app: app.to_owned(),
            name,
            request,
            started: now,
            updated: now.wall,
            state: State::Started,
            counters: Counters::default(),
            problems: Vec::new(),
            plan,
            lines,
            object_type_id,
            next,
            seen: Seen::new(),
            written: HashSet::new(),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        !matches!(self.state, State::Started | State::Processing)
    }

    /// Ends an import; rows that are written stay.
    pub(crate) fn cancel(&mut self, now: Moment) {
        (self.state, self.updated) = (State::Canceled, now.wall);
    }

    pub(crate) fn object_type_id(&self) -> &str {
        &self.object_type_id
    }

    /// The cells of a line, counted from 1.
    pub(crate) fn line(&self, line: usize) -> &[String] {
        let at = line.checked_sub(1);
        at.and_then(|at| self.lines.get(at)).map_or(&[], Vec::as_slice)
    }

    /// Rows without the header.
    pub(crate) fn rows(&self) -> usize {
        self.lines.len().saturating_sub(self.first())
    }

    fn first(&self) -> usize {
        self.plan.as_ref().map_or(0, |plan| usize::from(plan.has_header))
    }

    pub(crate) fn mapped_columns(&self) -> usize {
        self.plan.as_ref().map_or(0, |plan| plan.columns.len())
    }

    pub(crate) fn unmapped_columns(&self) -> usize {
        let columns = self.lines.first().map_or(0, Vec::len);
        columns.saturating_sub(self.mapped_columns())
    }

    pub(crate) fn unique_objects(&self) -> usize {
        self.written.len()
    }

    /// Writes the rows whose time has come.
    pub(super) fn catch_up(&mut self, portal: &mut Portal, now: Moment) {
        let Some(working) = now.steady.saturating_sub(self.started.steady).checked_sub(QUEUE) else {
            return;
        };
        if self.is_over() {
            return;
        }
        (self.state, self.updated) = (State::Processing, now.wall);
        if let Err(problem) = &self.plan {
            let problem = problem.clone();
            self.note(0, problem, now);
            self.state = State::Failed;
            return;
        }
        let due = usize::try_from(working.as_millis() * ROWS_PER_SECOND / 1000).unwrap_or(usize::MAX);
        let until = self.lines.len().min(self.first().saturating_add(due));
        while self.next < until {
            self.write_next(portal, now);
        }
        if self.next == self.lines.len() {
            self.state = State::Done;
        }
    }

    fn write_next(&mut self, portal: &mut Portal, now: Moment) {
        let Ok(plan) = &self.plan else { return };
        let cells = &self.lines[self.next];
        self.next += 1;
        let line = self.next;
        let problems = match row::write(portal, plan, cells, &mut self.seen, now) {
            Ok(written) => {
                self.counters.values += written.values;
                self.counters.created += usize::from(written.is_new);
                self.counters.updated += usize::from(!written.is_new);
                self.written.insert(written.slot);
                written.left_out
            }
            Err(problems) => problems,
        };
        for problem in problems {
            self.note(line, problem, now);
        }
    }

    fn note(&mut self, line: usize, problem: Problem, now: Moment) {
        let at = now.wall;
        self.problems.push(RowProblem { line, problem, at });
    }
}
