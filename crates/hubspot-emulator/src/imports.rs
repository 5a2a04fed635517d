//! Imports of files (hubspot-api notes §6.2): what was uploaded, and how far it has come by the emulator's clock.

mod cell;
mod plan;
mod problem;
mod request;
mod row;
mod run;

pub(crate) use plan::Plan;
pub(crate) use request::ImportRequest;
pub(crate) use run::{Import, RowProblem};

use crate::failure::Failure;
use crate::state::portal::{Moment, Portal};

/// Imports of one account that run at the same time (hubspot-api notes §6.2).
const MOST_AT_ONCE: usize = 3;

/// Every import of an account.
#[derive(Debug, Default)]
pub(crate) struct Imports(Vec<Import>);

/// The id of the first import; the others follow.
const FIRST: u64 = 70_001;

impl Imports {
    /// Takes an import in, unless as many as may are running.
    pub(crate) fn start(&mut self, make: impl FnOnce(u64) -> Import) -> Result<&Import, Failure> {
        if self.0.iter().filter(|import| !import.is_over()).count() >= MOST_AT_ONCE {
            let message = format!("At most {MOST_AT_ONCE} imports can run at the same time");
            return Err(Failure::new(429, message).category("RATE_LIMITS"));
        }
        let id = FIRST + u64::try_from(self.0.len()).unwrap_or(0);
        self.0.push(make(id));
        self.0.last().ok_or_else(Failure::not_found)
    }

    /// The imports of one app, the newest first; nobody sees another's.
    pub(crate) fn of<'i>(&'i self, app: &str) -> impl Iterator<Item = &'i Import> {
        self.0.iter().rev().filter(move |import| import.app == app)
    }

    pub(crate) fn find(&self, app: &str, id: &str) -> Result<&Import, Failure> {
        let found = self.of(app).find(|import| import.id.to_string() == id);
        found.ok_or_else(Failure::not_found)
    }

    pub(crate) fn find_mut(&mut self, app: &str, id: &str) -> Result<&mut Import, Failure> {
        let mut own = self.0.iter_mut().filter(|import| import.app == app);
        own.find(|import| import.id.to_string() == id)
            .ok_or_else(Failure::not_found)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.0.iter().all(Import::is_over)
    }

    /// Writes every row whose time has come.
    pub(crate) fn catch_up(&mut self, portal: &mut Portal, now: Moment) {
        self.0.iter_mut().for_each(|import| import.catch_up(portal, now));
    }
}
