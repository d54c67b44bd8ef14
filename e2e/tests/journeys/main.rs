//! What people do, in a real browser, with the real binary.
//!
//! Few tests with many steps: a city and a browser cost seconds to start. Every failure tells the
//! step, the page, what stood on it and what its console said.

mod code;
mod gate;
mod line;
mod log;
mod officer;
mod pages;
mod passes;
mod passkey;
mod people;

use anyhow::Result;
use e2e::City;

/// A city for `journey`, unless there is no browser to make it with.
fn in_a_city(journey: impl FnOnce(&mut City) -> Result<()>) -> Result<()> {
    if !e2e::browser_is_here() {
        return Ok(());
    }
    journey(&mut City::start()?)
}

#[test]
fn a_citizen_gets_through_a_door_in_korean() -> Result<()> {
    in_a_city(|city| line::whole_line(city, &people::KOREAN, "010-7711-0001"))
}

#[test]
fn a_citizen_gets_through_a_door_in_english() -> Result<()> {
    in_a_city(|city| line::whole_line(city, &people::ENGLISH, "010-7711-0002"))
}

#[test]
fn a_citizen_gets_through_a_door_in_chinese() -> Result<()> {
    in_a_city(|city| line::whole_line(city, &people::CHINESE, "010-7711-0003"))
}

#[test]
fn a_guard_hears_and_feels_each_verdict_and_checks_without_a_single_script() -> Result<()> {
    in_a_city(|city| gate::by_ear_and_without_scripts(city, &people::ENGLISH))
}

#[test]
fn a_kept_code_is_nobody_elses() -> Result<()> {
    in_a_city(|city| code::kept_code_is_nobody_elses(city))
}

#[test]
fn a_citizen_gets_a_code_without_a_single_script() -> Result<()> {
    in_a_city(|city| code::works_without_scripts(city))
}

#[test]
fn a_passkey_signs_in_a_citizen_and_an_officer() -> Result<()> {
    in_a_city(|city| passkey::passkeys(city))
}

#[test]
fn a_browser_judges_published_passes_as_the_server_does() -> Result<()> {
    in_a_city(|city| {
        passes::published_cases(city)?;
        passes::own_passes(city)
    })
}

#[test]
fn a_stranger_checks_the_public_log() -> Result<()> {
    in_a_city(|city| log::public_log(city))
}

#[test]
fn every_page_is_in_order_in_korean() -> Result<()> {
    in_a_city(|city| {
        pages::checks_can_fail(city)?;
        pages::all_pages(city, &people::KOREAN)
    })
}

#[test]
fn every_page_is_in_order_in_english() -> Result<()> {
    in_a_city(|city| pages::all_pages(city, &people::ENGLISH))
}

#[test]
fn every_page_is_in_order_in_chinese() -> Result<()> {
    in_a_city(|city| pages::all_pages(city, &people::CHINESE))
}
