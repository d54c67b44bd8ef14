//! What COSE passes have in common: candidates for the signer, which of them signed, and whether
//! that one is good at this moment.

use super::key::SignatureCheck;
use super::reason::Reason;
use super::sign1::Message;
use super::trust::Signer;
use super::verdict::{Draft, Issuer, Step};
use super::{Algorithm, Case};

/// Those who may have signed a message, each with its check if the message's algorithm is one for its
/// key.
pub(super) struct Candidates<'t> {
    signers: Vec<(&'t Signer, Option<usize>)>,
    is_allowed: bool,
}

impl<'t> Candidates<'t> {
    /// The candidates among `signers` and their checks. `allowed` are the kind's algorithms.
    pub(super) fn new(
        signers: &'t [Signer],
        message: &Message<'_>,
        allowed: &[Algorithm],
    ) -> (Self, Vec<SignatureCheck>) {
        let is_allowed = message.algorithm.is_some_and(|it| allowed.contains(&it));
        let mut checks = Vec::new();
        let signers = signers.iter().map(|signer| {
            let check = is_allowed.then(|| message.check(&signer.key)).flatten();
            let at = check.map(|check| {
                checks.push(check);
                checks.len() - 1
            });
            (signer, at)
        });
        let signers = signers.collect();
        (Self { signers, is_allowed }, checks)
    }

    /// Decides steps trust and signature. Of several who share a name, and a key, the one is taken
    /// about whom least is to be said. Nothing when nobody signed.
    pub(super) fn signer(
        &self,
        held: &[Option<bool>],
        case: &Case<'_>,
        draft: &mut Draft,
        more: impl Fn(&Signer) -> usize,
    ) -> Option<&'t Signer> {
        if self.signers.is_empty() {
            draft.failed(Step::Trust, Reason::IssuerUnknown);
            return None;
        }
        let answer = |at: Option<usize>| at.and_then(|at| held.get(at).copied());
        let holds = |it: &&(&'t Signer, Option<usize>)| answer(it.1) == Some(Some(true));
        let by = self.signers.iter().filter(holds).map(|(signer, _)| *signer);
        let best = by.min_by_key(|it| (issuer_reason(it, case.now_s).is_some(), more(it)));
        let Some(signer) = best else {
            let is_open = self.signers.iter().any(|(_, at)| answer(*at) == Some(None));
            // The issuer is known; whether its certificate is good does not matter any more.
            draft.ok(Step::Trust);
            draft.failed(
                Step::Signature,
                match (self.is_allowed, is_open) {
                    (true, true) => Reason::SignatureUnchecked,
                    (true, false) if self.signers.iter().any(|(_, at)| at.is_some()) => {
                        Reason::SignatureBad
                    }
                    _ => Reason::AlgorithmNotAllowed,
                },
            );
            return None;
        };
        draft.note(Step::Trust, issuer_reason(signer, case.now_s));
        draft.ok(Step::Signature);
        let name = signer.issuer.clone().unwrap_or_default();
        draft.verdict.issuer = Some(Issuer { name, country: signer.country.clone() });
        Some(signer)
    }
}

/// What is to be said against a signer at this moment.
pub(super) fn issuer_reason(signer: &Signer, now_s: i64) -> Option<Reason> {
    if signer.list_until.is_some_and(|until| until <= now_s) {
        Some(Reason::TrustStale)
    } else if signer.not_after.is_some_and(|end| end < now_s) {
        Some(Reason::IssuerExpired)
    } else if signer.not_before.is_some_and(|start| now_s < start) {
        Some(Reason::IssuerNotYetValid)
    } else {
        None
    }
}
