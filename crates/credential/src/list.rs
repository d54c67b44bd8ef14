//! What a gate carries to decide alone: the trust list and the revocation list of its region.
//!
//! Both are signed by the region's root key (COSE_Sign1) and begin with their kind, so that one
//! can never be taken for the other. Lists say until when they may be used; an old list makes a
//! gate say "cannot tell", never "no pass". Versions only grow: a device remembers the highest and
//! refuses older ones, or an attacker could replay a list from before a revocation.
//!
//! What a device has never seen it cannot remember: the region's [`Floor`], signed too, says from when
//! on lists count at all, and is raised when older ones must die at once.
//!
//! Revocation is per pass. (EU, October 2021: revoking a whole key hit innocents.)

use minicbor::Decoder;
use minicbor::data::Type;

use crate::cbor::{self, encoded};
use crate::cose::{self, Kid, Sign1, first_eight};
use crate::error::DecodeError;

/// The most issuing keys a list may have.
pub const MAX_KEYS: usize = 256;
/// The longest signed trust list that is read, in bytes.
pub const MAX_TRUST_BYTES: usize = 32 * 1024;
/// The longest signed revocation list that is read, in bytes: about a million passes.
pub const MAX_REVOCATION_BYTES: usize = 8 * 1024 * 1024;

const TRUST_KIND: &str = "haetae/trust/v1";
const REVOCATION_KIND: &str = "haetae/revocation/v1";
const FLOOR_KIND: &str = "haetae/floor/v1";
/// Every kind of message that a region's root signs, by the word that each begins with.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) const KINDS: [&str; 4] =
    [TRUST_KIND, REVOCATION_KIND, FLOOR_KIND, crate::pass::material::KIND];
/// The longest signed floor that is read, in bytes; ours have about 150.
const MAX_FLOOR_BYTES: usize = 512;

/// What an issuing key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uses(u8);

impl Uses {
    /// Health codes.
    pub const CODES: Self = Self(1);
    /// Passes about a vaccination, a test, a recovery, an exemption.
    pub const PASSES: Self = Self(2);

    /// Both what `self` and what `other` allows.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is allowed.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    const fn is_known(self) -> bool {
        self.0 != 0 && Self::CODES.and(Self::PASSES).contains(self)
    }
}

/// A key that may sign, whose it is, what it signs, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerKey {
    /// Its name in codes: see [`cose::kid`].
    pub kid: Kid,
    /// Ed25519 public key.
    pub public: [u8; 32],
    /// Codes issued before this unix second are not this key's.
    pub not_before: i64,
    /// Codes issued after this unix second are not this key's.
    pub not_after: i64,
    /// Codes issued from this unix second on are not trusted; earlier ones still are.
    pub revoked_from: Option<i64>,
    /// The organisation whose key it is; `None` is the region's own.
    pub whose: Option<String>,
    /// What it may sign.
    pub uses: Uses,
}

impl IssuerKey {
    /// A key of the region's own for health codes, with its kid computed, not revoked.
    pub fn new(public: [u8; 32], not_before: i64, not_after: i64) -> Self {
        Self {
            kid: cose::kid(&public),
            public,
            not_before,
            not_after,
            revoked_from: None,
            whose: None,
            uses: Uses::CODES,
        }
    }

    /// Written in five fields: what gates of before knew.
    fn is_plain(&self) -> bool {
        self.whose.is_none() && self.uses == Uses::CODES
    }
}

/// The keys that a region's gates trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustList {
    /// The region it is for; codes of other regions are not judged by it.
    pub region: String,
    /// Grows with every list.
    pub version: u64,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds; stale from this second on.
    pub valid_until: i64,
    /// Sorted by kid, no kid twice.
    pub keys: Vec<IssuerKey>,
}

impl TrustList {
    /// The key named `kid`.
    pub fn key(&self, kid: &Kid) -> Option<&IssuerKey> {
        let index = self.keys.binary_search_by(|key| key.kid.cmp(kid)).ok()?;
        self.keys.get(index)
    }

