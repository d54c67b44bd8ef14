//! scratch
#![allow(clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::as_conversions, clippy::print_stdout, clippy::disallowed_methods, clippy::indexing_slicing)]
use std::sync::Arc;
use base64::Engine as _;
use contracts::person::*;
use credential::*;
use kernel::*;
use store::*;
use web::{Access, App, Route, Slice};
use axum::extract::State;

fn t(app: &App) -> i64 { app.now().seconds() }
fn root(app: &App) -> IssuerSigner { IssuerSigner::from_seed(&*app.keyring.key("root").unwrap()).unwrap() }
fn issuer(app: &App) -> IssuerSigner { IssuerSigner::from_seed(&*app.keyring.key("issuer").unwrap()).unwrap() }
async fn trust(State(app): State<App>) -> axum::Json<serde_json::Value> {
    let l = TrustList { region: "kr-11".into(), version: 1, issued_at: t(&app), valid_until: t(&app) + 86400 * 7, keys: vec![IssuerKey::new(issuer(&app).public(), 0, 4_000_000_000)] };
    axum::Json(serde_json::json!({"list": base64::engine::general_purpose::STANDARD.encode(root(&app).sign_trust(&l).unwrap())}))
}
async fn revocations(State(app): State<App>) -> axum::Json<serde_json::Value> {
    let l = RevocationList::new(1, t(&app), t(&app) + 86400 * 3, &[]);
    axum::Json(serde_json::json!({"list": base64::engine::general_purpose::STANDARD.encode(root(&app).sign_revocations(&l).unwrap())}))
}
async fn code(State(app): State<App>, axum::extract::Path((colour, printed, n)): axum::extract::Path<(u8, bool, u8)>) -> String {
    let device = DeviceKey::from_scalar(&[9; 32]).unwrap();
    let pass = [n; 16];
    let colour = [Colour::Unknown, Colour::Green, Colour::Yellow, Colour::Red][colour as usize];
    let holder = if printed { Holder::Printed } else { Holder::Device(device.public()) };
    let c = HealthCode { pass, colour, issued_at: t(&app) - 5, valid_until: t(&app) + 3600, holder, region: "kr-11".into() };
    let signed = issuer(&app).sign_code(&c).unwrap();
    let moment = if printed { None } else { Some(device.prove(&pass, t(&app)).unwrap()) };
    Presentation { signed, moment }.to_text()
}
fn fake() -> Slice {
    Slice { name: "code", routes: || vec![
        Route::get("/api/v1/code/trust", trust, Access::Anyone),
        Route::get("/api/v1/code/revocations", revocations, Access::Anyone),
        Route::get("/lab/{colour}/{printed}/{n}", code, Access::Anyone),
    ], streams: &[], observations: &[], views: &[], migrations: &[], reactions: &[], texts: [("ko", ""), ("en", ""), ("zh-Hans", "")], queries: &[], samples: || vec![], refusals: &[], examples: &[], api: web::no_api, nav: &[], desk: &[], assets: &[], jobs: &[] }
}
#[tokio::main]
async fn main() {
    let dir = std::path::PathBuf::from("/tmp/gate-lab-data");
    if std::env::var("KEEP").is_err() { let _ = std::fs::remove_dir_all(&dir); }
    let slices = vec![fake(), gate::slice(), web::slice()];
    let mut registry = Registry::default();
    for s in &slices { registry.streams.extend_from_slice(s.streams); registry.observations.extend_from_slice(s.observations); registry.views.extend_from_slice(s.views); registry.migrations.extend(s.migrations.iter().map(|it| (s.name, *it))); }
    let keyring = Arc::new(Keyring::open(&dir.join("keys"), Seed::fixed(9)).unwrap());
    let store = Store::open(Options { dir, region: "kr-11".parse().unwrap(), origin: "x.example/log".into(), clock: Arc::new(SystemClock), seed: Seed::fixed(3), keyring: keyring.clone(), registry }).unwrap().store;
    let mut q = web::Questions::default();
    q.grants_of = |_, _, now| Ok(vec![Grant { role: Role::Owner, scope: Scope::Organisation(Id::from_u128(1)), until: now.plus_days(1) }]);
    q.typed_code = |_, short, now| Ok((short == ShortCode::from_bits(7).to_string()).then(|| contracts::code::TypedAnswer { pass: Id::from_u128(255), colour: contracts::code::Colour::Green, valid_until: now.plus_seconds(60), revoked: false }));
    let app = App::try_new(web::Parts { store: store.clone(), config: web::Config::local(8099, true).unwrap(), keyring, questions: q, slices: slices.clone() }).unwrap();
    let link = store.write(|tx| web::link::make(tx, web::Who::Staff(Id::from_u128(5)), 3600)).await.unwrap();
    println!("LINK {link}");
    println!("SHORT {}", ShortCode::from_bits(7));
    let router = web::build_router(&slices, app);
    let l = tokio::net::TcpListener::bind("127.0.0.1:8099").await.unwrap();
    axum::serve(l, router.into_make_service_with_connect_info::<std::net::SocketAddr>()).await.unwrap();
}
