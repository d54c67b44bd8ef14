//! Passkeys (WebAuthn): what staff must have after their one-time link, and what citizens are
//! offered. The ceremonies' state is kept by the server for five minutes and used once.

use kernel::{Instant, Seed};
use serde_json::json;
use store::{Fault, Tx, Value, values};
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Webauthn, WebauthnBuilder,
};

use crate::actor::Who;
use crate::app::Config;
use crate::{Actor, App, Problem, secret, session};

/// A ceremony must end within this time, in seconds.
const CEREMONY_S: i64 = 300;
/// Passkeys that one person may have.
const PASSKEYS_MAX: usize = 20;

const CHALLENGE_ADD: &str = "INSERT INTO web_challenge (region, challenge, purpose, kind, who, state, \
     expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const CHALLENGE_TAKE: &str = "SELECT state FROM web_challenge WHERE region = $1 AND challenge = $2 \
     AND purpose = $3 AND kind = $4 AND who = $5 AND expires_at > $6";
const CHALLENGE_END: &str = "DELETE FROM web_challenge WHERE region = $1 AND challenge = $2";
const CHALLENGE_SWEEP: &str = "DELETE FROM web_challenge WHERE region = $1 AND expires_at <= $2";
const ADD: &str = "INSERT INTO web_passkey (region, passkey, kind, who, credential, device, made_at, \
     used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)";
const OF: &str = "SELECT passkey, credential, device, made_at, used_at FROM web_passkey \
     WHERE region = $1 AND kind = $2 AND who = $3 ORDER BY made_at LIMIT 100";
const FIND: &str =
    "SELECT kind, who, credential FROM web_passkey WHERE region = $1 AND passkey = $2";
const USED: &str =
    "UPDATE web_passkey SET used_at = $3, credential = $4 WHERE region = $1 AND passkey = $2";
const REMOVE: &str = "DELETE FROM web_passkey WHERE region = $1 AND passkey = $2 AND kind = $3 \
     AND who = $4";
const REMOVE_OF: &str = "DELETE FROM web_passkey WHERE region = $1 AND kind = $2 AND who = $3";

/// The SQL texts of this module.
pub(crate) const QUERIES: &[&str] = &[
    CHALLENGE_ADD,
    CHALLENGE_TAKE,
    CHALLENGE_END,
    CHALLENGE_SWEEP,
    ADD,
    OF,
    FIND,
    USED,
    REMOVE,
    REMOVE_OF,
];

/// The relying party: this city's domain.
pub(crate) struct Passkeys(Option<Webauthn>);

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) handle: String,
    pub(crate) device: String,
    pub(crate) made_at: Instant,
    pub(crate) used_at: Option<Instant>,
}

impl Passkeys {
    /// Passkeys need a domain name; an address of numbers (a demo on a local network) has none.
    pub(crate) fn try_new(config: &Config) -> Result<Self, Fault> {
        let Some(domain) = config.origin.domain() else { return Ok(Self(None)) };
        let built = WebauthnBuilder::new(domain, &config.origin)
            .map(|it| it.rp_name(config.region_name(kernel::Locale::Ko)))
            .and_then(WebauthnBuilder::build);
        built.map(|it| Self(Some(it))).map_err(|it| Fault::caused("setting up passkeys", it))
    }

    /// Whether passkeys can be used here.
    pub(crate) fn are_possible(&self) -> bool {
        self.0.is_some()
    }

    fn get(&self) -> Result<&Webauthn, Problem> {
        self.0.as_ref().ok_or_else(Problem::not_found)
    }
}

/// What the browser gets to begin a ceremony: the ceremony's handle and WebAuthn's options.
fn ceremony(challenge: u128, options: serde_json::Value) -> serde_json::Value {
    let mut options = options;
    let options = options.get_mut("publicKey").map_or(json!({}), serde_json::Value::take);
    json!({ "ceremony": format!("{challenge:032x}"), "publicKey": options })
}

fn wrong(error: &webauthn_rs::prelude::WebauthnError) -> Problem {
    tracing::info!(%error, "a passkey was not accepted");
    Problem::own("web-passkey-failed")
}

fn json_of(it: &impl serde::Serialize) -> Result<String, Problem> {
    Ok(serde_json::to_string(it).map_err(|it| Fault::caused("writing a ceremony", it))?)
}

