//! After its term nobody can read what was recorded, and nothing else breaks: not the colour, the
//! replay, the views or the log.

use store::Audit;

use super::house::{CONTEXT, City, PERSON};
use super::*;
use crate::retention::{DECISION_KEPT_DAYS, FACT_DAYS, FACT_KEPT_DAYS, ORDER_KEPT_DAYS};
use crate::{replay, view};

/// What must not be found in any file, and nowhere after its term.
const CANARY: &str = "카나리아동 12-3";

impl City {
    fn days_later(&self, days: u32) {
        self.clock.advance_seconds(i64::from(days) * 86_400);
        self.store.write_blocking(|tx| tx.retain()).unwrap();
    }

    fn audit(&self) -> Audit {
        let registry = web::slice::registry(&[crate::slice()]);
        let (keyring, region) = (self.keyring(), self.store.region().clone());
        let origin = "haetae.example/log";
        let backend = &self.databases.backend;
        store::audit(backend, &region, origin, &keyring, &registry, |_, _| {}).unwrap()
    }

    fn replay(&self) -> replay::Replay {
        self.store.read_blocking(|it| replay::replay(it, Id::from_u128(PERSON))).unwrap()
    }

    fn standing(&self) -> (Holder, Decision) {
        let now = kernel::Clock::now(&self.clock);
        let standing =
            self.store.read_blocking(|it| view::standing(it, Id::from_u128(PERSON), now));
        let (holder, _, decision) = standing.unwrap();
        (holder, decision)
    }

    /// Every row of this slice's tables about people, as the audit compares them.
    fn rows(&self) -> Vec<(&'static str, Vec<store::Row>)> {
        let tables = view::VIEWS.iter().filter(|it| it.subject.is_some());
        let rows = |table: &str| {
            let sql = format!("SELECT * FROM {table} WHERE region = $1");
            let mut rows = self.store.read_blocking(|it| it.query(&sql, &[])).unwrap();
            rows.sort_unstable();
            rows
        };
        tables.map(|it| (it.table, rows(it.table))).collect()
    }

    /// Rebuilt views are the living ones, and nothing on the log is wrong.
    fn holds(&self) -> Audit {
        let living = self.rows();
        self.store.write_blocking(|tx| tx.rebuild()).unwrap();
        assert_eq!(self.rows(), living, "rebuilding gives the same rows");
        let audit = self.audit();
        assert_eq!(audit.wrong, []);
        audit
    }

    fn count(&self, table: &str) -> usize {
        self.rows().into_iter().find(|it| it.0 == table).unwrap().1.len()
    }
}

#[test]
fn a_declaration_can_be_read_for_its_term_and_by_nobody_after_it() {
    let city = City::new();
    city.declare(Declaration { residence: CANARY.to_owned(), ..healthy() });
    let before = city.audit();
    city.days_later(FACT_KEPT_DAYS);
    let declared = city.standing().0.facts.declared;
    assert_eq!(declared.unwrap().0.residence, CANARY, "to the last day");
    city.days_later(1);
    assert_eq!(city.standing().0, Holder::default(), "as if nothing had been");
    let after = city.holds();
    assert_eq!(after.opened, 0, "{after:?}");
    assert_eq!(after.erased, before.opened, "the log says that all of it ended");
    assert!(after.entries > before.entries);
    let events = city.store.read_blocking(|it| it.events(Holder::STREAM, PERSON)).unwrap();
    assert!(events.iter().all(|it| it.json.is_none() && it.by.is_empty()), "{events:?}");
    assert!(!city.databases.hold(CANARY), "in no file");
}

#[test]
fn who_declared_long_ago_is_unknown_and_may_declare_again() {
    let city = City::new();
    city.declare(coughing());
    let reason_after = |days| {
        city.days_later(days);
        let decision = city.standing().1;
        assert_eq!((decision.colour, decision.until), (Colour::Unknown, None));
        decision.reasons[0].clone()
    };
    assert_eq!(reason_after(14), "declaration_old");
    assert_eq!(reason_after(14), "not_declared", "28 days: it counts no more");
    assert_eq!(reason_after(FACT_KEPT_DAYS), "not_declared", "erased: nothing changes");
    let events = city.declare(healthy());
    assert!(matches!(events[1], Event::Decided { colour: Colour::Green, .. }), "{events:?}");
    let signed = city.issue(None);
    assert_eq!(signed.pass.colour, Colour::Green);
    city.holds();
}

