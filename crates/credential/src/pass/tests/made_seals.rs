//! Seals, certificates and lists made here, for what no published specimen shows: a revoked signer,
//! another country's, one that is made for something else.

use serde_json::{Value, json};

use crate::issue::{Attested, DeviceKey, Hcert, HcertSigner, Person};
use crate::pass::crl::RevokedCertificates;
use crate::pass::der::{self, integer, two_integers, wrapped};
use crate::pass::json::Json;
use crate::pass::jwk::to_base64url;
use crate::pass::{Certificate, Policy, Trust, verify};
use crate::verify::{Check, Outcome};

const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const EC_P256: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
];
const SEAL_USAGE: &[u8] = &[0x67, 0x81, 0x08, 0x01, 0x01, 0x0e, 0x02];
/// 2022-01-01T00:00:00Z; certificates are good in 2021 and 2022, lists in January 2022.
const NOW: i64 = 1_640_995_200;
const FEBRUARY: i64 = 1_643_673_600;

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    wrapped(der::SEQUENCE, &parts.concat())
}

fn oid(bytes: &[u8]) -> Vec<u8> {
    wrapped(der::OID, bytes)
}

fn utc(text: &str) -> Vec<u8> {
    wrapped(der::UTC_TIME, text.as_bytes())
}

fn name(country: &str, common: &str) -> Vec<u8> {
    let attribute = |last: u8, tag: u8, text: &str| {
        let pair = sequence(&[oid(&[0x55, 0x04, last]), wrapped(tag, text.as_bytes())]);
        wrapped(der::SET, &pair)
    };
    sequence(&[attribute(6, 0x13, country), attribute(3, 0x0c, common)])
}

fn extension(name: &[u8], is_critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![oid(name)];
    if is_critical {
        parts.push(wrapped(der::BOOLEAN, &[0xff]));
    }
    parts.push(wrapped(der::OCTET_STRING, value));
    sequence(&parts)
}

fn signed(body: Vec<u8>, by: &DeviceKey) -> Vec<u8> {
    let signature = by.sign(&body).unwrap();
    let bits = [&[0][..], &two_integers(&signature[..32], &signature[32..])].concat();
    sequence(&[body, sequence(&[oid(ECDSA_SHA256)]), wrapped(der::BIT_STRING, &bits)])
}

/// What a certificate is made of.
struct Made<'a> {
    serial: u8,
    subject: Vec<u8>,
    key: &'a DeviceKey,
    extensions: Vec<Vec<u8>>,
}

/// A country's authority and its signer of seals.
struct State {
    authority: DeviceKey,
    signer: DeviceKey,
    name: Vec<u8>,
}

impl State {
    fn new() -> Self {
        let key = |scalar: u8| DeviceKey::from_scalar(&[scalar; 32]).unwrap();
        Self { authority: key(3), signer: key(4), name: name("AU", "Authority") }
    }

    fn certificate(&self, made: &Made<'_>) -> Vec<u8> {
        let point = [&[0][..], &made.key.public_uncompressed()].concat();
        let info = sequence(&[sequence(&EC_P256.map(oid)), wrapped(der::BIT_STRING, &point)]);
        let body = sequence(&[
            wrapped(0xa0, &integer(&[2])),
            integer(&[made.serial]),
            sequence(&[oid(ECDSA_SHA256)]),
            self.name.clone(),
            sequence(&[utc("210101000000Z"), utc("221231235959Z")]),
            made.subject.clone(),
            info,
            wrapped(0xa3, &sequence(&made.extensions)),
        ]);
        signed(body, &self.authority)
    }

    fn authority(&self) -> Vec<u8> {
        let constraints = sequence(&[wrapped(der::BOOLEAN, &[0xff])]);
        // keyCertSign and cRLSign.
        let usage = wrapped(der::BIT_STRING, &[1, 0x06]);
        let extensions = vec![
            extension(&[0x55, 0x1d, 0x13], true, &constraints),
            extension(&[0x55, 0x1d, 0x0f], true, &usage),
        ];
        let subject = self.name.clone();
        self.certificate(&Made { serial: 1, subject, key: &self.authority, extensions })
    }

    fn signer(&self, serial: u8, country: &str, usage: &[u8], kind: Option<&str>) -> Vec<u8> {
        let mut extensions = vec![extension(&[0x55, 0x1d, 0x25], true, &sequence(&[oid(usage)]))];
        if let Some(kind) = kind {
            let types = wrapped(der::SET, &wrapped(0x13, kind.as_bytes()));
            let list = sequence(&[integer(&[0]), types]);
            extensions.push(extension(&[0x67, 0x81, 0x08, 0x01, 0x01, 0x06, 0x02], false, &list));
        }
        self.signer_with(serial, country, extensions)
    }

