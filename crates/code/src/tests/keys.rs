//! Keys that sign: made ahead, followed, refused; what they signed, counted and found again.

use contracts::person::Organisation;
use credential::{HealthCode, IssuerSigner, Outcome, Presentation, Reason};
use kernel::{Clock as _, Kind as _};
use store::Tx;

use super::house::{CONTEXT, City};
use super::review::{print, verdict};
use super::routes::{ME, Town, declare_well};
use super::*;
use crate::issuer::{
    AHEAD_S, ISSUERS, IssuerCommand, IssuerEvent, Issuers, KeyId, LONGEST_S, Use, parse_name,
};
use crate::keys::{self, Checked, New};
use crate::{door, issue, view};

const DAY_S: i64 = 86_400;

fn add(whose: Option<Id<Organisation>>, number: u8, from: Instant, days: u32) -> IssuerCommand {
    let public = IssuerSigner::from_seed(&[number; 32]).unwrap().public();
    IssuerCommand::Add {
        public,
        whose,
        uses: Use::Codes,
        signs_from: from,
        days,
        certificate: None,
        by: None,
    }
}

/// The keys after these commands, each at its time.
fn after(commands: &[(Instant, IssuerCommand)]) -> Issuers {
    let mut state = Issuers::default();
    for (at, command) in commands {
        for event in state.decide(command.clone(), *at).unwrap() {
            state.fold(&event);
        }
    }
    state
}

fn kid(number: u8) -> KeyId {
    KeyId(IssuerSigner::from_seed(&[number; 32]).unwrap().kid())
}

#[test]
fn a_key_is_followed_so_early_that_every_list_knows_the_next_before_it_signs() {
    let state = after(&[(noon(), add(None, 1, noon(), 30))]);
    let due_at = noon().plus_days(30).plus_seconds(-AHEAD_S);
    assert_eq!(state.due(due_at.plus_seconds(-1)), []);
    let due = state.due(due_at);
    let [(None, Use::Codes, from)] = due[..] else { panic!("{due:?}") };
    assert_eq!(from, noon().plus_days(30), "not before the first is over");
    assert!(due_at.plus_seconds(issue::LIST_S) < from, "and a list of before is stale by then");
    let state = after(&[(noon(), add(None, 1, noon(), 30)), (due_at, add(None, 2, from, 30))]);
    assert_eq!(state.due(due_at), [], "once");
    let at = |time: Instant| state.current(None, time).unwrap().kid;
    assert_eq!((at(from.plus_seconds(-1)), at(from)), (kid(1), kid(2)));
    let rows = state.rows(due_at);
    assert_eq!(rows.len(), 2, "both are on the list from now on");
    let row = |number: u8| rows.iter().find(|it| it.kid == kid(number).0).unwrap();
    assert_eq!(row(1).not_after, row(2).not_before, "the first signs nothing beyond its time");
    assert_eq!(state.rows(from.plus_seconds(LONGEST_S)).len(), 1, "and leaves it in the end");
}

#[test]
fn a_service_that_was_down_when_a_key_was_due_goes_on_with_one_that_gates_know() {
    let state = after(&[(noon(), add(None, 1, noon(), 30))]);
    let back = noon().plus_days(32);
    assert_eq!(state.current(None, back).unwrap().kid, kid(1), "gates know no other yet");
    let due = state.due(back);
    assert!(back.plus_seconds(issue::LIST_S) < due[0].2, "{due:?}");
    let much_later = noon().plus_days(60);
    assert!(state.current(None, much_later).is_none());
    assert_eq!(state.due(much_later)[0].2, much_later, "no list of then counts any more");
}

