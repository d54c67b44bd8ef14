//! Calendar and texts of time, as far as passes write them: ISO 8601 dates, RFC 3339 date-times and
//! the variants that issuers really used.

/// The days of each month of a common year.
const DAYS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// How many days `month` of `year` has; nothing when there is no such month.
fn days_in(year: i64, month: i64) -> Option<i64> {
    let days = *DAYS.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    Some(if leap && month == 2 { 29 } else { days })
}

/// The unix second of a moment in UTC; nothing when there is no such moment. A leap second is the
/// second before it.
pub fn seconds([year, month, day]: [i64; 3], [hour, minute, second]: [i64; 3]) -> Option<i64> {
    let sound = (0..=9999).contains(&year)
        && (1..=days_in(year, month)?).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !sound {
        return None;
    }
    // Days from 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that
    // begin in March (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second.min(59))
}

/// Reads `YYYY-MM-DD`.
pub fn date(text: &str) -> Option<[i64; 3]> {
    let bytes = text.as_bytes();
    let shape = |at: usize| bytes.get(at) == Some(&b'-');
    if bytes.len() != 10 || !shape(4) || !shape(7) {
        return None;
    }
    let date = [digits(text, 0, 4)?, digits(text, 5, 7)?, digits(text, 8, 10)?];
    seconds(date, [0; 3]).map(|_| date)
}

/// Reads a moment to its unix second, fractions cut off: a date, `T` (or `t`, or a space), hours and
/// minutes, seconds and fractions if there are any, and `Z`, an offset (`+02:00`, `+0200`, `+02`) or
/// nothing, which is UTC. A date alone is its midnight in UTC.
pub fn moment(text: &str) -> Option<i64> {
    let day = date(text.get(..10)?)?;
    let Some(rest) = text.get(10..).filter(|rest| !rest.is_empty()) else {
        return seconds(day, [0; 3]);
    };
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let hour = digits(rest, 0, 2)?;
    let rest = rest.get(2..)?.strip_prefix(':')?;
    let minute = digits(rest, 0, 2)?;
    let mut rest = rest.get(2..)?;
    let mut second = 0;
    if let Some(after) = rest.strip_prefix(':') {
        second = digits(after, 0, 2)?;
        rest = after.get(2..)?;
        if let Some(after) = rest.strip_prefix(['.', ',']) {
            let left = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
            if left.len() == after.len() {
                return None;
            }
            rest = left;
        }
    }
    seconds(day, [hour, minute, second])?.checked_sub(offset(rest)?)
}

/// The moment of a unix second as `YYYY-MM-DDThh:mm:ssZ`; seconds outside of the years 0 to 9999 are
/// held to their ends.
pub fn text(second: i64) -> String {
    let second = second.clamp(-62_167_219_200, crate::cbor::LAST_SECOND);
    let (days, of_day) = (second.div_euclid(86_400) + 719_468, second.rem_euclid(86_400));
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(0);
    }
    let sign = if zone.starts_with('+') { 1 } else { -1 };
    let fields = zone.strip_prefix(['+', '-'])?;
    let minutes = match (fields.len(), fields.get(2..)?) {
        (2, _) => 0,
        (4, minutes) => digits(minutes, 0, 2)?,
        (5, minutes) => digits(minutes.strip_prefix(':')?, 0, 2)?,
        _ => return None,
    };
    let hours = digits(fields, 0, 2)?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn digits(text: &str, from: usize, to: usize) -> Option<i64> {
    let digits = text.get(from..to)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{date, moment, text};
    use proptest::prelude::*;

    #[test]
    fn moments_in_the_forms_that_issuers_used_are_read() {
        for (text, second) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2021-05-03T18:00:00Z", 1_620_064_800),
            ("2021-06-09T15:15:34+0200", 1_623_244_534),
            ("2021-06-09T15:15:34+02:00", 1_623_244_534),
            ("2021-06-09T13:15:34", 1_623_244_534),
            ("2021-06-09 13:15:34.999999", 1_623_244_534),
            ("2021-06-09T05:15-08", 1_623_244_500),
            ("2000-02-29", 951_782_400),
            ("0000-03-01T00:00:00Z", -62_162_035_200),
        ] {
            assert_eq!(moment(text), Some(second), "{text}");
        }
    }

    #[test]
    fn moments_that_never_were_are_not_read() {
        for text in [
            "",
            "2021",
            "2021-02-29",
            "1900-02-29",
            "2021-13-01",
            "2021-00-01",
            "2021-01-32",
            "2021-01-01T24:00:00Z",
            "2021-01-01T00:60:00Z",
            "2021-01-01T00:00:61Z",
            "2021-01-01T00:00:00.Z",
            "2021-01-01T",
            "2021-01-01T00:00:00+2",
            "2021-01-01T00:00:00+24:00",
            "2021-01-01T00:00:00Zzz",
            "+021-01-01",
            "2021-01-0\u{661}",
            "2021-1-01",
            "２０２１-01-01",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
        assert_eq!(date("2021-05-03T18:00:00Z"), None);
    }

    proptest! {
        #[test]
        fn the_calendar_is_that_of_another_library(second in -62_135_596_800_i64..253_402_300_799) {
            let written = humantime(second);
            prop_assert_eq!(moment(&written), Some(second), "{}", written);
            prop_assert_eq!(text(second), written);
        }

        #[test]
        fn any_text_is_read_without_a_panic(any: String, second: i64) {
            let _ = moment(&any);
            assert_eq!(text(second).len(), 20);
        }
    }

    /// Counts days one year at a time: slow, and another way than the one tested.
    fn humantime(second: i64) -> String {
        let (mut days, of_day) = (second.div_euclid(86_400), second.rem_euclid(86_400));
        let mut year = 1970;
        let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let length = |year: i64| if leap(year) { 366 } else { 365 };
        while days < 0 {
            year -= 1;
            days += length(year);
        }
        while length(year) <= days {
            days -= length(year);
            year += 1;
        }
        let mut month = 0;
        for of_month in
            [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        {
            month += 1;
            if days < of_month {
                break;
            }
            days -= of_month;
        }
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
    }
}
