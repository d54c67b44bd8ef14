//! Who lives in the city and what happens on each day, told to the house by real commands.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow};
use app::House;
use code::command::Ask;
use code::model::{
    Answer, Declaration, DeviceKey as HolderKey, Exposure, Finding, OrderReason, Symptoms,
    TestSource,
};
use contracts::gate::{Place as PlaceId, Verdict};
use contracts::person::{Grant, Organisation, Person, Role, Scope, Staff};
use credential::sealed::QueueKey;
use credential::{DeviceKey, ShortCode};
use gate::command::{DeviceCommand, PlaceCommand};
use gate::model::{Device, Place, PlaceKind, PublicKey};
use gate::queue::Plain;
use kernel::{Date, Id, Instant, Locale, Seed};
use person::Registration;
use person::event::OrganisationKind;
use store::{By, Context, Fault, Tx};
use web::App;

use crate::clock::StoryClock;
use crate::door::{Guard, Lists, Phone, device_key, take_all};

/// What city is wished for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Citizens.
    pub citizens: u32,
    /// Places with a door and a device.
    pub places: u32,
    /// Days of history.
    pub days: u32,
    /// When the story ends.
    pub until: Instant,
    /// The city's number.
    pub seed: u64,
    /// Each how-manieth showing is verified with its signatures, as at a real door; the others go
    /// by the colour that the code says. 1 verifies all.
    pub verify_every: u32,
}

/// A city whose story was told.
#[derive(Debug, Clone)]
pub struct Told {
    /// Appoints staff.
    pub administrator: Id<Staff>,
    /// Health officers: a manual colour needs two, and an appeal against it a third.
    pub officers: [Id<Staff>; 3],
    /// Runs the places.
    pub owner: Id<Staff>,
    /// Reads the access log.
    pub auditor: Id<Staff>,
    /// All citizens.
    pub citizens: Vec<Id<Person>>,
    /// All places with the code that enrols a device there.
    pub places: Vec<(Id<PlaceId>, ShortCode)>,
    /// Codes shown at doors.
    pub shown: u64,
    /// Of these, verified with their signatures.
    pub verified: u64,
    /// Verdicts by word.
    pub verdicts: BTreeMap<&'static str, u64>,
    /// Showings by a person whose colour was red at that moment that a gate let through. Always 0.
    pub red_passed: u64,
}

/// Commands in one transaction.
const CHUNK: usize = 400;

const SIM: Context = Context::by(By::System("sim"));

/// Writes with the write door held.
pub(crate) fn write<T, F>(app: &App, work: F) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
{
    app.store.write_blocking(work).map_err(|error| match error {
        store::Error::Fault(fault) => fault.into(),
        other => anyhow!("{other:?}"),
    })
}

/// A refusal in a story is a mistake in the story.
pub(crate) fn accepted<T, R: std::fmt::Debug>(answer: Result<T, R>) -> Result<T, Fault> {
    answer.map_err(|refusal| Fault::new(format!("the story was refused: {refusal:?}")))
}

/// The region's newest queue key, as the gate slice uses it.
pub(crate) fn queue_key(app: &App) -> anyhow::Result<QueueKey> {
    let newest = app.keyring.queue()?.into_iter().next();
    let (_, scalar) = newest.context("there is no queue key")?;
    QueueKey::from_scalar(&scalar).map_err(|error| anyhow!("{error}"))
}

/// Tells a story. `progress` hears of each day that is over.
pub fn tell(
    house: &House,
    clock: &StoryClock,
    wish: &Wish,
    mut progress: impl FnMut(u32, u32),
) -> anyhow::Result<Told> {
    let seed = Seed::fixed(wish.seed);
    let start = wish.until.plus_days(-i64::from(wish.days));
    clock.set(start);
    let mut city = City::found(house, &seed, wish)?;
    city.settle(wish)?;
    progress(0, wish.days);
    for day in 0..wish.days {
        let midnight = start.plus_days(i64::from(day));
        for (hour, share) in [(8, 30), (12, 30), (18, 30), (21, 10)] {
            clock.set(midnight.plus_seconds(hour * 3_600).min(wish.until));
            if hour == 8 {
                city.morning(day)?;
            }
            city.go_out(share)?;
        }
        progress(day + 1, wish.days);
    }
    clock.set(wish.until);
    Ok(city.told)
}

