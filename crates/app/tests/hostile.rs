//! Outside input never breaks the house: every route, sent what no page of ours sends, says no with
//! a code, or keeps what it was given exactly. Never a 500, never mangled.

use std::collections::BTreeMap;

use code::command::Ask;
use code::model::{Appeal, Exposure, Order, OrderReason};
use contracts::code::Colour;
use contracts::gate::Device;
use contracts::person::{Organisation, Person, Role};
use kernel::Id;
use person::event::OrganisationKind;
use serde_json::{Value, json};
use sim::Told;
use store::{By, Context};
use web::testing::{Answer, Browser, FORM, JSON, between, encode};
use web::{Access, Route, Who};

mod declared;
mod forms;
mod invented;
mod routes;

use crate::city::{City, base64url};
use crate::html;

/// Texts that have broken somebody's software.
const TEXTS: [&str; 42] = [
    "",
    " ",
    "\0",
    "김\0하늘",
    "김\u{200b}하늘",
    "\u{202e}gnp.exe",
    "\u{2066}x\u{2069}",
    "\u{feff}김하늘",
    "\u{ad}",
    "\u{1f469}\u{200d}\u{1f33e}",
    "аdmin",
    "Αβ가王ييא",
    "e\u{301}\u{1100}\u{1161}",
    "\u{fffd}",
    "\u{10ffff}",
    "\u{e000}",
    "=1+1",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "@SUM(A1)",
    "+82",
    "-1",
    "0",
    "1970-01-01",
    "0000-00-00",
    "2026-02-30",
    "2099-01-01",
    "9999-12-31",
    "-9999-01-01",
    "+262143-12-31",
    "99999999999999999999999999",
    "-9223372036854775808",
    "18446744073709551615",
    "1e308",
    "NaN",
    "'; DROP TABLE person_citizen; --",
    "<script>alert(1)</script>\"'><img src=x>",
    "{{7*7}}${jndi:ldap://x}%s%n",
    "../../../../etc/passwd",
    "x\r\nSet-Cookie: evil=1",
    "{ $name }",
    "true",
    "null",
];

/// 100 kB of Hangul and 200 marks on one letter.
fn long() -> [String; 2] {
    ["가".repeat(34_000), format!("a{}", "\u{301}".repeat(200))]
}

fn texts() -> Vec<String> {
    TEXTS.iter().map(|it| (*it).to_owned()).chain(long()).collect()
}

/// Bodies that are no bodies.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        &b""[..],
        b"\0",
        b"\x00\xff\xfe\x80garbage\x01",
        b"\xed\xa0\x80",
        b"{",
        b"}",
        b"[]",
        b"null",
        b"\"\"",
        b"1e999999",
        b"{\"name\": \"\\ud800\"}",
        b"{\"name\": \"\xff\"}",
        b"{\"name\": \"a\", \"name\": \"b\"}",
        b"{\"__proto__\": {}, \"\": null}",
        b"name=%ED%A0%80",
        b"name=%FF&=&&&==",
        b"name=%",
        b"name=%zz",
        b"name=a&name=b",
        b"\xef\xbb\xbf{}",
    ]
    .map(<[u8]>::to_vec)
    .into();
    bodies.push(vec![b'a'; 2 * 1024 * 1024]);
    bodies.push([b"\"".to_vec(), vec![b'a'; 2 * 1024 * 1024], b"\"".to_vec()].concat());
    bodies.push(b"[".repeat(100_000));
    bodies.push(b"{\"a\":".repeat(100_000));
    bodies.push(b"a=b&".repeat(5_000));
    bodies
}

/// JSON values where others are expected.
fn values() -> Vec<Value> {
    let mut values: Vec<Value> = texts().into_iter().map(Value::from).collect();
    values.extend([
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e308),
        json!(-0.5),
        json!([]),
        json!({}),
        json!([[[[[]]]]]),
        json!({ "a": { "b": null } }),
        json!(vec![json!("x"); 1_000]),
    ]);
    values
}

/// A city with people to attack and things to attack them with.
pub(crate) struct Town {
    pub(crate) city: City,
    told: Told,
    order: Id<Order>,
    appeal: Id<Appeal>,
    organisation: Id<Organisation>,
    clinic: sim::Clinic,
    codes: BTreeMap<&'static str, u16>,
}

