//! The rules. Pure: no clock, no randomness, no store; the caller brings the time and the ids.

use contracts::code::{Colour, TypedAnswer};
use contracts::gate::Verdict;
use kernel::{Instant, clean};

use crate::command::{DeviceCommand, ListsCommand, PlaceCommand};
use crate::event::{DeviceEvent, ListsEvent, PlaceEvent};
use crate::model::{Device, DevicePhase, Lists, Place, PlaceKind, PlacePhase};
use crate::refusal::Refusal;

/// Characters of a place's name: long signs exist, and a scanner must show it in one line or two.
pub const NAME_MAX: usize = 80;
/// Characters of a device's label.
pub const LABEL_MAX: usize = 40;
/// A week: beyond it, a list of revocations says too little for any place.
pub const STALE_HOURS_MAX: u32 = 168;
/// Devices that may wait at one place: whoever reads the place's code off a wall must not be able
/// to bury the owner's list.
pub const WAITING_MAX: u64 = 20;
/// Hours after which an unanswered enrolment lapses: nobody remembers comparing digits yesterday.
pub const ENROLMENT_HOURS: i64 = 24;
/// How far a device's clock may be from the server's where the signed time guards against replay,
/// in seconds.
pub const CLOCK_TOLERANCE_S: i64 = 300;
/// How far back a device's claim of time decides the day of an entry: as long as a gate is promised
/// to work without a network (Korea's venue app was out for hours in January 2022).
pub const CLAIM_HOURS: i64 = 72;
/// Days for which entries are kept (Korea: 4 weeks).
pub const ENTRY_DAYS: u32 = 28;
/// Characters of the public reason for which older lists ceased to count.
pub const WHY_MAX: usize = 200;

/// The rules of a place.
pub fn place(it: &Place, command: PlaceCommand, now: Instant) -> Result<Vec<PlaceEvent>, Refusal> {
    match (it.phase, &command) {
        (PlacePhase::Open, PlaceCommand::Remove { .. }) => return Err(Refusal::PlaceInUse),
        (PlacePhase::Absent, PlaceCommand::Open { .. })
        | (PlacePhase::Open, _)
        | (PlacePhase::Closed, PlaceCommand::Remove { .. }) => {}
        (PlacePhase::Absent, _) => return Err(Refusal::PlaceUnknown),
        (PlacePhase::Closed, _) => return Err(Refusal::PlaceClosed),
    }
    match command {
        PlaceCommand::Open { .. } if it.phase == PlacePhase::Open => Err(Refusal::PlaceAlreadyOpen),
        PlaceCommand::Open { name, organisation, kind, sensitive, code } => {
            let name = clean(&name, NAME_MAX).map_err(|_| Refusal::NameInvalid)?;
            // In 2021 New South Wales published shelters' addresses with its register of venues.
            let sensitive = sensitive || kind == PlaceKind::Shelter;
            Ok(vec![PlaceEvent::Opened { name, organisation, kind, sensitive, code }])
        }
        PlaceCommand::Rename { name } => {
            let name = clean(&name, NAME_MAX).map_err(|_| Refusal::NameInvalid)?;
            if name == it.name { Ok(Vec::new()) } else { Ok(vec![PlaceEvent::Renamed { name }]) }
        }
        PlaceCommand::Close => Ok(vec![PlaceEvent::Closed]),
        PlaceCommand::SetPolicy { printed_allowed, stale_hours } => {
            if !(1..=STALE_HOURS_MAX).contains(&stale_hours) {
                return Err(Refusal::PolicyInvalid);
            }
            let same = it.policy.printed_allowed == printed_allowed
                && it.policy.stale_hours == stale_hours;
            let event = PlaceEvent::PolicySet { printed_allowed, stale_hours };
            if same { Ok(Vec::new()) } else { Ok(vec![event]) }
        }
        PlaceCommand::SetDemand { demand } => {
            let same = it.policy.demand == demand;
            if same { Ok(Vec::new()) } else { Ok(vec![PlaceEvent::DemandSet { demand }]) }
        }
        PlaceCommand::Remove { by, closed_at } => {
            // While entries of its last day are kept, an open case must find where they were made.
            let kept = i64::from(ENTRY_DAYS) + 1;
            if closed_at.is_none_or(|it| now < it.plus_days(kept)) {
                return Err(Refusal::PlaceKept);
            }
            Ok(vec![PlaceEvent::Removed { by }])
        }
    }
}

/// The rules of the lists that gates carry.
pub fn lists(it: &Lists, command: ListsCommand, now: Instant) -> Result<Vec<ListsEvent>, Refusal> {
    let (why, by, since) = match command {
        // Lists are stamped with their minute; one of this very minute must count, or no gate could
        // judge before the next.
        ListsCommand::Raise { why, by } => {
            (why, Some(by), Instant::from_seconds(now.seconds().div_euclid(60) * 60))
        }
        ListsCommand::Follow { why, at } => (why, None, Instant::from_seconds(at.seconds())),
    };
    let why = clean(&why, WHY_MAX).map_err(|_| Refusal::WhyInvalid)?;
    if it.since.is_some_and(|it| since <= it) {
        return Ok(Vec::new());
    }
    Ok(vec![ListsEvent::Raised { since, why, by }])
}

