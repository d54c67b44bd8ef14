//! The guard: a phone is enrolled and approved, scans by picture, camera and typed code, goes on
//! with the server off, and hands in what it kept.

use std::fs;

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{Browser, City, Wish, wait};
use serde_json::{Value, json};

use crate::code;
use crate::people::{Language, look, open, register, use_link};

/// What the guard sees.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// `pass`, `no_pass` or `cannot_tell`.
    pub(crate) verdict: String,
    /// Stable codes.
    pub(crate) reasons: String,
    /// The colour of the panel.
    pub(crate) colour: String,
    /// The reason in words.
    pub(crate) words: String,
}

/// The guard's phone.
pub(crate) struct Guard(pub(crate) Browser);

/// Enrols a phone at the demo's place; the owner approves it on a screen of their own, after
/// comparing the digits. Answers the phone and the place's page.
pub(crate) fn enrol(city: &City, language: &Language, owner: &Browser) -> Result<(Guard, String)> {
    let phone = Browser::open(city.origin()?, &Wish { language: language.tag, camera: true })?;
    phone.go("/gate/scan")?;
    phone.until("the scanner", "document.querySelector('#gate')?.dataset.ready === 'true'")?;
    look(&phone, language, "scan-practice")?;
    phone.click("#gate-note-enrol a")?;
    phone.arrives_at("/gate/enrol")?;
    look(&phone, language, "enrol")?;
    phone.fill("#f-place_code", city.address("place_code")?)?;
    phone.fill("#f-label", "입구 1")?;
    phone.click("#gate-enrol-form button[type=submit]")?;
    phone.until_seen("#gate-pairing")?;
    let digits = phone.text("#gate-pairing")?;
    look(&phone, language, "enrol-waiting")?;

    use_link(owner, city.address("owner")?)?;
    owner.go("/desk/places")?;
    look(owner, language, "places")?;
    let places = owner.each("main table a", "it.getAttribute('href')")?;
    let place = places
        .into_iter()
        .find(|place| {
            let waits = "[...document.querySelectorAll('section .gate-pairing')].length > 0";
            owner.go(place).is_ok() && owner.value(waits).ok() == Some(true.into())
        })
        .context("no place has a device that waits")?;
    let shown = owner.text("section .gate-pairing")?;
    ensure!(shown == digits, "the owner compares {shown}, the phone shows {digits}");
    look(owner, language, "place-waiting")?;
    owner.click("section form[action$='/approve'] button")?;
    owner.until("the approval", "!document.querySelector('section .gate-pairing')")?;
    look(owner, language, "place")?;

    phone.until_seen("#gate-done")?;
    phone.click("#gate-done a")?;
    phone.arrives_at("/gate/scan")?;
    phone.until(
        "an approved scanner",
        "document.querySelector('#gate')?.dataset.state === 'approved'",
    )?;
    look(&phone, language, "scan")?;
    Ok((Guard(phone), place))
}

impl Guard {
    /// What the verdict says once it is there, its screen kept under that name; then on to the next person.
    #[allow(clippy::print_stderr, reason = "a figure is printed for whoever measures")]
    fn seen(&self, screen: Option<&str>) -> Result<Seen> {
        let it = &self.0;
        // The panel goes by itself after some seconds, so everything is read at once.
        let script = "(() => { const panel = document.querySelector('#gate-verdict .verdict'); \
             if (!panel.checkVisibility()) return null; \
             const gate = document.querySelector('#gate').dataset; return [gate.verdict, \
             gate.reasons, panel.dataset.colour, panel.querySelector('.verdict-word').innerText, \
             panel.querySelector('.verdict-reason').innerText] })()";
        let read = wait::until("a verdict", || Ok(it.value(script)?.as_array().cloned()));
        let read = read.with_context(|| it.scene())?;
        let read: Vec<&str> = read.iter().map(|it| it.as_str().unwrap_or_default()).collect();
        let [verdict, reasons, colour, word, words] = read.as_slice() else {
            bail!("not a whole verdict: {read:?}");
        };
        ensure!(!word.is_empty(), "a verdict without a word");
        ensure!(*verdict == "pass" || !words.is_empty(), "{verdict} without a reason in words");
        // The goal is 300 ms on a phone. Here builds may run beside it, so the figure is printed for
        // whoever measures, and not held.
        let took = "(() => { const [read, verdict] = ['gate-read', 'gate-verdict'].map((it) => \
             performance.getEntriesByName(it).at(-1)?.duration ?? null); \
             return verdict === null ? null : [read, verdict] })()";
        let took = wait::until("the time of a verdict", || {
            let took = it.value(took)?;
            Ok((!took.is_null()).then_some(took))
        })?;
        eprintln!("gate [read, verdict] in ms: {took} ({verdict} {reasons})");
        let seen = Seen {
            verdict: (*verdict).to_owned(),
            reasons: (*reasons).to_owned(),
            colour: (*colour).to_owned(),
            words: format!("{word} {words}"),
        };
        screen.map_or(Ok(()), |name| it.keep_screen(name))?;
        it.value("document.querySelector('#gate-next').click()")?;
        it.until("the scanner again", "document.querySelector('#gate-verdict').hidden")?;
        Ok(seen)
    }

