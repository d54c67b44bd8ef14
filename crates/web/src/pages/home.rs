//! The first page, the desk of staff, and the language switch.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use contracts::code::Colour;
use http::header;
use kernel::Locale;

use crate::frame::{NavItem, sees};
use crate::slice::NavEntry;
use crate::{
    Actor, App, Frame, Page, Path, Problem, Query, See, Who, cookie, passkey, sample_frame,
};

#[derive(Template)]
#[template(path = "web/home.html")]
pub(super) struct Home {
    frame: Frame,
    heading: String,
    lead: String,
    step: Option<NavItem>,
    more: Vec<NavItem>,
    offer_passkey: bool,
    about: bool,
    colours: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "web/desk.html")]
pub(super) struct Desk {
    frame: Frame,
    cards: Vec<Card>,
}

struct Card {
    href: &'static str,
    label: String,
    why: String,
}

/// One clear next step: visitors sign in, citizens go to the first thing that a slice offers them,
/// staff go to their desk.
pub(super) async fn home(State(app): State<App>, actor: Actor) -> Result<Page<Home>, Problem> {
    let frame = Frame::new(&app, &actor, "web-home-title");
    let offer_passkey = matches!(actor.who, Who::Citizen(_))
        && app.passkeys.are_possible()
        && passkey::owned(&app, actor.who).await?.is_empty();
    let for_asker =
        |it: &&NavEntry| !["/", "/sign-in"].contains(&it.path) && sees(it.audience, &actor);
    let mut more: Vec<NavItem> =
        app.nav.iter().filter(for_asker).map(|it| item(&frame, *it)).collect();
    // The account's own entry is last: it is nobody's next step.
    more.sort_by_key(|it| it.href.starts_with("/account"));
    let step = match actor.who {
        Who::Anonymous => Some(NavItem {
            href: "/sign-in".into(),
            label: frame.t("web-home-sign-in"),
            current: false,
        }),
        _ if more.is_empty() => None,
        _ => Some(more.remove(0)),
    };
    let lead = match actor.who {
        Who::Anonymous => "web-home-lead",
        Who::Citizen(_) => "web-home-lead-citizen",
        Who::Staff(_) => "web-home-lead-staff",
    };
    Ok(Page(Home {
        heading: frame.t1("web-home-heading", "region", &frame.region),
        lead: frame.t(lead),
        step,
        more,
        offer_passkey,
        about: !actor.is_signed_in(),
        colours: colours(&frame),
        frame,
    }))
}

fn item(frame: &Frame, entry: NavEntry) -> NavItem {
    NavItem { href: entry.path.to_owned(), label: frame.t(entry.text), current: false }
}

fn colours(frame: &Frame) -> Vec<(&'static str, String)> {
    [Colour::Green, Colour::Yellow, Colour::Red, Colour::Unknown]
        .map(|it| (it.word(), frame.t(&format!("web-colour-{}", it.word()))))
        .to_vec()
}

pub(super) fn home_sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let step =
        NavItem { href: "/sign-in".to_owned(), label: frame.t("web-home-sign-in"), current: false };
    let page = Home {
        heading: frame.t1("web-home-heading", "region", &frame.region),
        lead: frame.t("web-home-lead"),
        step: Some(step.clone()),
        more: vec![step],
        offer_passkey: true,
        about: true,
        colours: colours(&frame),
        frame,
    };
    page.render()
}

pub(super) async fn desk(State(app): State<App>, actor: Actor) -> Page<Desk> {
    let frame = Frame::new(&app, &actor, "web-desk-title");
    let seen = app.desk.iter().filter(|it| sees(it.audience, &actor));
    let cards = seen.map(|it| card(&frame, it.path, it.text, it.why)).collect();
    Page(Desk { frame, cards })
}

fn card(frame: &Frame, href: &'static str, label: &str, why: &str) -> Card {
    Card { href, label: frame.t(label), why: frame.t(why) }
}

pub(super) fn desk_sample(locale: Locale) -> Result<String, askama::Error> {
    let frame = sample_frame(locale);
    let cards = vec![card(&frame, "/log", "web-foot-log", "web-foot-line")];
    Desk { frame, cards }.render()
}

#[derive(serde::Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    to: String,
}

/// Sets the language and goes back to where the switch was.
pub(super) async fn language(
    State(app): State<App>,
    Path(tag): Path<String>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let locale = Locale::from_tag(&tag).ok_or_else(Problem::not_found)?;
    let mut response = See::other(back.to).into_response();
    let set = cookie::plain(&app.config, cookie::LANGUAGE, locale.tag(), 365 * 86_400);
    response.headers_mut().append(header::SET_COOKIE, set);
    Ok(response)
}
