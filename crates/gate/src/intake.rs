//! Taking in a batch: once as a whole, and once per entry, in whatever order batches arrive.
//!
//! [`prepare`] does what needs no write door (signature, curve, decryption, look-ups), off the
//! async threads and beside other requests; [`take`] holds the door for a few rows.

use std::collections::BTreeMap;

use contracts::gate::{Device as DeviceId, Place as PlaceId};
use credential::ShortCode;
use credential::curve::p256_verify;
use credential::sealed::QueueKey;
use kernel::{Id, Instant};
use serde::{Deserialize, Serialize};
use store::{By, Context, Fault, Observation, Reader, Tx, values};
use web::Questions;

use crate::decide::{day_of, is_approved};
use crate::model::Device;
use crate::queue::{self, Batch, Block, Opened, Rejected};
use crate::refusal::Refusal;
use crate::view;

/// The answer to a batch: `accepted` and the length of `rejected` add up to what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// How many entries were taken.
    pub accepted: u64,
    /// The others, by number and reason. They need not be sent again.
    pub rejected: Vec<Rejected>,
}

/// A batch whose sender is known and whose entries are open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    device: Id<DeviceId>,
    batch: u128,
    /// Number, claimed time in unix seconds, and what is kept.
    entries: Vec<(u64, i64, Vec<u8>)>,
    rejected: Vec<Rejected>,
}

impl Prepared {
    /// Whether no key opened anything of it, although there was something to open.
    pub fn is_closed(&self) -> bool {
        let unreadable = Refusal::EntryUnreadable.word();
        self.entries.is_empty() && self.rejected.iter().any(|it| it.code == unreadable)
    }
}

/// Checks who sent a batch and opens it with one of `keys`, the newest first.
pub fn prepare(
    reader: &mut Reader<'_>,
    questions: &Questions,
    keys: &[QueueKey],
    batch: &Batch,
    signature: &[u8; 64],
    now: Instant,
) -> Result<Result<Prepared, Refusal>, Fault> {
    if let Err(refusal) = batch.check() {
        return Ok(Err(refusal));
    }
    let place = match sender(reader, batch.device, &batch.signed_bytes(), signature)? {
        Ok(place) => place,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Opened { good, rejected } = match queue::open_any(batch, keys) {
        Ok(opened) => opened,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut entries = Vec::with_capacity(good.len());
    for (n, plain) in good {
        let short = plain.short.as_deref().filter(|_| plain.pass.is_none());
        let looked_up = match short.and_then(|it| it.parse::<ShortCode>().ok()) {
            Some(short) => (questions.typed_code)(reader, &short.to_string(), now)?,
            None => None,
        };
        let (at, pass) = (plain.at, looked_up.map(|it| it.pass));
        entries.push((n, at, queue::payload(place, batch.device, n, plain, pass)?));
    }
    Ok(Ok(Prepared { device: batch.device, batch: batch.id, entries, rejected }))
}

/// Whether an approved device signed these bytes, and where it stands.
pub fn sender(
    reader: &mut Reader<'_>,
    device: Id<DeviceId>,
    signed: &[u8],
    signature: &[u8; 64],
) -> Result<Result<Id<PlaceId>, Refusal>, Fault> {
    let Some(row) = view::device(reader, device)? else {
        return Ok(Err(Refusal::DeviceUnknown));
    };
    // The signature first: whether a device was withdrawn is told to the device alone.
    if !p256_verify(row.public_key.as_bytes(), signed, signature) {
        return Ok(Err(Refusal::SignatureBad));
    }
    let state = Device { phase: row.phase, ..Device::default() };
    Ok(is_approved(&state).map(|()| row.place))
}

/// Takes what was prepared. The same batch has one effect and one answer, however often it comes.
pub fn take(tx: &mut Tx<'_>, it: &Prepared) -> Result<Result<Answer, Refusal>, Fault> {
    let batch = it.batch.to_be_bytes();
    if let Some(row) = tx.query(view::BATCH_FIND, values![it.device, batch])?.first() {
        let answer = serde_json::from_str(row.text(0)?)
            .map_err(|error| Fault::caused("reading a batch's answer", error))?;
        return Ok(Ok(answer));
    }
    // Asked again with the door held: the owner may have withdrawn the device meanwhile.
    let state = tx.state::<Device>(it.device.to_u128())?;
    if let Err(refusal) = is_approved(&state) {
        return Ok(Err(refusal));
    }
    let now = tx.now();
    let mut rejected = it.rejected.clone();
    let mut blocks: BTreeMap<u64, Block> = BTreeMap::new();
    let mut observations = Vec::with_capacity(it.entries.len());
    for (n, at, payload) in &it.entries {
        let number = Block::of(*n);
        if let std::collections::btree_map::Entry::Vacant(vacant) = blocks.entry(number) {
            let rows = tx.query(view::TAKEN_FIND, values![it.device, number])?;
            let block = rows.first().map(|row| row.bytes(0).map(Block::from_bytes)).transpose()?;
            vacant.insert(block.unwrap_or_default());
        }
        if blocks.get_mut(&number).is_some_and(|block| block.take(*n)) {
            observations.push(Observation { day: day_of(*at, now), payload: payload.clone() });
        } else {
            rejected.push(Rejected::new(*n, Refusal::EntryRepeated));
        }
    }
    rejected.sort_by_key(|it| it.n);
    let accepted = u64::try_from(observations.len()).unwrap_or(u64::MAX);
    let answer = Answer { accepted, rejected };
    if !observations.is_empty() {
        // No command id: the row of the batch, written below, is what makes it count once.
        let context = Context::by(By::Device(it.device));
        tx.observe(&context, view::OBSERVATION.kind, &observations)?;
    }
    for (number, block) in &blocks {
        tx.execute(view::TAKEN_PUT, values![it.device, *number, block.as_bytes()])?;
    }
    let text = serde_json::to_string(&answer)
        .map_err(|error| Fault::caused("writing a batch's answer", error))?;
    tx.execute(view::BATCH_ADD, values![it.device, batch, now, text])?;
    Ok(Ok(answer))
}
