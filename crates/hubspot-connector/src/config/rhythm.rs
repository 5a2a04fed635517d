//! How often each kind of question is asked.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use opencdc::{Error, ErrorKind, Result};

use super::{Interval, SourceConfig, StreamConfig};

/// HubSpot's search is up to date after seconds to minutes (hubspot-api notes §1.5 and §7, row 1).
const LOOKBACK: Interval = Interval::from_secs(5 * 60);
/// The recycle bin is read whole each time.
const ARCHIVED: Interval = Interval::from_secs(15 * 60);
/// Every record is read again each time.
const RECONCILE: Interval = Interval::from_secs(24 * 60 * 60);
/// For types that cannot be searched, reading them again is the only way to find changes.
const RECONCILE_UNSEARCHABLE: Interval = Interval::from_secs(60 * 60);
/// One call for a thousand records and each pair of types.
const ASSOCIATIONS: Interval = Interval::from_secs(6 * 60 * 60);
/// Definitions: a call for each object type.
pub(crate) const REFRESH: Duration = Duration::from_mins(5);
/// Nothing is asked again more often than this.
const SHORTEST: Interval = Interval::from_secs(1);
/// The late feed goes at most as often as the early one, and at most this often in a look-back.
const LATE_POLLS_A_LOOKBACK: u32 = 10;

/// How often each kind of question is asked about one stream. All settings with their defaults filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rhythm {
    pub(crate) poll: Duration,
    pub(crate) lookback: SignedDuration,
    pub(crate) archived: SignedDuration,
    pub(crate) reconcile: SignedDuration,
    pub(crate) associations: SignedDuration,
}

impl Rhythm {
    pub(crate) fn of(config: &SourceConfig, stream: &StreamConfig, searchable: bool) -> Self {
        let reconcile = if searchable {
            RECONCILE
        } else {
            RECONCILE_UNSEARCHABLE
        };
        let every = |own: Option<super::Every>, all: Option<super::Every>, usual: Interval| {
            own.or(all).map_or(usual, |every| every.every).span()
        };
        Self {
            poll: stream.poll.unwrap_or(config.poll).get(),
            lookback: stream.lookback.or(config.lookback).unwrap_or(LOOKBACK).span(),
            archived: every(stream.archived, config.archived, ARCHIVED),
            reconcile: every(stream.reconcile, config.reconcile, reconcile),
            associations: every(stream.reassociate, config.reassociate, ASSOCIATIONS),
        }
    }

    /// How often the late feed is asked: a look-back of five minutes needs no second call every five seconds.
    pub(crate) fn late_poll(&self) -> Duration {
        let lookback = Duration::try_from(self.lookback).unwrap_or_default();
        self.poll.max(lookback / LATE_POLLS_A_LOOKBACK)
    }
}

/// Checks the times of a source, or of one of its streams.
pub(super) fn validate(named: &[(&str, Option<Interval>)], of: &str) -> Result<()> {
    let too_short =
        |(_, interval): &&(&str, Option<Interval>)| interval.is_some_and(|interval| interval < SHORTEST);
    match named.iter().find(too_short) {
        None => Ok(()),
        Some((name, _)) => {
            let message = format!("`{name}`{of} is shorter than {SHORTEST}");
            Err(Error::new(ErrorKind::Configuration, message).with_hint("write `5s`, `30m`, `1h` or `24h`"))
        }
    }
}

/// A time that a person wrote, of a day or an instant.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let day = || {
        Some(
            text.parse::<jiff::civil::Date>()
                .ok()?
                .to_zoned(jiff::tz::TimeZone::UTC)
                .ok()?
                .timestamp(),
        )
    };
    text.parse().ok().or_else(day).ok_or_else(|| {
        format!("`{text}` is not a time; write a day such as `2026-01-31`, or an instant such as `2026-01-31T12:00:00Z`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streams_own_rhythm_goes_before_the_sources() {
        let config: SourceConfig = serde_json::from_value(serde_json::json!({
            "connection": "prod", "poll": "5s", "lookback": "1m", "archived": {"every": "1h"},
            "streams": ["deals", {"name": "contacts", "poll": "2s", "archived": {"every": "2h"}, "reconcile": {"every": "48h"}}],
        }))
        .unwrap();
        let deals = Rhythm::of(&config, &config.streams[0], true);
        assert_eq!((deals.poll.as_secs(), deals.archived.as_secs()), (5, 3_600));
        assert_eq!(deals.reconcile.as_secs(), 86_400);
        let contacts = Rhythm::of(&config, &config.streams[1], true);
        assert_eq!((contacts.poll.as_secs(), contacts.archived.as_secs()), (2, 7_200));
        assert_eq!(
            (contacts.lookback.as_secs(), contacts.reconcile.as_secs()),
            (60, 172_800)
        );
        assert_eq!(contacts.late_poll().as_secs(), 6);
    }

    #[test]
    fn days_and_instants_are_times() {
        assert_eq!(
            parse_time("2026-01-31").unwrap().to_string(),
            "2026-01-31T00:00:00Z"
        );
        assert_eq!(
            parse_time("2026-01-31T12:00:00+01:00").unwrap().to_string(),
            "2026-01-31T11:00:00Z"
        );
        assert!(parse_time("yesterday").unwrap_err().contains("`yesterday`"));
    }
}
