//! One pass: its verdict, what it says, and when it ends under which rules.
//!
//! The engines do the work (`credential` the signature and the time, `rules` the rules); here they are
//! brought together for a page. Pure but for nothing: texts, trust and the instant come in.

use std::cell::RefCell;

use credential::pass::{self, Facts, Format, Kind, Policy, Rules, Ruling, Trust, Verdict};
use kernel::Instant;
use serde_json::Value;

use crate::model::Basis;
use crate::rulebook::Sets;
use crate::said::{self, Holder, Said};

/// How far clocks may differ, in seconds.
pub const TOLERANCE_S: i64 = 60;

/// When a pass ends, or why it does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It counts until then.
    Until(Instant),
    /// It counts, and nothing says until when.
    Open,
    /// It does not count yet: from then on.
    From(Instant),
    /// It does not count: these rules say no.
    No(Vec<String>),
    /// There are no rules for such a pass, or they could not be asked.
    Unknown,
}

impl Ending {
    /// The instant at which it ends, if it counts and has an end.
    pub fn at(&self) -> Option<Instant> {
        match self {
            Self::Until(at) => Some(*at),
            _ => None,
        }
    }
}

/// A pass that was judged.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The verdict by the pass itself, without anybody's rules.
    pub verdict: Verdict,
    /// What it says; nothing before its signature was verified.
    pub said: Option<Said>,
    /// When it ends by each basis.
    pub ends: Vec<(Basis, Ending)>,
    /// The sets that were asked.
    pub sets: Sets,
}

impl Judged {
    /// Whose it is, where that was verified.
    pub fn holder(&self) -> Option<&Holder> {
        self.said.as_ref()?.holder.as_ref()
    }

    /// What a rule that said no asks for, in this language.
    pub fn description(&self, basis: Basis, rule: &str, language: &str) -> Option<&str> {
        self.sets.published(basis)?.description(rule, language)
    }

    /// When it ends by this basis.
    pub fn ending(&self, basis: Basis) -> &Ending {
        self.ends.iter().find(|(of, _)| *of == basis).map_or(&Ending::Unknown, |(_, it)| it)
    }
}

/// What a verdict stood on, kept for the rules.
#[derive(Debug, Clone)]
struct Taken {
    format: Format,
    kind: Kind,
    payload: Value,
    /// What rules read, where that is not the payload itself.
    as_dcc: Option<Value>,
    country: Option<String>,
    kid: Vec<u8>,
    issued_at: Option<i64>,
    expires_at: Option<i64>,
}

/// Rules that say nothing and remember what they were shown.
#[derive(Default)]
struct Witness(RefCell<Option<Taken>>);

impl Rules for Witness {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        self.0.replace(Some(Taken {
            format: facts.format,
            kind: facts.kind,
            payload: facts.payload.clone(),
            as_dcc: facts.as_dcc.filter(|_| facts.format != Format::Dcc).cloned(),
            country: facts.issuer_country.map(str::to_owned),
            kid: facts.kid.to_vec(),
            issued_at: facts.issued_at,
            expires_at: facts.expires_at,
        }));
        Ruling::default()
    }
}

impl Taken {
    fn ruling(&self, rules: &dyn Rules, at: Instant) -> Ruling {
        rules.judge(&Facts {
            format: self.format,
            kind: self.kind,
            payload: &self.payload,
            as_dcc: match self.format {
                Format::Dcc => Some(&self.payload),
                _ => self.as_dcc.as_ref(),
            },
            issuer_country: self.country.as_deref(),
            kid: &self.kid,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            now_s: at.seconds(),
        })
    }
}

/// The verdict on what the texts of one pass say.
pub fn verdict(
    texts: &[String],
    trust: &Trust,
    rules: Option<&dyn Rules>,
    policy: &Policy,
    now: Instant,
) -> Verdict {
    // A pass in several codes is read as one text with a code a line.
    pass::verify(&texts.join("\n"), trust, rules, policy, now.seconds())
}

/// What kind of pass these texts claim to be.
pub fn format(texts: &[String]) -> Format {
    texts.first().map_or(Format::Unknown, |it| Format::of(it))
}

/// Judges a pass without asking anybody's rules when it ends: for lists of many.
pub fn glance(texts: &[String], trust: &Trust, now: Instant) -> Judged {
    let (verdict, taken) = look(texts, trust, now);
    let said = taken.map(|it| said::read(it.format, &it.payload));
    Judged { verdict, said, ends: Vec::new(), sets: Sets::default() }
}

fn look(texts: &[String], trust: &Trust, now: Instant) -> (Verdict, Option<Taken>) {
    let witness = Witness::default();
    let policy = Policy { clock_tolerance_s: TOLERANCE_S, ..Policy::default() };
    let verdict = verdict(texts, trust, Some(&witness), &policy, now);
    (verdict, witness.0.into_inner())
}

