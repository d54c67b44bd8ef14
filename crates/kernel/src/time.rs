//! Instants, dates, the city's zone, and the clock as an argument.
//!
//! An instant is UTC microseconds in an `i64`. Days are the city's: the zone is configuration.
//! Rules take `now` as an argument; only [`SystemClock`] reads the machine's clock.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Instant(i64);

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;

impl Instant {
    /// The instant this many microseconds after 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The instant this many seconds after 1970 (saturating).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// This instant moved by `seconds` (saturating).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(SECOND)))
    }

    /// This instant moved by `days` of 24 hours (saturating). For calendar days use [`Date`].
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Seconds from `earlier` to this instant, rounded down; negative when `earlier` is later.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(SECOND)
    }

    /// RFC 3339 in UTC with seconds, e.g. `2026-11-22T03:00:00Z`; the raw number when the instant
    /// lies outside of years -9999..9999.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.seconds())
            .map_or_else(|_| self.0.to_string(), |it| it.to_string())
    }

    /// Reads RFC 3339, e.g. `2026-11-22T12:00:00+09:00`.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|it| Self(it.as_microsecond()))
    }
}

/// A calendar day: days since 1970-01-01, in whichever zone it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// The last day that this calendar can name, 9999-12-31, in days since 1970.
const LAST_DAY: i32 = 2_932_896;
/// The first day, 0001-01-01.
const FIRST_DAY: i32 = -719_162;

impl Date {
    /// The day this many days after 1970-01-01, held within years 1 to 9999.
    pub fn from_days(days: i32) -> Self {
        Self(days.clamp(FIRST_DAY, LAST_DAY))
    }

    /// The day of this year, month (1-12) and day of month (1-31).
    pub fn from_calendar(year: i16, month: i8, day: i8) -> Option<Self> {
        jiff::civil::Date::new(year, month, day).ok().and_then(Self::from_civil)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// This day moved by `days`, held within years 1 to 9999.
    #[must_use]
    pub fn plus_days(self, days: i32) -> Self {
        Self::from_days(self.0.saturating_add(days))
    }

    fn from_civil(civil: jiff::civil::Date) -> Option<Self> {
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = civil.since(epoch).ok()?.get_days();
        (FIRST_DAY..=LAST_DAY).contains(&days).then_some(Self(days))
    }

    fn civil(self) -> jiff::civil::Date {
        jiff::civil::date(1970, 1, 1)
            .saturating_add(jiff::SignedDuration::from_hours(i64::from(self.0) * 24))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.civil())
    }
}

/// Why a text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a date is written YYYY-MM-DD")]
pub struct DateError;

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        // The library reads more forms than one; only the one that Display writes is taken.
        if text.len() != 10 {
            return Err(DateError);
        }
        let civil: jiff::civil::Date = text.parse().map_err(|_| DateError)?;
        Self::from_civil(civil).ok_or(DateError)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The city's time zone, by its IANA name.
#[derive(Clone)]
pub struct Zone {
    zone: jiff::tz::TimeZone,
    name: String,
}

/// Why a zone is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no time zone is named {0:?}")]
pub struct ZoneError(String);

impl Zone {
    /// The zone with this IANA name, e.g. `Asia/Seoul`. The table is part of the program.
    pub fn try_new(name: &str) -> Result<Self, ZoneError> {
        match jiff::tz::TimeZone::get(name) {
            Ok(zone) => Ok(Self { zone, name: name.to_owned() }),
            Err(_) => Err(ZoneError(name.to_owned())),
        }
    }

