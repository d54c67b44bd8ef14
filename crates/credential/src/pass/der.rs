//! DER (X.690), as much as certificates and their lists need: elements one after another, definite
//! lengths, no recursion.

/// BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// SET.
pub const SET: u8 = 0x31;

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// The identifier, one byte: longer ones do not occur here.
    pub tag: u8,
    /// What is inside.
    pub content: &'a [u8],
    /// Identifier, length and content.
    pub whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements inside.
    pub fn inside(self) -> Der<'a> {
        Der(self.content)
    }
}

/// Elements one after another.
#[derive(Debug, Clone, Copy)]
pub struct Der<'a>(pub &'a [u8]);

impl<'a> Der<'a> {
    /// The next element, if there is a whole one.
    pub fn element(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        // The high tag numbers, and lengths beyond three bytes, have no place in certificates.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let length = match first {
            0..=0x7f => usize::from(first),
            0x81..=0x83 => {
                let (bytes, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
                rest = after;
                let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                // DER has one way to write a length (X.690, 10.1).
                let shortest = bytes.first() != Some(&0) && 0x7f < length;
                if !shortest {
                    return None;
                }
                length
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let (whole, _) = self.0.split_at_checked(self.0.len().checked_sub(after.len())?)?;
        self.0 = after;
        Some(Element { tag, content, whole })
    }

    /// The next element, if it has this tag; otherwise nothing is taken.
    pub fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.element().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }

    /// The elements inside the next one, which must have this tag.
    pub fn enter(&mut self, tag: u8) -> Option<Der<'a>> {
        self.take(tag).map(Element::inside)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The unsigned bytes of an INTEGER's content, without leading zeros.
pub fn unsigned(content: &[u8]) -> &[u8] {
    let zeros = content.iter().take_while(|byte| **byte == 0).count();
    content.get(zeros..).unwrap_or_default()
}

/// The content of a BIT STRING of whole bytes.
pub fn bits(element: Element<'_>) -> Option<&[u8]> {
    match element.content.split_first() {
        Some((0, bits)) if element.tag == BIT_STRING => Some(bits),
        _ => None,
    }
}

/// An element of this tag around `content`.
pub fn wrapped(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len().to_be_bytes();
    let length = unsigned(&length);
    match length {
        [] => out.push(0),
        [short @ 0..=0x7f] => out.push(*short),
        long => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(0));
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

/// An INTEGER of unsigned big-endian bytes.
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let bytes = unsigned(bytes);
    match bytes.first() {
        Some(0..=0x7f) => wrapped(INTEGER, bytes),
        _ => wrapped(INTEGER, &[&[0], bytes].concat()),
    }
}

/// A SEQUENCE of two INTEGERs: an ECDSA signature (RFC 3279, 2.2.3), an RSA public key.
pub fn two_integers(first: &[u8], second: &[u8]) -> Vec<u8> {
    wrapped(SEQUENCE, &[integer(first), integer(second)].concat())
}

/// An ECDSA signature as `r || s`, each of `width` bytes.
pub fn flat_signature(sequence: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut outer = Der(sequence);
    let mut parts = outer.enter(SEQUENCE)?;
    let mut out = Vec::with_capacity(2 * width);
    for _ in 0..2 {
        // Positive and in its shortest form: one signature has one text.
        let part = match parts.take(INTEGER)?.content {
            [0, rest @ ..] if rest.first().is_some_and(|byte| 0x80 <= *byte) => rest,
            part if part.first().is_some_and(|byte| (1..0x80).contains(byte)) => part,
            _ => return None,
        };
        out.resize(out.len() + width.checked_sub(part.len())?, 0);
        out.extend_from_slice(part);
    }
    (parts.is_empty() && outer.is_empty()).then_some(out)
}

/// The unix second of a UTCTime or GeneralizedTime (RFC 5280, 4.1.2.5: in UTC, to the second).
pub fn second(element: Element<'_>) -> Option<i64> {
    let digits = element.content.strip_suffix(b"Z")?;
    let (year, rest) = match (element.tag, digits.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = digits.split_at_checked(2)?;
            let year = number(year)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = digits.split_at_checked(4)?;
            (number(year)?, rest)
        }
        _ => return None,
    };
    let mut fields = rest.chunks(2).map(number);
    let mut field = || fields.next().flatten();
    let (month, day) = (field()?, field()?);
    let (hour, minute, second) = (field()?, field()?, field()?);
    super::time::seconds([year, month, day], [hour, minute, second])
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0'))
    })
}
