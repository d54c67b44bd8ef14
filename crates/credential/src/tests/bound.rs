//! The compact code of a pass: the same verdict as its HCERT, and every way of cheating with it, each
//! with a verdict that is known by how it was made.

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::json;

use crate::issue::hcert::tests::{LIST, NOW, pass, signer};
use crate::issue::{Attested, DeviceKey, Hcert, HcertSigner};
use crate::moment::{Moment, Presentation, step_at};
use crate::pass::bound::{Field, is_bound};
use crate::pass::status::{StatusClaims, StatusList};
use crate::pass::{
    BoundPass, Facts, Format, Kind, Policy, Rules, Ruling, Trust, Verdict, compact, prepare, verify,
};
use crate::{DecodeError, Outcome};

const REVOKED: u32 = 3;
const SUSPENDED: u32 = 4;

fn device() -> DeviceKey {
    DeviceKey::from_scalar(&[9; 32]).unwrap()
}

fn hcert(attested: Attested, place: u32) -> Hcert {
    Hcert {
        issued_at: NOW - 86_400,
        expires_at: NOW + 86_400 * 30,
        status: Some((LIST.to_owned(), place)),
        ..pass(attested)
    }
}

fn vaccination(dose: u8, day: &str) -> Attested {
    Attested::Vaccination {
        prophylaxis: "1119349007".to_owned(),
        product: "EU/1/20/1528".to_owned(),
        manufacturer: "ORG-100030215".to_owned(),
        dose,
        of_doses: 2,
        day: day.to_owned(),
    }
}

fn everything() -> [(Kind, Attested); 4] {
    let test = Attested::Test {
        kind: "LP217198-3".to_owned(),
        device: Some("1341".to_owned()),
        sampled: "2027-01-14T08:00:00Z".to_owned(),
        detected: false,
        centre: "해태 의원".to_owned(),
    };
    let recovery = Attested::Recovery {
        first_positive: "2026-11-01".to_owned(),
        from: "2026-11-12".to_owned(),
        until: "2027-05-01".to_owned(),
    };
    let exemption =
        Attested::Exemption { from: "2027-01-01".to_owned(), until: "2027-06-30".to_owned() };
    [
        (Kind::Vaccination, vaccination(2, "2026-12-01")),
        (Kind::Test, test),
        (Kind::Recovery, recovery),
        (Kind::Exemption, exemption),
    ]
}

/// What a gate carries: the signer, with or without a moment since when it is refused, and the list.
fn trust(refused_from: Option<i64>) -> Trust {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let signer = signer();
    let keys = json!([{"kid": STANDARD.encode(signer.kid()), "publicKey": STANDARD.encode(signer.public_info())}]);
    let mut plain = Trust::default();
    assert_eq!(plain.add(keys.to_string().as_bytes()).signers, 1);
    let mut trust = Trust::default();
    let held = plain.signers(Format::Dcc, &signer.kid())[0].clone();
    let held = crate::pass::Signer { refused_from, ..held };
    trust.add_signer(Format::Dcc, &signer.kid(), held);
    let mut list = StatusList::try_new(2, 64).unwrap();
    list.set(usize::try_from(REVOKED).unwrap(), 1).unwrap();
    list.set(usize::try_from(SUSPENDED).unwrap(), 2).unwrap();
    let (issued_at, expires_at) = (NOW - 86_400 * 40, NOW + 86_400 * 400);
    let claims = StatusClaims { uri: LIST, list: &list, issued_at, expires_at, ttl_s: 600 };
    assert_eq!(trust.add(&signer.sign_status(&claims).unwrap()).revocations, 1);
    trust
}

fn code_of(text: &str) -> BoundPass {
    compact(text, device().public(), (NOW, NOW + 86_400)).unwrap()
}

fn shown(signed: Vec<u8>, moment: Option<Moment>) -> String {
    Presentation { signed, moment }.to_text()
}

/// A code that was made at `NOW` and is shown at `now_s`.
fn text_at(code: &BoundPass, now_s: i64) -> String {
    let moment = device().prove(&code.pass, now_s).unwrap();
    shown(signer().sign_bound(code).unwrap(), Some(moment))
}

/// As gates have it.
fn policy() -> Policy {
    let clock_tolerance_s = crate::Policy::default().clock_tolerance_s;
    Policy { clock_tolerance_s, ..Policy::default() }
}

fn judge(text: &str, trust: &Trust, now_s: i64) -> Verdict {
    verify(text, trust, None, &policy(), now_s)
}

