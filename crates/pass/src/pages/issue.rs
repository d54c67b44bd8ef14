//! The desk of those who issue: find a person, one short form for each kind of pass, a look at what will
//! be signed, and the signature.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use contracts::person::{Organisation, Person, Role, Scope};
use kernel::{Id, Instant, Locale};
use serde::Deserialize;
use web::app::NamedOrganisation;
use web::ui::{Choice, Field, Opt};
use web::{
    Actor, App, Form, Frame, Page, Path, Problem, Purpose, See, sample_frame, unprocessable,
};

use super::{issued, refused};
use crate::door::{self, Attest};
use crate::jobs;
use crate::model::{Because, Card, Issuable, TestKind};
use crate::refusal::Refusal;
use crate::statement::{self, NAME_MAX, Named, Statement, Typed, VACCINES, Wrong};
use crate::view::{self, IssuedRow};

/// Rows of the list of what was issued last.
const ROWS: u32 = 50;

/// The organisations in whose name the asker issues.
pub(super) async fn mine(app: &App, actor: &Actor) -> Result<Vec<NamedOrganisation>, Problem> {
    actor.staff()?;
    let all = app.read(app.questions.organisations).await?;
    let may = |it: &NamedOrganisation| actor.has_in(Role::Issuer, &[Scope::Organisation(it.0)]);
    Ok(all.into_iter().filter(may).collect())
}

struct Row {
    href: String,
    at: String,
    colour: &'static str,
    standing: String,
}

#[derive(Template)]
#[template(path = "pass/issue.html")]
pub(crate) struct Start {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    /// Whether the asker issues, or only looks up what was issued.
    issues: bool,
    who: Field,
    kind: Choice,
    /// By organisation.
    lists: Vec<(String, Vec<Row>)>,
}

fn crumbs(frame: &Frame) -> Vec<(String, String)> {
    vec![("/desk".to_owned(), frame.t("pass-crumb-desk"))]
}

fn kind_choice(frame: &Frame, typed: &str) -> Choice {
    let option =
        |it: &Issuable| Opt::new(it.word(), frame.t(&format!("pass-kind-{}", it.word())), typed);
    Choice {
        name: "kind".to_owned(),
        label: frame.t("pass-issue-kind"),
        options: Issuable::ALL.iter().map(option).collect(),
        required: true,
        ..Choice::default()
    }
}

fn start(
    frame: Frame,
    lists: &[(String, Vec<IssuedRow>)],
    (typed, mistake): (&FindForm, Option<String>),
    now: Instant,
) -> Start {
    let row = |it: &IssuedRow| Row {
        href: format!("/desk/passes/issued/{}", it.card),
        at: frame.minute(&it.issued_at),
        colour: issued::colour(it.standing, it.expires_at, now),
        standing: issued::standing_text(&frame, it.standing, it.expires_at, now),
    };
    let rows =
        |(name, rows): &(String, Vec<IssuedRow>)| (name.clone(), rows.iter().map(row).collect());
    let field = Field::text("who", frame.t("pass-issue-who"));
    Start {
        crumbs: crumbs(&frame),
        errors: mistake.iter().map(|it| ("who".to_owned(), it.clone())).collect(),
        issues: !lists.is_empty(),
        who: Field { maxlength: Some(90), autocomplete: Some("off"), ..field }
            .hint(frame.t("pass-issue-who-hint"))
            .with(&typed.who)
            .error(mistake),
        kind: kind_choice(&frame, &typed.kind),
        lists: lists.iter().map(rows).collect(),
        frame,
    }
}

async fn started(
    app: &App,
    actor: &Actor,
    form: &FindForm,
    mistake: Option<String>,
) -> Result<Start, Problem> {
    let mine = mine(app, actor).await?;
    if mine.is_empty() && !actor.has_in(Role::Administrator, &[]) {
        return Err(Problem::refused(&Refusal::OrganisationUnknown));
    }
    let lists = app.read(move |reader| {
        let mut lists = Vec::new();
        for (organisation, name) in mine {
            lists.push((name, view::issued_by(reader, organisation, ROWS)?));
        }
        Ok(lists)
    });
    let frame = Frame::new(app, actor, "pass-issue-title");
    Ok(start(frame, &lists.await?, (form, mistake), app.now()))
}

