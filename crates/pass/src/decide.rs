//! The rules. Pure: the caller brings time and ids.

use kernel::{Id, Instant, clean};
use sha2::{Digest as _, Sha256};

use crate::command::{IssueCommand, SourceCommand, WalletCommand};
use crate::event::{IssueEvent, SourceEvent, WalletEvent};
use crate::model::{
    Basis, Card, Held, Issues, Source, SourceKind, SourcePhase, Standing, Wallet, stage,
};
use crate::refusal::Refusal;

/// Passes in one wallet: a family of eight with five each.
pub const HELD_MAX: usize = 40;
/// QR codes that one pass may be spread over. SMART cards in the field had up to 6; the largest
/// that their specification foresees have about 30.
pub const TEXTS_MAX: usize = 36;
/// Characters of all of them together: 36 codes of version 22, the size that SMART cards are cut to.
pub const TEXT_MAX: usize = 64 * 1024;
/// Hours for which a removed pass can be brought back.
pub const UNDO_HOURS: i64 = 24;
/// Characters of a source's name.
const NAME_MAX: usize = 80;
/// Characters of why a source was withdrawn, or a pass.
pub const WHY_MAX: usize = 300;
/// Passes that one person is issued: a test on every day of two years.
const ISSUED_MAX: usize = 800;

/// How long a compact code lives, in seconds: a day, as the health code of a phone does (ADR 0023).
pub const BOUND_S: i64 = 24 * 3_600;
/// Codes of one pass that live at once: a phone asks four times in three days, a family has some phones,
/// and a pass that is shown on more of them is lent out.
pub const BOUND_MAX: usize = 12;

/// The rules of a wallet.
pub fn wallet(
    it: &Wallet,
    command: WalletCommand,
    now: Instant,
) -> Result<Vec<WalletEvent>, Refusal> {
    match command {
        WalletCommand::Import { card, texts, by_helper, basis, ends_at } => {
            check_texts(&texts)?;
            let digest = digest(&texts);
            if it.held().any(|held| held.digest == digest) {
                return Err(Refusal::AlreadyHeld);
            }
            if HELD_MAX <= it.held().count() {
                let most = i64::try_from(HELD_MAX).unwrap_or(i64::MAX);
                return Err(Refusal::WalletFull { most });
            }
            Ok(vec![WalletEvent::Imported { card, digest, by_helper, basis, ends_at, at: now }])
        }
        WalletCommand::Receive { card, texts, basis, ends_at } => {
            let (digest, by_helper) = (digest(&texts), false);
            Ok(vec![WalletEvent::Imported { card, digest, by_helper, basis, ends_at, at: now }])
        }
        WalletCommand::SetEnd { card, basis, ends_at } => {
            let held = held(it, card)?;
            let same = held.basis == basis && held.ends_at == ends_at;
            let event = WalletEvent::EndSet { card, basis, ends_at, at: now };
            if same { Ok(Vec::new()) } else { Ok(vec![event]) }
        }
        WalletCommand::Warn { card } => {
            let Ok(Held { ends_at: Some(ends_at), warned, .. }) = held(it, card) else {
                return Ok(Vec::new());
            };
            let due = stage(*ends_at, now).filter(|due| warned.is_none_or(|said| *due < said));
            let event = |days| WalletEvent::Warned { card, days, ends_at: *ends_at };
            Ok(due.map(event).into_iter().collect())
        }
        WalletCommand::Remove { card } => {
            held(it, card)?;
            Ok(vec![WalletEvent::Removed { card, at: now }])
        }
        WalletCommand::Restore { card } => {
            let found = it.card(card).ok_or(Refusal::CardUnknown)?;
            match found.removed_at {
                None => Ok(Vec::new()),
                Some(at) if is_over(at, now) => Err(Refusal::CardUnknown),
                Some(_) if it.held().any(|held| held.digest == found.digest) => {
                    Err(Refusal::AlreadyHeld)
                }
                Some(_) => Ok(vec![WalletEvent::Restored { card, at: now }]),
            }
        }
        WalletCommand::Erase { card } => {
            let removed_at = it.card(card).and_then(|held| held.removed_at);
            let over = removed_at.is_some_and(|at| is_over(at, now));
            Ok(over.then_some(WalletEvent::Erased { card }).into_iter().collect())
        }
    }
}

/// What finds the same pass again: its texts, in whatever order they came.
pub fn digest(texts: &[String]) -> String {
    let mut sorted: Vec<&String> = texts.iter().collect();
    sorted.sort_unstable();
    let mut hash = Sha256::new();
    for text in sorted {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(text);
    }
    hex::encode(hash.finalize())
}

/// Whether a pass that was removed at `at` can be brought back no longer.
pub fn is_over(at: Instant, now: Instant) -> bool {
    at.plus_seconds(UNDO_HOURS * 3_600) <= now
}

