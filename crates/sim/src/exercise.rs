//! Mixed work: for benchmarks, and for being killed at any moment.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, anyhow};
use app::House;
use contracts::gate::{Entered, Verdict};
use contracts::person::{Organisation, Person};
use credential::ShortCode;
use credential::sealed::QueueKey;
use gate::queue::{Batch, Plain};
use kernel::{Date, Id, Locale, Seed};
use person::Registration;
use store::{By, Context, Observation};
use web::App;

use crate::door::{Guard, device_key};
use crate::story::{accepted, declare, queue_key, write};
use crate::trial::Site;

/// A region in `dir` on the machine's clock, as a server would have it, without its pages' demo.
pub fn bench_house(dir: &Path) -> anyhow::Result<House> {
    Site::at(dir).open()
}

/// A registration of the citizen with this number.
pub(crate) fn registration(app: &App, number: u32) -> anyhow::Result<Registration> {
    Ok(Registration {
        name: format!("시민 {number:05}"),
        birth_date: Date::from_calendar(1980, 5, 5).context("a date")?,
        locale: Locale::Ko,
        today: app.config.zone.date(app.now()),
    })
}

/// A healthy declaration as the JSON interface takes it.
pub(crate) fn declaration_json(number: u32) -> serde_json::Value {
    serde_json::json!({
        "name": format!("시민 {number:05}"),
        "document": format!("M{number:08}"),
        "residence": "해태시 중앙구",
        "stays": [],
        "contact_symptomatic": "no",
        "contact_confirmed": "no",
        "symptoms": {
            "fever": "no", "cough": "no", "sore_throat": "no",
            "breathlessness": "no", "smell_or_taste": "no"
        },
        "temperature_tenths": 365
    })
}

/// What was acknowledged: which command, its first leaf, how many leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    /// The command's id.
    pub command: u128,
    /// Its first leaf.
    pub first: u64,
}

/// Citizens and a device, ready to be worked with.
pub struct Exercise {
    app: App,
    seed: Seed,
    people: Vec<Id<Person>>,
    /// Each caller works with one device at a time, as at a real door.
    guards: Vec<Mutex<Guard>>,
    queue: QueueKey,
    next: AtomicU64,
}

impl Exercise {
    /// Registers `citizens`, and takes up some of those whom the region has.
    pub(crate) fn of_citizens(house: &House, citizens: u32) -> anyhow::Result<Self> {
        let app = house.app.clone();
        let seed = app.seed().fork();
        let known = app.store.read_blocking(|reader| {
            let sql =
                "SELECT person FROM person_citizen WHERE region = $1 ORDER BY person LIMIT 60";
            let rows = reader.query(sql, &[])?;
            let ids = rows.iter().filter_map(|row| row.bytes(0).ok()?.try_into().ok());
            Ok(ids.map(|it| Id::from_u128(u128::from_be_bytes(it))).collect::<Vec<_>>())
        })?;
        let mut registered = Vec::new();
        for number in 0..citizens {
            registered.push((number, Id::<Person>::random(&seed)));
        }
        let round = app.store.size();
        for chunk in registered.chunks(500) {
            let (app, chunk) = (app.clone(), chunk.to_vec());
            let registration = registration(&app, 0)?;
            write(&app, move |tx| {
                for (number, id) in &chunk {
                    let phone = format!("+8211{:09}", (round + u64::from(*number)) % 1_000_000_000);
                    let context = Context::by(By::Citizen(*id));
                    accepted(person::register(tx, &context, *id, &registration, &phone)?)?;
                }
                Ok(())
            })?;
        }
        let queue = queue_key(&app)?;
        let people = known.into_iter().chain(registered.into_iter().map(|(_, id)| id)).collect();
        Ok(Self { app, seed, people, guards: Vec::new(), queue, next: AtomicU64::new(0) })
    }

