//! Who may run a place, and who may check codes there. Asked for every object anew, whatever the route's role says.

use std::collections::BTreeSet;

use contracts::gate::{Device, Place};
use contracts::person::{Organisation, Role, Scope};
use kernel::Id;
use store::{Fault, Reader};
use web::{Actor, App, Problem};

use crate::view::{self, DeviceRow, PlaceRow};

/// The roles whose holders run places.
pub const RUNS_PLACES: &[Role] = &[Role::Owner, Role::Administrator];
/// The roles whose holders check codes.
pub const CHECKS_CODES: &[Role] = &[Role::Guard, Role::Owner, Role::Administrator];

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

/// Whether the actor may check codes at this place: its guards and whoever runs it.
pub fn checks(actor: &Actor, place: Id<Place>, organisation: Id<Organisation>) -> bool {
    let scopes = [Scope::Place(place), Scope::Organisation(organisation)];
    actor.has_in(Role::Guard, &scopes) || runs(actor, place, organisation)
}

/// How far an actor's roles reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// All places of the region.
    pub whole: bool,
    organisations: BTreeSet<Id<Organisation>>,
    places: BTreeSet<Id<Place>>,
}

impl Reach {
    /// How far the actor's grants of any of these roles reach.
    pub fn of(actor: &Actor, roles: &[Role]) -> Self {
        let mut reach =
            Self { whole: false, organisations: BTreeSet::new(), places: BTreeSet::new() };
        for it in actor.grants.iter().filter(|it| roles.contains(&it.role)) {
            match it.scope {
                Scope::Region => reach.whole = true,
                Scope::Organisation(id) => drop(reach.organisations.insert(id)),
                // An administrator appoints people; a single place is its owner's.
                Scope::Place(_) if it.role == Role::Administrator => {}
                Scope::Place(id) => drop(reach.places.insert(id)),
            }
        }
        reach
    }

    /// All places within reach, closed ones included, each once. Of a whole region the sensitive
    /// ones only when asked for.
    pub fn places(
        &self,
        reader: &mut Reader<'_>,
        with_sensitive: bool,
    ) -> Result<Vec<PlaceRow>, Fault> {
        if self.whole {
            return view::places_all(reader, with_sensitive);
        }
        let mut rows = Vec::new();
        for it in &self.organisations {
            rows.extend(view::places_of(reader, *it)?);
        }
        for it in &self.places {
            if rows.iter().all(|row| row.place != *it) {
                rows.extend(view::place(reader, *it)?);
            }
        }
        Ok(rows)
    }
}

/// Whether the actor runs all places of the region.
pub fn runs_region(actor: &Actor) -> bool {
    Reach::of(actor, RUNS_PLACES).whole
}

/// The place, for whoever runs it. Others learn nothing, not even whether it exists.
pub async fn own_place(app: &App, actor: &Actor, place: Id<Place>) -> Result<PlaceRow, Problem> {
    let row = app.read(move |reader| view::place(reader, place)).await?;
    let row = row.filter(|it| runs(actor, place, it.organisation));
    row.ok_or_else(Problem::not_found)
}

/// The device of a place that the actor runs.
pub async fn own_device(
    app: &App,
    actor: &Actor,
    place: Id<Place>,
    device: Id<Device>,
) -> Result<DeviceRow, Problem> {
    own_place(app, actor, place).await?;
    let row = app.read(move |reader| view::device(reader, device)).await?;
    row.filter(|it| it.place == place).ok_or_else(Problem::not_found)
}

/// The place, for whoever checks codes there. Others learn nothing, not even whether it exists.
pub async fn checked_place(
    app: &App,
    actor: &Actor,
    place: Id<Place>,
) -> Result<PlaceRow, Problem> {
    let row = app.read(move |reader| view::place(reader, place)).await?;
    let row = row.filter(|it| checks(actor, place, it.organisation));
    row.ok_or_else(Problem::not_found)
}
