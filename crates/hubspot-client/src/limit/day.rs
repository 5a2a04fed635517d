//! The calls of one day: a ceiling of one's own, HubSpot's word that there are no more, and when the next day begins.
//! No I/O: every method is told the time.

use std::time::Duration;

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::Date,
    tz::{Offset, TimeZone},
};
use serde::Deserialize;

/// Calls that are taken out of the ledger at a time: few enough that a crash loses little of a day, many enough that
/// the ledger's disk does not set the pace.
const PORTION: u64 = 20;

/// HubSpot's midnight need not be this machine's to the second.
const AFTER_MIDNIGHT: SignedDuration = SignedDuration::from_secs(5);

/// Whether there are calls left today, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DayStatus {
    /// There are.
    #[default]
    Open,
    /// There are none; nothing is sent until `until`.
    Over {
        /// Why not.
        why: DayOver,
        /// When to go on: the next midnight of the account, or when one call finds out whether that has been.
        until: Timestamp,
    },
}

/// Why there are no calls left today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DayOver {
    /// The ceiling that this program was given is reached.
    Ceiling(u64),
    /// HubSpot says so: the account's daily limit.
    Refused,
}

/// What is to become of one call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    Granted,
    /// Not before the ledger gave some.
    Take(Portion),
    Over,
}

/// Calls to take out of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    date: Date,
    /// Calls that were made already, under the date of another time zone.
    late: u64,
    pub(super) calls: u64,
    pub(super) max: u64,
}

impl Portion {
    pub(super) fn day(&self) -> String {
        self.date.to_string()
    }
}

#[derive(Debug)]
pub(super) struct Day {
    max: Option<u64>,
    /// How long until one call finds out whether HubSpot's day is over, where midnight is not known.
    probe: Duration,
    /// The account's; unknown at first, and then it is UTC.
    zone: Option<TimeZone>,
    date: Date,
    /// Calls taken out of the ledger and not made.
    left: u64,
    /// Calls made today.
    made: u64,
    /// Calls made and not yet in the ledger under today's date.
    late: u64,
    /// The ledger has none left.
    spent: bool,
    refused_until: Option<Timestamp>,
    /// One call is out to see whether HubSpot's day is over.
    probing: bool,
}

impl Day {
    pub(super) fn new(max: Option<u64>, probe: Duration) -> Self {
        Self {
            max,
            probe,
            zone: None,
            date: Date::MIN,
            left: 0,
            made: 0,
            late: 0,
            spent: false,
            refused_until: None,
            probing: false,
        }
    }

    /// The account's time zone became known. The same instant may have another date there; then the calls that were
    /// made so far count there too.
    pub(super) fn locate(&mut self, zone: TimeZone, now: Timestamp) {
        let before = self.today(now);
        self.zone = Some(zone);
        if self.today(now) != before && self.date == before {
            let made = self.made;
            self.begin(self.today(now));
            (self.made, self.late) = (made, made);
        }
    }

    /// May a call be made? A call that is granted is counted as made.
    pub(super) fn claim(&mut self, now: Timestamp) -> Claim {
        if self.status(now) != DayStatus::Open {
            return Claim::Over;
        }
        if let Some(max) = self.max {
            if self.date != self.today(now) {
                self.begin(self.today(now));
            }
            if self.left == 0 || self.late > 0 {
                return Claim::Take(self.portion(max));
            }
            self.left -= 1;
            self.made += 1;
        }
        if self.refused_until.is_some() {
            // The one call that looks again; the others wait for what it learns.
            (self.refused_until, self.probing) = (Some(now + self.probe()), true);
        }
        Claim::Granted
    }

    fn portion(&self, max: u64) -> Portion {
        Portion {
            date: self.date,
            late: self.late,
            calls: self.late.saturating_add(PORTION),
            max,
        }
    }

