//! What other slices are told: colours that were decided, passes that ended early.

use contracts::Published;
use contracts::code::Published as Told;
use store::{Fault, Recorded};

use crate::event::Event;
use crate::issuer::IssuerEvent;

/// What gates must learn of a key.
pub fn publish_issuer(it: &Recorded) -> Result<Option<Published>, Fault> {
    Ok(match it.event()? {
        Some(IssuerEvent::IssuerCompromised { why, at, .. }) => {
            Some(Published::Code(Told::KeyCompromised { why, at }))
        }
        _ => None,
    })
}

/// A holder's event as others may know it.
pub fn publish(it: &Recorded) -> Result<Option<Published>, Fault> {
    Ok(match it.event()? {
        Some(Event::Decided { colour, .. }) => Some(Told::Decided { person: it.id(), colour }),
        Some(Event::PassRevoked { pass, valid_until, .. }) => {
            Some(Told::PassRevoked { pass, valid_until })
        }
        _ => None,
    }
    .map(Published::Code))
}
