//! The keys that sign: whether somebody follows them in time, whether their use was stated, and which
//! key files nobody uses.

use app::Config;
use code::issuer::{AHEAD_S, IssuerEvent, Issuers};
use code::key_list::SINGLE;
use code::keys;
use kernel::{Aggregate as _, Instant};
use store::queue::QueueKey;
use store::tx::utc_day;
use store::{Fault, wrap};

use super::Findings;
use super::State::{Broken, Warning};
use super::region::Asked;

const DAY_S: i64 = 86_400;

const START: &str = "start the service; its journal says why it waits (grep code-keys)";

/// Looks at them; gives what the log says of them.
pub(super) fn look(
    asked: &mut Asked,
    config: &Config,
    now: Instant,
    findings: &mut Findings,
) -> Result<Issuers, Fault> {
    let state = fold(asked)?;
    let Some(first) = state.keys.first() else {
        findings.well("signing", "no key has signed yet: the first is made when it is needed");
        return Ok(state);
    };
    let before = findings.0.len();
    let mut names: Vec<_> = state.keys.iter().map(|it| it.whose).collect();
    names.sort_unstable();
    names.dedup();
    for whose in names {
        let name = code::issuer::name(whose);
        let (current, next) = (state.current(whose, now), state.next(whose, now));
        let ended =
            state.keys.iter().filter(|it| it.whose == whose).all(|it| it.ended_at.is_some());
        for it in [current, next].into_iter().flatten() {
            if !config.keys().join(format!("{}.key", keys::file(it.kid))).exists() {
                let says = format!("{name} {} is not in the key folder", it.kid);
                let mend =
                    format!("bring it from a backup of keys, or haetae keys rotate {name} --now");
                findings.add("signing", Broken, says, mend);
            }
        }
        match (current, next) {
            (Some(it), None) if it.signs_until.plus_seconds(DAY_S - AHEAD_S) < now => {
                let days = it.signs_until.seconds_since(now) / DAY_S;
                let says = format!("{name} {} ends in {days} days and nothing follows it", it.kid);
                let mend = format!("start the service; or haetae keys rotate {name}");
                findings.add("signing", Warning, says, mend);
            }
            // The region itself must always have one; an organisation's end without a successor.
            (None, _) if whose.is_none() || !ended => {
                let mend = format!("start the service; or haetae keys rotate {name} --now");
                findings.add("signing", Broken, format!("{name} has no key that signs"), mend);
            }
            _ => {}
        }
    }
    for it in state.keys.iter().filter(|it| it.refused_from.is_some() && !it.cleared) {
        let says = format!("not all that the refused key {} signed was ended", it.kid);
        findings.add("signing", Warning, says, START);
    }
    // A region that was begun today has nothing to state before tomorrow.
    let due = utc_day(now.plus_seconds(-DAY_S - DAY_S / 24));
    let since = utc_day(first.signs_from);
    let stated = state.stated.map(|it| it.0);
    if stated.is_none_or(|it| it < due) && since < due {
        let last = stated.map_or_else(
            || "never".to_owned(),
            |it| Instant::from_seconds(i64::from(it) * DAY_S).rfc3339().chars().take(10).collect(),
        );
        let says = format!("the use of keys was last stated for: {last}");
        findings.add("signing", Warning, says, START);
    }
    if findings.0.len() == before {
        findings.well("signing", "every key is followed in time, and their use was stated");
    }
    Ok(state)
}

/// What the log says of the keys that sign.
fn fold(asked: &mut Asked) -> Result<Issuers, Fault> {
    #[derive(serde::Deserialize)]
    struct Envelope {
        event: IssuerEvent,
    }
    let sql = "SELECT payload FROM event WHERE region = $1 AND stream = 'code.issuer' ORDER BY seq";
    let mut state = Issuers::default();
    for row in asked.rows(sql, &[])? {
        let read = serde_json::from_slice::<Envelope>(row.bytes(0)?);
        let read = read.map_err(|error| Fault::caused("reading an event of keys", error))?;
        state.fold(&read.event);
    }
    Ok(state)
}

/// Key files that nothing refers to.
pub(super) fn unused(
    config: &Config,
    wraps: &[wrap::Wrap],
    queues: &[QueueKey],
    issuers: &Issuers,
    findings: &mut Findings,
) {
    let entries = std::fs::read_dir(config.keys()).into_iter().flatten().flatten();
    let names = entries.filter_map(|it| it.file_name().into_string().ok());
    let mut names: Vec<_> =
        names.filter_map(|it| Some(it.strip_suffix(".key")?.to_owned())).collect();
    names.sort_unstable();
    for name in names {
        let used = SINGLE.contains(&name.as_str())
            || name == keys::FIRST
            || wraps.iter().any(|it| it.name == name)
            || queues.iter().any(|it| it.name == name)
            || issuers.keys.iter().any(|it| keys::file(it.kid) == name);
        if !used {
            let path = config.keys().join(format!("{name}.key"));
            let says = format!("nothing refers to the key {name}");
            findings.add(
                "keys",
                Warning,
                says,
                format!("look whose it is; then rm {}", path.display()),
            );
        }
    }
}
