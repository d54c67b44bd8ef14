//! What `haetae keys` asks, answered by the process that serves the region: it holds the folder's lock
//! or the lease, and so the write door.
//!
//! The command finds it at a socket in the key folder, which is closed to everybody but the service's
//! user: who can open it could read the keys themselves. One line of JSON each way. Without a serving
//! process the command opens the region and answers itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use code::issuer::{self, Issuers, KeyId};
use code::key_list::{self, KeyList};
use code::keys;
use contracts::person::Organisation;
use kernel::{Id, Instant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{By, Context, Fault, queue, wrap};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use web::App;

/// The socket's name in the key folder.
pub const SOCKET: &str = "haetae.sock";

/// Longer questions are none of ours.
const ASK_MAX: u64 = 64 * 1024;

/// How long a client may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

/// How soon it is tried again to take the place of another process's socket.
const AGAIN: Duration = Duration::from_secs(5);

/// How often is looked whether a rotation was left unfinished, or a key is over.
const LOOK: Duration = Duration::from_secs(2);

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask {
    /// All keys.
    List,
    /// Change a key.
    Rotate {
        /// Its name, without a number or kid.
        name: String,
        /// A signing key: at once, although gates with lists of before do not know it yet.
        now: bool,
    },
    /// Give an organisation a signing key of its own.
    Add {
        /// Which.
        organisation: String,
    },
    /// End an organisation's signing keys; what they signed stays good.
    End {
        /// Which.
        organisation: String,
        /// Why, for everybody to read.
        why: String,
    },
    /// Refuse what a key signed from an instant on.
    Compromise {
        /// Which.
        kid: String,
        /// From when on, RFC 3339.
        since: String,
        /// Why, for everybody to read.
        why: String,
    },
    /// The passes that a key signed.
    Signed {
        /// Which.
        kid: String,
        /// From when on, RFC 3339; all that is kept by default.
        since: Option<String>,
    },
    /// Whether codes were issued on the log.
    Check {
        /// Each as its QR holds it.
        codes: Vec<String>,
    },
}

/// Why an answer is no, in words.
fn no(why: impl Into<String>) -> Answer {
    Answer::Refused(why.into())
}

/// The most passes that an answer lists; it counts them all.
const LISTED_MAX: usize = 100_000;

/// An answer as it goes over the socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What was asked for.
    Ok(Value),
    /// Why not, in words.
    Refused(String),
}

/// What is asked for, or why not, in words.
pub async fn answer(app: &App, ask: Ask, go_on: impl Fn() -> bool) -> Answer {
    let answered = try_answer(app, ask, go_on).await;
    answered.unwrap_or_else(|fault| Answer::Refused(fault.chain()))
}

/// [`answer`], with the store's faults as they are: for who has to know a pause from anything worse.
pub async fn try_answer(app: &App, ask: Ask, go_on: impl Fn() -> bool) -> Result<Answer, Fault> {
    match ask {
        Ask::List => list(app).await,
        Ask::Rotate { name, now } if name == "queue" => rotate_queue(app, now).await,
        Ask::Rotate { name, now } => match issuer::parse_name(&name) {
            Some(whose) => rotate_issuer(app, whose, now).await,
            None => rotate(app, &name, go_on).await,
        },
        Ask::Add { organisation } => add(app, &organisation).await,
        Ask::End { organisation, why } => end(app, &organisation, why).await,
        Ask::Compromise { kid, since, why } => compromise(app, &kid, &since, why).await,
        Ask::Signed { kid, since } => match (kid.parse(), since.as_deref().map(Instant::parse)) {
            (Ok(kid), None) => signed(app, kid, Instant::from_seconds(0)).await,
            (Ok(kid), Some(Some(since))) => signed(app, kid, since).await,
            _ => Ok(no(
                "write the 16 digits of a key (haetae keys list), and an instant as RFC 3339",
            )),
        },
        Ask::Check { codes } => check(app, codes).await,
    }
}

async fn list(app: &App) -> Result<Answer, Fault> {
    let (store, keyring) = (app.store.clone(), std::sync::Arc::clone(&app.keyring));
    let looked = app.store.read(move |reader| KeyList::read(reader, &store, &keyring)).await?;
    let KeyList { files, wraps, queues, issuers: state } = looked;
    let mut issuers = Vec::new();
    for it in &state.keys {
        let name = keys::file(it.kid);
        let there = files.iter().any(|file| file.name == name);
        issuers.push(json!({
            "kid": it.kid, "name": it.name(), "state": key_list::of_issuer(&state, it, app.now()),
            "signs_from": it.signs_from, "signs_until": it.signs_until,
            "refused_from": it.refused_from, "file": there,
        }));
    }
    let stated = state.stated.map(|it| it.0);
    let said = json!({
        "keys": files, "wraps": wraps, "queues": queues, "issuers": issuers, "stated_day": stated,
    });
    Ok(Answer::Ok(said))
}

