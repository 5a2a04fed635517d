//! HubSpot's rate limits (hubspot-api notes §3.2): a rolling ten seconds for each token, a day and a search
//! second for the account, and the associations API's own.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde_json::json;

use crate::failure::Failure;
use crate::options::Tier;
use crate::state::portal::Moment;
use crate::time::DAY;

/// Which limits a route pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Toll {
    /// The token's ten seconds, and the day.
    General,
    /// The account's search second, and the day; exempt from the ten seconds.
    Search,
    /// The associations API's own limits; batch and label operations are exempt from the ten seconds.
    AssociationBatch,
    /// The associations API's own limits, and the general ones.
    Association,
}

/// The limit that a request ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    TenSecondlyRolling,
    Secondly,
    Daily,
}

impl Policy {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "TEN_SECONDLY_ROLLING" => Some(Self::TenSecondlyRolling),
            "SECONDLY" => Some(Self::Secondly),
            "DAILY" => Some(Self::Daily),
            _ => None,
        }
    }

    /// The 429 body, letter by letter as captured (hubspot-api notes §3.2).
    pub(crate) fn failure(self, portal_id: u64) -> Failure {
        let (message, policy, window) = match self {
            Self::TenSecondlyRolling => (
                "You have reached your ten_secondly_rolling limit.",
                "TEN_SECONDLY_ROLLING",
                "ten-secondly",
            ),
            Self::Secondly => ("You have reached your secondly limit.", "SECONDLY", "secondly"),
            Self::Daily => ("You have reached your daily limit.", "DAILY", "daily"),
        };
        let group = format!("publicapi:private_app-api-calls-{window}:{portal_id}:{APP_ID}");
        let failure = Failure::new(429, message)
            .extra("errorType", json!("RATE_LIMIT"))
            .extra("policyName", json!(policy))
            .extra("groupName", json!(group));
        if self == Self::Daily {
            failure.extra("requestId", json!("00000000-0000-4000-8000-000000000429"))
        } else {
            failure
        }
    }
}

/// The id of the private app that tokens belong to.
pub(crate) const APP_ID: u64 = 1_234_567;

const TEN_SECONDS: Duration = Duration::from_secs(10);
const SEARCHES_PER_SECOND: usize = 5;
const APP_BURST: usize = 110;

#[derive(Debug, Clone, Copy)]
struct Quota {
    burst: usize,
    daily: u64,
    association_burst: usize,
}

fn quota(tier: Tier) -> Option<Quota> {
    match tier {
        Tier::Free => Some(Quota {
            burst: 100,
            daily: 250_000,
            association_burst: 100,
        }),
        Tier::Pro => Some(Quota {
            burst: 190,
            daily: 625_000,
            association_burst: 150,
        }),
        Tier::Enterprise => Some(Quota {
            burst: 190,
            daily: 1_000_000,
            association_burst: 150,
        }),
        Tier::Unlimited => None,
    }
}

const ASSOCIATIONS_DAILY: u64 = 500_000;

/// What is left after a request, for the answer's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Maximum and remainder of the day; apps have none.
    pub(crate) daily: Option<(u64, u64)>,
    /// Maximum and remainder of the ten seconds; search answers lack them.
    pub(crate) burst: Option<(usize, usize)>,
}

/// What `--tier unlimited` says the limit is. No HubSpot has such a tier; a client that learns its pace from the
/// headers needs to be told that it may run.
const UNLIMITED: usize = 1_000_000_000;

