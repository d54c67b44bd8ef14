//! A small city, served by the real `haetae demo`: no part of the server is replaced.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::root;

/// A running city. Ends with its data when dropped.
pub struct City {
    server: Option<Child>,
    data: TempDir,
    port: u16,
    /// Its databases on a PostgreSQL server, where the suite is asked to run on one.
    store: Option<String>,
    addresses: Value,
}

impl City {
    /// Builds the binary if needed, makes a city of 200 people and 6 places and serves it.
    pub fn start() -> Result<Self> {
        let data = tempfile::tempdir().context("a folder for the city")?;
        // The origin is part of what browsers keep, so the port must be known before the start and
        // stay the same after it; it is free now and taken a moment later.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let store = testdb::wanted();
        let mut city = Self { server: None, data, port, store, addresses: Value::Null };
        city.serve()?;
        Ok(city)
    }

    /// Starts the server on the city's data: after [`Self::kill`], with the memory it left on disk.
    pub fn serve(&mut self) -> Result<()> {
        let mut server = Command::new(binary()?)
            .args(["demo", "--citizens", "200", "--places", "6", "--seed", "7"])
            .arg("--listen")
            .arg(format!("127.0.0.1:{}", self.port))
            .arg("--data")
            .arg(self.data.path().join("city"))
            .args(self.store.iter().flat_map(|it| ["--store", it]))
            .env("HAETAE_DEMO_JSON", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting haetae demo")?;
        let said = server.stdout.take().context("haetae demo says nothing")?;
        // From here on a failure drops the city, and with it the process.
        self.server = Some(server);
        let mut said = BufReader::new(said);
        let mut line = String::new();
        while said.read_line(&mut line)? > 0 {
            if let Ok(addresses) = serde_json::from_str::<Value>(&line) {
                self.addresses = addresses;
                std::thread::spawn(move || said.read_to_end(&mut Vec::new()));
                return Ok(());
            }
            line.clear();
        }
        bail!("haetae demo ended before it served");
    }

    /// Switches the server off as a power cut does (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut server) = self.server.take() {
            server.kill().context("killing the server")?;
            server.wait().context("waiting for the server's end")?;
        }
        Ok(())
    }

    /// Asks the server to stop (SIGTERM), and fails unless it ends well.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut server) = self.server.take() {
            let asked = Command::new("kill").arg(server.id().to_string()).status();
            asked.context("asking the server to stop")?;
            let ended = server.wait().context("waiting for the server's end")?;
            if !ended.success() {
                bail!("the server ended with {ended}");
            }
        }
        Ok(())
    }

    /// What the demo prints under `name`: an address, most of them one-time links.
    pub fn address(&self, name: &str) -> Result<&str> {
        let address = self.addresses.get(name).and_then(Value::as_str);
        address.with_context(|| format!("the demo names no {name}: {}", self.addresses))
    }

    /// The site, as browsers write it.
    pub fn origin(&self) -> Result<&str> {
        Ok(self.address("origin")?.trim_end_matches('/'))
    }

    /// The city's data folder.
    pub fn data(&self) -> PathBuf {
        self.data.path().join("city")
    }

    /// `haetae audit` on this city, which need not be served; fails when anything was altered.
    pub fn audit(&self) -> Result<String> {
        let data = self.data().display().to_string();
        let Some(store) = &self.store else { return self.command(&["audit", &data]) };
        // Databases on a server are not described in the folder: their address may hold a password.
        let (origin, file) = (self.origin()?, self.data.path().join("audit.toml"));
        let text = format!(
            "origin = '{origin}'\nregion = 'kr-demo'\nlog_name = 'demo.haetae.example/log'\n\
             store = '{store}'\ndata = '{data}'\n"
        );
        std::fs::write(&file, text).context("writing audit.toml")?;
        self.command(&["audit", "--config", &file.display().to_string()])
    }

    /// Runs another `haetae` command on this city; answers what it printed, fails when it fails.
    pub fn command(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(binary()?).args(arguments).output().context("haetae")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let wrong = String::from_utf8_lossy(&output.stderr);
            bail!("haetae {arguments:?} ended with {}: {said}{wrong}", output.status);
        }
        Ok(said)
    }
}

impl Drop for City {
    fn drop(&mut self) {
        // Nobody is left to tell when this fails.
        let _ = self.kill();
    }
}

/// The folder that cargo builds into: where this test binary lies.
pub(crate) fn target() -> PathBuf {
    let here = std::env::current_exe().unwrap_or_default();
    // target/debug/deps/journeys-…
    here.ancestors().nth(3).map_or_else(|| root().join("target"), Path::to_path_buf)
}

/// The binary: the one that `HAETAE_BINARY` names (a release build, say), or else built once per run. Cargo knows whether it is stale; it does not hand the path of a
/// binary to the tests of another crate.
fn binary() -> Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| build().map_err(|it| format!("{it:#}")))
        .clone()
        .map_err(anyhow::Error::msg)
}

fn build() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("HAETAE_BINARY") {
        return Ok(given.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "-p", "haetae", "--bin", "haetae", "--target-dir"])
        .arg(target())
        .current_dir(root())
        .status()
        .context("building haetae")?;
    if !built.success() {
        bail!("building haetae ended with {built}");
    }
    Ok(target().join("debug/haetae"))
}
