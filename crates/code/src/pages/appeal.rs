//! Objecting to a decision: a text, a clock of 24 hours, an answer.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contracts::code::Colour;
use kernel::{Id, Locale, Refusal as _};
use serde::Deserialize;
use web::ui::Field;
use web::{Actor, App, Form, Frame, Page, Problem, See, sample_frame, unprocessable};

use super::colour_key;
use crate::command::Ask;
use crate::door;
use crate::model::{HeldAppeal, Holder, Outcome};
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::view;

struct Past {
    text: String,
    state: String,
    answer: Option<String>,
}

#[derive(Template)]
#[template(path = "code/appeal.html")]
pub(crate) struct Appeals {
    frame: Frame,
    lead: String,
    errors: Vec<(String, String)>,
    /// The decision and its colour that can be objected to.
    about: Option<(String, String)>,
    text: Field,
    past: Vec<Past>,
}

fn page(
    frame: Frame,
    (holder, policy): (&Holder, &Policy),
    typed: &str,
    mistake: Option<String>,
) -> Appeals {
    let last = holder.last_ruling().filter(|it| it.colour != Colour::Green);
    let last = last.filter(|_| holder.open_appeal().is_none());
    let past = |it: &HeldAppeal| Past {
        text: it.text.clone(),
        state: match &it.answer {
            None => frame.t1("code-appeal-waits", "time", &frame.minute(&it.due_at)),
            Some((outcome, ..)) => frame.t(&format!("code-told-{}", outcome.word())),
        },
        answer: it.answer.as_ref().map(|(_, text, _)| text.clone()),
    };
    let field = Field::text("text", frame.t("code-appeal-text"));
    let hours = policy.number("appeal_hours", 24);
    Appeals {
        lead: frame.tn("code-appeal-lead", "hours", &hours),
        errors: mistake.iter().map(|it| ("text".to_owned(), it.clone())).collect(),
        about: last.map(|it| (it.decision.to_string(), frame.t(colour_key(it.colour)))),
        text: Field { maxlength: Some(2_000), ..field }
            .hint(frame.t("code-appeal-hint"))
            .with(typed)
            .error(mistake),
        past: holder.appeals.iter().rev().map(past).collect(),
        frame,
    }
}

/// My appeals, and a new one.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Appeals>, Problem> {
    let (person, now) = (actor.person()?, app.now());
    let (holder, policy, _) = app.read(move |it| view::standing(it, person, now)).await?;
    let frame = Frame::new(&app, &actor, "code-appeal-title");
    Ok(Page(page(frame, (&holder, &policy), "", None)))
}

#[derive(Deserialize)]
pub(crate) struct AppealForm {
    decision: String,
    text: String,
}

/// Objects.
pub(crate) async fn submit(
    State(app): State<App>,
    actor: Actor,
    Form(form): Form<AppealForm>,
) -> Result<Response, Problem> {
    let person = actor.person()?;
    let unknown = || Problem::refused(&Refusal::DecisionUnknown);
    let about = form.decision.parse().map_err(|_| unknown())?;
    let ask = Ask::Appeal { appeal: app.random_id(), about, text: form.text.clone() };
    match door::execute(&app, actor.context(), person, ask).await {
        Ok(_) => Ok(See::other("/code/appeal").notice("code-appeal-sent").into_response()),
        Err(problem) if problem.code == Refusal::TextInvalid.code() => {
            let now = app.now();
            let (holder, policy, _) = app.read(move |it| view::standing(it, person, now)).await?;
            let mistake = app.texts.get(actor.locale, problem.code);
            let frame = Frame::new(&app, &actor, "code-appeal-title");
            Ok(unprocessable(page(frame, (&holder, &policy), &form.text, Some(mistake))))
        }
        Err(problem) => Err(problem),
    }
}

fn sample_holder(answered: bool) -> Holder {
    let mut holder = Holder::default();
    holder.rulings.push(crate::model::HeldRuling {
        decision: Id::from_u128(1),
        colour: Colour::Yellow,
        at: kernel::Instant::from_seconds(1_795_300_000),
    });
    if answered {
        holder.appeals.push(HeldAppeal {
            appeal: Id::from_u128(2),
            decision: Id::from_u128(1),
            text: "기침은 알레르기 때문입니다.".to_owned(),
            due_at: kernel::Instant::from_seconds(1_795_386_400),
            answer: Some((Outcome::Upheld, "확인했습니다.".to_owned(), Id::from_u128(3))),
        });
    }
    holder
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    page(sample_frame(locale), (&sample_holder(false), &Policy::default()), "", None).render()
}

pub(crate) fn sample_answered(locale: Locale) -> Result<String, askama::Error> {
    page(sample_frame(locale), (&sample_holder(true), &Policy::default()), "", None).render()
}