    /// The ledger's answer.
    pub(super) fn took(&mut self, portion: &Portion, granted: u64) {
        if portion.date != self.date {
            return;
        }
        self.late = self.late.saturating_sub(portion.late);
        self.left += granted.saturating_sub(portion.late);
        self.spent = granted <= portion.late && self.left == 0;
    }

    /// A call that was granted was not sent.
    pub(super) fn refund(&mut self, now: Timestamp) {
        if self.max.is_some() && self.date == self.today(now) && self.made > 0 {
            self.left += 1;
            self.made -= 1;
            self.spent = false;
        }
    }

    /// HubSpot says that the day's calls are used up. Says it just after midnight, or again when asked again, then its
    /// midnight is not where it was thought to be.
    pub(super) fn refuse(&mut self, now: Timestamp) {
        let into_the_day = now.duration_since(self.midnight(self.today(now)));
        let doubtful = self.zone.is_none() || self.probing || into_the_day < self.probe();
        let until = match doubtful {
            true => now + self.probe(),
            false => self.next_midnight(now) + AFTER_MIDNIGHT,
        };
        self.refused_until = self.refused_until.max(Some(until));
        self.probing = false;
    }

    /// HubSpot answered a call, so it was not refused for the day's sake.
    pub(super) fn answered(&mut self) {
        (self.refused_until, self.probing) = (None, false);
    }

    pub(super) fn status(&self, now: Timestamp) -> DayStatus {
        if let Some(until) = self.refused_until.filter(|until| *until > now) {
            return DayStatus::Over {
                why: DayOver::Refused,
                until,
            };
        }
        match self.max {
            Some(max) if self.spent && self.date == self.today(now) => DayStatus::Over {
                why: DayOver::Ceiling(max),
                until: self.next_midnight(now),
            },
            _ => DayStatus::Open,
        }
    }

    /// Whether HubSpot refused the day, and has not answered since.
    pub(super) fn is_refused(&self) -> bool {
        self.refused_until.is_some()
    }

    fn begin(&mut self, date: Date) {
        (self.date, self.left, self.made, self.late) = (date, 0, 0, 0);
        self.spent = false;
    }

    fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or(TimeZone::UTC)
    }

    fn today(&self, now: Timestamp) -> Date {
        self.zone().to_datetime(now).date()
    }

    /// When a date begins. Where clocks jump over midnight, it begins when the jump is done.
    fn midnight(&self, date: Date) -> Timestamp {
        let begin = date.to_zoned(self.zone());
        begin.map_or(Timestamp::MAX, |begin| begin.timestamp())
    }

    fn next_midnight(&self, now: Timestamp) -> Timestamp {
        self.midnight(self.today(now).saturating_add(1.day()))
    }

    fn probe(&self) -> SignedDuration {
        SignedDuration::try_from(self.probe).unwrap_or(SignedDuration::from_mins(10))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    time_zone: Option<String>,
    utc_offset_milliseconds: Option<i32>,
}