/// Keeps a ceremony's state.
async fn open(app: &App, purpose: i64, who: Who, state: String) -> Result<u128, Problem> {
    let challenge = u128::from_be_bytes(random(app.seed()));
    let until = app.now().plus_seconds(CEREMONY_S);
    app.write(move |tx| {
        let key = challenge.to_be_bytes();
        let values: [Value; 6] = [
            key.into(),
            purpose.into(),
            who.kind().into(),
            who.bytes().into(),
            (&state).into(),
            until.into(),
        ];
        tx.execute(CHALLENGE_ADD, &values)
    })
    .await?;
    Ok(challenge)
}

fn random(seed: &Seed) -> [u8; 16] {
    seed.bytes()
}

/// Takes a ceremony's state; it cannot be taken again.
async fn take(app: &App, purpose: i64, who: Who, handle: &str) -> Result<String, Problem> {
    let challenge = u128::from_str_radix(handle, 16).map_err(|_| Problem::json_invalid())?;
    let (key, now) = (challenge.to_be_bytes(), app.now());
    let state = app
        .write(move |tx| {
            let values: [Value; 5] =
                [key.into(), purpose.into(), who.kind().into(), who.bytes().into(), now.into()];
            let rows = tx.query(CHALLENGE_TAKE, &values)?;
            tx.execute(CHALLENGE_END, values![key])?;
            rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
        })
        .await?;
    state.ok_or_else(|| Problem::own("web-expired"))
}

/// Begins to register a passkey for the actor; `label` is what the device shows beside it.
pub(crate) async fn begin_registration(
    app: &App,
    actor: &Actor,
    label: &str,
) -> Result<serde_json::Value, Problem> {
    let webauthn = app.passkeys.get()?;
    let known = credentials(app, actor.who).await?;
    if known.len() >= PASSKEYS_MAX {
        return Err(Problem::own("web-passkey-failed"));
    }
    let known = known.iter().map(|it| it.cred_id().clone()).collect();
    let user = Uuid::from_bytes(actor.who.bytes());
    let (options, state) = webauthn
        .start_passkey_registration(user, label, label, Some(known))
        .map_err(|it| wrong(&it))?;
    let challenge = open(app, 0, actor.who, json_of(&state)?).await?;
    let mut options =
        serde_json::to_value(options).map_err(|it| Fault::caused("writing passkey options", it))?;
    // The library asks for any key; signing in without typing a name needs one that the device
    // finds by itself.
    let selection = options.pointer_mut("/publicKey/authenticatorSelection");
    if let Some(selection) = selection.and_then(serde_json::Value::as_object_mut) {
        selection.insert("residentKey".to_owned(), json!("required"));
        selection.insert("requireResidentKey".to_owned(), json!(true));
    }
    Ok(ceremony(challenge, options))
}

/// Ends a registration: the passkey is the actor's from now on.
pub(crate) async fn finish_registration(
    app: &App,
    actor: &Actor,
    handle: &str,
    credential: &RegisterPublicKeyCredential,
    device: String,
) -> Result<(), Problem> {
    let state = take(app, 0, actor.who, handle).await?;
    let state: PasskeyRegistration =
        serde_json::from_str(&state).map_err(|it| Fault::caused("reading a ceremony", it))?;
    let passkey = app
        .passkeys
        .get()?
        .finish_passkey_registration(credential, &state)
        .map_err(|it| wrong(&it))?;
    let (who, now, text) = (actor.who, app.now(), json_of(&passkey)?);
    let key = credential_key(passkey.cred_id());
    let session = actor.session.as_ref().map(|it| it.key);
    let added = app
        .write(move |tx| {
            if !tx.query(FIND, values![key])?.is_empty() {
                return Ok(false);
            }
            let values: [Value; 6] = [
                key.into(),
                who.kind().into(),
                who.bytes().into(),
                (&text).into(),
                (&device).into(),
                now.into(),
            ];
            tx.execute(ADD, &values)?;
            if let Some(session) = session {
                session::strengthen(tx, session)?;
            }
            Ok(true)
        })
        .await?;
    if added { Ok(()) } else { Err(Problem::own("web-passkey-failed")) }
}

/// Begins to sign in with whichever passkey the device offers.
pub(crate) async fn begin_sign_in(app: &App) -> Result<serde_json::Value, Problem> {
    let (options, state) =
        app.passkeys.get()?.start_discoverable_authentication().map_err(|it| wrong(&it))?;
    let challenge = open(app, 1, Who::Anonymous, json_of(&state)?).await?;
    let options =
        serde_json::to_value(options).map_err(|it| Fault::caused("writing passkey options", it))?;
    Ok(ceremony(challenge, options))
}