    /// Gives the scanner a picture file.
    pub(crate) fn scans_picture(&self, png: &[u8]) -> Result<Seen> {
        self.scans_picture_as(png, None)
    }

    /// The same, and keeps the screen under that name.
    pub(crate) fn scans_picture_as(&self, png: &[u8], screen: Option<&str>) -> Result<Seen> {
        let file = self.0.folder().join("picture.png");
        fs::write(&file, png)?;
        self.0.give_file("#gate-picture", &file)?;
        self.seen(screen)
    }

    /// Holds a picture before the camera.
    pub(crate) fn scans_film(&self, png: &[u8], screen: Option<&str>) -> Result<Seen> {
        self.0.film(png)?;
        self.0.click("#gate-start")?;
        let seen = self.seen(screen);
        // Stops the camera: the next film is read when it starts again.
        self.0.click("#gate-start")?;
        self.0.until("the end of the film", "document.querySelector('#gate-video').hidden")?;
        seen
    }

    /// Types a code.
    pub(crate) fn types(&self, text: &str) -> Result<Seen> {
        self.0.fill("#f-short", text)?;
        self.0.click("#gate-typed button")?;
        self.seen(None)
    }

    /// How many entries wait in the queue.
    pub(crate) fn queue(&self) -> Result<u32> {
        let text = self.0.text("#gate-queue")?;
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits.parse().with_context(|| format!("the queue says {text:?}"))
    }

    /// Waits until that many entries are in the queue, and none is on its way there.
    pub(crate) fn until_queue(&self, count: u32) -> Result<()> {
        let waited = wait::until(&format!("a queue of {count}"), || {
            let under_way = self.0.attribute("#gate", "data-recording")?;
            let settled = under_way.is_none_or(|it| it == "0");
            Ok((settled && self.queue()? == count).then_some(()))
        });
        waited.with_context(|| self.0.scene())
    }
}

/// A language that is not this one.
fn another(language: &Language) -> &'static str {
    if language.tag == "en" { "ko" } else { "en" }
}

impl Guard {
    /// The scanner is there, and speaks this language.
    fn speaks(&self, tag: &str) -> Result<()> {
        self.0.until("the scanner", "document.querySelector('#gate')?.dataset.ready === 'true'")?;
        let shown = "[document.documentElement.lang, \
             document.querySelector('[data-language][aria-pressed=true]').dataset.language]";
        let shown = self.0.value(shown)?;
        ensure!(shown == json!([tag, tag]), "{shown} is not {tag}");
        Ok(())
    }

    /// Chooses another language on another page.
    fn chooses_elsewhere(&self, tag: &str) -> Result<()> {
        self.0.go("/")?;
        self.0.click(&format!(".languages a[lang='{tag}']"))?;
        self.0.until("the language", &format!("document.documentElement.lang === '{tag}'"))
    }

    /// What is chosen on any page is spoken by the scanner as soon as it is opened, and the other way
    /// around. In the end another language is chosen than the scanner was opened with.
    pub(crate) fn follows_the_language(&self, language: &Language) -> Result<()> {
        let other = another(language);
        self.chooses_elsewhere(other)?;
        self.0.go("/gate/enrol")?;
        let enrol = self.0.attribute("html", "lang")?;
        ensure!(enrol.as_deref() == Some(other), "the enrolment page is in {enrol:?}");
        self.0.go("/gate/scan")?;
        self.speaks(other).context("at the first opening")?;
        self.0.click(&format!("[data-language='{}']", language.tag))?;
        self.speaks(language.tag)?;
        self.0.go("/")?;
        let home = self.0.attribute("html", "lang")?;
        ensure!(home.as_deref() == Some(language.tag), "the first page is in {home:?}");
        self.chooses_elsewhere(other)
    }

    /// With the server off the scanner speaks what was chosen last, and is switched back.
    pub(crate) fn keeps_the_language(&self, language: &Language) -> Result<()> {
        self.speaks(another(language)).context("with the server off")?;
        self.0.click(&format!("[data-language='{}']", language.tag))?;
        self.speaks(language.tag)
    }
}