async fn rotate(app: &App, name: &str, go_on: impl Fn() -> bool) -> Result<Answer, Fault> {
    let Some((side, 1)) = wrap::parse(name) else {
        let why = match name {
            "root" => "gates are given its public half when they are enrolled",
            "log" => "it is what everybody who keeps a checkpoint trusts the log by",
            "blind-index" => "every phone number is found again by it",
            "web" => "it is changed by removing its file while the service is stopped",
            _ => "there is no such key (haetae keys list)",
        };
        return Ok(no(format!("{name} cannot be rotated: {why}")));
    };
    let made = app.store.write(move |tx| tx.rotate_wrap(side)).await;
    let Some(number) = taken(made)? else { return Ok(no(BUSY)) };
    let anew = app.store.finish_rotation(go_on).await?;
    let name = wrap::name(side, number);
    Ok(Answer::Ok(json!({ "rotated": name, "keys_wrapped_anew": anew })))
}

/// Makes the next key that gates seal to: for tomorrow, or for now.
async fn rotate_queue(app: &App, at_once: bool) -> Result<Answer, Fault> {
    let made = app.store.write(move |tx| tx.rotate_queue(at_once)).await;
    Ok(match taken(made)? {
        None => no(BUSY),
        Some(None) => no("too many of its keys are still in use: wait until one is over"),
        Some(Some((number, from))) => Answer::Ok(json!({
            "rotated": queue::name(number), "gates_seal_from": from,
            "before_opens_until": from.plus_seconds(queue::KEEP_DAYS * 86_400),
        })),
    })
}

/// What a write gave, with a full queue in words.
fn taken<T>(answer: Result<T, store::Error<store::door::Never>>) -> Result<Option<T>, Fault> {
    match answer {
        Ok(it) => Ok(Some(it)),
        Err(store::Error::Busy { .. }) => Ok(None),
        Err(store::Error::Fault(fault)) => Err(fault),
        Err(store::Error::Refused(never)) => match never {},
    }
}

const BUSY: &str = "the service is busy: try again in a moment";

/// Words for a refusal of the rules.
fn refused(refusal: &code::refusal::Refusal) -> Answer {
    no(match refusal {
        code::refusal::Refusal::KeyUnknown => "there is no such signing key, or it has ended",
        code::refusal::Refusal::DateInvalid => "write an instant that has passed",
        code::refusal::Refusal::TextInvalid => "write a reason of at most 500 characters",
        other => kernel::Refusal::code(other),
    })
}

const OPERATOR: Context = Context::by(By::System("operator"));

/// Makes the next signing key ahead of its time.
async fn rotate_issuer(
    app: &App,
    whose: Option<Id<Organisation>>,
    at_once: bool,
) -> Result<Answer, Fault> {
    let days = app.config.issuer_days;
    let made = app.store.write(move |tx| {
        let now = tx.now();
        let state = tx.state::<Issuers>(issuer::ISSUERS)?;
        let Some(key) = state.current(whose, now) else {
            return Ok(Err(code::refusal::Refusal::KeyUnknown));
        };
        if let Some(next) = state.next(whose, now).filter(|_| !at_once) {
            return Ok(Ok((next.kid, next.signs_from)));
        }
        let from = if at_once { now } else { issuer::ahead(now) };
        let new = keys::New { whose, uses: key.uses, from, days, by: None };
        Ok(keys::add(tx, &OPERATOR, &new)?.map(|kid| (kid, from)))
    });
    match taken(made.await)? {
        None => Ok(no(BUSY)),
        Some(Err(refusal)) => Ok(refused(&refusal)),
        Some(Ok((kid, from))) => {
            let name = issuer::name(whose);
            Ok(Answer::Ok(json!({ "rotated": name, "kid": kid, "signs_from": from })))
        }
    }
}

