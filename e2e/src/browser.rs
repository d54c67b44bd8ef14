//! One person's browser: a profile of its own, and what a person does in it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::webdriver::Session;
use crate::{CHROMIUM, axe, picture, wait};

/// A cheap phone, in CSS pixels.
pub const PHONE: (u32, u32) = (360, 740);
/// A desk.
pub const DESK: (u32, u32) = (1280, 900);

/// What kind of browser is wanted.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The language that the browser asks for: `ko`, `en` or `zh-Hans`.
    pub language: &'static str,
    /// Whether a camera is there. It shows what [`Browser::film`] last wrote.
    pub camera: bool,
}

/// One person's browser.
pub struct Browser {
    // Before the profile: the browser ends, then its folder goes.
    session: Session,
    profile: TempDir,
    origin: String,
    scripts: Cell<bool>,
    width: Cell<u32>,
}

impl Browser {
    /// Opens a browser for the site at `origin` with the screen of a phone.
    pub fn open(origin: &str, wish: &Wish) -> Result<Self> {
        let profile = tempfile::tempdir().context("a folder for the profile")?;
        // A tag of the web has no script in Chromium's list of languages.
        let language = if wish.language == "zh-Hans" { "zh-CN" } else { wish.language };
        let mut flags = vec![
            format!("--user-data-dir={}", profile.path().join("profile").display()),
            format!("--accept-lang={language}"),
            "--headless=new".to_owned(),
            // Tests in a container run as root, where Chromium's own sandbox cannot.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--mute-audio".to_owned(),
        ];
        if wish.camera {
            let film = profile.path().join(FILM);
            picture::film(None, &film)?;
            flags.push("--use-fake-device-for-media-stream".to_owned());
            flags.push("--use-fake-ui-for-media-stream".to_owned());
            flags.push(format!("--use-file-for-fake-video-capture={}", film.display()));
        }
        let downloads = profile.path().join("downloads");
        fs::create_dir(&downloads)?;
        let session = Session::start(&json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "webauthn:virtualAuthenticators": true,
            "timeouts": { "script": 60_000, "pageLoad": 60_000 },
            "goog:chromeOptions": {
                "binary": CHROMIUM,
                "args": flags,
                "prefs": { "download.default_directory": downloads },
            },
        }))?;
        let browser = Self {
            session,
            profile,
            origin: origin.to_owned(),
            scripts: Cell::new(true),
            width: Cell::new(0),
        };
        browser.screen(PHONE)?;
        Ok(browser)
    }

    /// Gives the browser another screen; the page that is shown is laid out anew.
    pub fn screen(&self, (width, height): (u32, u32)) -> Result<()> {
        let mobile = width < 600;
        let screen = json!({
            "width": width, "height": height, "deviceScaleFactor": 2, "mobile": mobile,
        });
        self.session.devtools("Emulation.setDeviceMetricsOverride", &screen)?;
        self.width.set(width);
        Ok(())
    }

    /// Goes to a path of the site, or to a whole address.
    pub fn go(&self, path: &str) -> Result<()> {
        self.session.go(&self.address(path))
    }

    /// The whole address of a path of the site.
    pub fn address(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.origin) } else { path.to_owned() }
    }

    /// The path and query of the page that is shown.
    pub fn path(&self) -> Result<String> {
        let url = self.session.url()?;
        Ok(url.strip_prefix(&self.origin).unwrap_or(&url).to_owned())
    }

    /// Asks the site for a public text beside the browser: without its cookies or its scripts.
    pub fn get(&self, path: &str) -> Result<String> {
        let mut answer = ureq::get(self.address(path)).call().with_context(|| path.to_owned())?;
        answer.body_mut().read_to_string().with_context(|| path.to_owned())
    }

    /// Forbids all scripts of pages from now on.
    pub fn forbid_scripts(&self) -> Result<()> {
        self.session.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true }))?;
        self.scripts.set(false);
        Ok(())
    }

    /// Loads the page again.
    pub fn reload(&self) -> Result<()> {
        self.session.reload()
    }

    /// Waits until the path that is shown begins with `start`.
    pub fn arrives_at(&self, start: &str) -> Result<()> {
        let arrived = wait::until(&format!("the page {start}"), || {
            Ok(self.path()?.starts_with(start).then_some(()))
        });
        arrived.with_context(|| self.scene())
    }

    /// What is on the screen, for the message of a failure.
    pub fn scene(&self) -> String {
        let path = self.path().unwrap_or_default();
        let text = self.text("body").unwrap_or_default();
        let log = self.session.log().unwrap_or_default();
        let log = lines(&log);
        format!("on {path}:\n{}\nconsole:{log}", text.chars().take(2_500).collect::<String>())
    }

    /// The value of a JavaScript expression in the page.
    pub fn value(&self, expression: &str) -> Result<Value> {
        self.session.run(&format!("return {expression}"), &json!([]))
    }

    /// The same for an expression with `await` in it.
    pub fn awaited(&self, expression: &str) -> Result<Value> {
        self.session.run_async(&format!("return {expression}"), &json!([]))
    }

    /// Waits until a JavaScript expression is true.
    pub fn until(&self, what: &str, expression: &str) -> Result<()> {
        let seen = wait::until(what, || {
            Ok((self.value(&format!("Boolean({expression})"))? == Value::Bool(true)).then_some(()))
        });
        seen.with_context(|| self.scene())
    }

    /// Waits until an element is there and can be seen.
    pub fn until_seen(&self, css: &str) -> Result<()> {
        let script = format!("document.querySelector({})?.checkVisibility()", json!(css));
        self.until(css, &script)
    }

    /// Whether an element is there now and can be seen.
    pub fn sees(&self, css: &str) -> Result<bool> {
        let script = format!("!!document.querySelector({})?.checkVisibility()", json!(css));
        Ok(self.value(&script)? == Value::Bool(true))
    }

    /// The text of an element as a person sees it.
    pub fn text(&self, css: &str) -> Result<String> {
        let text = self.value(&format!("document.querySelector({})?.innerText", json!(css)))?;
        let text = text.as_str().with_context(|| format!("there is no {css}"))?;
        Ok(text.trim().to_owned())
    }

    /// An attribute of an element, if both are there.
    pub fn attribute(&self, css: &str, name: &str) -> Result<Option<String>> {
        let script =
            format!("document.querySelector({})?.getAttribute({})", json!(css), json!(name));
        Ok(self.value(&script)?.as_str().map(str::to_owned))
    }

    /// Every value that `expression` gives for the elements `it` of a selector.
    pub fn each(&self, css: &str, expression: &str) -> Result<Vec<String>> {
        let script =
            format!("[...document.querySelectorAll({})].map((it) => {expression})", json!(css));
        let all = self.value(&script)?;
        let all = all.as_array().context("a list")?;
        Ok(all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Clicks once the element is there and can be clicked; waits for the page this leads to.
    pub fn click(&self, css: &str) -> Result<()> {
        let clicked = wait::until(&format!("a click on {css}"), || {
            let element = self.session.find(css)?;
            self.session.click(&element).map(Some)
        });
        clicked.with_context(|| self.scene())
    }

    /// Fills a field, in place of what stood there.
    pub fn fill(&self, css: &str, text: &str) -> Result<()> {
        let filled = wait::until(&format!("the field {css}"), || {
            let element = self.session.find(css)?;
            self.session.clear(&element)?;
            self.session.type_in(&element, text).map(Some)
        });
        filled.with_context(|| self.scene())
    }

    /// Chooses a date: how a date is typed depends on the browser's language, so it is set as the
    /// date picker sets it.
    pub fn date(&self, css: &str, date: &str) -> Result<()> {
        let script = "const it = document.querySelector(arguments[0]); it.value = arguments[1]; \
                      it.dispatchEvent(new Event('input', { bubbles: true })); \
                      it.dispatchEvent(new Event('change', { bubbles: true })); return it.value";
        let set = self.session.run(script, &json!([css, date]))?;
        if set != json!(date) {
            bail!("{css} did not take the date {date}");
        }
        Ok(())
    }

    /// Chooses an option of a `select`.
    pub fn choose(&self, css: &str, value: &str) -> Result<()> {
        self.click(&format!("{css} option[value={}]", json!(value)))
    }

    /// Ticks the radio button `name` with `value` by its label, as a finger does.
    pub fn tick(&self, name: &str, value: &str) -> Result<()> {
        self.click(&format!(
            "label.option:has(> input[name={}][value={}])",
            json!(name),
            json!(value)
        ))
    }

    /// Gives a file to a file field. The field itself is usually hidden behind a button.
    pub fn give_file(&self, css: &str, file: &Path) -> Result<()> {
        let element = self.session.find(css)?;
        self.session.type_in(&element, &file.display().to_string())
    }

    /// A PNG of one element, as it is on the screen.
    pub fn picture_of(&self, css: &str) -> Result<Vec<u8>> {
        // Only what is on the screen is on the picture.
        let script = "document.querySelector(arguments[0]).scrollIntoView(\
                      { block: 'center', behavior: 'instant' })";
        self.session.run(script, &json!([css]))?;
        let element = self.session.find(css)?;
        STANDARD.decode(self.session.picture_of(&element)?).context("a picture")
    }

    /// The text of the QR code on an element, read from the screen's pixels.
    pub fn qr(&self, css: &str) -> Result<String> {
        let seen = wait::until(&format!("a QR code on {css}"), || {
            picture::read_qr(&self.picture_of(css)?).map(Some)
        });
        seen.with_context(|| self.scene())
    }

    /// Shows `picture` (a PNG) to the camera of this browser from its next start on.
    pub fn film(&self, picture: &[u8]) -> Result<()> {
        picture::film(Some(picture), &self.profile.path().join(FILM))
    }

    /// A folder that ends with this browser.
    pub fn folder(&self) -> &Path {
        self.profile.path()
    }

    /// The downloaded file whose name ends like this, once it is whole. Remove it before the next.
    pub fn download_like(&self, end: &str) -> Result<PathBuf> {
        let folder = self.profile.path().join("downloads");
        wait::until(&format!("a download of {end}"), || {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                // Until it is whole, its name ends in `.crdownload`.
                if path.to_string_lossy().ends_with(end) {
                    return Ok(Some(path));
                }
            }
            Ok(None)
        })
    }

    /// Gives the person an authenticator that holds passkeys and always finds its owner present.
    pub fn give_authenticator(&self) -> Result<()> {
        let kind = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserConsenting": true, "isUserVerified": true,
        });
        self.session.send("/webauthn/authenticator", Some(&kind))?;
        Ok(())
    }

    /// Signs out by losing the cookies, as somebody who takes up another role.
    pub fn forget_cookies(&self) -> Result<()> {
        self.session.forget_cookies()
    }

    /// Fails when the browser's console holds an error that is not one of `expected`.
    pub fn is_quiet(&self, expected: &[&str]) -> Result<()> {
        let log = self.session.log()?;
        let loud: Vec<&Value> = log
            .iter()
            .filter(|it| {
                let level = it.get("level").and_then(Value::as_str).unwrap_or_default();
                let message = it.get("message").and_then(Value::as_str).unwrap_or_default();
                matches!(level, "SEVERE" | "WARNING")
                    && !expected.iter().any(|it| message.contains(it))
            })
            .collect();
        if loud.is_empty() {
            return Ok(());
        }
        let lines = lines(loud);
        bail!("the console of {} is not quiet:{lines}", self.path().unwrap_or_default());
    }

    /// Fails when the page is wider than the screen, so that a person would have to push it about.
    pub fn fits(&self) -> Result<()> {
        // Not `innerWidth`: a phone widens that to what is too wide.
        let wide = self.value("document.documentElement.scrollWidth")?.as_u64();
        let width = self.width.get();
        if wide.is_none_or(|it| u64::from(width) < it) {
            bail!("{} is {wide:?} pixels wide on a screen of {width}", self.path()?);
        }
        Ok(())
    }

    /// Throws away what the console holds.
    pub fn forget_log(&self) -> Result<()> {
        self.session.log().map(|_| ())
    }

    /// Fails when axe-core finds something serious or critical on the page as it stands. It is a
    /// script itself: where scripts are forbidden it cannot look, and the same page is looked at
    /// elsewhere.
    pub fn is_accessible(&self) -> Result<()> {
        if !self.scripts.get() {
            return Ok(());
        }
        let found = axe::findings(&self.session)?;
        if found.is_empty() {
            return Ok(());
        }
        bail!("axe-core on {}:\n{}", self.path()?, found.join("\n"));
    }

    /// Keeps a picture of the whole page in `target/screenshots` when `HAETAE_SCREENSHOTS` is set.
    pub fn keep_picture(&self, name: &str) -> Result<()> {
        self.keep(name, true)
    }

    /// The same of what is on the screen.
    pub fn keep_screen(&self, name: &str) -> Result<()> {
        self.keep(name, false)
    }

    fn keep(&self, name: &str, whole: bool) -> Result<()> {
        if std::env::var_os("HAETAE_SCREENSHOTS").is_none() {
            return Ok(());
        }
        let wish = json!({ "format": "png", "captureBeyondViewport": whole });
        let taken = self.session.devtools("Page.captureScreenshot", &wish)?;
        let data = taken.get("data").and_then(Value::as_str).context("no picture")?;
        let folder = crate::city::target().join("screenshots");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{name}.png")), STANDARD.decode(data)?)?;
        Ok(())
    }
}

/// What a console says, one line each.
fn lines<'a>(log: impl IntoIterator<Item = &'a Value>) -> String {
    log.into_iter().fold(String::new(), |text, it| format!("{text}\n  {it}"))
}

/// What the fake camera shows, inside the profile's folder.
const FILM: &str = "camera.y4m";
