//! With a real store: what is decided is durable, replays, answers typed codes, and is forgotten.

use std::sync::Arc;

use contracts::Published;
use contracts::person::Person;
use kernel::{Clock as _, ManualClock, Seed};
use store::{By, Context, Keyring, Options, Store};
use web::testing::Databases;

use super::*;
use crate::{door, issue, replay, view};

pub(super) struct City {
    pub(super) dir: tempfile::TempDir,
    pub(super) databases: Databases,
    pub(super) clock: ManualClock,
    pub(super) store: Store,
}

pub(super) const CONTEXT: Context = Context::by(By::System("test"));
pub(super) const PERSON: u128 = 7;

impl City {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let databases = Databases::of(dir.path());
        let clock = ManualClock::at(noon());
        let keyring = Keyring::open(&dir.path().join("keys"), Seed::fixed(1)).unwrap();
        let store = Store::open(Options {
            backend: databases.backend.clone(),
            region: "kr-11".parse().unwrap(),
            origin: "haetae.example/log".to_owned(),
            clock: Arc::new(clock.clone()),
            seed: Seed::fixed(2),
            keyring: Arc::new(keyring),
            registry: web::slice::registry(&[crate::slice()]),
        })
        .unwrap()
        .store;
        Self { dir, databases, clock, store }
    }

    pub(super) fn keyring(&self) -> Keyring {
        Keyring::open(&self.dir.path().join("keys"), Seed::fixed(1)).unwrap()
    }

    pub(super) fn ask(&self, it: Ask) -> Vec<Event> {
        door::execute_blocking(&self.store, CONTEXT, Id::from_u128(PERSON), it).unwrap().events
    }

    pub(super) fn declare(&self, declaration: Declaration) -> Vec<Event> {
        let today = kernel::Zone::utc().date(self.clock.now());
        self.ask(Ask::Declare { declaration, by_helper: false, today })
    }

    pub(super) fn issue(&self, device_key: Option<DeviceKey>) -> issue::Signed {
        let pass = Id::random(self.store.seed());
        let short = ShortCode::from_bits(u64::from_be_bytes(self.store.seed().bytes()));
        let events = self.ask(Ask::IssuePass { pass, device_key, short });
        let held = issue::issued(&events).unwrap();
        issue::sign(&self.keyring(), self.store.region(), held).unwrap()
    }

    pub(super) fn trust(&self) -> credential::Trust {
        let (keyring, now) = (self.keyring(), self.clock.now());
        let root = issue::root_public(&keyring).unwrap();
        let issuers = self.store.read_blocking(crate::keys::issuers).unwrap();
        let list = issue::trust(&keyring, &issuers, self.store.region(), now).unwrap();
        let passes = self.store.read_blocking(|it| view::revoked(it, now)).unwrap();
        let revoked = issue::revocations(&keyring, &issuers, &passes, now).unwrap().0;
        credential::Trust {
            list: credential::TrustList::open(&list.signed, &root, 0).unwrap(),
            revocations: Some(credential::RevocationList::open(&revoked.signed, &root, 0).unwrap()),
        }
    }

    fn verdict(&self, text: &str) -> credential::Verdict {
        let now_s = self.clock.now().seconds();
        let policy = credential::Policy::default();
        let mut seen = credential::SeenSet::default();
        credential::verify(text, &self.trust(), Some(&mut seen), &policy, now_s)
    }
}

#[test]
fn a_decision_stands_on_the_log_after_its_rules_and_replays() {
    let city = City::new();
    city.declare(healthy());
    let past = city.store.read_blocking(|it| it.event(0)).unwrap().unwrap();
    assert_eq!(past.kind, "code.policy_changed.v1", "no decision without its rules");
    city.clock.advance_seconds(3_600);
    city.ask(Ask::RecordTest {
        result: Finding::Positive,
        taken_at: city.clock.now(),
        source: TestSource::Laboratory,
    });
    let mut next: serde_json::Value = serde_json::from_str(crate::policy::SHIPPED).unwrap();
    next["version"] = 2.into();
    next["parameters"]["positive_days"] = 10.into();
    let change = PolicyCommand::Change { rule_set: next, why: "v2".into(), by: officer(1) };
    city.store.execute_blocking::<Policy>(CONTEXT, crate::policy::POLICY, change).unwrap();
    city.declare(healthy());
    let replayed =
        city.store.read_blocking(|it| replay::replay(it, Id::from_u128(PERSON))).unwrap();
    let replayed = replayed.decisions;
    assert_eq!(replayed.len(), 3);
    assert!(replayed.iter().all(|it| it.agrees), "{replayed:#?}");
    let versions: Vec<u32> = replayed.iter().map(|it| it.recorded.rules_version).collect();
    assert_eq!(versions, [1, 1, 2]);
    let one = replayed[1].clone();
    let found = city.store.read_blocking(|it| replay::replay_decision(it, one.decision)).unwrap();
    assert_eq!(found, Some(one));
}

