//! The declaration: one calm page. Names come filled in from the last time, answers never do:
//! copied answers are how bots declare health (campuses, 2020).

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::{Date, Locale};
use web::ui::{Choice, Field, Opt};
use web::{Actor, App, Form, Frame, Page, Problem, See, sample_frame, unprocessable};

use super::{degraded, mistake};
use crate::command::Ask;
use crate::decide::{self, STAYS_MAX};
use crate::door;
use crate::model::{Answer, Declaration, Stay, Symptoms};
use crate::refusal::Refusal;
use crate::retention::FACT_KEPT_DAYS;
use crate::view;

/// A place of stay as three inputs.
struct StayFields {
    label: String,
    place: Field,
    from: Field,
    to: Field,
}

#[derive(Template)]
#[template(path = "code/declare.html")]
pub(crate) struct Declare {
    frame: Frame,
    errors: Vec<(String, String)>,
    name: Field,
    document: Field,
    residence: Field,
    stays: Vec<StayFields>,
    rows: usize,
    more: bool,
    contacts: Vec<Choice>,
    symptoms: Vec<Choice>,
    temperature: Field,
    law: String,
}

/// What was typed, by field name.
type Typed = BTreeMap<String, String>;

const CONTACTS: [&str; 2] = ["contact_confirmed", "contact_symptomatic"];
const SYMPTOMS: [&str; 5] = ["fever", "cough", "sore_throat", "breathlessness", "smell_or_taste"];

fn page(frame: Frame, typed: &Typed, mistakes: &[(String, String)]) -> Declare {
    let get = |name: &str| typed.get(name).map_or("", String::as_str);
    let error =
        |name: &str| mistakes.iter().find(|(field, _)| field == name).map(|(_, text)| text.clone());
    let key = |name: &str| format!("code-ask-{}", name.replace('_', "-"));
    let line = |name: &str, max: u32| {
        let field = Field::text(name, frame.t(&key(name))).with(get(name)).error(error(name));
        Field { maxlength: Some(max), ..field }
    };
    let question = |name: &&str| {
        let present = get(name);
        let option = |answer: Answer| {
            let label = frame.t(&format!("code-answer-{}", answer.word().replace('_', "-")));
            Opt::new(answer.word(), label, present)
        };
        Choice {
            name: (*name).to_owned(),
            label: frame.t(&key(name)),
            options: Answer::ALL.map(option).into(),
            error: error(name),
            ..Choice::default()
        }
    };
    let filled = (1..=STAYS_MAX).filter(|row| !get(&format!("stay_{row}_place")).is_empty()).max();
    // Whatever number was sent, it is bounded before it is counted with.
    let asked = get("rows").parse::<usize>().unwrap_or(1).min(STAYS_MAX)
        + usize::from(typed.contains_key("more"));
    let rows = asked.max(filled.unwrap_or(1)).clamp(1, STAYS_MAX);
    let stay = |row: usize| {
        let part = |part: &str| {
            let name = format!("stay_{row}_{part}");
            let label = frame.t(&format!("code-ask-stay-{part}"));
            Field::text(&name, label).with(get(&name)).error(error(&name)).optional()
        };
        let number = i64::try_from(row).unwrap_or(0);
        StayFields {
            label: frame.tn("code-ask-stay", "number", &number),
            place: Field { maxlength: Some(120), ..part("place") },
            from: Field { kind: "date", ..part("from") },
            to: Field { kind: "date", ..part("to") },
        }
    };
    let temperature = Field { inputmode: Some("decimal"), ..line("temperature", 5) };
    Declare {
        errors: mistakes.to_vec(),
        name: Field { autocomplete: Some("name"), ..line("name", 80) },
        document: line("document", 24).hint(frame.t("code-ask-document-hint")),
        residence: Field { autocomplete: Some("address-level2"), ..line("residence", 120) },
        stays: (1..=rows).map(stay).collect(),
        rows,
        more: rows < STAYS_MAX,
        contacts: CONTACTS.iter().map(question).collect(),
        symptoms: SYMPTOMS.iter().map(question).collect(),
        law: frame.tn("code-declare-law", "days", &i64::from(FACT_KEPT_DAYS)),
        temperature: temperature.hint(frame.t("code-ask-temperature-hint")).optional(),
        frame,
    }
}

/// The empty form; name, document and residence as last declared.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Declare>, Problem> {
    let (person, now) = (actor.person()?, app.now());
    let (holder, ..) = app.read(move |it| view::standing(it, person, now)).await?;
    let mut typed = Typed::new();
    if let Some((last, _)) = holder.facts.declared {
        typed.extend([
            ("name".to_owned(), last.name),
            ("document".to_owned(), last.document),
            ("residence".to_owned(), last.residence),
        ]);
    }
    let frame = degraded(&app, Frame::new(&app, &actor, "code-declare-title"));
    Ok(Page(page(frame, &typed, &[])))
}

