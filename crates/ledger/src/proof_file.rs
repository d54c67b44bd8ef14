//! A receipt in one text file (C2SP tlog-proof): anyone can check it offline, years later.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, CheckpointError, OpenCheckpoint};
use crate::hash::{Hash, leaf_hash};
use crate::note::{Note, VerifierKey};
use crate::text::decimal;
use crate::verify::{VerifyError, verify_inclusion};

/// The first line of every proof file.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A path in a tree of 64-bit size has at most this many hashes.
const MAX_PROOF_HASHES: usize = 64;

/// A proof that an entry is in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// Data beside the proof, not authenticated by it; empty when there are none.
    pub extra: Vec<u8>,
    /// Which entry.
    pub index: u64,
    /// The path from the leaf's sibling up to the root's child.
    pub proof: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

/// A proof file that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// The file breaks the format.
    #[error("not a proof file: {0}")]
    Malformed(&'static str),
    /// Its checkpoint is not accepted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The path does not hold.
    #[error(transparent)]
    Proof(#[from] VerifyError),
}

impl ProofFileError {
    /// The stable code that clients may branch on.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "ledger-proof-file-malformed",
            Self::Checkpoint(error) => error.code(),
            Self::Proof(error) => error.code(),
        }
    }
}

impl ProofFile {
    /// Checks that `entry` is where the file says, in a tree that the log signed.
    ///
    /// Gives the checkpoint and the good cosignatures of `witnesses`; whether those are enough is
    /// the caller's policy.
    pub fn verify(
        &self,
        entry: &[u8],
        log: &VerifierKey,
        witnesses: &[VerifierKey],
    ) -> Result<OpenCheckpoint, ProofFileError> {
        let open = Checkpoint::open(&self.checkpoint, log, witnesses)?;
        let Checkpoint { size, root, .. } = &open.checkpoint;
        verify_inclusion(&leaf_hash(entry), self.index, *size, &self.proof, root)?;
        Ok(open)
    }
}

/// The file, as it is stored or downloaded.
impl fmt::Display for ProofFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{HEADER}")?;
        if !self.extra.is_empty() {
            writeln!(formatter, "extra {}", STANDARD.encode(&self.extra))?;
        }
        writeln!(formatter, "index {}", self.index)?;
        for hash in &self.proof {
            writeln!(formatter, "{hash}")?;
        }
        write!(formatter, "\n{}", self.checkpoint)
    }
}

impl FromStr for ProofFile {
    type Err = ProofFileError;

    fn from_str(text: &str) -> Result<Self, ProofFileError> {
        let malformed = |what| ProofFileError::Malformed(what);
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or(malformed("no blank line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(malformed("another first line"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => parse_extra(line)?,
            None => Vec::new(),
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or(malformed("no index"))?;
        let mut proof = Vec::new();
        for line in lines {
            if proof.len() == MAX_PROOF_HASHES {
                return Err(malformed("more hashes than any path has"));
            }
            proof.push(line.parse().map_err(|_| malformed("not a hash"))?);
        }
        let note = Note::parse(checkpoint).map_err(CheckpointError::Note)?;
        Checkpoint::parse(&note.text)?;
        Ok(Self { extra, index, proof, checkpoint: checkpoint.to_owned() })
    }
}

fn parse_extra(line: &str) -> Result<Vec<u8>, ProofFileError> {
    let data = line.strip_prefix("extra ").unwrap_or_default();
    match STANDARD.decode(data) {
        Ok(extra) if !extra.is_empty() => Ok(extra),
        _ => Err(ProofFileError::Malformed("not extra data")),
    }
}