    /// The payload: `{0: kind, 1: region, 2: version, 3: issued at, 4: valid until, 5: [[kid,
    /// public, not before, not after, revoked from or null]]}`; a key that is an organisation's, or
    /// signs other things than health codes, has two more fields: whose or null, uses. Keys must be
    /// sorted by kid.
    pub fn to_cbor(&self) -> Vec<u8> {
        encoded(|cbor| {
            cbor.map(6)?.u8(0)?.str(TRUST_KIND)?.u8(1)?.str(&self.region)?;
            cbor.u8(2)?.u64(self.version)?.u8(3)?;
            cbor::put_seconds(cbor, self.issued_at)?;
            cbor.u8(4)?;
            cbor::put_seconds(cbor, self.valid_until)?;
            cbor.u8(5)?.array(u64::try_from(self.keys.len()).unwrap_or(u64::MAX))?;
            for key in &self.keys {
                cbor.array(if key.is_plain() { 5 } else { 7 })?;
                cbor.bytes(&key.kid)?.bytes(&key.public)?;
                cbor::put_seconds(cbor, key.not_before)?;
                cbor::put_seconds(cbor, key.not_after)?;
                match key.revoked_from {
                    Some(second) => cbor::put_seconds(cbor, second)?,
                    None => drop(cbor.null()?),
                }
                if !key.is_plain() {
                    match &key.whose {
                        Some(whose) => cbor.str(whose)?,
                        None => cbor.null()?,
                    };
                    cbor.u8(key.uses.0)?;
                }
            }
            Ok(())
        })
    }

    /// Reads a signed list, verifies it with the region's `root` key and refuses versions below
    /// `min_version` (the highest this device has had; 0 at first).
    pub fn open(signed: &[u8], root: &[u8; 32], min_version: u64) -> Result<Self, DecodeError> {
        let payload = open(signed, MAX_TRUST_BYTES, root)?;
        let from = &mut Decoder::new(&payload);
        begin(from, 6, TRUST_KIND)?;
        cbor::key(from, 1)?;
        let region = from.str()?.to_owned();
        cbor::key(from, 2)?;
        let version = from.u64()?;
        cbor::key(from, 3)?;
        let issued_at = cbor::seconds(from)?;
        cbor::key(from, 4)?;
        let valid_until = cbor::seconds(from)?;
        cbor::key(from, 5)?;
        let count = cbor::array(from)?;
        if usize::try_from(count).map_or(true, |count| MAX_KEYS < count) {
            return Err(DecodeError::TooLong);
        }
        let mut keys = Vec::new();
        for _ in 0..count {
            keys.push(read_key(from)?);
        }
        let list = Self { region, version, issued_at, valid_until, keys };
        list.check()?;
        cbor::same(&payload, &list.to_cbor())?;
        if version < min_version { Err(DecodeError::RolledBack) } else { Ok(list) }
    }

    /// Whether the list is one that [`TrustList::open`] would read; asked before signing, too.
    pub fn check(&self) -> Result<(), DecodeError> {
        let sound = cbor::is_region(&self.region)
            && is_span(self.issued_at, self.valid_until)
            && self.keys.len() <= MAX_KEYS
            && self.keys.is_sorted_by(|one, next| one.kid < next.kid)
            && self.keys.iter().all(|key| {
                is_span(key.not_before, key.not_after)
                    && key.kid == cose::kid(&key.public)
                    && key.revoked_from.is_none_or(cbor::is_second)
                    && key.uses.is_known()
                    && key.whose.as_deref().is_none_or(is_organisation)
            });
        if sound { Ok(()) } else { Err(DecodeError::WrongShape) }
    }
}

/// The passes that are no longer good, whatever their codes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// Grows with every list.
    pub version: u64,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds; stale from this second on.
    pub valid_until: i64,
    /// The first 8 bytes of each revoked pass id, sorted, none twice. Among a million revoked
    /// passes a chance match of a good one has odds of 1 in 18 million million.
    pub revoked: Vec<[u8; 8]>,
}

impl RevocationList {
    /// A list of `passes` in any order.
    pub fn new(version: u64, issued_at: i64, valid_until: i64, passes: &[[u8; 16]]) -> Self {
        let mut revoked: Vec<[u8; 8]> = passes.iter().map(|pass| first_eight(pass)).collect();
        revoked.sort_unstable();
        revoked.dedup();
        Self { version, issued_at, valid_until, revoked }
    }

    /// Whether `pass` is revoked.
    pub fn contains(&self, pass: &[u8; 16]) -> bool {
        self.revoked.binary_search(&first_eight(pass)).is_ok()
    }

    /// The payload: `{0: kind, 2: version, 3: issued at, 4: valid until, 5: all entries in one byte
    /// string}`.
    pub fn to_cbor(&self) -> Vec<u8> {
        encoded(|cbor| {
            cbor.map(5)?.u8(0)?.str(REVOCATION_KIND)?.u8(2)?.u64(self.version)?.u8(3)?;
            cbor::put_seconds(cbor, self.issued_at)?;
            cbor.u8(4)?;
            cbor::put_seconds(cbor, self.valid_until)?;
            cbor.u8(5)?.bytes(self.revoked.as_flattened())?;
            Ok(())
        })
    }