async fn add(app: &App, organisation: &str) -> Result<Answer, Fault> {
    let Ok(whose) = organisation.parse::<Id<Organisation>>() else {
        return Ok(no("write org_…"));
    };
    let organisations = app.questions.organisations;
    let known = app.store.read(organisations).await?;
    if !known.iter().any(|it| it.0 == whose) {
        return Ok(no("there is no such organisation, or it is closed"));
    }
    let days = app.config.issuer_days;
    let made = app.store.write(move |tx| {
        let from = issuer::ahead(tx.now());
        let state = tx.state::<Issuers>(issuer::ISSUERS)?;
        if let Some(key) =
            state.next(Some(whose), tx.now()).or(state.current(Some(whose), tx.now()))
        {
            return Ok(Ok((key.kid, key.signs_from)));
        }
        let uses = issuer::Use::Passes;
        let new = keys::New { whose: Some(whose), uses, from, days, by: None };
        Ok(keys::add(tx, &OPERATOR, &new)?.map(|kid| (kid, from)))
    });
    match taken(made.await)? {
        None => Ok(no(BUSY)),
        Some(Err(refusal)) => Ok(refused(&refusal)),
        Some(Ok((kid, from))) => {
            let name = issuer::name(Some(whose));
            Ok(Answer::Ok(json!({ "added": name, "kid": kid, "signs_from": from })))
        }
    }
}

async fn end(app: &App, organisation: &str, why: String) -> Result<Answer, Fault> {
    let Ok(whose) = organisation.parse::<Id<Organisation>>() else {
        return Ok(no("write org_…"));
    };
    let ended = app.store.write(move |tx| {
        let command = issuer::IssuerCommand::End { whose, why: why.clone(), by: None };
        tx.run::<Issuers>(&OPERATOR, issuer::ISSUERS, command)
    });
    match taken(ended.await)? {
        None => Ok(no(BUSY)),
        Some(Err(refusal)) => Ok(refused(&refusal)),
        Some(Ok(done)) => {
            let name = issuer::name(Some(whose));
            Ok(Answer::Ok(json!({ "ended": name, "keys": done.events.len() })))
        }
    }
}

async fn compromise(app: &App, kid: &str, since: &str, why: String) -> Result<Answer, Fault> {
    let Ok(kid) = kid.parse::<KeyId>() else {
        return Ok(no("write the 16 digits of a signing key (haetae keys list)"));
    };
    let Some(since) = Instant::parse(since) else {
        return Ok(no("write --since as 2026-11-28T09:00:00Z"));
    };
    let done =
        app.store.write(move |tx| keys::compromise(tx, &OPERATOR, kid, since, &why, None)).await;
    match taken(done)? {
        None => return Ok(no(BUSY)),
        Some(Err(refusal)) => return Ok(refused(&refusal)),
        Some(Ok(())) => {}
    }
    // The lists know it from here on. What follows goes on by itself if it is cut off.
    let mut cleared = keys::clear(app, kid).await?;
    loop {
        match pass::jobs::refuse(app).await? {
            0 => break,
            more => cleared = cleared.map(|it| it + more),
        }
    }
    let keyring = std::sync::Arc::clone(&app.keyring);
    let destroyed = tokio::task::spawn_blocking(move || keyring.destroy(&keys::file(kid))).await;
    destroyed.map_err(|error| Fault::caused("destroying a key", error))??;
    let state = app.store.read(keys::issuers).await?;
    let whose = state.key(kid).and_then(|it| it.whose);
    let next = state.current(whose, app.now()).map(|it| it.kid);
    let since = state.key(kid).and_then(|it| it.refused_from).unwrap_or(since);
    let mut said = passes(app, kid, since).await?;
    if let Some(fields) = said.as_object_mut() {
        fields.insert("refused".to_owned(), json!(kid));
        fields.insert("since".to_owned(), json!(since));
        fields.insert("ended".to_owned(), json!(cleared));
        fields.insert("signs_now".to_owned(), json!(next));
    }
    Ok(Answer::Ok(said))
}

async fn signed(app: &App, kid: KeyId, since: Instant) -> Result<Answer, Fault> {
    passes(app, kid, since).await.map(Answer::Ok)
}

/// The passes that a key signed from `since` on, as far as the log still says it: never whose.
async fn passes(app: &App, kid: KeyId, since: Instant) -> Result<Value, Fault> {
    let listed = app.store.read(move |reader| {
        let (mut listed, mut count, mut after) = (Vec::new(), 0_u64, None);
        loop {
            let found = code::view::signed(reader, kid, since, after, 1_000)?;
            let Some(last) = found.last() else { break };
            after = Some(last.seq);
            count += u64::try_from(found.len()).unwrap_or(0);
            for it in found.into_iter().take(LISTED_MAX.saturating_sub(listed.len())) {
                listed.push(json!({
                    "entry": it.seq, "pass": it.pass, "issued_at": it.issued_at,
                    "valid_until": it.valid_until,
                }));
            }
        }
        // An organisation's key signs passes for others and no codes.
        let mut after = None;
        loop {
            let found = pass::view::signed(reader, kid.0, since, after, 1_000)?;
            let Some(last) = found.last() else { return Ok((listed, count)) };
            after = Some(last.0);
            count += u64::try_from(found.len()).unwrap_or(0);
            let room = LISTED_MAX.saturating_sub(listed.len());
            for (entry, pass, issued_at, valid_until) in found.into_iter().take(room) {
                listed.push(json!({
                    "entry": entry, "pass": pass, "issued_at": issued_at,
                    "valid_until": valid_until,
                }));
            }
        }
    });
    let (listed, count) = listed.await?;
    Ok(json!({ "count": count, "passes": listed }))
}

