//! The pages of a place's owner (places, devices, counts) and of a guard without a scanner. No
//! citizen's name anywhere.

mod check;
mod lists;
mod open;
mod place;
mod places;

use web::{Route, Sample};

use crate::scanner;

pub(crate) fn routes() -> Vec<Route> {
    let parts =
        [places::routes(), lists::routes(), open::routes(), place::routes(), check::routes()];
    parts.concat()
}

pub(crate) fn samples() -> Vec<Sample> {
    let parts = [
        scanner::samples(),
        places::samples(),
        lists::samples(),
        open::samples(),
        place::samples(),
        check::samples(),
    ];
    parts.into_iter().flatten().collect()
}
