//! Personal data that the test knows by sight go through the whole house, with everything that is
//! logged captured: they appear in no line, in no metric, in no address, in no answer to others.
//!
//! The subscriber is the process's: what every other test of this binary does at the same time is
//! captured too.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use http::StatusCode;
use serde_json::json;
use tracing_subscriber::EnvFilter;
use web::testing::{Answer, Browser};

use crate::city::base64url;
use crate::journeys::{DECLARATIONS, declare, healthy, inbox, register, run, staff};

const NAME: &str = "카나리아노랑";
const PHONE: &str = "+821098765432";
const DOCUMENT: &str = "CANARY7788";
const ADDRESS: &str = "카나리아길 42-7";
const GROUNDS: &str = "카나리아-사유-99";

/// Everything of ours, and what libraries say to whoever looks for a fault.
const LEVELS: &str = "debug,kernel=trace,ledger=trace,credential=trace,rules=trace,contracts=trace,\
     store=trace,web=trace,person=trace,code=trace,gate=trace,logbook=trace,app=trace,sim=trace";

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Captures what this process logs from now on, as `haetae serve` would write it.
fn capture() -> Captured {
    static CAPTURED: OnceLock<Captured> = OnceLock::new();
    let captured = CAPTURED.get_or_init(|| {
        let captured = Captured::default();
        let writer = captured.clone();
        let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(LEVELS)).json();
        lines.flatten_event(true).with_writer(move || writer.clone()).init();
        captured
    });
    captured.clone()
}

/// Addresses and answers on the way, to be searched at the end.
#[derive(Default)]
struct Seen {
    addresses: Vec<String>,
    others: Vec<String>,
}

impl Seen {
    /// Where an answer sends its reader, and every address on it.
    fn addresses(&mut self, answer: &Answer) {
        self.addresses.extend(answer.location().map(str::to_owned));
        for mark in ["href=\"", "action=\"", "src=\""] {
            let parts = answer.text.split(mark).skip(1);
            self.addresses.extend(parts.filter_map(|it| it.split('"').next().map(str::to_owned)));
        }
    }

    /// An answer to somebody whom it does not concern.
    fn other(&mut self, answer: &Answer) {
        self.addresses(answer);
        self.others.push(answer.text.clone());
    }
}

async fn visit(browser: &mut Browser, seen: &mut Seen, path: &str) -> Answer {
    let answer = browser.get(path).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.status);
    seen.addresses(&answer);
    answer
}

