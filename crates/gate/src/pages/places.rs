//! The list of places that one runs: searched, sorted, with today's entries and the devices that wait.

use std::cmp::Reverse;

use askama::Template;
use axum::extract::State;
use contracts::gate::Place as PlaceId;
use kernel::{Arg, Id};
use serde::Deserialize;
use store::{Fault, Reader};
use web::ui::{Choice, Field, Opt, Pager};
use web::{Access, Actor, App, Frame, Page, Problem, Query, Route, Sample};

use crate::count::{self, Window};
use crate::decide::ENROLMENT_HOURS;
use crate::rights::{self, Reach};
use crate::view::{self, PlaceRow};

/// Places on one page.
const PAGE: usize = 50;
/// From this many places on there is something to search.
const SEARCHED: usize = 8;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/desk/places", list, Access::Staff(rights::RUNS_PLACES))]
}

struct Line {
    href: String,
    name: String,
    kind: String,
    today: String,
    /// How many devices wait.
    waiting: Option<String>,
    sensitive: bool,
    closed: bool,
}

#[derive(Template)]
#[template(path = "gate/places.html")]
struct Places {
    frame: Frame,
    crumbs: Vec<(String, String)>,
    lines: Vec<Line>,
    /// Devices that wait somewhere: said above the list, whatever page one is on.
    waiting: Option<String>,
    search: Option<(Field, Choice)>,
    /// What an empty list says: nothing found is not the same as no place.
    nothing: String,
    with_sensitive: bool,
    /// Sensitive places are left out of a region's list: where to see them too.
    hidden: Option<String>,
    pager: Option<Pager>,
    /// Where from when on lists count is set, for whoever runs the region.
    lists: bool,
}

/// What the list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sort {
    /// Places with devices that wait, then by name.
    #[default]
    Waiting,
    Name,
    Entries,
}

impl Sort {
    const ALL: [Self; 3] = [Self::Waiting, Self::Name, Self::Entries];

    const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Name => "name",
            Self::Entries => "entries",
        }
    }

    const fn text_key(self) -> &'static str {
        match self {
            Self::Waiting => "gate-sort-waiting",
            Self::Name => "gate-sort-name",
            Self::Entries => "gate-sort-entries",
        }
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
struct ListQuery {
    /// Part of a name, or a place's code.
    #[serde(default)]
    q: String,
    #[serde(default)]
    sort: String,
    /// Counts from 1.
    page: Option<usize>,
    /// `yes` shows sensitive places in a region's list too.
    sensitive: Option<String>,
}

impl ListQuery {
    fn sort(&self) -> Sort {
        Sort::ALL.into_iter().find(|it| it.word() == self.sort).unwrap_or_default()
    }

    fn with_sensitive(&self) -> bool {
        self.sensitive.as_deref() == Some("yes")
    }

    fn finds(&self, it: &PlaceRow) -> bool {
        let wanted = self.q.trim().to_lowercase();
        it.name.to_lowercase().contains(&wanted) || it.code.eq_ignore_ascii_case(&wanted)
    }

    /// The address of another page of the same list.
    fn link(&self, page: usize) -> String {
        let (page, sensitive) = (page.to_string(), if self.with_sensitive() { "yes" } else { "" });
        let mut query =
            vec![("q", self.q.as_str()), ("sort", &self.sort), ("sensitive", sensitive)];
        query.retain(|it| !it.1.is_empty());
        query.push(("page", &page));
        // Pairs of texts: nothing of them fails to be encoded.
        format!("/desk/places?{}", serde_urlencoded::to_string(query).unwrap_or_default())
    }
}

/// A place with what is asked of it today.
struct Found {
    row: PlaceRow,
    waiting: u64,
    today: u64,
}

/// One page of what was found, with how many there are in all.
struct Listed {
    /// All places within reach.
    all: usize,
    /// Those that were found.
    found: usize,
    /// Devices that wait at any of `all`.
    waiting: u64,
    /// The page that is shown; counts from 0.
    page: usize,
    shown: Vec<Found>,
}

/// Names are sealed, so the search opens them one by one: half a millisecond for 300 places.
fn find(
    reader: &mut Reader<'_>,
    reach: &Reach,
    query: &ListQuery,
    window: &Window,
    since: kernel::Instant,
) -> Result<Listed, Fault> {
    let rows = reach.places(reader, query.with_sensitive())?;
    let waiting = view::waiting_by_place(reader, since)?;
    let waits = |place: &Id<PlaceId>| waiting.get(place).copied().unwrap_or_default();
    let all = rows.len();
    let all_waiting = rows.iter().map(|it| waits(&it.place)).sum();
    let mut rows: Vec<Found> = rows
        .into_iter()
        .filter(|it| query.finds(it))
        .map(|row| Found { waiting: waits(&row.place), row, today: 0 })
        .collect();
    let sort = query.sort();
    if sort == Sort::Entries {
        for it in &mut rows {
            it.today = count::total(reader, it.row.place, window)?;
        }
    }
    rows.sort_by(|left, right| {
        let key = |it: &Found| {
            let first = match sort {
                Sort::Waiting => it.waiting,
                Sort::Name => 0,
                Sort::Entries => it.today,
            };
            (it.row.closed_at.is_some(), Reverse(first))
        };
        key(left).cmp(&key(right)).then_with(|| by_name(&left.row.name, &right.row.name))
    });
    let found = rows.len();
    let page = query.page.unwrap_or(1).saturating_sub(1).min(found.saturating_sub(1) / PAGE);
    let mut shown: Vec<Found> = rows.into_iter().skip(page * PAGE).take(PAGE).collect();
    if sort != Sort::Entries {
        for it in &mut shown {
            it.today = count::total(reader, it.row.place, window)?;
        }
    }
    Ok(Listed { all, found, waiting: all_waiting, page, shown })
}

