//! The W3C WebDriver protocol (<https://www.w3.org/TR/webdriver2/>) as far as the journeys use it,
//! and ChromeDriver's two additions: the browser's log and its DevTools commands.

use std::io::{BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::DRIVER;

/// The name under which the protocol hands out an element's reference.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running ChromeDriver with one session in it. Ends both when dropped.
pub struct Session {
    driver: Child,
    agent: ureq::Agent,
    base: String,
}

/// An element of the page that is shown now.
#[derive(Debug, Clone)]
pub struct Element(String);

impl Session {
    /// Starts ChromeDriver on a port of its choice, and a browser with `capabilities`.
    pub fn start(capabilities: &Value) -> Result<Self> {
        let mut driver = Command::new(DRIVER)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting ChromeDriver")?;
        let said = driver.stdout.take().context("ChromeDriver says nothing")?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(2)))
            .build();
        // From here on a failure drops the session, and with it the process.
        let mut session = Self { driver, agent: config.into(), base: String::new() };
        let mut said = BufReader::new(said);
        let port = port(&mut said)?;
        // What it says later is read away, or it would stop at a full pipe.
        std::thread::spawn(move || said.read_to_end(&mut Vec::new()));
        session.base = format!("http://127.0.0.1:{port}/session");
        let wish = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let made = session.send("", Some(&wish)).context("starting Chromium")?;
        let id = made.get("sessionId").and_then(Value::as_str).context("no session")?;
        session.base = format!("{}/{id}", session.base);
        Ok(session)
    }

    /// One command: a POST with `body`, or a GET without. `path` begins with a slash or is empty.
    pub fn send(&self, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!("{}{path}", self.base);
        let answer = match body {
            Some(body) => self.agent.post(&url).send_json(body),
            None => self.agent.get(&url).call(),
        };
        let mut answer = answer.with_context(|| format!("WebDriver {path}"))?;
        // A screenshot of a long page is larger than the client's usual limit.
        let answer: Value = answer
            .body_mut()
            .with_config()
            .limit(256 * 1024 * 1024)
            .read_json()
            .with_context(|| format!("WebDriver {path}"))?;
        let value = answer.get("value").cloned().unwrap_or(Value::Null);
        if let Some(error) = value.get("error").and_then(Value::as_str) {
            let message = value.get("message").and_then(Value::as_str).unwrap_or_default();
            let first = message.lines().next().unwrap_or_default();
            bail!("{error}: {first}");
        }
        Ok(value)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(path, Some(body))
    }

    /// Goes to an address and waits until the page is loaded.
    pub fn go(&self, url: &str) -> Result<()> {
        self.post("/url", &json!({ "url": url })).with_context(|| format!("going to {url}"))?;
        Ok(())
    }

    /// The address of the page that is shown.
    pub fn url(&self) -> Result<String> {
        let url = self.send("/url", None)?;
        Ok(url.as_str().unwrap_or_default().to_owned())
    }

    /// Loads the page again.
    pub fn reload(&self) -> Result<()> {
        self.post("/refresh", &json!({}))?;
        Ok(())
    }

    /// Runs the body of a function in the page; `arguments` is there. Answers what it returns.
    pub fn run(&self, script: &str, arguments: &Value) -> Result<Value> {
        self.post("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// The same for a function that returns a promise.
    pub fn run_async(&self, script: &str, arguments: &Value) -> Result<Value> {
        let script = format!(
            "const done = arguments[arguments.length - 1];\
             (async (...arguments_) => {{ const [a, b, c] = arguments_; {script} }})(...arguments)\
             .then((ok) => done({{ ok }}), (error) => done({{ error: String(error) }}));"
        );
        let body = json!({ "script": script, "args": arguments });
        let answer = self.post("/execute/async", &body)?;
        if let Some(error) = answer.get("error") {
            bail!("the script failed: {error}");
        }
        Ok(answer.get("ok").cloned().unwrap_or(Value::Null))
    }

    /// The first element that the selector finds; an error when there is none.
    pub fn find(&self, css: &str) -> Result<Element> {
        let found = self.post("/element", &json!({ "using": "css selector", "value": css }))?;
        let reference = found.get(ELEMENT).and_then(Value::as_str);
        Ok(Element(reference.with_context(|| format!("{css} is no element"))?.to_owned()))
    }

    /// Clicks as a person does: scrolls to the element, and fails when something lies over it.
    pub fn click(&self, element: &Element) -> Result<()> {
        self.post(&format!("/element/{}/click", element.0), &json!({}))?;
        Ok(())
    }

    /// Empties a field.
    pub fn clear(&self, element: &Element) -> Result<()> {
        self.post(&format!("/element/{}/clear", element.0), &json!({}))?;
        Ok(())
    }

    /// Types into a field, or chooses the file of that path.
    pub fn type_in(&self, element: &Element, text: &str) -> Result<()> {
        self.post(&format!("/element/{}/value", element.0), &json!({ "text": text }))?;
        Ok(())
    }

    /// A picture of one element, as the base64 of a PNG.
    pub fn picture_of(&self, element: &Element) -> Result<String> {
        let picture = self.send(&format!("/element/{}/screenshot", element.0), None)?;
        Ok(picture.as_str().unwrap_or_default().to_owned())
    }

    /// Forgets all cookies of this page's site.
    pub fn forget_cookies(&self) -> Result<()> {
        self.agent.delete(format!("{}/cookie", self.base)).call().context("deleting cookies")?;
        Ok(())
    }

    /// What the browser wrote on its console since it was last asked: errors of scripts, refusals
    /// of the content security policy, failed requests.
    pub fn log(&self) -> Result<Vec<Value>> {
        let log = self.post("/se/log", &json!({ "type": "browser" }))?;
        Ok(log.as_array().cloned().unwrap_or_default())
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Nobody is left to tell when this fails. The session first, so that the browser ends too.
        let _ = self.agent.delete(&self.base).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Reads on until ChromeDriver names its port.
fn port(said: &mut impl std::io::BufRead) -> Result<u16> {
    let mut lines = String::new();
    while said.read_line(&mut lines)? > 0 {
        let last = lines.lines().last().unwrap_or_default();
        if let Some((_, port)) = last.split_once("started successfully on port ") {
            return port.trim().trim_end_matches('.').parse().context("ChromeDriver's port");
        }
    }
    bail!("ChromeDriver did not start: {lines}");
}
