//! Outside input never breaks the house: every route, sent what no page of ours sends, says no with
//! a code, or keeps what it was given exactly. Never a 500, never mangled.

use std::collections::{BTreeMap, BTreeSet};

use code::command::Ask;
use code::model::{Appeal, Exposure, Order, OrderReason};
use contracts::code::Colour;
use contracts::gate::Device;
use contracts::person::{Organisation, Person, Role};
use kernel::{Id, Locale};
use person::event::OrganisationKind;
use serde_json::{Value, json};
use sim::Told;
use store::{By, Context};
use web::{Access, Route, Who};

use crate::city::City;
use crate::client::{Answer, Client, FORM, JSON, base64url, encode};
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
struct Town {
    city: City,
    told: Told,
    order: Id<Order>,
    appeal: Id<Appeal>,
    organisation: Id<Organisation>,
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
        let codes = city.house.slices.iter().flat_map(|it| it.refusals.iter().copied()).collect();
        Self { city, told, order, appeal, organisation, codes }
    }

    /// Somebody whom the route lets in; for citizens, somebody new.
    async fn who(&self, access: Access, number: u32) -> Client {
        let house = &self.city.house;
        let staff = match access {
            Access::Anyone | Access::Demo | Access::DeviceSigned => {
                return Client::anonymous(house).await;
            }
            Access::Citizen | Access::SignedIn => {
                let person = self.city.register(number).await;
                return Client::signed_in(house, Who::Citizen(person)).await;
            }
            // Not the officer who proposed the order.
            Access::Staff(roles) if roles.contains(&Role::HealthOfficer) => self.told.officers[1],
            Access::Staff(roles) if roles.contains(&Role::Administrator) => self.told.administrator,
            Access::Staff(roles) if roles.contains(&Role::Owner) => self.told.owner,
            Access::Staff([]) => self.told.owner,
            Access::Staff(roles) if roles.contains(&Role::Auditor) => self.told.auditor,
            Access::Staff(roles) => panic!("nobody in the city holds one of {roles:?}"),
        };
        Client::signed_in(house, Who::Staff(staff)).await
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

    fn routes(&self, get: bool) -> Vec<Route> {
        let all = self.city.house.slices.iter().flat_map(|it| (it.routes)());
        all.filter(|it| (it.method.as_str() == "GET") == get).collect()
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
fn run(test: impl AsyncFnOnce(Town)) {
    let town = Town::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(test(town));
}

#[test]
fn no_body_breaks_a_route_that_changes_something() {
    run(async |town| {
        let (mut wrong, bodies) = (Vec::new(), bodies());
        for (number, route) in (0..).zip(town.routes(false)) {
            let mut client = town.who(route.access, number).await;
            let (method, path) = (route.method.as_str().to_owned(), town.path(route.path));
            for (at, body) in bodies.iter().enumerate() {
                for (turn, kind) in [JSON, FORM, "text/plain", ""].into_iter().enumerate() {
                    let accept = if (at + turn) % 2 == 0 { "text/html" } else { JSON };
                    let mut headers = vec![("accept", accept)];
                    if !kind.is_empty() {
                        headers.push(("content-type", kind));
                    }
                    let answer = client.send(&method, &path, &headers, body.clone()).await;
                    if let Some(it) = town.judge(&path, accept == JSON, &answer) {
                        wrong.push(format!("{method} {} body {at} as {kind}: {it}", route.path));
                    }
                }
            }
        }
        report(&wrong);
    });
}

/// A field of a form with something that it takes.
type Fields = BTreeMap<String, String>;

/// What a page of ours sends to `path`, read from the samples of all pages.
fn fields_of(town: &Town, forms: &[(String, Fields)], route: &str) -> Option<Fields> {
    let fits = |action: &str| {
        let (given, pattern): (Vec<&str>, Vec<&str>) =
            (action.split('/').collect(), route.split('/').collect());
        let same = |(a, b): (&&str, &&str)| a == b || b.starts_with('{');
        given.len() == pattern.len() && given.iter().zip(&pattern).all(same)
    };
    let mut found: Option<Fields> = None;
    for (_, fields) in forms.iter().filter(|(action, _)| fits(action)) {
        let all = found.get_or_insert_default();
        for (name, value) in fields {
            all.entry(name.clone()).or_insert_with(|| valid(town, name, value));
        }
    }
    found
}

/// Something that a field of this name takes.
fn valid(town: &Town, name: &str, sample: &str) -> String {
    let part = name.rsplit('_').next().unwrap_or(name);
    let text = match name {
        "name" => "홍길동",
        "document" => "M12345678",
        "residence" => "서울 강남구",
        "temperature" => "36.5",
        "birth_date" => "1980-05-05",
        "phone" => "010-5555-6666",
        "email" => "someone@example.org",
        "who" | "person" | "helper" | "helped" => return town.told.citizens[2].to_string(),
        "number" => "강남-2026-7",
        "until" => "2026-03-05",
        "day" | "exposed" => "2026-03-01",
        "grounds" | "why" | "text" => "2026-3 사건",
        "decision" => "decision_00000000000000000000000000",
        _ if part == "place" => "대구",
        _ if part == "from" || part == "to" => "2026-03-01",
        _ if sample.is_empty() => "1",
        _ => sample,
    };
    text.to_owned()
}

/// Every form of every page: where it goes, and what is in it.
fn forms(town: &Town) -> Vec<(String, Fields)> {
    web::sample::use_slices(&town.city.house.slices).unwrap();
    let mut forms = Vec::new();
    for sample in town.city.house.slices.iter().flat_map(|it| (it.samples)()) {
        let page = (sample.render)(Locale::Ko).unwrap();
        for form in page.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let Some(action) = attribute(form, "action") else { continue };
            let mut fields = Fields::new();
            for tag in form.split('<').skip(1) {
                let Some(name) = attribute(tag, "name") else { continue };
                if name.starts_with('_') {
                    continue;
                }
                let mut value = attribute(tag, "value").unwrap_or_default();
                if tag.starts_with("select") {
                    let rest = &form[form.find(&format!("name=\"{name}\"")).unwrap()..];
                    let options = rest.split("<option").skip(1);
                    let options = options.filter_map(|it| attribute(it, "value"));
                    value = options.filter(|it| !it.is_empty()).next().unwrap_or_default();
                }
                fields.entry(name).or_insert(value);
            }
            forms.push((action, fields));
        }
    }
    forms
}

/// The value of an attribute of the tag that `text` begins with.
fn attribute(text: &str, name: &str) -> Option<String> {
    let tag = text.split('>').next()?;
    let (_, after) = tag.split_once(&format!("{name}=\""))?;
    after.split('"').next().map(str::to_owned)
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

#[test]
fn no_field_breaks_a_form_and_without_its_token_no_form_is_taken() {
    run(async |town| {
        let (mut wrong, mut tried, texts, forms) = (Vec::new(), 0, texts(), forms(&town));
        let is_json = |path: &str| path.starts_with("/api/") || path.contains("/passkey");
        for (number, route) in (0..).zip(town.routes(false)) {
            let removes = route.path.ends_with("/remove");
            if is_json(route.path) && !removes {
                continue;
            }
            // Shown for a suspended member of staff, whom no sample has; it has no fields.
            let unseen = (route.path == "/desk/staff/{staff}/resume").then(Fields::new);
            let Some(base) = fields_of(&town, &forms, route.path).or(unseen) else {
                wrong.push(format!("{}: no page has its form", route.path));
                continue;
            };
            let mut client = town.who(route.access, 1_000 + number).await;
            let path = town.path(route.path);
            let pairs = |fields: &Fields| -> Vec<(String, String)> {
                fields.iter().map(|(a, b)| (a.clone(), b.clone())).collect()
            };
            let bare = pairs(&base);
            let bare: Vec<_> = bare.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let headers = [("accept", JSON), ("content-type", FORM)];
            let answer = client.send("POST", &path, &headers, encode(&bare)).await;
            if answer.code() != "web-csrf" {
                wrong.push(format!("{} without its token: {}", route.path, answer.status));
            }
            let mut reached = false;
            let mut sent = vec![base.clone()];
            for text in &texts {
                for name in base.keys() {
                    sent.push(base.clone());
                    sent.last_mut().unwrap().insert(name.clone(), text.clone());
                }
                sent.push(base.keys().map(|name| (name.clone(), text.clone())).collect());
            }
            for name in base.keys() {
                sent.push(base.clone());
                sent.last_mut().unwrap().remove(name);
            }
            for fields in sent {
                let all: Vec<_> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
                let answer = client.form(&path, &all).await;
                tried += 1;
                reached |= !AT_THE_DOOR.contains(&answer.code().as_str());
                if let Some(it) = town.judge(&path, true, &answer) {
                    let odd = fields.iter().find(|it| base.get(it.0) != Some(it.1));
                    let odd = odd.map(|(name, value)| format!("{name}={}", short(value)));
                    wrong.push(format!("POST {} {odd:?}: {it}", route.path));
                }
            }
            if !reached && !base.is_empty() {
                wrong.push(format!("{}: nothing came past the door", route.path));
            }
        }
        report(&wrong);
        assert!(tried > 2_000, "{tried} forms are too few to have tried much");
    });
}

/// A body that the route takes, or nearly.
fn body_of(town: &Town, path: &str) -> Option<Value> {
    let place_code = town.told.places[0].1.to_string();
    let (b64, device) = ("A".repeat(86), Id::<Device>::from_u128(8).to_string());
    let now = town.city.house.app.now().seconds();
    Some(match path {
        "/api/v1/code/declarations" => declaration(),
        "/api/v1/code/passes" => json!({ "device_key": "A".repeat(44) }),
        "/api/v1/code/policy" => {
            json!({ "rule_set": serde_json::from_str::<Value>(code::policy::SHIPPED).unwrap(),
                "why": "새 지침" })
        }
        "/api/v1/me" => json!({ "name": "홍길동", "locale": "en" }),
        "/api/v1/gate/devices" => json!({
            "place_code": place_code, "label": "정문", "public_key": "A".repeat(87),
            "made_at": now, "signature": b64
        }),
        "/api/v1/gate/batches" => json!({
            "device": device, "batch": "0".repeat(32), "first_n": 1, "made_at": now,
            "sealed": { "ephemeral": "A".repeat(87), "entries": [{ "n": 1, "data": "AAAA" }] },
            "signature": b64
        }),
        "/api/v1/gate/typed" => {
            json!({ "device": device, "short": place_code, "made_at": now, "signature": b64 })
        }
        "/sign-in/passkey/begin" | "/account/passkeys/begin" => json!({}),
        "/sign-in/passkey/finish" => json!({
            "ceremony": "x", "next": "/",
            "credential": {
                "id": "AAAA", "rawId": "AAAA", "type": "public-key", "extensions": {},
                "response": { "authenticatorData": "AAAA", "clientDataJSON": "AAAA",
                    "signature": "AAAA", "userHandle": null }
            }
        }),
        "/account/passkeys/finish" => json!({
            "ceremony": "x",
            "credential": {
                "id": "AAAA", "rawId": "AAAA", "type": "public-key", "extensions": {},
                "response": { "attestationObject": "AAAA", "clientDataJSON": "AAAA" }
            }
        }),
        _ => return None,
    })
}

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

/// JSON pointers to everything in a value, itself included.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| {
            pointers(v, &format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(list) => {
            // One of a kind is enough: rules have a hundred elements.
            list.iter().take(2).enumerate().for_each(|(n, v)| {
                pointers(v, &format!("{at}/{n}"), found);
            });
        }
        _ => {}
    }
}

#[test]
fn no_value_breaks_a_route_that_takes_json() {
    run(async |town| {
        let (mut wrong, mut tried, values) = (Vec::new(), 0, values());
        let few: Vec<Value> = values.iter().rev().take(20).cloned().collect();
        for (number, route) in (0..).zip(town.routes(false)) {
            let method = route.method.as_str().to_owned();
            let Some(base) = body_of(&town, route.path) else {
                let has_body = route.path.starts_with("/api/") && method != "DELETE";
                assert!(!has_body, "{}: this test needs a body for it", route.path);
                continue;
            };
            if method == "DELETE" {
                continue;
            }
            let mut client = town.who(route.access, 2_000 + number).await;
            let mut places = Vec::new();
            pointers(&base, "", &mut places);
            let values = if places.len() > 60 { &few } else { &values };
            let headers = [("accept", JSON), ("content-type", JSON)];
            let mut reached = false;
            for place in &places {
                for value in values {
                    let mut body = base.clone();
                    *body.pointer_mut(place).unwrap() = value.clone();
                    let bytes = serde_json::to_vec(&body).unwrap();
                    let answer = client.send(&method, route.path, &headers, bytes).await;
                    tried += 1;
                    reached |= !AT_THE_DOOR.contains(&answer.code().as_str());
                    if let Some(it) = town.judge(route.path, true, &answer) {
                        let value = short(&value.to_string());
                        wrong.push(format!("{method} {} {place}={value}: {it}", route.path));
                    }
                }
                // A lone surrogate, which no `Value` can hold.
                let mut body = base.clone();
                *body.pointer_mut(place).unwrap() = json!("SURROGATE");
                let bytes = body.to_string().replace("SURROGATE", "\\ud800").into_bytes();
                let answer = client.send(&method, route.path, &headers, bytes).await;
                if let Some(it) = town.judge(route.path, true, &answer) {
                    wrong.push(format!("{method} {} {place} surrogate: {it}", route.path));
                }
                if answer.status != 400 && !base.as_object().unwrap().is_empty() {
                    let text = answer.text();
                    wrong.push(format!("{} {place} took a surrogate: {text}", route.path));
                }
            }
            if !reached {
                wrong.push(format!("{}: nothing came past the door", route.path));
            }
        }
        report(&wrong);
        assert!(tried > 2_000, "{tried} bodies are too few to have tried much");
    });
}

/// Parts of a path that are no ids, escaped as they are sent.
fn parts() -> Vec<String> {
    let mut parts: Vec<String> = [
        "%00",
        "%FF",
        "%ED%A0%80",
        "%",
        "%zz",
        "..",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "-1",
        "0",
        "00",
        "+1",
        "1e3",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999999999999999",
        "NaN",
        "person_",
        "person_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        "person_ffffffffffffffffffffffffffffffffffffffffffff",
        "place_00000000000000000000000000",
        "staff_00000000000000000000000000",
        "order_00000000000000000000000000",
        "%E2%80%AE",
        "%F0%9F%98%80",
        "%E2%80%8B",
        "=1+1",
        "'",
        "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "%0d%0aSet-Cookie:%20evil=1",
        "0/x001/000",
        "0/000.p/0",
        "0/000.p/256",
        "entries/000",
        "63/x999/999",
        "8/000",
        "ko",
        "web-not-found",
        "x",
    ]
    .map(str::to_owned)
    .into();
    parts.push("x".repeat(8_000));
    parts.push("%EA%B0%80".repeat(1_000));
    parts
}

#[test]
fn no_path_and_no_query_breaks_a_page() {
    const NAMES: [&str; 18] = [
        "after",
        "back",
        "before",
        "day",
        "device",
        "entry",
        "hour",
        "index",
        "new",
        "next",
        "notice",
        "old",
        "q",
        "root",
        "sensitive",
        "size",
        "subject",
        "to",
    ];
    run(async |town| {
        let (mut wrong, mut tried) = (Vec::new(), 0);
        let mut values = parts();
        values.extend(
            TEXTS.iter().map(|it| String::from_utf8(encode(&[("", it)])).unwrap()[1..].to_owned()),
        );
        for (number, route) in (0..).zip(town.routes(true)) {
            let mut client = town.who(route.access, 3_000 + number).await;
            let mut paths: Vec<String> = Vec::new();
            if route.path.contains('{') {
                for part in parts() {
                    let fill =
                        |it: &str| if it.starts_with('{') { part.clone() } else { it.to_owned() };
                    paths.push(route.path.split('/').map(fill).collect::<Vec<_>>().join("/"));
                }
            }
            let plain = town.path(route.path);
            for (at, value) in values.iter().enumerate() {
                let all = NAMES.map(|name| format!("{name}={value}")).join("&");
                paths.push(format!("{plain}?{all}"));
                // One alone, so that the others do not end the reading before it.
                paths.extend(NAMES.iter().skip(at % 6).step_by(6).map(|name| {
                    let others = if route.path.contains("/proof/") { "index=0&old=0&" } else { "" };
                    format!("{plain}?{others}{name}={value}")
                }));
            }
            paths.push(format!("{plain}?{}", "&".repeat(2_000)));
            paths.push(format!("{plain}?{}", "a=b&".repeat(2_000)));
            paths.push(format!("{plain}?%ED%A0%80=%FF"));
            for (at, path) in paths.iter().enumerate() {
                if path.parse::<http::Uri>().is_err() {
                    // What is no address at all is refused below us, by the HTTP library.
                    continue;
                }
                let accept = if at % 2 == 0 { "text/html" } else { JSON };
                let answer = client.send("GET", path, &[("accept", accept)], Vec::new()).await;
                tried += 1;
                if let Some(it) = town.judge(path, accept == JSON, &answer) {
                    wrong.push(format!("GET {}: {it}", path.chars().take(120).collect::<String>()));
                }
            }
        }
        report(&wrong);
        assert!(tried > 5_000, "{tried} addresses are too few to have tried much");
    });
}

#[test]
fn hostile_headers_break_nothing() {
    run(async |town| {
        let mut wrong = Vec::new();
        let long = "x".repeat(60_000);
        let odd = [
            "",
            " ",
            "\"",
            ";;;===",
            "a=b; a=c; __Host-session",
            "*/*;q=NaN",
            "text/html;q=-1",
            "ko-KR,\u{fffd};q=99",
            "bytes=0-",
            "W/\"x\"",
            "multipart/form-data",
            &long,
        ];
        let names = [
            "accept",
            "accept-language",
            "accept-encoding",
            "cookie",
            "content-type",
            "content-length",
            "idempotency-key",
            "if-none-match",
            "if-modified-since",
            "range",
            "user-agent",
            "referer",
            "x-forwarded-for",
            "host",
            "sec-fetch-site",
            "authorization",
        ];
        let person = town.city.register(9).await;
        for path in [
            "/",
            "/code",
            "/log",
            "/api/v1/code",
            "/api/v1/code/trust",
            "/gate/scan",
            "/log/checkpoint",
        ] {
            for name in names {
                for value in odd {
                    let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) else {
                        continue;
                    };
                    let Ok(value) = value.to_str() else { continue };
                    let mut client =
                        Client::signed_in(&town.city.house, Who::Citizen(person)).await;
                    let answer = client.send("GET", path, &[(name, value)], Vec::new()).await;
                    if answer.status.is_server_error() {
                        wrong.push(format!("{path} {name}: {}: {}", short(value), answer.status));
                    }
                }
            }
        }
        report(&wrong);
    });
}

