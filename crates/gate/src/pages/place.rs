//! One place: the day's entries, its devices, its rules, and the sheet for the door.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::gate::{Demand, Device as DeviceId, PassRules, Place as PlaceId, Verdict};
use kernel::{Arg, Date, Id, Instant, Zone};
use serde::Deserialize;
use web::form::Empty;
use web::ui::{Check, Choice, Field, Opt, Pager};
use web::{
    Access, Actor, App, Form, Frame, Page, Path, Problem, Query, Route, Sample, See, unprocessable,
};

use crate::command::{DeviceCommand, PlaceCommand};
use crate::count::{self, DayCounts, DeviceCount, HourCount, Window};
use crate::decide::{ENROLMENT_HOURS, ENTRY_DAYS};
use crate::door;
use crate::model::{Device, DevicePhase, Place, PlaceKind, PlacePolicy, PublicKey};
use crate::queue::pairing_digits;
use crate::rights;
use crate::view::{self, DeviceRow, PlaceRow};

pub(super) fn routes() -> Vec<Route> {
    let runs = Access::Staff(rights::RUNS_PLACES);
    vec![
        Route::get("/desk/places/{place}", show, runs),
        Route::get("/desk/places/{place}/sheet", sheet, runs),
        Route::post("/desk/places/{place}/rules", set_rules, runs),
        Route::post("/desk/places/{place}/close", close, runs),
        Route::post("/desk/places/{place}/remove", remove, runs),
        Route::post("/desk/places/{place}/devices/{device}/approve", approve, runs),
        Route::post("/desk/places/{place}/devices/{device}/refuse", refuse, runs),
        Route::post("/desk/places/{place}/devices/{device}/withdraw", withdraw, runs),
        Route::post("/desk/places/{place}/devices/{device}/remove", remove_device, runs),
    ]
}

/// One bar of the day's picture, in the units of its view box.
struct Bar {
    x: u32,
    y: u64,
    height: u64,
    /// Written under every third bar.
    label: Option<u32>,
}

struct Line {
    label: String,
    pairing: String,
    asked: String,
    entries: i64,
    last: Option<String>,
    phase: &'static str,
    phase_text: String,
    /// Asked too long ago to be approved.
    expired: bool,
    action: String,
}

#[derive(Template)]
#[template(path = "gate/place.html")]
struct Show {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    path: String,
    /// Where a code is checked without a scanner.
    check: String,
    day: String,
    tiles: Vec<(String, String)>,
    bars: Vec<Bar>,
    bars_text: String,
    hours: Vec<(String, String)>,
    /// How many entries have no hour, in words.
    late: Option<String>,
    /// Entries of no device that stands in the list, with what they are.
    others: Vec<(String, i64)>,
    pager: Pager,
    waiting: Vec<Line>,
    devices: Vec<Line>,
    code: String,
    sensitive: bool,
    closed: Option<String>,
    /// From when on a closed place can be removed; nothing once it can.
    kept_until: Option<String>,
    errors: Vec<(String, String)>,
    name: Field,
    stale_hours: Field,
    printed: Check,
    pass_rules: Choice,
    full_name: Check,
    stale_passes: Check,
}

/// What the page is drawn from.
struct Facts {
    place: PlaceRow,
    devices: Vec<DeviceRow>,
    counts: DayCounts,
    date: Date,
    today: Date,
    now: Instant,
}

/// The height of the picture's tallest bar.
const BAR_MAX: u64 = 60;

fn bars(counts: &DayCounts) -> Vec<Bar> {
    let last = counts.hours.iter().map(|it| it.hour).max().unwrap_or(0).max(23);
    let tallest = (0..=last).map(|hour| counts.at_hour(hour)).max().unwrap_or(0).max(1);
    (0..=last)
        .map(|hour| {
            let count = counts.at_hour(hour);
            // A single entry must be seen beside a thousand.
            let height = (count * BAR_MAX / tallest).max(u64::from(count > 0));
            Bar {
                x: hour * 10 + 1,
                y: BAR_MAX - height,
                height,
                label: (hour % 3 == 0).then_some(hour),
            }
        })
        .collect()
}

fn number(count: u64) -> String {
    web::texts::grouped(&count.to_string())
}

