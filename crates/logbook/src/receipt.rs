//! Receipts: what a person keeps to show later, without us, that an entry stood on the log.
//!
//! The public receipt is a C2SP tlog-proof file; its extra data hold the entry itself, so that one
//! file is enough. It reveals nothing that the log does not. A person's own receipt adds the salt
//! and the payload, from which the entry's commitment can be computed again.

use ledger::ProofFile;
use serde::Serialize;
use store::leaf::commitment;
use store::{Fault, Reader, Recorded};

use crate::model::Proven;
use crate::view;

/// An entry, its proof, and the file that holds both.
pub struct Receipt {
    /// The entry and its path to the present root.
    pub proven: Proven,
    /// The tlog-proof file.
    pub file: String,
}

/// The receipt of an entry under the present checkpoint; `None` when there is no such entry.
pub fn receipt(reader: &mut Reader<'_>, index: u64) -> Result<Option<Receipt>, Fault> {
    let head = reader.head()?;
    let Some(proven) = view::prove(reader, index, head.size)? else { return Ok(None) };
    let file = ProofFile {
        extra: proven.entry.clone(),
        index,
        proof: proven.path.clone(),
        checkpoint: head.checkpoint,
    };
    Ok(Some(Receipt { proven, file: file.to_string() }))
}

/// A person's own receipt.
#[derive(Debug, Clone, Serialize)]
pub struct OwnReceipt {
    /// How to check it, in English: the file may be read by anybody, years from now.
    pub about: &'static str,
    /// The log's key.
    pub key: String,
    /// Which entry.
    pub index: u64,
    /// The kind of what was recorded.
    pub kind: String,
    /// When, RFC 3339.
    pub at: String,
    /// The entry's line on the public log.
    pub entry: String,
    /// The salt, in hex; absent once the payload was erased.
    pub salt: Option<String>,
    /// What was recorded, exactly as it was committed to; absent once it was erased.
    pub payload: Option<String>,
    /// What salt and payload give, in hex. Equals the entry's `commit`.
    pub commitment: Option<String>,
    /// The tlog-proof file.
    pub proof: String,
}

/// What every own receipt says about itself.
const ABOUT: &str = "This file shows that a record about you stands on a public log. It contains \
personal data: keep it to yourself. To check it: (1) SHA-256 over the bytes \"haetae/commit/v1\", \
a zero byte, the 16 bytes of `salt` and the UTF-8 bytes of `payload` must give `commitment`, which \
must be the `commit` in `entry`. (2) `proof` is a C2SP tlog-proof file for the entry `entry` under \
the log key `key`: see https://c2sp.org/tlog-proof.";

/// The own receipt of an event. That the asker is its subject is the caller's duty
/// ([`view::own_event`]).
pub fn own(
    reader: &mut Reader<'_>,
    event: &Recorded,
    key: &str,
) -> Result<Option<OwnReceipt>, Fault> {
    let Some(Receipt { proven, file }) = receipt(reader, event.seq)? else { return Ok(None) };
    let opened = reader.opened_payload(event.seq)?;
    let (salt, payload) = opened.unzip();
    let commitment =
        salt.zip(payload.as_ref()).map(|(salt, it)| hex::encode(commitment(&salt, it)));
    Ok(Some(OwnReceipt {
        about: ABOUT,
        key: key.to_owned(),
        index: event.seq,
        kind: event.kind.clone(),
        at: event.at.rfc3339(),
        entry: text(proven.entry)?,
        salt: salt.map(hex::encode),
        payload: payload.map(text).transpose()?,
        commitment,
        proof: file,
    }))
}

/// Bytes that are UTF-8 by construction: lines of the log and payloads are JSON.
pub fn text(bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|error| Fault::caused("reading a line of the log", error))
}
