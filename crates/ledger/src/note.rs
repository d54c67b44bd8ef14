//! Signed notes after C2SP signed-note: a text and, below a blank line, who signed it.
//!
//! Keys are named. Signatures by keys that we do not know are kept and ignored, so that a log can
//! change its key and witnesses can be added without breaking anyone; a bad signature by a key that
//! we do know makes the whole note bad.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cosignature;

/// The most signatures a note may carry. The specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 100;

/// The most bytes a note may have; with 100 post-quantum signatures it stays below.
pub const MAX_NOTE_BYTES: usize = 1_000_000;

/// Bytes of an Ed25519 public key, and of the seed of a private one.
pub const KEY_BYTES: usize = 32;

/// How a key signs: the signature type byte of signed-note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// 0x01: Ed25519 over the note text. Logs use it.
    Ed25519,
    /// 0x04: timestamped Ed25519 over a checkpoint. Witnesses use it.
    CosignatureV1,
}

impl Algorithm {
    /// The byte that stands for it in key texts and key ids.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::CosignatureV1 => 4,
        }
    }
}

/// A note or key that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The note breaks the format.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// More than [`MAX_NOTE_BYTES`] or [`MAX_SIGNATURES`].
    #[error("the note is too large")]
    TooLarge,
    /// A key name is empty or has a space, a plus sign or a control character in it.
    #[error("not a key name")]
    KeyName,
    /// A verifier key text breaks the format, or its id is not the one of its key.
    #[error("not a verifier key: {0}")]
    VerifierKey(&'static str),
    /// A verifier key of a kind that is not supported here.
    #[error("keys of signature type {0} are not supported")]
    UnsupportedAlgorithm(u8),
    /// Two of the keys given share name and id, so nobody could tell whose signature it is.
    #[error("two keys are called {name} with one id")]
    AmbiguousKey {
        /// The name of both.
        name: String,
    },
    /// A known key's signature does not verify.
    #[error("the signature by {name} does not verify")]
    BadSignature {
        /// Whose signature.
        name: String,
    },
    /// No known key signed the note.
    #[error("no known key signed the note")]
    Unsigned,
}

impl NoteError {
    /// The stable code that clients may branch on.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "ledger-note-malformed",
            Self::TooLarge => "ledger-note-too-large",
            Self::KeyName => "ledger-key-name",
            Self::VerifierKey(_) => "ledger-verifier-key",
            Self::UnsupportedAlgorithm(_) => "ledger-key-unsupported",
            Self::AmbiguousKey { .. } => "ledger-key-ambiguous",
            Self::BadSignature { .. } => "ledger-note-bad-signature",
            Self::Unsigned => "ledger-note-unsigned",
        }
    }
}

/// A public key with its name. Its text form is the `vkey`: `name+id+base64`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    id: u32,
    algorithm: Algorithm,
    public: [u8; KEY_BYTES],
}

impl VerifierKey {
    /// A key from its parts; the id follows from them.
    pub fn try_new(
        name: &str,
        algorithm: Algorithm,
        public: [u8; KEY_BYTES],
    ) -> Result<Self, NoteError> {
        check_name(name)?;
        let id = key_id(name, algorithm, &public);
        Ok(Self { name: name.to_owned(), id, algorithm, public })
    }

    /// The name it signs under, usually like `example.com/log`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of the hash over name, type and key. Tells keys apart; proves nothing.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// How it signs.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The 32 bytes of the Ed25519 public key (RFC 8032).
    pub const fn public(&self) -> &[u8; KEY_BYTES] {
        &self.public
    }

    fn signed(&self, signature: &Signature) -> bool {
        self.id == signature.id && self.name == signature.name
    }

