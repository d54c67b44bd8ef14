//! What a device hands in: a batch of entries that it sealed in the browser and signed.
//!
//! Three layers, each with its own reason:
//!
//! - each entry is sealed to the region's public key at the moment it is made, so that the browser
//!   never holds what it could not protect (ASVS 5.0, 14.3.3); format in [`credential::sealed`];
//! - the batch is signed with the device's key, so that the server knows whose it is;
//! - each entry has a number of its own, so that it counts once whatever the network does.
//!
//! One bad entry never costs the others: it is reported back by number and code. In October 2020
//! England lost 15,841 cases in a file that was cut without a word; here
//! `accepted + rejected = sent`, always.

use contracts::code::Pass;
use contracts::gate::{Device, Entered, Place, Verdict};
use credential::ShortCode;
use credential::sealed::QueueKey;
use kernel::Id;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::Fault;

use crate::model::PublicKey;
use crate::refusal::Refusal;

/// Entries in one batch.
pub const ENTRIES_MAX: usize = 200;
/// Characters of one sealed entry in base64url; ours have about 300.
pub const DATA_MAX: usize = 2_048;
/// How far an entry's number may lie from the batch's first.
pub const NUMBERS_MAX: u64 = 100_000;
/// The largest number that a browser counts to exactly.
const NUMBER_MAX: u64 = (1 << 53) - 1;
/// Reasons of one entry.
const REASONS_MAX: usize = 22;

const BATCH_CONTEXT: &[u8] = b"haetae/gate-batch/v1";
const ENROL_CONTEXT: &[u8] = b"haetae/gate-enrol/v1";
const TYPED_CONTEXT: &[u8] = b"haetae/gate-typed/v1";
const PAIR_CONTEXT: &[u8] = b"haetae/gate-pair/v1";

/// One sealed entry as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedEntry {
    /// Its number, which is also its sealing counter.
    pub n: u64,
    /// The sealed bytes in base64url without padding. Signed as this text: an entry that was
    /// damaged in the browser's store is then one bad entry and not a bad signature.
    pub data: String,
}

/// A batch as it was sent, with its envelope read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Who hands it in.
    pub device: Id<Device>,
    /// 128 random bits that name it: sent twice, it is taken once.
    pub id: u128,
    /// The smallest number in it.
    pub first_n: u64,
    /// When it was put together, in unix seconds, by the device's clock.
    pub made_at_s: i64,
    /// The ephemeral key that its entries were sealed with.
    pub ephemeral: Vec<u8>,
    /// The entries.
    pub entries: Vec<SealedEntry>,
}

/// Appends a length and the bytes: two texts side by side cannot be cut elsewhere.
fn put(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    to.extend_from_slice(bytes);
}

impl Batch {
    /// The bytes that the device signs (ES256). Numbers are big endian:
    ///
    /// ```text
    /// "haetae/gate-batch/v1"   length (4) device id as text   batch (16)
    /// first_n (8)   made_at (8)   length (4) ephemeral   count (4)
    /// then per entry: n (8)   length (4) data as sent
    /// ```
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = BATCH_CONTEXT.to_vec();
        put(&mut bytes, self.device.to_string().as_bytes());
        bytes.extend_from_slice(&self.id.to_be_bytes());
        bytes.extend_from_slice(&self.first_n.to_be_bytes());
        bytes.extend_from_slice(&self.made_at_s.to_be_bytes());
        put(&mut bytes, &self.ephemeral);
        let count = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&count.to_be_bytes());
        for it in &self.entries {
            bytes.extend_from_slice(&it.n.to_be_bytes());
            put(&mut bytes, it.data.as_bytes());
        }
        bytes
    }

    /// Whether it has the form of a batch at all.
    pub fn check(&self) -> Result<(), Refusal> {
        if ENTRIES_MAX < self.entries.len() {
            return Err(Refusal::BatchTooLarge);
        }
        if self.entries.is_empty() { Err(Refusal::BatchMalformed) } else { Ok(()) }
    }
}

