//! The verdict at a gate: a pure function of (text, lists, what was seen, policy, time).
//!
//! Three outcomes, and the third is not a soft "no": whenever the gate itself may be at fault
//! (unknown issuer, stale lists, unreadable picture, wrong clock) it says that it cannot tell. On
//! 13 December 2021 people were turned away because a system that had failed answered "no".
//!
//! Nothing from the code is shown before its signature was verified.

use serde::{Serialize, Serializer};

use crate::code::{Class, Colour, HealthCode, Holder};
use crate::cose::Sign1;
use crate::error::DecodeError;
use crate::list::{IssuerKey, Trust, Uses};
use crate::moment::{self, Moment, Presentation};
use crate::seen::SeenSet;
use crate::short::ShortCode;

/// What the guard is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Let through (after a glance at an ID, if the verdict asks for one).
    Pass,
    /// Do not let through; the reasons say why.
    NoPass,
    /// This gate cannot judge; a person has to. Never to be shown as a "no".
    CannotTell,
}

/// Why the outcome is not a plain pass. The names in snake case are stable codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not a code of ours, or damaged.
    Malformed,
    /// Longer than any code of ours.
    TooLong,
    /// A short code was typed; only the server can look it up.
    TypedOffline,
    /// The trust list is too old to rely on.
    TrustStale,
    /// The trust list is from the future: this gate's clock is behind.
    ClockBehind,
    /// The trust list does not have the key that claims to have signed.
    IssuerUnknown,
    /// The key did not sign for codes of that time, or does not sign health codes at all.
    IssuerNotValid,
    /// The key was in other hands when the code was issued: whoever it names must get a new one.
    IssuerRevoked,
    /// Issued by another region.
    RegionOther,
    /// The issuer's key did not sign this: forged or altered.
    SignatureBad,
    /// The code's time is over.
    Expired,
    /// Issued in the future: this gate's clock is behind, or the issuer's ahead.
    NotYetValid,
    /// The revocation list is missing or too old to rely on.
    RevocationStale,
    /// The pass was revoked.
    Revoked,
    /// A device's code without a proof of the moment: a picture of it.
    ProofMissing,
    /// The proof is of an earlier moment: a picture of it.
    ProofStale,
    /// The proof is of a later moment: this gate's clock is behind, or the device's ahead.
    ProofAhead,
    /// The holder's device did not sign this proof.
    ProofBad,
    /// The colour is yellow.
    ColourYellow,
    /// The colour is red.
    ColourRed,
    /// The issuer does not know the colour.
    ColourUnknown,
    /// The same pass went through here a moment ago, or this very proof ever.
    AlreadyUsed,
}

/// What a reason does to the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Takes the ground from under everything else: cannot tell, whatever the code says.
    Undermines,
    /// A "no" that stands on verified facts.
    Refuses,
    /// Not enough for a pass, not a "no".
    Doubts,
}

impl Reason {
    /// The stable code for machines and for looking up texts; the same as in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLong => "too_long",
            Self::TypedOffline => "typed_offline",
            Self::TrustStale => "trust_stale",
            Self::ClockBehind => "clock_behind",
            Self::IssuerUnknown => "issuer_unknown",
            Self::IssuerNotValid => "issuer_not_valid",
            Self::IssuerRevoked => "issuer_revoked",
            Self::RegionOther => "region_other",
            Self::SignatureBad => "signature_bad",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::RevocationStale => "revocation_stale",
            Self::Revoked => "revoked",
            Self::ProofMissing => "proof_missing",
            Self::ProofStale => "proof_stale",
            Self::ProofAhead => "proof_ahead",
            Self::ProofBad => "proof_bad",
            Self::ColourYellow => "colour_yellow",
            Self::ColourRed => "colour_red",
            Self::ColourUnknown => "colour_unknown",
            Self::AlreadyUsed => "already_used",
        }
    }

    /// All reasons, for texts and tests that must miss none.
    pub const ALL: [Self; 22] = [
        Self::Malformed,
        Self::TooLong,
        Self::TypedOffline,
        Self::TrustStale,
        Self::ClockBehind,
        Self::IssuerUnknown,
        Self::IssuerNotValid,
        Self::IssuerRevoked,
        Self::RegionOther,
        Self::SignatureBad,
        Self::Expired,
        Self::NotYetValid,
        Self::RevocationStale,
        Self::Revoked,
        Self::ProofMissing,
        Self::ProofStale,
        Self::ProofAhead,
        Self::ProofBad,
        Self::ColourYellow,
        Self::ColourRed,
        Self::ColourUnknown,
        Self::AlreadyUsed,
    ];

    pub(crate) fn effect(self) -> Effect {
        match self {
            Self::Malformed
            | Self::TooLong
            | Self::TypedOffline
            | Self::TrustStale
            | Self::ClockBehind
            | Self::IssuerUnknown
            | Self::IssuerNotValid
            | Self::RegionOther => Effect::Undermines,
            Self::IssuerRevoked
            | Self::SignatureBad
            | Self::Expired
            | Self::Revoked
            | Self::ProofMissing
            | Self::ProofStale
            | Self::ProofBad
            | Self::ColourYellow
            | Self::ColourRed => Effect::Refuses,
            Self::NotYetValid
            | Self::RevocationStale
            | Self::ProofAhead
            | Self::ColourUnknown
            | Self::AlreadyUsed => Effect::Doubts,
        }
    }
}