#[test]
fn an_organisation_has_keys_of_its_own_that_end_without_a_successor() {
    let clinic = Id::<Organisation>::from_u128(3);
    let state =
        after(&[(noon(), add(None, 1, noon(), 30)), (noon(), add(Some(clinic), 2, noon(), 30))]);
    assert_eq!(state.current(Some(clinic), noon()).unwrap().kid, kid(2));
    assert_eq!(state.current(None, noon()).unwrap().kid, kid(1));
    let row = state.rows(noon()).into_iter().find(|it| it.kid == kid(2).0).unwrap();
    assert_eq!(row.whose, Some(clinic.to_string()));
    let name = state.key(kid(2)).unwrap().name();
    assert_eq!(name, format!("issuer-{}_{}", Organisation::PREFIX, &clinic.to_string()[4..]));
    assert_eq!((parse_name(&name), parse_name("issuer")), (Some(Some(clinic)), Some(None)));
    assert_eq!((parse_name("issuer-x"), parse_name("log")), (None, None));
    let end = IssuerCommand::End { whose: clinic, why: "폐업".to_owned(), by: None };
    let later = noon().plus_days(1);
    let mut ended = state.clone();
    for event in state.decide(end.clone(), later).unwrap() {
        ended.fold(&event);
    }
    assert!(ended.current(Some(clinic), later).is_none());
    assert_eq!(ended.due(later), [], "nothing follows");
    assert_eq!(ended.decide(end, later).unwrap_err(), Refusal::KeyUnknown);
    let row = ended.rows(later).into_iter().find(|it| it.kid == kid(2).0).unwrap();
    assert_eq!(
        (row.revoked_from, row.not_after),
        (None, later.seconds()),
        "what it signed is good"
    );
}

#[test]
fn a_list_that_is_full_keeps_the_regions_own_keys() {
    let mut commands = vec![(noon(), add(None, 1, noon(), 30))];
    for number in 0..300_u16 {
        let mut seed = [7; 32];
        seed[..2].copy_from_slice(&number.to_be_bytes());
        let public = IssuerSigner::from_seed(&seed).unwrap().public();
        let whose = Some(Id::from_u128(u128::from(number)));
        let (signs_from, days, by) = (noon().plus_seconds(1), 30, None);
        let uses = Use::Passes;
        commands.push((
            noon(),
            IssuerCommand::Add { public, whose, uses, signs_from, days, certificate: None, by },
        ));
    }
    let rows = after(&commands).rows(noon());
    assert_eq!(rows.len(), credential::list::MAX_KEYS);
    assert!(rows.iter().any(|it| it.kid == kid(1).0));
}

#[test]
fn a_compromise_needs_a_past_instant_and_a_reason_and_only_ever_gets_worse() {
    let state = after(&[(noon(), add(None, 1, noon(), 30))]);
    let now = noon().plus_days(2);
    let say = |state: &Issuers, number: u8, since: Instant, why: &str| {
        let (kid, why) = (kid(number), why.to_owned());
        let honest_until = since;
        state.decide(IssuerCommand::Compromise { kid, since, honest_until, why, by: None }, now)
    };
    let day = |days: i64| noon().plus_days(days);
    assert_eq!(say(&state, 2, day(1), "x").unwrap_err(), Refusal::KeyUnknown);
    assert_eq!(say(&state, 1, day(3), "x").unwrap_err(), Refusal::DateInvalid);
    assert_eq!(say(&state, 1, day(1), "").unwrap_err(), Refusal::TextInvalid);
    let mut refused = state.clone();
    say(&state, 1, day(1), "stolen").unwrap().iter().for_each(|it| refused.fold(it));
    assert!(say(&refused, 1, day(2), "later").unwrap().is_empty());
    assert_eq!(say(&refused, 1, day(0), "earlier").unwrap().len(), 1);
    assert!(refused.current(None, now).is_none());
    let wrong = add(None, 9, noon(), 7);
    assert_eq!(state.decide(wrong, now).unwrap_err(), Refusal::KeyDays);
}

