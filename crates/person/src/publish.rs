//! What other slices are told: that a person is to be forgotten, and nothing else.

use contracts::Published;
use contracts::person::Published as Told;
use store::{Fault, Recorded};

use crate::event::CitizenEvent;

pub(crate) fn citizen(it: &Recorded) -> Result<Option<Published>, Fault> {
    let forgotten = it.event::<CitizenEvent>()? == Some(CitizenEvent::Forgotten);
    Ok(forgotten.then(|| Published::Person(Told::Forgotten { person: it.id() })))
}