    /// Registers `citizens` and opens a place with eight devices.
    pub fn prepare(house: &House, citizens: u32) -> anyhow::Result<Self> {
        let mut it = Self::of_citizens(house, citizens)?;
        let app = it.app.clone();
        let place = app.new_id();
        let code = ShortCode::from_bits(u64::from_be_bytes(it.seed.bytes()));
        let organisation: Id<Organisation> = app.new_id();
        let context = Context::by(By::System("exercise"));
        write(&app, move |tx| {
            let open = gate::command::PlaceCommand::Open {
                name: "해태 시험장".to_owned(),
                organisation,
                kind: gate::model::PlaceKind::Office,
                sensitive: false,
                code,
            };
            accepted(tx.run::<gate::model::Place>(
                &context,
                Id::<contracts::gate::Place>::to_u128(place),
                open,
            )?)
        })?;
        for _ in 0..8 {
            let (device, key) = (app.new_id(), device_key(&it.seed));
            crate::story::enrol(&app, place, device, &key, Id::from_u128(1))?;
            it.guards.push(Mutex::new(Guard::new(device, key, &it.queue, it.seed.fork())?));
        }
        Ok(it)
    }

    fn somebody(&self) -> (usize, Id<Person>) {
        let count = u64::try_from(self.people.len()).unwrap_or(1).max(1);
        let at = self.next.fetch_add(1, Ordering::Relaxed) % count;
        let at = usize::try_from(at).unwrap_or(0);
        (at, self.people.get(at).copied().unwrap_or(Id::from_u128(0)))
    }

    /// One durable command as citizens send most: a declaration, decided by the rules.
    pub fn single(&self) -> anyhow::Result<()> {
        let (at, person) = self.somebody();
        let today = self.app.config.zone.date(self.app.now());
        let context = Context::by(By::Citizen(person));
        let ask = declare(at, false, today);
        let done = code::door::execute_blocking(&self.app.store, context, person, ask);
        done.map(|_| ()).map_err(|error| anyhow!("{error:?}"))
    }

    /// A declaration of somebody, decided by the rules; nothing when they were forgotten meanwhile.
    pub(crate) fn declare(&self) -> anyhow::Result<Option<Acknowledged>> {
        let command = u128::from_be_bytes(self.seed.bytes());
        let (at, person) = self.somebody();
        let today = self.app.config.zone.date(self.app.now());
        let context = Context { by: By::Citizen(person), command: Some(command) };
        let ask = declare(at, false, today);
        let first = write(&self.app, move |tx| {
            if tx.is_forgotten(person.to_u128())? {
                return Ok(None);
            }
            let decision = Id::random(tx.seed());
            let done = code::door::run(tx, &context, person, &ask, decision)?;
            accepted(done).map(|it| Some(it.first))
        })?;
        Ok(first.map(|first| Acknowledged { command, first }))
    }

    /// What one single command stores, in bytes: its sealed payloads and its leaves. Measured by
    /// doing one, for a peer that writes as much.
    pub fn single_bytes(&self) -> anyhow::Result<usize> {
        let before = self.app.store.size();
        self.single()?;
        self.stored_since(before)
    }

    /// What one visit stores, in bytes: its share of the sealed payload and of the leaf. Measured by
    /// taking a batch.
    pub fn visit_bytes(&self) -> anyhow::Result<usize> {
        let before = self.app.store.size();
        for (batch, signature) in self.make_batches(1, 200)? {
            self.take_batch(&batch, &signature)?;
        }
        Ok(self.stored_since(before)?.div_ceil(200))
    }

    fn stored_since(&self, before: u64) -> anyhow::Result<usize> {
        let after = self.app.store.size();
        let bytes = self.app.store.read_blocking(|reader| {
            let mut bytes = 0;
            let events = "SELECT LENGTH(payload) FROM event WHERE region = $1 AND seq >= $2";
            let visits = "SELECT LENGTH(payload) FROM observation WHERE region = $1 AND seq >= $2";
            let mut rows = reader.query(events, store::values![before])?;
            rows.extend(reader.query_visits(visits, store::values![before])?);
            for row in &rows {
                bytes += row.count(0)?;
            }
            for seq in before..after {
                let leaf = reader.entry(seq)?.unwrap_or_default();
                bytes += u64::try_from(leaf.len()).unwrap_or(0);
            }
            Ok(bytes)
        })?;
        Ok(usize::try_from(bytes)?)
    }