#[test]
fn a_decision_that_can_be_read_always_replays_and_an_erased_one_is_named() {
    let city = City::new();
    let positive = |city: &City| {
        let taken_at = kernel::Clock::now(&city.clock);
        city.ask(Ask::RecordTest {
            result: Finding::Positive,
            taken_at,
            source: TestSource::Clinic,
        })
    };
    // Facts and decisions of many days, each with facts of other days behind it.
    for step in 0..12 {
        if step % 4 == 1 {
            positive(&city);
        }
        city.declare(if step % 3 == 0 { coughing() } else { healthy() });
        city.days_later(9);
    }
    let made = city.replay().decisions.len() + city.replay().erased.len();
    assert_eq!(made, 15);
    for _ in 0..40 {
        let replay = city.replay();
        assert_eq!(replay.decisions.len() + replay.erased.len(), made);
        assert!(replay.decisions.iter().all(|it| it.agrees), "{replay:#?}");
        assert_eq!(city.count("code_decision"), replay.decisions.len());
        city.days_later(3);
    }
    let replay = city.replay();
    assert_eq!((replay.decisions.len(), replay.erased.len()), (0, made));
    city.holds();
}

#[test]
fn a_decision_can_be_contested_for_90_days() {
    let city = City::new();
    city.declare(coughing());
    let about = city.standing().0.last_ruling().unwrap().decision;
    let find = |about| {
        let found = city.store.read_blocking(|it| replay::replay_decision(it, about)).unwrap();
        found.is_some()
    };
    city.days_later(DECISION_KEPT_DAYS);
    assert!(find(about));
    let appeal =
        |number: u128| Ask::Appeal { appeal: Id::from_u128(number), about, text: "x".into() };
    city.ask(appeal(1));
    city.days_later(1);
    assert!(!find(about));
    let person = Id::from_u128(PERSON);
    let late = crate::door::execute_blocking(&city.store, CONTEXT, person, appeal(2));
    assert!(matches!(late, Err(store::Error::Refused(Refusal::DecisionUnknown))), "{late:?}");
    let held = city.standing().0;
    assert_eq!(held.open_appeal().unwrap().text, "x", "the appeal itself is kept");
    city.holds();
}

#[test]
fn orders_and_appeals_outlive_facts_and_end_too() {
    let city = City::new();
    city.declare(healthy());
    let order = Id::from_u128(6);
    city.ask(Ask::ProposeOrder {
        order,
        colour: Colour::Red,
        until: noon().plus_days(3),
        reason: OrderReason::SuspectedCase,
        number: "A-1".into(),
        officer: officer(1),
    });
    city.clock.advance_seconds(86_400);
    city.ask(Ask::ConfirmOrder { order, officer: officer(2) });
    let about = city.standing().0.last_ruling().unwrap().decision;
    city.ask(Ask::Appeal { appeal: Id::from_u128(5), about, text: "아닙니다".into() });
    city.days_later(FACT_KEPT_DAYS + 1);
    let holder = city.standing().0;
    assert_eq!((holder.orders.len(), holder.appeals.len()), (1, 1));
    assert_eq!((city.count("code_order"), city.count("code_appeal")), (1, 1));
    city.holds();
    // The proposal ends a day before its confirmation, which then stands for nothing.
    city.days_later(ORDER_KEPT_DAYS - FACT_KEPT_DAYS - 1);
    assert_eq!(city.standing().0.orders.len(), 0);
    assert_eq!(city.count("code_order"), 0);
    city.holds();
    city.days_later(1);
    assert_eq!(city.standing().0, Holder::default());
    let after = city.holds();
    assert_eq!(after.opened, 0);
}

#[test]
fn a_pass_is_forgotten_a_month_after_it_ended() {
    let city = City::new();
    city.declare(healthy());
    let signed = city.issue(None);
    let short = signed.pass.short.to_string();
    let typed = || {
        let now = kernel::Clock::now(&city.clock);
        city.store.read_blocking(|it| view::typed_code(it, &short, now)).unwrap()
    };
    city.days_later(31);
    assert!(typed().is_some_and(|it| it.valid_until < kernel::Clock::now(&city.clock)));
    city.days_later(1);
    assert_eq!(typed(), None);
    assert_eq!((city.count("code_pass"), city.standing().0.passes.len()), (0, 0));
    city.holds();
}

#[test]
fn what_is_erased_changes_no_colour_whatever_the_rules_say() {
    // Rules that would look back further than facts count.
    let rule_set = serde_json::json!({
        "id": "long", "version": 1,
        "rules": [
            { "code": "ever_positive", "logic": { "var": "payload.positive" }, "outcome": { "colour": "red" } },
            { "code": "else", "logic": true, "outcome": { "colour": "green" } }
        ]
    });
    let policy = Policy::of(rules::RuleSet::parse(&rule_set).unwrap());
    let facts = given::<Holder>(&[tested(Finding::Positive, noon())]).facts;
    let end = noon().plus_days(FACT_DAYS);
    let decided = decision::decide(&facts, &policy, noon());
    assert_eq!((decided.colour, decided.until), (Colour::Red, Some(end)));
    let nothing = decision::decide(&Holder::default().facts, &policy, end);
    assert_eq!(decision::decide(&facts, &policy, end), nothing);
}