struct Resident {
    id: Id<Person>,
    phone: Phone,
    /// The day of the story on which they last declared.
    declared: u32,
    /// The day on which symptoms began, if they are ill.
    ill: Option<u32>,
}

struct City<'a> {
    app: &'a App,
    seed: Seed,
    residents: Vec<Resident>,
    guards: Vec<Guard>,
    queue: QueueKey,
    told: Told,
    verify_every: u64,
}

impl<'a> City<'a> {
    /// Staff, an organisation, places with devices.
    fn found(house: &'a House, seed: &Seed, wish: &Wish) -> anyhow::Result<Self> {
        let app = &house.app;
        let queue = queue_key(app)?;
        let administrator =
            write(app, |tx| accepted(person::setup(tx, "관리자 1", "+821000009001")?))?;
        let staff = |name: &'static str, phone: &'static str, role: Role, scope: Scope| {
            let id: Id<Staff> = app.new_id();
            write(app, move |tx| appoint(tx, id, name, phone, role, scope, administrator))?;
            anyhow::Ok(id)
        };
        let organisation: Id<Organisation> = app.new_id();
        write(app, move |tx| {
            let name = "예시 학원 연합";
            let kind = OrganisationKind::Company;
            accepted(person::door::open_organisation(
                tx,
                &SIM,
                organisation,
                name,
                kind,
                administrator,
            )?)
        })?;
        let first = staff("보건담당 1", "+821000009002", Role::HealthOfficer, Scope::Region)?;
        let second = staff("보건담당 2", "+821000009003", Role::HealthOfficer, Scope::Region)?;
        let third = staff("보건담당 3", "+821000009006", Role::HealthOfficer, Scope::Region)?;
        let owner =
            staff("운영자 1", "+821000009004", Role::Owner, Scope::Organisation(organisation))?;
        let auditor = staff("감사관 1", "+821000009005", Role::Auditor, Scope::Region)?;
        let mut city = Self {
            app,
            seed: seed.fork(),
            residents: Vec::new(),
            guards: Vec::new(),
            queue,
            told: Told {
                administrator,
                officers: [first, second, third],
                owner,
                auditor,
                citizens: Vec::new(),
                places: Vec::new(),
                shown: 0,
                verified: 0,
                verdicts: BTreeMap::new(),
                red_passed: 0,
            },
            verify_every: u64::from(wish.verify_every.max(1)),
        };
        city.open_places(wish.places, organisation)?;
        Ok(city)
    }

    fn open_places(&mut self, count: u32, organisation: Id<Organisation>) -> anyhow::Result<()> {
        const KINDS: [(PlaceKind, &str); 5] = [
            (PlaceKind::School, "학원"),
            (PlaceKind::Restaurant, "식당"),
            (PlaceKind::Shop, "상점"),
            (PlaceKind::Office, "사무소"),
            (PlaceKind::Health, "의원"),
        ];
        let owner = self.told.owner;
        for number in 0..count {
            let (place, device) = (self.app.new_id(), self.app.new_id());
            let key = device_key(&self.seed);
            let code = ShortCode::from_bits(u64::from_be_bytes(self.seed.bytes()));
            let at = usize::try_from(number)? % KINDS.len();
            let (kind, word) = KINDS.get(at).copied().unwrap_or((PlaceKind::Other, "곳"));
            let name = format!("해태 {word} {}호점", number + 1);
            write(self.app, move |tx| {
                let open = PlaceCommand::Open {
                    name: name.clone(),
                    organisation,
                    kind,
                    sensitive: false,
                    code,
                };
                accepted(tx.run::<Place>(&SIM, Id::<PlaceId>::to_u128(place), open)?)
            })?;
            enrol(self.app, place, device, &key, owner)?;
            self.told.places.push((place, code));
            self.guards.push(Guard::new(device, key, &self.queue, self.seed.fork())?);
        }
        Ok(())
    }