    /// Batches made ready by devices, each sealed and signed: what arrives at the server.
    pub fn make_batches(&self, count: u32, entries: u32) -> anyhow::Result<Vec<(Batch, [u8; 64])>> {
        let mut made = Vec::new();
        for number in 0..count {
            let at = usize::try_from(number)? % self.guards.len();
            let Some(guard) = self.guards.get(at) else { continue };
            let mut guard = guard.lock().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..entries {
                guard.note(&self.plain())?;
            }
            made.extend(guard.batches(self.app.now())?);
        }
        Ok(made)
    }

    fn plain(&self) -> Plain {
        Plain {
            pass: Some(hex16(self.seed.bytes())),
            at: self.app.now().seconds(),
            verdict: Verdict::Pass,
            reasons: Vec::new(),
            class: Some("device_bound".to_owned()),
            typed: false,
            short: None,
        }
    }

    /// Takes one batch by the real intake: signature, curve, decryption, door.
    pub fn take_batch(&self, batch: &Batch, signature: &[u8; 64]) -> anyhow::Result<u64> {
        crate::door::take(&self.app, &self.queue, batch, signature, self.app.now())
    }

    /// So many entries written through the door at once, each a batch of one visit and without a
    /// device: to fill a region quickly.
    pub fn fill(&self, count: u32) -> anyhow::Result<()> {
        self.fill_blocks(count, 1)
    }

    /// So many batches written through the door at once, each of `visits` and one entry on the log, as
    /// gates hand them in.
    pub fn fill_blocks(&self, blocks: u32, visits: u32) -> anyhow::Result<()> {
        let count = blocks.saturating_mul(visits);
        let (now, seed) = (self.app.now(), self.seed.fork());
        let day = store::tx::utc_day(now);
        let mut batch = Vec::new();
        for n in 0..count {
            let entered = Entered {
                place: Id::from_u128(7),
                device: Id::from_u128(8),
                n: u64::from(n),
                pass: Some(hex16(seed.bytes())),
                at: now.seconds(),
                verdict: Verdict::Pass,
                reasons: Vec::new(),
                class: None,
                typed: false,
            };
            batch.push(Observation { day, payload: serde_json::to_vec(&entered)? });
        }
        let context = Context::by(By::System("exercise"));
        write(&self.app, move |tx| {
            for it in batch.chunks(usize::try_from(visits).unwrap_or(1).max(1)) {
                tx.observe(&context, contracts::gate::ENTERED, it)?;
            }
            Ok(())
        })
    }

    /// One of everything, by `choice`, under a command id of its own; `None` where the work has no
    /// command id (forgetting, rebuilding).
    pub fn mixed(&self, choice: u64) -> anyhow::Result<Option<Acknowledged>> {
        match choice % 20 {
            0 => self.forget().map(|_| None),
            1 => self.rebuild().map(|()| None),
            2..=8 => self.enter().map(Some),
            _ => self.declare(),
        }
    }

    /// Forgets somebody; `false` when they were forgotten before.
    pub(crate) fn forget(&self) -> anyhow::Result<bool> {
        let (_, person) = self.somebody();
        write(&self.app, move |tx| {
            let again = tx.is_forgotten(person.to_u128())?;
            if !again {
                tx.forget(person.to_u128())?;
            }
            Ok(!again)
        })
    }

    /// Folds the log anew, once what waits in the queue is done.
    pub(crate) fn rebuild(&self) -> anyhow::Result<()> {
        write(&self.app, |tx| tx.rebuild()).map(|_| ())
    }

    /// A batch of 50 entries, as a gate hands them in.
    pub(crate) fn enter(&self) -> anyhow::Result<Acknowledged> {
        let command = u128::from_be_bytes(self.seed.bytes());
        let plain = self.plain();
        let payload = serde_json::to_vec(&Entered {
            place: Id::from_u128(7),
            device: Id::from_u128(8),
            n: 1,
            pass: plain.pass,
            at: plain.at,
            verdict: plain.verdict,
            reasons: Vec::new(),
            class: None,
            typed: false,
        })?;
        let day = store::tx::utc_day(self.app.now());
        let batch = vec![Observation { day, payload }; 50];
        let context = Context { by: By::System("exercise"), command: Some(command) };
        let (first, _) =
            write(&self.app, move |tx| tx.observe(&context, contracts::gate::ENTERED, &batch))?;
        Ok(Acknowledged { command, first })
    }
}

fn hex16(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}
