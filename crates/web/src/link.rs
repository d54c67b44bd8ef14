//! One-time sign-in links: for staff's first sign-in, for the demo, for a lost passkey. Looking at
//! the link does not use it up (messengers fetch previews); pressing its button does.

use kernel::Instant;
use store::{Fault, Tx, values};

use crate::actor::Who;
use crate::{App, Problem, secret};

const ADD: &str = "INSERT INTO web_link (region, link, kind, who, expires_at, used_at) \
     VALUES ($1, $2, $3, $4, $5, NULL)";
const FIND: &str = "SELECT kind, who FROM web_link WHERE region = $1 AND link = $2 \
     AND used_at IS NULL AND expires_at > $3";
const USE: &str = "UPDATE web_link SET used_at = $3 WHERE region = $1 AND link = $2";
const REMOVE_OF: &str = "DELETE FROM web_link WHERE region = $1 AND kind = $2 AND who = $3";
const SWEEP: &str = "DELETE FROM web_link WHERE region = $1 AND expires_at <= $2";

/// The SQL texts of this module.
pub(crate) const QUERIES: &[&str] = &[ADD, FIND, USE, REMOVE_OF, SWEEP];

/// Makes a link that signs `who` in once within `holds_s` seconds; gives its path. Only its hash is
/// kept, so it cannot be shown again.
pub fn make(tx: &mut Tx<'_>, who: Who, holds_s: i64) -> Result<String, Fault> {
    let token = secret::token(tx.seed());
    let until = tx.now().plus_seconds(holds_s);
    tx.execute(ADD, values![secret::hash(&token), who.kind(), who.bytes(), until])?;
    Ok(format!("/link/{token}"))
}

/// Whom the link would sign in.
pub(crate) async fn look(app: &App, token: &str) -> Result<Who, Problem> {
    let (key, now) = (secret::hash(token), app.now());
    let found = app
        .read(move |reader| {
            let row = reader.first(FIND, values![key, now])?;
            row.map(|row| Who::read(&row, 0, 1)).transpose()
        })
        .await?;
    found.ok_or_else(|| Problem::own("web-link-used"))
}

/// Uses the link up: whom it signs in.
pub(crate) async fn spend(app: &App, token: &str) -> Result<Who, Problem> {
    let (key, now) = (secret::hash(token), app.now());
    let found = app
        .write(move |tx| {
            let rows = tx.query(FIND, values![key, now])?;
            let Some(row) = rows.first() else { return Ok(None) };
            tx.execute(USE, values![key, now])?;
            Who::read(row, 0, 1).map(Some)
        })
        .await?;
    found.ok_or_else(|| Problem::own("web-link-used"))
}

/// Removes all links of `who`.
pub(crate) fn remove_all(tx: &mut Tx<'_>, who: Who) -> Result<(), Fault> {
    tx.execute(REMOVE_OF, values![who.kind(), who.bytes()]).map(|_| ())
}

/// Removes links past their time.
pub(crate) fn sweep(tx: &mut Tx<'_>, now: Instant) -> Result<(), Fault> {
    tx.execute(SWEEP, values![now]).map(|_| ())
}
