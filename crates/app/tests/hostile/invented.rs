//! Invented input: bodies, fields, headers, paths and queries that nobody wrote down, for every
//! route. A failure prints its number; `PROPTEST_RNG_SEED=<number>` tries the same again.

use std::cell::RefCell;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use tokio::runtime::Runtime;

use super::declared::check_kept;
use super::forms::Fields;
use super::routes::{body_of, pointers};
use super::*;

/// Cases for each route, and for what must be kept.
const ON_EACH_ROUTE: u32 = 60;
const KEPT: u32 = 300;

/// Characters that are seen by nobody, join, turn around, end or begin something.
const ODD: [&str; 16] = [
    "\0",
    "\t",
    "\r\n",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{301}",
    "\u{200b}",
    "\u{200d}",
    "\u{2028}",
    "\u{202e}",
    "\u{2066}",
    "\u{fe0f}",
    "\u{feff}",
    "가",
    "\u{e0041}",
];

/// Headers that something of ours reads.
const HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cookie",
    "idempotency-key",
    "if-none-match",
    "origin",
    "range",
    "x-forwarded-for",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        2 => vec(any::<char>(), 0..40).prop_map(String::from_iter),
        3 => vec(select(&ODD[..]), 1..6).prop_map(|it| it.concat()),
        2 => (any::<String>(), select(&ODD[..])).prop_map(|(text, odd)| format!("{text}{odd}하늘")),
        3 => select(&TEXTS[..]).prop_map(str::to_owned),
        2 => "(0000|1969|1970|2026|9999|10000)-(00|01|02|12|13)-(00|01|29|30|31|32)",
        1 => (any::<char>(), 1_usize..60_000).prop_map(|(it, times)| it.to_string().repeat(times)),
    ]
}

/// A JSON value as it stands in a body, which may be none.
fn raw_json() -> impl Strategy<Value = String> {
    let quoted = text().prop_map(|it| Value::from(it).to_string());
    let leaf = prop_oneof![
        4 => quoted,
        2 => "\"([a-z]|\\\\u[dD][89abcdefABCDEF][0-9a-f]{2}|\\\\u0000){1,4}\"",
        2 => "-?[0-9]{1,40}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,6})?",
        1 => select(&["null", "true", "false", "{}", "[]", "NaN", "-0", "'x'", ""][..])
            .prop_map(str::to_owned),
        1 => (1_usize..400).prop_map(|deep| format!("{}{}", "[".repeat(deep), "]".repeat(deep))),
        1 => (1_usize..400).prop_map(|deep| format!("{}1{}", "{\"a\":".repeat(deep), "}".repeat(deep))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let pair = (text(), inner.clone());
        let pair = pair.prop_map(|(name, value)| format!("{}:{value}", Value::from(name)));
        prop_oneof![
            vec(inner, 0..4).prop_map(|it| format!("[{}]", it.join(","))),
            vec(pair, 0..4).prop_map(|it| format!("{{{}}}", it.join(","))),
        ]
    })
}

/// Any bytes as they stand in an address.
fn part() -> impl Strategy<Value = String> {
    let escaped = |bytes: Vec<u8>| String::from_utf8(escape(&bytes)).unwrap();
    prop_oneof![
        2 => vec(any::<u8>(), 1..40).prop_map(escaped),
        3 => text().prop_filter("a path has an end", |it| !it.is_empty() && it.len() < 2_000)
            .prop_map(move |it| escaped(it.into_bytes())),
        2 => "(person|staff|place|order|appeal|decision)_[0-9a-z]{0,30}",
        1 => "[0-9]{1,40}",
    ]
}

fn escape(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|it| format!("%{it:02X}").into_bytes()).collect()
}

/// What is done to one place of a JSON body.
#[derive(Debug, Clone)]
enum Edit {
    Replace(Index, String),
    Remove(Index),
    /// The same or another field once more.
    Twice(Index, String),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        5 => (any::<Index>(), raw_json()).prop_map(|(at, raw)| Edit::Replace(at, raw)),
        1 => any::<Index>().prop_map(Edit::Remove),
        1 => (any::<Index>(), raw_json()).prop_map(|(at, raw)| Edit::Twice(at, raw)),
    ]
}

#[derive(Debug, Clone)]
enum Sent {
    /// The route's JSON, edited; or its form with fields replaced or added once more.
    Own {
        edits: Vec<Edit>,
        changes: Vec<(Index, bool, String)>,
        /// A form where JSON is due, or JSON where a form is.
        swapped: bool,
    },
    /// Anything at all, called anything.
    Bytes(String, Vec<u8>),
}

