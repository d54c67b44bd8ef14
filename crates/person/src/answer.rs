//! What other slices and web ask of this one: the functions that `app` puts into
//! [`web::Questions`].

use contracts::person::{Grant, Organisation, Person, Staff};
use kernel::{Id, Instant};
use store::{Fault, Reader};

use crate::view;

/// Which roles a member of staff holds at `now`: none that ran out, none of somebody suspended.
pub fn grants_of(
    reader: &mut Reader<'_>,
    staff: Id<Staff>,
    now: Instant,
) -> Result<Vec<Grant>, Fault> {
    view::grants_of(reader, staff, now)
}

/// A member of staff's name.
pub fn staff_label(reader: &mut Reader<'_>, staff: Id<Staff>) -> Result<Option<String>, Fault> {
    Ok(view::staff(reader, staff)?.map(|it| it.name))
}

/// A citizen's name.
pub fn person_label(reader: &mut Reader<'_>, person: Id<Person>) -> Result<Option<String>, Fault> {
    Ok(view::citizen(reader, person)?.map(|it| it.name))
}

/// Who holds a number, in whatever form it was written.
pub fn person_by_phone(reader: &mut Reader<'_>, phone: &str) -> Result<Option<Id<Person>>, Fault> {
    match web::phone::normal(phone) {
        Some(phone) => view::holder_of(reader, &phone),
        None => Ok(None),
    }
}

/// A citizen's phone number; `None` for a child or whoever has none.
pub fn phone_of(reader: &mut Reader<'_>, person: Id<Person>) -> Result<Option<String>, Fault> {
    Ok(view::citizen(reader, person)?.and_then(|it| it.phone))
}

/// More organisations than this are not offered in one list.
const ORGANISATIONS_MAX: u32 = 500;

/// The open organisations with their names, by name.
pub fn organisations(reader: &mut Reader<'_>) -> Result<Vec<(Id<Organisation>, String)>, Fault> {
    let all = view::all_organisations(reader, Id::from_u128(0), ORGANISATIONS_MAX)?;
    let mut named: Vec<_> = all.into_iter().map(|it| (it.organisation, it.name)).collect();
    named.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(named)
}

/// Whether the first may act for the second at `now`.
pub fn may_help(
    reader: &mut Reader<'_>,
    helper: Id<Person>,
    helped: Id<Person>,
    now: Instant,
) -> Result<bool, Fault> {
    view::may_help(reader, helper, helped, now)
}
