//! The region's signing authority for passes that others verify, and the certificates it gives to
//! organisations (X.509, RFC 5280), as the EU and the WHO publish their signers.
//!
//! Verifiers elsewhere know P-256 and certificates and nothing of our Ed25519 lists. Both keys are made
//! from secrets that the region has already: the authority's from its root key, an organisation's from
//! its signing key. So there is nothing new to back up, rotate or lose, and whoever loses one secret
//! refuses one key. The authority signs its certificates without randomness (RFC 6979): the same secret
//! always gives the same certificate, and with it the same name.

use aws_lc_rs::hmac;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{DeviceKey, HcertSigner, IssueError};
use crate::pass::certificate::Certificate;
use crate::pass::der::{BIT_STRING, BOOLEAN, INTEGER, OCTET_STRING, OID, SEQUENCE, SET};
use crate::pass::der::{GENERALIZED_TIME, UTC_TIME};

/// What the secrets are used for besides; a change of it is a change of every key.
const AUTHORITY_LABEL: &str = "haetae/authority/p256/v1";
const PASSES_LABEL: &str = "haetae/hcert/p256/v1";

/// 2020-01-01 and the last second of 2049, the last that certificates write with two digits.
const AUTHORITY_FROM_S: i64 = 1_577_836_800;
const AUTHORITY_UNTIL_S: i64 = 2_524_607_999;

const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const COUNTRY: &[u8] = &[0x55, 0x04, 0x06];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
/// ecdsa-with-SHA256 (RFC 5758).
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// A P-256 key made from another secret: HMAC-SHA256 over what it is for, again with the next number in
/// the one case of four billion in which the result is no key.
fn derived(secret: &[u8; 32], label: &str) -> Result<Zeroizing<[u8; 32]>, IssueError> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    for number in 0..=u8::MAX {
        let made = hmac::sign(&key, &[label.as_bytes(), &[number]].concat());
        let scalar: [u8; 32] = made.as_ref().try_into().map_err(|_| IssueError::Key)?;
        let scalar = Zeroizing::new(scalar);
        if DeviceKey::from_scalar(&scalar).is_ok() {
            return Ok(scalar);
        }
    }
    Err(IssueError::Key)
}

impl HcertSigner {
    /// The passes' half of an organisation's signing key, under the name of its certificate.
    ///
    /// # Errors
    /// [`IssueError::Key`] when the certificate is another key's.
    pub fn of_organisation(secret: &[u8; 32], certificate: &[u8]) -> Result<Self, IssueError> {
        Self::with_certificate(&*derived(secret, PASSES_LABEL)?, certificate)
    }
}

/// The region's authority.
pub struct Authority {
    key: SigningKey,
    signer: HcertSigner,
    certificate: Vec<u8>,
    name: Vec<u8>,
}

impl core::fmt::Debug for Authority {
    /// Names the key, never shows it.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Authority").field("signer", &self.signer).finish_non_exhaustive()
    }
}

/// Whose certificate it is.
struct Subject<'a> {
    name: &'a [u8],
    info: &'a [u8],
    is_authority: bool,
    from_s: i64,
    until_s: i64,
}

impl Authority {
    /// The authority of the region with this root secret. `country` has two letters.
    ///
    /// # Errors
    /// [`IssueError::Key`] when the library refuses to work.
    pub fn of_region(root: &[u8; 32], country: &str, region: &str) -> Result<Self, IssueError> {
        let scalar = derived(root, AUTHORITY_LABEL)?;
        let key = SigningKey::from_slice(scalar.as_ref()).map_err(|_| IssueError::Key)?;
        let info = HcertSigner::from_scalar(&scalar)?.public_info();
        let name = name(country, region, &format!("Haetae authority {region}"));
        let subject = Subject {
            name: &name,
            info: &info,
            is_authority: true,
            from_s: AUTHORITY_FROM_S,
            until_s: AUTHORITY_UNTIL_S,
        };
        let certificate = signed(&key, &name, &info, &subject);
        let signer = HcertSigner::with_certificate(&scalar, &certificate)?;
        Ok(Self { key, signer, certificate, name })
    }

    /// Its own certificate (DER).
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Signs status lists: they are the region's, so that a stolen key of one organisation cannot make
    /// its own passes good again.
    pub fn signer(&self) -> &HcertSigner {
        &self.signer
    }

