//! X.509 certificates (RFC 5280), as far as passes need them: key, names, validity, key usages, and
//! the signature that an authority made. Chains and revocation lists are built on it.

use sha2::{Digest, Sha256};

use super::der::{self, Der, Element};
use super::key::{Algorithm, PublicKey, SignatureCheck};
use super::trust::Usage;

/// The largest certificate that is read, in bytes.
const MAX_BYTES: usize = 64 * 1024;

const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// ecdsa-with-SHA256, 384 and 512 end in 2, 3 and 4.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
/// PKCS #1: 1 is the key, 10 PSS, 11 to 13 the older scheme with SHA-256, 384 and 512.
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// SHA-256, 384 and 512 end in 1, 2 and 3.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

const SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// 2.23.136.1.1.6.2: ICAO's list of document types (Doc 9303-12, section 7.1.1.6).
const DOCUMENT_TYPES: &[u8] = &[0x67, 0x81, 0x08, 0x01, 0x01, 0x06, 0x02];

/// What is read here, and what changes nothing for a chain of two: policies (32), the issuer's other
/// names (18), where its lists are (31), how long the private key is used (16).
const KNOWN: [&[u8]; 11] = [
    SUBJECT_KEY,
    KEY_USAGE,
    BASIC_CONSTRAINTS,
    AUTHORITY_KEY,
    EXTENDED_USAGE,
    ALTERNATIVE_NAMES,
    DOCUMENT_TYPES,
    &[0x55, 0x1d, 0x20],
    &[0x55, 0x1d, 0x12],
    &[0x55, 0x1d, 0x1f],
    &[0x55, 0x1d, 0x10],
];

/// 1.3.6.1.4.1.1847.2021.1, to which a number is added, as the specification has it, and with a 0
/// before 1847, as its first edition had it and most certificates still do.
const DCC_USAGE: [&[u8]; 2] = [
    &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x8e, 0x37, 0x8f, 0x65, 0x01],
    &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x00, 0x8e, 0x37, 0x8f, 0x65, 0x01],
];

/// A certificate that was read; nothing of it is verified by reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The whole certificate, without bytes that follow it.
    pub der: Vec<u8>,
    /// What the authority signed.
    pub signed: Vec<u8>,
    /// The serial number's bytes.
    pub serial: Vec<u8>,
    /// The authority's name, in DER.
    pub issuer: Vec<u8>,
    /// Whose it is, in DER.
    pub subject: Vec<u8>,
    /// Unix second.
    pub not_before: i64,
    /// Unix second; good to its end.
    pub not_after: i64,
    /// The key; nothing when it is of a kind that is not known here.
    pub key: Option<PublicKey>,
    /// The extended key usages: content of each OID.
    pub extended_usage: Vec<Vec<u8>>,
    /// Whether it may sign certificates, where it says anything of it.
    pub is_authority: Option<bool>,
    /// The bits of the key usage, the first the highest of the first byte.
    pub key_usage: Option<Vec<u8>>,
    /// The name of its key.
    pub subject_key: Option<Vec<u8>>,
    /// The name of the authority's key.
    pub authority_key: Option<Vec<u8>>,
    /// The URIs among its other names.
    pub uris: Vec<String>,
    /// Whether every extension that must be understood is known here (RFC 5280, 4.2).
    pub is_understood: bool,
    /// The types of travel documents and seals that it may sign, e.g. `NV`; nothing says all.
    pub document_types: Option<Vec<String>>,
    /// The authority's signature.
    signature: Signature,
}

