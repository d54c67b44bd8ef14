//! The officers' desk: what waits, the most overdue appeal first; orders for a second pair of eyes.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contracts::person::{Person, Staff};
use kernel::{Id, Instant, Locale};
use serde::Deserialize;
use store::Reader;
use web::ui::{Check, Choice, Field, Opt};
use web::{Actor, App, Form, Frame, Page, Path, Problem, See, sample_frame, unprocessable};

use super::{colour_key, execute_and_tell};
use crate::api::{officer, purpose};
use crate::command::Ask;
use crate::model::{Appeal, Basis, HeldAppeal, HeldOrder, Order, Outcome, Stage};
use crate::refusal::Refusal;
use crate::view::{self, OpenAppeal, WaitingOrder};

/// Rows of each queue on the page.
const ROWS: u32 = 100;

struct OrderRow {
    href: String,
    at: String,
    by: String,
    /// One's own proposal: another officer must confirm it.
    own: bool,
}

struct AppealRow {
    href: String,
    due: String,
    overdue: bool,
}

#[derive(Template)]
#[template(path = "code/desk.html")]
pub(crate) struct Desk {
    frame: Frame,
    errors: Vec<(String, String)>,
    find: Field,
    orders: Vec<OrderRow>,
    appeals: Vec<AppealRow>,
}

type Queues = (Vec<(WaitingOrder, Option<String>)>, Vec<OpenAppeal>);

fn queues(
    reader: &mut Reader<'_>,
    label: fn(&mut Reader<'_>, Id<Staff>) -> Result<Option<String>, store::Fault>,
) -> Result<Queues, store::Fault> {
    let mut orders = Vec::new();
    for it in view::waiting_orders(reader, ROWS)? {
        let by = label(reader, it.proposed_by)?;
        orders.push((it, by));
    }
    Ok((orders, view::open_appeals(reader, ROWS)?))
}

fn page(
    frame: Frame,
    (orders, appeals): Queues,
    me: Id<Staff>,
    now: Instant,
    find: (&str, Option<String>),
) -> Desk {
    let order = |(it, by): (WaitingOrder, Option<String>)| OrderRow {
        href: format!("/desk/code/orders/{}", it.order),
        at: frame.minute(&it.at),
        by: by.unwrap_or_else(|| it.proposed_by.to_string()),
        own: it.proposed_by == me,
    };
    let appeal = |it: OpenAppeal| AppealRow {
        href: format!("/desk/code/appeals/{}", it.appeal),
        due: frame.minute(&it.due_at),
        overdue: it.due_at <= now,
    };
    let (typed, mistake) = find;
    let field = Field::text("who", frame.t("code-desk-find"));
    Desk {
        errors: mistake.iter().map(|it| ("who".to_owned(), it.clone())).collect(),
        find: Field { maxlength: Some(60), ..field }
            .hint(frame.t("code-desk-find-hint"))
            .with(typed)
            .error(mistake),
        orders: orders.into_iter().map(order).collect(),
        appeals: appeals.into_iter().map(appeal).collect(),
        frame,
    }
}

/// The desk.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Desk>, Problem> {
    let (me, label, now) = (officer(&actor)?, app.questions.staff_label, app.now());
    let queues = app.read(move |it| queues(it, label)).await?;
    Ok(Page(page(Frame::new(&app, &actor, "code-desk-title"), queues, me, now, ("", None))))
}

#[derive(Deserialize)]
pub(crate) struct FindForm {
    who: String,
}

/// Finds a person by phone number or id. Nothing of them is shown before a reason is given.
pub(crate) async fn find(
    State(app): State<App>,
    actor: Actor,
    Form(form): Form<FindForm>,
) -> Result<Response, Problem> {
    let me = officer(&actor)?;
    let (by_phone, who) = (app.questions.person_by_phone, form.who.trim().to_owned());
    let person = match (who.parse::<Id<Person>>(), web::phone::normal(&who)) {
        (Ok(person), _) => Some(person),
        (_, Some(phone)) => app.read(move |it| by_phone(it, &phone)).await?,
        _ => None,
    };
    if let Some(person) = person {
        return Ok(See::other(format!("/desk/code/people/{person}")).into_response());
    }
    let (label, now) = (app.questions.staff_label, app.now());
    let queues = app.read(move |it| queues(it, label)).await?;
    let frame = Frame::new(&app, &actor, "code-desk-title");
    let mistake = Some(frame.t("code-desk-not-found"));
    Ok(unprocessable(page(frame, queues, me, now, (&form.who, mistake))))
}

#[derive(Template)]
#[template(path = "code/order.html")]
pub(crate) struct OrderPage {
    frame: Frame,
    action: String,
    facts: Vec<(String, String)>,
    own: bool,
    waits: bool,
    in_force: bool,
}

