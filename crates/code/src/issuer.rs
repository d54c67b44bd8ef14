//! The keys that sign: the region's own for health codes, an organisation's for what it issues.
//!
//! Each is short-lived and stands on the public log, with its public half, before it signs: gates get
//! the next key with their lists before they meet its first code, and whoever reads the log knows every
//! key that this region ever answered for. One stream, because the trust list is a fold of all of it;
//! it grows by some events a month.
//!
//! The rules are pure and bring no secret: [`mod@crate::keys`] makes the key files.

use std::fmt;
use std::str::FromStr;

use contracts::person::{Organisation, Staff};
use credential::{IssuerKey, Uses};
use kernel::{Aggregate, Fact, Id, Instant, clean};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::issue::LIST_S;
use crate::refusal::Refusal;

/// The stream's id: there is one.
pub const ISSUERS: u128 = 0;

/// A key's successor is made this long before its end: a day more than any gate's list lives, so that
/// each gate has it in its list before it signs.
pub const AHEAD_S: i64 = LIST_S + 24 * 3_600;

/// How long beyond its planned end a key counts, for a service that was down when its successor was
/// due: longer than lists of then live.
const SPARE_S: i64 = 2 * AHEAD_S;

/// The longest that anything signed for a person's code lives (14 days, the most that a policy may
/// say): so long a key that signs no more stays on the list.
pub const LONGEST_S: i64 = 14 * 86_400;

/// Days that a key may sign for.
pub const DAYS: std::ops::RangeInclusive<u32> = 8..=400;

/// Characters of a stated reason.
const WHY_MAX: usize = 500;

/// A key's name in what it signs: 8 bytes, in text 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub credential::cose::Kid);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for KeyId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut kid = [0; 8];
        hex::decode_to_slice(text, &mut kid)?;
        Ok(Self(kid))
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// 32 bytes: an Ed25519 public key, a root; in text 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hex32(pub [u8; 32]);

impl Serialize for Hex32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Hex32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.as_bytes(), &mut key).map_err(serde::de::Error::custom)?;
        Ok(Self(key))
    }
}

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Health codes.
    Codes,
    /// Passes about a vaccination, a test, a recovery, an exemption.
    Passes,
}

/// How often a key signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// Which.
    pub kid: KeyId,
    /// How many passes it signed.
    pub signatures: u64,
    /// Merkle root (RFC 9162) over their ids, 16 bytes each, in the order of the log; in hex.
    pub root: Hex32,
}

/// What happened to the keys that sign. Public: everybody may know whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum IssuerEvent {
    /// A key was made. It signs from `signs_from` on, and has a successor by `signs_until`.
    IssuerAdded {
        kid: KeyId,
        public: Hex32,
        /// The organisation whose it is; absent for the region's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whose: Option<Id<Organisation>>,
        uses: Use,
        signs_from: Instant,
        signs_until: Instant,
        /// The certificate (DER, base64) of its half for passes that others verify: a P-256 key made
        /// from the same secret. Keys for codes have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Id<Staff>>,
        at: Instant,
    },
    /// It signs no more. What it signed stays good until its own end.
    IssuerEnded {
        kid: KeyId,
        why: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Id<Staff>>,
        at: Instant,
    },
    /// Somebody else may have had it since then: what it signed from `since` on is refused. What it
    /// signed before stays good until its own end, the last of it until `honest_until`.
    IssuerCompromised {
        kid: KeyId,
        since: Instant,
        honest_until: Instant,
        why: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Id<Staff>>,
        at: Instant,
    },
    /// Every pass on the log that it signed since then was looked at; so many that still were good
    /// were ended, and their holders told.
    IssuerCleared { kid: KeyId, ended: u64, at: Instant },
    /// How often each key signed, in the entries of the log from `from` up to but not including `to`:
    /// by the end of `day` (days since 1970, UTC). A code with a pass that is not among them was made
    /// outside of the log.
    KeysStated { day: i32, from: u64, to: u64, keys: Vec<Stated>, at: Instant },
}

impl Fact for IssuerEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::IssuerAdded { .. } => "code.issuer_added.v1",
            Self::IssuerEnded { .. } => "code.issuer_ended.v1",
            Self::IssuerCompromised { .. } => "code.issuer_compromised.v1",
            Self::IssuerCleared { .. } => "code.issuer_cleared.v1",
            Self::KeysStated { .. } => "code.keys_stated.v1",
        }
    }
}

