//! The HTML pages. Each handler does four things: who asks, what they ask, execute, answer.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod delete;
pub(crate) mod export;
pub(crate) mod help;
pub(crate) mod member;
pub(crate) mod number;
pub(crate) mod organisations;
pub(crate) mod people;
pub(crate) mod phone;
pub(crate) mod readers;
pub(crate) mod register;
pub(crate) mod staff;

use contracts::person::{Person, Role};
use kernel::{Date, Id, Kind, Refusal as _};
use serde::Deserialize;
use store::tx::Ran;
use store::{Context, Fault, Reader, Tx};
use web::Access::{Anyone, Citizen, Staff};
use web::ui::Pager;
use web::{Actor, App, Frame, Problem, Purpose, Route, Sample, See};

use crate::DESK_ROLES;
use crate::command::Asker;
use crate::refusal::Refusal;

const ADMINISTRATOR: &[Role] = &[Role::Administrator];
const AUDITOR: &[Role] = &[Role::Auditor];

/// All routes with who may use them.
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/register", register::show, Anyone),
        Route::post("/register", register::send, Anyone).strict(),
        Route::get("/account", account::show, Citizen),
        Route::post("/account/name", account::name, Citizen),
        Route::post("/account/language", account::language, Citizen),
        Route::get("/account/phone", phone::show, Citizen),
        Route::post("/account/phone", phone::send, Citizen).strict(),
        Route::post("/account/phone/code", phone::check, Citizen).strict(),
        Route::get("/account/help", help::show, Citizen),
        Route::post("/account/help/offer", help::offer, Citizen).strict(),
        Route::post("/account/help/accept", help::accept, Citizen).strict(),
        Route::post("/account/help/child", help::child, Citizen),
        Route::post("/account/help/end", help::end, Citizen),
        Route::post("/account/help/act", help::act, Citizen),
        Route::get("/account/readers", readers::show, Citizen),
        Route::get("/account/export", export::show, Citizen),
        Route::get("/account/export.json", export::json, Citizen),
        Route::get("/account/export.csv", export::csv, Citizen),
        Route::get("/account/delete", delete::show, Citizen),
        Route::post("/account/delete", delete::send, Citizen),
        Route::get("/desk/people", people::show, Staff(DESK_ROLES)),
        Route::post("/desk/people/find", people::find, Staff(DESK_ROLES)).strict(),
        Route::post("/desk/people/new", people::register, Staff(DESK_ROLES)),
        Route::post("/desk/people/{person}/help", people::grant, Staff(DESK_ROLES)),
        Route::post("/desk/people/{person}/help/end", people::end, Staff(DESK_ROLES)),
        Route::post("/desk/people/{person}/phone", number::ask, Staff(DESK_ROLES)).strict(),
        Route::post("/desk/people/{person}/phone/code", number::check, Staff(DESK_ROLES)).strict(),
        Route::get("/desk/staff", staff::list, Staff(ADMINISTRATOR)),
        Route::post("/desk/staff", staff::appoint, Staff(ADMINISTRATOR)),
        Route::get("/desk/staff/{staff}", member::show, Staff(ADMINISTRATOR)),
        Route::post("/desk/staff/{staff}/link", staff::link, Staff(ADMINISTRATOR)),
        Route::post("/desk/staff/{staff}/roles", member::grant, Staff(ADMINISTRATOR)),
        Route::post("/desk/staff/{staff}/roles/end", member::end, Staff(ADMINISTRATOR)),
        Route::post("/desk/staff/{staff}/suspend", member::suspend, Staff(ADMINISTRATOR)),
        Route::post("/desk/staff/{staff}/resume", member::resume, Staff(ADMINISTRATOR)),
        Route::post("/desk/staff/{staff}/forget", member::forget, Staff(ADMINISTRATOR)),
        Route::get("/desk/organisations", organisations::list, Staff(ADMINISTRATOR)),
        Route::post("/desk/organisations", organisations::open, Staff(ADMINISTRATOR)),
        Route::post(
            "/desk/organisations/{organisation}/name",
            organisations::rename,
            Staff(ADMINISTRATOR),
        ),
        Route::post(
            "/desk/organisations/{organisation}/close",
            organisations::close,
            Staff(ADMINISTRATOR),
        ),
        Route::get("/desk/access", access::show, Staff(AUDITOR)),
    ]
}

/// A sample of every page.
pub(crate) fn samples() -> Vec<Sample> {
    vec![
        Sample { name: "person/register", render: register::sample },
        Sample { name: "person/account", render: account::sample },
        Sample { name: "person/phone", render: phone::sample },
        Sample { name: "person/phone_code", render: phone::sample_code },
        Sample { name: "person/help", render: help::sample },
        Sample { name: "person/offer", render: help::sample_offer },
        Sample { name: "person/readers", render: readers::sample },
        Sample { name: "person/export", render: export::sample },
        Sample { name: "person/delete", render: delete::sample },
        Sample { name: "person/people", render: people::sample },
        Sample { name: "person/record", render: people::sample_record },
        Sample { name: "person/number_code", render: number::sample },
        Sample { name: "person/staff_list", render: staff::sample_list },
        Sample { name: "person/staff", render: member::sample },
        Sample { name: "person/staff_link", render: staff::sample_link },
        Sample { name: "person/organisations", render: organisations::sample },
        Sample { name: "person/access", render: access::sample },
    ]
}

/// What is wrong with a form: field and text, for the summary and for the fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Errors(pub(crate) Vec<(String, String)>);

