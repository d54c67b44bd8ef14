//! How commands reach the write door, with what they depend on read in the same transaction.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::person::{Organisation, Person, Staff};
use credential::issue::{Hcert, HcertSigner, uvci};
use credential::pass::{BoundPass, Trust, compact};
use kernel::{Id, Instant, Refusal as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::tx::Ran;
use store::{Context, Fault, Tx};
use web::SigningKey;
use web::app::FindSigningKey;

use crate::city_rules::{CityRules, RULES, RuleSet, RulesCommand};
use crate::command::{
    ContentCommand, IssueCommand, MaterialCommand, SourceCommand, StatusCommand, WalletCommand,
};
use crate::event::{IssueEvent, RulesEvent, WalletEvent};
use crate::model::{
    Basis, Card, Content, Issued, Issues, Material, Place, Source, SourceId, SourceKind, Standing,
    Wallet, place_id,
};
use crate::refusal::Refusal;
use crate::rulebook::RuleFile;
use crate::statement::{Named, Statement};
use crate::{decide, judge, lists, rulebook, view};

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

/// A set of rules, proposed by an officer.
#[derive(Debug, Clone)]
pub struct Propose {
    /// Its id, should it be taken.
    pub set: Id<RuleSet>,
    /// What the officer calls it.
    pub name: String,
    /// What was checked.
    pub file: RuleFile,
    /// Who.
    pub by: Id<Staff>,
}

/// Takes a set of rules to wait for its second officer. Gives its id.
pub fn propose_rules(
    tx: &mut Tx<'_>,
    context: &Context,
    it: &Propose,
) -> Result<Result<Id<RuleSet>, Refusal>, Fault> {
    let text = it.file.text();
    let command = RulesCommand::Propose {
        set: it.set,
        name: it.name.clone(),
        sha256: hex::encode(Sha256::digest(&text)),
        rules: u64::try_from(it.file.rules.len()).unwrap_or(u64::MAX),
        by: it.by,
    };
    let ran = match tx.run::<CityRules>(context, RULES, command)? {
        Ok(ran) => ran,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let set = ran.events.iter().find_map(|event| match event {
        RulesEvent::RulesProposed { set, .. } => Some(*set),
        _ => None,
    });
    let set = set.ok_or_else(|| Fault::new("rules were proposed without their event"))?;
    if !ran.repeated {
        let keep = MaterialCommand::Keep { data: STANDARD.encode(&text) };
        let kept = tx.run::<Material>(&Context::by(context.by), set.to_u128(), keep)?;
        kept.map_err(|refusal| Fault::new(refusal.code()))?;
    }
    Ok(Ok(set))
}

/// Decides on a set of rules. What was never in force and will not be is not kept.
pub fn decide_rules(
    tx: &mut Tx<'_>,
    context: &Context,
    command: RulesCommand,
) -> Result<Result<(), Refusal>, Fault> {
    let dropped = match command {
        RulesCommand::Reject { set, .. } => Some(set),
        _ => None,
    };
    let ran = match tx.run::<CityRules>(context, RULES, command)? {
        Ok(ran) => ran,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Some(set) = dropped.filter(|_| !ran.repeated)
        && !tx.state::<CityRules>(RULES)?.was_in_force(set)
    {
        tx.forget(set.to_u128())?;
    }
    Ok(Ok(()))
}

/// Something to be attested.
#[derive(Debug, Clone)]
pub struct Attest {
    /// To whom.
    pub person: Id<Person>,
    /// The pass's id, should it be issued.
    pub card: Id<Card>,
    /// In whose name.
    pub organisation: Id<Organisation>,
    /// That organisation's name.
    pub issuer: String,
    /// Who attests it.
    pub by: Id<Staff>,
    /// Whose pass it is.
    pub named: Named,
    /// What.
    pub statement: Statement,
    /// When it ends by itself.
    pub expires_at: Instant,
    /// Where the status lists are found.
    pub origin: String,
    /// Who finds the organisation's key.
    pub signing_key: FindSigningKey,
    /// What the person is told by text message; nothing for who has no number.
    pub message: Option<Value>,
}

/// Issues a pass: the event, the signed text in the person's wallet, the message, all or nothing.
pub fn issue(
    tx: &mut Tx<'_>,
    context: &Context,
    it: &Attest,
) -> Result<Result<Id<Card>, Refusal>, Fault> {
    let now = tx.now();
    let Some(key) = (it.signing_key)(tx, Some(it.organisation), now)? else {
        return Ok(Err(Refusal::KeyEnded));
    };
    let (list, place) = lists::free_place(tx)?;
    let command = IssueCommand::Issue {
        card: it.card,
        organisation: it.organisation,
        issuer: it.issuer.clone(),
        by: it.by,
        kid: hex::encode(key.kid),
        named: it.named.clone(),
        statement: it.statement.clone(),
        list,
        place,
        expires_at: it.expires_at,
    };
    let ran = match tx.run::<Issues>(context, it.person.to_u128(), command)? {
        Ok(ran) => ran,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let card = ran.events.iter().find_map(|event| match event {
        IssueEvent::Issued { card, .. } => Some(*card),
        IssueEvent::Bound { .. } | IssueEvent::StandingSet { .. } => None,
    });
    let card = card.ok_or_else(|| Fault::new("a pass was issued without its event"))?;
    if ran.repeated {
        return Ok(Ok(card));
    }
    let all = tx.state::<Issues>(it.person.to_u128())?;
    let issued = all.pass(card).ok_or_else(|| Fault::new("what was issued is not there"))?;
    let text = sign(tx, issued, &key, &it.origin)?;
    let mut trust = Trust::default();
    trust.add(key.certificate.as_deref().unwrap_or_default());
    let texts = vec![text];
    let basis = decide::BASIS;
    let sets = rulebook::in_force_within(tx)?;
    let ends_at = judge::judge(&texts, &trust, &sets, now).ending(basis).at();
    let silent = Context::by(context.by);
    let receive = WalletCommand::Receive { card, texts: texts.clone(), basis, ends_at };
    let received = tx.run::<Wallet>(&silent, it.person.to_u128(), receive)?;
    received.map_err(|refusal| Fault::new(refusal.code()))?;
    let keep = ContentCommand::Keep { person: it.person, texts };
    let kept = tx.run::<Content>(&silent, card.to_u128(), keep)?;
    kept.map_err(|refusal| Fault::new(refusal.code()))?;
    if let Some(message) = &it.message {
        tx.send("sms", message, now)?;
    }
    Ok(Ok(card))
}

/// The text for the QR code.
fn sign(tx: &Tx<'_>, it: &Issued, key: &SigningKey, origin: &str) -> Result<String, Fault> {
    let country = tx.region().country();
    let signer = signer(tx, key)?;
    let opaque = hex::encode_upper(it.card.to_bytes());
    let attested = it.statement.attested(&it.issuer);
    let hcert = Hcert {
        person: (&it.named).into(),
        attested: attested.ok_or_else(|| Fault::new("a vaccine of no known codes"))?,
        identifier: uvci(&country, &opaque).ok_or_else(|| Fault::new("a pass of no name"))?,
        country,
        issuer: it.issuer.clone(),
        issued_at: it.issued_at.seconds(),
        expires_at: it.expires_at.seconds(),
        status: Some((lists::address(origin, it.list), it.place)),
    };
    signer.sign(&hcert).map_err(|error| Fault::caused("signing a pass", error))
}

fn signer(tx: &Tx<'_>, key: &SigningKey) -> Result<HcertSigner, Fault> {
    let secret = tx.keyring().find(&key.file)?;
    let secret = secret.ok_or_else(|| Fault::new(format!("the key {} is missing", key.file)))?;
    let certificate = key.certificate.as_deref().unwrap_or_default();
    HcertSigner::of_organisation(&secret, certificate)
        .map_err(|error| Fault::caused("reading a signing key", error))
}

/// A pass that is to be shown on a phone.
#[derive(Debug, Clone)]
pub struct Bind {
    /// Whose.
    pub person: Id<Person>,
    /// Which.
    pub card: Id<Card>,
    /// The phone's key.
    pub device: [u8; 33],
    /// Who finds the organisation's key.
    pub signing_key: FindSigningKey,
}

/// A compact code, signed.
#[derive(Debug, Clone)]
pub struct Bound {
    /// What it says.
    pub code: BoundPass,
    /// The COSE_Sign1.
    pub signed: Vec<u8>,
}

/// Signs a pass as a compact code for a phone, by the present key of the organisation that issued it.
/// What it says is read from the text in the wallet, so that the two cannot differ.
pub fn bind(
    tx: &mut Tx<'_>,
    context: &Context,
    it: &Bind,
) -> Result<Result<Bound, Refusal>, Fault> {
    let (now, card) = (tx.now(), it.card);
    let is_held = tx.state::<Wallet>(it.person.to_u128())?.held().any(|held| held.card == card);
    let all = tx.state::<Issues>(it.person.to_u128())?;
    let Some(issued) = all.pass(card).filter(|_| is_held) else {
        return Ok(Err(Refusal::NotBindable));
    };
    let Some(key) = (it.signing_key)(tx, Some(issued.organisation), now)? else {
        return Ok(Err(Refusal::KeyEnded));
    };
    let text = tx.state::<Content>(card.to_u128())?.texts.pop().unwrap_or_default();
    // Made before the event: what cannot be made is not said to be made.
    let until = now.plus_seconds(decide::BOUND_S);
    let Some(mut code) = compact(&text, it.device, (now.seconds(), until.seconds())) else {
        return Ok(Err(Refusal::NotBindable));
    };
    let command = IssueCommand::Bind { card, kid: hex::encode(key.kid) };
    let ran = match tx.run::<Issues>(context, it.person.to_u128(), command)? {
        Ok(ran) => ran,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let times = ran.events.iter().find_map(|event| match event {
        IssueEvent::Bound { valid_until, at, .. } => Some((at.seconds(), valid_until.seconds())),
        IssueEvent::Issued { .. } | IssueEvent::StandingSet { .. } => None,
    });
    // Of a command that is repeated, the times are those of the first.
    (code.issued_at, code.valid_until) =
        times.ok_or_else(|| Fault::new("a compact code was made without its event"))?;
    let signed = signer(tx, &key)?
        .sign_bound(&code)
        .map_err(|error| Fault::caused("signing a compact code", error))?;
    Ok(Ok(Bound { code, signed }))
}

/// A change of whether a pass is good.
#[derive(Debug, Clone)]
pub struct Judge {
    /// Whose.
    pub person: Id<Person>,
    /// Which.
    pub card: Id<Card>,
    /// What it is from now on.
    pub standing: Standing,
    /// Why.
    pub why: String,
    /// Who says so; nobody where its key was lost.
    pub by: Option<Id<Staff>>,
    /// What the person is told by text message.
    pub message: Option<Value>,
}

/// Says that a pass is good no longer, or not for now, or again; the status list says it at once.
pub fn set_standing(
    tx: &mut Tx<'_>,
    context: &Context,
    it: &Judge,
) -> Result<Result<(), Refusal>, Fault> {
    let Judge { card, standing, why, by, .. } = it.clone();
    let command = IssueCommand::SetStanding { card, standing, why, by };
    match tx.run::<Issues>(context, it.person.to_u128(), command)? {
        Ok(ran) if ran.repeated => return Ok(Ok(())),
        Ok(_) => {}
        Err(refusal) => return Ok(Err(refusal)),
    }
    let all = tx.state::<Issues>(it.person.to_u128())?;
    let issued = all.pass(card).ok_or_else(|| Fault::new("what was issued is not there"))?;
    let set = StatusCommand::Set { status: standing.number() };
    let ran =
        tx.run::<Place>(&Context::by(context.by), place_id(issued.list, issued.place), set)?;
    ran.map_err(|refusal| Fault::new(refusal.code()))?;
    if let Some(message) = &it.message {
        tx.send("sms", message, tx.now())?;
    }
    Ok(Ok(()))
}