    /// Everybody registers and declares for the first time.
    fn settle(&mut self, wish: &Wish) -> anyhow::Result<()> {
        let today = self.today();
        let birth = Date::from_calendar(1950, 1, 1).context("a date")?;
        let mut plan = Vec::new();
        for number in 0..wish.citizens {
            let id = Id::random(&self.seed);
            let born = i32::try_from(self.seed.below(365 * 55))?;
            let registration = Registration {
                name: format!("시민 {:05}", number + 1),
                birth_date: birth.plus_days(born),
                locale: Locale::Ko,
                today,
            };
            let phone = format!("+8210{number:08}");
            plan.push((id, registration, phone));
            self.residents.push(Resident {
                id,
                phone: Phone::new(&self.seed),
                declared: 0,
                ill: None,
            });
            self.told.citizens.push(id);
        }
        for chunk in plan.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            write(self.app, move |tx| {
                for (id, registration, phone) in &chunk {
                    accepted(person::register(tx, &SIM, *id, registration, phone)?)?;
                }
                Ok(())
            })?;
        }
        let all: Vec<(Id<Person>, Ask)> = self
            .residents
            .iter()
            .enumerate()
            .map(|(at, it)| (it.id, declare(at, false, today)))
            .collect();
        self.ask(&all).map(|_| ())
    }

    fn now(&self) -> Instant {
        self.app.now()
    }

    fn today(&self) -> Date {
        self.app.config.zone.date(self.now())
    }

    fn one_in(&self, many: u64) -> bool {
        self.seed.below(many) == 0
    }

    /// Runs questions on people's codes, many in a transaction; gives each one's events.
    fn ask(&self, plan: &[(Id<Person>, Ask)]) -> anyhow::Result<Vec<Vec<code::event::Event>>> {
        let mut events = Vec::with_capacity(plan.len());
        for chunk in plan.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            events.extend(write(self.app, move |tx| {
                let mut events = Vec::with_capacity(chunk.len());
                for (person, ask) in &chunk {
                    let context = Context::by(By::Citizen(*person));
                    let decision = Id::random(tx.seed());
                    let done = code::door::run(tx, &context, *person, ask, decision)?;
                    events.push(match done {
                        // Whoever has not declared for too long gets no code: that is how it should be.
                        Err(code::refusal::Refusal::ColourUnknown) => Vec::new(),
                        done => accepted(done)?.events,
                    });
                }
                Ok(events)
            })?);
        }
        Ok(events)
    }

    /// What changes over night: people declare again, fall ill, are tested, were near somebody.
    fn morning(&mut self, day: u32) -> anyhow::Result<()> {
        let (today, now) = (self.today(), self.now());
        let many = u64::try_from(self.residents.len())?.max(1);
        let mut plan = Vec::new();
        for at in 0..self.residents.len() {
            let falls_ill = day > 0 && self.one_in(700);
            let is_positive = self.one_in(2);
            let neighbour = usize::try_from(self.seed.below(many))?;
            let Some(it) = self.residents.get_mut(at) else { continue };
            match it.ill {
                None if falls_ill => {
                    (it.ill, it.declared) = (Some(day), day);
                    plan.push((it.id, declare(at, true, today)));
                }
                Some(since) if since + 1 == day => {
                    let result = if is_positive { Finding::Positive } else { Finding::Negative };
                    let taken_at = now.plus_seconds(-12 * 3_600);
                    let source = TestSource::Laboratory;
                    plan.push((it.id, Ask::RecordTest { result, taken_at, source }));
                    if is_positive && let Some(near) = self.residents.get(neighbour) {
                        let exposed_at = now.plus_days(-2);
                        let source = Exposure::CloseContact;
                        plan.push((near.id, Ask::RecordExposure { exposed_at, source }));
                    }
                }
                Some(since) if since + 15 <= day => {
                    (it.ill, it.declared) = (None, day);
                    plan.push((it.id, declare(at, false, today)));
                }
                None if it.declared + 12 <= day => {
                    it.declared = day;
                    plan.push((it.id, declare(at, false, today)));
                }
                _ => {}
            }
        }
        self.ask(&plan)?;
        if day % 5 == 3 {
            self.order_by_hand(day)?;
        }
        Ok(())
    }

    /// Two officers turn one person yellow for a medical reason.
    fn order_by_hand(&self, day: u32) -> anyhow::Result<()> {
        let many = u64::try_from(self.residents.len())?.max(1);
        let Some(it) = self.residents.get(usize::try_from(self.seed.below(many))?) else {
            return Ok(());
        };
        let [officer, second, _] = self.told.officers;
        let order = Id::random(&self.seed);
        let propose = Ask::ProposeOrder {
            order,
            colour: contracts::code::Colour::Yellow,
            until: self.now().plus_days(7),
            reason: OrderReason::Cluster,
            number: format!("HT-2026-{day:04}"),
            officer,
        };
        let person = it.id;
        write(self.app, move |tx| {
            for (by, ask) in
                [(officer, propose.clone()), (second, Ask::ConfirmOrder { order, officer: second })]
            {
                let context = Context::by(By::Staff(by));
                let decision = Id::random(tx.seed());
                accepted(code::door::run(tx, &context, person, &ask, decision)?)?;
            }
            Ok(())
        })
    }

    /// `share` of a hundred of the day's visits happen now.
    fn go_out(&mut self, share: u64) -> anyhow::Result<()> {
        let now = self.now();
        let many = u64::try_from(self.residents.len())?;
        // About one in six people passes a door on a day.
        let visits = (many * share / 600).max(1);
        let goers: Vec<usize> =
            (0..visits).map(|_| usize::try_from(self.seed.below(many)).unwrap_or(0)).collect();
        self.issue_codes(&goers, now)?;
        let lists = Lists::fetch(self.app, now)?;
        for at in goers {
            let door = usize::try_from(self.seed.below(u64::try_from(self.guards.len())?))?;
            let (Some(it), Some(guard)) = (self.residents.get(at), self.guards.get_mut(door))
            else {
                continue;
            };
            let Some(code) = it.phone.code(now) else { continue };
            let exact = self.told.shown.is_multiple_of(self.verify_every);
            let (verdict, reasons) = if exact {
                self.told.verified += 1;
                lists.judge(&it.phone, now)?
            } else {
                by_colour(code.pass.colour)
            };
            let at_s = now.seconds() - i64::try_from(self.seed.below(3_000))?;
            guard.note(&Plain {
                pass: Some(format!("{:032x}", code.pass.pass.to_u128())),
                at: at_s,
                verdict,
                reasons,
                class: Some("device_bound".to_owned()),
                typed: false,
                short: None,
            })?;
            self.told.shown += 1;
            *self.told.verdicts.entry(verdict.word()).or_default() += 1;
            if verdict == Verdict::Pass && exact && self.is_red(it.id, now)? {
                self.told.red_passed += 1;
            }
        }
        let mut batches = Vec::new();
        for guard in &mut self.guards {
            batches.extend(guard.batches(now)?);
        }
        take_all(self.app, &self.queue, &batches, now)
    }

    /// Everybody who goes out holds a fresh code.
    fn issue_codes(&mut self, goers: &[usize], now: Instant) -> anyhow::Result<()> {
        let mut wanting: Vec<usize> = goers.to_vec();
        wanting.sort_unstable();
        wanting.dedup();
        wanting.retain(|at| self.residents.get(*at).is_some_and(|it| it.phone.code(now).is_none()));
        let plan: Vec<_> = wanting
            .iter()
            .filter_map(|at| self.residents.get(*at))
            .map(|it| {
                let ask = Ask::IssuePass {
                    pass: Id::random(&self.seed),
                    device_key: Some(HolderKey(it.phone.public())),
                    short: ShortCode::from_bits(u64::from_be_bytes(self.seed.bytes())),
                };
                (it.id, ask)
            })
            .collect();
        let issued = self.ask(&plan)?;
        for (at, events) in wanting.into_iter().zip(issued) {
            if let (Some(pass), Some(it)) =
                (code::issue::issued(&events), self.residents.get_mut(at))
            {
                it.phone.hold(code::issue::sign(&self.app.keyring, self.app.store.region(), pass)?);
            }
        }
        Ok(())
    }

    /// The person's colour now, decided from the log.
    fn is_red(&self, person: Id<Person>, now: Instant) -> anyhow::Result<bool> {
        let standing =
            self.app.store.read_blocking(|reader| code::view::standing(reader, person, now))?;
        Ok(standing.2.colour == contracts::code::Colour::Red)
    }
}

