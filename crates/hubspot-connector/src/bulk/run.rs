//! One import from its start to its end.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use hubspot_client::request::imports::{ImportOperation, NewImport};
use hubspot_client::{Client, Error, Import, ImportError, PageTrail};
use tokio::time::sleep;

use super::report::End;
use super::{Event, Job, Observe};

/// A name that no other import has.
pub(super) fn name(job: &Job) -> String {
    // A hasher's random keys cost no dependency.
    let run = RandomState::new().hash_one(()) & 0xffff_ffff;
    let now = jiff::Timestamp::now();
    format!("spoke {} {} {now:.0} {run:08x}", job.word(), job.object_type)
}

/// Waits between two looks, growing.
struct Waits {
    next: Duration,
    most: Duration,
}

impl Waits {
    fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, most }
    }

    async fn wait(&mut self) {
        sleep(self.next).await;
        self.next = (self.next * 2).min(self.most);
    }
}

/// HubSpot runs a few imports at once and so many rows a day; how long it takes until there is room is not known.
const MOST_REFUSALS: usize = 100;
/// How often an import is looked for whose start was not answered. The list may take a moment to show it.
const MOST_LOOKS: usize = 3;
/// How often an import is started that was lost and is not there, where starting it twice does no harm.
const MOST_STARTS: usize = 3;

pub(super) struct Run<'r, 'a> {
    pub(super) client: &'r Client,
    pub(super) rows: usize,
    pub(super) observe: &'r mut Observe<'a>,
}

/// What came of starting an import.
enum Start {
    Started(Import),
    NotSent(Error),
    Lost(Error),
}

impl Run<'_, '_> {
    pub(super) async fn finish(mut self, new: &NewImport) -> End {
        let import = match self.start(new).await {
            Start::Started(import) => import,
            Start::NotSent(error) => return End::NotSent(error),
            Start::Lost(error) => return End::Lost(None, error),
        };
        let rows = self.rows;
        (self.observe)(&Event::Started {
            import: &import,
            rows,
        });
        let import = match self.follow(import.clone()).await {
            Ok(import) => import,
            Err(error) => return End::Lost(Some(import), error),
        };
        match self.errors(&import).await {
            Ok(errors) => End::Over(import, errors),
            Err(error) => End::Lost(Some(import), error),
        }
    }

    /// Starts an import once. An answer that was lost is looked for before the import is started again; one that only
    /// makes records is not started again, because the list may just not show it yet.
    async fn start(&mut self, new: &NewImport) -> Start {
        let mut waits = Waits::new(Duration::from_secs(10), Duration::from_mins(1));
        let (mut refusals, mut starts) = (0, 0);
        loop {
            let error = match self.client.start_import(new).await {
                Ok(import) => return Start::Started(import),
                Err(error) => error,
            };
            if has_no_room(&error) && refusals < MOST_REFUSALS {
                refusals += 1;
                (self.observe)(&Event::Waiting { reason: &error });
                waits.wait().await;
                continue;
            }
            if !may_have_started(&error) {
                return Start::NotSent(error);
            }
            starts += 1;
            match self.look_for(&new.name).await {
                Ok(Some(import)) => return Start::Started(import),
                Ok(None) if starts < MOST_STARTS && may_be_repeated(new) => {}
                _ => return Start::Lost(error),
            }
        }
    }

    async fn look_for(&self, name: &str) -> Result<Option<Import>, Error> {
        let mut waits = Waits::new(Duration::from_secs(1), Duration::from_secs(4));
        for _ in 0..MOST_LOOKS {
            waits.wait().await;
            let found = self.in_list(name).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn in_list(&self, name: &str) -> Result<Option<Import>, Error> {
        let mut trail = PageTrail::new("imports");
        let mut after = None;
        loop {
            let page = self.client.imports(after.as_deref()).await?;
            let imports = page.imports.len();
            let found = page.imports.into_iter().find(|import| import.name == name);
            after = page.after;
            match &after {
                Some(next) if found.is_none() => trail.follow(imports, next)?,
                _ => return Ok(found),
            }
        }
    }

    /// Asks until it is over, less and less often.
    async fn follow(&mut self, mut import: Import) -> Result<Import, Error> {
        let mut waits = Waits::new(Duration::from_millis(500), Duration::from_secs(30));
        loop {
            let rows = self.rows;
            (self.observe)(&Event::Looked {
                import: &import,
                rows,
            });
            if import.state.is_over() {
                return Ok(import);
            }
            waits.wait().await;
            import = self.client.import(&import.id).await?;
        }
    }

    async fn errors(&self, import: &Import) -> Result<Vec<ImportError>, Error> {
        let mut trail = PageTrail::new(format!("errors of the import {}", import.id));
        let (mut errors, mut after) = (Vec::new(), None);
        loop {
            let page = self.client.import_errors(&import.id, after.as_deref()).await?;
            let found = page.errors.len();
            errors.extend(page.errors);
            after = page.after;
            match &after {
                Some(next) => trail.follow(found, next)?,
                None => return Ok(errors),
            }
        }
    }
}

/// Too many imports at once, or rows a day (hubspot-api notes §6.2). The client has tried for a while already.
fn has_no_room(error: &Error) -> bool {
    error.status() == Some(429) && !error.is_daily_limit()
}

/// Whether the rows come to the same when they are imported twice.
fn may_be_repeated(new: &NewImport) -> bool {
    match new.operation {
        ImportOperation::Update | ImportOperation::Upsert => true,
        ImportOperation::Create => false,
    }
}

/// Whether HubSpot may have seen the request and done what it says.
fn may_have_started(error: &Error) -> bool {
    match error {
        Error::Http(error) => !error.kind().never_sent(),
        Error::Api(error) => error.status >= 500,
        Error::Decode(_) => true,
        _ => false,
    }
}
