//! New rules: every look uses them at once, and codes that promise more than they give end.

use credential::Outcome as Verdict;
use web::testing::House;

use super::routes::{ME, Town, declare_well};
use super::*;
use crate::policy::POLICY;
use crate::{issue, review, view};

/// The shipped rules with other numbers: `(parameter, value)`.
fn rules(version: u32, changes: &[(&str, i64)]) -> serde_json::Value {
    let mut rules: serde_json::Value = serde_json::from_str(crate::policy::SHIPPED).unwrap();
    rules["version"] = version.into();
    for (name, value) in changes {
        rules["parameters"][name] = (*value).into();
    }
    rules
}

async fn change(house: &House, rule_set: serde_json::Value) {
    let context = store::Context::by(store::By::System("test"));
    let command = PolicyCommand::Change { rule_set, why: "v2".into(), by: officer(1) };
    house.app.store.execute::<Policy>(context, POLICY, command).await.unwrap();
}

pub(super) async fn print(town: &Town, person: Id<contracts::person::Person>) -> issue::Signed {
    let ask = Ask::IssuePass { pass: town.house.app.random_id(), device_key: None, short: short() };
    let context = store::Context::by(store::By::Citizen(person));
    let done = crate::door::execute(&town.house.app, context, person, ask).await.unwrap();
    let pass = issue::issued(&done.events).unwrap();
    issue::sign(&town.house.app.keyring, town.house.app.store.region(), pass).unwrap()
}

/// What a gate with today's lists says.
pub(super) async fn verdict(town: &Town, signed: &issue::Signed) -> Verdict {
    let (app, now) = (&town.house.app, town.house.app.now());
    let root = issue::root_public(&app.keyring).unwrap();
    let issuers = app.store.read(crate::keys::issuers).await.unwrap();
    let list = issue::trust(&app.keyring, &issuers, app.store.region(), now).unwrap();
    let passes = app.store.read(move |it| view::revoked(it, now)).await.unwrap();
    let revoked = issue::revocations(&app.keyring, &issuers, &passes, now).unwrap().0;
    let trust = credential::Trust {
        list: credential::TrustList::open(&list.signed, &root, 0).unwrap(),
        revocations: Some(credential::RevocationList::open(&revoked.signed, &root, 0).unwrap()),
    };
    let policy = credential::Policy::default();
    credential::verify(&signed.printed_text(), &trust, None, &policy, now.seconds()).outcome
}

async fn events(town: &Town) -> u64 {
    town.house.app.store.read(|it| Ok(it.head()?.size)).await.unwrap()
}

#[tokio::test]
async fn stricter_rules_hold_at_the_next_look_and_end_the_codes_that_say_better() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    declare_well(&mut me).await;
    let signed = print(&town, ME).await;
    assert_eq!(verdict(&town, &signed).await, Verdict::Pass);
    // An hour later declarations count for no day at all.
    town.house.clock.advance_seconds(3_600);
    change(&town.house, rules(2, &[("declaration_days", 0)])).await;
    let mut me = town.citizen(ME).await;
    let page = me.get("/code").await;
    assert!(page.text.contains("data-colour=\"unknown\""), "{}", page.text);
    assert!(!page.text.contains("id=\"pass\""), "no code beside it");
    let typed = signed.pass.short.to_string();
    let now = town.house.app.now();
    let typed = town.house.app.store.read(move |it| view::typed_code(it, &typed, now)).await;
    assert_eq!(typed.unwrap().unwrap().colour, Colour::Unknown, "nor where it is typed");
    review::review(town.house.app.clone()).await.unwrap();
    assert_eq!(verdict(&town, &signed).await, Verdict::NoPass, "nor at a gate with no network");
    assert_eq!(town.messages().len(), 1, "the person is told, once");
    let history = me.get_json("/api/v1/code/decisions").await.json();
    assert_eq!(
        (&history[0]["rules_version"], &history[0]["colour"]),
        (&2.into(), &"unknown".into())
    );
    let rules = me.get("/code/rules").await;
    assert!(rules.text.contains("1개") || rules.text.contains("1 were ended"), "{}", rules.text);
}