/// Sends a declaration; when it is taken, compares what is kept with what was sent, byte for byte.
/// White space at both ends is taken off (`kernel::clean` says so), and nothing else is changed.
async fn check_kept(
    client: &mut Client,
    place: &str,
    text: &str,
    answer: &Answer,
) -> Option<String> {
    let (code, shown) = (answer.code(), short(text));
    if answer.status.is_client_error() {
        // A form's own page says which field; the JSON interface says it by its code.
        let said = answer.status == 422 || !code.is_empty();
        return (!said).then(|| format!("{place}={shown} was refused without a word"));
    }
    if !answer.status.is_success() && !answer.status.is_redirection() {
        return Some(format!("{place}={shown}: {}", answer.status));
    }
    let kept = client.get("/api/v1/code/declarations").await.json();
    let kept = kept[0]["declaration"].pointer(place).cloned().unwrap_or_default();
    let export = client.get("/api/v1/me/export").await.json();
    let exported = export["events"].as_array().unwrap().iter().rev();
    let exported = exported.filter_map(|it| it["event"].pointer(&format!("/declaration{place}")));
    let exported = exported.cloned().next().unwrap_or_default();
    let sent = json!(text.trim());
    (kept != sent || exported != sent)
        .then(|| format!("{place}={shown} was kept as {kept} and exported as {exported}"))
}

