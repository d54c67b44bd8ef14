//! Over HTTP, through the real router: who sees what, and who is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use contracts::gate::Place;
use contracts::person::{Grant, Person, Role, Scope, Staff};
use http_body_util::BodyExt as _;
use kernel::{Id, Instant};
use tower::ServiceExt as _;
use web::{App, Config, NamedPlace, Parts, Questions, Who};

use super::store::Lab;
use crate::door;

pub(super) struct City {
    pub(super) lab: Lab,
    router: Router,
}

/// Somebody's browser: keeps cookies, sends the hidden fields of the page it looked at last.
pub(super) struct Browser<'a> {
    city: &'a City,
    cookies: BTreeMap<String, String>,
    hidden: String,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) location: String,
    pub(super) body: String,
}

/// The place that this city has, run by organisation 60.
pub(super) const GATE: Id<Place> = Id::from_u128(600);

#[allow(clippy::unnecessary_wraps, reason = "it stands where gate's answer stands")]
fn places(_: &mut store::Reader<'_>) -> Result<Vec<NamedPlace>, store::Fault> {
    let name = "북문".to_owned();
    Ok(vec![NamedPlace { place: GATE, organisation: Id::from_u128(60), name }])
}

impl City {
    pub(super) fn new() -> Self {
        let lab = Lab::new();
        let slices = vec![crate::slice(), web::slice()];
        let questions = Questions {
            grants_of: crate::grants_of,
            staff_label: crate::staff_label,
            person_label: crate::person_label,
            person_by_phone: crate::person_by_phone,
            may_help: crate::may_help,
            places,
            ..Questions::default()
        };
        let app = App::try_new(Parts {
            store: lab.store.clone(),
            config: Config::local(8080, true).unwrap(),
            keyring: Arc::new(lab.keyring()),
            questions,
            slices: slices.clone(),
        })
        .unwrap();
        Self { lab, router: web::build_router(&slices, app) }
    }

    pub(super) fn visitor(&self) -> Browser<'_> {
        Browser { city: self, cookies: BTreeMap::new(), hidden: String::new() }
    }

    pub(super) async fn signed_in(&self, who: Who) -> Browser<'_> {
        let link = self.lab.write(move |tx| web::link::make(tx, who, 60));
        let mut browser = self.visitor();
        assert_eq!(browser.get(&link).await.status, StatusCode::OK);
        assert_eq!(browser.post(&link, "").await.status, StatusCode::SEE_OTHER);
        browser
    }

    pub(super) fn boss(&self) -> Id<Staff> {
        self.lab.write(|tx| door::setup(tx, "이보람", "01011112222")).unwrap()
    }

    pub(super) fn member(&self, boss: Id<Staff>, role: Role, scope: Scope) -> Id<Staff> {
        let staff: Id<Staff> = Id::random(self.lab.store.seed());
        let until = self.lab.store.clock().now().plus_days(9);
        let context = store::Context::by(store::By::System("test"));
        self.lab
            .write(move |tx| {
                let phone = Some("01033334444".to_owned());
                let _ = door::appoint(tx, &context, staff, "박누리", phone, None, boss)?;
                door::grant_role(tx, &context, staff, Grant { role, scope, until }, boss)
            })
            .unwrap();
        staff
    }
}

impl Browser<'_> {
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> Answer {
        let cookies: Vec<_> =
            self.cookies.iter().map(|(name, it)| format!("{name}={it}")).collect();
        let req = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "text/html")
            .header(header::ACCEPT_LANGUAGE, "ko")
            .header(header::CONTENT_TYPE, kind)
            .header(header::COOKIE, cookies.join("; "))
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        let answer = self.city.router.clone().oneshot(req).await.unwrap();
        let (parts, body) = answer.into_parts();
        for it in parts.headers.get_all(header::SET_COOKIE) {
            let pair = it.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = parts.headers.get(header::LOCATION);
        let location = location.map_or("", |it| it.to_str().unwrap()).to_owned();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let field = |name: &str| {
            let (_, rest) = body.split_once(&format!("name=\"{name}\" value=\""))?;
            rest.split_once('"').map(|(value, _)| format!("{name}={value}"))
        };
        if let (Some(csrf), Some(once)) = (field("_csrf"), field("_once")) {
            self.hidden = format!("{csrf}&{once}");
        }
        Answer { status: parts.status, location, body }
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, "text/plain", String::new()).await
    }

    pub(super) async fn post(&mut self, path: &str, fields: &str) -> Answer {
        let body = format!("{}&{fields}", self.hidden);
        self.send(Method::POST, path, "application/x-www-form-urlencoded", body).await
    }
}

