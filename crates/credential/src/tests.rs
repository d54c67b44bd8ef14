//! Laws of the health code that span its modules, and the small city they are tried in.

mod bound;
mod clock;
mod hostile;
mod journey;
mod vectors;

use crate::{
    Colour, DeviceKey, HealthCode, Holder, IssuerKey, IssuerSigner, Policy, Presentation,
    RevocationList, SeenSet, Trust, TrustList, Verdict, verify,
};

/// The moment the tests happen at: in the middle of a time step.
const NOW: i64 = 1_800_000_007;
const PASS: [u8; 16] = [0xa7; 16];
const REGION: &str = "KR-11";
const DAY: i64 = 86_400;

/// A region with its keys, one citizen's device, and fresh lists.
struct City {
    root: IssuerSigner,
    issuer: IssuerSigner,
    device: DeviceKey,
    trust: Trust,
}

impl City {
    fn new() -> Self {
        let root = IssuerSigner::from_seed(&[1; 32]).unwrap();
        let issuer = IssuerSigner::from_seed(&[2; 32]).unwrap();
        let device = DeviceKey::from_scalar(&[3; 32]).unwrap();
        let key = IssuerKey::new(issuer.public(), NOW - 30 * DAY, NOW + 30 * DAY);
        let list = TrustList {
            region: REGION.to_owned(),
            version: 7,
            issued_at: NOW - 3600,
            valid_until: NOW + 3 * DAY,
            keys: vec![key],
        };
        let revocations = RevocationList::new(9, NOW - 3600, NOW + 3 * DAY, &[[0xee; 16]]);
        let trust = Trust { list, revocations: Some(revocations) };
        Self { root, issuer, device, trust }
    }

    /// A green code of the citizen's device.
    fn code(&self) -> HealthCode {
        HealthCode {
            pass: PASS,
            colour: Colour::Green,
            issued_at: NOW - 3600,
            valid_until: NOW + 7 * DAY,
            holder: Holder::Device(self.device.public()),
            region: REGION.to_owned(),
        }
    }

    /// What the citizen's phone shows at `now`.
    fn show_at(&self, code: &HealthCode, now: i64) -> Presentation {
        let signed = self.issuer.sign_code(code).unwrap();
        let moment = match code.holder {
            Holder::Device(_) => Some(self.device.prove(&code.pass, now).unwrap()),
            Holder::Printed => None,
        };
        Presentation { signed, moment }
    }

    fn show(&self, code: &HealthCode) -> Presentation {
        self.show_at(code, NOW)
    }

    fn judge_at(&self, shown: &Presentation, now: i64) -> Verdict {
        verify(&shown.to_text(), &self.trust, None, &Policy::default(), now)
    }

    fn judge(&self, shown: &Presentation) -> Verdict {
        self.judge_at(shown, NOW)
    }

    fn judge_seen(&self, shown: &Presentation, seen: &mut SeenSet, now: i64) -> Verdict {
        verify(&shown.to_text(), &self.trust, Some(seen), &Policy::default(), now)
    }
}
