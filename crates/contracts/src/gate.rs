//! Places and gates: the words that other slices need.

use kernel::Kind;

/// A place with a door.
#[derive(Debug)]
pub struct Place;
impl Kind for Place {
    const PREFIX: &'static str = "place";
}

/// A guard's phone or a fixed scanner, with a key pair made on the device.
#[derive(Debug)]
pub struct Device;
impl Kind for Device {
    const PREFIX: &'static str = "device";
}

/// What `gate` publishes. Nothing yet: entries are observations, read under an open case only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {}