#[test]
fn a_device_s_pass_gets_through_a_door_and_a_revoked_one_does_not() {
    let city = City::new();
    city.declare(healthy());
    let device = credential::DeviceKey::from_scalar(&[9; 32]).unwrap();
    let signed = city.issue(Some(DeviceKey(device.public())));
    let show = |city: &City| {
        let moment =
            device.prove(&signed.pass.pass.to_bytes(), city.clock.now().seconds()).unwrap();
        credential::Presentation { signed: signed.code.clone(), moment: Some(moment) }.to_text()
    };
    let text = show(&city);
    assert!(text.len() <= 419, "fits QR version 12 level M: {}", text.len());
    let verdict = city.verdict(&text);
    assert_eq!(verdict.outcome, credential::Outcome::Pass, "{verdict:?}");
    city.clock.advance_seconds(60);
    city.ask(Ask::RecordTest {
        result: Finding::Positive,
        taken_at: city.clock.now(),
        source: TestSource::Laboratory,
    });
    let verdict = city.verdict(&show(&city));
    assert_eq!(verdict.outcome, credential::Outcome::NoPass);
    assert!(verdict.reasons.contains(&credential::Reason::Revoked), "{verdict:?}");
}

#[test]
fn a_printed_pass_asks_for_an_id_and_signs_the_same_twice() {
    let city = City::new();
    city.declare(healthy());
    let signed = city.issue(None);
    let again = issue::sign(&city.keyring(), city.store.region(), signed.pass.clone()).unwrap();
    assert_eq!(signed, again);
    let verdict = city.verdict(&signed.printed_text());
    assert_eq!((verdict.outcome, verdict.ask_id), (credential::Outcome::Pass, true), "{verdict:?}");
}

#[test]
fn a_typed_code_says_the_colour_of_now() {
    let city = City::new();
    city.declare(healthy());
    let signed = city.issue(None);
    let typed = |text: &str| {
        let (text, now) = (text.to_owned(), city.clock.now());
        city.store.read_blocking(move |it| view::typed_code(it, &text, now)).unwrap()
    };
    let short = signed.pass.short.to_string();
    let answer = typed(&short.to_lowercase()).unwrap();
    assert_eq!((answer.colour, answer.revoked), (Colour::Green, false));
    city.declare(coughing());
    let answer = typed(&short).unwrap();
    assert_eq!((answer.colour, answer.revoked), (Colour::Yellow, true));
    assert_eq!(typed("0000-0000-0000"), None);
    assert_eq!(typed("not a code"), None);
}

#[test]
fn a_forgotten_person_s_passes_stay_revoked_at_every_gate() {
    let city = City::new();
    city.declare(healthy());
    let signed = city.issue(None);
    let short = signed.pass.short.to_string();
    let person = Id::<Person>::from_u128(PERSON);
    city.store
        .write_blocking(move |tx| {
            let forgotten = contracts::person::Published::Forgotten { person };
            crate::react::react(tx, &CONTEXT, &Published::Person(forgotten))?;
            tx.forget(PERSON)
        })
        .unwrap();
    let verdict = city.verdict(&signed.printed_text());
    assert!(verdict.reasons.contains(&credential::Reason::Revoked), "{verdict:?}");
    let now = city.clock.now();
    let typed = city.store.read_blocking(move |it| view::typed_code(it, &short, now)).unwrap();
    assert_eq!(typed, None);
    let left = city.store.read_blocking(|it| replay::replay(it, person)).unwrap();
    assert_eq!((left.decisions.len(), left.erased.len()), (0, 1));
    city.store.write_blocking(|tx| tx.rebuild()).unwrap();
    let verdict = city.verdict(&signed.printed_text());
    assert!(verdict.reasons.contains(&credential::Reason::Revoked), "after rebuilding");
}

