//! CertLogic's date-times: the formats its specification allows, no other, in milliseconds of UTC.
//!
//! Written by hand because the specification is neither RFC 3339 nor ISO 8601: it allows partial
//! dates (read as their last day), one-digit offsets and no offset at all, and its arithmetic is
//! that of ECMAScript's `setUTC…` methods, which let 31 January + 1 month run on into March.

use std::fmt;

/// Milliseconds in a day; CertLogic knows no leap seconds.
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
const SECOND_MS: i64 = 1_000;
/// Years that four digits can write; anything beyond could not be read back.
const YEAR_MAX: i64 = 9_999;
/// Days from 1 March of year 0 to 1 January 1970 in the proleptic Gregorian calendar.
const DAYS_TO_EPOCH: i64 = 719_468;
/// Days in 400 Gregorian years.
const ERA_DAYS: i64 = 146_097;

/// A point in time with millisecond precision, in the years 0000 to 9999 of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DateTime(i64);

/// What `plusTime` adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Year,
    Month,
    Day,
    Hour,
}

impl Unit {
    pub(crate) const NAMES: [&'static str; 4] = ["year", "month", "day", "hour"];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "year" => Some(Self::Year),
            "month" => Some(Self::Month),
            "day" => Some(Self::Day),
            "hour" => Some(Self::Hour),
            _ => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
        }
    }
}

impl DateTime {
    /// Reads a date or date-time as `plusTime` does; `None` for every other text, impossible days
    /// included (the specification calls those undefined).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut cursor = Cursor(text.as_bytes());
        let days = cursor.date()?;
        if cursor.is_done() {
            return Self::try_new(days.checked_mul(DAY_MS)?);
        }
        // A time may follow a whole date only: `YYYY-MM-DD` has been read when ten bytes are gone.
        if text.len().checked_sub(cursor.0.len())? != 10 {
            return None;
        }
        let ms = cursor.time()?;
        let offset_ms = cursor.offset()?;
        if !cursor.is_done() {
            return None;
        }
        Self::try_new(days * DAY_MS + ms - offset_ms)
    }

    /// Reads a date of birth (`YYYY`, `YYYY-MM`, `YYYY-MM-DD`) as the last day it can mean.
    pub(crate) fn parse_date_of_birth(text: &str) -> Option<Self> {
        let mut cursor = Cursor(text.as_bytes());
        let days = cursor.date()?;
        if !cursor.is_done() {
            return None;
        }
        Self::try_new(days * DAY_MS)
    }

    /// Adds like ECMAScript's `setUTCFullYear`, `setUTCMonth`, `setUTCDate`, `setUTCHours`; `None`
    /// when the result leaves the years 0000 to 9999.
    pub(crate) fn plus(self, amount: i64, unit: Unit) -> Option<Self> {
        match unit {
            Unit::Hour => self.plus_ms(amount, HOUR_MS),
            Unit::Day => self.plus_ms(amount, DAY_MS),
            Unit::Month => self.plus_months(amount),
            Unit::Year => self.plus_months(amount.checked_mul(12)?),
        }
    }

    fn plus_ms(self, amount: i64, unit_ms: i64) -> Option<Self> {
        Self::try_new(self.0.checked_add(amount.checked_mul(unit_ms)?)?)
    }

    /// Keeps the day of the month and lets it run over: 29 February + 1 year is 1 March.
    fn plus_months(self, amount: i64) -> Option<Self> {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let months = (year * 12 + month - 1).checked_add(amount)?;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        if !(0..=YEAR_MAX).contains(&year) {
            return None;
        }
        let days = days_from_civil(year, month, 1) + day - 1;
        Self::try_new(days * DAY_MS + self.0.rem_euclid(DAY_MS))
    }

    fn try_new(ms: i64) -> Option<Self> {
        let first = days_from_civil(0, 1, 1) * DAY_MS;
        let end = days_from_civil(YEAR_MAX + 1, 1, 1) * DAY_MS;
        (first..end).contains(&ms).then_some(Self(ms))
    }
}

/// `YYYY-MM-DDThh:mm:ss.sssZ`, as ECMAScript writes a `Date` into JSON.
impl fmt::Display for DateTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MS));
        let ms = self.0.rem_euclid(DAY_MS);
        write!(
            formatter,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
            ms / HOUR_MS,
            ms % HOUR_MS / MINUTE_MS,
            ms % MINUTE_MS / SECOND_MS,
            ms % SECOND_MS
        )
    }
}

/// Days since 1 January 1970. Years begin in March here, so that the leap day is the last one.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // From March on, month lengths repeat 31 30 31 30 31 every 153 days.
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - DAYS_TO_EPOCH
}

/// The inverse of [`days_from_civil`]: (year, month, day).
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_EPOCH;
    let era = days.div_euclid(ERA_DAYS);
    let day_of_era = days.rem_euclid(ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if march_month < 10 { (year, march_month + 3, day) } else { (year + 1, march_month - 9, day) }
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_from_civil(next_year, next_month, 1) - days_from_civil(year, month, 1)
}