/// Whether the texts of a pass have a size that is worth reading.
pub fn check_texts(texts: &[String]) -> Result<(), Refusal> {
    let long: usize = texts.iter().map(String::len).sum();
    let empty = texts.is_empty() || texts.iter().any(String::is_empty);
    match () {
        () if empty => Err(Refusal::Unreadable),
        () if TEXTS_MAX < texts.len() || TEXT_MAX < long => Err(Refusal::TooLarge),
        () => Ok(()),
    }
}

fn held(it: &Wallet, card: Id<Card>) -> Result<&Held, Refusal> {
    let found = it.card(card).filter(|held| held.removed_at.is_none());
    found.ok_or(Refusal::CardUnknown)
}

/// The basis that a pass is counted by when nobody has chosen: the doors of this city.
pub const BASIS: Basis = Basis::City;

/// The rules of a source of trust. What makes passes good takes two officers: whose signature is
/// believed decides over everybody at every door. So does ending a list of revocations, which makes
/// passes good again; ending keys takes one, because a stolen key cannot wait.
pub fn source(
    it: &Source,
    command: SourceCommand,
    now: Instant,
) -> Result<Vec<SourceEvent>, Refusal> {
    match command {
        SourceCommand::Offer { name, kind, sha256, items, by, known } => {
            if known || it.phase != SourcePhase::Absent {
                return Err(Refusal::SourceKnown);
            }
            let name = clean(&name, NAME_MAX).map_err(|_| Refusal::NameInvalid)?;
            Ok(vec![SourceEvent::Offered { name, kind, sha256, items, offered_by: by, at: now }])
        }
        SourceCommand::Confirm { by } => {
            waits(it)?;
            if it.offered_by == Some(by) {
                return Err(Refusal::SameOfficer);
            }
            Ok(vec![SourceEvent::Confirmed { confirmed_by: by, at: now }])
        }
        SourceCommand::Decline { by } => {
            waits(it)?;
            Ok(vec![SourceEvent::Declined { declined_by: by }])
        }
        SourceCommand::Withdraw { by, why } => {
            match it.phase {
                SourcePhase::Absent => return Err(Refusal::SourceUnknown),
                SourcePhase::Confirmed => {}
                _ => return Err(Refusal::SourceDecided),
            }
            if it.kind == Some(SourceKind::Revocations) && it.offered_by == Some(by) {
                return Err(Refusal::SameOfficer);
            }
            let why = clean(&why, WHY_MAX).map_err(|_| Refusal::WhyInvalid)?;
            Ok(vec![SourceEvent::Withdrawn { withdrawn_by: by, why, at: now }])
        }
    }
}

/// The rules of what was issued here. Ending a pass takes one: a wrong pass must not open another door.
/// Making one good again takes another than who doubted it. Revoked is for good: who was wronged is
/// issued a new one.
pub fn issue(it: &Issues, command: IssueCommand, now: Instant) -> Result<Vec<IssueEvent>, Refusal> {
    match command {
        IssueCommand::Issue {
            card,
            organisation,
            issuer,
            by,
            kid,
            named,
            statement,
            list,
            place,
            expires_at,
        } => {
            if it.passes.len() >= ISSUED_MAX {
                let most = i64::try_from(ISSUED_MAX).unwrap_or(i64::MAX);
                return Err(Refusal::WalletFull { most });
            }
            Ok(vec![IssueEvent::Issued {
                card,
                organisation,
                issuer,
                by,
                kid,
                named,
                statement,
                list,
                place,
                expires_at,
                at: now,
            }])
        }
        IssueCommand::Bind { card, kid } => {
            let found = it.pass(card).ok_or(Refusal::NotBindable)?;
            if found.standing != Standing::Valid || found.expires_at <= now {
                return Err(Refusal::NotBindable);
            }
            let alive = found.bound.iter().filter(|at| now < at.plus_seconds(BOUND_S));
            if BOUND_MAX <= alive.count() {
                return Err(Refusal::BoundOften);
            }
            let valid_until = now.plus_seconds(BOUND_S).min(found.expires_at);
            Ok(vec![IssueEvent::Bound { card, kid, valid_until, at: now }])
        }
        IssueCommand::SetStanding { card, standing, why, by } => {
            let found = it.pass(card).ok_or(Refusal::IssueUnknown)?;
            match (found.standing, standing) {
                (Standing::Revoked, _) => return Err(Refusal::StandingFinal),
                (present, wished) if present == wished => return Err(Refusal::StandingSame),
                _ => {}
            }
            let doubted_by = found.set.and_then(|(by, _)| by);
            if standing == Standing::Valid && by.is_some() && doubted_by == by {
                return Err(Refusal::SameOfficer);
            }
            // A lost key is a reason by itself, and nobody's.
            let why = match by {
                Some(_) => clean(&why, WHY_MAX).map_err(|_| Refusal::WhyInvalid)?,
                None => String::new(),
            };
            Ok(vec![IssueEvent::StandingSet { card, standing, why, by, at: now }])
        }
    }
}

fn waits(it: &Source) -> Result<(), Refusal> {
    match it.phase {
        SourcePhase::Offered => Ok(()),
        SourcePhase::Absent => Err(Refusal::SourceUnknown),
        _ => Err(Refusal::SourceDecided),
    }
}
