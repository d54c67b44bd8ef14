//! A pass that an organisation of ours issued, as a compact code bound to its holder's phone: what a
//! door's rules read of the HCERT, initials and day of birth in place of the name, and the phone's key.
//!
//! It travels in the envelope of the health code (`HT1:`, [`crate::moment`]) with the same proof of the
//! moment, and is signed by the organisation's P-256 key, which verifiers have for the HCERT already
//! (COSE_Sign1, ES256). What it says becomes the document that rules read of the HCERT, so that one set
//! of rules says the same of both; and it names the same place in the same status list, so that who
//! revokes the one revokes the other.
//!
//! The payload is a CBOR map with small integer keys: 0 the kind, 1 the pass's name, 2 when this code
//! was made, 3 its end, 4 the device's key, 5 when the pass was issued, 6 the pass's end, 7 address and
//! 8 place in a status list, 9 country, 10 initials, 11 birth date, 12 the entry's fields. There is one
//! encoding of each code, and every other is refused.

use minicbor::Decoder;
use minicbor::data::Type;
use serde_json::{Map, Value};

use super::sign1::Message;
use super::verdict::Shown;
use crate::cbor::{self, encoded};
use crate::error::DecodeError;
#[cfg(not(target_arch = "wasm32"))]
use crate::moment::MAX_BYTES;
use crate::moment::{Moment, Presentation};

/// The longest text inside, in bytes: 80 characters of four bytes.
const TEXT_MAX: usize = 320;
/// The version of the schema that the document follows, as the HCERT does.
const SCHEMA: &str = "1.3.0";

/// The groups of the document, each with its fields in their order. Country and identifier stand apart.
const GROUPS: [(&str, &[&str]); 4] = [
    ("v", &["tg", "vp", "mp", "ma", "dn", "sd", "dt", "is"]),
    ("t", &["tg", "tt", "ma", "sc", "tr", "tc", "is"]),
    ("r", &["tg", "fr", "df", "du", "is"]),
    ("x", &["tg", "df", "du", "is"]),
];

/// One field of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The pass does not say.
    Absent,
    /// A count of doses.
    Count(u8),
    /// A code, a day, a moment, a name.
    Text(String),
}

/// The content of a compact code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundPass {
    /// 0 vaccination, 1 test, 2 recovery, 3 exemption.
    pub kind: u8,
    /// The name of the pass in proofs and entries: [`super::name_of`] the HCERT's text.
    pub pass: [u8; 16],
    /// When this code was made, unix seconds.
    pub issued_at: i64,
    /// Unix seconds; expired from this second on. Not later than the pass's own end.
    pub valid_until: i64,
    /// The device's P-256 key (SEC 1 compressed).
    pub device: [u8; 33],
    /// When the pass itself was issued.
    pub attested_at: i64,
    /// When the pass itself ends.
    pub ends_at: i64,
    /// The address of its status list.
    pub list: String,
    /// Its place there.
    pub place: u32,
    /// Two letters.
    pub country: String,
    /// First letters of given names and surname.
    pub initials: String,
    /// `YYYY-MM-DD`, or less of it.
    pub birth: String,
    /// The entry's fields, in the order of its group.
    pub fields: Vec<Field>,
}

impl BoundPass {
    /// The deterministic CBOR of this code.
    pub fn to_cbor(&self) -> Vec<u8> {
        encoded(|cbor| {
            cbor.map(13)?.u8(0)?.u8(self.kind)?.u8(1)?.bytes(&self.pass)?.u8(2)?;
            cbor::put_seconds(cbor, self.issued_at)?;
            cbor.u8(3)?;
            cbor::put_seconds(cbor, self.valid_until)?;
            cbor.u8(4)?.bytes(&self.device)?.u8(5)?;
            cbor::put_seconds(cbor, self.attested_at)?;
            cbor.u8(6)?;
            cbor::put_seconds(cbor, self.ends_at)?;
            cbor.u8(7)?.str(&self.list)?.u8(8)?.u32(self.place)?;
            cbor.u8(9)?.str(&self.country)?.u8(10)?.str(&self.initials)?;
            cbor.u8(11)?.str(&self.birth)?.u8(12)?;
            cbor.array(u64::try_from(self.fields.len()).unwrap_or(u64::MAX))?;
            for field in &self.fields {
                match field {
                    Field::Absent => cbor.null()?,
                    Field::Count(count) => cbor.u8(*count)?,
                    Field::Text(text) => cbor.str(text)?,
                };
            }
            Ok(())
        })
    }

