//! Access, problems, forms, headers, assets, health.

use http::{Method, StatusCode, header};
use serde_json::json;

use super::*;
use crate::session::Begin;
use crate::testing::Browser;
use crate::{Config, DiskConfig, Who, build_ops_router};

fn begin(who: Who) -> Begin {
    Begin { who, ..Begin::default() }
}

#[tokio::test]
async fn every_access_lets_in_whom_it_names_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let mut nobody = house.browser();
    let mut citizen = house.browser_of(begin(Who::Citizen(PERSON))).await;
    let mut officer = house.browser_of(begin(Who::Staff(OFFICER))).await;
    let mut idle = house.browser_of(begin(Who::Staff(Id::from_u128(99)))).await;
    for (path, expected) in [
        ("/tried/citizen", [401, 200, 403, 403]),
        ("/tried/signed-in", [401, 200, 200, 200]),
        ("/tried/staff", [401, 403, 200, 200]),
        ("/tried/officer", [401, 403, 200, 403]),
        ("/tried/auditor", [401, 403, 403, 403]),
        ("/tried/demo", [200, 200, 200, 200]),
    ] {
        for (browser, status) in
            [&mut nobody, &mut citizen, &mut officer, &mut idle].into_iter().zip(expected)
        {
            assert_eq!(browser.get_json(path).await.status.as_u16(), status, "{path}");
        }
    }
}

#[tokio::test]
async fn a_visitor_who_looks_at_a_closed_page_is_led_to_the_sign_in_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let answer = house(&dir).browser().get("/tried/citizen?a=1").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), Some("/sign-in?next=%2Ftried%2Fcitizen%3Fa%3D1"));
}

#[tokio::test]
async fn outside_of_a_demo_demo_pages_are_not_there_and_staff_need_a_passkey() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { demo: false, ..Config::local(8080, false).unwrap() };
    let house = House::with_config(dir.path(), vec![tried()], questions(), config);
    let mut officer = house.browser_of(begin(Who::Staff(OFFICER))).await;
    assert_eq!(officer.get_json("/tried/demo").await.code(), "web-not-found");
    assert_eq!(officer.get_json("/demo/inbox").await.status, StatusCode::NOT_FOUND);
    assert_eq!(officer.get_json("/tried/officer").await.code(), "web-passkey-required");
    assert_eq!(officer.get("/tried/officer").await.location(), Some("/account/passkeys"));
    assert_eq!(officer.get("/account/passkeys").await.status, StatusCode::OK);
    let strong = Begin { strong: true, ..begin(Who::Staff(OFFICER)) };
    let mut officer = house.browser_of(strong).await;
    let answer = officer.get_json("/tried/officer").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
}

#[tokio::test]
async fn problems_are_pages_for_people_and_rfc_9457_for_programs() {
    let dir = tempfile::tempdir().unwrap();
    let mut browser = house(&dir).browser();
    let answer = browser.get_json("/no-such-page").await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
    let body = answer.json();
    assert_eq!(body["code"], "web-not-found");
    assert_eq!(body["type"], "/problems/web-not-found");
    assert_eq!(body["status"], 404);
    assert_eq!(body["title"], "찾으시는 화면이 없습니다.");
    assert_eq!(body["instance"].as_str().unwrap(), answer.headers["x-request-id"]);

    let req = browser
        .request(Method::GET, "/no-such-page")
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .header(header::ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9");
    let page = browser.send(req.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("没有找到该页面"), "{}", page.text);
    assert!(page.text.contains("/problems/web-not-found"));

    let req = browser.request(Method::DELETE, "/help");
    let answer = browser.send(req.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (405, "web-method-not-allowed"));
}

#[tokio::test]
async fn a_panic_is_a_problem_and_tells_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let answer = house(&dir).browser().get_json("/tried/panics").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.code(), "web-fault");
    assert!(!answer.text.contains("as the test wishes"));
}

