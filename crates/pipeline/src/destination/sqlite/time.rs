//! Instants and days as text whose order is the order of time.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

const MILLISECOND_LENGTH: usize = "2026-01-02T03:04:05.678Z".len();

/// `YYYY-MM-DDTHH:MM:SS.mmmZ` for RFC 3339 with any fraction, or for epoch milliseconds; and whether that says
/// all that `text` said.
pub(super) fn timestamp(text: &str) -> Option<(Cow<'_, str>, bool)> {
    if is_normal(text) {
        return Some((Cow::Borrowed(text), true));
    }
    let instant = parse(text)?;
    let milliseconds = instant.as_nanosecond().div_euclid(1_000_000);
    let exact = instant.as_nanosecond().rem_euclid(1_000_000) == 0;
    let instant = Timestamp::from_millisecond(i64::try_from(milliseconds).ok()?).ok()?;
    Some((format(instant)?.into(), exact))
}

/// `YYYY-MM-DD` for a day, or for an instant that is midnight in UTC.
pub(super) fn date(text: &str) -> Option<String> {
    if text.len() == "2026-01-02".len() && text.as_bytes()[4] == b'-' {
        return text.parse::<Date>().ok().map(|day| day.to_string());
    }
    let at = TimeZone::UTC.to_datetime(parse(text)?);
    let midnight = at.date().to_datetime(Time::midnight());
    (at == midnight && at.year() >= 0).then(|| at.date().to_string())
}

/// The present instant.
pub(super) fn now() -> String {
    let now = Timestamp::now();
    format(now).unwrap_or_else(|| now.to_string())
}

fn parse(text: &str) -> Option<Timestamp> {
    match text.parse::<i64>() {
        Ok(milliseconds) => Timestamp::from_millisecond(milliseconds).ok(),
        Err(_) => text.parse().ok(),
    }
}

/// Outside of the years 0 to 9999 the order of texts would not be that of time.
fn format(instant: Timestamp) -> Option<String> {
    let at = TimeZone::UTC.to_datetime(instant);
    (at.year() >= 0).then(|| {
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.millisecond()
        )
    })
}

/// Whether `text` is in the normal form already, as nearly every timestamp is: then nothing is formatted.
fn is_normal(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != MILLISECOND_LENGTH {
        return false;
    }
    let pattern = b"0000-00-00T00:00:00.000Z";
    let shaped = bytes.iter().zip(pattern).all(|(byte, shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == shape,
    });
    shaped && is_time(bytes)
}

fn is_time(bytes: &[u8]) -> bool {
    let two = |at: usize| i8::try_from((bytes[at] - b'0') * 10 + (bytes[at + 1] - b'0')).unwrap_or(i8::MAX);
    let year = i16::from(two(0)) * 100 + i16::from(two(2));
    two(11) < 24 && two(14) < 60 && two(17) < 60 && Date::new(year, two(5), two(8)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_an_instant_gives_the_same_text() {
        for text in [
            "2026-01-02T03:04:05.600Z",
            "2026-01-02T03:04:05.6Z",
            "2026-01-02T04:04:05.600+01:00",
            "2026-01-02T03:04:05.600000000Z",
            "1767323045600",
        ] {
            let expected = Some(("2026-01-02T03:04:05.600Z".into(), true));
            assert_eq!(timestamp(text), expected, "{text}");
        }
    }

    #[test]
    fn what_looks_normal_and_is_no_time_is_refused() {
        for text in [
            "2026-02-29T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-01-01T24:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn fractions_are_cut_towards_the_past_also_before_1970() {
        let cut = Some(("1969-12-31T23:59:59.999Z".into(), false));
        assert_eq!(timestamp("1969-12-31T23:59:59.9999Z"), cut);
    }

    #[test]
    fn text_order_is_time_order() {
        let mut texts: Vec<_> = [-62_135_596_800_000i64, -1, 0, 1, 999, 1_000, 1_700_000_000_000]
            .iter()
            .map(|at| timestamp(&at.to_string()).unwrap().0.into_owned())
            .collect();
        let in_time = texts.clone();
        texts.sort();
        assert_eq!(texts, in_time);
    }
}
