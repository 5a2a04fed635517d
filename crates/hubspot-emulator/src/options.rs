//! What an emulator is started with.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::state::object_type;
use crate::state::resources::KINDS;

/// The token that is accepted unless others are given. Anyone may know it: it opens nothing but emulators.
pub const DEFAULT_TOKEN: &str = "pat-na1-00000000-0000-4000-8000-000000000000";

/// What an [`Emulator`](crate::Emulator) is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Equal seeds and counts give equal records.
    pub seed: u64,
    /// How many records of each type there are at the start.
    pub counts: Counts,
    /// Whether seeded number properties hold numbers alone; in real accounts a few hold text.
    pub clean: bool,
    /// Whose rate limits apply.
    pub tier: Tier,
    /// How long writes stay invisible to search.
    pub search_lag: Duration,
    /// Whether search results that changed a moment ago come in the wrong order; `/_emulator/behaviour` too.
    pub unstable_order: bool,
    /// How long every answer takes at least.
    pub latency: Duration,
    /// The access tokens that are accepted.
    pub tokens: Vec<Token>,
    /// The apps that may ask for tokens by OAuth.
    pub apps: Vec<App>,
    /// The account's id.
    pub portal_id: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 42,
            counts: Counts::default(),
            clean: false,
            tier: Tier::Pro,
            search_lag: Duration::ZERO,
            unstable_order: false,
            latency: Duration::ZERO,
            tokens: vec![Token::new(DEFAULT_TOKEN)],
            apps: Vec::new(),
            portal_id: 42_424_242,
        }
    }
}

/// How many records of each type.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counts {
    /// People.
    pub contacts: u64,
    /// Companies.
    pub companies: u64,
    /// Deals.
    pub deals: u64,
    /// Tickets.
    pub tickets: u64,
    /// Products.
    pub products: u64,
    /// Line items; `None` is two for each deal.
    pub line_items: Option<u64>,
    /// Every other object type by path name, forms and the CMS by names such as `blog_posts`; what has no entry
    /// is not there.
    pub others: BTreeMap<String, u64>,
}

/// How many records every other standard type has by default.
const A_FEW: u64 = 20;

impl Counts {
    /// No records at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            contacts: 0,
            companies: 0,
            deals: 0,
            tickets: 0,
            products: 0,
            line_items: None,
            others: BTreeMap::new(),
        }
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            contacts: 1000,
            companies: 200,
            deals: 300,
            tickets: 150,
            products: 40,
            line_items: None,
            others: object_type::other_names()
                .map(|name| (name, A_FEW))
                .chain(KINDS.iter().map(|kind| (kind.name.to_owned(), kind.seeded)))
                .collect(),
        }
    }
}

/// A HubSpot subscription, which decides the rate limits (hubspot-api notes §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Free and Starter: 100 requests per 10 s, 250,000 a day.
    Free,
    /// Pro: 190 requests per 10 s, 625,000 a day.
    Pro,
    /// Enterprise: 190 requests per 10 s, 1,000,000 a day.
    Enterprise,
    /// No limits at all, which HubSpot does not sell.
    Unlimited,
}

const TIERS: [(Tier, &str); 4] = [
    (Tier::Free, "free"),
    (Tier::Pro, "pro"),
    (Tier::Enterprise, "enterprise"),
    (Tier::Unlimited, "unlimited"),
];

impl fmt::Display for Tier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(
            TIERS
                .iter()
                .find(|(tier, _)| tier == self)
                .map_or("", |(_, name)| name),
        )
    }
}

/// A tier of an unknown name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTier(String);

impl fmt::Display for UnknownTier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "`{}` is not a tier; use free, pro, enterprise or unlimited",
            self.0
        )
    }
}

impl std::error::Error for UnknownTier {}

impl FromStr for Tier {
    type Err = UnknownTier;

    fn from_str(name: &str) -> Result<Self, UnknownTier> {
        let found = TIERS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        found
            .map(|(tier, _)| *tier)
            .ok_or_else(|| UnknownTier(name.to_owned()))
    }
}

/// An access token and what it may do.
#[derive(Clone)]
pub struct Token {
    /// The token itself; never printed.
    pub value: String,
    /// What it may do.
    pub scopes: Scopes,
}

/// What a token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scopes {
    /// Everything.
    All,
    /// Only these scopes, such as `crm.objects.contacts.read`.
    List(Vec<String>),
}

impl Token {
    /// A token that may do everything.
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            scopes: Scopes::All,
        }
    }

    /// A token that has only some scopes.
    pub fn with_scopes<S: Into<String>>(
        value: impl Into<String>,
        scopes: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            value: value.into(),
            scopes: Scopes::List(scopes.into_iter().map(Into::into).collect()),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Token")
            .field("value", &"[hidden]")
            .field("scopes", &self.scopes)
            .finish()
    }
}

/// An app that asks people for access by OAuth.
#[derive(Clone, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct App {
    /// Its public name.
    pub client_id: String,
    /// What proves that it is the app; never printed.
    pub client_secret: String,
    /// What it may ask for; none is everything.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// How long its access tokens last.
    #[serde(default = "half_an_hour")]
    pub access_token_seconds: u64,
}

fn half_an_hour() -> u64 {
    1800
}

impl App {
    /// An app that may ask for everything, with tokens that last half an hour.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scopes: Vec::new(),
            access_token_seconds: half_an_hour(),
        }
    }

    pub(crate) fn may(&self, scope: &str) -> bool {
        scope == "oauth" || self.scopes.is_empty() || self.scopes.iter().any(|held| held == scope)
    }
}

impl fmt::Debug for App {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("App")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .field("access_token_seconds", &self.access_token_seconds)
            .finish_non_exhaustive()
    }
}

impl Scopes {
    /// Whether one of `wanted` is there; an empty list asks for nothing.
    pub(crate) fn allow(&self, wanted: &[String]) -> bool {
        match self {
            Self::All => true,
            Self::List(held) => wanted.is_empty() || wanted.iter().any(|scope| held.contains(scope)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_survives_printing_and_parsing() {
        for (tier, _) in TIERS {
            assert_eq!(tier.to_string().parse(), Ok(tier));
        }
        assert!("gold".parse::<Tier>().is_err());
    }

    #[test]
    fn a_token_is_never_printed() {
        let options = Options {
            tokens: vec![Token::new("pat-secret")],
            ..Options::default()
        };
        assert!(!format!("{options:?}").contains("pat-secret"));
    }
}
