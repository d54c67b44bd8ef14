//! The verdict that every kind of pass gets: outcome, checks one by one, reasons, and no more about
//! the holder than a guard needs.

use serde::Serialize;

use super::format::Format;
use super::reason::{Finding, Reason};
use crate::verify::{Check, Effect, Outcome};

/// The steps, in the order in which they are taken. A step that was not reached is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// From the text to what is signed.
    Decode,
    /// The issuer's key signed it.
    Signature,
    /// The issuer is known and good, and the list that says so fresh.
    Trust,
    /// The issuer's key may sign passes of this type.
    Usage,
    /// The content follows the kind's schema.
    Schema,
    /// The pass has begun and is not over.
    Time,
    /// Neither the pass nor its issuer was revoked, as far as the lists held here go.
    Revocation,
    /// The place's rules accept it.
    Rules,
}

/// How each step went. Exactly these names stand in `haetae verify --json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// See [`Step::Decode`].
    pub decode: Check,
    /// See [`Step::Signature`].
    pub signature: Check,
    /// See [`Step::Trust`].
    pub trust: Check,
    /// See [`Step::Usage`].
    pub usage: Check,
    /// See [`Step::Schema`].
    pub schema: Check,
    /// See [`Step::Time`].
    pub time: Check,
    /// See [`Step::Revocation`].
    pub revocation: Check,
    /// See [`Step::Rules`].
    pub rules: Check,
}

impl Checks {
    pub(crate) const NONE: Self = Self {
        decode: Check::Skipped,
        signature: Check::Skipped,
        trust: Check::Skipped,
        usage: Check::Skipped,
        schema: Check::Skipped,
        time: Check::Skipped,
        revocation: Check::Skipped,
        rules: Check::Skipped,
    };

    fn at(&mut self, step: Step) -> &mut Check {
        match step {
            Step::Decode => &mut self.decode,
            Step::Signature => &mut self.signature,
            Step::Trust => &mut self.trust,
            Step::Usage => &mut self.usage,
            Step::Schema => &mut self.schema,
            Step::Time => &mut self.time,
            Step::Revocation => &mut self.revocation,
            Step::Rules => &mut self.rules,
        }
    }
}

/// Who issued a pass, as far as it was verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Issuer {
    /// The name in the certificate, the address of the card's issuer, the DID, the region.
    pub name: String,
    /// ISO 3166-1 alpha-2, where it is known.
    pub country: Option<String>,
}

/// How many initials are shown: longer names than that do not help a guard.
const INITIALS_MAX: usize = 8;

/// What a guard is shown of the holder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// First letters of given names and surname, e.g. `G. M.`
    pub initials: String,
    /// Day and month of birth, `MM-DD`; less where the pass says less.
    pub birth_day: Option<String>,
    /// The full name, only where the policy demands it.
    pub name: Option<String>,
}

impl Shown {
    /// The minimum of a name and a birth date as `YYYY-MM-DD`, or less of it. Names may be written in
    /// any script; a hyphen begins another letter.
    pub(crate) fn new(given: &str, surname: &str, birth: &str, full_name: bool) -> Self {
        let parts = [given, surname].into_iter().flat_map(|name| name.split([' ', '-']));
        let mut letters: Vec<String> = parts
            .filter_map(|part| part.chars().find(|letter| letter.is_alphabetic()))
            .map(|letter| format!("{}.", letter.to_uppercase()))
            .collect();
        letters.truncate(INITIALS_MAX);
        let birth_day = birth.get(5..).filter(|rest| !rest.is_empty()).map(str::to_owned);
        let name = full_name.then(|| format!("{given} {surname}").trim().to_owned());
        Self { initials: letters.join(" "), birth_day, name }
    }
}

/// What a pass attests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A vaccination.
    Vaccination,
    /// A test.
    Test,
    /// A recovery.
    Recovery,
    /// An exemption.
    Exemption,
    /// A pass that does not say on what it stands (New Zealand, our health code).
    Bare,
}

/// What does not change the outcome, and what whoever relies on it should hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The issuer says that it has a revocation list, and none is held here.
    RevocationMissing,
}

impl Note {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::RevocationMissing => "revocation_missing",
        }
    }
}

