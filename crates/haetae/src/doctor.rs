//! `haetae doctor`: what is weak, old, full or about to end, each with what mends it.
//!
//! Looks, changes nothing, and runs beside the service. Exit 0 all well, 1 warnings, 2 broken.

mod folder;
mod region;
mod signing;

use std::process::ExitCode;

use app::Config;
use serde::Serialize;

use crate::output;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Well,
    /// Nobody knows; not counted.
    Unknown,
    Warning,
    Broken,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// A stable word, e.g. `disk`.
    pub(crate) check: &'static str,
    pub(crate) state: State,
    /// What is, in words.
    pub(crate) says: String,
    /// The command, or the deed, that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mend: Option<String>,
}

/// What was found so far.
#[derive(Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    pub(crate) fn well(&mut self, check: &'static str, says: impl Into<String>) {
        self.0.push(Finding { check, state: State::Well, says: says.into(), mend: None });
    }

    pub(crate) fn add(
        &mut self,
        check: &'static str,
        state: State,
        says: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.0.push(Finding { check, state, says: says.into(), mend: Some(mend.into()) });
    }

    fn worst(&self) -> State {
        self.0.iter().map(|it| it.state).max().unwrap_or(State::Well)
    }
}

pub(crate) fn run(
    config: &Config,
    file: Option<&std::path::Path>,
    json: bool,
) -> anyhow::Result<ExitCode> {
    let mut findings = Findings::default();
    folder::look(config, file, &mut findings);
    region::look(config, &mut findings)?;
    let worst = findings.worst();
    if json {
        output::json(&serde_json::json!({ "state": worst, "findings": findings.0 }))?;
    } else {
        print(&findings.0);
    }
    Ok(ExitCode::from(match worst {
        State::Well | State::Unknown => 0,
        State::Warning => 1,
        State::Broken => 2,
    }))
}

fn print(findings: &[Finding]) {
    for it in findings {
        // Shape and word, as everywhere.
        let mark = match it.state {
            State::Well => "● well   ",
            State::Unknown => "◇ unknown",
            State::Warning => "▲ warning",
            State::Broken => "■ broken ",
        };
        println!("{mark}  {:10}  {}", it.check, it.says);
        if let Some(mend) = &it.mend {
            println!("{:23}  {mend}", "");
        }
    }
    let count = |state| findings.iter().filter(|it| it.state == state).count();
    match (count(State::Broken), count(State::Warning)) {
        (0, 0) => println!("all is well"),
        (broken, warnings) => println!("{broken} broken, {warnings} warnings"),
    }
}
