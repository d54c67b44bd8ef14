//! What is issued here: the rules, the desk, the wallet, the lists that others read; and who may not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contracts::gate::PassRules;
use contracts::pass::PassSigner;
use contracts::person::{Grant, Organisation, Person, Role, Scope, Staff};
use credential::Presentation;
use credential::issue::{Authority, DeviceKey, Hcert, HcertSigner, uvci};
use credential::pass::{Policy, Rules, Trust, compact, verify};
use http::StatusCode;
use kernel::{Aggregate as _, Date, Id, Instant, Zone, given};
use proptest::prelude::*;
use serde_json::json;
use store::{Fault, Tx};
use web::session::Begin;
use web::testing::{Answer, Browser, House, NOON, between};
use web::{Questions, SigningKey, Who};

use crate::command::IssueCommand;
use crate::decide::{BOUND_MAX, BOUND_S};
use crate::event::IssueEvent;
use crate::model::{Because, Issuable, Issues, Standing, TestKind};
use crate::refusal::Refusal;
use crate::rulebook::Sets;
use crate::statement::{self, Statement, Typed, VACCINES};
use crate::{jobs, view};

const ME: Id<Person> = Id::from_u128(7);
const CLINIC: Id<Organisation> = Id::from_u128(3);
const OTHER_CLINIC: Id<Organisation> = Id::from_u128(4);
const SECRET: [u8; 32] = [5; 32];
const KID: [u8; 8] = [1; 8];

fn certificate() -> Vec<u8> {
    let authority = Authority::of_region(&[9; 32], "XX", "kr-test").unwrap();
    let times = (NOON.plus_days(-1).seconds(), NOON.plus_days(400).seconds());
    authority.certify(&SECRET, "XX", "kr-test", "org", times).unwrap()
}

fn signing_key(
    tx: &mut Tx<'_>,
    whose: Option<Id<Organisation>>,
    _: Instant,
) -> Result<Option<SigningKey>, Fault> {
    tx.keyring().keep("issuer-test", &SECRET.into())?;
    let key =
        SigningKey { kid: KID, file: "issuer-test".to_owned(), certificate: Some(certificate()) };
    Ok((whose == Some(CLINIC)).then_some(key))
}

fn questions() -> Questions {
    Questions {
        grants_of: |_, id: Id<Staff>, _| {
            let until = Instant::from_seconds(4_000_000_000);
            let grant = |role, scope| vec![Grant { role, scope, until }];
            Ok(match id.to_u128() {
                1 | 2 => grant(Role::Issuer, Scope::Organisation(CLINIC)),
                3 => grant(Role::Issuer, Scope::Organisation(OTHER_CLINIC)),
                4 => grant(Role::Administrator, Scope::Region),
                5 => grant(Role::Guard, Scope::Region),
                6 => grant(Role::Issuer, Scope::Region),
                _ => Vec::new(),
            })
        },
        organisations: |_| {
            Ok(vec![(CLINIC, "해태 의원".to_owned()), (OTHER_CLINIC, "검사소".to_owned())])
        },
        person_label: |_, id| Ok((id == ME).then(|| "홍길동".to_owned())),
        person_by_phone: |_, phone| Ok((phone == "+821012345678").then_some(ME)),
        phone_of: |_, id| Ok((id == ME).then(|| "+821012345678".to_owned())),
        signing_key,
        pass_signers: |_| {
            Ok(vec![PassSigner {
                kid: KID,
                whose: CLINIC,
                certificate: certificate(),
                until: NOON.plus_days(400),
                refused_from: None,
            }])
        },
        ..Questions::default()
    }
}

struct Town {
    house: House,
    _dir: tempfile::TempDir,
}

impl Town {
    fn with(questions: Questions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let house = House::open(dir.path(), vec![crate::slice()], questions);
        Self { house, _dir: dir }
    }

    fn new() -> Self {
        Self::with(questions())
    }

    async fn citizen(&self) -> Browser {
        self.house.browser_of(Begin { who: Who::Citizen(ME), ..Begin::default() }).await
    }

    async fn staff(&self, number: u128) -> Browser {
        let who = Who::Staff(Id::from_u128(number));
        self.house.browser_of(Begin { who, strong: true, ..Begin::default() }).await
    }

    fn messages(&self) -> usize {
        self.house.app.store.read_blocking(|it| it.latest_messages("sms", 99)).unwrap().len()
    }

