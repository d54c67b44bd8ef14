//! Whom others are to believe of us, and what of ours is good no longer: the file of signers and the
//! status lists, as they are published, and as our own verifiers get them.
//!
//! The lists have two bits a place (good, revoked, suspended) and 262,144 places each: one list says of
//! the passes of a whole town, so that who fetches it tells nobody which pass is meant. Places are drawn
//! at random, so that neighbours in a list have nothing to do with each other (Token Status List,
//! "Unlinkability" and "Correlation Risks"). The region's authority signs them, not the organisations: a
//! stolen key cannot make its own passes good again.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::pass::PassSigner;
use credential::issue::Authority;
use credential::pass::status::{StatusClaims, StatusList};
use credential::pass::{self, Certificate, Trust};
use kernel::{Instant, Region};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::{Fault, Keyring, Reader, Tx};
use web::App;

use crate::kept::Kept;
use crate::view::{self, Reached};

/// Bits for each pass.
const BITS: u8 = 2;
/// Places in a list: 64 KiB before packing.
pub const PLACES: u32 = 1 << 18;
/// Places that are tried in a list before the next one is begun: four fifths are taken by then, mostly.
const TRIES: u32 = 16;
/// How long a list may be relied on, in seconds: as gates rely on the region's other lists.
pub const LIST_S: i64 = 96 * 3_600;
/// New lists that often at most where nothing has changed, in seconds; how long others should keep one.
pub const STEP_S: i64 = 600;

/// A list as it is published.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its number, from 1 on.
    pub number: u32,
    /// The Status List Token as CWT.
    pub cwt: Vec<u8>,
    /// The same as JWT.
    pub jwt: String,
}

/// Everything that is published.
#[derive(Debug, Clone)]
pub struct Own {
    /// What our own verifiers judge our passes by.
    pub trust: Arc<Trust>,
    /// The signers as JSON.
    pub signers: Vec<u8>,
    /// The signers as certificates, for who reads PEM. Refused keys are not among them: PEM cannot say
    /// since when.
    pub pem: String,
    /// All lists.
    pub lists: Vec<Published>,
    /// Whether anything was ever signed.
    pub is_used: bool,
}

/// What a set was made from.
type Key = (PathBuf, String, i64, Reached, [u8; 32]);

static BUILT: Kept<Key, Own> = Kept::new(8);

/// The region's authority.
pub fn authority(keyring: &Keyring, region: &Region) -> Result<Authority, Fault> {
    Authority::of_region(&*keyring.key("root")?, &region.country(), region.as_str())
        .map_err(|error| Fault::caused("reading the authority's key", error))
}

/// The address of a list.
pub fn address(origin: &str, list: u32) -> String {
    format!("{origin}/statuslists/{list}")
}

/// A place that nobody has and nobody had.
pub(crate) fn free_place(tx: &mut Tx<'_>) -> Result<(u32, u32), Fault> {
    let mut list = view::last_list(tx)?.unwrap_or(1).max(1);
    // A new list is empty, so that this ends.
    loop {
        for _ in 0..TRIES {
            let place = u32::try_from(tx.seed().below(u64::from(PLACES))).unwrap_or(0);
            if !view::is_taken(tx, list, place)? {
                return Ok((list, place));
            }
        }
        list = list.checked_add(1).ok_or_else(|| Fault::new("there are no more status lists"))?;
    }
}

