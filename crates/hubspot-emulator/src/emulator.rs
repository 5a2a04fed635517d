//! The emulator itself: one account with its clock, limits, faults and log, behind locks that are never held
//! across an await.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::behaviour::clock::Clock;
use crate::behaviour::faults::FaultPlan;
use crate::behaviour::habits::Habits;
use crate::behaviour::limits::Limiter;
use crate::behaviour::oauth::OAuth;
use crate::behaviour::request_log::RequestLog;
use crate::data::resources;
use crate::data::seeding::{self, Recipes};
use crate::imports::Imports;
use crate::options::{Counts, Options};
use crate::state::lists::Lists;
use crate::state::marketing_events::MarketingEvents;
use crate::state::portal::Portal;
use crate::state::resources::Resources;
use crate::{control, gateway, server};

/// A local HubSpot. Clones share one account.
#[derive(Debug, Clone)]
pub struct Emulator(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) recipes: Arc<Recipes>,
    portal: RwLock<Portal>,
    limiter: Mutex<Limiter>,
    faults: Mutex<FaultPlan>,
    log: Mutex<RequestLog>,
    habits: Mutex<Habits>,
    searches: AtomicU64,
    lists: Mutex<Lists>,
    imports: Mutex<Imports>,
    marketing_events: Mutex<MarketingEvents>,
    oauth: Mutex<OAuth>,
    /// Made when somebody asks for them.
    resources: OnceLock<Mutex<Resources>>,
}

impl Emulator {
    /// Makes an account and seeds it.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let (mut portal, recipes) =
            seeding::empty_portal(options.portal_id, options.seed, options.search_lag);
        let recipes = if options.clean {
            seeding::cleaned(&recipes)
        } else {
            recipes
        };
        seeding::seed(&mut portal, &recipes, &options.counts);
        let clock = Clock::start();
        portal.opened = clock.now().wall;
        Self(Arc::new(Inner {
            clock,
            recipes,
            portal: RwLock::new(portal),
            limiter: Mutex::new(Limiter::new(options.tier)),
            faults: Mutex::default(),
            log: Mutex::default(),
            lists: Mutex::default(),
            imports: Mutex::default(),
            marketing_events: Mutex::default(),
            resources: OnceLock::new(),
            oauth: Mutex::new(OAuth::new(options.apps.clone())),
            habits: Mutex::new(Habits {
                unstable_order: options.unstable_order,
                ..Habits::default()
            }),
            searches: AtomicU64::default(),
            options,
        }))
    }

    /// Adds seeded records and links, as `POST /_emulator/seed` does.
    pub fn seed(&self, counts: &Counts) {
        seeding::seed(&mut self.0.portal_mut(), &self.0.recipes, counts);
        resources::add(&mut self.0.resources(), self.0.options.seed, &counts.others);
    }

    /// HubSpot's routes and the control routes under `/_emulator`. Needs no socket: tests can call it in process.
    pub fn router(&self) -> axum::Router {
        control::router()
            .fallback(gateway::handle)
            .with_state(self.clone())
    }
}

impl Inner {
    pub(crate) fn portal(&self) -> RwLockReadGuard<'_, Portal> {
        self.portal.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn portal_mut(&self) -> RwLockWriteGuard<'_, Portal> {
        self.portal.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultPlan> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, RequestLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn habits(&self) -> MutexGuard<'_, Habits> {
        self.habits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which search of all this one is.
    pub(crate) fn next_search(&self) -> u64 {
        self.searches.fetch_add(1, Ordering::Relaxed)
    }

    /// Changes the account's habits.
    pub(crate) fn behave(&self, habits: Habits) {
        self.portal_mut().remember(habits.read_lag);
        *self.habits() = habits;
    }

    pub(crate) fn oauth(&self) -> MutexGuard<'_, OAuth> {
        self.oauth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lock the portal first when both are needed.
    pub(crate) fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lock the portal first when both are needed.
    pub(crate) fn imports(&self) -> MutexGuard<'_, Imports> {
        self.imports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the rows of imports whose time has come; before anybody looks.
    pub(crate) fn catch_up_imports(&self) {
        if self.imports().is_idle() {
            return;
        }
        let mut portal = self.portal_mut();
        self.imports().catch_up(&mut portal, self.clock.now());
    }

    /// Drops what has left the recycle bin by age; before anybody looks.
    pub(crate) fn catch_up_bin(&self) {
        let now = self.clock.now().wall;
        if self.portal().bin_is_due(now) {
            self.portal_mut().empty_bin(now);
        }
    }

    /// Forms and the CMS.
    pub(crate) fn resources(&self) -> MutexGuard<'_, Resources> {
        let made = || {
            Mutex::new(resources::resources(
                self.options.seed,
                &self.options.counts.others,
            ))
        };
        self.resources
            .get_or_init(made)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn marketing_events(&self) -> MutexGuard<'_, MarketingEvents> {
        self.marketing_events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets search see the writes whose lag is over.
    pub(crate) fn catch_up_search(&self) {
        let now = self.clock.now().steady;
        if self.portal().has_due(now) {
            self.portal_mut().catch_up(now);
        }
    }
}

/// Serves an emulator until `shutdown` completes; answers under way are finished.
pub async fn serve(
    listener: tokio::net::TcpListener,
    emulator: Emulator,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    server::serve(listener, emulator.router(), shutdown).await
}
