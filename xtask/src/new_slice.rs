//! A slice's folder, ready to compile: the floor plan with one event, one command and one page's
//! worth of gaps to fill.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

pub(crate) fn run(root: &Path, name: &str) -> Result<()> {
    if name.is_empty() || !name.bytes().all(|it| it.is_ascii_lowercase()) {
        bail!("a slice's name is one word of a-z");
    }
    let folder = root.join("crates").join(name);
    if folder.exists() {
        bail!("{} is already there", folder.display());
    }
    let title = title(name);
    for (file, text) in files(name, &title) {
        let path = folder.join(file);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    // Where lines break and how imports are sorted depends on the name.
    let formatted =
        Command::new(env!("CARGO")).args(["fmt", "-p", name]).current_dir(root).status();
    if !formatted.context("cargo fmt")?.success() {
        bail!("crates/{name} could not be formatted");
    }
    println!(
        "made crates/{name}. Next, by hand:\n\
         1. Cargo.toml: `{name} = {{ path = \"crates/{name}\" }}` under workspace.dependencies\n\
         2. crates/app/Cargo.toml and crates/app/src/slices.rs: one line each\n\
         3. xtask/src/tidy.rs: its floor (4), and one more in the length of FLOORS\n\
         4. README.md of the slice: purpose, law, personal data and how long they live, glossary"
    );
    Ok(())
}

fn title(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |it| it.to_uppercase().chain(letters).collect())
}

