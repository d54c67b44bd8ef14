//! `haetae rules`: other people's rules and suites, evaluated and checked by this engine.
//!
//! Reads files and prints; what a case is and what it evaluates to is the engine's matter.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use kernel::Locale;
use rules::{Answer, Case, Expression, Invalid, Outcome, PassRule, RuleSet, SHIPPED, ValueSets};
use serde_json::{Map, Value, json};
use web::{Texts, rule_text};

use crate::output;

/// The largest file that is read: a thousand times the largest published suite.
const FILE_MAX: u64 = 64 * 1024 * 1024;
/// How deep folders are searched.
const FOLDERS_MAX: usize = 16;

#[derive(Subcommand)]
pub(crate) enum RulesCommand {
    /// Evaluate CertLogic cases: suites, validation suites, published rules' tests, or {"logic", "data"}.
    /// Exit 1 when one has another result than its author expects, 2 when a file cannot be read.
    Eval {
        /// What each clause said, too.
        #[arg(long)]
        trace: bool,
        #[command(flatten)]
        files: Files,
    },
    /// Say what keeps rules, rule sets, value sets or expressions from being imported, and where. Exit 1
    /// when something does, 2 when a file cannot be read.
    Check {
        #[command(flatten)]
        files: Files,
    },
    /// Write out a rule set that ships with the program; without a name, list them.
    Print {
        /// Its name.
        name: Option<String>,
    },
}

#[derive(Args)]
pub(crate) struct Files {
    /// JSON files, files with one JSON value a line, folders of them, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// One JSON object a line in place of words.
    #[arg(long)]
    json: bool,
    /// The language of sentences: `ko`, `en` or `zh-Hans`.
    #[arg(long, default_value = "en")]
    lang: String,
}

pub(crate) fn run(command: RulesCommand) -> anyhow::Result<ExitCode> {
    match command {
        RulesCommand::Eval { trace, files } => Run::begin(files, trace)?.each(Run::evaluate),
        RulesCommand::Check { files } => Run::begin(files, false)?.each(Run::check),
        RulesCommand::Print { name } => print(name.as_deref()),
    }
}