/// What is left of the text. Only ASCII digits count as digits.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        if *first != byte {
            return None;
        }
        self.0 = rest;
        Some(())
    }

    /// Exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut number = 0;
        for byte in digits {
            if !byte.is_ascii_digit() {
                return None;
            }
            number = number * 10 + i64::from(byte - b'0');
        }
        self.0 = rest;
        Some(number)
    }

    /// Exactly `count` digits that make a number of `0..end`.
    fn digits_below(&mut self, count: usize, end: i64) -> Option<i64> {
        self.digits(count).filter(|number| *number < end)
    }

    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD` as days; a partial date is its last day.
    fn date(&mut self) -> Option<i64> {
        let year = self.digits(4)?;
        if self.is_done() {
            return Some(days_from_civil(year, 12, 31));
        }
        self.eat(b'-')?;
        let month = self.digits(2).filter(|month| (1..=12).contains(month))?;
        if self.is_done() {
            return Some(days_from_civil(year, month, days_in_month(year, month)));
        }
        self.eat(b'-')?;
        let day = self.digits(2)?;
        // The length of the month is looked up only for the days that not every month has.
        if day == 0 || (day > 28 && day > days_in_month(year, month)) {
            return None;
        }
        Some(days_from_civil(year, month, day))
    }

    /// `Thh:mm:ss` and any number of decimals, of which three count.
    fn time(&mut self) -> Option<i64> {
        self.eat(b'T')?;
        let hour = self.digits_below(2, 24)?;
        self.eat(b':')?;
        let minute = self.digits_below(2, 60)?;
        self.eat(b':')?;
        let second = self.digits_below(2, 60)?;
        let mut ms = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS;
        if self.eat(b'.').is_some() {
            let mut weight = 100;
            ms += self.digits(1)? * weight;
            while let Some(digit) = self.digits(1) {
                weight /= 10;
                ms += digit * weight;
            }
        }
        Some(ms)
    }

    /// Nothing, `Z`, or a sign and `h`, `hh`, `hmm`, `hhmm`, `h:mm`, `hh:mm`.
    fn offset(&mut self) -> Option<i64> {
        if self.is_done() || self.eat(b'Z').is_some() {
            return Some(0);
        }
        let sign = if self.eat(b'+').is_some() {
            1
        } else {
            self.eat(b'-')?;
            -1
        };
        let hour_digits = match self.0 {
            [_, b':', ..] | [_] | [_, _, _] => 1,
            _ => 2,
        };
        let hour = self.digits_below(hour_digits, 24)?;
        let minute = if self.is_done() {
            0
        } else {
            // The colon is optional, the two digits behind it are not.
            let _colon = self.eat(b':');
            self.digits_below(2, 60)?
        };
        Some(sign * (hour * HOUR_MS + minute * MINUTE_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_parse(text: &str, expected: &str) {
        assert_eq!(DateTime::parse(text).map(|it| it.to_string()).as_deref(), Some(expected));
    }

    #[test]
    fn every_format_of_the_specification_is_read() {
        check_parse("2021", "2021-12-31T00:00:00.000Z");
        check_parse("2021-02", "2021-02-28T00:00:00.000Z");
        check_parse("2020-02", "2020-02-29T00:00:00.000Z");
        check_parse("2021-05-04", "2021-05-04T00:00:00.000Z");
        for decimals in ["", ".0", ".000", ".0009", ".000999999999999999999"] {
            let local = format!("2021-05-04T13:37:42{decimals}");
            check_parse(&local, "2021-05-04T13:37:42.000Z");
            check_parse(&format!("{local}Z"), "2021-05-04T13:37:42.000Z");
            for offset in ["+2", "+02", "+200", "+0200", "+2:00", "+02:00"] {
                check_parse(&format!("{local}{offset}"), "2021-05-04T11:37:42.000Z");
            }
            for offset in ["-130", "-0130", "-1:30", "-01:30"] {
                check_parse(&format!("{local}{offset}"), "2021-05-04T15:07:42.000Z");
            }
        }
        check_parse("2021-08-01T00:00:00.1Z", "2021-08-01T00:00:00.100Z");
        check_parse("2021-08-01T00:00:00.01", "2021-08-01T00:00:00.010Z");
        check_parse("2021-08-01T00:00:00.9999Z", "2021-08-01T00:00:00.999Z");
        check_parse("2021-08-01T00:00:00+1:00", "2021-07-31T23:00:00.000Z");
    }

    #[test]
    fn anything_else_is_not_a_date() {
        for text in [
            "",
            "2",
            "202",
            "20211",
            "2021-",
            "2021-1",
            "2021-00",
            "2022-13",
            "2021-09-99",
            "2021-02-29",
            "2021-04-31",
            "2021-01-00",
            "1900-02-29",
            "2021T00:00:00Z",
            "2021-01T00:00:00Z",
            "2021-01-01 00:00:00",
            "2021-01-01T",
            "2021-01-01T00:00",
            "2021-01-01T24:00:00",
            "2021-01-01T00:60:00",
            "2021-01-01T00:00:60",
            "2021-01-01T00:00:00z",
            "2021-01-01t00:00:00Z",
            "2021-01-01T00:00:00.",
            "2021-01-01T00:00:00.Z",
            "2021-01-01T00:00:00+",
            "2021-01-01T00:00:00+1:",
            "2021-01-01T00:00:00+01:",
            "2021-01-01T00:00:00+01:0",
            "2021-01-01T00:00:00+24:00",
            "2021-01-01T00:00:00+00:60",
            "2021-01-01T00:00:00+001:00",
            "2021-01-01T00:00:00Z ",
            " 2021-01-01",
            "２０２１-01-01",
            "-2021-01-01",
            "0000-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert_eq!(DateTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_of_birth_is_read_as_the_last_day_it_can_mean() {
        let read = |text| DateTime::parse_date_of_birth(text).map(|it| it.to_string());
        assert_eq!(read("2004").as_deref(), Some("2004-12-31T00:00:00.000Z"));
        assert_eq!(read("2004-02").as_deref(), Some("2004-02-29T00:00:00.000Z"));
        assert_eq!(read("2004-02-03").as_deref(), Some("2004-02-03T00:00:00.000Z"));
        assert_eq!(read("2004-02-03T00:00:00Z"), None);
    }

    #[track_caller]
    fn check_plus(text: &str, amount: i64, unit: Unit, expected: Option<&str>) {
        let actual = DateTime::parse(text).unwrap().plus(amount, unit).map(|it| it.to_string());
        assert_eq!(actual.as_deref(), expected);
    }

    #[test]
    fn adding_time_runs_over_like_ecmascript() {
        // The specification's own table of leap days.
        check_plus("2020-02-29", 1, Unit::Day, Some("2020-03-01T00:00:00.000Z"));
        check_plus("2020-02-29", 1, Unit::Month, Some("2020-03-29T00:00:00.000Z"));
        check_plus("2020-02-29", 1, Unit::Year, Some("2021-03-01T00:00:00.000Z"));
        check_plus("2020-02-29", -4, Unit::Year, Some("2016-02-29T00:00:00.000Z"));
        check_plus("2021-01-31", 1, Unit::Month, Some("2021-03-03T00:00:00.000Z"));
        check_plus("2021-12-01", 1, Unit::Month, Some("2022-01-01T00:00:00.000Z"));
        check_plus("2021-12-01", -12, Unit::Month, Some("2020-12-01T00:00:00.000Z"));
        check_plus("2021-06-23", -180, Unit::Day, Some("2020-12-25T00:00:00.000Z"));
        check_plus("2021-06-23", -25, Unit::Hour, Some("2021-06-21T23:00:00.000Z"));
        check_plus("2021-06-23T12:34:56.789Z", 1, Unit::Year, Some("2022-06-23T12:34:56.789Z"));
    }

    #[test]
    fn adding_time_never_leaves_four_digit_years() {
        check_plus("9999-12-31", 1, Unit::Day, None);
        check_plus("0000-01-01", -1, Unit::Hour, None);
        for unit in [Unit::Year, Unit::Month, Unit::Day, Unit::Hour] {
            check_plus("2020-02-29", i64::MAX, unit, None);
            check_plus("2020-02-29", i64::MIN, unit, None);
        }
    }

    #[test]
    fn every_day_from_1582_to_2400_agrees_with_another_calendar() {
        let mut day = jiff::civil::date(1582, 1, 1);
        while day.year() < 2400 {
            let text = day.to_string();
            check_parse(&text, &format!("{text}T00:00:00.000Z"));
            let next = day.tomorrow().unwrap();
            check_plus(&text, 1, Unit::Day, Some(&format!("{next}T00:00:00.000Z")));
            day = next;
        }
    }

    proptest! {
        #[test]
        fn date_times_agree_with_another_parser(
            second in -62_000_000_000_i64..253_000_000_000, ms in 0_i64..1000,
        ) {
            let instant = jiff::Timestamp::from_millisecond(second * 1000 + ms).unwrap();
            let parsed = DateTime::parse(&instant.to_string());
            prop_assert_eq!(parsed, Some(DateTime(second * 1000 + ms)));
            let printed = parsed.unwrap().to_string();
            prop_assert_eq!(printed.parse::<jiff::Timestamp>().unwrap(), instant);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = DateTime::parse(&text);
            let _ = DateTime::parse_date_of_birth(&text);
        }

        #[test]
        fn texts_of_date_letters_either_fail_or_print_and_read_back(text in "[0-9TZ:.+-]{4,30}") {
            if let Some(read) = DateTime::parse(&text) {
                prop_assert_eq!(DateTime::parse(&read.to_string()), Some(read));
            }
        }
    }
}
