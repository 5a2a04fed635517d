//! Apps that act for an account, and the codes and tokens they were given (hubspot-api notes §4).

use std::collections::HashMap;

use crate::data::draw::mix;
use crate::options::App;
use crate::time::Millis;

/// What an app was allowed to do.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
}

/// A code that an approval gave, for one exchange.
struct Code {
    grant: Grant,
    redirect_uri: String,
    refresh: String,
}

pub(crate) struct Access {
    pub(crate) grant: Grant,
    pub(crate) expires: Millis,
}

/// The tokens that an app gets.
pub(crate) struct Issued {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) seconds: u64,
    pub(crate) grant: Grant,
}

/// Never printed: it holds secrets.
#[derive(Default)]
pub(crate) struct OAuth {
    apps: Vec<App>,
    codes: HashMap<String, Code>,
    refresh: HashMap<String, Grant>,
    access: HashMap<String, Access>,
    made: u64,
}

impl std::fmt::Debug for OAuth {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("OAuth")
            .field("apps", &self.apps)
            .finish_non_exhaustive()
    }
}

impl OAuth {
    pub(crate) fn new(apps: Vec<App>) -> Self {
        Self {
            apps,
            ..Self::default()
        }
    }

    /// Adds an app, or replaces the one of the same id.
    pub(crate) fn register(&mut self, app: App) {
        self.apps.retain(|known| known.client_id != app.client_id);
        self.apps.push(app);
    }

    pub(crate) fn apps(&self) -> &[App] {
        &self.apps
    }

    pub(crate) fn app(&self, client_id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.client_id == client_id)
    }

    /// The app that a client id and its secret prove.
    pub(crate) fn proven(&self, client_id: &str, secret: &str) -> Option<&App> {
        self.app(client_id).filter(|app| app.client_secret == secret)
    }

    fn make(&mut self, kind: &str) -> String {
        self.made += 1;
        let half = |salt| mix(0x0A07, self.made, salt);
        format!("{kind}-{:016x}{:016x}", half(1), half(2))
    }

    /// Somebody approved: the code for the app.
    pub(crate) fn approve(&mut self, grant: Grant, redirect_uri: &str) -> String {
        let (code, refresh) = (self.make("code"), self.make("refresh"));
        let held = Code {
            grant,
            redirect_uri: redirect_uri.to_owned(),
            refresh,
        };
        self.codes.insert(code.clone(), held);
        code
    }

    /// Exchanges a code, once, for the address it was made for.
    pub(crate) fn exchange(
        &mut self,
        client_id: &str,
        code: &str,
        redirect_uri: &str,
        now: Millis,
    ) -> Option<Issued> {
        let held = self.codes.get(code)?;
        if held.grant.client_id != client_id || held.redirect_uri != redirect_uri {
            return None;
        }
        let Code { grant, refresh, .. } = self.codes.remove(code)?;
        self.refresh.insert(refresh.clone(), grant.clone());
        self.issue(grant, refresh, now)
    }

    /// A new access token; the refresh token stays what it was.
    pub(crate) fn refresh(&mut self, client_id: &str, refresh: &str, now: Millis) -> Option<Issued> {
        let grant = self
            .refresh_grant(refresh)
            .filter(|grant| grant.client_id == client_id)?
            .clone();
        self.issue(grant, refresh.to_owned(), now)
    }

    fn issue(&mut self, grant: Grant, refresh: String, now: Millis) -> Option<Issued> {
        let seconds = self.app(&grant.client_id)?.access_token_seconds;
        let access = self.make("oauth");
        let lasts = Millis::try_from(seconds).unwrap_or(0).saturating_mul(1000);
        let held = Access {
            grant: grant.clone(),
            expires: now.saturating_add(lasts),
        };
        self.access.insert(access.clone(), held);
        Some(Issued {
            access,
            refresh,
            seconds,
            grant,
        })
    }

    pub(crate) fn refresh_grant(&self, refresh: &str) -> Option<&Grant> {
        self.refresh.get(refresh)
    }

    pub(crate) fn access(&self, token: &str) -> Option<&Access> {
        self.access.get(token)
    }

    /// Forgets a refresh token or an access token.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        self.refresh.remove(token).is_some() | self.access.remove(token).is_some()
    }
}