impl Certificate {
    /// Reads the certificate at the beginning of `bytes`; what follows it is left.
    pub fn from_der(bytes: &[u8]) -> Option<Self> {
        let whole = Der(bytes).take(der::SEQUENCE)?;
        if MAX_BYTES < whole.whole.len() {
            return None;
        }
        let mut outer = whole.inside();
        let signed = outer.take(der::SEQUENCE)?;
        let algorithm = named_algorithm(outer)?;
        let mut signature = Signature::read(&mut outer)?;

        let mut body = signed.inside();
        body.take(0xa0); // version
        let serial = body.take(der::INTEGER)?.content.to_vec();
        if body.take(der::SEQUENCE)?.whole != algorithm || !outer.is_empty() {
            // Nobody signed this as it is; its key can still be named.
            signature.algorithm = None;
        }
        let issuer = body.take(der::SEQUENCE)?.whole.to_vec();
        let mut validity = body.enter(der::SEQUENCE)?;
        let not_before = der::second(validity.element()?)?;
        let not_after = der::second(validity.element()?)?;
        let subject = body.take(der::SEQUENCE)?.whole.to_vec();
        let key = body.take(der::SEQUENCE).map(public_key)?;
        let mut certificate = Self {
            der: whole.whole.to_vec(),
            signed: signed.whole.to_vec(),
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            extended_usage: Vec::new(),
            is_authority: None,
            key_usage: None,
            subject_key: None,
            authority_key: None,
            uris: Vec::new(),
            document_types: None,
            is_understood: true,
            signature,
        };
        body.take(0x81);
        body.take(0x82);
        if let Some(mut extensions) = body.enter(0xa3) {
            let mut extensions = extensions.enter(der::SEQUENCE)?;
            while let Some(mut extension) = extensions.enter(der::SEQUENCE) {
                let name = extension.take(der::OID)?.content;
                let critical = extension.take(der::BOOLEAN);
                let is_critical = critical.is_some_and(|it| it.content != [0]);
                certificate.is_understood &= !is_critical || KNOWN.contains(&name);
                certificate.extend(name, extension.enter(der::OCTET_STRING)?);
            }
        }
        Some(certificate)
    }

    fn extend(&mut self, name: &[u8], mut value: Der<'_>) {
        let bytes = |element: Element<'_>| element.content.to_vec();
        match name {
            EXTENDED_USAGE => {
                let Some(mut usages) = value.enter(der::SEQUENCE) else { return };
                while let Some(usage) = usages.take(der::OID) {
                    self.extended_usage.push(usage.content.to_vec());
                }
            }
            BASIC_CONSTRAINTS => {
                let Some(mut constraints) = value.enter(der::SEQUENCE) else { return };
                let says = constraints.take(der::BOOLEAN).is_some_and(|it| it.content != [0]);
                self.is_authority = Some(says);
            }
            KEY_USAGE => {
                let bits = value.take(der::BIT_STRING);
                self.key_usage = bits.and_then(|it| it.content.get(1..)).map(<[u8]>::to_vec);
            }
            SUBJECT_KEY => self.subject_key = value.take(der::OCTET_STRING).map(bytes),
            AUTHORITY_KEY => {
                let mut names = value.enter(der::SEQUENCE);
                self.authority_key = names.as_mut().and_then(|it| it.take(0x80)).map(bytes);
            }
            ALTERNATIVE_NAMES => {
                let mut names = value.enter(der::SEQUENCE).unwrap_or(Der(&[]));
                while let Some(name) = names.element() {
                    if name.tag == 0x86 {
                        self.uris.push(text(name));
                    }
                }
            }
            DOCUMENT_TYPES => {
                let mut list = value.enter(der::SEQUENCE).unwrap_or(Der(&[]));
                list.take(der::INTEGER); // version
                let mut types = list.enter(der::SET).unwrap_or(Der(&[]));
                let types = core::iter::from_fn(|| types.element()).map(text);
                self.document_types = Some(types.collect());
            }
            _ => {}
        }
    }

    /// The first eight bytes of the SHA-256: how a DCC names its signer.
    pub fn kid(&self) -> [u8; 8] {
        crate::cose::first_eight(&Sha256::digest(&self.der))
    }

    /// What the key may sign (DCC, annex "key usage"): what the usages of either spelling say,
    /// everything when there is none of them.
    pub fn usage(&self) -> Usage {
        let has = |number: u8| {
            let is = |usage: &Vec<u8>, arc: &[u8]| usage.strip_prefix(arc) == Some(&[number]);
            self.extended_usage.iter().any(|usage| DCC_USAGE.iter().any(|arc| is(usage, arc)))
        };
        let usage = Usage { vaccination: has(2), test: has(1), recovery: has(3) };
        let none = Usage { vaccination: false, test: false, recovery: false };
        if usage == none { Usage::ANY } else { usage }
    }