/// The last one-time code that was sent. While the clock stands, messages have no order among them.
pub(super) fn last_code(city: &City) -> String {
    let messages = city.lab.read(|reader| reader.latest_messages("sms", 9));
    let code = |text: &str| {
        let mut digits = text.split(|it: char| !it.is_ascii_digit());
        digits.find(|it| it.len() == 6).map(str::to_owned)
    };
    messages.iter().find_map(|it| code(it.body["text"].as_str().unwrap())).unwrap()
}

#[tokio::test]
async fn a_newcomer_verifies_a_number_and_registers() {
    let city = City::new();
    let mut browser = city.visitor();
    assert_eq!(browser.get("/register").await.location, "/sign-in?next=/register");
    browser.get("/sign-in").await;
    browser.post("/sign-in", "phone=010-1234-5678&next=").await;
    let code = last_code(&city);
    let answer =
        browser.post("/sign-in/code", &format!("phone=01012345678&next=&code={code}")).await;
    assert_eq!(answer.location, "/register", "{}", answer.body);
    let page = browser.get("/register").await;
    assert!(page.body.contains("+821012345678"));
    let young = browser.post("/register", "name=%EA%B9%80&birth_date=2020-05-05").await;
    assert_eq!(young.status, StatusCode::UNPROCESSABLE_ENTITY);
    let broken = browser.post("/register", "name=%ED%A0%80&birth_date=1988-02-29").await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST, "a lone surrogate");
    browser.get("/register").await;
    let done =
        browser.post("/register", "name=%EA%B9%80%ED%95%98%EB%8A%98&birth_date=1988-02-29").await;
    assert_eq!((done.status, done.location.as_str()), (StatusCode::SEE_OTHER, "/"));
    let account = browser.get("/account").await;
    assert_eq!(account.status, StatusCode::OK);
    assert!(account.body.contains("김하늘"));
    assert_eq!(browser.get("/register").await.location, "/account");
}

#[tokio::test]
async fn nobody_acts_for_another_without_consent_and_each_look_is_recorded() {
    let city = City::new();
    let helped = city.lab.citizen(1, "01011111111");
    let helper = city.lab.citizen(2, "01022222222");
    let mut browser = city.signed_in(Who::Citizen(helper)).await;
    browser.get("/account/help").await;
    let refused = browser.post("/account/help/act", &format!("person={helped}")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);

    let mut own = city.signed_in(Who::Citizen(helped)).await;
    own.get("/account/help").await;
    let shown = own.post("/account/help/offer", "").await;
    let (_, rest) = shown.body.split_once("class=\"code-short\">").unwrap();
    let code = rest.split_once('<').unwrap().0.to_owned();

    browser.get("/account/help").await;
    let wrong = browser.post("/account/help/accept", "code=AAAA-AAAA&kin=parent&days=30").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = format!("code={code}&kin=parent&days=30");
    let accepted = browser.post("/account/help/accept", &fields).await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.body);
    let begun = browser.post("/account/help/act", &format!("person={helped}")).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER);
    let account = browser.get("/account").await;
    assert!(account.body.contains("+821011111111"), "the helped person's number");
    let refused = browser.post("/account/name", "name=other").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "an adult's name is theirs");
    let refused = browser.post("/account/delete", "confirm=%EC%82%AD%EC%A0%9C").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);

    let readers = own.get("/account/readers").await;
    assert!(readers.body.contains("대신 이용하는 김하늘 님"), "{}", readers.body);
    own.get("/account/help").await;
    own.post("/account/help/end", &format!("side=helper&person={helper}")).await;
    let account = browser.get("/account").await;
    assert!(account.body.contains("+821022222222"), "ended at once");
}

