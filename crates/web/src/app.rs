//! What every handler holds: the store, the configuration, the texts, the questions that slices
//! answer for each other.

use std::path::PathBuf;
use std::sync::Arc;

use contracts::code::{OwnLists, TypedAnswer};
use contracts::gate::{ApprovedDevice, Device, Place};
use contracts::pass::PassSigner;
use contracts::person::{Grant, Organisation, Person, Staff};
use kernel::{Aggregate, Id, Instant, Locale, Seed, Zone};
use store::{Context, Done, Fault, Keyring, Reader, Reading, Store, Tx};
use url::Url;

use crate::actor::Actor;
use crate::assets::Assets;
use crate::limit::Limits;
use crate::member::Others;
use crate::metrics::Metrics;
use crate::passkey::Passkeys;
use crate::problem::Problem;
use crate::secret::ServerKey;
use crate::slice::{DeskCard, NavEntry};
use crate::{Slice, Texts};

/// How the city is set up, as far as pages and requests need it.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where browsers find the service, e.g. `https://code.city.example`. Decides the passkeys'
    /// domain and which requests count as our own.
    pub origin: Url,
    /// The region's name in each language, by [`Locale::index`].
    pub region_names: [String; 3],
    /// A demo: shows the inbox of sent messages and lets staff skip passkeys. Never with real
    /// people.
    pub demo: bool,
    /// The city's time zone.
    pub zone: Zone,
    /// Whether a reverse proxy in front sets `X-Forwarded-For`. Without one, anybody could choose
    /// the address that the rate limits see.
    pub behind_proxy: bool,
    /// How many requests one address may make.
    pub limits: LimitConfig,
    /// Days that a signing key lives.
    pub issuer_days: u32,
    /// Which disk is watched.
    pub disk: DiskConfig,
}

/// The disk under the store, and when it is too full. See [`crate::ops`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskConfig {
    /// The data folder.
    pub folder: PathBuf,
    /// Below this share of free space a warning is given (percent).
    pub low_percent: u8,
    /// Below this much free space the service says that it is not ready (MiB).
    pub full_mib: u64,
}

impl DiskConfig {
    /// The disk of this folder: a warning below a fifth, not ready below 256 MiB. That is a batch,
    /// a journal and an hour of a busy city, so there is time to act before a commit fails.
    pub fn of(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), low_percent: 20, full_mib: 256 }
    }
}

/// How many requests one address may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitConfig {
    /// Ordinary requests a minute. Thousands of people may share one carrier's address.
    pub normal_per_minute: u32,
    /// Requests a minute where secrets could be guessed.
    pub strict_per_minute: u32,
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self { normal_per_minute: 6_000, strict_per_minute: 60 }
    }
}

impl Config {
    /// A city on `http://localhost:PORT` in Seoul's zone, in the present folder: for tests.
    pub fn local(port: u16, demo: bool) -> Result<Self, Fault> {
        let origin = Url::parse(&format!("http://localhost:{port}"))
            .map_err(|error| Fault::caused("reading the origin", error))?;
        let zone =
            Zone::try_new("Asia/Seoul").map_err(|it| Fault::caused("finding the zone", it))?;
        Ok(Self {
            origin,
            region_names: ["해태시", "Haetae City", "獬豸市"].map(str::to_owned),
            demo,
            zone,
            behind_proxy: false,
            limits: LimitConfig::default(),
            issuer_days: 30,
            disk: DiskConfig::of("."),
        })
    }

    /// The region's name in this language.
    pub fn region_name(&self, locale: Locale) -> &str {
        self.region_names.get(locale.index()).map_or("", String::as_str)
    }

    /// The origin without a trailing slash, as browsers send it.
    pub fn origin_text(&self) -> String {
        self.origin.origin().ascii_serialization()
    }
}

/// An organisation with its name.
pub type NamedOrganisation = (Id<Organisation>, String);

/// An open place with its name and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPlace {
    /// Which.
    pub place: Id<Place>,
    /// The organisation that runs it.
    pub organisation: Id<Organisation>,
    /// Its name.
    pub name: String,
}

/// What a question gives.
type Answer<T> = Result<T, Fault>;

