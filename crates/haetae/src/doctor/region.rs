//! The region itself: what waits, what is overdue, who can still act, when it was last looked after.

use std::path::Path;
use std::time::Duration;

use app::Config;
use code::issuer::Issuers;
use contracts::person::Role;
use kernel::{Clock as _, Instant, Region, SystemClock};
use store::backend::Part;
use store::{Engine, Fault, Row, Value, queue, trust, wrap};

use super::State::{Broken, Unknown, Warning};
use super::{Findings, signing};

/// Roles that end within this many days are said.
const ROLE_DAYS: i64 = 14;
/// A backup older than this is old (two days), and none at all after this (two weeks).
const BACKUP_DAYS: [i64; 2] = [2, 14];
/// An audit is due once a month.
const AUDIT_DAYS: i64 = 35;
/// A message that waits for longer than this has a reason.
const WAITING_S: i64 = 3_600;
/// A rotation takes minutes; one that was begun a day ago stands still.
const STUCK_S: i64 = 86_400;
/// Gates compare clocks to seconds.
const CLOCK_S: i64 = 2;
/// Retention runs every ten minutes; what is two days late does not run.
const OVERDUE_DAYS: i32 = 2;

/// One database, to be asked.
pub(super) struct Asked {
    engine: Box<dyn Engine>,
    region: Value,
}

impl Asked {
    fn open(config: &Config, part: Part, region: &Region) -> Result<Self, Fault> {
        let wrong = |error: app::ConfigError| Fault::caused("reading the configuration", error);
        let engine = config.backend().map_err(wrong)?.reader(part)?;
        Ok(Self { engine, region: Value::from(region.as_str()) })
    }

    /// `$1` is the region.
    pub(super) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        let mut rows = Vec::new();
        let all: Vec<&Value> = std::iter::once(&self.region).chain(values).collect();
        self.engine.query(sql, &all, &mut |row| {
            rows.push(std::mem::take(row));
            Ok(true)
        })?;
        Ok(rows)
    }

    fn number(&mut self, sql: &str, values: &[Value]) -> Result<i64, Fault> {
        self.rows(sql, values)?.first().map_or(Ok(0), |row| row.int(0))
    }
}

pub(super) fn look(config: &Config, findings: &mut Findings) -> anyhow::Result<()> {
    let (now, region) = (SystemClock.now(), config.region()?);
    let asked = Asked::open(config, Part::Identity, &region).and_then(|mut it| {
        log(&mut it, now, findings)?;
        retention(&mut it, now, findings);
        outbox(&mut it, now, findings)?;
        roles(&mut it, now, findings)?;
        signing::look(&mut it, config, now, findings)
    });
    let asked = asked.and_then(|issuers| {
        let mut keys = Asked::open(config, Part::Keys, &region)?;
        erasure(&mut keys, now, findings)?;
        wrapping(&mut keys, config, now, &issuers, findings)
    });
    if let Err(fault) = asked {
        let mend = "haetae serve makes a region; haetae audit looks at one that is hurt";
        findings.add("store", Broken, format!("it cannot be read: {fault}"), mend);
    }
    let [old, none] = BACKUP_DAYS;
    let says = when(&config.data, "last_backup", now);
    match says {
        Some(days) if days <= old => findings.well("backup", format!("{days} days ago")),
        Some(days) => {
            let state = if days <= none { Warning } else { Broken };
            findings.add("backup", state, format!("the last was {days} days ago"), "haetae backup");
        }
        None => findings.add("backup", Warning, "there was never one", "haetae backup"),
    }
    match when(&config.data, "last_audit", now) {
        Some(days) if days <= AUDIT_DAYS => {
            findings.well("audit", format!("it passed {days} days ago"));
        }
        Some(days) => {
            findings.add("audit", Warning, format!("the last was {days} days ago"), "haetae audit");
        }
        None => findings.add("audit", Warning, "there was never one", "haetae audit"),
    }
    clock(config, findings);
    Ok(())
}

/// How many days ago something was last done, as a file in the data folder says (RFC 3339).
fn when(data: &Path, name: &str, now: Instant) -> Option<i64> {
    let text = std::fs::read_to_string(data.join(name)).ok()?;
    Some(now.seconds_since(Instant::parse(text.trim())?).max(0) / 86_400)
}

fn log(asked: &mut Asked, now: Instant, findings: &mut Findings) -> Result<(), Fault> {
    let rows = asked.rows("SELECT size, at FROM log_head WHERE region = $1", &[])?;
    let Some(head) = rows.first() else {
        findings.add("log", Broken, "there is no log of this region", "is `region` right?");
        return Ok(());
    };
    let (size, at) = (head.count(0)?, head.instant(1)?);
    let ahead_s = at.seconds_since(now);
    if ahead_s > CLOCK_S {
        let says = format!("the newest entry is {ahead_s} s from now: this clock stepped back");
        findings.add("log", Broken, says, "timedatectl; set the clock, then look at the entries");
    } else {
        let entries = crate::output::grouped(size);
        findings.well("log", format!("{entries} entries, the newest of {}", at.rfc3339()));
    }
    Ok(())
}