#[test]
fn the_officers_desk_shows_what_waits_the_most_overdue_first() {
    let city = City::new();
    city.declare(coughing());
    let last =
        city.store.read_blocking(|it| view::standing(it, Id::from_u128(PERSON), noon())).unwrap();
    let about = last.0.last_ruling().unwrap().decision;
    city.ask(Ask::Appeal {
        appeal: Id::from_u128(5), about, text: "기침은 알레르기입니다".into()
    });
    city.ask(Ask::ProposeOrder {
        order: Id::from_u128(6),
        colour: Colour::Red,
        until: noon().plus_days(1),
        reason: OrderReason::Cluster,
        number: "A-1".into(),
        officer: officer(1),
    });
    let (orders, appeals) = city
        .store
        .read_blocking(|it| Ok((view::waiting_orders(it, 9)?, view::open_appeals(it, 9)?)))
        .unwrap();
    assert_eq!((orders.len(), appeals.len()), (1, 1));
    assert_eq!(appeals[0].due_at, noon().plus_days(1));
    city.ask(Ask::ConfirmOrder { order: Id::from_u128(6), officer: officer(2) });
    city.ask(Ask::AnswerAppeal {
        appeal: Id::from_u128(5),
        outcome: Outcome::Dismissed,
        text: "검사를 받아 주세요.".into(),
        set_aside: Vec::new(),
        officer: officer(3),
    });
    let left = city
        .store
        .read_blocking(|it| {
            Ok((view::waiting_orders(it, 9)?.len(), view::open_appeals(it, 9)?.len()))
        })
        .unwrap();
    assert_eq!(left, (0, 0));
}

#[test]
fn one_command_id_has_one_effect_and_the_same_code() {
    let city = City::new();
    city.declare(healthy());
    let context = Context { command: Some(42), ..CONTEXT };
    let once = |number: u128| {
        let it = Ask::IssuePass { pass: pass(number), device_key: None, short: short() };
        let done = door::execute_blocking(&city.store, context, Id::from_u128(PERSON), it).unwrap();
        let held = issue::issued(&done.events).unwrap();
        issue::sign(&city.keyring(), city.store.region(), held).unwrap()
    };
    assert_eq!(once(1), once(2));
}

#[test]
fn every_sql_text_prepares_and_every_example_folds() {
    let slice = crate::slice();
    let registry = web::slice::registry(std::slice::from_ref(&slice));
    store::audit::check_queries(&registry, slice.queries).unwrap();
    for (stream, json) in slice.examples {
        let refolded = (registry.stream(stream).unwrap().refold)(json.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(refolded).unwrap(), json.trim_end(), "{stream}");
    }
    let kinds: std::collections::BTreeSet<&str> = slice
        .examples
        .iter()
        .filter(|(stream, _)| *stream == Holder::STREAM)
        .map(|(_, json)| kernel::Fact::kind(&serde_json::from_str::<Event>(json).unwrap()))
        .collect();
    assert_eq!(kinds.len(), 12, "an example of every event");
}

#[test]
fn lists_are_the_same_within_their_step_and_newer_after_it() {
    let city = City::new();
    let (keyring, region) = (city.keyring(), city.store.region().clone());
    let none = crate::issuer::Issuers::default();
    let at = |seconds: i64| {
        issue::trust(&keyring, &none, &region, noon().plus_seconds(seconds)).unwrap()
    };
    assert_eq!(at(0), at(59));
    assert_ne!(at(0), at(60));
    assert!(at(0).version < at(60).version);
    let revoked = |seconds: i64| {
        issue::revocations(&keyring, &none, &[pass(1)], noon().plus_seconds(seconds)).unwrap().0
    };
    assert_eq!(revoked(0), revoked(59));
    assert!(revoked(0).version < revoked(60).version);
}
