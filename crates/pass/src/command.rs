//! What may be asked. Imperative; carries no decisions.

use contracts::person::{Organisation, Person, Staff};
use kernel::{Id, Instant};

use crate::model::{Basis, Card, SourceKind, Standing};
use crate::statement::{Named, Statement};

/// What may be asked of a wallet.
#[derive(Debug, Clone)]
pub enum WalletCommand {
    /// Put a pass in.
    Import {
        card: Id<Card>,
        texts: Vec<String>,
        by_helper: bool,
        basis: Basis,
        ends_at: Option<Instant>,
    },
    /// Put one in that was issued here. A full wallet is no reason to lose it.
    Receive { card: Id<Card>, texts: Vec<String>, basis: Basis, ends_at: Option<Instant> },
    /// Count the end of a pass by these rules.
    SetEnd { card: Id<Card>, basis: Basis, ends_at: Option<Instant> },
    /// Say that the person is told of its end, if that is due and was not said.
    Warn { card: Id<Card> },
    /// Take it out.
    Remove { card: Id<Card> },
    /// Bring it back.
    Restore { card: Id<Card> },
    /// Erase it, if it was taken out long enough ago.
    Erase { card: Id<Card> },
}

/// What may be asked of what a pass says.
#[derive(Debug, Clone)]
pub enum ContentCommand {
    /// Keep it.
    Keep { person: Id<Person>, texts: Vec<String> },
}

/// What may be asked of a source of trust.
#[derive(Debug, Clone)]
pub enum SourceCommand {
    /// Offer it. `known` says that the same file counts or waits already.
    Offer { name: String, kind: SourceKind, sha256: String, items: u64, by: Id<Staff>, known: bool },
    /// Agree, as a second officer.
    Confirm { by: Id<Staff> },
    /// Say no to it.
    Decline { by: Id<Staff> },
    /// End it.
    Withdraw { by: Id<Staff>, why: String },
}

/// What may be asked of a source's file.
#[derive(Debug, Clone)]
pub enum MaterialCommand {
    /// Keep it.
    Keep { data: String },
}

/// What may be asked of what was issued to a person.
#[derive(Debug, Clone)]
pub enum IssueCommand {
    /// Attest something. Who may, and the statement itself, were looked at before.
    Issue {
        card: Id<Card>,
        organisation: Id<Organisation>,
        issuer: String,
        by: Id<Staff>,
        kid: String,
        named: Named,
        statement: Statement,
        list: u32,
        place: u32,
        expires_at: Instant,
    },
    /// Sign it as a compact code for a phone, by this key.
    Bind { card: Id<Card>, kid: String },
    /// Say that it is good no longer, or not for now, or again.
    SetStanding { card: Id<Card>, standing: Standing, why: String, by: Option<Id<Staff>> },
}

/// What may be asked of a place in a status list.
#[derive(Debug, Clone, Copy)]
pub enum StatusCommand {
    /// Say this of it.
    Set { status: u8 },
    /// Give it to nobody again.
    Retire,
}
