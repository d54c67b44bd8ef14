//! What other slices ask of this one: the functions that `app` puts into [`web::Questions`].

use contracts::gate::{ApprovedDevice, Device};
use kernel::Id;
use store::{Fault, Reader};
use web::NamedPlace;

use crate::model::DevicePhase;
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

/// A device that may check codes, and what its place asks for.
pub fn approved_device(
    reader: &mut Reader<'_>,
    device: Id<Device>,
) -> Result<Option<ApprovedDevice>, Fault> {
    let row = view::device(reader, device)?.filter(|it| it.phase == DevicePhase::Approved);
    let Some(row) = row else { return Ok(None) };
    let place = view::place(reader, row.place)?.filter(|it| it.closed_at.is_none());
    Ok(place.map(|it| ApprovedDevice {
        place: it.place,
        public_key: row.public_key.as_bytes().to_vec(),
        demand: it.policy.demand,
    }))
}
