//! `haetae serve` as a process of its own, and asking it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

/// `haetae serve`, ended when dropped.
pub(super) struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts it on the region in `data` and waits until it listens. `more` are further lines of its
    /// settings.
    pub(super) fn start(data: &Path, region: &str, more: &str) -> anyhow::Result<Self> {
        let text = format!(
            "origin = 'http://localhost:8080'\nregion = '{region}'\nlisten = '127.0.0.1:0'\n\
             disk_full_mib = 1\ndata = '{}'\n{more}",
            data.display(),
        );
        let file = data.join("haetae.toml");
        std::fs::write(&file, text)?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--config"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("it has an output")?).lines();
        let start = format!("serving {region} on ");
        let address = loop {
            let line = lines.next().context("a process ended")??;
            if let Some(address) = line.strip_prefix(&start) {
                break address.to_owned();
            }
        };
        // Whoever prints must be able to go on printing.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, address })
    }

    /// Memory of its own, in MiB.
    pub(super) fn memory_mib(&self) -> f64 {
        super::memory_mib(&self.child.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that is kept.
pub(super) struct Line(BufReader<TcpStream>);

impl Line {
    pub(super) fn to(process: &Process) -> anyhow::Result<Self> {
        Ok(Self(BufReader::new(TcpStream::connect(&process.address)?)))
    }

    /// One request; the status and the whole body of its answer.
    pub(super) fn ask(&mut self, request: &str) -> anyhow::Result<(u16, String)> {
        let Self(line) = self;
        line.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length) = (String::new(), 0_usize);
        line.read_line(&mut status)?;
        loop {
            let mut header = String::new();
            line.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse()?;
            }
        }
        let mut body = vec![0; length];
        line.read_exact(&mut body)?;
        let status = status.split(' ').nth(1).context("an answer has a status")?.parse()?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
