//! Making, following, ending and refusing the keys of [`mod@crate::issuer`], and what follows from it.
//!
//! A key's file is durable before the event that puts it on the list; a file without an event signs
//! nothing. Everything is decided again from the log at each run of the job: killed anywhere, the next
//! run goes on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::pass::PassSigner;
use contracts::person::{Organisation, Staff};
use credential::issue::Authority;
use credential::{IssuerSigner, Presentation};
use kernel::{Aggregate as _, Id, Instant};
use ledger::Tree;
use serde::Serialize;
use store::tx::utc_day;
use store::{By, Context, Fault, Keyring, Reader, Tx};
use web::{App, Job, SigningKey};

use crate::command::Ask;
use crate::event::Event;
use crate::issuer::{
    self, Hex32, ISSUERS, Issuer, IssuerCommand, Issuers, KeyId, LONGEST_S, Stated, Use,
};
use crate::model::{Holder, RevokedBecause};
use crate::refusal::Refusal;
use crate::retention::PASS_KEPT_DAYS;
use crate::{door, issue, tell, view};

/// Days that a key signs for, where nobody says otherwise.
pub const DAYS: u32 = 30;

/// The job of this module.
pub const JOB: Job = Job { name: "code-keys", every_s: 30, run: |app| Box::pin(look_after(app)) };

const SYSTEM: Context = Context::by(By::System("keys"));

/// Passes looked at in one read.
const BATCH: u32 = 200;

/// What a rule makes of a command on keys.
pub type Answer<T> = Result<Result<T, Refusal>, Fault>;

/// The name of a key's file.
pub fn file(kid: KeyId) -> String {
    format!("issuer-{kid}")
}

/// The key file of regions from before there were several.
pub const FIRST: &str = "issuer";

/// The key that signed, ready to sign.
pub fn signer(keyring: &Keyring, kid: Option<KeyId>) -> Result<IssuerSigner, Fault> {
    let name = kid.map_or_else(|| FIRST.to_owned(), file);
    let secret = keyring.find(&name)?;
    let secret = secret.ok_or_else(|| {
        Fault::new(format!("the key {name} is not in {}", keyring.dir().display()))
    })?;
    IssuerSigner::from_seed(&secret).map_err(|error| Fault::caused("reading a signing key", error))
}

/// The key that signs the region's codes at `now`; the first is made where there is none.
pub fn signing(tx: &mut Tx<'_>, now: Instant) -> Result<KeyId, Fault> {
    if let Some(key) = tx.state::<Issuers>(ISSUERS)?.current(None, now) {
        return Ok(key.kid);
    }
    let added =
        add(tx, &SYSTEM, &New { whose: None, uses: Use::Codes, from: now, days: DAYS, by: None })?;
    added.map_err(|refusal| Fault::new(format!("a key was refused: {refusal:?}")))
}

/// The key with which an organisation (or the region, `None`) signs at `now`: for other slices.
pub fn signing_key(
    tx: &mut Tx<'_>,
    whose: Option<Id<Organisation>>,
    now: Instant,
) -> Result<Option<SigningKey>, Fault> {
    let ready = |state: &Issuers| {
        let key = state.current(whose, now)?;
        let certificate = key.certificate.as_ref().and_then(|it| STANDARD.decode(it).ok());
        // Keys from before organisations had certificates cannot sign passes for others.
        let is_ready = whose.is_none() || certificate.is_some();
        is_ready.then(|| SigningKey { kid: key.kid.0, file: file(key.kid), certificate })
    };
    let state = tx.state::<Issuers>(ISSUERS)?;
    if let Some(key) = ready(&state) {
        return Ok(Some(key));
    }
    let had = state.keys.iter().any(|it| it.whose == whose);
    if whose.is_none() || (had && state.alive(whose).next().is_none()) {
        return Ok(None);
    }
    let new = New { whose, uses: Use::Passes, from: now, days: DAYS, by: None };
    add(tx, &SYSTEM, &new)?
        .map_err(|refusal| Fault::new(format!("a key was refused: {refusal:?}")))?;
    Ok(ready(&tx.state::<Issuers>(ISSUERS)?))
}