#[test]
fn seeded_personal_data_appear_in_no_log_metric_address_or_answer_to_others() {
    let captured = capture();
    run(async |city, told| {
        let mut seen = Seen::default();
        let (mut me, id) = register(&city, NAME, PHONE).await;
        let mut body = healthy(NAME);
        body["document"] = json!(DOCUMENT);
        body["residence"] = json!(ADDRESS);
        declare(&mut me, &body).await;
        // Bodies that are refused are easily quoted.
        for (field, value) in [
            ("temperature_tenths", json!(DOCUMENT)),
            ("symptoms", json!(ADDRESS)),
            ("contact_confirmed", json!(NAME)),
            ("stays", json!([{ "country": PHONE }])),
        ] {
            let mut wrong = body.clone();
            wrong[field] = value;
            assert!(me.post_json(DECLARATIONS, &wrong).await.status.is_client_error(), "{field}");
        }
        let broken = format!("{{\"name\":\"{NAME}\",\"document\":\"{DOCUMENT}\"").into_bytes();
        let answer = me.post_raw(DECLARATIONS, "application/json", broken).await;
        assert!(answer.status.is_client_error());
        let key = city.house.app.seed().bytes::<32>();
        let key = json!({ "device_key": base64url(&device_key(key)) });
        let pass = me.post_json("/api/v1/code/passes", &key).await;
        assert_eq!(pass.status, StatusCode::CREATED, "{}", pass.text);
        let pass = pass.json();
        for path in [
            "/",
            "/code",
            "/code/history",
            "/code/declare",
            "/account",
            "/account/help",
            "/account/sessions",
        ] {
            visit(&mut me, &mut seen, path).await;
        }

        // Officers read, with a reason; others try and are refused.
        let mut officer = staff(&city, told.officers[0]).await;
        let person = format!("/desk/code/people/{id}");
        let read = officer.form(&person, &[("purpose", "order"), ("grounds", GROUNDS)]).await;
        assert!(read.text.contains(NAME), "the officer does see it: {}", read.text);
        seen.addresses(&read);
        let mut stranger = register(&city, "남", "+821055580001").await.0;
        let mut nobody = city.anonymous().await;
        for path in [person.as_str(), "/desk", "/desk/people", "/api/v1/people", "/code", "/log"] {
            seen.other(&stranger.get(path).await);
            seen.other(&nobody.get(path).await);
        }
        for (phone, code) in [(PHONE, "000000"), ("01098765432x", "1"), (NAME, DOCUMENT)] {
            seen.addresses(&nobody.form("/sign-in", &[("phone", phone), ("next", "")]).await);
            let fields = [("phone", phone), ("code", code)];
            seen.addresses(&nobody.form("/sign-in/code", &fields).await);
        }
        let codes: Vec<String> =
            inbox(&city, PHONE).await.iter().flat_map(|it| digits(it)).collect();
        assert!(!codes.is_empty());
        let cookie = me.cookie("__Host-haetae").expect("a session").to_owned();
        let mut ops = Browser::new(&city.house.app, web::build_ops_router(city.house.app.clone()));
        for path in ["/metrics", "/ready"] {
            seen.other(&ops.get(path).await);
        }
        // What breaks is logged with its whole chain.
        city.house.app.store.close();
        declare_in_vain(&mut me, &body).await;
        seen.other(&stranger.post_json(DECLARATIONS, &body).await);

        let mut secrets = vec![
            NAME.to_owned(),
            DOCUMENT.to_owned(),
            ADDRESS.to_owned(),
            GROUNDS.to_owned(),
            "98765432".to_owned(),
            cookie,
        ];
        for field in ["code", "pass", "short_code"] {
            secrets.extend(pass[field].as_str().filter(|it| it.len() > 5).map(str::to_owned));
        }
        assert!(secrets.len() > 6, "a pass has an id or a code: {pass}");
        let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("\"answered\"") && log.contains("a request met a fault"), "{log}");
        assert!(seen.addresses.len() > 50);
        let places = [
            ("the log", vec![log]),
            ("an address", seen.addresses),
            ("an answer to others", seen.others),
        ];
        for (place, texts) in &places {
            for text in texts {
                for secret in &secrets {
                    let around = text.find(secret.as_str()).map(|at| around(text, at));
                    assert_eq!(around, None, "{secret} stands in {place}");
                }
                let mut words = text.split(|it: char| !it.is_alphanumeric());
                let code = words.find(|it| codes.iter().any(|code| code == it));
                assert_eq!(code, None, "a one-time code stands in {place}");
            }
        }
    });
}

/// A request that meets a store that is closed.
async fn declare_in_vain(me: &mut Browser, body: &serde_json::Value) {
    let answer = me.post_json(DECLARATIONS, body).await;
    assert!(answer.status.is_server_error(), "{}", answer.text);
}

fn device_key(secret: [u8; 32]) -> [u8; 33] {
    credential::DeviceKey::from_scalar(&secret).unwrap().public()
}

fn digits(text: &str) -> Vec<String> {
    let words = text.split(|it: char| !it.is_ascii_digit());
    words.filter(|it| it.len() == 6).map(str::to_owned).collect()
}

/// A little of the text before and after.
fn around(text: &str, at: usize) -> String {
    let from = (0..=at).rev().filter(|it| text.is_char_boundary(*it)).nth(60).unwrap_or(0);
    text[from..].chars().take(160).collect()
}