fn line(frame: &Frame, place: Id<PlaceId>, it: &DeviceRow, facts: &Facts) -> Line {
    let counted = facts.counts.devices.iter().find(|counted| counted.device == it.device);
    Line {
        label: it.label.clone(),
        pairing: pairing_digits(it.device, &it.public_key),
        asked: frame.minute(&it.asked_at),
        entries: counted.map_or(0, |it| i64::try_from(it.count).unwrap_or(i64::MAX)),
        last: counted.and_then(|it| it.last.map(|at| frame.minute(&at))),
        phase: it.phase.word(),
        phase_text: frame.t(it.phase.text_key()),
        expired: it.asked_at.plus_seconds(ENROLMENT_HOURS * 3_600) <= facts.now,
        action: format!("/desk/places/{place}/devices/{}", it.device),
    }
}

/// Entries of no device in the list: typed at the desk, or by devices that were removed since.
fn others(frame: &Frame, facts: &Facts) -> Vec<(String, i64)> {
    let desk = door::desk_of(facts.place.place);
    let is_listed = |it: &&DeviceCount| facts.devices.iter().any(|row| row.device == it.device);
    let (mut typed, mut removed) = (0_u64, 0_u64);
    for it in facts.counts.devices.iter().filter(|it| !is_listed(it)) {
        *(if it.device == desk { &mut typed } else { &mut removed }) += it.count;
    }
    let counts = [("gate-devices-desk", typed), ("gate-devices-removed", removed)];
    let counts = counts.into_iter().filter(|it| 0 < it.1);
    counts.map(|(key, it)| (frame.t(key), i64::try_from(it).unwrap_or(i64::MAX))).collect()
}

/// The values of the form for name and rules.
#[derive(Debug, Clone, Default, Deserialize)]
struct RulesForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    stale_hours: String,
    #[serde(default)]
    printed: Option<String>,
    #[serde(default)]
    pass_rules: String,
    #[serde(default)]
    full_name: Option<String>,
    #[serde(default)]
    stale_passes: Option<String>,
}

impl RulesForm {
    fn of(place: &PlaceRow) -> Self {
        Self {
            name: place.name.clone(),
            stale_hours: place.policy.stale_hours.to_string(),
            printed: place.policy.printed_allowed.then(|| "yes".to_owned()),
            pass_rules: place.policy.demand.rules.word().to_owned(),
            full_name: place.policy.demand.full_name.then(|| "yes".to_owned()),
            stale_passes: place.policy.demand.stale_passes.then(|| "yes".to_owned()),
        }
    }
}

