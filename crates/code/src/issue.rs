//! Signing: codes with the region's issuing key, the lists that gates carry with its root key.

use contracts::code::Colour;
use credential::{HealthCode, IssuerSigner, Presentation, RevocationList, TrustList};
use kernel::{Id, Instant, Region};
use store::{Fault, Keyring};

use crate::event::Event;
use crate::issuer::Issuers;
use crate::keys;
use crate::model::{DeviceKey, HeldPass};

/// How long a gate may rely on a list, in seconds: 72 h without a server (Korea, 6 January 2022:
/// more than 5 h out), and a day's grace.
pub const LIST_S: i64 = 96 * 3_600;
/// New lists each minute at most: a gate that is told "lists from before now do not count" (see
/// [`credential::Floor`]) must find ones that do.
const STEP_S: i64 = 60;

/// The region's key with this name.
pub fn signer(keyring: &Keyring, name: &str) -> Result<IssuerSigner, Fault> {
    let key = keyring.key(name)?;
    IssuerSigner::from_seed(&key).map_err(|error| Fault::caused("reading a signing key", error))
}

/// The public root key that a gate is given when it is enrolled.
pub fn root_public(keyring: &Keyring) -> Result<[u8; 32], Fault> {
    Ok(signer(keyring, "root")?.public())
}

/// A signed code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The pass as it was issued.
    pub pass: HeldPass,
    /// The untagged COSE_Sign1.
    pub code: Vec<u8>,
}

impl Signed {
    /// What a printed QR holds: the code without a proof of the moment.
    pub fn printed_text(&self) -> String {
        Presentation { signed: self.code.clone(), moment: None }.to_text()
    }
}

/// The pass that these events issued.
pub fn issued(events: &[Event]) -> Option<HeldPass> {
    events.iter().find_map(|event| match event {
        Event::PassIssued { pass, device_key, colour, issued_at, valid_until, short, issuer } => {
            Some(HeldPass {
                pass: *pass,
                device_key: *device_key,
                colour: *colour,
                issued_at: *issued_at,
                valid_until: *valid_until,
                short: *short,
                issuer: *issuer,
            })
        }
        _ => None,
    })
}

/// Signs a pass. Deterministic (Ed25519): the same pass gives the same bytes, so a repeated command
/// gets the same answer without the bytes being kept.
pub fn sign(keyring: &Keyring, region: &Region, pass: HeldPass) -> Result<Signed, Fault> {
    let code = keys::signer(keyring, pass.issuer)?
        .sign_code(&content(region, &pass))
        .map_err(|error| Fault::caused("signing a code", error))?;
    Ok(Signed { pass, code })
}

/// What the code of a pass says.
pub(crate) fn content(region: &Region, pass: &HeldPass) -> HealthCode {
    HealthCode {
        pass: pass.pass.to_bytes(),
        colour: colour(pass.colour),
        issued_at: pass.issued_at.seconds(),
        valid_until: pass.valid_until.seconds(),
        holder: match pass.device_key {
            Some(DeviceKey(key)) => credential::Holder::Device(key),
            None => credential::Holder::Printed,
        },
        region: region_text(region),
    }
}

/// A region's name as codes carry it: at most 16 characters.
fn region_text(region: &Region) -> String {
    region.as_str().chars().take(16).collect()
}

fn colour(it: Colour) -> credential::Colour {
    match it {
        Colour::Unknown => credential::Colour::Unknown,
        Colour::Green => credential::Colour::Green,
        Colour::Yellow => credential::Colour::Yellow,
        Colour::Red => credential::Colour::Red,
    }
}

/// A signed list with when it was made and until when it may be used, in unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The COSE_Sign1.
    pub signed: Vec<u8>,
    /// The public half of the region's root key, which signed it.
    pub root: [u8; 32],
    /// Grows with every list.
    pub version: u64,
    /// When it was made.
    pub issued_at: i64,
    /// Until when it may be used.
    pub valid_until: i64,
}

/// Version, time and end of the lists of this minute, or of the moment in it in which the keys
/// changed: what is told to count from that moment on must find lists that do.
fn list(issuers: &Issuers, now: Instant) -> (u64, i64, i64) {
    let step = now.seconds().max(0) / STEP_S * STEP_S;
    let changed = issuers.changed_at.filter(|it| *it <= now).map_or(0, Instant::seconds);
    let issued_at = step.max(changed);
    (u64::try_from(issued_at).unwrap_or(0), issued_at, issued_at + LIST_S)
}

/// The keys whose signatures count. The same for a whole minute, unless they change, so that it can be
/// cached.
pub fn trust(
    keyring: &Keyring,
    issuers: &Issuers,
    region: &Region,
    now: Instant,
) -> Result<List, Fault> {
    let (version, issued_at, valid_until) = list(issuers, now);
    let keys = issuers.rows(now);
    let it = TrustList { region: region_text(region), version, issued_at, valid_until, keys };
    let root = signer(keyring, "root")?;
    let signed = root.sign_trust(&it);
    let signed = signed.map_err(|error| Fault::caused("signing the trust list", error))?;
    Ok(List { signed, root: root.public(), version, issued_at, valid_until })
}

/// The passes that are no longer good, signed and as they were before. `passes` are those that would still
/// be valid at `now`.
pub fn revocations(
    keyring: &Keyring,
    issuers: &Issuers,
    passes: &[Id<contracts::code::Pass>],
    now: Instant,
) -> Result<(List, RevocationList), Fault> {
    let (version, issued_at, valid_until) = list(issuers, now);
    let passes: Vec<[u8; 16]> = passes.iter().map(|it| it.to_bytes()).collect();
    let it = RevocationList::new(version, issued_at, valid_until, &passes);
    let root = signer(keyring, "root")?;
    let signed = root.sign_revocations(&it);
    let signed = signed.map_err(|error| Fault::caused("signing the revocation list", error))?;
    Ok((List { signed, root: root.public(), version, issued_at, valid_until }, it))
}

/// The region's own lists, as gates get them.
pub fn own_lists(
    reader: &mut store::Reader<'_>,
    keyring: &Keyring,
    now: Instant,
) -> Result<Option<contracts::code::OwnLists>, Fault> {
    let region = reader.region().clone();
    let passes = crate::view::revoked(reader, now)?;
    let issuers = keys::issuers(reader)?;
    let List { signed: trust, root, .. } = trust(keyring, &issuers, &region, now)?;
    let revocations = revocations(keyring, &issuers, &passes, now)?.0.signed;
    Ok(Some(contracts::code::OwnLists { trust, revocations, root }))
}