    /// Reads a signed list; see [`TrustList::open`].
    pub fn open(signed: &[u8], root: &[u8; 32], min_version: u64) -> Result<Self, DecodeError> {
        let list = Self::read(&open(signed, MAX_REVOCATION_BYTES, root)?)?;
        if list.version < min_version { Err(DecodeError::RolledBack) } else { Ok(list) }
    }

    /// Reads a payload, whoever signed it.
    fn read(payload: &[u8]) -> Result<Self, DecodeError> {
        let from = &mut Decoder::new(payload);
        begin(from, 5, REVOCATION_KIND)?;
        cbor::key(from, 2)?;
        let version = from.u64()?;
        cbor::key(from, 3)?;
        let issued_at = cbor::seconds(from)?;
        cbor::key(from, 4)?;
        let valid_until = cbor::seconds(from)?;
        cbor::key(from, 5)?;
        let list = Self { version, issued_at, valid_until, revoked: entries(from)? };
        list.check()?;
        cbor::same(payload, &list.to_cbor())?;
        Ok(list)
    }

    /// Whether the list is one that [`RevocationList::open`] would read; asked before signing, too.
    pub fn check(&self) -> Result<(), DecodeError> {
        let sound = is_span(self.issued_at, self.valid_until)
            && self.revoked.is_sorted_by(|one, next| one < next);
        if sound { Ok(()) } else { Err(DecodeError::WrongShape) }
    }
}

/// What changed between two revocation lists of a region. Whoever has the older one makes the newer one of
/// it, to the byte, and then it is the newer one's signature that counts: nothing of a delta is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationDelta {
    /// The newer list's.
    pub version: u64,
    /// The newer list's, in unix seconds.
    pub issued_at: i64,
    /// The newer list's, in unix seconds.
    pub valid_until: i64,
    /// Entries that the newer list has no more: their passes have ended by themselves.
    pub removed: Vec<[u8; 8]>,
    /// Entries that only the newer list has.
    pub added: Vec<[u8; 8]>,
    /// The root's over the newer list.
    pub signature: [u8; 64],
}

impl RevocationDelta {
    /// From a list with the entries `older`, sorted, to the `newer`, signed as `signed`.
    pub fn between(
        older: &[[u8; 8]],
        newer: &RevocationList,
        signed: &[u8],
    ) -> Result<Self, DecodeError> {
        let only_in = |one: &[[u8; 8]], other: &[[u8; 8]]| -> Vec<[u8; 8]> {
            one.iter().filter(|it| other.binary_search(it).is_err()).copied().collect()
        };
        Ok(Self {
            version: newer.version,
            issued_at: newer.issued_at,
            valid_until: newer.valid_until,
            removed: only_in(older, &newer.revoked),
            added: only_in(&newer.revoked, older),
            signature: Sign1::from_cbor(signed, MAX_REVOCATION_BYTES)?.signature,
        })
    }

    /// `[version, issued at, valid until, removed, added, signature]`, entries in one byte string.
    pub fn to_cbor(&self) -> Vec<u8> {
        encoded(|cbor| {
            cbor.array(6)?.u64(self.version)?;
            cbor::put_seconds(cbor, self.issued_at)?;
            cbor::put_seconds(cbor, self.valid_until)?;
            cbor.bytes(self.removed.as_flattened())?.bytes(self.added.as_flattened())?;
            cbor.bytes(&self.signature)?;
            Ok(())
        })
    }

    /// Reads one.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, DecodeError> {
        if MAX_REVOCATION_BYTES < bytes.len() {
            return Err(DecodeError::TooLong);
        }
        let from = &mut Decoder::new(bytes);
        if cbor::array(from)? != 6 {
            return Err(DecodeError::WrongShape);
        }
        let delta = Self {
            version: from.u64()?,
            issued_at: cbor::seconds(from)?,
            valid_until: cbor::seconds(from)?,
            removed: entries(from)?,
            added: entries(from)?,
            signature: cbor::fixed(from)?,
        };
        cbor::same(bytes, &delta.to_cbor())?;
        Ok(delta)
    }

    /// The newer list, signed, made of the older one. It is the caller's to open it: made of another list
    /// than the delta is from, its signature does not hold.
    pub fn apply(&self, older: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let mut message = Sign1::from_cbor(older, MAX_REVOCATION_BYTES)?;
        let mut revoked = RevocationList::read(&message.payload)?.revoked;
        revoked.retain(|it| self.removed.binary_search(it).is_err());
        revoked.extend(&self.added);
        revoked.sort_unstable();
        let newer = RevocationList {
            version: self.version,
            issued_at: self.issued_at,
            valid_until: self.valid_until,
            revoked,
        };
        message.payload = newer.to_cbor();
        message.signature = self.signature;
        Ok(message.to_cbor())
    }
}