/// What is published at `now`; made anew when something has changed, or every ten minutes.
pub fn own(app: &App, reader: &mut Reader<'_>, now: Instant) -> Result<Arc<Own>, Fault> {
    let signers = (app.questions.pass_signers)(reader)?;
    let signers: Vec<_> = signers.into_iter().filter(|it| now < it.until).collect();
    let reached = view::reached(reader)?;
    let step = now.seconds().max(0) / STEP_S * STEP_S;
    let changed = reached.at.filter(|it| *it <= now).map_or(0, Instant::seconds);
    let issued_at = step.max(changed);
    let origin = app.config.origin_text();
    let mut digest = Sha256::new();
    for it in &signers {
        digest.update(it.kid);
        digest.update(it.refused_from.map_or(i64::MAX, Instant::micros).to_be_bytes());
    }
    let digest = digest.finalize().into();
    let key = (app.keyring.dir().to_owned(), origin, issued_at, reached, digest);
    if let Some(own) = BUILT.find(&key) {
        return Ok(own);
    }
    let region = reader.region().clone();
    let statuses = view::statuses(reader)?;
    let authority = authority(&app.keyring, &region)?;
    let mut lists = Vec::new();
    for number in 1..=reached.last.unwrap_or(0) {
        let places = statuses.iter().filter(|it| it.0 == number).map(|it| (it.1, it.2));
        lists.push(signed(&authority, &key.1, number, places, issued_at)?);
    }
    let (json, pem) = files(&authority, &region, &signers, issued_at);
    let mut trust = Trust::default();
    trust.add(&json);
    for list in &lists {
        trust.add(&list.cwt);
    }
    let is_used = !signers.is_empty();
    let own = Own { trust: Arc::new(trust), signers: json, pem, lists, is_used };
    Ok(BUILT.keep(key, own))
}

fn signed(
    authority: &Authority,
    origin: &str,
    number: u32,
    places: impl Iterator<Item = (u32, u8)>,
    issued_at: i64,
) -> Result<Published, Fault> {
    let size = usize::try_from(PLACES).unwrap_or(0);
    let list = StatusList::try_new(BITS, size);
    let mut list = list.ok_or_else(|| Fault::new("a status list of no possible size"))?;
    for (place, status) in places {
        let set = usize::try_from(place).ok().and_then(|place| list.set(place, status));
        set.ok_or_else(|| Fault::new("a place beyond the end of its status list"))?;
    }
    let uri = address(origin, number);
    let expires_at = issued_at + LIST_S;
    let claims = StatusClaims { uri: &uri, list: &list, issued_at, expires_at, ttl_s: STEP_S };
    let wrong = |error| Fault::caused("signing a status list", error);
    let cwt = authority.signer().sign_status(&claims).map_err(wrong)?;
    let jwt = authority.signer().sign_status_jwt(&claims).map_err(wrong)?;
    Ok(Published { number, cwt, jwt })
}

/// The file of signers in the form that national lists of signers have, with its end, and as PEM, which
/// cannot say one.
fn files(
    authority: &Authority,
    region: &Region,
    signers: &[PassSigner],
    issued_at: i64,
) -> (Vec<u8>, String) {
    let country = region.country();
    let entry = |kind: &str, der: &[u8], refused_from: Option<Instant>| {
        let kid = Certificate::from_der(der).map(|it| STANDARD.encode(it.kid()));
        let mut entry = json!({
            "certificateType": kind, "country": country, "kid": kid, "rawData": STANDARD.encode(der),
        });
        if let (Some(from), Value::Object(entry)) = (refused_from, &mut entry) {
            entry.insert("refused_from".to_owned(), json!(from.seconds()));
        }
        entry
    };
    let own = entry("CSCA", authority.certificate(), None);
    let dsc = signers.iter().map(|it| entry("DSC", &it.certificate, it.refused_from));
    let entries: Vec<_> = std::iter::once(own).chain(dsc).collect();
    let good = signers.iter().filter(|it| it.refused_from.is_none());
    let pem: String = std::iter::once(authority.certificate())
        .chain(good.map(|it| it.certificate.as_slice()))
        .map(pem)
        .collect();
    let file = json!({
        "certificates": entries, "issued_at": issued_at, "valid_until": issued_at + LIST_S,
    });
    (file.to_string().into_bytes(), pem)
}

/// Lines of 64 characters (RFC 7468).
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (at, letter) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            out.push('\n');
        }
        out.push(letter);
    }
    out.push_str("\n-----END CERTIFICATE-----\n");
    out
}

/// Whether one of our own signers is named by this pass.
pub fn is_ours(own: &Own, texts: &[String]) -> bool {
    own.is_used && !pass::prepare(&texts.join("\n"), &own.trust).checks().is_empty()
}
