//! Token Status List (draft-ietf-oauth-status-list): the standing of a million passes in a few
//! kilobytes, one, two, four or eight bits each.
//!
//! A pass carries an index and the list's address; the list is a signed token (JWT or CWT) of the
//! issuer. Who looks a pass up tells nobody which one. Ours have one bit or two: valid and revoked, or
//! suspended as well.

use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};

use super::cbor_value::Cbor;
use super::dcc::seconds;
use super::inflate::{Wrap, inflate};
use super::json::Json;
use super::jwk::{any_base64, base64url, to_base64url};
use super::revocation::Standing;
use super::shc::jws::Jws;
use super::sign1::Message;
use super::trust::Trust;
use super::{Format, json};
use crate::cbor::encoded;

/// The most that one list holds: 2^20 entries of eight bits, the largest of the draft's vectors.
const MAX_BYTES: usize = 1 << 20;

/// Claims of the draft, section "Status List Token in CWT Format", and of RFC 8392.
const SUBJECT: i64 = 2;
const EXPIRES: i64 = 4;
const ISSUED: i64 = 6;
/// `status_list` in a token that is one.
pub(crate) const STATUS_LIST: i64 = 65_533;
/// How long it may be kept.
const TIME_TO_LIVE: i64 = 65_534;
/// `status` in a token that has one.
pub(crate) const STATUS: i64 = 65_535;

/// What a list says of a pass: 0.
pub const VALID: u8 = 0;
/// What a list says of a pass for good: 1.
pub const INVALID: u8 = 1;
/// What a list says of a pass for now: 2.
pub const SUSPENDED: u8 = 2;

/// Statuses by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: u8,
    bytes: Vec<u8>,
}

impl StatusList {
    /// `entries` passes, all valid, with 1, 2, 4 or 8 bits each.
    pub fn try_new(bits: u8, entries: usize) -> Option<Self> {
        let length = entries.div_ceil(per_byte(bits)?);
        (length <= MAX_BYTES).then(|| Self { bits, bytes: vec![0; length] })
    }

    /// Reads the packed list (`lst`): zlib, at most a mebibyte.
    pub fn unpack(bits: u8, packed: &[u8]) -> Option<Self> {
        per_byte(bits)?;
        Some(Self { bits, bytes: inflate(packed, Wrap::Zlib).ok()? })
    }

    /// The packed list, as small as it gets (section "Compressed Byte Array").
    pub fn pack(&self) -> Vec<u8> {
        compress_to_vec_zlib(&self.bytes, 9)
    }

    /// How many passes it has room for.
    pub fn capacity(&self) -> usize {
        self.bytes.len() * per_byte(self.bits).unwrap_or(1)
    }

    /// The status of a pass; nothing beyond the end, which is not "valid".
    pub fn get(&self, index: usize) -> Option<u8> {
        let (byte, shift, mask) = self.place(index)?;
        self.bytes.get(byte).map(|byte| (byte >> shift) & mask)
    }

    /// Sets the status of a pass; nothing is done beyond the end or with a status of more bits.
    pub fn set(&mut self, index: usize, status: u8) -> Option<()> {
        let (byte, shift, mask) = self.place(index)?;
        let byte = self.bytes.get_mut(byte).filter(|_| status <= mask)?;
        *byte = (*byte & !(mask << shift)) | (status << shift);
        Some(())
    }

    /// Byte, shift and mask: the lowest bits of a byte are its first entry.
    fn place(&self, index: usize) -> Option<(usize, u32, u8)> {
        let per_byte = per_byte(self.bits)?;
        let shift = u32::try_from(index % per_byte).ok()? * u32::from(self.bits);
        Some((index / per_byte, shift, u8::MAX >> (8 - self.bits)))
    }

    /// `{"bits": …, "lst": …}`.
    pub fn to_json(&self) -> Value {
        json!({"bits": self.bits, "lst": to_base64url(&self.pack())})
    }

    /// The same in CBOR.
    pub fn to_cbor(&self) -> Vec<u8> {
        let packed = self.pack();
        encoded(|cbor| {
            cbor.map(2)?.str("bits")?.u8(self.bits)?.str("lst")?.bytes(&packed)?;
            Ok(())
        })
    }