    /// Reads a code; anything but the one deterministic encoding of a sound code is refused.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, DecodeError> {
        let from = &mut Decoder::new(bytes);
        if cbor::map(from)? != 13 {
            return Err(DecodeError::WrongShape);
        }
        cbor::key(from, 0)?;
        let kind = from.u8()?;
        cbor::key(from, 1)?;
        let pass = cbor::fixed(from)?;
        cbor::key(from, 2)?;
        let issued_at = cbor::seconds(from)?;
        cbor::key(from, 3)?;
        let valid_until = cbor::seconds(from)?;
        cbor::key(from, 4)?;
        let device = cbor::fixed(from)?;
        cbor::key(from, 5)?;
        let attested_at = cbor::seconds(from)?;
        cbor::key(from, 6)?;
        let ends_at = cbor::seconds(from)?;
        cbor::key(from, 7)?;
        let list = from.str()?.to_owned();
        cbor::key(from, 8)?;
        let place = from.u32()?;
        cbor::key(from, 9)?;
        let country = from.str()?.to_owned();
        cbor::key(from, 10)?;
        let initials = from.str()?.to_owned();
        cbor::key(from, 11)?;
        let birth = from.str()?.to_owned();
        cbor::key(from, 12)?;
        let (_, names) = group(kind)?;
        if usize::try_from(cbor::array(from)?) != Ok(names.len()) {
            return Err(DecodeError::WrongShape);
        }
        let mut fields = Vec::with_capacity(names.len());
        for _ in names {
            fields.push(match from.datatype()? {
                Type::Null => {
                    from.null()?;
                    Field::Absent
                }
                Type::U8 => Field::Count(from.u8()?),
                _ => Field::Text(from.str()?.to_owned()),
            });
        }
        let code = Self {
            kind,
            pass,
            issued_at,
            valid_until,
            device,
            attested_at,
            ends_at,
            list,
            place,
            country,
            initials,
            birth,
            fields,
        };
        code.check()?;
        cbor::same(bytes, &code.to_cbor())?;
        Ok(code)
    }

    /// Whether the fields are within their ranges; asked before signing and after reading. Whether they
    /// make a document of the schema is for the verdict, as with the HCERT.
    pub fn check(&self) -> Result<(), DecodeError> {
        let texts = self.fields.iter().filter_map(|field| match field {
            Field::Text(text) => Some(text),
            Field::Absent | Field::Count(_) => None,
        });
        let seconds = [self.issued_at, self.valid_until, self.attested_at, self.ends_at];
        let mut all = texts.chain([&self.list, &self.initials, &self.birth]);
        let sound = seconds.iter().all(|it| cbor::is_second(*it))
            && self.issued_at < self.valid_until
            // The last second of an HCERT is still good.
            && self.valid_until <= self.ends_at.saturating_add(1)
            && self.country.len() == 2
            && self.country.bytes().all(|it| it.is_ascii_uppercase())
            && all.all(|it| it.len() <= TEXT_MAX)
            && self.fields.len() == group(self.kind)?.1.len();
        if sound { Ok(()) } else { Err(DecodeError::WrongShape) }
    }

    /// The document that rules read: the HCERT's, without the name. The identifier is the pass's name,
    /// because the whole one would only make the code larger.
    pub(super) fn content(&self) -> Value {
        let mut entry = Map::new();
        let (group, names) = group(self.kind).unwrap_or(("", &[]));
        for (name, field) in names.iter().zip(&self.fields) {
            let value = match field {
                Field::Absent => continue,
                Field::Count(count) => Value::from(*count),
                Field::Text(text) => Value::from(text.as_str()),
            };
            entry.insert((*name).to_owned(), value);
        }
        let identifier = format!("URN:HAETAE:{:032X}", u128::from_be_bytes(self.pass));
        entry.insert("co".to_owned(), Value::from(self.country.as_str()));
        entry.insert("ci".to_owned(), Value::from(identifier));
        let name = Map::from_iter([("fnt".to_owned(), Value::from(""))]);
        let content = [
            ("ver", Value::from(SCHEMA)),
            ("nam", Value::Object(name)),
            ("dob", Value::from(self.birth.as_str())),
            (group, Value::Array(vec![Value::Object(entry)])),
        ];
        Value::Object(content.into_iter().map(|(name, it)| (name.to_owned(), it)).collect())
    }

    /// As much of the holder as there is in it.
    pub(super) fn shown(&self) -> Shown {
        let initials = self.initials.clone();
        Shown { initials, ..Shown::new("", "", &self.birth, false) }
    }
}