#[test]
fn statements_follow_each_other_without_a_gap_and_each_day_once() {
    let state = |day, from, to| IssuerCommand::State { day, from, to, keys: Vec::new() };
    let first = after(&[(noon(), state(10, 0, 7))]);
    assert_eq!(first.stated, Some((10, 7)));
    for wrong in [state(10, 7, 9), state(11, 6, 9), state(11, 8, 9), state(11, 7, 6)] {
        assert!(first.decide(wrong.clone(), noon()).unwrap().is_empty(), "{wrong:?}");
    }
    assert_eq!(
        first.decide(state(11, 7, 7), noon()).unwrap().len(),
        1,
        "a day without a signature"
    );
}

impl City {
    fn issuers(&self) -> Issuers {
        self.store.read_blocking(keys::issuers).unwrap()
    }

    fn judge(&self, signed: &issue::Signed) -> (Outcome, Vec<Reason>) {
        let now_s = self.clock.now().seconds();
        let policy = credential::Policy::default();
        let it = credential::verify(&signed.printed_text(), &self.trust(), None, &policy, now_s);
        (it.outcome, it.reasons)
    }

    fn checked(&self, text: &str) -> Checked {
        let now = self.clock.now();
        self.store.read_blocking(|it| keys::check(it, text, now)).unwrap()
    }
}

#[test]
fn the_first_code_is_signed_by_a_key_that_is_on_the_log_before_it() {
    let city = City::new();
    city.declare(healthy());
    let signed = city.issue(None);
    assert_eq!(city.judge(&signed), (Outcome::Pass, vec![]));
    let events = city.store.read_blocking(|it| it.events("code.issuer", ISSUERS)).unwrap();
    let Some(IssuerEvent::IssuerAdded { kid, .. }) = events[0].event().unwrap() else { panic!() };
    assert_eq!(signed.pass.issuer, Some(kid));
    let listed =
        city.store.read_blocking(|it| view::signed(it, kid, Instant::from_seconds(0), None, 9));
    let listed = listed.unwrap();
    assert_eq!((listed.len(), listed[0].pass), (1, signed.pass.pass));
    assert!(events[0].seq < listed[0].seq);
    assert_eq!(
        city.keyring().names().unwrap().iter().filter(|it| it.starts_with("issuer")).count(),
        1
    );
}

#[test]
fn the_one_key_of_a_region_from_before_becomes_its_first_and_its_codes_stay_good() {
    let city = City::new();
    let before = city.keyring().key(keys::FIRST).unwrap();
    let old = IssuerSigner::from_seed(&before).unwrap();
    city.declare(healthy());
    let signed = city.issue(None);
    assert_eq!(signed.pass.issuer, Some(KeyId(old.kid())));
    // As it was issued when there was one key: no kid in its event.
    let mut pass = signed.pass.clone();
    (pass.issuer, pass.issued_at) = (None, noon().plus_days(-1));
    let earlier = issue::sign(&city.keyring(), city.store.region(), pass).unwrap();
    assert_eq!(city.judge(&earlier).0, Outcome::Pass);
}

#[test]
fn a_gate_with_the_list_of_yesterday_knows_the_key_that_follows() {
    let city = City::new();
    city.declare(healthy());
    city.issue(None);
    let first = city.issuers().current(None, noon()).unwrap().clone();
    // The job's turn, a moment after the successor is due.
    city.clock.advance_seconds(30 * DAY_S - AHEAD_S + 60);
    let due = city.issuers().due(city.clock.now());
    let (whose, uses, from) = due[0];
    let new = New { whose, uses, from, days: 30, by: None };
    let next = city.store.write_blocking(move |tx| keys::add(tx, &CONTEXT, &new)).unwrap().unwrap();
    // The last moment of the old key: what it signs is good for long after.
    city.clock.set(from.plus_seconds(-60));
    city.declare(healthy());
    let last = city.issue(None);
    assert_eq!(last.pass.issuer, Some(first.kid));
    let yesterday = city.trust();
    city.clock.advance_seconds(DAY_S / 2);
    let signed = city.issue(None);
    assert_eq!(signed.pass.issuer, Some(next));
    let now_s = city.clock.now().seconds();
    for it in [&last, &signed] {
        let policy = credential::Policy::default();
        let said = credential::verify(&it.printed_text(), &yesterday, None, &policy, now_s);
        assert_eq!((said.outcome, said.reasons), (Outcome::Pass, vec![]));
    }
    // The old file goes once nothing that it signed is good.
    let names = |city: &City| city.keyring().names().unwrap();
    keys::destroy(&city.keyring(), &city.issuers(), city.clock.now()).unwrap();
    assert!(names(&city).contains(&keys::file(first.kid)));
    let later = from.plus_seconds(LONGEST_S);
    keys::destroy(&city.keyring(), &city.issuers(), later).unwrap();
    assert!(!names(&city).contains(&keys::file(first.kid)));
    assert!(names(&city).contains(&keys::file(next)));
}

