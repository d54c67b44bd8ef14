//! The pages of a place's owner: places, devices, counts. No citizen's name anywhere.

mod open;
mod place;
mod places;

use web::{Route, Sample};

use crate::scanner;

pub(crate) fn routes() -> Vec<Route> {
    [places::routes(), open::routes(), place::routes()].concat()
}

pub(crate) fn samples() -> Vec<Sample> {
    [scanner::samples(), places::samples(), open::samples(), place::samples()].concat()
}