/// Notes, beside what the page does, what it shakes and which tones it starts.
const LISTEN: &str = "(() => { \
     window.felt = { shakes: [], tones: [] }; \
     const shake = navigator.vibrate.bind(navigator); \
     navigator.vibrate = (pattern) => { felt.shakes.push(pattern); return shake(pattern); }; \
     const make = AudioContext.prototype.createOscillator; \
     AudioContext.prototype.createOscillator = function () { \
       const tone = make.call(this); \
       const start = tone.start.bind(tone); \
       tone.start = (...when) => { felt.tones.push(tone.frequency.value); start(...when); }; \
       return tone; }; \
     })()";

impl Guard {
    /// From now on [`Guard::feels`] knows what a guard hears and feels. Until the page goes.
    fn listens(&self) -> Result<()> {
        self.0.value(LISTEN).map(|_| ())
    }

    /// Whether the last verdict shook like this and sounded like that, and only once.
    #[track_caller]
    fn feels(&self, shake: &[u32], tones: &[u32]) -> Result<()> {
        let felt = self.0.value("[felt.shakes.splice(0), felt.tones.splice(0)]")?;
        let expected = json!([[shake], tones]);
        ensure!(felt == expected, "felt {felt}, expected {expected}");
        Ok(())
    }
}

/// A guard who does not look hears and feels each verdict; lists of before an accident end and the
/// door goes on; and a guard without a script types codes at the server.
pub(crate) fn by_ear_and_without_scripts(city: &City, language: &Language) -> Result<()> {
    let (citizen, owner) = (open(city, language)?, open(city, language)?);
    register(&citizen, language, "010-7733-0001").context("registering")?;
    code::becomes_green(&citizen, language).context("declaring")?;
    citizen.go("/code")?;
    citizen.until_seen("#pass")?;
    let short = citizen.text("#short")?;
    let (guard, place) = enrol(city, language, &owner).context("enrolling")?;

    guard.listens()?;
    guard.types("HT1:HELLO")?;
    guard.feels(&[60, 60, 60, 60, 60], &[440, 440, 440]).context("cannot tell")?;
    guard.scans_film(&code::fresh_picture(&citizen)?, None)?;
    guard.feels(&[70], &[880, 1320]).context("a pass")?;
    guard.types(&short)?;
    guard.feels(&[70, 70, 70], &[880, 880]).context("a glance at an ID")?;

    let administrator = open(city, language)?;
    use_link(&administrator, city.address("administrator")?)?;
    administrator.go("/desk/places/lists")?;
    look(&administrator, language, "lists")?;
    administrator.fill("#f-why", "key replaced")?;
    administrator.click("main form button[type=submit]")?;
    administrator.until_seen("main dl.facts")?;
    look(&administrator, language, "lists-raised")?;
    guard.0.reload()?;
    let since = "(await (await import(document.querySelector('#gate').dataset.keep)).openKeep()\
         .then((keep) => keep.get('since'))) > 0";
    wait::until("the scanner to know from when on lists count", || {
        Ok((guard.0.awaited(since)? == Value::Bool(true)).then_some(()))
    })?;
    guard.0.until("fresh lists", "document.querySelector('#gate')?.dataset.ready === 'true'")?;
    guard.listens()?;
    // The first is a minute old by now, or the gate would know it again.
    code::declare(&citizen, language, &code::ILL)?;
    citizen.go("/code?now=1")?;
    let seen = guard.scans_film(&code::fresh_picture(&citizen)?, None)?;
    ensure!(seen.verdict == "no_pass", "{seen:?}");
    guard.feels(&[300, 100, 300], &[190, 150]).context("a no")?;
    guard.until_queue(0)?;

    let before = entries(&owner, &place)?;
    let short = citizen.text("#short")?;
    owner.forbid_scripts()?;
    owner.go("/gate/scan")?;
    owner.click("noscript a[href='/gate/check']")?;
    owner.arrives_at("/gate/check")?;
    look(&owner, language, "check-where")?;
    let id = place.rsplit('/').next().unwrap_or_default();
    owner.click(&format!("main a[href='/gate/check/{id}']"))?;
    owner.fill("#f-short", &short.to_lowercase())?;
    owner.click("main form button[type=submit]")?;
    owner.until_seen("main .verdict")?;
    let colour = owner.attribute("main .verdict", "data-colour")?;
    ensure!(colour.as_deref() == Some("red"), "an ill person's code is {colour:?}");
    look(&owner, language, "check-no-pass")?;
    let after = entries(&owner, &place)?;
    ensure!(after == before + 1, "{before} entries and one more make {after}");
    Ok(())
}

/// What a place's owner reads: entries of today.
pub(crate) fn entries(owner: &Browser, place: &str) -> Result<u32> {
    owner.go(place)?;
    let first = owner.text("dl.tiles dd")?;
    let digits: String = first.chars().filter(char::is_ascii_digit).collect();
    digits.parse().with_context(|| format!("the tile says {first:?}"))
}