/// A key that signs, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Its name.
    pub kid: KeyId,
    /// Its public half.
    pub public: Hex32,
    /// Whose; `None` is the region's own.
    pub whose: Option<Id<Organisation>>,
    /// What it signs.
    pub uses: Use,
    /// From when on.
    pub signs_from: Instant,
    /// By when it has a successor.
    pub signs_until: Instant,
    /// The certificate of its half for passes that others verify, in base64.
    pub certificate: Option<String>,
    /// Since when it signs no more, ended or compromised.
    pub ended_at: Option<Instant>,
    /// Since when its signatures are refused.
    pub refused_from: Option<Instant>,
    /// Until when the last of what it signed before that is good.
    pub honest_until: Option<Instant>,
    /// Whether all that it signed since then was ended.
    pub cleared: bool,
}

impl Issuer {
    /// Until when it may sign if nothing follows it.
    fn limit(&self) -> Instant {
        self.signs_until.plus_seconds(SPARE_S)
    }

    /// Until when its certificate counts: until the last pass that it may sign has ended.
    pub fn certified_until(&self) -> Instant {
        certified_until(self.signs_until)
    }

    /// The name of its kind of key: `issuer`, `issuer-org_…`.
    pub fn name(&self) -> String {
        name(self.whose)
    }

    /// As gates see it, when it signs or signed until `end`.
    fn row(&self, end: Instant) -> IssuerKey {
        let not_before = self.signs_from.seconds();
        IssuerKey {
            revoked_from: self.refused_from.map(Instant::seconds),
            whose: self.whose.map(|it| it.to_string()),
            uses: match self.uses {
                Use::Codes => Uses::CODES,
                Use::Passes => Uses::PASSES,
            },
            // A key that ended before it signed has a span of a second, and signed nothing in it.
            ..IssuerKey::new(self.public.0, not_before, end.seconds().max(not_before + 1))
        }
    }

    /// Until when gates must know it, if it signs or signed until `end`.
    fn listed_until(&self, end: Instant) -> Instant {
        match (self.honest_until, self.uses) {
            // Nothing of before is good any longer: what still claims to be was made by others.
            (Some(honest), Use::Codes) => honest,
            // Passes live for years, each until its own end.
            (_, Use::Passes) => end.plus_days(3_660),
            (None, Use::Codes) => end.plus_seconds(LONGEST_S),
        }
    }
}

/// Until when the certificate of a key counts that has a successor by `signs_until`.
pub fn certified_until(signs_until: Instant) -> Instant {
    signs_until.plus_seconds(SPARE_S).plus_days(contracts::pass::LONGEST_DAYS)
}

/// `issuer` for the region's own keys, `issuer-org_…` for an organisation's.
pub fn name(whose: Option<Id<Organisation>>) -> String {
    whose.map_or_else(|| "issuer".to_owned(), |it| format!("issuer-{it}"))
}

/// Whose keys have this name.
pub fn parse_name(text: &str) -> Option<Option<Id<Organisation>>> {
    match text.strip_prefix("issuer")? {
        "" => Some(None),
        rest => rest.strip_prefix('-')?.parse().ok().map(Some),
    }
}

/// All keys that sign or did.
#[derive(Debug, Clone, Default)]
pub struct Issuers {
    /// In the order in which they were made.
    pub keys: Vec<Issuer>,
    /// When a list must have been made at the earliest to know what changed last.
    pub changed_at: Option<Instant>,
    /// The day that was stated last, and the first entry that no statement covers yet.
    pub stated: Option<(i32, u64)>,
}

impl Issuers {
    /// The key that signs for `whose` at `now`.
    pub fn current(&self, whose: Option<Id<Organisation>>, now: Instant) -> Option<&Issuer> {
        self.alive(whose)
            .filter(|it| it.signs_from <= now && now < it.limit())
            .max_by_key(|it| it.signs_from)
    }

    /// The key that signs next.
    pub fn next(&self, whose: Option<Id<Organisation>>, now: Instant) -> Option<&Issuer> {
        self.alive(whose).filter(|it| now < it.signs_from).min_by_key(|it| it.signs_from)
    }