    fn from_json(list: &Json) -> Option<Self> {
        let bits = u8::try_from(list.get("bits")?.integer()?).ok()?;
        Self::unpack(bits, &base64url(list.text_at("lst")?)?)
    }

    fn from_cbor(list: &Cbor) -> Option<Self> {
        let (Cbor::Int(bits), Cbor::Bytes(packed)) = (list.named("bits")?, list.named("lst")?)
        else {
            return None;
        };
        Self::unpack(u8::try_from(*bits).ok()?, packed)
    }
}

fn per_byte(bits: u8) -> Option<usize> {
    matches!(bits, 1 | 2 | 4 | 8).then(|| usize::from(8 / bits))
}

/// A signed list that was read and not yet verified.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusToken {
    /// The list's address, by which passes name it.
    pub uri: String,
    /// When it was made.
    pub issued_at: i64,
    /// Until when it may be relied on; where it does not say, as long as it may be kept.
    pub until: Option<i64>,
    /// The list.
    pub list: StatusList,
    signed: Signed,
}

/// The token around a list.
#[derive(Debug, Clone, PartialEq)]
enum Signed {
    Jwt(Jws),
    Cwt(Vec<u8>),
}

impl StatusToken {
    /// Reads a Status List Token in JWT form.
    pub fn from_jwt(text: &str) -> Option<Self> {
        let jws = Jws::read(text).filter(Jws::is_es256)?;
        if jws.header.text_at("typ") != Some("statuslist+jwt") {
            return None;
        }
        let claims = Json::read(&jws.payload)?;
        let moment = |name: &str| claims.get(name).and_then(Json::seconds).and_then(json::whole);
        let issued_at = moment("iat")?;
        Some(Self {
            uri: claims.text_at("sub")?.to_owned(),
            issued_at,
            until: end(issued_at, moment("exp"), moment("ttl")),
            list: StatusList::from_json(claims.get("status_list")?)?,
            signed: Signed::Jwt(jws),
        })
    }

    /// Reads a Status List Token in CWT form.
    pub fn from_cwt(bytes: &[u8]) -> Option<Self> {
        let message = Message::read(bytes).ok()?;
        let claims = Cbor::read(&message.payload)?;
        let moment = |name: i64| claims.at(name).and_then(seconds);
        let issued_at = moment(ISSUED)?;
        Some(Self {
            uri: claims.at(SUBJECT)?.text()?.to_owned(),
            issued_at,
            until: end(issued_at, moment(EXPIRES), moment(TIME_TO_LIVE)),
            list: StatusList::from_cbor(claims.at(STATUS_LIST)?)?,
            signed: Signed::Cwt(bytes.to_vec()),
        })
    }

    /// Whether somebody signed it who is trusted with passes.
    fn is_signed_by_known(&self, trust: &Trust) -> bool {
        match &self.signed {
            Signed::Jwt(jws) => {
                let short = any_base64(&jws.kid).unwrap_or_default();
                let cards = trust.signers(Format::Shc, jws.kid.as_bytes()).iter();
                let mut all = cards.chain(trust.signers(Format::Dcc, &short));
                all.any(|signer| jws.signed_by(&signer.key).holds() == Some(true))
            }
            Signed::Cwt(bytes) => Message::read(bytes).is_ok_and(|message| {
                let kid = message.kid.clone().unwrap_or_default();
                let mut all = trust.signers(Format::Dcc, &kid).iter();
                all.any(|it| message.check(&it.key).and_then(|check| check.holds()) == Some(true))
            }),
        }
    }
}

/// The claims of a list of our own, which [`crate::issue::HcertSigner`] signs.
#[derive(Debug, Clone, Copy)]
pub struct StatusClaims<'a> {
    /// The list's address, by which passes name it.
    pub uri: &'a str,
    /// The list.
    pub list: &'a StatusList,
    /// Unix seconds.
    pub issued_at: i64,
    /// Unix seconds; it says nothing good from then on.
    pub expires_at: i64,
    /// After how many seconds a newer one should be fetched.
    pub ttl_s: i64,
}