impl Town {
    fn new() -> Self {
        let city = City::behind_proxy(true);
        let told = city.tell();
        let app = &city.house.app;
        let (order, appeal): (Id<Order>, Id<Appeal>) = (app.new_id(), app.random_id());
        let ask = |person: Id<Person>, ask: Ask| {
            let context = Context::by(By::System("test"));
            code::door::execute_blocking(&app.store, context, person, ask).unwrap();
        };
        let [first, second] = [told.citizens[0], told.citizens[1]];
        ask(first, order_on(&city, order, told.officers[0]));
        let [refused, ended] = [told.citizens[3], told.citizens[4]];
        for (person, confirmed) in [(refused, false), (ended, true)] {
            let (order, officer): (Id<Order>, _) = (app.new_id(), told.officers[1]);
            ask(person, order_on(&city, order, told.officers[0]));
            if confirmed {
                ask(person, Ask::ConfirmOrder { order, officer });
                ask(person, Ask::WithdrawOrder { order, officer });
            } else {
                ask(person, Ask::RejectOrder { order, officer });
            }
        }
        let exposed_at = app.now().plus_days(-1);
        ask(second, Ask::RecordExposure { exposed_at, source: Exposure::CloseContact });
        let now = app.now();
        let holder = app.store.read_blocking(|it| code::view::standing(it, second, now)).unwrap().0;
        let about = holder.last_ruling().unwrap().decision;
        ask(second, Ask::Appeal { appeal, about, text: "그날 그곳에 없었습니다.".to_owned() });
        let (organisation, by): (Id<Organisation>, _) = (app.new_id(), told.administrator);
        let context = Context::by(By::Staff(by));
        let opened = app.store.write_blocking(move |tx| {
            let kind = OrganisationKind::Company;
            person::door::open_organisation(tx, &context, organisation, "해태 상사", kind, by)
        });
        opened.unwrap().unwrap();
        let clinic = sim::open_clinic(app, by, told.citizens[1]).unwrap();
        let codes = city.house.slices.iter().flat_map(|it| it.refusals.iter().copied()).collect();
        Self { city, told, order, appeal, organisation, clinic, codes }
    }

    /// Somebody whom the route lets in; for citizens, somebody new.
    async fn who(&self, access: Access, number: u32) -> Browser {
        let staff = match access {
            Access::Anyone | Access::Demo | Access::DeviceSigned => {
                return self.city.anonymous().await;
            }
            Access::Citizen | Access::SignedIn => {
                let person = self.city.register(number).await;
                return self.city.signed_in(Who::Citizen(person)).await;
            }
            // Not the officer who proposed the order.
            Access::Staff(roles) if roles.contains(&Role::HealthOfficer) => self.told.officers[1],
            Access::Staff(roles) if roles.contains(&Role::Administrator) => self.told.administrator,
            Access::Staff(roles) if roles.contains(&Role::Owner) => self.told.owner,
            Access::Staff(roles) if roles.contains(&Role::Issuer) => self.clinic.issuers[0],
            Access::Staff([]) => self.told.owner,
            Access::Staff(roles) if roles.contains(&Role::Auditor) => self.told.auditor,
            Access::Staff(roles) => panic!("nobody in the city holds one of {roles:?}"),
        };
        self.city.signed_in(Who::Staff(staff)).await
    }

    /// The path with ids of things that there are.
    fn path(&self, route: &str) -> String {
        let device: Id<Device> = Id::from_u128(8);
        let fill = |part: &str| match part {
            "{person}" => self.told.citizens[0].to_string(),
            "{staff}" => self.told.auditor.to_string(),
            "{place}" => self.told.places[0].0.to_string(),
            "{organisation}" => self.organisation.to_string(),
            "{order}" => self.order.to_string(),
            "{appeal}" => self.appeal.to_string(),
            "{device}" => device.to_string(),
            "{card}" => self.clinic.card.to_string(),
            "{kind}" => "vaccination".to_owned(),
            "{set}" => pass::city_rules::SHIPPED.to_string(),
            "{source}" => Id::<pass::model::SourceId>::from_u128(1).to_string(),
            "{index}" => "1".to_owned(),
            "{tag}" => "en".to_owned(),
            part if part.starts_with('{') => "x".to_owned(),
            part => part.to_owned(),
        };
        route.split('/').map(fill).collect::<Vec<_>>().join("/")
    }

