//! Given the past, when a command comes, then these events or this refusal.

use contracts::code::{Colour, Pass};
use contracts::person::Staff;
use credential::ShortCode;
use kernel::{Aggregate as _, Date, Id, Instant, Refusal as _, given};

use crate::command::{Ask, Command};
use crate::decision::{self, Decision};
use crate::event::Event;
use crate::model::{
    Answer, Basis, Declaration, DeviceKey, Exposure, Finding, Holder, OrderReason, Outcome,
    RevokedBecause, Stay, Symptoms, TestSource,
};
use crate::policy::{Policy, PolicyCommand};
use crate::refusal::{CODES, Refusal};

mod decisions;
mod faces;
mod house;
mod keys;
mod orders;
mod passes;
mod retention;
mod review;
mod routes;

/// Noon in Seoul on 22 November 2026.
pub(crate) fn noon() -> Instant {
    Instant::parse("2026-11-22T03:00:00Z").unwrap()
}

pub(crate) fn today() -> Date {
    "2026-11-22".parse().unwrap()
}

/// `days` before noon.
pub(crate) fn ago(days: i64) -> Instant {
    noon().plus_days(-days)
}

/// Every question answered with no, 36.5 degrees.
pub(crate) fn healthy() -> Declaration {
    let no = Answer::No;
    Declaration {
        name: "홍길동".to_owned(),
        document: "M12345678".to_owned(),
        residence: "서울 강남구".to_owned(),
        stays: Vec::new(),
        contact_symptomatic: no,
        contact_confirmed: no,
        symptoms: Symptoms {
            fever: no,
            cough: no,
            sore_throat: no,
            breathlessness: no,
            smell_or_taste: no,
        },
        temperature_tenths: Some(365),
    }
}

pub(crate) fn coughing() -> Declaration {
    let symptoms = Symptoms { cough: Answer::Yes, ..healthy().symptoms };
    Declaration { symptoms, ..healthy() }
}

pub(crate) fn declared(declaration: Declaration, at: Instant) -> Event {
    Event::Declared { declaration, by_helper: false, at }
}

pub(crate) fn tested(result: Finding, taken_at: Instant) -> Event {
    Event::TestRecorded { result, taken_at, source: TestSource::Laboratory }
}

pub(crate) fn exposed(source: Exposure, exposed_at: Instant) -> Event {
    Event::Exposed { exposed_at, source }
}

pub(crate) fn officer(number: u128) -> Id<Staff> {
    Id::from_u128(number)
}

pub(crate) fn ask(past: &[Event], now: Instant, ask: Ask) -> Result<Vec<Event>, Refusal> {
    let holder: Holder = given(past);
    let (policy, decision) = (Policy::default(), Id::from_u128(77));
    let command = Command { ask, policy, decision, issuer: None };
    holder.decide(command, now)
}

pub(crate) fn declare(declaration: Declaration) -> Result<Vec<Event>, Refusal> {
    ask(&[], noon(), Ask::Declare { declaration, by_helper: false, today: today() })
}

pub(crate) fn decision_at(past: &[Event], at: Instant) -> Decision {
    decision::decide(&given::<Holder>(past).facts, &Policy::default(), at)
}

pub(crate) fn short() -> ShortCode {
    ShortCode::from_bits(12_345)
}

pub(crate) fn pass_issued(number: u128, colour: Colour, at: Instant, hours: i64) -> Event {
    Event::PassIssued {
        pass: Id::from_u128(number),
        device_key: Some(DeviceKey([2; 33])),
        colour,
        issued_at: at,
        valid_until: at.plus_seconds(hours * 3_600),
        short: short(),
        issuer: None,
    }
}

pub(crate) fn pass(number: u128) -> Id<Pass> {
    Id::from_u128(number)
}

#[test]
fn a_healthy_declaration_gives_green_for_fourteen_days() {
    let events = declare(healthy()).unwrap();
    assert_eq!(
        events,
        [
            declared(healthy(), noon()),
            Event::Decided {
                decision: Id::from_u128(77),
                colour: Colour::Green,
                until: Some(noon().plus_days(14)),
                reasons: vec!["declared_healthy".to_owned()],
                rules_version: 1,
                at: noon(),
            }
        ]
    );
}

#[test]
fn names_in_any_script_and_spreadsheet_formulas_are_kept_exactly() {
    for name in ["홍길동", "王小明", "Нина O’Brien", "=HYPERLINK(\"x\")", "@SUM(A1)", "가나 다"]
    {
        let events = declare(Declaration { name: name.to_owned(), ..healthy() }).unwrap();
        let Event::Declared { declaration, .. } = &events[0] else { panic!("{events:?}") };
        assert_eq!(declaration.name, name);
    }
}

#[test]
fn hidden_characters_and_overlong_texts_are_refused() {
    for name in ["", "  ", "a\u{200b}b", "a\u{202e}b", "a\0", "a\nb", &"가".repeat(81)] {
        let it = Declaration { name: name.to_owned(), ..healthy() };
        assert_eq!(declare(it), Err(Refusal::NameInvalid), "{name:?}");
    }
    let it = Declaration { name: "가".repeat(80), ..healthy() };
    assert!(declare(it).is_ok());
}