/// Entries of a revocation list in one byte string.
fn entries(from: &mut Decoder<'_>) -> Result<Vec<[u8; 8]>, DecodeError> {
    let (entries, rest) = from.bytes()?.as_chunks::<8>();
    if rest.is_empty() { Ok(entries.to_vec()) } else { Err(DecodeError::WrongShape) }
}

/// From when on a region's lists count. Raised after a compromise; it only ever rises, and a device
/// remembers the highest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    /// The region it is for.
    pub region: String,
    /// Lists issued before this unix second do not count; 0 when it was never raised.
    pub since: i64,
}

impl Floor {
    /// The payload: `{0: kind, 1: region, 2: since}`.
    pub fn to_cbor(&self) -> Vec<u8> {
        encoded(|cbor| {
            cbor.map(3)?.u8(0)?.str(FLOOR_KIND)?.u8(1)?.str(&self.region)?.u8(2)?;
            cbor::put_seconds(cbor, self.since)
        })
    }

    /// Reads a signed floor and verifies it with the region's `root` key.
    pub fn open(signed: &[u8], root: &[u8; 32]) -> Result<Self, DecodeError> {
        let payload = open(signed, MAX_FLOOR_BYTES, root)?;
        let from = &mut Decoder::new(&payload);
        begin(from, 3, FLOOR_KIND)?;
        cbor::key(from, 1)?;
        let region = from.str()?.to_owned();
        cbor::key(from, 2)?;
        let floor = Self { region, since: cbor::seconds(from)? };
        floor.check()?;
        cbor::same(&payload, &floor.to_cbor())?;
        Ok(floor)
    }

    /// Whether the floor is one that [`Floor::open`] would read; asked before signing, too.
    pub fn check(&self) -> Result<(), DecodeError> {
        let sound = cbor::is_region(&self.region) && cbor::is_second(self.since);
        if sound { Ok(()) } else { Err(DecodeError::WrongShape) }
    }
}

/// All that a gate needs to judge a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Whose signatures count.
    pub list: TrustList,
    /// Which passes do not. Without it (or with a stale one) a gate cannot tell.
    pub revocations: Option<RevocationList>,
}

pub(crate) fn open(signed: &[u8], max_len: usize, root: &[u8; 32]) -> Result<Vec<u8>, DecodeError> {
    let message = Sign1::from_cbor(signed, max_len)?;
    if message.kid == cose::kid(root) && message.is_signed_by(root) {
        Ok(message.payload)
    } else {
        Err(DecodeError::SignatureBad)
    }
}

pub(crate) fn begin(from: &mut Decoder<'_>, length: u64, kind: &str) -> Result<(), DecodeError> {
    if cbor::map(from)? != length {
        return Err(DecodeError::WrongShape);
    }
    cbor::key(from, 0)?;
    if from.str()? == kind { Ok(()) } else { Err(DecodeError::WrongShape) }
}

fn read_key(from: &mut Decoder<'_>) -> Result<IssuerKey, DecodeError> {
    let length = cbor::array(from)?;
    if length != 5 && length != 7 {
        return Err(DecodeError::WrongShape);
    }
    let (kid, public) = (cbor::fixed(from)?, cbor::fixed(from)?);
    let (not_before, not_after) = (cbor::seconds(from)?, cbor::seconds(from)?);
    let revoked_from = if from.datatype()? == Type::Null {
        from.null()?;
        None
    } else {
        Some(cbor::seconds(from)?)
    };
    let mut key = IssuerKey { kid, revoked_from, ..IssuerKey::new(public, not_before, not_after) };
    if length == 7 {
        if from.datatype()? == Type::Null {
            from.null()?;
        } else {
            key.whose = Some(from.str()?.to_owned());
        }
        key.uses = Uses(from.u8()?);
    }
    Ok(key)
}

/// The text of an organisation's id.
fn is_organisation(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_graphic())
}

pub(crate) fn is_span(first: i64, last: i64) -> bool {
    cbor::is_second(first) && cbor::is_second(last) && first < last
}
