//! What must leave: text messages, webhooks. Written in the transaction that causes it, sent by a
//! job, tried again with growing pauses, and laid aside where an operator sees it when it cannot
//! be delivered. Bodies are sealed: they hold phone numbers and codes.

use kernel::Instant;
use serde_json::Value as Json;

use crate::fault::Doing as _;
use crate::{Fault, Reader, Tx, Value};

/// Attempts before a message is laid aside.
pub const ATTEMPTS_MAX: i64 = 8;

/// A message that is due, or that is shown.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id.
    pub id: u128,
    /// What kind: `sms`, `webhook`.
    pub topic: String,
    /// The body.
    pub body: Json,
    /// Attempts so far.
    pub attempts: i64,
    /// When it was written.
    pub made_at: Instant,
    /// 0 waiting, 1 delivered, 2 laid aside.
    pub state: i64,
}

const ADD: &str = "INSERT INTO outbox (region, message, topic, state, due_at, attempts, made_at, sealed, error) \
     VALUES ($1, $2, $3, 0, $4, 0, $5, $6, '')";
const DUE: &str = "SELECT message, topic, sealed, attempts, made_at, state FROM outbox \
     WHERE region = $1 AND state = 0 AND due_at <= $2 ORDER BY due_at, message LIMIT $3";
const LATEST: &str = "SELECT message, topic, sealed, attempts, made_at, state FROM outbox \
     WHERE region = $1 AND topic = $2 ORDER BY made_at DESC, message LIMIT $3";
const DELIVERED: &str = "UPDATE outbox SET state = 1, attempts = attempts + 1, error = '' \
     WHERE region = $1 AND message = $2";
const FAILED: &str = "UPDATE outbox SET attempts = attempts + 1, due_at = $3, error = $4, state = $5 \
     WHERE region = $1 AND message = $2";
const COUNTS: &str = "SELECT state, COUNT(*) FROM outbox WHERE region = $1 GROUP BY state";
const SWEEP: &str = "DELETE FROM outbox WHERE region = $1 AND state = 1 AND made_at < $2";

/// The SQL texts of this module, for conformance law 7.
pub const QUERIES: &[&str] = &[ADD, DUE, LATEST, DELIVERED, FAILED, COUNTS, SWEEP];

/// Seconds to wait before attempt `attempts` + 1: 5 s, doubling, at most an hour.
pub fn pause_s(attempts: i64) -> i64 {
    5_i64.saturating_mul(1_i64 << attempts.clamp(0, 10)).min(3_600)
}

impl Tx<'_> {
    /// Lays a message in the outbox, to be sent from `due` on.
    pub fn send(&mut self, topic: &str, body: &Json, due: Instant) -> Result<u128, Fault> {
        let id = u128::from_be_bytes(self.seed().bytes());
        let body = serde_json::to_vec(body).doing("writing a message")?;
        let sealed = self.vault().seal_own(&format!("outbox/{topic}"), &body)?;
        let values: [Value; 5] =
            [id.to_be_bytes().into(), topic.into(), due.into(), self.now().into(), sealed.into()];
        self.execute(ADD, &values)?;
        Ok(id)
    }

    /// Notes that a message was delivered.
    pub fn delivered(&mut self, message: u128) -> Result<(), Fault> {
        self.execute(DELIVERED, &[message.to_be_bytes().into()]).map(|_| ())
    }

    /// Notes that an attempt failed; `error` holds no personal data.
    pub fn not_delivered(&mut self, it: &Message, error: &str) -> Result<(), Fault> {
        let due = self.now().plus_seconds(pause_s(it.attempts));
        let state = if it.attempts + 1 >= ATTEMPTS_MAX { 2_i64 } else { 0 };
        let values: [Value; 4] =
            [it.id.to_be_bytes().into(), due.into(), error.into(), state.into()];
        self.execute(FAILED, &values).map(|_| ())
    }

    /// Removes delivered messages older than a day.
    pub fn sweep_outbox(&mut self) -> Result<u64, Fault> {
        let before = self.now().plus_days(-1);
        self.execute(SWEEP, &[before.into()])
    }
}

impl Reader<'_> {
    /// Messages that are due.
    pub fn due_messages(&mut self, now: Instant, limit: u32) -> Result<Vec<Message>, Fault> {
        self.messages(DUE, &[now.into(), limit.into()])
    }

    /// The newest messages of a topic, sent or not: the demo's inbox.
    pub fn latest_messages(&mut self, topic: &str, limit: u32) -> Result<Vec<Message>, Fault> {
        self.messages(LATEST, &[topic.into(), limit.into()])
    }

    /// How many wait, were delivered, were laid aside.
    pub fn outbox_counts(&mut self) -> Result<[i64; 3], Fault> {
        let mut counts = [0; 3];
        for row in self.query(COUNTS, &[])? {
            let state = usize::try_from(row.int(0)?).unwrap_or(usize::MAX);
            if let Some(count) = counts.get_mut(state) {
                *count = row.int(1)?;
            }
        }
        Ok(counts)
    }

    fn messages(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Message>, Fault> {
        let rows = self.query(sql, values)?;
        let mut messages = Vec::with_capacity(rows.len());
        for row in rows {
            let topic = row.text(1)?.to_owned();
            let body = self.vault().open_own(&format!("outbox/{topic}"), row.bytes(2)?)?;
            messages.push(Message {
                id: u128::from_be_bytes(row.bytes(0)?.try_into().doing("reading a message id")?),
                body: serde_json::from_slice(&body).doing("reading a message")?,
                topic,
                attempts: row.int(3)?,
                made_at: row.instant(4)?,
                state: row.int(5)?,
            });
        }
        Ok(messages)
    }
}