/// Ends a sign-in: whose passkey it was.
pub(crate) async fn finish_sign_in(
    app: &App,
    handle: &str,
    credential: &PublicKeyCredential,
) -> Result<Who, Problem> {
    let state = take(app, 1, Who::Anonymous, handle).await?;
    let state: DiscoverableAuthentication =
        serde_json::from_str(&state).map_err(|it| Fault::caused("reading a ceremony", it))?;
    let webauthn = app.passkeys.get()?;
    let (_, id) =
        webauthn.identify_discoverable_authentication(credential).map_err(|it| wrong(&it))?;
    let key = credential_key(id);
    let found = app
        .read(move |reader| {
            let Some(row) = reader.first(FIND, values![key])? else { return Ok(None) };
            let passkey: Passkey = serde_json::from_str(row.text(2)?)
                .map_err(|it| Fault::caused("reading a passkey", it))?;
            Ok(Some((Who::read(&row, 0, 1)?, passkey)))
        })
        .await?;
    let (who, mut passkey) = found.ok_or_else(|| Problem::own("web-passkey-failed"))?;
    let result = webauthn
        .finish_discoverable_authentication_v2(credential, state, &passkey)
        .map_err(|it| wrong(&it))?;
    passkey.update_credential(&result);
    let (now, text) = (app.now(), json_of(&passkey)?);
    app.write(move |tx| tx.execute(USED, values![key, now, text.as_str()])).await?;
    Ok(who)
}

async fn credentials(app: &App, who: Who) -> Result<Vec<Passkey>, Problem> {
    app.read(move |reader| {
        let rows = reader.query(OF, values![who.kind(), who.bytes()])?;
        let read = |row: &store::Row| {
            serde_json::from_str(row.text(1)?).map_err(|it| Fault::caused("reading a passkey", it))
        };
        rows.iter().map(read).collect()
    })
    .await
}

/// All passkeys of `who`, oldest first.
pub(crate) async fn owned(app: &App, who: Who) -> Result<Vec<Owned>, Problem> {
    app.read(move |reader| {
        let rows = reader.query(OF, values![who.kind(), who.bytes()])?;
        let read = |row: &store::Row| {
            Ok(Owned {
                handle: hex::encode(row.bytes(0)?),
                device: row.text(2)?.to_owned(),
                made_at: row.instant(3)?,
                used_at: row.maybe_instant(4)?,
            })
        };
        rows.iter().map(read).collect()
    })
    .await
}

/// Removes one of the actor's passkeys; staff keep at least one.
pub(crate) async fn remove(app: &App, actor: &Actor, handle: &str) -> Result<(), Problem> {
    let key: Vec<u8> = hex::decode(handle).map_err(|_| Problem::not_found())?;
    let who = actor.who;
    app.write(move |tx| {
        // Counted with the write door held: two removals at once must not take both.
        let owned = tx.query(OF, values![who.kind(), who.bytes()])?.len();
        if matches!(who, Who::Staff(_)) && owned < 2 {
            return Ok(Err(Problem::own("web-passkey-last")));
        }
        let touched = tx.execute(REMOVE, values![key.as_slice(), who.kind(), who.bytes()])?;
        Ok(if touched == 1 { Ok(()) } else { Err(Problem::not_found()) })
    })
    .await?
}

/// Whether `who` could sign in with a passkey.
pub fn has_any(tx: &mut Tx<'_>, who: Who) -> Result<bool, Fault> {
    Ok(!tx.query(OF, values![who.kind(), who.bytes()])?.is_empty())
}

/// Removes all passkeys of `who`.
pub(crate) fn remove_all(tx: &mut Tx<'_>, who: Who) -> Result<(), Fault> {
    tx.execute(REMOVE_OF, values![who.kind(), who.bytes()]).map(|_| ())
}

/// Removes ceremonies that were not ended.
pub(crate) fn sweep(tx: &mut Tx<'_>, now: Instant) -> Result<(), Fault> {
    tx.execute(CHALLENGE_SWEEP, values![now]).map(|_| ())
}

/// Credential ids are up to 1,023 bytes; their hash is the key.
fn credential_key(id: &[u8]) -> [u8; 32] {
    secret::hash(&hex::encode(id))
}
