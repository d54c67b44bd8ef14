//! Who may run a place. Asked for every object anew, whatever the route's role says.

use contracts::gate::Place;
use contracts::person::{Organisation, Role, Scope};
use kernel::Id;
use store::Fault;
use web::{Actor, App, Problem};

use crate::view::{self, PlaceRow};

/// The roles whose holders run places.
pub const RUNS_PLACES: &[Role] = &[Role::Owner, Role::Administrator];

/// Whether the actor runs this place: owners by place, organisation or region; administrators by
/// organisation or region.
pub fn runs(actor: &Actor, place: Id<Place>, organisation: Id<Organisation>) -> bool {
    let organisation = Scope::Organisation(organisation);
    actor.has_in(Role::Owner, &[Scope::Place(place), organisation])
        || actor.has_in(Role::Administrator, &[organisation])
}

/// Whether the actor may open a place for this organisation.
pub fn may_open(actor: &Actor, organisation: Id<Organisation>) -> bool {
    let scope = [Scope::Organisation(organisation)];
    RUNS_PLACES.iter().any(|it| actor.has_in(*it, &scope))
}

/// Whether the actor runs all places of the region.
pub fn runs_region(actor: &Actor) -> bool {
    let runs = |role: Role| RUNS_PLACES.contains(&role);
    actor.grants.iter().any(|it| runs(it.role) && it.scope == Scope::Region)
}

/// The organisations whose places the actor runs.
pub fn organisations(actor: &Actor) -> Vec<Id<Organisation>> {
    let runs = |role: Role| RUNS_PLACES.contains(&role);
    let mut all: Vec<_> = actor
        .grants
        .iter()
        .filter_map(|it| match it.scope {
            Scope::Organisation(id) if runs(it.role) => Some(id),
            _ => None,
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The single places that the actor owns.
pub fn single_places(actor: &Actor) -> Vec<Id<Place>> {
    let mut all: Vec<_> = actor
        .grants
        .iter()
        .filter_map(|it| match it.scope {
            Scope::Place(id) if it.role == Role::Owner => Some(id),
            _ => None,
        })
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The place, for whoever runs it. Others learn nothing, not even whether it exists.
pub async fn own_place(app: &App, actor: &Actor, place: Id<Place>) -> Result<PlaceRow, Problem> {
    let row = app.read(move |reader| view::place(reader, place)).await?;
    let row = row.filter(|it| runs(actor, place, it.organisation));
    row.ok_or_else(Problem::not_found)
}

/// All places that the actor runs, closed ones last, each once. Of a whole region one page after
/// `after`, and sensitive ones only when asked for.
pub async fn own_places(
    app: &App,
    actor: &Actor,
    after: Option<Id<Place>>,
    with_sensitive: bool,
    limit: u32,
) -> Result<Vec<PlaceRow>, Problem> {
    let (organisations, places) = (organisations(actor), single_places(actor));
    let whole = runs_region(actor);
    let rows = app.read(move |reader| -> Result<Vec<PlaceRow>, Fault> {
        if whole {
            return view::places_page(reader, after, with_sensitive, limit);
        }
        let mut rows = Vec::new();
        for it in organisations {
            rows.extend(view::places_of(reader, it)?);
        }
        for it in places {
            if rows.iter().all(|row| row.place != it) {
                rows.extend(view::place(reader, it)?);
            }
        }
        rows.sort_by(|left, right| {
            (left.closed_at.is_some(), &left.name).cmp(&(right.closed_at.is_some(), &right.name))
        });
        Ok(rows)
    });
    rows.await
}
