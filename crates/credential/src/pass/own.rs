//! Our own health codes through the common door. The gate's verifier ([`crate::verify()`]) does the
//! work; its checks and reasons are carried over.

use super::key::SignatureCheck;
use super::verdict::{Draft, Issuer, Kind};
use super::{Case, Read};
use crate::moment::Presentation;
use crate::verify::{self, Check};

/// A text of ours.
struct OwnText {
    text: String,
    /// Who claims to have issued it, where it can be read.
    region: Option<String>,
}

pub(super) fn read(text: &str) -> (Box<dyn Read + 'static>, Vec<SignatureCheck>) {
    let code = Presentation::from_text(text).and_then(|shown| shown.read()).ok();
    let region = code.map(|(_, code)| code.region);
    (Box::new(OwnText { text: text.to_owned(), region }), Vec::new())
}

impl Read for OwnText {
    fn judge(&self, _held: &[Option<bool>], case: &Case<'_>, draft: &mut Draft) {
        let regions = &case.trust.regions;
        let own = regions.iter().find(|it| Some(&it.list.region) == self.region.as_ref());
        let own = own.or(regions.first());
        let policy = verify::Policy {
            clock_tolerance_s: case.policy.clock_tolerance_s,
            ..verify::Policy::default()
        };
        let nobody;
        let trust = if let Some(trust) = own {
            trust
        } else {
            nobody = nobody_trusted(case.now_s);
            &nobody
        };
        let found = verify::verify(&self.text, trust, None, &policy, case.now_s);
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
            let name = self.region.clone().unwrap_or_default();
            verdict.issuer = Some(Issuer { name, country: None });
            verdict.kind = Some(Kind::Bare);
            (verdict.valid_from, verdict.valid_until) = (found.issued_at, found.valid_until);
        }
    }
}

/// A list that names nobody: every code is then of an unknown issuer.
fn nobody_trusted(now_s: i64) -> crate::list::Trust {
    let list = crate::list::TrustList {
        region: String::new(),
        version: 0,
        issued_at: now_s,
        valid_until: now_s.saturating_add(1),
        keys: Vec::new(),
    };
    crate::list::Trust { list, revocations: None }
}