impl Standing {
    fn unlimited(toll: Toll) -> Self {
        let daily = UNLIMITED as u64;
        Self {
            daily: Some((daily, daily)),
            burst: (toll != Toll::Search).then_some((UNLIMITED, UNLIMITED)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Limiter {
    quota: Option<Quota>,
    tokens: HashMap<String, Window>,
    searches: Window,
    associations: Window,
    day: i64,
    used_today: u64,
    associations_today: u64,
}

impl Limiter {
    pub(crate) fn new(tier: Tier) -> Self {
        Self {
            quota: quota(tier),
            tokens: HashMap::new(),
            searches: Window::default(),
            associations: Window::default(),
            day: 0,
            used_today: 0,
            associations_today: 0,
        }
    }

    /// Admits a request or names the limit it ran into; what is refused is not counted.
    pub(crate) fn admit(
        &mut self,
        token: &str,
        toll: Toll,
        now: Moment,
    ) -> Result<Standing, (Policy, Standing)> {
        let Some(quota) = self.quota else {
            return Ok(Standing::unlimited(toll));
        };
        self.turn_day(now);
        self.admit_within(quota, token, toll, now)
    }

    /// Admits a request of an app that came by OAuth: 110 in ten seconds for the account, and no daily limit
    /// (hubspot-api notes §3.2). A window belongs to the app, not to one of its tokens.
    pub(crate) fn admit_app(
        &mut self,
        client_id: &str,
        toll: Toll,
        now: Moment,
    ) -> Result<Standing, (Policy, Standing)> {
        let without_day = |standing| Standing {
            daily: None,
            ..standing
        };
        let Some(quota) = self.quota else {
            return Ok(without_day(Standing::unlimited(toll)));
        };
        self.turn_day(now);
        let used_today = self.used_today;
        let quota = Quota {
            burst: APP_BURST,
            daily: u64::MAX,
            ..quota
        };
        let admitted = self.admit_within(quota, &format!("app {client_id}"), toll, now);
        self.used_today = used_today;
        admitted
            .map(without_day)
            .map_err(|(policy, standing)| (policy, without_day(standing)))
    }

    fn admit_within(
        &mut self,
        quota: Quota,
        token: &str,
        toll: Toll,
        now: Moment,
    ) -> Result<Standing, (Policy, Standing)> {
        match self.exceeded(quota, token, toll, now.steady) {
            Some(policy) => Err((policy, self.standing(quota, token, toll, now.steady))),
            None => {
                self.count(token, toll, now.steady);
                Ok(self.standing(quota, token, toll, now.steady))
            }
        }
    }

    /// The day ends at midnight in the account's time zone, which is UTC here.
    fn turn_day(&mut self, now: Moment) {
        let day = now.wall.div_euclid(DAY);
        if day != self.day {
            (self.day, self.used_today, self.associations_today) = (day, 0, 0);
        }
    }

    fn exceeded(&mut self, quota: Quota, token: &str, toll: Toll, now: Duration) -> Option<Policy> {
        if self.used_today >= quota.daily
            || (toll.is_association() && self.associations_today >= ASSOCIATIONS_DAILY)
        {
            return Some(Policy::Daily);
        }
        if toll.is_general() && self.window(token).used(now, TEN_SECONDS) >= quota.burst {
            return Some(Policy::TenSecondlyRolling);
        }
        if toll.is_association() && self.associations.used(now, TEN_SECONDS) >= quota.association_burst {
            return Some(Policy::TenSecondlyRolling);
        }
        let searches =
            toll == Toll::Search && self.searches.used(now, Duration::from_secs(1)) >= SEARCHES_PER_SECOND;
        searches.then_some(Policy::Secondly)
    }

    fn count(&mut self, token: &str, toll: Toll, now: Duration) {
        self.used_today += 1;
        if toll.is_general() {
            self.window(token).0.push_back(now);
        }
        if toll.is_association() {
            self.associations_today += 1;
            self.associations.0.push_back(now);
        }
        if toll == Toll::Search {
            self.searches.0.push_back(now);
        }
    }

    fn standing(&mut self, quota: Quota, token: &str, toll: Toll, now: Duration) -> Standing {
        let burst = (toll != Toll::Search).then(|| {
            (
                quota.burst,
                quota
                    .burst
                    .saturating_sub(self.window(token).used(now, TEN_SECONDS)),
            )
        });
        Standing {
            daily: Some((quota.daily, quota.daily.saturating_sub(self.used_today))),
            burst,
        }
    }

    fn window(&mut self, token: &str) -> &mut Window {
        if !self.tokens.contains_key(token) {
            self.tokens.insert(token.to_owned(), Window::default());
        }
        self.tokens
            .get_mut(token)
            .expect("was inserted when it was missing")
    }
}

impl Toll {
    fn is_general(self) -> bool {
        matches!(self, Self::General | Self::Association)
    }

    fn is_association(self) -> bool {
        matches!(self, Self::Association | Self::AssociationBatch)
    }
}

/// When the requests of a rolling window came.
#[derive(Debug, Default)]
struct Window(VecDeque<Duration>);

impl Window {
    fn used(&mut self, now: Duration, length: Duration) -> usize {
        while self.0.front().is_some_and(|first| *first + length <= now) {
            self.0.pop_front();
        }
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment {
            wall: i64::try_from(seconds).unwrap_or(0) * 1000,
            steady: Duration::from_secs(seconds),
            silent: false,
        }
    }

    fn spend(limiter: &mut Limiter, toll: Toll, times: usize, now: Moment) -> Option<Policy> {
        (0..times).find_map(|_| limiter.admit("t", toll, now).err().map(|(policy, _)| policy))
    }

    #[test]
    fn the_window_rolls() {
        let mut limiter = Limiter::new(Tier::Pro);
        assert_eq!(spend(&mut limiter, Toll::General, 100, at(0)), None);
        assert_eq!(spend(&mut limiter, Toll::General, 90, at(5)), None);
        assert_eq!(
            spend(&mut limiter, Toll::General, 1, at(9)),
            Some(Policy::TenSecondlyRolling)
        );
        assert_eq!(spend(&mut limiter, Toll::General, 100, at(10)), None);
        assert_eq!(
            spend(&mut limiter, Toll::General, 1, at(10)),
            Some(Policy::TenSecondlyRolling)
        );
    }

    #[test]
    fn tokens_have_windows_of_their_own_but_share_the_search_second() {
        let mut limiter = Limiter::new(Tier::Pro);
        assert_eq!(spend(&mut limiter, Toll::General, 190, at(0)), None);
        assert!(limiter.admit("other", Toll::General, at(0)).is_ok());
        assert_eq!(spend(&mut limiter, Toll::Search, 5, at(0)), None);
        assert_eq!(
            limiter
                .admit("other", Toll::Search, at(0))
                .err()
                .map(|refused| refused.0),
            Some(Policy::Secondly)
        );
        assert!(limiter.admit("other", Toll::Search, at(1)).is_ok());
    }

    #[test]
    fn the_day_ends_at_midnight() {
        let mut limiter = Limiter::new(Tier::Free);
        limiter.turn_day(at(100));
        limiter.used_today = 250_000;
        assert_eq!(spend(&mut limiter, Toll::Search, 1, at(100)), Some(Policy::Daily));
        assert_eq!(spend(&mut limiter, Toll::Search, 1, at(86_400)), None);
    }

    #[test]
    fn batch_operations_on_associations_leave_the_ten_seconds_alone() {
        let mut limiter = Limiter::new(Tier::Pro);
        assert_eq!(spend(&mut limiter, Toll::AssociationBatch, 150, at(0)), None);
        assert_eq!(
            spend(&mut limiter, Toll::AssociationBatch, 1, at(0)),
            Some(Policy::TenSecondlyRolling)
        );
        assert_eq!(spend(&mut limiter, Toll::General, 190, at(0)), None);
    }

    #[test]
    fn the_unlimited_tier_counts_nothing() {
        let mut limiter = Limiter::new(Tier::Unlimited);
        assert_eq!(spend(&mut limiter, Toll::Search, 10_000, at(0)), None);
        let standing = limiter.admit("t", Toll::General, at(0)).unwrap();
        assert_eq!(standing.burst, Some((UNLIMITED, UNLIMITED)));
    }
}
