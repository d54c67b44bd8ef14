//! The pages: [`browse`] the log, [`check`] it, see what stands there about oneself ([`own`]).

pub mod browse;
pub mod check;
pub mod own;
pub mod picture;

use web::{Access, Route, Sample};

/// All routes of the pages.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/log", browse::log, Access::Anyone),
        Route::get("/log/entry/{index}", browse::entry, Access::Anyone),
        Route::get("/log/receipt/{index}", browse::receipt, Access::Anyone),
        Route::get("/log/search", browse::search, Access::Anyone),
        Route::get("/log/check", check::check, Access::Anyone),
        Route::get("/log/consistency", check::consistency, Access::Anyone),
        Route::get("/account/receipts", own::list, Access::Citizen),
        Route::get("/account/receipts/{index}", own::show, Access::Citizen),
        Route::get("/account/receipts/{index}/file", own::file, Access::Citizen),
    ]
}

/// Samples of every page.
pub fn samples() -> Vec<Sample> {
    [browse::samples(), check::samples(), own::samples()].concat()
}

/// A number with its digits grouped.
pub(crate) fn number(value: u64) -> String {
    web::texts::grouped(&value.to_string())
}

/// A number as texts take it.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