#[tokio::test]
async fn deletion_needs_the_word_and_signs_out() {
    let city = City::new();
    let person = city.lab.citizen(1, "01011111111");
    let mut browser = city.signed_in(Who::Citizen(person)).await;
    browser.get("/account/delete").await;
    let wrong = browser.post("/account/delete", "confirm=x").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let gone = browser.post("/account/delete", "confirm=%EC%82%AD%EC%A0%9C").await;
    assert_eq!(gone.location, "/");
    assert!(browser.get("/account").await.location.starts_with("/sign-in"));
}

#[tokio::test]
async fn the_api_shows_changes_exports_and_deletes_oneself() {
    let city = City::new();
    let person = city.lab.citizen(1, "01011111111");
    let mut browser = city.signed_in(Who::Citizen(person)).await;
    let json = "application/json";
    let me = browser.get("/api/v1/me").await;
    assert!(me.body.contains(&person.to_string()), "{}", me.body);
    let body = r#"{"name":"=cmd()","locale":"en"}"#.to_owned();
    let changed = browser.send(Method::PATCH, "/api/v1/me", json, body).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert!(changed.body.contains("=cmd()"), "kept exactly");
    for wrong in
        [r#"{"name":"\u200b"}"#, r#"{"locale":"fr"}"#, r#"{"phone":"1"}"#, "{", "\"\\ud800\""]
    {
        let answer = browser.send(Method::PATCH, "/api/v1/me", json, wrong.to_owned()).await;
        assert!(answer.status.is_client_error(), "{wrong}: {}", answer.status);
    }
    let csv = browser.get("/account/export.csv").await;
    assert!(csv.body.contains("\"'=cmd()\""), "{}", csv.body);
    let export = browser.get("/api/v1/me/export").await;
    assert!(export.body.contains("person.registered.v1"));
    assert_eq!(browser.get("/api/v1/me/readers").await.body, r#"{"readings":[]}"#);
    let gone = browser.send(Method::DELETE, "/api/v1/me", json, String::new()).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn an_administrator_appoints_grants_and_suspends() {
    let city = City::new();
    let boss = city.boss();
    let mut desk = city.signed_in(Who::Staff(boss)).await;
    desk.get("/desk/staff").await;
    let made = desk.post("/desk/staff", "name=%EB%B0%95&phone=01033334444&email=").await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let (_, rest) = made.body.split_once("http://localhost:8080/link/").unwrap();
    let link = format!("/link/{}", rest.split_once('<').unwrap().0);
    let (_, rest) = made.body.split_once("/desk/staff/").unwrap();
    let staff = rest.split_once('"').unwrap().0.to_owned();

    let page = format!("/desk/staff/{staff}");
    assert_eq!(desk.get(&page).await.status, StatusCode::OK);
    let late =
        desk.post(&format!("{page}/roles"), "role=guard&scope=region&until=2027-03-04").await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    let granted =
        desk.post(&format!("{page}/roles"), "role=auditor&scope=region&until=2027-03-01").await;
    assert_eq!(granted.status, StatusCode::SEE_OTHER, "{}", granted.body);

    let mut auditor = city.visitor();
    auditor.get(&link).await;
    auditor.post(&link, "").await;
    assert_eq!(auditor.get("/desk/access").await.status, StatusCode::OK);
    assert_eq!(auditor.get("/desk/staff").await.status, StatusCode::FORBIDDEN);
    let mut second = city.visitor();
    assert_eq!(second.get(&link).await.status, StatusCode::GONE, "the link works once");

    desk.get(&page).await;
    assert_eq!(desk.post(&format!("{page}/suspend"), "").await.status, StatusCode::SEE_OTHER);
    assert!(auditor.get("/desk/access").await.location.starts_with("/sign-in"));
    let own = format!("/desk/staff/{boss}");
    desk.get(&own).await;
    let refused = desk.post(&format!("{own}/suspend"), "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_administrator_of_one_organisation_is_no_administrator_of_staff() {
    let city = City::new();
    let boss = city.boss();
    let context = store::Context::by(store::By::System("test"));
    let office = Id::from_u128(60);
    city.lab
        .write(move |tx| {
            let kind = crate::event::OrganisationKind::Clinic;
            door::open_organisation(tx, &context, office, "해태의원", kind, boss)
        })
        .unwrap();
    let clerk = city.member(boss, Role::Administrator, Scope::Organisation(office));
    let mut desk = city.signed_in(Who::Staff(clerk)).await;
    for path in ["/desk/staff", "/desk/organisations", "/desk/people"] {
        assert_eq!(desk.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn the_desk_reads_only_with_a_reason_and_the_person_sees_it() {
    let city = City::new();
    let boss = city.boss();
    let person: Id<Person> = city.lab.citizen(1, "01011111111");
    let officer = city.member(boss, Role::HealthOfficer, Scope::Region);
    let mut desk = city.signed_in(Who::Staff(officer)).await;
    desk.get("/desk/people").await;
    let without = desk.post("/desk/people/find", "who=01011111111&grounds=").await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!without.body.contains("김하늘"));
    let unknown = desk.post("/desk/people/find", "who=01099999999&grounds=visit").await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    let found = desk.post("/desk/people/find", "who=010-1111-1111&grounds=visit").await;
    assert!(found.body.contains("김하늘"));
    assert!(!found.body.contains("1988"), "no more than is needed");
    let all = Instant::from_micros(i64::MAX);
    let rows = city.lab.read(|reader| reader.readings_of(person.to_u128(), all, 9));
    assert_eq!((rows.len(), rows[0].grounds.as_str()), (1, "visit"));
    let mut own = city.signed_in(Who::Citizen(person)).await;
    let readers = own.get("/account/readers").await;
    assert!(readers.body.contains("보건 담당관") && !readers.body.contains("박누리"));

    desk.get("/desk/people").await;
    let fields = "name=%EC%9E%84&birth_date=1940-01-01";
    let unchecked = desk.post("/desk/people/new", fields).await;
    assert_eq!(unchecked.status, StatusCode::UNPROCESSABLE_ENTITY);
    let made = desk.post("/desk/people/new", &format!("{fields}&id_checked=yes")).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let (_, rest) = made.body.split_once("/desk/people/person_").unwrap();
    let elder = format!("person_{}", rest.split_once('/').unwrap().0);
    let path = format!("/desk/people/{elder}/help");
    let unknown = "helper=01099999999&kin=parent&days=365&id_checked=yes&grounds=visit";
    let again = desk.post(&path, unknown).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("id=\"f-helper-error\""), "the error stands at the field");
    assert!(again.body.contains("value=\"01099999999\""), "and what was typed stays");
    let none = desk.post(&path, "helper=01011111111&kin=&days=365&id_checked=yes").await;
    assert!(none.body.contains("id=\"f-kin-error\""), "{}", none.body);
    let unchecked = desk.post(&path, "helper=01011111111&kin=parent&days=365").await;
    assert!(unchecked.body.contains("id=\"f-id_checked-error\""), "{}", unchecked.body);
    let consent = "helper=01011111111&kin=parent&days=365&id_checked=yes";
    let granted = desk.post(&path, consent).await;
    assert_eq!(granted.status, StatusCode::SEE_OTHER, "{}", granted.body);
    own.get("/account/help").await;
    let acting = own.post("/account/help/act", &format!("person={elder}")).await;
    assert_eq!(acting.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_auditor_finds_a_day_and_a_subject_and_is_seen_doing_it() {
    let city = City::new();
    let boss = city.boss();
    let person = city.lab.citizen(1, "01011111111");
    let auditor = city.member(boss, Role::Auditor, Scope::Region);
    let mut desk = city.signed_in(Who::Staff(auditor)).await;
    assert_eq!(desk.get("/desk/access?day=2026-03-02").await.status, StatusCode::OK);
    let found = desk.get(&format!("/desk/access?subject={person}")).await;
    assert!(found.body.contains("열람 기록") && found.body.contains("감사"), "{}", found.body);
    let day = desk.get("/desk/access?day=2026-03-02").await;
    assert!(day.body.contains("hour="), "{}", day.body);
    assert_eq!(desk.get("/desk/access?day=x&hour=-1&subject=y").await.status, StatusCode::OK);
}