fn page(
    frame: Frame,
    facts: &Facts,
    form: &RulesForm,
    name_error: Option<String>,
    hours_error: Option<String>,
) -> Show {
    let place = &facts.place;
    let counts = &facts.counts;
    let path = format!("/desk/places/{}", place.place);
    let total: u64 = Verdict::ALL.iter().map(|it| counts.total(*it)).sum();
    let tile = |key: &str, count: u64| (frame.t(key), number(count));
    let tiles = vec![
        tile("gate-count-all", total),
        tile("gate-count-pass", counts.total(Verdict::Pass)),
        tile("gate-count-no-pass", counts.total(Verdict::NoPass)),
        tile("gate-count-cannot-tell", counts.total(Verdict::CannotTell)),
    ];
    let bars = bars(counts);
    let last_hour = u32::try_from(bars.len()).unwrap_or(24);
    let hours = (0..last_hour)
        .filter(|hour| counts.at_hour(*hour) > 0)
        .map(|hour| (format!("{hour:02}:00"), number(counts.at_hour(hour))))
        .collect();
    let day_link = |date: Date| format!("{path}?day={date}");
    let oldest = oldest(facts.today);
    let late = i64::try_from(counts.late()).unwrap_or(i64::MAX);
    let removable_at = place.closed_at.map(|it| it.plus_days(i64::from(ENTRY_DAYS) + 1));
    let pager = Pager {
        previous: (oldest < facts.date).then(|| day_link(facts.date.plus_days(-1))),
        next: (facts.date < facts.today).then(|| day_link(facts.date.plus_days(1))),
        label: facts.date.to_string(),
    };
    let lines = |wanted: &[DevicePhase]| -> Vec<Line> {
        let rows = facts.devices.iter().filter(|it| wanted.contains(&it.phase));
        rows.map(|it| line(&frame, place.place, it, facts)).collect()
    };
    let mut errors = Vec::new();
    for (name, error) in [("name", &name_error), ("stale_hours", &hours_error)] {
        errors.extend(error.clone().map(|it| (name.to_owned(), it)));
    }
    let name = Field::text("name", frame.t("gate-open-name")).with(&form.name).error(name_error);
    let stale_hours = Field::text("stale_hours", frame.t("gate-rules-stale"))
        .hint(frame.t("gate-rules-stale-hint"))
        .with(&form.stale_hours)
        .error(hours_error);
    let stale_hours = Field { kind: "number", inputmode: Some("numeric"), ..stale_hours };
    let check = |name: &str, key: &str, typed: &Option<String>| Check {
        name: name.to_owned(),
        label: frame.t(key),
        hint: Some(frame.t(&format!("{key}-hint"))),
        value: "yes".to_owned(),
        checked: typed.is_some(),
        ..Check::default()
    };
    let printed = check("printed", "gate-rules-printed", &form.printed);
    let full_name = check("full_name", "gate-rules-full-name", &form.full_name);
    let stale_passes = check("stale_passes", "gate-rules-stale-passes", &form.stale_passes);
    let rules = |it: PassRules| {
        let key = format!("gate-pass-rules-{}", it.word().replace('_', "-"));
        Opt::new(it.word(), frame.t(&key), &form.pass_rules)
    };
    let pass_rules = Choice {
        name: "pass_rules".to_owned(),
        label: frame.t("gate-rules-passes"),
        hint: Some(frame.t("gate-rules-passes-hint")),
        options: PassRules::ALL.map(rules).into(),
        ..Choice::default()
    };
    Show {
        crumbs: vec![
            ("/desk".to_owned(), frame.t("gate-crumb-desk")),
            ("/desk/places".to_owned(), frame.t("gate-places-title")),
        ],
        check: format!("/gate/check/{}", place.place),
        day: facts.date.to_string(),
        tiles,
        bars_text: frame.tf(
            "gate-bars",
            &[("day", Arg::Text(facts.date.to_string())), ("n", Arg::Text(number(total)))],
        ),
        bars,
        hours,
        late: (0 < late).then(|| frame.tn("gate-entries-late", "n", &late)),
        others: others(&frame, facts),
        pager,
        waiting: lines(&[DevicePhase::Waiting]),
        devices: lines(&[DevicePhase::Approved, DevicePhase::Refused, DevicePhase::Withdrawn]),
        code: place.code.clone(),
        sensitive: place.sensitive,
        closed: place.closed_at.map(|it| frame.minute(&it)),
        kept_until: removable_at.filter(|it| facts.now < *it).map(|it| frame.minute(&it)),
        errors,
        name,
        stale_hours,
        printed,
        pass_rules,
        full_name,
        stale_passes,
        path,
        frame: frame.titled(place.name.clone()),
    }
}

/// The oldest date that may have entries: the keys of [`ENTRY_DAYS`] whole days live.
fn oldest(today: Date) -> Date {
    today.plus_days(-i32::try_from(ENTRY_DAYS).unwrap_or_default())
}

async fn facts(app: &App, place: PlaceRow, date: Option<Date>) -> Result<Facts, Problem> {
    let zone: Zone = app.config.zone.clone();
    let now = app.now();
    let today = zone.date(now);
    let date = date.unwrap_or(today).clamp(oldest(today), today);
    let (id, window) = (place.place, Window::of(date, today, &zone));
    let (devices, counts) = app
        .read(move |reader| {
            Ok((view::devices_of(reader, id)?, count::of_day(reader, id, &window)?))
        })
        .await?;
    Ok(Facts { place, devices, counts, date, today, now })
}

#[derive(Debug, Deserialize)]
struct ShowQuery {
    day: Option<Date>,
}

async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
    Query(query): Query<ShowQuery>,
) -> Result<Page<Show>, Problem> {
    let row = rights::own_place(&app, &actor, place).await?;
    let form = RulesForm::of(&row);
    let facts = facts(&app, row, query.day).await?;
    let frame = Frame::new(&app, &actor, "gate-place-title");
    Ok(Page(page(frame, &facts, &form, None, None)))
}