#[tokio::test]
async fn a_review_ends_only_what_promises_more_and_runs_once() {
    let town = Town::new();
    let well: Vec<Id<contracts::person::Person>> = (100..520).map(Id::from_u128).collect();
    let (app, context) = (&town.house.app, store::Context::by(store::By::System("test")));
    for (place, person) in well.iter().enumerate() {
        let declaration = if place == 399 {
            Declaration { temperature_tenths: Some(371), ..healthy() }
        } else {
            healthy()
        };
        let ask = Ask::Declare { declaration, by_helper: false, today: today() };
        crate::door::execute(app, context, *person, ask).await.unwrap();
    }
    let fine = print(&town, well[0]).await;
    for person in &well[1..] {
        print(&town, *person).await;
    }
    let feverish = print(&town, well[399]).await;
    review::review(app.clone()).await.unwrap();
    let before = events(&town).await;
    change(&town.house, rules(2, &[("fever_tenths", 370)])).await;
    review::review(app.clone()).await.unwrap();
    // The change; for one person a decision and two passes with their public revocations; the word
    // that the review is through.
    assert_eq!(events(&town).await - before, 1 + 1 + 2 * 2 + 1);
    assert_eq!(verdict(&town, &fine).await, Verdict::Pass);
    assert_eq!(verdict(&town, &feverish).await, Verdict::NoPass);
    review::review(app.clone()).await.unwrap();
    assert_eq!(events(&town).await - before, 7, "nothing more to do");
}

#[tokio::test]
async fn looser_rules_end_no_code_and_the_next_one_says_the_new_colour() {
    let town = Town::new();
    let mut me = town.citizen(ME).await;
    declare_well(&mut me).await;
    let context = store::Context::by(store::By::System("test"));
    let ask = Ask::RecordExposure { exposed_at: ago(5), source: Exposure::SamePlace };
    crate::door::execute(&town.house.app, context, ME, ask).await.unwrap();
    let yellow = print(&town, ME).await;
    change(&town.house, rules(2, &[("same_place_days", 3)])).await;
    review::review(town.house.app.clone()).await.unwrap();
    assert!(me.get("/code").await.text.contains("data-colour=\"green\""));
    assert_ne!(verdict(&town, &yellow).await, Verdict::Pass, "an old code says its old colour");
    let green = print(&town, ME).await;
    assert_eq!(green.pass.colour, Colour::Green);
    assert_eq!(verdict(&town, &green).await, Verdict::Pass);
    assert_eq!(town.messages().len(), 0);
}

#[test]
fn a_new_pass_ends_those_that_promise_more_than_it() {
    let past = [declared(coughing(), ago(1)), pass_issued(1, Colour::Green, noon(), 24)];
    let it = Ask::IssuePass { pass: pass(2), device_key: None, short: short() };
    let events = ask(&past, noon(), it).unwrap();
    assert!(matches!(&events[0], Event::Decided { colour: Colour::Yellow, .. }), "{events:?}");
    let why = RevokedBecause::ColourWorsened;
    assert!(
        matches!(&events[1], Event::PassRevoked { pass: old, why: because, .. } if *old == pass(1) && *because == why)
    );
    assert!(matches!(&events[2], Event::PassIssued { colour: Colour::Yellow, .. }));
    assert_eq!(events.len(), 3);
}

#[test]
fn a_review_of_rules_that_have_been_replaced_says_nothing() {
    let mut policy = Policy::default();
    let run = |policy: &mut Policy, command| {
        let events = policy.decide(command, noon()).unwrap();
        for it in &events {
            policy.fold(it);
        }
        events.len()
    };
    run(&mut policy, PolicyCommand::Begin);
    assert_eq!(policy.reviewed, 1, "before the first rules there was no code");
    let next = PolicyCommand::Change { rule_set: rules(2, &[]), why: "v2".into(), by: officer(1) };
    run(&mut policy, next);
    assert_eq!((policy.version(), policy.reviewed), (2, 1));
    assert_eq!(run(&mut policy, PolicyCommand::Reviewed { version: 1, ended: 0 }), 0);
    assert_eq!(run(&mut policy, PolicyCommand::Reviewed { version: 2, ended: 0 }), 1);
    assert_eq!(run(&mut policy, PolicyCommand::Reviewed { version: 2, ended: 0 }), 0);
}