    fn signer_with(&self, serial: u8, country: &str, extensions: Vec<Vec<u8>>) -> Vec<u8> {
        let subject = name(country, "Signer");
        self.certificate(&Made { serial, subject, key: &self.signer, extensions })
    }

    fn list(&self, serials: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
        let entry = |serial: &u8| sequence(&[integer(&[*serial]), utc("211231000000Z")]);
        let mut body = vec![
            integer(&[1]),
            sequence(&[oid(ECDSA_SHA256)]),
            self.name.clone(),
            utc("220101000000Z"),
            utc("220201000000Z"),
        ];
        if !serials.is_empty() {
            body.push(sequence(&serials.iter().map(entry).collect::<Vec<_>>()));
        }
        if !extensions.is_empty() {
            body.push(wrapped(0xa0, &sequence(extensions)));
        }
        signed(sequence(&body), &self.authority)
    }

    fn seal(&self, certificate: &[u8], change: impl Fn(&mut Value)) -> String {
        let mut data = json!({
            "hdr": {"t": "icao.vacc", "v": 1, "is": "AUS"},
            "msg": {
                "uvci": "X1",
                "pid": {"n": "CITIZEN  JANE", "dob": "1990-02-03"},
                "ve": [{"des": "XM68M6", "vd": [{"dvc": "2021-10-03", "seq": 1, "ctr": "AUS"}]}],
            },
        });
        change(&mut data);
        let canonical = Json::read(data.to_string().as_bytes()).unwrap().canonical();
        let signature = self.signer.sign(canonical.as_bytes()).unwrap();
        json!({"data": data, "sig": {
            "alg": "ES256", "cer": to_base64url(certificate), "sigvl": to_base64url(&signature),
        }})
        .to_string()
    }

    fn judge(&self, text: &str, lists: &[Vec<u8>], now_s: i64) -> (Outcome, Vec<&'static str>) {
        let mut trust = Trust::default();
        assert_eq!(trust.add(&self.authority()).authorities, 1);
        for list in lists {
            trust.add(list);
        }
        let verdict = verify(text, &trust, None, &Policy::default(), now_s);
        (verdict.outcome, verdict.reasons.iter().map(|it| it.reason.code()).collect())
    }
}

#[test]
fn a_signer_on_its_authoritys_list_is_revoked_however_old_the_list() {
    let state = State::new();
    let text = state.seal(&state.signer(7, "AU", SEAL_USAGE, Some("NV")), |_| ());
    let pass = (Outcome::Pass, vec![]);
    assert_eq!(state.judge(&text, &[], NOW), pass);
    assert_eq!(state.judge(&text, &[state.list(&[], &[])], NOW), pass);
    assert_eq!(state.judge(&text, &[state.list(&[8, 70], &[])], NOW), pass);
    let revoked = (Outcome::NoPass, vec!["issuer_revoked"]);
    for now_s in [NOW, FEBRUARY] {
        assert_eq!(state.judge(&text, &[state.list(&[8, 7], &[])], now_s), revoked);
    }
    // The list's first second and its last; then the certificate's.
    let lists = [state.list(&[8], &[])];
    let doubtful = (Outcome::CannotTell, vec!["revocation_stale"]);
    assert_eq!(state.judge(&text, &lists, NOW - 1), doubtful);
    assert_eq!(state.judge(&text, &lists, FEBRUARY - 1), pass);
    assert_eq!(state.judge(&text, &lists, FEBRUARY), doubtful);
    assert_eq!(state.judge(&text, &[], 1_672_531_199), pass);
    assert_eq!(state.judge(&text, &[], 1_672_531_200).1, ["issuer_expired"]);
    // Somebody else's list in the authority's name.
    let forger = State { authority: DeviceKey::from_scalar(&[9; 32]).unwrap(), ..State::new() };
    assert_eq!(state.judge(&text, &[forger.list(&[7], &[])], NOW), doubtful);
}

#[test]
fn lists_that_say_only_a_part_are_not_read() {
    let state = State::new();
    let number = extension(&[0x55, 0x1d, 0x14], false, &integer(&[5]));
    assert!(RevokedCertificates::from_der(&state.list(&[7], &[number])).is_some());
    let delta = extension(&[0x55, 0x1d, 0x1b], true, &integer(&[5]));
    assert!(RevokedCertificates::from_der(&state.list(&[7], &[delta])).is_none());
    // An issuing distribution point: critical, and not understood.
    let point = extension(&[0x55, 0x1d, 0x1c], true, &sequence(&[]));
    assert!(RevokedCertificates::from_der(&state.list(&[7], &[point])).is_none());
}

