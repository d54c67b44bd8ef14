//! One pass that was issued here, for the staff of who issued it: what was attested, and whether it is
//! still good. An administrator of the region sees when, by whom and whether, not what.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::{Role, Scope};
use kernel::{Arg, Date, Id, Instant, Locale};
use serde::Deserialize;
use web::ui::{Choice, Field, Opt};
use web::{
    Actor, App, Form, Frame, Page, Path, Problem, Purpose, See, sample_frame, unprocessable,
};

use super::refused;
use crate::decide::WHY_MAX;
use crate::door::{self, Judge};
use crate::jobs;
use crate::model::{Card, Issued, Standing};
use crate::refusal::Refusal;
use crate::statement::{Named, Statement, vaccine_of};
use crate::view::{self, IssuedRow};

#[derive(Template)]
#[template(path = "pass/issued.html")]
pub(crate) struct Show {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    action: String,
    colour: &'static str,
    word: String,
    facts: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    /// What can be done with it; nothing once it is revoked.
    standing: Option<Choice>,
    why: Field,
}

/// The shape and colour of a standing: what is suspended is to be checked.
pub(super) fn colour(standing: Standing, expires_at: Instant, now: Instant) -> &'static str {
    match standing {
        Standing::Revoked => "red",
        Standing::Suspended => "yellow",
        Standing::Valid if expires_at <= now => "unknown",
        Standing::Valid => "green",
    }
}

pub(super) fn standing_text(
    frame: &Frame,
    standing: Standing,
    expires_at: Instant,
    now: Instant,
) -> String {
    match standing {
        Standing::Valid if expires_at <= now => frame.t("pass-standing-over"),
        standing => frame.t(&format!("pass-standing-{}", standing.word())),
    }
}

/// Why a pass is not good, or is again, and when that was said.
pub(super) fn why_text(frame: &Frame, it: &Issued) -> Option<String> {
    let (by, at) = it.set?;
    let why = if by.is_some() { it.why.clone() } else { frame.t("pass-standing-key") };
    Some(format!("{why} ({})", frame.minute(&at)))
}

/// Whose pass it is, as facts.
pub(super) fn named_facts(frame: &Frame, it: &Named) -> Vec<(String, String)> {
    vec![
        (frame.t("pass-whose-name"), format!("{} {}", it.surname, it.given)),
        (frame.t("pass-whose-latin"), format!("{} {}", it.surname_latin, it.given_latin)),
        (frame.t("pass-whose-birth"), it.birth.to_string()),
    ]
}

/// What is attested, as facts.
pub(super) fn statement_facts(frame: &Frame, it: &Statement) -> Vec<(String, String)> {
    let span = |from: &Date, until: &Date| {
        [
            (frame.t("pass-said-from"), from.to_string()),
            (frame.t("pass-said-until"), until.to_string()),
        ]
    };
    match it {
        Statement::Vaccination { vaccine, dose, of_doses, day } => {
            let name = vaccine_of(vaccine).map_or(vaccine.as_str(), |it| it.name);
            let count = [("one", i64::from(*dose)), ("all", i64::from(*of_doses))];
            let count = count.map(|(name, number)| (name, Arg::Number(number)));
            vec![
                (frame.t("pass-said-product"), name.to_owned()),
                (frame.t("pass-said-dose"), frame.tf("pass-said-of", &count)),
                (frame.t("pass-said-date"), day.to_string()),
            ]
        }
        Statement::Test { test, device, detected, sampled_at } => {
            let result = if *detected { "pass-result-positive" } else { "pass-result-negative" };
            let kind = frame.t(&format!("pass-test-{}", test.word()));
            let mut facts = vec![
                (frame.t("pass-said-test"), kind),
                (frame.t("pass-said-result"), frame.t(result)),
                (frame.t("pass-said-sampled"), frame.minute(sampled_at)),
            ];
            facts.extend(device.clone().map(|it| (frame.t("pass-issue-field-device"), it)));
            facts
        }
        Statement::Recovery { first_positive, from, until } => {
            let first = (frame.t("pass-said-positive"), first_positive.to_string());
            std::iter::once(first).chain(span(from, until)).collect()
        }
        Statement::Exemption { because, from, until } => {
            let class = frame.t(&format!("pass-because-{}", because.word()));
            let class = (frame.t("pass-issue-field-because"), class);
            std::iter::once(class).chain(span(from, until)).collect()
        }
    }
}