#[test]
fn a_document_number_has_four_to_twenty_four_plain_letters_and_digits() {
    for good in ["1234", "M12345678", "900101-1234567", "11010519491231002X", &"7".repeat(24)] {
        assert!(declare(Declaration { document: good.to_owned(), ..healthy() }).is_ok(), "{good}");
    }
    for bad in ["123", "", &"7".repeat(25), "M1234 5678", "여권123456", "ABCDEF", "1234;--"] {
        let it = Declaration { document: bad.to_owned(), ..healthy() };
        assert_eq!(declare(it), Err(Refusal::DocumentInvalid), "{bad}");
    }
}

#[test]
fn a_temperature_is_one_that_a_living_person_has() {
    for (tenths, fine) in [(339, false), (340, true), (430, true), (431, false), (0, false)] {
        let it = Declaration { temperature_tenths: Some(tenths), ..healthy() };
        assert_eq!(declare(it).is_ok(), fine, "{tenths}");
    }
}

#[test]
fn stays_lie_within_the_last_fourteen_days() {
    let stay = |from: i32, to: i32| Stay {
        place: "대구".to_owned(),
        from: today().plus_days(from),
        to: today().plus_days(to),
    };
    for (from, to, fine) in [
        (-14, -14, true),
        (-15, -15, false),
        (-30, -14, true),
        (0, 0, true),
        (0, 1, false),
        (-3, -5, false),
        (-20_000, 0, true),
    ] {
        let it = Declaration { stays: vec![stay(from, to)], ..healthy() };
        assert_eq!(declare(it).is_ok(), fine, "{from}..{to}");
    }
    let many = Declaration { stays: vec![stay(-1, 0); 15], ..healthy() };
    assert_eq!(declare(many), Err(Refusal::TooManyStays));
}

#[test]
fn every_mistake_is_named_with_its_field_at_once() {
    let it = Declaration {
        name: String::new(),
        document: String::new(),
        residence: "\u{202e}".to_owned(),
        temperature_tenths: Some(999),
        ..healthy()
    };
    let fields: Vec<_> =
        crate::decide::mistakes(&it, today()).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["name", "document", "residence", "temperature"]);
}

#[test]
fn tests_from_the_future_or_from_long_ago_are_refused() {
    let record = |taken_at: Instant| {
        let (result, source) = (Finding::Positive, TestSource::Clinic);
        ask(&[], noon(), Ask::RecordTest { result, taken_at, source }).is_ok()
    };
    assert!(record(noon().plus_seconds(300)), "a laboratory's clock may be a little ahead");
    assert!(!record(noon().plus_seconds(301)));
    assert!(record(ago(28)));
    assert!(!record(ago(28).plus_seconds(-1)));
    for wrong in
        [Instant::from_seconds(0), Instant::from_micros(i64::MAX), Instant::from_micros(i64::MIN)]
    {
        assert!(!record(wrong));
        let source = Exposure::SamePlace;
        let refused = ask(&[], noon(), Ask::RecordExposure { exposed_at: wrong, source });
        assert_eq!(refused, Err(Refusal::DateInvalid));
    }
}

#[test]
fn codes_are_sorted_unique_and_every_refusal_has_one() {
    assert!(CODES.is_sorted_by(|left, right| left.0 < right.0));
    assert!(
        CODES.iter().all(|(code, status)| code.starts_with("code-") && (400..500).contains(status))
    );
    assert_eq!(Refusal::SameOfficer.status(), 403);
    assert_eq!(Refusal::OrderUntil { days: 14 }.code(), "code-order-until");
}

#[test]
fn rules_change_by_the_next_version_only_and_never_read_the_clock() {
    let policy = Policy::default();
    let shipped: serde_json::Value = serde_json::from_str(crate::policy::SHIPPED).unwrap();
    let change = |rule_set: &serde_json::Value| {
        let (rule_set, why) = (rule_set.clone(), "방역 지침 제3판".to_owned());
        policy.decide(PolicyCommand::Change { rule_set, why, by: officer(1) }, noon())
    };
    assert!(matches!(change(&shipped), Err(Refusal::PolicyVersion { expected: 2 })));
    let mut next = shipped.clone();
    next["version"] = 2.into();
    let changed = change(&next).unwrap();
    let mut after = policy.clone();
    after.fold(&changed[0]);
    assert_eq!((after.version(), after.recorded), (2, true));
    for logic in [
        serde_json::json!({ "before": [{ "plusTime": [{ "var": "external.now" }, 0, "day"] }, { "plusTime": ["2026-01-01", 0, "day"] }] }),
        serde_json::json!({ "<": [{ "+": [{ "var": "payload.positive.days_ago" }, 1] }, 3] }),
        serde_json::json!({ "var": "" }),
    ] {
        let mut wrong = next.clone();
        wrong["rules"][0]["logic"] = logic;
        assert_eq!(change(&wrong).unwrap_err(), Refusal::PolicyInvalid);
    }
    for days in [serde_json::json!(29), serde_json::json!(-1), serde_json::json!("long")] {
        let mut beyond = next.clone();
        beyond["parameters"]["positive_days"] = days;
        assert_eq!(change(&beyond).unwrap_err(), Refusal::PolicyInvalid, "facts count 28 days");
    }
    let mut colourless = next.clone();
    colourless["rules"][0]["outcome"] = serde_json::json!({ "colour": "purple" });
    assert_eq!(change(&colourless).unwrap_err(), Refusal::PolicyInvalid);
    assert_eq!(change(&serde_json::json!([])).unwrap_err(), Refusal::PolicyInvalid);
}