    /// The keys of `whose` that nobody has ended.
    pub fn alive(&self, whose: Option<Id<Organisation>>) -> impl Iterator<Item = &Issuer> {
        self.keys.iter().filter(move |it| it.whose == whose && it.ended_at.is_none())
    }

    /// The key with this name.
    pub fn key(&self, kid: KeyId) -> Option<&Issuer> {
        self.keys.iter().find(|it| it.kid == kid)
    }

    /// Since when it signs no more because another took its place, or it ended.
    pub fn signed_until(&self, key: &Issuer) -> Option<Instant> {
        let after = self.keys.iter().filter(|it| it.whose == key.whose);
        let after = after.filter(|it| key.signs_from < it.signs_from && it.ended_at.is_none());
        [key.ended_at, after.map(|it| it.signs_from).min()].into_iter().flatten().min()
    }

    /// Whose keys need a successor at `now`, and from when on it signs.
    pub fn due(&self, now: Instant) -> Vec<(Option<Id<Organisation>>, Use, Instant)> {
        let mut due = Vec::new();
        let mut seen = Vec::new();
        for it in &self.keys {
            if it.ended_at.is_some() || seen.contains(&it.whose) {
                continue;
            }
            seen.push(it.whose);
            if self.next(it.whose, now).is_some() {
                continue;
            }
            match self.current(it.whose, now) {
                Some(key) if now < key.signs_until.plus_seconds(-AHEAD_S) => {}
                Some(key) => {
                    due.push((it.whose, it.uses, key.signs_until.max(ahead(now))));
                }
                // Nobody was there for so long that no list of then counts.
                None => due.push((it.whose, it.uses, now)),
            }
        }
        due
    }

    /// What gates are given at `now`.
    pub fn rows(&self, now: Instant) -> Vec<IssuerKey> {
        let ends = self.keys.iter().map(|it| {
            let end = self.signed_until(it).map_or(it.limit(), |end| end.min(it.limit()));
            (it, end)
        });
        let mut listed: Vec<_> = ends.filter(|(it, end)| now < it.listed_until(*end)).collect();
        // Should there be more than a list holds: the region's own, then what signs, then the newest.
        listed.sort_by_key(|(it, end)| {
            (it.whose.is_some(), *end <= now, std::cmp::Reverse(it.signs_from))
        });
        listed.truncate(credential::list::MAX_KEYS);
        listed.into_iter().map(|(it, end)| it.row(end)).collect()
    }
}

/// By when a key that is made at `now` has a successor.
pub fn signs_until(signs_from: Instant, days: u32, now: Instant) -> Instant {
    signs_from.max(now).plus_days(i64::from(days))
}

/// From when on a key that is made at `now` can sign so that every list that counts has it.
pub fn ahead(now: Instant) -> Instant {
    now.plus_seconds(LIST_S + 3_600)
}

/// What may be asked.
#[derive(Debug, Clone)]
pub enum IssuerCommand {
    /// Put a new key on the list.
    Add {
        public: [u8; 32],
        whose: Option<Id<Organisation>>,
        uses: Use,
        signs_from: Instant,
        days: u32,
        certificate: Option<String>,
        by: Option<Id<Staff>>,
    },
    /// End all keys of an organisation: nothing follows them.
    End { whose: Id<Organisation>, why: String, by: Option<Id<Staff>> },
    /// Refuse what a key signed from `since` on.
    Compromise {
        kid: KeyId,
        since: Instant,
        honest_until: Instant,
        why: String,
        by: Option<Id<Staff>>,
    },
    /// All that a compromised key signed was ended.
    Clear { kid: KeyId, ended: u64 },
    /// State how often each key signed.
    State { day: i32, from: u64, to: u64, keys: Vec<Stated> },
}

impl Aggregate for Issuers {
    const STREAM: &'static str = "code.issuer";
    type Command = IssuerCommand;
    type Event = IssuerEvent;
    type Refusal = Refusal;

