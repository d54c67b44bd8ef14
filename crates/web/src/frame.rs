//! The frame of a page: everything that `templates/base.html` draws around a page's own content.

use std::sync::Arc;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::{Arg, Instant, Locale, Zone};

use crate::actor::Who;
use crate::assets::Assets;
use crate::problem::Problem;
use crate::slice::Audience;
use crate::{Actor, App, Texts, cookie};

/// A link of the main menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem {
    /// Where it leads.
    pub href: String,
    /// What it says.
    pub label: String,
    /// Whether this page lies under it.
    pub current: bool,
}

/// A link of the language switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageLink {
    /// Sets the language and comes back.
    pub href: String,
    /// The language's own name.
    pub label: &'static str,
    /// The BCP 47 tag.
    pub lang: &'static str,
    /// Whether it is the present one.
    pub current: bool,
}

/// The frame of one page for one reader.
#[derive(Clone)]
pub struct Frame {
    /// The page's title, in the reader's language.
    pub title: String,
    /// The main menu.
    pub nav: Vec<NavItem>,
    /// The language switch.
    pub languages: Vec<LanguageLink>,
    /// How the signed-in person is shown.
    pub user: Option<String>,
    /// The form token: hidden field `_csrf`.
    pub csrf: String,
    /// What makes a repeated submission of this form recognisable: hidden field `_once`.
    pub once: String,
    /// What has just been done.
    pub notice: Option<String>,
    /// What everybody, or this person, must know on every page.
    pub banner: Option<String>,
    /// Addresses of ES modules.
    pub scripts: Vec<String>,
    /// The region's name in the reader's language.
    pub region: String,
    /// The reader's language.
    pub locale: Locale,
    theme: &'static str,
    size: &'static str,
    zone: Zone,
    texts: Arc<Texts>,
    assets: Arc<Assets>,
}

impl Frame {
    /// The frame for `actor` with the title that `title_key` names.
    pub fn new(app: &App, actor: &Actor, title_key: &str) -> Self {
        let locale = actor.locale;
        let text = |key: &str| app.texts.get(locale, key);
        let path = actor.path();
        let nav = app
            .nav
            .iter()
            .filter(|it| sees(it.audience, actor))
            .map(|it| NavItem {
                href: it.path.to_owned(),
                label: text(it.text),
                current: path == it.path
                    || (it.path != "/" && path.starts_with(&format!("{}/", it.path))),
            })
            .collect();
        // Who acts for another is shown with that person: on every page, and for `theme.js`, which
        // drops pages that were kept for somebody else.
        let user = actor.is_signed_in().then(|| {
            let own = actor.label.clone().unwrap_or_else(|| text("web-signed-in"));
            match (&actor.acting_for, &actor.acting_for_label) {
                (Some(_), Some(helped)) => format!("{own} → {helped}"),
                _ => own,
            }
        });
        let banner = actor.acting_for.map(|_| {
            let name = actor.acting_for_label.clone().unwrap_or_default();
            app.texts.format(locale, "web-acting-for", &[("name", Arg::Text(name))])
        });
        let notice = actor.request.notice.as_deref().and_then(|it| app.texts.find(locale, it));
        Self {
            title: text(title_key),
            nav,
            languages: languages(locale, path),
            user,
            csrf: app.key.csrf(&actor.request.secret, app.seed()),
            once: hex::encode(app.seed().bytes::<16>()),
            notice,
            banner,
            scripts: Vec::new(),
            region: app.config.region_name(locale).to_owned(),
            locale,
            theme: actor.request.theme.unwrap_or("auto"),
            size: actor.request.size.unwrap_or("normal"),
            zone: app.config.zone.clone(),
            texts: Arc::clone(&app.texts),
            assets: Arc::clone(&app.assets),
        }
    }

    pub(crate) fn sample(locale: Locale, texts: Arc<Texts>, assets: Arc<Assets>) -> Self {
        Self {
            title: texts.get(locale, "web-name"),
            nav: vec![NavItem {
                href: "/".to_owned(),
                label: texts.get(locale, "web-nav-home"),
                current: true,
            }],
            languages: languages(locale, "/"),
            user: Some(texts.get(locale, "web-signed-in")),
            csrf: "0".repeat(96),
            once: "0".repeat(32),
            notice: None,
            banner: None,
            scripts: Vec::new(),
            region: "Haetae".to_owned(),
            locale,
            theme: "auto",
            size: "normal",
            zone: Zone::utc(),
            texts,
            assets,
        }
    }

    /// The same frame with another title, already in the reader's language.
    #[must_use]
    pub fn titled(self, title: String) -> Self {
        Self { title, ..self }
    }

    /// The same frame with the ES module of this name, e.g. `code/show.js`.
    #[must_use]
    pub fn script(mut self, name: &str) -> Self {
        let url = self.assets.url(name);
        self.scripts.push(url);
        self
    }

    /// The same frame with a notice, already in the reader's language.
    #[must_use]
    pub fn with_notice(self, notice: String) -> Self {
        Self { notice: Some(notice), ..self }
    }

