//! What is known to be revoked, per kind of pass.
//!
//! An old list still knows what it knows: revoked stays revoked. What an old list does not name is
//! in doubt.

use std::collections::HashMap;

use super::certificate::Certificate;
use super::crl::RevokedCertificates;
use super::hash_list::HashLists;
use super::reason::Reason;
use super::shc::CardRevocations;
use super::status::StatusToken;
use super::verdict::{Draft, Step};

/// Revocations of every kind.
#[derive(Debug, Clone, Default)]
pub struct Revocations {
    certificates: Vec<RevokedCertificates>,
    cards: HashMap<String, Vec<CardRevocations>>,
    hashes: HashLists,
    statuses: Vec<StatusToken>,
}

/// What the lists held here say of one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// No list is for such a pass.
    NotListed,
    /// A list is for it, and does not name it.
    Good,
    /// A list is for it, does not name it, and is too old to rely on.
    Stale,
    /// A list names it.
    Revoked,
}

impl Standing {
    /// What two kinds of lists say together: the worse of the two.
    pub(crate) fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

/// What the three kinds of DCC revocation entries are computed from.
#[derive(Debug, Clone, Copy)]
pub struct DccNames<'a> {
    /// The signing key's name.
    pub kid: &'a [u8],
    /// The entry's `ci`.
    pub uci: &'a str,
    /// The country that issued: `iss`, or the entry's `co`.
    pub country: &'a str,
    /// The signature; of ECDSA, `r || s`.
    pub signature: &'a [u8],
    /// Whether the signature is ECDSA's, of which only `r` counts (`s` can be changed by anyone).
    pub is_ecdsa: bool,
}

impl Revocations {
    /// Adds a list of certificates.
    pub fn add_certificates(&mut self, list: RevokedCertificates) {
        self.certificates.push(list);
    }

    /// Adds a list of SMART cards.
    pub fn add_cards(&mut self, list: CardRevocations) {
        self.cards.entry(list.kid.clone()).or_default().push(list);
    }

    /// The lists of cards that a key signed.
    pub(crate) fn of_card_key(&self, kid: &str) -> &[CardRevocations] {
        self.cards.get(kid).map_or(&[], Vec::as_slice)
    }

    /// The lists of those who issue such certificates.
    pub(crate) fn about<'a>(&'a self, certificate: &Certificate) -> Vec<&'a RevokedCertificates> {
        self.certificates.iter().filter(|list| list.is_about(certificate)).collect()
    }

    /// What is known of a certificate that `authority` issued, computed here and now. A list that its
    /// authority did not sign says nothing, but that somebody put one here says that the right one is
    /// missing.
    pub(crate) fn certificate(
        &self,
        certificate: &Certificate,
        authority: Option<&Certificate>,
        now_s: i64,
    ) -> Standing {
        let about = self.about(certificate);
        let is_good = |list: &RevokedCertificates| {
            let check = authority.and_then(|it| list.signed_by(it));
            check.and_then(|check| check.holds()) == Some(true)
        };
        let good: Vec<_> = about.iter().filter(|list| is_good(list)).collect();
        if about.is_empty() {
            Standing::NotListed
        } else if good.iter().any(|list| list.contains(certificate)) {
            Standing::Revoked
        } else if good.iter().any(|list| list.is_current_at(now_s)) {
            Standing::Good
        } else {
            Standing::Stale
        }
    }

    /// What is known of a DCC.
    pub fn dcc(&self, names: &DccNames<'_>, now_s: i64) -> Standing {
        self.hashes.standing(names, now_s)
    }

    /// Adds a list of DCCs in JSON; nothing if it is none.
    pub fn add_hashes(&mut self, batch: &serde_json::Value) -> Option<()> {
        self.hashes.add(batch)
    }

    /// Adds a signed status list.
    pub fn add_status(&mut self, token: StatusToken) {
        self.statuses.push(token);
    }

    pub(crate) fn status_tokens(&self) -> &[StatusToken] {
        &self.statuses
    }
}

impl Draft {
    /// The revocation step: skipped where no list is for the pass.
    pub(crate) fn stand(&mut self, standing: Standing) {
        match standing {
            Standing::NotListed => {}
            Standing::Good => self.ok(Step::Revocation),
            Standing::Revoked => self.failed(Step::Revocation, Reason::Revoked),
            Standing::Stale => self.failed(Step::Revocation, Reason::RevocationStale),
        }
    }
}