    /// A certificate (DER) for the passes' half of an organisation's signing key. It counts from
    /// `from_s` to `until_s` (unix seconds, both included), which must be as late as the last pass ends.
    ///
    /// # Errors
    /// [`IssueError::Key`] when the library refuses to work.
    pub fn certify(
        &self,
        secret: &[u8; 32],
        country: &str,
        region: &str,
        whose: &str,
        (from_s, until_s): (i64, i64),
    ) -> Result<Vec<u8>, IssueError> {
        let info = HcertSigner::from_scalar(&*derived(secret, PASSES_LABEL)?)?.public_info();
        let name = name(country, region, whose);
        let subject = Subject { name: &name, info: &info, is_authority: false, from_s, until_s };
        let own = self.signer.public_info();
        let certificate = signed(&self.key, &self.name, &own, &subject);
        // What our own reader does not take, others will not either.
        let read = Certificate::from_der(&certificate).ok_or(IssueError::Key)?;
        if read.der == certificate { Ok(certificate) } else { Err(IssueError::Key) }
    }
}

fn signed(key: &SigningKey, issuer: &[u8], own: &[u8], it: &Subject<'_>) -> Vec<u8> {
    let algorithm = sequence(&[&tlv(OID, ECDSA_SHA256)]);
    let digest = Sha256::digest([it.info, &it.from_s.to_be_bytes()].concat());
    // Positive and of full length, whatever the hash begins with.
    let serial: Vec<u8> = digest.iter().take(16).copied().collect();
    let serial = [
        &[0x40 | (serial.first().copied().unwrap_or_default() & 0x3f)],
        serial.get(1..).unwrap_or_default(),
    ]
    .concat();
    let basic = if it.is_authority { tlv(BOOLEAN, &[0xff]) } else { Vec::new() };
    // The authority: signature, certificates, their lists. Others: signature. The first byte says how
    // many bits at the end do not count.
    let usage: &[u8] = if it.is_authority { &[1, 0x86] } else { &[7, 0x80] };
    let extensions = [
        extension(SUBJECT_KEY, false, &tlv(OCTET_STRING, &key_name(it.info))),
        extension(AUTHORITY_KEY, false, &sequence(&[&tlv(0x80, &key_name(own))])),
        extension(BASIC_CONSTRAINTS, true, &sequence(&[&basic])),
        extension(KEY_USAGE, true, &tlv(BIT_STRING, usage)),
    ];
    let body = sequence(&[
        &tlv(0xa0, &tlv(INTEGER, &[2])),
        &tlv(INTEGER, &serial),
        &algorithm,
        issuer,
        &sequence(&[&time(it.from_s), &time(it.until_s)]),
        it.name,
        it.info,
        &tlv(0xa3, &tlv(SEQUENCE, &extensions.concat())),
    ]);
    let signature: Signature = key.sign(&body);
    let signature = [&[0], signature.to_der().as_bytes()].concat();
    sequence(&[&body, &algorithm, &tlv(BIT_STRING, &signature)])
}

/// Twenty bytes that name a key (RFC 7093, method 1).
fn key_name(info: &[u8]) -> Vec<u8> {
    let point = info.get(26..).unwrap_or(info);
    Sha256::digest(point).iter().take(20).copied().collect()
}

fn extension(name: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if is_critical { tlv(BOOLEAN, &[0xff]) } else { Vec::new() };
    sequence(&[&tlv(OID, name), &critical, &tlv(OCTET_STRING, value)])
}

fn name(country: &str, organisation: &str, common: &str) -> Vec<u8> {
    let part = |kind: &[u8], tag: u8, text: &str| {
        tlv(SET, &sequence(&[&tlv(OID, kind), &tlv(tag, text.as_bytes())]))
    };
    sequence(&[
        &part(COUNTRY, PRINTABLE_STRING, country),
        &part(ORGANISATION, UTF8_STRING, organisation),
        &part(COMMON_NAME, UTF8_STRING, common),
    ])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.concat())
}

/// One element: identifier, length, content.
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0x7f));
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

