//! Payloads sealed under keys that can be destroyed.
//!
//! A key belongs to a [`Scope`]: a subject, or a kind of event and a day. Keys lie wrapped in a
//! database of their own (`keys.db`); identity and visits have different wrapping keys, from files,
//! which can be changed while the region is served ([`crate::wrap`]).
//! A payload with both a subject and a retention is sealed under a key made of both, so that
//! destroying either erases it.
//!
//! AES-256-GCM-SIV (RFC 8452): the nonce is the entry's number, and a number used again after a
//! rollback costs nothing but the knowledge that two plaintexts were equal.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use kernel::{Region, Seed};
use zeroize::Zeroizing;

use crate::fault::Doing as _;
use crate::keys::Secret;
use crate::projection::select;
use crate::wrap::{self, Wraps};
use crate::{Engine, Fault, Keyring, Registry, Side, Value};

/// What a key belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A person, a member of staff, a place: whoever can be forgotten.
    Subject(u128),
    /// The region itself: outgoing messages, numbers proven in a session. One key, for good.
    Own,
    /// A kind of event and a day (days since 1970, UTC): what ends by itself.
    Epoch {
        /// The kind.
        kind: String,
        /// The day.
        day: i32,
        /// Whose wrapping key.
        visits: bool,
    },
}

impl Scope {
    pub(crate) fn column(&self) -> String {
        match self {
            Self::Subject(id) => format!("subject/{id:032x}"),
            Self::Own => "own".to_owned(),
            Self::Epoch { kind, day, .. } => format!("epoch/{kind}/{day}"),
        }
    }

    /// The scope that a row of `vault_key` names.
    pub(crate) fn parse(column: &str, registry: &Registry) -> Option<Self> {
        if let Some(subject) = column.strip_prefix("subject/") {
            return u128::from_str_radix(subject, 16).ok().map(Self::Subject);
        }
        if column == "own" {
            return Some(Self::Own);
        }
        let (kind, day) = column.strip_prefix("epoch/")?.rsplit_once('/')?;
        let visits = registry.observation(kind).is_ok();
        Some(Self::Epoch { kind: kind.to_owned(), day: day.parse().ok()?, visits })
    }

    pub(crate) fn side(&self) -> Side {
        match self {
            Self::Epoch { visits: true, .. } => Side::Visits,
            _ => Side::Identity,
        }
    }
}

/// A key ready for use, with its raw bytes for deriving from it.
pub(crate) struct SealingKey {
    raw: Secret,
    key: LessSafeKey,
    tags: OnceLock<hmac::Key>,
}

impl SealingKey {
    pub(crate) fn new(raw: Secret) -> Result<Self, Fault> {
        let unbound = UnboundKey::new(&AES_256_GCM_SIV, raw.as_ref()).doing("making a key")?;
        Ok(Self { raw, key: LessSafeKey::new(unbound), tags: OnceLock::new() })
    }

    /// The key that needs both.
    fn with(&self, other: &Self) -> Result<Self, Fault> {
        let tag =
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.raw.as_ref()), other.raw.as_ref());
        let mut raw = Secret::default();
        raw.copy_from_slice(tag.as_ref());
        Self::new(raw)
    }

    /// Seals `text` in place.
    pub(crate) fn seal(
        &self,
        number: u64,
        context: &[u8],
        text: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let sealed = self.key.seal_in_place_append_tag(nonce(number), Aad::from(context), text);
        sealed.doing("sealing a payload")
    }

    /// Opens what was sealed with the same number and context.
    pub(crate) fn open(
        &self,
        number: u64,
        context: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let mut bytes = sealed.to_vec();
        self.open_in_place(number, context, &mut bytes)?;
        Ok(bytes)
    }

    /// [`SealingKey::open`] without a copy.
    pub(crate) fn open_in_place(
        &self,
        number: u64,
        context: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let opened = self.key.open_in_place(nonce(number), Aad::from(context), sealed);
        let length = opened.doing("opening a sealed payload")?.len();
        sealed.truncate(length);
        Ok(())
    }

    /// A tag that finds `text` again without telling what it is, for as long as this key lives.
    pub(crate) fn tag(&self, text: &[u8]) -> [u8; 16] {
        let key = || hmac::Key::new(hmac::HMAC_SHA256, self.raw.as_ref());
        shortened(hmac::sign(self.tags.get_or_init(key), text))
    }
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    if let Some(low) = bytes.get_mut(4..) {
        low.copy_from_slice(&number.to_be_bytes());
    }
    Nonce::assume_unique_for_key(bytes)
}