fn found(text: &str, trust: &Trust, now_s: i64) -> (Outcome, Vec<String>) {
    let verdict = judge(text, trust, now_s);
    (verdict.outcome, verdict.reasons.iter().map(ToString::to_string).collect())
}

fn no(code: &str) -> (Outcome, Vec<String>) {
    (Outcome::NoPass, vec![code.to_owned()])
}

fn open(code: &str) -> (Outcome, Vec<String>) {
    (Outcome::CannotTell, vec![code.to_owned()])
}

const PASS: (Outcome, Vec<String>) = (Outcome::Pass, Vec::new());

/// Rules that keep what they were shown.
struct Witness(std::cell::RefCell<Option<(serde_json::Value, Kind, Option<String>)>>);

impl Rules for Witness {
    fn judge(&self, facts: &Facts<'_>) -> Ruling {
        let country = facts.issuer_country.map(str::to_owned);
        *self.0.borrow_mut() = Some((facts.payload.clone(), facts.kind, country));
        Ruling::default()
    }
}

fn witnessed(text: &str, now_s: i64) -> (serde_json::Value, Kind, Option<String>) {
    let witness = Witness(std::cell::RefCell::default());
    verify(text, &trust(None), Some(&witness), &Policy::default(), now_s);
    witness.0.into_inner().unwrap()
}

#[test]
fn the_compact_code_of_every_kind_passes_and_gives_rules_what_the_hcert_gives_them() {
    for (kind, attested) in everything() {
        let text = signer().sign(&hcert(attested, 1)).unwrap();
        let code = code_of(&text);
        let short = text_at(&code, NOW);
        // The phone's encoder has room for 656 characters (version 16, level M).
        assert!(short.len() < 656, "{} characters", short.len());
        let (of_paper, of_phone) =
            (judge(&text, &trust(None), NOW), judge(&short, &trust(None), NOW));
        assert_eq!((of_phone.outcome, of_phone.format), (Outcome::Pass, Format::Haetae));
        assert_eq!((of_phone.kind, of_phone.issuer), (Some(kind), of_paper.issuer));
        let (paper, phone) = (of_paper.shown.unwrap(), of_phone.shown.unwrap());
        assert_eq!((phone.initials, phone.birth_day), (paper.initials, paper.birth_day));
        let full = Policy { full_name: true, ..Policy::default() };
        let full = verify(&short, &trust(None), None, &full, NOW);
        assert_eq!(full.shown.unwrap().name, None, "there is no name in it");
        assert_eq!(of_phone.valid_until, Some(NOW + 86_400));

        let (mut paper, mut phone) = (witnessed(&text, NOW), witnessed(&short, NOW));
        for (content, _, _) in [&mut paper, &mut phone] {
            content.as_object_mut().unwrap().remove("nam").unwrap();
            for group in ["v", "t", "r", "x"] {
                if let Some(entry) = content.get_mut(group) {
                    entry[0].as_object_mut().unwrap().remove("ci").unwrap();
                }
            }
        }
        assert_eq!(paper, phone);
    }
}

#[test]
fn a_pass_that_is_taken_back_takes_its_compact_code_with_it() {
    for place in [REVOKED, SUSPENDED] {
        let text = signer().sign(&hcert(vaccination(2, "2026-12-01"), place)).unwrap();
        assert_eq!(found(&text, &trust(None), NOW), no("revoked"));
        assert_eq!(found(&text_at(&code_of(&text), NOW), &trust(None), NOW), no("revoked"));
    }
    // Without a list nobody can tell of a place in it; nobody's key is nobody.
    let text = signer().sign(&hcert(vaccination(2, "2026-12-01"), 1)).unwrap();
    let short = text_at(&code_of(&text), NOW);
    assert_eq!(found(&short, &Trust::default(), NOW), open("issuer_unknown"));
    // A key in other hands: what was signed since is refused, what was signed before stays good.
    assert_eq!(found(&short, &trust(Some(NOW)), NOW), no("issuer_revoked"));
    assert_eq!(found(&short, &trust(Some(NOW + 1)), NOW), PASS);
    assert_eq!(found(&text, &trust(Some(NOW)), NOW), PASS);
}

