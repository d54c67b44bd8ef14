//! Our own health codes by the common door say what the gate's verifier says of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::pass::{self, Format, Policy, Trust};
use crate::verify::{Check, Outcome};
use crate::{
    Colour, DeviceKey, HealthCode, Holder, IssuerKey, IssuerSigner, Presentation, RevocationList,
    TrustList,
};

pub(super) const NOW: i64 = 1_800_000_007;
pub(super) const DAY: i64 = 86_400;

/// A file as `--trust` takes it, and texts: shown by the device, a picture of it, printed, revoked.
pub(super) fn city_file() -> (Value, [String; 4]) {
    let root = IssuerSigner::from_seed(&[1; 32]).unwrap();
    let issuer = IssuerSigner::from_seed(&[2; 32]).unwrap();
    let device = DeviceKey::from_scalar(&[3; 32]).unwrap();
    let list = TrustList {
        region: "KR-11".to_owned(),
        version: 1,
        issued_at: NOW - 3600,
        valid_until: NOW + DAY,
        keys: vec![IssuerKey::new(issuer.public(), NOW - 30 * DAY, NOW + 30 * DAY)],
    };
    let revoked = RevocationList::new(1, NOW - 3600, NOW + DAY, &[[9; 16]]);
    let base64 = |bytes: &[u8]| STANDARD.encode(bytes);
    let file = json!({
        "trust": base64(&root.sign_trust(&list).unwrap()),
        "revocations": base64(&root.sign_revocations(&revoked).unwrap()),
        "root": base64(&root.public()),
    });
    let code = |pass: [u8; 16], holder: Holder| HealthCode {
        pass,
        colour: Colour::Green,
        issued_at: NOW - 60,
        valid_until: NOW + DAY,
        holder,
        region: "KR-11".to_owned(),
    };
    let text = |code: &HealthCode, is_shown: bool| {
        let moment = is_shown.then(|| device.prove(&code.pass, NOW).unwrap());
        Presentation { signed: issuer.sign_code(code).unwrap(), moment }.to_text()
    };
    let bound = code([7; 16], Holder::Device(device.public()));
    let texts = [
        text(&bound, true),
        text(&bound, false),
        text(&code([8; 16], Holder::Printed), false),
        text(&code([9; 16], Holder::Printed), false),
    ];
    (file, texts)
}

fn city() -> (Trust, [String; 4]) {
    let (file, texts) = city_file();
    let mut trust = Trust::default();
    assert_eq!(trust.add(file.to_string().as_bytes()).regions, 1);
    (trust, texts)
}

#[test]
fn a_code_passes_with_its_proof_and_a_picture_of_it_does_not() {
    let (trust, texts) = city();
    for (text, outcome, reason) in [
        (&texts[0], Outcome::Pass, ""),
        (&texts[1], Outcome::NoPass, "proof_missing"),
        (&texts[2], Outcome::Pass, ""),
        (&texts[3], Outcome::NoPass, "revoked"),
    ] {
        let verdict = pass::verify(text, &trust, None, &Policy::default(), NOW);
        assert_eq!((verdict.format, verdict.outcome), (Format::Haetae, outcome));
        let reasons: Vec<String> = verdict.reasons.iter().map(ToString::to_string).collect();
        assert_eq!(reasons.join(" "), reason);
        assert_eq!((verdict.checks.usage, verdict.checks.schema), (Check::Skipped, Check::Skipped));
        assert_eq!(verdict.issuer.unwrap().name, "KR-11");
    }
}

#[test]
fn a_code_of_a_region_that_is_not_known_cannot_be_told() {
    let (trust, texts) = city();
    let verdict = pass::verify(&texts[0], &Trust::default(), None, &Policy::default(), NOW);
    assert_eq!((verdict.outcome, verdict.checks.trust), (Outcome::CannotTell, Check::Failed));
    assert!(verdict.reasons.iter().any(|it| it.to_string() == "issuer_unknown"));
    // Nor can it with a list that is over.
    let verdict = pass::verify(&texts[2], &trust, None, &Policy::default(), NOW + 2 * DAY);
    assert_eq!(verdict.outcome, Outcome::CannotTell);
    // A typed code carries no signature.
    let typed = crate::ShortCode::from_bits(77).to_string();
    let verdict = pass::verify(&typed, &trust, None, &Policy::default(), NOW);
    assert_eq!((verdict.format, verdict.outcome), (Format::Haetae, Outcome::CannotTell));
}