#[test]
fn the_shipped_rules_begin_once() {
    let mut policy = Policy::default();
    assert!(
        policy.rules.is_some() && crate::policy::check(policy.rules.as_deref().unwrap()).is_ok()
    );
    let begun = policy.decide(PolicyCommand::Begin, noon()).unwrap();
    assert_eq!(begun.len(), 1);
    policy.fold(&begun[0]);
    assert_eq!(policy.decide(PolicyCommand::Begin, noon()).unwrap(), []);
}

#[test]
fn a_device_key_is_a_point_and_nothing_else() {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut long = vec![4; 65];
    long[64] = 7;
    let from_long = DeviceKey::parse(&engine.encode(&long)).unwrap();
    assert_eq!((from_long.0[0], from_long.0[1]), (3, 4));
    assert_eq!(DeviceKey::parse(&from_long.to_string()), Some(from_long));
    for bad in [&[5_u8; 33][..], &[2; 32], &[4; 64], &[], &[2; 65]] {
        assert_eq!(DeviceKey::parse(&engine.encode(bad)), None);
    }
    assert_eq!(DeviceKey::parse(&"A".repeat(1_000)), None);
    assert_eq!(DeviceKey::parse("\u{d55c}\u{ae00}"), None);
}

#[test]
fn an_appeal_has_a_clock_of_24_hours_and_one_answer() {
    let decision = Id::from_u128(77);
    let past = {
        let mut past = vec![];
        let it = Ask::RecordTest {
            result: Finding::Positive,
            taken_at: ago(1),
            source: TestSource::Laboratory,
        };
        past.extend(ask(&past, noon(), it).unwrap());
        past
    };
    let appeal =
        |about, text: &str| Ask::Appeal { appeal: Id::from_u128(5), about, text: text.into() };
    let appealed =
        ask(&past, noon(), appeal(decision, "검체가 바뀐 것 같습니다.\n확인해 주세요.")).unwrap();
    let Event::Appealed { due_at, .. } = &appealed[0] else { panic!("{appealed:?}") };
    assert_eq!(*due_at, noon().plus_seconds(24 * 3_600));
    assert_eq!(ask(&past, noon(), appeal(Id::from_u128(1), "x")), Err(Refusal::DecisionUnknown));
    assert_eq!(ask(&past, noon(), appeal(decision, " \n ")), Err(Refusal::TextInvalid));
    assert_eq!(ask(&past, noon(), appeal(decision, "a\u{202e}")), Err(Refusal::TextInvalid));
    let waiting = [past.clone(), appealed].concat();
    assert_eq!(ask(&waiting, noon(), appeal(decision, "또")), Err(Refusal::AppealOpen));

    let answer = |outcome, set_aside: &[Basis]| Ask::AnswerAppeal {
        appeal: Id::from_u128(5),
        outcome,
        text: "재검사 결과 음성입니다.".to_owned(),
        set_aside: set_aside.to_vec(),
        officer: officer(9),
    };
    let upheld = ask(&waiting, noon(), answer(Outcome::Upheld, &[Basis::Test])).unwrap();
    assert!(matches!(&upheld[1], Event::Decided { colour: Colour::Unknown, .. }), "{upheld:?}");
    let dismissed = ask(&waiting, noon(), answer(Outcome::Dismissed, &[Basis::Test])).unwrap();
    assert_eq!(dismissed.len(), 1, "a dismissed appeal changes no fact");
    let after = [waiting, dismissed].concat();
    assert_eq!(decision_at(&after, noon()).colour, Colour::Red);
    assert_eq!(ask(&after, noon(), answer(Outcome::Upheld, &[])), Err(Refusal::AppealAnswered));
}

#[test]
fn there_is_nothing_to_appeal_about_green() {
    let past = declare(healthy()).unwrap();
    let it = Ask::Appeal { appeal: Id::from_u128(5), about: Id::from_u128(77), text: "x".into() };
    assert_eq!(ask(&past, noon(), it), Err(Refusal::NothingToAppeal));
}

#[test]
fn forgetting_revokes_every_pass_that_is_still_good() {
    let past = [
        pass_issued(1, Colour::Green, ago(3), 24),
        pass_issued(2, Colour::Green, ago(1), 25),
        pass_issued(3, Colour::Green, ago(0), 24),
    ];
    let why = RevokedBecause::Forgotten;
    let events = ask(&past, noon(), Ask::RevokePasses { why }).unwrap();
    let ids: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::PassRevoked { pass, .. } => *pass,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [pass(2), pass(3)]);
    let _ = OrderReason::ALL;
}
