//! A guard's device and the passes shown to it, by the same code as on the phone: verify, seal,
//! sign, hand in.

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use code::issue::{self, Signed};
use contracts::gate::{Device as DeviceId, Verdict};
use credential::sealed::{QueueKey, QueueSealer};
use credential::{
    DeviceKey, Outcome, Policy, Presentation, RevocationList, Trust, TrustList, verify,
};
use gate::intake;
use gate::queue::{Batch, Plain, SealedEntry};
use kernel::{Id, Instant, Seed};
use store::Keyring;
use web::App;

use crate::story::{accepted, write};

/// A private key drawn from `seed`. A scalar of 0 or beyond the order is drawn again: one in 2^32
/// draws at most.
pub(crate) fn device_key(seed: &Seed) -> DeviceKey {
    loop {
        if let Ok(key) = DeviceKey::from_scalar(&seed.bytes()) {
            return key;
        }
    }
}

/// A phone with a code on it.
pub(crate) struct Phone {
    key: DeviceKey,
    code: Option<Signed>,
}

impl Phone {
    pub(crate) fn new(seed: &Seed) -> Self {
        Self { key: device_key(seed), code: None }
    }

    pub(crate) fn public(&self) -> [u8; 33] {
        self.key.public()
    }

    pub(crate) fn hold(&mut self, code: Signed) {
        self.code = Some(code);
    }

    /// The code that it holds, if it is still good at `now`.
    pub(crate) fn code(&self, now: Instant) -> Option<&Signed> {
        self.code.as_ref().filter(|it| now < it.pass.valid_until)
    }

    /// What its screen shows at `now`.
    fn show(&self, now: Instant) -> anyhow::Result<Option<String>> {
        let Some(code) = self.code(now) else { return Ok(None) };
        let moment = self.key.prove(&code.pass.pass.to_bytes(), now.seconds());
        let moment = Some(moment.map_err(|error| anyhow!("{error}"))?);
        Ok(Some(Presentation { signed: code.code.clone(), moment }.to_text()))
    }
}

/// The lists that a gate carries.
pub(crate) struct Lists(Trust);

impl Lists {
    /// What the region publishes at `now`, opened with its root key as a device does.
    pub(crate) fn fetch(app: &App, now: Instant) -> anyhow::Result<Self> {
        let (keyring, region): (&Keyring, _) = (&app.keyring, app.store.region());
        let root = issue::root_public(keyring)?;
        let issuers = app.store.read_blocking(code::keys::issuers)?;
        let trust = issue::trust(keyring, &issuers, region, now)?;
        let passes = app.store.read_blocking(|reader| code::view::revoked(reader, now))?;
        let revocations = issue::revocations(keyring, &issuers, &passes, now)?.0;
        Ok(Self(Trust {
            list: TrustList::open(&trust.signed, &root, 0).context("the trust list")?,
            revocations: Some(
                RevocationList::open(&revocations.signed, &root, 0).context("the revocations")?,
            ),
        }))
    }

    /// What a gate says to the code on this phone.
    pub(crate) fn judge(
        &self,
        phone: &Phone,
        now: Instant,
    ) -> anyhow::Result<(Verdict, Vec<String>)> {
        let Some(text) = phone.show(now)? else { return Ok((Verdict::CannotTell, Vec::new())) };
        let verdict = verify(&text, &self.0, None, &Policy::default(), now.seconds());
        let outcome = match verdict.outcome {
            Outcome::Pass => Verdict::Pass,
            Outcome::NoPass => Verdict::NoPass,
            Outcome::CannotTell => Verdict::CannotTell,
        };
        Ok((outcome, verdict.reasons.iter().map(|it| it.code().to_owned()).collect()))
    }
}

/// A guard's device: seals what it sees, signs it in batches.
pub(crate) struct Guard {
    pub(crate) device: Id<DeviceId>,
    key: DeviceKey,
    sealer: QueueSealer,
    waiting: Vec<SealedEntry>,
    seed: Seed,
}

impl Guard {
    pub(crate) fn new(
        device: Id<DeviceId>,
        key: DeviceKey,
        queue: &QueueKey,
        seed: Seed,
    ) -> anyhow::Result<Self> {
        let sealer = QueueSealer::new(&queue.public()).map_err(|error| anyhow!("{error}"))?;
        Ok(Self { device, key, sealer, waiting: Vec::new(), seed })
    }

    /// Keeps one entry for the next batch.
    pub(crate) fn note(&mut self, plain: &Plain) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec(plain)?;
        let (n, sealed) = self.sealer.seal(&bytes).map_err(|error| anyhow!("{error}"))?;
        let data = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sealed);
        self.waiting.push(SealedEntry { n, data });
        Ok(())
    }

    /// What waits, in signed batches.
    pub(crate) fn batches(&mut self, now: Instant) -> anyhow::Result<Vec<(Batch, [u8; 64])>> {
        let mut batches = Vec::new();
        let waiting = std::mem::take(&mut self.waiting);
        for entries in waiting.chunks(gate::queue::ENTRIES_MAX) {
            let batch = Batch {
                device: self.device,
                id: u128::from_be_bytes(self.seed.bytes()),
                first_n: entries.first().map_or(0, |it| it.n),
                made_at_s: now.seconds(),
                ephemeral: self.sealer.ephemeral().to_vec(),
                entries: entries.to_vec(),
            };
            let signature = self.key.sign(&batch.signed_bytes());
            batches.push((batch, signature.map_err(|error| anyhow!("{error}"))?));
        }
        Ok(batches)
    }
}

/// Hands many batches to the real intake, many in a transaction, as they gather at a busy server.
pub(crate) fn take_all(
    app: &App,
    queue: &QueueKey,
    batches: &[(Batch, [u8; 64])],
    now: Instant,
) -> anyhow::Result<()> {
    let (questions, queues) = (app.questions, std::slice::from_ref(queue));
    for chunk in batches.chunks(100) {
        let prepared = app.store.read_blocking(|reader| {
            let mut prepared = Vec::with_capacity(chunk.len());
            for (batch, signature) in chunk {
                let it = intake::prepare(reader, &questions, queues, batch, signature, now)?;
                prepared.push(accepted(it)?);
            }
            Ok(prepared)
        })?;
        write(app, move |tx| {
            for it in &prepared {
                accepted(intake::take(tx, it)?)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Hands one batch to the real intake.
pub(crate) fn take(
    app: &App,
    queue: &QueueKey,
    batch: &Batch,
    signature: &[u8; 64],
    now: Instant,
) -> anyhow::Result<u64> {
    let (questions, queues) = (app.questions, std::slice::from_ref(queue));
    let prepared = app.store.read_blocking(|reader| {
        intake::prepare(reader, &questions, queues, batch, signature, now)
    })?;
    let prepared = prepared.map_err(|refusal| anyhow!("{refusal:?}"))?;
    let taken = app.store.write_blocking(move |tx| intake::take(tx, &prepared));
    let answer = taken.map_err(|error| anyhow!("{error:?}"))?;
    Ok(answer.map_err(|refusal| anyhow!("{refusal:?}"))?.accepted)
}