/// How one step of the verification went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Done, and in order.
    Ok,
    /// Done, and not in order.
    Failed,
    /// Not reached, or not asked for.
    Skipped,
}

/// The steps, for the guard who wants to know and for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// The text is a code of ours.
    pub decode: Check,
    /// The issuer signed it.
    pub signature: Check,
    /// The issuer is known and good, and the trust list fresh.
    pub trust: Check,
    /// It is issued and not expired.
    pub time: Check,
    /// The pass is not revoked, and the revocation list fresh.
    pub revocation: Check,
    /// The holder's device signed this moment; skipped for paper.
    pub proof: Check,
}

/// The numbers a verdict depends on; the default is what gates use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How many time steps before the gate's own are accepted. With 1, a proof is accepted for at
    /// most 30 s from the beginning of its step: a screenshot is dead by then.
    pub steps_past: u64,
    /// How many after it: with 1, a gate may be 15 s behind the device.
    pub steps_future: u64,
    /// How far in the future a list or a code may have been issued, in seconds.
    pub clock_tolerance_s: i64,
    /// For how many seconds a second showing of the same pass is marked.
    pub seen_within_s: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { steps_past: 1, steps_future: 1, clock_tolerance_s: 15, seen_within_s: 60 }
    }
}

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What the guard is told.
    pub outcome: Outcome,
    /// Why, in the order of the checks; empty exactly when the outcome is a pass.
    pub reasons: Vec<Reason>,
    /// Device-bound or printed; known only once the signature was verified, as all that follows.
    pub class: Option<Class>,
    /// The colour.
    pub colour: Option<Colour>,
    /// The pass id; in JSON 32 hexadecimal digits.
    #[serde(serialize_with = "hexadecimal")]
    pub pass: Option<[u8; 16]>,
    /// Unix seconds.
    pub issued_at: Option<i64>,
    /// Unix seconds.
    pub valid_until: Option<i64>,
    /// When the same pass went through before, if it is marked `already_used`.
    pub used_at: Option<i64>,
    /// The steps one by one.
    pub checks: Checks,
    /// Whether to glance at an ID before letting through.
    pub ask_id: bool,
}

/// Judges a scanned or typed `text` at `now_s` (unix seconds).
///
/// `seen` is this gate's memory of whom it passed; a pass is added to it. Never fails: whatever
/// the text, there is a verdict.
pub fn verify(
    text: &str,
    trust: &Trust,
    seen: Option<&mut SeenSet>,
    policy: &Policy,
    now_s: i64,
) -> Verdict {
    judge_read(text, &Shown::read(text), None, trust, seen, policy, now_s)
}

/// What a text holds: read, but not verified.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The signed message.
    pub(crate) signed: Sign1,
    /// What it says.
    pub(crate) code: HealthCode,
    /// The proof of the moment, if any.
    pub(crate) moment: Option<Moment>,
}

impl Shown {
    /// Reads a text.
    pub(crate) fn read(text: &str) -> Result<Self, DecodeError> {
        let shown = Presentation::from_text(text)?;
        let (signed, code) = shown.read()?;
        Ok(Self { signed, code, moment: shown.moment })
    }
}