fn blind(key: &Secret, text: &[u8]) -> [u8; 16] {
    shortened(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), text))
}

fn shortened(tag: hmac::Tag) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(tag.as_ref().get(..16).unwrap_or(&[0; 16]));
    short
}

/// More keys than this are not held in memory.
const CACHE_MAX: usize = 200_000;

/// The keys of one region, shared by the writer and all readers.
pub struct Vault {
    region: Region,
    seed: Seed,
    /// Of identity, of visits.
    wraps: [Wraps; 2],
    index: Secret,
    reader: Mutex<Box<dyn Engine>>,
    cache: RwLock<HashMap<Scope, Arc<SealingKey>>>,
    /// Keys that the open batch will destroy: dead already for whatever follows in the batch.
    doomed: RwLock<HashSet<Scope>>,
    /// How often a key was doomed or buried: whoever looked a key up meanwhile does not keep it.
    endings: AtomicU64,
}

const FIND: &str = "SELECT wrapped, wrap FROM vault_key WHERE region = $1 AND scope = $2";
const ADD: &str = "INSERT INTO vault_key (region, scope, wrapped, wrap) VALUES ($1, $2, $3, $4)";
const DESTROY: &str = "DELETE FROM vault_key WHERE region = $1 AND scope = $2";

impl Vault {
    pub(crate) fn new(
        region: Region,
        keyring: &Keyring,
        seed: Seed,
        reader: Box<dyn Engine>,
    ) -> Result<Self, Fault> {
        Ok(Self {
            region,
            seed,
            wraps: [Wraps::open(keyring, Side::Identity)?, Wraps::open(keyring, Side::Visits)?],
            index: keyring.key("blind-index")?,
            reader: Mutex::new(reader),
            cache: RwLock::default(),
            doomed: RwLock::default(),
            endings: AtomicU64::new(0),
        })
    }

    /// A tag that finds `text` again (a phone number, say) without telling what it is. `purpose`
    /// keeps tags of different columns apart.
    pub fn index(&self, purpose: &str, text: &str) -> [u8; 16] {
        blind(&self.index, format!("{purpose}\0{text}").as_bytes())
    }

    /// Seals what belongs to no subject and lives shortly: an outgoing message, say.
    pub fn seal_own(&self, context: &str, text: &[u8]) -> Result<Vec<u8>, Fault> {
        let number = u64::from_be_bytes(self.seed.bytes());
        let key = self.find(&Scope::Own)?;
        let key = key.ok_or_else(|| Fault::new("the region has no key of its own yet"))?;
        let mut sealed = text.to_vec();
        key.seal(number, context.as_bytes(), &mut sealed)?;
        sealed.extend_from_slice(&number.to_be_bytes());
        Ok(sealed)
    }

    /// Opens what [`Vault::seal_own`] sealed.
    pub fn open_own(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let (body, number) = sealed
            .split_last_chunk::<8>()
            .ok_or_else(|| Fault::new("a sealed text is too short"))?;
        let number = u64::from_be_bytes(*number);
        if let Some(key) = self.find(&Scope::Own)?
            && let Ok(text) = key.open(number, context.as_bytes(), body)
        {
            return Ok(text);
        }
        // From before the region had a key of its own.
        self.wraps_of(Side::Identity).key(1)?.open(number, context.as_bytes(), body)
    }

    /// Seals a view's column for `subject`; the same inputs give the same bytes, so that a rebuilt
    /// view equals the one that lived. `None` when the subject was forgotten.
    pub(crate) fn seal_column(
        &self,
        subject: u128,
        context: &str,
        seq: u64,
        text: &[u8],
    ) -> Result<Option<Vec<u8>>, Fault> {
        let Some(key) = self.find(&Scope::Subject(subject))? else { return Ok(None) };
        let mut sealed = text.to_vec();
        key.seal(seq, format!("column/{context}").as_bytes(), &mut sealed)?;
        sealed.extend_from_slice(&seq.to_be_bytes());
        Ok(Some(sealed))
    }