/// The keys with which organisations sign passes, or did, as long as their certificates count.
pub fn pass_signers(reader: &mut Reader<'_>) -> Result<Vec<PassSigner>, Fault> {
    let state = issuers(reader)?;
    let signer = |it: &Issuer| {
        Some(PassSigner {
            kid: it.kid.0,
            whose: it.whose?,
            certificate: STANDARD.decode(it.certificate.as_ref()?).ok()?,
            until: it.certified_until(),
            refused_from: it.refused_from,
        })
    };
    Ok(state.keys.iter().filter_map(signer).collect())
}

/// The certificate of the passes' half of a key, by the region's authority.
fn certify(tx: &Tx<'_>, secret: &[u8; 32], it: &New, now: Instant) -> Result<String, Fault> {
    let (root, region) = (tx.keyring().key("root")?, tx.region());
    let (country, name) = (region.country(), region.as_str());
    let whose = it.whose.map_or_else(|| name.to_owned(), |it| it.to_string());
    let until = issuer::certified_until(issuer::signs_until(it.from, it.days, now));
    let validity = (it.from.seconds(), until.seconds());
    let made = Authority::of_region(&root, &country, name)
        .and_then(|authority| authority.certify(secret, &country, name, &whose, validity));
    let made = made.map_err(|error| Fault::caused("making a certificate", error))?;
    Ok(STANDARD.encode(made))
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct New {
    /// Whose.
    pub whose: Option<Id<Organisation>>,
    /// What it signs.
    pub uses: Use,
    /// From when on.
    pub from: Instant,
    /// For how many days.
    pub days: u32,
    /// Who made it.
    pub by: Option<Id<Staff>>,
}

/// Makes a key: its file first, durable, then the event.
pub fn add(tx: &mut Tx<'_>, context: &Context, it: &New) -> Answer<KeyId> {
    let state = tx.state::<Issuers>(ISSUERS)?;
    let (mut secret, mut from) = (tx.keyring().draw(), it.from);
    // The one key that a region had before is its first: what it signed stays good.
    if state.keys.is_empty()
        && it.whose.is_none()
        && let Some(first) = tx.keyring().find(FIRST)?
    {
        (secret, from) = (first, Instant::from_seconds(0));
    }
    let signer = IssuerSigner::from_seed(&secret)
        .map_err(|error| Fault::caused("making a signing key", error))?;
    let kid = KeyId(signer.kid());
    let certificate = match it.uses {
        Use::Passes => Some(certify(tx, &secret, it, tx.now())?),
        Use::Codes => None,
    };
    tx.keyring().keep(&file(kid), &secret)?;
    let command = IssuerCommand::Add {
        public: signer.public(),
        whose: it.whose,
        uses: it.uses,
        signs_from: from,
        days: it.days,
        certificate,
        by: it.by,
    };
    Ok(tx.run::<Issuers>(context, ISSUERS, command)?.map(|_| kid))
}

/// Refuses what a key signed from `since` on. If it signed at present another takes its place at
/// once. [`clear`] then ends each pass.
pub fn compromise(
    tx: &mut Tx<'_>,
    context: &Context,
    kid: KeyId,
    since: Instant,
    why: &str,
    by: Option<Id<Staff>>,
) -> Answer<()> {
    let honest_until = view::good_until(tx, kid, since)?.unwrap_or(since);
    let command = IssuerCommand::Compromise { kid, since, honest_until, why: why.to_owned(), by };
    if let Err(refusal) = tx.run::<Issuers>(context, ISSUERS, command)? {
        return Ok(Err(refusal));
    }
    let (state, now) = (tx.state::<Issuers>(ISSUERS)?, tx.now());
    if let Some(key) = state.key(kid)
        && state.current(key.whose, now).is_none()
    {
        let new = New { whose: key.whose, uses: key.uses, from: now, days: DAYS, by };
        return Ok(add(tx, context, &new)?.map(|_| ()));
    }
    Ok(Ok(()))
}

/// All keys.
pub fn issuers(reader: &mut Reader<'_>) -> Result<Issuers, Fault> {
    reader.state::<Issuers>(ISSUERS)
}

/// One run of the job.
pub async fn look_after(app: App) -> Result<(), Fault> {
    let state = app.store.read(issuers).await?;
    let now = app.now();
    if state.keys.is_empty() || !state.due(now).is_empty() {
        let days = app.config.issuer_days;
        web::slice::later(app.store.write(move |tx| follow(tx, days)).await)?;
    }
    let refused = |it: &&Issuer| it.refused_from.is_some() && !it.cleared;
    for it in state.keys.iter().filter(refused) {
        clear(&app, it.kid).await?;
    }
    state_use(&app).await?;
    let (keyring, now) = (std::sync::Arc::clone(&app.keyring), app.now());
    // Off the async threads, as all reading.
    app.store.read(move |reader| destroy(&keyring, &issuers(reader)?, now)).await
}

/// Makes the keys whose time has come.
fn follow(tx: &mut Tx<'_>, days: u32) -> Result<(), Fault> {
    let now = tx.now();
    signing(tx, now)?;
    for (whose, uses, from) in tx.state::<Issuers>(ISSUERS)?.due(now) {
        let added = add(tx, &SYSTEM, &New { whose, uses, from, days, by: None })?;
        added.map_err(|refusal| Fault::new(format!("a key was refused: {refusal:?}")))?;
    }
    Ok(())
}

/// Destroys the files of keys that sign no more: at once after a compromise, else once nothing that
/// they signed is good any longer (until then a repeated command is given the same code again).
pub fn destroy(keyring: &Keyring, state: &Issuers, now: Instant) -> Result<(), Fault> {
    for it in &state.keys {
        let over = state.signed_until(it).is_some_and(|end| end.plus_seconds(LONGEST_S) <= now);
        if !over && it.refused_from.is_none() {
            continue;
        }
        keyring.destroy(&file(it.kid))?;
        if let Some(first) = keyring.find(FIRST)? {
            let first = IssuerSigner::from_seed(&first);
            if first.is_ok_and(|first| first.kid() == it.kid.0) {
                keyring.destroy(FIRST)?;
            }
        }
    }
    Ok(())
}

/// Ends every pass that a compromised key signed since then and that still would be good, and tells
/// its holder. Gives how many; `None` when the store is busy, and the next run goes on.
pub async fn clear(app: &App, kid: KeyId) -> Result<Option<u64>, Fault> {
    let (mut after, mut ended) = (None, 0);
    let state = app.store.read(issuers).await?;
    // What organisations signed is ended where it was issued, by a job of that slice.
    let codes = state.key(kid).filter(|it| it.uses == Use::Codes);
    let Some(since) = codes.and_then(|it| it.refused_from) else { return Ok(Some(0)) };
    loop {
        let found = app.store.read(move |it| view::signed(it, kid, since, after, BATCH)).await?;
        for it in &found {
            let message = tell::message(app, it.person).await?;
            let (decision, pass, person) = (app.random_id(), it.pass, it.person);
            let ask = Ask::RevokePass { pass, why: RevokedBecause::KeyCompromised };
            let answer = app.store.write(move |tx| {
                let answer = door::run(tx, &SYSTEM, person, &ask, decision)?;
                tell::told(tx, &answer, message.as_ref())?;
                Ok(answer)
            });
            match answer.await {
                // One that has ended by itself, or was ended before, is left as it is.
                Ok(answer) => ended += u64::from(answer.is_ok()),
                Err(store::Error::Busy { .. }) => return Ok(None),
                Err(store::Error::Fault(fault)) => return Err(fault),
                Err(store::Error::Refused(never)) => match never {},
            }
        }
        match found.last() {
            Some(last) => after = Some(last.seq),
            None => break,
        }
    }
    let done = move |tx: &mut Tx<'_>| {
        tx.run::<Issuers>(&SYSTEM, ISSUERS, IssuerCommand::Clear { kid, ended })
    };
    web::slice::later(app.store.write(done).await).map(|()| Some(ended))
}