/// What slices answer for each other; `app` fills in whose function answers.
#[derive(Clone, Copy)]
pub struct Questions {
    /// Which roles a member of staff holds.
    pub grants_of: fn(&mut Reader<'_>, Id<Staff>, Instant) -> Answer<Vec<Grant>>,
    /// How a member of staff is shown.
    pub staff_label: fn(&mut Reader<'_>, Id<Staff>) -> Answer<Option<String>>,
    /// How a citizen is shown.
    pub person_label: fn(&mut Reader<'_>, Id<Person>) -> Answer<Option<String>>,
    /// Who holds a phone number (in the form that [`crate::phone::normal`] gives).
    pub person_by_phone: fn(&mut Reader<'_>, &str) -> Answer<Option<Id<Person>>>,
    /// The phone number of a citizen, to tell them something; in [`crate::phone::normal`]'s form.
    pub phone_of: fn(&mut Reader<'_>, Id<Person>) -> Answer<Option<String>>,
    /// The open organisations with their names.
    pub organisations: fn(&mut Reader<'_>) -> Answer<Vec<NamedOrganisation>>,
    /// The open places with their names, sensitive ones included, by name: to give staff a role
    /// in one.
    pub places: fn(&mut Reader<'_>) -> Answer<Vec<NamedPlace>>,
    /// What a typed short code says.
    pub typed_code: fn(&mut Reader<'_>, &str, Instant) -> Answer<Option<TypedAnswer>>,
    /// Whether the first may act for the second.
    pub may_help: fn(&mut Reader<'_>, Id<Person>, Id<Person>, Instant) -> Answer<bool>,
    /// With which key an organisation, or the region itself (`None`), signs at this instant.
    pub signing_key: FindSigningKey,
    /// The keys with which organisations sign passes, or did: whom other verifiers are to believe.
    pub pass_signers: fn(&mut Reader<'_>) -> Answer<Vec<PassSigner>>,
    /// What each slice signed, for the daily statement of the use of keys.
    pub signatures: &'static [Signatures],
    /// Ids of a person's things whose events lie under keys of their own: what an export holds too.
    pub things_of: fn(&mut Reader<'_>, Id<Person>) -> Answer<Vec<u128>>,
    /// A device that may check codes; nothing when it may not, or no longer.
    pub approved_device: fn(&mut Reader<'_>, Id<Device>) -> Answer<Option<ApprovedDevice>>,
    /// The region's own lists, as its gates get them.
    pub own_lists: fn(&mut Reader<'_>, &Keyring, Instant) -> Answer<Option<OwnLists>>,
}

/// Finds the key with which an organisation signs at an instant. An organisation's first is made, and
/// stands on the log, the first time that it is asked for; where its keys were ended none follows.
pub type FindSigningKey =
    fn(&mut Tx<'_>, Option<Id<Organisation>>, Instant) -> Answer<Option<SigningKey>>;

/// A key that signs: of short life, on the public log before its first signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name in what it signs, and on the trust list.
    pub kid: [u8; 8],
    /// Its name in the key folder ([`Keyring::find`]): 32 bytes of an Ed25519 private key.
    pub file: String,
    /// The certificate (DER) of its half for passes that others verify; an organisation's keys have one.
    pub certificate: Option<Vec<u8>>,
}

/// The ids of passes that the key with this kid signed in the entries of the log from the first number
/// up to but not including the second: some, each with its entry, in their order. An empty list is the
/// end.
pub type Signatures = fn(&mut Reader<'_>, [u8; 8], u64, u64) -> Answer<Vec<(u64, [u8; 16])>>;

impl Default for Questions {
    /// Answers of a house without slices: nobody is known, nothing is allowed.
    fn default() -> Self {
        Self {
            grants_of: |_, _, _| Ok(Vec::new()),
            staff_label: |_, _| Ok(None),
            person_label: |_, _| Ok(None),
            person_by_phone: |_, _| Ok(None),
            phone_of: |_, _| Ok(None),
            organisations: |_| Ok(Vec::new()),
            places: |_| Ok(Vec::new()),
            typed_code: |_, _, _| Ok(None),
            may_help: |_, _, _, _| Ok(false),
            signing_key: |_, _, _| Ok(None),
            pass_signers: |_| Ok(Vec::new()),
            signatures: &[],
            things_of: |_, _| Ok(Vec::new()),
            approved_device: |_, _| Ok(None),
            own_lists: |_, _, _| Ok(None),
        }
    }
}

/// What the application is made of.
pub struct Parts {
    /// The region's store.
    pub store: Store,
    /// How the city is set up.
    pub config: Config,
    /// The region's keys; web uses the key named `web`.
    pub keyring: Arc<Keyring>,
    /// Who answers what.
    pub questions: Questions,
    /// All slices, [`crate::slice`] included.
    pub slices: Vec<Slice>,
}

/// The application: what every handler holds. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What [`App`] gives access to.
pub struct Inner {
    /// The region's store.
    pub store: Store,
    /// How the city is set up.
    pub config: Config,
    /// The region's keys.
    pub keyring: Arc<Keyring>,
    /// What slices answer for each other.
    pub questions: Questions,
    /// All texts.
    pub texts: Arc<Texts>,
    /// All files under `/assets/`.
    pub assets: Arc<Assets>,
    /// The slices' names, in order.
    pub names: Vec<&'static str>,
    /// The main menu.
    pub nav: Vec<NavEntry>,
    /// The cards of the officer's desk.
    pub desk: Vec<DeskCard>,
    /// Every problem code with its status, sorted.
    pub problems: Vec<(&'static str, u16)>,
    /// The OpenAPI description of all JSON routes, as JSON text.
    pub api: String,
    pub(crate) key: ServerKey,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) passkeys: Passkeys,
    pub(crate) others: Others,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What names one thing in a stream: a typed id, or its 128 bits.
pub trait StreamId: Send {
    /// The 128 bits.
    fn number(self) -> u128;
}

impl StreamId for u128 {
    fn number(self) -> u128 {
        self
    }
}

impl<K> StreamId for Id<K> {
    fn number(self) -> u128 {
        self.to_u128()
    }
}

impl App {
    /// The application made of these parts.
    pub fn try_new(parts: Parts) -> Result<Self, Fault> {
        let Parts { store, config, keyring, questions, slices } = parts;
        let texts = Arc::new(Texts::try_new(&slices)?);
        let assets = Arc::new(Assets::new(&slices));
        let mut problems: Vec<_> =
            slices.iter().flat_map(|it| it.refusals.iter().copied()).collect();
        problems.sort_unstable();
        Ok(Self(Arc::new(Inner {
            key: ServerKey::new(keyring.key("web")?),
            limits: Limits::new(config.limits),
            metrics: Metrics::default(),
            passkeys: Passkeys::try_new(&config)?,
            others: Others::default(),
            names: slices.iter().map(|it| it.name).collect(),
            nav: slices.iter().flat_map(|it| it.nav.iter().copied()).collect(),
            desk: slices.iter().flat_map(|it| it.desk.iter().copied()).collect(),
            api: crate::openapi::json(&slices, &config)?,
            store,
            config,
            keyring,
            questions,
            texts,
            assets,
            problems,
        })))
    }

    /// The present instant, by the store's clock.
    pub fn now(&self) -> Instant {
        self.store.clock().now()
    }

    /// Random bytes.
    pub fn seed(&self) -> &Seed {
        self.store.seed()
    }

    /// A time-ordered id: for what stays inside.
    pub fn new_id<K>(&self) -> Id<K> {
        Id::time_ordered(self.now(), self.seed())
    }

    /// A random id: for whatever a citizen carries or a URL names.
    pub fn random_id<K>(&self) -> Id<K> {
        Id::random(self.seed())
    }

    /// Decides one command on one thing; answers when its effect is durable.
    pub async fn execute<A: Aggregate>(
        &self,
        context: Context,
        id: impl StreamId,
        command: A::Command,
    ) -> Result<Done<A::Event>, Problem> {
        Ok(self.store.execute::<A>(context, id.number(), command).await?)
    }

    /// Reads views, off the async threads.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Reader<'_>) -> Result<T, Fault> + Send + 'static,
    {
        Ok(self.store.read(work).await?)
    }

    /// Writes with the write door held; answers when durable. `work` may run again.
    pub async fn write<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.store.write(work).await.map_err(never)
    }

    /// Reads a person's record: that it was read, by whom and why is durable before anything is
    /// returned (PIPA safety standard; `record` names what was read, e.g. `code.decision`, and
    /// `purpose` why, as stable words).
    pub async fn read_record<T, F>(
        &self,
        actor: &Actor,
        subject: u128,
        record: &'static str,
        purpose: Purpose,
        work: F,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut Reader<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let reading = Reading {
            reader: actor.by(),
            subject,
            record,
            purpose: purpose.word,
            grounds: purpose.grounds,
        };
        self.store.record_readings(vec![reading]).await.map_err(never)?;
        self.read(work).await
    }
}

fn never(error: store::Error<store::door::Never>) -> Problem {
    match error {
        store::Error::Busy { retry_after_s } => Problem::busy(retry_after_s),
        store::Error::Fault(fault) => fault.into(),
        store::Error::Refused(never) => match never {},
    }
}

/// Why a record is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// A stable word, e.g. `appeal`.
    pub word: &'static str,
    /// What the reader stated: an order number, a sentence.
    pub grounds: String,
}

impl Purpose {
    /// A purpose with the grounds that the reader stated.
    pub fn new(word: &'static str, grounds: impl Into<String>) -> Self {
        Self { word, grounds: grounds.into() }
    }
}

impl From<&'static str> for Purpose {
    fn from(word: &'static str) -> Self {
        Self::new(word, "")
    }
}