/// A device asks and is approved.
pub(crate) fn enrol(
    app: &App,
    place: Id<PlaceId>,
    device: Id<contracts::gate::Device>,
    key: &DeviceKey,
    owner: Id<Staff>,
) -> anyhow::Result<()> {
    let public_key = PublicKey::from_bytes(&key.public_uncompressed()).context("a device's key")?;
    write(app, move |tx| {
        let label = "정문".to_owned();
        let ask = DeviceCommand::AskEnrolment { place, label, public_key, waiting: 0 };
        accepted(tx.run::<Device>(&SIM, device.to_u128(), ask)?)?;
        accepted(tx.run::<Device>(
            &SIM,
            device.to_u128(),
            DeviceCommand::Approve { by: owner },
        )?)?;
        Ok(())
    })
}

fn by_colour(colour: contracts::code::Colour) -> (Verdict, Vec<String>) {
    use contracts::code::Colour;
    match colour {
        Colour::Green => (Verdict::Pass, Vec::new()),
        Colour::Yellow => (Verdict::NoPass, vec!["colour_yellow".to_owned()]),
        Colour::Red => (Verdict::NoPass, vec!["colour_red".to_owned()]),
        Colour::Unknown => (Verdict::CannotTell, vec!["colour_unknown".to_owned()]),
    }
}