/// States how often each key signed, once for each day that is over (UTC).
pub async fn state_use(app: &App) -> Result<(), Fault> {
    let day = utc_day(app.now()).saturating_sub(1);
    let signatures = app.questions.signatures;
    let made = app.store.read(move |reader| {
        let state = issuers(reader)?;
        if state.keys.is_empty() || state.stated.is_some_and(|it| day <= it.0) {
            return Ok(None);
        }
        let (from, to) = (state.stated.map_or(0, |it| it.1), reader.head()?.size);
        let mut keys = Vec::new();
        for it in &state.keys {
            let mut tree = Tree::new();
            for signed in signatures {
                let mut next = from;
                while next < to {
                    let found = signed(reader, it.kid.0, next, to)?;
                    let Some((last, _)) = found.last() else { break };
                    next = last + 1;
                    let passes: Vec<[u8; 16]> = found.iter().map(|it| it.1).collect();
                    tree.append(&passes)
                        .map_err(|error| Fault::caused("counting signatures", error))?;
                }
            }
            // One that is over and signed nothing need not be named for ever.
            if tree.size() > 0 || it.ended_at.is_none() {
                let root = Hex32(*tree.root().as_bytes());
                keys.push(Stated { kid: it.kid, signatures: tree.size(), root });
            }
        }
        Ok(Some(IssuerCommand::State { day, from, to, keys }))
    });
    let Some(command) = made.await? else { return Ok(()) };
    let written = move |tx: &mut Tx<'_>| tx.run::<Issuers>(&SYSTEM, ISSUERS, command.clone());
    web::slice::later(app.store.write(written).await)
}