#[tokio::test]
async fn broken_forms_are_refused_and_never_a_500() {
    let dir = tempfile::tempdir().unwrap();
    let mut browser = house(&dir).browser();
    browser.get("/sign-in").await;
    let token = browser.csrf.clone();
    let form = "application/x-www-form-urlencoded";
    for (broken, status) in [
        (b"a=%ED%A0%80".to_vec(), 400),
        (b"a=%FF%FE".to_vec(), 400),
        (b"\xff\xfe=1".to_vec(), 400),
        (b"a=%zz".to_vec(), 400),
        (b"x&".repeat(2_000), 400),
        (b"a=".iter().copied().chain(vec![b'x'; 1_100_000]).collect(), 413),
        (Vec::new(), 200),
        (b"a=%F0%9F%A6%81&a=2".to_vec(), 200),
    ] {
        let mut body = format!("_csrf={token}&").into_bytes();
        body.extend_from_slice(&broken);
        let answer = browser.post_raw("/tried/form", form, body).await;
        assert_eq!(answer.status.as_u16(), status, "{:?}", broken.get(..20));
    }
    let answer = browser.post_raw("/tried/form", "text/plain", b"a=1".to_vec()).await;
    assert_eq!(answer.status.as_u16(), 415);
}

#[tokio::test]
async fn broken_json_is_refused_and_never_a_500() {
    let dir = tempfile::tempdir().unwrap();
    let mut browser = house(&dir).browser();
    for broken in [&b"{"[..], b"\"\\ud800\"", b"\"\xff\"", b"", b"[1,]"] {
        let req = browser
            .request(Method::POST, "/tried/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(axum::body::Body::from(broken.to_vec()))
            .unwrap();
        let answer = browser.send(req).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "web-json-invalid"));
    }
    let deep = "[".repeat(100_000);
    let req = browser
        .request(Method::POST, "/tried/json")
        .header(header::CONTENT_TYPE, "application/json")
        .body(axum::body::Body::from(deep))
        .unwrap();
    assert_eq!(browser.send(req).await.status.as_u16(), 400);
    assert_eq!(browser.post_json("/tried/json", &json!({"a": "가"})).await.text, "{\"a\":\"가\"}");
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_own_browser() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let (mut one, mut other) = (house.browser(), house.browser());
    one.get("/sign-in").await;
    other.get("/sign-in").await;
    assert_eq!(one.post("/tried/form", &[("a", "1")]).await.status, StatusCode::OK);
    let stolen = format!("_csrf={}&a=1", other.csrf.clone()).into_bytes();
    let answer = one.post_raw("/tried/form", "application/x-www-form-urlencoded", stolen).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let answer = one.post_raw("/tried/form", "application/x-www-form-urlencoded", Vec::new()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn requests_from_other_sites_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut browser = house(&dir).browser();
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let req = browser
            .request(Method::POST, "/tried/json")
            .header(name, value)
            .header(header::CONTENT_TYPE, "application/json")
            .body(axum::body::Body::from("1"))
            .unwrap();
        assert_eq!(browser.send(req).await.code(), "web-cross-site", "{name}: {value}");
    }
}

#[tokio::test]
async fn a_form_sent_twice_is_one_command_and_two_forms_are_two() {
    let dir = tempfile::tempdir().unwrap();
    let mut browser = house(&dir).browser_of(begin(Who::Citizen(PERSON))).await;
    browser.get("/account/sessions").await;
    let first = browser.post("/tried/command", &[]).await.text;
    assert!(first.starts_with("Some("), "{first}");
    assert_eq!(browser.post("/tried/command", &[]).await.text, first);
    browser.get("/account/sessions").await;
    assert_ne!(browser.post("/tried/command", &[]).await.text, first);
}

