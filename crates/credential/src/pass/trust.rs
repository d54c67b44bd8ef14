//! Whom a verifier trusts, and what it knows to be revoked: keys by kind and name, authorities,
//! revocations, and the lists of our own regions.
//!
//! A store is filled once ([`Trust::add`] reads files of every kind) and then only read, by as many
//! verdicts at once as there are.

use std::collections::{BTreeSet, HashMap};

use super::certificate::Certificate;
use super::format::Format;
use super::key::PublicKey;
use super::revocation::{Revocations, Standing};
use super::verdict::Kind;
use crate::list;

/// What a key may sign. A certificate without any of the key-usage names may sign everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Vaccinations.
    pub vaccination: bool,
    /// Tests.
    pub test: bool,
    /// Recoveries.
    pub recovery: bool,
}

impl Usage {
    /// Everything.
    pub const ANY: Self = Self { vaccination: true, test: true, recovery: true };

    /// Whether passes of this kind may be signed.
    pub fn allows(self, kind: Kind) -> bool {
        match kind {
            Kind::Vaccination => self.vaccination,
            Kind::Test => self.test,
            Kind::Recovery => self.recovery,
            Kind::Exemption | Kind::Bare => true,
        }
    }
}

/// A key that may sign passes of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub key: PublicKey,
    /// What it may sign.
    pub usage: Usage,
    /// Whose it is: the certificate's subject, the DID, the address. Where a kind names its issuer
    /// in the message, the two must agree.
    pub issuer: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// The key counts from this unix second on.
    pub not_before: Option<i64>,
    /// The key counts up to and with this unix second (RFC 5280, 4.1.2.5).
    pub not_after: Option<i64>,
    /// What claims to be signed from this unix second on is refused: others may have the key since.
    pub refused_from: Option<i64>,
    /// The list that named the key may be used until this unix second.
    pub list_until: Option<i64>,
    /// The certificate that the key came in: its authority may have revoked it.
    pub certificate: Option<Box<Certificate>>,
}

/// All that verdicts stand on.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    signers: HashMap<(Format, Vec<u8>), Vec<Signer>>,
    /// Authorities that sign other certificates: country signing authorities and their like.
    pub authorities: Vec<Certificate>,
    /// What was revoked.
    pub revocations: Revocations,
    /// The issuers of SMART cards that a directory names; with none, any issuer whose key is held.
    card_issuers: BTreeSet<String>,
    /// The versions that keys of SMART cards give for their revocation lists.
    card_list_versions: HashMap<String, i64>,
    /// The lists of our own regions.
    pub regions: Vec<list::Trust>,
}

impl Trust {
    /// Adds a signer under its name. Several may share one: eight bytes of a hash collide, and all
    /// of them are tried.
    pub fn add_signer(&mut self, format: Format, kid: &[u8], signer: Signer) {
        let signers = self.signers.entry((format, kid.to_vec())).or_default();
        if !signers.contains(&signer) {
            signers.push(signer);
        }
    }

    /// The signers of this kind with this name.
    pub fn signers(&self, format: Format, kid: &[u8]) -> &[Signer] {
        self.signers.get(&(format, kid.to_vec())).map_or(&[], Vec::as_slice)
    }

    /// Adds an issuer of SMART cards that a directory names.
    pub fn add_card_issuer(&mut self, issuer: &str) {
        self.card_issuers.insert(issuer.to_owned());
    }

    /// Whether the directories held here, if any, name this issuer of SMART cards.
    pub(crate) fn lists_card_issuer(&self, issuer: &str) -> bool {
        self.card_issuers.is_empty() || self.card_issuers.contains(issuer)
    }

    /// Adds what a key of SMART cards says of its revocation list; of two, the later counts.
    pub(crate) fn add_card_list_version(&mut self, kid: &str, version: i64) {
        let known = self.card_list_versions.entry(kid.to_owned()).or_insert(version);
        *known = version.max(*known);
    }

    /// The version of a key's revocation list when the key was published.
    pub(crate) fn card_list_version(&self, kid: &str) -> Option<i64> {
        self.card_list_versions.get(kid).copied()
    }

    /// What the lists of a signer's authority say of its certificate. Of several authorities with one
    /// name the right one is that whose list it is.
    pub(crate) fn certificate_standing(&self, signer: &Signer, now_s: i64) -> Standing {
        let Some(certificate) = &signer.certificate else { return Standing::NotListed };
        let by = |authority| self.revocations.certificate(certificate, authority, now_s);
        let named = self.authorities.iter().filter(|it| it.subject == certificate.issuer);
        let all: Vec<Standing> = named.map(|it| by(Some(it))).collect();
        if all.contains(&Standing::Revoked) {
            return Standing::Revoked;
        }
        all.into_iter().min().unwrap_or_else(|| by(None))
    }

    /// How many signers there are for a kind.
    pub fn count(&self, format: Format) -> usize {
        self.signers.iter().filter(|((of, _), _)| *of == format).map(|(_, all)| all.len()).sum()
    }
}
