//! SMART Health Cards (spec.smarthealth.cards): FHIR in JSON, DEFLATE, JWS with ES256, digits.
//!
//! A card travels as digits in one QR code (`shc:/…`), cut into several (`shc:/1/3/…`), as a bare
//! JWS, or in a file with a list of them; a file gets one verdict, which is the worst of its cards.
//!
//! Revocation: a list that names the card refuses it. Where a key says that it has a list and none is
//! held here, the check is left out and the verdict says so in a note. The framework has verifiers fetch
//! the list (SHALL); nothing here has a network, so that is left to whoever fills the store.

pub(crate) mod card;
pub(crate) mod crl;
pub(crate) mod jws;
pub(crate) mod key;
mod text;

use card::Card;
pub use crl::CardRevocations;
pub use text::chunk_place;

use super::format::Format;
use super::json;
use super::reason::Reason;
use super::revocation::Standing;
use super::rules::Facts;
use super::trust::{Signer, Trust};
use super::verdict::{Draft, Issuer, Note, Shown, Step};
use super::{Case, Read, Reading};
use crate::verify::Check;

/// The cards in a text, and for each the signers that its key's name stands for.
struct Cards<'t>(Vec<(Result<Card, Reason>, &'t [Signer])>);

pub(super) fn read<'t>(text: &str, trust: &'t Trust) -> Reading<'t> {
    let mut cards = Vec::new();
    let mut checks = Vec::new();
    for jws in text::jws_texts(text)? {
        let card = Card::read(&jws);
        let mut signers: &[Signer] = &[];
        if let Ok(card) = &card
            && card.jws.is_es256()
        {
            signers = trust.signers(Format::Shc, card.jws.kid.as_bytes());
            checks.extend(signers.iter().map(|signer| card.jws.signed_by(&signer.key)));
        }
        cards.push((card, signers));
    }
    match cards.as_slice() {
        [(Err(reason), _)] => Err(*reason),
        _ => Ok((Box::new(Cards(cards)), checks)),
    }
}

impl Read for Cards<'_> {
    fn judge(&self, held: &[Option<bool>], case: &Case<'_>, draft: &mut Draft) {
        let mut held = held.iter().copied();
        for (card, signers) in &self.0 {
            let held: Vec<_> = held.by_ref().take(signers.len()).collect();
            let mut one = Draft::new(Format::Shc);
            match card {
                Ok(card) => judge(card, signers, &held, case, &mut one),
                Err(reason) => one.failed(Step::Decode, *reason),
            }
            draft.join(one);
        }
    }
}

fn judge(
    card: &Card,
    signers: &[Signer],
    held: &[Option<bool>],
    case: &Case<'_>,
    draft: &mut Draft,
) {
    draft.ok(Step::Decode);
    if !card.jws.is_es256() {
        return draft.failed(Step::Signature, Reason::AlgorithmNotAllowed);
    }
    if signers.is_empty() {
        return draft.failed(Step::Trust, Reason::IssuerUnknown);
    }
    if !held.contains(&Some(true)) {
        let unknown = held.contains(&None);
        let reason = if unknown { Reason::SignatureUnchecked } else { Reason::SignatureBad };
        return draft.failed(Step::Signature, reason);
    }
    draft.ok(Step::Signature);
    let issuer = card.issuer().unwrap_or_default();
    let known = is_bound(issuer, signers) && case.trust.lists_card_issuer(issuer);
    draft.note(Step::Trust, (!known).then_some(Reason::IssuerUnknown));
    if !known {
        return;
    }
    draft.note(Step::Schema, (!card.is_as_specified()).then_some(Reason::SchemaInvalid));
    draft.note(Step::Time, time_reason(card, case));
    let standing = standing(card, case);
    draft.stand(standing);
    let has_list = case.trust.card_list_version(&card.jws.kid).is_some();
    if standing == Standing::NotListed && has_list {
        draft.verdict.notes.push(Note::RevocationMissing);
    }

    let verdict = &mut draft.verdict;
    verdict.issuer = Some(Issuer { name: issuer.to_owned(), country: None });
    verdict.kind = Some(card.kind());
    verdict.valid_from = card.not_before().and_then(json::whole);
    verdict.valid_until = card.expires().and_then(json::whole);
    verdict.shown = card.holder().map(|holder| {
        let birth = holder.birth_date.unwrap_or_default();
        Shown::new(&holder.given.join(" "), holder.family, birth, case.policy.full_name)
    });
    if draft.verdict.checks.schema == Check::Ok {
        let (payload, as_dcc) = (card.content(), card.as_dcc());
        let facts = Facts {
            format: Format::Shc,
            kind: card.kind(),
            payload: &payload,
            as_dcc: as_dcc.as_ref(),
            issuer_country: None,
            kid: card.jws.kid.as_bytes(),
            issued_at: card.not_before().and_then(json::whole),
            expires_at: card.expires().and_then(json::whole),
            now_s: case.now_s,
        };
        draft.rule(case, &facts);
    }
}

/// Where something says whose the key is, it must be this issuer's.
fn is_bound(issuer: &str, signers: &[Signer]) -> bool {
    let mut owners = signers.iter().filter_map(|signer| signer.issuer.as_deref()).peekable();
    owners.peek().is_none() || owners.any(|owner| owner == issuer)
}

/// RFC 7519, sections 4.1.4 and 4.1.5: from `nbf` on, and before `exp`.
fn time_reason(card: &Card, case: &Case<'_>) -> Option<Reason> {
    #[allow(clippy::as_conversions, clippy::cast_precision_loss)]
    let second = |second: i64| second as f64;
    let latest = second(case.now_s.saturating_add(case.policy.clock_tolerance_s));
    let earliest = second(case.now_s.saturating_sub(case.policy.clock_tolerance_s));
    if card.expires().is_some_and(|end| end <= earliest) {
        Some(Reason::Expired)
    } else if card.not_before().is_some_and(|begin| latest < begin) {
        Some(Reason::NotYetValid)
    } else {
        None
    }
}

/// What the lists of its key say of a card.
fn standing(card: &Card, case: &Case<'_>) -> Standing {
    let lists = case.trust.revocations.of_card_key(&card.jws.kid);
    let issued_at = card.not_before().unwrap_or_default();
    let names = |list: &CardRevocations| {
        let name = list.method.and_then(|method| card.name_in(method));
        name.is_some_and(|name| list.contains(&name, issued_at))
    };
    let version = case.trust.card_list_version(&card.jws.kid);
    if lists.is_empty() {
        Standing::NotListed
    } else if lists.iter().any(names) {
        Standing::Revoked
    } else if lists.iter().all(|list| list.vouches(version)) {
        Standing::Good
    } else {
        Standing::Stale
    }
}
