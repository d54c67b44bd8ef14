//! One-time codes by text message: they prove "holds this number now" and nothing more
//! (NIST SP 800-63B-4 calls them restricted; a passkey is offered next).
//!
//! Six digits, five minutes, five tries; five codes an hour for one number. Only an HMAC of the code
//! is kept, under a tag of the number. No answer tells whether a number is known.

use kernel::{Arg, Instant, Locale};
use serde_json::json;
use store::{Fault, Tx, Value, values};

use crate::{App, Problem, secret};

/// How long a code holds, in seconds.
pub const HOLDS_S: i64 = 300;
/// Wrong tries that a code survives, less one.
pub const TRIES_MAX: i64 = 5;
/// Codes that one number gets in [`WINDOW_S`].
pub const SENT_MAX: i64 = 5;
/// The window of [`SENT_MAX`], in seconds.
pub const WINDOW_S: i64 = 3_600;

const FIND: &str = "SELECT code, tries, expires_at, window_at, sent FROM web_otp \
     WHERE region = $1 AND phone = $2";
const PUT: &str = "INSERT INTO web_otp (region, phone, code, tries, expires_at, window_at, sent) \
     VALUES ($1, $2, $3, 0, $4, $5, $6) ON CONFLICT (region, phone) DO UPDATE SET \
     code = excluded.code, tries = 0, expires_at = excluded.expires_at, \
     window_at = excluded.window_at, sent = excluded.sent";
const TRY: &str = "UPDATE web_otp SET tries = tries + 1 WHERE region = $1 AND phone = $2";
const SPEND: &str = "UPDATE web_otp SET expires_at = 0 WHERE region = $1 AND phone = $2";
const SWEEP: &str = "DELETE FROM web_otp WHERE region = $1 AND window_at <= $2";

/// The SQL texts of this module.
pub(crate) const QUERIES: &[&str] = &[FIND, PUT, TRY, SPEND, SWEEP];

/// Sends a code to `phone` (in [`crate::phone::normal`]'s form). A number that has had its share
/// gets `web-too-many`, whether it is known or not.
pub async fn send(app: &App, phone: &str, locale: Locale) -> Result<(), Problem> {
    let code = format!("{:06}", app.seed().below(1_000_000));
    let region = app.config.region_name(locale).to_owned();
    let args = [("region", Arg::Text(region)), ("code", Arg::Text(code.clone()))];
    let body = json!({ "to": phone, "text": app.texts.format(locale, "web-otp-message", &args) });
    let tag = app.key.tag("otp", &format!("{phone}/{code}"));
    let (key, now) = (app.store.vault().index("web.otp", phone), app.now());
    let wait_s = app
        .write(move |tx| {
            let rows = tx.query(FIND, values![key])?;
            let (mut window_at, mut sent) = (now, 0);
            // A window that begins in the future was opened before the clock stepped back: nobody
            // waits for that long.
            if let Some(row) = rows.first()
                && (0..WINDOW_S).contains(&now.seconds_since(row.instant(3)?))
            {
                (window_at, sent) = (row.instant(3)?, row.int(4)?);
            }
            if sent >= SENT_MAX {
                return Ok(Some(WINDOW_S - now.seconds_since(window_at)));
            }
            let until = now.plus_seconds(HOLDS_S);
            let values: [Value; 5] =
                [key.into(), tag.into(), until.into(), window_at.into(), (sent + 1).into()];
            tx.execute(PUT, &values)?;
            tx.send("sms", &body, now)?;
            Ok(None)
        })
        .await?;
    match wait_s {
        None => Ok(()),
        Some(wait_s) => Err(Problem::own("web-too-many")
            .retry_after(u32::try_from(wait_s.max(1)).unwrap_or(u32::MAX))),
    }
}

/// Whether `code` is the one last sent to `phone`. A right code is spent, a wrong one costs a try.
pub async fn check(app: &App, phone: &str, code: &str) -> Result<bool, Problem> {
    let digits: String = code.chars().filter(|it| !it.is_whitespace()).collect();
    let tag = app.key.tag("otp", &format!("{phone}/{digits}"));
    let (key, now) = (app.store.vault().index("web.otp", phone), app.now());
    app.write(move |tx| {
        let rows = tx.query(FIND, values![key])?;
        let Some(row) = rows.first() else { return Ok(false) };
        // After a step back of the clock a code would hold for longer than codes do.
        let left_s = row.instant(2)?.seconds_since(now);
        if row.int(1)? >= TRIES_MAX || row.instant(2)? <= now || left_s > HOLDS_S {
            return Ok(false);
        }
        let right = secret::same(row.bytes(0)?, &tag);
        tx.execute(if right { SPEND } else { TRY }, values![key])?;
        Ok(right)
    })
    .await
}

/// Removes codes whose window is over.
pub(crate) fn sweep(tx: &mut Tx<'_>, now: Instant) -> Result<(), Fault> {
    tx.execute(SWEEP, values![now.plus_seconds(-WINDOW_S)]).map(|_| ())
}