fn files(name: &str, title: &str) -> Vec<(&'static str, String)> {
    let cargo = format!(
        "[package]\nname = \"{name}\"\ndescription = \"The {name} slice.\"\n\
         version.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n\
         license.workspace = true\npublish.workspace = true\n\n[lints]\nworkspace = true\n\n\
         [dependencies]\nkernel.workspace = true\nstore.workspace = true\nweb.workspace = true\n\
         serde.workspace = true\n"
    );
    let lib = format!(
        "//! What {name} is for, in two or three sentences.\n\nmod command;\nmod decide;\nmod event;\n\
         mod model;\nmod refusal;\n#[cfg(test)]\nmod tests;\nmod view;\n\n\
         pub use command::Command;\npub use event::Event;\npub use model::{title};\n\
         pub use refusal::Refusal;\nuse kernel::Aggregate as _;\nuse store::registry::{{keep, refold, silent}};\n\
         use store::{{Sealing, StreamKind}};\nuse web::Slice;\n\n/// The slice.\npub fn slice() -> Slice {{\n    \
         Slice {{\n        streams: &[StreamKind {{\n            name: {title}::STREAM,\n            \
         sealing: Sealing::Subject,\n            retention_days: keep,\n            project: view::project,\n            \
         publish: silent,\n            refold: refold::<Event>,\n        }}],\n        \
         texts: [\n            (\"ko\", include_str!(\"../i18n/ko.ftl\")),\n            \
         (\"en\", include_str!(\"../i18n/en.ftl\")),\n            \
         (\"zh-Hans\", include_str!(\"../i18n/zh-Hans.ftl\")),\n        ],\n        \
         refusals: refusal::ALL,\n        examples: &[({title}::STREAM, include_str!(\"../events/opened.v1.json\"))],\n        \
         ..Slice::new(\"{name}\")\n    }}\n}}\n"
    );
    let event = format!(
        "//! What has happened. Append-only: a variant is never edited or removed.\n\n\
         use kernel::Fact;\nuse serde::{{Deserialize, Serialize}};\n\n/// What has happened.\n\
         #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]\n\
         #[serde(tag = \"type\", rename_all = \"snake_case\")]\npub enum Event {{\n    \
         /// It began.\n    Opened,\n}}\n\nimpl Fact for Event {{\n    \
         fn kind(&self) -> &'static str {{\n        match self {{\n            \
         Self::Opened => \"{name}.opened.v1\",\n        }}\n    }}\n}}\n"
    );
    let model = format!(
        "//! The state of one thing, and how events add up to it.\n\n\
         use kernel::{{Aggregate, Instant}};\n\nuse crate::{{Command, Event, Refusal, decide}};\n\n\
         /// One thing.\n#[derive(Debug, Clone, Default, PartialEq, Eq)]\npub struct {title} {{\n    \
         /// Whether it began.\n    pub open: bool,\n}}\n\nimpl Aggregate for {title} {{\n    \
         const STREAM: &'static str = \"{name}.{name}\";\n    type Command = Command;\n    \
         type Event = Event;\n    type Refusal = Refusal;\n\n    \
         fn decide(&self, command: Command, now: Instant) -> Result<Vec<Event>, Refusal> {{\n        \
         decide::decide(self, &command, now)\n    }}\n\n    fn fold(&mut self, event: &Event) {{\n        \
         match event {{\n            Event::Opened => self.open = true,\n        }}\n    }}\n}}\n"
    );
    let decide = format!(
        "//! The rules. Pure: the caller brings time and ids.\n\nuse kernel::Instant;\n\n\
         use crate::{{Command, Event, Refusal, {title}}};\n\n\
         pub(crate) fn decide(it: &{title}, command: &Command, _now: Instant) -> Result<Vec<Event>, Refusal> {{\n    \
         match command {{\n        Command::Open if it.open => Err(Refusal::AlreadyOpen),\n        \
         Command::Open => Ok(vec![Event::Opened]),\n    }}\n}}\n"
    );
    let refusal = format!(
        "//! Expected refusals, each with a stable code and status.\n\n/// Why not.\n\
         #[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum Refusal {{\n    /// It has begun already.\n    \
         AlreadyOpen,\n}}\n\n/// Every code with its status.\npub(crate) const ALL: &[(&str, u16)] = &[(\"{name}-already-open\", 409)];\n\n\
         impl kernel::Refusal for Refusal {{\n    fn code(&self) -> &'static str {{\n        match self {{\n            \
         Self::AlreadyOpen => \"{name}-already-open\",\n        }}\n    }}\n\n    fn status(&self) -> u16 {{\n        409\n    }}\n}}\n"
    );
    let tests = format!(
        "//! Given the past, when a command comes, then these events or this refusal.\n\n\
         use kernel::{{Aggregate as _, Instant, given}};\n\nuse crate::{{Command, Event, Refusal, {title}}};\n\n\
         #[test]\nfn it_begins_once() {{\n    let now = Instant::from_micros(0);\n    \
         assert_eq!({title}::default().decide(Command::Open, now), Ok(vec![Event::Opened]));\n    \
         let open: {title} = given(&[Event::Opened]);\n    \
         assert_eq!(open.decide(Command::Open, now), Err(Refusal::AlreadyOpen));\n}}\n"
    );
    let text = |words: &str| format!("{name}-already-open = {words}\n");
    vec![
        ("Cargo.toml", cargo),
        ("README.md", format!("# {name}\n\nPurpose, law or protocol, personal data and how long they live.\n\n| 한국어 | English | 中文 |\n|---|---|---|\n")),
        ("askama.toml", "[general]\ndirs = [\"templates\", \"../web/templates\"]\n".to_owned()),
        ("src/lib.rs", lib),
        ("src/event.rs", event),
        ("src/model.rs", model),
        ("src/command.rs", "//! What may be asked.\n\n/// What may be asked.\n#[derive(Debug, Clone, PartialEq, Eq)]\npub enum Command {\n    /// Begin.\n    Open,\n}\n".to_owned()),
        ("src/decide.rs", decide),
        ("src/refusal.rs", refusal),
        ("src/view.rs", "//! View tables: projection, queries, all SQL as constants.\n\nuse store::{Fault, Projection, Recorded};\n\n#[allow(clippy::unnecessary_wraps, reason = \"the shape of a projection\")]\npub(crate) fn project(_: &mut Projection<'_>, _: &Recorded) -> Result<(), Fault> {\n    Ok(())\n}\n".to_owned()),
        ("src/tests.rs", tests),
        ("events/opened.v1.json", "{\"type\":\"opened\"}".to_owned()),
        ("i18n/ko.ftl", text("이미 시작되었습니다.")),
        ("i18n/en.ftl", text("It has already begun.")),
        ("i18n/zh-Hans.ftl", text("已经开始。")),
    ]
}