/// What an administrator sees in place of an [`Issued`].
struct Outline<'a> {
    issuer: &'a str,
    pass: Option<&'a Issued>,
}

fn page(
    frame: Frame,
    row: &IssuedRow,
    of: &Outline<'_>,
    now: Instant,
    (typed, mistake): (&StandingForm, Option<(&'static str, String)>),
) -> Show {
    let mut facts = Vec::new();
    if let Some(it) = of.pass {
        let kind = frame.t(&format!("pass-kind-{}", it.statement.kind().word()));
        facts.push((frame.t("pass-issued-what"), kind));
        facts.extend(named_facts(&frame, &it.named));
        facts.extend(statement_facts(&frame, &it.statement));
    }
    facts.push((frame.t("pass-said-issuer"), of.issuer.to_owned()));
    facts.push((frame.t("pass-issued-at"), frame.minute(&row.issued_at)));
    facts.push((frame.t("pass-issued-ends"), frame.minute(&row.expires_at)));
    if let Some(why) = of.pass.and_then(|it| why_text(&frame, it)) {
        facts.push((frame.t("pass-standing-why"), why));
    }
    let next: &[Standing] = match row.standing {
        Standing::Valid => &[Standing::Suspended, Standing::Revoked],
        Standing::Suspended => &[Standing::Valid, Standing::Revoked],
        Standing::Revoked => &[],
    };
    let next = if row.expires_at <= now { &[] } else { next };
    let option = |it: &Standing| {
        let label = frame.t(&format!("pass-standing-do-{}", it.word()));
        Opt::new(it.word(), label, &typed.standing)
    };
    let error = |name: &str| mistake.as_ref().filter(|it| it.0 == name).map(|it| it.1.clone());
    let why = Field::text("why", frame.t("pass-standing-why"))
        .hint(frame.t("pass-standing-why-hint"))
        .with(&typed.why)
        .error(error("why"));
    Show {
        crumbs: vec![
            ("/desk".to_owned(), frame.t("pass-crumb-desk")),
            ("/desk/passes/issue".to_owned(), frame.t("pass-issue-title")),
        ],
        action: format!("/desk/passes/issued/{}", row.card),
        colour: colour(row.standing, row.expires_at, now),
        word: standing_text(&frame, row.standing, row.expires_at, now),
        facts,
        errors: mistake.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
        standing: (!next.is_empty()).then(|| Choice {
            name: "standing".to_owned(),
            label: frame.t("pass-standing-choose"),
            options: next.iter().map(option).collect(),
            error: error("standing"),
            required: true,
            ..Choice::default()
        }),
        why: Field { maxlength: u32::try_from(WHY_MAX).ok(), ..why },
        frame,
    }
}

/// The pass, if the asker may see it, and whether all of it.
async fn found(app: &App, actor: &Actor, card: Id<Card>) -> Result<(IssuedRow, bool), Problem> {
    actor.staff()?;
    let row = app.read(move |it| view::issued(it, card)).await?;
    let row = row.ok_or_else(|| Problem::refused(&Refusal::IssueUnknown))?;
    let scope = [Scope::Organisation(row.organisation)];
    let whole = actor.has_in(Role::Issuer, &scope);
    // Whoever may not see it learns nothing of it, not even that it is there.
    if whole || actor.has_in(Role::Administrator, &[]) {
        Ok((row, whole))
    } else {
        Err(Problem::refused(&Refusal::IssueUnknown))
    }
}

async fn shown(
    app: &App,
    actor: &Actor,
    card: Id<Card>,
    typed: (&StandingForm, Option<(&'static str, String)>),
) -> Result<Show, Problem> {
    let (row, whole) = found(app, actor, card).await?;
    let person = row.person;
    let why = Purpose::from("issue");
    let read = app.read_record(actor, person.to_u128(), "pass.issued", why, move |it| {
        view::issues(it, person)
    });
    let all = read.await?;
    let pass = all.pass(card);
    let issuer = pass.map(|it| it.issuer.clone()).unwrap_or_default();
    let outline = Outline { issuer: &issuer, pass: pass.filter(|_| whole) };
    let frame = Frame::new(app, actor, "pass-issued-title");
    Ok(page(frame, &row, &outline, app.now(), typed))
}

/// The pass. Looking at it stands in the access log.
pub(crate) async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(card): Path<Id<Card>>,
) -> Result<Page<Show>, Problem> {
    Ok(Page(shown(&app, &actor, card, (&StandingForm::default(), None)).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StandingForm {
    standing: String,
    why: String,
}

/// Says that it is good no longer, or not for now, or again. The person is told.
pub(crate) async fn set(
    State(app): State<App>,
    actor: Actor,
    Path(card): Path<Id<Card>>,
    Form(form): Form<StandingForm>,
) -> Result<Response, Problem> {
    let by = actor.staff()?;
    let (row, _) = found(&app, &actor, card).await?;
    let Some(standing) = Standing::from_word(&form.standing) else {
        return again(&app, &actor, card, &form, &Refusal::StandingSame).await;
    };
    let message = jobs::message(&app, row.person, "pass-told-standing").await?;
    let why = form.why.clone();
    let judge = Judge { person: row.person, card, standing, why, by: Some(by), message };
    let context = actor.context();
    match app.write(move |tx| door::set_standing(tx, &context, &judge)).await? {
        Ok(()) => {
            let to = format!("/desk/passes/issued/{card}");
            Ok(See::other(to).notice("pass-standing-set").into_response())
        }
        Err(refusal) => again(&app, &actor, card, &form, &refusal).await,
    }
}

async fn again(
    app: &App,
    actor: &Actor,
    card: Id<Card>,
    form: &StandingForm,
    refusal: &Refusal,
) -> Result<Response, Problem> {
    let field = match refusal {
        Refusal::WhyInvalid => "why",
        Refusal::StandingSame | Refusal::SameOfficer => "standing",
        _ => return Err(Problem::refused(refusal)),
    };
    let mistake = Some((field, refused(app, actor, refusal)));
    Ok(unprocessable(shown(app, actor, card, (form, mistake)).await?))
}

pub(super) fn sample_rows(now: Instant) -> Vec<IssuedRow> {
    let row = |number: u128, standing, expires_at| IssuedRow {
        card: Id::from_u128(number),
        person: Id::from_u128(1),
        organisation: Id::from_u128(3),
        standing,
        issued_at: now.plus_days(-2),
        expires_at,
    };
    vec![
        row(1, Standing::Valid, now.plus_days(300)),
        row(2, Standing::Suspended, now.plus_days(300)),
        row(3, Standing::Revoked, now.plus_days(300)),
        row(4, Standing::Valid, now.plus_days(-1)),
    ]
}

pub(super) fn sample_said() -> (Named, Statement) {
    let day = |text: &str| text.parse().unwrap_or_else(|_| Date::from_days(0));
    let named = Named {
        surname: "홍".to_owned(),
        given: "길동".to_owned(),
        surname_latin: "Hong".to_owned(),
        given_latin: "Gildong".to_owned(),
        birth: day("1980-05-05"),
    };
    let statement = Statement::Vaccination {
        vaccine: "EU/1/20/1528".to_owned(),
        dose: 2,
        of_doses: 2,
        day: day("2026-11-20"),
    };
    (named, statement)
}

pub(super) fn sample_pass(number: u128, now: Instant) -> Option<Issued> {
    let row = sample_rows(now).into_iter().nth(usize::try_from(number).ok()?)?;
    let (named, statement) = sample_said();
    let set = (row.standing != Standing::Valid).then_some((Some(Id::from_u128(2)), now));
    Some(Issued {
        bound: Vec::new(),
        card: row.card,
        organisation: row.organisation,
        issuer: "해태 의원".to_owned(),
        by: Id::from_u128(2),
        named,
        statement,
        list: 1,
        place: 77,
        issued_at: row.issued_at,
        expires_at: row.expires_at,
        standing: row.standing,
        why: "다른 사람에게 발급함".to_owned(),
        set,
    })
}

fn sample_of(locale: Locale, number: u128, wrong: bool) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_795_316_400);
    let row = sample_rows(now).into_iter().find(|it| it.card.to_u128() == number + 1);
    let (row, pass) = row.zip(sample_pass(number, now)).ok_or(askama::Error::Fmt)?;
    let frame = sample_frame(locale);
    let mistake = wrong.then(|| ("why", frame.t("pass-why-invalid")));
    let outline = Outline { issuer: "해태 의원", pass: Some(&pass) };
    page(frame, &row, &outline, now, (&StandingForm::default(), mistake)).render()
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, 0, true)
}

pub(crate) fn sample_suspended(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, 1, false)
}

pub(crate) fn sample_revoked(locale: Locale) -> Result<String, askama::Error> {
    sample_of(locale, 2, false)
}