fn print(name: Option<&str>) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let Some(name) = name else {
        for set in SHIPPED {
            writeln!(out, "{}  {}", set.name, set.country)?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some(set) = SHIPPED.iter().find(|it| it.name == name) else {
        bail!("no rule set {name:?} ships; `haetae rules print` lists them");
    };
    write!(out, "{}", set.json)?;
    Ok(ExitCode::SUCCESS)
}

/// One file, as far as it could be read: its JSON values, each with its line where there is one a line.
struct Source {
    path: PathBuf,
    /// It was found in a folder: what it is not made for is passed over without a word.
    is_found: bool,
    values: Vec<(Option<usize>, anyhow::Result<Value>)>,
}

/// What was asked, and what was counted on the way.
struct Run {
    files: Files,
    locale: Locale,
    texts: Texts,
    trace: bool,
    out: std::io::BufWriter<std::io::Stdout>,
    cases: u64,
    /// Cases with another result than expected; findings of a check.
    wrong: u64,
    unreadable: u64,
}

impl Run {
    fn begin(files: Files, trace: bool) -> anyhow::Result<Self> {
        let locale = Locale::from_tag(&files.lang);
        let locale = locale.with_context(|| format!("{:?} is not a language here", files.lang))?;
        let texts = Texts::try_new(&app::slices::slices())?;
        let out = std::io::BufWriter::new(std::io::stdout());
        Ok(Self { files, locale, texts, trace, out, cases: 0, wrong: 0, unreadable: 0 })
    }

    fn each(
        mut self,
        with: fn(&mut Self, &Source, Option<usize>, &Value) -> anyhow::Result<()>,
    ) -> anyhow::Result<ExitCode> {
        for path in std::mem::take(&mut self.files.paths) {
            for (path, is_found) in expand(&path) {
                let source = match read(&path) {
                    Ok(values) => Source { path, is_found, values },
                    Err(error) => {
                        self.unreadable(&path, None, &format!("{error:#}"))?;
                        continue;
                    }
                };
                for (line, value) in &source.values {
                    match value {
                        Ok(value) => with(&mut self, &source, *line, value)?,
                        Err(error) => {
                            self.unreadable(&source.path, *line, &format!("{error:#}"))?;
                        }
                    }
                }
            }
        }
        if !self.files.json {
            let (cases, wrong) = (output::grouped(self.cases), output::grouped(self.wrong));
            writeln!(self.out, "{cases} looked at, {wrong} not as they should be")?;
        }
        self.out.flush()?;
        Ok(ExitCode::from(match (self.unreadable, self.wrong) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 2,
        }))
    }

    fn unreadable(&mut self, path: &Path, line: Option<usize>, why: &str) -> anyhow::Result<()> {
        self.unreadable += 1;
        if self.files.json {
            let mut row = Self::row(path, line);
            row.insert("error".to_owned(), json!("unreadable"));
            row.insert("message".to_owned(), json!(why));
            self.line(row)?;
        }
        eprintln!("haetae: {}: {why}", path.display());
        Ok(())
    }

    fn row(path: &Path, line: Option<usize>) -> Map<String, Value> {
        let mut row = Map::new();
        row.insert("file".to_owned(), json!(path.display().to_string()));
        if let Some(line) = line {
            row.insert("line".to_owned(), json!(line));
        }
        row
    }

    fn line(&mut self, row: Map<String, Value>) -> anyhow::Result<()> {
        writeln!(self.out, "{}", Value::Object(row))?;
        Ok(())
    }

    fn evaluate(
        &mut self,
        source: &Source,
        line: Option<usize>,
        value: &Value,
    ) -> anyhow::Result<()> {
        let is_rule = is_pass_rule(value) && value.get("data").is_none();
        if is_rule {
            return self.evaluate_tests_of(source, line, value);
        }
        let rule = rule_beside(&source.path);
        match rules::cases(value, rule.as_ref()) {
            Ok(cases) => {
                for case in cases {
                    self.answer(&source.path, line, &case)?;
                }
            }
            Err(_) if source.is_found => {}
            Err(invalid) => self.unreadable(&source.path, line, &invalid.to_string())?,
        }
        Ok(())
    }

    /// A published rule, named itself: its tests lie beside it. In a folder they are found anyway.
    fn evaluate_tests_of(
        &mut self,
        source: &Source,
        line: Option<usize>,
        rule: &Value,
    ) -> anyhow::Result<()> {
        if source.is_found {
            return Ok(());
        }
        let tests = source.path.parent().map(|it| it.join("tests")).filter(|it| it.is_dir());
        let Some(tests) = tests else {
            return self.unreadable(
                &source.path,
                line,
                "a rule without a folder of tests beside it",
            );
        };
        for (path, _) in expand(&tests) {
            let values = read(&path).unwrap_or_else(|error| vec![(None, Err(error))]);
            for (line, value) in values {
                let value = value.and_then(|value| {
                    let cases = rules::cases(&value, Some(rule)).map(|it| it.len());
                    cases.map(|_| value).map_err(anyhow::Error::from)
                });
                match value {
                    Err(error) => self.unreadable(&path, line, &format!("{error:#}"))?,
                    Ok(value) => {
                        for case in rules::cases(&value, Some(rule)).unwrap_or_default() {
                            self.answer(&path, line, &case)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn answer(&mut self, path: &Path, line: Option<usize>, case: &Case<'_>) -> anyhow::Result<()> {
        let answer = case.run();
        self.cases += 1;
        let is_wrong = answer.agrees == Some(false) && !case.is_skipped;
        self.wrong += u64::from(is_wrong);
        if self.files.json {
            let mut row = Self::row(path, line);
            self.fill(&mut row, case, &answer);
            return self.line(row);
        }
        let verdict = match answer.agrees {
            Some(true) => "as expected",
            Some(false) if case.is_skipped => "not as expected, and marked to be skipped",
            Some(false) => "NOT AS EXPECTED",
            None => "evaluated",
        };
        let place = format!("{}{}", path.display(), case.pointer);
        let name = if case.name.is_empty() { String::new() } else { format!(" ({})", case.name) };
        if is_wrong || answer.agrees.is_none() || self.trace {
            writeln!(self.out, "{place}{name}: {verdict}: {}", self.told(&answer.outcome))?;
        }
        if self.trace {
            for it in rule_text::trace(&self.texts, self.locale, "", &answer.trace) {
                writeln!(self.out, "  {}{}  [{}]", "  ".repeat(it.depth), it.text, it.pointer)?;
            }
        }
        Ok(())
    }

    /// The outcome in words.
    fn told(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Value(value) => value.to_string(),
            Outcome::Failed(error) => {
                let text = rule_text::failure(&self.texts, self.locale, error);
                format!("{} at {:?}: {text}", error.code.as_str(), error.pointer)
            }
            Outcome::Invalid(invalid) => self.told_mistake(invalid),
            Outcome::Checked(found) => {
                found.iter().map(|it| self.told_mistake(it)).collect::<Vec<_>>().join("; ")
            }
        }
    }

    fn told_mistake(&self, invalid: &Invalid) -> String {
        let text = rule_text::mistake(&self.texts, self.locale, invalid);
        format!("{} at {:?}: {text} ({})", invalid.code.as_str(), invalid.pointer, invalid.message)
    }

    fn fill(&self, row: &mut Map<String, Value>, case: &Case<'_>, answer: &Answer) {
        let mut set = |name: &str, value: Value| {
            row.insert(name.to_owned(), value);
        };
        set("case", json!(case.pointer));
        if !case.name.is_empty() {
            set("name", json!(case.name));
        }
        match &answer.outcome {
            Outcome::Value(value) => set("result", value.clone()),
            Outcome::Failed(error) => {
                set("error", json!(error.code.as_str()));
                set("at", json!(error.pointer));
                set("message", json!(rule_text::failure(&self.texts, self.locale, error)));
            }
            Outcome::Invalid(invalid) => {
                set("error", json!(invalid.code.as_str()));
                set("at", json!(invalid.pointer));
                set("message", json!(invalid.message));
            }
            Outcome::Checked(found) => {
                let issue = |it: &Invalid| {
                    json!({ "at": it.pointer, "expr": case.logic().pointer(&it.pointer),
                        "code": it.code.as_str(), "message": it.message })
                };
                set("issues", Value::Array(found.iter().map(issue).collect()));
            }
        }
        if let Some(expected) = case.expected() {
            set("expected", expected);
        }
        if let Some(agrees) = answer.agrees {
            set("agrees", json!(agrees));
        }
        if case.is_skipped {
            set("skipped", json!(true));
        }
        if self.trace {
            let told = rule_text::trace(&self.texts, self.locale, "", &answer.trace);
            let steps = answer.trace.steps.iter().zip(told).map(|(step, told)| {
                json!({ "at": step.pointer, "operation": step.operation, "inputs": step.inputs,
                    "value": step.value, "text": told.text })
            });
            set("trace", Value::Array(steps.collect()));
        }
    }

    fn check(&mut self, source: &Source, line: Option<usize>, value: &Value) -> anyhow::Result<()> {
        let Some(found) = findings(value) else {
            if source.is_found {
                return Ok(());
            }
            return self.unreadable(&source.path, line, "neither rules nor value sets");
        };
        self.cases += 1;
        for invalid in found {
            self.wrong += 1;
            let text = rule_text::mistake(&self.texts, self.locale, &invalid);
            if self.files.json {
                let mut row = Self::row(&source.path, line);
                row.insert("at".to_owned(), json!(invalid.pointer));
                row.insert("code".to_owned(), json!(invalid.code.as_str()));
                row.insert("text".to_owned(), json!(text));
                row.insert("message".to_owned(), json!(invalid.message));
                self.line(row)?;
                continue;
            }
            let path = source.path.display();
            writeln!(self.out, "{path}: {}", self.told_mistake(&invalid))?;
        }
        Ok(())
    }
}

fn is_pass_rule(value: &Value) -> bool {
    let has = |name: &str| value.get(name).is_some();
    has("Identifier") || has("Logic") || (has("identifier") && has("logic"))
}

/// What is wrong with a file, by what it seems to be; `None` when it is nothing that is imported.
fn findings(value: &Value) -> Option<Vec<Invalid>> {
    match value {
        Value::Array(items) if items.iter().any(is_pass_rule) => {
            let found = items.iter().enumerate().flat_map(|(index, item)| {
                let prefixed = move |it: Invalid| it.within(&format!("/{index}"));
                PassRule::check(item).into_iter().map(prefixed)
            });
            Some(found.collect())
        }
        rule if is_pass_rule(rule) => Some(PassRule::check(rule)),
        Value::Object(fields) if fields.contains_key("rules") => {
            Some(RuleSet::parse(value).err().into_iter().collect())
        }
        Value::Object(fields)
            if fields.contains_key("valueSetId")
                || (!fields.is_empty()
                    && fields.values().all(Value::is_array)
                    && fields.len() > 1) =>
        {
            Some(ValueSets::default().add(value).err().into_iter().collect())
        }
        Value::Object(fields) => {
            let named = ["logic", "certLogicExpression", "expression"];
            let logic = named.iter().find_map(|name| Some((name, fields.get(*name)?)));
            match logic {
                Some((name, logic)) => {
                    let prefixed = |it: Invalid| it.within(&format!("/{name}"));
                    Some(Expression::check(logic).into_iter().map(prefixed).collect())
                }
                None if fields.len() <= 1 => Some(Expression::check(value)),
                None => None,
            }
        }
        expression => Some(Expression::check(expression)),
    }
}

/// The files below a path, sorted; with whether they were found in a folder.
fn expand(path: &Path) -> Vec<(PathBuf, bool)> {
    if !path.is_dir() {
        return vec![(path.to_owned(), false)];
    }
    let mut found = Vec::new();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_json = path
                .extension()
                .is_some_and(|it| ["json", "jsonl", "ndjson"].iter().any(|name| it == *name));
            if path.is_dir() && depth < FOLDERS_MAX {
                folders.push((path, depth + 1));
            } else if is_json {
                found.push((path, true));
            }
        }
    }
    found.sort();
    found
}

/// The values of a file: one, or one a line.
fn read(path: &Path) -> anyhow::Result<Vec<(Option<usize>, anyhow::Result<Value>)>> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin()).context("reading standard input")?
    } else {
        let length = std::fs::metadata(path)?.len();
        if length > FILE_MAX {
            bail!("larger than {FILE_MAX} bytes");
        }
        std::fs::read_to_string(path)?
    };
    let text = text.trim_start_matches('\u{feff}');
    let whole = match serde_json::from_str(text) {
        Ok(value) => return Ok(vec![(None, Ok(value))]),
        Err(error) => error,
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let value = |(index, line): (usize, &str)| {
        (Some(index + 1), serde_json::from_str::<Value>(line).map_err(anyhow::Error::from))
    };
    let values: Vec<_> = lines.map(value).collect();
    // A broken document has no line that is a whole object.
    let is_lines = values.iter().any(|(_, it)| it.as_ref().is_ok_and(Value::is_object));
    if is_lines { Ok(values) } else { Err(whole.into()) }
}

/// The published rule that a test belongs to: `rule.json` in its folder or the one above.
fn rule_beside(path: &Path) -> Option<Value> {
    let folder = path.parent()?;
    [Some(folder), folder.parent()].into_iter().flatten().find_map(|folder| {
        let text = std::fs::read_to_string(folder.join("rule.json")).ok()?;
        serde_json::from_str(&text).ok()
    })
}