    /// What is wrong with an answer, if anything.
    fn judge(&self, path: &str, wants_json: bool, answer: &Answer) -> Option<String> {
        let (status, kind) = (answer.status.as_u16(), answer.header("content-type"));
        let cookies = answer.headers.get_all("set-cookie").iter();
        if cookies.filter_map(|it| it.to_str().ok()).any(|it| it.starts_with("evil")) {
            return Some("a header was injected".to_owned());
        }
        if status >= 500 {
            return Some(format!("{status} {}", answer.code()));
        }
        if kind.starts_with("text/html") {
            let page = std::str::from_utf8(&answer.body);
            let Ok(page) = page else { return Some("a page that is not UTF-8".to_owned()) };
            if page.contains("<script>alert") || page.contains("<img src=x") {
                return Some("what was sent came back as markup".to_owned());
            }
            let read = html::read(page);
            if !read.wrong.is_empty() {
                return Some(format!("a page that is not well-formed: {:?}", read.wrong));
            }
        }
        if status < 400 {
            return None;
        }
        // A form's own page with its mistakes is the better answer, whatever was accepted.
        let own_page = status == 422 && !path.starts_with("/api/");
        if !wants_json || (own_page && kind.starts_with("text/html")) {
            return (!kind.starts_with("text/html")).then(|| format!("{status} as {kind:?}"));
        }
        if kind != "application/problem+json" {
            return Some(format!("{status} as {kind:?}"));
        }
        let code = answer.code();
        match self.codes.get(code.as_str()) {
            Some(known) if *known == status => None,
            _ => Some(format!("{status} with the code {code:?}")),
        }
    }

    /// All routes that look, or all that change something; what ends something comes last.
    fn routes(&self, get: bool) -> Vec<Route> {
        const ENDS: [&str; 7] =
            ["/close", "/withdraw", "/remove", "/end", "/suspend", "/resume", "/delete"];
        let all = self.city.house.slices.iter().flat_map(|it| (it.routes)());
        let mut all: Vec<Route> = all.filter(|it| (it.method.as_str() == "GET") == get).collect();
        all.sort_by_key(|it| ENDS.iter().position(|end| it.path.ends_with(end)));
        all
    }
}

fn order_on(city: &City, order: Id<Order>, officer: Id<contracts::person::Staff>) -> Ask {
    Ask::ProposeOrder {
        order,
        colour: Colour::Yellow,
        until: city.house.app.now().plus_days(3),
        reason: OrderReason::Cluster,
        number: "해태-2026-0001".to_owned(),
        officer,
    }
}

/// What was found wrong, at most the first hundred.
fn report(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} answers: {:#?}", wrong.len(), &wrong[..wrong.len().min(100)]);
}

/// How much of what was sent a message shows.
fn short(text: &str) -> String {
    text.chars().take(40).collect::<String>().escape_default().to_string()
}

/// The city is told by blocking calls, the clients are not: first the one, then the other.
pub(crate) fn run(test: impl AsyncFnOnce(Town)) {
    let town = Town::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(test(town));
}

/// Answers that come before a handler has looked at what was sent.
const AT_THE_DOOR: [&str; 7] = [
    "web-cross-site",
    "web-csrf",
    "web-forbidden",
    "web-media-type",
    "web-path-invalid",
    "web-sign-in-required",
    "web-too-many",
];

fn declaration() -> Value {
    json!({
        "name": "홍길동", "document": "M12345678", "residence": "해태시 중앙구",
        "stays": [{ "place": "대구", "from": "2026-02-27", "to": "2026-03-01" }],
        "contact_symptomatic": "no", "contact_confirmed": "no",
        "symptoms": { "fever": "no", "cough": "no", "sore_throat": "no",
            "breathlessness": "no", "smell_or_taste": "no" },
        "temperature_tenths": 365
    })
}