/// The verdict on a text that was read before. `is_signed` is whether the key that the trust list has
/// under the message's name signed it, where somebody has computed that already.
pub(crate) fn judge_read(
    text: &str,
    shown: &Result<Shown, DecodeError>,
    is_signed: Option<bool>,
    trust: &Trust,
    seen: Option<&mut SeenSet>,
    policy: &Policy,
    now_s: i64,
) -> Verdict {
    let mut judge = Judge::new(policy, now_s);
    match shown {
        Ok(shown) => judge.judge(shown, is_signed, trust, seen),
        Err(error) => judge.not_read(text, *error),
    }
    judge.conclude()
}

struct Judge<'a> {
    verdict: Verdict,
    policy: &'a Policy,
    now_s: i64,
}

impl<'a> Judge<'a> {
    fn new(policy: &'a Policy, now_s: i64) -> Self {
        let checks = Checks {
            decode: Check::Skipped,
            signature: Check::Skipped,
            trust: Check::Skipped,
            time: Check::Skipped,
            revocation: Check::Skipped,
            proof: Check::Skipped,
        };
        let verdict = Verdict {
            outcome: Outcome::CannotTell,
            reasons: Vec::new(),
            class: None,
            colour: None,
            pass: None,
            issued_at: None,
            valid_until: None,
            used_at: None,
            checks,
            ask_id: false,
        };
        Self { verdict, policy, now_s }
    }

    fn judge(
        &mut self,
        shown: &Shown,
        is_signed: Option<bool>,
        trust: &Trust,
        seen: Option<&mut SeenSet>,
    ) {
        let (signed, code, moment) = (&shown.signed, &shown.code, shown.moment);
        self.verdict.checks.decode = Check::Ok;

        let list_reason = self.list_reason(trust);
        let Some(issuer) = trust.list.key(&signed.kid) else {
            self.verdict.reasons.extend(list_reason);
            self.verdict.reasons.push(Reason::IssuerUnknown);
            self.verdict.checks.trust = Check::Failed;
            return;
        };
        let good = is_signed.unwrap_or_else(|| signed.is_signed_by(&issuer.public));
        let issuer_reason = if good { issuer_reason(issuer, code, trust) } else { None };
        let trust_reasons = [list_reason, issuer_reason];
        self.verdict.checks.trust = self.note(trust_reasons);
        self.verdict.checks.signature = self.note([(!good).then_some(Reason::SignatureBad)]);
        if !good {
            return;
        }
        self.show(code);
        self.verdict.checks.time = self.note([self.time_reason(code)]);
        self.verdict.checks.revocation = self.note([self.revocation_reason(code, trust)]);
        if let Holder::Device(key) = &code.holder {
            self.verdict.checks.proof =
                self.note([proof_reason(key, &code.pass, moment, self.policy, self.now_s)]);
        }
        self.verdict.reasons.extend(match code.colour {
            Colour::Green => None,
            Colour::Yellow => Some(Reason::ColourYellow),
            Colour::Red => Some(Reason::ColourRed),
            Colour::Unknown => Some(Reason::ColourUnknown),
        });
        if let Some(seen) = seen {
            self.look_back(seen, &code.pass, moment);
        }
    }

    /// Adds the reasons there are; failed if there is one.
    fn note<const N: usize>(&mut self, reasons: [Option<Reason>; N]) -> Check {
        let before = self.verdict.reasons.len();
        self.verdict.reasons.extend(reasons.into_iter().flatten());
        if before == self.verdict.reasons.len() { Check::Ok } else { Check::Failed }
    }

    fn not_read(&mut self, text: &str, error: DecodeError) {
        let typed = || text.parse::<ShortCode>().is_ok();
        let reason = match error {
            DecodeError::TooLong => Reason::TooLong,
            DecodeError::NotHaetae if typed() => {
                self.verdict.checks.decode = Check::Ok;
                self.verdict.reasons.push(Reason::TypedOffline);
                return;
            }
            _ => Reason::Malformed,
        };
        self.verdict.checks.decode = Check::Failed;
        self.verdict.reasons.push(reason);
    }

