//! `haetae verify`: any pass, by whom it may be trusted and by which rules, offline.
//!
//! One verdict for each pass. Exit status: 0 all pass, 1 some do not, 2 none is refused but at least
//! one cannot be told (or the question itself cannot be answered: no such folder, no such rule).

mod input;
pub(crate) mod picture;
mod place;

use std::borrow::Cow;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use credential::Outcome;
use credential::batch::Tables;
use credential::pass::{self, Checks, Finding, Format, Note, Policy, Reason, Trust, Verdict};
use judge::CountryRules;
use kernel::{Clock as _, SystemClock};
use serde::Serialize;

use crate::output;
use input::{Content, Input};

/// How many inputs are read ahead and judged at once: enough for all processors, little memory.
const BATCH: usize = 512;

/// What is judged, and by what.
#[derive(Args)]
pub(crate) struct Wish {
    /// A folder (or a file) with those whom you trust: certificates, JWK sets, DID documents, country
    /// authorities, revocation lists, each recognised by its content. May be given again.
    #[arg(long, value_name = "DIR")]
    trust: Vec<PathBuf>,
    /// Rules as countries publish them: files, or folders of them. May be given again.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    rules: Vec<PathBuf>,
    /// The country whose rules decide (two letters); needed where the rules are of several.
    #[arg(long, value_name = "CC")]
    country: Option<String>,
    /// Value sets as published: a file, or a folder of them. May be given again.
    #[arg(long, value_name = "PATH")]
    valuesets: Vec<PathBuf>,
    /// The moment to judge at (ISO 8601, or unix seconds); by default this one.
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    /// Show full names, not initials.
    #[arg(long)]
    full_name: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// The text of a pass; a file with one, or with one a line; a PNG or JPEG; a folder of all of
    /// these; or `-` for standard input, one a line.
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,
}

/// How many bytes of texts one thread gathers before it judges them.
const GATHERED_MAX: usize = 4 * 1024 * 1024;

/// What verdicts stand on, ready.
struct Bench {
    trust: Trust,
    /// For codes of ours, which are judged many at once.
    tables: Tables,
    place: Option<CountryRules>,
    policy: Policy,
    now_s: i64,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    input: &'a str,
    format: Format,
    verdict: Outcome,
    checks: Checks,
    reasons: &'a [Finding],
    #[serde(skip_serializing_if = "<[Note]>::is_empty")]
    notes: &'a [Note],
}

/// How many verdicts of each kind there were.
#[derive(Default)]
struct Tally {
    pass: u64,
    no_pass: u64,
    cannot_tell: u64,
}

pub(crate) fn run(mut wish: Wish) -> anyhow::Result<ExitCode> {
    give_back_inputs(&mut wish);
    anyhow::ensure!(
        !wish.inputs.is_empty(),
        "nothing to verify: give a pass, a file, a folder or -"
    );
    let now_s = match &wish.now {
        Some(text) => moment(text).with_context(|| format!("{text} is no moment"))?,
        None => SystemClock.now().seconds(),
    };
    let trust = place::trust(&wish.trust, now_s)?;
    let place = place::rules(&wish.rules, wish.country.as_deref(), &wish.valuesets)?;
    let policy = Policy { full_name: wish.full_name, ..Policy::default() };
    let tables = Tables::new(&trust.regions);
    let bench = Bench { trust, tables, place, policy, now_s };

    let count = input::count(&wish.inputs);
    let bar = output::bar("passes", count);
    let mut tally = Tally::default();
    let mut inputs = input::inputs(&wish.inputs);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    loop {
        let batch: Vec<Input> = inputs.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        for (input, verdict) in judge_all(&bench, &batch)? {
            tally.add(verdict.outcome);
            let written = if wish.json {
                write_json(&mut out, &input, &verdict)
            } else {
                write_words(&mut out, &input, &verdict)
            };
            written?;
            bar.inc(1);
        }
    }
    out.flush()?;
    bar.finish_and_clear();
    if !wish.json && 1 < tally.pass + tally.no_pass + tally.cannot_tell {
        let [pass, no_pass, cannot_tell] =
            [tally.pass, tally.no_pass, tally.cannot_tell].map(output::grouped);
        writeln!(out, "{pass} pass, {no_pass} no pass, {cannot_tell} cannot tell")?;
        out.flush()?;
    }
    Ok(tally.exit())
}

/// `--rules` takes as many paths as follow it, and so takes the inputs too when they follow
/// directly. Then what is no rule is given back, or at least the last one.
fn give_back_inputs(wish: &mut Wish) {
    if wish.inputs.is_empty() && 1 < wish.rules.len() {
        let last_rule = wish.rules.iter().rposition(|it| it.is_dir() || place::is_rule_file(it));
        let end = last_rule.map_or(1, |last| last + 1).min(wish.rules.len() - 1);
        let inputs = wish.rules.split_off(end);
        wish.inputs = inputs.iter().map(|it| it.to_string_lossy().into_owned()).collect();
    }
}