#[test]
fn an_organisation_s_first_key_is_made_with_a_certificate_and_none_follows_an_end() {
    let city = City::new();
    let clinic: Id<Organisation> = Id::from_u128(3);
    let ask = |city: &City| {
        let now = city.clock.now();
        let asked = city.store.write_blocking(move |tx| keys::signing_key(tx, Some(clinic), now));
        asked.unwrap()
    };
    let first = ask(&city).unwrap();
    assert_eq!(ask(&city), Some(first.clone()), "made once");
    let certificate = first.certificate.unwrap();
    let secret = city.keyring().find(&first.file).unwrap().unwrap();
    let signer = credential::issue::HcertSigner::of_organisation(&secret, &certificate).unwrap();
    // It follows from the region's authority, and outlives the last pass.
    let region = city.store.region().clone();
    let authority = credential::issue::Authority::of_region(
        &city.keyring().key("root").unwrap(),
        &region.country(),
        region.as_str(),
    );
    let read = |der: &[u8]| credential::pass::Certificate::from_der(der).unwrap();
    let (own, top) = (read(&certificate), read(authority.unwrap().certificate()));
    assert_eq!(signer.kid(), own.kid());
    let check = own.signature_by(top.key.as_ref().unwrap());
    assert_eq!(check.and_then(|it| it.holds()), Some(true));
    let last = city.issuers().key(KeyId(first.kid)).unwrap().signs_until;
    let longest = last.plus_days(contracts::pass::LONGEST_DAYS).seconds();
    assert!(longest <= own.not_after, "{} {}", longest, own.not_after);
    // In other hands: the next one signs at once, and the list says since when.
    let (kid, since) = (KeyId(first.kid), noon());
    let refuse = move |tx: &mut Tx<'_>| keys::compromise(tx, &CONTEXT, kid, since, "lost", None);
    city.store.write_blocking(refuse).unwrap().unwrap();
    let next = ask(&city).unwrap();
    assert_ne!(next.kid, first.kid);
    let signers = city.store.read_blocking(keys::pass_signers).unwrap();
    let refused: Vec<_> = signers.iter().map(|it| (it.kid, it.refused_from)).collect();
    assert_eq!(refused, [(first.kid, Some(since)), (next.kid, None)]);
    let end = IssuerCommand::End { whose: clinic, why: "closed".to_owned(), by: None };
    let ended =
        city.store.write_blocking(move |tx| tx.run::<Issuers>(&CONTEXT, ISSUERS, end.clone()));
    ended.unwrap().unwrap();
    assert_eq!(ask(&city), None, "nothing follows");
}

#[test]
fn a_key_whose_event_was_never_written_signs_nothing() {
    let city = City::new();
    city.declare(healthy());
    let before = city.issue(None);
    // Killed between the file and the event.
    let orphan = city.keyring().draw();
    let kid = KeyId(IssuerSigner::from_seed(&orphan).unwrap().kid());
    city.keyring().keep(&keys::file(kid), &orphan).unwrap();
    assert_eq!(city.issue(None).pass.issuer, before.pass.issuer);
    assert!(city.issuers().key(kid).is_none());
}