/// The desk.
pub(crate) async fn show(State(app): State<App>, actor: Actor) -> Result<Page<Start>, Problem> {
    Ok(Page(started(&app, &actor, &FindForm::default(), None).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FindForm {
    who: String,
    kind: String,
}

/// The pass that a certificate's number names: ours end in the pass's id.
fn numbered(text: &str) -> Option<Id<Card>> {
    let number = text.trim().rsplit(':').next()?.split('#').next()?;
    let mut bytes = [0; 16];
    hex::decode_to_slice(number, &mut bytes).ok()?;
    Some(Id::from_bytes(bytes))
}

/// Finds a person by phone number or id, or a pass by its number. Nothing of them is shown yet.
pub(crate) async fn find(
    State(app): State<App>,
    actor: Actor,
    Form(form): Form<FindForm>,
) -> Result<Response, Problem> {
    actor.staff()?;
    let who = form.who.trim().to_owned();
    if let Some(card) = who.parse::<Id<Card>>().ok().or_else(|| numbered(&who)) {
        return Ok(See::other(format!("/desk/passes/issued/{card}")).into_response());
    }
    let by_phone = app.questions.person_by_phone;
    let person = match (who.parse::<Id<Person>>(), web::phone::normal(&who)) {
        (Ok(person), _) => Some(person),
        (_, Some(phone)) => app.read(move |it| by_phone(it, &phone)).await?,
        _ => None,
    };
    let kind = Issuable::from_word(&form.kind);
    if let (Some(person), Some(kind)) = (person, kind) {
        let to = format!("/desk/passes/issue/{person}/{}", kind.word());
        return Ok(See::other(to).into_response());
    }
    let refusal = if kind.is_none() { Refusal::KindMissing } else { Refusal::PersonUnknown };
    let mistake = Some(refused(&app, &actor, &refusal));
    Ok(unprocessable(started(&app, &actor, &form, mistake).await?))
}

/// One control of a form.
enum Input {
    Line(Field),
    Rows(Choice),
    Beside(Choice),
    List(Choice),
}

#[derive(Template)]
#[template(path = "pass/issue_form.html")]
pub(crate) struct FormPage {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    title: String,
    action: String,
    /// As the city knows the person.
    who: String,
    errors: Vec<(String, String)>,
    names: Vec<Input>,
    inputs: Vec<Input>,
}

#[derive(Template)]
#[template(path = "pass/issue_check.html")]
pub(crate) struct CheckPage {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    title: String,
    action: String,
    facts: Vec<(String, String)>,
    hidden: Vec<(&'static str, String)>,
}

struct Draw<'a> {
    frame: &'a Frame,
    typed: &'a Typed,
    wrong: &'a [(&'static str, String)],
}

impl Draw<'_> {
    fn error(&self, name: &str) -> Option<String> {
        self.wrong.iter().find(|it| it.0 == name).map(|it| it.1.clone())
    }

    fn line(&self, name: &'static str, value: &str, kind: &'static str) -> Field {
        let field = Field::text(name, self.label(name)).with(value).error(self.error(name));
        let key = format!("pass-issue-hint-{}", name.replace('_', "-"));
        let hint = Some(self.frame.t(&key)).filter(|it| *it != key);
        Field { kind, hint, autocomplete: Some("off"), ..field }
    }

    fn name(&self, name: &'static str, value: &str) -> Input {
        let maxlength = u32::try_from(NAME_MAX).ok();
        Input::Line(Field { maxlength, ..self.line(name, value, "text") })
    }

    fn date(&self, name: &'static str, value: &str) -> Input {
        Input::Line(self.line(name, value, "date"))
    }

    fn number(&self, name: &'static str, value: &str) -> Field {
        let line = self.line(name, value, "text");
        Field { inputmode: Some("numeric"), maxlength: Some(6), ..line }
    }

    fn label(&self, name: &str) -> String {
        self.frame.t(&format!("pass-issue-field-{}", name.replace('_', "-")))
    }

    fn choice(&self, name: &'static str, options: Vec<Opt>) -> Choice {
        let error = self.error(name);
        let (name, label) = (name.to_owned(), self.label(name));
        Choice { name, label, options, error, required: true, ..Choice::default() }
    }

    fn names(&self) -> Vec<Input> {
        let it = self.typed;
        vec![
            self.name("surname", &it.surname),
            self.name("given", &it.given),
            self.name("surname_latin", &it.surname_latin),
            self.name("given_latin", &it.given_latin),
            self.date("birth", &it.birth),
        ]
    }

    fn inputs(&self, kind: Issuable) -> Vec<Input> {
        let (frame, it) = (self.frame, self.typed);
        let span = || [self.date("from", &it.from), self.date("until", &it.until)];
        let mut inputs = Vec::new();
        match kind {
            Issuable::Vaccination => {
                let empty = Opt::new("", frame.t("pass-issue-choose"), &it.vaccine);
                let known = VACCINES
                    .iter()
                    .map(|one| Opt::new(one.product, one.name.to_owned(), &it.vaccine));
                let options = std::iter::once(empty).chain(known).collect();
                inputs.push(Input::List(self.choice("vaccine", options)));
                inputs.push(Input::Line(self.number("dose", &it.dose)));
                inputs.push(Input::Line(self.number("of_doses", &it.of_doses)));
                inputs.push(self.date("day", &it.day));
            }
            Issuable::Test => {
                let option = |one: &TestKind| {
                    let label = frame.t(&format!("pass-test-{}", one.word()));
                    Opt::new(one.word(), label, &it.test)
                };
                let kinds = TestKind::ALL.iter().map(option).collect();
                inputs.push(Input::Rows(self.choice("test", kinds)));
                inputs.push(Input::Line(self.number("device", &it.device).optional()));
                let result = |word: &str| {
                    Opt::new(word, frame.t(&format!("pass-result-{word}")), &it.result)
                };
                let results = vec![result("negative"), result("positive")];
                inputs.push(Input::Beside(self.choice("result", results)));
                inputs.push(self.date("day", &it.day));
                inputs.push(Input::Line(self.line("time", &it.time, "time")));
            }
            Issuable::Recovery => {
                inputs.push(self.date("first_positive", &it.first_positive));
                inputs.extend(span());
            }
            Issuable::Exemption => {
                let option = |one: &Because| {
                    let label = frame.t(&format!("pass-because-{}", one.word()));
                    Opt::new(one.word(), label, &it.because)
                };
                let classes = Because::ALL.iter().map(option).collect();
                inputs.push(Input::Rows(self.choice("because", classes)));
                inputs.extend(span());
            }
        }
        inputs
    }
}

