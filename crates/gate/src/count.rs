//! Counts of entries: by hour of the city's day, by device, by place. Never a name.
//!
//! An entry counts for the UTC day that [`crate::decide::day_of`] gives it. Where its device's claim
//! of time lies within that day, it is shown at that time; otherwise it is late: handed in after more
//! than three days, or by a device whose clock is wrong. Late entries are shown under the date that
//! has the number of their day, beside the hours. So every entry stands under exactly one date.

use std::collections::BTreeMap;

use contracts::gate::{Device as DeviceId, Place as PlaceId, Verdict};
use kernel::{Date, Id, Instant, Zone};
use serde::Deserialize;
use store::{Add, Block, Fault, FoundBy, Insert, Reader, Value, values};

/// Microseconds in a quarter of an hour: the view counts by them, and every zone's day begins at one.
const QUARTER: i64 = 900_000_000;

pub(crate) const VISIT_ADD: Insert = store::insert!("gate_visit": "day" 2, "place" 3, "seq" 4,
    "device" 5, "quarter" 6, "verdict" 7, "count" 8, "latest" 9);
pub(crate) const HOURS: &str = "SELECT (quarter - $5) / 4, verdict, CAST(SUM(count) AS BIGINT) \
     FROM gate_visit WHERE region = $1 AND day IN ($2, $3) AND place = $4 \
     AND quarter >= $5 AND quarter < $6 AND quarter >= day * 96 AND quarter < (day + 1) * 96 \
     GROUP BY 1, 2 ORDER BY 1, 2";
pub(crate) const DEVICES: &str = "SELECT device, CAST(SUM(count) AS BIGINT), MAX(latest) \
     FROM gate_visit WHERE region = $1 AND day IN ($2, $3) AND place = $4 \
     AND quarter >= $5 AND quarter < $6 AND quarter >= day * 96 AND quarter < (day + 1) * 96 \
     GROUP BY device ORDER BY device";
pub(crate) const LATE: &str = "SELECT device, verdict, CAST(SUM(count) AS BIGINT) \
     FROM gate_visit WHERE region = $1 AND day >= $2 AND day <= $3 AND place = $4 \
     AND (quarter < day * 96 OR quarter >= (day + 1) * 96) GROUP BY 1, 2 ORDER BY 1, 2";
pub(crate) const PLACE_TOTAL: &str = "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) \
     FROM gate_visit WHERE region = $1 AND day IN ($2, $3) AND place = $4 \
     AND quarter >= $5 AND quarter < $6 AND quarter >= day * 96 AND quarter < (day + 1) * 96";
pub(crate) const PLACE_LATE: &str = "SELECT CAST(COALESCE(SUM(count), 0) AS BIGINT) \
     FROM gate_visit WHERE region = $1 AND day >= $2 AND day <= $3 AND place = $4 \
     AND (quarter < day * 96 OR quarter >= (day + 1) * 96)";

/// What of an entry ([`contracts::gate::Entered`]) is counted, and by what it is found again.
#[derive(Deserialize)]
struct Counted<'a> {
    place: Id<PlaceId>,
    device: Id<DeviceId>,
    /// Hexadecimal digits: nothing in them is escaped.
    #[serde(borrow)]
    pass: Option<&'a str>,
    at: i64,
    verdict: Verdict,
}

/// Which quarter of an hour since 1970 an instant lies in.
fn quarter(at: Instant) -> i64 {
    at.micros().div_euclid(QUARTER)
}

/// Counts the entries of a block. Each is found by its pass.
pub(crate) fn project(add: &mut Add<'_>, block: &Block<'_>) -> Result<Vec<FoundBy>, Fault> {
    let mut passes = Vec::with_capacity(block.items.len());
    let mut counts: BTreeMap<_, (u64, Instant)> = BTreeMap::new();
    for it in block.items {
        let it: Counted<'_> =
            serde_json::from_slice(it).map_err(|error| Fault::caused("reading an entry", error))?;
        let at = Instant::from_seconds(it.at);
        let key = (it.place, it.device, quarter(at), it.verdict.word());
        let (count, latest) = counts.entry(key).or_insert((0, at));
        *count += 1;
        let pass = it.pass.map(hex::decode).transpose();
        passes.push(pass.map_err(|error| Fault::caused("reading a pass id", error))?);
        *latest = at.max(*latest);
    }
    for ((place, device, quarter, verdict), (count, latest)) in counts {
        add(
            &VISIT_ADD,
            values![block.day, place, block.seq, device, quarter, verdict, count, latest],
        )?;
    }
    Ok(passes)
}