impl Errors {
    /// One mistake.
    pub(crate) fn one(frame: &Frame, field: &str, refusal: Refusal) -> Self {
        let text = frame.tf(refusal.code(), &refusal.args());
        Self(vec![(field.to_owned(), text)])
    }

    /// What is wrong with this field.
    pub(crate) fn of(&self, field: &str) -> Option<String> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, text)| text.clone())
    }
}

/// The field that a refusal is about: by it a form comes back; without one the refusal is the page.
pub(crate) fn field_of(refusal: Refusal) -> Option<&'static str> {
    Some(match refusal {
        Refusal::NameInvalid => "name",
        Refusal::BirthDateInvalid | Refusal::TooYoung | Refusal::NotAChild => "birth_date",
        Refusal::PhoneInvalid
        | Refusal::PhoneTaken
        | Refusal::PhoneUnchanged
        | Refusal::StaffContactMissing => "phone",
        Refusal::HelpOfferUnknown | Refusal::HelpOneself => "code",
        Refusal::GrantTermInvalid => "until",
        Refusal::ConfirmationWrong | Refusal::LastAdministrator => "confirm",
        Refusal::IdNotChecked => "id_checked",
        _ => return None,
    })
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

/// Rows of one page of staff or of organisations.
const ROWS: usize = 50;

/// Where a list begins: after this id.
#[derive(Debug, Deserialize)]
#[serde(bound = "")]
pub(crate) struct From<K: Kind> {
    after: Option<Id<K>>,
}

/// From the beginning.
impl<K: Kind> Default for From<K> {
    fn default() -> Self {
        Self { after: None }
    }
}

/// Gives the rows after an id, at most as many as asked.
type Load<K, T> = fn(&mut Reader<'_>, Id<K>, u32) -> Result<Vec<T>, Fault>;

/// One page of a list in the order of ids, and the way to the others.
pub(crate) async fn paged<K: Kind + 'static, T: Send + 'static>(
    app: &App,
    path: &str,
    from: &From<K>,
    load: Load<K, T>,
    id: fn(&T) -> Id<K>,
) -> Result<(Vec<T>, Option<Pager>), Problem> {
    let start = from.after.map_or(0, Id::to_u128);
    // One more than shown tells whether there is a next page.
    let limit = u32::try_from(ROWS + 1).unwrap_or(u32::MAX);
    let mut rows = app.read(move |reader| load(reader, Id::from_u128(start), limit)).await?;
    let previous = from.after.map(|_| path.to_owned());
    let next = cut(&mut rows, ROWS).then(|| rows.last()).flatten();
    let next = next.map(|it| format!("{path}?after={}", id(it)));
    Ok((rows, pager(previous, next)))
}

/// Cuts a list to what is shown; whether there was more.
pub(crate) fn cut<T>(rows: &mut Vec<T>, shown: usize) -> bool {
    let more = rows.len() > shown;
    rows.truncate(shown);
    more
}

/// The way to the other pages, if there are any.
pub(crate) fn pager(previous: Option<String>, next: Option<String>) -> Option<Pager> {
    let pager = Pager { previous, next, label: String::new() };
    (pager.previous.is_some() || pager.next.is_some()).then_some(pager)
}

/// What an administrator's button does: `work` with who presses it; then `back` with a notice.
pub(crate) async fn administer<E, W>(
    app: &App,
    actor: &Actor,
    back: String,
    notice: &'static str,
    mut work: W,
) -> Result<See, Problem>
where
    E: Send + 'static,
    W: FnMut(
            &mut Tx<'_>,
            &Context,
            Id<contracts::person::Staff>,
        ) -> Result<Result<Ran<E>, Refusal>, Fault>
        + Send
        + 'static,
{
    let by = actor.need(Role::Administrator, &[])?;
    let context = actor.context();
    app.write(move |tx| work(tx, &context, by)).await?.map_err(refused)?;
    Ok(See::other(back).notice(notice))
}

/// Who asks for the record that [`Actor::person`] names.
pub(crate) fn asker(actor: &Actor) -> Result<Asker, Problem> {
    let own = actor.own_person()?;
    Ok(if actor.acting_for.is_some() { Asker::Helper(own) } else { Asker::Own })
}

/// Reads the record that the actor's page is about. A helper's look at another's record goes on
/// the access log first; a look at one's own is nobody else's business.
pub(crate) async fn read_mine<T, F>(
    app: &App,
    actor: &Actor,
    record: &'static str,
    work: F,
) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce(&mut Reader<'_>) -> Result<T, Fault> + Send + 'static,
{
    let person = actor.person()?;
    if actor.acting_for.is_some() {
        app.read_record(actor, person.to_u128(), record, Purpose::from("help"), work).await
    } else {
        app.read(work).await
    }
}

/// The id of a thing that this request makes. A repeated request makes the same id, so that its
/// answer names the thing that was made. As unguessable as the form's random `_once`.
pub(crate) fn made_id<K>(app: &App, context: &Context) -> Id<K> {
    context.command.map_or_else(|| app.random_id(), Id::from_u128)
}

/// Today in the city's zone.
pub(crate) fn today(app: &App) -> Date {
    app.config.zone.date(app.now())
}

/// The last letters of an id: enough for two people to talk about, too little to guess the rest.
pub(crate) fn short_id(id: &str) -> String {
    id.get(id.len().saturating_sub(4)..).unwrap_or_default().to_uppercase()
}

/// A refusal as a problem.
pub(crate) fn refused(refusal: Refusal) -> Problem {
    Problem::refused(&refusal)
}

/// An id that samples show.
pub(crate) fn sample_person(number: u128) -> Id<Person> {
    Id::from_u128(number << 96 | 0xfeed)
}