/// The filled form.
pub(crate) async fn submit(
    State(app): State<App>,
    actor: Actor,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let person = actor.person()?;
    let typed: Typed = fields.into_iter().collect();
    let frame = Frame::new(&app, &actor, "code-declare-title");
    if typed.contains_key("more") {
        return Ok(Page(page(frame, &typed, &[])).into_response());
    }
    let today = app.config.zone.date(app.now());
    let (declaration, mut mistakes) = read(&typed);
    for (field, refusal) in decide::mistakes(&declaration, today) {
        if mistakes.iter().all(|(known, _)| *known != field) {
            mistakes.push((field, refusal));
        }
    }
    if !mistakes.is_empty() {
        let texts: Vec<(String, String)> = mistakes
            .into_iter()
            .map(|(field, refusal)| (field, mistake(&app, &actor, &refusal)))
            .collect();
        return Ok(unprocessable(page(frame, &typed, &texts)));
    }
    let by_helper = actor.acting_for.is_some();
    let ask = Ask::Declare { declaration, by_helper, today };
    door::execute(&app, actor.context(), person, ask).await?;
    Ok(See::other("/code/result").into_response())
}

/// Reads what was typed; what cannot be read at all is a mistake already here.
fn read(typed: &Typed) -> (Declaration, Vec<(String, Refusal)>) {
    let get = |name: &str| typed.get(name).map_or("", |it| it.trim());
    let answer = |name: &str| Answer::from_word(get(name)).unwrap_or_default();
    let mut mistakes = Vec::new();
    let mut stays = Vec::new();
    for row in 1..=STAYS_MAX {
        let part = |part: &str| get(&format!("stay_{row}_{part}"));
        let (place, from, to) = (part("place"), part("from"), part("to"));
        if [place, from, to].iter().all(|it| it.is_empty()) {
            continue;
        }
        // One day of two may be left out: a stay of one day.
        let (from, to) = match (from, to) {
            ("", day) | (day, "") => (day, day),
            both => both,
        };
        match (from.parse::<Date>(), to.parse::<Date>()) {
            (Ok(from), Ok(to)) => stays.push(Stay { place: place.to_owned(), from, to }),
            _ => mistakes.push((format!("stay_{row}_place"), Refusal::StayInvalid)),
        }
    }
    let temperature_tenths = match get("temperature") {
        "" => None,
        text => tenths(text).or_else(|| {
            mistakes.push(("temperature".to_owned(), Refusal::TemperatureInvalid));
            None
        }),
    };
    let declaration = Declaration {
        name: get("name").to_owned(),
        document: get("document").to_owned(),
        residence: get("residence").to_owned(),
        stays,
        contact_symptomatic: answer("contact_symptomatic"),
        contact_confirmed: answer("contact_confirmed"),
        symptoms: Symptoms {
            fever: answer("fever"),
            cough: answer("cough"),
            sore_throat: answer("sore_throat"),
            breathlessness: answer("breathlessness"),
            smell_or_taste: answer("smell_or_taste"),
        },
        temperature_tenths,
    };
    (declaration, mistakes)
}

/// `36.5`, `36,5` or `36` in tenths of a degree.
fn tenths(text: &str) -> Option<u16> {
    let text = text.strip_suffix("℃").or_else(|| text.strip_suffix("°C")).unwrap_or(text).trim();
    let (whole, tenth) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if !digits(whole) || !digits(tenth) || tenth.len() > 1 {
        return None;
    }
    whole.parse::<u16>().ok()?.checked_mul(10)?.checked_add(tenth.parse().ok()?)
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    page(sample_frame(locale), &Typed::new(), &[]).render()
}

pub(crate) fn sample_mistakes(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let mistakes = ["name", "temperature", "stay_1_place"]
        .map(|it| (it.to_owned(), frame.t("code-name-invalid")));
    let typed = Typed::from([("cough".to_owned(), "yes".to_owned())]);
    page(frame, &typed, &mistakes).render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_are_read_as_people_write_them() {
        for (text, expected) in [
            ("36.5", Some(365)),
            ("36,5", Some(365)),
            ("37", Some(370)),
            ("36.5℃", Some(365)),
            ("36.55", None),
            ("-36", None),
            ("+36", None),
            ("99999999", None),
            ("36.", None),
            (".5", None),
            ("서른여섯", None),
        ] {
            assert_eq!(tenths(text), expected, "{text}");
        }
    }

    #[test]
    fn a_form_without_answers_is_read_as_not_asked_never_as_no() {
        let (it, mistakes) = read(&Typed::new());
        assert!(mistakes.is_empty());
        assert_eq!((it.symptoms.any(), it.contact_confirmed), (Answer::NotAsked, Answer::NotAsked));
    }

    #[test]
    fn a_stay_needs_a_day_and_one_day_is_enough() {
        let row = |from: &str, to: &str| {
            let part = |name: &str, value: &str| (format!("stay_1_{name}"), value.to_owned());
            read(&Typed::from([part("place", "대구"), part("from", from), part("to", to)]))
        };
        assert_eq!(row("2026-11-20", "").0.stays[0].to.to_string(), "2026-11-20");
        assert_eq!(row("", "").1.len(), 1);
        assert_eq!(row("1970-13-01", "x").1, [("stay_1_place".to_owned(), Refusal::StayInvalid)]);
    }
}