/// What [`super::verify`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What kind of pass the text is.
    pub format: Format,
    /// What the guard is told.
    pub outcome: Outcome,
    /// How each step went.
    pub checks: Checks,
    /// Why, in the order of the steps; empty exactly when the outcome is a pass.
    pub reasons: Vec<Finding>,
    /// What is to be said beside the outcome.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Who issued it; known only once the signature was verified, as all that follows.
    pub issuer: Option<Issuer>,
    /// What it attests.
    pub kind: Option<Kind>,
    /// What a guard is shown of the holder.
    pub shown: Option<Shown>,
    /// Unix seconds.
    pub valid_from: Option<i64>,
    /// Unix seconds.
    pub valid_until: Option<i64>,
}

/// What a place asks for beyond its rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// Show the full name, not the initials alone.
    pub full_name: bool,
    /// How far clocks may differ, in seconds.
    pub clock_tolerance_s: i64,
}

/// A verdict in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) verdict: Verdict,
}

impl Draft {
    pub(crate) fn new(format: Format) -> Self {
        let verdict = Verdict {
            format,
            outcome: Outcome::CannotTell,
            checks: Checks::NONE,
            reasons: Vec::new(),
            notes: Vec::new(),
            issuer: None,
            kind: None,
            shown: None,
            valid_from: None,
            valid_until: None,
        };
        Self { verdict }
    }

    /// The verdict on what cannot even be read.
    pub(crate) fn unread(format: Format, reason: Reason) -> Verdict {
        let mut draft = Self::new(format);
        draft.failed(Step::Decode, reason);
        draft.conclude()
    }

    /// The step was done and nothing is wrong.
    pub(crate) fn ok(&mut self, step: Step) {
        *self.verdict.checks.at(step) = Check::Ok;
    }

    /// The step was done and something is wrong.
    pub(crate) fn failed(&mut self, step: Step, finding: impl Into<Finding>) {
        *self.verdict.checks.at(step) = Check::Failed;
        self.verdict.reasons.push(finding.into());
    }

    /// The step was done: what is wrong, if anything.
    pub(crate) fn note(&mut self, step: Step, reason: Option<Reason>) {
        match reason {
            Some(reason) => self.failed(step, reason),
            None => self.ok(step),
        }
    }

    /// Takes in what was found of another pass in the same text: a check failed if it failed for one
    /// of them, and every reason counts. What is shown is the first's.
    pub(crate) fn join(&mut self, other: Self) {
        let steps = [
            Step::Decode,
            Step::Signature,
            Step::Trust,
            Step::Usage,
            Step::Schema,
            Step::Time,
            Step::Revocation,
            Step::Rules,
        ];
        let mut other = other.verdict;
        for step in steps {
            let (here, there) = (self.verdict.checks.at(step), *other.checks.at(step));
            *here = match (*here, there) {
                (Check::Failed, _) | (_, Check::Failed) => Check::Failed,
                (Check::Ok, _) | (_, Check::Ok) => Check::Ok,
                (Check::Skipped, Check::Skipped) => Check::Skipped,
            };
        }
        for reason in other.reasons {
            if !self.verdict.reasons.contains(&reason) {
                self.verdict.reasons.push(reason);
            }
        }
        for note in other.notes {
            if !self.verdict.notes.contains(&note) {
                self.verdict.notes.push(note);
            }
        }
        let verdict = &mut self.verdict;
        if verdict.issuer.is_none() && verdict.shown.is_none() {
            (verdict.issuer, verdict.kind, verdict.shown) = (other.issuer, other.kind, other.shown);
            (verdict.valid_from, verdict.valid_until) = (other.valid_from, other.valid_until);
        }
    }

    /// The outcome that follows from the reasons.
    pub(crate) fn conclude(self) -> Verdict {
        let mut verdict = self.verdict;
        let has = |effect| verdict.reasons.iter().any(|it| it.reason.effect() == effect);
        verdict.outcome = if has(Effect::Undermines) {
            Outcome::CannotTell
        } else if has(Effect::Refuses) {
            Outcome::NoPass
        } else if has(Effect::Doubts) {
            Outcome::CannotTell
        } else {
            Outcome::Pass
        };
        verdict
    }
}
