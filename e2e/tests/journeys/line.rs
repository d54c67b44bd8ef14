//! The heart of the product, in one language: a citizen declares and gets a code, a guard lets them
//! through a door, with and without the server, and two officers decide otherwise.

use anyhow::{Context as _, Result, ensure};
use e2e::City;

use crate::code::{self, ILL};
use crate::gate::{self, entries};
use crate::officer;
use crate::people::{Language, look, open, register};

/// The whole line. `number` is the citizen's telephone number.
pub(crate) fn whole_line(city: &mut City, language: &Language, number: &str) -> Result<()> {
    let citizen = open(city, language)?;
    register(&citizen, language, number).context("registering")?;
    code::becomes_green(&citizen, language).context("declaring")?;
    let trust = code::lists(&citizen)?;
    code::shows_a_good_code(&citizen, &trust).context("showing")?;
    let printed = code::prints(&citizen, language).context("printing")?;

    let owner = open(city, language)?;
    let (guard, place) = gate::enrol(city, language, &owner).context("enrolling")?;
    let before = entries(&owner, &place)?;

    // A picture file: passes once; the same picture again is somebody else's.
    citizen.go("/code")?;
    let picture = code::fresh_picture(&citizen)?;
    let short = citizen.text("#short")?;
    let seen = guard.scans_picture(&picture)?;
    ensure!(seen.verdict == "pass" && seen.colour == "green", "{seen:?}");
    let seen = guard.scans_picture(&picture)?;
    ensure!(seen.verdict == "cannot_tell" && seen.reasons == "already_used", "{seen:?}");
    // A printed code: passes with a glance at an ID.
    let seen = guard.scans_picture(&printed)?;
    ensure!(seen.verdict == "pass" && seen.colour == "yellow", "{seen:?}");
    // A typed code, as a guard types it; the server says what it is.
    let seen = guard.types(&short.to_lowercase().replace('-', " "))?;
    ensure!(seen.verdict == "pass", "{seen:?}");
    // What is no code of ours.
    let seen = guard.types("HT1:HELLO")?;
    ensure!(seen.verdict == "cannot_tell" && seen.reasons == "malformed", "{seen:?}");
    guard.until_queue(0).context("handing in")?;
    let after = entries(&owner, &place)?;
    ensure!(after == before + 5, "{before} entries and 5 more make {after}");

    code::shows_it_with_the_server_off(&citizen, language, city).context("showing offline")?;
    let dead = picture;

    guard.follows_the_language(language).context("another language")?;

    // The server is off: the scanner comes up again and verifies by camera.
    citizen.go("/code")?;
    citizen.until_seen("#pass")?;
    guard.0.forget_log()?;
    city.kill()?;
    guard.0.go("/gate/scan")?;
    guard.0.until("a scanner without a server", "document.querySelector('#gate')?.dataset.ready === 'true' && document.querySelector('#gate').dataset.online === 'false'")?;
    guard.keeps_the_language(language)?;
    citizen.reload()?;
    let name = format!("verdict-pass-{}", language.tag);
    let seen = guard.scans_film(&code::fresh_picture(&citizen)?, Some(&name))?;
    ensure!(seen.verdict == "pass" && seen.words.contains(language.green), "{seen:?}");
    let seen = guard.scans_picture(&dead)?;
    ensure!(seen.verdict == "no_pass" && seen.reasons.contains("proof_stale"), "{seen:?}");
    let seen = guard.types(&short)?;
    ensure!(seen.verdict == "cannot_tell" && seen.reasons == "typed_offline", "{seen:?}");
    guard.until_queue(3)?;
    // The queue outlives the page.
    guard.0.reload()?;
    guard.until_queue(3)?;
    guard.0.keep_picture(&format!("scan-offline-{}", language.tag))?;
    guard.0.is_accessible()?;

    // The server is back: everything that was kept arrives, once.
    city.serve()?;
    guard.0.reload()?;
    guard.until_queue(0).context("handing in what was kept")?;
    guard.0.forget_log()?;
    citizen.forget_log()?;
    let last = entries(&owner, &place)?;
    ensure!(last == after + 3, "{after} entries and 3 kept ones make {last}");
    look(&owner, language, "place-entries")?;

    officer::orders_and_appeals(city, language, &citizen, number).context("two officers")?;

    // The citizen coughs: yellow, and the door says why not.
    code::declare(&citizen, language, &ILL)?;
    let shown = citizen.attribute(".colour", "data-colour")?;
    ensure!(shown.as_deref() == Some("yellow"), "a cough makes {shown:?}");
    look(&citizen, language, "result-yellow")?;
    citizen.go("/code?now=1")?;
    let name = format!("verdict-no-pass-{}", language.tag);
    let seen = guard.scans_film(&code::fresh_picture(&citizen)?, Some(&name))?;
    ensure!(seen.verdict == "no_pass" && seen.reasons.contains("colour_yellow"), "{seen:?}");
    guard.0.is_quiet(&[])?;
    citizen.is_quiet(&[])?;

    // The city's own word on all of this.
    city.kill()?;
    city.audit().context("the audit")?;
    Ok(())
}
