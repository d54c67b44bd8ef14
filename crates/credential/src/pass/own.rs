//! Our own health codes through the common door. The gate's verifier ([`crate::verify()`]) does the
//! work; its checks and reasons are carried over.

use super::key::SignatureCheck;
use super::verdict::{Draft, Issuer, Kind};
use super::{Case, Read, Trust, dcc};
use crate::error::DecodeError;
use crate::list;
use crate::verify::{self, Check, Shown};

/// A text of ours.
pub(super) struct OwnText {
    text: String,
    shown: Result<Shown, DecodeError>,
}

pub(super) fn read<'t>(text: &str, trust: &'t Trust) -> (Box<dyn Read + 't>, Vec<SignatureCheck>) {
    let own = OwnText::read(text);
    // The envelope has two kinds of content; the one that a whole city shows is tried first.
    let bound = if own.is_read() { None } else { dcc::read_bound(text, trust) };
    bound.unwrap_or_else(|| (Box::new(own), Vec::new()))
}

impl OwnText {
    pub(super) fn read(text: &str) -> Self {
        Self { text: text.to_owned(), shown: Shown::read(text) }
    }

    /// Whether it is a health code.
    pub(super) fn is_read(&self) -> bool {
        self.shown.is_ok()
    }

    /// Who claims to have issued it, where it can be read.
    fn region(&self) -> Option<&str> {
        self.shown.as_ref().ok().map(|it| it.code.region.as_str())
    }

    /// The lists of the region that it names, or of any.
    fn own<'t>(&self, trust: &'t Trust) -> Option<&'t list::Trust> {
        let region = self.region();
        let own = trust.regions.iter().find(|it| Some(it.list.region.as_str()) == region);
        own.or(trust.regions.first())
    }

    /// The message and the key that claims to have signed it, if both are known.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn signed<'t>(&'t self, trust: &'t Trust) -> Option<crate::batch::Signed<'t>> {
        let message = &self.shown.as_ref().ok()?.signed;
        let key = self.own(trust)?.list.key(&message.kid)?;
        Some(crate::batch::Signed { message, public: &key.public })
    }

    /// Judges it. `is_signed` is whether the key that it names signed it, where that is known already.
    pub(super) fn judge(&self, is_signed: Option<bool>, case: &Case<'_>, draft: &mut Draft) {
        let policy = verify::Policy {
            clock_tolerance_s: case.policy.clock_tolerance_s,
            ..verify::Policy::default()
        };
        let nobody;
        let trust = if let Some(trust) = self.own(case.trust) {
            trust
        } else {
            nobody = nobody_trusted(case.now_s);
            &nobody
        };
        let (text, now_s) = (&self.text, case.now_s);
        let found = verify::judge_read(text, &self.shown, is_signed, trust, None, &policy, now_s);
        let verdict = &mut draft.verdict;
        let checks = &mut verdict.checks;
        (checks.decode, checks.signature) = (found.checks.decode, found.checks.signature);
        (checks.trust, checks.revocation) = (found.checks.trust, found.checks.revocation);
        // The proof of the moment is about time: a picture of a code is an old moment.
        checks.time = match (found.checks.time, found.checks.proof) {
            (Check::Failed, _) | (_, Check::Failed) => Check::Failed,
            (time, _) => time,
        };
        verdict.reasons.extend(found.reasons.iter().map(|it| super::Reason::Code(*it).into()));
        if found.pass.is_some() {
            let name = self.region().unwrap_or_default().to_owned();
            verdict.issuer = Some(Issuer { name, country: None });
            verdict.kind = Some(Kind::Bare);
            (verdict.valid_from, verdict.valid_until) = (found.issued_at, found.valid_until);
        }
    }
}

impl Read for OwnText {
    fn judge(&self, _held: &[Option<bool>], case: &Case<'_>, draft: &mut Draft) {
        self.judge(None, case, draft);
    }
}

/// A list that names nobody: every code is then of an unknown issuer.
fn nobody_trusted(now_s: i64) -> list::Trust {
    let list = list::TrustList {
        region: String::new(),
        version: 0,
        issued_at: now_s,
        valid_until: now_s.saturating_add(1),
        keys: Vec::new(),
    };
    list::Trust { list, revocations: None }
}