#[test]
fn what_is_declared_is_refused_or_kept_exactly() {
    run(async |town| {
        let person = town.city.register(1).await;
        let mut client = Client::signed_in(&town.city.house, Who::Citizen(person)).await;
        let mut taken = BTreeSet::new();
        let mut wrong = Vec::new();
        let fields = [
            ("/name", "name"),
            ("/document", "document"),
            ("/residence", "residence"),
            ("/stays/0/place", "stay_1_place"),
        ];
        let form = [
            ("name", "홍길동"),
            ("document", "M12345678"),
            ("residence", "해태시"),
            ("stay_1_place", "대구"),
            ("stay_1_from", "2026-03-01"),
            ("stay_1_to", "2026-03-01"),
            ("contact_confirmed", "no"),
            ("contact_symptomatic", "no"),
            ("fever", "no"),
            ("cough", "no"),
            ("sore_throat", "no"),
            ("breathlessness", "no"),
            ("smell_or_taste", "no"),
            ("temperature", "36.5"),
        ];
        for text in texts() {
            for (place, field) in fields {
                let mut body = declaration();
                *body.pointer_mut(place).unwrap() = json!(text);
                let answer = client.json("/api/v1/code/declarations", &body).await;
                if answer.status == 201 {
                    taken.insert(text.clone());
                }
                wrong.extend(check_kept(&mut client, place, &text, &answer).await);
                let filled = form
                    .map(|(name, value)| (name, if name == field { text.as_str() } else { value }));
                let answer = client.form("/code/declare", &filled).await;
                wrong.extend(check_kept(&mut client, place, &text, &answer).await);
            }
        }
        report(&wrong);
        for text in ["=1+1", "аdmin", "Αβ가王ييא", "e\u{301}\u{1100}\u{1161}", "{ $name }"]
        {
            assert!(taken.contains(text), "{text} is somebody's name");
        }
        for hidden in ["김\0하늘", "김\u{200b}하늘", "\u{202e}gnp.exe", "\u{feff}김하늘"] {
            assert!(!taken.contains(hidden), "{hidden:?} was taken");
        }
        let sheet = client.get("/account/export.csv").await;
        assert_eq!(sheet.status, 200);
        let text = sheet.text();
        assert!(text.contains("'=1+1") || text.contains("=1+1"), "the export holds the name");
        for cell in text.lines().flat_map(|line| line.trim_start_matches('\u{feff}').split(',')) {
            let cell = cell.trim_start_matches('"');
            assert!(!cell.starts_with(['=', '@']), "a spreadsheet would run {cell}");
        }
    });
}