#[test]
fn what_was_signed_outside_of_the_log_is_found_and_what_is_on_it_is_known() {
    let city = City::new();
    city.declare(healthy());
    let signed = city.issue(None);
    let text = signed.printed_text();
    assert_eq!(city.checked(&text), Checked::Issued);
    assert_eq!(city.checked(&format!(" {text}\n")), Checked::Issued);
    let key = keys::signer(&city.keyring(), signed.pass.issuer).unwrap();
    let forge = |change: &dyn Fn(&mut HealthCode)| {
        let mut code = issue::content(city.store.region(), &signed.pass);
        change(&mut code);
        let signed = key.sign_code(&code).unwrap();
        city.checked(&Presentation { signed, moment: None }.to_text())
    };
    assert_eq!(forge(&|_| {}), Checked::Issued);
    assert_eq!(forge(&|it| it.pass = [7; 16]), Checked::NotIssued);
    assert_eq!(forge(&|it| it.valid_until += 1), Checked::NotIssued, "a known pass made longer");
    assert_eq!(forge(&|it| it.colour = credential::Colour::Red), Checked::NotIssued);
    let other = IssuerSigner::from_seed(&[9; 32]).unwrap();
    let code = issue::content(city.store.region(), &signed.pass);
    let stranger = Presentation { signed: other.sign_code(&code).unwrap(), moment: None };
    assert_eq!(city.checked(&stranger.to_text()), Checked::UnknownKey);
    let mut broken = key.sign_code(&code).unwrap();
    *broken.last_mut().unwrap() ^= 1;
    let broken = Presentation { signed: broken, moment: None };
    assert_eq!(city.checked(&broken.to_text()), Checked::Forged);
    assert_eq!(city.checked("HT1:NONSENSE"), Checked::Unreadable);
    city.ask(Ask::RevokePass { pass: signed.pass.pass, why: RevokedBecause::Lost });
    assert_eq!(city.checked(&text), Checked::Revoked);
}

async fn write<T: Send + 'static>(
    town: &Town,
    work: impl FnMut(&mut Tx<'_>) -> Result<T, store::Fault> + Send + 'static,
) -> T {
    town.house.app.store.write(work).await.unwrap()
}

async fn state(town: &Town) -> Issuers {
    town.house.app.store.read(keys::issuers).await.unwrap()
}

#[tokio::test]
async fn a_compromise_refuses_what_was_signed_since_tells_its_holder_and_spares_the_rest() {
    let town = Town::new();
    let app = &town.house.app;
    let mut me = town.citizen(ME).await;
    declare_well(&mut me).await;
    let before = print(&town, ME).await;
    town.house.clock.advance_seconds(3_600);
    let since = app.now();
    town.house.clock.advance_seconds(77);
    let after = print(&town, ME).await;
    let kid = before.pass.issuer.unwrap();
    assert_eq!(after.pass.issuer, Some(kid));
    assert_eq!(verdict(&town, &after).await, Outcome::Pass);
    let told = town.messages().len();

    let done = write(&town, move |tx| keys::compromise(tx, &CONTEXT, kid, since, "훔쳤다", None));
    done.await.unwrap();
    // Refused by the list alone, before any pass was looked at.
    assert_eq!(verdict(&town, &after).await, Outcome::NoPass);
    assert_eq!(verdict(&town, &before).await, Outcome::Pass);
    assert_eq!(keys::clear(app, kid).await.unwrap(), Some(1));
    assert_eq!(town.messages().len(), told + 1, "its holder needs a new one");
    let passes = app.store.read_blocking(|it| view::revoked(it, since)).unwrap();
    assert_eq!(passes, [after.pass.pass], "and by its id too, for whoever has no new key list");
    assert_eq!(verdict(&town, &before).await, Outcome::Pass);
    assert!(state(&town).await.key(kid).unwrap().cleared);
    assert_eq!(keys::clear(app, kid).await.unwrap(), Some(0), "nothing is ended twice");
    assert_eq!(town.messages().len(), told + 1);

    let new = print(&town, ME).await;
    assert_ne!(new.pass.issuer, Some(kid), "another key signs at once");
    assert_eq!(verdict(&town, &new).await, Outcome::Pass);
    keys::look_after(app.clone()).await.unwrap();
    let names = app.keyring.names().unwrap();
    assert!(!names.contains(&keys::file(kid)), "the stolen one signs nothing more here");
    let now = app.now();
    let check = |text: String| app.store.read_blocking(|it| keys::check(it, &text, now)).unwrap();
    assert_eq!(check(before.printed_text()), Checked::Issued);
    assert_eq!(check(after.printed_text()), Checked::Revoked);
    // Once the last honest code has ended by itself, no code of that key is good for anybody.
    let rows = state(&town).await.rows(before.pass.valid_until);
    assert!(rows.iter().all(|it| it.kid != kid.0));
}