    /// Checks a signature that claims to be by this key.
    fn verify(&self, text: &str, signature: &Signature) -> Result<Verified, NoteError> {
        let bad = || NoteError::BadSignature { name: self.name.clone() };
        let timestamp = match self.algorithm {
            Algorithm::Ed25519 => {
                verify_ed25519(&self.public, text.as_bytes(), &signature.bytes).ok_or_else(bad)?;
                None
            }
            Algorithm::CosignatureV1 => {
                Some(cosignature::verify(&self.public, text, &signature.bytes).ok_or_else(bad)?)
            }
        };
        Ok(Verified { name: self.name.clone(), id: self.id, timestamp })
    }
}

/// The vkey text.
impl fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.algorithm.byte()];
        key.extend_from_slice(&self.public);
        write!(formatter, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let malformed = || NoteError::VerifierKey("not name+id+key");
        // Base64 has plus signs of its own, so only the first two separate.
        let (name, rest) = text.split_once('+').ok_or_else(malformed)?;
        let (id, key) = rest.split_once('+').ok_or_else(malformed)?;
        let key = STANDARD.decode(key).map_err(|_| NoteError::VerifierKey("not base64"))?;
        let (byte, public) = key.split_first().ok_or(NoteError::VerifierKey("without a key"))?;
        let algorithm = match byte {
            1 => Algorithm::Ed25519,
            4 => Algorithm::CosignatureV1,
            other => return Err(NoteError::UnsupportedAlgorithm(*other)),
        };
        let public = public.try_into().map_err(|_| NoteError::VerifierKey("not 32 bytes"))?;
        let verifier = Self::try_new(name, algorithm, public)?;
        if format!("{:08x}", verifier.id) != id {
            return Err(NoteError::VerifierKey("the id is not the one of this key"));
        }
        Ok(verifier)
    }
}

/// A private key that signs notes (Ed25519, type 0x01).
pub struct Signer {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

/// Names the key and never shows its private half.
impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({})", self.verifier)
    }
}

impl Signer {
    /// A signer from a seed of 32 random bytes (the RFC 8032 private key) and a name.
    pub fn try_new(name: &str, seed: &[u8; KEY_BYTES]) -> Result<Self, NoteError> {
        let (pair, verifier) = key_pair(name, seed, Algorithm::Ed25519)?;
        Ok(Self { pair, verifier })
    }

    /// The key that others verify with.
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The public key as text.
    pub fn vkey(&self) -> String {
        self.verifier.to_string()
    }

    /// A note of `text`, which must end with a newline, signed by this key.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        check_text(text)?;
        Ok(format!("{text}\n{}\n", self.line(text)))
    }

    /// The signature line alone, without its newline, to be added to a note of the same text.
    fn line(&self, text: &str) -> String {
        signature_line(&self.verifier, self.pair.sign(text.as_bytes()).as_ref())
    }

    /// Adds this key's signature to a note that others signed, for a change of keys.
    pub fn sign_also(&self, note: &str) -> Result<String, NoteError> {
        let parsed = Note::parse(note)?;
        Ok(format!("{note}{}\n", self.line(&parsed.text)))
    }
}

pub(crate) fn key_pair(
    name: &str,
    seed: &[u8; KEY_BYTES],
    algorithm: Algorithm,
) -> Result<(Ed25519KeyPair, VerifierKey), NoteError> {
    // Any 32 bytes are a valid Ed25519 seed, so the errors below do not occur.
    let pair = Ed25519KeyPair::from_seed_unchecked(seed)
        .map_err(|_| NoteError::VerifierKey("not a seed"))?;
    let public = pair.public_key().as_ref().try_into();
    let public = public.map_err(|_| NoteError::VerifierKey("not 32 bytes"))?;
    let verifier = VerifierKey::try_new(name, algorithm, public)?;
    Ok((pair, verifier))
}

pub(crate) fn signature_line(key: &VerifierKey, signature: &[u8]) -> String {
    let mut bytes = key.id.to_be_bytes().to_vec();
    bytes.extend_from_slice(signature);
    format!("— {} {}", key.name, STANDARD.encode(bytes))
}

/// A signature line as it stands in a note, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub id: u32,
    /// What follows the id.
    pub bytes: Vec<u8>,
}

