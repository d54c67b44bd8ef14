//! Sessions: who is signed in on which device, until when.
//!
//! The browser holds a token of 256 bits, the server its hash. A session ends by sign-out, by
//! idleness, at its absolute limit, or from another device; signing in always makes a new one.

use contracts::person::Person;
use http::{HeaderMap, HeaderValue, header};
use kernel::{Id, Instant};
use store::{Fault, Reader, Row, Tx, Value, values};

use crate::actor::Who;
use crate::{Actor, App, Problem, cookie, secret};

/// Staff are signed out after this idle time (30 minutes).
const STAFF_IDLE_S: i64 = 30 * 60;
/// Staff sign in anew after a working day (12 hours).
const STAFF_LIMIT_S: i64 = 12 * 3_600;
/// Citizens are signed out after this idle time (30 days).
const CITIZEN_IDLE_S: i64 = 30 * 86_400;
/// Citizens sign in anew after this time (180 days).
const CITIZEN_LIMIT_S: i64 = 180 * 86_400;
/// A verified phone number that no account came of (1 hour).
const PHONE_LIMIT_S: i64 = 3_600;
/// `seen_at` is written at most this often.
const TOUCH_S: i64 = 60;

/// A session, as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The hash of its token: its key in the table.
    pub(crate) key: [u8; 32],
    /// Who is signed in.
    pub(crate) who: Who,
    /// Whether a passkey was used.
    pub strong: bool,
    /// The phone number proven in this session.
    pub phone: Option<String>,
    /// The person being helped; whether that is still allowed is asked on every request.
    pub(crate) acting_for: Option<Id<Person>>,
    /// The browser and system, coarsely.
    pub device: String,
    /// When it began.
    pub created_at: Instant,
    /// When it was last used, to the minute.
    pub seen_at: Instant,
    /// When it ends at the latest.
    pub expires_at: Instant,
}

const FIND: &str = "SELECT session, kind, who, acting_for, phone, strong, device, created_at, seen_at, \
     expires_at FROM web_session WHERE region = $1 AND session = $2";
const OF: &str = "SELECT session, kind, who, acting_for, phone, strong, device, created_at, seen_at, \
     expires_at FROM web_session WHERE region = $1 AND kind = $2 AND who = $3 AND expires_at > $4 \
     ORDER BY seen_at DESC LIMIT 100";
const ADD: &str = "INSERT INTO web_session (region, session, kind, who, acting_for, phone, strong, \
     device, created_at, seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)";
const TOUCH: &str = "UPDATE web_session SET seen_at = $3 WHERE region = $1 AND session = $2";
const STRONG: &str = "UPDATE web_session SET strong = 1 WHERE region = $1 AND session = $2";
const ACT_FOR: &str = "UPDATE web_session SET acting_for = $3 WHERE region = $1 AND session = $2";
const PHONE: &str = "UPDATE web_session SET phone = $3 WHERE region = $1 AND session = $2";
const END: &str = "DELETE FROM web_session WHERE region = $1 AND session = $2";
const END_OF: &str = "DELETE FROM web_session WHERE region = $1 AND kind = $2 AND who = $3";
const SWEEP: &str = "DELETE FROM web_session WHERE region = $1 AND expires_at <= $2";

/// The SQL texts of this module.
pub(crate) const QUERIES: &[&str] =
    &[FIND, OF, ADD, TOUCH, STRONG, ACT_FOR, PHONE, END, END_OF, SWEEP];

/// The `Set-Cookie` of a session that began or ended.
#[derive(Debug, Clone)]
#[must_use = "the browser learns of the session by this cookie"]
pub struct SessionCookie(pub(crate) Vec<HeaderValue>);