    /// UTC.
    pub fn utc() -> Self {
        Self { zone: jiff::tz::TimeZone::UTC, name: "UTC".to_owned() }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The day that `instant` falls on here. Held within years 1 to 9999.
    pub fn date(&self, instant: Instant) -> Date {
        let seconds = instant.seconds().clamp(-60_000_000_000, 250_000_000_000);
        let civil =
            jiff::Timestamp::from_second(seconds).map(|it| it.to_zoned(self.zone.clone()).date());
        civil.ok().and_then(Date::from_civil).unwrap_or(Date(0))
    }

    /// The first instant of `date` here (after a gap at midnight: the first that exists).
    pub fn start_of(&self, date: Date) -> Instant {
        date.civil()
            .to_zoned(self.zone.clone())
            .map_or(Instant(i64::from(date.0) * 86_400 * SECOND), |it| {
                Instant(it.timestamp().as_microsecond())
            })
    }

    /// `YYYY-MM-DD HH:MM` here.
    pub fn minute(&self, instant: Instant) -> String {
        jiff::Timestamp::from_second(instant.seconds()).map_or_else(
            |_| instant.micros().to_string(),
            |it| it.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
        )
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

/// Who says what time it is.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Instant;

    /// How long something has been going that nobody sets: only differences mean anything, and only
    /// within one process. By it a wall clock that jumps is told from time that passes.
    fn running(&self) -> Duration;
}

/// The machine's clock; the only place that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that may")]
    fn now(&self) -> Instant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let micros = since.map_or(0, |it| i64::try_from(it.as_micros()).unwrap_or(i64::MAX));
        Instant(micros)
    }

    fn running(&self) -> Duration {
        static BEGUN: OnceLock<std::time::Instant> = OnceLock::new();
        BEGUN.get_or_init(std::time::Instant::now).elapsed()
    }
}

/// A clock that moves when it is told to; clones share the hand. Runs the whole app in tests,
/// demos and simulations. That time passes is what it is told by default; a jump of the wall clock
/// alone has a name of its own.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    at: AtomicI64,
    /// How much of `at` no time has passed for.
    jumped: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Instant) -> Self {
        Self(Arc::new(Hands { at: AtomicI64::new(start.0), jumped: AtomicI64::new(0) }))
    }

    /// Puts the hand to `instant`, forwards or backwards.
    pub fn set(&self, instant: Instant) {
        self.0.at.store(instant.0, Ordering::SeqCst);
    }

    /// Moves the hand by `seconds` although no time has passed: somebody set the clock.
    pub fn jump_seconds(&self, seconds: i64) {
        self.0.jumped.fetch_add(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
        self.advance_seconds(seconds);
    }

    /// Moves the hand by `seconds`.
    pub fn advance_seconds(&self, seconds: i64) {
        self.set(self.now().plus_seconds(seconds));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        Instant(self.0.at.load(Ordering::SeqCst))
    }

    fn running(&self) -> Duration {
        let passed = self.now().0.saturating_sub(self.0.jumped.load(Ordering::SeqCst));
        Duration::from_micros(u64::try_from(passed).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_in_seoul_begins_at_15_utc_of_the_day_before() {
        let seoul = Zone::try_new("Asia/Seoul").unwrap();
        let just_before = Instant::parse("2026-11-21T14:59:59Z").unwrap();
        assert_eq!(seoul.date(just_before).to_string(), "2026-11-21");
        assert_eq!(seoul.date(just_before.plus_seconds(1)).to_string(), "2026-11-22");
        let date: Date = "2026-11-22".parse().unwrap();
        assert_eq!(seoul.start_of(date), just_before.plus_seconds(1));
    }

    #[test]
    fn dates_read_only_what_they_write() {
        assert!("2026-02-29".parse::<Date>().is_err());
        assert_eq!("2024-02-29".parse::<Date>().unwrap().to_string(), "2024-02-29");
        assert!("20240229".parse::<Date>().is_err());
        assert_eq!(Date::from_days(i32::MAX).to_string(), "9999-12-31");
        assert_eq!(Date::from_days(i32::MIN).to_string(), "0001-01-01");
    }

    #[test]
    fn extreme_instants_do_not_panic() {
        let seoul = Zone::try_new("Asia/Seoul").unwrap();
        for micros in [i64::MIN, -1, 0, i64::MAX] {
            let instant = Instant::from_micros(micros);
            let _ = (seoul.date(instant), seoul.minute(instant), instant.rfc3339());
        }
    }
}