fn first_128(digest: &[u8]) -> u128 {
    digest.iter().take(16).fold(0, |sum, it| sum << 8 | u128::from(*it))
}

/// The bytes that a device signs when it asks to be enrolled: whoever sends a public key has the
/// private one.
pub fn enrolment_bytes(place_code: &str, label: &str, key: &PublicKey, made_at_s: i64) -> Vec<u8> {
    let mut bytes = ENROL_CONTEXT.to_vec();
    bytes.extend_from_slice(&made_at_s.to_be_bytes());
    for part in [place_code.as_bytes(), label.as_bytes(), key.as_bytes()] {
        put(&mut bytes, part);
    }
    bytes
}

/// The bytes that a device signs when it asks what a typed code says.
pub fn typed_bytes(device: Id<Device>, short: &str, made_at_s: i64) -> Vec<u8> {
    let mut bytes = TYPED_CONTEXT.to_vec();
    bytes.extend_from_slice(&made_at_s.to_be_bytes());
    put(&mut bytes, device.to_string().as_bytes());
    put(&mut bytes, short.as_bytes());
    bytes
}

/// Six digits that owner and guard compare before the device is approved, in two groups: the first
/// 32 bits of SHA-256 over context, device id as text and key, modulo a million. Both sides compute
/// them; the device's id, which the server draws, keeps a stranger from searching for a key with
/// another device's digits.
pub fn pairing_digits(device: Id<Device>, key: &PublicKey) -> String {
    let mut hash = Sha256::new();
    hash.update(PAIR_CONTEXT);
    hash.update(device.to_string());
    hash.update(key.as_bytes());
    let digits = (first_128(&hash.finalize()) >> 96) % 1_000_000;
    format!("{:03} {:03}", digits / 1_000, digits % 1_000)
}

/// What lies sealed in an entry, as the browser wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plain {
    /// The pass id in hexadecimal digits.
    pub pass: Option<String>,
    /// When, in unix seconds, by the device's clock.
    pub at: i64,
    /// What the guard was told.
    pub verdict: Verdict,
    /// Why.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// `device_bound` or `printed`.
    #[serde(default)]
    pub class: Option<String>,
    /// Typed rather than scanned.
    #[serde(default)]
    pub typed: bool,
    /// The short code, where it was typed without a network: the server looks it up now.
    #[serde(default)]
    pub short: Option<String>,
}

impl Plain {
    fn read(json: &[u8]) -> Option<Self> {
        let it: Self = serde_json::from_slice(json).ok()?;
        let pass = it.pass.as_deref().is_none_or(is_pass);
        let short = it.short.as_deref().is_none_or(|it| it.parse::<ShortCode>().is_ok());
        let class = matches!(it.class.as_deref(), None | Some("device_bound" | "printed"));
        let reasons = it.reasons.len() <= REASONS_MAX && it.reasons.iter().all(|it| is_code(it));
        // Who was let through is known, or nobody was.
        let known = it.verdict != Verdict::Pass || it.pass.is_some();
        let plausible = 0 < it.at && it.at < 1 << 40;
        (pass && short && class && reasons && known && plausible).then_some(it)
    }
}

fn is_pass(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_code(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|it| matches!(it, b'a'..=b'z' | b'_'))
}

/// An entry that was not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// Its number.
    pub n: u64,
    /// A stable code, e.g. `gate-entry-unreadable`.
    pub code: String,
}

impl Rejected {
    /// This entry was not taken for this reason.
    pub fn new(n: u64, why: Refusal) -> Self {
        Self { n, code: why.word().to_owned() }
    }
}

/// A batch opened: what can be taken, and what cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// Entries by number, in the order they came.
    pub good: Vec<(u64, Plain)>,
    /// The others.
    pub rejected: Vec<Rejected>,
}

