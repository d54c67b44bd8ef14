//! What other slices ask of this one: the functions that `app` puts into [`web::Questions`].

use store::{Fault, Reader};
use web::NamedPlace;

use crate::view;

/// More places than this are not named in one answer.
const PLACES_MAX: u32 = 100_000;

/// The open places with their names, sensitive ones included, by name.
pub fn places(reader: &mut Reader<'_>) -> Result<Vec<NamedPlace>, Fault> {
    let rows = view::places_page(reader, None, true, PLACES_MAX)?;
    let named = |it: view::PlaceRow| {
        let (place, organisation, name) = (it.place, it.organisation, it.name);
        NamedPlace { place, organisation, name }
    };
    let mut places: Vec<_> = rows.into_iter().map(named).collect();
    places.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(places)
}