    /// The text with this key.
    pub fn t(&self, key: &str) -> String {
        self.texts.get(self.locale, key)
    }

    /// The text with this key and these variables.
    pub fn tf(&self, key: &str, args: &[(&str, Arg)]) -> String {
        self.texts.format(self.locale, key, args)
    }

    /// The text with this key and one text in it: what templates can write.
    pub fn t1(&self, key: &str, name: &str, value: &str) -> String {
        self.tf(key, &[(name, Arg::Text(value.to_owned()))])
    }

    /// The text with this key and one number in it.
    pub fn tn(&self, key: &str, name: &str, value: &i64) -> String {
        self.tf(key, &[(name, Arg::Number(*value))])
    }

    /// What a rule looked at, clause by clause, in sentences.
    pub fn rule_steps(&self, facts: &str, trace: &rules::Trace) -> Vec<crate::rule_text::Sentence> {
        crate::rule_text::trace(&self.texts, self.locale, facts, trace)
    }

    /// What a rule reads at a path, by its name (see [`crate::rule_text::fact`]).
    pub fn rule_fact(&self, facts: &str, path: &str) -> String {
        crate::rule_text::fact(&self.texts, self.locale, facts, path)
    }

    /// What is wrong with a rule, without its place.
    pub fn rule_mistake(&self, invalid: &rules::Invalid) -> String {
        crate::rule_text::mistake(&self.texts, self.locale, invalid)
    }

    /// `YYYY-MM-DD HH:MM` in the city's zone.
    pub fn minute(&self, instant: &Instant) -> String {
        self.zone.minute(*instant)
    }

    /// The BCP 47 tag of the page's language.
    pub fn lang(&self) -> &'static str {
        self.locale.tag()
    }

    /// The address of a file under `/assets/`, with its content's hash.
    pub fn asset(&self, name: &str) -> String {
        self.assets.url(name)
    }

    /// `auto`, `light` or `dark`.
    pub fn theme(&self) -> &'static str {
        self.theme
    }

    /// `normal` or `large`.
    pub fn size(&self) -> &'static str {
        self.size
    }
}

pub(crate) fn sees(audience: Audience, actor: &Actor) -> bool {
    match (audience, actor.who) {
        (Audience::Everyone, _)
        | (Audience::Visitors, Who::Anonymous)
        | (Audience::Citizens, Who::Citizen(_)) => true,
        (Audience::Staff(roles), Who::Staff(_)) => {
            roles.is_empty() || roles.iter().any(|it| actor.has(*it))
        }
        _ => false,
    }
}

fn languages(present: Locale, path: &str) -> Vec<LanguageLink> {
    let back = if crate::redirect::is_safe(path) { path } else { "/" };
    let query = serde_urlencoded::to_string([("to", back)]).unwrap_or_default();
    Locale::ALL
        .into_iter()
        .map(|it| LanguageLink {
            href: format!("/lang/{}?{query}", it.tag()),
            label: it.own_name(),
            lang: it.tag(),
            current: it == present,
        })
        .collect()
}

/// A page: `Ok(Page(Show { frame, .. }))`. With another status: `(StatusCode::UNPROCESSABLE_ENTITY,
/// Page(..))`, which is what a form that came back has.
pub struct Page<T>(pub T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => Problem::from(error).into_response(),
        }
    }
}

/// What a form gives back when it holds mistakes: status 422.
pub fn unprocessable<T: Template>(page: T) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response()
}

/// "Done; look there": 303 to one of our own pages, with a notice on it if wished.
#[derive(Debug, Clone)]
pub struct See {
    to: String,
    notice: Option<&'static str>,
    cookies: Vec<HeaderValue>,
}

impl See {
    /// To this path of ours. Anything that is not one leads home.
    pub fn other(path: impl Into<String>) -> Self {
        let path = path.into();
        let to = if crate::redirect::is_safe(&path) { path } else { "/".to_owned() };
        Self { to, notice: None, cookies: Vec::new() }
    }

    /// With the text of this key shown on the next page.
    #[must_use]
    pub fn notice(self, key: &'static str) -> Self {
        Self { notice: Some(key), ..self }
    }

    /// With a cookie, e.g. of a new session.
    #[must_use]
    pub fn cookie(mut self, cookie: crate::session::SessionCookie) -> Self {
        self.cookies.extend(cookie.0);
        self
    }
}

impl IntoResponse for See {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        // A safe path is printable ASCII.
        if let Ok(to) = HeaderValue::from_str(&self.to) {
            headers.insert(header::LOCATION, to);
        }
        for it in self.cookies {
            headers.append(header::SET_COOKIE, it);
        }
        if let Some(key) = self.notice {
            let text = format!("{}={key}; Path=/; SameSite=Lax; Max-Age=60", cookie::NOTICE);
            if let Ok(it) = HeaderValue::from_str(&text) {
                headers.append(header::SET_COOKIE, it);
            }
        }
        (StatusCode::SEE_OTHER, headers).into_response()
    }
}