/// A signature that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub id: u32,
    /// When a witness says it saw the checkpoint, in seconds since 1970 (cosignatures only).
    pub timestamp: Option<u64>,
}

/// A note taken apart. Nothing in it may be believed before [`Note::open`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text with its final newline.
    pub text: String,
    /// The signatures in order, at least one.
    pub signatures: Vec<Signature>,
}

/// A note that at least one known key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenNote {
    /// The text with its final newline.
    pub text: String,
    /// Who signed it, each key once.
    pub verified: Vec<Verified>,
    /// Signatures by keys that were not given.
    pub unknown: Vec<Signature>,
}

impl Note {
    /// Takes a note apart without checking signatures.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge);
        }
        check_characters(note)?;
        // The last blank line separates: the text may have blank lines, signatures cannot.
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed("no signatures"))?;
        let (text, rest) = note.split_at(split + 1);
        let lines = rest
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .ok_or(NoteError::Malformed("the last line does not end"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooLarge);
            }
            signatures.push(parse_signature(line)?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Parses a note and checks every signature by one of `keys`.
    ///
    /// Unknown keys are ignored; a bad signature by a known key, and a note that no known key
    /// signed, are errors.
    pub fn open(note: &str, keys: &[VerifierKey]) -> Result<OpenNote, NoteError> {
        for (place, key) in keys.iter().enumerate() {
            let same = |other: &&VerifierKey| other.id == key.id && other.name == key.name;
            if keys.iter().skip(place + 1).any(|other| same(&other)) {
                return Err(NoteError::AmbiguousKey { name: key.name.clone() });
            }
        }
        let Self { text, signatures } = Self::parse(note)?;
        let mut verified: Vec<Verified> = Vec::new();
        let mut unknown = Vec::new();
        for signature in signatures {
            let Some(key) = keys.iter().find(|key| key.signed(&signature)) else {
                unknown.push(signature);
                continue;
            };
            let checked = key.verify(&text, &signature)?;
            // A signature repeated must not count as two witnesses.
            if !verified.iter().any(|other| other.id == checked.id && other.name == checked.name) {
                verified.push(checked);
            }
        }
        if verified.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(OpenNote { text, verified, unknown })
    }
}

fn parse_signature(line: &str) -> Result<Signature, NoteError> {
    let malformed = NoteError::Malformed("not a signature line");
    let Some((name, signature)) = line.strip_prefix("— ").and_then(|rest| rest.split_once(' '))
    else {
        return Err(malformed);
    };
    check_name(name)?;
    let Ok(bytes) = STANDARD.decode(signature) else { return Err(malformed) };
    match bytes.split_first_chunk::<4>() {
        Some((id, bytes)) if !bytes.is_empty() => Ok(Signature {
            name: name.to_owned(),
            id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        }),
        _ => Err(malformed),
    }
}

/// Signed notes have no ASCII control characters but newlines.
fn check_characters(text: &str) -> Result<(), NoteError> {
    if text.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(NoteError::Malformed("a control character"));
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), NoteError> {
    check_characters(text)?;
    if text.ends_with('\n') { Ok(()) } else { Err(NoteError::Malformed("the text does not end")) }
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |letter: char| letter.is_whitespace() || letter == '+' || letter < ' ';
    if name.is_empty() || name.contains(bad) { Err(NoteError::KeyName) } else { Ok(()) }
}

fn key_id(name: &str, algorithm: Algorithm, public: &[u8; KEY_BYTES]) -> u32 {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(name.as_bytes());
    context.update(b"\n");
    context.update(&[algorithm.byte()]);
    context.update(public);
    let digest = context.finish();
    digest.as_ref().first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// `Some(())` when the signature is good.
pub(crate) fn verify_ed25519(
    public: &[u8; KEY_BYTES],
    message: &[u8],
    signature: &[u8],
) -> Option<()> {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).ok()
}