#[test]
fn whoever_has_the_picture_the_code_or_another_key_gets_no_further() {
    let trust = trust(None);
    let text = signer().sign(&hcert(vaccination(2, "2026-12-01"), 1)).unwrap();
    let code = code_of(&text);
    let signed = signer().sign_bound(&code).unwrap();
    let good = device().prove(&code.pass, NOW).unwrap();
    assert_eq!(found(&shown(signed.clone(), Some(good)), &trust, NOW), PASS);
    assert_eq!(found(&shown(signed.clone(), None), &trust, NOW), no("proof_missing"));
    // A picture lives to the end of the step after its own.
    let step = step_at(NOW) * 15;
    let last = i64::try_from(step).unwrap() + 30;
    let picture = shown(signed.clone(), Some(good));
    assert_eq!(found(&picture, &trust, last - 1), PASS);
    assert_eq!(found(&picture, &trust, last), no("proof_stale"));
    let first = i64::try_from(step).unwrap() - 15;
    assert_eq!(found(&text_at(&code, NOW), &trust, first), PASS);
    // Another device, another pass's proof, another step's signature.
    let thief = DeviceKey::from_scalar(&[11; 32]).unwrap();
    let stolen = thief.prove(&code.pass, NOW).unwrap();
    assert_eq!(found(&shown(signed.clone(), Some(stolen)), &trust, NOW), no("proof_bad"));
    let other = device().prove(&[1; 16], NOW).unwrap();
    assert_eq!(found(&shown(signed.clone(), Some(other)), &trust, NOW), no("proof_bad"));
    let moved = Moment { step: good.step + 1, ..good };
    assert_eq!(found(&shown(signed, Some(moved)), &trust, NOW), no("proof_bad"));
    // The thief writes a key into the code: nobody signed that.
    let mine = BoundPass { device: thief.public(), ..code.clone() };
    let (from, to) = (code.to_cbor(), mine.to_cbor());
    let honest = signer().sign_bound(&code).unwrap();
    let at = honest.windows(from.len()).position(|it| it == from).unwrap();
    let swapped = [&honest[..at], &to, &honest[at + from.len()..]].concat();
    assert_eq!(found(&shown(swapped, Some(stolen)), &trust, NOW), no("signature_bad"));
    // The right bytes by a key that nobody knows, and by one whose name is taken in vain.
    let thief = HcertSigner::from_scalar(&[8; 32]).unwrap();
    let forged = thief.sign_bound(&mine).unwrap();
    assert_eq!(found(&shown(forged, Some(stolen)), &trust, NOW), open("issuer_unknown"));
    let forged = thief.with_name_of(&signer()).sign_bound(&mine).unwrap();
    assert_eq!(found(&shown(forged, Some(stolen)), &trust, NOW), no("signature_bad"));
}

#[test]
fn each_edge_of_time_is_where_it_should_be() {
    let trust = trust(None);
    let text = signer().sign(&hcert(vaccination(2, "2026-12-01"), 1)).unwrap();
    let code = code_of(&text);
    let tolerance = policy().clock_tolerance_s;
    for (now_s, expected) in [
        (NOW + 86_400 - 1, PASS),
        (NOW + 86_400, no("expired")),
        (NOW - tolerance, PASS),
        (NOW - tolerance - 1, open("not_yet_valid")),
    ] {
        assert_eq!(found(&text_at(&code, now_s), &trust, now_s), expected, "{now_s}");
    }
    // Never longer than the pass.
    let end = code.ends_at;
    let late = compact(&text, device().public(), (end - 100, end + 900)).unwrap();
    assert_eq!(late.valid_until, end);
    let longer = BoundPass { valid_until: end + 2, ..late };
    assert_eq!(longer.check(), Err(DecodeError::WrongShape));
}

#[test]
fn there_is_one_encoding_and_what_has_no_place_is_not_made() {
    let text = signer().sign(&hcert(vaccination(2, "2026-12-01"), 1)).unwrap();
    let code = code_of(&text);
    let bytes = code.to_cbor();
    assert_eq!(BoundPass::from_cbor(&bytes), Ok(code.clone()));
    assert!(BoundPass::from_cbor(&[&bytes[..], &[0]].concat()).is_err());
    for end in 0..bytes.len() {
        assert!(BoundPass::from_cbor(&bytes[..end]).is_err());
    }
    // Untagged, the same message is another text for the same code: refused.
    let signed = signer().sign_bound(&code).unwrap();
    let proof = device().prove(&code.pass, NOW).unwrap();
    let untagged = shown(signed[1..].to_vec(), Some(proof));
    assert!(!is_bound(&untagged));
    assert_eq!(judge(&untagged, &trust(None), NOW).outcome, Outcome::CannotTell);
    // A gate of before reads the envelope and cannot tell.
    let list = crate::TrustList {
        region: "KR-11".to_owned(),
        version: 1,
        issued_at: NOW,
        valid_until: NOW + 60,
        keys: Vec::new(),
    };
    let before = crate::Trust { list, revocations: None };
    let verdict =
        crate::verify(&text_at(&code, NOW), &before, None, &crate::Policy::default(), NOW);
    assert_eq!(verdict.outcome, Outcome::CannotTell);
    // No status list, no way to take it back.
    let mut loose = hcert(vaccination(2, "2026-12-01"), 1);
    loose.status = None;
    let loose = signer().sign(&loose).unwrap();
    assert_eq!(compact(&loose, device().public(), (NOW, NOW + 60)), None);
    assert_eq!(compact("HC1:", device().public(), (NOW, NOW + 60)), None);
    assert_eq!(compact(&text_at(&code, NOW), device().public(), (NOW, NOW + 60)), None);
}