    /// Opens a view's column; `None` when the subject was forgotten.
    pub fn open_column(
        &self,
        subject: u128,
        context: &str,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, Fault> {
        let Some(key) = self.find(&Scope::Subject(subject))? else { return Ok(None) };
        let (body, seq) = sealed
            .split_last_chunk::<8>()
            .ok_or_else(|| Fault::new("a sealed column is too short"))?;
        let context = format!("column/{context}");
        key.open(u64::from_be_bytes(*seq), context.as_bytes(), body).map(Some)
    }

    /// The wrapping keys of a side.
    pub(crate) fn wraps_of(&self, side: Side) -> &Wraps {
        let [identity, visits] = &self.wraps;
        match side {
            Side::Identity => identity,
            Side::Visits => visits,
        }
    }

    /// The writer begins to write keys: which wrapping keys are in use is asked again.
    pub(crate) fn ask_wraps_again(&self) {
        self.wraps.iter().for_each(Wraps::ask_again);
    }

    /// Wraps a key for its row.
    fn wrap(&self, key: &SealingKey, scope: &str, raw: &[u8]) -> Result<Vec<u8>, Fault> {
        let number = u64::from_be_bytes(self.seed.bytes());
        let mut wrapped = raw.to_vec();
        key.seal(number, scope.as_bytes(), &mut wrapped)?;
        wrapped.extend_from_slice(&number.to_be_bytes());
        Ok(wrapped)
    }

    /// Opens the wrapped key of a row.
    fn unwrapped(key: &SealingKey, scope: &str, wrapped: &[u8]) -> Result<Secret, Fault> {
        let (body, number) = wrapped
            .split_last_chunk::<8>()
            .ok_or_else(|| Fault::new("a wrapped key is too short"))?;
        let opened =
            Zeroizing::new(key.open(u64::from_be_bytes(*number), scope.as_bytes(), body)?);
        let mut raw = Secret::default();
        if opened.len() != raw.len() {
            return Err(Fault::new("a wrapped key has another length"));
        }
        raw.copy_from_slice(&opened);
        Ok(raw)
    }

    /// The wrapped key of a row under another wrapping key.
    pub(crate) fn wrapped_anew(
        &self,
        side: Side,
        (from, to): (u32, u32),
        scope: &str,
        wrapped: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let wraps = self.wraps_of(side);
        let raw = Self::unwrapped(&*wraps.key(from)?, scope, wrapped)?;
        self.wrap(&*wraps.key(to)?, scope, raw.as_ref())
    }

    fn cached(&self, scope: &Scope) -> Option<Arc<SealingKey>> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner).get(scope).cloned()
    }

    /// Keeps a key, unless one has ended since `endings` was read.
    fn remember(&self, scope: &Scope, key: &Arc<SealingKey>, endings: u64) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE_MAX {
            cache.clear();
        }
        // With the cache locked: whoever ends a key now takes it out of the cache after this.
        if self.endings.load(Ordering::Acquire) != endings {
            return;
        }
        cache.insert(scope.clone(), Arc::clone(key));
    }

    /// Whether the open batch will destroy this key.
    fn is_doomed(&self, scope: &Scope) -> bool {
        self.doomed.read().unwrap_or_else(PoisonError::into_inner).contains(scope)
    }

    /// From now on nobody finds this key; [`Vault::bury`] or [`Vault::spare`] follows.
    pub(crate) fn doom(&self, scope: &Scope) {
        self.doomed.write().unwrap_or_else(PoisonError::into_inner).insert(scope.clone());
        self.endings.fetch_add(1, Ordering::Release);
    }

    /// The keys whose end is known and that may still lie in the table.
    pub(crate) fn doomed(&self) -> Vec<Scope> {
        self.doomed.read().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Where another process destroys keys: those that have left the table need not be kept in mind.
    pub(crate) fn bury_gone(&self) -> Result<(), Fault> {
        for scope in self.doomed() {
            let rows = self.reading(|engine, region| {
                select(engine, region, FIND, &[Value::from(scope.column())])
            })?;
            if rows.is_empty() {
                self.bury(&scope);
            }
        }
        Ok(())
    }

    /// The batch that doomed this key failed.
    pub(crate) fn spare(&self, scope: &Scope) {
        self.doomed.write().unwrap_or_else(PoisonError::into_inner).remove(scope);
    }

    /// Calls `work` with the connection on which keys are read.
    pub(crate) fn reading<T>(
        &self,
        work: impl FnOnce(&mut dyn Engine, &Value) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        work(reader.as_mut(), &Value::from(self.region.as_str()))
    }

    /// The key of `scope`, if it exists.
    pub(crate) fn find(&self, scope: &Scope) -> Result<Option<Arc<SealingKey>>, Fault> {
        if self.is_doomed(scope) {
            return Ok(None);
        }
        if let Some(key) = self.cached(scope) {
            return Ok(Some(key));
        }
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        self.load(reader.as_mut(), scope)
    }

    fn load(
        &self,
        engine: &mut dyn Engine,
        scope: &Scope,
    ) -> Result<Option<Arc<SealingKey>>, Fault> {
        let endings = self.endings.load(Ordering::Acquire);
        let (region, column) = (Value::from(self.region.as_str()), scope.column());
        let mut found: Option<(Vec<u8>, u32)> = None;
        engine.query(FIND, &[&region, &Value::from(&column)], &mut |row| {
            found = Some((row.bytes(0)?.to_vec(), wrap::number(row.int(1)?)?));
            Ok(false)
        })?;
        let Some((wrapped, number)) = found else { return Ok(None) };
        let raw = Self::unwrapped(&*self.wraps_of(scope.side()).key(number)?, &column, &wrapped)?;
        let key = Arc::new(SealingKey::new(raw)?);
        self.remember(scope, &key, endings);
        Ok(Some(key))
    }

    /// The key of `scope`, made in the writer's open transaction when absent. `true` when made.
    pub(crate) fn find_or_make(
        &self,
        engine: &mut dyn Engine,
        scope: &Scope,
    ) -> Result<(Arc<SealingKey>, bool), Fault> {
        if self.is_doomed(scope) {
            return Err(Fault::new("the key was destroyed: nothing more can be sealed under it"));
        }
        if let Some(key) = self.cached(scope) {
            return Ok((key, false));
        }
        if let Some(key) = self.load(engine, scope)? {
            return Ok((key, false));
        }
        let raw = Secret::new(self.seed.bytes());
        let (region, column) = (Value::from(self.region.as_str()), scope.column());
        let wraps = self.wraps_of(scope.side());
        let number = wraps.current(engine, &region)?;
        let wrapped = self.wrap(&*wraps.key(number)?, &column, raw.as_ref())?;
        let values = [Value::from(column), Value::from(wrapped), Value::from(number)];
        let [column, wrapped, number] = &values;
        engine.execute(ADD, &[&region, column, wrapped, number])?;
        let key = Arc::new(SealingKey::new(raw)?);
        self.remember(scope, &key, self.endings.load(Ordering::Acquire));
        Ok((key, true))
    }

    /// Destroys the key of `scope` in the writer's open transaction; once it is durable,
    /// [`Vault::bury`] follows.
    pub(crate) fn destroy(&self, engine: &mut dyn Engine, scope: &Scope) -> Result<(), Fault> {
        let region = Value::from(self.region.as_str());
        engine.execute(DESTROY, &[&region, &Value::from(scope.column())]).map(|_| ())
    }

    /// The key is gone for good. Not before: whoever looked for it in between would have found it
    /// again, and kept it.
    pub(crate) fn bury(&self, scope: &Scope) {
        self.endings.fetch_add(1, Ordering::Release);
        self.drop_cached(scope);
        self.spare(scope);
    }

    pub(crate) fn drop_cached(&self, scope: &Scope) {
        self.cache.write().unwrap_or_else(PoisonError::into_inner).remove(scope);
    }

    /// The key for a payload with a subject, an epoch, or both; `None` when either was destroyed.
    pub(crate) fn find_for(
        &self,
        subject: Option<u128>,
        epoch: Option<&Scope>,
    ) -> Result<Option<Arc<SealingKey>>, Fault> {
        let subject = match subject {
            Some(id) => match self.find(&Scope::Subject(id))? {
                Some(key) => Some(key),
                None => return Ok(None),
            },
            None => None,
        };
        let epoch = match epoch {
            Some(scope) => match self.find(scope)? {
                Some(key) => Some(key),
                None => return Ok(None),
            },
            None => None,
        };
        both(subject, epoch).map(Some)
    }
}

/// One key out of one or two.
pub(crate) fn both(
    subject: Option<Arc<SealingKey>>,
    epoch: Option<Arc<SealingKey>>,
) -> Result<Arc<SealingKey>, Fault> {
    match (subject, epoch) {
        (Some(subject), Some(epoch)) => subject.with(&epoch).map(Arc::new),
        (Some(key), None) | (None, Some(key)) => Ok(key),
        (None, None) => Err(Fault::new("a sealed payload needs a subject or an epoch")),
    }
}