impl StatusClaims<'_> {
    /// As a CWT payload.
    pub fn to_cbor(&self) -> Vec<u8> {
        let packed = self.list.pack();
        encoded(|cbor| {
            cbor.map(5)?.i64(SUBJECT)?.str(self.uri)?.i64(EXPIRES)?.i64(self.expires_at)?;
            cbor.i64(ISSUED)?.i64(self.issued_at)?.i64(TIME_TO_LIVE)?.i64(self.ttl_s)?;
            cbor.i64(STATUS_LIST)?.map(2)?.str("bits")?.u8(self.list.bits)?;
            cbor.str("lst")?.bytes(&packed)?;
            Ok(())
        })
    }

    /// As a JWT payload.
    pub fn to_json(&self) -> Value {
        json!({
            "sub": self.uri, "iat": self.issued_at, "exp": self.expires_at, "ttl": self.ttl_s,
            "status_list": self.list.to_json(),
        })
    }
}

/// `exp` is the end; `ttl` alone counts from when the list was made, because nobody here knows when it
/// was fetched.
fn end(issued_at: i64, expires: Option<i64>, ttl: Option<i64>) -> Option<i64> {
    expires.or_else(|| issued_at.checked_add(ttl?))
}

impl Trust {
    /// What the newest list of that address says of the pass with that index. A list that nobody known
    /// has signed says nothing. Statuses that are neither valid, invalid nor suspended mean what their
    /// issuer says elsewhere, so here nobody can tell.
    pub(crate) fn status(&self, uri: &str, index: usize, now_s: i64) -> Standing {
        let tokens = self.revocations.status_tokens();
        let mut own: Vec<_> = tokens.iter().filter(|token| token.uri == uri).collect();
        own.sort_by_key(|token| core::cmp::Reverse(token.issued_at));
        let Some(token) = own.iter().find(|token| token.is_signed_by_known(self)) else {
            return if own.is_empty() { Standing::NotListed } else { Standing::Stale };
        };
        let is_over = token.until.is_some_and(|until| until <= now_s) || now_s < token.issued_at;
        match token.list.get(index) {
            Some(INVALID | SUSPENDED) => Standing::Revoked,
            Some(VALID) if !is_over => Standing::Good,
            _ => Standing::Stale,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{StatusList, StatusToken};
    use crate::pass::cbor_value::Cbor;
    use crate::pass::json::Json;
    use crate::pass::tests::data;

    /// The draft folds long lines; texts of examples lose their line ends.
    fn unfolded(name: &str) -> Option<String> {
        let path = data("status-list/examples")?.join(name);
        if !path.is_file() {
            eprintln!("SKIPPED: {} is not there; this test has shown nothing", path.display());
            return None;
        }
        let text = fs::read_to_string(path).unwrap();
        let text = text.split_once("encoded:").map_or(text.as_str(), |(_, after)| after);
        Some(text.split_whitespace().collect())
    }

    fn from_json(name: &str) -> Option<StatusList> {
        Some(StatusList::from_json(&Json::read(unfolded(name)?.as_bytes()).unwrap()).unwrap())
    }

    fn from_cbor(name: &str) -> Option<StatusList> {
        let bytes = hex::decode(unfolded(name)?).unwrap();
        Some(StatusList::from_cbor(&Cbor::read(&bytes).unwrap()).unwrap())
    }

    /// The values that the draft lists under "Test Vectors" for a number of bits.
    fn listed(bits: u8) -> Option<Vec<(usize, u8)>> {
        let draft = data("status-list")?.join("draft-ietf-oauth-status-list.md");
        let draft = fs::read_to_string(draft).unwrap();
        let section = draft.split_once(&format!("## {bits}-bit Status List")).unwrap().1;
        let block = section.split("~~~~~~~~~~").nth(1).unwrap();
        let read = |line: &str| {
            let (index, value) = line.strip_prefix("status[")?.split_once(']')?;
            let value = value.split_once("0b")?.1.trim();
            Some((index.parse().ok()?, u8::from_str_radix(value, 2).ok()?))
        };
        Some(block.lines().filter_map(read).collect())
    }

    #[test]
    fn every_vector_of_the_draft_is_read_and_written() {
        for (bits, stem) in [(1, "1_long"), (2, "2_long"), (4, "4"), (8, "8")] {
            let Some(listed) = listed(bits) else { return };
            assert!(10 < listed.len());
            let mut made = StatusList::try_new(bits, 1 << 20).unwrap();
            for (index, value) in &listed {
                made.set(*index, *value).unwrap();
            }
            for name in ["json", "cbor"] {
                let name = format!("status_list_encoding{stem}_{name}.md");
                let list =
                    if name.ends_with("json.md") { from_json(&name) } else { from_cbor(&name) };
                let Some(list) = list else { continue };
                // The same values everywhere, and no other.
                assert_eq!(list, made, "{name}");
            }
            let again = StatusList::unpack(bits, &made.pack()).unwrap();
            assert_eq!(again, made);
            assert_eq!(made.get(1 << 20), None);
            let json = Json::read(made.to_json().to_string().as_bytes()).unwrap();
            assert_eq!(StatusList::from_json(&json), Some(made.clone()));
            assert_eq!(StatusList::from_cbor(&Cbor::read(&made.to_cbor()).unwrap()), Some(made));
        }
    }

    #[test]
    fn the_short_examples_of_the_draft_give_their_bytes() {
        for (name, bytes) in [
            ("status_list_encoding_json.md", &[0xb9, 0xa3][..]),
            ("status_list_encoding2_json.md", &[0xc9, 0x44, 0xf9]),
        ] {
            let Some(list) = from_json(name) else { return };
            assert_eq!(list.bytes, bytes);
        }
        let list = from_cbor("status_list_encoding_cbor.md").unwrap();
        let values: Vec<_> = (0..16).map(|index| list.get(index).unwrap()).collect();
        assert_eq!(values, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
        assert_eq!((list.capacity(), list.get(16)), (16, None));
    }

    #[test]
    fn the_tokens_of_the_draft_are_read() {
        let Some(jwt) = unfolded("status_list_jwt_raw.md") else { return };
        let jwt = StatusToken::from_jwt(&jwt).unwrap();
        let cwt = hex::decode(unfolded("status_list_cwt.md").unwrap()).unwrap();
        let cwt = StatusToken::from_cwt(&cwt).unwrap();
        assert_eq!(jwt.list, cwt.list);
        for token in [jwt, cwt] {
            assert_eq!(token.uri, "https://example.com/statuslists/1");
            assert_eq!((token.issued_at, token.until), (1_686_920_170, Some(2_291_720_170)));
        }
    }

    #[test]
    fn other_widths_and_lists_that_burst_are_refused() {
        for bits in [0, 3, 5, 6, 7, 9, 255] {
            assert_eq!(StatusList::try_new(bits, 8), None);
            assert_eq!(StatusList::unpack(bits, &StatusList::try_new(1, 8).unwrap().pack()), None);
        }
        assert_eq!(StatusList::try_new(8, (1 << 20) + 1), None);
        let burst = miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; (1 << 20) + 1], 9);
        assert_eq!(StatusList::unpack(1, &burst), None);
        assert_eq!(StatusList::unpack(1, b"not zlib"), None);
    }

    proptest::proptest! {
        #[test]
        fn what_was_set_last_is_what_is_there(
            width in 0_u32..4, changes in proptest::collection::vec((0_usize..300, 0_u8..=255), 0..60),
        ) {
            let bits = 1 << width;
            let mut list = StatusList::try_new(bits, 256).unwrap();
            let mut model = [0; 256];
            for (index, value) in changes {
                let fits = index < 256 && u32::from(value) < 1 << bits;
                proptest::prop_assert_eq!(list.set(index, value).is_some(), fits);
                if fits {
                    model[index] = value;
                }
            }
            let back = StatusList::unpack(bits, &list.pack()).unwrap();
            for (index, value) in model.iter().enumerate() {
                proptest::prop_assert_eq!(back.get(index), Some(*value));
            }
        }

        #[test]
        fn no_token_makes_it_panic(bytes: Vec<u8>, text in "[A-Za-z0-9_.-]{0,80}") {
            let _ = StatusToken::from_cwt(&bytes);
            let _ = StatusToken::from_jwt(&text);
            let _ = StatusList::unpack(1, &bytes);
        }
    }
}