#[test]
fn every_flipped_bit_is_found() {
    let trust = trust(None);
    let text = signer().sign(&hcert(vaccination(2, "2026-12-01"), 1)).unwrap();
    let code = code_of(&text);
    let signed = signer().sign_bound(&code).unwrap();
    let proof = device().prove(&code.pass, NOW).unwrap();
    let whole = Presentation { signed, moment: Some(proof) }.to_cbor();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let text = format!("HT1:{}", crate::base45::encode(&bytes));
        assert_ne!(judge(&text, &trust, NOW).outcome, Outcome::Pass, "bit {bit}");
    }
}

#[test]
fn several_at_once_get_the_verdicts_of_one_by_one() {
    let trust = trust(None);
    let texts: Vec<String> = everything()
        .into_iter()
        .flat_map(|(_, attested)| {
            let text = signer().sign(&hcert(attested, 1)).unwrap();
            [text_at(&code_of(&text), NOW), text, "HT1:".to_owned()]
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let tables = crate::batch::Tables::new([]);
    let many = crate::pass::verify_many(&texts, &trust, &tables, None, &policy(), NOW);
    for (text, verdict) in texts.iter().zip(many) {
        assert_eq!(verdict, judge(text, &trust, NOW));
    }
}

#[test]
fn who_asks_is_told_which_pass_it_was() {
    let text = signer().sign(&hcert(vaccination(2, "2026-12-01"), 1)).unwrap();
    let code = code_of(&text);
    assert_eq!(code.pass, crate::pass::name_of(&text), "paper and phone have one name");
    let trust = trust(None);
    let short = text_at(&code, NOW);
    assert_eq!(prepare(&short, &trust).bound(), Some((code.pass, Some(step_at(NOW)))));
    assert_eq!(prepare(&text, &trust).bound(), None);
}

fn field() -> impl Strategy<Value = Field> {
    prop_oneof![
        any::<u8>().prop_map(Field::Count),
        ".{0,80}".prop_map(Field::Text),
        any::<()>().prop_map(|()| Field::Absent),
    ]
}

proptest! {
    #[test]
    fn whatever_is_sound_is_read_as_it_was_written(
        kind in 0_u8..5, fields in proptest::collection::vec(field(), 3..9),
        pass: [u8; 16], place: u32, birth in ".{0,10}", initials in ".{0,8}",
        start in 0_i64..1_000_000, length in 1_i64..1_000_000, rest in 0_i64..1_000_000,
    ) {
        let code = BoundPass {
            kind, pass, issued_at: start, valid_until: start + length, device: device().public(),
            attested_at: start, ends_at: start + length + rest, list: LIST.to_owned(), place,
            country: "KR".to_owned(), initials, birth, fields,
        };
        let read = BoundPass::from_cbor(&code.to_cbor());
        prop_assert_eq!(read.is_ok(), code.check().is_ok());
        if let Ok(read) = read {
            // Whatever it says, there is a verdict, and only the schema speaks against it.
            prop_assert_eq!(&read, &code);
            let text = text_at(&code, start);
            let verdict = judge(&text, &trust(None), start);
            prop_assert_eq!(verdict.format, Format::Haetae);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, at: usize, change: Vec<u8>) {
        let _ = BoundPass::from_cbor(&bytes);
        let text = signer().sign(&hcert(vaccination(1, "2026-12-01"), 1)).unwrap();
        let mut code = signer().sign_bound(&code_of(&text)).unwrap();
        let at = at % code.len();
        code.splice(at..(at + change.len()).min(code.len()), change.iter().copied());
        let outcome = judge(&shown(code.clone(), None), &Trust::default(), NOW).outcome;
        prop_assert_eq!(outcome, Outcome::CannotTell);
        prop_assert!(judge(&shown(code, None), &trust(None), NOW).outcome != Outcome::Pass);
    }
}