    /// What somebody elsewhere has, who fetched what is published.
    async fn outside(&self) -> Trust {
        let mut anybody = self.house.browser();
        let mut trust = Trust::default();
        let signers = anybody.get("/trust/signers.json").await;
        assert_eq!(trust.add(signers.text.as_bytes()).signers, 2, "{}", signers.text);
        let accept = [("accept", "application/statuslist+jwt")];
        let list = anybody.raw("GET", "/statuslists/1", &accept, Vec::new()).await;
        assert_eq!(list.header("content-type"), "application/statuslist+jwt");
        assert_eq!(trust.add(list.text.as_bytes()).revocations, 1);
        trust
    }
}

const NAMES: [(&str, &str); 5] = [
    ("surname", "홍"),
    ("given", "길동"),
    ("surname_latin", "Hong"),
    ("given_latin", "Gil-dong"),
    ("birth", "1980-05-05"),
];
const DOSE: [(&str, &str); 4] =
    [("vaccine", "EU/1/20/1528"), ("dose", "2"), ("of_doses", "2"), ("day", "2026-10-22")];

fn form() -> String {
    format!("/desk/passes/issue/{ME}/vaccination")
}

async fn sign(staff: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    staff.page(path).await;
    let all = [&NAMES[..], fields].concat();
    let looked = staff.post(path, &all).await;
    assert_eq!(looked.status, StatusCode::OK, "{}", looked.text);
    for (name, value) in &all {
        let kept = format!("name=\"{name}\" value=\"{value}\"");
        assert!(looked.text.contains(&kept), "{kept}: {}", looked.text);
    }
    staff.post(path, &[&all[..], &[("step", "sign")]].concat()).await
}

/// Issues a second dose; the address of the pass on the desk.
async fn issue(town: &Town) -> String {
    let mut nurse = town.staff(1).await;
    let signed = sign(&mut nurse, &form(), &DOSE).await;
    assert_eq!(signed.status, StatusCode::SEE_OTHER, "{}", signed.text);
    signed.location().unwrap().split('?').next().unwrap().to_owned()
}

async fn set(staff: &mut Browser, path: &str, standing: &str) -> Answer {
    staff.page(path).await;
    staff.form(path, &[("standing", standing), ("why", "다른 사람에게 발급함")]).await
}

/// What the QR code of the person's newest pass says.
async fn text(town: &Town) -> String {
    let read = town.house.app.read(|it| {
        let held = view::wallet(it, ME)?.cards.last().unwrap().card;
        Ok(view::content(it, held)?.texts)
    });
    read.await.unwrap().remove(0)
}