#[test]
fn a_signer_seals_for_its_own_country_its_own_types_and_only_if_made_for_seals() {
    let state = State::new();
    let judged = |certificate: &[u8], change: &dyn Fn(&mut Value)| {
        state.judge(&state.seal(certificate, change), &[], NOW)
    };
    let own = state.signer(7, "AU", SEAL_USAGE, Some("NV"));
    let refused = (Outcome::NoPass, vec!["usage_not_allowed"]);
    assert_eq!(judged(&own, &|_| ()), (Outcome::Pass, vec![]));
    assert_eq!(judged(&own, &|data| data["hdr"]["is"] = json!("NZL")), refused);
    assert_eq!(judged(&state.signer(7, "NZ", SEAL_USAGE, Some("NV")), &|_| ()), refused);
    assert_eq!(judged(&state.signer(7, "AU", SEAL_USAGE, Some("NT")), &|_| ()), refused);
    assert_eq!(judged(&state.signer(7, "AU", SEAL_USAGE, None), &|_| ()).0, Outcome::Pass);
    // A DCC signer of the same country: 1.3.6.1.4.1.1847.2021.1.2.
    let dcc = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x8e, 0x37, 0x8f, 0x65, 0x01, 0x02];
    assert_eq!(judged(&state.signer(7, "AU", &dcc, None), &|_| ()), refused);
    // Something critical that nobody here understands; a key that may only agree on keys.
    let seals = extension(&[0x55, 0x1d, 0x25], true, &sequence(&[oid(SEAL_USAGE)]));
    for other in [
        extension(&[0x55, 0x1d, 0x7f], true, &sequence(&[])),
        extension(&[0x55, 0x1d, 0x0f], true, &wrapped(der::BIT_STRING, &[3, 0x08])),
    ] {
        let certificate = state.signer_with(7, "AU", vec![seals.clone(), other]);
        assert_eq!(judged(&certificate, &|_| ()), refused);
    }
    let harmless = extension(&[0x55, 0x1d, 0x7f], false, &sequence(&[]));
    let certificate = state.signer_with(7, "AU", vec![seals, harmless]);
    assert_eq!(judged(&certificate, &|_| ()).0, Outcome::Pass);
    // Signed and well, but nothing that is known here, or not what the type demands.
    for (member, value) in [("v", json!(2)), ("t", json!("icao.other"))] {
        let change = |data: &mut Value| data["hdr"][member] = value.clone();
        assert_eq!(judged(&own, &change), (Outcome::CannotTell, vec!["claims_malformed"]));
    }
    for place in ["/msg/uvci", "/msg/pid/n", "/msg/ve/0/des", "/msg/ve/0/vd/0/dvc", "/msg/ve"] {
        let change = |data: &mut Value| *data.pointer_mut(place).unwrap() = json!(7);
        assert_eq!(judged(&own, &change), (Outcome::NoPass, vec!["schema_invalid"]), "{place}");
    }
}

#[test]
fn an_organisation_signs_hcerts_under_its_certificate_and_no_other() {
    let state = State::new();
    let vaccination = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x8e, 0x37, 0x8f, 0x65, 0x01, 0x02];
    let certificate = state.signer(7, "AU", &vaccination, None);
    assert!(HcertSigner::with_certificate(&[5; 32], &certificate).is_err());
    assert!(HcertSigner::with_certificate(&[4; 32], &certificate[1..]).is_err());
    let signer = HcertSigner::with_certificate(&[4; 32], &certificate).unwrap();
    assert_eq!(signer.kid(), Certificate::from_der(&certificate).unwrap().kid());
    let pass = |attested: Attested| Hcert {
        person: Person {
            surname: "Citizen".to_owned(),
            given: "Jane".to_owned(),
            surname_latin: "Citizen".to_owned(),
            given_latin: "Jane".to_owned(),
            birth: "1990-02-03".to_owned(),
        },
        attested,
        country: "AU".to_owned(),
        issuer: "Clinic".to_owned(),
        identifier: "X1".to_owned(),
        issued_at: NOW - 60,
        expires_at: NOW + 60,
        status: None,
    };
    let judged = |attested: Attested| {
        let mut trust = Trust::default();
        trust.add(&certificate);
        let text = signer.sign(&pass(attested)).unwrap();
        let verdict = verify(&text, &trust, None, &Policy::default(), NOW);
        (verdict.outcome, verdict.reasons.first().map(|it| it.reason.code()))
    };
    let text = str::to_owned;
    let dose = Attested::Vaccination {
        prophylaxis: text("1119349007"),
        product: text("EU/1/20/1528"),
        manufacturer: text("ORG-100030215"),
        dose: 1,
        of_doses: 2,
        day: text("2021-10-03"),
    };
    assert_eq!(judged(dose), (Outcome::Pass, None));
    // The certificate is for vaccinations alone.
    let recovery = Attested::Recovery {
        first_positive: text("2021-10-03"),
        from: text("2021-10-14"),
        until: text("2022-04-01"),
    };
    assert_eq!(judged(recovery), (Outcome::NoPass, Some("usage_not_allowed")));
}