/// One date of the city, as the counts need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    start: Instant,
    end: Instant,
    /// A day of the city falls on two days of UTC at most.
    days: (i32, i32),
    /// The days whose late entries are shown under this date.
    late: (i32, i32),
}

impl Window {
    /// The window of `date`. `today` shows the late entries of all later days too: west of Greenwich
    /// UTC is ahead of the city's date, and nothing that was taken may be invisible.
    pub fn of(date: Date, today: Date, zone: &Zone) -> Self {
        let (start, end) = (zone.start_of(date), zone.start_of(date.plus_days(1)));
        let last = store::tx::utc_day(Instant::from_micros(end.micros().saturating_sub(1)));
        let day = store::tx::utc_day(Zone::utc().start_of(date));
        let late = (day, if date < today { day } else { i32::MAX });
        Self { start, end, days: (store::tx::utc_day(start), last), late }
    }

    fn hours(&self, place: Id<PlaceId>) -> [Value; 5] {
        let (first, last) = self.days;
        let (start, end) = (quarter(self.start), quarter(self.end));
        [first.into(), last.into(), place.into(), start.into(), end.into()]
    }

    fn late(&self, place: Id<PlaceId>) -> [Value; 3] {
        let (first, last) = self.late;
        [first.into(), last.into(), place.into()]
    }
}

/// Counts of one verdict in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourCount {
    /// Hours since the day began in the city.
    pub hour: u32,
    /// What the guard was told.
    pub verdict: Verdict,
    /// How often.
    pub count: u64,
}

/// A device's entries on one date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceCount {
    /// Which.
    pub device: Id<DeviceId>,
    /// How many, late ones included.
    pub count: u64,
    /// The latest by the device's claim; late ones have no time to be believed.
    pub last: Option<Instant>,
}

/// A date at one place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DayCounts {
    /// By hour and verdict; hours without entries are left out.
    pub hours: Vec<HourCount>,
    /// Late entries, by verdict.
    pub late: Vec<(Verdict, u64)>,
    /// By device.
    pub devices: Vec<DeviceCount>,
}

impl DayCounts {
    /// All entries with this verdict, late ones included.
    pub fn total(&self, verdict: Verdict) -> u64 {
        let hours = self.hours.iter().filter(|it| it.verdict == verdict).map(|it| it.count);
        let late = self.late.iter().filter(|it| it.0 == verdict).map(|it| it.1);
        hours.chain(late).sum()
    }

    /// All entries of this hour.
    pub fn at_hour(&self, hour: u32) -> u64 {
        self.hours.iter().filter(|it| it.hour == hour).map(|it| it.count).sum()
    }

    /// All late entries.
    pub fn late(&self) -> u64 {
        self.late.iter().map(|it| it.1).sum()
    }

    fn add_late(&mut self, device: Id<DeviceId>, verdict: Verdict, count: u64) {
        match self.late.iter_mut().find(|it| it.0 == verdict) {
            Some(it) => it.1 += count,
            None => self.late.push((verdict, count)),
        }
        match self.devices.iter_mut().find(|it| it.device == device) {
            Some(it) => it.count += count,
            None => self.devices.push(DeviceCount { device, count, last: None }),
        }
    }
}

/// The entries at one place.
pub fn of_day(
    reader: &mut Reader<'_>,
    place: Id<PlaceId>,
    window: &Window,
) -> Result<DayCounts, Fault> {
    let mut counts = DayCounts::default();
    for row in reader.query_visits(HOURS, &window.hours(place))? {
        let Some(verdict) = Verdict::from_word(row.text(1)?) else { continue };
        let hour = u32::try_from(row.int(0)?).unwrap_or_default();
        counts.hours.push(HourCount { hour, verdict, count: row.count(2)? });
    }
    for row in reader.query_visits(DEVICES, &window.hours(place))? {
        let (device, last) = (row.id(0)?, Some(row.instant(2)?));
        counts.devices.push(DeviceCount { device, count: row.count(1)?, last });
    }
    for row in reader.query_visits(LATE, &window.late(place))? {
        let Some(verdict) = Verdict::from_word(row.text(1)?) else { continue };
        counts.add_late(row.id(0)?, verdict, row.count(2)?);
    }
    Ok(counts)
}

/// How many entries there are at one place, late ones included.
pub fn total(reader: &mut Reader<'_>, place: Id<PlaceId>, window: &Window) -> Result<u64, Fault> {
    let mut sum = 0;
    for row in reader.query_visits(PLACE_TOTAL, &window.hours(place))? {
        sum += row.count(0)?;
    }
    for row in reader.query_visits(PLACE_LATE, &window.late(place))? {
        sum += row.count(0)?;
    }
    Ok(sum)
}