/// Whether a code was issued on the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    /// It is on the log, as it is.
    Issued,
    /// It is on the log, and was ended.
    Revoked,
    /// It is from so long ago that the log no longer says what was issued.
    Erased,
    /// One of our keys signed it, and the log knows nothing of it: the key was used by others.
    NotIssued,
    /// Its signature is not by the key that it names.
    Forged,
    /// It names no key of this region.
    UnknownKey,
    /// It is no code of ours.
    Unreadable,
}

impl Checked {
    /// Whether it says that a key is in other hands.
    pub const fn is_alarm(self) -> bool {
        matches!(self, Self::NotIssued)
    }
}

/// Says whether the code in `text` (as its QR holds it) was issued on the log.
pub fn check(reader: &mut Reader<'_>, text: &str, now: Instant) -> Result<Checked, Fault> {
    let shown = Presentation::from_text(text.trim()).and_then(|it| it.read());
    let Ok((signed, code)) = shown else { return Ok(Checked::Unreadable) };
    let state = issuers(reader)?;
    let Some(key) = state.key(KeyId(signed.kid)) else { return Ok(Checked::UnknownKey) };
    if !signed.is_signed_by(&key.public.0) {
        return Ok(Checked::Forged);
    }
    let pass = Id::from_bytes(code.pass);
    let revoked = view::is_revoked(reader, pass)?;
    let Some(person) = view::person_of_signed(reader, key.kid, pass)? else {
        let kept_from = now.plus_days(-i64::from(PASS_KEPT_DAYS));
        return Ok(if revoked {
            Checked::Revoked
        } else if code.valid_until <= kept_from.seconds() {
            Checked::Erased
        } else {
            Checked::NotIssued
        });
    };
    // Word for word: with a stolen key a pass of the log could be given another colour.
    let region = reader.region().clone();
    let mut same = false;
    for it in reader.events(Holder::STREAM, person.to_u128())? {
        if let Some(event @ Event::PassIssued { .. }) = it.event::<Event>()?
            && let Some(held) = issue::issued(std::slice::from_ref(&event))
            && held.pass == pass
        {
            same = issue::content(&region, &held) == code;
        }
    }
    Ok(match (same, revoked) {
        (false, _) => Checked::NotIssued,
        (true, true) => Checked::Revoked,
        (true, false) => Checked::Issued,
    })
}
