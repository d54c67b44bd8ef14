//! How commands reach the write door, with what they depend on read in the same transaction.

use contracts::person::{Person, Staff};
use kernel::{Id, Instant, Refusal as _};
use store::tx::Ran;
use store::{Context, Fault, Tx};

use crate::command::{ContentCommand, MaterialCommand, SourceCommand, WalletCommand};
use crate::event::WalletEvent;
use crate::model::{Basis, Card, Content, Material, Source, SourceId, SourceKind, Wallet};
use crate::refusal::Refusal;
use crate::view;

/// What a command on a wallet gives.
pub type Answer = Result<Ran<WalletEvent>, Refusal>;

/// Puts a pass in a wallet: the event under the person's key, what it says under its own.
pub fn import(
    tx: &mut Tx<'_>,
    context: &Context,
    person: Id<Person>,
    it: &Import,
) -> Result<Answer, Fault> {
    let Import { card, texts, by_helper, basis, ends_at } = it.clone();
    let keep = ContentCommand::Keep { person, texts: texts.clone() };
    let command = WalletCommand::Import { card, texts, by_helper, basis, ends_at };
    let ran = match tx.run::<Wallet>(context, person.to_u128(), command)? {
        Ok(ran) => ran,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if !ran.repeated {
        let kept = tx.run::<Content>(&Context::by(context.by), card.to_u128(), keep)?;
        kept.map_err(|refusal| Fault::new(refusal.code()))?;
    }
    Ok(Ok(ran))
}

/// A pass on its way into a wallet.
#[derive(Debug, Clone)]
pub struct Import {
    /// Its id, should it get in.
    pub card: Id<Card>,
    /// What its QR codes say.
    pub texts: Vec<String>,
    /// Whether somebody puts it in for the person.
    pub by_helper: bool,
    /// By which rules its end is counted.
    pub basis: Basis,
    /// When it ends by them.
    pub ends_at: Option<Instant>,
}

/// Erases a pass that was taken out a day ago, for good.
pub fn erase(
    tx: &mut Tx<'_>,
    context: &Context,
    person: Id<Person>,
    card: Id<Card>,
) -> Result<(), Fault> {
    match tx.run::<Wallet>(context, person.to_u128(), WalletCommand::Erase { card })? {
        Ok(ran) if !ran.events.is_empty() => tx.forget(card.to_u128()),
        Ok(_) => Ok(()),
        Err(refusal) => Err(Fault::new(refusal.code())),
    }
}

/// A file of trust, offered by an officer.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its id.
    pub source: Id<SourceId>,
    /// What the officer calls it.
    pub name: String,
    /// What it holds.
    pub kind: SourceKind,
    /// The hash of the file, in hexadecimal digits.
    pub sha256: String,
    /// How many keys or revocations were found in it.
    pub items: u64,
    /// The file in base64.
    pub data: String,
    /// Who.
    pub by: Id<Staff>,
}

/// Takes a file of trust to wait for its second officer.
pub fn offer(tx: &mut Tx<'_>, context: &Context, it: &Offer) -> Result<Result<(), Refusal>, Fault> {
    let command = SourceCommand::Offer {
        name: it.name.clone(),
        kind: it.kind,
        sha256: it.sha256.clone(),
        items: it.items,
        by: it.by,
        known: view::source_is_known(tx, &it.sha256)?,
    };
    let id = it.source.to_u128();
    match tx.run::<Source>(context, id, command)? {
        Ok(ran) if ran.repeated => Ok(Ok(())),
        Ok(_) => {
            let keep = MaterialCommand::Keep { data: it.data.clone() };
            tx.run::<Material>(&Context::by(context.by), id, keep).map(|it| it.map(|_| ()))
        }
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// Decides on a source. What does not count is not kept.
pub fn decide_source(
    tx: &mut Tx<'_>,
    context: &Context,
    source: Id<SourceId>,
    command: SourceCommand,
) -> Result<Result<(), Refusal>, Fault> {
    let keeps = matches!(command, SourceCommand::Confirm { .. });
    match tx.run::<Source>(context, source.to_u128(), command)? {
        Ok(ran) => {
            if !ran.repeated && !keeps {
                tx.forget(source.to_u128())?;
            }
            Ok(Ok(()))
        }
        Err(refusal) => Ok(Err(refusal)),
    }
}