#[tokio::test]
async fn guessing_is_slowed_down_with_a_time_to_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::local(8080, true).unwrap();
    config.limits.strict_per_minute = 3;
    let house = House::with_config(dir.path(), vec![tried()], questions(), config);
    let mut browser = house.browser();
    for _ in 0..3 {
        assert_eq!(browser.post_json("/tried/strict", &json!({})).await.status, StatusCode::OK);
    }
    let answer = browser.post_json("/tried/strict", &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "web-too-many"));
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let dir = tempfile::tempdir().unwrap();
    let mut browser = house(&dir).browser();
    for path in ["/", "/no-such-page", "/live", "/tried/citizen", "/assets/none/x.js"] {
        let answer = browser.get(path).await;
        let csp = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(csp.starts_with("default-src 'none'") && !csp.contains("unsafe-inline"), "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers["referrer-policy"], "same-origin", "{path}");
        assert!(!answer.headers.contains_key(header::STRICT_TRANSPORT_SECURITY), "{path}");
    }
    assert_eq!(browser.get("/").await.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn files_that_pages_name_are_there_and_immutable() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let mut browser = house.browser();
    for name in ["haetae.css", "theme.js", "present.js", "passkey.js", "mark.svg", "icon-192.png"] {
        let answer = browser.get(&house.app.assets.url(name)).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert!(answer.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }
    assert_eq!(browser.get("/favicon.ico").await.status, StatusCode::OK);
    let manifest = browser.get("/manifest.webmanifest").await.json();
    assert_eq!(manifest["start_url"], "/");
}

/// A city whose disk counts as the test wishes, its public side and the operator's.
fn watched(dir: &tempfile::TempDir, low_percent: u8, full_mib: u64) -> (House, Browser, Browser) {
    let disk = DiskConfig { folder: dir.path().to_owned(), low_percent, full_mib };
    let config = Config { disk, ..Config::local(8080, true).unwrap() };
    let house = House::with_config(dir.path(), vec![tried()], questions(), config);
    let ops = Browser::new(&house.app, build_ops_router(house.app.clone()));
    let public = house.browser();
    (house, public, ops)
}

#[tokio::test]
async fn health_and_metrics_say_what_is_and_name_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let (house, mut public, mut ops) = watched(&dir, 0, 0);
    public.get("/link/abcdef0123").await;
    assert_eq!(ops.get("/live").await.status, StatusCode::OK);
    let ready = ops.get("/ready").await.json();
    assert_eq!(
        (&ready["ready"], &ready["reasons"], &ready["warnings"]),
        (&json!(true), &json!([]), &json!([]))
    );
    assert!(ready["disk_free_bytes"].as_u64().unwrap() > 0);
    let text = ops.get("/metrics").await.text;
    assert!(text.contains("route=\"/link/{token}\",status=\"4xx\"} 1"), "{text}");
    assert!(!text.contains("abcdef0123"));
    let mut gauges = vec!["haetae_disk_free_bytes "];
    // A server's files are its own affair.
    if matches!(house.databases.backend, store::Backend::Folder(_)) {
        gauges.push("haetae_file_bytes{file=\"identity.db\"} ");
    }
    for gauge in gauges {
        let value = text.lines().find_map(|it| it.strip_prefix(gauge)).unwrap();
        assert!(value.parse::<u64>().unwrap() > 0, "{gauge}{value}");
    }

    house.app.store.close();
    assert_eq!(ops.get("/live").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_public_side_says_whether_it_is_ready_and_not_why() {
    let dir = tempfile::tempdir().unwrap();
    let (_house, mut public, _) = watched(&dir, 100, 0);
    assert_eq!(public.get("/live").await.status, StatusCode::OK);
    let ready = public.get("/ready").await;
    assert_eq!((ready.status, ready.text.as_str()), (StatusCode::OK, "ready\n"));
    assert_eq!(public.get("/metrics").await.status, StatusCode::NOT_FOUND);
    let dir = tempfile::tempdir().unwrap();
    let (_house, mut public, _) = watched(&dir, 100, u64::MAX);
    let ready = public.get_json("/ready").await;
    assert_eq!((ready.status.as_u16(), ready.code().as_str()), (503, "web-not-ready"));
    assert!(!ready.text.contains("disk"), "{}", ready.text);
}

#[tokio::test]
async fn a_disk_that_fills_is_a_warning_first_and_then_a_reason() {
    let reasons = async |low_percent, full_mib| {
        let dir = tempfile::tempdir().unwrap();
        let (_house, mut public, mut ops) = watched(&dir, low_percent, full_mib);
        let (bare, explained) = (public.get("/ready").await, ops.get("/ready").await);
        assert_eq!(bare.status, explained.status);
        let body = explained.json();
        (bare.status.as_u16(), body["reasons"].clone(), body["warnings"].clone())
    };
    assert_eq!(reasons(0, 0).await, (200, json!([]), json!([])));
    // No disk has more free than it has.
    assert_eq!(reasons(101, 0).await, (200, json!([]), json!(["disk-low"])));
    assert_eq!(reasons(0, u64::MAX).await, (503, json!(["disk-full"]), json!([])));

    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("gone");
    let config = Config { disk: DiskConfig::of(folder), ..Config::local(8080, true).unwrap() };
    let house = House::with_config(dir.path(), vec![tried()], questions(), config);
    let mut ops = Browser::new(&house.app, build_ops_router(house.app.clone()));
    assert_eq!(ops.get("/ready").await.json()["reasons"], json!(["disk-unreadable"]));
}

#[tokio::test]
async fn the_language_switch_holds_and_leads_back_to_our_own_pages_only() {
    let dir = tempfile::tempdir().unwrap();
    let mut browser = house(&dir).browser();
    let answer = browser.get("/lang/en?to=%2Fhelp").await;
    assert_eq!(answer.location(), Some("/help"));
    assert!(browser.get("/help").await.text.contains("Questions that people often ask"));
    assert_eq!(browser.get("/lang/ko?to=%2F%2Fevil.example").await.location(), Some("/"));
    assert_eq!(browser.get("/lang/xx").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn public_pages_open_in_every_language() {
    let dir = tempfile::tempdir().unwrap();
    let mut browser = house(&dir).browser();
    for tag in ["ko", "en", "zh-Hans"] {
        browser.get(&format!("/lang/{tag}")).await;
        for path in [
            "/",
            "/sign-in",
            "/help",
            "/problems",
            "/problems/web-too-many",
            "/api",
            "/kit",
            "/demo/inbox",
        ] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert!(answer.text.contains(&format!("<html lang=\"{tag}\"")), "{path}");
            assert_eq!(answer.text.matches("<h1").count(), 1, "{path}");
        }
    }
    assert_eq!(browser.get("/problems/none").await.status, StatusCode::NOT_FOUND);
    let api = browser.get_json("/api/openapi.json").await.json();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[tokio::test]
async fn a_path_that_names_nothing_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut browser = house(&dir).browser();
    let path = format!("/tried/path/{PERSON}");
    assert_eq!(browser.get_json(&path).await.text, PERSON.to_string());
    for wrong in ["x", "staff_00000000000000000000000007", "%FF", "%ED%A0%80", "person_"] {
        let answer = browser.get_json(&format!("/tried/path/{wrong}")).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (404, "web-path-invalid"));
    }
}

#[tokio::test]
async fn a_record_is_read_only_after_the_reading_was_written_down() {
    let dir = tempfile::tempdir().unwrap();
    let house = house(&dir);
    let officer = crate::Actor { who: Who::Staff(OFFICER), ..crate::Actor::default() };
    let subject = PERSON.to_u128();
    let later = house.app.now().plus_seconds(1);
    let purpose = crate::Purpose::new("appeal", "A-17");
    let seen = house
        .app
        .read_record(&officer, subject, "tried.record", purpose, move |reader| {
            reader.readings_of(subject, later, 10)
        })
        .await
        .unwrap();
    let row = seen.first().unwrap();
    assert_eq!((row.reader.as_str(), row.purpose.as_str()), (&*OFFICER.to_string(), "appeal"));
    assert_eq!((row.record.as_str(), row.grounds.as_str()), ("tried.record", "A-17"));

    // When it cannot be written down, nothing is read.
    house.app.store.close();
    let read =
        house.app.read_record(&officer, subject, "tried.record", "appeal".into(), |_| Ok(()));
    assert_eq!(read.await.unwrap_err().code, "web-fault");
}