/// A moment in ISO 8601, or unix seconds.
fn moment(text: &str) -> Option<i64> {
    pass::time::moment(text.trim()).or_else(|| text.trim().parse().ok())
}

/// Judges a batch on all processors; the verdicts come in the order of the inputs.
fn judge_all(bench: &Bench, batch: &[Input]) -> anyhow::Result<Vec<(String, Verdict)>> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = batch.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = batch
            .chunks(share)
            .map(|inputs| scope.spawn(move || judge_share(bench, inputs)))
            .collect();
        let mut verdicts = Vec::with_capacity(batch.len());
        for worker in workers {
            verdicts.extend(worker.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?);
        }
        Ok(verdicts)
    })
}

/// The verdicts on some inputs: one each, unless a file holds several passes. Texts are gathered, because
/// codes of ours are cheaper by the hundred.
fn judge_share(bench: &Bench, inputs: &[Input]) -> Vec<(String, Verdict)> {
    let mut verdicts = Vec::with_capacity(inputs.len());
    let mut gathered: Vec<(&Input, Cow<'_, str>)> = Vec::new();
    let mut bytes = 0;
    for input in inputs {
        let reason = match &input.content {
            Content::Text(text) => {
                bytes += text.len();
                gathered.push((input, Cow::Borrowed(text.as_str())));
                None
            }
            Content::Path(path) => match input::read(path) {
                Ok(texts) => {
                    bytes += texts.iter().map(String::len).sum::<usize>();
                    gathered.extend(texts.into_iter().map(|text| (input, Cow::Owned(text))));
                    None
                }
                Err(reason) => Some(reason),
            },
            Content::Unreadable => Some(Reason::Unreadable),
        };
        // Verdicts stand in the order of their inputs.
        if reason.is_some() || GATHERED_MAX < bytes {
            judge_gathered(bench, &mut gathered, &mut verdicts);
            bytes = 0;
        }
        verdicts.extend(reason.map(|reason| (input.name.clone(), pass::unread(reason))));
    }
    judge_gathered(bench, &mut gathered, &mut verdicts);
    verdicts
}

fn judge_gathered(
    bench: &Bench,
    gathered: &mut Vec<(&Input, Cow<'_, str>)>,
    verdicts: &mut Vec<(String, Verdict)>,
) {
    let texts: Vec<&str> = gathered.iter().map(|(_, text)| text.as_ref()).collect();
    let rules = bench.place.as_ref().map(|it| -> &dyn pass::Rules { it });
    let Bench { trust, tables, policy, now_s, .. } = bench;
    let found = pass::verify_many(&texts, trust, tables, rules, policy, *now_s);
    verdicts.extend(gathered.iter().zip(found).map(|((input, _), it)| (input.name.clone(), it)));
    gathered.clear();
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Pass => self.pass += 1,
            Outcome::NoPass => self.no_pass += 1,
            Outcome::CannotTell => self.cannot_tell += 1,
        }
    }

    fn exit(&self) -> ExitCode {
        match (self.no_pass, self.cannot_tell) {
            (0, 0) => ExitCode::SUCCESS,
            (0, _) => ExitCode::from(2),
            _ => ExitCode::from(1),
        }
    }
}

fn write_json(out: &mut impl std::io::Write, input: &str, verdict: &Verdict) -> anyhow::Result<()> {
    let line = Line {
        input,
        format: verdict.format,
        verdict: verdict.outcome,
        checks: verdict.checks,
        reasons: &verdict.reasons,
        notes: &verdict.notes,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn write_words(
    out: &mut impl std::io::Write,
    input: &str,
    verdict: &Verdict,
) -> anyhow::Result<()> {
    let word = match verdict.outcome {
        Outcome::Pass => "● pass",
        Outcome::NoPass => "■ no pass",
        Outcome::CannotTell => "◇ cannot tell",
    };
    let shown: String = input.chars().take(60).collect();
    write!(out, "{word}  {shown}  {}", verdict.format.code())?;
    for finding in &verdict.reasons {
        write!(out, "  {finding}")?;
    }
    for note in &verdict.notes {
        write!(out, "  note:{}", note.code())?;
    }
    if let Some(issuer) = &verdict.issuer {
        write!(out, "  by {}", printable(&issuer.name))?;
        if let Some(country) = &issuer.country {
            write!(out, " ({})", printable(country))?;
        }
    }
    if let Some(holder) = &verdict.shown {
        write!(out, "  {}", printable(holder.name.as_ref().unwrap_or(&holder.initials)))?;
        if let Some(day) = &holder.birth_day {
            write!(out, " born {}", printable(day))?;
        }
    }
    writeln!(out)?;
    Ok(())
}

/// Without what could move the cursor of somebody's terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests;
