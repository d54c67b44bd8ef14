//! Checkpoints: the signed heads of the log (C2SP tlog-checkpoint).
//!
//! Three lines: whose log, how many entries, which root. Everything else is checked against them.

use std::fmt;

use crate::cosignature::Cosignature;
use crate::hash::Hash;
use crate::note::{Algorithm, Note, NoteError, Signer, VerifierKey};
use crate::text::decimal;

/// What a log says about itself at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log: a name such as `example.com/log`, never empty.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Further lines, opaque and best left out: nobody audits them.
    pub extensions: Vec<String>,
}

/// A checkpoint that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The text breaks the format.
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
    /// The note around it, or a signature, is bad.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The log's own key did not sign; witnesses alone do not make a checkpoint.
    #[error("the log did not sign the checkpoint")]
    NotByLog,
    /// The origin is not the name of the log's key.
    #[error("the checkpoint is of another log: {origin}")]
    OtherLog {
        /// The origin found.
        origin: String,
    },
    /// A key was given as a witness that does not make cosignatures.
    #[error("{name} is no witness key")]
    NotWitness {
        /// The key's name.
        name: String,
    },
}

impl CheckpointError {
    /// The stable code that clients may branch on.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "ledger-checkpoint-malformed",
            Self::Note(error) => error.code(),
            Self::NotByLog => "ledger-checkpoint-not-by-log",
            Self::OtherLog { .. } => "ledger-checkpoint-other-log",
            Self::NotWitness { .. } => "ledger-checkpoint-not-witness",
        }
    }
}

/// A checkpoint whose signatures were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCheckpoint {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// What known witnesses said, each witness key once. How many suffice is the caller's policy.
    pub cosignatures: Vec<Cosignature>,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    pub fn try_new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        let checkpoint = Self { origin: origin.to_owned(), size, root, extensions: Vec::new() };
        checkpoint.check()?;
        Ok(checkpoint)
    }

    /// Reads the text of a checkpoint (without signatures) in its only spelling.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body =
            text.strip_suffix('\n').ok_or(CheckpointError::Malformed("the text does not end"))?;
        let mut lines = body.split('\n');
        let origin = lines.next().unwrap_or_default();
        let size = lines.next().ok_or(CheckpointError::Malformed("no size"))?;
        let root = lines.next().ok_or(CheckpointError::Malformed("no root"))?;
        let checkpoint = Self {
            origin: origin.to_owned(),
            size: decimal(size).ok_or(CheckpointError::Malformed("not a size"))?,
            root: root.parse().map_err(|_| CheckpointError::Malformed("not a root"))?,
            extensions: lines.map(str::to_owned).collect(),
        };
        checkpoint.check()?;
        Ok(checkpoint)
    }

    fn check(&self) -> Result<(), CheckpointError> {
        let lines = std::iter::once(&self.origin).chain(&self.extensions);
        for line in lines {
            if line.is_empty() {
                return Err(CheckpointError::Malformed("an empty line"));
            }
            if line.bytes().any(|byte| byte < b' ') {
                return Err(CheckpointError::Malformed("a control character"));
            }
        }
        Ok(())
    }

    /// The checkpoint as a note signed by the log. The key must be named like the origin.
    pub fn sign(&self, signer: &Signer) -> Result<String, CheckpointError> {
        self.check()?;
        if signer.verifier().name() != self.origin {
            return Err(CheckpointError::OtherLog { origin: self.origin.clone() });
        }
        Ok(signer.sign(&self.to_string())?)
    }

    /// Reads a signed checkpoint: the log's key must have signed it and be named like its origin;
    /// signatures by the witnesses given must be good, other signatures are ignored.
    pub fn open(
        note: &str,
        log: &VerifierKey,
        witnesses: &[VerifierKey],
    ) -> Result<OpenCheckpoint, CheckpointError> {
        if let Some(key) = witnesses.iter().find(|key| key.algorithm() != Algorithm::CosignatureV1)
        {
            return Err(CheckpointError::NotWitness { name: key.name().to_owned() });
        }
        let mut keys = vec![log.clone()];
        keys.extend_from_slice(witnesses);
        let note = Note::open(note, &keys)?;
        let by_log = |name: &str, id: u32| name == log.name() && id == log.id();
        if !note.verified.iter().any(|by| by_log(&by.name, by.id)) {
            return Err(CheckpointError::NotByLog);
        }
        let checkpoint = Self::parse(&note.text)?;
        if checkpoint.origin != log.name() {
            return Err(CheckpointError::OtherLog { origin: checkpoint.origin });
        }
        let cosignatures = note
            .verified
            .into_iter()
            .filter(|by| !by_log(&by.name, by.id))
            .filter_map(|by| by.timestamp.map(|timestamp| Cosignature { name: by.name, timestamp }))
            .collect();
        Ok(OpenCheckpoint { checkpoint, cosignatures })
    }
}

/// The text that is signed, with its final newline.
impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\n{}\n{}\n", self.origin, self.size, self.root)?;
        for line in &self.extensions {
            writeln!(formatter, "{line}")?;
        }
        Ok(())
    }
}