#[test]
fn an_hcert_of_a_signer_that_its_authority_took_back_is_a_no() {
    let state = State::new();
    let vaccination = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x8e, 0x37, 0x8f, 0x65, 0x01, 0x02];
    let certificate = state.signer(7, "AU", &vaccination, None);
    let signer = HcertSigner::with_certificate(&[4; 32], &certificate).unwrap();
    let text = str::to_owned;
    let pass = Hcert {
        person: Person {
            surname: text("Citizen"),
            given: text("Jane"),
            surname_latin: text("Citizen"),
            given_latin: text("Jane"),
            birth: text("1990-02-03"),
        },
        attested: Attested::Vaccination {
            prophylaxis: text("1119349007"),
            product: text("EU/1/20/1528"),
            manufacturer: text("ORG-100030215"),
            dose: 1,
            of_doses: 2,
            day: text("2021-10-03"),
        },
        country: text("AU"),
        issuer: text("Clinic"),
        identifier: text("X1"),
        issued_at: NOW - 60,
        expires_at: FEBRUARY + 60,
        status: None,
    };
    let code = signer.sign(&pass).unwrap();
    let judged = |files: &[Vec<u8>], now_s: i64| {
        let mut trust = Trust::default();
        trust.add(&certificate);
        for file in files {
            trust.add(file);
        }
        let verdict = verify(&code, &trust, None, &Policy::default(), now_s);
        let reasons: Vec<&str> = verdict.reasons.iter().map(|it| it.reason.code()).collect();
        (verdict.outcome, verdict.checks.revocation, reasons.join(" "))
    };
    let (authority, other, revoked) =
        (state.authority(), state.list(&[8], &[]), state.list(&[8, 7], &[]));
    let says = |outcome, check, reason: &str| (outcome, check, reason.to_owned());
    assert_eq!(judged(&[], NOW), says(Outcome::Pass, Check::Skipped, ""));
    assert_eq!(
        judged(&[authority.clone(), other.clone()], NOW),
        says(Outcome::Pass, Check::Ok, "")
    );
    let no = says(Outcome::NoPass, Check::Failed, "issuer_revoked");
    assert_eq!(judged(&[authority.clone(), revoked.clone()], NOW), no);
    // An old list still knows whom it names, and is in doubt about the others.
    assert_eq!(judged(&[authority.clone(), revoked.clone()], FEBRUARY), no);
    let old = says(Outcome::CannotTell, Check::Failed, "revocation_stale");
    assert_eq!(judged(&[authority, other], FEBRUARY), old);
    // A list that nobody who is held has signed may be anybody's.
    let unsigned = says(Outcome::CannotTell, Check::Failed, "revocation_stale");
    assert_eq!(judged(&[revoked], NOW), unsigned);
}

#[test]
fn a_signer_is_no_authority_and_signs_no_signers() {
    let state = State::new();
    // Held beside the authority, the signer's certificate makes nobody else a signer.
    let signer = state.signer(7, "AU", SEAL_USAGE, None);
    let below = State {
        authority: DeviceKey::from_scalar(&[4; 32]).unwrap(),
        signer: DeviceKey::from_scalar(&[5; 32]).unwrap(),
        name: name("AU", "Signer"),
    };
    let text = below.seal(&below.signer(9, "AU", SEAL_USAGE, None), |_| ());
    assert_eq!(state.judge(&text, &[signer], NOW), (Outcome::CannotTell, vec!["issuer_unknown"]));
    let certificate = Certificate::from_der(&below.signer(9, "AU", SEAL_USAGE, None)).unwrap();
    let above = Certificate::from_der(&state.signer(7, "AU", SEAL_USAGE, None)).unwrap();
    assert!(!certificate.is_named_by(&above));
}