async fn check(app: &App, codes: Vec<String>) -> Result<Answer, Fault> {
    let now = app.now();
    let checked = app.store.read(move |reader| {
        let checked = codes.iter().map(|it| keys::check(reader, it, now));
        checked.collect::<Result<Vec<_>, _>>()
    });
    let checked = checked.await?;
    let alarm = checked.iter().any(|it| it.is_alarm());
    Ok(Answer::Ok(json!({ "codes": checked, "alarm": alarm })))
}

/// Brings rotations to their end that were left unfinished, and destroys key files that are over.
pub(crate) async fn look_after(app: App, mut stopped: watch::Receiver<bool>) {
    // At once, not only at the job's turn: gates that ask for lists find the first key on them.
    if app.store.is_writer()
        && let Err(fault) = keys::look_after(app.clone()).await
    {
        tracing::error!(fault = %fault.chain(), "looking after signing keys failed");
    }
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if !app.store.is_writer() {
            continue;
        }
        let told = stopped.clone();
        let finished = app.store.finish_rotation(move || !*told.borrow()).await;
        let (store, keyring) = (app.store.clone(), std::sync::Arc::clone(&app.keyring));
        let destroyed = tokio::task::spawn_blocking(move || store.destroy_over(&keyring)).await;
        let over = app.store.destroy_over_queue(&app.keyring).await;
        for fault in [
            over.map(|_| ()).err(),
            finished.map(|_| ()).err(),
            destroyed.unwrap_or_else(|_| Ok(Vec::new())).map(|_| ()).err(),
        ]
        .into_iter()
        .flatten()
        {
            tracing::error!(fault = %fault.chain(), "looking after keys failed");
        }
    }
}

/// Answers at the socket in the key folder until the service stops; `first` is what the first
/// attempt to [`bind`] gave.
pub(crate) async fn listen(
    app: App,
    path: PathBuf,
    first: std::io::Result<UnixListener>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut bound = first;
    if let Err(error) = &bound
        && app.store.is_writer()
    {
        tracing::warn!(%error, path = %path.display(), "`haetae keys` finds no socket");
    }
    let listener = loop {
        if let Ok(listener) = bound {
            break listener;
        }
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(AGAIN) => {
                // Of several processes with one folder, the one that writes answers.
                if app.store.is_writer() {
                    bound = bind(&path);
                }
            }
        }
    };
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            taken = listener.accept() => match taken {
                Ok((client, _)) => { clients.spawn(serve(app.clone(), client, stopped.clone())); }
                // As with any listener: too many open files pass.
                Err(_) => tokio::time::sleep(AGAIN).await,
            },
            _ = clients.join_next(), if !clients.is_empty() => {}
        }
    }
    // The next start removes it where this fails.
    let _ = std::fs::remove_file(&path);
    while clients.join_next().await.is_some() {}
}

/// Takes the place of what a killed process left; not that of one that still answers.
pub(crate) fn bind(path: &Path) -> std::io::Result<UnixListener> {
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => return Err(std::io::ErrorKind::AddrInUse.into()),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)?;
        }
        Err(_) => {}
    }
    UnixListener::bind(path)
}

async fn serve(app: App, mut client: UnixStream, mut stopped: watch::Receiver<bool>) {
    let (from, mut to) = client.split();
    let mut line = String::new();
    let mut from = BufReader::new(from.take(ASK_MAX));
    let asked = tokio::select! {
        _ = stopped.changed() => return,
        asked = tokio::time::timeout(PATIENCE, from.read_line(&mut line)) => asked,
    };
    if !matches!(asked, Ok(Ok(1..))) {
        return;
    }
    let answer = match serde_json::from_str(&line) {
        Ok(ask) => answer(&app, ask, move || !*stopped.borrow()).await,
        Err(_) => Answer::Refused("this service knows no such question".to_owned()),
    };
    let Ok(mut text) = serde_json::to_vec(&answer) else { return };
    text.push(b'\n');
    // Whoever asked may have gone; what was done is done.
    let _ = to.write_all(&text).await;
}