/// Opens a batch with the region's key. Numbers must grow within the batch, so no entry can stand
/// in it twice.
pub fn open(batch: &Batch, key: &QueueKey) -> Result<Opened, Refusal> {
    use base64::Engine as _;
    let mut opened = Opened::default();
    let mut readable = Vec::with_capacity(batch.entries.len());
    let mut last = None;
    for it in &batch.entries {
        let follows = last.is_none_or(|last| last < it.n);
        let near = batch.first_n <= it.n && it.n - batch.first_n < NUMBERS_MAX;
        if !(follows && near && it.n <= NUMBER_MAX) {
            opened.rejected.push(Rejected::new(it.n, Refusal::EntryNumber));
            continue;
        }
        last = Some(it.n);
        let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&it.data);
        match decoded {
            Ok(bytes) if it.data.len() <= DATA_MAX => readable.push((it.n, bytes)),
            _ => opened.rejected.push(Rejected::new(it.n, Refusal::EntryUnreadable)),
        }
    }
    let sealed: Vec<(u64, &[u8])> = readable.iter().map(|(n, it)| (*n, it.as_slice())).collect();
    let plain = key.open(&batch.ephemeral, &sealed).map_err(|_| Refusal::BatchMalformed)?;
    for ((n, _), plain) in readable.iter().zip(plain) {
        match plain.map(|it| Plain::read(&it)) {
            Ok(Some(it)) => opened.good.push((*n, it)),
            Ok(None) => opened.rejected.push(Rejected::new(*n, Refusal::EntryMalformed)),
            Err(_) => opened.rejected.push(Rejected::new(*n, Refusal::EntryUnreadable)),
        }
    }
    Ok(opened)
}

/// [`open()`] with the one of `keys` that the batch was sealed to, which it does not name: the first that
/// opens an entry of it. (None opens an entry that was sealed to another.)
pub fn open_any(batch: &Batch, keys: &[QueueKey]) -> Result<Opened, Refusal> {
    let unreadable = Refusal::EntryUnreadable.word();
    let mut last = Err(Refusal::BatchMalformed);
    for key in keys {
        let opened = open(batch, key)?;
        let is_its = !opened.good.is_empty()
            || opened.rejected.iter().any(|it| it.code == Refusal::EntryMalformed.word());
        if is_its || opened.rejected.iter().all(|it| it.code != unreadable) {
            return Ok(opened);
        }
        last = Ok(opened);
    }
    last
}

/// What is kept of an entry, as JSON. `looked_up` is the pass that a short code named.
pub fn payload(
    place: Id<Place>,
    device: Id<Device>,
    n: u64,
    it: Plain,
    looked_up: Option<Id<Pass>>,
) -> Result<Vec<u8>, Fault> {
    let entered = Entered {
        place,
        device,
        n,
        pass: it.pass.or(looked_up.map(|it| hex::encode(it.to_bytes()))),
        at: it.at,
        verdict: it.verdict,
        reasons: it.reasons,
        class: it.class,
        typed: it.typed,
    };
    serde_json::to_vec(&entered).map_err(|error| Fault::caused("writing an entry", error))
}

/// Entry numbers of one device that were taken: one bit each, in blocks of 4,096. An entry sent
/// again in another batch (the answer to the first was lost) counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block(Vec<u8>);

/// Numbers in a block.
const BLOCK: u64 = 4_096;

impl Default for Block {
    fn default() -> Self {
        Self(vec![0; 512])
    }
}

impl Block {
    /// Which block a number lies in.
    pub fn of(n: u64) -> u64 {
        n / BLOCK
    }

    /// The block of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut block = Self::default();
        for (to, from) in block.0.iter_mut().zip(bytes) {
            *to = *from;
        }
        block
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Marks a number as taken; false when it was before.
    pub fn take(&mut self, n: u64) -> bool {
        let bit = n % BLOCK;
        let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| self.0.get_mut(at)) else {
            return false;
        };
        let mask = 1_u8 << (bit % 8);
        let fresh = *byte & mask == 0;
        *byte |= mask;
        fresh
    }
}
