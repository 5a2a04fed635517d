//! How to reach one HubSpot account, as it is written.

mod browsable;
mod network;
mod pace;
mod scalar;
mod size;

use hubspot_client::ApiVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use browsable::Browsable;
pub(crate) use network::{Proxy, Timeouts, Tls};
pub(crate) use pace::Share;
pub(crate) use size::Size;

use super::SecretRef;
use super::file::{DEFAULT_API_VERSION, DEFAULT_BASE_URL};
use crate::exit::{Failure, Outcome};

/// How to reach one HubSpot account. What it may do there is either an `access_token` or `oauth`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connection {
    /// The access token of a private app, or a service key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_token: Option<SecretRef>,
    /// Instead of `access_token`: an OAuth app that was installed in the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) oauth: Option<OAuth>,
    /// The API's address; another one for a gateway or an emulator.
    #[serde(default = "default_base_url")]
    pub(crate) base_url: String,
    /// The generation of HubSpot's paths to use: a released month such as `2026-03`, or the older `v3` or `v4`, which
    /// mean the same.
    #[serde(default = "default_api_version")]
    pub(crate) api_version: String,
    /// The way out: a proxy, or `none`. Left out: what the environment says (`HTTPS_PROXY`, `NO_PROXY`, ...).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proxy: Option<Proxy>,
    /// Whom to trust, and who one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<Tls>,
    /// How long to wait for HubSpot.
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    /// The largest response to take, after decompression. HubSpot sends far less; whatever sends more is not HubSpot.
    #[serde(default)]
    pub(crate) max_response_size: Size,
    /// The share of HubSpot's limits that this program may take: `80%` leaves a fifth to others.
    #[serde(default, rename = "use")]
    pub(crate) share: Share,
    /// The most calls a day, from midnight to midnight where the account is. Never exceeded: when they are made, a sync
    /// sleeps until the next day. Kept in the state file, so it holds across restarts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) max_calls_per_day: Option<u64>,
    /// The only object types and streams that are shown and reached through this connection, such as
    /// `[contacts, companies, owners]`: by name, type id, a custom object's name, or `custom_objects` for all of those.
    /// Left out: all.
    #[serde(default, skip_serializing_if = "Browsable::is_everything")]
    pub(crate) browsable: Browsable,
}

/// An OAuth app that was installed in an account.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuth {
    /// The app's client id; no secret.
    pub(crate) client_id: String,
    /// The app's client secret.
    pub(crate) client_secret: SecretRef,
    /// What the account's owner granted when the app was installed.
    pub(crate) refresh_token: SecretRef,
}

/// How a connection proves itself.
pub(crate) enum Credentials<'a> {
    /// With a token that stays.
    Token(&'a SecretRef),
    /// With tokens that are renewed.
    OAuth(&'a OAuth),
}

fn default_base_url() -> String {
    DEFAULT_BASE_URL.to_owned()
}

fn default_api_version() -> String {
    DEFAULT_API_VERSION.to_owned()
}

impl Connection {
    /// A connection with the defaults.
    pub(crate) fn new(access_token: SecretRef, base_url: Option<String>) -> Self {
        Self {
            access_token: Some(access_token),
            oauth: None,
            base_url: base_url.unwrap_or_else(default_base_url),
            api_version: default_api_version(),
            proxy: None,
            tls: None,
            timeouts: Timeouts::default(),
            max_response_size: Size::default(),
            share: Share::default(),
            max_calls_per_day: None,
            browsable: Browsable::default(),
        }
    }

    /// The one way in that is written.
    pub(crate) fn credentials(&self) -> Outcome<Credentials<'_>> {
        match (&self.access_token, &self.oauth) {
            (Some(token), None) => Ok(Credentials::Token(token)),
            (None, Some(oauth)) => Ok(Credentials::OAuth(oauth)),
            (Some(_), Some(_)) => Err(Failure::usage("both `access_token` and `oauth` are given")
                .hint("keep the one that is meant: `access_token` for a private app or a service key, `oauth` for an app")),
            (None, None) => Err(Failure::usage("neither `access_token` nor `oauth` is given")
                .hint("write `access_token: env:HUBSPOT_ACCESS_TOKEN`, or `oauth: {client_id, client_secret, refresh_token}`")),
        }
    }

    /// The generation of paths, understood.
    pub(crate) fn api_version(&self) -> Outcome<ApiVersion> {
        self.api_version.parse().map_err(|error| {
            Failure::usage(format!("`api_version` is `{}`", self.api_version)).because(&error)
        })
    }

    /// What is out of the ordinary about it, in words.
    pub(crate) fn peculiarities(&self) -> Vec<String> {
        let oauth = self
            .oauth
            .as_ref()
            .map(|oauth| format!("OAuth app {}", oauth.client_id));
        let proxy = self.proxy.as_ref().map(|proxy| match proxy {
            Proxy::None => "no proxy".to_owned(),
            Proxy::Server(server) => format!("proxy {}", server.url),
        });
        let ca = self.tls.as_ref().and_then(|tls| tls.ca.as_ref());
        let ca = ca.map(|ca| format!("authorities in {}", ca.display()));
        let share = (self.share != Share::default()).then(|| format!("{} of the rate limits", self.share));
        let most = self
            .max_calls_per_day
            .map(|max| format!("at most {max} calls a day"));
        [oauth, proxy, ca, share, most].into_iter().flatten().collect()
    }

    /// What the types cannot say. Reads no secret and no file.
    pub(crate) fn check(&self) -> Outcome {
        self.credentials()?;
        self.api_version()?;
        self.proxy.as_ref().map_or(Ok(()), Proxy::check)?;
        self.tls.as_ref().map_or(Ok(()), Tls::check)?;
        self.browsable.check()?;
        match self.max_calls_per_day {
            Some(0) => {
                Err(Failure::usage("`max_calls_per_day` is 0").hint("leave it out, or write at least 1"))
            }
            _ => Ok(()),
        }
    }
}