fn order_page(
    frame: Frame,
    it: &HeldOrder,
    who: String,
    by: String,
    me: Id<Staff>,
    now: Instant,
) -> OrderPage {
    let reason = frame.t(&format!("code-order-reason-{}", it.reason.word().replace('_', "-")));
    let facts = [
        ("code-order-who", who),
        ("code-order-colour", frame.t(colour_key(it.colour))),
        ("code-order-until", frame.minute(&it.until)),
        ("code-order-reason", reason),
        ("code-order-number", it.number.clone()),
        ("code-order-by", by),
    ];
    OrderPage {
        action: format!("/desk/code/orders/{}", it.order),
        facts: facts
            .into_iter()
            .map(|(key, value)| (frame.t(&format!("{key}-label")), value))
            .collect(),
        own: it.proposed_by == me,
        waits: it.stage == Stage::Proposed,
        in_force: it.stage == Stage::Confirmed && now < it.until,
        frame,
    }
}

async fn person_of_order(app: &App, order: Id<Order>) -> Result<Id<Person>, Problem> {
    let person = app.read(move |it| view::person_of_order(it, order)).await?;
    person.ok_or_else(|| Problem::refused(&Refusal::OrderUnknown))
}

/// An order, for its second officer. Looking at it stands in the access log.
pub(crate) async fn order(
    State(app): State<App>,
    actor: Actor,
    Path(order): Path<Id<Order>>,
) -> Result<Page<OrderPage>, Problem> {
    let me = officer(&actor)?;
    let person = person_of_order(&app, order).await?;
    let (label, staff, now) = (app.questions.person_label, app.questions.staff_label, app.now());
    let why = purpose("order", &order.to_string());
    let read = app.read_record(&actor, person.to_u128(), "code.order", why, move |it| {
        let (holder, ..) = view::standing(it, person, now)?;
        let by = match holder.order(order) {
            Some(held) => staff(it, held.proposed_by)?,
            None => None,
        };
        Ok((holder, label(it, person)?, by))
    });
    let (holder, who, by) = read.await?;
    let held = holder.order(order).ok_or_else(|| Problem::refused(&Refusal::OrderUnknown))?;
    let by = by.unwrap_or_else(|| held.proposed_by.to_string());
    let who = who.unwrap_or_else(|| person.to_string());
    let frame = Frame::new(&app, &actor, "code-order-title");
    Ok(Page(order_page(frame, held, who, by, me, now)))
}

#[derive(Deserialize)]
pub(crate) struct OrderForm {
    verdict: String,
}

/// Confirms, rejects or withdraws an order; the person is told of what takes effect.
pub(crate) async fn decide_order(
    State(app): State<App>,
    actor: Actor,
    Path(order): Path<Id<Order>>,
    Form(form): Form<OrderForm>,
) -> Result<See, Problem> {
    let officer = officer(&actor)?;
    let person = person_of_order(&app, order).await?;
    let context = actor.context();
    match form.verdict.as_str() {
        "confirm" => {
            execute_and_tell(&app, context, person, Ask::ConfirmOrder { order, officer }).await?;
        }
        "withdraw" => {
            execute_and_tell(&app, context, person, Ask::WithdrawOrder { order, officer }).await?;
        }
        "reject" => {
            let ask = Ask::RejectOrder { order, officer };
            crate::door::execute(&app, context, person, ask).await?;
        }
        _ => return Err(Problem::form_invalid()),
    }
    Ok(See::other("/desk/code").notice("code-desk-done"))
}

#[derive(Template)]
#[template(path = "code/desk_appeal.html")]
pub(crate) struct AppealPage {
    frame: Frame,
    action: String,
    facts: Vec<(String, String)>,
    text: String,
    answered: Option<String>,
    errors: Vec<(String, String)>,
    outcome: Choice,
    set_aside: Vec<Check>,
    answer: Field,
}

fn appeal_page(
    frame: Frame,
    it: &HeldAppeal,
    about: String,
    typed: &str,
    mistake: Option<String>,
) -> AppealPage {
    let option = |outcome: &Outcome| {
        let label = frame.t(&format!("code-outcome-{}", outcome.word()));
        Opt::new(outcome.word(), label, "")
    };
    let check = |basis: &Basis| Check {
        name: format!("aside_{}", basis.word()),
        label: frame.t(&format!("code-aside-{}", basis.word())),
        value: "1".to_owned(),
        ..Check::default()
    };
    let field = Field::text("text", frame.t("code-answer-text"));
    AppealPage {
        action: format!("/desk/code/appeals/{}", it.appeal),
        facts: vec![
            (frame.t("code-appeal-due-label"), frame.minute(&it.due_at)),
            (frame.t("code-order-who-label"), about),
        ],
        text: it.text.clone(),
        answered: it.answer.as_ref().map(|(outcome, text, _)| {
            format!("{} {text}", frame.t(&format!("code-told-{}", outcome.word())))
        }),
        errors: mistake.iter().map(|it| ("text".to_owned(), it.clone())).collect(),
        outcome: Choice {
            name: "outcome".to_owned(),
            label: frame.t("code-outcome"),
            options: Outcome::ALL.iter().map(option).collect(),
            required: true,
            ..Choice::default()
        },
        set_aside: Basis::ALL.iter().map(check).collect(),
        answer: Field { maxlength: Some(2_000), ..field }.with(typed).error(mistake),
        frame,
    }
}