async fn set_rules(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
    Form(form): Form<RulesForm>,
) -> Result<Response, Problem> {
    let row = rights::own_place(&app, &actor, place).await?;
    let rules = PlaceCommand::SetPolicy {
        printed_allowed: form.printed.is_some(),
        // What is no number is out of range, and said so by the same rule.
        stale_hours: form.stale_hours.trim().parse().unwrap_or(0),
    };
    let rename = PlaceCommand::Rename { name: form.name.clone() };
    // What is not in the form stays as it is.
    let demand = Demand {
        rules: PassRules::from_word(&form.pass_rules).unwrap_or(row.policy.demand.rules),
        full_name: form.full_name.is_some(),
        stale_passes: form.stale_passes.is_some(),
    };
    let demand = PlaceCommand::SetDemand { demand };
    for (part, command) in [("rules", rules), ("name", rename), ("demand", demand)] {
        let Err(problem) = app.execute::<Place>(actor.context_for(part), place, command).await
        else {
            continue;
        };
        let text = app.texts.format(actor.locale, problem.code, &problem.args);
        let (name, hours) = match problem.code {
            "gate-name-invalid" => (Some(text), None),
            "gate-policy-invalid" => (None, Some(text)),
            _ => return Err(problem),
        };
        let facts = facts(&app, row, None).await?;
        let frame = Frame::new(&app, &actor, "gate-place-title");
        return Ok(unprocessable(page(frame, &facts, &form, name, hours)));
    }
    Ok(See::other(format!("/desk/places/{place}")).notice("gate-done-rules").into_response())
}

async fn close(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    rights::own_place(&app, &actor, place).await?;
    door::by_staff(&app, &actor, move |tx, context, by| door::close(tx, context, place, by))
        .await?;
    Ok(See::other("/desk/places").notice("gate-done-closed"))
}

async fn remove(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    rights::own_place(&app, &actor, place).await?;
    door::by_staff(&app, &actor, move |tx, context, by| door::remove_place(tx, context, place, by))
        .await?;
    Ok(See::other("/desk/places").notice("gate-done-place-removed"))
}

/// Answers a device, after the place and the device's belonging to it were checked.
async fn answer(
    app: &App,
    actor: &Actor,
    (place, device): (Id<PlaceId>, Id<DeviceId>),
    command: DeviceCommand,
    notice: &'static str,
) -> Result<See, Problem> {
    rights::own_device(app, actor, place, device).await?;
    app.execute::<Device>(actor.context(), device, command).await?;
    Ok(See::other(format!("/desk/places/{place}")).notice(notice))
}

async fn approve(
    State(app): State<App>,
    actor: Actor,
    Path(ids): Path<(Id<PlaceId>, Id<DeviceId>)>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    let command = DeviceCommand::Approve { by: actor.staff()? };
    answer(&app, &actor, ids, command, "gate-done-approved").await
}

async fn refuse(
    State(app): State<App>,
    actor: Actor,
    Path(ids): Path<(Id<PlaceId>, Id<DeviceId>)>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    let command = DeviceCommand::Refuse { by: actor.staff()? };
    answer(&app, &actor, ids, command, "gate-done-refused").await
}

async fn withdraw(
    State(app): State<App>,
    actor: Actor,
    Path(ids): Path<(Id<PlaceId>, Id<DeviceId>)>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    let command = DeviceCommand::Withdraw { by: actor.staff()? };
    answer(&app, &actor, ids, command, "gate-done-withdrawn").await
}

async fn remove_device(
    State(app): State<App>,
    actor: Actor,
    Path((place, device)): Path<(Id<PlaceId>, Id<DeviceId>)>,
    Form(Empty {}): Form<Empty>,
) -> Result<See, Problem> {
    rights::own_device(&app, &actor, place, device).await?;
    door::by_staff(&app, &actor, move |tx, context, by| {
        door::remove_device(tx, context, device, by)
    })
    .await?;
    Ok(See::other(format!("/desk/places/{place}")).notice("gate-done-device-removed"))
}

/// The sheet for the door, in all three languages at once.
#[derive(Template)]
#[template(path = "gate/sheet.html")]
struct Sheet {
    frame: Frame,
    place: String,
    printed_allowed: bool,
    back: String,
}

async fn sheet(
    State(app): State<App>,
    actor: Actor,
    Path(place): Path<Id<PlaceId>>,
) -> Result<Page<Sheet>, Problem> {
    let row = rights::own_place(&app, &actor, place).await?;
    Ok(Page(Sheet {
        frame: Frame::new(&app, &actor, "gate-sheet-title"),
        place: row.name,
        printed_allowed: row.policy.printed_allowed,
        back: format!("/desk/places/{place}"),
    }))
}