/// A time as certificates write it: two digits of the year up to 2049, then four.
fn time(second: i64) -> Vec<u8> {
    let (days, rest) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    // Days since March of the year 0, in eras of 400 years (Howard Hinnant, "chrono-compatible
    // low-level date algorithms").
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let clock = format!("{:02}{:02}{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60);
    if (1950..2050).contains(&year) {
        let text = format!("{:02}{month:02}{day:02}{clock}", year % 100);
        tlv(UTC_TIME, text.as_bytes())
    } else {
        tlv(GENERALIZED_TIME, format!("{year:04}{month:02}{day:02}{clock}").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::{Authority, HcertSigner};
    use crate::pass::certificate::Certificate;

    const NOW: i64 = 1_800_000_000;

    fn authority() -> Authority {
        Authority::of_region(&[1; 32], "KR", "kr-11").unwrap()
    }

    fn certificate(secret: u8) -> Vec<u8> {
        authority().certify(&[secret; 32], "KR", "kr-11", "org_1", (NOW, NOW + 9)).unwrap()
    }

    #[test]
    fn a_certificate_is_read_back_and_follows_from_the_authority() {
        let own = Certificate::from_der(authority().certificate()).unwrap();
        let it = Certificate::from_der(&certificate(2)).unwrap();
        assert_eq!((own.is_authority, it.is_authority), (Some(true), Some(false)));
        assert_eq!((it.not_before, it.not_after), (NOW, NOW + 9));
        assert_eq!(
            (own.not_before, own.not_after),
            (super::AUTHORITY_FROM_S, super::AUTHORITY_UNTIL_S)
        );
        assert_eq!((it.country().as_deref(), it.name().as_deref()), (Some("KR"), Some("org_1")));
        assert!(it.is_named_by(&own) && it.is_understood && own.is_understood);
        let by = |it: &Certificate, authority: &Certificate| {
            let check = it.signature_by(authority.key.as_ref().unwrap());
            check.and_then(|check| check.holds()) == Some(true)
        };
        assert!(by(&it, &own) && by(&own, &own));
        let other = Authority::of_region(&[9; 32], "KR", "kr-11").unwrap();
        let other = Certificate::from_der(other.certificate()).unwrap();
        assert!(!by(&it, &other));
    }

    #[test]
    fn the_same_secret_gives_the_same_name_and_no_other_does() {
        assert_eq!(certificate(2), certificate(2));
        let signer = HcertSigner::of_organisation(&[2; 32], &certificate(2)).unwrap();
        assert_eq!(signer.kid(), Certificate::from_der(&certificate(2)).unwrap().kid());
        assert!(HcertSigner::of_organisation(&[2; 32], &certificate(3)).is_err());
    }

    #[test]
    fn times_are_written_as_every_reader_takes_them() {
        for (second, text) in [
            (0, "700101000000Z"),
            (951_782_400, "000229000000Z"),
            (super::AUTHORITY_UNTIL_S, "491231235959Z"),
            (super::AUTHORITY_UNTIL_S + 1, "20500101000000Z"),
        ] {
            assert_eq!(&super::time(second)[2..], text.as_bytes());
        }
    }

    /// OpenSSL, where it is there: certificates are for other people's libraries.
    #[test]
    fn openssl_follows_the_chain() {
        let dir = std::env::temp_dir().join(format!("haetae-authority-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let pem = |name: &str, der: &[u8]| {
            use base64::Engine as _;
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            let path = dir.join(name);
            let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
            // OpenSSL reads lines of 64 characters.
            let lines: Vec<_> =
                text.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).unwrap()).collect();
            let folded = pem.replace(&text, &lines.join("\n"));
            std::fs::write(&path, folded).unwrap();
            path
        };
        let until = (NOW - 1_000_000_000, NOW + 900_000_000);
        let leaf = authority().certify(&[2; 32], "KR", "kr-11", "org_1", until).unwrap();
        let (authority, leaf) = (pem("ca.pem", authority().certificate()), pem("leaf.pem", &leaf));
        let ran = std::process::Command::new("openssl")
            .args(["verify", "-x509_strict", "-CAfile"])
            .args([&authority, &leaf])
            .output();
        match ran {
            Ok(ran) => assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr)),
            Err(_) => eprintln!("SKIPPED: openssl is not there; nothing was shown"),
        }
        std::fs::remove_dir_all(dir).unwrap();
    }
}