/// While the clock is not believed nothing is erased (ADR 0038). Whether it jumped or the service was
/// off, only a person can say.
fn retention(asked: &mut Asked, now: Instant, findings: &mut Findings) {
    match trust::noted(asked.engine.as_mut(), &asked.region) {
        Ok(Some(at)) if now.seconds_since(at) > trust::LEEWAY_S => {
            let hours = now.seconds_since(at) / 3_600;
            let says = format!(
                "the clock was believed {hours} hours ago and not since: it jumped, or the service was \
                 off. Nothing is erased"
            );
            let mend = "timedatectl; when the time is right: haetae clock --confirm";
            findings.add("retention", Broken, says, mend);
        }
        Ok(Some(_)) => findings.well("retention", "the clock is believed"),
        Ok(None) | Err(_) => {
            let mend = "haetae serve notes it within minutes";
            findings.add("retention", Unknown, "no time was noted yet", mend);
        }
    }
}

fn outbox(asked: &mut Asked, now: Instant, findings: &mut Findings) -> Result<(), Fault> {
    let count = "SELECT COUNT(*) FROM outbox WHERE region = $1 AND state = 2";
    let laid_aside = asked.number(count, &[])?;
    let count = "SELECT COUNT(*) FROM outbox WHERE region = $1 AND state = 0 AND made_at < $2";
    let late = asked.number(count, &[now.plus_seconds(-WAITING_S).into()])?;
    if laid_aside > 0 {
        let says = format!("{laid_aside} messages were given up after many tries");
        let mend = "ask the text messages' service; the people meant did not get theirs";
        findings.add("messages", Warning, says, mend);
    }
    if late > 0 {
        let says = format!("{late} messages have waited for more than an hour");
        findings.add("messages", Warning, says, "journalctl -u haetae | grep sending");
    }
    if laid_aside + late == 0 {
        findings.well("messages", "none was given up, none is late");
    }
    Ok(())
}

fn roles(asked: &mut Asked, now: Instant, findings: &mut Findings) -> Result<(), Fault> {
    let sql = "SELECT r.role, COUNT(*) FROM person_role r JOIN person_staff s \
         ON s.region = r.region AND s.staff = r.staff \
         WHERE r.region = $1 AND s.suspended = 0 AND r.until_at > $2 GROUP BY r.role";
    let soon = now.plus_seconds(ROLE_DAYS * 86_400);
    let mut counts = |at: Instant| -> Result<Vec<(String, i64)>, Fault> {
        let rows = asked.rows(sql, &[at.into()])?;
        rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
    };
    let (today, later) = (counts(now)?, counts(soon)?);
    let of = |counts: &[(String, i64)], role: Role| {
        counts.iter().find(|(word, _)| word == role.word()).map_or(0, |(_, count)| *count)
    };
    let before = findings.0.len();
    for role in Role::ALL {
        let (has, will_have) = (of(&today, role), of(&later, role));
        if will_have < has {
            let says =
                format!("{} of {has} roles {} end within two weeks", has - will_have, role.word());
            findings.add("roles", Warning, says, "extend them at /desk/staff");
        }
    }
    // Two people each: orders need two officers, and a lost passkey needs another administrator.
    for role in [Role::Administrator, Role::HealthOfficer] {
        match of(&today, role) {
            0 if role == Role::Administrator => {
                let mend = "restart the service: it prints a link for the first administrator";
                findings.add("roles", Broken, "nobody is administrator", mend);
            }
            0 | 1 => {
                let says = format!("fewer than two have the role {}", role.word());
                findings.add("roles", Warning, says, "appoint somebody at /desk/staff");
            }
            _ => {}
        }
    }
    if findings.0.len() == before {
        findings.well("roles", "none ends within two weeks");
    }
    Ok(())
}

/// Keys of days whose time is over must be gone (28 days for visits: the promise on the first page).
fn erasure(keys: &mut Asked, now: Instant, findings: &mut Findings) -> Result<(), Fault> {
    let registry = app::slices::registry(&app::slices::slices());
    let today = store::tx::utc_day(now);
    let sql = "SELECT scope FROM vault_key WHERE region = $1 AND scope >= 'epoch/' \
         AND scope < 'epoch0'";
    let mut overdue = 0;
    for row in keys.rows(sql, &[])? {
        let Some((kind, day)) =
            row.text(0)?.strip_prefix("epoch/").and_then(|it| it.split_once('/'))
        else {
            continue;
        };
        let observed = registry.observations.iter().find(|it| it.kind == kind);
        let kept = observed
            .map(|it| it.retention_days)
            .or_else(|| registry.streams.iter().find_map(|it| (it.retention_days)(kind)))
            .and_then(|it| i32::try_from(it).ok());
        if let (Some(kept), Ok(day)) = (kept, day.parse::<i32>())
            && day < today.saturating_sub(kept).saturating_sub(OVERDUE_DAYS)
        {
            overdue += 1;
        }
    }
    if overdue > 0 {
        let says = format!("{overdue} days' keys should have been destroyed");
        let mend = "start the service; its journal says why retention waits";
        findings.add("erasure", Broken, says, mend);
    } else {
        findings.well("erasure", "nothing is kept for longer than its time");
    }
    Ok(())
}