#[test]
fn days_and_temperatures_out_of_this_world_are_refused() {
    run(async |town| {
        let person = town.city.register(1).await;
        let mut client = Client::signed_in(&town.city.house, Who::Citizen(person)).await;
        for (from, to) in [
            ("1970-01-01", "1970-01-02"),
            ("9999-12-31", "9999-12-31"),
            ("2026-03-03", "2026-03-03"),
            ("2026-03-02", "2026-03-01"),
            ("2026-02-30", "2026-03-01"),
            ("0000-00-00", "x"),
            ("-9999-01-01", "2026-03-01"),
            ("2026-3-1", "2026-3-1"),
            ("", ""),
        ] {
            let mut body = declaration();
            body["stays"][0] = json!({ "place": "대구", "from": from, "to": to });
            let answer = client.json("/api/v1/code/declarations", &body).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code().as_str()),
                (422, "code-stay-invalid"),
                "{from} {to}"
            );
        }
        for (temperature, status) in [
            (json!(0), 422),
            (json!(339), 422),
            (json!(431), 422),
            (json!(65535), 422),
            (json!(65536), 400),
            (json!(-365), 400),
            (json!(36.5), 400),
            (json!("365"), 400),
            (json!(1e300), 400),
            (json!(true), 400),
        ] {
            let mut body = declaration();
            body["temperature_tenths"] = temperature.clone();
            let answer = client.json("/api/v1/code/declarations", &body).await;
            assert_eq!(answer.status, status, "{temperature}");
        }
        let mut body = declaration();
        body["stays"] = json!(vec![body["stays"][0].clone(); 15]);
        let answer = client.json("/api/v1/code/declarations", &body).await;
        assert_eq!(answer.code(), "code-too-many-stays");
        assert_eq!(client.get("/api/v1/code/declarations").await.json(), json!([]));
    });
}