    fn show(&mut self, code: &HealthCode) {
        self.verdict.class = Some(code.holder.class());
        self.verdict.colour = Some(code.colour);
        self.verdict.pass = Some(code.pass);
        self.verdict.issued_at = Some(code.issued_at);
        self.verdict.valid_until = Some(code.valid_until);
        self.verdict.ask_id = code.holder == Holder::Printed;
    }

    /// Whether `second` is further in the future than clocks may differ.
    fn is_ahead(&self, second: i64) -> bool {
        self.now_s.saturating_add(self.policy.clock_tolerance_s) < second
    }

    fn list_reason(&self, trust: &Trust) -> Option<Reason> {
        if trust.list.valid_until <= self.now_s {
            Some(Reason::TrustStale)
        } else if self.is_ahead(trust.list.issued_at) {
            Some(Reason::ClockBehind)
        } else {
            None
        }
    }

    fn time_reason(&self, code: &HealthCode) -> Option<Reason> {
        if code.valid_until <= self.now_s {
            Some(Reason::Expired)
        } else if self.is_ahead(code.issued_at) {
            Some(Reason::NotYetValid)
        } else {
            None
        }
    }

    fn revocation_reason(&self, code: &HealthCode, trust: &Trust) -> Option<Reason> {
        match &trust.revocations {
            // An old list still knows what it knows: revoked stays revoked.
            Some(list) if list.contains(&code.pass) => Some(Reason::Revoked),
            Some(list) if self.now_s < list.valid_until => None,
            _ => Some(Reason::RevocationStale),
        }
    }

    /// Only who would pass is looked up and remembered: a refused showing uses nothing up.
    fn look_back(&mut self, seen: &mut SeenSet, pass: &[u8; 16], moment: Option<Moment>) {
        if !self.verdict.reasons.is_empty() {
            return;
        }
        let step = moment.map(|moment| moment.step);
        self.verdict.used_at = seen.find(pass, step, self.now_s, self.policy.seen_within_s);
        if self.verdict.used_at.is_some() {
            self.verdict.reasons.push(Reason::AlreadyUsed);
            self.verdict.ask_id = true;
        } else {
            seen.remember(*pass, step, self.now_s);
        }
    }

    fn conclude(self) -> Verdict {
        let mut verdict = self.verdict;
        verdict.outcome = Outcome::Pass;
        for reason in &verdict.reasons {
            verdict.outcome = match reason.effect() {
                Effect::Undermines => {
                    verdict.outcome = Outcome::CannotTell;
                    break;
                }
                Effect::Refuses => Outcome::NoPass,
                Effect::Doubts if verdict.outcome == Outcome::NoPass => Outcome::NoPass,
                Effect::Doubts => Outcome::CannotTell,
            };
        }
        verdict
    }
}

/// What is to be said against a device's proof of the moment.
pub(crate) fn proof_reason(
    key: &[u8; 33],
    pass: &[u8; 16],
    moment: Option<Moment>,
    policy: &Policy,
    now_s: i64,
) -> Option<Reason> {
    let Some(moment) = moment else { return Some(Reason::ProofMissing) };
    let now_step = moment::step_at(now_s);
    if !moment.is_signed_by(key, pass) {
        Some(Reason::ProofBad)
    } else if moment.step < now_step.saturating_sub(policy.steps_past) {
        Some(Reason::ProofStale)
    } else if now_step.saturating_add(policy.steps_future) < moment.step {
        Some(Reason::ProofAhead)
    } else {
        None
    }
}

/// A key is judged by when the code was issued, not by now: codes outlive short-lived keys.
fn issuer_reason(issuer: &IssuerKey, code: &HealthCode, trust: &Trust) -> Option<Reason> {
    if code.region != trust.list.region {
        Some(Reason::RegionOther)
    } else if !issuer.uses.contains(Uses::CODES)
        || code.issued_at < issuer.not_before
        || issuer.not_after < code.issued_at
    {
        Some(Reason::IssuerNotValid)
    } else if issuer.revoked_from.is_some_and(|from| from <= code.issued_at) {
        Some(Reason::IssuerRevoked)
    } else {
        None
    }
}

// The signature is the one serde asks for.
#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)]
fn hexadecimal<S: Serializer>(pass: &Option<[u8; 16]>, serializer: S) -> Result<S::Ok, S::Error> {
    match pass {
        Some(pass) => serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(*pass))),
        None => serializer.serialize_none(),
    }
}