/// The rules of a device.
pub fn device(
    it: &Device,
    command: DeviceCommand,
    now: Instant,
) -> Result<Vec<DeviceEvent>, Refusal> {
    match command {
        DeviceCommand::AskEnrolment { place, label, public_key, waiting } => {
            if it.phase != DevicePhase::Absent {
                return Err(Refusal::DeviceAlreadyAsked);
            }
            if WAITING_MAX <= waiting {
                return Err(Refusal::TooManyWaiting);
            }
            let label = clean(&label, LABEL_MAX).map_err(|_| Refusal::LabelInvalid)?;
            Ok(vec![DeviceEvent::EnrolmentAsked { place, label, public_key, asked_at: now }])
        }
        DeviceCommand::Approve { by } => {
            is_waiting(it)?;
            if it.asked_at.plus_seconds(ENROLMENT_HOURS * 3_600) <= now {
                return Err(Refusal::EnrolmentExpired);
            }
            Ok(vec![DeviceEvent::Approved { by }])
        }
        DeviceCommand::Refuse { by } => {
            is_waiting(it)?;
            Ok(vec![DeviceEvent::Refused { by }])
        }
        DeviceCommand::Withdraw { by } => {
            is_approved(it)?;
            Ok(vec![DeviceEvent::Withdrawn { by }])
        }
        DeviceCommand::Remove { by } => match it.phase {
            DevicePhase::Refused | DevicePhase::Withdrawn => Ok(vec![DeviceEvent::Removed { by }]),
            DevicePhase::Absent => Err(Refusal::DeviceUnknown),
            DevicePhase::Waiting | DevicePhase::Approved => Err(Refusal::DeviceInUse),
        },
    }
}

fn is_waiting(it: &Device) -> Result<(), Refusal> {
    match it.phase {
        DevicePhase::Waiting => Ok(()),
        DevicePhase::Absent => Err(Refusal::DeviceUnknown),
        _ => Err(Refusal::DeviceNotWaiting),
    }
}

/// Whether a device may hand in entries and ask for typed codes. A place that closes withdraws its
/// devices, so nothing more is taken from its door.
pub fn is_approved(it: &Device) -> Result<(), Refusal> {
    match it.phase {
        DevicePhase::Approved => Ok(()),
        DevicePhase::Absent => Err(Refusal::DeviceUnknown),
        DevicePhase::Withdrawn => Err(Refusal::DeviceWithdrawn),
        DevicePhase::Waiting | DevicePhase::Refused => Err(Refusal::DeviceNotApproved),
    }
}

/// Whether a signed time is fresh enough to rule out a replay.
pub fn is_fresh(made_at_s: i64, now: Instant) -> Result<(), Refusal> {
    let apart = now.seconds().saturating_sub(made_at_s).saturating_abs();
    if apart <= CLOCK_TOLERANCE_S { Ok(()) } else { Err(Refusal::ClockOff) }
}

/// The UTC day (days since 1970) that an entry counts for: the day of the device's claim when that
/// lies within the last [`CLAIM_HOURS`], otherwise the day of receipt. Retention begins there, so a
/// wrong clock can neither keep an entry for years nor erase it at once.
pub fn day_of(claimed_s: i64, received: Instant) -> i32 {
    let received_s = received.seconds();
    let earliest_s = received_s.saturating_sub(CLAIM_HOURS * 3_600);
    let counted_s =
        if (earliest_s..=received_s).contains(&claimed_s) { claimed_s } else { received_s };
    i32::try_from(counted_s.div_euclid(86_400)).unwrap_or(i32::MAX)
}

/// What a typed short code says at a door: the verdict and the reasons as stable codes, the same
/// that a scanned code would have. A pass always comes with a glance at an ID: what can be typed
/// can be read over a shoulder.
pub fn judge_typed(answer: Option<&TypedAnswer>, now: Instant) -> (Verdict, Vec<&'static str>) {
    let Some(answer) = answer else { return (Verdict::CannotTell, vec!["typed_unknown"]) };
    if answer.revoked {
        return (Verdict::NoPass, vec!["revoked"]);
    }
    if answer.valid_until <= now {
        return (Verdict::NoPass, vec!["expired"]);
    }
    match answer.colour {
        Colour::Green => (Verdict::Pass, Vec::new()),
        Colour::Yellow => (Verdict::NoPass, vec!["colour_yellow"]),
        Colour::Red => (Verdict::NoPass, vec!["colour_red"]),
        Colour::Unknown => (Verdict::CannotTell, vec!["colour_unknown"]),
    }
}