pub(crate) fn appoint(
    tx: &mut Tx<'_>,
    id: Id<Staff>,
    name: &str,
    phone: &str,
    role: Role,
    scope: Scope,
    administrator: Id<Staff>,
) -> Result<(), Fault> {
    let context = Context::by(By::Staff(administrator));
    let phone = Some(phone.to_owned());
    accepted(person::door::appoint(tx, &context, id, name, phone, None, administrator)?)?;
    let grant = Grant { role, scope, until: tx.now().plus_days(300) };
    accepted(person::door::grant_role(tx, &context, id, grant, administrator)?)?;
    Ok(())
}

/// A declaration of the resident with this number.
pub(crate) fn declare(number: usize, ill: bool, today: Date) -> Ask {
    let symptom = if ill { Answer::Yes } else { Answer::No };
    let declaration = Declaration {
        name: format!("시민 {:05}", number + 1),
        document: format!("M{number:08}"),
        residence: "해태시 중앙구".to_owned(),
        stays: Vec::new(),
        contact_symptomatic: Answer::No,
        contact_confirmed: Answer::No,
        symptoms: Symptoms {
            fever: symptom,
            cough: symptom,
            sore_throat: Answer::No,
            breathlessness: Answer::No,
            smell_or_taste: Answer::No,
        },
        temperature_tenths: Some(if ill { 382 } else { 365 }),
    };
    Ask::Declare { declaration, by_helper: false, today }
}