/// Judges what the texts of one pass say, by the sets of rules in force, at `now`.
pub fn judge(texts: &[String], trust: &Trust, sets: &Sets, now: Instant) -> Judged {
    let (verdict, taken) = look(texts, trust, now);
    let own = own_ending(&verdict, now);
    let ends = Basis::ALL.iter().map(|basis| {
        let rules = sets.published(*basis);
        let ending = match (&taken, rules) {
            (_, None) => own.clone(),
            (None, Some(_)) => Ending::Unknown,
            (Some(taken), Some(rules)) => by_rules(taken, rules, &own, now),
        };
        (*basis, ending)
    });
    let ends = ends.collect();
    let said = taken.map(|it| said::read(it.format, &it.payload));
    Judged { verdict, said, ends, sets: sets.clone() }
}

/// What the pass itself says of its time.
fn own_ending(verdict: &Verdict, now: Instant) -> Ending {
    use credential::Outcome;
    let until = verdict.valid_until.map(Instant::from_seconds);
    let from = verdict.valid_from.map(Instant::from_seconds);
    let reasons = || verdict.reasons.iter().map(ToString::to_string).collect();
    match verdict.outcome {
        Outcome::Pass => until.map_or(Ending::Open, Ending::Until),
        Outcome::NoPass => match from.filter(|it| now < *it) {
            Some(from) => Ending::From(from),
            None => Ending::No(reasons()),
        },
        Outcome::CannotTell => Ending::Unknown,
    }
}

/// The longest time that is looked ahead, in days: rules that count beyond two years name no end
/// that anybody plans by.
const AHEAD_DAYS: i64 = 800;
/// Hours that are looked at one by one: tests count for hours, everything else for days.
const FINE_HOURS: i64 = 96;
const HOUR_S: i64 = 3_600;
const MINUTE_S: i64 = 60;

/// When rules that accept a pass stop accepting it, or begin to. Rules are asked at instants, hour by
/// hour and then day by day, and between two of them minute by minute: they are data, and where they
/// change their mind is nowhere written but in their logic.
fn by_rules(taken: &Taken, rules: &dyn Rules, own: &Ending, now: Instant) -> Ending {
    let begin = match own {
        Ending::Until(_) | Ending::Open => now,
        Ending::From(_) | Ending::No(_) | Ending::Unknown => return own.clone(),
    };
    let accepts = |at: Instant| {
        let ruling = taken.ruling(rules, at);
        ruling.asked > 0 && ruling.failed.is_empty() && ruling.open.is_empty()
    };
    let present = taken.ruling(rules, begin);
    if present.asked == 0 || !present.open.is_empty() {
        return Ending::Unknown;
    }
    let counts = present.failed.is_empty();
    let last = own.at().unwrap_or_else(|| begin.plus_days(AHEAD_DAYS));
    let changes = |at: &Instant| accepts(*at) != counts;
    let mut before = begin;
    let change = steps(begin, last).find(|at| {
        let turned = changes(at);
        if !turned {
            before = *at;
        }
        turned
    });
    match (counts, change.map(|after| turning(before, after, &changes))) {
        (true, Some(end)) => Ending::Until(end),
        (true, None) => own.clone(),
        (false, Some(start)) => Ending::From(start),
        (false, None) => Ending::No(present.failed),
    }
}

/// Hours, then days, up to `last`.
fn steps(begin: Instant, last: Instant) -> impl Iterator<Item = Instant> {
    let hours = (1..=FINE_HOURS).map(move |it| begin.plus_seconds(it * HOUR_S));
    let days = (FINE_HOURS / 24 + 1..=AHEAD_DAYS).map(move |it| begin.plus_days(it));
    hours.chain(days).take_while(move |it| *it < last)
}

/// The first minute between two instants at which something has changed.
fn turning(before: Instant, after: Instant, changed: &impl Fn(&Instant) -> bool) -> Instant {
    let (mut low, mut high) = (before.seconds() / MINUTE_S, after.seconds() / MINUTE_S);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if changed(&Instant::from_seconds(middle * MINUTE_S)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Instant::from_seconds(high * MINUTE_S)
}

/// Whether nothing but the age of a list stands against a pass that its issuer's key signed.
pub fn only_stale(verdict: &Verdict) -> bool {
    use pass::Reason::{RevocationStale, TrustStale};
    let stale = |it: &pass::Finding| matches!(it.reason, TrustStale | RevocationStale);
    let signed = verdict.checks.signature == credential::Check::Ok;
    signed && !verdict.reasons.is_empty() && verdict.reasons.iter().all(stale)
}

/// The word of an outcome, in answers and text keys.
pub const fn outcome_word(outcome: credential::Outcome) -> &'static str {
    match outcome {
        credential::Outcome::Pass => "pass",
        credential::Outcome::NoPass => "no_pass",
        credential::Outcome::CannotTell => "cannot_tell",
    }
}

/// The word of how a step went, in answers and text keys.
pub const fn check_word(check: credential::Check) -> &'static str {
    match check {
        credential::Check::Ok => "ok",
        credential::Check::Failed => "failed",
        credential::Check::Skipped => "skipped",
    }
}

/// The word of what a pass attests, in answers and text keys.
pub const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Vaccination => "vaccination",
        Kind::Test => "test",
        Kind::Recovery => "recovery",
        Kind::Exemption => "exemption",
        Kind::Bare => "bare",
    }
}
