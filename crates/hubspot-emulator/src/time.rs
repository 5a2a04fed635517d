//! Instants as milliseconds since 1970 (UTC), the way HubSpot counts: formatting, parsing, and calendar days.

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) type Millis = i64;

pub(crate) const DAY: Millis = 86_400_000;

/// Appends `2024-01-17T19:55:04.281Z`: three fractional digits, always (hubspot-api notes §1.2).
pub(crate) fn write_iso(out: &mut Vec<u8>, at: Millis) {
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put_day(&mut text, at);
    let ms = at.rem_euclid(DAY);
    put(&mut text[11..13], ms / 3_600_000);
    put(&mut text[14..16], ms / 60_000 % 60);
    put(&mut text[17..19], ms / 1000 % 60);
    put(&mut text[20..23], ms % 1000);
    out.extend_from_slice(&text);
}

/// Appends `2024-01-17`.
pub(crate) fn write_date(out: &mut Vec<u8>, at: Millis) {
    let mut text = *b"0000-00-00";
    put_day(&mut text, at);
    out.extend_from_slice(&text);
}

fn put_day(text: &mut [u8], at: Millis) {
    let (year, month, day) = civil(at.div_euclid(DAY));
    put(&mut text[..4], year.clamp(0, 9999));
    put(&mut text[5..7], month);
    put(&mut text[8..10], day);
}

/// Writes a number that is not negative over as many digits as there is room for.
fn put(digits: &mut [u8], number: i64) {
    let mut rest = u32::try_from(number).unwrap_or(0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
}

/// `2024-01-17T19:55:04.281Z` as a string.
pub(crate) fn iso(at: Millis) -> String {
    let mut out = Vec::with_capacity(24);
    write_iso(&mut out, at);
    String::from_utf8(out).unwrap_or_default()
}

/// Reads an ISO 8601 date or instant with 0 to 9 fractional digits, `Z` or an offset. Precision below a
/// millisecond is dropped.
pub(crate) fn parse_iso(text: &str) -> Option<Millis> {
    let (day, rest) = text.split_at_checked(10)?;
    let midnight = parse_date(day)?;
    let Some(time) = rest.strip_prefix('T').or_else(|| rest.strip_prefix(' ')) else {
        return rest.is_empty().then_some(midnight);
    };
    let (clock, offset) = split_offset(time)?;
    Some(midnight + parse_clock(clock)? - offset)
}

/// Reads `2024-01-17` as midnight UTC.
pub(crate) fn parse_date(text: &str) -> Option<Millis> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (
        number(text.get(..4)?)?,
        number(text.get(5..7)?)?,
        number(text.get(8..)?)?,
    );
    let days = days_from_civil(year, month, day);
    (civil(days) == (year, month, day)).then_some(days * DAY)
}

fn parse_clock(text: &str) -> Option<Millis> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    let second = parts.next().map_or(Some(0), number)?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    let millis = if fraction.is_empty() {
        0
    } else {
        number(&format!("{fraction:0<3}")[..3])?
    };
    Some(((hour * 60 + minute) * 60 + second) * 1000 + millis)
}

fn split_offset(text: &str) -> Option<(&str, Millis)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, 0));
    };
    let (clock, offset) = text.split_at_checked(at)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let minutes = number(digits.get(..2)?)? * 60 + number(digits.get(2..4).unwrap_or("00"))?;
    Some((clock, sign * minutes * 60_000))
}

fn number(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Days since 1970 of a proleptic Gregorian day (Howard Hinnant's `days_from_civil`).
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a day number (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_formatting_and_parsing() {
        for at in [0, 1, 951_782_400_000, 1_705_521_304_281, 4_102_444_799_999] {
            assert_eq!(parse_iso(&iso(at)), Some(at));
        }
        assert_eq!(iso(1_705_521_304_281), "2024-01-17T19:55:04.281Z");
    }

    #[test]
    fn fractions_and_offsets_of_any_length_are_read() {
        let whole = parse_iso("2024-01-17T19:55:04Z");
        assert_eq!(parse_iso("2024-01-17T20:55:04+01:00"), whole);
        assert_eq!(parse_iso("2024-01-17T19:55:04.000999999Z"), whole);
        assert_eq!(parse_iso("2024-01-17"), Some(1_705_449_600_000));
    }

    #[test]
    fn impossible_days_are_refused() {
        for text in [
            "2023-02-29",
            "2024-13-01",
            "yesterday",
            "2024-01-17T25:00:00Z",
            "",
            "2024-01-1é",
        ] {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }
}