    fn decide(&self, command: IssuerCommand, now: Instant) -> Result<Vec<IssuerEvent>, Refusal> {
        match command {
            IssuerCommand::Add { public, whose, uses, signs_from, days, certificate, by } => {
                let kid = KeyId(credential::cose::kid(&public));
                if !DAYS.contains(&days) {
                    return Err(Refusal::KeyDays);
                }
                if self.key(kid).is_some() {
                    return Ok(Vec::new());
                }
                let signs_until = signs_until(signs_from, days, now);
                let public = Hex32(public);
                Ok(vec![IssuerEvent::IssuerAdded {
                    kid,
                    public,
                    whose,
                    uses,
                    signs_from,
                    signs_until,
                    certificate,
                    by,
                    at: now,
                }])
            }
            IssuerCommand::End { whose, why, by } => {
                let why = clean(&why, WHY_MAX).map_err(|_| Refusal::TextInvalid)?;
                let ended: Vec<_> = self
                    .alive(Some(whose))
                    .map(|it| IssuerEvent::IssuerEnded {
                        kid: it.kid,
                        why: why.clone(),
                        by,
                        at: now,
                    })
                    .collect();
                if ended.is_empty() { Err(Refusal::KeyUnknown) } else { Ok(ended) }
            }
            IssuerCommand::Compromise { kid, since, honest_until, why, by } => {
                let key = self.key(kid).ok_or(Refusal::KeyUnknown)?;
                if now < since {
                    return Err(Refusal::DateInvalid);
                }
                // It only ever gets worse: a later time would bring refused codes back.
                if key.refused_from.is_some_and(|it| it <= since) {
                    return Ok(Vec::new());
                }
                let why = clean(&why, WHY_MAX).map_err(|_| Refusal::TextInvalid)?;
                let honest_until = honest_until.max(since);
                Ok(vec![IssuerEvent::IssuerCompromised {
                    kid,
                    since,
                    honest_until,
                    why,
                    by,
                    at: now,
                }])
            }
            IssuerCommand::Clear { kid, ended } => {
                let key = self.key(kid).ok_or(Refusal::KeyUnknown)?;
                if key.cleared || key.refused_from.is_none() {
                    return Ok(Vec::new());
                }
                Ok(vec![IssuerEvent::IssuerCleared { kid, ended, at: now }])
            }
            IssuerCommand::State { day, from, to, keys } => {
                let next = self.stated.map_or(0, |it| it.1);
                let new = self.stated.is_none_or(|it| it.0 < day);
                if from != next || to < from || !new {
                    return Ok(Vec::new());
                }
                Ok(vec![IssuerEvent::KeysStated { day, from, to, keys, at: now }])
            }
        }
    }

    fn fold(&mut self, event: &IssuerEvent) {
        match event {
            IssuerEvent::IssuerAdded {
                kid,
                public,
                whose,
                uses,
                signs_from,
                signs_until,
                certificate,
                at,
                ..
            } => {
                self.keys.push(Issuer {
                    kid: *kid,
                    public: *public,
                    whose: *whose,
                    uses: *uses,
                    signs_from: *signs_from,
                    signs_until: *signs_until,
                    certificate: certificate.clone(),
                    ended_at: None,
                    refused_from: None,
                    honest_until: None,
                    cleared: false,
                });
                self.changed_at = Some(*at);
            }
            IssuerEvent::IssuerEnded { kid, at, .. } => {
                self.change(*kid, *at, |it| it.ended_at = it.ended_at.or(Some(*at)));
            }
            IssuerEvent::IssuerCompromised { kid, since, honest_until, at, .. } => {
                self.change(*kid, *at, |it| {
                    it.ended_at = it.ended_at.or(Some(*at));
                    it.refused_from = Some(*since);
                    it.honest_until = Some(*honest_until);
                    it.cleared = false;
                });
            }
            IssuerEvent::IssuerCleared { kid, .. } => {
                if let Some(it) = self.keys.iter_mut().find(|it| it.kid == *kid) {
                    it.cleared = true;
                }
            }
            IssuerEvent::KeysStated { day, to, .. } => self.stated = Some((*day, *to)),
        }
    }
}

impl Issuers {
    fn change(&mut self, kid: KeyId, at: Instant, change: impl FnOnce(&mut Issuer)) {
        if let Some(it) = self.keys.iter_mut().find(|it| it.kid == kid) {
            change(it);
        }
        self.changed_at = Some(at);
    }
}