/// What the pages of one form share.
struct Task {
    person: Id<Person>,
    kind: Issuable,
    who: String,
    mine: Vec<NamedOrganisation>,
}

impl Task {
    fn action(&self) -> String {
        format!("/desk/passes/issue/{}/{}", self.person, self.kind.word())
    }

    fn title(&self, frame: &Frame) -> String {
        let kind = frame.t(&format!("pass-kind-{}", self.kind.word()));
        frame.t1("pass-issue-form-title", "kind", &kind)
    }

    fn crumbs(frame: &Frame) -> Vec<(String, String)> {
        let own = ("/desk/passes/issue".to_owned(), frame.t("pass-issue-title"));
        [crumbs(frame), vec![own]].concat()
    }
}

fn form_page(
    frame: Frame,
    task: &Task,
    typed: &Typed,
    wrong: &[(&'static str, String)],
) -> FormPage {
    let draw = Draw { frame: &frame, typed, wrong };
    let mut inputs = draw.inputs(task.kind);
    if task.mine.len() > 1 {
        let option = |(id, name): &NamedOrganisation| {
            Opt::new(&id.to_string(), name.clone(), &typed.organisation)
        };
        let options = task.mine.iter().map(option).collect();
        inputs.push(Input::List(draw.choice("organisation", options)));
    }
    FormPage {
        crumbs: Task::crumbs(&frame),
        title: task.title(&frame),
        action: task.action(),
        who: task.who.clone(),
        // With the field's name, so that two of the same mistake are told apart.
        errors: wrong
            .iter()
            .map(|(name, text)| ((*name).to_owned(), format!("{}: {text}", draw.label(name))))
            .collect(),
        names: draw.names(),
        inputs,
        frame,
    }
}

/// The organisation that was chosen, or the only one.
fn chosen(task: &Task, typed: &Typed) -> Result<NamedOrganisation, Refusal> {
    let wanted = typed.organisation.parse::<Id<Organisation>>().ok();
    let found = match (task.mine.as_slice(), wanted) {
        ([only], _) => Some(only),
        (all, Some(wanted)) => all.iter().find(|it| it.0 == wanted),
        _ => None,
    };
    found.cloned().ok_or(Refusal::OrganisationUnknown)
}

fn check_page(
    frame: Frame,
    task: &Task,
    typed: &Typed,
    (named, statement): (&Named, &Statement),
    issuer: &str,
    ends_at: Instant,
) -> CheckPage {
    let mut facts = issued::named_facts(&frame, named);
    facts.extend(issued::statement_facts(&frame, statement));
    facts.push((frame.t("pass-said-issuer"), issuer.to_owned()));
    facts.push((frame.t("pass-issued-ends"), frame.minute(&ends_at)));
    CheckPage {
        crumbs: Task::crumbs(&frame),
        title: task.title(&frame),
        action: task.action(),
        facts,
        hidden: typed.fields(),
        frame,
    }
}

async fn task(app: &App, actor: &Actor, person: Id<Person>, kind: &str) -> Result<Task, Problem> {
    let mine = mine(app, actor).await?;
    if mine.is_empty() {
        return Err(Problem::refused(&Refusal::OrganisationUnknown));
    }
    let kind = Issuable::from_word(kind).ok_or_else(Problem::not_found)?;
    let label = app.questions.person_label;
    let who = app.read(move |it| label(it, person)).await?;
    let who = who.ok_or_else(|| Problem::refused(&Refusal::PersonUnknown))?;
    Ok(Task { person, kind, who, mine })
}

/// The form. Looking at it stands in the access log: it shows the person's name, and the names of the
/// pass that was issued last.
pub(crate) async fn form(
    State(app): State<App>,
    actor: Actor,
    Path((person, kind)): Path<(Id<Person>, String)>,
) -> Result<Page<FormPage>, Problem> {
    let task = task(&app, &actor, person, &kind).await?;
    let why = Purpose::from("issue");
    let read = app.read_record(&actor, person.to_u128(), "pass.issue", why, move |it| {
        view::issues(it, person)
    });
    let issues = read.await?;
    let typed = issues.passes.last().map(|it| Typed::of(&it.named)).unwrap_or_default();
    let frame = Frame::new(&app, &actor, "pass-issue-title");
    Ok(Page(form_page(frame, &task, &typed, &[])))
}

/// Looks at what was typed, shows what will be signed, and signs once that was agreed to.
pub(crate) async fn submit(
    State(app): State<App>,
    actor: Actor,
    Path((person, kind)): Path<(Id<Person>, String)>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let by = actor.staff()?;
    // The name is shown where the look at it stands in the access log, and nowhere else.
    let task = Task { who: String::new(), ..task(&app, &actor, person, &kind).await? };
    let (zone, now) = (&app.config.zone, app.now());
    let frame = || Frame::new(&app, &actor, "pass-issue-title");
    let again = |wrong: Wrong| {
        let text =
            |(field, refusal): (&'static str, Refusal)| (field, refused(&app, &actor, &refusal));
        let wrong: Vec<_> = wrong.into_iter().map(text).collect();
        unprocessable(form_page(frame(), &task, &typed, &wrong))
    };
    let read = statement::read(task.kind, &typed, zone, now);
    let organisation = chosen(&task, &typed);
    let ((named, statement), (organisation, issuer)) = match (read, organisation) {
        (Ok(read), Ok(organisation)) => (read, organisation),
        (read, organisation) => {
            let mut wrong = read.err().unwrap_or_default();
            wrong.extend(organisation.err().map(|it| ("organisation", it)));
            return Ok(again(wrong));
        }
    };
    let expires_at = statement.ends_at(zone, now);
    match typed.step.as_str() {
        "sign" => {}
        "change" => return Ok(Page(form_page(frame(), &task, &typed, &[])).into_response()),
        _ => {
            let said = (&named, &statement);
            let page = check_page(frame(), &task, &typed, said, &issuer, expires_at);
            return Ok(Page(page).into_response());
        }
    }
    let attest = Attest {
        person,
        card: app.random_id(),
        organisation,
        issuer,
        by,
        named,
        statement,
        expires_at,
        origin: app.config.origin_text(),
        signing_key: app.questions.signing_key,
        message: jobs::message(&app, person, "pass-told-issued").await?,
    };
    let context = actor.context();
    let card = app.write(move |tx| door::issue(tx, &context, &attest)).await?;
    let card = card.map_err(|refusal| Problem::refused(&refusal))?;
    Ok(See::other(format!("/desk/passes/issued/{card}")).notice("pass-issued-done").into_response())
}

fn sample_task(kind: Issuable) -> Task {
    Task {
        person: Id::from_u128(1),
        kind,
        who: "홍길동".to_owned(),
        mine: vec![(Id::from_u128(3), "해태 의원".to_owned())],
    }
}

pub(crate) fn sample(locale: Locale) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_795_316_400);
    let rows = issued::sample_rows(now);
    let lists = vec![("해태 의원".to_owned(), rows)];
    start(sample_frame(locale), &lists, (&FindForm::default(), None), now).render()
}

pub(crate) fn sample_empty(locale: Locale) -> Result<String, askama::Error> {
    let now = Instant::from_seconds(1_795_316_400);
    let frame = sample_frame(locale);
    let mistake = Some(frame.t("pass-person-unknown"));
    let lists = vec![("해태 의원".to_owned(), Vec::new())];
    start(frame, &lists, (&FindForm::default(), mistake), now).render()
}

fn sample_form(locale: Locale, kind: Issuable) -> Result<String, askama::Error> {
    form_page(sample_frame(locale), &sample_task(kind), &Typed::default(), &[]).render()
}

pub(crate) fn sample_vaccination(locale: Locale) -> Result<String, askama::Error> {
    sample_form(locale, Issuable::Vaccination)
}

pub(crate) fn sample_test(locale: Locale) -> Result<String, askama::Error> {
    sample_form(locale, Issuable::Test)
}

pub(crate) fn sample_recovery(locale: Locale) -> Result<String, askama::Error> {
    sample_form(locale, Issuable::Recovery)
}

pub(crate) fn sample_exemption(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let wrong = [
        ("surname", frame.t("pass-holder-name-invalid")),
        ("because", frame.t("pass-because-missing")),
        ("until", frame.t("pass-span-invalid")),
    ];
    let mut task = sample_task(Issuable::Exemption);
    task.mine.push((Id::from_u128(4), "해태 검사소".to_owned()));
    form_page(frame, &task, &Typed::default(), &wrong).render()
}

pub(crate) fn sample_check(locale: Locale) -> Result<String, askama::Error> {
    let (named, statement) = issued::sample_said();
    let (task, typed) = (sample_task(Issuable::Vaccination), Typed::of(&named));
    let ends_at = Instant::from_seconds(1_826_852_400);
    let said = (&named, &statement);
    check_page(sample_frame(locale), &task, &typed, said, "해태 의원", ends_at).render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_found_by_the_number_on_it() {
        let card = Id::<Card>::from_u128(0xabc);
        let opaque = hex::encode_upper(card.to_bytes());
        let number = credential::issue::uvci("KR", &opaque).unwrap();
        assert_eq!(numbered(&format!(" {number} ")), Some(card));
        assert_eq!(numbered(&opaque), Some(card));
        assert_eq!(numbered("010-1234-5678"), None);
        assert_eq!(numbered("URN:UVCI:01:KR:ABC#D"), None);
    }
}