/// Whether a rotation of wrapping keys stands still, and whether each key that rows need is there.
fn wrapping(
    asked: &mut Asked,
    config: &Config,
    now: Instant,
    issuers: &Issuers,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let before = findings.0.len();
    let region = asked.region.clone();
    // A region that this program has not been started on has no number but the first.
    let sql = "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'vault_wrap' AND $1 IS NOT NULL";
    if asked.number(sql, &[])? == 0 {
        return Ok(());
    }
    let known = wrap::wraps(asked.engine.as_mut(), &region)?;
    let queues = queue::queue_keys(asked.engine.as_mut(), &region)?;
    signing::unused(config, &known, &queues, issuers, findings);
    // The first is made when a gate first asks.
    for it in queues.iter().filter(|it| queues.len() > 1 && !it.is_over(now)) {
        if !config.keys().join(format!("{}.key", it.name)).exists() {
            let says = format!("{} opens what gates sealed, and is not in the key folder", it.name);
            let mend = "bring it from the machine that made it, or from a backup of keys";
            findings.add("wrapping", Broken, says, mend);
        }
    }
    for it in &known {
        let (path, newer) =
            (config.keys().join(format!("{}.key", it.name)), |other: &&wrap::Wrap| {
                it.is_before(other)
            });
        match (it.over_at, known.iter().find(newer)) {
            (Some(over), _) if over.plus_seconds(2 * wrap::OVER_S) < now && path.exists() => {
                let says = format!("{} is over, and its file is still there", it.name);
                findings.add(
                    "wrapping",
                    Warning,
                    says,
                    format!("start the service, or rm {}", path.display()),
                );
            }
            (None, _) if !path.exists() => {
                let says = format!("{} is in use and not in the key folder", it.name);
                let mend = "bring it from the machine that made it, or from a backup of keys";
                findings.add("wrapping", Broken, says, mend);
            }
            (None, Some(newer))
                if newer.made_at.is_some_and(|at| at.plus_seconds(STUCK_S) < now) =>
            {
                let says = format!("keys are still wrapped by {}, not by {}", it.name, newer.name);
                let mend =
                    format!("start the service; or haetae keys rotate {}", wrap::base(newer.side));
                findings.add("wrapping", Warning, says, mend);
            }
            _ => {}
        }
    }
    if findings.0.len() == before {
        findings.well("wrapping", "every key that is needed is there");
    }
    Ok(())
}

/// How far this clock is off, by the `Date` of a server of the operator's choice.
fn clock(config: &Config, findings: &mut Findings) {
    let Some(url) = &config.time_url else {
        // What systemd-timesyncd leaves once it has set the clock since the machine started.
        if Path::new("/run/systemd/timesync/synchronized").exists() {
            findings.well("clock", "systemd-timesyncd keeps it");
        } else {
            let mend = "timedatectl; or write time_url, and doctor asks there";
            findings.add("clock", Unknown, "nobody was asked how far it is off", mend);
        }
        return;
    };
    match offset_s(url) {
        Ok(offset_s) if offset_s.abs() <= CLOCK_S => {
            findings.well("clock", format!("it agrees with {url} to {CLOCK_S} s"));
        }
        Ok(offset_s) => {
            let says = format!("it is {offset_s} s off, as {url} says");
            let state = if offset_s.abs() > 60 { Broken } else { Warning };
            findings.add(
                "clock",
                state,
                says,
                "timedatectl set-ntp true; timedatectl timesync-status",
            );
        }
        Err(problem) => {
            let says = format!("{url} did not tell the time: {problem}");
            findings.add("clock", Unknown, says, "is time_url right, and is there a network?");
        }
    }
}

/// Our clock less theirs. `Date` has whole seconds (RFC 9110, section 6.6.1), and the answer was on
/// its way: half of the way is counted as theirs.
fn offset_s(url: &str) -> Result<i64, String> {
    let request = ureq::head(url).config().timeout_global(Some(Duration::from_secs(5)));
    let request = request.http_status_as_error(false).max_redirects(0).build();
    let before = SystemClock.now();
    let answer = request.call().map_err(|error| error.to_string())?;
    let after = SystemClock.now();
    let date = answer.headers().get("date").and_then(|it| it.to_str().ok());
    let theirs = date.and_then(http_date).ok_or("it sends no Date")?;
    let ours = before.plus_seconds(after.seconds_since(before) / 2);
    Ok(ours.seconds_since(theirs))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Instant> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split(", ").nth(1)?.split(' ');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let (time, zone) = (parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|it| *it == month)? + 1;
    if zone != "GMT" {
        return None;
    }
    Instant::parse(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_an_answer_is_read() {
        let read = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(read, Instant::parse("1994-11-06T08:49:37Z").unwrap());
        for wrong in
            ["", "Sunday", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"]
        {
            assert_eq!(http_date(wrong), None, "{wrong}");
        }
    }
}