/// The time zone in an account's details (hubspot-api notes §2.7): by name where this machine knows the name, else as
/// the offset of today.
pub(super) fn zone(details: &[u8]) -> Option<TimeZone> {
    let details: Details = serde_json::from_slice(details).ok()?;
    let named = details.time_zone.and_then(|name| TimeZone::get(&name).ok());
    named.or_else(|| {
        let seconds = details.utc_offset_milliseconds? / 1_000;
        Some(Offset::from_seconds(seconds).ok()?.to_time_zone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Duration = Duration::from_mins(10);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn new_york() -> TimeZone {
        zone(br#"{"timeZone":"America/New_York"}"#).unwrap()
    }

    fn refused(zone: Option<TimeZone>, now: &str) -> Timestamp {
        let mut day = Day::new(None, PROBE);
        if let Some(zone) = zone {
            day.locate(zone, at(now));
        }
        day.refuse(at(now));
        match day.status(at(now)) {
            DayStatus::Over { until, .. } => until,
            DayStatus::Open => panic!("the day is over"),
        }
    }

    #[test]
    fn a_refused_day_ends_at_midnight_where_the_account_is() {
        let until = refused(Some(new_york()), "2026-11-27T12:00:00Z");
        assert_eq!(until, at("2026-11-28T05:00:05Z"));
        let until = refused(Some(new_york()), "2026-11-27T04:30:00Z");
        assert_eq!(until, at("2026-11-27T05:00:05Z"), "still the 26th there");
        let until = refused(None, "2026-11-27T12:00:00Z");
        assert_eq!(until, at("2026-11-27T12:10:00Z"), "nobody knows where it is");
        let until = refused(Some(new_york()), "2026-11-27T05:03:00Z");
        assert_eq!(until, at("2026-11-27T05:13:00Z"), "its midnight is late");
    }

    #[test]
    fn one_call_looks_again_and_a_second_refusal_is_not_believed_for_a_day() {
        let mut day = Day::new(None, PROBE);
        day.locate(new_york(), at("2026-11-27T12:00:00Z"));
        day.refuse(at("2026-11-27T12:00:00Z"));
        day.refuse(at("2026-11-27T12:00:01Z"));
        let morning = at("2026-11-28T05:00:05Z");
        assert_eq!(day.claim(at("2026-11-28T05:00:04Z")), Claim::Over);
        assert_eq!(day.claim(morning), Claim::Granted);
        assert_eq!(day.claim(morning), Claim::Over, "one is enough");
        day.refuse(morning);
        assert_eq!(day.claim(at("2026-11-28T05:10:05Z")), Claim::Granted);
        day.answered();
        assert_eq!(day.claim(at("2026-11-28T05:10:06Z")), Claim::Granted);
    }

    #[test]
    fn the_ceiling_holds_until_midnight() {
        let mut day = Day::new(Some(1), PROBE);
        let now = at("2026-11-27T23:59:00Z");
        let Claim::Take(portion) = day.claim(now) else {
            panic!("nothing was taken yet")
        };
        assert_eq!((portion.day().as_str(), portion.max), ("2026-11-27", 1));
        day.took(&portion, 1);
        assert_eq!(day.claim(now), Claim::Granted);
        let Claim::Take(portion) = day.claim(now) else {
            panic!("the one is used")
        };
        day.took(&portion, 0);
        let until = at("2026-11-28T00:00:00Z");
        let why = DayOver::Ceiling(1);
        assert_eq!(day.status(now), DayStatus::Over { why, until });
        assert_eq!(day.claim(now), Claim::Over);
        assert!(matches!(day.claim(until), Claim::Take(portion) if portion.day() == "2026-11-28"));
    }

    #[test]
    fn calls_made_before_the_zone_was_known_count_where_the_account_is() {
        let mut day = Day::new(Some(100), PROBE);
        let now = at("2026-11-27T03:00:00Z");
        let Claim::Take(portion) = day.claim(now) else {
            panic!("nothing was taken yet")
        };
        day.took(&portion, 20);
        assert_eq!((day.claim(now), day.claim(now)), (Claim::Granted, Claim::Granted));
        day.locate(new_york(), now);
        let Claim::Take(portion) = day.claim(now) else {
            panic!("another date, another account")
        };
        assert_eq!((portion.day().as_str(), portion.calls), ("2026-11-26", 22));
        day.took(&portion, 22);
        assert_eq!((day.claim(now), day.left), (Claim::Granted, 19));
    }

    #[test]
    fn a_zone_that_this_machine_does_not_know_is_an_offset() {
        let odd = zone(br#"{"timeZone":"Moon/Tycho","utcOffsetMilliseconds":-18000000}"#).unwrap();
        assert_eq!(
            odd.to_datetime(at("2026-11-27T04:00:00Z")).date().to_string(),
            "2026-11-26"
        );
        assert!(zone(b"{}").is_none() && zone(b"<html>").is_none());
    }
}