    /// The country in the subject's name.
    pub fn country(&self) -> Option<String> {
        attribute(&self.subject, COUNTRY).map(|country| country.to_ascii_uppercase())
    }

    /// The subject's common name, or else its organisation.
    pub fn name(&self) -> Option<String> {
        attribute(&self.subject, COMMON_NAME).or_else(|| attribute(&self.subject, ORGANISATION))
    }

    /// Whether `second` lies within the validity, both ends included.
    pub fn is_valid_at(&self, second: i64) -> bool {
        (self.not_before..=self.not_after).contains(&second)
    }

    /// Whether `authority` may sign certificates and is the one that this one names, by its name and,
    /// where both say, by its key (RFC 5280, 4.2.1.1, 4.2.1.3, 4.2.1.9).
    pub fn is_named_by(&self, authority: &Self) -> bool {
        let same_key = match (&self.authority_key, &authority.subject_key) {
            (Some(named), Some(own)) => named == own,
            _ => true,
        };
        authority.is_authority == Some(true)
            && authority.may(KEY_CERT_SIGN)
            && same_key
            && same_name(&self.issuer, &authority.subject)
    }

    /// Whether it may sign revocation lists.
    pub fn may_sign_lists(&self) -> bool {
        self.is_authority == Some(true) && self.may(CRL_SIGN)
    }

    /// Whether its key may sign messages.
    pub fn may_sign_messages(&self) -> bool {
        self.may(DIGITAL_SIGNATURE)
    }

    fn may(&self, bit: u8) -> bool {
        let bits = self.key_usage.as_ref().map(|bits| bits.first().copied().unwrap_or(0));
        bits.is_none_or(|bits| bits & bit != 0)
    }

    /// The check whether `authority` signed this certificate; nothing when the scheme is not known
    /// here, or not one for that key.
    pub fn signature_by(&self, authority: &PublicKey) -> Option<SignatureCheck> {
        self.signature.by(authority, &self.signed)
    }
}

/// The algorithm after what was signed, which must stand under the signature too (RFC 5280, 4.1.1.2).
pub(super) fn named_algorithm(mut outer: Der<'_>) -> Option<&[u8]> {
    outer.take(der::SEQUENCE).map(|it| it.whole)
}

/// The signature of a certificate or a revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    algorithm: Option<Algorithm>,
    bits: Vec<u8>,
}

impl Signature {
    /// Reads algorithm and signature, which follow what was signed.
    pub fn read(from: &mut Der<'_>) -> Option<Self> {
        let algorithm = algorithm(from.enter(der::SEQUENCE)?);
        let bits = der::bits(from.take(der::BIT_STRING)?)?.to_vec();
        Some(Self { algorithm, bits })
    }

    /// The check whether `authority` signed `message` with it.
    pub fn by(&self, authority: &PublicKey, message: &[u8]) -> Option<SignatureCheck> {
        let algorithm = self.algorithm?;
        let width = match authority {
            PublicKey::P256(_) => 32,
            PublicKey::P384(_) => 48,
            PublicKey::P521(_) => 66,
            PublicKey::Rsa(_) | PublicKey::Ed25519(_) => 0,
        };
        let signature = match width {
            0 => self.bits.clone(),
            width => der::flat_signature(&self.bits, width)?,
        };
        algorithm.fits_loosely(authority).then(|| SignatureCheck {
            key: authority.clone(),
            algorithm,
            message: message.to_vec(),
            signature,
        })
    }
}