impl Session {
    /// Reads a row of [`FIND`] or [`OF`].
    fn read(reader: &Reader<'_>, row: &Row) -> Result<Self, Fault> {
        let phone = match row.maybe_bytes(4)? {
            Some(sealed) => {
                let opened = reader.vault().open_own("web.phone", sealed)?;
                String::from_utf8(opened).ok()
            }
            None => None,
        };
        Ok(Self {
            key: row
                .bytes(0)?
                .try_into()
                .map_err(|_| Fault::new("a session's key is not 32 bytes"))?,
            who: Who::read(row, 1, 2)?,
            acting_for: row.maybe_id(3)?,
            phone,
            strong: row.truth(5)?,
            device: row.text(6)?.to_owned(),
            created_at: row.instant(7)?,
            seen_at: row.instant(8)?,
            expires_at: row.instant(9)?,
        })
    }

    /// Whether the session still holds.
    fn holds(&self, now: Instant) -> bool {
        let idle_s = match self.who {
            Who::Staff(_) => STAFF_IDLE_S,
            Who::Citizen(_) => CITIZEN_IDLE_S,
            Who::Anonymous => PHONE_LIMIT_S,
        };
        now < self.expires_at && now < self.seen_at.plus_seconds(idle_s)
    }

    /// Whether its last use should be written down again.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now.seconds_since(self.seen_at) >= TOUCH_S
    }

    /// What names it in forms: the first half of the hash, which opens nothing.
    pub fn handle(&self) -> String {
        hex::encode(self.key.first_chunk::<16>().unwrap_or(&[0; 16]))
    }
}

/// The session with this token, if it holds.
pub(crate) fn find(
    reader: &mut Reader<'_>,
    token: &str,
    now: Instant,
) -> Result<Option<Session>, Fault> {
    let key = secret::hash(token);
    let Some(row) = reader.first(FIND, values![key])? else { return Ok(None) };
    let session = Session::read(reader, &row)?;
    Ok(Some(session).filter(|it| it.holds(now)))
}

/// All sessions of `who`, last used first.
pub(crate) fn of(reader: &mut Reader<'_>, who: Who, now: Instant) -> Result<Vec<Session>, Fault> {
    let rows = reader.query(OF, values![who.kind(), who.bytes(), now])?;
    let sessions: Result<Vec<_>, Fault> = rows.iter().map(|it| Session::read(reader, it)).collect();
    Ok(sessions?.into_iter().filter(|it| it.holds(now)).collect())
}

/// Writes down that a session was used.
pub(crate) async fn touch(app: &App, key: [u8; 32]) {
    let now = app.now();
    // A busy or stopped store must not fail the page: the session merely looks idle for longer.
    let _ = app.store.write(move |tx| tx.execute(TOUCH, values![key, now])).await;
}

/// What a new session begins with.
#[derive(Debug, Clone, Default)]
pub struct Begin {
    /// Who is signed in; [`Who::Anonymous`] for a phone number that no account has yet.
    pub who: Who,
    /// The phone number that was proven.
    pub phone: Option<String>,
    /// Whether a passkey was used.
    pub strong: bool,
    /// From the `User-Agent`, see [`device`].
    pub device: String,
}

/// Begins a session, ending the one that the browser had (no fixation).
pub async fn begin(app: &App, actor: &Actor, begin: Begin) -> Result<SessionCookie, Problem> {
    let token = secret::token(app.seed());
    let (key, now) = (secret::hash(&token), app.now());
    let limit_s = match begin.who {
        Who::Staff(_) => STAFF_LIMIT_S,
        Who::Citizen(_) => CITIZEN_LIMIT_S,
        Who::Anonymous => PHONE_LIMIT_S,
    };
    let phone = match &begin.phone {
        Some(it) => Some(app.store.vault().seal_own("web.phone", it.as_bytes())?),
        None => None,
    };
    let old = actor.session.as_ref().map(|it| it.key);
    app.write(move |tx| {
        if let Some(old) = old {
            tx.execute(END, values![old])?;
        }
        let values: [Value; 9] = [
            key.into(),
            begin.who.kind().into(),
            begin.who.bytes().into(),
            Value::Null,
            phone.clone().into(),
            begin.strong.into(),
            (&begin.device).into(),
            now.into(),
            now.plus_seconds(limit_s).into(),
        ];
        tx.execute(ADD, &values)
    })
    .await?;
    let max_age_s = (!matches!(begin.who, Who::Staff(_))).then_some(limit_s);
    let session = cookie::host(&app.config, cookie::SESSION, &token, max_age_s);
    let visitor = cookie::host(&app.config, cookie::VISITOR, "", Some(0));
    Ok(SessionCookie(vec![session, visitor]))
}