#[derive(Debug, Clone)]
struct Shot {
    /// Stands for each gap in the path; otherwise ids of things that there are.
    part: Option<String>,
    query: Option<(String, String)>,
    header: Option<(&'static str, Vec<u8>)>,
    sent: Sent,
}

fn shot() -> impl Strategy<Value = Shot> {
    let changes = vec((any::<Index>(), any::<bool>(), text()), 1..4);
    let own = (vec(edit(), 1..4), changes, prop::bool::weighted(0.1));
    let sent = prop_oneof![
        8 => own.prop_map(|(edits, changes, swapped)| Sent::Own { edits, changes, swapped }),
        1 => ("[ -~]{0,40}", vec(any::<u8>(), 0..200)).prop_map(|(kind, it)| Sent::Bytes(kind, it)),
    ];
    // Control characters in a header are refused below us, by the HTTP library.
    let header = (select(&HEADERS[..]), vec(0x20_u8..0x7f, 0..80), vec(0x80_u8.., 0..8));
    let header = header.prop_map(|(name, low, high)| (name, [low, high].concat()));
    (
        prop::option::weighted(0.2, part()),
        prop::option::weighted(0.4, ("[a-z]{1,9}|", part())),
        prop::option::weighted(0.3, header),
        sent,
    )
        .prop_map(|(part, query, header, sent)| Shot { part, query, header, sent })
}

/// The edited body.
fn edited(base: &Value, edits: &[Edit]) -> Vec<u8> {
    let (mut body, mut raws, mut twice) = (base.clone(), Vec::new(), String::new());
    for edit in edits {
        let mut places = Vec::new();
        pointers(&body, "", &mut places);
        match edit {
            Edit::Replace(at, raw) => {
                let place = at.get(&places);
                // Assembled as text, because no `Value` holds what is not JSON.
                *body.pointer_mut(place).unwrap() = json!(format!("@{}@", raws.len()));
                raws.push(raw);
            }
            Edit::Remove(at) => {
                let Some((parent, name)) = at.get(&places).rsplit_once('/') else { continue };
                if let Some(map) = body.pointer_mut(parent).and_then(Value::as_object_mut) {
                    map.shift_remove(name);
                }
            }
            Edit::Twice(at, raw) => {
                let name = at.get(&places).rsplit('/').next().unwrap();
                twice = format!("{}:{raw},", Value::from(name));
            }
        }
    }
    let mut text = body.to_string();
    for (number, raw) in raws.into_iter().enumerate() {
        text = text.replacen(&format!("\"@{number}@\""), raw, 1);
    }
    text.replacen('{', &format!("{{{twice}"), 1).into_bytes()
}

/// The route's form with other fields.
fn filled(base: &Fields, csrf: &str, changes: &[(Index, bool, String)]) -> Vec<u8> {
    let mut fields: Vec<(&str, &str)> = base.iter().map(|(a, b)| (&**a, &**b)).collect();
    for (at, again, text) in changes {
        if fields.is_empty() || (*again && fields.len() > 20) {
            fields.push(("name", text));
        } else if *again {
            fields.push((at.get(&fields).0, text));
        } else {
            let at = at.index(fields.len());
            fields[at].1 = text;
        }
    }
    fields.push(("_csrf", csrf));
    encode(&fields)
}

/// One number for all cases of a run, because what came before is part of the case.
static SEED: LazyLock<u64> = LazyLock::new(|| match Config::default().rng_seed {
    RngSeed::Fixed(seed) => seed,
    RngSeed::Random => {
        use std::hash::{BuildHasher as _, Hasher as _};
        std::hash::RandomState::new().build_hasher().finish()
    }
});

/// Runs `check` on many cases. What it gives is what is wrong, if anything.
fn invent<S: Strategy>(
    what: &str,
    cases: u32,
    strategy: &S,
    check: impl Fn(S::Value) -> Option<String>,
) -> Option<String> {
    let seed = *SEED;
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let judged = TestRunner::new(config)
        .run(strategy, |it| check(it).map_or(Ok(()), |wrong| Err(TestCaseError::fail(wrong))));
    match judged {
        Ok(()) => None,
        Err(TestError::Fail(wrong, shot)) => {
            let shot: String = format!("{shot:?}").chars().take(600).collect();
            Some(format!("PROPTEST_RNG_SEED={seed} {what}: {wrong}: {shot}"))
        }
        Err(TestError::Abort(why)) => Some(format!("PROPTEST_RNG_SEED={seed} {what}: {why}")),
    }
}

#[test]
fn nothing_that_can_be_invented_breaks_any_route() {
    let (town, runtime) = (Town::new(), Runtime::new().unwrap());
    let forms = forms::forms(&town);
    let mut wrong = Vec::new();
    for (number, route) in (10_000..).zip([town.routes(true), town.routes(false)].concat()) {
        let json = body_of(&town, route.path);
        let fields = forms::fields_of(&town, &forms, route.path).unwrap_or_default();
        let client = RefCell::new(runtime.block_on(town.who(route.access, number)));
        let next = RefCell::new(number + 1_000);
        let what = format!("{} {}", route.method, route.path);
        wrong.extend(invent(&what, ON_EACH_ROUTE, &shot(), |shot| {
            let mut client = client.borrow_mut();
            let answer =
                runtime.block_on(send(&town, &mut client, &route, json.as_ref(), &fields, &shot));
            let (path, wants_json, answer) = answer?;
            // Signed out, deleted: the next one is somebody else.
            if answer.code() == "web-sign-in-required" {
                *next.borrow_mut() += 1_000;
                *client = runtime.block_on(town.who(route.access, *next.borrow()));
            }
            town.judge(&path, wants_json, &answer)
        }));
    }
    report(&wrong);
}

/// Sends one shot; `None` when it is no request at all. Gives path, wish and answer.
async fn send(
    town: &Town,
    client: &mut Browser,
    route: &Route,
    json: Option<&Value>,
    fields: &Fields,
    shot: &Shot,
) -> Option<(String, bool, Answer)> {
    let gap = |it: &str| match &shot.part {
        Some(part) if it.starts_with('{') => part.clone(),
        _ => town.path(it),
    };
    let path = route.path.split('/').map(gap).collect::<Vec<_>>().join("/");
    let query = shot.query.as_ref().map(|(name, value)| format!("?{name}={value}"));
    let (kind, body) = match &shot.sent {
        Sent::Own { edits, swapped, .. } if json.is_some() != *swapped => {
            (JSON, edited(json.unwrap_or(&json!({ "name": "홍길동" })), edits))
        }
        Sent::Own { changes, .. } => (FORM, filled(fields, &client.csrf, changes)),
        Sent::Bytes(kind, bytes) => (kind.as_str(), bytes.clone()),
    };
    let uri = path.clone() + &query.unwrap_or_default();
    // What is no address at all is refused below us, by the HTTP library.
    uri.parse::<http::Uri>().ok()?;
    let mut headers = vec![("content-type", kind.as_bytes())];
    headers.extend(shot.header.iter().map(|(name, value)| (*name, value.as_slice())));
    let free = headers.iter().any(|(name, _)| *name == "accept");
    if !free {
        headers.push(("accept", JSON.as_bytes()));
    }
    let answer = client.raw(route.method.as_str(), &uri, &headers, body).await;
    let wants_json = !(free && answer.header("content-type").starts_with("text/html"));
    Some((path, wants_json, answer))
}

#[test]
fn whatever_is_taken_is_kept_exactly() {
    const PLACES: [&str; 4] = ["/name", "/document", "/residence", "/stays/0/place"];
    let (town, runtime) = (Town::new(), Runtime::new().unwrap());
    let person = runtime.block_on(town.city.register(1));
    let client = RefCell::new(runtime.block_on(town.city.signed_in(Who::Citizen(person))));
    let strategy = (select(&PLACES[..]), text());
    let declared = invent("declared", KEPT, &strategy, |(place, text)| {
        let mut body = declaration();
        *body.pointer_mut(place).unwrap() = json!(text);
        let mut client = client.borrow_mut();
        runtime.block_on(async {
            let answer = client.post_json("/api/v1/code/declarations", &body).await;
            check_kept(&mut client, place, &text, &answer).await
        })
    });
    let named = invent("named", KEPT, &(any::<bool>(), text()), |(by_form, text)| {
        let mut client = client.borrow_mut();
        runtime.block_on(async {
            let before = client.get_json("/api/v1/me").await.json()["name"].clone();
            let answer = if by_form {
                client.form("/account/name", &[("name", &text)]).await
            } else {
                let body = json!({ "name": text }).to_string().into_bytes();
                let headers = [("accept", JSON), ("content-type", JSON)];
                client.raw("PATCH", "/api/v1/me", &headers, body).await
            };
            let taken = answer.status.is_success() || answer.status.is_redirection();
            let wanted = if taken { json!(text.trim()) } else { before };
            let kept = client.get_json("/api/v1/me").await.json()["name"].clone();
            let wrong = answer.status.is_server_error() || kept != wanted;
            wrong.then(|| format!("{}: kept as {kept}, not {wanted}", answer.status))
        })
    });
    let wrong: Vec<String> = [declared, named].into_iter().flatten().collect();
    report(&wrong);
}