/// The key of a SubjectPublicKeyInfo, which is also how PEM files and lists carry bare keys.
pub fn public_key(info: Element<'_>) -> Option<PublicKey> {
    let mut info = info.inside();
    let mut algorithm = info.enter(der::SEQUENCE)?;
    let name = algorithm.take(der::OID)?.content;
    let bits = der::bits(info.take(der::BIT_STRING)?)?;
    let sound = |width: usize| match bits.first() {
        Some(2 | 3) => bits.len() == width + 1,
        Some(4) => bits.len() == 2 * width + 1,
        _ => false,
    };
    match name {
        EC => match algorithm.take(der::OID)?.content {
            P256 if sound(32) => Some(PublicKey::P256(bits.to_vec())),
            P384 if sound(48) => Some(PublicKey::P384(bits.to_vec())),
            P521 if sound(66) => Some(PublicKey::P521(bits.to_vec())),
            _ => None,
        },
        ED25519 => bits.try_into().ok().map(PublicKey::Ed25519),
        name => match name.strip_prefix(PKCS1)? {
            [1 | 10] => Der(bits).enter(der::SEQUENCE).map(|_| PublicKey::Rsa(bits.to_vec())),
            _ => None,
        },
    }
}

fn algorithm(mut from: Der<'_>) -> Option<Algorithm> {
    let name = from.take(der::OID)?.content;
    if name == ED25519 {
        return Some(Algorithm::EdDsa);
    }
    if let Some(hash) = name.strip_prefix(ECDSA) {
        return match hash {
            [2] => Some(Algorithm::Es256),
            [3] => Some(Algorithm::Es384),
            [4] => Some(Algorithm::Es512),
            _ => None,
        };
    }
    match name.strip_prefix(PKCS1)? {
        [11] => Some(Algorithm::Rs256),
        [12] => Some(Algorithm::Rs384),
        [13] => Some(Algorithm::Rs512),
        // RFC 4055, 3.1: the hash is in the parameters; without them it would be SHA-1.
        [10] => {
            let mut hash = from.enter(der::SEQUENCE)?.enter(0xa0)?.enter(der::SEQUENCE)?;
            match hash.take(der::OID)?.content.strip_prefix(SHA2)? {
                [1] => Some(Algorithm::Ps256),
                [2] => Some(Algorithm::Ps384),
                [3] => Some(Algorithm::Ps512),
                _ => None,
            }
        }
        _ => None,
    }
}

/// digitalSignature, keyCertSign and cRLSign in the first byte of the key usage.
const DIGITAL_SIGNATURE: u8 = 0x80;
const KEY_CERT_SIGN: u8 = 0x04;
const CRL_SIGN: u8 = 0x02;

/// Whether two names in DER are the same: attributes in order, texts without regard to case, string
/// type and spaces around words (RFC 5280, 7.1, in its simplest reading).
pub(super) fn same_name(one: &[u8], other: &[u8]) -> bool {
    let plain = |name| -> Option<Vec<(Vec<u8>, String)>> {
        let mut sets = Der(name).enter(der::SEQUENCE)?;
        let mut attributes = Vec::new();
        while !sets.is_empty() {
            let mut set = sets.enter(der::SET)?;
            while !set.is_empty() {
                let mut pair = set.enter(der::SEQUENCE)?;
                let kind = pair.take(der::OID)?.content.to_vec();
                let value = text(pair.element()?).to_lowercase();
                let words: Vec<_> = value.split_whitespace().collect();
                attributes.push((kind, words.join(" ")));
            }
        }
        Some(attributes)
    };
    one == other || plain(one).is_some_and(|one| Some(one) == plain(other))
}

fn text(element: Element<'_>) -> String {
    String::from_utf8_lossy(element.content).into_owned()
}

/// The text of an attribute of a name.
fn attribute(name: &[u8], wanted: &[u8]) -> Option<String> {
    let mut sets = Der(name).enter(der::SEQUENCE)?;
    while let Some(mut set) = sets.enter(der::SET) {
        while let Some(mut pair) = set.enter(der::SEQUENCE) {
            let is_wanted = pair.take(der::OID)?.content == wanted;
            let value = pair.element()?;
            if is_wanted && !value.content.is_empty() {
                return Some(String::from_utf8_lossy(value.content).into_owned());
            }
        }
    }
    None
}