/// A place as the samples of several pages show it.
pub(super) fn sample_place(name: &str, closed: bool) -> PlaceRow {
    let at = Instant::from_seconds(1_790_000_000);
    PlaceRow {
        place: Id::from_u128(1),
        organisation: Id::from_u128(1),
        kind: PlaceKind::Shop,
        sensitive: closed,
        code: "7K3M-9QXR-W2ET".to_owned(),
        name: name.to_owned(),
        policy: PlacePolicy::default(),
        opened_at: at,
        closed_at: closed.then_some(at),
    }
}

fn sample_facts(with_entries: bool, closed: bool) -> Facts {
    let now = Instant::from_seconds(1_790_000_000);
    let date = Zone::utc().date(now);
    let device = |number: u128, phase| DeviceRow {
        device: Id::from_u128(number),
        place: Id::from_u128(1),
        phase,
        label: "정문 1".to_owned(),
        public_key: PublicKey::default(),
        asked_at: now,
        decided_at: None,
    };
    let devices = if with_entries {
        let phases = [
            DevicePhase::Waiting,
            DevicePhase::Approved,
            DevicePhase::Refused,
            DevicePhase::Withdrawn,
        ];
        (1..).zip(phases).map(|(number, phase)| device(number, phase)).collect()
    } else {
        Vec::new()
    };
    let hours =
        [(9, Verdict::Pass, 1_240), (10, Verdict::NoPass, 2), (18, Verdict::CannotTell, 31)];
    let hours = hours.map(|(hour, verdict, count)| HourCount { hour, verdict, count });
    let counts = if with_entries {
        let device =
            |number, count| DeviceCount { device: Id::from_u128(number), count, last: Some(now) };
        DayCounts {
            hours: hours.to_vec(),
            late: vec![(Verdict::Pass, 3)],
            devices: vec![device(2, 1_271), device(1, 2), device(77, 3)],
        }
    } else {
        DayCounts::default()
    };
    let place = PlaceRow { sensitive: with_entries, ..sample_place("해태 시장", closed) };
    Facts { place, devices, counts, date, today: date, now }
}

pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample {
            name: "gate/place",
            render: |locale| {
                let facts = sample_facts(true, false);
                let form = RulesForm::of(&facts.place);
                page(web::sample_frame(locale), &facts, &form, None, None).render()
            },
        },
        Sample {
            name: "gate/place-empty",
            render: |locale| {
                let facts = sample_facts(false, false);
                let frame = web::sample_frame(locale);
                let error = frame.tf("gate-policy-invalid", &[("max", Arg::Number(168))]);
                page(frame, &facts, &RulesForm::default(), None, Some(error)).render()
            },
        },
        Sample {
            name: "gate/place-closed",
            render: |locale| {
                let facts = sample_facts(false, true);
                let form = RulesForm::of(&facts.place);
                page(web::sample_frame(locale), &facts, &form, None, None).render()
            },
        },
        Sample {
            name: "gate/sheet",
            render: |locale| {
                let frame = web::sample_frame(locale);
                let (place, back) = ("해태 시장".to_owned(), "/desk/places".to_owned());
                Sheet { frame, place, printed_allowed: true, back }.render()
            },
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tallest_bar_fills_the_picture_and_a_single_entry_is_seen() {
        let counts = sample_facts(true, false).counts;
        let bars = bars(&counts);
        assert_eq!(bars.len(), 24);
        assert_eq!((bars[9].height, bars[9].y), (BAR_MAX, 0));
        assert_eq!(bars[10].height, 1);
        assert_eq!(bars[11].height, 0);
    }

    #[test]
    fn a_day_without_entries_has_a_picture_too() {
        let bars = bars(&DayCounts::default());
        assert!(bars.iter().all(|it| it.height == 0 && it.y == BAR_MAX));
    }

    #[test]
    fn a_day_of_25_hours_has_25_bars() {
        let hours = vec![HourCount { hour: 24, verdict: Verdict::Pass, count: 3 }];
        assert_eq!(bars(&DayCounts { hours, ..DayCounts::default() }).len(), 25);
    }
}
