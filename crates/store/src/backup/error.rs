//! Why there is no backup, or no restored region: each with a stable code.

use std::path::PathBuf;

use crate::Fault;

/// Why there is no backup, or no restored region.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Nobody to encrypt to.
    #[error("a backup needs a recipient: write age1…, as age-keygen prints it")]
    NoRecipient,
    /// Not a recipient.
    #[error("{text:?} is not an age recipient: write age1…, as age-keygen prints it")]
    Recipient {
        /// What was written.
        text: String,
    },
    /// Not an identity file.
    #[error("the identity file has no line AGE-SECRET-KEY-1…")]
    NotIdentities,
    /// Data and keys in one place.
    #[error("the keys must not lie with the data: whoever has both can read everything")]
    Together,
    /// Without keys, where there is no file of keys that could be copied beside.
    #[error("on a server the keys are no file that could be copied: give a folder for them")]
    NoKeyFile,
    /// Another backup is being made in the same folder.
    #[error("another backup is being made in {folder}")]
    Busy {
        /// Where.
        folder: PathBuf,
    },
    /// The folder has no backup.
    #[error("there is no backup in {folder}")]
    None {
        /// Where.
        folder: PathBuf,
    },
    /// The folder's backups are of another log, or of another past of this one.
    #[error("the backups in this folder are of another log: {why}. Begin in an empty folder")]
    OtherLog {
        /// What differs.
        why: String,
    },
    /// The folder of keys holds newer ones: they belong to backups in another folder.
    #[error("{folder} holds the keys of other backups: give these a folder of their own")]
    OtherKeys {
        /// Where.
        folder: PathBuf,
    },
    /// A file is not there.
    #[error("{file} is missing")]
    Missing {
        /// Which.
        file: String,
    },
    /// A file is not what it should be.
    #[error("{file} is damaged: {why}")]
    Damaged {
        /// Which.
        file: String,
        /// How it shows.
        why: String,
    },
    /// None of the identities opens the file.
    #[error("none of the identities given opens {file}")]
    Identity {
        /// Which.
        file: String,
    },
    /// The backup has no keys, and none were given beside it.
    #[error(
        "this backup was made without keys: give a folder with copies of keys.db and the key files"
    )]
    NoKeys,
    /// Written by a program that knows more than this one.
    #[error(
        "the backup has {what}, which this program does not know: restore with haetae {program}"
    )]
    Newer {
        /// What is unknown.
        what: String,
        /// The version that made the backup.
        program: String,
    },
    /// There is something already where the region should be restored to.
    #[error("{folder} is not empty: restore into a folder that does not exist yet")]
    Occupied {
        /// Where.
        folder: PathBuf,
    },
    /// The same of databases on a server.
    #[error("the database {name} is not empty: restore into new ones")]
    OccupiedDatabase {
        /// Which.
        name: String,
    },
    /// The published checkpoint is not by the log whose keys the backup has.
    #[error("the published checkpoint is not by this log: {why}")]
    OtherKey {
        /// What differs.
        why: String,
    },
    /// The restored log is not the beginning of the published one.
    #[error("the backup is NOT what was published: {why}")]
    OtherHistory {
        /// What differs.
        why: String,
    },
    /// The published checkpoint is ahead, and the tiles that would prove it were not to be had.
    #[error("that the backup is the beginning of the published log cannot be proven: {why}")]
    NotProven {
        /// What is missing for it.
        why: String,
    },
    /// The audit of what was restored found something.
    #[error("the audit of what was restored found {} things", .0.wrong.len())]
    Findings(Box<crate::Audit>),
    /// Rows that cannot be read. Becomes [`BackupError::Damaged`] where the file is known.
    #[error("rows cannot be read: {0}")]
    Rows(std::io::Error),
    /// Something else.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl BackupError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoRecipient | Self::Recipient { .. } => "backup-recipient",
            Self::NotIdentities | Self::Identity { .. } => "backup-identity",
            Self::Together => "backup-together",
            Self::Busy { .. } => "backup-busy",
            Self::None { .. } => "backup-none",
            Self::OtherLog { .. } => "backup-other-log",
            Self::OtherKeys { .. } => "backup-other-keys",
            Self::Missing { .. } => "backup-missing",
            Self::Damaged { .. } | Self::Rows(_) => "backup-damaged",
            Self::NoKeys | Self::NoKeyFile => "backup-no-keys",
            Self::Newer { .. } => "backup-newer",
            Self::Occupied { .. } | Self::OccupiedDatabase { .. } => "restore-occupied",
            Self::OtherKey { .. } => "restore-other-key",
            Self::OtherHistory { .. } => "restore-other-history",
            Self::NotProven { .. } => "restore-not-proven",
            Self::Findings(_) => "restore-findings",
            Self::Fault(_) => "backup-fault",
        }
    }
}
