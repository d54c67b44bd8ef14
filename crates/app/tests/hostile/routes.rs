//! Every route: bodies, JSON values, paths, queries and headers that make no sense.

use super::*;

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
                    let answer = client.raw(&method, &path, &headers, body.clone()).await;
                    if let Some(it) = town.judge(&path, accept == JSON, &answer) {
                        wrong.push(format!("{method} {} body {at} as {kind}: {it}", route.path));
                    }
                }
            }
        }
        report(&wrong);
    });
}

/// A body that the route takes, or nearly.
pub(super) fn body_of(town: &Town, path: &str) -> Option<Value> {
    let place_code = town.told.places[0].1.to_string();
    let (b64, device) = ("A".repeat(86), Id::<Device>::from_u128(8).to_string());
    let now = town.city.house.app.now().seconds();
    Some(match path {
        "/api/v1/code/declarations" => declaration(),
        "/api/v1/code/passes" | "/api/v1/passes/{card}/codes" => {
            json!({ "device_key": "A".repeat(44) })
        }
        "/api/v1/code/policy" => {
            json!({ "rule_set": serde_json::from_str::<Value>(code::policy::SHIPPED).unwrap(),
                "why": "새 지침" })
        }
        "/api/v1/passes/rules" => json!({
            "name": "1월 12일 지침",
            "rules": serde_json::from_str::<Value>(pass::rulebook::CITY_FILE).unwrap(),
            "value_sets": { "vaccines": ["EU/1/20/1528"] }
        }),
        "/api/v1/passes/rules/{set}" => json!({ "verdict": "propose" }),
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
        "/api/v1/verifications" => json!({
            "texts": ["HC1:6BF"], "rules": "city", "purpose": "시설 출입", "device": device,
            "made_at": now, "signature": b64
        }),
        "/sign-in/passkey/begin"
        | "/account/passkeys/begin"
        | "/api/v1/gate/places/{place}/close" => json!({}),
        "/api/v1/people/{person}/phone/code" => json!({ "phone": "010-5555-6666" }),
        "/api/v1/people/{person}/phone" => json!({
            "phone": "010-5555-6666", "code": "123456", "reason": "lost", "id_checked": true
        }),
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

/// JSON pointers to everything in a value, itself included.
pub(super) fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
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
            let path = town.path(route.path);
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
                    let answer = client.raw(&method, &path, &headers, bytes).await;
                    tried += 1;
                    reached |= !AT_THE_DOOR.contains(&answer.code().as_str());
                    if let Some(it) = town.judge(&path, true, &answer) {
                        let value = short(&value.to_string());
                        wrong.push(format!("{method} {} {place}={value}: {it}", route.path));
                    }
                }
                // A lone surrogate, which no `Value` can hold.
                let mut body = base.clone();
                *body.pointer_mut(place).unwrap() = json!("SURROGATE");
                let bytes = body.to_string().replace("SURROGATE", "\\ud800").into_bytes();
                let answer = client.raw(&method, &path, &headers, bytes).await;
                if let Some(it) = town.judge(&path, true, &answer) {
                    wrong.push(format!("{method} {} {place} surrogate: {it}", route.path));
                }
                if answer.status != 400 && !base.as_object().unwrap().is_empty() {
                    let text = answer.text;
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
                let answer = client.raw("GET", path, &[("accept", accept)], Vec::new()).await;
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
                    let mut client = town.city.signed_in(Who::Citizen(person)).await;
                    let answer = client.raw("GET", path, &[(name, value)], Vec::new()).await;
                    if answer.status.is_server_error() {
                        wrong.push(format!("{path} {name}: {}: {}", short(value), answer.status));
                    }
                }
            }
        }
        report(&wrong);
    });
}