/// By name as people count: the 2nd shop before the 10th.
fn by_name(left: &str, right: &str) -> std::cmp::Ordering {
    parts(left).cmp(&parts(right))
}

/// Runs of digits as numbers, which come before letters; everything else letter by letter.
fn parts(name: &str) -> Vec<(u64, char)> {
    let mut parts = Vec::new();
    let mut number: Option<u64> = None;
    for letter in name.chars() {
        if let Some(digit) = letter.to_digit(10) {
            let before = number.unwrap_or_default();
            number = Some(before.saturating_mul(10).saturating_add(u64::from(digit)));
        } else {
            parts.extend(number.take().map(|it| (it, '\0')));
            parts.push((u64::MAX, letter));
        }
    }
    parts.extend(number.map(|it| (it, '\0')));
    parts
}

async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<ListQuery>,
) -> Result<Page<Places>, Problem> {
    let (now, zone) = (app.now(), app.config.zone.clone());
    let today = zone.date(now);
    let window = Window::of(today, today, &zone);
    let reach = Reach::of(&actor, rights::RUNS_PLACES);
    let whole = reach.whole;
    let since = now.plus_seconds(-ENROLMENT_HOURS * 3_600);
    let asked = query.clone();
    let listed = app.read(move |reader| find(reader, &reach, &asked, &window, since)).await?;
    let frame = Frame::new(&app, &actor, "gate-places-title");
    Ok(Page(page(frame, &query, &listed, whole)))
}

fn page(frame: Frame, query: &ListQuery, listed: &Listed, whole: bool) -> Places {
    let search = (SEARCHED < listed.all || !query.q.is_empty()).then(|| {
        let field = Field::text("q", frame.t("gate-places-search")).optional().with(&query.q);
        let field = Field { kind: "search", autocomplete: Some("off"), ..field };
        let option = |it: &Sort| Opt::new(it.word(), frame.t(it.text_key()), query.sort().word());
        let sort = Choice {
            name: "sort".to_owned(),
            label: frame.t("gate-places-sort"),
            options: Sort::ALL.iter().map(option).collect(),
            ..Choice::default()
        };
        (field, sort)
    });
    let first = listed.page * PAGE;
    let last = first + listed.shown.len();
    let pager = (PAGE < listed.found).then(|| Pager {
        previous: (0 < listed.page).then(|| query.link(listed.page)),
        next: (last < listed.found).then(|| query.link(listed.page + 2)),
        label: format!("{}–{last} / {}", first + 1, listed.found),
    });
    let waiting = i64::try_from(listed.waiting).unwrap_or(i64::MAX);
    Places {
        crumbs: vec![("/desk".to_owned(), frame.t("gate-crumb-desk"))],
        lines: listed.shown.iter().map(|it| line(&frame, it)).collect(),
        waiting: (0 < waiting)
            .then(|| frame.tf("gate-places-waiting", &[("n", Arg::Number(waiting))])),
        search,
        nothing: frame.t(if query.q.is_empty() { "gate-places-empty" } else { "gate-places-none" }),
        with_sensitive: query.with_sensitive(),
        hidden: (whole && !query.with_sensitive()).then(|| "/desk/places?sensitive=yes".to_owned()),
        pager,
        lists: whole,
        frame,
    }
}

fn line(frame: &Frame, it: &Found) -> Line {
    Line {
        href: format!("/desk/places/{}", it.row.place),
        name: it.row.name.clone(),
        kind: frame.t(it.row.kind.text_key()),
        today: web::texts::grouped(&it.today.to_string()),
        waiting: (0 < it.waiting).then(|| {
            let waiting = i64::try_from(it.waiting).unwrap_or(i64::MAX);
            frame.tn("gate-places-wait", "n", &waiting)
        }),
        sensitive: it.row.sensitive,
        closed: it.row.closed_at.is_some(),
    }
}

fn sample_listed(names: &[(&str, bool)]) -> Listed {
    let found = |(name, closed): &(&str, bool)| {
        let row = super::place::sample_place(name, *closed);
        Found { waiting: if *closed { 0 } else { 2 }, row, today: 1_273 }
    };
    let shown: Vec<Found> = names.iter().map(found).collect();
    Listed { all: 300, found: if shown.is_empty() { 0 } else { 300 }, waiting: 2, page: 1, shown }
}

pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample {
            name: "gate/places",
            render: |locale| {
                let listed = sample_listed(&[("해태 시장", false), ("온누리", true)]);
                page(web::sample_frame(locale), &ListQuery::default(), &listed, true).render()
            },
        },
        Sample {
            name: "gate/places-searched",
            render: |locale| {
                let query = ListQuery { q: "학원".to_owned(), ..ListQuery::default() };
                page(web::sample_frame(locale), &query, &sample_listed(&[]), true).render()
            },
        },
        Sample {
            name: "gate/places-empty",
            render: |locale| {
                let listed = Listed { all: 0, found: 0, waiting: 0, page: 0, shown: Vec::new() };
                page(web::sample_frame(locale), &ListQuery::default(), &listed, false).render()
            },
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_2nd_shop_stands_before_the_10th() {
        let mut names =
            ["해태 10호점", "해태 2호점", "강남 3호점", "해태", "2호점", "99999999999999999999999"];
        names.sort_by(|left, right| by_name(left, right));
        assert_eq!(
            names,
            ["2호점", "99999999999999999999999", "강남 3호점", "해태", "해태 2호점", "해태 10호점"]
        );
    }
}