#[test]
fn a_phone_s_name_is_refused_or_kept_exactly_however_well_it_is_signed() {
    run(async |town| {
        let (place, code) = (town.told.places[1].0, town.told.places[1].1.to_string());
        let mut client = Client::anonymous(&town.city.house).await;
        let key = credential::DeviceKey::from_scalar(&[7; 32]).unwrap();
        let public = gate::model::PublicKey::from_bytes(&key.public_uncompressed()).unwrap();
        let mut wrong = Vec::new();
        for (number, label) in (1_u128..).zip(texts()) {
            let now = town.city.house.app.now();
            let signed = gate::queue::enrolment_bytes(&code, &label, &public, now.seconds());
            let body = json!({
                "place_code": code, "label": label, "made_at": now.seconds(),
                "public_key": base64url(public.as_bytes()),
                "signature": base64url(&key.sign(&signed).unwrap()),
            });
            let answer = client.json("/api/v1/gate/devices", &body).await;
            if let Some(it) = town.judge("/api/v1/gate/devices", true, &answer) {
                wrong.push(format!("{}: {it}", short(&label)));
            }
            if answer.status == 201 {
                let device: Id<Device> = answer.json()["device"].as_str().unwrap().parse().unwrap();
                let kept = town.city.house.app.read(move |it| gate::view::device(it, device)).await;
                let kept = kept.unwrap().unwrap();
                assert_eq!((kept.place, kept.label.as_str()), (place, label.trim()));
            }
            // A place takes few waiting phones at a time; a day later it takes the next.
            if number % 3 == 0 {
                town.city.clock.set(now.plus_days(2));
            }
        }
        report(&wrong);
    });
}