#[tokio::test]
async fn a_clearing_that_was_killed_goes_on_with_the_next_run_of_the_job() {
    let town = Town::new();
    let app = &town.house.app;
    declare_well(&mut town.citizen(ME).await).await;
    let signed = [print(&town, ME).await, print(&town, ME).await];
    let (kid, since) = (signed[0].pass.issuer.unwrap(), town.house.app.now());
    let done = write(&town, move |tx| keys::compromise(tx, &CONTEXT, kid, since, "x", None));
    done.await.unwrap();
    // Killed after the first of two.
    let (pass, decision) = (signed[0].pass.pass, app.random_id());
    let ask = Ask::RevokePass { pass, why: RevokedBecause::KeyCompromised };
    write(&town, move |tx| door::run(tx, &CONTEXT, ME, &ask, decision)).await.unwrap();
    keys::look_after(app.clone()).await.unwrap();
    let passes = app.store.read_blocking(|it| view::revoked(it, since)).unwrap();
    assert_eq!(passes.len(), 2);
    assert!(state(&town).await.key(kid).unwrap().cleared);
}

#[tokio::test]
async fn each_day_the_log_states_how_often_each_key_signed_and_for_which_passes() {
    let town = Town::new();
    let app = &town.house.app;
    let mut me = town.citizen(ME).await;
    declare_well(&mut me).await;
    let mut tree = ledger::Tree::new();
    for _ in 0..3 {
        tree.append(&[print(&town, ME).await.pass.pass.to_bytes()]).unwrap();
    }
    let statements = || {
        let events = app.store.read_blocking(|it| it.events("code.issuer", ISSUERS)).unwrap();
        let events = events.into_iter().map(|it| it.event::<IssuerEvent>().unwrap().unwrap());
        events.filter(|it| matches!(it, IssuerEvent::KeysStated { .. })).collect::<Vec<_>>()
    };
    keys::look_after(app.clone()).await.unwrap();
    assert_eq!(statements().len(), 1, "the day before, without a signature");
    town.house.clock.advance_seconds(DAY_S);
    keys::look_after(app.clone()).await.unwrap();
    keys::look_after(app.clone()).await.unwrap();
    let said = statements();
    assert_eq!(said.len(), 2, "once for each day");
    let IssuerEvent::KeysStated { from, to, keys: stated, .. } = &said[1] else { panic!() };
    let IssuerEvent::KeysStated { to: before, .. } = &said[0] else { panic!() };
    assert_eq!(from, before, "no entry between two statements");
    let total: u64 = said
        .iter()
        .map(|it| match it {
            IssuerEvent::KeysStated { keys, .. } => keys.iter().map(|it| it.signatures).sum(),
            _ => 0,
        })
        .sum();
    assert_eq!(total, 3);
    let IssuerEvent::KeysStated { keys: first, .. } = &said[0] else { panic!() };
    let all = first.iter().chain(stated).find(|it| it.signatures == 3).unwrap();
    assert_eq!(all.root.0, *tree.root().as_bytes(), "anybody who has the passes can check it");
    assert!(to > from);
}