fn outcome(text: &str, trust: &Trust, now: Instant) -> (credential::Outcome, Vec<String>) {
    let verdict = verify(text, trust, None, &Policy::default(), now.seconds());
    (verdict.outcome, verdict.reasons.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn a_clinic_issues_and_the_pass_is_in_the_wallet_and_good_everywhere() {
    let town = Town::new();
    let mut nurse = town.staff(1).await;
    nurse.page("/desk/passes/issue").await;
    let found = [("who", "010-1234-5678"), ("kind", "vaccination")];
    let found = nurse.post("/desk/passes/issue", &found).await;
    assert_eq!(found.location().unwrap(), form());
    let path = issue(&town).await;
    assert_eq!(town.messages(), 1, "the person is told");
    let desk = nurse.page(&path).await;
    assert!(desk.contains("Comirnaty") && desk.contains("data-colour=\"green\""), "{desk}");
    let mut me = town.citizen().await;
    let wallet = me.page("/passes").await;
    assert!(wallet.contains("길동 홍") && wallet.contains("data-colour=\"green\""), "{wallet}");
    assert!(wallet.contains("해태 의원"), "who issued it: {wallet}");
    let held = between(&wallet, "<h3><a href=\"", "\"").unwrap();
    let card = me.page(&held).await;
    for said in ["Comirnaty", "2026-10-22", "해태 의원", "URN:UVCI:01:KR:"] {
        assert!(card.contains(said), "{said}: {card}");
    }
    let sheet = me.page(&format!("{held}/print")).await;
    assert!(sheet.contains("<path d=\"M"), "a QR code");
    let text = text(&town).await;
    assert!(text.starts_with("HC1:"));
    let outside = town.outside().await;
    assert_eq!(outcome(&text, &outside, NOON), (credential::Outcome::Pass, vec![]));
    // Whoever still has these files four days later cannot tell: a key may have been refused since.
    let late = outcome(&text, &outside, NOON.plus_seconds(crate::lists::LIST_S));
    assert_eq!(late.0, credential::Outcome::CannotTell);
    assert_eq!(late.1.first().map(String::as_str), Some("trust_stale"), "{:?}", late.1);
    let mut guard = town.staff(5).await;
    let asked = json!({ "texts": [text], "rules": "city" });
    let verdict = guard.post_json("/api/v1/verifications", &asked).await.json();
    assert_eq!((&verdict["verdict"], &verdict["kind"]), (&json!("pass"), &json!("vaccination")));
    assert_eq!(verdict["checks"]["revocation"], json!("ok"), "{verdict}");
    // The number on the pass finds it again.
    let number = between(&card, "URN:UVCI:", "<").unwrap();
    nurse.page("/desk/passes/issue").await;
    let found = [("who", format!("URN:UVCI:{number}"))];
    let found: Vec<_> = found.iter().map(|it| (it.0, it.1.as_str())).collect();
    assert_eq!(nurse.post("/desk/passes/issue", &found).await.location().unwrap(), path);
}

#[tokio::test]
async fn every_kind_is_issued_and_passes() {
    let town = Town::new();
    let mut nurse = town.staff(1).await;
    let kinds: [(&str, &[(&str, &str)]); 3] = [
        (
            "test",
            &[
                ("test", "rapid"),
                ("device", "1232"),
                ("result", "negative"),
                ("day", "2026-11-22"),
                ("time", "11:30"),
            ],
        ),
        (
            "recovery",
            &[("first_positive", "2026-10-01"), ("from", "2026-10-12"), ("until", "2027-03-30")],
        ),
        ("exemption", &[("because", "medical"), ("from", "2026-11-01"), ("until", "2026-11-22")]),
    ];
    for (kind, fields) in kinds {
        let path = format!("/desk/passes/issue/{ME}/{kind}");
        let signed = sign(&mut nurse, &path, fields).await;
        assert_eq!(signed.status, StatusCode::SEE_OTHER, "{kind}: {}", signed.text);
        let text = text(&town).await;
        let trust = town.outside().await;
        assert_eq!(outcome(&text, &trust, NOON), (credential::Outcome::Pass, vec![]), "{kind}");
        let claimed = verify(&text, &trust, None, &Policy::default(), NOON.seconds());
        assert_eq!(claimed.kind.map(crate::judge::kind_word), Some(kind));
        assert!(!text.contains("medical"));
    }
    let mut me = town.citizen().await;
    let wallet = me.page("/passes").await;
    assert_eq!(wallet.matches("<section class=\"card\">").count(), 3, "{wallet}");
}

#[tokio::test]
async fn what_was_revoked_is_good_nowhere_and_its_holder_knows_why() {
    let town = Town::new();
    let path = issue(&town).await;
    let (text, mut nurse) = (text(&town).await, town.staff(1).await);
    assert_eq!(set(&mut nurse, &path, "revoked").await.status, StatusCode::SEE_OTHER);
    assert_eq!(town.messages(), 2, "the person is told");
    let no = (credential::Outcome::NoPass, vec!["revoked".to_owned()]);
    assert_eq!(outcome(&text, &town.outside().await, NOON), no);
    let mut guard = town.staff(5).await;
    let verdict =
        guard.post_json("/api/v1/verifications", &json!({ "texts": [text] })).await.json();
    assert_eq!(
        (&verdict["verdict"], &verdict["reasons"]),
        (&json!("no_pass"), &json!(["revoked"]))
    );
    let mut me = town.citizen().await;
    let wallet = me.page("/passes").await;
    assert!(wallet.contains("data-colour=\"red\""), "{wallet}");
    assert!(wallet.contains("다른 사람에게 발급함"), "{wallet}");
    // What gates carry says so too.
    let material = guard.get("/api/v1/passes/material").await.json();
    let list = base64::engine::general_purpose::STANDARD.decode(material["list"].as_str().unwrap());
    let root = credential::IssuerSigner::from_seed(&town.house.app.keyring.key("root").unwrap());
    let root = root.unwrap().public();
    let material = credential::pass::Material::open(&list.unwrap(), &root, 0).unwrap();
    let mut gate = Trust::default();
    for file in &material.files {
        gate.add(file);
    }
    assert_eq!(outcome(&text, &gate, NOON), no);
    // For good; and a list that is too old says nothing good of others.
    assert_eq!(set(&mut nurse, &path, "valid").await.code(), "pass-standing-final");
    let late = NOON.plus_seconds(crate::lists::LIST_S);
    let (still, reasons) = outcome(&text, &gate, late);
    assert_eq!(still, credential::Outcome::NoPass, "revoked stays revoked");
    assert_eq!(reasons, ["trust_stale", "revoked"]);
    issue(&town).await;
    let fresh = self::text(&town).await;
    assert_eq!(outcome(&fresh, &gate, NOON).0, credential::Outcome::Pass);
    assert_eq!(outcome(&fresh, &gate, late).0, credential::Outcome::CannotTell);
}

#[tokio::test]
async fn what_was_suspended_is_made_good_by_somebody_else() {
    let town = Town::new();
    let path = issue(&town).await;
    let text = text(&town).await;
    let (mut nurse, mut doctor) = (town.staff(1).await, town.staff(2).await);
    assert_eq!(set(&mut nurse, &path, "suspended").await.status, StatusCode::SEE_OTHER);
    assert_eq!(outcome(&text, &town.outside().await, NOON).0, credential::Outcome::NoPass);
    let again = set(&mut nurse, &path, "suspended").await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    let own = set(&mut nurse, &path, "valid").await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", own.text);
    doctor.page(&path).await;
    let silent = doctor.form(&path, &[("standing", "valid"), ("why", " ")]).await;
    assert!(silent.text.contains("f-why-error"), "{}", silent.text);
    assert_eq!(set(&mut doctor, &path, "valid").await.status, StatusCode::SEE_OTHER);
    assert_eq!(outcome(&text, &town.outside().await, NOON).0, credential::Outcome::Pass);
}

#[tokio::test]
async fn a_form_with_mistakes_comes_back_whole_and_nothing_is_signed() {
    let town = Town::new();
    let mut nurse = town.staff(1).await;
    nurse.page(&form()).await;
    let fields = [
        ("surname", "홍"),
        ("given", ""),
        ("surname_latin", "홍"),
        ("given_latin", "Gildong"),
        ("birth", "2030-01-01"),
        ("vaccine", "none"),
        ("dose", "0"),
        ("of_doses", "2"),
        ("day", "2026-11-23"),
        ("step", "sign"),
    ];
    let answer = nurse.form(&form(), &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for wrong in ["given", "surname_latin", "birth", "vaccine", "dose", "day"] {
        assert!(
            answer.text.contains(&format!("id=\"f-{wrong}-error\"")),
            "{wrong}: {}",
            answer.text
        );
    }
    assert!(!answer.text.contains("홍길동"), "the name is shown where the look at it is logged");
    assert!(
        answer.text.contains("value=\"Gildong\"") && answer.text.contains("value=\"2026-11-23\"")
    );
    assert!(town.house.app.read(|it| view::issues(it, ME)).await.unwrap().passes.is_empty());
}

#[tokio::test]
async fn pressing_twice_issues_once() {
    let town = Town::new();
    let mut nurse = town.staff(1).await;
    nurse.page(&form()).await;
    let all = [&NAMES[..], &DOSE[..], &[("step", "sign"), ("_once", "0123456789abcdef")]].concat();
    let first = nurse.post(&form(), &all).await;
    let again = nurse.post(&form(), &all).await;
    assert_eq!(first.location(), again.location(), "{}", again.text);
    assert_eq!(town.house.app.read(|it| view::issues(it, ME)).await.unwrap().passes.len(), 1);
    assert_eq!(town.messages(), 1);
}

#[tokio::test]
async fn nobody_issues_or_ends_in_another_organisation_s_name() {
    let town = Town::new();
    let path = issue(&town).await;
    let mut stranger = town.staff(3).await;
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(set_unseen(&mut stranger, &path).await.code(), "pass-issue-unknown");
    // That organisation has no key that signs.
    let signed = sign(&mut stranger, &form(), &DOSE).await;
    assert_eq!(signed.status, StatusCode::CONFLICT, "{}", signed.text);
    for other in [5, 9] {
        let mut other = town.staff(other).await;
        for page in [form(), path.clone(), "/desk/passes/issue".to_owned()] {
            assert_eq!(other.get(&page).await.status, StatusCode::FORBIDDEN, "{page}");
        }
    }
    // With several organisations one is chosen.
    let mut everywhere = town.staff(6).await;
    everywhere.page(&form()).await;
    let all = [&NAMES[..], &DOSE[..], &[("step", "sign")]].concat();
    let unchosen = everywhere.form(&form(), &all).await;
    assert!(unchosen.text.contains("f-organisation-error"), "{}", unchosen.text);
    // An administrator of the region ends what must end, and reads nothing of it.
    let mut administrator = town.staff(4).await;
    let page = administrator.page(&path).await;
    assert!(
        page.contains("해태 의원") && !page.contains("Comirnaty") && !page.contains("홍"),
        "{page}"
    );
    assert_eq!(administrator.get(&form()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(set(&mut administrator, &path, "revoked").await.status, StatusCode::SEE_OTHER);
}

async fn set_unseen(staff: &mut Browser, path: &str) -> Answer {
    staff.page("/desk/passes/issue").await;
    staff.form(path, &[("standing", "revoked"), ("why", "x")]).await
}

#[tokio::test]
async fn what_a_lost_key_signed_since_is_ended_and_what_it_signed_before_is_not() {
    let lost = Questions {
        pass_signers: |_| {
            Ok(vec![PassSigner {
                kid: KID,
                whose: CLINIC,
                certificate: certificate(),
                until: NOON.plus_days(400),
                refused_from: Some(NOON.plus_seconds(10)),
            }])
        },
        ..questions()
    };
    let town = Town::with(lost);
    issue(&town).await;
    let before = text(&town).await;
    town.house.clock.advance_seconds(60);
    issue(&town).await;
    let after = text(&town).await;
    let now = NOON.plus_seconds(60);
    let trust = town.outside().await;
    assert_eq!(outcome(&before, &trust, now).0, credential::Outcome::Pass);
    let refused = outcome(&after, &trust, now);
    assert_eq!(refused, (credential::Outcome::NoPass, vec!["issuer_revoked".to_owned()]));
    let told = town.messages();
    assert_eq!(jobs::refuse(&town.house.app).await.unwrap(), 1);
    assert_eq!(jobs::refuse(&town.house.app).await.unwrap(), 0);
    assert_eq!(town.messages(), told + 1, "one holder, once");
    let standings = town.house.app.read(|it| view::issues(it, ME)).await.unwrap();
    let standings: Vec<_> = standings.passes.iter().map(|it| it.standing).collect();
    assert_eq!(standings, [Standing::Valid, Standing::Revoked]);
    let signed = |since| town.house.app.read(move |it| view::signed(it, KID, since, None, 9));
    assert_eq!(signed(NOON).await.unwrap().len(), 2, "`haetae keys signed` lists them");
    assert_eq!(signed(now).await.unwrap().len(), 1);
    let pem = town.house.browser().get("/trust/signers.pem").await.text;
    assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 1, "PEM cannot say since when: {pem}");
}

#[tokio::test]
async fn lists_are_cached_and_unknown_ones_are_not_found() {
    let town = Town::new();
    let mut anybody = town.house.browser();
    assert_eq!(anybody.get("/statuslists/1").await.status, StatusCode::NOT_FOUND);
    issue(&town).await;
    let list = anybody.get("/statuslists/1").await;
    assert_eq!(list.header("content-type"), "application/statuslist+cwt");
    assert_eq!(list.header("cache-control"), "public, max-age=300");
    let tag = list.header("etag").to_owned();
    let known = [("if-none-match", tag.as_str())];
    let again = anybody.raw("GET", "/statuslists/1", &known, Vec::new()).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(anybody.get("/statuslists/2").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_forgotten_holder_s_place_is_nobody_else_s() {
    let town = Town::new();
    let path = issue(&town).await;
    let text = text(&town).await;
    let mut nurse = town.staff(1).await;
    assert_eq!(set(&mut nurse, &path, "revoked").await.status, StatusCode::SEE_OTHER);
    let place = town.house.app.read(|it| view::issues(it, ME)).await.unwrap().passes[0].place;
    let forget = town.house.app.write(|tx| {
        let gone =
            contracts::Published::Person(contracts::person::Published::Forgotten { person: ME });
        crate::react::react(tx, &store::Context::by(store::By::System("test")), &gone)?;
        tx.forget(ME.to_u128())
    });
    forget.await.unwrap();
    let taken = town.house.app.write(move |tx| view::is_taken(tx, 1, place)).await.unwrap();
    assert!(taken);
    let no = (credential::Outcome::NoPass, vec!["revoked".to_owned()]);
    assert_eq!(outcome(&text, &town.outside().await, NOON), no, "the paper is still around");
    assert_eq!(nurse.get(&path).await.status, StatusCode::NOT_FOUND);
}

fn read(
    kind: Issuable,
    fields: &[(&str, &str)],
) -> Result<Statement, Vec<(&'static str, Refusal)>> {
    let all = [&NAMES[..], fields].concat();
    let typed = json!(all.iter().copied().collect::<std::collections::BTreeMap<_, _>>());
    let typed: Typed = serde_json::from_value(typed).unwrap();
    let zone = Zone::try_new("Asia/Seoul").unwrap();
    statement::read(kind, &typed, &zone, NOON).map(|(_, statement)| statement)
}

#[test]
fn a_test_counts_seven_days_from_its_sample_and_never_from_the_future() {
    let test = |day, time| {
        read(
            Issuable::Test,
            &[("test", "pcr"), ("result", "positive"), ("day", day), ("time", time)],
        )
    };
    let sampled = |statement: Statement| match statement {
        Statement::Test { sampled_at, detected: true, device: None, test: TestKind::Pcr } => {
            sampled_at
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(sampled(test("2026-11-22", "12:00").unwrap()), NOON);
    assert_eq!(test("2026-11-22", "12:01"), Err(vec![("day", Refusal::DayInvalid)]));
    assert!(test("2026-11-15", "12:01").is_ok());
    assert_eq!(test("2026-11-15", "12:00"), Err(vec![("day", Refusal::DayInvalid)]));
    assert_eq!(test("2026-11-22", "24:00"), Err(vec![("time", Refusal::TimeInvalid)]));
    let rapid =
        [("test", "rapid"), ("result", "negative"), ("day", "2026-11-22"), ("time", "1:00")];
    assert_eq!(read(Issuable::Test, &rapid), Err(vec![("device", Refusal::DeviceInvalid)]));
}

#[test]
fn spans_end_within_a_year_and_not_before_they_begin() {
    let exempt = |from, until| {
        read(Issuable::Exemption, &[("because", "trial"), ("from", from), ("until", until)])
    };
    let day = |text: &str| text.parse::<Date>().unwrap();
    let (from, until) = (day("2026-11-22"), day("2026-11-22"));
    let because = Because::Trial;
    assert_eq!(
        exempt("2026-11-22", "2026-11-22"),
        Ok(Statement::Exemption { because, from, until })
    );
    let wrong = Err(vec![("until", Refusal::SpanInvalid)]);
    assert_eq!(exempt("2026-11-21", "2026-11-21"), wrong, "it has passed");
    assert_eq!(exempt("2026-11-24", "2026-11-23"), wrong);
    assert!(exempt("2026-11-22", "2027-11-21").is_ok());
    assert_eq!(exempt("2026-11-22", "2027-11-22"), wrong, "more than a year");
    let before =
        [("first_positive", "2026-10-12"), ("from", "2026-10-11"), ("until", "2027-01-01")];
    assert_eq!(read(Issuable::Recovery, &before), Err(vec![("from", Refusal::SpanInvalid)]));
}

#[test]
fn every_vaccine_of_the_list_is_attested_in_known_codes() {
    for it in &VACCINES {
        let dose =
            [("vaccine", it.product), ("dose", "3"), ("of_doses", "2"), ("day", "2021-06-01")];
        let statement = read(Issuable::Vaccination, &dose).unwrap();
        assert!(statement.attested("x").is_some(), "{}", it.name);
    }
    let names: Vec<_> = VACCINES.iter().map(|it| it.name).collect();
    assert!(names.is_sorted(), "people look for a name: {names:?}");
}

#[test]
fn who_ends_a_pass_says_why_and_nobody_makes_good_what_they_doubted() {
    let issued = IssueEvent::Issued {
        card: Id::from_u128(1),
        organisation: CLINIC,
        issuer: "x".to_owned(),
        by: Id::from_u128(1),
        kid: hex::encode(KID),
        named: statement_named(),
        statement: read(Issuable::Vaccination, &DOSE).unwrap(),
        list: 1,
        place: 2,
        expires_at: NOON.plus_days(365),
        at: NOON,
    };
    let set = |number: u128, standing, why: &str, by: Option<u128>| IssueCommand::SetStanding {
        card: Id::from_u128(number),
        standing,
        why: why.to_owned(),
        by: by.map(Id::from_u128),
    };
    let state: Issues = given(std::slice::from_ref(&issued));
    let decide = |state: &Issues, command| state.decide(command, NOON);
    assert_eq!(decide(&state, set(2, Standing::Revoked, "x", Some(1))), Err(Refusal::IssueUnknown));
    assert_eq!(decide(&state, set(1, Standing::Revoked, "", Some(1))), Err(Refusal::WhyInvalid));
    assert_eq!(decide(&state, set(1, Standing::Valid, "x", Some(1))), Err(Refusal::StandingSame));
    assert!(decide(&state, set(1, Standing::Revoked, "", None)).is_ok(), "a lost key is a reason");
    let doubt = decide(&state, set(1, Standing::Suspended, "x", Some(1))).unwrap();
    let state: Issues = given(&[vec![issued], doubt].concat());
    assert_eq!(decide(&state, set(1, Standing::Valid, "x", Some(1))), Err(Refusal::SameOfficer));
    assert!(decide(&state, set(1, Standing::Valid, "x", Some(2))).is_ok());
    assert!(decide(&state, set(1, Standing::Revoked, "x", Some(1))).is_ok());
}

fn statement_named() -> statement::Named {
    statement::Named {
        surname: "홍".to_owned(),
        given: "길동".to_owned(),
        surname_latin: "Hong".to_owned(),
        given_latin: "Gildong".to_owned(),
        birth: "1980-05-05".parse().unwrap(),
    }
}

/// A phone's key, as WebCrypto exports it.
fn phone() -> (DeviceKey, String) {
    let key = DeviceKey::from_scalar(&[9; 32]).unwrap();
    let exported = URL_SAFE_NO_PAD.encode(key.public_uncompressed());
    (key, exported)
}

/// The addresses of the newest pass: its page, and where a phone asks for codes.
async fn addresses(town: &Town) -> (String, String) {
    let read = town.house.app.read(|it| Ok(view::wallet(it, ME)?.cards.last().unwrap().card));
    let card = read.await.unwrap();
    (format!("/passes/{card}"), format!("/api/v1/passes/{card}/codes"))
}

/// What a phone shows of a code that it was given.
fn drawn(code: &serde_json::Value, key: &DeviceKey, at: Instant) -> String {
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(code[name].as_str().unwrap()).unwrap();
    let name: [u8; 16] = bytes("id").try_into().unwrap();
    let moment = Some(key.prove(&name, at.seconds()).unwrap());
    Presentation { signed: bytes("code"), moment }.to_text()
}

#[tokio::test]
async fn a_pass_is_shown_on_a_phone_and_ends_there_with_the_paper() {
    let town = Town::new();
    let desk = issue(&town).await;
    let (page, codes) = addresses(&town).await;
    let mut me = town.citizen().await;
    assert!(me.page(&page).await.contains(&format!("{page}/show")));
    assert!(me.page(&format!("{page}/show")).await.contains(&codes));
    let (key, exported) = phone();
    let ask = json!({ "device_key": exported });
    let answer = me.post_json(&codes, &ask).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let code = answer.json();
    assert_eq!(code["valid_until"], NOON.plus_days(1).seconds());
    let shown = drawn(&code, &key, NOON);
    // Whoever fetched what is published judges it, and so does the house.
    assert_eq!(outcome(&shown, &town.outside().await, NOON), (credential::Outcome::Pass, vec![]));
    let mut guard = town.staff(5).await;
    let verdict = guard.post_json("/api/v1/verifications", &json!({ "texts": [shown] })).await;
    let verdict = verdict.json();
    assert_eq!((&verdict["format"], &verdict["verdict"]), (&json!("haetae"), &json!("pass")));
    assert_eq!(verdict["shown"]["birth_day"], "05-05");
    assert_eq!(verdict["shown"]["name"], json!(null));
    // Each signature is counted in the statement of the key's use.
    let counted = town.house.app.read(|it| view::signatures(it, KID, 0, 1_000_000)).await.unwrap();
    assert_eq!(counted.len(), 2);

    let mut nurse = town.staff(1).await;
    for (standing, reason) in [("suspended", vec!["revoked".to_owned()])] {
        set(&mut nurse, &desk, standing).await;
        let found = outcome(&shown, &town.outside().await, NOON);
        assert_eq!(found, (credential::Outcome::NoPass, reason));
        let refused = me.post_json(&codes, &ask).await;
        assert_eq!(refused.json()["code"], "pass-not-bindable", "{}", refused.text);
        assert!(!me.page(&page).await.contains(&format!("{page}/show")));
        assert_eq!(me.get(&format!("{page}/show")).await.status, StatusCode::CONFLICT);
    }
}

#[tokio::test]
async fn nobody_gets_a_code_of_what_is_not_theirs_or_too_many_of_what_is() {
    let town = Town::new();
    issue(&town).await;
    let (page, codes) = addresses(&town).await;
    let (_, exported) = phone();
    let ask = json!({ "device_key": exported });
    let other = Begin { who: Who::Citizen(Id::from_u128(8)), ..Begin::default() };
    let mut other = town.house.browser_of(other).await;
    assert_eq!(other.post_json(&codes, &ask).await.json()["code"], "pass-not-bindable");
    let mut me = town.citizen().await;
    for wrong in ["", "AAAA", "BAAA", &"A".repeat(90)] {
        let answer = me.post_json(&codes, &json!({ "device_key": wrong })).await;
        assert_eq!(answer.json()["code"], "pass-device-key-invalid");
    }
    for _ in 0..BOUND_MAX {
        assert_eq!(me.post_json(&codes, &ask).await.status, StatusCode::CREATED);
    }
    assert_eq!(me.post_json(&codes, &ask).await.json()["code"], "pass-bound-often");
    town.house.clock.advance_seconds(BOUND_S - 1);
    assert_eq!(me.post_json(&codes, &ask).await.json()["code"], "pass-bound-often");
    town.house.clock.advance_seconds(1);
    assert_eq!(me.post_json(&codes, &ask).await.status, StatusCode::CREATED);
    // Taken out of the wallet, it is shown nowhere.
    me.page(&page).await;
    me.form(&format!("{page}/remove"), &[]).await;
    assert_eq!(me.post_json(&codes, &ask).await.json()["code"], "pass-not-bindable");
}

/// A pass of any kind, by invented numbers, and a text for it as paper and on a phone at `now_s`.
fn two_forms(
    kind: u8,
    [dose, of_doses]: [u8; 2],
    days: [u8; 2],
    (vaccine, birth_year): (usize, u16),
    now_s: i64,
) -> (String, String) {
    let today = Zone::try_new("Asia/Seoul").unwrap().date(NOON);
    let day = |back: u8| today.plus_days(-i32::from(back) * 3);
    let statement = match kind {
        0 => Statement::Vaccination {
            vaccine: VACCINES[vaccine % VACCINES.len()].product.to_owned(),
            dose,
            of_doses,
            day: day(days[0]),
        },
        1 => Statement::Test {
            test: if dose.is_multiple_of(2) { TestKind::Pcr } else { TestKind::Rapid },
            device: (!dose.is_multiple_of(2)).then(|| "1341".to_owned()),
            detected: of_doses.is_multiple_of(2),
            sampled_at: NOON.plus_seconds(-i64::from(days[0]) * 1_800),
        },
        2 => Statement::Recovery {
            first_positive: day(days[0].max(days[1])),
            from: day(days[0].min(days[1])),
            until: today.plus_days(i32::from(days[0])),
        },
        _ => Statement::Exemption {
            because: Because::ALL[0],
            from: day(days[0]),
            until: today.plus_days(i32::from(days[1])),
        },
    };
    let named = statement::Named {
        surname: "홍".to_owned(),
        given: "길동".to_owned(),
        surname_latin: "Hong".to_owned(),
        given_latin: "Gil-dong".to_owned(),
        birth: Date::from_calendar(i16::try_from(birth_year).unwrap(), 5, 5).unwrap(),
    };
    let organisation = HcertSigner::of_organisation(&SECRET, &certificate()).unwrap();
    let text = organisation.sign(&Hcert {
        person: (&named).into(),
        attested: statement.attested("해태 의원").unwrap(),
        country: "XX".to_owned(),
        issuer: "해태 의원".to_owned(),
        identifier: uvci("XX", "0123ABC").unwrap(),
        issued_at: NOON.seconds() - 60,
        expires_at: NOON.plus_days(365).seconds(),
        status: Some(("https://city.example/statuslists/1".to_owned(), 7)),
    });
    let text = text.unwrap();
    let (key, _) = phone();
    // Made anew ahead of time: whenever it is shown, the code itself is good.
    let code = compact(&text, key.public(), (now_s - 60, now_s + 60)).unwrap();
    let moment = Some(key.prove(&code.pass, now_s).unwrap());
    let signed = organisation.sign_bound(&code).unwrap();
    (text, Presentation { signed, moment }.to_text())
}

proptest! {
    #[test]
    fn every_rule_set_says_of_the_compact_code_what_it_says_of_the_paper(
        kind in 0_u8..4, doses in proptest::array::uniform2(1_u8..5),
        days in proptest::array::uniform2(0_u8..120), vaccine in 0_usize..12,
        birth_year in 1930_u16..2026, later_s in 0_i64..86_400 * 300,
    ) {
        let now_s = NOON.seconds() + later_s;
        let (paper, phone) = two_forms(kind, doses, days, (vaccine, birth_year), now_s);
        let mut trust = Trust::default();
        trust.add(&certificate());
        let (city, eu) = (Some(PassRules::City), Some(PassRules::Eu));
        let sets = Sets::default();
        for rules in [city, eu, Some(PassRules::CodeOnly), Some(PassRules::Own), None] {
            let rules = rules.and_then(|it| sets.of_place(it));
            let rules = rules.as_ref().map(|it| -> &dyn Rules { it });
            let [paper, phone] = [&paper, &phone]
                .map(|it| verify(it, &trust, rules, &Policy::default(), now_s));
            prop_assert_eq!(paper.outcome, phone.outcome);
            prop_assert_eq!(paper.reasons, phone.reasons);
            prop_assert_eq!(paper.checks, phone.checks);
            prop_assert_eq!((paper.kind, paper.shown), (phone.kind, phone.shown));
        }
    }
}