fn group(kind: u8) -> Result<(&'static str, &'static [&'static str]), DecodeError> {
    GROUPS.get(usize::from(kind)).copied().ok_or(DecodeError::WrongShape)
}

/// A compact code as it was shown: read, but not verified.
pub(super) struct Bound {
    pub(super) code: BoundPass,
    pub(super) moment: Option<Moment>,
    /// The COSE_Sign1.
    pub(super) signed: Vec<u8>,
}

impl Bound {
    /// Reads a text; nothing if it is no compact code.
    pub(super) fn read(text: &str) -> Option<Self> {
        let shown = Presentation::from_text(text).ok()?;
        let code = {
            let message = Message::read(&shown.signed).ok()?;
            let kid: [u8; 8] = message.kid.as_deref()?.try_into().ok()?;
            // One envelope only, so that nobody can write one code in two ways.
            if envelope(kid, &message.payload, &message.signature) != shown.signed {
                return None;
            }
            BoundPass::from_cbor(&message.payload).ok()?
        };
        Some(Self { code, moment: shown.moment, signed: shown.signed })
    }
}

/// COSE_Sign1, tagged, with algorithm (ES256) and kid protected.
pub(crate) fn envelope(kid: [u8; 8], payload: &[u8], signature: &[u8]) -> Vec<u8> {
    let protected = protected(kid);
    encoded(|cbor| {
        cbor.tag(minicbor::data::Tag::new(18))?.array(4)?.bytes(&protected)?.map(0)?;
        cbor.bytes(payload)?.bytes(signature)?;
        Ok(())
    })
}

/// `{1: -7, 4: kid}`.
pub(crate) fn protected(kid: [u8; 8]) -> Vec<u8> {
    encoded(|cbor| {
        cbor.map(2)?.u8(1)?.i8(-7)?.u8(4)?.bytes(&kid)?;
        Ok(())
    })
}

/// Whether the text is a compact code, whoever signed it.
pub fn is_bound(text: &str) -> bool {
    text.len() <= crate::moment::MAX_TEXT && Bound::read(text).is_some()
}

/// What was read of an HCERT, as a compact code for a device; nothing where something of it has no
/// place there, or where it has no place in a status list, without which it could not be revoked.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn compact(
    (content, list, place): (&Value, &str, u32),
    (attested_at, ends_at): (i64, i64),
    pass: [u8; 16],
    (device, issued_at, valid_until): ([u8; 33], i64, i64),
    shown: Shown,
) -> Option<BoundPass> {
    let (kind, (_, names), entry) = (0_u8..).zip(GROUPS).find_map(|(kind, it)| {
        let entry = content.get(it.0)?.as_array()?.first()?.as_object()?;
        Some((kind, it, entry))
    })?;
    let has_place = |name: &String| names.contains(&name.as_str()) || name == "co" || name == "ci";
    if !entry.keys().all(has_place) {
        return None;
    }
    let field = |name: &&str| match entry.get(*name) {
        None => Some(Field::Absent),
        Some(Value::String(text)) => Some(Field::Text(text.clone())),
        Some(value) => Some(Field::Count(u8::try_from(value.as_u64()?).ok()?)),
    };
    let code = BoundPass {
        kind,
        pass,
        issued_at,
        valid_until: valid_until.min(ends_at),
        device,
        attested_at,
        ends_at,
        list: list.to_owned(),
        place,
        country: entry.get("co")?.as_str()?.to_owned(),
        initials: shown.initials,
        birth: content.get("dob")?.as_str()?.to_owned(),
        fields: names.iter().map(field).collect::<Option<_>>()?,
    };
    (code.check().is_ok() && fits(&code)).then_some(code)
}

/// Whether the code with its signature and a proof is short enough to be read.
#[cfg(not(target_arch = "wasm32"))]
fn fits(code: &BoundPass) -> bool {
    const AROUND: usize = 200;
    code.to_cbor().len() + AROUND <= MAX_BYTES
}