/// Signs a citizen in on the device that asks, e.g. right after registration. The phone number
/// proven so far goes along.
pub async fn sign_in_citizen(
    app: &App,
    actor: &Actor,
    person: Id<Person>,
) -> Result<SessionCookie, Problem> {
    let session = actor.session.clone();
    let (phone, device) = session.map_or((None, String::new()), |it| (it.phone, it.device));
    begin(app, actor, Begin { who: Who::Citizen(person), phone, strong: false, device }).await
}

/// Ends the session of the device that asks.
pub async fn end(app: &App, actor: &Actor) -> Result<SessionCookie, Problem> {
    if let Some(key) = actor.session.as_ref().map(|it| it.key) {
        app.write(move |tx| tx.execute(END, values![key])).await?;
    }
    Ok(SessionCookie(vec![cookie::host(&app.config, cookie::SESSION, "", Some(0))]))
}

/// Ends one of the actor's own sessions, by its [`Session::handle`].
pub(crate) async fn end_own(app: &App, actor: &Actor, handle: String) -> Result<(), Problem> {
    let (who, now) = (actor.who, app.now());
    let sessions = app.read(move |reader| of(reader, who, now)).await?;
    let found = sessions.into_iter().find(|it| it.handle() == handle);
    let key = found.ok_or_else(Problem::not_found)?.key;
    app.write(move |tx| tx.execute(END, values![key])).await?;
    Ok(())
}

/// Ends all sessions of `who`: after deletion, or when staff leave.
pub fn end_all(tx: &mut Tx<'_>, who: Who) -> Result<(), Fault> {
    tx.execute(END_OF, values![who.kind(), who.bytes()]).map(|_| ())
}

/// From now on the signed-in citizen acts for `person` in this session; `None` ends it. The person
/// slice has asked for consent; [`crate::Questions::may_help`] is asked again on every request.
pub async fn act_for(app: &App, actor: &Actor, person: Option<Id<Person>>) -> Result<(), Problem> {
    actor.own_person()?;
    let key = actor.session.as_ref().ok_or_else(Problem::sign_in_required)?.key;
    app.write(move |tx| tx.execute(ACT_FOR, values![key, person])).await?;
    Ok(())
}

/// Notes that a passkey was made in this session.
pub(crate) fn strengthen(tx: &mut Tx<'_>, key: [u8; 32]) -> Result<(), Fault> {
    tx.execute(STRONG, values![key]).map(|_| ())
}

/// Notes a phone number proven in this session, e.g. before a change of number
/// ([`Actor::verified_phone`] then gives it); `None` forgets it.
pub async fn prove_phone(app: &App, actor: &Actor, phone: Option<&str>) -> Result<(), Problem> {
    let key = actor.session.as_ref().ok_or_else(Problem::sign_in_required)?.key;
    let sealed = match phone {
        Some(it) => Some(app.store.vault().seal_own("web.phone", it.as_bytes())?),
        None => None,
    };
    app.write(move |tx| tx.execute(PHONE, values![key, sealed.clone()])).await?;
    Ok(())
}

/// Removes sessions past their limit.
pub(crate) fn sweep(tx: &mut Tx<'_>, now: Instant) -> Result<(), Fault> {
    tx.execute(SWEEP, values![now]).map(|_| ())
}

/// Browser and system from a `User-Agent`, coarsely: enough to recognise one's own devices, too
/// little to tell one phone from another.
pub(crate) fn device(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok());
    let user_agent = agent.unwrap_or_default();
    let first = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let browser = first(&[
        ("SamsungBrowser", "Samsung Internet"),
        ("Whale/", "Whale"),
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    [browser, system].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