async fn read_appeal(
    app: &App,
    actor: &Actor,
    appeal: Id<Appeal>,
) -> Result<(Id<Person>, HeldAppeal, String), Problem> {
    officer(actor)?;
    let unknown = || Problem::refused(&Refusal::AppealUnknown);
    let person = app.read(move |it| view::person_of_appeal(it, appeal)).await?;
    let person = person.ok_or_else(unknown)?;
    let (label, now) = (app.questions.person_label, app.now());
    let why = purpose("appeal", &appeal.to_string());
    let read = app.read_record(actor, person.to_u128(), "code.appeal", why, move |it| {
        Ok((view::standing(it, person, now)?.0, label(it, person)?))
    });
    let (holder, who) = read.await?;
    let held = holder.appeal(appeal).cloned().ok_or_else(unknown)?;
    Ok((person, held, who.unwrap_or_else(|| person.to_string())))
}

/// An appeal. Looking at it stands in the access log.
pub(crate) async fn appeal(
    State(app): State<App>,
    actor: Actor,
    Path(appeal): Path<Id<Appeal>>,
) -> Result<Page<AppealPage>, Problem> {
    let (_, held, who) = read_appeal(&app, &actor, appeal).await?;
    let frame = Frame::new(&app, &actor, "code-desk-appeal-title");
    Ok(Page(appeal_page(frame, &held, who, "", None)))
}

#[derive(Deserialize)]
pub(crate) struct AnswerForm {
    #[serde(default)]
    outcome: String,
    text: String,
    aside_order: Option<String>,
    aside_test: Option<String>,
    aside_exposure: Option<String>,
    aside_declaration: Option<String>,
}

/// Answers an appeal; the person is told.
pub(crate) async fn answer_appeal(
    State(app): State<App>,
    actor: Actor,
    Path(appeal): Path<Id<Appeal>>,
    Form(form): Form<AnswerForm>,
) -> Result<Response, Problem> {
    let officer = officer(&actor)?;
    let (person, held, who) = read_appeal(&app, &actor, appeal).await?;
    let ticked = [
        (Basis::Order, form.aside_order),
        (Basis::Test, form.aside_test),
        (Basis::Exposure, form.aside_exposure),
        (Basis::Declaration, form.aside_declaration),
    ];
    let set_aside = ticked.into_iter().filter(|it| it.1.is_some()).map(|it| it.0).collect();
    let Some(outcome) = Outcome::from_word(&form.outcome) else {
        let frame = Frame::new(&app, &actor, "code-desk-appeal-title");
        let mistake = Some(frame.t("code-outcome-missing"));
        return Ok(unprocessable(appeal_page(frame, &held, who, &form.text, mistake)));
    };
    let text = form.text.clone();
    let ask = Ask::AnswerAppeal { appeal, outcome, text, set_aside, officer };
    match execute_and_tell(&app, actor.context(), person, ask).await {
        Ok(()) => Ok(See::other("/desk/code").notice("code-desk-done").into_response()),
        Err(problem) if problem.code == "code-text-invalid" => {
            let frame = Frame::new(&app, &actor, "code-desk-appeal-title");
            let mistake = Some(frame.t(problem.code));
            Ok(unprocessable(appeal_page(frame, &held, who, &form.text, mistake)))
        }
        Err(problem) => Err(problem),
    }
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_795_330_800);
    let order = WaitingOrder {
        order: Id::from_u128(1),
        person: Id::from_u128(2),
        proposed_by: Id::from_u128(3),
        at: now,
    };
    let appeal = OpenAppeal { appeal: Id::from_u128(4), person: Id::from_u128(2), due_at: now };
    let queues = (vec![(order, Some("김보건".to_owned()))], vec![appeal]);
    page(sample_frame(locale), queues, Id::from_u128(9), now, ("", None)).render()
}

pub(crate) fn sample_empty(locale: Locale) -> Result<String, askama::Error> {
    let queues = (Vec::new(), Vec::new());
    page(sample_frame(locale), queues, Id::from_u128(9), Instant::default(), ("", None)).render()
}

pub(crate) fn sample_order(locale: Locale) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_795_330_800);
    let it = HeldOrder {
        order: Id::from_u128(1),
        colour: contracts::code::Colour::Red,
        until: now.plus_days(3),
        reason: crate::model::OrderReason::SuspectedCase,
        number: "강남보건-2026-0113".to_owned(),
        proposed_by: Id::from_u128(3),
        confirmed_by: None,
        stage: Stage::Proposed,
    };
    let (who, by) = ("홍길동".to_owned(), "김보건".to_owned());
    order_page(sample_frame(locale), &it, who, by, Id::from_u128(9), now).render()
}

pub(crate) fn sample_appeal(locale: Locale) -> Result<String, askama::Error> {
    let it = HeldAppeal {
        appeal: Id::from_u128(4),
        decision: Id::from_u128(5),
        text: "기침은 알레르기 때문입니다.".to_owned(),
        due_at: Instant::from_seconds(1_795_386_400),
        answer: None,
    };
    appeal_page(sample_frame(locale), &it, "홍길동".to_owned(), "", None).render()
}
